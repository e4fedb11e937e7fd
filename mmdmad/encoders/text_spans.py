"""Pieces of a text with their character offsets: lines, and sentences where a line is long."""

import re
from itertools import pairwise

LONG = 300
"""Characters above which a line is cut into sentences."""
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+")


def spans(text: str, most: int = 64) -> list[tuple[int, int]]:
    """Start and stop of each piece, in order, without surrounding white space; at least one.

    A text of one short line is one piece. More than `most` pieces are joined evenly to `most`, so that nothing of a
    long text is left out and the offsets say what each piece covers.

    >>> spans("belt started\\n\\n motor 2 warm\\n")
    [(0, 12), (15, 27)]
    >>> spans("")
    [(0, 0)]
    """
    pieces: list[tuple[int, int]] = []
    start = 0
    for line in text.splitlines(keepends=True):
        pieces += _sentences(text, start, start + len(line))
        start += len(line)
    if not pieces:
        return [(0, len(text))]
    if len(pieces) > most:
        cuts = [round(i * len(pieces) / most) for i in range(most + 1)]
        pieces = [(pieces[a][0], pieces[b - 1][1]) for a, b in pairwise(cuts)]
    return pieces


def _sentences(text: str, start: int, stop: int) -> list[tuple[int, int]]:
    whole = _stripped(text, start, stop)
    if whole is None:
        return []
    if whole[1] - whole[0] <= LONG:
        return [whole]
    edges = [whole[0], *(whole[0] + m.end() for m in _SENTENCE_END.finditer(text[whole[0] : whole[1]])), whole[1]]
    cut = [_stripped(text, a, b) for a, b in pairwise(edges)]
    return [piece for piece in cut if piece is not None]


def _stripped(text: str, start: int, stop: int) -> tuple[int, int] | None:
    piece = text[start:stop]
    inner = piece.strip()
    if not inner:
        return None
    start += len(piece) - len(piece.lstrip())
    return start, start + len(inner)
