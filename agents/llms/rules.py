"""What a question asks by its words alone: counts, lists, rankings, things of a case; numbers and unknown names."""

import re
from dataclasses import replace
from typing import Any

from mmdmad.agents.claims import CARDINALS, ORDINALS
from mmdmad.agents.llms.heard import Reading
from mmdmad.agents.llms.patterns import (
    ATTRIBUTES,
    BY,
    COUNT,
    FLAG,
    KNOWN_HEADS,
    LEAST,
    LIST,
    MOST,
    OVERVIEW,
    PRONOUN,
    REFUSED,
    SEVERAL,
    SUPER,
    UNASKED,
    WHY,
    WHY_TOO,
    spoken,
)

from mmdmad.ask.understand.intents import ALMOST

REASONED = {"contradictory", "missing", "complete", "p_value", "score", "grouped", "timed"}
"""Filters that say by themselves which cases are counted: "which product lacks the video most often?"."""


def by_rules(base: Reading, text: str) -> Reading:
    """What a question asks by its words alone: a count, a list, a ranking, something of a case.

    >>> by_rules(Reading(""), "how many pieces were there?").intent
    'count'
    """
    attribute = next((name for name, pattern in ATTRIBUTES if pattern.search(text)), "")
    known = spoken().part
    told = {known[w] for w in re.findall(r"[a-z]+", text.lower()) if w in known}
    if len(told) >= 3:
        attribute = "part"
    if len(base.cases) > 1:
        return replace(base, intent="compare", attribute=attribute)
    if base.cases:
        return replace(base, intent="case", attribute=attribute)
    if UNASKED.search(text):
        return replace(base, intent="unclear")
    if base.ordinal and not COUNT.search(text):
        return replace(base, intent="case", attribute=attribute)
    if REFUSED.search(text):
        return replace(base, intent="refused")
    by = next((name for name, pattern in BY.items() if pattern.search(text)), "")
    if (
        by
        and MOST.search(text)
        and (
            FLAG.search(text)
            or base.where.keys() & REASONED
            or re.search(r"\bcases\b|\bper\b|\bby\b|\bnamed\b|\bmentioned\b|\binvolved\b", text)
        )
        and not SUPER.search(text)
        and not (by == "driver" and base.where.get("driver"))
    ):
        meant = {} if base.where.keys() & REASONED and "verdict" not in base.where else {"verdict": "anomalous"}
        return replace(base, intent="ranking", by=by, where={**meant, **_less(base.where, by)})
    told_why = {"_why": True} if WHY.search(text) else {}  # of a list: why each of them is flagged
    if (in_time := _order(text)) and not COUNT.search(text):
        where = {**({"verdict": "anomalous"} if FLAG.search(text) else {}), **base.where, **told_why, "_order": in_time}
        return replace(base, intent="list", where=where, number=base.number)
    if re.search(
        r"\bflagged (?:and|or|vs\.?|versus|against) (?:the )?normal|\bnormal (?:and|or|vs\.?|versus) (?:the )?flagged",
        text,
        re.I,
    ):
        return replace(base, intent="ranking", by="verdict", where=_less({**base.where, "verdict": ""}, "verdict"))
    if COUNT.search(text):
        meant = {"verdict": "anomalous"} if "rate" in base.where else {}  # "how many at 5 %?"
        where = {**meant, **base.where, **told_why}
        return replace(base, intent="list" if WHY_TOO.search(text) else "count", where=where)
    if ALMOST.search(text):
        where = {"verdict": "normal", **{n: v for n, v in base.where.items() if n != "verdict"}}
        return replace(base, intent="list", where=where, number=base.number or 1)
    if re.search(r"\b(?:is|was) there (?:an?|any|one) (?:case|piece|one)\b", text) and base.where:
        return replace(base, intent="list", where={**base.where, **told_why})
    if LEAST.search(text):
        return replace(base, intent="list", where={**base.where, "_order": "-rank"}, number=base.number or 1)
    if SUPER.search(text):
        several = re.search(r"\bcases\b|\bones\b|anomalies", text)
        return replace(
            base, intent="list", where={**base.where, **told_why}, number=base.number or (3 if several else 1)
        )
    if OVERVIEW.search(text):
        narrow = {name: value for name, value in base.where.items() if name not in ("verdict", "unusual")}
        return (
            replace(base, intent="ranking", by="verdict", where=narrow) if narrow else replace(base, intent="overview")
        )
    if (
        re.search(r"\b(?:anything|something|everything)\b", text)
        and FLAG.search(text)
        and base.where.keys() - {"verdict", "unusual"}
    ):
        return replace(
            base, intent="list", where={"verdict": "anomalous", **base.where, **told_why}, number=base.number
        )
    some = "cases|ones|pieces|items|alarms|anomalies|normals|findings|everything|anything"
    text = re.sub(rf"\b({some}) (?:that|which)\b", r"\1", text)
    plural = re.search(
        r"\bcases\b|\bpieces\b|\bitems\b|\bones\b|anomalies|\balarms\b|\bfindings\b|\bnormals\b|were flagged|\ball\b",
        text,
    )
    if told_why and SEVERAL.search(text) and not PRONOUN.search(text):
        return replace(base, intent="list", where={"verdict": "anomalous", **base.where, **told_why})
    if LIST.search(text) and (plural or base.where) and not PRONOUN.search(text):
        return replace(base, intent="list", where={**base.where, **told_why}, number=base.number)
    if re.search(r"\bany\b|\bthere\b|\b(?:do|did) (?:we|you) have\b", text) and plural:
        return replace(base, intent="count")
    if (
        re.match(rf"\W*(?:the |all |flagged |normal |anomalous )*(?:{some})\b", text)
        and base.where
        and not base.follows
    ):
        return replace(base, intent="list", where={**base.where, **told_why}, number=base.number)
    if {"since", "until"} & base.where.keys() and not PRONOUN.search(text) and not base.follows:
        where = {"verdict": "anomalous", **base.where, **told_why}
        return replace(base, intent="list", where=where, number=base.number)
    if attribute:
        return replace(base, intent="case", attribute=attribute)
    return replace(base, intent="unclear")


