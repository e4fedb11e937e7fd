"""Times whose parts stand in columns of their own: year, month, day, hour, minute; or a date beside the hour of it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmdmad.parts.clock_digits import time_of_digits
from mmdmad.parts.dates import DAY, Stamps, civil, summer_time
from mmdmad.parts.sensor_columns import Column

_NAMES = {
    "year": "year yr yyyy jahr año annee année anno",
    "month": "month mo mon monat mes mois mese",
    "day": "day dy tag dia día jour giorno",
    "of the year": "doy jday julian julian_day julianday day_of_year dayofyear yday",
    "hour": "hour hr hrs hh he hour_ending hourending hour_end stunde std hora heure ora",
    "minute": "minute mn minuten minuto",
    "second": "second sekunde sekunden segundo seconde",
    "period": "period settlement_period settlementperiod trading_period trading_interval interval sp "
    "viertelstunde quarter_hour mtu block time_period",
    "clock": "time hhmm zeit uhrzeit hour_minute hrmn",
}
_LETTERS = {"YY": "year", "YYYY": "year", "MM": "month", "DD": "day", "hh": "hour", "HH": "hour", "mm": "minute"}
_LETTERS |= {"ss": "second", "SS": "second"}
_SHORT = {"min": "minute", "sec": "second"}
"""Names that other things have too: they count beside the others only."""
PERIODS = (24, 48, 96, 144, 288, 1440)
"""Into how many periods a day may be cut."""
_LIMITS = {"month": (1, 12), "day": (1, 31), "of the year": (1, 366), "minute": (0, 60), "second": (0, 59)}


def time_of_fields(columns: Sequence[Column], dated: dict[int, Stamps]) -> tuple[Stamps, set[int], list[str]] | None:
    """The time of a table by columns of its parts, the places of these, and what was decided; None where none are.

    ValueError where a column numbers the periods of a day, and nothing says how long one is.

    >>> def of(name, *values):
    ...     return Column(name, "", 1, None, np.array(values, float))
    >>> found = time_of_fields([of("Year", 2026, 2026), of("Month", 3, 3), of("Day", 1, 1), of("Hour", 1, 2)], {})
    >>> found[0].from_first()
    (array([   0., 3600.]), datetime.datetime(2026, 3, 1, 1, 0))
    """
    if any(stamps.kind == "stamp" for stamps in dated.values()):
        return None
    dates = [i for i, stamps in dated.items() if stamps.kind == "date"]
    clocks = [i for i, stamps in dated.items() if stamps.kind == "clock"]
    held = _fields(columns)
    if dates and not clocks:
        days, places, note = dated[dates[0]], {dates[0]}, dated[dates[0]].note
        alone = len(np.unique(days.seconds)) == len(days.seconds) > 1  # a row a day: what its hour is of is not known
        if alone or ("hour" not in held and "period" not in held):
            return None
    elif not dates and "year" in held and ("month" in held or "of the year" in held):
        days, places = _days(columns, held)
        note = ""
        if len(places) == 2 and "month" in held and len(np.unique(days.seconds)) < len(days.seconds):
            return None  # several rows a month, and nothing says their days
    else:
        return None
    seconds, told = np.zeros(len(days.seconds), np.int64), [note] if note else []
    if "hour" in held:
        hours, counted = _hours(columns[held["hour"]])
        seconds = seconds + 3600 * hours
        told += counted
        places.add(held["hour"])
        for key, scale in (("minute", 60), ("second", 1)):
            if key in held:
                values = _of(columns[held[key]])
                seconds = seconds + scale * (values % 60 if (values == 60).all() else values)
                places.add(held[key])
    elif "period" in held:
        own, counted = _periods(columns[held["period"]], days.seconds)
        if own is None:
            return None
        seconds = seconds + own
        told += counted
        places.add(held["period"])
    elif clocks:
        days = days.at(dated[clocks[0]])
        places.add(clocks[0])
    elif "clock" in held and (found := _digits(columns[held["clock"]], days)) is not None:
        days = days.at(found)
        places.add(held["clock"])
    names = " and ".join(columns[i].said for i in sorted(places))
    kind = "stamp" if len(places) > 1 and (seconds.any() or days.kind == "stamp") else "date"
    made = replace(days, seconds=days.seconds + seconds, kind=kind, note="")
    if not made.aware:
        summer_time(made.seconds)
    return made, places, [f"columns {names} together are the time", *told]


def _fields(columns: Sequence[Column]) -> dict[str, int]:
    """The columns of whole numbers that are called like the parts of a time, and may be them."""
    held: dict[str, int] = {}
    short: dict[str, int] = {}
    for i, column in enumerate(columns):
        values = column.numbers
        if values is None or not len(values) or not np.isfinite(values).all() or (values != np.floor(values)).any():
            continue
        name = column.name.strip()
        plain = name.lower().replace(" ", "_").replace("-", "_")
        known = _LETTERS.get(name) or next((key for key, words in _NAMES.items() if plain in words.split()), None)
        low, high = _LIMITS.get(known or _SHORT.get(plain, ""), (0, np.inf))
        if not low <= values.min() <= values.max() <= high:
            continue
        if known is not None:
            held.setdefault(known, i)
        elif plain in _SHORT:
            short.setdefault(_SHORT[plain], i)
    return short | held


def _of(column: Column) -> np.ndarray:
    assert column.numbers is not None
    return column.numbers.astype(np.int64)


def _days(columns: Sequence[Column], held: dict[str, int]) -> tuple[Stamps, set[int]]:
    every = ["year", "of the year"] if "of the year" in held else ["year", "month", "day"]
    keys = [key for key in every if key in held]
    years = _of(columns[held["year"]])
    years = years + np.where(years < 70, 2000, np.where(years < 100, 1900, 0))
    if "month" in keys:
        day = _of(columns[held["day"]]) if "day" in keys else np.ones_like(years)
        days = civil(years, _of(columns[held["month"]]), day)
    else:
        days = civil(years, np.ones_like(years), np.ones_like(years)) + _of(columns[held["of the year"]]) - 1
    return Stamps(days * DAY, np.zeros(len(days), np.int64), "date"), {held[key] for key in keys}


def _hours(column: Column) -> tuple[np.ndarray, list[str]]:
    """Hours (T,) from midnight; hours from 1 to 24 begin an hour before their number."""
    hours = _of(column)
    if hours.max() > 24 or (hours.max() == 24 and hours.min() == 0):
        what = "25, as where clocks go back" if hours.max() == 25 else str(hours.max())
        raise ValueError(
            f"column {column.said} beside the date goes from {hours.min()} to {what}: no hour of a day; write UTC, or "
            "the time with its offset into one column: 2026-10-25T02:00+01:00"
        )
    if hours.max() == 24:
        return hours - 1, [f"column {column.said} counts hours from 1 to 24: hour 1 begins at midnight"]
    return hours, []


def _periods(column: Column, days: np.ndarray) -> tuple[np.ndarray | None, list[str]]:
    """Seconds (T,) from midnight of the periods of a day; None where a column numbers no rows of days."""
    numbers = _of(column)
    first, last = int(numbers.min()), int(numbers.max())
    rows = np.unique(np.column_stack([days, numbers]), axis=0)
    if len(rows) < len(numbers) or first not in (0, 1) or last < 2 or len(np.unique(days)) == len(days):
        return None, []
    many = last - first + 1
    if many not in PERIODS:
        raise ValueError(
            f"column {column.said} numbers the rows of a day from {first} to {last}, and a day has "
            f"{', '.join(map(str, PERIODS))} periods of one length: write the time of each row into the table "
            "(2026-03-14 00:30), in UTC where clocks are changed"
        )
    step = DAY // many
    told = f"column {column.said} numbers the {many} periods of a day, each of {step // 60} min"
    return (numbers - first) * step, [told]


def _digits(column: Column, days: Stamps) -> Stamps | None:
    assert column.numbers is not None
    return time_of_digits(column.numbers, days.seconds, column.said)
