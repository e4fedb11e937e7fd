"""The space in which detectors measure: standardised tokens, rotated to their principal axes where D is large.

Standardisation is learned from the training tokens, per position where the layout has positions: an aligned picture
differs more from cell to cell than an anomaly differs from its cell. Axes beyond `components` are not thrown away;
their summed square is kept as one number, the residual, because anomalies often lie outside the normal subspace.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from mmdmad.detectors.items import Stack, as_rows, owners, positions
from mmdmad.detectors.kit.chunks import by_value, groups, in_chunks
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import ROUNDING, Tokens, varies

CHUNK = 256
LIMIT = 1e6  # standard deviations; keeps squares finite in float32
PRIOR = 16.0  # tokens' worth of belief in the pooled variance when a position's own variance is estimated


def modelled_apart(items: Sequence[Tokens], per_position: bool | Literal["auto"]) -> bool:
    """Whether each position of these training items gets a model of its own; see `FeatureSpace.fit`.

    >>> from mmdmad.tokens import Layout
    >>> grid = Tokens(np.zeros((2, 1)), Layout("grid", (1, 2), position=np.arange(2)))
    >>> [modelled_apart([grid] * n, "auto") for n in (7, 8)], modelled_apart([grid], True)
    ([False, True], True)
    """
    known, counts = np.unique(positions(items), return_counts=True)
    return len(known) > 1 and bool(counts.min() >= 8 if per_position == "auto" else per_position)


@dataclass(frozen=True, eq=False)
class FeatureSpace:
    """Fitted standardisation and principal axes.

    `positions` (P,) are the known position numbers, ascending; row p of `mean` and `scale` (P + 1, D) belongs to
    position p and the last row to all positions together, which also serves positions never seen; float64, because a
    float32 mean of times in seconds since 1970 is off by a minute. `basis` (D, k) has
    orthonormal columns, or is empty (D, 0) where no rotation is needed. `variance` (k,) is each axis' variance and
    `rest` the mean variance of the axes left out.
    """

    positions: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    basis: np.ndarray
    variance: np.ndarray
    rest: float

    @classmethod
    def fit(cls, items: Sequence[Tokens], components: int, per_position: bool | Literal["auto"] = "auto") -> Self:
        """Learn from training items; rotate to `components` principal axes when D is larger.

        per_position "auto": standardise each position apart when every position has at least 8 training tokens.
        """
        known = np.unique(positions(items))
        known = known if modelled_apart(items, per_position) else known[:0]
        mean, scale = _moments(items, known)
        width = mean.shape[1]
        if width <= components:
            return cls(known, mean, scale, np.zeros((width, 0), np.float32), np.ones(width), 0.0)
        raw = cls(known, mean, scale, np.zeros((width, 0), np.float32), np.ones(width), 0.0)
        covariance = np.zeros((width, width))
        total = 0
        for group in groups(items):
            rows = as_rows(group)
            standard, _ = raw.transform(rows.values, rows.position)
            covariance += standard.T @ standard
            total += len(standard)
        values, vectors = np.linalg.eigh(covariance / total)
        basis = np.ascontiguousarray(vectors[:, ::-1][:, :components], np.float32)
        kept = np.maximum(values[::-1][:components], 0.0)
        rest = float(np.maximum(values[::-1][components:], 0.0).mean())
        return cls(known, mean, scale, basis, kept, rest)

    @property
    def width(self) -> int:
        """Number of axes k of a transformed token."""
        return self.basis.shape[1] or self.mean.shape[1]

    @property
    def left_out(self) -> int:
        """Number of axes that are only kept as the residual."""
        return self.mean.shape[1] - self.width

    def index(self, position: np.ndarray) -> np.ndarray:
        """Row of each position number in `mean` and `scale`; the last row for unknown ones."""
        if not len(self.positions):
            return np.zeros(len(position), np.int64)
        found = np.minimum(np.searchsorted(self.positions, position), len(self.positions) - 1)
        return np.where(self.positions[found] == position, found, len(self.positions))

    def standardise(self, values: np.ndarray, position: np.ndarray) -> np.ndarray:
        """Tokens (M, D) at positions (M,) in standard deviations from their position's mean, float32 (M, D).

        Centred and scaled in float64 first: a feature may lie far from zero for its spread.
        """
        row = self.index(position)
        return np.clip((values - self.mean[row]) / self.scale[row], -LIMIT, LIMIT).astype(np.float32)

    def transform(self, values: np.ndarray, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tokens (M, D) at positions (M,) as axes (M, k) float32 and residual squares (M,) float32."""
        standard = self.standardise(values, position)
        if not self.basis.shape[1]:
            return standard, np.zeros(len(standard), np.float32)
        axes = in_chunks(lambda chunk: chunk @ self.basis, standard, CHUNK)
        residual = (standard**2).sum(axis=1) - (axes**2).sum(axis=1)
        return axes, np.maximum(residual, 0.0)

    def transform_all(self, items: Sequence[Tokens]) -> tuple[np.ndarray, np.ndarray]:
        """`transform` over all tokens of all items, group by group, so that only the result is held whole."""
        total = len(owners(items))
        axes, residual, start = np.empty((total, self.width), np.float32), np.empty(total, np.float32), 0
        for group in groups(items):
            rows = as_rows(group)
            part, rest = self.transform(rows.values, rows.position)
            axes[start : start + len(part)], residual[start : start + len(part)] = part, rest
            start += len(part)
        return axes, residual

    def arrays(self) -> dict[str, np.ndarray]:
        """The fitted state as arrays, for safetensors."""
        return {
            "space.positions": self.positions,
            "space.mean": self.mean,
            "space.scale": self.scale,
            "space.basis": self.basis,
            "space.variance": self.variance,
            "space.rest": np.array([self.rest]),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], width: int) -> Self:
        """The space that `arrays` gave for tokens of `width` features; ModelError where `fit` cannot have made it."""
        forms = {
            "positions": "i P",
            "mean": "f R D",
            "scale": "f R D",
            "basis": "f D k",
            "variance": "f v",
            "rest": "f 1",
        }
        found = check_arrays(arrays, {f"space.{name}": form for name, form in forms.items()}, D=width)
        require(found["R"] == found["P"] + 1, "space.mean is not one row a position and one for all")
        require(found["v"] == (found["k"] or width) <= width, "space.variance is not one number an axis")
        require((np.diff(arrays["space.positions"]) > 0).all(), "space.positions are not in increasing order")
        require((arrays["space.scale"] > 0).all(), "space.scale holds a number that is not above 0")
        require((arrays["space.variance"] >= 0).all() and arrays["space.rest"][0] >= 0, "a variance is below 0")
        return cls(
            arrays["space.positions"],
            arrays["space.mean"],
            arrays["space.scale"],
            arrays["space.basis"],
            arrays["space.variance"],
            float(arrays["space.rest"][0]),
        )


