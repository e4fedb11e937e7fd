"""Dates, cells and headers as monitors, laboratories, markets and statistics packages write them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read

N = 40
BEGIN = datetime(2026, 3, 14, 7)


def get(folder: Path, lines: list[str], name: str = "t.csv", encoding: str = "utf-8") -> Sensor:
    (folder / name).write_text("\n".join(lines) + "\n", encoding=encoding)
    made = read(Part("sensor", folder / name))
    assert isinstance(made, Sensor)
    return made


def at(i: int, form: str, **step: float) -> str:
    return (BEGIN + i * timedelta(**step)).strftime(form)


@pytest.mark.parametrize(
    ("form", "ahead"),
    [
        ("%a %b %d %H:%M:%S %Y", None),
        ("%a %b %d %H:%M:%S UTC %Y", 0),
        ("%Y-%m-%d %H:%M:%S CET", 1),
        ("%Y-%m-%d %H:%M:%S PDT", -7),
        ("%Y-%m-%dT%H:%M:%S+01:00[Europe/Berlin]", 1),
        ("%Y-%m-%d %H:%M:%S UTC+02:00", 2),
        ("%Y-%m-%d %H:%M:%S GMT-3", -3),
        ("%d-%b-%y %H:%M:%S", None),
        ("%Y年%m月%d日 %H時%M分%S秒", None),
        ("%d.%m.%Y %H:%M:%S - 14.03.2026 23:00:00", None),
        ("%Y-%m-%dT%H:%M:%S/2026-03-14T23:00:00", None),
    ],
)
def test_forms_of_times(form: str, ahead: int | None, tmp_path: Path) -> None:
    made = get(tmp_path, ["time;a", *[f"{at(i, form, minutes=5)};{i % 7}.5" for i in range(N)]])
    begin = BEGIN if ahead is None else BEGIN.replace(tzinfo=UTC) - timedelta(hours=ahead)
    assert (made.start, made.times.tolist()) == (begin, [300.0 * i for i in range(N)])


def test_offsets_of_summer_and_winter_in_one_column(tmp_path: Path) -> None:
    zones = ["CEST"] * 4 + ["CET"] * 4
    hours = [0, 1, 2, 2.5, 2, 2.5, 3, 4]
    stamps = [(datetime(2026, 10, 25) + timedelta(hours=h)).strftime("%Y-%m-%d %H:%M") for h in hours]
    made = get(tmp_path, ["time;a", *[f"{s} {z};{i % 3}" for i, (s, z) in enumerate(zip(stamps, zones, strict=True))]])
    assert (made.times / 3600).tolist() == [0, 1, 2, 2.5, 3, 3.5, 4, 5]


@pytest.mark.parametrize(
    ("name", "cells", "begin", "second"),
    [
        ("Week", [f"2026-W{i:02d}" for i in range(1, 30)], datetime(2025, 12, 29), 7),
        ("KW", [f"2026-KW{i}" for i in range(1, 30)], datetime(2025, 12, 29), 7),
        ("date", [f"2026-{i:03d}" for i in range(60, 90)], datetime(2026, 3, 1), 1),
        ("Month", [f"2026-{i:02d}" for i in range(1, 13)], datetime(2026, 1, 1), 31),
        (
            "Monat",
            [f"{m} 2026" for m in ["Jan", "Feb", "Mrz", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"]],
            datetime(2026, 1, 1),
            31,
        ),
        ("Quarter", [f"{2020 + i // 4}-Q{1 + i % 4}" for i in range(12)], datetime(2020, 1, 1), 91),
        ("Quarter", [f"Q{1 + i % 4} {2020 + i // 4}" for i in range(12)], datetime(2020, 1, 1), 91),
    ],
)
def test_weeks_months_and_quarters(name: str, cells: list[str], begin: datetime, second: int, tmp_path: Path) -> None:
    made = get(tmp_path, [f"{name},a", *[f"{cell},{i % 5}.5" for i, cell in enumerate(cells)]])
    assert (made.start, made.times[1], made.channels) == (begin, second * 86_400, ("a",))


def test_weeks_and_days_that_no_year_has_and_names_that_speak_for_none(tmp_path: Path) -> None:
    with pytest.raises(PartError, match="a year has weeks 1 to 53"):
        get(tmp_path, ["Week,a", *[f"2026-W{i},{i % 5}.5" for i in range(45, 56)]])
    with pytest.raises(PartError, match="row 6 has the day 366 of a year"):
        get(tmp_path, ["date,a", *[f"2026-{i},{i % 5}.5" for i in range(361, 370)]])
    cells = [f"2026-{i % 9 + 100},{i % 5}.5" for i in range(N)]
    with pytest.raises(PartError, match="column 'batch', row 1: '2026-100' is not a number"):
        get(tmp_path, ["batch,a", *cells])


def test_elapsed_times_with_days(tmp_path: Path) -> None:
    told = [f'"{i // 24} day{"s" * (i > 47)}, {i % 24}:02:03"' if i > 23 else f"{i}:02:03" for i in range(60)]
    for cells in (told, [f"{i // 24}.{i % 24:02d}:00:00" for i in range(60)]):
        made = get(tmp_path, ["elapsed,a", *[f"{cell},{i % 5}.5" for i, cell in enumerate(cells)]])
        assert made.times.tolist() == [3600.0 * i for i in range(60)]


def test_limits_marks_and_hexadecimal_numbers(tmp_path: Path) -> None:
    cells = ["<0.05" if i % 5 == 0 else f"{i}.5" for i in range(N)]
    marks = [("—", "–", "n.d.", "(null)")[i % 4] if i % 10 == 3 else f"{i}.5" for i in range(N)]
    status = [f"0x{16 * (i % 3):04X}" for i in range(N)]
    made = get(
        tmp_path,
        ["time,a,b,c", *[f"{i},{a},{b},{c}" for i, (a, b, c) in enumerate(zip(cells, marks, status, strict=True))]],
    )
    assert made.values[:2, 0].tolist() == [0.05, 1.5]
    assert np.flatnonzero(np.isnan(made.values[:, 1])).tolist() == [3, 13, 23, 33]
    assert made.values[:3, 2].tolist() == [0, 16, 32]
    assert any("'<0.05' and 7 more cells lie beyond what can be measured" in note for note in made.notes)
    assert any("hexadecimal" in note for note in made.notes)


def test_lines_of_monitors_that_stand_apart_by_spaces(tmp_path: Path) -> None:
    title = ["Linux 6.1 (web01)  03/14/26  _x86_64_  (4 CPU)", ""]
    rows = [f"{at(i, '%I:%M:%S %p', minutes=10)}  all  {i % 7}.25  {90 - i % 7}.50" for i in range(N)]
    head = "07:00:01 AM  CPU  %user  %idle"
    lines = [*title, head, *rows[:20], "", head.replace("07:00", "10:20"), *rows[20:], "Average:  all  3.0  87.0"]
    made = get(tmp_path, lines, "sar.txt")
    assert made.channels == ("CPU=all", "%user", "%idle")
    assert made.times.tolist() == [600.0 * i for i in range(N)]
    stat = [
        "procs ---memory--- --cpu--",
        " r  b  free  us  sy",
        *[f" {i % 3}  0  {812 - i % 9}  {i % 5}  2" for i in range(N)],
    ]
    assert get(tmp_path, stat, "vmstat.txt").channels == ("r", "b", "free", "us", "sy")


def test_names_in_levels_and_columns_without_name_or_cells(tmp_path: Path) -> None:
    rows = [f"{at(i, '%Y-%m-%d %H:%M:%S', minutes=1)},{i % 7}.5,{i % 3}.5" for i in range(N)]
    made = get(tmp_path, ["sensor,pump,tank", "quantity,flow,level", "time,,", *rows])
    assert made.channels == ("pump flow", "tank level")
    lead = get(tmp_path, [",time,a,b", *[f",{row}" for row in rows]])
    assert lead.channels == ("a", "b")
    with pytest.raises(PartError, match="has no name"):
        get(tmp_path, ["time,a,,b", *[f"{row},{i % 5}" for i, row in enumerate(rows)]])


def test_names_above_their_units_are_the_names(tmp_path: Path) -> None:
    rows = [f"{i + 1},{at(i, '%Y/%m/%d %H:%M:%S', seconds=1)},{i % 7}.5,{i % 3}.5" for i in range(N)]
    made = get(tmp_path, ["Model,GL240", "Interval,1s", "Data", "Number,Date&Time,CH1,CH2", "NO.,Time,degC,V", *rows])
    assert (made.channels, made.units) == (("CH1", "CH2"), ("degC", "V"))


def test_json_is_no_table_and_the_cure_works(tmp_path: Path) -> None:
    import pandas as pd

    lines = [json.dumps({"time": at(i, "%Y-%m-%dT%H:%M:%S", seconds=1), "a": i % 5}) for i in range(N)]
    with pytest.raises(PartError, match=r"pd.read_json\('in.jsonl', lines=True\)"):
        get(tmp_path, lines)
    pd.read_json(tmp_path / "t.csv", lines=True).to_csv(tmp_path / "out.csv", index=False)
    made = read(Part("sensor", tmp_path / "out.csv"))
    assert isinstance(made, Sensor)
    assert (made.channels, len(made.times)) == (("a",), N)


def test_dates_with_signs_alone_tell_that_a_file_is_shift_jis(tmp_path: Path) -> None:
    rows = [f"{at(i, '%Y年%m月%d日 %H時%M分', minutes=1)},{i % 7}.5" for i in range(N)]
    assert get(tmp_path, ["日時,温度(℃)", *rows], encoding="cp932").start == BEGIN


def test_numbers_as_offices_write_them(tmp_path: Path) -> None:
    cells = [f"({i + 1}.50)" if i % 3 == 0 else f"{i}.25" for i in range(N)]
    lines = [f"{i};{cell};{'−' * (i % 2)}{i}.5;${i},200.50" for i, cell in enumerate(cells)]
    made = get(tmp_path, ["time [s];a;b;c", *lines])
    assert made.values[:4, 0].tolist() == [-1.5, 1.25, 2.25, -4.5]
    assert made.values[:4, 1].tolist() == [0.5, -1.5, 2.5, -3.5]
    assert (made.values[9, 2], made.units[2]) == (9200.5, "$")
    assert any("brackets are read as negative" in note for note in made.notes)


@pytest.mark.parametrize(("before", "noon"), [("오전", "오후"), ("上午", "下午"), ("午前", "午後")])
def test_halves_of_the_day_in_words_of_the_east(before: str, noon: str, tmp_path: Path) -> None:
    times = [BEGIN + timedelta(minutes=10 * i) for i in range(N)]
    stamps = [f"{one:%Y-%m-%d} {before if one.hour < 12 else noon} {one:%I:%M:%S}" for one in times]
    made = get(tmp_path, ["時間,a", *[f"{stamp},{i % 5}.5" for i, stamp in enumerate(stamps)]])
    assert (made.start, made.times.tolist()) == (BEGIN, [600.0 * i for i in range(N)])


def test_times_that_a_spreadsheet_rounded_are_refused(tmp_path: Path) -> None:
    for name, cells in (
        ("time", [f"{1_773_471_600 + 60 * i:.6e}" for i in range(N)]),
        ("time_ms", ["1.77347E+12"] * N),
    ):
        with pytest.raises(PartError, match=r"holds times rounded to 1000 s or more .* all their digits"):
            get(tmp_path, [f"{name},a", *[f"{cell},{i % 5}.5" for i, cell in enumerate(cells)]])


@pytest.mark.parametrize("name", ["time", "time [s]", "uptime_ms"])
def test_recordings_one_below_the_other_are_not_mixed(name: str, tmp_path: Path) -> None:
    seconds = [*range(0, 300, 10), *range(3, 303, 10)]  # sorted, the two would become one
    lines = [f"{name},a", *[f"{s},{i % 5}.5" for i, s in enumerate(seconds)]]
    with pytest.raises(PartError, match="begins again in row 31, as where recordings stand one below the other"):
        get(tmp_path, lines)
    stamped = [f"{at(i, '%Y-%m-%d %H:%M:%S', seconds=1)},{line}" for i, line in enumerate(lines[1:])]
    assert len(get(tmp_path, [f"stamp,{lines[0]}", *stamped]).times) == 60
    # Rows in another order are no second recording.
    order = [*range(0, 60, 2), *range(1, 60, 2)][::-1]
    assert len(get(tmp_path, ["time [s],a", *[f"{i},{i % 5}.5" for i in order]]).times) == 60


def test_milliseconds_that_are_all_zero_are_no_reading(tmp_path: Path) -> None:
    rows = [f"{at(i, '%Y/%m/%d %H:%M:%S', seconds=1)},000,{i % 7}.5" for i in range(N)]
    assert get(tmp_path, ["Date&Time,ms,CH1", *rows]).channels == ("CH1",)
