"""Tables whose rows are of several kinds, told apart by one column, each with columns of its own that it fills."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from mmdmad.parts.sensor_columns import Column

FEWEST = 8
"""Rows from which on a table is looked at."""
KINDS = 12
"""Most kinds of rows."""
FILLED, EMPTY = 0.9, 0.02
"""Shares of the rows of a kind from which on it fills a column, and up to which it leaves it empty."""


MAIN = 0.8
"""Share of rows of one kind from which on these are the table."""


@dataclass(frozen=True, eq=False)
class Kinds:
    """Why rows are of several kinds, and what to do; the `place` in the table of the column that tells them apart.

    `main` are the rows (T,) of the kind that nearly all are of, and `note` says what is left out then; None and ""
    where no kind has so many.
    """

    why: str
    main: np.ndarray | None
    place: int
    note: str


def kinds_of_rows(columns: Sequence[Column], gone: Collection[int], clock: Collection[int] = ()) -> Kinds | None:
    """Why the rows are of several kinds, and what to do; None where they are of one.

    `gone` are the columns that are no channels (those that count left out), `clock` those that hold the time. Rows are
    of several kinds where every column with gaps is filled by some of the kinds and left empty by the others, and no
    kind fills all.

    >>> def number(name, *cells):
    ...     return Column(name, "", 1, None, np.array(cells * 4, float))
    >>> nan = np.nan
    >>> found = kinds_of_rows([number("type", 0, 0, 1), number("a", 5, 6, nan), number("b", nan, nan, 7)], ())
    >>> found.why.split(",")[0], found.main
    ('rows are of several kinds', None)
    """
    empty = {i: gap for i, c in enumerate(columns) if i not in clock and (gap := _gaps(c)) is not None}
    sparse = {i: gap for i, gap in empty.items() if gap.any() and not gap.all()}
    if len(sparse) < 2 or len(next(iter(sparse.values()))) < FEWEST:
        return None
    for i, gap in empty.items():
        values = _values(columns[i])
        if i in sparse or i in gone or gap.any() or (values != np.floor(values)).any():
            continue
        kinds = np.unique(values)
        if not 1 < len(kinds) <= KINDS:
            continue
        fills = [[_fills(~other, values == kind) for kind in kinds] for other in sparse.values()]
        if any(None in row for row in fills) or any(all(column) for column in zip(*fills)):
            continue
        words = columns[i].words
        told = [repr(words[int(k)]) if words else f"{k:g}" for k in kinds]
        said = columns[i].said
        counts = [int((values == kind).sum()) for kind in kinds]
        most = int(np.argmax(counts))
        why = (
            f"rows are of several kinds, told apart by {said} ({', '.join(told)}), each with columns of its own: write "
            f"a table of each kind (in pandas: table[table[{said}] == {told[most]}].dropna(axis=1, how='all'))"
        )
        if counts[most] < MAIN * len(values):
            return Kinds(why, None, columns[i].place - 1, "")
        others = ", ".join(f"{name} ({count})" for k, (name, count) in enumerate(zip(told, counts)) if k != most)
        note = (
            f"rows are of several kinds, told apart by {said}: those of {told[most]} ({counts[most]} of {len(values)}) "
            f"are read, the others, {others}, are left out; to read them, write a table of each kind"
        )
        return Kinds(why, values == kinds[most], columns[i].place - 1, note)
    return None


def _gaps(column: Column) -> np.ndarray | None:
    """Which rows (T,) of a column hold nothing; None where it holds neither numbers nor states."""
    if column.numbers is not None:
        return np.isnan(column.numbers)
    return None if column.codes is None else column.codes < 0


def _values(column: Column) -> np.ndarray:
    held = column.codes if column.numbers is None else column.numbers
    assert held is not None
    return held


def _fills(there: np.ndarray, rows: np.ndarray) -> bool | None:
    """Whether rows of one kind fill a column; None where they fill it here and there."""
    share = float(there[rows].mean())
    return True if share >= FILLED else False if share <= EMPTY else None
