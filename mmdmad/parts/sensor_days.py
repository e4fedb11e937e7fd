"""Tables of meters with a row a day and a column each hour, half-hour or quarter: unfolded into one long series."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmdmad.parts import clock
from mmdmad.parts.dates import DAY, Stamps, order_of, read_dates
from mmdmad.parts.limits import MAX_CHANNELS
from mmdmad.parts.sensor_columns import Columns
from mmdmad.parts.sensor_words import is_unit

FULL = (24, 48, 96, 144, 288, 1440)
"""Readings that a day may have."""
NUMBERED = ("", "hh", "h", "hr", "hour", "he", "stunde", "std", "sp", "period", "interval", "viertelstunde")
"""What stands before the number of an hour, half-hour or quarter of a day; "p" too, but not before hours."""
_CLOCK = re.compile(r"^(\d{1,2})[:.h]?(\d{2})(?::00)?(?:\s*(?:-|–|to|bis)\s*\d{1,2}[:.]?\d{2}(?::00)?)?$")
_NUMBER = re.compile(r"^([a-zäöü]*)[ _.-]?(\d{1,4})$")


@dataclass(frozen=True, eq=False)
class _Slots:
    """Columns of the times of a day in their order, seconds from midnight of each, and the step; `more` are spare ones.

    Of `numbered` columns the day of a changed clock has an hour less or more at its end.
    """

    columns: tuple[int, ...]
    seconds: np.ndarray
    step: int
    more: tuple[int, ...] = ()
    numbered: bool = False


def days_unfolded(table: Columns) -> Columns:
    """A table with a row a day and a column for each time of day as one series (or one a meter); others as they are.

    ValueError where the columns are times of day, and rows no days: a date is missing, or one has several rows.
    """
    slots = _slots(table.names)
    if slots is None or table.stamps is not None:
        return table
    every = {*slots.columns, *slots.more}
    date, days = _dates(table, every)
    if days is None:
        if slots.numbered:
            return table
        first, last = (table.names[slots.columns[k]] for k in (0, -1))
        raise ValueError(
            f"the columns from {first!r} to {last!r} are the times of a day, and no column holds its date: add one "
            "('date', 2026-05-01)"
        )
    others = [i for i in range(len(table.names)) if i not in every and i != date and table.names[i].strip()]
    key = _key(table, days, others)
    series, names = (np.zeros(len(days), np.int64), ("value",)) if key is None else _coded(table.columns[key])
    if len(names) > MAX_CHANNELS:
        raise ValueError(f"column {table.names[key or 0][:60]!r} names {len(names)} series, allowed are {MAX_CHANNELS}")
    dates, place = np.unique(days, return_inverse=True)
    count, odd = _readings(table, slots, dates, place)
    begins = (dates - dates[0]) * DAY + np.concatenate([[0], np.cumsum(count[:-1] - len(slots.columns))]) * slots.step
    taken, seconds = [], []
    for day, many in enumerate(count):
        own = np.arange(many)
        seconds.append(begins[day] + slots.seconds[0] + own * slots.step)
        taken.append(np.stack([np.full(len(own), day), own], 1))
    rows, times = np.concatenate(taken), np.concatenate(seconds)
    columns, units = [], []
    cells = _all_cells(table, [*slots.columns, *slots.more])
    for code in range(len(names)):
        mine = np.full(len(dates), -1)
        mine[place[series == code]] = np.flatnonzero(series == code)
        at = mine[rows[:, 0]]
        columns.append(_taken(cells, rows[:, 1] * len(days) + at, at < 0))
        units.append(_unit(table, others, series == code, slots.columns[0]))
    filled = np.flatnonzero(np.any([_there(column) for column in columns], axis=0))
    if not len(filled):
        raise ValueError("the table holds no reading at all")
    keep = slice(int(filled[0]), int(filled[-1]) + 1)
    import pandas as pd

    stamps = pd.DatetimeIndex(((times[keep] + dates[0] * DAY) * 10**9).astype("M8[ns]"))
    label = clock.split_unit(table.names[date])[0]
    label = label if clock.named_time(label) is not None else "time"
    notes = [_said(table, slots, date, key, others), *_said_of_days(odd, slots)]
    order_note = _order_note(table, date)
    return replace(
        table,
        names=[label, *names],
        columns=[stamps, *(column[keep] for column in columns)],
        units=["", *units],
        notes=(*table.notes, *order_note, *notes),
    )


def _slots(names: Sequence[str]) -> _Slots | None:
    """The columns that are all times of a day, an hour, half an hour or a quarter apart; None where there are none."""
    low = [clock.split_unit(name)[0].lower() for name in names]
    clocks = [(i, 60 * int(found[1]) + int(found[2])) for i, name in enumerate(low) if (found := _CLOCK.match(name))]
    minutes = [at for _, at in clocks]
    if len(clocks) in FULL:
        if minutes[-1] == 0 and minutes[0] > 0:  # the end of the day: 24:00
            minutes[-1] = 1440
        step = 1440 // len(clocks)
        if minutes[0] in (0, step) and minutes == list(range(minutes[0], minutes[0] + 1440, step)):
            return _Slots(tuple(i for i, _ in clocks), 60 * np.array(minutes), 60 * step)
    groups: dict[str, list[tuple[int, int]]] = {}
    for i, name in enumerate(low):
        if found := _NUMBER.match(name):
            groups.setdefault(found[1], []).append((i, int(found[2])))
    for before, found_ones in groups.items():
        for full in FULL:
            spare = len(found_ones) - full
            if not 0 <= spare <= full // 24 or (before not in NUMBERED and not (before == "p" and full > 24)):
                continue
            numbers = [number for _, number in found_ones]
            if numbers == list(range(numbers[0], numbers[0] + len(numbers))) and numbers[0] in (0, 1):
                places, step = [i for i, _ in found_ones], DAY // full
                return _Slots(tuple(places[:full]), np.arange(full) * step, step, tuple(places[full:]), numbered=True)
    return None


def _dates(table: Columns, every: set[int]) -> tuple[int, np.ndarray | None]:
    """The column of dates, and the days int64 (T,) since 1970 of its rows; None where no column holds dates alone."""
    for i, (name, column) in enumerate(zip(table.names, table.columns)):
        if i in every or isinstance(column, np.ndarray):
            continue
        stamps = _stamps(column, name)
        if stamps is not None and not (stamps.seconds % DAY).any() and not stamps.nanos.any():
            return i, stamps.seconds // DAY
    return -1, None


def _stamps(column: Any, name: str) -> Stamps | None:
    if type(column).__name__ == "DatetimeIndex":
        seconds = column.tz_localize(None).as_unit("s").asi8
        return None if column.isna().any() else Stamps(seconds, np.zeros(len(seconds), np.int64), "stamp")
    if column.null_count:
        return None
    named = clock.named_time(name)
    order = named.order if named is not None and named.order else order_of(clock.split_unit(name)[1])
    stamps = read_dates(column, order, one_series=False)
    return None if stamps is None or stamps.kind == "clock" else stamps


def _order_note(table: Columns, date: int) -> list[str]:
    stamps = _stamps(table.columns[date], table.names[date])
    return [stamps.note] if stamps is not None and stamps.note else []


def _key(table: Columns, days: np.ndarray, others: Sequence[int]) -> int | None:
    """The column that tells rows of one day apart; None where no day has several. ValueError where nothing does."""
    if len(np.unique(days)) == len(days):
        return None
    fits = []
    for i in others:
        codes, names = _coded(table.columns[i])
        if len(np.unique(np.stack([days, codes], 1), axis=0)) == len(days):
            fits.append((len(names), i))
    if fits:
        return min(fits)[1]
    _, first = np.unique(days, return_index=True)
    again = int(np.setdiff1d(np.arange(len(days)), first)[0])
    before = int(np.flatnonzero(days == days[again])[0])
    raise ValueError(
        f"it is a table with a row a day, and rows {before + 1} and {again + 1} are of one day; leave one of them out, "
        "or name the meter of each in a column"
    )


def _coded(column: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, np.ndarray):
        column = pa.array([f"{value:.15g}" for value in column])
    elif type(column).__name__ == "DatetimeIndex":
        column = pa.array([str(value) for value in column])
    coded = pc.dictionary_encode(column.fill_null("(without a name)"))
    coded = coded.combine_chunks() if hasattr(coded, "combine_chunks") else coded
    return coded.indices.to_numpy(), tuple(coded.dictionary.to_pylist())


def _readings(table: Columns, slots: _Slots, dates: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, dict[int, int]]:
    """How many times each day has; which have an hour more (1), less (-1), or empty, as where clocks change (0)."""
    full, hour = len(slots.columns), 3600 // slots.step
    has = np.zeros((len(dates), full + len(slots.more)), bool)
    for k, i in enumerate((*slots.columns, *slots.more)):
        np.logical_or.at(has[:, k], place, _there(table.columns[i]))
    count, odd = np.full(len(dates), full), {}
    for day, own in enumerate(has):
        sunday = (int(dates[day]) + 4) % 7 == 0
        empty = np.flatnonzero(~own[:full])
        one_hour = len(empty) == hour and empty[-1] - empty[0] == hour - 1
        if own[full:].any():
            count[day], odd[int(dates[day])] = full + hour, 1
        elif one_hour and sunday and slots.numbered and empty[-1] == full - 1:
            count[day], odd[int(dates[day])] = full - hour, -1
        elif one_hour and sunday and empty[0] * slots.step < DAY // 4:
            odd[int(dates[day])] = 0
    return count, odd


def _there(column: Any) -> np.ndarray:
    if isinstance(column, np.ndarray):
        return np.isfinite(column)
    there: np.ndarray = column.is_valid().to_numpy(zero_copy_only=False)
    return there


def _all_cells(table: Columns, places: Sequence[int]) -> Any:
    """All cells of some columns, one column below the other."""
    import pyarrow as pa

    columns = [table.columns[i] for i in places]
    if all(isinstance(column, np.ndarray) for column in columns):
        return np.concatenate(columns).astype(np.float64)
    words = []
    for column in columns:
        if isinstance(column, np.ndarray):
            column = pa.array([None if value != value else repr(float(value)) for value in column], pa.string())
        words.append(column)
    return pa.concat_arrays(words)


def _taken(cells: Any, at: np.ndarray, lost: np.ndarray) -> Any:
    import pyarrow as pa

    if isinstance(cells, np.ndarray):
        return np.where(lost, np.nan, cells[np.where(lost, 0, at)])
    return cells.take(pa.array(np.where(lost, 0, at), mask=lost))


def _unit(table: Columns, others: Sequence[int], mine: np.ndarray, first: int) -> str:
    """The unit that a column of units names for all rows of a series; else that of the first time."""
    for i in others:
        if is_unit(table.names[i]) and not isinstance(table.columns[i], np.ndarray):
            words = {word for word, own in zip(table.columns[i].to_pylist(), mine) if own and word}
            return next(iter(words)) if len(words) == 1 else ""
    return clock.split_unit(table.names[first])[1]


def _said(table: Columns, slots: _Slots, date: int, key: int | None, others: Sequence[int]) -> str:
    first, last = (table.names[slots.columns[k]] for k in (0, -1))
    each = f"{slots.step // 60} min" if slots.step < 3600 else "hour"
    told = (
        f"it is a table with a row a day ({table.names[date]!r}) and a column every {each} from {first!r} to {last!r}: "
        "read as one long series"
    )
    if key is not None:
        told += f" for each {table.names[key][:60]!r}"
    if slots.numbered:
        told += f", {first!r} as the time from midnight on"
    spare = [repr(table.names[i][:30]) for i in others if i != key and not is_unit(table.names[i])]
    more = f" and {len(spare) - 6} more" if len(spare) > 6 else ""
    return told + (f"; left out: {', '.join(spare[:6])}{more}" if spare else "")


def _said_of_days(odd: dict[int, int], slots: _Slots) -> list[str]:
    """What is to be said of days on which clocks were changed."""
    told = []
    for change, what in ((-1, "an hour less"), (1, "an hour more")):
        days = [str(np.datetime64(day, "D")) for day, how in odd.items() if how == change]
        if days:
            many = len(slots.columns) + change * 3600 // slots.step
            told.append(
                f"{', '.join(days)} {'have' if len(days) > 1 else 'has'} {many} readings, {what}, as where clocks are "
                "changed: from then on times go on by the clock of the first day"
            )
    days = [str(np.datetime64(day, "D")) for day, how in odd.items() if how == 0]
    if days:
        told.append(f"an hour of {', '.join(days)} is empty, as where clocks go forward: its readings are missing")
    return told
