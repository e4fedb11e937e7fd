"""Length is no fault: a recording of another length than those learned from is judged by stretches of the usual length.

A score pools the most unusual tokens of a part, and what is most unusual among many differs from what it is among few:
a fault of twenty seconds would drown in an hour, and every normal hour would look alike. So a longer part counts as its
most unusual stretch, every stretch looked at, each half over the one before, and its p-value is multiplied by their
number (Bonferroni: one of m stretches is as unusual as this with at most m times the chance of one).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.guarantees import reaches
from mmdmad.modalities.base import modality_of
from mmdmad.parts import Text
from mmdmad.parts.limits import refuse
from mmdmad.parts.timeline import Timeline, usual_step
from mmdmad.pipeline.text_lengths import TextLengths, learned_texts, runs

if TYPE_CHECKING:
    from mmdmad.findings import Guarantee
    from mmdmad.pipeline.part_model import Measured, PartModel

SLACK = 1.1
"""Times the longest (and part of the shortest) that a part may last before its length tells."""
MOST = 20_000
"""Stretches that one part may have."""


@dataclass(frozen=True)
class Lengths:
    """Shortest, usual and longest seconds of the parts learned from, and their fewest and most rows or frames."""

    shortest: float
    usual: float
    longest: float
    fewest: int
    most: int

    def __str__(self) -> str:
        return f"{self.usual:.4g} s"


def extent(signal: Any) -> tuple[float, int]:
    """Seconds that a decoded recording lasts, its last row or frame included, and how many it has.

    >>> from mmdmad.parts import Sensor
    >>> extent(Sensor(np.zeros((4, 1)), np.arange(4) / 2, ("a",), ("",)))
    (2.0, 4)
    """
    times = np.asarray(signal.times, np.float64)
    return float(times[-1] - times[0]) + usual_step(times), len(times)


def learned(signals: Iterable[Any]) -> Lengths | TextLengths | None:
    """What the recordings learned from last, or how many pieces the texts have; None without any."""
    signals = list(signals)
    if any(isinstance(signal, Text) for signal in signals):
        return learned_texts(signal.text for signal in signals)
    extents = [extent(signal) for signal in signals]
    if not extents:
        return None
    seconds, counts = [s for s, _ in extents], [n for _, n in extents]
    return Lengths(min(seconds), float(np.median(seconds)), max(seconds), min(counts), max(counts))


def stretches(part: Part, signal: Any, lengths: Lengths | TextLengths) -> list[tuple[int, int]]:
    """The rows, frames or characters of each stretch to look at; none where the recording is judged whole.

    A recording is of another length only where its seconds and its rows both say so: twice the usual rate is another
    fault. PartError where it is shorter than those learned from, or has too many stretches.
    """
    if isinstance(lengths, TextLengths):
        return runs(part, signal, lengths)
    seconds, count = extent(signal)
    kind = modality_of(part.modality)
    usual = f"those learned from last {_range(lengths)}"
    if seconds * SLACK < lengths.shortest and count * SLACK < lengths.fewest:
        raise refuse(
            part,
            f"the {kind.noun} has {count} {kind.slices} in {seconds:.4g} s, {usual}; a shorter one would look unusual "
            f"by that alone: give at least {lengths.shortest / SLACK:.4g} s",
        )
    if not (seconds > SLACK * lengths.longest and count > SLACK * lengths.most):
        return []
    starts = np.arange(0.0, max(seconds - lengths.usual, 0.0), lengths.usual / 2)
    starts = np.append(starts, max(seconds - lengths.usual, 0.0))
    if len(starts) > MOST:
        raise refuse(
            part,
            f"the {kind.noun} lasts {seconds:.4g} s, {usual}; more than {MOST} stretches of that length are not looked "
            f"at in one case: cut it, --window {lengths.usual:.4g}s",
        )
    line = Timeline(np.asarray(signal.times, np.float64) - signal.times[0])
    pieces = (line.between(start, start + lengths.usual) for start in starts)
    return [(first, last) for first, last in pieces if last > first]


def _range(lengths: Lengths) -> str:
    if lengths.longest <= SLACK * lengths.shortest:
        return f"{lengths.usual:.4g} s"
    return f"{lengths.shortest:.4g} to {lengths.longest:.4g} s"


def most_unusual(
    model: "PartModel", part: Part, signal: Any, pieces: list[tuple[int, int]], fits: Callable[[Any], None]
) -> "Measured":
    """What the model says of the stretch with the highest score, its places counted from the recording's start.

    `fits` raises PartError for tokens that cannot be compared. A stretch that cannot be encoded (hardly a row in it) is
    passed over; PartError where that is every one.
    """
    kind = modality_of(part.modality)
    best: Measured | None = None
    looked, why = 0, None
    for first, last in pieces:
        piece = kind.stretch(signal, first, last)
        try:
            tokens = model.tokens(part, None, piece)
            fits(tokens)
            found = model.measure(tokens, part, piece)
        except PartError as error:
            why = error
            continue
        looked += 1
        if best is None or found.score > best.score:
            later = float(first if isinstance(signal, Text) else signal.times[first] - signal.times[0])
            where = found.layout.where
            layout = found.layout if where is None else replace(found.layout, where=where + later)
            best = replace(found, layout=layout)
    if best is None:
        raise why or PartError("no stretch of it can be looked at", part=part.modality)
    return replace(best, stretches=looked)


_MOST_UNUSUAL = "judged by the most unusual of"


def of_stretches(guarantee: "Guarantee") -> bool:
    """Whether the p-value of a verdict counts several stretches, so that it is no single rank."""
    return _MOST_UNUSUAL in guarantee.note


def stretches_of(guarantee: "Guarantee") -> tuple[int, str]:
    """How many stretches the p-value of a verdict counts, and of which length; 1 and "" for a case without any."""
    if guarantee.grounds is not None:
        return guarantee.grounds.stretches, guarantee.grounds.usual
    # of a finding of an earlier version, which says it in words alone
    told = re.search(rf"{_MOST_UNUSUAL} (\d{{1,9}}) stretches of (.+?), and the p-value counts", guarantee.note)
    return (max(1, int(told[1])), told[2]) if told else (1, "")


def for_stretches(guarantee: "Guarantee", stretches: int, usual: str) -> "Guarantee":
    """The guarantee of a verdict on the most unusual of so many stretches: void where no p-value can reach the rate."""
    note = f"{_MOST_UNUSUAL} {stretches} stretches of {usual}, and the p-value counts all of them"
    note = "; ".join(filter(None, (guarantee.note, note)))
    grounds = guarantee.grounds
    if grounds is not None:
        grounds = grounds.model_copy(update={"stretches": stretches, "usual": usual})
    if reaches(stretches * guarantee.reach, guarantee.rate):
        return guarantee.model_copy(update={"note": note, "grounds": grounds})
    note = f"{note}; windows of {usual} would each get a verdict"
    return guarantee.model_copy(update={"valid": False, "attained": 0.0, "note": note, "grounds": grounds})
