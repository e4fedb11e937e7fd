"""Conditions on cases in a question: ranges of p-values and scores, parts joined by and or or, rates, labels.

Each rule reads its words away, so that none is read twice, and says in the question's own words what it has read.
"""
# ruff: noqa: E501  (one pattern a line reads better than a folded one)

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

_NUM = r"(\d+(?:[.,]\d+)?|[.,]\d+)(?: ?(%|per ?cent\b))?"
_ENDS = {
    "below": r"below|under|less than|smaller than|lower than|<(?!=)",
    "at_most": r"at most|no more than|not more than|up to|<=|≤|not above",
    "above": r"above|over|more than|greater than|larger than|bigger than|higher than|beyond|exceeding|>(?!=)",
    "at_least": r"at least|no less than|not below|from|>=|≥",
}
_ANY_END = "|".join(f"(?P<{name}>{words})" for name, words in _ENDS.items())
_LEAD = r"(?:(?:with|have|has|had|having|whose|where|by) )?(?:(?:an?|the|their|its) )*"
_ODD = (
    r"flag\w*|anomal\w*|abnormal\w*|unusual|strange|suspicious|odd|out of (?:line|range)|off|wrong|bad|standing out|"
    r"stands? out|stood out|outlier|alarm\w*|fault\w*|defect\w*|beyond"
)
_ALONE = r"by (?:itself|themselves)|on (?:its|their) own|(?:each )?(?:alone|individually|separately)"


@dataclass(frozen=True)
class Conditions:
    """What was read as arguments of a `Filter` (`where`), the words of each, and the question without them."""

    where: dict[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    rest: str = ""


def conditions(
    text: str, parts: Mapping[str, str], only: Collection[str] = (), learned: Collection[str] = ()
) -> Conditions:
    """The conditions of a text, or `only` some; `parts` are modalities by the words that people use for them, those that
    were `learned` are "all parts".

    >>> spoken = {"image": "image", "sensor": "sensor", "video": "video"}
    >>> conditions("normal cases with a p-value below 0.05", spoken).where
    {'p_value': {'below': 0.05}}
    >>> conditions("both the image and the sensor out of line by themselves?", spoken).where
    {'unusual': ('image', 'sensor')}
    >>> conditions("cases without image or video", spoken).where
    {'missing': ('image', 'video'), 'either': True}
    """
    words: list[str] = []
    where: dict[str, Any] = {}
    if learned and (not only or "unusual" in only) and (m := _EVERY_PART.search(text)):
        where, words, text = {"unusual": tuple(learned)}, [m[0]], text.replace(m[0], " ", 1)
    if learned and not only and (found := _only_parts(text, parts, learned)) is not None:
        where, words, text = found[0], [*words, *found[1]], text.replace(found[1][0], " ", 1)
    for name, rule in _RULES.items():
        found = rule(text, parts) if not only or name in only else None
        if found is None:
            continue
        read, spans = found
        if any(name in where for name in read):
            continue
        where |= read
        for span in spans:
            words.append(span.strip())
            text = text.replace(span, " ", 1)
    return Conditions(where, tuple(words), re.sub(r" +", " ", text).strip())


Rule = Callable[[str, Mapping[str, str]], tuple[dict[str, Any], list[str]] | None]


def _number(digits: str, percent: str | None) -> float:
    value = float(digits.replace(",", "."))
    return round(value / 100, 12) if percent else value


def _range(noun: str) -> re.Pattern[str]:
    return re.compile(
        rf"\b{_LEAD}{noun}(?: (?:is|are|was|were|of|lies?|being|that is))? ?(?:{_ANY_END}|(?P<two>between|from)) ?{_NUM}"
        rf"(?(two) (?:and|to) {_NUM})",
        re.I,
    )


def _bounds(m: re.Match[str]) -> dict[str, float]:
    numbers = m.groups()[-4:]
    first = _number(numbers[0], numbers[1] or (m["two"] and numbers[3]))  # "between 2 and 10 %"
    if m["two"]:
        return {"at_least": first, "at_most": _number(numbers[2], numbers[3])}
    return {next(name for name in _ENDS if m[name]): first}


def _p_value(text: str, parts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]] | None:
    some = "|".join(map(re.escape, parts))
    noun = (
        rf"(?:(?P<part>{some})(?:'s)? )?(?:joint )?(?:own )?(?:p-?\s?values?|p)(?: (?:of|for) (?:the )?(?P<of>{some}))?"
    )
    m = _range(noun).search(text)
    if m is None:
        return None
    of = m["part"] or m["of"]
    found: dict[str, Any] = {"p_value": _bounds(m)}
    return found | ({"p_of": parts[of.lower()]} if of else {}), [m[0]]


def _score(text: str, parts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]] | None:
    m = _range(r"(?:joint )?(?:anomaly )?(?:scores?|strengths?)").search(text)
    return None if m is None else ({"score": _bounds(m)}, [m[0]])


