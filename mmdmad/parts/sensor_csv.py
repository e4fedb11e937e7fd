"""Sensor tables in text files: read as they stand where every cell is a number, cleaned and looked at otherwise."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.cases import Part
from mmdmad.parts.clock import named_time
from mmdmad.parts.letters_of import encoding_of, note_of
from mmdmad.parts.limits import MAX_CHANNELS, MIB, refuse, span
from mmdmad.parts.sensor_between import Between
from mmdmad.parts.sensor_blocks import Spare
from mmdmad.parts.sensor_columns import Columns, as_floats, check_cells, tidy
from mmdmad.parts.sensor_head import SPACES, cells_of, is_value
from mmdmad.parts.sensor_sideways import line_of_times, sideways
from mmdmad.parts.sensor_text import BLOCK, Form, Lines, find_form

FILLED = 0.3
"""Share of values in the first rows from which on a row that is too short is a mark between readings, no event."""


SIDEWAYS = 8 * MIB
"""Largest file in bytes that is looked at for lines that are channels."""


class _Words(Exception):
    """A cell that is no number: the table has to be read as words first."""


def read_csv(part: Part, path: Path) -> Columns:
    """A text table with a header row, in the forms that `sensor_text` finds.

    A file of numbers is read block by block as numbers; any other once more as words, so that marks, dates and states
    are decided over all of its rows.
    """
    if (found := _on_its_side(part, path)) is not None:
        return found
    form = find_form(part, path)
    names = [*form.names, *[""] * form.trailing]
    if form.plain:
        timely = [named_time(name) is not None for name in names]
        try:
            with path.open("rb") as file:
                columns, told = _read(part, path, file, form, names, timely)
            return _columns(part, form, columns, [*form.notes, *told])
        except _Words:
            pass
    encoding = form.encoding
    while True:
        lines = Lines(part, path, form, encoding)
        notes = list(form.notes)
        try:
            columns, told = _read(part, path, lines, form, names, None)
        except UnicodeDecodeError as why:
            if encoding != "utf-8-sig":
                raise
            encoding = encoding_of(why.object)
            continue
        finally:
            lines.close()
        if encoding != form.encoding:
            notes.append(note_of(encoding))
        return _columns(part, form, columns, [*notes, *lines.notes(), *told])


def _on_its_side(part: Part, path: Path) -> Columns | None:
    """The table of a file whose lines are channels; None for any other."""
    import pyarrow as pa

    with path.open("rb") as file:
        head = file.read(BLOCK)
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    separator = line_of_times(head.decode(encoding, "replace").splitlines()[:200])
    if separator is None or path.stat().st_size > SIDEWAYS:
        return None
    held = path.read_bytes()
    try:
        text = held.decode(encoding)
    except UnicodeDecodeError:
        text = held.decode(encoding_of(held), "replace")
    lines = [line for line in text.splitlines() if line.strip()]
    found = sideways(cells_of(lines, separator)) if len(lines) <= MAX_CHANNELS else None
    if found is None:
        return None
    check_cells(part, len(found.cells[0]), len(found.names))
    start, stop = span(part, len(found.cells[0]), "rows")
    columns = [tidy(pa.array(line[start:stop])) for line in found.cells]
    return Columns(list(found.names), columns, notes=(found.note,))


def _columns(part: Part, form: Form, columns: list[Any], notes: list[str]) -> Columns:
    for i in range(len(form.names), len(columns)):
        if not _is_empty(columns[i]):
            raise refuse(part, f"column {i + 1} has no name in the header")
    named = list(form.names)
    if form.left:
        kept = [k for k in range(len(named)) if k not in form.left]
        return Columns([named[k] for k in kept], [columns[k] for k in kept], form.rate, notes=tuple(notes))
    if form.units is not None:
        named = [f"{name} [{unit}]" if unit else name for name, unit in zip(named, form.units)]
    return Columns(named, columns[: len(named)], form.rate, notes=tuple(notes))


def _is_empty(column: Any) -> bool:
    return bool(np.isnan(column).all()) if isinstance(column, np.ndarray) else column.null_count == len(column)


def _read(
    part: Part, path: Path, file: Any, form: Form, names: list[str], timely: list[bool] | None
) -> tuple[list[Any], list[str]]:
    """The columns of the rows that hold readings, and what was left out between them."""
    import pyarrow as pa
    import pyarrow.csv as arrow

    keys = [str(i) for i in range(len(names))]

    def convert(batch: Any) -> list[Any]:
        made = []
        for i in range(len(names)):
            words = tidy(batch.column(i))
            if timely is None or timely[i]:
                made.append(words)
                continue
            numbers = as_floats(words)
            if numbers is None:
                raise _Words
            made.append(numbers)
        return made

    spare = Spare(
        lambda text: _is_event(text, form.separator),
        lambda text: _is_torn(text, form.separator),
        lambda text: _is_header(text, form),
    )
    try:
        blocks = arrow.open_csv(
            file if timely is not None else pa.PythonFile(file, mode="r"),
            read_options=arrow.ReadOptions(
                use_threads=False, block_size=BLOCK, column_names=keys, skip_rows=int(timely is not None)
            ),
            parse_options=arrow.ParseOptions(
                delimiter="\t" if form.separator == SPACES else form.separator,
                ignore_empty_lines=len(names) > 1,
                invalid_row_handler=None if timely is not None or form.filled < FILLED else spare,
            ),
            convert_options=arrow.ConvertOptions(column_types={k: pa.string() for k in keys}),
        )
        between = Between(form.headers, form.timed, form.date)
        columns = gather(part, between.without(iter(blocks)), len(names), convert)
        if spare.too_many(len(columns[0])):
            raise refuse(
                part,
                f"{spare.marks + spare.torn} rows have fewer cells than the {len(names)} columns, the first "
                f"{spare.first.strip()[:60]!r}: write all cells into each row, or leave these rows out",
            )
        return columns, [*spare.note(), *between.notes()]
    except pa.ArrowInvalid as why:
        if timely is not None:
            raise _Words from None
        if "Empty CSV" in str(why):
            raise refuse(part, "the table has a header but no rows") from None
        if ragged := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", str(why)):
            row, named, there = map(int, ragged.groups())
            given = str(why).partition(f"got {there}: ")[2].strip()
            if _is_header(given, form):
                raise refuse(
                    part,
                    f"row {row} ({given[:60]!r}) is a header with {there} columns, and the one at the top has {named}: "
                    "the file holds two tables, one below the other; cut it above this row into two files",
                ) from None
            if there < named and _is_event(given, form.separator):
                raise refuse(
                    part,
                    f"row {row} ({given[:60]!r}) has {there} of {named} cells, and words where the others have "
                    "readings: if it is an event between them (a restart, a mark), leave this row out",
                ) from None
            missing = "a name for each column into the header" if there > named else "all cells into each row"
            raise refuse(
                part,
                f"row {row} has {there} cells and the header names {named} columns: write {missing}, and quotes "
                "around cells that hold the separator; if this is a log of events, call it .log",
            ) from None
        if "straddling" not in str(why):
            raise
        raise refuse(part, f"{path.name} has a row longer than 1 MiB, or a quote that is never closed") from None


def _is_header(line: str, form: Form) -> bool:
    """Whether a row of another width holds names alone, among them some of the header."""
    cells = [cell for cell in cells_of([line], form.separator)[0] if cell] if line else []
    return len(cells) > 1 and not any(map(is_value, cells)) and bool({*cells} & {*form.names} - {""})


def _is_torn(line: str, separator: str) -> bool:
    """Whether a row that is too short holds numbers alone, as a line that was not written to its end does."""
    cells = [cell for cell in cells_of([line], separator)[0] if cell] if line else []
    return bool(cells) and all(map(is_value, cells))


def _is_event(line: str, separator: str) -> bool:
    """Whether a row that is too short ends in words, as a mark that a logger writes between its readings does."""
    cells = [cell for cell in cells_of([line], separator)[0] if cell] if line else []
    return bool(cells) and not is_value(cells[-1]) and any(letter.isalpha() for letter in cells[-1])


def gather(part: Part, blocks: Iterator[Any], width: int, convert: Any) -> list[Any]:
    """The columns of the rows that the slice picks, block by block."""
    start, stop = part.start or 0, part.stop
    seen, kept = 0, 0
    pieces: list[list[Any]] = []
    for batch in blocks:
        low = max(start - seen, 0)
        high = len(batch) if stop is None else min(stop - seen, len(batch))
        seen += len(batch)
        if high > low:
            kept += high - low
            check_cells(part, kept, width)
            pieces.append(convert(batch.slice(low, high - low)))
        if stop is not None and seen >= stop:
            break
    else:
        if start or stop is not None:
            span(part, seen, "rows")
    if not pieces:
        raise refuse(part, "the table has a header but no rows")
    return [_joined([piece[i] for piece in pieces]) for i in range(width)]


def _joined(pieces: list[Any]) -> Any:
    import pyarrow as pa

    return np.concatenate(pieces) if isinstance(pieces[0], np.ndarray) else pa.concat_arrays(pieces)
