"""Columns of a sensor table as read from a file, sizes checked, and what each of them holds once it is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdmad.cases import Part
from mmdmad.parts.clock import Named
from mmdmad.parts.dates import Stamps
from mmdmad.parts.limits import MAX_CELLS, MAX_CHANNELS, refuse, span

MISSING = (
    *("", "nan", "na", "n/a", "n.a.", "null", "none", "<na>", "nat", "nil", "missing", "-", "--", "---", "?"),
    *("—", "–", "−", "n.d.", "nd", "n/d", "(null)", "\\n", "no data", "nodata", "no_data", "k.a.", "s/d"),
    *("#n/a", "#na", "#value!", "#div/0!", "#ref!", "#num!", "#null!", "#name?", "nan(ind)", "-nan", "1.#qnan"),
    *("#nv", "#wert!", "#bezug!", "#zahl!", "#name?", "#valeur!", "#nombre!", "#¡valor!", "#¡div/0!", "#null"),
)


@dataclass(frozen=True, eq=False)
class Columns:
    """A table as read, already cut to the slice.

    A column is a float64 array (T,), a pandas DatetimeIndex, or an Arrow array of words, trimmed, missing ones null.
    `stamps` are ready times if the file says which column they are; `notes` are what was decided while reading.
    """

    names: Sequence[str]
    columns: Sequence[Any]
    rate: float | None = None
    stamps: Any = None
    units: Sequence[str] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Column:
    """One column looked at: `numbers` float64 (T,), `dates`, or `codes` (T,) of its state `words` (-1 = missing).

    `named` is what its header says if that is the name of a time column.
    """

    name: str
    unit: str
    place: int
    named: Named | None
    numbers: np.ndarray | None = None
    dates: Stamps | None = None
    words: tuple[str, ...] = ()
    codes: np.ndarray | None = None

    def __len__(self) -> int:
        held = self.numbers if self.numbers is not None else self.codes
        return len(held) if held is not None else len(self.dates.seconds) if self.dates is not None else 0

    @property
    def said(self) -> str:
        """The column as messages name it."""
        return repr(self.name[:60]) if self.name else f"{self.place} (without a name)"


def tidy(words: Any) -> Any:
    """Words of an Arrow array trimmed, and null where they say that nothing is there."""
    import pyarrow as pa
    import pyarrow.compute as pc

    words = pc.utf8_trim_whitespace(words)
    missing = pa.array(MISSING).cast(words.type)
    return pc.replace_with_mask(words, pc.is_in(pc.utf8_lower(words), value_set=missing), pa.scalar(None, words.type))


def as_floats(words: Any) -> np.ndarray | None:
    """Tidy words as float64 (T,), null as NaN; None if one of them is no number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return words.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        pass
    try:  # Arrow knows no sign before a positive number
        return pc.replace_substring_regex(words, r"^\+(\d|\.)", r"\1").cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None


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
    return Columns(names, list(array[start:stop].astype(np.float64).T))


def check_cells(part: Part, rows: int, columns: int) -> None:
    """Refuses a table that is too wide or too large."""
    if columns > MAX_CHANNELS:
        raise refuse(part, f"the table has {columns} columns; at most {MAX_CHANNELS} are allowed")
    if rows * columns > MAX_CELLS:
        raise refuse(
            part, f"the table has {rows} x {columns} cells; at most {MAX_CELLS} are allowed; slice it (#0:1000)"
        )
