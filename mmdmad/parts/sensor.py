"""Sensor tables: named channels over time, from CSV, Parquet, NPZ, a DataFrame or an array."""

import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from mmdmad.cases import NO_DATA, Part
from mmdmad.parts import sensor_wild
from mmdmad.parts.limits import decoding, plain_file, refuse, sliced_file, span
from mmdmad.parts.sensor_columns import Columns, check_cells, from_array, tidy
from mmdmad.parts.sensor_table import Table, columns_of, lay_out, read_columns, settle, some_rows, whole
from mmdmad.parts.timeline import Timeline, usual_step


@dataclass(frozen=True, eq=False)
class Sensor(Table):
    """Readings `values` float64 (T, C), NaN = missing, at `times` float64 (T,) seconds from the first row, increasing
    (rows out of order are sorted by time when a table is read).

    `channels` and `units` are (C,) each, a unit "" where unknown; `start` is the time of the first row if known.
    `notes` are what was decided while reading, in plain words. A column of words, named in `states`, is one channel of
    0 and 1 for each of its words, called "column=word". `clock` names the column, or two, that hold the time; "" where
    rows are counted. `marked` is how many rows of the file its column of labels calls faulty. `counts` are columns left
    out since they count or time the recording (row numbers, elapsed seconds). `offset` counts seconds
    from the first row of the file to that of a slice, `file` is the name of that file; "" where it is no slice.
    """

    offset: float = 0.0
    file: str = ""


def read_sensor(part: Part) -> Sensor:
    """The part's table.

    The time is the column whose values are times: dates in words, counts from 1970, or numbers that run like a time
    under the name of one (in the unit of the header, else seconds; day numbers of a spreadsheet); dates and times of
    day apart are joined. Without one the part's `rate` counts, in rows per second, else each row is one second. What
    counts or times the recording (row numbers, elapsed seconds), labels and further times are no channels. Rows out of
    order are sorted; a repeated row is dropped; rows that share a whole second or minute in the order of the table
    are spread within it, other rows of one time are refused.

    A long table of changes, each series with times of its own (Home Assistant, historians), becomes a channel for each
    series on one clock on which the last value holds; a table with a row a day and a column each half-hour one long
    series. Slices of both count the rows of what they become.

    Decimal marks and the order of day and month are decided over all rows read; PartError asks where nothing decides
    them. A column of words is read as its states, a rare cell that is no number as missing, like empty cells, "NaN",
    "NA" and "null"; infinite ones are refused. `notes` of the result tells every decision.

    >>> read_sensor(Part("sensor", value=np.zeros((3, 2)), rate=10.0)).times.tolist()
    [0.0, 0.1, 0.2]
    """
    if isinstance(part.value, Sensor):
        return _cut(part, part.value)
    return _checked(part, _laid_out(part))


def row_times(part: Part) -> Timeline:
    """The times of the part's rows in their order in the file, for cutting it; PartError where they are not sorted."""
    if isinstance(part.value, Sensor):
        table: Table | None = _cut(part, part.value)
    elif part.value is None and part.start is None and part.stop is None:
        table = whole(part, plain_file(part))  # kept for the slices that are cut from it
    else:
        table = None
    kept = table is not None
    table = settle(part, _laid_out(part)) if table is None else table
    if table.turned and not kept:
        # Slices of it would be cut from rows in another order.
        raise refuse(part, "its newest row stands first: sort the table by time before windows are cut from it")
    if not len(table.times):
        raise refuse(part, "the table has no rows")
    back = np.flatnonzero(np.diff(table.times) < 0)
    if len(back):
        raise refuse(
            part,
            f"row {back[0] + 2} is earlier than the row above it, and a window is a run of rows; sort the table by "
            "time, or cut it there into two files",
        )
    times = table.times - table.times[0]
    return Timeline(times, table.start, usual_step(times) or 1.0, None, table.notes, table.daytime)


def _laid_out(part: Part) -> Table:
    """The part's table as its rows stand."""
    value = part.value
    if value is None:
        path = plain_file(part)
        if part.start is None and part.stop is None:
            return lay_out(part, read_columns(part, path))
        known = whole(part, path)
        if known is not None:
            return some_rows(known, *span(part, len(known.times), "rows"))
        table = columns_of(part, path)
    elif isinstance(value, np.ndarray):
        table = from_array(part, value)
    elif "pandas" in sys.modules and isinstance(value, sys.modules["pandas"].DataFrame):
        table = _from_frame(part, value)
    else:
        raise refuse(part, f"a sensor table must be a DataFrame, an array or a Sensor, not {type(value).__name__}")
    return lay_out(part, table)


