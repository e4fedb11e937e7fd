"""A table file laid out: time, channels and units decided, rows still in the order of the file; kept for its slices."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.folder_sheets import SHEETS
from mmdmad.parts import sensor_csv, sensor_files
from mmdmad.parts.clock import named_time
from mmdmad.parts.kept import KEPT, KEPT_BYTES
from mmdmad.parts.limits import decoding, refuse
from mmdmad.parts.sensor_changes import unfolded
from mmdmad.parts.sensor_clocks import several_clocks
from mmdmad.parts.sensor_columns import Column, Columns
from mmdmad.parts.sensor_days import days_unfolded
from mmdmad.parts.sensor_footer import without_footer, without_lead
from mmdmad.parts.sensor_kinds import Kinds, kinds_of_rows
from mmdmad.parts.sensor_order import NOTE, falls, falls_unnamed, turned
from mmdmad.parts.sensor_quality import no_labels, qualities, spoken_for, told_of
from mmdmad.parts.sensor_series import mixed_series
from mmdmad.parts.sensor_spread import spread
from mmdmad.parts.sensor_time import Found, find_time
from mmdmad.parts.sensor_wild import no_readings
from mmdmad.parts.sensor_words import is_unit, look_at, ready_stamps

READERS = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".tab", ".dat", ".asc", ".prn", ".lvm"), sensor_csv.read_csv),
    ".parquet": sensor_files.read_parquet,
    ".npz": sensor_files.read_npz,
    ".npy": sensor_files.read_npy,
}


@dataclass(frozen=True, eq=False)
class Table:
    """Readings `values` float64 (T, C) in the order of the rows, at `times` (T,) seconds from the earliest row.

    Nothing is sorted or refused yet; `start` is the time of the earliest row, `daytime` its seconds
    from midnight where its clock has no date. `turned`: its newest row stood first in the file, and now stands last.
    See `Sensor` for the rest.
    """

    values: np.ndarray
    times: np.ndarray
    channels: tuple[str, ...]
    units: tuple[str, ...]
    start: datetime | None = None
    notes: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    clock: str = ""
    marked: int = 0
    daytime: float | None = None
    counts: tuple[str, ...] = ()
    turned: bool = False


def read_columns(part: Part, path: Path) -> Columns:
    """The columns of a table file, cut to the part's slice."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        cure = "; save the sheet as CSV" if path.suffix.lower() in SHEETS else ""
        cure = "; if its lines are readings, call a copy of it .csv" if path.suffix.lower() == ".log" else cure
        raise refuse(part, f"a sensor table is {', '.join(READERS)}, not {path.suffix or 'without suffix'!r}{cure}")
    with decoding(part, path.name):
        return reader(part, path)


