"""Sizes of pictures and of the frames of clips: which normal ones have, and what is said of another.

Encoders bring every picture to their own size, so that one of another size, or lying on its side, stands out anywhere
and everywhere; here it is said that it is of another size.
"""

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from mmdmad.cases import Modality
from mmdmad.explain.ranges import MIN_GROUP
from mmdmad.explain.words import Draft, draft, fact
from mmdmad.findings import Fact
from mmdmad.saved import check_arrays, require, validated

FEW = 3
"""Sizes that are told one by one; pictures of more sizes are told by their least and most width and height."""
NEAR = 1.05
"""Times the most (and part of the least) width, height or aspect of pictures of many sizes, from where it differs."""
ASPECT = 1.02
"""Times the width over height, from which on a picture is wider in shape; rounding to whole pixels changes less."""
MAX_CASES = 3000


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid")

    groups: list[str]


class Sizes:
    """Every size (width, height) in pixels that a normal picture has, int64 (K, 2) by group, "" for all together."""

    def __init__(self) -> None:
        self.known: dict[str, np.ndarray] = {}
        self._rows: dict[str, list[tuple[int, int]]] = {}

    def of(self, group: str | None) -> np.ndarray | None:
        """The sizes of this group, or of all; None where none were learned."""
        known = self.known.get(group or "")
        return self.known.get("") if known is None else known

    def add(self, width: int, height: int, group: str) -> None:
        """Take in the size of one normal picture."""
        if len(self._rows.get("", ())) < MAX_CASES:
            for own in sorted({"", group}):
                self._rows.setdefault(own, []).append((width, height))

    def finish(self) -> None:
        """Nothing more will be added."""
        self.known = {
            group: np.unique(np.array(rows, np.int64), axis=0)
            for group, rows in self._rows.items()
            if not group or len(rows) >= MIN_GROUP
        }
        self._rows.clear()

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The sizes, and the groups that they belong to."""
        return {f"sizes.{i}": known for i, known in enumerate(self.known.values())}, {"groups": list(self.known)}

    def set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        """Restore what `state` gave; ModelError where it is nothing of that kind."""
        self.known = {}
        for i, group in enumerate(validated(_Saved, values).groups):
            name = f"sizes.{i}"
            found = check_arrays(arrays, {name: "i K 2"})
            require(found["K"] > 0, f"{name} holds no size")
            require((arrays[name] > 0).all(), f"{name} holds a size that is not above 0")
            self.known[group] = arrays[name]


def evidence(part: Modality, noun: str, width: int, height: int, known: np.ndarray | None) -> list[Draft]:
    """What is said of a picture of `width` by `height` pixels beside normal ones; nothing where its size is theirs."""
    if known is None or not _other(width, height, known):
        return []
    facts = [fact("width", width, "px"), fact("height", height, "px")]
    shape = _shape(width, height, known)
    text = f"the {noun} is {{width}} by {{height}}"
    if shape:
        facts.append(fact("shape", shape))
        text += ", {shape}"
    usual, own = _usual(known)
    return [draft("form", part, f"{text}; normal ones are {usual}.", [*facts, *own])]


def _other(width: int, height: int, known: np.ndarray) -> bool:
    if len(known) <= FEW:
        return not (known == (width, height)).all(axis=1).any()
    columns = ((width, known[:, 0]), (height, known[:, 1]), (width / height, known[:, 0] / known[:, 1]))
    return any(own * NEAR < usual.min() or own > NEAR * usual.max() for own, usual in columns)


def _shape(width: int, height: int, known: np.ndarray) -> str:
    """How the aspect differs from that of normal pictures, in words; "" where those have several of their own."""
    aspects = known[:, 0] / known[:, 1]
    aspect = width / height
    if len(known) <= FEW and (known == (height, width)).all(axis=1).any():
        return "as if lying on its side"
    if aspect > ASPECT * aspects.max():
        return "wider in shape"
    if aspect * ASPECT < aspects.min():
        return "narrower in shape"
    return "in the same shape" if aspects.max() <= ASPECT * aspects.min() else ""


def _usual(known: np.ndarray) -> tuple[str, list[Fact]]:
    """The sizes of normal pictures as a template, and its facts."""
    if len(known) <= FEW:
        facts, words = [], []
        for i, (width, height) in enumerate(known.tolist(), 1):
            mark = f" {i}" if len(known) > 1 else ""
            facts += [fact(f"normal width{mark}", width, "px"), fact(f"normal height{mark}", height, "px")]
            words.append(f"{{{facts[-2].name}}} by {{{facts[-1].name}}}".replace(" ", "_").replace("_by_", " by "))
        return " or ".join(words), facts
    (least_width, least_height), (most_width, most_height) = known.min(axis=0).tolist(), known.max(axis=0).tolist()
    facts = [
        fact("normal least width", least_width, "px"),
        fact("normal most width", most_width, "px"),
        fact("normal least height", least_height, "px"),
        fact("normal most height", most_height, "px"),
    ]
    text = "{normal_least_width} to {normal_most_width} wide by {normal_least_height} to {normal_most_height} high"
    return text, facts
