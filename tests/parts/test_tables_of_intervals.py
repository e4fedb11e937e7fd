"""Rows that begin and end, dates beside full times, and times of day without zeros in front."""

from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read
from mmdmad.parts.sensor_spread import spread

QUARTERS = [f"{i // 4:02d}:{15 * (i % 4):02d}" for i in range(96)]


def get(folder: Path, *lines: str) -> Sensor:
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    made = read(Part("sensor", folder / "t.csv"))
    assert isinstance(made, Sensor)
    return made


def begin_and_end(names: str, days: int = 2) -> list[str]:
    """Quarters of an hour of days from 2025-10-20 on: date, two times of day, a reading."""
    rows = [
        f"{20 + day}.10.2025;{at};{QUARTERS[(i + 1) % 96]};{i % 7},{day}1"
        for day in range(days)
        for i, at in enumerate(QUARTERS)
    ]
    return [names, *rows]


@pytest.mark.parametrize("names", ["Zeit von;Zeit bis", "Start;End", "from;to", "startTime;endTime", "Uhrzeit;Ende"])
def test_a_row_has_the_time_of_its_begin(names: str, tmp_path: Path) -> None:
    made = get(tmp_path, *begin_and_end(f"Datum;{names};kWh"))
    assert (made.start, made.channels) == (datetime(2025, 10, 20), ("kWh",))
    assert made.times.tolist() == (900.0 * np.arange(192)).tolist()
    begin, end = names.split(";")
    assert f"column {end!r} holds the end of what {begin!r} begins" in " | ".join(made.notes)


def test_the_end_may_stand_first_and_hold_dates_of_its_own(tmp_path: Path) -> None:
    rows = [f"2025-10-20 {b},2025-10-20 {a},{i % 5}" for i, (a, b) in enumerate(pairwise(QUARTERS))]
    made = get(tmp_path, "interval end,interval start,x", *rows)
    assert made.start == datetime(2025, 10, 20)
    assert made.channels == ("x",)


def test_an_end_alone_is_the_time(tmp_path: Path) -> None:
    made = get(tmp_path, "Datum;Zeit bis;x", *[f"20.10.2025;{at};{i % 7}" for i, at in enumerate(QUARTERS)])
    assert made.times[:2].tolist() == [0, 900]


def test_midnight_as_the_end_of_a_date_is_no_begin_of_it(tmp_path: Path) -> None:
    rows = [f"{20 + i // 96}.10.2025;{QUARTERS[(i + 1) % 96]};{i % 7},5" for i in range(192)]
    made = get(tmp_path, "Datum;bis;kWh", *rows)
    assert made.start == datetime(2025, 10, 20, 0, 15)
    assert made.times.tolist() == (900.0 * np.arange(192)).tolist()
    assert any("00:00 in the last row of a date is its end (2 rows)" in note for note in made.notes)


def test_begin_and_end_may_each_be_a_date_and_a_time_of_day(tmp_path: Path) -> None:
    hours = [f"2025-11-{3 + i // 24:02d},{i % 24:02d}:00" for i in range(97)]
    rows = [f"{begin},{end},{i % 7}" for i, (begin, end) in enumerate(pairwise(hours))]
    made = get(tmp_path, "Start Date,Start Time,End Date,End Time,Count", *rows)
    assert (made.start, made.channels) == (datetime(2025, 11, 3), ("Count",))
    assert made.times.tolist() == (3600.0 * np.arange(96)).tolist()


def test_newest_first_midnight_is_the_begin_of_its_date(tmp_path: Path) -> None:
    rows = [f"2025-11-{20 - i // 2:02d},{'13:00' if i % 2 == 0 else '00:00'},{i % 7}" for i in range(30)]
    made = get(tmp_path, "date,time,x", *rows)
    assert made.start == datetime(2025, 11, 6)


