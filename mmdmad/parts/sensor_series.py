"""Tables that hold several series at once: at every time a row for each variable (long tables) or each machine."""

import re
from collections.abc import Collection, Sequence

import numpy as np

from mmdmad.parts.sensor_columns import Column

FEWEST = 4
"""Times that several rows share, from which on their rows are looked at."""
_VALUE = re.compile(r"(value|values|val|wert|messwert|valor|valeur|valore|reading)$")
KINDS = 1000
"""Most numbers that tell series apart."""


def mixed_series(
    columns: Sequence[Column], times: np.ndarray, gone: Collection[int], clock: Sequence[int], good: str = ""
) -> str:
    """Why the rows are no single series, and what to do; "" where they are one, or nothing tells them apart.

    `times` (T,) are those of the rows, `gone` the columns that are no channels, `clock` those that hold the time.
    `good` is the condition of the rows that hold, as pandas writes it.
    """
    if not clock or not len(times):
        return ""
    _, place, counts = np.unique(np.round(times, 6), return_inverse=True, return_counts=True)
    shared = counts > 1
    if shared.sum() < FEWEST or 2 * counts[shared].sum() < len(times):
        return ""
    words = [i for i, column in enumerate(columns) if i not in gone and column.codes is not None]
    keys = _keys(columns, place, words, _numbering(columns, place, counts, gone))
    if not keys:
        return ""
    readings = [c for i, c in enumerate(columns) if i not in gone and c.numbers is not None and i not in keys]
    # Beside the value of a long table stand its quality and its other stamps.
    named = [column for column in readings if _VALUE.search(column.name.strip().lower())]
    if len(named) == 1 and len(keys) == 1 and columns[keys[0]].codes is not None:
        readings = named
    apart = " and ".join(f"{columns[i].said} ({_some(columns[i])})" for i in keys)
    told = f"rows of one time belong to several series, told apart by {apart}"
    if len(readings) == 1:
        told = f"it is a long table: {told}"
    else:
        return f"{told}: write a table of its own for each"
    rows, bad = (f"table[{good}]", "; rows that are not of good quality are left out so") if good else ("table", "")
    time, last = columns[clock[0]].said, columns[keys[-1]].said
    cure = (
        f"a column for each {last} (in pandas: {rows}.pivot(index={time}, columns={last}, values={readings[0].said}))"
    )
    others = " and ".join(columns[i].said for i in keys[:-1])
    return f"{told}, with all readings in {readings[0].said}: write {cure}{bad}" + (
        f", and a table of its own for each {others}" if others else ""
    )


def _numbering(columns: Sequence[Column], place: np.ndarray, counts: np.ndarray, gone: Collection[int]) -> list[int]:
    """Columns of whole numbers of which nearly all times have the same ones: they number machines, not readings."""
    found = []
    for i, column in enumerate(columns):
        values = column.numbers
        if i in gone or values is None or not np.isfinite(values).all() or (values != np.floor(values)).any():
            continue
        kinds = np.unique(values)
        if 1 < len(kinds) <= KINDS and (counts == len(kinds)).mean() >= 0.8 and _unique(place, [values]):
            found.append(i)
    return found


def _keys(columns: Sequence[Column], place: np.ndarray, words: list[int], numbered: list[int]) -> list[int]:
    """The columns by which no two rows of one time are alike: one if one will do, else all of words together."""
    for i in words:
        if _unique(place, [_values(columns[i])]):
            return [i]
    if numbered:
        return numbered[:1]
    if len(words) > 1 and _unique(place, [_values(columns[i]) for i in words]):
        return words
    return []


def _unique(place: np.ndarray, values: Sequence[np.ndarray]) -> bool:
    rows = np.column_stack([place, *values])
    return len(np.unique(rows, axis=0)) == len(rows)


def _values(column: Column) -> np.ndarray:
    held = column.codes if column.numbers is None else column.numbers
    assert held is not None
    return held


def _some(column: Column) -> str:
    known = list(column.words) if column.numbers is None else [f"{value:g}" for value in np.unique(column.numbers)]
    return ", ".join(word[:30] for word in known[:4]) + (", …" if len(known) > 4 else "")
