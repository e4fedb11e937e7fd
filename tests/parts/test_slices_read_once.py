"""Slices of one file: the same rows as before, decoded once for all of them, and a changed file is noticed."""

import os
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import content_key, read, sensor_csv, sensor_table, text_lines
from mmdmad.parts.kept import KEPT, Kept

ROWS = 120


@pytest.fixture(autouse=True)
def _empty():
    KEPT.clear()
    yield
    KEPT.clear()


def frame(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    time = pd.date_range("2026-05-01 12:00:00", periods=rows, freq="500ms")
    state = np.where(np.arange(rows) < rows // 2, "RUN", "IDLE")
    return pd.DataFrame({"time": time, "flow [l/min]": rng.normal(size=rows), "state": state, "hot": np.arange(rows)})


def write(path: Path, table: pd.DataFrame) -> Path:
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        np.savez(path, values=table[["flow [l/min]", "hot"]].to_numpy(float), channels=["flow", "hot"], rate=2.0)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_a_slice_has_the_rows_of_the_whole_table(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"pump{suffix}", frame())
    whole = read(Part("sensor", path))
    for start, stop in ((0, 10), (None, 7), (50, 70), (110, None), (0, ROWS)):
        piece = read(Part("sensor", path, start=start, stop=stop))
        first, last = start or 0, ROWS if stop is None else stop
        assert piece.channels == whole.channels
        np.testing.assert_array_equal(piece.values, whole.values[first:last])
        np.testing.assert_allclose(piece.times, whole.times[first:last] - whole.times[first], atol=1e-9)
        assert piece.offset == pytest.approx(first / 2)
        if whole.start is not None:
            assert (piece.start - whole.start).total_seconds() == first / 2


def test_states_and_dates_are_decided_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    lines = [f"{day:02d}/02/2026 10:00:00;{day * day};{'RUN' if day < 20 else 'IDLE'}" for day in range(1, 29)]
    path.write_text("date;flow;state\n" + "\n".join(lines) + "\n")
    early = read(Part("sensor", path, start=0, stop=10))  # 01/02 to 10/02 alone tell no order of day and month
    assert early.channels == ("flow", "state=IDLE", "state=RUN")
    assert early.times[1] == 86_400
    assert early.values[:, 1].tolist() == [0.0] * 10


def test_a_file_is_decoded_once_for_all_its_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "pump.csv", frame())
    calls = []
    monkeypatch.setitem(sensor_table.READERS, ".csv", lambda p, f: calls.append(p) or sensor_csv.read_csv(p, f))
    threads = [
        threading.Thread(target=lambda i=i: read(Part("sensor", path, start=i, stop=i + 10))) for i in range(0, 100, 10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


def test_what_is_done_to_a_slice_does_nothing_to_the_next(tmp_path: Path) -> None:
    path = write(tmp_path / "pump.csv", frame())
    part = Part("sensor", path, start=0, stop=10)
    before = read(part).values.copy()
    read(part).values[:] = 7
    np.testing.assert_array_equal(read(part).values, before)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "pump.csv", frame(seed=0))
    part = Part("sensor", path, start=20, stop=30)
    before, key = read(part).values, content_key(part)
    status = path.stat()
    write(path, frame(seed=1))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))
    assert not np.array_equal(read(part).values, before)
    assert content_key(part) != key


def test_a_growing_file_leaves_its_old_slices_as_they_were(tmp_path: Path) -> None:
    table = tmp_path / "pump.csv"
    write(table, frame(100))
    log = tmp_path / "app.log"
    log.write_text("".join(f"line {i}\n" for i in range(100)))
    parts = [Part("sensor", table, start=20, stop=40), Part("text", log, start=20, stop=40)]
    before = [content_key(part) for part in parts]
    longer = frame(150)
    longer.iloc[:100] = frame(100)
    write(table, longer)
    with log.open("a") as file:
        file.write("".join(f"line {i}\n" for i in range(100, 150)))
    assert [content_key(part) for part in parts] == before
    assert len(read(Part("sensor", table, start=140, stop=150)).times) == 10
    assert read(Part("text", log, start=148, stop=150)).text == "line 148\nline 149\n"


