"""Fixed-size work: a row's score must not depend on how many rows are scored with it.

Matrix products may round differently for different shapes, so detectors send rows through in chunks of one fixed
size, the last one padded with zeros. Memory stays bounded for the same reason.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mmdmad.detectors.items import Stack
from mmdmad.tokens import Tokens


def in_chunks(function: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, size: int) -> np.ndarray:
    """`function` over `rows` (M, D) in chunks of exactly `size` rows; results (M, ...) joined, padding cut off.

    >>> in_chunks(lambda chunk: chunk.sum(axis=1), np.ones((5, 2)), size=4)
    array([2., 2., 2., 2., 2.])
    """
    parts = []
    for start in range(0, len(rows), size):
        chunk = rows[start : start + size]
        if len(chunk) < size:
            padding = np.zeros((size - len(chunk), *rows.shape[1:]), rows.dtype)
            parts.append(function(np.concatenate([chunk, padding]))[: len(chunk)])
        else:
            parts.append(function(np.ascontiguousarray(chunk)))
    if not parts:
        return function(np.zeros((size, *rows.shape[1:]), rows.dtype))[:0]
    return np.concatenate(parts)


def groups(items: Sequence[Tokens], rows: int = 16384) -> Iterator[Sequence[Tokens]]:
    """Consecutive items in groups of about `rows` tokens, so that no step holds a copy of the whole set.

    >>> [len(group) for group in groups([Tokens(np.zeros((1, 2)))] * 5, rows=2)]
    [2, 2, 1]
    """
    if isinstance(items, Stack):
        count = max(1, rows // items.values.shape[1])
        yield from (items[start : start + count] for start in range(0, len(items), count))
        return
    group: list[Tokens] = []
    held = 0
    for item in items:
        if group and held + len(item.values) > rows:
            yield group
            group, held = [], 0
        group.append(item)
        held += len(item.values)
    if group:
        yield group


def by_value(keys: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each distinct key with the indices of its rows, keys ascending, indices in their order.

    >>> [(key, rows.tolist()) for key, rows in by_value(np.array([1, 0, 1]))]
    [(0, [1]), (1, [0, 2])]
    """
    order = np.argsort(keys, kind="stable")
    values, starts = np.unique(keys[order], return_index=True)
    for value, rows in zip(values, np.split(order, starts[1:])):
        yield int(value), rows
