"""Long tables of changes with a column for each series: on one clock on which the last value of each holds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mmdmad.parts import clock
from mmdmad.parts.limits import MAX_CELLS, MAX_CHANNELS
from mmdmad.parts.sensor_columns import Columns
from mmdmad.parts.sensor_long import Long, holds_times, is_words, long_table
from mmdmad.parts.sensor_words import is_unit, look_at

LOST = 100
"""One change in so many, at most, is followed by another of its series before the next step of the clock."""
STEPS = (
    *(86400, 43200, 21600, 10800, 7200, 3600, 1800, 900, 600, 300, 120, 60, 30, 20, 15, 10, 5, 2, 1),
    *(0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001),
)
"""Seconds of a clock that nobody named."""
_GONE = ("unavailable", "unknown")
"""States by which Home Assistant says that there is no reading."""


def unfolded(table: Columns, rate: float | None) -> Columns:
    """A long table of changes with a column for each series, one row a step of a common clock; any other as it is.

    The last value of a series holds until its next. The clock is the coarsest of round steps that loses hardly a
    change; `rate` (rows per second) names another. ValueError where it is such a table and cannot be unfolded.
    """
    found = long_table(table)
    if found is None:
        return table
    order = np.lexsort((np.arange(len(found.nanos)), found.nanos))
    rows = [order[found.codes[order] == code] for code in range(len(found.names))]
    step = round(1e9 / rate) if rate else _step(found.nanos, [found.nanos[one] for one in rows])
    first, last = int(found.nanos.min()), int(found.nanos.max())
    begin, end = -(-first // step) * step, -(-last // step) * step
    count = (end - begin) // step + 1
    if len(rows) > MAX_CHANNELS or count * len(rows) > MAX_CELLS:
        raise ValueError(
            f"{len(rows)} series at {count} times are more than {MAX_CELLS} cells: keep fewer series or days in a "
            "table, or give a lower rate (sensor_rate)"
        )
    ticks = begin + step * np.arange(count)
    values, notes, missing = _held(table, found), [], 0
    if found.home:
        values, missing = _without_marks(values)
    columns, names, units, unseen = [], [], [], 0
    given = _units(table, found)
    for code, mine in enumerate(rows):
        place = np.searchsorted(found.nanos[mine], ticks, "right") - 1
        unseen += len(mine) - len(np.unique(place[place >= 0]))
        column = _taken(values, mine, place)
        name = found.names[code]
        if why := _no_channel(name, column):
            notes.append(why)
            continue
        columns.append(column)
        names.append(name)
        units.append(given[code])
    if not columns:
        raise ValueError(f"none of the {len(rows)} series of this long table holds numbers or states: {notes[0]}")
    notes.insert(0, _said(table, found, step, unseen))
    if missing:
        notes.insert(1, f"'unavailable' and 'unknown' ({missing} rows) are no reading: missing until the next value")
    import pandas as pd

    index = pd.DatetimeIndex(ticks.astype("M8[ns]"))
    name = table.names[found.time]
    label = clock.split_unit(name)[0] if clock.named_time(name) is not None else "time"
    # Names and units apart: a series may be called as it likes.
    own = [index.tz_localize("UTC") if found.aware else index, *columns]
    return replace(
        table,
        names=[label, *names],
        columns=own,
        units=["", *units],
        stamps=None,
        notes=(*table.notes, *notes),
    )


def _units(table: Columns, found: Long) -> list[str]:
    """The unit of each series, by a column of units; "" where nothing says it. ValueError where one has several."""
    place = next((i for i, name in enumerate(table.names) if is_words(table.columns[i]) and _of_units(name)), None)
    if place is None:
        return [""] * len(found.names)
    words, units = np.array(table.columns[place].fill_null("").to_pylist(), object), []
    for code, name in enumerate(found.names):
        own = sorted(set(words[found.codes == code]) - {""})
        if len(own) > 1:
            raise ValueError(f"series {name[:60]!r} has the units {own[0]!r} and {own[1]!r}; write all in one unit")
        units.append(own[0] if own else "")
    return units


def _of_units(name: str) -> bool:
    return is_unit(name) or name.strip().lower() == "unit_of_measurement"


def _held(table: Columns, found: Long) -> Any:
    """The readings as a column of words or numbers."""
    column = table.columns[found.value]
    if type(column).__name__ == "DatetimeIndex":
        raise ValueError(f"column {table.names[found.value][:60]!r} holds times, not readings")
    return column


def _without_marks(values: Any) -> tuple[Any, int]:
    """Readings without the words that say that there is none, and how many these were."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(values, np.ndarray):
        return values, 0
    marks = pc.fill_null(pc.is_in(pc.utf8_lower(values), value_set=pa.array(_GONE)), False)
    bare = pc.replace_with_mask(values, marks, pa.scalar(None, values.type))
    return bare, int(pc.sum(marks).as_py() or 0)


def _taken(values: Any, mine: np.ndarray, place: np.ndarray) -> Any:
    """The reading that holds at each tick: the one at `place` of a series' rows, nothing before the first."""
    import pyarrow as pa

    if isinstance(values, np.ndarray):
        return np.where(place < 0, np.nan, values[mine[np.maximum(place, 0)]])
    return values.take(pa.array(mine[np.maximum(place, 0)], mask=place < 0))


def _no_channel(name: str, column: Any) -> str:
    """Why a series is no channel: words that are neither numbers nor states, or times; "" where it is one."""
    import pyarrow.compute as pc

    if isinstance(column, np.ndarray):
        return ""
    there = column.drop_null()
    if not len(there):
        return f"series {name[:60]!r} holds no reading at all and is left out"
    if 2 * (pc.sum(pc.match_substring_regex(there, r"^[+-]?[\d.,]*\d")).as_py() or 0) >= len(there) and not holds_times(
        there, ""
    ):
        return ""
    try:
        made, _ = look_at(Columns([name], [column], units=[""]))
    except ValueError:
        made = []
    if made and made[0].dates is None:
        return ""
    return f"series {name[:60]!r} holds neither numbers nor a few states ({there[0].as_py()[:40]!r}) and is left out"


def _step(nanos: np.ndarray, each: Sequence[np.ndarray]) -> int:
    """Nanoseconds of the coarsest round step that loses hardly a change; the finest that fits where all lose more."""
    whole = int(nanos.max() - nanos.min())
    fits = [round(s * 1e9) for s in STEPS if whole / (s * 1e9) * len(each) <= MAX_CELLS / 4]
    for step in fits:
        ticks = [-(-one // step) for one in each]
        if LOST * sum(len(one) - len(np.unique(one)) for one in ticks) <= len(nanos):
            return step
    return fits[-1] if fits else round(STEPS[0] * 1e9)


def _said(table: Columns, found: Long, step: int, unseen: int) -> str:
    some = ", ".join(name[:30] for name in found.names[:4]) + (", …" if len(found.names) > 4 else "")
    lost = f"; {unseen} changes that another followed within a step are not seen" if unseen else ""
    spare = [i for i in range(len(table.names)) if i not in (found.time, found.key, found.value)]
    left = ", ".join(repr(table.names[i][:30]) for i in spare if not _of_units(table.names[i]))
    return (
        f"it is a long table: {len(found.names)} series, named in {table.names[found.key][:60]!r} ({some}), each with "
        f"times of its own ({table.names[found.time][:60]!r}). Each is read as a channel, on one clock of "
        f"{step / 1e9:g} s on which the last value holds until the next (a rate says otherwise: sensor_rate){lost}"
        + (f"; left out: {left}" if left else "")
    )
