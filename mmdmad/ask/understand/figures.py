"""Questions for figures: medians and ends, smallest p-values, two rates, stretches of the clock, labels, ranks by a part.

Each rule reads its words away before the conditions are read, so that "at 5 % than at 1 %" is no filter.
"""
# ruff: noqa: E501  (one pattern a line reads better than a folded one)

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A query with arguments beside the filters, the words that were read, and the question without them.

    `lists`: it asks for cases in an order, so that how many are wanted counts. `lacking` is what a run does not hold.
    """

    query: str = ""
    args: dict[str, Any] = field(default_factory=dict)
    rest: str = ""
    lists: bool = False
    lacking: str = ""


def figure(text: str, parts: Mapping[str, str], channel: bool = False) -> Figure | None:
    """What a text asks of figures; `parts` are modalities by the words people use, `channel`: it names a channel.

    >>> figure("how many more are flagged at 5 % than at 1 %?", {}).args
    {'first': 0.05, 'second': 0.01}
    >>> figure("what is the median sensor p-value of the normals", {"sensor": "sensor"}).args
    {'quantity': 'p_value', 'what': 'median', 'part': 'sensor'}
    >>> figure("alarms per ten minutes", {}).args
    {'minutes': 10, 'least': False}
    >>> figure("how many cases were flagged?", {}) is None
    True
    """
    return next((found for rule in _RULES if (found := rule(text, parts, channel)) is not None), None)


Rule = Callable[[str, Mapping[str, str], bool], Figure | None]

_P = r"(?:p-?\s?values?|p)\b"
_PERCENT = re.compile(
    r"\b(?:at |with |for |in |under |between )?(?:an? |the )?(?:rate (?:of )?)?(\d+(?:[.,]\d+)?) ?(?:%|per ?cent\b)(?: rate)?",
    re.I,
)
_APART = re.compile(
    r"\b(?:more|fewer|less|than|difference|differ\w*|compar\w*|versus|vs|instead|rather|but not|additional\w*|extra|change\w*)\b",
    re.I,
)


def _two_rates(text: str, parts: Mapping[str, str], channel: bool) -> Figure | None:
    found = list(_PERCENT.finditer(text))
    if len(found) != 2 or not _APART.search(text) or re.search(rf"\b{_P}|\bscores?\b|\bshare\b", text, re.I):
        return None
    if re.search(r"\bbetween \d", text) and not re.search(r"\bdiffer", text, re.I):
        return None  # a range, not two rates
    rates = [round(float(m[1].replace(",", ".")) / 100, 12) for m in found]
    rest = re.sub(r"\b(?:more|than|fewer|less|instead of|compared (?:to|with)|but not)\b", " ", _PERCENT.sub(" ", text))
    return Figure("compare_rates", {"first": rates[0], "second": rates[1]}, rest)


_COUNTS = {
    "two": 2, "three": 3, "five": 5, "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "four": 4, "six": 6, "twelve": 12,
}  # fmt: skip
_LENGTH = (
    rf"(?:(?P<count>\d{{1,3}}|{'|'.join(_COUNTS)})[ -])?(?P<unit>half[- ]an?[- ]hour|half[- ]hours?|quarters? of (?:an? |the )?hours?|"
    r"quarter[- ](?:an?[- ])?hours?|minutes?\b|mins?\b|hours?\b)"
)
_PER = re.compile(rf"\b(?P<lead>per|each|every|all|by(?: the)?|for each|(?:in |during )?(?:which|what)|(?:the )?busiest|(?:the )?quietest|(?:the )?worst|(?:the )?calmest) {_LENGTH}(?: stretch(?:es)?| slots?| intervals?| windows?)?(?! (?:of|long|ago)\b)", re.I)  # fmt: skip
_QUIET = re.compile(r"\b(?:fewest|least|quietest|calmest|lowest)\b", re.I)


def _slots(text: str, parts: Mapping[str, str], channel: bool) -> Figure | None:
    m = _PER.search(text)
    if m is None:
        return None
    unit, lead, said = m["unit"].lower(), m["lead"].lower(), (m["count"] or "").lower()
    own = any(word in lead for word in ("busiest", "quietest", "calmest"))
    if (unit.startswith("hour") and not said and not (own and unit == "hour")) or (lead == "all" and not said):
        return None  # by hour, which is counted elsewhere
    if unit.startswith("min") and not said and "per" not in lead and not own:
        return None  # "which minute": inside a case
    size = 30 if unit.startswith("half") else 15 if unit.startswith("quarter") else 60 if unit.startswith("hour") else 1
    minutes = size * (int(said) if said.isdigit() else _COUNTS.get(said, 1))
    least = bool(_QUIET.search(text))
    rest = re.sub(r"\b(?:most|fewest|least|often|on average)\b", " ", text.replace(m[0], " ", 1))
    return Figure("count_per_stretch", {"minutes": minutes, "least": least}, rest)


_SMALLEST = re.compile(
    rf"\b(?:smallest|lowest|minimum|minimal|least|best) (?:(?:possible|attainable|achievable|reachable) (?:joint )?{_P}|(?:joint )?{_P}(?: that| one| which)?(?: is| can be| could be| can have| can get| you can get| we can get| there can be| a case can have)?(?: (?:possible|attainable|achievable|reachable|at all|can there be|get))+)|"
    rf"\b(?:smallest|lowest|minimum) (?:joint )?{_P} (?:(?:a|any) case|we|you|there|one) (?:can|could) \w+|"
    rf"\bhow (?:small|low) (?:can|could|may) (?:an? |the |any )?(?:joint )?{_P} (?:get|be|go|become)|"
    rf"\b(?:can|could|why can't|why cannot) (?:an? |the |any )?(?:joint )?{_P} (?:here |in this run )?(?:not )?(?:ever )?(?:be|get|go|become|fall|drop) (?:any )?(?:smaller|lower|below|less)(?: than)?|"
    rf"\bis (?:an? )?(?:smaller|lower) {_P} possible|"
    rf"\bwhat (?:joint )?{_P} .*\bat (?:the )?(?:very )?(?:least|lowest|best)\b",
    re.I,
)
_WHY_P = re.compile(
    rf"\b(?:why|how come)\b.{{0,60}}?\b(?:exactly|precisely|just|always|so (?:many|often)|all|the same|{_P}|p (?:of|=))\D{{0,25}}?(?<![\d.])(?P<value>(?:0?[.,]\d{{2,}}))",
    re.I,
)


def _steps(text: str, parts: Mapping[str, str], channel: bool) -> Figure | None:
    if m := _WHY_P.search(text):
        value = float(m["value"].replace(",", "."))
        return Figure("smallest_p", {"value": value}, text.replace(m[0], " ", 1))
    m = _SMALLEST.search(text)
    if m is None:
        return None
    rest = text.replace(m[0], " ", 1)
    return Figure("smallest_p", {}, re.sub(r"^(?P<lead>.*)(?<![\d.])0?[.,]\d+", r"\g<lead> ", rest))


_STATS = (
    ("median", r"medians?|typical"),
    ("mean", r"means?|averages?|avg|mean value|average value"),
    ("highest", r"highest|largest|biggest|greatest|maximum|maximal|max"),
    ("lowest", r"lowest|smallest|minimum|minimal|min"),
    ("spread", r"spread|range|distribution|quartiles?|standard deviation|std|variance"),
)
_ANY_STAT = "|".join(f"(?P<{name}>{words})" for name, words in _STATS)
_READINGS = re.compile(
    rf"\b(?:{_ANY_STAT})\b(?: \w+){{0,4}}? (?:current|temperature|pressure|humidity|speed|vibration|voltage|readings?|measurements?|brightness|length|size|duration|values? of pieces|pieces)\b",
    re.I,
)
READINGS = (
    "the readings and files of cases, which a run does not keep (median, mean, lowest and highest can be told of scores "
    "and p-values)"
)


def _spread(text: str, parts: Mapping[str, str], channel: bool) -> Figure | None:
    some = "|".join(map(re.escape, parts)) or "(?!)"
    noun = rf"(?:(?:joint|own|anomaly) )*(?:(?P<part>{some})(?:'s)? (?:part )?)?(?:joint |own |anomaly )*(?P<noun>scores?|strengths?|{_P})"
    of = rf"(?: (?:of|for|in|on) (?:the |its |their )?(?P<of>{some})\b(?: parts?\b)?)?"
    m = re.search(
        rf"\b(?:{_ANY_STAT})(?:,? (?:and|or) (?:the )?(?:mean|median|average))?(?: (?:of|for|in|on))?(?: (?:the|all|their|these|those))* {noun}{of}",
        text,
        re.I,
    )
    if m is None:
        if channel and re.search(
            rf"\b(?:{'|'.join(words for name, words in _STATS if name in ('median', 'mean', 'spread'))})\b", text, re.I
        ):
            return Figure(lacking=READINGS, rest=text)
        found = _READINGS.search(text)
        if found is not None and (found["median"] or found["mean"]) and not re.search(r"\btime\b", found[0], re.I):
            return Figure(lacking=READINGS, rest=text)
        return None
    what = next(name for name, _ in _STATS if m[name])
    quantity = "p_value" if m["noun"].lower().startswith("p") else "score"
    part = (m["part"] or m["of"] or "").lower()
    rest = f"{text[: m.start()]} {text[m.end() :]}"
    if re.search(r"\bstandard deviation|\bstd\b|\bvariance\b", m[0], re.I):
        return Figure(
            lacking="standard deviations, which are not computed: median, mean, quartiles and ends are", rest=rest
        )
    if what in ("highest", "lowest") and re.search(r"\b(?:which|what|who|list|show|name|give|find) (?:me )?(?:the )?(?:\w+ ){0,3}?(?:cases?|ones?|pieces?|items?|has|have|had|with)\b|\b(?:cases?|ones?|pieces?) (?:with|of|has|have|had)\b", text, re.I):  # fmt: skip
        return _listed(what, quantity, parts.get(part, ""), rest)
    args = {"quantity": quantity, "what": what} | ({"part": parts[part]} if part else {})
    return Figure("describe_numbers", args, rest)


def _listed(what: str, quantity: str, part: str, rest: str) -> Figure | None:
    """Cases by one number: those with the highest scores, those with the lowest p-values of a part."""
    if part and quantity == "score":
        return Figure(
            lacking="an order by the score of one part, which is not there: cases can be ranked by a part's p-value",
            rest=rest,
        )
    rest = re.sub(r"\b(?:with|has|have|had)\b(?=\s*(?:the )?\s*$|\s*(?:the )?\s*\?)", " ", rest)
    if part:
        return Figure(
            "find_cases", {"by_part": part, "order": "rank" if what == "lowest" else "-rank"}, rest, lists=True
        )
    return Figure("find_cases", {"order": f"{'-' if what == 'highest' else ''}{quantity}"}, rest, lists=True)


_SUPER = r"worst|most (?:unusual|anomalous|suspicious|strange|extreme|striking|abnormal)|strangest|oddest|weirdest|top|first|rank\w*|sort\w*|order\w*|lowest|highest|least (?:unusual|suspicious|anomalous|strange)"


def _by_part(text: str, parts: Mapping[str, str], channel: bool) -> Figure | None:
    """Cases ranked by one part: "the three worst by video alone", "which case has the strangest picture?"."""
    some = "|".join(map(re.escape, parts)) or "(?!)"
    named = rf"(?:the |its |their |only )*(?P<part>{some})\b(?:'s)?(?: part| data)?(?: (?:p-?values?|scores?|alone|only|itself|by itself|on its own))*"
    for pattern in (
        rf"(?<!flagged )(?<!unusual )(?<!line )\b(?:only )?(?:(?:judged|going|ranked|sorted|ordered) )?(?:only )?(?:by|after|according to|considering|looking at|counting|in terms of) {named}",
        rf"(?<=worst )(?:in|on) {named}",
        rf"\b(?:the )?(?:worst|strangest|oddest|weirdest|most (?:unusual|anomalous|suspicious|strange)) {named}(?= (?:of|among|from|ever)\b|\W*$)",
        rf"(?:has|have|had|with) (?:the )?(?:{_SUPER}) {named}",
    ):
        m = re.search(pattern, text, re.I)
        if (
            m is None
            or not re.search(rf"\b(?:{_SUPER})\b", text, re.I)
            or re.search(r"\bhow many\b|\bby (?:itself|themselves)\b(?!.*\bworst)", text, re.I)
        ):
            continue
        least = bool(re.search(r"\bleast (?:unusual|suspicious|anomalous|strange)|\bhighest\b", text, re.I))
        rest = text.replace(m[0], " ", 1)
        return Figure(
            "find_cases", {"by_part": parts[m["part"].lower()], "order": "-rank" if least else "rank"}, rest, lists=True
        )
    return None


_TRUE = r"(?:really|truly|actually|genuinely|in truth|in reality|known to be) (?:faulty|bad|defective|broken|anomalous|faults?)|(?:true|real|actual|genuine|labell?ed|known) (?:faults?|defects?|anomal\w+|faulty|bad)"
_FATE = r"(?:not flagged|unflagged|found|caught|flagged|detected|discovered|miss\w*|overlook\w*|recogni[sz]ed|slip\w*|let through|passed|get through|got through)"
_LABELS = re.compile(
    rf"\b(?:{_TRUE})\b.*\b{_FATE}\b|\b(?:found|caught|detect\w*|miss\w*|overlook\w*)\b.*\b(?:{_TRUE})\b|\b(?:true|false) negatives?\b|\btrue positives?\b|\bhit rate\b|\bsensitivity\b|\bspecificity\b|"
    r"\b(?:correctly|rightly) (?:flagged|judged|passed)\b|\bhow many (?:faults|defects|faulty \w+|bad \w+|anomalies) (?:did|have|were|was|has) (?:(?:you|it|we|the detector|the model) )?(?:miss\w*|overlook\w*|slip\w*)\b|"
    r"\bhow many did (?:you|it|we) (?:miss|overlook)\b|\b(?:agree|match|compare)\w* (?:with|to) (?:the )?labels?\b",
    re.I,
)
_MISSED = re.compile(
    r"\b(?:not flagged|unflagged|not found|not caught|not detected|miss\w*|overlook\w*|slip\w*|let through|passed|g[eo]t through|false negatives?)\b",
    re.I,
)


def _labels(text: str, parts: Mapping[str, str], channel: bool) -> Figure | None:
    """What became of cases that their labels call faulty: counts, or a list of them."""
    m = _LABELS.search(text)
    if m is None:
        return None
    rest = text.replace(m[0], " ", 1)
    if re.search(r"\b(?:which|list|show|name)\b", text, re.I) and not re.search(
        r"\bnegatives?|positives?|rate\b", m[0], re.I
    ):
        return Figure(
            "find_cases", {"label": "anomalous", "verdict": "normal" if _MISSED.search(m[0]) else "anomalous"}, rest
        )
    return Figure("compare_with_labels", {}, rest)


_RULES: tuple[Rule, ...] = (_two_rates, _slots, _labels, _steps, _by_part, _spread)
