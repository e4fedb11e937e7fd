"""The words that carry a line: those without which the part's own detector would find the line less unusual.

A counterfactual, not a guess: the line is scored again with words left out, by the same encoder and detector. Words
are taken out one after another, each time the one whose loss lowers the score most (occlusion, Zeiler and Fergus, ECCV
2014, with greedy steps, because two unusual words can hide each other). Where no few words lower the score, none are
named: a line that is odd as a whole, or by what it lacks, has no such words.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mmdmad.explain.maps import Span, on_scale

Again = Callable[[Sequence[str]], np.ndarray]
"""Scores (n,) of n other pieces in the place of a text's own."""
MOST_UNITS = 48
"""Words of a line that are tried one by one; more are tried in as many groups of neighbours."""
MOST_WORDS = 4
"""Words (or groups) that are named at most."""
STEP = 0.2
"""Share of the line's score by which each further word must lower it to be named; on lines that are odd as a whole
smaller steps name words like "on"."""
_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Carried:
    """A line's score on the map scale with all words and without the carrying ones, and where these stand.

    `words` are spans of the whole text in reading order, neighbours joined.
    """

    words: tuple[Span, ...]
    peak: float
    without: float


def carrying(span: Span, text: str, again: Again, scale: tuple[float, float]) -> Carried | None:
    """The words that carry the line `span` of `text`; None where no few words do.

    >>> def again(pieces):
    ...     return np.array([4.0 if "smoke" in piece else 0.5 for piece in pieces])
    >>> found = carrying(Span(0, 15, 4.0), "smoke at unit 9", again, (0.0, 1.0))
    >>> found.words, found.peak, found.without
    ((Span(start=0.0, stop=5.0, peak=4.0),), 4.0, 0.5)
    """
    first = int(span.start)
    piece = text[first : int(span.stop)]
    units = _units(piece)
    whole = float(on_scale(again([piece]), scale)[0])
    if not whole > 0:
        return None
    gone: list[int] = []
    score = whole
    while len(gone) < min(MOST_WORDS, len(units) - 1) and (score > 1 or not gone):
        rest = [i for i in range(len(units)) if i not in gone]
        scores = on_scale(again([_without(piece, [units[j] for j in (*gone, i)]) for i in rest]), scale)
        best = int(np.argmin(scores))
        if not score - scores[best] >= STEP * whole:
            break
        score = float(scores[best])
        gone.append(rest[best])
    if not gone:
        return None
    return Carried(tuple(_joined(piece, first, [units[i] for i in sorted(gone)], whole)), whole, score)


def _units(piece: str) -> list[tuple[int, int]]:
    """Start and stop of each word of a line, of at most MOST_UNITS groups of words."""
    words = [match.span() for match in _WORD.finditer(piece)]
    if len(words) <= MOST_UNITS:
        return words
    cuts = [round(i * len(words) / MOST_UNITS) for i in range(MOST_UNITS + 1)]
    return [(words[a][0], words[b - 1][1]) for a, b in pairwise(cuts)]


def _without(piece: str, units: Sequence[tuple[int, int]]) -> str:
    """The line without these words, its white space joined where they stood."""
    for start, stop in sorted(units, reverse=True):
        piece = piece[:start].rstrip() + " " + piece[stop:].lstrip()
    return piece.strip()


def _joined(piece: str, first: int, units: Sequence[tuple[int, int]], peak: float) -> list[Span]:
    spans: list[Span] = []
    for start, stop in units:
        if spans and not piece[int(spans[-1].stop) - first : start].strip():
            spans[-1] = Span(spans[-1].start, float(first + stop), peak)
        else:
            spans.append(Span(float(first + start), float(first + stop), peak))
    return spans