def _order(text: str) -> str:
    """In which order of time cases are asked for, "" where in none."""
    if re.search(r"\b(?:newest|latest|last|most recent) first\b|reverse (?:order of )?(?:time|chronolog)", text, re.I):
        return "-time"
    said = r"\bin (?:the )?(?:order of time|time order|order of (?:their )?appearance)\b|chronolog|"
    said += r"\b(?:oldest|earliest) first\b|\b(?:sorted|ordered|order|sort) (?:them )?by (?:the )?(?:time|date)\b"
    return "time" if re.search(said, text, re.I) else ""


def _less(where: dict[str, Any], by: str) -> dict[str, Any]:
    return {k: v for k, v in where.items() if k != by and not (by in ("group", "channel") and k == by)}


def limit(text: str) -> int:
    """How many cases are asked for: "the three worst", "top 5"."""
    m = re.search(
        r"\b(?:top|first|worst|last) (?!one\b)(\d{1,2}|" + "|".join(CARDINALS) + r")\b", text, re.I
    ) or re.search(
        r"\b(\d{1,2}|"
        + "|".join(CARDINALS)
        + r")\b(?= flagged| (?:\w+ )?(?:most|worst|cases|anomalies|strangest|top|alarms|least|things|pieces|items))",
        text,
        re.I,
    )
    return 0 if not m else int(m[1]) if m[1].isdigit() else CARDINALS[m[1].lower()]


def word_of(number: int) -> str:
    """The word for a small number, "" for others.

    >>> word_of(3), word_of(300)
    ('three', '')
    """
    return next((word for word, value in CARDINALS.items() if value == number), "")


def ordinal_of(text: str) -> int:
    """Which of a list is meant: 2 for "the second one"; -1 for the last."""
    if m := re.search(r"\bnumber (" + "|".join(CARDINALS) + r")\b", text, re.I):
        return CARDINALS[m[1].lower()]
    m = re.search(
        r"\b(?:the|number|no\.?|#) ?("
        + "|".join(ORDINALS)
        + r"|last|\d{1,2}(?:st|nd|rd|th)?)\b(?! (?:\d|three|two|five|hours?|days?|worst))",
        text,
        re.I,
    )
    if not m:
        return 0
    word = m[1].lower()
    return -1 if word == "last" else ORDINALS.get(word) or int(re.match(r"\d+", word)[0])  # type: ignore[index]


def unknown_head(text: str, base: Reading) -> bool:
    """Whether "which X" or "the X of" asks for a thing whose name means nothing here."""
    for case in base.cases:
        text = text.replace(case, "case")
    m = re.search(
        r"\bwhich\b((?:\W+[\w'-]+){1,3})|\bwhat ([\w'-]+) (?:is|was|are|were|does|did|has|will)\b", text, re.I
    )
    if m and not _known_head(m[1] or m[2]) and not re.match(r"\W*$", m[1] or m[2]):
        return True
    m = re.search(
        r"\bwhat (?:is|was|are) (?:the|its) ((?:[\w'-]+ ){0,3}[\w'-]+?)(?: of\b| in\b| for\b|\?|$)", text, re.I
    )
    return (
        m is not None
        and not _known_head(m[1])
        and not any(p.search(m[1]) for _, p in ATTRIBUTES)
        and not SUPER.search(m[1])
    )


def _known_head(words: str) -> bool:
    return bool(KNOWN_HEADS.search(words) or spoken().heads.search(words))
