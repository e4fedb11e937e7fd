"""A question for figures as a reading: the query or the ordered list that answers it, with the filters beside it."""

import re
from dataclasses import replace

from mmdmad.agents.llms.heard import Reading

from mmdmad.ask.understand.figures import Figure

_ONE = re.compile(r"\b(?:case|one|piece|item)\b|^\W*(?:the )?worst\b(?! (?:ones|cases|pieces))", re.I)
_SEVERAL = re.compile(r"\b(?:cases|ones|pieces|items|anomalies|alarms)\b", re.I)
OWN = {
    "compare_rates": ("verdict", "rate"),
    "compare_with_labels": ("verdict", "label"),
    "find_cases": ("verdict", "label"),
}
"""Filters that a query says by itself: what the question's words gave for them is its own."""


def figured(base: Reading, asked: Figure, text: str) -> Reading:
    """The reading of a question that asks for a figure; `text` is what is left of it beside its conditions.

    >>> asked = Figure("compare_rates", {"first": 0.05, "second": 0.01})
    >>> figured(Reading("", where={"verdict": "anomalous", "group": "A"}), asked, "").where
    {'group': 'A', 'first': 0.05, 'second': 0.01}
    """
    own = OWN.get(asked.query, ()) if asked.query != "find_cases" or "verdict" in asked.args else ()
    where = {name: value for name, value in base.where.items() if name not in own}
    if asked.query != "find_cases":
        return replace(base, intent="query", attribute=asked.query, where={**where, **asked.args})
    for name, value in asked.args.items():
        where[f"_{name}" if name in ("order", "by_part") else name] = value
    several = bool(_SEVERAL.search(text)) or not (asked.lists and _ONE.search(text))
    return replace(base, intent="list", attribute=asked.query, where=where, number=base.number or (0 if several else 1))
