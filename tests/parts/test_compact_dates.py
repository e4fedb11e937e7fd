"""Dates in digits alone, of any length: read where a column decides it, a question where it does not."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read
from mmdmad.parts.clock import named_time
from mmdmad.parts.compact_dates import dates_of_digits, layout_of

BEGIN = datetime(2026, 3, 14, 7)
FORMS = {
    "%Y%m%d%H": timedelta(hours=1),
    "%y%m%d%H%M": timedelta(minutes=5),
    "%Y%m%d%H%M": timedelta(minutes=15),
    "%y%m%d%H%M%S": timedelta(seconds=10),
    "%Y%m%d%H%M%S": timedelta(seconds=1),
}


def get(folder: Path, name: str, stamps: list[str]) -> Sensor:
    rows = [f"{stamp},{(7 * i) % 13}.5" for i, stamp in enumerate(stamps)]
    (folder / "t.csv").write_text("\n".join([f"{name},a", *rows]) + "\n")
    made = read(Part("sensor", folder / "t.csv"))
    assert isinstance(made, Sensor)
    return made


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["time", "DateTime", "timestamp"])
def test_digits_that_hold_dates_alone_are_dates(name: str, form: str, tmp_path: Path) -> None:
    made = get(tmp_path, name, [(BEGIN + i * FORMS[form]).strftime(form) for i in range(60)])
    assert (made.start, made.channels) == (BEGIN, ("a",))
    assert made.times.tolist() == [i * FORMS[form].total_seconds() for i in range(60)]
    assert any(note.startswith("dates in digits are read as ") for note in made.notes)


def test_days_milliseconds_and_dates_that_begin_with_the_day(tmp_path: Path) -> None:
    days = [BEGIN + timedelta(days=i) for i in range(40)]
    for form in ("%Y%m%d", "%d%m%Y", "%m%d%Y"):
        made = get(tmp_path, "date", [day.strftime(form) for day in days])
        assert (made.start, made.times[-1]) == (datetime(2026, 3, 14), 39 * 86_400), form
    fine = [(BEGIN + timedelta(milliseconds=250 * i)).strftime("%Y%m%d%H%M%S%f")[:17] for i in range(40)]
    assert get(tmp_path, "timestamp", fine).times.tolist() == [0.25 * i for i in range(40)]
    # A spreadsheet drops the zero in front of the day.
    assert get(tmp_path, "date", [str(int(day.strftime("%d%m%Y"))) for day in days]).times[-1] == 39 * 86_400


def test_gaps_do_not_hide_dates_in_digits(tmp_path: Path) -> None:
    hours = [i if i < 20 else i + 31 for i in range(40)]
    made = get(tmp_path, "DateTime", [(BEGIN + timedelta(hours=i)).strftime("%Y%m%d%H") for i in hours])
    assert made.times.tolist() == [3600.0 * i for i in hours]


def test_what_may_be_a_count_is_a_question_whose_answers_work(tmp_path: Path) -> None:
    stamps = [(BEGIN + timedelta(hours=i)).strftime("%Y%m%d%H") for i in range(6)]
    for name in ("time", "level"):  # seconds from 1970, in 2034, are as even
        with pytest.raises(PartError, match=r"'time \[YYYYMMDDHH\]', 'time \[s\]'"):
            get(tmp_path, name, stamps)
    made = get(tmp_path, "time [YYYYMMDDHH]", stamps)
    assert (made.start, made.times[-1]) == (BEGIN, 5 * 3600)
    assert get(tmp_path, "time [s]", stamps).times.tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(PartError, match="may be YYMMDD or DDMMYY"):
        get(tmp_path, "date", ["260314", "260315"])
    for form in ("YYMMDD", "DDMMYY"):
        begin = {"YYMMDD": datetime(2026, 3, 14), "DDMMYY": datetime(2014, 3, 26)}[form]
        assert get(tmp_path, f"date [{form}]", ["260314", "260315"]).start == begin


def test_digits_that_rise_evenly_may_be_a_count(tmp_path: Path) -> None:
    stamps = [str(2_603_140_700 + 100 * i) for i in range(17)]  # hours of one day, or every hundred seconds of 2052
    with pytest.raises(PartError, match="two digits, or a count"):
        get(tmp_path, "time", stamps)
    assert get(tmp_path, "time [YYMMDDHHMM]", stamps).times[-1] == 16 * 3600


def test_counts_stay_counts(tmp_path: Path) -> None:
    epoch = [str(1_773_471_600 + 10 * i) for i in range(40)]
    assert get(tmp_path, "time", epoch).times[-1] == 390
    assert get(tmp_path, "time", [str(2_026_031_400 + i) for i in range(60)]).times[-1] == 59  # no hour 24
    assert get(tmp_path, "t", [str(100_000 + 100 * i) for i in range(40)]).times[-1] == 3900


@pytest.mark.parametrize("odd", [261128006000, 261100060000, 260028060000, 261328060000, 261132060000, 261128240000])
def test_digits_that_no_calendar_has_are_no_dates(odd: int) -> None:
    named = named_time("stamp")
    fine = np.array([261128055900.0, 261128060000.0, 261128060100.0])
    assert dates_of_digits(fine, "stamp", "'stamp'", named, "") is not None
    assert dates_of_digits(np.append(fine, float(odd)), "stamp", "'stamp'", named, "") is None


def test_layouts_in_headers() -> None:
    assert layout_of("DDMMYYYYHHMM") == "DDMMYYYYHHMM"
    assert [layout_of(unit) for unit in ("ms", "mm", "DD.MM.YYYY", "YYYY", "")] == [None] * 5


@settings(max_examples=150, deadline=None)
@given(
    form=st.sampled_from(sorted(FORMS)),
    begin=st.datetimes(datetime(2001, 1, 1), datetime(2059, 1, 1)),
    steps=st.lists(st.integers(1, 40), min_size=40, max_size=60),
)
def test_generated_dates_are_read_right_or_asked_about(form: str, begin: datetime, steps: list[int]) -> None:
    begin = datetime.strptime(begin.strftime(form), form)
    stamps = [begin + int(n) * FORMS[form] for n in np.cumsum([0, *steps])]
    digits = np.array([float(stamp.strftime(form)) for stamp in stamps])
    try:
        made = dates_of_digits(digits, "time", "'time'", named_time("time"), "")
    except ValueError as why:
        asked = str(why)
        made = None
    if made is None:
        assert "or a count" in asked or " that may be " in asked or "summer" in asked
        return
    assert made.from_first()[0].tolist() == [(stamp - begin).total_seconds() for stamp in stamps]
