"""Sensor tables in files: CSV, Parquet, NPZ and NPY, read in blocks so that a slice of a long table stays cheap."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.cases import Part
from mmdmad.parts.arrays import open_npy, open_npz
from mmdmad.parts.clock import time_column
from mmdmad.parts.limits import MAX_CELLS, MAX_CHANNELS, MIB, check_decoded, refuse, span
from mmdmad.parts.sensor_columns import MISSING, Columns, check_cells, from_array, numbers

BLOCK = 1 * MIB
MAX_WORD = 200


def read_csv(part: Part, path: Path) -> Columns:
    """A CSV table with a header row; the separator is the comma, semicolon, tab or bar that the header has most of."""
    import pyarrow as pa
    import pyarrow.csv as arrow

    names, separator = _header(part, path)
    keys = [str(i) for i in range(len(names))]
    found = time_column(names)
    when = None if found is None else found[0]
    missing = pa.array(MISSING)

    def convert(batch: Any) -> list[Any]:
        return [_cells(part, names[i], batch.column(i), i == when, missing) for i in range(len(names))]

    try:
        with path.open("rb") as file:
            blocks = arrow.open_csv(
                file,
                read_options=arrow.ReadOptions(use_threads=False, block_size=BLOCK, column_names=keys, skip_rows=1),
                parse_options=arrow.ParseOptions(delimiter=separator, ignore_empty_lines=len(names) > 1),
                convert_options=arrow.ConvertOptions(column_types={k: pa.string() for k in keys}),
            )
            return Columns(names, _gather(part, blocks, len(names), convert))
    except pa.ArrowInvalid as why:
        if "straddling" not in str(why):
            raise
        raise refuse(part, f"{path.name} has a row longer than 1 MiB, or a quote that is never closed") from None


def _header(part: Part, path: Path) -> tuple[list[str], str]:
    with path.open("rb") as file:
        line = file.readline(BLOCK)
    if line.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in line:
        raise refuse(part, f"{path.name} is UTF-16 or not text at all; save it as a UTF-8 CSV table")
    if len(line) == BLOCK:
        raise refuse(
            part, f"the header of {path.name} is longer than 1 MiB; at most {MAX_CHANNELS} columns are allowed"
        )
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as why:
        raise refuse(
            part, f"the header of {path.name} is not UTF-8 (byte 0x{line[why.start]:02x}); save it as UTF-8"
        ) from None
    separator = max((",", ";", "\t", "|"), key=text.count)
    names = [name.strip() for name in next(csv.reader([text], delimiter=separator), [])]
    check_cells(part, 0, len(names))
    if not any(names):
        raise refuse(part, f"the first line of {path.name} is blank; it must name the columns")
    if all(_is_number(name) for name in names):
        raise refuse(part, f"{path.name} has no header: its first row holds numbers; it must name the columns")
    return names, separator


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _cells(part: Part, name: str, column: Any, is_time: bool, missing: Any) -> Any:
    """One block of one column: words for the time column, float64 for the others."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_time or not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column.to_numpy(zero_copy_only=False)
    words = pc.utf8_trim_whitespace(column)
    words = pc.if_else(pc.is_in(pc.utf8_lower(words), value_set=missing.cast(words.type)), None, words)
    try:
        return words.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:  # slower, but it takes "+1.5" and names the first cell that is no number
        return numbers(part, name, column.to_numpy(zero_copy_only=False))


def _gather(part: Part, blocks: Iterator[Any], width: int, convert: Any) -> list[Any]:
    """The columns of the rows that the slice picks, block by block."""
    start, stop = part.start or 0, part.stop
    seen, kept, pieces = 0, 0, []
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
    return [np.concatenate([piece[i] for piece in pieces]) for i in range(width)]


