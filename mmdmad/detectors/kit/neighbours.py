"""Nearest neighbours among remembered tokens, exact, in bounded memory, each position with its own memory.

Candidates come from a tree (few axes, many rows) or from float32 products in fixed chunks; their distances are then
computed again from differences in float64, so that a distance depends on nothing but its two tokens. Where a whole
training set is compared with itself, the candidates may come from the cells around a token instead, which is
approximate: some neighbours are missed, and what this adds to the distances in the mean is taken off again.
"""

from collections.abc import Callable

import numpy as np
from sklearn.neighbors import NearestNeighbors

from mmdmad.detectors.kit.chunks import by_value, in_chunks
from mmdmad.saved import check_arrays, require

BLOCK = 65536
SPARE = 8  # extra candidates, so that rounding cannot lose a true neighbour
PAIRS = 2_500_000_000  # 50,000 x 50,000: where an approximate search is allowed, fewer pairs are compared exactly all
REACH = 16384  # remembered tokens at least that the cells around a token hold together
PROBE = 2048  # tokens compared with all, to know how much too long the distances within cells are


class Memory:
    """Remembered tokens of one position: axes (n, k) float32, residual squares (n,), owners (n,).

    The squared distance of two tokens is that of their axes plus both residuals: what lies outside the kept axes is
    taken as uncorrelated between tokens.
    """

    def __init__(self, axes: np.ndarray, residual: np.ndarray, owner: np.ndarray) -> None:
        self.axes, self.residual, self.owner = axes, residual, owner
        self._square = (axes**2).sum(axis=1) + residual
        use_tree = axes.shape[1] <= 15 and len(axes) > 4096
        self._tree = NearestNeighbors(algorithm="kd_tree").fit(axes) if use_tree and not residual.any() else None

    def nearest(
        self,
        axes: np.ndarray,
        residual: np.ndarray,
        k: int,
        owner: np.ndarray | None = None,
        approximate: bool = False,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Squared distances (m, k) float64, ascending, and rows (m, k) of the k nearest remembered tokens.

        With `owner` (m,), tokens of the same owner are left out. Fewer than k in memory: fewer columns; none: one
        column of infinities. approximate: where more than `PAIRS` distances would be computed, look only among the
        remembered tokens of the cells around each token; the squares are shrunk by what a sample says is missed.
        """
        if approximate and self._tree is None and len(axes) * len(self.axes) > PAIRS:
            return self._roughly(axes, residual, k, owner)
        return self._sorted(axes, residual, k, owner, self._candidates)

    def _roughly(
        self, axes: np.ndarray, residual: np.ndarray, k: int, owner: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        cells = Cells(self.axes, self._square)
        squares, rows = self._sorted(axes, residual, k, owner, cells.candidates)
        some = np.sort(np.random.default_rng(0).permutation(len(axes))[:PROBE])
        own = None if owner is None else owner[some]
        exact, _ = self._sorted(axes[some], residual[some], k, own, self._candidates)
        usual, too_long = (float(np.median(found.mean(axis=1))) for found in (exact, squares[some]))
        squares[np.isfinite(squares)] *= usual / too_long if 0 < too_long < np.inf else 1.0
        return squares, rows

    def _sorted(
        self,
        axes: np.ndarray,
        residual: np.ndarray,
        k: int,
        owner: np.ndarray | None,
        candidates: Callable[[np.ndarray, int], np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        most = 0 if owner is None or not len(self.owner) else int(np.bincount(self.owner).max())
        wanted = min(len(self.axes), k + most + SPARE)
        if wanted == 0:
            return np.full((len(axes), 1), np.inf), np.zeros((len(axes), 1), np.int64)
        rows = candidates(axes, wanted)
        squares = _exact(axes, self.axes, rows)
        squares += residual[:, None].astype(np.float64) + self.residual[rows]
        if owner is not None:
            squares[self.owner[rows] == owner[:, None]] = np.inf
        order = np.argsort(squares, axis=1, kind="stable")[:, : min(k, wanted)]
        return np.take_along_axis(squares, order, axis=1), np.take_along_axis(rows, order, axis=1)

    def _candidates(self, axes: np.ndarray, wanted: int) -> np.ndarray:
        if self._tree is not None:
            return (
                self._tree.kneighbors(axes, wanted, return_distance=False) if len(axes) else np.zeros((0, wanted), int)
            )
        if wanted == len(self.axes):
            return np.tile(np.arange(wanted), (len(axes), 1))

        def best(chunk: np.ndarray) -> np.ndarray:
            found, squares = [], []
            for start in range(0, len(self.axes), BLOCK):
                block = chunk @ self.axes[start : start + BLOCK].T
                block *= -2.0
                block += self._square[start : start + BLOCK]
                rows = smallest(block, min(wanted, block.shape[1]))
                if len(self.axes) <= BLOCK:
                    return np.sort(rows, axis=1)
                found.append(rows + start)
                squares.append(np.take_along_axis(block, rows, axis=1))
            rows, near = np.concatenate(found, axis=1), np.concatenate(squares, axis=1)
            return np.sort(
                np.take_along_axis(rows, np.argsort(near, axis=1, kind="stable")[:, :wanted], axis=1), axis=1
            )

        return in_chunks(best, axes, 2 if len(self.axes) <= 2048 else 64)  # small memories: little padding


class Cells:
    """Remembered tokens cut into cells, so that only those around a token need to be looked at.

    The centres are k-means centres of a sample, about the root of the number of tokens (the inverted file of Jegou,
    Douze, Schmid, "Product Quantization for Nearest Neighbor Search", TPAMI 2011, without the compression). A token
    looks in its own cell and in the next ones, by the distance of their centres, until they hold `REACH` tokens.
    """

    def __init__(self, axes: np.ndarray, square: np.ndarray) -> None:
        from sklearn.cluster import MiniBatchKMeans

        self._axes, self._square = axes, square
        count = max(1, round(len(axes) ** 0.5))
        sample = np.random.default_rng(0).permutation(len(axes))[: 64 * count]
        kmeans = MiniBatchKMeans(count, batch_size=4096, max_iter=10, n_init=1, random_state=0)
        self._centres = kmeans.fit(axes[np.sort(sample)]).cluster_centers_.astype(np.float32)
        self._half = 0.5 * (self._centres**2).sum(axis=1)
        self._members = {cell: rows.astype(np.int32) for cell, rows in by_value(self._cell(axes))}

    def _cell(self, axes: np.ndarray) -> np.ndarray:
        """Number of the nearest centre of each token (m,)."""
        return in_chunks(lambda chunk: (chunk @ self._centres.T - self._half).argmax(axis=1), axes, 4096)

    def candidates(self, axes: np.ndarray, wanted: int) -> np.ndarray:
        """Rows (m, wanted) of the nearest remembered tokens in the cells around each token, ascending."""
        rows = np.empty((len(axes), wanted), np.int64)
        for cell, index in by_value(self._cell(axes)):
            around = self._around(cell, max(REACH, 4 * wanted))
            tokens, square = self._axes[around].T, self._square[around]
            for start in range(0, len(index), 128):
                part = index[start : start + 128]
                block = axes[part] @ tokens
                block *= -2.0
                block += square
                rows[part] = np.sort(around[smallest(block, wanted)], axis=1)
        return rows

    def _around(self, cell: int, count: int) -> np.ndarray:
        """Rows of the tokens in this cell and the next ones that together hold `count`, or all there are."""
        found: list[np.ndarray] = []
        for other in np.argsort(self._half - self._centres @ self._centres[cell], kind="stable").tolist():
            found.append(self._members.get(other, np.zeros(0, np.int32)))
            count -= len(found[-1])
            if count <= 0:
                break
        return np.concatenate(found)


def smallest(block: np.ndarray, few: int) -> np.ndarray:
    """Columns (m, few) of the `few` smallest values of each row of block (m, n), in no order.

    Columns are dealt into groups first: the smallest values lie in the groups with the smallest minima, so that only
    the minima and those groups need to be partitioned, a seventh of the cost of whole rows.

    >>> sorted(smallest(np.array([[3.0, 1.0, 2.0, 5.0]]), 2)[0].tolist())
    [1, 2]
    """
    width = block.shape[1]
    size = int((width / few) ** 0.5)
    count = width // max(size, 1)
    if size < 4:
        return np.argpartition(block, few - 1, axis=1)[:, :few]
    minima = block[:, : size * count].reshape(len(block), size, count).min(axis=1)
    chosen = np.argpartition(minima, few - 1, axis=1)[:, :few]
    columns = (chosen[:, :, None] + count * np.arange(size)).reshape(len(block), -1)
    left_over = np.broadcast_to(np.arange(size * count, width), (len(block), width - size * count))
    columns = np.concatenate([columns, left_over], axis=1)
    best = np.argpartition(np.take_along_axis(block, columns, axis=1), few - 1, axis=1)[:, :few]
    return np.take_along_axis(columns, best, axis=1)


def _exact(axes: np.ndarray, memory: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Squared distances (m, c) float64 between each token and its candidate rows, in bounded memory."""
    squares = np.empty(rows.shape)
    step = max(1, 4_000_000 // max(1, rows.shape[1] * axes.shape[1]))
    for start in range(0, len(axes), step):
        part = slice(start, start + step)
        difference = axes[part, None].astype(np.float64) - memory[rows[part]]
        squares[part] = np.einsum("mcd,mcd->mc", difference, difference)
    return squares


def check_memory(count: int, row: np.ndarray, known: int) -> None:
    """ModelError unless `count` remembered tokens are some, and each belongs to one of `known` positions or to all."""
    require(count > 0, "no token is remembered")
    require(((row >= 0) & (row <= known)).all(), f"a token belongs to no position; there are {known}")


class PositionMemory:
    """One `Memory` a position; positions never seen are compared with all tokens together."""

    def __init__(self, axes: np.ndarray, residual: np.ndarray, row: np.ndarray, owner: np.ndarray, known: int) -> None:
        self._arrays = {"axes": axes, "residual": residual, "row": row, "owner": owner}
        self._known = known
        where = dict(by_value(row))
        self._parts = {p: Memory(axes[i], residual[i], owner[i]) for p, i in where.items()}
        self._all: Memory | None = self._parts[0] if not known else None

    def nearest(
        self,
        axes: np.ndarray,
        residual: np.ndarray,
        row: np.ndarray,
        k: int,
        owner: np.ndarray | None = None,
        approximate: bool = False,
    ) -> np.ndarray:
        """Squared distances (m, k) float64 to the k nearest of the same position; missing ones are infinite.

        owner, approximate: as in `Memory.nearest`.
        """
        squares = np.full((len(axes), k), np.inf)
        for p, index in by_value(row):
            memory = self._parts[p] if p in self._parts else self._everything()
            own = None if owner is None else owner[index]
            found, _ = memory.nearest(axes[index], residual[index], k, own, approximate)
            squares[index, : found.shape[1]] = found[:, :k]
        return squares

    def _everything(self) -> Memory:
        if self._all is None:
            self._all = Memory(self._arrays["axes"], self._arrays["residual"], self._arrays["owner"])
        return self._all

    def arrays(self) -> dict[str, np.ndarray]:
        """The remembered tokens as arrays, for safetensors."""
        return {f"memory.{name}": array for name, array in self._arrays.items()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], known: int, width: int) -> "PositionMemory":
        """The memory that `arrays` gave, of `known` positions and `width` axes; ModelError where it is none."""
        forms = {"memory.axes": "f n k", "memory.residual": "f n", "memory.row": "i n", "memory.owner": "i n"}
        check_memory(check_arrays(arrays, forms, k=width)["n"], arrays["memory.row"], known)
        require((arrays["memory.residual"] >= 0).all(), "memory.residual holds a square below 0")
        axes, residual, row, owner = (arrays[f"memory.{name}"] for name in ("axes", "residual", "row", "owner"))
        return cls(axes, residual, row, owner, known)
