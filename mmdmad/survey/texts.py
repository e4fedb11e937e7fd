"""A look at a text: how long it is, how many lines, which letters."""

import numpy as np

from mmdmad.survey.base import Survey

SHORT = 3
"""Characters; a text of fewer says next to nothing."""


def of_text(text: str, decisions: tuple[str, ...] = ()) -> Survey:
    """What a text is like; `decisions` are what was decided while it was read.

    >>> of_text("two lines\\nof text").traits
    {'lines': 'several lines'}
    """
    lines = len(text.splitlines())
    remarks = [] if len(text.strip()) >= SHORT else [f"the whole text is {text.strip()!r}"]
    if len(text.strip()) >= SHORT and not any(map(str.isalpha, text)):
        remarks.append("it has no letter: a list of numbers, such as places of boxes, is no text")
    odd = sum(not character.isprintable() and character not in "\n\t" for character in text)
    if odd:
        remarks.append(f"{odd} of its {len(text)} characters are not printable")
    traits = {"lines": "one line" if lines <= 1 else "several lines"}
    return Survey(traits, tuple(remarks), decisions, coarse=_coarse(text))


def _coarse(text: str) -> np.ndarray:
    """Shares of letters, digits, capitals, blanks and marks, and the length: (32,)."""
    small, size = text.lower(), max(1, len(text))
    letters = [small.count(chr(97 + i)) / size for i in range(26)]
    kinds = [
        sum(test(c) for c in text) / size
        for test in (str.isdigit, str.isupper, str.isspace, lambda c: not c.isalnum(), lambda c: not c.isascii())
    ]
    return np.array([*letters, *kinds, np.log10(size)])
