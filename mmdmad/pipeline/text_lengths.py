"""Length is no fault of a text either: one of more pieces than those learned from is judged by runs of as many.

Pieces are lines, and sentences where a line is long (`encoders.text_spans`). How many lines of a log fall into a window
of time tells something, so a slice of a file is judged whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mmdmad.cases import Part
from mmdmad.encoders.text_spans import spans
from mmdmad.parts import Text
from mmdmad.parts.limits import refuse
from mmdmad.roles import counted

SLACK = 1.1
"""Times the most pieces that a text may have before its length tells."""
COMMON = 0.99
"""Share of the texts learned from that are no exception, and those of at most twice the usual length: one message of
nine lines among thousands of one line does not make nine lines usual."""
SHORT = 2
"""Times that a text must be shorter than the shortest before its length tells."""
MOST = 20_000
"""Runs of pieces that one text may have."""


@dataclass(frozen=True)
class TextLengths:
    """Fewest and usual pieces of the texts learned from, and the most that are no exception among them."""

    fewest: int
    usual: int
    most: int

    def __post_init__(self) -> None:
        if not 0 < self.fewest <= self.usual <= self.most:
            raise ValueError(f"{self} are not lengths in order")

    def __str__(self) -> str:
        return _said(self.usual)


def _said(count: int) -> str:
    return f"{counted(count, 'line')} or {'sentence' if count == 1 else 'sentences'}"


def pieces_of(text: str) -> list[tuple[int, int]]:
    """Start and stop of every piece of a text, however many there are.

    >>> pieces_of("a\\nb\\n")
    [(0, 1), (2, 3)]
    """
    return spans(text, max(1, len(text)))


def learned_texts(texts: Iterable[str]) -> TextLengths | None:
    """How many pieces texts have; None without any text."""
    counts = [len(pieces_of(text)) for text in texts]
    if not counts:
        return None
    usual = int(np.median(counts))
    most = min(max(counts), max(2 * usual, int(np.quantile(counts, COMMON, method="lower"))))
    return TextLengths(min(counts), usual, most)


def runs(part: Part, signal: Text, lengths: TextLengths) -> list[tuple[int, int]]:
    """First and last character of the runs of pieces to look at, each half over the one before; none where the text is
    judged whole.

    PartError where it is far shorter than those learned from, or has too many runs.
    """
    if part.start is not None or part.stop is not None:
        return []
    pieces = pieces_of(signal.text)
    count, usual = len(pieces), lengths.usual
    if SHORT * count < lengths.fewest:
        raise refuse(
            part,
            f"the text has {_said(count)}, those learned from have "
            f"{lengths.fewest} to {lengths.most}; one so short would look unusual by that alone: give at least "
            f"{-(-lengths.fewest // SHORT)}",
        )
    if count <= SLACK * lengths.most:
        return []
    starts = [*range(0, count - usual, max(1, usual // 2)), count - usual]
    if len(starts) > MOST:
        raise refuse(
            part,
            f"the text has {count} lines or sentences, nearly all learned from at most {lengths.most}; more than "
            f"{MOST} pieces of that length are not looked at in one case: cut it, --window 60s or --window entry",
        )
    return [(pieces[first][0], pieces[first + usual - 1][1]) for first in starts]
