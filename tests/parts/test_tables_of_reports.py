"""Tables with names behind a comment mark, in the frame of a report, with kinds of rows, or with an hour twice."""

from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read
from mmdmad.parts.sensor_text import is_table

N = 24
STAMPS = [f"2026-04-03 {i // 6:02d}:{i % 6}0:01 UTC" for i in range(N)]
LOAD = [f"{5 + i % 7 / 10:.2f}" for i in range(N)]
FREE = [str(205_000 + 37 * (i % 5)) for i in range(N)]


def get(folder: Path, lines: list[str], name: str = "t.csv") -> Sensor:
    (folder / name).write_text("\n".join(lines) + "\n")
    made = read(Part("sensor", folder / name))
    assert isinstance(made, Sensor)
    return made


def refusal(folder: Path, lines: list[str]) -> str:
    with pytest.raises(PartError) as refused:
        get(folder, lines)
    return str(refused.value)


def activity() -> list[str]:
    return [f"web1;600;{STAMPS[i]};{FREE[i]};{LOAD[i]}" for i in range(N)]


@pytest.mark.parametrize("mark", ["# ", "#", "% ", "// "])
def test_names_behind_a_comment_mark_above_rows_with_words_are_the_header(tmp_path: Path, mark: str) -> None:
    made = get(tmp_path, ["# made by sysstat", f"{mark}host;interval;timestamp;free;%load", *activity()])
    assert made.channels == ("interval", "free", "%load")
    assert (len(made.values), made.clock) == (N, "timestamp")
    assert made.values[:, 1].tolist() == [float(cell) for cell in FREE]
    assert "the comment above the numbers is read as the header" in made.notes
    assert "1 comment line is left out" in made.notes


def test_units_behind_a_second_comment_mark_are_units(tmp_path: Path) -> None:
    rows = [f"{i}\t{LOAD[i]}" for i in range(N)]
    made = get(tmp_path, ["# time\tspeed", "# [s]\t[m/s]", *rows])
    assert (made.channels, made.units, made.clock) == (("speed",), ("m/s",), "time")


def test_a_comment_above_a_header_is_none(tmp_path: Path) -> None:
    rows = [f"{i},{LOAD[i]}" for i in range(N)]
    assert get(tmp_path, ["# hall 3, press 4", "time,load", *rows]).channels == ("load",)


@pytest.mark.parametrize("comments", [[], ["# one cell"], ["# a;b"]])
def test_a_row_of_readings_is_never_taken_for_names(tmp_path: Path, comments: list[str]) -> None:
    said = refusal(tmp_path, [*comments, *activity()])
    assert "has no header: its first row ('web1;600;2026-04-03 00:00:01 UTC;205000;5.00') holds readings" in said
    said = refusal(tmp_path, [*comments, *(f"web1;{LOAD[i]};{FREE[i]};{4 + i % 3}" for i in range(N))])
    assert "write a row above it that names the columns" in said


@pytest.mark.parametrize("names", ["day;0;1;2;3", "day;400.5;401.0;401.5;402.0"])
def test_numbers_that_run_on_from_column_to_column_are_names(tmp_path: Path, names: str) -> None:
    rows = [f"{STAMPS[i].removesuffix(' UTC')};{LOAD[i]};{FREE[i]};{LOAD[-i]};{i % 4}" for i in range(N)]
    assert get(tmp_path, [names, *rows]).channels == tuple(names.split(";")[1:])


def test_an_event_between_the_rows_is_left_out_and_said(tmp_path: Path) -> None:
    lines = ["# host;interval;timestamp;free;%load", *activity()]
    lines.insert(9, "web1;-1;2026-04-03 01:25:44 UTC;LINUX-RESTART\t(4 CPU)")
    made = get(tmp_path, lines)
    assert len(made.times) == len(lines) - 2
    assert any("LINUX-RESTART" in note and "one row has fewer cells" in note for note in made.notes)
    lines[9] = "web1;600;2026-04-03 01:25:44 UTC;205000"
    assert "write all cells into each row" in refusal(tmp_path, lines)


def report(total: str = "|*         |        |1000|    9.200,55 |      40,40-|") -> list[str]:
    rule = "-" * 52
    rows = [
        f"|28.11.2026|{i // 4:02d}:{15 * (i % 4):02d}:00|1000|    1.4{i:02d},71 |{i % 9:8d},65{'-' if i % 2 else ' '}|"
        for i in range(N)
    ]
    head = "|Buch.dat. |Uhrzeit |Werk|  Bezug kWh  |  Saldo     |"
    return ["29.11.2026    Liste    1", "", rule, head, rule, *rows, rule, *([total] if total else []), rule]


@pytest.mark.parametrize("name", ["t.txt", "t.csv"])
def test_a_list_in_a_frame_is_read_without_titles_rules_and_totals(tmp_path: Path, name: str) -> None:
    made = get(tmp_path, report(), name)
    assert made.channels == ("Werk", "Bezug kWh", "Saldo")
    assert np.allclose(made.values[:, 1], [1400.71 + i for i in range(N)])
    assert np.allclose(made.values[:, 2], [(i % 9 + 0.65) * (-1) ** i for i in range(N)])
    assert made.times[-1] == 900 * (N - 1)
    said = " | ".join(made.notes)
    assert "a frame of bars and dashes: 5 lines of rules and titles left out" in said
    assert "one row of totals, marked by a star in the first column, left out: '|*" not in said
    assert "left out: '* | |1000| 9.200,55 | 40,40-'" in said
    assert is_table(tmp_path / name)