def _rate(text: str, parts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]] | None:
    """A rate at which verdicts are to be read: "at 0.1 %", "with a 5 % rate", "a rate of 0.02"."""
    name = r"(?:declared )?(?:false[- ]alarm )?rate"
    m = re.search(
        rf"\b(?:at|with|using|under|for) (?:an? |the )?(?:{name} (?:of )?)?{_NUM}(?: {name})?(?![\w:]|[.,]\d)",
        text,
        re.I,
    )
    if m is not None and (m[2] or "rate" in m[0].lower()):
        return {"rate": _number(m[1], m[2])}, [m[0]]
    m = re.search(rf"\b(?:if )?(?:the |an? )?{name} (?:of|were|was|is|to) {_NUM}", text, re.I)
    return None if m is None else ({"rate": _number(m[1], m[2])}, [m[0]])


def _complete(text: str, parts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]] | None:
    count = r"(?: (?:two|three|four|five|six|\d))?"
    every = (
        rf"\b(?:that |which |who )?(?:(?:with|have|has|had|having) )(?:all|every)(?: of)?(?: (?:its|the|their))?{count} parts?"
        r"(?: (?:present|there|available|recorded))?\b|\bwith nothing missing\b|"
        r"(?<=\bare )complete\b|(?<=\bwere )complete\b|\bcomplete(?= (?:cases|pieces|items|ones))"
    )
    some = (
        r"\b(?:that |which )?(?:lack|lacks|lacking|miss|missing|without|were missing)(?: (?:a|any|some|at least one)) parts?\b|"
        r"\bincomplete\b|\bwith (?:a|any|some) (?:missing part|part missing)\b|\bwith missing parts\b|"
        r"\b(?:(?:do|does|did) not|don't|didn't) have all(?: (?:its|the|their))?(?: of)? parts\b"
    )
    if m := re.search(some, text, re.I):
        return {"complete": False}, [m[0]]
    m = re.search(every, text, re.I)
    return None if m is None else ({"complete": True}, [m[0]])


def _listed(parts: Mapping[str, str], between: str = "") -> str:
    """A list of parts of at least one, with the articles (and words `between`, "no|") before each."""
    some = "|".join(map(re.escape, sorted(parts, key=len, reverse=True)))
    one = rf"(?:(?:{between}an?|the|its|their|both|either|of) )*(?:{some})\b(?: (?:part|data)\b)?"
    return rf"{one}(?:(?:,? (?:and|or|nor|as well as|but also|plus|&) |, ?){one})*"


def _parts_of(words: str, parts: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parts[w] for w in re.findall(r"[a-z]+", words.lower()) if w in parts))


def _as(name: str, words: str, parts: Mapping[str, str]) -> dict[str, Any]:
    found = _parts_of(words, parts)
    joined = {"either": True} if len(found) > 1 and re.search(r"\b(?:or|either)\b", words, re.I) else {}
    return {name: found, **joined}


_EVERY_PART = re.compile(
    rf"\b(?:(?:with|have|has|had|in which|where) )?(?:all|every|each)(?: of)?(?: the| its| their)?(?: (?:two|three|four|\d))? parts?"
    rf"(?: (?:is|are|was|were|look|looks|being|at once))* (?:{_ODD})\b",
    re.I,
)


def _only_parts(
    text: str, parts: Mapping[str, str], learned: Collection[str]
) -> tuple[dict[str, Any], list[str]] | None:
    """Cases of these parts and no other: "with only the image and the text", "consisting of just a video"."""
    m = re.search(
        rf"\b(?:with|have|has|had|having|contain\w*|consist\w* of|made of) (?:only|just|nothing but) (?P<parts>{_listed(parts)})"
        rf"(?! (?:{_ODD}|problem|is|was|are|were|being|{_ALONE}))",
        text, re.I,
    )  # fmt: skip
    if m is None:
        return None
    here = _parts_of(m["parts"], parts)
    return {"present": here, "missing": tuple(part for part in learned if part not in here)}, [m[0]]


def _grouped(text: str, parts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]] | None:
    return _has_any(text, "grouped", r"(?:groups?|products?|product names?)")


def _timed(text: str, parts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]] | None:
    return _has_any(text, "timed", r"(?:(?:recorded |recording )?times?|time ?stamps?|dates?)")


def _has_any(text: str, name: str, noun: str) -> tuple[dict[str, Any], list[str]] | None:
    none = rf"\b(?:(?:with|have|has|had|having) no|without(?: an?| any)?|lack(?:s|ing)?(?: an?| any| the)?|(?:do|does|did)(?: not|n't) have an?) {noun}\b"
    if m := re.search(none, text, re.I):
        return {name: False}, [m[0]]
    m = re.search(rf"\b(?:with|have|has|that have) an? {noun}\b(?! (?:of|in|between|after|before))", text, re.I)
    return None if m is None else ({name: True}, [m[0]])


