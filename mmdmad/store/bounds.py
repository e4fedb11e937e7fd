"""A range of numbers that a filter asks for, with each end taken in or left out."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import ColumnElement

from mmdmad.guarantees import ROUNDING


class Bounds(BaseModel):
    """Numbers from one end to another; an end that is not given is open.

    >>> Bounds(below=0.05).words("p-value"), Bounds(at_least=2, at_most=3).words("score")
    ('a p-value below 0.05', 'a score of at least 2 and at most 3')
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    above: float | None = Field(default=None, description="more than this")
    at_least: float | None = Field(default=None, description="this or more")
    below: float | None = Field(default=None, description="less than this")
    at_most: float | None = Field(default=None, description="this or less")

    @model_validator(mode="after")
    def _one_end(self) -> "Bounds":
        if self.above is self.at_least is self.below is self.at_most is None:
            raise ValueError("a range without an end filters nothing; give above, at_least, below or at_most")
        return self

    def words(self, name: str) -> str:
        """The range in words, after "with"."""
        ends = [f"{end} {value:g}" for end, value in self.ends() if end in ("above", "below")]
        at = [f"{end.replace('_', ' ')} {value:g}" for end, value in self.ends() if end in ("at_least", "at_most")]
        said = [*ends, *([f"of {' and '.join(at)}"] if at else [])]
        return f"{'an' if name[0] in 'aeio' else 'a'} {name} {' and '.join(said)}"

    def ends(self) -> list[tuple[str, float]]:
        """The ends that are given, by name.

        >>> Bounds(at_least=2, below=3).ends()
        [('at_least', 2.0), ('below', 3.0)]
        """
        return [(name, value) for name, value in self if value is not None]

    def conditions(self, column: Any) -> list[ColumnElement[bool]]:
        """The range as conditions on a column; rounding in the last digits decides nothing."""
        slack = 1 + ROUNDING
        found: list[ColumnElement[bool]] = []
        if self.above is not None:
            found.append(column > self.above * slack)
        if self.at_least is not None:
            found.append(column >= self.at_least / slack)
        if self.below is not None:
            found.append(column < self.below / slack)
        if self.at_most is not None:
            found.append(column <= self.at_most * slack)
        return found
