"""Tables as loggers, spreadsheets and people write them: right values or a refusal that asks, never silently wrong."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read
from mmdmad.parts.sensor_spread import spread

N = 20
A = [f"{0.2 + i * 0.013:.3f}" for i in range(N)]
B = [f"{75.1 - i * 0.07:.2f}" for i in range(N)]
STAMPS = [f"2026-03-09 10:00:{i:02d}" for i in range(N)]
BEGIN = datetime(2026, 3, 9, 10)


def table(*columns: tuple[str, list[str]], mark: str = ",") -> str:
    rows = zip(*(cells for _, cells in columns), strict=True)
    return "\n".join([mark.join(name for name, _ in columns), *(mark.join(row) for row in rows)]) + "\n"


def get(folder: Path, text: str | bytes, **how: object) -> Sensor:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    signal = read(Part("sensor", path, **how))  # type: ignore[arg-type]
    assert isinstance(signal, Sensor)
    return signal


def floats(*cells: list[str]) -> np.ndarray:
    return np.array([[float(c) for c in column] for column in cells]).T


def comma(cells: list[str]) -> list[str]:
    return [c.replace(".", ",") for c in cells]


CLOCK = [f"10:00:{i:02d}" for i in range(N)]
TIMES = {
    "unknown name": ("Zeitpunkt", STAMPS, 1, BEGIN),
    "epoch ms": ("wann", [str(1_583_750_073_000 + 1000 * i) for i in range(N)], 1, datetime(2020, 3, 9, 10, 34, 33)),
    "epoch ns": ("x", [str((1_583_750_073 + i) * 10**9) for i in range(N)], 1, datetime(2020, 3, 9, 10, 34, 33)),
    "compact": ("time", [f"202603091000{i:02d}" for i in range(N)], 1, BEGIN),
    "compact T": ("fecha", [f"20260309T1000{i:02d}" for i in range(N)], 1, BEGIN),
    "compact unknown": ("wann", [f"202603091000{i:02d}" for i in range(N)], 1, BEGIN),
    "compact days": ("date", [f"202603{i + 1:02d}" for i in range(N)], 86400, datetime(2026, 3, 1)),
    "day first": ("date", [f"{i + 1:02d}/03/2026" for i in range(N)], 86400, datetime(2026, 3, 1)),
    "month first": ("date", [f"3/{i + 1}/2026 1:00 PM" for i in range(N)], 86400, datetime(2026, 3, 1, 13)),
    "dots": ("Datum", [f"09.03.2026 {c}" for c in CLOCK], 1, BEGIN),
    "order named": ("date [MM/DD/YYYY]", [f"03/09/2026 {c}" for c in CLOCK], 1, BEGIN),
    "month's name": ("date", [f"9-Mar-2026 {c}" for c in CLOCK], 1, BEGIN),
    "spreadsheet": ("Date", [f"{46090 + (36000 + i) / 86400:.9f}" for i in range(N)], 1, BEGIN),
    "spreadsheet time": ("time", [f"{46090 + (36000 + i) / 86400:.9f}" for i in range(N)], 1, BEGIN),
    "days": ("Zeit [d]", [str(i) for i in range(N)], 86400, None),
    "minutes": ("Time (min)", [str(i) for i in range(N)], 60, None),
    "slash": ("time/ms", [str(i) for i in range(N)], 0.001, None),
    "clock": ("Uhrzeit", CLOCK, 1, None),
    "midnight": ("time", [f"{(23 + i // 10) % 24:02d}:{50 + i if i < 10 else i - 10:02d}" for i in range(N)], 60, None),
    "utc": ("Timestamp (UTC)", STAMPS, 1, BEGIN.replace(tzinfo=UTC)),
    "year 1500": ("time", [f"1500-01-{i + 1:02d}" for i in range(N)], 86400, datetime(1500, 1, 1)),
}


@pytest.mark.parametrize("kind", TIMES)
def test_times_in_every_form(kind: str, tmp_path: Path) -> None:
    name, cells, step, start = TIMES[kind]
    signal = get(tmp_path, table(("a", A), (name, cells), ("b", B)))
    assert signal.channels == ("a", "b")
    np.testing.assert_array_equal(signal.values, floats(A, B))
    np.testing.assert_allclose(signal.times, np.arange(N) * step, atol=1e-6)
    assert (signal.start and signal.start.replace(tzinfo=None)) == (start and start.replace(tzinfo=None))


def test_a_temperature_called_t_stays_a_channel(tmp_path: Path) -> None:
    heat = [f"{20 + 3 * np.sin(i / 3):.3f}" for i in range(N)]
    signal = get(tmp_path, table(("T", heat), ("RH", B)), rate=10.0)
    np.testing.assert_array_equal(signal.values, floats(heat, B))
    assert signal.channels == ("T", "RH")
    assert "is a channel" in signal.notes[0]
    assert get(tmp_path, table(("t", [f"{i / 10}" for i in range(N)]), ("RH", B))).channels == ("RH",)
    with pytest.raises(PartError, match="is it the time or a reading"):
        get(tmp_path, table(("T", [f"{20 + 3 * (1 - np.exp(-i / 8)):.4f}" for i in range(N)]), ("RH", B)))


def test_date_and_time_apart_are_joined(tmp_path: Path) -> None:
    half = [f"{c},500" for c in CLOCK]
    for date, clock in (("09.03.2026", half), ("2026-03-09", half), ("20260309", [c.replace(":", "") for c in CLOCK])):
        signal = get(tmp_path, table(("Date", [date] * N), ("Time", clock), ("a", comma(A)), mark=";"))
        assert (signal.channels, signal.times.tolist()) == (("a",), list(range(N)))
        assert signal.start == BEGIN.replace(microsecond=500_000 if "," in clock[0] else 0)
        assert any("together are the time" in note for note in signal.notes)


@pytest.mark.parametrize(
    ("name", "cells", "asks"),
    [
        ("time", [f"03/09/2026 {c}" for c in CLOCK], "name the order behind the name"),
        ("time", [f"03/09/26 {c}" for c in CLOCK], "two digits"),
        ("time", [f"{46090 + i / 10:.1f}" for i in range(N)], "seconds or day numbers"),
        ("time", [*(f"{s}Z" for s in STAMPS[:5]), *STAMPS[5:]], "row 6 is without an offset"),
        ("time", [*STAMPS[:5], *(f"{s}Z" for s in STAMPS[5:])], "row 6 is with an offset"),
        ("time", [*STAMPS[:5], "2026-02-30 10:00:00", *STAMPS[6:]], "row 6 has a date that no calendar has"),
        ("time", [f"2026-10-25 0{h}:{m:02d}" for h in (1, 2, 2, 3) for m in range(0, 60, 12)], "summer time"),
        ("time", [*(str(101_541 + i) for i in range(19)), "101600"], "without colons"),
        ("time [s]", [str((7 * i) % N + 0.1 * i) for i in range(N)], "go up and down"),
    ],
)
def test_times_that_leave_a_question_are_refused_with_it(
    name: str, cells: list[str], asks: str, tmp_path: Path
) -> None:
    with pytest.raises(PartError, match=asks):
        get(tmp_path, table((name, cells), ("a", A)))


def test_rows_that_share_a_second_are_spread_within_it(tmp_path: Path) -> None:
    signal = get(tmp_path, table(("time", [STAMPS[i // 2] for i in range(N)]), ("a", A)))
    assert signal.times.tolist() == [i / 2 for i in range(N)]
    assert "share a second" in signal.notes[0]
    times, start, _ = spread(np.array([0.0, 1, 1, 1, 1, 2, 2, 2, 2, 3]), BEGIN)
    assert times.tolist() == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25]
    assert start == BEGIN.replace(microsecond=750_000)


def test_row_numbers_labels_and_other_times_are_no_channels(tmp_path: Path) -> None:
    count, flags = [str(i + 1) for i in range(N)], ["0"] * 15 + ["1"] * 5
    for name in ("", "Unnamed: 0", "index", "counter"):
        signal = get(tmp_path, table((name, count), ("a", A), ("is_attack", flags), ("valve", flags)))
        assert signal.channels == ("a", "valve")
        assert ["numbers the rows" in signal.notes[0], "holds labels" in signal.notes[1]] == [True, True]
    for name, cells in (
        *(("label", list("0123") * 5), ("class", list("12") * 10), ("is fault", flags), ("Defective", flags)),
        *(
            ("good", flags),
            ("status", ["ok", "nok"] * 10),
            ("Label", ["i.O.", "n.i.O."] * 10),
            ("fault", ["no", "yes"] * 10),
        ),
    ):
        signal = get(tmp_path, table(("a", A), (name, cells)))
        assert signal.channels == ("a",), name
        assert f"column {name!r} holds labels" in signal.notes[0]
    for name, cells in (
        *(("level", list("01") * 10), ("y", flags), ("status", flags), ("class", A), ("state", ["run", "idle"] * 10)),
        *(("status", ["ok", "idle"] * 10), ("target", list("12") * 10), ("fault current", A)),
    ):
        assert len(get(tmp_path, table(("a", A), (name, cells))).channels) > 1, name
    grows = [str(1_500_000_000 + i * i) for i in range(1, N + 1)]
    signal = get(tmp_path, table(("time", STAMPS), ("received", STAMPS), ("bytes", grows), ("a", A)))
    assert signal.channels == ("bytes", "a")
    assert get(tmp_path, table(("time", STAMPS), ("parts", count))).channels == ("parts",)


PLAIN = table(("time", STAMPS), ("a [mm/s]", A), ("b", B))
SEMI = PLAIN.replace(",", ";")
FORMS: dict[str, str | bytes] = {
    "comments": "# logger 5\n% x\n\n" + SEMI.replace("\n", "\n// remark\n", 4) + "# end\n",
    "sep": "sep=;\n" + SEMI,
    "decimal comma": SEMI.replace(".", ","),
    "quoted": "\n".join(",".join(f'"{c}"'.replace(".", ",") for c in r.split(",")) for r in PLAIN.split("\n")[:-1]),
    "trailing": SEMI.replace("\n", ";\n"),
    "trailing below": SEMI.replace("\n", ";\n").replace(";\n", "\n", 1),
    "blank lines": PLAIN.replace("\n", "\n\n"),
    "utf-16": PLAIN.encode("utf-16"),
    "utf-16 without mark": PLAIN.encode("utf-16-le"),
    "bom": PLAIN.encode("utf-8-sig"),
    "carriage returns": PLAIN.replace("\n", "\r\n"),
    "units below": SEMI.replace(" [mm/s]", "").replace("\n", "\n[s];mm/s;-\n", 1),
    "commented header": "# " + PLAIN,
    "spaces": PLAIN.replace(",", ", "),
}


@pytest.mark.parametrize("kind", FORMS)
def test_texts_in_every_form(kind: str, tmp_path: Path) -> None:
    signal = get(tmp_path, FORMS[kind])
    assert (signal.channels, signal.units, signal.start) == (("a", "b"), ("mm/s", ""), BEGIN)
    np.testing.assert_array_equal(signal.values, floats(A, B))
    np.testing.assert_array_equal(signal.times, np.arange(N))


def test_latin_1_is_read_with_a_note_wherever_it_begins(tmp_path: Path) -> None:
    head = "time,Größe [°C]\n" + "".join(f"{i},{i % 7}.5\n" for i in range(300))
    signal = get(tmp_path, head.encode("latin-1"))
    assert (signal.channels, signal.units, len(signal.values)) == (("Größe",), ("°C",), 300)
    assert "Latin-1" in signal.notes[0]
    late = "time,a\n" + "".join(f"{i},{i % 7}.5\n" for i in range(200_000)) + "# Größe\n"
    signal = get(tmp_path, late.encode("latin-1"))
    assert len(signal.values) == 200_000
    assert [note for note in signal.notes if "Latin-1" in note or "comment" in note] == list(signal.notes)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        (table(("time", STAMPS), ("b", [f"{75 + i},100" for i in range(N)]), mark=";"), "decimal comma or a mark"),
        (table(("time", STAMPS), ("a", comma(A)), ("b", B), mark=";"), "with a comma in .* and with a dot"),
        ("2026-03-09 10:00:00,1.5\n2026-03-09 10:00:01,1.6\n", "no header"),
        ("1,2,3\n" + "0.5,0.6,0.7\n" * 9, "no header"),
        ("2019,2021\n" + "0.5,0.6\n" * 9, "no header"),
        (table(("a", A), ("remark", [f"seen by {chr(97 + i)}" for i in range(N)])), "at most 20 different words"),
        (table(("a", A), ("b", ["1.5", "ERR", "x"] + ["2.5"] * 17)), None),
        (table(("a", A), ("b", ["1.5", "ERR", "x", "y"] + ["2.5"] * 16)), "4|3 of its 20 cells"),
    ],
)
def test_texts_that_leave_a_question_are_refused_with_it(text: str, asks: str | None, tmp_path: Path) -> None:
    if asks is None:
        assert np.isnan(get(tmp_path, text).values[:, 1]).sum() == 2
        return
    with pytest.raises(PartError, match=asks):
        get(tmp_path, text)


def test_thousands_are_taken_where_the_decimal_mark_is_sure(tmp_path: Path) -> None:
    large = [1200.25 + 1000 * i for i in range(N)]
    for cells in ([f"{x:,.2f}" for x in large], [f"{x:,.2f}".translate(str.maketrans(",.", ".,")) for x in large]):
        signal = get(tmp_path, table(("time", STAMPS), ("a", cells), mark=";"))
        assert signal.values[:, 0].tolist() == large
        assert "between thousands" in signal.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "level\n1.5\n\n2.5\n",
        "# pump\nlevel\n1.5\n\n2.5\n",
        "level;\n1,5;\n;\n2,5;\n",
        "level\t\n1,5\t\n\t\n2,5\t\n",
        "level\tflow\n1,5\t1,0\n\t\n2,5\t1,0\n",
    ],
)
def test_a_row_of_missing_readings_is_a_row_however_blank_it_looks(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    signal = read(Part("sensor", tmp_path / "a.csv"))
    np.testing.assert_array_equal(signal.values[:, 0], [1.5, np.nan, 2.5])
    assert signal.times.tolist() == [0, 1, 2]


def test_blank_lines_between_rows_of_several_cells_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("level;flow\n1,5;1,0\n\n  \n2,5;1,0\n\n")
    assert read(Part("sensor", tmp_path / "a.csv")).values[:, 0].tolist() == [1.5, 2.5]


def test_states_booleans_and_bad_cells(tmp_path: Path) -> None:
    states = ["RUN"] * 8 + ["IDLE"] * 11 + [""]
    cells = [*A[:6], "ERR", *A[7:]]
    signal = get(tmp_path, table(("time", STAMPS), ("state", states), ("on", ["True", "false"] * 10), ("a", cells)))
    assert signal.channels == ("state=IDLE", "state=RUN", "on", "a")
    assert signal.states == ("state",)
    np.testing.assert_array_equal(signal.values[:, 1], [1.0] * 8 + [0.0] * 11 + [np.nan])
    np.testing.assert_array_equal(signal.values[:, 2], [1.0, 0.0] * 10)
    assert np.flatnonzero(np.isnan(signal.values[:, 3])).tolist() == [6]
    assert any("'ERR' in row 7" in note for note in signal.notes)
    frame = pd.DataFrame({"time": STAMPS, "state": states, "on": [True, False] * 10, "a": np.float64(A)})
    assert read(Part("sensor", value=frame)).channels == signal.channels


def test_times_of_day_and_few_short_stamps_as_numbers_are_a_question(tmp_path: Path) -> None:
    level = [f"{i % 7}.5" for i in range(200)]
    minutes = [f"{6 + i // 60:02d}{i % 60:02d}00" for i in range(200)]
    with pytest.raises(PartError, match=r"may count seconds or hold times of day without colons"):
        get(tmp_path, table(("time", minutes), ("a", level)))
    stamps = [f"261128{6 + i // 60:02d}{i % 60:02d}00" for i in range(200)]
    with pytest.raises(PartError, match=r"numbers like 261128060000: dates with a year of two digits, or a count"):
        get(tmp_path, table(("stamp", stamps[:20]), ("a", level[:20])))
    assert get(tmp_path, table(("stamp", stamps), ("a", level))).times[-1] == 199 * 60
    seconds = [str(100 * i) for i in range(200)]  # a row every hundred seconds
    assert get(tmp_path, table(("time", seconds), ("a", level))).times[-1] == 19_900
    assert get(tmp_path, table(("time [ms]", stamps), ("a", level))).times[1] == pytest.approx(0.1)


def test_a_column_called_minute_counts_minutes(tmp_path: Path) -> None:
    for name, scale in (("minute", 60), ("hour", 3600), ("day", 86_400), ("second", 1)):
        signal = get(tmp_path, table((name, [str(i) for i in range(N)]), ("a", A)))
        assert (signal.times[1], signal.channels) == (scale, ("a",)), name


def test_a_table_without_a_time_says_what_is_taken(tmp_path: Path) -> None:
    told = "no column holds the time: a row a second is taken; a rate says otherwise (sensor_rate)"
    assert get(tmp_path, table(("a", A), ("b", B))).notes == (told,)
    assert get(tmp_path, table(("a", A), ("b", B)), rate=10.0).notes == ()
    assert told not in get(tmp_path, table(("time", STAMPS), ("a", A))).notes