def _usual(text: str, parts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]] | None:
    """Parts that are there and fine: "no picture problem", "a normal picture", "though the log looks fine"."""
    named, fine = _listed(parts), r"(?:normal|fine|good|clean|ok|okay|alright|unremarkable|inconspicuous)"
    problem = r"(?:problems?|faults?|defects?|anomal\w+|issues?|alarms?)"
    m = (
        re.search(
            rf"\b(?:with |have |has |had )?(?:no|without(?: an?| any)?) (?P<parts>{named}) {problem}\b", text, re.I
        )
        or re.search(rf"\b(?:with|have|has|had|but) (?:an? |the |its |their )?{fine} (?P<parts>{named})", text, re.I)
        or re.search(
            rf"\b(?P<parts>{named}) (?:is|are|was|were|looks?|looked|seems?|being)(?: quite| all)? {fine}\b", text, re.I
        )
        or re.search(rf"\b(?P<parts>{named}) (?:is not|isn't|are not|aren't|was not|wasn't) (?:{_ODD})\b", text, re.I)
        or re.search(
            rf"\b(?:with |have |has |had )?neither (?P<parts>{named})(?: (?:is|was|are|were|being))? (?:{_ODD})\b",
            text,
            re.I,
        )
        or re.search(
            rf"\bnothing (?:is |was )?(?:wrong|odd|unusual|strange) (?:with|in|on|about) (?P<parts>{named})", text, re.I
        )
    )
    return None if m is None else (_as("usual", m["parts"], parts), [m[0]])


def _missing(text: str, parts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]] | None:
    named = _listed(parts, "any|no|without|")
    m = re.search(
        rf"\b(?:(?:with|have|has|had|having) (?=no ))?(?:no|without|lacks?|lacking|missing|absent|neither) (?P<parts>{named})",
        text, re.I,
    ) or re.search(rf"\b(?P<parts>{named}) (?:is|was|are|were|being) (?:both )?(?:missing|absent|lacking|not there)\b", text, re.I)  # fmt: skip
    return None if m is None else (_as("missing", m["parts"], parts), [m[0]])


def _present(text: str, parts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]] | None:
    m = re.search(
        rf"\b(?:(?:with|have|has|had|having|contain|contains) "
        rf"(?!no\b|without\b))(?P<parts>{_listed(parts)})(?! (?:{_ODD}|problem|is|was|are|were|that|channel|p-?value))",
        text, re.I,
    )  # fmt: skip
    if m is None or re.search(rf"\b(?:problem|wrong|trouble|issue|matter|{_ALONE})\b", text, re.I):
        return None
    return _as("present", m["parts"], parts), [m[0]]


def _unusual(text: str, parts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]] | None:
    """Several parts that are unusual by themselves, or one and no other; a single one is left to who reads the rest."""
    if re.search(
        r"contradict|disagree|mismatch|(?:not|n't) (?:match|fit|belong|agree|go)|inconsisten|\bfits?\b", text, re.I
    ):
        return None
    tail = rf"(?: parts?)?(?: (?:is|are|was|were|both|each|all|look|looks|looked|went|go|being))*(?: (?:{_ODD}))?(?: (?:{_ALONE}))?"
    odd = re.search(rf"\b(?:{_ODD})\b|\b(?:{_ALONE})\b", text, re.I)
    m = re.search(rf"\b(?:not only )?(?P<parts>{_listed(parts)}){tail}", text, re.I)
    if m is None or odd is None:
        return None
    named = _parts_of(m["parts"], parts)
    only = re.search(rf"\b(?:only|just|solely|nothing but) (?:in )?(?:the )?(?={re.escape(m['parts'].split()[-1])}|{re.escape(m['parts'])})", text, re.I)  # fmt: skip
    if only and re.search(rf"\b(?:{_ODD}|{_ALONE})\b", m[0], re.I):
        return {"unusual": named, "alone": True}, [only[0] + m[0] if only[0] + m[0] in text else m[0], only[0]]
    if len(named) == 1 and re.match(r"(?: part)? (?:alone|only)\b", text[m.end("parts") :], re.I):
        return {"unusual": named, "alone": True}, [m[0]]
    if len(named) < 2 or re.search(
        r"driv|main|largest|mostly|weigh|contribut|carr|biggest|heaviest|dominat|share", text, re.I
    ):
        return None
    return _as("unusual", m["parts"], parts), [m[0]]


def _label(text: str, parts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]] | None:
    word = r"(?P<word>anomalous|anomaly|abnormal|faulty|bad|defective|normal|good|fine|ok)"
    m = re.search(rf"\b(?:labell?ed|with (?:the |a )?labels?|whose label is)(?: (?:as|an?|of))* {word}\b", text, re.I)
    if m is None:
        return None
    good = m["word"].lower() in ("normal", "good", "fine", "ok")
    return {"label": "normal" if good else "anomalous"}, [m[0]]


_RULES: dict[str, Rule] = {
    "p_value": _p_value, "score": _score, "rate": _rate, "label": _label, "complete": _complete, "grouped": _grouped, "timed": _timed, "usual": _usual,
    "missing": _missing,
    "unusual": _unusual, "present": _present,
}  # fmt: skip
