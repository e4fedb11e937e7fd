"""Sensor tables: named channels over time, from CSV, Parquet, NPZ, a DataFrame or an array."""

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from mmdmad.cases import Part
from mmdmad.parts import clock, sensor_files
from mmdmad.parts.limits import decoding, plain_file, refuse, span
from mmdmad.parts.sensor_columns import MISSING, Columns, check_cells, from_array, numbers


@dataclass(frozen=True, eq=False)
class Sensor:
    """Readings `values` float64 (T, C), NaN = missing, at `times` float64 (T,) seconds from the first row, increasing
    (rows out of order are sorted by time when a table is read).

    `channels` and `units` are (C,) each, a unit "" where unknown; `start` is the time of the first row if known.
    """

    values: np.ndarray
    times: np.ndarray
    channels: tuple[str, ...]
    units: tuple[str, ...]
    start: datetime | None = None


def read_sensor(part: Part) -> Sensor:
    """The part's table.

    Time comes from a column of that name (numbers in seconds or in the unit of the header, or ISO 8601), else from the
    part's `rate` in rows per second, else each row is one second. Rows out of order are sorted by time; a repeated row
    is dropped; two different rows of one time are refused, because one of them would have to be invented away. Times
    need not be evenly spaced. Empty cells, "NaN", "NA" and "null" are missing values; infinite ones are refused.

    >>> read_sensor(Part("sensor", value=np.zeros((3, 2)), rate=10.0)).times.tolist()
    [0.0, 0.1, 0.2]
    """
    value = part.value
    if value is None:
        path = plain_file(part)
        readers = {
            ".csv": sensor_files.read_csv,
            ".tsv": sensor_files.read_csv,
            ".txt": sensor_files.read_csv,
            ".parquet": sensor_files.read_parquet,
            ".npz": sensor_files.read_npz,
            ".npy": sensor_files.read_npy,
        }
        reader = readers.get(path.suffix.lower())
        if reader is None:
            raise refuse(part, f"a sensor table is {', '.join(readers)}, not {path.suffix or 'without suffix'!r}")
        with decoding(part, path.name):
            table = reader(part, path)
    elif isinstance(value, Sensor):
        return _cut(part, value)
    elif isinstance(value, np.ndarray):
        table = from_array(part, value)
    elif "pandas" in sys.modules and isinstance(value, sys.modules["pandas"].DataFrame):
        table = _from_frame(part, value)
    else:
        raise refuse(part, f"a sensor table must be a DataFrame, an array or a Sensor, not {type(value).__name__}")
    return _build(part, table)


def _from_frame(part: Part, frame: Any) -> Columns:
    start, stop = span(part, len(frame), "rows") if len(frame) else (0, 0)
    check_cells(part, stop - start, frame.shape[1])
    frame = frame.iloc[start:stop]
    stamps = frame.index if type(frame.index).__name__ == "DatetimeIndex" else None
    columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
    kinds = [c.dtype.kind for c in columns]
    if stamps is None and kinds.count("M") == 1:
        at = kinds.index("M")
        stamps = columns.pop(at)
        names = [str(n) for i, n in enumerate(frame.columns) if i != at]
    else:
        names = [str(n) for n in frame.columns]
    with decoding(part, "the DataFrame"):
        ready = [c.to_numpy(np.float64, na_value=np.nan) if c.dtype.kind in "buif" else c.to_numpy() for c in columns]
    return Columns(names, ready, stamps=stamps)


def _build(part: Part, table: Columns) -> Sensor:
    names, columns = list(table.names), list(table.columns)
    if "" in names:
        raise refuse(part, f"column {names.index('') + 1} has no name in the header")
    units = list(table.units) if table.units is not None else None
    try:
        times, start = _times(part, table, names, columns, units)
    except ValueError as why:
        raise refuse(part, str(why)) from None
    if not columns:
        raise refuse(part, "the table has no channel besides the time")
    split = [clock.split_unit(n) for n in names]
    channels = tuple(name for name, _ in split)
    if units is None:
        units = [unit for _, unit in split]
    for name in channels:
        if channels.count(name) > 1:
            raise refuse(part, f"two channels are called {name[:60]!r}")
    values = np.column_stack([numbers(part, n, c) for n, c in zip(names, columns)])
    return _checked(part, Sensor(values, times, channels, tuple(units), start))


def _times(
    part: Part, table: Columns, names: list[str], columns: list[Any], units: list[str] | None
) -> tuple[np.ndarray, datetime | None]:
    """Seconds and start; takes the time column out of the lists."""
    if table.stamps is not None:
        return clock.from_stamps(table.stamps)
    found = clock.time_column(names)
    if found is None:
        rows = len(columns[0]) if columns else 0
        return np.arange(rows) / (table.rate or part.rate or 1.0), None
    index, scale = found
    column, name = columns.pop(index), names.pop(index)
    if units is not None:
        units.pop(index)
    array = np.asarray(column)
    if not len(array):
        return np.zeros(0), None
    if array.dtype.kind == "M":
        return clock.from_stamps(array)
    if array.dtype.kind in "OUST":
        words = [None if w is None or str(w).strip().lower() in MISSING else str(w).strip() for w in array]
        try:
            float(next((w for w in words if w is not None), ""))
        except ValueError:
            return clock.from_words(words)
    return clock.from_numbers(numbers(part, name, column), scale)


def _checked(part: Part, sensor: Sensor) -> Sensor:
    values, times = sensor.values, sensor.times
    if not len(values):
        raise refuse(part, "the table has no rows")
    infinite = np.argwhere(np.isinf(values))
    if len(infinite):
        row, column = infinite[0]
        raise refuse(
            part, f"channel {sensor.channels[column][:60]!r} is infinite in row {row + 1}; leave it empty if unknown"
        )
    if np.isnan(values).all():
        raise refuse(part, "the table holds no number: every reading is missing")
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
    return Sensor(np.ascontiguousarray(values, np.float64), times, sensor.channels, sensor.units, sensor.start)


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
    values, times, begin = values[start:stop].astype(np.float64), times[start:stop], sensor.start
    if begin is not None and times.min() > 0:
        begin += timedelta(seconds=float(times.min()))
    return _checked(part, Sensor(values, times - times.min(), sensor.channels, sensor.units, begin))
