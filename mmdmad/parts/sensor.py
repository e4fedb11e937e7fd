"""Sensor tables: named channels over time, from CSV, Parquet, NPZ, a DataFrame or an array."""

import sys
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from mmdmad.cases import Part
from mmdmad.parts import sensor_csv, sensor_files, sensor_wild
from mmdmad.parts.clock import named_time
from mmdmad.parts.limits import decoding, plain_file, refuse, span
from mmdmad.parts.sensor_columns import Column, Columns, check_cells, from_array, tidy
from mmdmad.parts.sensor_time import find_time, spread
from mmdmad.parts.sensor_words import look_at, ready_stamps


@dataclass(frozen=True, eq=False)
class Sensor:
    """Readings `values` float64 (T, C), NaN = missing, at `times` float64 (T,) seconds from the first row, increasing
    (rows out of order are sorted by time when a table is read).

    `channels` and `units` are (C,) each, a unit "" where unknown; `start` is the time of the first row if known.
    `notes` are what was decided while reading, in plain words. A column of words, named in `states`, is one channel of
    0 and 1 for each of its words, called "column=word".
    """

    values: np.ndarray
    times: np.ndarray
    channels: tuple[str, ...]
    units: tuple[str, ...]
    start: datetime | None = None
    notes: tuple[str, ...] = ()
    states: tuple[str, ...] = ()


def read_sensor(part: Part) -> Sensor:
    """The part's table.

    The time is the column whose values are times: dates in words, counts from 1970, or numbers that run like a time
    under the name of one (in the unit of the header, else seconds; day numbers of a spreadsheet); dates and times of
    day apart are joined. Without one the part's `rate` counts, in rows per second, else each row is one second. Row
    numbers, labels and further times are no channels. Rows out of order are sorted; a repeated row is dropped; rows
    that share a whole second in the order of the table are spread within it, other rows of one time are refused.

    Decimal marks and the order of day and month are decided over all rows read; PartError asks where nothing decides
    them. A column of words is read as its states, a rare cell that is no number as missing, like empty cells, "NaN",
    "NA" and "null"; infinite ones are refused. `notes` of the result tells every decision.

    >>> read_sensor(Part("sensor", value=np.zeros((3, 2)), rate=10.0)).times.tolist()
    [0.0, 0.1, 0.2]
    """
    value = part.value
    if value is None:
        path = plain_file(part)
        readers = {
            ".csv": sensor_csv.read_csv,
            ".tsv": sensor_csv.read_csv,
            ".txt": sensor_csv.read_csv,
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


def _build(part: Part, table: Columns) -> Sensor:
    try:
        columns, notes = look_at(table)
        if table.stamps is not None:
            columns.insert(0, Column("timestamp", "", 0, named_time("timestamp"), dates=ready_stamps(table.stamps)))
        found = find_time(columns, table.rate or part.rate, part.start or 0)
    except ValueError as why:
        raise refuse(part, str(why)) from None
    channels: list[tuple[str, str, np.ndarray]] = []
    states = []
    for i, column in enumerate(columns):
        if i in found.gone:
            continue
        if not column.name:
            raise refuse(part, f"column {column.place} has no name in the header")
        if column.numbers is not None:
            channels.append((column.name, column.unit, column.numbers))
        elif column.codes is not None:
            states.append(column.name)
            for code, word in enumerate(column.words):
                values = np.where(column.codes < 0, np.nan, column.codes == code)
                channels.append((f"{column.name}={word}", "", values))
    if not channels:
        raise refuse(part, "the table has no channel besides the time")
    names = [name for name, _, _ in channels]
    for name in names:
        if names.count(name) > 1:
            raise refuse(part, f"two channels are called {name[:60]!r}")
    units = tuple(unit for _, unit, _ in channels)
    values = np.column_stack([values for _, _, values in channels])
    said = (*table.notes, *notes, *found.notes)
    return _checked(part, Sensor(values, found.times, tuple(names), units, found.start, said, tuple(states)))


def _checked(part: Part, sensor: Sensor) -> Sensor:
    values, times, start, notes = sensor.values, sensor.times, sensor.start, sensor.notes
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
    far = sensor_wild.wild(values, *sensor_wild.usual_range(values))
    if far.any():
        lines = sensor_wild.said(far, values, sensor.channels)
        notes += tuple(f"{line}; if a logger writes it for no reading, leave the cell empty" for line in lines)
    if len(times) > 1 and (np.diff(times) == 0).any() and not _repeats(values, times):
        times, start, note = spread(times, start)
        notes = (*notes, note) if note else notes
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
    values = np.ascontiguousarray(values, np.float64)
    return replace(sensor, values=values, times=times, start=start, notes=notes)


def _repeats(values: np.ndarray, times: np.ndarray) -> bool:
    """Whether every row that has the time of the row above it also has its readings: it was written twice."""
    again = np.flatnonzero(np.diff(times) == 0) + 1
    return all(np.array_equal(values[i], values[i - 1], equal_nan=True) for i in again)


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
    return _checked(part, replace(sensor, values=values, times=times - times.min(), start=begin))
