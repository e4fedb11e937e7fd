"""The rows of a manifest file, whatever its format: CSV, Parquet or JSONL."""

import csv
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from mmdmad.errors import ManifestError
from mmdmad.files import parsed

MAX_LINE = 16 * 2**20
MAX_CELL = 4 * 2**20
MAX_ROWS = 20_000_000
MAX_COLUMNS = 1000


@dataclass(frozen=True)
class Row:
    """One row of a manifest, first = 1: its values, or the reason why it cannot be read."""

    number: int
    values: Mapping[str, Any] | str


def is_missing(value: Any) -> bool:
    """None, NaN, and empty or blank text mean "not given"."""
    return value is None or (isinstance(value, str) and not value.strip()) or value != value


def rows_of(manifest: Path) -> tuple[list[str], Iterator[Row]]:
    """The column names and the rows of a manifest; ManifestError where it cannot be read as a whole."""
    try:
        mode = manifest.stat().st_mode
    except (OSError, ValueError) as why:
        reason = getattr(why, "strerror", None) or why
        raise ManifestError(f"the manifest {manifest} cannot be opened: {reason}; give a file or a folder") from None
    if not stat.S_ISREG(mode):
        raise ManifestError(f"the manifest {manifest} is not a plain file")
    readers = {".csv": _csv, ".tsv": _csv, ".parquet": _parquet, ".jsonl": _jsonl, ".ndjson": _jsonl}
    read = readers.get(manifest.suffix.lower())
    if read is None:
        raise ManifestError(f"{manifest} is not a manifest; allowed are .csv, .tsv, .parquet and .jsonl, or a folder")
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


def _lines(file: TextIO, manifest: Path) -> Iterator[str]:
    number = 0
    try:
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise ManifestError(f"line {number} of {manifest} is longer than {MAX_LINE} characters")
            if "\0" in line:
                raise ManifestError(
                    f"line {number} of {manifest} holds zero bytes: it is UTF-16 or not text; use UTF-8"
                )
            yield line
    except UnicodeDecodeError as why:
        bad = why.object[why.start]
        raise ManifestError(
            f"{manifest} is not UTF-8 (byte 0x{bad:02x} near line {number + 1}); save it as UTF-8"
        ) from None
    except OSError as why:
        raise ManifestError(f"{manifest} cannot be read: {why.strerror}") from None


def _csv(manifest: Path) -> tuple[list[str], Iterator[Row]]:
    with manifest.open(encoding="utf-8-sig", newline="") as file:
        header = next(_lines(file, manifest), "")
    separator = max((",", ";", "\t"), key=header.count)

    def cells(file: TextIO) -> Iterator[list[str]]:
        reader = csv.reader(_lines(file, manifest), delimiter=separator, strict=True)
        try:
            yield from reader
        except csv.Error as why:
            at = reader.line_num
            raise ManifestError(f"{manifest} is not a CSV table near line {at}: {why}") from None

    def rows() -> Iterator[Row]:
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            table = (row for row in cells(file) if row)
            next(table)
            for number, row in enumerate(table, 1):
                if len(row) == len(columns):
                    yield Row(number, dict(zip(columns, row)))
                else:
                    yield Row(number, f"the row has {len(row)} cells, the header has {len(columns)}")

    with manifest.open(encoding="utf-8-sig", newline="") as file:
        columns = [c.strip() for c in next((row for row in cells(file) if row), [])]
    return _checked(manifest, columns), rows()


def _checked(manifest: Path, columns: list[str]) -> list[str]:
    if not columns:
        raise ManifestError(f"{manifest} is blank; a manifest has a header and one row per case")
    if len(columns) > MAX_COLUMNS:
        raise ManifestError(f"{manifest} has {len(columns)} columns; at most {MAX_COLUMNS} are allowed")
    return columns


def _jsonl(manifest: Path) -> tuple[list[str], Iterator[Row]]:
    def rows() -> Iterator[Row]:
        with manifest.open(encoding="utf-8-sig") as file:
            lines = (line for line in _lines(file, manifest) if line.strip())
            for number, line in enumerate(lines, 1):
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
    return _checked(manifest, list(columns)), rows()


def _parquet(manifest: Path) -> tuple[list[str], Iterator[Row]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def fault(why: Exception) -> ManifestError:
        return ManifestError(f"{manifest} is not a readable Parquet file: {' '.join(str(why).split())[:200]}")

    def rows() -> Iterator[Row]:
        number = 0
        try:
            with pq.ParquetFile(manifest, read_dictionary=words) as table:
                for batch in table.iter_batches(batch_size=64):
                    _check_cells(manifest, batch)
                    for values in batch.to_pylist():
                        number += 1
                        yield Row(number, values)
        except (pa.ArrowException, OSError, ValueError, MemoryError) as why:
            raise fault(why) from None

    try:
        with pq.ParquetFile(manifest) as table:
            schema, count = table.schema_arrow, table.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError, MemoryError) as why:
        raise fault(why) from None
    if count > MAX_ROWS:
        raise ManifestError(f"{manifest} has {count} rows; at most {MAX_ROWS} are allowed")
    columns = _checked(manifest, list(schema.names))
    words = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    for field in schema:
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            raise ManifestError(
                f"column {field.name!r} of {manifest} holds {field.type}; a manifest holds words, numbers and times"
            )
    return columns, rows()


def _check_cells(manifest: Path, batch: Any) -> None:
    """Refuses giant cells while they are still stored once: a few bytes of Parquet can repeat one in every row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for column in batch.columns:
        if pa.types.is_dictionary(column.type) and len(column.dictionary):
            longest = pc.max(pc.binary_length(column.dictionary)).as_py() or 0
            if longest > MAX_CELL:
                raise ManifestError(f"{manifest} has a cell of {longest} bytes; at most {MAX_CELL} are allowed")