def test_slices_of_equal_content_are_copies_whatever_their_place(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("idle\nidle\nbusy\n")
    keys = [content_key(Part("text", log, start=i, stop=i + 1)) for i in range(3)]
    assert keys[0] == keys[1] != keys[2]
    path = tmp_path / "t.csv"
    pd.DataFrame({"t [s]": np.arange(40) / 10, "a": np.tile([1.0, 2.0, 3.0, 5.0], 10)}).to_csv(path, index=False)
    keys = [content_key(Part("sensor", path, start=i, stop=i + 8)) for i in (0, 8, 9)]
    assert keys[0] == keys[1] != keys[2]


def test_sound_slices_of_a_file_with_bad_rows_elsewhere_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensor_csv, "BLOCK", 100)  # bytes that are read at once: the torn row lies in a later block
    path = tmp_path / "torn.csv"
    rows = [f"{i},{i % 7}" for i in range(50)]
    path.write_text("t [s],a\n" + "\n".join(rows) + "\n50,3,4,5\n")
    assert read(Part("sensor", path, start=10, stop=20)).values.shape == (10, 1)
    with pytest.raises(PartError):
        read(Part("sensor", path, start=45, stop=51))
    (tmp_path / "undated.csv").write_text("time,a\n" + "\n".join([*rows, ",3"]) + "\n")
    assert read(Part("sensor", tmp_path / "undated.csv", start=10, stop=20)).times[-1] == 9
    with pytest.raises(PartError, match="has no time"):
        read(Part("sensor", tmp_path / "undated.csv", start=45, stop=51))


def test_a_slice_past_the_end_is_refused_with_the_number_of_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "pump.csv", frame())
    with pytest.raises(PartError, match="there are 120 rows"):
        read(Part("sensor", path, start=100, stop=121))
    log = tmp_path / "app.log"
    log.write_text("one\ntwo")
    assert read(Part("text", log, start=1, stop=2)).text == "two"
    with pytest.raises(PartError, match="has 2 lines"):
        read(Part("text", log, start=1, stop=3))


def test_files_too_large_to_be_kept_are_read_slice_by_slice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "pump.csv", frame())
    monkeypatch.setattr(KEPT, "most", 100)
    piece = read(Part("sensor", path, start=20, stop=30))
    np.testing.assert_allclose(piece.values[:, 0], frame()["flow [l/min]"][20:30])
    assert KEPT.size == 0


def test_what_is_kept_stays_within_its_bound(tmp_path: Path) -> None:
    held = Kept(most=100)
    paths = [tmp_path / f"{i}" for i in range(5)]
    for i, path in enumerate(paths):
        path.write_text("x")
        assert held.get("k", path, lambda i=i: (i, 40)) == i
    assert held.size == 80
    assert held.get("k", paths[4], lambda: (9, 40)) == 4  # still there
    assert held.get("k", paths[0], lambda: (9, 40)) == 9  # dropped, made anew
    with pytest.raises(OSError, match="no such disk"):
        held.get("k", paths[1], lambda: (_ for _ in ()).throw(OSError("no such disk")))
    assert held.get("k", paths[1], lambda: (1, 40)) == 1


@pytest.mark.parametrize("every", [1, 2, 3, 1024])
@pytest.mark.parametrize("block", [1, 4, 5, 4096])
def test_lines_begin_where_they_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int, block: int) -> None:
    monkeypatch.setattr(text_lines, "BLOCK", block)
    monkeypatch.setattr(text_lines, "EVERY", every)
    path = tmp_path / "a.log"
    for text in ("", "a", "a\n", "\n\n", "ab\ncdef\r\n\ng", "\n" * 9 + "long line\nx\n"):
        path.write_bytes(text.encode())
        KEPT.clear()
        ends = np.cumsum([0, *(len(line) for line in text.encode().split(b"\n"))]) + np.arange(text.count("\n") + 2)
        expected = [int(end) for end in ends[:-1] if end < len(text)]
        lines = text_lines.lines_of(path)
        assert (lines.count, lines.size) == (len(expected), len(text))
        assert [text_lines.line_begin(path, lines, i) for i in range(lines.count + 1)] == [*expected, len(text)]


def test_a_file_of_empty_lines_needs_little_to_know_them(tmp_path: Path) -> None:
    path = tmp_path / "empty.log"
    path.write_bytes(b"\n" * 1_000_000 + b"last")
    assert text_lines.lines_of(path).begins.nbytes < 10_000
    assert read(Part("text", path, start=1_000_000)).text == "last"


def test_a_file_that_cannot_be_made_into_a_value_holds_no_lock(tmp_path: Path) -> None:
    held, path = Kept(), tmp_path / "a"
    path.write_text("x")
    with pytest.raises(OSError, match="torn"):
        held.get("k", path, lambda: (_ for _ in ()).throw(OSError("torn")))
    assert not held._making
