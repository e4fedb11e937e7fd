"""Columns of a sensor table as read from a file: cells to numbers, sizes checked, before times are looked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdmad.cases import Part
from mmdmad.parts.limits import MAX_CELLS, MAX_CHANNELS, refuse, span

MISSING = ("", "nan", "na", "n/a", "null", "none", "<na>", "nat", "-")


@dataclass(frozen=True, eq=False)
class Columns:
    """A table as read, already cut to the slice: `stamps` are ready times if the file says which column they are."""

    names: Sequence[str]
    columns: Sequence[Any]
    rate: float | None = None
    stamps: Any = None
    units: Sequence[str] | None = None


def from_array(part: Part, array: np.ndarray, names: Sequence[str] | None = None) -> Columns:
    """An array (T,) or (T, C) as a table, cut to the slice; without names channels are called channel_1, …"""
    if array.ndim not in (1, 2) or array.size == 0:
        raise refuse(part, f"an array of shape {array.shape} is not a table; (rows,) and (rows, channels) are")
    if array.dtype.kind not in "buif":
        raise refuse(part, f"readings must be numbers, not {array.dtype}")
    array = array.reshape(len(array), -1)
    start, stop = span(part, len(array), "rows")
    check_cells(part, stop - start, array.shape[1])
    names = [f"channel_{i + 1}" for i in range(array.shape[1])] if names is None else list(names)
    if len(names) != array.shape[1]:
        raise refuse(part, f"there are {len(names)} channel names for {array.shape[1]} channels")
    return Columns(names, list(array[start:stop].T))


def check_cells(part: Part, rows: int, columns: int) -> None:
    """Refuses a table that is too wide or too large."""
    if columns > MAX_CHANNELS:
        raise refuse(part, f"the table has {columns} columns; at most {MAX_CHANNELS} are allowed")
    if rows * columns > MAX_CELLS:
        raise refuse(
            part, f"the table has {rows} x {columns} cells; at most {MAX_CELLS} are allowed; slice it (#0:1000)"
        )


def numbers(part: Part, name: str, column: Any) -> np.ndarray:
    """A column of numbers, booleans or words as float64; missing is NaN. PartError names the first bad cell."""
    array = column if isinstance(column, np.ndarray) else np.asarray(column)
    if array.dtype.kind in "buif":
        return array.astype(np.float64)
    if array.dtype.kind not in "OUST":
        raise refuse(part, f"column {name[:60]!r} holds {array.dtype}, not numbers")
    out = np.empty(len(array))
    for i, cell in enumerate(array):
        word = "" if cell is None else str(cell).strip()
        try:
            out[i] = np.nan if word.lower() in MISSING else float(word.replace("_", "?"))
        except ValueError:
            raise refuse(part, f"column {name[:60]!r}, row {i + 1}: {word[:60]!r} is not a number") from None
    return out
