"""The rows of a manifest file, whatever its format and encoding: CSV, Parquet, JSON or JSONL.

What is wrong with one row is said of that row, and the others go on; only what leaves no row readable ends in an error.
"""

import codecs
import csv
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, TextIO

from mmdmad.errors import ManifestError
from mmdmad.files import parsed

MAX_LINE = 16 * 2**20
MAX_CELL = 4 * 2**20
MAX_ROWS = 20_000_000
MAX_JSON = 64 * 2**20
"""Bytes of a JSON list, which is read as a whole."""
MAX_COLUMNS = 1000
ABOVE = 40
"""Lines in which the header is looked for."""


@dataclass(frozen=True)
class Row:
    """One row of a manifest, first = 1: its values, or the reason why it cannot be read."""

    number: int
    values: Mapping[str, Any] | str


@dataclass(frozen=True, eq=False)
class Rows:
    """Column names, rows, and what was decided on the way to them."""

    columns: list[str]
    rows: Iterator[Row]
    notes: tuple[str, ...] = ()


def is_missing(value: Any) -> bool:
    """None, NaN, and empty or blank text mean "not given"."""
    return value is None or (isinstance(value, str) and not value.strip()) or value != value


def rows_of(manifest: Path) -> Rows:
    """The column names and the rows of a manifest; ManifestError where it cannot be read as a whole."""
    try:
        mode = manifest.stat().st_mode
    except (OSError, ValueError) as why:
        reason = getattr(why, "strerror", None) or why
        raise ManifestError(f"the manifest {manifest} cannot be opened: {reason}; give a file or a folder") from None
    if not stat.S_ISREG(mode):
        raise ManifestError(f"the manifest {manifest} is not a plain file")
    readers = {
        ".csv": _csv,
        ".tsv": _csv,
        ".txt": _csv,
        ".tab": _csv,
        ".parquet": _parquet,
        ".jsonl": _jsonl,
        ".ndjson": _jsonl,
        ".json": _json,
    }
    read = readers.get(manifest.suffix.lower())
    if read is None:
        raise ManifestError(
            f"{manifest} is not a manifest; allowed are .csv, .tsv, .txt, .parquet, .json and .jsonl, or a folder; "
            "a sheet of a spreadsheet is saved as CSV first, and a recording is cut into cases with --window 60s"
        )
    if not manifest.stat().st_size:
        raise ManifestError(f"{manifest} is empty; a manifest has a header and one row per case")
    return read(manifest)