def test_a_column_called_like_an_end_that_is_earlier_is_none(tmp_path: Path) -> None:
    rows = [f"2025-10-20 12:{i:02d},2025-10-20 11:{i:02d},{i % 5}" for i in range(40)]
    made = get(tmp_path, "time,off,x", *rows)
    assert made.start == datetime(2025, 10, 20, 12)
    assert not any("holds the end" in note for note in made.notes)


def test_an_hour_that_comes_twice_in_date_and_time_is_refused_with_a_cure_that_works(tmp_path: Path) -> None:
    hours = ["01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00", "03:30", "04:00"]
    ends = [*hours[1:], "04:30"]
    rows = [f"26.10.2025;{a};{b};{i}" for i, (a, b) in enumerate(zip(hours, ends, strict=True))]
    with pytest.raises(PartError, match=r"go back by an hour before row 5.*date, time and offset in one column"):
        get(tmp_path, "Datum;Zeit von;Zeit bis;x", *rows)
    zones = ["+02:00"] * 4 + ["+01:00"] * 5
    cured = [
        f"26.10.2025;2025-10-26T{a}{zone};{b};{i % 4}"
        for i, (a, b, zone) in enumerate(zip(hours, ends, zones, strict=True))
    ]
    made = get(tmp_path, "Datum;Zeit von;Zeit bis;x", *cured)
    assert made.times.tolist() == (1800.0 * np.arange(9)).tolist()
    assert made.channels == ("x",)


def test_dates_of_a_row_each_are_the_time_beside_stamps(tmp_path: Path) -> None:
    rows = [f"2025-03-{d:02d},2025-03-{d:02d} 14:{d:02d},{d % 5}" for d in range(1, 29)]
    made = get(tmp_path, "date,warmest,t_max", *rows)
    assert made.times.tolist() == (86400.0 * np.arange(28)).tolist()


def test_rows_that_share_a_date_are_spread_over_the_day(tmp_path: Path) -> None:
    rows = [f"{20 + day}.10.2025;{i % 7},5" for day in range(3) for i in range(96)]
    made = get(tmp_path, "Datum;kWh", *rows)
    assert made.times.tolist() == (900.0 * np.arange(288)).tolist()
    assert any("share a day" in note for note in made.notes)


@pytest.mark.parametrize(("counts", "step"), [([3] * 5, 86400.0), ([96, 92, 96, 96], 86400.0), ([4] * 5, 7200.0)])
def test_dates_and_hours_whose_rows_lie_nobody_knows_where_are_refused(counts: list[int], step: float) -> None:
    times = np.repeat(step * np.arange(len(counts)), counts)
    with pytest.raises(ValueError, match="nothing says when each of them was"):
        spread(times, datetime(2025, 10, 20))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 86399), st.integers(1, 4000), st.booleans())
def test_times_of_day_without_zeros_in_front(first: int, step: int, part: bool) -> None:
    import pyarrow as pa

    from mmdmad.parts.dates import read_dates

    seconds = [first + step * i for i in range(20)]
    words = [f"{s // 3600 % 24}:{s // 60 % 60}:{s % 60}{'.25' if part else ''}" for s in seconds]
    found = read_dates(pa.array([f"3.11.2025 {word}" for word in words]), "dmy", one_series=False)
    assert found is not None
    midnight = int(datetime(2025, 11, 3).timestamp() - datetime(1970, 1, 1).timestamp())
    assert found.seconds.tolist() == [midnight + s % 86400 for s in seconds]
    assert set(found.nanos.tolist()) == {250_000_000 if part else 0}


def test_a_third_column_of_times_of_day_never_takes_the_place_of_date_and_time(tmp_path: Path) -> None:
    rows = [f"{20 + i // 96}.10.2025;{QUARTERS[i % 96]};{QUARTERS[(i + 40) % 96]};{i % 7},5" for i in range(192)]
    made = get(tmp_path, "Datum;Zeit;Alarm;kWh", *rows)
    assert (made.start, made.times[-1]) == (datetime(2025, 10, 20), 900.0 * 191)