def _from_frame(part: Part, frame: Any) -> Columns:
    import pandas as pd
    import pyarrow as pa

    start, stop = span(part, len(frame), "rows") if len(frame) else (0, 0)
    check_cells(part, stop - start, frame.shape[1])
    frame = frame.iloc[start:stop]
    stamps = frame.index if type(frame.index).__name__ == "DatetimeIndex" else None

    def ready(column: Any) -> Any:
        if column.dtype.kind in "buif":
            return column.to_numpy(np.float64, na_value=np.nan)
        if column.dtype.kind == "M":
            return pd.DatetimeIndex(column)
        return tidy(pa.array([None if pd.isna(cell) else str(cell) for cell in column], pa.string()))

    with decoding(part, "the DataFrame"):
        columns = [ready(frame.iloc[:, i]) for i in range(frame.shape[1])]
    return Columns([str(name) for name in frame.columns], columns, stamps=stamps)


def _checked(part: Part, table: Table) -> Sensor:
    """A table with its rows in the order of time, counted from the first, or the reason why it cannot be used."""
    table = settle(part, table)
    values, times, start, notes = table.values, table.times, table.start, table.notes
    if not len(values):
        raise refuse(part, "the table has no rows")
    infinite = np.argwhere(np.isinf(values))
    if len(infinite):
        row, column = infinite[0]
        raise refuse(
            part, f"channel {table.channels[column][:60]!r} is infinite in row {row + 1}; leave it empty if unknown"
        )
    if np.isnan(values).all():
        raise refuse(part, f"{NO_DATA} in {_rows(part, len(values))}: every reading is missing")
    far = sensor_wild.wild(values, *sensor_wild.usual_range(values))
    if far.any():
        lines = sensor_wild.said(far, values, table.channels)
        notes += tuple(f"{line}; if a logger writes it for no reading, leave the cell empty" for line in lines)
    if len(times) > 1 and not (np.diff(times) > 0).all():
        order = np.argsort(times, kind="stable")
        values, times = values[order], times[order]
        again = np.flatnonzero(np.diff(times) == 0) + 1
        same = np.array([np.array_equal(values[i], values[i - 1], equal_nan=True) for i in again], bool)
        if not same.all():
            i = again[int(np.argmin(same))]
            raise refuse(
                part,
                f"rows {order[i - 1] + 1} and {order[i] + 1} of one time ({times[i]:g} s) have different readings",
            )
        values, times = np.delete(values, again, axis=0), np.delete(times, again)
    offset = float(times[0])
    if offset:
        times = times - offset
        start = None if start is None else start + timedelta(seconds=offset)
    values = np.ascontiguousarray(values, np.float64)
    return Sensor(
        values,
        times,
        table.channels,
        table.units,
        start,
        notes,
        table.states,
        table.clock,
        table.marked,
        None if table.daytime is None else table.daytime + offset,
        table.counts,
        table.turned,
        offset,
        sliced_file(part),
    )


def _rows(part: Part, count: int) -> str:
    """What so many rows of the part are called: their numbers in the file, and its name."""
    first = (part.start or 0) + 1
    which = f"rows {first} to {first + count - 1}" if count > 1 else f"row {first}"
    return f"{which} of {'the table' if part.path is None else part.path.name}"


def _cut(part: Part, sensor: Sensor) -> Sensor:
    """A Sensor from memory, checked and cut to the slice."""
    values, times = np.asarray(sensor.values), np.asarray(sensor.times, np.float64)
    if values.ndim != 2 or times.shape != values.shape[:1] or values.shape[1] == 0 or values.dtype.kind not in "buif":
        raise refuse(
            part, f"values {values.shape} and times {times.shape} do not make a table of numbers (T, C) and (T,)"
        )
    if len(sensor.channels) != values.shape[1] or len(sensor.units) != values.shape[1]:
        raise refuse(part, f"{len(sensor.channels)} names and {len(sensor.units)} units for {values.shape[1]} channels")
    if not len(values) or not np.isfinite(times).all():
        raise refuse(part, "the table has no rows, or rows without a time")
    start, stop = span(part, len(values), "rows")
    table = Table(
        values[start:stop].astype(np.float64),
        times[start:stop],
        sensor.channels,
        sensor.units,
        sensor.start,
        sensor.notes,
        sensor.states,
        sensor.clock,
        sensor.marked,
        counts=sensor.counts,
    )
    made = _checked(part, table)
    return replace(made, offset=sensor.offset + made.offset, file=sensor.file)