def simulated(manifest: Path) -> bool:
    """Whether the side file `<manifest name>.json` says that the data are simulated."""
    side = manifest.with_suffix(".json")
    if not side.is_file():
        return False
    try:
        data = parsed(side.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as why:
        raise ManifestError(f"{side}, which describes {manifest.name}, is not JSON: {why}") from None
    return isinstance(data, dict) and data.get("simulated") is True


_NUL = "\0"
"""Begins a line that stands for one that cannot be read; what follows is the reason."""
OTHER = "the manifest is not UTF-8; it is read as Latin-1 (Windows-1252)"


def _encoding(manifest: Path) -> tuple[str, tuple[str, ...]]:
    """The encoding of a text manifest, and a note where it is not UTF-8."""
    try:
        with manifest.open("rb") as file:
            head = file.read(4096)
            for marks, name in (((b"\xff\xfe\0\0", b"\0\0\xfe\xff"), "utf-32"), ((b"\xff\xfe", b"\xfe\xff"), "utf-16")):
                if head.startswith(marks):
                    return name, (f"the manifest is {name.upper()}",)
            for odd, name in ((1, "utf-16-le"), (0, "utf-16-be")):
                zeros, others = head[odd::2].count(0), head[1 - odd :: 2].count(0)
                if not others and 2 * zeros > len(head[odd::2]):
                    return name, ("the manifest is UTF-16",)
            found = codecs.getincrementaldecoder("utf-8")()
            single = codecs.getincrementaldecoder("cp1252")()
            utf, windows, block = True, True, head
            while block:
                utf, windows = utf and _decodes(found, block), windows and _decodes(single, block)
                block = file.read(2**20)
            utf = utf and _decodes(found, b"", final=True)
    except OSError as why:
        raise ManifestError(f"{manifest} cannot be read: {why.strerror}") from None
    return ("utf-8-sig", ()) if utf else ("cp1252" if windows else "latin-1", (OTHER,))


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _lines(file: TextIO, manifest: Path) -> Iterator[str]:
    """The lines; one that is too long or holds zero bytes is replaced by the reason, so that the others go on."""
    number = 0
    try:
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                while line and not line.endswith("\n"):
                    line = file.readline(MAX_LINE)
                line = f"{_NUL}line {number} is longer than {MAX_LINE} characters\n"
            elif _NUL in line:
                line = f"{_NUL}line {number} holds zero bytes\n"
            yield line
    except UnicodeDecodeError as why:
        raise ManifestError(
            f"{manifest} is not text from line {number + 1} on: {why.reason}; save it as UTF-8"
        ) from None
    except OSError as why:
        raise ManifestError(f"{manifest} cannot be read: {why.strerror}") from None


def _csv(manifest: Path) -> Rows:
    encoding, notes = _encoding(manifest)
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))  # the usual 131,072 cuts texts off

    def text(file: TextIO) -> tuple[str, Iterator[str], int]:
        """The separator, the lines from the header on, and how many lines stand above it."""
        lines = _lines(file, manifest)
        top = list(islice((line for line in lines if line.strip()), ABOVE))
        told = re.match(r'^"?sep=([,;|\t])"?[;,\s]*$', top[0], re.IGNORECASE) if top else None
        top = top[1:] if told else top
        above = _above(top, told[1] if told else None)
        head = top[above] if top else ""
        return told[1] if told else _separator(head), chain(top[above:], lines), above

    def cells(file: TextIO) -> Iterator[list[str] | str]:
        """The cells of each row, or why a row has none."""
        separator, lines, _ = text(file)
        reader = csv.reader(lines, delimiter=separator, strict=True)
        first = 1
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as why:
                to = f" to {reader.line_num}" if reader.line_num > first else ""
                yield f"not a row of a CSV table in lines {first}{to}: {why}; a quote inside a cell is written twice"
            else:
                broken = next((cell for cell in row if _NUL in cell), None)
                if broken is not None:
                    yield broken[broken.index(_NUL) + 1 :].strip()
                elif row:
                    yield row
            first = reader.line_num + 1

    def rows() -> Iterator[Row]:
        with manifest.open(encoding=encoding, newline="") as file:
            table = cells(file)
            next(table)
            for number, row in enumerate(table, 1):
                if isinstance(row, str):
                    yield Row(number, row)
                elif len(row) < len(columns) or any(cell.strip() for cell in row[len(columns) :]):
                    yield Row(number, f"the row has {len(row)} cells, the header has {len(columns)}")
                elif max(map(len, row)) > MAX_CELL:
                    yield Row(number, f"a cell has {max(map(len, row))} characters; at most {MAX_CELL} are allowed")
                else:
                    yield Row(number, dict(zip(columns, row)))

    with manifest.open(encoding=encoding, newline="") as file:
        header = next(cells(file), [])
        file.seek(0)
        above = text(file)[2]
    if isinstance(header, str):
        raise ManifestError(f"the header of {manifest} cannot be read: {header}")
    columns = [c.strip() for c in header]
    while columns and not columns[-1]:
        columns.pop()
    if above:
        notes = (*notes, f"{above} {'line' if above == 1 else 'lines'} above the header passed over")
    return Rows(_checked(manifest, columns), rows(), notes)


def _separator(line: str) -> str:
    return max((",", ";", "\t", "|"), key=line.count)


def _above(lines: list[str], separator: str | None) -> int:
    """How many lines stand above the header: titles of one cell; 0 where the first is a header.

    The header is the first line of which every cell has a name of its own, with no more cells in the line below it.
    """
    for number, (line, below) in enumerate(pairwise(lines)):
        mark = separator or _separator(line)
        names, under = (_filled(one, mark) for one in (line, below))
        titles = all(_is_title([cell for cell in _filled(one, mark) if cell]) for one in lines[:number])
        if not _is_title(names) and len(set(names)) == len(names) >= len(under) > 1 and all(names) and titles:
            return number
    return 0


def _is_title(cells: list[str]) -> bool:
    """Whether the filled cells of a line above a header are a title, or a word and what it says ("Line:", "3")."""
    return len(cells) < 2 or (len(cells) == 2 and cells[0].endswith(":"))


def _filled(line: str, separator: str) -> list[str]:
    """The cells of a line, without the empty ones at its end that spreadsheets add."""
    cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _checked(manifest: Path, columns: list[str]) -> list[str]:
    if not columns:
        raise ManifestError(f"{manifest} is blank; a manifest has a header and one row per case")
    if len(columns) > MAX_COLUMNS:
        raise ManifestError(f"{manifest} has {len(columns)} columns; at most {MAX_COLUMNS} are allowed")
    return columns


