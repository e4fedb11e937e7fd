"""A sentence as tokens: words, numbers, names and signs, compared whole.

Commas and brackets part words and claim nothing, so they are left out; every other character is a token and has to be
accounted for by whoever reads the sentence.
"""

import re

_TOKEN = re.compile(
    r"\d{4}-\d{2}-\d{2}(?![\w-])|(?<![\w:.])\d{1,2}:\d{2}(?::\d{2})?(?!\w|:\d)"
    r"|(?<![\w.)])[-+]?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*"
    r"|'s\b|[^\W\d_]+(?:['-][^\W\d_]+)*|<\*>|\S"
)
_QUOTES = dict.fromkeys('“”«»„‟"', '"')
_SOFT = {",", "(", ")"}
FEW = 400
"""Tokens of a sentence that is looked at; a longer one is none."""


def tokens(text: str) -> list[str]:
    """The tokens of a text, as they are spelled; quotation marks are all the same, underscores and soft signs are gone.

    >>> tokens("Motor_current, at 3.4 s: “no-go” on 2026-03-02.")
    ['Motor', 'current', 'at', '3.4', 's', ':', '"', 'no-go', '"', 'on', '2026-03-02', '.']
    """
    found = _TOKEN.findall(_hyphens(text.replace("−", "-").replace("’", "'")))
    return [_QUOTES.get(token, token) for token in found if token not in _SOFT]


def _hyphens(text: str) -> str:
    """The text with blanks for what only joins the pieces of a name; dates and signs of numbers stay."""
    return re.sub(r"\d{4}-\d{2}-\d{2}|(?<=[^\W_])-(?=\d)|(?<=\d)-(?=[^\W\d_])|_", _blank, text)


def _blank(found: re.Match[str]) -> str:
    return found[0] if len(found[0]) > 1 else " "


def names_of(text: str) -> list[str]:
    """The tokens of a name or a quotation, as compared: in small letters.

    >>> names_of("Test-00039")
    ['test', '00039']
    """
    return [token.casefold() for token in tokens(text)]


def ends_of(given: list[str], at: int, wanted: list[str]) -> int | None:
    """Where the wanted tokens (in small letters) end that begin at `at`; None where others stand there."""
    end = at + len(wanted)
    return end if wanted and [token.casefold() for token in given[at:end]] == wanted else None
