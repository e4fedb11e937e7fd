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
from mmdmad.agents.llms.acting import asked_to_act
from mmdmad.agents.llms.called import as_cases, named
from mmdmad.agents.llms.narrowing import narrowed, unused_filters, without_clocks
from mmdmad.agents.llms.patterns import (
    ATTRIBUTES,
    BARE,
    BY,
    CASE,
    COUNT,
    DECLINES,
    FALSE_ALARM,
    FLAG,
    FOLLOW,
    GREETING,
    HELP,
    KNOWN_HEADS,
    LEAST,
    LIST,
    MOST,
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
from mmdmad.agents.llms.periods import two_periods
from mmdmad.agents.llms.times import when

from mmdmad.ask.understand.clock_words import in_figures
from mmdmad.ask.understand.conditions import conditions
from mmdmad.ask.understand.coverage import unread
from mmdmad.ask.understand.german import english, is_foreign
from mmdmad.ask.understand.intents import intent
from mmdmad.ask.understand.names import named as named_in
from mmdmad.ask.understand.names import not_there


@dataclass(frozen=True)
class Vocabulary:
    """Names in use in a run, as its overview gives them.

    `called` are words of modalities that ids of cases begin with, `parts` the modalities that were learned.
    """

    groups: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    oldest: datetime | None = None
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
    doubts: tuple[str, ...] = ()  # words that were not understood and could narrow what is asked
    others: tuple[str, ...] = ()  # words that were not understood besides
    said: tuple[str, ...] = ()  # the words of conditions that were read
    foreign: bool = False  # in a language that is not understood
    skipped: tuple[str, ...] = ()  # sentences that were not answered


def read(question: str, names: Vocabulary, *, told: bool = False) -> Reading:
    """The reading of one question by itself; `follow` puts it into its conversation. `told`: it tells and asks nothing.

    >>> read("How many flagged cases lack the video?", Vocabulary()).where
    {'verdict': 'anomalous', 'missing': 'video'}
    >>> read("Where in the picture of case test-00012 is it?", Vocabulary()).attribute
    'where'
    """
    text = english(question.strip().replace("’", "'"))
    text = re.sub(rf"^(?:{GREETING})(?:[,.!]? (?:there|and)\b)?[,.!]* (?=\w+ [\w-]+)", "", text, flags=re.I)
    text = in_figures(text, names.oldest, names.newest)
    where, neutral = _names(text, names)
    whole, spoke = text, when(neutral, names.newest)
    if spoke.where:
        text, neutral = when(text, names.newest).rest, spoke.rest
    bare, cases = neutral, _cases(neutral, names)
    for case in cases:
        bare = bare.replace(case, " ")
    if not cases:
        bare = as_cases(bare, names.called, names.parts)
    said = conditions(bare, spoken().part, only=("rate",) if cases else ())
    bare = said.rest
    where = narrowed(whole, bare) | where | {n: v[0] if _single(v) else v for n, v in said.where.items()}
    if spoke.where:  # what is left of its dates and clocks would be read once more
        where = {name: value for name, value in where.items() if name not in ("since", "until")} | spoke.where
    known = spoken().part
    part = next((known[w] for w in re.findall(r"[a-z]+", neutral.lower()) if w in known), "")
    follows, number, ordinal = bool(FOLLOW.search(text)), _number(bare), _ordinal(bare)
    left = unread(without_clocks(bare), f"{number or ''} {abs(ordinal) or ''}")
    base = Reading("", cases=cases, where=where, follows=follows, number=number, ordinal=ordinal, part=part,
                   doubts=left.doubts, others=left.others, said=said.words)  # fmt: skip
    files = spoken().files.findall(text)
    if THANKS.search(whole):
        return replace(base, intent="thanks")
    if HELP.search(whole):
        return replace(base, intent="help")
    if files:
        return replace(base, intent="score", where={_kind(f): f for f in files})
    if is_foreign(question):
        return replace(base, intent="case" if len(cases) == 1 else "foreign", attribute="why", foreign=True)
    if spoke.unread:
        return replace(base, intent="time", reason=spoke.unread)
    if told:  # "a colleague says that a tile looked off around ten": what was flagged then
        return _told(base, bare)
    if strange := not_there(whole, names.channels):
        known = ", ".join(names.channels) or "none"
        return replace(base, intent="no such channel", reason=f"no channel is called “{strange}”; channels are {known}")
    if act := asked_to_act(neutral):
        if act == "rescore" and "rate" in where and (cases or not left.doubts):  # p-values decide: it can be read off
            about = replace(base, reason=act, attribute="verdict")
            return (
                replace(about, intent="case")
                if cases
                else replace(about, intent="count", where={"verdict": "anomalous", **where})
            )
        return replace(base, intent="act", attribute=act)
    if (two := two_periods(whole, names)) is not None:
        some = {n: v for n, v in where.items() if n not in ("since", "until")}
        args = {**two, "cases": {"verdict": "anomalous", **some}}
        return replace(base, intent="query", attribute="compare_periods", where=args, doubts=())
    if (asked := intent(bare, where, cases=len(cases), number=number)) is not None:
        if asked.query:
            unused = unused_filters(where, ["rate"]) if asked.query == "rate_meaning" else ()
            return replace(base, intent="query", attribute=asked.query, where=asked.args, unused=unused)
        if asked.attribute == "around" and where.keys() & {
            "group",
            "channel",
            "missing",
            "present",
            "p_value",
            "score",
        }:
            return replace(base, intent="doubt", doubts=("before" if "before" in bare.lower() else "after",))
        return replace(base, intent="case", attribute=asked.attribute)
    if FALSE_ALARM.search(bare) and not cases:
        return replace(base, intent="guarantee")
    for pattern, reason in DECLINES:
        if pattern.search(bare):
            return replace(base, intent="decline", reason=reason)
    if _unknown_head(neutral, base):
        return replace(base, intent="decline", reason="that, because nothing of that name is in the evidence")
    return _intent(base, bare)


def _told(base: Reading, text: str) -> Reading:
    """What only tells something, as a list of the flagged cases that it may be about, by time and group."""
    where = {name: value for name, value in base.where.items() if name in ("since", "until", "group")}
    if not where or not FLAG.search(text):
        return replace(base, intent="unclear")
    channels = base.where.get("channel", ())
    others = (*((channels,) if isinstance(channels, str) else channels), *base.doubts, *base.others)
    return replace(base, intent="list", where={"verdict": "anomalous", **where}, doubts=(), others=others)


def _single(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 1


def _names(text: str, names: Vocabulary) -> tuple[dict[str, Any], str]:
    """Groups and channels that a question names, as filters, and the text with a neutral word for each."""
    groups = named_in(text, names.groups)
    channels = named_in(groups.rest, names.channels)
    where: dict[str, Any] = {"either": True} if channels.several or _either(text, channels.names) else {}
    found, rest = groups.names, channels.rest
    but = re.compile(
        r"\b(?:not|except(?: for)?|excluding|other than|apart from|besides|but no|no)"
        r"(?: (?:of|from|the|in|a|an|any))* pieces\b"
    )
    if found and but.search(rest):
        found, rest = tuple(name for name in names.groups if name not in found), but.sub("pieces", rest)
    for name, values in (("group", found), ("channel", channels.names)):
        if values:
            where[name] = values[0] if len(values) == 1 else values
    return where, rest


def _either(text: str, channels: Sequence[str]) -> bool:
    return len(channels) > 1 and bool(re.search(r"\b(?:or|either)\b", text, re.I))


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
    if re.search(r"\bany\b|\bthere\b", text) and plural:
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


def _less(where: dict[str, Any], by: str) -> dict[str, Any]:
    return {k: v for k, v in where.items() if k != by and not (by in ("group", "channel") and k == by)}


def _cases(text: str, names: Vocabulary) -> tuple[str, ...]:
    """The cases that a question names, by ids of any run or by the words that those of this run begin with."""
    clockless = without_clocks(text)
    own = (*named(clockless, names.called), *(m[1] for m in BARE.finditer(clockless)))
    for case in own:
        clockless = clockless.replace(case, " ")
    count = re.compile(r"\b(?:in|out of|than|every|about) (?:every )?$", re.I)  # "one in 100" names no case
    others = (m[0] for m in CASE.finditer(clockless) if not (m[0].isdigit() and count.search(clockless[: m.start()])))
    return tuple(dict.fromkeys((*own, *others)))


def _number(text: str) -> int:
    """How many cases are asked for: "the three worst", "top 5"."""
    m = re.search(r"\b(?:top|first|worst|last) (\d{1,2}|" + "|".join(CARDINALS) + r")\b", text, re.I) or re.search(
        r"\b(\d{1,2}|"
        + "|".join(CARDINALS)
        + r")\b(?= (?:\w+ )?(?:most|worst|cases|anomalies|strangest|top|alarms|least|things|pieces|items|flagged))",
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
