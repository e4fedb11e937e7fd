"""Sensor tables in binary files: Parquet, NPZ and NPY, read in blocks so that a slice of a long table stays cheap."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.cases import Part
from mmdmad.parts.arrays import open_npy, open_npz
from mmdmad.parts.limits import MAX_CELLS, MIB, check_decoded, refuse, span
from mmdmad.parts.sensor_columns import Columns, check_cells, from_array, tidy
from mmdmad.parts.sensor_csv import gather

MAX_WORD = 200


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
        names = ["" if schema.names[i].startswith("__index_level_") else schema.names[i] for i in keep]

        def convert(batch: Any) -> list[Any]:
            return [_plain(part, name, batch.column(k)) for name, k in zip(names, keep)]

        columns = gather(part, table.iter_batches(batch_size=max(1, MAX_CELLS // 64 // len(keep))), len(names), convert)
    for place, k in enumerate(keep):
        if pa.types.is_timestamp(schema.field(k).type):
            import pandas as pd

            zoned = schema.field(k).type.tz is not None
            columns[place] = pd.DatetimeIndex(columns[place], tz="UTC" if zoned else None)
    return Columns(names, columns)


def _is_flat(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_timestamp, pa.types.is_string)
    return any(test(kind) for test in (*tests, pa.types.is_large_string, pa.types.is_decimal, pa.types.is_null))


def _plain(part: Part, name: str, column: Any) -> Any:
    """Dictionary, decimal, whole and null columns as words, times or floats, so that a missing cell becomes NaN."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        if pa.types.is_string(column.type.value_type) and len(column.dictionary):
            longest = pc.max(pc.binary_length(column.dictionary)).as_py() or 0
            if longest > MAX_WORD:
                raise refuse(part, f"column {name[:60]!r} has a cell of {longest} bytes, which is not a number")
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return tidy(column)
    if pa.types.is_timestamp(column.type):
        return column.to_numpy(zero_copy_only=False)
    return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


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
