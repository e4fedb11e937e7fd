"""Rows between readings that are none, tables whose newest row stands first, parts of times in columns of their own."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read
from mmdmad.parts.sensor import row_times
from mmdmad.parts.sensor_order import NOTE

BEGIN = datetime(2026, 3, 14, 7)


def written(folder: Path, lines: list[str]) -> Path:
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    return folder / "t.csv"


def get(folder: Path, lines: list[str], **slice_of: int) -> Sensor:
    made = read(Part("sensor", written(folder, lines), **slice_of))
    assert isinstance(made, Sensor)
    return made


def rows(count: int, first: int = 0, step: int = 60) -> list[str]:
    return [f"{BEGIN + timedelta(seconds=step * i)},{i * i % 31},{i % 7}.5" for i in range(first, first + count)]


@pytest.mark.parametrize("plain", [True, False])
def test_headers_units_blank_rows_and_totals_between_readings_are_left_out(plain: bool, tmp_path: Path) -> None:
    head = ["time,a,b"] if plain else ["time,a,b", ",V,A"]
    lines = [*head, *rows(10), ",,", *head, *rows(10, 10), "Total:,45,30", "", *head, *rows(10, 20)]
    made = get(tmp_path, lines)
    assert made.values[:, 0].tolist() == [i * i % 31 for i in range(30)]
    assert made.times.tolist() == [60.0 * i for i in range(30)]
    again = 2 if plain else 4
    assert f"the header stands again in {again} rows between the readings, left out" in made.notes
    assert "one blank row between the readings left out" in made.notes
    assert "one row of totals ('Total:') left out" in made.notes
    cut = get(tmp_path, lines, start=8, stop=22)
    assert cut.values[:, 0].tolist() == [i * i % 31 for i in range(8, 22)]


def test_a_blank_row_without_a_time_is_one_of_missing_readings(tmp_path: Path) -> None:
    made = get(tmp_path, ["a,b", *[f"{i % 5}.5,{i % 3}" for i in range(9)], ",", "1.5,2"])
    assert (len(made.times), int(np.isnan(made.values).sum())) == (11, 2)


def test_a_state_called_like_a_total_is_a_state(tmp_path: Path) -> None:
    lines = [
        "time,a,mode",
        *[f"{row.rsplit(',', 1)[0]},{'total' if i % 2 else 'sum'}" for i, row in enumerate(rows(20))],
    ]
    assert len(get(tmp_path, lines).times) == 20


def test_a_header_of_another_table_below_is_named(tmp_path: Path) -> None:
    with pytest.raises(PartError, match=r"is a header with 4 columns.* cut it above this row into two files"):
        get(tmp_path, ["time,a,b", *rows(9), "time,a,b,c", *[f"{row},1" for row in rows(9, 9)]])


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%H:%M:%S", "%d.%m.%Y;%H:%M"])
def test_the_newest_row_first_is_read_in_order_and_said(form: str, tmp_path: Path) -> None:
    head = "date;time;a" if ";" in form else "time;a"
    stamps = [(BEGIN + timedelta(minutes=31 * i)).strftime(form) for i in reversed(range(40))]
    lines = [head, *[f"{stamp};{i % 9}.5" for i, stamp in enumerate(stamps)]]
    made = get(tmp_path, lines)
    assert made.times.tolist() == [31 * 60.0 * i for i in range(40)]
    assert made.values[:, 0].tolist() == [i % 9 + 0.5 for i in reversed(range(40))]
    assert NOTE in made.notes
    part = Part("sensor", written(tmp_path, lines))
    assert row_times(part).times.tolist() == made.times.tolist()  # so that windows can be cut
    cut = get(tmp_path, lines, start=2, stop=5)
    assert cut.values[:, 0].tolist() == made.values[2:5, 0].tolist()
    assert cut.offset == 2 * 31 * 60


def test_epochs_of_unknown_name_and_elapsed_seconds_fall_too(tmp_path: Path) -> None:
    for name, first in (("stand", 1_773_471_600), ("time [s]", 0)):
        made = get(tmp_path, [f"{name},a", *[f"{first + 10 * i},{i % 4}.5" for i in reversed(range(40))]])
        assert made.channels == ("a",)
        assert (made.times[-1], made.values[0, 0], NOTE in made.notes) == (390, 0.5, True)
    assert NOTE not in get(tmp_path, ["time,a,b", *rows(20)]).notes


def test_numbers_of_rows_that_count_down_are_no_reading(tmp_path: Path) -> None:
    made = get(tmp_path, ["id,time,a", *[f"{i},{row.split(',')[0]},{i % 3}" for i, row in enumerate(rows(40))][::-1]])
    assert made.channels == ("a",)


def test_windows_of_a_frame_with_the_newest_row_first_are_refused() -> None:
    import pandas as pd

    stamps = [str(BEGIN + timedelta(minutes=i)) for i in reversed(range(20))]
    part = Part("sensor", value=pd.DataFrame({"time": stamps, "a": np.arange(20.0)}))
    with pytest.raises(PartError, match="newest row stands first: sort"):
        row_times(part)


def hourly(count: int) -> list[datetime]:
    return [datetime(2026, 2, 27) + timedelta(hours=i) for i in range(count)]


def test_year_month_day_hour_in_columns_are_the_time(tmp_path: Path) -> None:
    for head, form in (
        ("year,month,day,hour,a", "%Y,%m,%d,%H"),
        ("Year,DOY,Hour,a", "%Y,%j,%H"),
        ("Jahr,Monat,Tag,time,a", "%Y,%m,%d,%H%M"),
        ("YY,MM,DD,hh,mm,a", "%y,%m,%d,%H,%M"),
        ("date,hour,a", "%Y-%m-%d,%H"),
    ):
        made = get(tmp_path, [head, *[f"{at.strftime(form)},{i % 5}.5" for i, at in enumerate(hourly(96))]])
        assert (made.start, made.channels) == (datetime(2026, 2, 27), ("a",)), head
        assert made.times.tolist() == [3600.0 * i for i in range(96)], head
        assert any(note.endswith("together are the time") for note in made.notes), head


@pytest.mark.parametrize(("name", "many"), [("Hour", 24), ("Settlement Period", 48), ("interval", 96), ("period", 24)])
def test_numbered_periods_beside_a_date_are_its_time(name: str, many: int, tmp_path: Path) -> None:
    days = [f"2026-03-0{day},{number},{number % 5}.5" for day in range(1, 5) for number in range(1, many + 1)]
    made = get(tmp_path, [f"date,{name},a", *days])
    assert made.times.tolist() == [86_400 / many * i for i in range(4 * many)]
    assert (made.start, made.channels) == (datetime(2026, 3, 1), ("a",))


def test_periods_of_unknown_length_and_hours_that_no_day_has_are_asked_about(tmp_path: Path) -> None:
    days = [f"2026-03-0{day},{number},{number % 5}.5" for day in range(1, 5) for number in range(1, 18)]
    with pytest.raises(PartError, match="numbers the rows of a day from 1 to 17"):
        get(tmp_path, ["date,period,a", *days])
    with pytest.raises(PartError, match="goes from 1 to 25, as where clocks go back"):
        get(tmp_path, ["date,hour,a", *[f"2026-10-25,{number},{number % 5}.5" for number in range(1, 26)]])


def test_everything_wrong_with_the_columns_is_said_at_once(tmp_path: Path) -> None:
    lines = [f"0{1 + i % 9}/0{1 + i % 5}/2026 07:00;{'1.5' if i % 2 else '1,25'}" for i in range(20)]
    with pytest.raises(PartError, match=r"day or the month comes first.*; besides, numbers are written with"):
        get(tmp_path, ["time;a", *lines])