def lay_out(part: Part, table: Columns) -> Table:
    """Columns with the time found and every channel as numbers; PartError asks what the table leaves open."""
    try:
        if side_by_side := several_clocks(table):
            raise refuse(part, side_by_side)
        table = _in_columns(part, without_lead(without_footer(table)))
        columns, notes = look_at(table)
        if table.stamps is not None:
            columns.insert(0, Column("timestamp", "", 0, named_time("timestamp"), dates=ready_stamps(table.stamps)))
        found, columns, back = _in_time(columns, table.rate or part.rate, part.start or 0)
    except ValueError as why:
        raise refuse(part, str(why)) from None
    labels = {i for i in found.gone if i not in found.clock and _told_label(columns[i], found.notes)}
    marked = no_labels(columns, qualities(columns, found.gone - labels), labels)
    found = _without(found, [columns[one.place] for one in marked if one.place in labels])
    held = " & ".join(f"(table[{columns[one.place].said}] {one.test})" for one in marked if one.bad.any())
    if several := mixed_series(columns, found.times, {*found.gone, *(one.place for one in marked)}, found.clock, held):
        raise refuse(part, several)
    if kinds := kinds_of_rows(columns, {*found.gone, *(one.place for one in marked)} - {*found.counts}, found.clock):
        if kinds.main is None or table.stamps is not None:
            raise refuse(part, kinds.why)
        return lay_out(part, _of_one_kind(table, kinds, back))
    if mixed := _mixed_units(columns):
        raise refuse(part, mixed)
    channels: list[tuple[str, str, np.ndarray]] = []
    states, marks = [], [told_of(columns[one.place], one) for one in marked]
    bad = {i: one.bad for one in marked for i in spoken_for(columns, marked, one)}
    out = {*found.gone, *(one.place for one in marked)}
    for i, column in enumerate(columns):
        if i in out:
            continue
        if not column.name and column.numbers is not None and np.isnan(column.numbers).all():
            continue
        if not column.name:
            raise refuse(part, f"column {column.place} has no name in the header")
        if column.numbers is not None:
            empty = no_readings(column.numbers)
            lost = empty | bad[i] if i in bad else empty
            channels.append((column.name, column.unit, np.where(lost, np.nan, column.numbers)))
            marks += [_told(column, empty)] if empty.any() else []
        elif column.codes is not None:
            states.append(column.name)
            for code, word in enumerate(column.words):
                lost = (column.codes < 0) | bad[i] if i in bad else column.codes < 0
                values = np.where(lost, np.nan, column.codes == code)
                channels.append((f"{column.name}={word}", "", values))
    if not channels:
        raise refuse(part, "the table has no channel besides the time")
    names = [name for name, _, _ in channels]
    for name in names:
        if names.count(name) > 1:
            raise refuse(part, f"two channels are called {name[:60]!r}; give each column its own name in the header")
    units = tuple(unit for _, unit, _ in channels)
    values = np.column_stack([values for _, _, values in channels])
    clock = " and ".join(columns[i].name for i in found.clock)
    left = tuple(f"column {columns[i].said} holds states" for i in out)  # labels in words: no channels after all
    said = (*table.notes, *(note for note in notes if not note.startswith(left)), *found.notes, *marks)
    own = (found.start, said, tuple(states), clock, found.marked, found.daytime)
    counts = tuple(columns[i].name for i in found.counts)
    return Table(values, found.times, tuple(names), units, *own, counts, back)


def _in_time(columns: list[Column], rate: float | None, first: int) -> tuple[Found, list[Column], bool]:
    """The time of a table, its columns in the order of time, and whether its newest row stood first."""
    if back := falls_unnamed(columns):
        columns = turned(columns)
    found = find_time(columns, rate, first)
    if not back and found.clock and falls(found.times):
        columns, back = turned(columns), True
        found = find_time(columns, rate, first)
    if back:
        found.notes.append(NOTE)
    return found, columns, back


def _in_columns(part: Part, table: Columns) -> Columns:
    """A table with one row a time: long tables of changes and tables with a row a day are unfolded."""
    made = days_unfolded(table)
    made = unfolded(table, table.rate or part.rate) if made is table else made
    if made is not table and (part.start is not None or part.stop is not None):
        # Rows of a slice count in the unfolded table, which is made of the whole file.
        raise ValueError(
            "a slice of a table that is unfolded (long, or a row a day) is cut from the whole of it, which is larger "
            f"than {KEPT_BYTES // 2**20} MiB, or cannot be read (give it whole to hear why): write it with a row a "
            "time and a column for each series"
        )
    return made


def _of_one_kind(table: Columns, kinds: Kinds, back: bool) -> Columns:
    """The rows of the kind that most are of, without the column that told them apart and those that are empty then."""
    import pyarrow as pa

    assert kinds.main is not None
    main = kinds.main[::-1] if back else kinds.main
    columns = [one.filter(pa.array(main)) if hasattr(one, "filter") else one[main] for one in table.columns]
    empty = [np.isnan(one).all() if isinstance(one, np.ndarray) else _all_null(one) for one in columns]
    keep = [i for i in range(len(columns)) if i != kinds.place and not empty[i]]
    units = None if table.units is None else [table.units[i] for i in keep]
    return replace(
        table,
        names=[table.names[i] for i in keep],
        columns=[columns[i] for i in keep],
        units=units,
        notes=(*table.notes, kinds.note),
    )


def _all_null(words: Any) -> bool:
    return hasattr(words, "null_count") and words.null_count == len(words)