def test_pages_of_a_list_repeat_their_header(tmp_path: Path) -> None:
    lines = report("")
    page = [lines[-1], "", "29.11.2026    Liste    2", "", *lines[2:5]]
    made = get(tmp_path, lines[:15] + page + lines[15:])
    assert len(made.values) == N
    assert not any("totals" in note for note in made.notes)


@pytest.mark.parametrize("outside", [True, False])
def test_tables_of_databases_are_framed_too(tmp_path: Path, outside: bool) -> None:
    rows = [f" {i} | {LOAD[i]} | {FREE[i]} " for i in range(N)]
    rule = "----+------+--------"
    lines = [" time | load | free ", rule, *rows]
    lines = [f"|{line}|" if "|" in line else f"+{line}+" for line in lines] if outside else [*lines, "(24 rows)"]
    made = get(tmp_path, [f"+{rule}+", *lines, f"+{rule}+"] if outside else lines)
    assert (made.channels, len(made.values), made.times[-1]) == (("load", "free"), N, N - 1)


def test_a_frame_with_rows_of_several_widths_says_what_to_drop(tmp_path: Path) -> None:
    lines = report()
    lines[8] = "|Zwischensumme           |  1.402,71 |"
    said = refusal(tmp_path, lines)
    assert "rows with 3 to 6 bars" in said
    assert "drop the title, the lines of dashes, the rows of totals" in said


def glucose() -> list[str]:
    rows = [f"Reader;8f2c-11;27-11-2026 0{i // 4}:{15 * (i % 4):02d};0;{110 + i % 9};;" for i in range(N)]
    rows += [f"Reader;8f2c-11;27-11-2026 0{i}:07;1;;{115 + i};" for i in range(4)]
    rows += [f"Reader;8f2c-11;27-11-2026 0{i}:09;4;;;{3 + i}" for i in range(4)]
    return ["Device;Serial;Time;Record Type;History mg/dL;Scan mg/dL;Insulin", *rows]


def test_kinds_of_rows_with_columns_of_their_own_are_named_and_the_cure_works(tmp_path: Path) -> None:
    import pandas as pd

    said = refusal(tmp_path, glucose())
    assert "told apart by 'Record Type' (0, 1, 4), each with columns of its own" in said
    table = pd.read_csv(tmp_path / "t.csv", sep=";")
    table[table["Record Type"] == 0].dropna(axis=1, how="all").to_csv(tmp_path / "one.csv", index=False)
    made = read(Part("sensor", tmp_path / "one.csv"))
    assert isinstance(made, Sensor)
    assert (len(made.values), made.channels[-1]) == (N, "History mg/dL")


def test_columns_that_several_kinds_fill_are_readings_of_one(tmp_path: Path) -> None:
    """A mode beside readings tells no kinds apart while every kind of row holds all that another does."""
    rows = [f"{i},{i % 2},{LOAD[i]},{LOAD[-i] if i % 2 else ''},{FREE[i] if i % 2 else ''}" for i in range(N)]
    assert len(get(tmp_path, ["time,mode,a,b,c", *rows]).values) == N


def test_serial_numbers_are_no_readings_and_no_refusal(tmp_path: Path) -> None:
    rows = [f"{i},{LOAD[i]},8f2c-11,{i:04d}-ab{i}" for i in range(N)]
    made = get(tmp_path, ["time,load,unit no,record id", *rows])
    assert made.channels == ("load",)
    said = " | ".join(made.notes)
    assert "column 'unit no' holds the same word in every row ('8f2c-11' in row 1) and is left out" in said
    assert "column 'record id' is called like one of ids and holds another word in every row" in said


def test_words_that_change_and_are_no_states_are_still_a_question(tmp_path: Path) -> None:
    rows = [f"{i},{LOAD[i]},8f2c-{i % 2}" for i in range(N)]
    assert "'8f2c-0' is not a number" in refusal(tmp_path, ["time,load,unit no", *rows])
    assert "leave it out" in refusal(tmp_path, ["time,load,level", *[f"{i},3,4x{i}" for i in range(N)]])


def hours(step: int = 60, marks: bool = False) -> list[str]:
    """Local times of two days with the hour from 02:00 to 03:00 twice, sorted."""
    made = [f"{24 + m // 1440}.10.2026 {m // 60 % 24:02d}:{m % 60:02d}" for m in range(0, 2880, step)]
    return sorted([*made, *[one for one in made if one.startswith("25.10.2026 02:")]])


@pytest.mark.parametrize("step", [60, 15])
def test_an_hour_that_stands_twice_at_night_is_the_end_of_summer_time(tmp_path: Path, step: int) -> None:
    lines = [f"{when};{i % 7}" for i, when in enumerate(hours(step))]
    said = refusal(tmp_path, ["Zeit;Leistung", *lines])
    row = 26 * 60 // step + 1
    assert f"rows {row} and {row + 1} both have the time 2026-10-25 02:00" in said
    assert "write UTC or add the offset to every time" in said
    assert "cut to the" not in said


def test_a_time_that_stands_twice_by_day_is_no_change_of_clocks(tmp_path: Path) -> None:
    times = [f"2026-06-0{1 + i // 24} {i % 24:02d}:00" for i in range(48)]
    times.insert(15, times[14])
    said = refusal(tmp_path, ["time,x", *[f"{when},{i % 7}" for i, when in enumerate(times)]])
    assert "rows 15 and 16 both have the time 2026-06-01 14:00 with different readings" in said
    assert "summer" not in said
    assert "keep one of the two" in said


def test_minutes_that_all_hold_several_rows_are_still_spread(tmp_path: Path) -> None:
    made = get(tmp_path, ["time,x", *[f"2026-06-01 06:{i // 2:02d},{i % 7}" for i in range(40)]])
    assert made.times[:4].tolist() == [0, 30, 60, 90]
