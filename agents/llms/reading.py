"""Reading a question: what is asked, of which case, with which filters. Rules over words, no weights.

A question that asks for something no run can hold (people, money, forecasts, orders to change a verdict, things whose
name is not known here) is read as "decline", with the reason.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from mmdmad.agents.llms.acting import asked_to_act
from mmdmad.agents.llms.called import as_cases, named
from mmdmad.agents.llms.figured import figured
from mmdmad.agents.llms.heard import Reading, Vocabulary
from mmdmad.agents.llms.narrowing import narrowed, undone, unused_filters, without_clocks
from mmdmad.agents.llms.patterns import (
    AT_NUMBER,
    BARE,
    CASE,
    DECLINES,
    FALSE_ALARM,
    FLAG,
    FOLLOW,
    GREETING,
    HELP,
    NUMBERED,
    PAIR,
    THANKS,
    spoken,
)
from mmdmad.agents.llms.periods import two_periods
from mmdmad.agents.llms.rules import by_rules, limit, ordinal_of, unknown_head, word_of
from mmdmad.agents.llms.times import when

from mmdmad.ask.understand.clock_words import in_figures
from mmdmad.ask.understand.conditions import conditions
from mmdmad.ask.understand.coverage import unread
from mmdmad.ask.understand.figures import figure
from mmdmad.ask.understand.german import english, is_foreign
from mmdmad.ask.understand.intents import intent
from mmdmad.ask.understand.names import named as named_in
from mmdmad.ask.understand.names import not_there

MANY = re.compile(r"\b(?:everything|all|cases|alarms|pieces|ones|those|anomalies)\b", re.I)
NARROWING = {"group", "channel", "missing", "present", "p_value", "score"}


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
    where, neutral, corrected = _names(text, names)
    whole, spoke = text, when(neutral, names.newest)
    if spoke.where:
        text, neutral = when(text, names.newest).rest, spoke.rest
    bare, cases = neutral, _cases(neutral, names)
    for case in cases:
        bare = bare.replace(case, " ")
    if not cases:
        bare = as_cases(bare, names.called, names.parts)
    asked_for = None if len(cases) > 1 else figure(bare, spoken().part, "channel" in where)
    if asked_for is not None and cases:  # of one case only what is read away: its own p-value is told
        bare, asked_for = (asked_for.rest if asked_for.query == "smallest_p" else bare), None
    bare = bare if asked_for is None else asked_for.rest
    said = conditions(bare, spoken().part, ("rate",) if cases else (), names.parts)
    bare = said.rest
    where = narrowed(whole, bare) | where | {n: v[0] if _single(v) else v for n, v in said.where.items()}
    if spoke.where:  # what is left of its dates and clocks would be read once more
        where = {name: value for name, value in where.items() if name not in ("since", "until")} | spoke.where
    known = spoken().part
    part = next((known[w] for w in re.findall(r"[a-z]+", neutral.lower()) if w in known), "")
    follows, number, ordinal = bool(FOLLOW.search(text)), limit(bare), ordinal_of(bare)
    left = unread(
        without_clocks(bare),
        f"{number or ''} {abs(ordinal) or ''} {word_of(number)} {word_of(abs(ordinal))} {word_of(len(cases))}",
    )
    denied = undone(neutral, where, cases)
    base = Reading("", cases=cases, where=where, follows=follows, number=number, ordinal=ordinal, part=part,
                   doubts=tuple(dict.fromkeys((*left.doubts, *denied))), others=left.others, said=said.words,
                   corrected=corrected,
                   loose=() if asked_for is not None else _loose(bare, where))  # fmt: skip
    files = spoken().files.findall(text)
    if cases and denied:  # "all but case 23": told of case 23 it would say the opposite
        return replace(base, intent="doubt", doubts=denied)
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
        listed = ", ".join(names.channels) or "none"
        return replace(
            base, intent="no such channel", reason=f"no channel is called “{strange}”; channels are {listed}"
        )
    if asked_for is not None and asked_for.lacking:
        return replace(base, intent="decline", reason=asked_for.lacking)
    if asked_for is not None:
        return figured(base, asked_for, bare)
    if act := asked_to_act(whole):
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
        many = bool(cases) and MANY.search(bare) is not None  # "everything before case 10": no filter does that
        if asked.attribute == "around" and (many or where.keys() & NARROWING):
            return replace(base, intent="doubt", doubts=("before" if "before" in bare.lower() else "after",))
        return replace(base, intent="case", attribute=asked.attribute)
    if FALSE_ALARM.search(bare) and not cases:
        return replace(base, intent="guarantee")
    for pattern, reason in DECLINES:
        if pattern.search(bare):
            return replace(base, intent="decline", reason=reason)
    if unknown_head(neutral, base):
        return replace(base, intent="decline", reason="that, because nothing of that name is in the evidence")
    return by_rules(base, bare)


def _loose(text: str, where: dict[str, Any]) -> tuple[str, ...]:
    """Words for parts in a text that are in none of its conditions: "how many cases with the sensor drifting?"."""
    known, used = spoken().part, set()
    for name in ("missing", "present", "unusual", "usual", "driver", "p_of"):
        value = where.get(name, ())
        used |= {value} if isinstance(value, str) else {*value}
    return tuple(dict.fromkeys(w for w in re.findall(r"[a-z]+", text.lower()) if w in known and known[w] not in used))


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


def _names(text: str, names: Vocabulary) -> tuple[dict[str, Any], str, tuple[tuple[str, str], ...]]:
    """Groups and channels that a question names, as filters, the text with neutral words for them, slips mended."""
    groups = named_in(text, names.groups)
    channels = named_in(groups.rest, names.channels)
    where: dict[str, Any] = {"either": True} if channels.several or _either(text, channels.names) else {}
    found, rest = groups.names, channels.rest
    but = re.compile(
        r"\b(?:not|without|except(?: for)?|excluding|other than|apart from|aside from|leaving out|besides|but no|"
        r"with no|no)"
        r"(?: (?:of|from|the|in|a|an|any))* pieces\b"
    )
    if found and but.search(rest):
        found, rest = tuple(name for name in names.groups if name not in found), but.sub("pieces", rest)
    for name, values in (("group", found), ("channel", channels.names)):
        if values:
            where[name] = values[0] if len(values) == 1 else values
    return where, rest, (*groups.corrected, *channels.corrected)


def _either(text: str, channels: Sequence[str]) -> bool:
    return len(channels) > 1 and bool(re.search(r"\b(?:or|either)\b", text, re.I))


def _cases(text: str, names: Vocabulary) -> tuple[str, ...]:
    """The cases that a question names, by ids of any run or by the words that those of this run begin with."""
    clockless = without_clocks(text)
    own = (
        *named(clockless, names.called),
        *(m[1] for pattern in (BARE, NUMBERED, AT_NUMBER) for m in pattern.finditer(clockless)),
        *(number for m in PAIR.finditer(clockless) for number in m.groups()),
    )
    for case in own:
        clockless = clockless.replace(case, " ")
    count = re.compile(r"\b(?:in|out of|than|every|about) (?:every )?$", re.I)  # "one in 100" names no case
    others = (m[0] for m in CASE.finditer(clockless) if not (m[0].isdigit() and count.search(clockless[: m.start()])))
    return tuple(dict.fromkeys((*own, *others)))


def _kind(file: str) -> str:
    return spoken().kind[PurePath(file).suffix.lower()]