def read_parquet(part: Part, path: Path) -> Columns:
    """A Parquet table of numbers, with times as numbers, words or timestamps (also as an unnamed pandas index)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    limits = {"thrift_string_size_limit": 64 * MIB, "thrift_container_size_limit": MIB}
    with pq.ParquetFile(path, **limits) as table:
        words = [f.name for f in table.schema_arrow if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
    # Words stay in their dictionary: a few bytes of Parquet can repeat a giant word in every row.
    with pq.ParquetFile(path, read_dictionary=words, **limits) as table:
        schema, rows, groups = table.schema_arrow, table.metadata.num_rows, table.metadata.num_row_groups
        if part.start is None and part.stop is None:
            sizes = (table.metadata.row_group(i).total_byte_size for i in range(groups))
            check_decoded(part, sum(max(0, size) for size in sizes), path.name)
        check_cells(part, 0, len(schema.names))
        if not rows:
            raise refuse(part, "the table has no rows")
        start, stop = span(part, rows, "rows")
        check_cells(part, stop - start, len(schema.names))
        stamps = [i for i, field in enumerate(schema) if pa.types.is_timestamp(field.type)]
        for field in schema:
            if not _is_flat(field.type):
                raise refuse(part, f"column {field.name[:60]!r} holds {str(field.type)[:60]}, not numbers")
        keep = [i for i, name in enumerate(schema.names) if not name.startswith("__index_level_") or stamps == [i]]
        names = [schema.names[i] for i in keep]
        found = time_column(names)
        when = keep.index(stamps[0]) if len(stamps) == 1 else None if found is None else found[0]
        missing = pa.array(MISSING)

        def convert(batch: Any) -> list[Any]:
            columns = [_plain(part, name, batch.column(k)) for name, k in zip(names, keep)]
            return [_cells(part, names[i], column, i == when, missing) for i, column in enumerate(columns)]

        columns = _gather(
            part, table.iter_batches(batch_size=max(1, MAX_CELLS // 64 // len(keep))), len(names), convert
        )
    if len(stamps) == 1 and when is not None:
        import pandas as pd

        when_column = pd.DatetimeIndex(columns.pop(when), tz="UTC" if schema.field(stamps[0]).type.tz else None)
        return Columns([n for i, n in enumerate(names) if i != when], columns, stamps=when_column)
    return Columns(names, columns)


def _is_flat(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_timestamp, pa.types.is_string)
    return any(test(kind) for test in (*tests, pa.types.is_large_string, pa.types.is_decimal, pa.types.is_null))


def _plain(part: Part, name: str, column: Any) -> Any:
    """Dictionary, decimal, whole and null columns as words or floats, so that a missing cell becomes NaN."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        if pa.types.is_string(column.type.value_type) and len(column.dictionary):
            longest = pc.max(pc.binary_length(column.dictionary)).as_py() or 0
            if longest > MAX_WORD:
                raise refuse(part, f"column {name[:60]!r} has a cell of {longest} bytes, which is not a number")
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type) or pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column
    return column.cast(pa.float64(), safe=False)


def read_npz(part: Part, path: Path) -> Columns:
    """Arrays in a zip: `values` (T, C) with optional `times`, `channels`, `units`, `rate`, or one array a channel."""
    with open_npz(part, path) as arrays:
        check_decoded(part, arrays.unpacked, path.name)
        if "values" in arrays.names:
            return _npz_values(part, arrays)
        names = [name for name in arrays.names if name not in ("rate", "units")]
        check_cells(part, sum(math.prod(arrays.open(name).shape) for name in names), 1)
        columns = [_load(part, arrays, name) for name in names]
        rate = _rate(part, arrays)
    lengths = {c.shape for c in columns}
    if len(lengths) != 1 or columns[0].ndim != 1:
        shapes = ", ".join(f"{n} {c.shape}" for n, c in list(zip(names, columns))[:4])
        raise refuse(part, f"{path.name} holds {shapes}; give `values` (T, C), or one array of T numbers per channel")
    start, stop = span(part, len(columns[0]), "rows") if len(columns[0]) else (0, 0)
    return Columns(names, [c[start:stop] for c in columns], rate)


def _npz_values(part: Part, arrays: Any) -> Columns:
    def words(name: str) -> list[str] | None:
        if name not in arrays.names:
            return None
        array = _load(part, arrays, name)
        if array.ndim != 1 or array.dtype.kind not in "US":
            raise refuse(part, f"{name} must be one word per channel, not {array.dtype} {array.shape}")
        return [w.decode() if isinstance(w, bytes) else str(w) for w in array]

    values = _load(part, arrays, "values")
    table = from_array(part, values, words("channels"))
    names, columns, units = list(table.names), list(table.columns), words("units")
    if units is not None and len(units) != len(names):
        raise refuse(part, f"there are {len(units)} units for {len(names)} channels")
    time_key = next((key for key in ("times", "time", "timestamp", "t") if key in arrays.names), None)
    if time_key is None:
        return Columns(names, columns, _rate(part, arrays), units=units)
    times = _load(part, arrays, time_key)
    if times.shape != values.shape[:1]:
        raise refuse(part, f"{time_key} has the shape {times.shape} for {len(values)} rows")
    start, stop = span(part, len(times), "rows")
    return Columns(["time", *names], [times[start:stop], *columns], units=None if units is None else ["", *units])


def _load(part: Part, arrays: Any, name: str) -> np.ndarray:
    array = arrays.open(name)
    if math.prod(array.shape) > MAX_CELLS:
        raise refuse(part, f"{name} has the shape {array.shape}; at most {MAX_CELLS} numbers are allowed")
    return array.read_all()


def _rate(part: Part, arrays: Any) -> float | None:
    if "rate" not in arrays.names:
        return None
    rate = _load(part, arrays, "rate")
    if rate.size != 1 or rate.dtype.kind not in "uif" or not 0 < float(rate.reshape(-1)[0]) < 1e9:
        raise refuse(part, "rate must be one positive number of rows per second")
    return float(rate.reshape(-1)[0])


def read_npy(part: Part, path: Path) -> Columns:
    """One array (T,) or (T, C) without names."""
    with open_npy(part, path) as array:
        if math.prod(array.shape) > MAX_CELLS and part.start is None and part.stop is None:
            raise refuse(part, f"{path.name} has the shape {array.shape}; at most {MAX_CELLS} numbers are allowed")
        return from_array(part, array.read_all())