def _jsonl(manifest: Path) -> Rows:
    encoding, notes = _encoding(manifest)

    def rows() -> Iterator[Row]:
        with manifest.open(encoding=encoding) as file:
            lines = (line for line in _lines(file, manifest) if line.strip())
            for number, line in enumerate(lines, 1):
                if line.startswith(_NUL):
                    yield Row(number, line[1:].strip())
                    continue
                try:
                    values = parsed(line)
                except (ValueError, RecursionError) as why:
                    yield Row(number, f"not a JSON value: {str(why) or type(why).__name__}")
                    continue
                if isinstance(values, dict):
                    yield Row(number, values)
                else:
                    yield Row(number, f"a JSON object is needed, not {type(values).__name__}")

    # A first pass learns the columns, so that a misspelt one is found before any row is believed.
    columns: dict[str, None] = {}
    readable = None
    for row in rows():
        readable = readable or isinstance(row.values, Mapping)
        if isinstance(row.values, Mapping):
            columns.update(dict.fromkeys(row.values))
    if readable is None:
        raise ManifestError(f"{manifest} is blank; a JSONL manifest has one JSON object per line")
    if not readable:
        raise ManifestError(f"no line of {manifest} is a JSON object; a JSONL manifest has one per line")
    return Rows(_checked(manifest, list(columns)), rows(), notes)


def _json(manifest: Path) -> Rows:
    """One JSON list of objects, or an object that holds one such list."""
    if manifest.stat().st_size > MAX_JSON:
        raise ManifestError(f"{manifest} has more than {MAX_JSON} bytes; write one JSON object a line, as .jsonl")
    encoding, notes = _encoding(manifest)
    try:
        held = parsed(manifest.read_text(encoding))
    except (ValueError, RecursionError) as why:
        raise ManifestError(f"{manifest} is not JSON: {why}; a manifest is a list of objects, one a case") from None
    lists = [held] if isinstance(held, list) else list(held.values()) if isinstance(held, dict) else []
    lists = [one for one in lists if isinstance(one, list) and one and all(isinstance(row, dict) for row in one)]
    if len(lists) != 1:
        raise ManifestError(f"{manifest} holds {len(lists)} lists of objects; a manifest is one, with an object a case")
    columns = list(dict.fromkeys(name for row in lists[0] for name in row))
    return Rows(_checked(manifest, columns), (Row(n, row) for n, row in enumerate(lists[0], 1)), notes)


def _parquet(manifest: Path) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def fault(why: Exception) -> ManifestError:
        return ManifestError(f"{manifest} is not a readable Parquet file: {' '.join(str(why).split())[:200]}")

    def rows() -> Iterator[Row]:
        number = 0
        try:
            with pq.ParquetFile(manifest, read_dictionary=words) as table:
                for batch in table.iter_batches(batch_size=64, columns=columns):
                    giant = _giant(batch)
                    for i in range(batch.num_rows):
                        number += 1
                        yield Row(number, giant.get(i) or _values(batch, i))
        except (pa.ArrowException, OSError, ValueError, MemoryError) as why:
            raise fault(why) from None

    try:
        with pq.ParquetFile(manifest) as table:
            schema, count = table.schema_arrow, table.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError, MemoryError) as why:
        raise fault(why) from None
    if count > MAX_ROWS:
        raise ManifestError(f"{manifest} has {count} rows; at most {MAX_ROWS} are allowed")
    _checked(manifest, list(schema.names))
    words = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    odd = {
        field.name: str(field.type)
        for field in schema
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
    }
    columns = [name for name in schema.names if name not in odd]
    notes = tuple(f"column {name!r} holds {kind} and is left out: a manifest holds words, numbers and times"
                  for name, kind in odd.items())  # fmt: skip
    return Rows(columns or list(schema.names), rows(), notes)


def _values(batch: Any, i: int) -> dict[str, Any] | str:
    """One row as Python values, or why it has none: a date beyond the year 9999, words that are no words."""
    values = {}
    for name, column in zip(batch.schema.names, batch.columns):
        try:
            values[name] = column[i].as_py()
        except (ValueError, OverflowError) as why:
            return f"its {name} cannot be read: {' '.join(str(why).split())[:200]}"
    return values


def _giant(batch: Any) -> dict[int, str]:
    """Rows with giant cells, and why they are refused: a few bytes of Parquet can repeat such a cell in every row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found: dict[int, str] = {}
    for name, column in zip(batch.schema.names, batch.columns):
        if pa.types.is_dictionary(column.type) and len(column.dictionary):
            lengths = pc.binary_length(column.dictionary).to_pylist()
            long = {i: length for i, length in enumerate(lengths) if length is not None and length > MAX_CELL}
            for row, at in enumerate(column.indices.to_pylist() if long else ()):
                if at in long:
                    found[row] = f"its {name} has {long[at]} bytes; at most {MAX_CELL} are allowed"
    return found
