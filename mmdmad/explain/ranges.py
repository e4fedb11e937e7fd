"""Ranges of measures over normal cases, with which a measured value is compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mmdmad.saved import check_arrays, require

QUANTILES = (0.005, 0.5, 0.995)
Count = Annotated[int, Field(ge=0)]
MIN_GROUP = 20  # a group with fewer normal cases has no range of its own
SCALE = 0.1
"""Part of the most of a measure that its middle must be, so that "so many times the usual" says something."""


@dataclass(frozen=True, eq=False)
class Ranges:
    """Low (0.5 %), middle and high (99.5 %) of named measures over normal cases: `table` (len(names), 3)."""

    names: tuple[str, ...]
    table: np.ndarray
    size: int

    @classmethod
    def of(cls, names: Sequence[str], rows: Sequence[np.ndarray]) -> "Ranges":
        """Ranges of measures given as one row (len(names),) a normal case.

        >>> Ranges.of(["speed"], [np.array([v]) for v in (1.0, 2.0, 3.0)])["speed"][1]
        2.0
        """
        return cls(tuple(names), np.quantile(np.stack(rows), QUANTILES, axis=0).T, len(rows))

    @classmethod
    def ends(cls, names: Sequence[str], rows: Sequence[np.ndarray]) -> "Ranges":
        """Least, middle and most instead: what is said of "at most" is true of every normal case.

        >>> Ranges.ends(["speed"], [np.array([v]) for v in (1.0, 2.0, 9.0)])["speed"]
        (1.0, 2.0, 9.0)
        """
        return cls(tuple(names), np.quantile(np.stack(rows), (0.0, 0.5, 1.0), axis=0).T, len(rows))

    @property
    def few(self) -> bool:
        """Whether so few normal cases are behind the ranges that they say what was seen, not what is usual."""
        return self.size < MIN_GROUP

    def times_usual(self, name: str, value: float) -> float:
        """How many times its middle a measure is; NaN where the middle is no scale: of few cases, or all but zero.

        >>> seen = Ranges(("steps", "holds"), np.array([[1.0, 2.0, 4.0], [0.0, 1e-9, 4.0]]), 30)
        >>> seen.times_usual("steps", 9.0), seen.times_usual("holds", 9.0)
        (4.5, nan)
        """
        _, middle, high = self[name]
        return float("nan") if self.few or not middle > SCALE * high > 0 else value / middle

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> tuple[float, float, float]:
        low, middle, high = self.table[self.names.index(name)]
        return float(low), float(middle), float(high)


class SavedRanges(BaseModel):
    """Names and number of cases of one `Ranges` among saved values; its table lies among the arrays."""

    model_config = ConfigDict(extra="forbid")

    group: str
    channel: str = ""
    names: tuple[str, ...]
    size: Count

    def ranges(self, name: str, arrays: Mapping[str, np.ndarray]) -> Ranges:
        """The ranges with the table called `name`; ModelError where low, middle and high do not rise."""
        check_arrays(arrays, {name: f"f {len(self.names)} 3"})
        require((np.diff(arrays[name], axis=1) >= 0).all(), f"{name} holds a range that does not rise")
        return Ranges(self.names, arrays[name], self.size)