def _told_label(column: Column, notes: Sequence[str]) -> bool:
    return any(note.startswith(f"column {column.said} holds labels") for note in notes)


def _without(found: Found, columns: Sequence[Column]) -> Found:
    """What was found without what it says of labels that are none."""
    if not columns:
        return found
    notes = [note for note in found.notes if not any(_told_label(column, [note]) for column in columns)]
    return replace(found, notes=notes, marked=found.marked if any("holds labels" in note for note in notes) else 0)


def _mixed_units(columns: Sequence[Column]) -> str:
    """Why readings of one column are in several units, as a column beside them says; "" where none says so."""
    for column in columns:
        if is_unit(column.name) and len(column.words) > 1 and column.codes is not None:
            row = int(np.flatnonzero(column.codes != column.codes[0])[0])
            units = " and ".join(map(repr, column.words[:4])) + (", …" if len(column.words) > 4 else "")
            return (
                f"column {column.said} names several units, {units} (the first other one in row {row + 1}): write all "
                "readings in one unit, named in the header, as in 'temperature [°C]', and leave this column out"
            )
    return ""


def _told(column: Column, empty: np.ndarray) -> str:
    assert column.numbers is not None
    marks = " and ".join(f"{mark:g}" for mark in np.unique(column.numbers[empty]))
    return (
        f"column {column.said}: {marks}, far outside its other readings, is taken for no reading ({empty.sum()} rows)"
    )


def settle(part: Part, table: Table) -> Table:
    """A table whose rows share whole seconds or minutes, spread within them; any other as it is.

    PartError where nothing says how they lie in them.
    """
    times = table.times
    if len(times) < 2 or not (np.diff(times) == 0).any() or _repeats(table.values, times):
        return table
    try:
        times, start, note = spread(times, table.start)
    except ValueError as why:
        raise refuse(part, str(why)) from None
    return replace(table, times=times, start=start, notes=(*table.notes, note) if note else table.notes)


def _repeats(values: np.ndarray, times: np.ndarray) -> bool:
    """Whether every row that has the time of the row above it also has its readings: it was written twice."""
    again = np.flatnonzero(np.diff(times) == 0) + 1
    return all(np.array_equal(values[i], values[i - 1], equal_nan=True) for i in again)


def some_rows(table: Table, start: int, stop: int) -> Table:
    """Rows of a table, copied: what is done to them does nothing to the table."""
    return replace(table, values=table.values[start:stop].copy(), times=table.times[start:stop].copy())


def whole(part: Part, path: Path) -> Table | None:
    """The whole file behind a slice, decoded once for all slices; None where a slice must be read by itself.

    Dates, decimal marks, states and channels are decided over the file, so that all of its slices have the same. A file
    that is too large to be kept, or that only some slices of can be read, has its slices read one by one.
    """
    kept = _kept(part, path)
    return kept if isinstance(kept, Table) else None


def columns_of(part: Part, path: Path) -> Columns:
    """The columns of a slice: from the kept file where nothing but the decision over the whole of it failed."""
    kept = _kept(part, path)
    if not isinstance(kept, Columns):
        return read_columns(part, path)
    start = part.start or 0
    stop = len(kept.columns[0]) if part.stop is None else part.stop
    if not start < stop <= len(kept.columns[0]):
        return read_columns(part, path)  # says what is wrong with the slice
    return replace(kept, columns=[column[start:stop] for column in kept.columns])


def _kept(part: Part, path: Path) -> Any:
    if path.suffix.lower() not in READERS or path.stat().st_size > KEPT_BYTES:
        return None
    return KEPT.get(f"table at {part.rate}", path, lambda: _whole(replace(part, start=None, stop=None), path))


def _whole(part: Part, path: Path) -> tuple[Table | Columns | None, int]:
    try:
        columns = read_columns(part, path)
    except PartError:  # rows somewhere else in the file, or its size: the slice itself may be sound
        return None, 0
    try:
        table = settle(part, lay_out(part, columns))
    except PartError:
        return columns, sum(int(getattr(column, "nbytes", 0)) for column in columns.columns)
    for array in (table.values, table.times):
        array.flags.writeable = False
    return table, table.values.nbytes + table.times.nbytes
