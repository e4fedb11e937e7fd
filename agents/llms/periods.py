"""Two stretches of time that a question sets side by side: "before 6:30 or after", "the morning with the afternoon"."""
# ruff: noqa: E501  (one pattern a line reads better than a folded one)

import re
from typing import TYPE_CHECKING, Any

from mmdmad.agents.llms.narrowing import clocks
from mmdmad.agents.llms.times import when

if TYPE_CHECKING:
    from mmdmad.agents.llms.heard import Vocabulary

_COMPARED = re.compile(
    r"\b(?:compar\w*|versus|vs|differ\w*|more|fewer|less|worse|better|busier|quieter|change[sd]?|increase\w*)\b", re.I
)
_SIDES = re.compile(
    r"\b(?:before|until|up to) (\d{1,2}:\d{2})\b.*\b(?:than|or|and|vs\.?|versus|with|to)\b.*\b(?:after|since|later|from then|afterwards)\b",
    re.I,
)
_BETWEEN = re.compile(r" (?:with|to|vs\.?|versus|than|or|and) (?=(?:in |on |of |the |during |between |from )*(?:\w+ ){0,2}?(?:\d|mon|tues|wednes|thurs|fri|satur|sun|today|yesterday|morning|forenoon|afternoon|evening|last|this|first|second))", re.I)  # fmt: skip


def two_periods(text: str, names: "Vocabulary") -> dict[str, Any] | None:
    """The two stretches as arguments of `compare_periods`; None where the text does not compare two that can be read.

    >>> from mmdmad.agents.llms.heard import Vocabulary
    >>> two_periods("were there more alarms before 6:30 than after?", Vocabulary())
    {'first': {'until': '06:30'}, 'second': {'since': '06:30'}}
    >>> two_periods("compare the morning with the afternoon", Vocabulary())["second"]
    {'since': '12:00', 'until': '18:00'}
    """
    if not _COMPARED.search(text):
        return None
    if m := _SIDES.search(text):
        at = m[1].rjust(5, "0")
        return {"first": {"until": at}, "second": {"since": at}}
    for m in _BETWEEN.finditer(text):
        if re.search(r"\b(?:between|from) [\d:]+$", text[: m.start()], re.I):
            continue  # the two ends of one stretch
        first, second = (_stretch(side, names) for side in (text[: m.start()], text[m.end() :]))
        if first and second and first != second:
            return {"first": first, "second": second}
    return None


def _stretch(text: str, names: "Vocabulary") -> dict[str, str]:
    said = when(text, names.newest)
    return {} if said.unread else said.where or clocks(text)