def _moments(items: Sequence[Tokens], known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation per known position, then of all tokens together, in float64.

    A feature that does not vary, but for rounding, has no scale of its own and gets 1. The columns of a table have
    units of their own, so each is held against its own level. The features of an encoder (float32 tokens) share one,
    and a feature that is zero but for rounding of the others, like a direction that no text has, is held against the
    usual level too.
    """
    width, last = items[0].values.shape[1], len(known)
    count, sums, far = np.zeros(last + 1), np.zeros((last + 1, width)), np.zeros(width)
    # Sums are taken around one typical item, so that a large offset costs no digits.
    centre = items[0].values.mean(axis=0, dtype=np.float64)
    for values, index in _by_position(items, known):
        count += np.bincount(index, minlength=last + 1)
        gaps = values - centre
        far = np.maximum(far, np.abs(gaps).max(axis=0, initial=0.0))
        _add(sums, gaps, index)
    if last:
        count[-1], sums[-1] = count[:-1].sum(), sums[:-1].sum(axis=0)
    offset = sums / count[:, None]
    unit = np.ldexp(1.0, np.frexp(far)[1])  # a power of two: squares neither overflow nor vanish, and no bit changes
    squares = np.zeros((last + 1, width))
    for values, index in _by_position(items, known):
        _add(squares, ((values - centre - offset[index]) / unit) ** 2, index)
    if last:
        between = count[:-1, None] * ((offset[:-1] - offset[-1]) / unit) ** 2
        squares[-1] = squares[:-1].sum(axis=0) + between.sum(axis=0)
    variance = squares / count[:, None]
    if last:
        within = (variance[:-1] * count[:-1, None]).sum(axis=0) / count[:-1].sum()
        variance[:-1] = (variance[:-1] * count[:-1, None] + PRIOR * within) / (count[:-1, None] + PRIOR)
    mean, scale = offset + centre, np.sqrt(variance) * unit
    precision = float(np.finfo(items[0].values.dtype).eps)
    own_units = isinstance(items, Stack) or items[0].values.dtype != np.float32
    usual = 0.0 if own_units else np.hypot(mean, scale).mean(axis=1, keepdims=True)
    level = np.maximum(np.abs(mean), usual)
    return mean, np.where(varies(scale, level, precision), scale, np.maximum(ROUNDING * precision * level, 1.0))


def _by_position(items: Sequence[Tokens], known: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Tokens (M, D) of groups of items, and the row (M,) of each one's position in `known`; 0 where none is known."""
    for group in groups(items):
        rows = as_rows(group)
        yield rows.values, np.searchsorted(known, rows.position) if len(known) else np.zeros(len(rows.values), np.int64)


def _add(total: np.ndarray, values: np.ndarray, index: np.ndarray) -> None:
    """Add values (M, D) to the rows of `total` that `index` (M,) says."""
    if len(total) == 1:
        total[0] += values.sum(axis=0)
        return
    for row, here in by_value(index):
        total[row] += values[here].sum(axis=0)
