"""Tokens: what an encoder makes of a part, with the layout that says where each token lies.

A token is one row of float32 features. The layout brings token scores back to pixels, seconds, channels, frames or
characters. This module knows nothing about encoders or detectors.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from mmdmad.errors import DataError

ROUNDING = 8.0  # steps of a number's precision that computing it may have cost
Kind = Literal["vector", "grid", "steps", "frames", "spans"]
KINDS: tuple[Kind, ...] = ("vector", "grid", "steps", "frames", "spans")


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the L tokens of a part lie, in the part's own coordinates.

    - vector: one token for the whole part; L = 1.
    - grid: `shape` (rows, columns) over a picture of `size` (height, width) pixels; L = rows * columns, row by row.
    - steps: windows of a sensor table; `where` holds start and stop in seconds, `channels` the channel of each token
      ("*" = all channels together).
    - frames: `shape` (frames, rows, columns) over a clip of `size` (height, width); `where` in seconds per token.
    - spans: pieces of text; `where` holds start and stop as character offsets.

    `position` (L,) numbers the tokens that may be compared with each other across cases: the cell of an aligned
    picture, the channel of a series, 0 where every token is alike. Position-aware detectors model each number apart.
    """

    kind: Kind
    shape: tuple[int, ...] = (1,)
    where: np.ndarray | None = None
    channels: tuple[str, ...] | None = None
    size: tuple[int, int] | None = None
    position: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DataError(f"layout kind {self.kind!r} is not one of {', '.join(KINDS)}")

    def __len__(self) -> int:
        return math.prod(self.shape)  # a table has a layout a row, and np.prod takes 70 times as long

    def positions(self) -> np.ndarray:
        """Position number of each token, int64 (L,); zeros where the layout has none."""
        return np.zeros(len(self), np.int64) if self.position is None else np.asarray(self.position, np.int64)

    def to_json(self) -> dict[str, Any]:
        """The layout as JSON values; `Layout.from_json` gives it back."""
        return {
            "kind": self.kind,
            "shape": list(self.shape),
            "where": None if self.where is None else np.asarray(self.where, float).tolist(),
            "channels": None if self.channels is None else list(self.channels),
            "size": None if self.size is None else list(self.size),
            "position": None if self.position is None else np.asarray(self.position).tolist(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Layout":
        """The layout that `to_json` wrote."""
        return cls(
            kind=data["kind"],
            shape=tuple(data["shape"]),
            where=None if data["where"] is None else np.asarray(data["where"], np.float64).reshape(-1, 2),
            channels=None if data["channels"] is None else tuple(data["channels"]),
            size=None if data["size"] is None else (int(data["size"][0]), int(data["size"][1])),
            position=None if data["position"] is None else np.asarray(data["position"], np.int64),
        )


@dataclass(frozen=True, eq=False)
class Tokens:
    """Features of one part: `values` float32 (L, D), finite, and their `layout` of length L.

    `summary`, if given, is one float32 (E,) vector for the whole part (a sentence embedding, a CLIP image embedding);
    the joint model uses it, and the mean of `values` otherwise.

    >>> Tokens(np.zeros((4, 8)), Layout("grid", (2, 2), size=(64, 64))).values.shape
    (4, 8)
    """

    values: np.ndarray
    layout: Layout = field(default_factory=lambda: Layout("vector"))
    summary: np.ndarray | None = None

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.values, dtype=np.float32)
        if values.ndim != 2 or len(values) != len(self.layout):
            raise DataError(f"tokens of shape {values.shape} do not fit a layout of {len(self.layout)} tokens (L, D)")
        if not len(values):
            raise DataError(f"no tokens: values of shape {values.shape} were given; at least one token is needed")
        if not np.isfinite(values).all():
            raise DataError(f"tokens hold {int((~np.isfinite(values)).sum())} values that are NaN or infinite")
        object.__setattr__(self, "values", values)

    @classmethod
    def exact(cls, values: np.ndarray, layout: Layout) -> "Tokens":
        """Tokens of finite floats (L, D) that keep their precision: a time in seconds since 1970 needs float64.

        What measures tokens centres and scales them in float64 before it goes on in float32.

        >>> Tokens.exact(np.array([[1.7e9 + 1]]), Layout("vector")).values.dtype
        dtype('float64')
        """
        made = object.__new__(cls)
        for name, value in (("values", values), ("layout", layout), ("summary", None)):
            object.__setattr__(made, name, value)
        return made

    def embedding(self) -> np.ndarray:
        """One float32 vector for the whole part: `summary`, or the mean token."""
        return self.values.mean(axis=0) if self.summary is None else np.asarray(self.summary, np.float32)


def varies(spread: np.ndarray, level: np.ndarray, precision: float) -> np.ndarray:
    """Whether features of standard deviation `spread` around `level` move by more than rounding, bool of their shape.

    precision: relative step of the numbers they came as, `np.finfo(dtype).eps`. A spread has a unit, so no absolute
    number can say what is small: amperes or microamperes are the same feature.

    >>> varies(np.array([1e-9, 1e-9, 0.0]), np.array([0.0, 1.0, 0.0]), float(np.finfo(np.float32).eps)).tolist()
    [True, False, False]
    """
    return np.asarray(spread > ROUNDING * precision * np.abs(level))
