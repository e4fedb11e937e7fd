"""Reading a question: what is asked, of which case, with which filters. Rules over words, no weights.

A question that asks for something no run can hold (people, money, forecasts, orders to change a verdict, things whose
name is not known here) is read as "decline", with the reason.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePath
from typing import Any

from mmdmad.agents.claims import CARDINALS, ORDINALS
from mmdmad.agents.llms.called import as_cases, named
from mmdmad.agents.llms.patterns import (
    ATTRIBUTES,
    BY,
    CASE,
    CLOCK,
    COUNT,
    DECLINES,
    FALSE_ALARM,
    FLAG,
    FOLLOW,
    HELP,
    KNOWN_HEADS,
    LEAST,
    LIST,
    MOST,
    NORMAL,
    OVERVIEW,
    PRONOUN,
    REFUSED,
    SEVERAL,
    SUPER,
    THANKS,
    UNASKED,
    WHY,
    WHY_TOO,
    spoken,
)
from mmdmad.agents.llms.times import when

RATE = re.compile(
    r"\bat (?:an? )?(?:(?:declared )?(?:false[- ]alarm )?rate of )?(\d{1,2}(?:\.\d+)?) ?(?:%|per ?cent\b)"
)


@dataclass(frozen=True)
class Vocabulary:
    """Names in use in a run, as its overview gives them.

    `called` are words of modalities that ids of cases begin with, `parts` the modalities that were learned.
    """

    groups: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    newest: datetime | None = None  # the time of the newest case, from which "yesterday" counts


@dataclass(frozen=True)
class Reading:
    """What a question asks: the intent, the attribute of a case that is wanted, the cases named, filters, how many."""

    intent: str
    attribute: str = ""
    cases: tuple[str, ...] = ()
    where: dict[str, Any] = field(default_factory=dict)
    by: str = ""
    number: int = 0
    ordinal: int = 0
    follows: bool = False
    reason: str = ""
    part: str = ""
    unused: tuple[str, ...] = ()  # filters that the question names and the query cannot take
    unread: tuple[str, ...] = ()  # numbers of the question that no field of the query has taken


def read(question: str, names: Vocabulary) -> Reading:
    """The reading of one question by itself; `follow` puts it into its conversation.

    >>> read("How many flagged cases lack the video?", Vocabulary()).where
    {'verdict': 'anomalous', 'missing': 'video'}
    >>> read("Where in the picture of case test-00012 is it?", Vocabulary()).attribute
    'where'
    """
    text = re.sub(r"^(?:thanks?|thank you)[,.!]? (?=\w+ \w+ )", "", question.strip().replace("’", "'"), flags=re.I)
    neutral = _neutral(text, (*names.groups, *names.channels))
    whole, told = text, when(neutral, names.newest)
    if told.where:
        text, neutral = when(text, names.newest).rest, told.rest
    bare, cases = neutral, _cases(neutral, names)
    for case in cases:
        bare = bare.replace(case, " ")
    if not cases:
        bare = as_cases(bare, names.called, names.parts)
    where = _filters(whole, bare, names)
    if told.where:  # what is left of its dates and clocks would be read once more
        where = {name: value for name, value in where.items() if name not in ("since", "until")} | told.where
    known = spoken().part
    part = next((known[w] for w in re.findall(r"[a-z]+", bare.lower()) if w in known), "")
    follows, number, ordinal = bool(FOLLOW.search(text)), _number(bare), _ordinal(bare)
    base = Reading("", cases=cases, where=where, follows=follows, number=number, ordinal=ordinal, part=part)
    files = spoken().files.findall(text)
    if THANKS.search(whole):
        return replace(base, intent="thanks")
    if HELP.search(whole):
        return replace(base, intent="help")
    if files:
        return replace(base, intent="score", where={_kind(f): f for f in files})
    if told.unread:
        return replace(base, intent="time", reason=told.unread)
    if FALSE_ALARM.search(bare) and not cases:
        return replace(base, intent="guarantee")
    for pattern, reason in DECLINES:
        if pattern.search(bare):
            return replace(base, intent="decline", reason=reason)
    if _unknown_head(neutral, base):
        return replace(base, intent="decline", reason="that, because nothing of that name is in the evidence")
    return _intent(base, bare)


def _intent(base: Reading, text: str) -> Reading:
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
        and (FLAG.search(text) or re.search(r"\bcases\b|\bper\b|\bby\b", text))
        and not SUPER.search(text)
        and not (by == "driver" and base.where.get("driver"))
    ):
        return replace(base, intent="ranking", by=by, where={"verdict": "anomalous", **_less(base.where, by)})
    told_why = {"_why": True} if WHY.search(text) else {}  # of a list: why each of them is flagged
    if COUNT.search(text):
        return replace(base, intent="list" if WHY_TOO.search(text) else "count", where={**base.where, **told_why})
    if LEAST.search(text):
        return replace(base, intent="list", where={**base.where, "_order": "-rank"}, number=base.number or 1)
    if SUPER.search(text):
        several = re.search(r"\bcases\b|\bones\b|anomalies", text)
        kept = {k: v for k, v in base.where.items() if k != "verdict"}
        return replace(base, intent="list", where={**kept, **told_why}, number=base.number or (3 if several else 1))
    if OVERVIEW.search(text):
        return replace(base, intent="overview")
    plural = re.search(
        r"\bcases\b|\bpieces\b|\bitems\b|\bones\b|anomalies|\balarms\b|\bfindings\b|\bnormals\b|were flagged|\ball\b",
        text,
    )
    if told_why and SEVERAL.search(text) and not PRONOUN.search(text):
        return replace(base, intent="list", where={"verdict": "anomalous", **base.where, **told_why})
    if LIST.search(text) and (plural or base.where) and not PRONOUN.search(text):
        return replace(base, intent="list", where={**base.where, **told_why}, number=base.number)
    if re.search(r"\bany\b|\bthere\b", text) and plural:
        return replace(base, intent="count")
    if {"since", "until"} & base.where.keys() and not PRONOUN.search(text) and not base.follows:
        where = {"verdict": "anomalous", **base.where, **told_why}
        return replace(base, intent="list", where=where, number=base.number)
    if attribute:
        return replace(base, intent="case", attribute=attribute)
    return replace(base, intent="unclear")


def _less(where: dict[str, Any], by: str) -> dict[str, Any]:
    return {k: v for k, v in where.items() if k != by and not (by in ("group", "channel") and k == by)}


def _cases(text: str, names: Vocabulary) -> tuple[str, ...]:
    """The cases that a question names, by ids of any run or by the words that those of this run begin with."""
    clockless = _without_clocks(text)
    own = named(clockless, names.called)
    for case in own:
        clockless = clockless.replace(case, " ")
    return tuple(dict.fromkeys((*own, *(m[0] for m in CASE.finditer(clockless)))))


def _neutral(text: str, names: Sequence[str]) -> str:
    """`text` with group and channel names replaced by one neutral word, so that their own words are not read."""
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(
            r"(?<!\w)" + re.escape(name).replace("_", "[_ ]").replace(r"\ ", "[_ ]") + r"s?(?!\w)",
            " pieces ",
            text,
            flags=re.I,
        )
    return text


def _filters(text: str, bare: str, names: Vocabulary) -> dict[str, Any]:
    where: dict[str, Any] = {}
    low = bare.lower()
    if re.search(r"\bno verdict\b|without (?:a )?verdict", low):
        where["verdict"] = "no verdict"
    elif FLAG.search(low):
        where["verdict"] = "anomalous"
    elif NORMAL.search(low) or re.search(r"not flagged", low):
        where["verdict"] = "normal"
    if re.search(r"\b(?:not|n't|never) flagged", low):
        where["verdict"] = "normal"
    for name, known in (("group", names.groups), ("channel", names.channels)):
        for value in known:
            if re.search(
                r"(?<!\w)" + re.escape(value).replace("_", "[_ ]").replace(r"\ ", "[_ ]") + r"s?(?!\w)", text, re.I
            ):
                where[name] = value
    known_parts = spoken().part
    words = "|".join(map(re.escape, known_parts))
    if (
        m := re.search(
            rf"\b(?:no|without|lacks?|lacking|missing|absent)\b(?: (?:an?|the|any|its|their))? ({words})\b",
            low,
        )
    ) or (
        m := re.search(
            rf"\b({words})\b(?: part)?(?: (?:is|was|are|were|that is))? (?:missing|absent|lacking|not there)", low
        )
    ):
        where["missing"] = known_parts[m[1]]
    elif m := re.search(rf"\b({words})\b", low):
        lead = r"driv|main|largest|mostly|weigh|due to|contribut|carr|biggest|heaviest|dominat|lead|share|primar|stem"
        if re.search(lead, low):
            where["driver"] = known_parts[m[1]]
        elif FLAG.search(low) or re.search(r"\boff\b|stands? out|beyond", low):
            where["unusual"] = known_parts[m[1]]
    if re.search(r"contradict|disagree|mismatch|(?:not|n't) (?:match|fit|belong|agree|go)|inconsisten", low):
        where["contradictory"] = not re.search(r"\b(?:without|no) (?:any )?contradict", low)
        where.pop("unusual", None)
    if m := RATE.search(low):
        where["rate"] = float(m[1]) / 100
    where |= _times(text)
    return where


def _times(text: str) -> dict[str, str]:
    moments = [(m.start(), _moment(m)) for m in CLOCK.finditer(text) if m[0].strip()]
    found: dict[str, str] = {}
    for at, moment in moments:
        before = text[:at].lower()
        word = re.findall(r"\b(since|after|from|between|starting|until|till|before|to|and|up to|by)\b", before[-14:])
        key = (
            "until"
            if word
            and word[-1] in ("until", "till", "before", "to", "and", "up to", "by")
            and (len(moments) == 1 or found)
            else "since"
        )
        if word and word[-1] in ("until", "till", "before", "up to", "by"):
            key = "until"
        found[key] = moment
    days = [m for _, m in moments if re.fullmatch(r"\d{4}-\d{2}-\d{2}", m)]
    if len(moments) == 1 and days and "since" in found and not re.search(r"\b(?:since|after|from)\b", text, re.I):
        found["until"] = days[0] + "T23:59:59.999999"
    elif (
        len(moments) == 1
        and re.fullmatch(r"\d{2}:00", moments[0][1])
        and re.search(r"\b(?:at|hour)\b", text)
        and "since" in found
    ):
        found["until"] = f"{int(moments[0][1][:2]) + 1:02d}:00" if moments[0][1] != "23:00" else "23:59:59"
    return found


def _moment(m: re.Match[str]) -> str:
    clock = (m[2] or "").rjust(5, "0") if m[2] else ""
    if m[3]:
        hour = (
            int(m[3]) % 12 + 12
            if m[4].lower() == "pm"
            else int(m[3]) % 24
            if "clock" in m[4].lower()
            else int(m[3]) % 12
        )
        clock = f"{hour:02d}:00"
    return f"{m[1]}T{clock}" if m[1] and clock else m[1] or clock


def _without_clocks(text: str) -> str:
    return CLOCK.sub(lambda m: " " * len(m[0]), text)


def _number(text: str) -> int:
    """How many cases are asked for: "the three worst", "top 5"."""
    m = re.search(r"\b(?:top|first|worst|last) (\d{1,2}|" + "|".join(CARDINALS) + r")\b", text, re.I) or re.search(
        r"\b(\d{1,2}|"
        + "|".join(CARDINALS)
        + r")\b(?= (?:\w+ )?(?:most|worst|cases|anomalies|strangest|top|alarms|least))",
        text,
        re.I,
    )
    return 0 if not m else int(m[1]) if m[1].isdigit() else CARDINALS[m[1].lower()]


def _ordinal(text: str) -> int:
    """Which of a list is meant: 2 for "the second one"; -1 for the last."""
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


def _unknown_head(text: str, base: Reading) -> bool:
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


def _kind(file: str) -> str:
    return spoken().kind[PurePath(file).suffix.lower()]
