"""Items as detectors take them: a list of Tokens, or a Stack of equal ones, which costs no object an item.

The functions here are what detectors read items with; each knows a shorter way for a Stack.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np

from mmdmad.errors import DataError
from mmdmad.tokens import Layout, Tokens


@dataclass(frozen=True, eq=False)
class Stack(Sequence[Tokens]):
    """Items of one layout in one array: `values` (N, L, D), finite, float32 or, for what came so, float64.

    A table is a stack of one token a row.

    >>> table = Stack(np.zeros((3, 1, 5), np.float32))
    >>> len(table), table[0].values.shape, len(table[1:])
    (3, (1, 5), 2)
    """

    values: np.ndarray
    layout: Layout = field(default_factory=lambda: Layout("vector"))

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, index: int) -> Tokens: ...
    @overload
    def __getitem__(self, index: slice) -> "Stack": ...
    def __getitem__(self, index: int | slice) -> "Tokens | Stack":
        if isinstance(index, slice):
            return Stack(self.values[index], self.layout)
        return Tokens.exact(self.values[index], self.layout)

    def __iter__(self) -> Iterator[Tokens]:
        return (Tokens.exact(values, self.layout) for values in self.values)


@dataclass(frozen=True, eq=False)
class Rows:
    """All tokens of a set of items, flat: `values` (M, D) floats, `item` (M,) owner, `position` (M,)."""

    values: np.ndarray
    item: np.ndarray
    position: np.ndarray
    n_items: int

    def split(self, scores: np.ndarray) -> list[np.ndarray]:
        """Cut what belongs to the tokens, (M, ...), back into one array per item."""
        return _cut(scores, np.bincount(self.item, minlength=self.n_items))


def as_rows(items: Sequence[Tokens]) -> Rows:
    """All tokens of all items, flat, with owner and position."""
    if not len(items):
        raise DataError("no items were given; at least one is needed")
    if isinstance(items, Stack):
        flat = items.values.reshape(-1, items.values.shape[2])
        return Rows(flat, owners(items), positions(items), len(items))
    widths = {item.values.shape[1] for item in items}
    if len(widths) > 1:
        raise DataError(f"items have token widths {sorted(widths)}; one width is needed")
    values = np.concatenate([item.values for item in items])
    return Rows(values, owners(items), positions(items), len(items))


def owners(items: Sequence[Tokens]) -> np.ndarray:
    """Number of the item that each token belongs to, int64 (M,).

    >>> owners([Tokens(np.zeros((2, 1)), Layout("spans", (2,))), Tokens(np.zeros((1, 1)))]).tolist()
    [0, 0, 1]
    """
    return np.repeat(np.arange(len(items)), _counts(items))


def positions(items: Sequence[Tokens]) -> np.ndarray:
    """Position number of each token, int64 (M,); see `Layout.positions`."""
    if isinstance(items, Stack):
        return np.tile(items.layout.positions(), len(items))
    return np.concatenate([item.layout.positions() for item in items])


def some(items: Sequence[Tokens], index: np.ndarray) -> Sequence[Tokens]:
    """The items with these numbers (n,), in this order.

    >>> some(Stack(np.arange(3.0, dtype=np.float32).reshape(3, 1, 1)), np.array([2, 0])).values.ravel().tolist()
    [2.0, 0.0]
    """
    if isinstance(items, Stack):
        return Stack(items.values[index], items.layout)
    return [items[i] for i in np.asarray(index).tolist()]


def columns(items: Sequence[Tokens], index: np.ndarray) -> Sequence[Tokens]:
    """The items with these features (d,) only, in this order."""
    if isinstance(items, Stack):
        return Stack(np.ascontiguousarray(items.values[:, :, index]), items.layout)
    return [Tokens(item.values[:, index], item.layout) for item in items]


def split(items: Sequence[Tokens], scores: np.ndarray) -> list[np.ndarray]:
    """Cut what belongs to the tokens, (M, ...), back into one array per item."""
    return _cut(scores, _counts(items))


def _counts(items: Sequence[Tokens]) -> np.ndarray:
    if isinstance(items, Stack):
        return np.full(len(items), items.values.shape[1])
    return np.array([len(item.values) for item in items], np.int64)


def _cut(scores: np.ndarray, counts: np.ndarray) -> list[np.ndarray]:
    if len(counts) and (counts == counts[0]).all():  # rows of an array are cut far faster than pieces of it
        return list(scores.reshape(len(counts), int(counts[0]), *scores.shape[1:]))
    return np.split(scores, np.cumsum(counts)[:-1])
