"""Manifests as people leave them: each cell is read, or refused by row and name, and the rest goes on."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdmad import manifest_rows
from mmdmad.cases import Cases
from mmdmad.errors import ManifestError
from mmdmad.learning import to_learn
from mmdmad.manifest import read_cases


def read(folder: Path, data: str | bytes, suffix: str = ".csv") -> Cases:
    path = folder / f"m{suffix}"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_cases(path)


def told(cases: Cases) -> list[tuple]:
    return [(r.row, r.case_id, r.part) for r in cases.refused]


def values(cases: Cases) -> dict[str, str]:
    return {case.id: case.parts["text"].value for case in cases}


def test_a_long_cell_is_read_and_a_giant_one_refused_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = "word " * 60_000  # 300,000 characters; the csv module stops at 131,072 by itself
    assert values(read(tmp_path, f"id,text\na,{long}\nb,x\n")) == {"a": long, "b": "x"}
    monkeypatch.setattr(manifest_rows, "MAX_CELL", 1000)
    cases = read(tmp_path, f"id,text\na,{'x' * 1001}\nb,{'x' * 1000}\n")
    assert (list(values(cases)), told(cases)) == (["b"], [(1, "row 1", "row")])
    assert "1001 characters; at most 1000" in cases.refused[0].reason
    monkeypatch.setattr(manifest_rows, "MAX_LINE", 2000)
    cases = read(tmp_path, f"id,text\na,x\nb,{'x' * 2500}\nc,y\n")
    assert (list(values(cases)), told(cases)) == (["a", "c"], [(2, "row 2", "row")])
    pq.write_table(pa.table({"id": ["a", "b"], "text": ["x" * 1001, "y"]}), tmp_path / "m.parquet")
    cases = read_cases(tmp_path / "m.parquet")
    assert (list(values(cases)), told(cases)) == (["b"], [(1, "row 1", "row")])


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize(
    ("encoding", "note"),
    [("utf-8", None), ("utf-8-sig", None), ("cp1252", "Latin-1"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16")],
)
def test_encodings_are_found_and_told(tmp_path: Path, suffix: str, encoding: str, note: str | None) -> None:
    text = "id,text\na,Größe 5 µm – “ok”\n" if suffix == ".csv" else '{"id": "a", "text": "Größe 5 µm – “ok”"}\n'
    cases = read(tmp_path, text.encode(encoding), suffix)
    assert values(cases) == {"a": "Größe 5 µm – “ok”"}
    assert not cases.refused
    assert [note in one for one in cases.extra["notes"]] == ([] if note is None else [True])


def test_bad_rows_are_refused_one_at_a_time(tmp_path: Path) -> None:
    cases = read(tmp_path, 'id,text\na,x\nb,x,y,z\nc\nd,"x"y"\ne,a\0b\nf,x,,\n')
    assert (list(values(cases)), [r.row for r in cases.refused]) == (["a", "f"], [2, 3, 4, 5])
    cases = read(tmp_path, '{"id": "a", "text": "x"}\n[1]\n{"id": "b"\n{"id": "c", "text": "y"}\n', ".jsonl")
    assert (list(values(cases)), [r.row for r in cases.refused]) == (["a", "c"], [2, 3])
    with pytest.raises(ManifestError, match=r"no line of .* is a JSON object"):
        read(tmp_path, "1\n2\n", ".jsonl")


def test_separators_and_the_line_that_names_one(tmp_path: Path) -> None:
    for data in (
        "sep=;\nid;text\na;x, y\n",
        "id\ttext\na\tx, y\n",
        'id|text\na|"x, y"\n',
        '"sep=,"\nid,text\na,"x, y"\n',
    ):
        assert values(read(tmp_path, data)) == {"a": "x, y"}


def test_a_time_without_zone_among_others_is_left_out_and_told_once(tmp_path: Path) -> None:
    rows = [f"z{i},x,2026-05-01T12:00:0{i}Z" for i in range(3)] + [f"n{i},x,2026-05-01 12:00:0{i}" for i in range(5)]
    cases = read(tmp_path, "id,text,time\n" + "\n".join(rows) + "\n")
    assert [case.time for case in cases] == [datetime(2026, 5, 1, 12, 0, i, tzinfo=UTC) for i in range(3)] + [None] * 5
    assert told(cases) == [(4, "column time", "time")]
    assert "5 cells cannot be used; the first, of row 4 (case n0)" in cases.refused[0].reason
    assert "as 3 others have" in cases.refused[0].reason
    cases = read(tmp_path, "id,text,time\na,x,2026-05-01T12:00+02:00\nb,x,2026-05-01T12:00Z\n")
    assert (cases.refused, len({case.time for case in cases})) == ((), 2)
    cases = read(tmp_path, "id,text,time\na,x,2026-05-01T12:00\nb,x,2026-05-01\n")
    assert (cases.refused, [case.time.tzinfo for case in cases]) == ((), [None, None])


def test_a_time_of_day_takes_the_date_beside_it(tmp_path: Path) -> None:
    cases = read(tmp_path, "id,text,date,time\na,x,2026-05-01,12:30\nb,x,,12:30\nc,x,2026-05-01,25:00\n")
    assert [case.time for case in cases] == [datetime(2026, 5, 1, 12, 30), None, None]
    assert told(cases) == [(2, "b", "time"), (3, "c", "time")]


def test_labels_that_cannot_be_read_are_told_by_row_or_in_one_line(tmp_path: Path) -> None:
    cases = read(tmp_path, "id,text,label\na,x,gut\nb,x,schlecht\nc,x,hm\nd,x,n/a\n")
    assert ([case.label for case in cases], told(cases)) == ([0, 1, None, None], [(3, "c", "label")])
    cases = read(tmp_path, "id,text,label\n" + "".join(f"{i},x,bolt\n" for i in range(50)))
    assert told(cases) == [(1, "column label", "label")]
    assert "50 cells cannot be used" in cases.refused[0].reason
    assert "good and bad" in cases.refused[0].reason


def test_a_rate_that_cannot_be_read_takes_its_part_and_not_the_case(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("a\n1\n")
    cases = read(
        tmp_path, "id,text,sensor,sensor_rate\na,x,s.csv,fast\nb,x,s.csv,1e-400\nc,x,s.csv,1e999\nd,x,s.csv,10\n"
    )
    assert [case.pattern for case in cases] == [("text",)] * 3 + [("text", "sensor")]
    assert told(cases) == [(1, "a", "sensor"), (2, "b", "sensor"), (3, "c", "sensor")]


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux only")
def test_files_are_found_under_names_of_another_encoding(tmp_path: Path) -> None:
    for name in ("Größe.txt".encode("cp1252"), "Maß.txt".encode("cp437"), "Übe.txt".encode()):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("x")
    (tmp_path / "Äu\u0308.txt").write_text("x")
    cases = read(tmp_path, "id,text_file\na,Größe.txt\nb,Maß.txt\nc,Übe.txt\nd,Äü.txt\ne,Öde.txt\n")
    assert [case.id for case in cases] == ["a", "b", "c"]
    assert told(cases) == [(4, "d", "text"), (5, "e", "text")]
    assert cases.extra["notes"] == ("2 files were found under names in another encoding",)
    (tmp_path / "u\u0308.txt").write_text("x")
    assert [case.id for case in read(tmp_path, "id,text_file\na,ü.txt\n")] == ["a"]
    for case in read_cases(tmp_path):
        case.id.encode()


def test_half_characters_and_huge_numbers_refuse_their_cell(tmp_path: Path) -> None:
    huge = "1" + "0" * 4200
    cases = read(
        tmp_path,
        '{"id": "a", "text": "x", "group": "\\ud800"}\n{"id": "\\udc80", "text": "x"}\n'
        f'{{"id": "c", "text": "x", "label": {huge}}}\n{{"id": "d", "text": "x", "time": {huge}}}\n'
        f'{{"id": {huge}, "text": "x"}}\n{{"id": "f", "text": "x", "label": 1{huge * 2}}}\n'
        '{"id": "g", "text": "x"}\n',
        ".jsonl",
    )
    assert [case.id for case in cases] == ["a", "c", "d", "g"]
    assert sorted(r.row for r in cases.refused) == [2, 3, 4, 5, 6]
    for word in [case.group or "" for case in cases] + [r.case_id + r.reason for r in cases.refused]:
        word.encode()


def test_parquet_columns_of_other_kinds_are_left_out_with_a_note(tmp_path: Path) -> None:
    late = pa.array([2**62, 0], pa.timestamp("ms"))
    table = {"id": ["a", "b"], "text": ["x", "y"], "box": [[1], [2]], "when": late}
    pq.write_table(pa.table(table), tmp_path / "m.parquet")
    cases = read_cases(tmp_path / "m.parquet")
    assert (list(values(cases)), [r.row for r in cases.refused]) == (["b"], [1])
    assert "column 'box' holds list" in cases.extra["notes"][0]


CELL = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["x", "12:30", "2026-05-01T12:00Z", "1e400", "n.i.O.", "../x", "a#1:", "#0:5", "\0", "\ud800"]),
    st.lists(st.integers(), max_size=2), st.integers(10**50, 10**60),
)  # fmt: skip
NAMES = st.sampled_from(
    ["time", "label", "split", "group", "recording", "text_file", "sensor", "sensor_rate", "class", "bad"]
)


@given(st.lists(st.dictionaries(NAMES, CELL, max_size=4), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_cell_every_other_row_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list
) -> None:
    import json

    folder = tmp_path_factory.mktemp("any")
    lines = [json.dumps({"id": f"i{n}", "text": "x", **row}) for n, row in enumerate(rows)]
    cases = read(folder, "\n".join([*lines, '{"id": "sound", "text": "fine", "split": "train"}']) + "\n", ".jsonl")
    assert "sound" in [case.id for case in cases]
    accounted = {case.id for case in cases} | {r.case_id for r in cases.refused}
    assert accounted >= {f"i{n}" for n in range(len(rows))}
    for refusal in cases.refused:
        (refusal.case_id + refusal.reason).encode()
    chosen = to_learn(cases, split="train")
    assert "sound" in [case.id for case in chosen.cases]


def test_dates_with_dots_have_the_day_first(tmp_path: Path) -> None:
    rows = [
        "a,x,3.4.2026 6:05",
        "b,x,28.11.2026 6:00:30.5",
        "c,x,1.5.2026",
        "d,x,31.2.2026 06:00",
        "e,x,03/04/2026 06:00",
    ]
    cases = read(tmp_path, "\n".join(["id,text,time", *rows, ""]))
    assert [None if case.time is None else case.time.isoformat() for case in cases] == [
        "2026-04-03T06:05:00",
        "2026-11-28T06:00:30.500000",
        "2026-05-01T00:00:00",
        None,
        None,
    ]
    assert [refusal.case_id for refusal in cases.refused] == ["d", "e"]
    assert "times with dots in their dates are read with the day first" in cases.extra["notes"]
