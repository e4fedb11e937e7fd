"""What is asked beyond lists and counts: first and last, shares, ranks, before and after, how sure, what a rate means.

A table of patterns in the order in which they are tried; what none of them finds is read elsewhere.
"""
# ruff: noqa: E501  (one pattern a line reads better than a folded one)

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Intent:
    """A query with its arguments, or (`attribute`) something that is asked of one case."""

    query: str = ""
    args: dict[str, Any] = field(default_factory=dict)
    attribute: str = ""


def _rx(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)


_FLAGGED = r"(?:flagged|flags?|alarms?|anomal\w+|abnormal\w*|fault\w*|defect\w*|problems?|bad)"
_WRONG = r"(?:wrong|false|mistake\w*|not real|actually (?:fine|ok|normal|good)|really (?:fine|ok|normal|good))"
_COUNT = r"(?:\d+|one|two|three|four|five|ten|many|most|more|half)"
_MEANINGS = (
    ("same p-value", _rx(r"\b(?:same|equal|identical)\b.* p-?\s?values?|p-?\s?values?\b.* (?:the same|equal|identical)")),
    ("share that is wrong", _rx(rf"\b(?:1|one) (?:in|of|out of) (?:every )?(?:\d+|hundred|twenty|ten)\b.*{_WRONG}")),
    ("share that is wrong", _rx(
        rf"\b(?:how many|what (?:share|percentage|fraction|proportion)|which (?:share|percentage)|percent\w*|% ) ?(?:of )?(?:the |these |those |all |your )*"
        rf"(?:\d+ )?{_FLAGGED}(?: (?:cases|ones|pieces|are|is|will|would|be|then|really|actually))*.*\b{_WRONG}")),
    ("share that is wrong", _rx(rf"\b(?:probability|chance|likely|odds)\b.*\b(?:that )?(?:an?|the|any) {_FLAGGED}(?: (?:case|one|piece))?\b.*\b(?:{_WRONG}|normal|fine|ok|real)")),
    ("share that is wrong", _rx(rf"\b\d+ ?(?:%|percent) of (?:the |all |all the |your )*{_FLAGGED}.*\b(?:right|correct|true|real|{_WRONG})")),
    ("share that is wrong", _rx(r"\b(?:99|95|90) ?(?:%|percent) (?:of the|sure|certain)\b")),
    ("share that is wrong", _rx(rf"\b(?:how many|which|any|all|most) of (?:them|those|these|(?:all )?(?:the )?\d+|(?:the |these |all )*{_FLAGGED}(?: cases| ones)?)(?: flagged)?(?: cases| ones| alarms)?(?: are| is| will be| would be| were| might be| could be| really| actually)* {_WRONG}")),
    ("share that is wrong", _rx(rf"\b(?:are|is|were) (?:all|every\w*|most|these|those|the)(?: of)?(?: the| these| those)?(?: \d+)? {_FLAGGED}(?: cases| ones| pieces| alarms)? (?:really|actually|truly|all|indeed|false|real|wrong|faulty|bad)")),
    ("share that is wrong", _rx(r"\b(?:which|any|are there|were there|are any|were any)\b.*\bfalse (?:alarms?|positives?)\b(?! rate)")),
    ("so many flagged", _rx(
        rf"\b\d+ (?:of|out of|in) (?:the )?\d+\b.*(?:{_FLAGGED}|broken|too (?:many|much|high)|a lot|wrong|normal\?|plausible|possible)|"
        rf"\b(?:why|how come|is it (?:normal|ok|right)|isn't|isnt)\b.* so many\b|\btoo many (?:{_FLAGGED})|\bfar more than \d+|"
        rf"\b(?:{_COUNT} (?:{_FLAGGED}|cases)|this) .*\b(?:instead of|rather than|but|when|though|despite)\b.*\d ?(?:%|percent)|"
        rf"\bisn't (?:that|it) (?:broken|too (?:many|much)|a lot)\b")),
    ("p-value", _rx(r"\bwhat (?:is|does|do) (?:an? |the )?(?:joint )?p-?\s?values?(?: of [\d.]+ ?%?)?(?: here)?(?: (?:mean|say|tell|stand for)\b.*)?\??$")),
)  # fmt: skip
_SURE = _rx(
    r"\bhow (?:sure|certain|confident)\b|\breal (?:alarm |fault |one )?or (?:an? |just an? )?false\b|\bfalse (?:alarm|positive) or (?:not|real)|"
    r"\bare you (?:really )?(?:sure|certain)\b|\b(?:is|was|could|might|can) (?:it|that|this)(?: be)? (?:just )?(?:an? )?(?:real|false alarm|mistake|fluke)|"
    r"\bcould .*\bbe (?:an? )?(?:false alarm|mistake|fluke)"
)
_CHANGE = _rx(
    r"\bwhat (?:would|has|had|needs?|must|should)\b.*\b(?:change|different|differ|be)\b.*\b(?:normal|fine|ok|pass)|"
    r"\bto (?:be|become|count as|make (?:it|this)) (?:normal|fine|ok)\b|\bwhat is missing for .* normal"
)
_AROUND = _rx(
    r"\bpreced\w*|\b(?:right |just |directly |shortly |immediately )?(?:before|after) (?:it|that|this one|this|that one)\b|\bprior to (?:it|that|this)\b|"
    r"\bwhat (?:came|happened|was|went) (?:right |just |directly |shortly |immediately )?(?:before|after)\b|\bleading up to\b|\bcame (?:next|before|after)\b|"
    r"\b(?:the )?(?:previous|following) (?:case|piece|one)\b|\b(?:case|piece)s? (?:right |just |directly |shortly )?(?:before|after)\b|"
    r"\b(?:the )?(?:one|ones|case) (?:right |just |directly )?(?:before|after)\b(?! (?:the|a|an|that|lunch)\b)|^\W*and (?:before|after)\b|"
    r"\b(?:were|was|is|are) there (?:anything|something|an? \w+) (?:before|after)\b"
)
ALMOST = _rx(
    r"\b(?:closest|nearest|near|close) to (?:being |getting )?(?:flagged|an alarm|the (?:limit|threshold|rate|line))|\b(?:almost|nearly|narrowly|just not) (?:flagged|missed|passed|an alarm)|"
    r"\bborderline\b|\b(?:just|barely|only just) (?:below|under|above|over|passed|missed|normal)|\bnear(?:est)? (?:to )?the (?:limit|threshold)"
)
"""Normal cases that came near to an alarm."""
_NEAR = _rx(r"\b(?:most )?similar\b|\bnearest\b|\bclosest\b|\bresembl\w*|\blook-?alikes?\b")
_END = _rx(
    rf"\b(?P<end>first|earliest|last|latest|newest|oldest|most recent)(?: \w+){{0,2}}? (?:{_FLAGGED}|cases?|pieces?|items?|findings?|without|with|time an)\b|"
    rf"\b(?:flagged|alarm|anomaly)\b.*\b(?P<late>first|last|earliest|latest)\b$|\bwhen\b.*\b(?P<when>first|last|earliest|latest)\b|"
    rf"\b(?P<begin>first|last) (?:thing )?(?:to be )?flagged\b|\b(?:which|what) (?:case |piece |one )?(?:was|is|came) (?P<is>first|last)\b"
)
_SHARE = _rx(
    r"\b(?:percentage|fraction|proportion|percent)\b|\bwhat share\b|\bshare of (?:the |all )?(?!joint)(?:\w+ )?(?:cases|pieces|flagged|alarms?|anomal\w+|normal)|"
    r"\bhow (?:large|big|high) is the share\b|\bwhat % "
)
_AMONG = _rx(
    rf"\b(?:of|among|in) (?:all |the |those |these )*(?P<flagged>{_FLAGGED})(?: (?:cases|ones|pieces))?\b|\b(?:of|among) (?:all |the )*(?P<normal>normals?|good)\b"
)
_RANK = _rx(
    r"\bcleanest\b|\bbest\b|\bfewest\b|\bleast\b(?! anomalous)|\b(?:lowest|smallest|highest|largest|biggest|worst) (?:[\w-]+ )?(?:share|rate|percentage|proportion|fraction)|"
    r"\bquietest\b|\bleast (?:often|trouble|problems)\b|\bworst (?:product|group|type|hour|day)\b|"
    r"\b(?:product|group|type|hour|day)s? (?:is|are|was|were|does|did|runs?|performs?|looks?) (?:the )?(?:worst|dirtiest|most trouble)"
)
_BY = {
    "group": _rx(r"\b(?:products?|groups?|types?|kinds? of (?:product|piece))\b"),
    "hour": _rx(r"\bhours?\b"),
    "day": _rx(r"\bdays?\b"),
}
_REASONS = ("verdict", "driver", "unusual", "alone", "contradictory", "p_value", "p_of", "score")


def intent(text: str, where: Mapping[str, Any], *, cases: int, number: int, listed: bool = False) -> Intent | None:
    """What a question asks, where the table knows it; `text` without the conditions that `where` holds.

    `cases` is how many it names, `number` how many it asks for; `listed`: a list stands above, so that "the first one" is
    of that.

    >>> intent("which product is the cleanest?", {}, cases=0, number=0).args
    {'by': 'group', 'least': True}
    >>> intent("when was the first alarm and when the last?", {}, cases=0, number=0).args
    {'verdict': 'anomalous', 'which': 'both'}
    >>> intent("how many cases are there?", {}, cases=0, number=0) is None
    True
    """
    if cases < 2 and _CHANGE.search(text):
        return Intent(attribute="change")
    if not cases:
        topic = next((name for name, pattern in _MEANINGS if pattern.search(text)), "")
        if topic:
            return Intent("rate_meaning", {"topic": topic})
    if cases < 2 and _SURE.search(text) and not re.search(r"\bverdicts\b", text, re.I):
        return Intent(attribute="certainty")
    if cases < 2 and (m := _AROUND.search(text)) and (cases or not re.search(r"\bfirst|last\b", m[0])):
        return Intent(attribute="around")
    if cases:
        return None
    if (
        _NEAR.search(text)
        and not ALMOST.search(text)
        and re.search(r"\bnormals?\b|\bgood\b|\bit\b|\bthis\b|\bcases?\b", text, re.I)
    ):
        return Intent(attribute="neighbours")
    return _of_all(text, dict(where), number)


def _of_all(text: str, where: dict[str, Any], number: int) -> Intent | None:
    if _SHARE.search(text):
        among = {name: value for name, value in where.items() if name not in (*_REASONS, "rate")}
        inside = _AMONG.search(text)
        if inside is not None and where.keys() - {"verdict", "rate"}:
            among, where = {"verdict": "anomalous" if inside["flagged"] else "normal"}, dict(where)
        own = {name: value for name, value in where.items() if name != "rate"}
        if not own.keys() & {*_REASONS} and not among.get("verdict"):
            own["verdict"] = "anomalous"
        rate = {"rate": where["rate"]} if "rate" in where else {}
        return Intent("share_of_cases", {"cases": own, "among": among, **rate})
    if isinstance(where.get("group"), tuple) and re.search(
        r"\bcompar\w*|\bversus\b|\bvs\b|\bdiffer\w*|\b(?:more|fewer|less|worse|better|higher|lower|oftener) .*\bthan\b|\bworse than\b|"
        r"\b(?:worse|better|more|fewer)\b.*\bor\b",
        text,
        re.I,
    ):
        return Intent("rank_groups", {**where, "by": "group", "least": False})
    by = next((name for name, pattern in _BY.items() if pattern.search(text)), "")
    if (m := _RANK.search(text)) and (by or "clean" in m[0].lower()):
        least = not re.search(r"\b(?:highest|largest|biggest|worst|dirtiest|most)\b", m[0], re.I)
        if re.search(r"\bbest\b", m[0], re.I) and where.get("verdict") != "anomalous":
            where.pop("verdict", None)
        where = {
            name: value for name, value in where.items() if name != by and not (name == "verdict" and value == "normal")
        }
        return Intent("rank_groups", {**where, "by": by or "group", "least": least})
    m = _END.search(text)
    if m is None or re.search(
        r"\bfirst time\b|\bhow (?:many|much) (?:minutes|hours|days|time)\b|\btime between\b|\b(?:check|look at|inspect|investigate)(?: \w+)? first\b",
        text,
        re.I,
    ):
        return None
    flagged = {} if "verdict" in where or not re.search(_FLAGGED, text, re.I) else {"verdict": "anomalous"}
    late = bool(re.search(r"\b(?:last|latest|newest|most recent)\b", text, re.I))
    early = bool(re.search(r"\b(?:first|earliest|oldest)\b", text, re.I))
    if number > 1:
        return Intent(
            "find_cases", {**flagged, **where, "order": "-time" if late else "time", "limit": min(number, 100)}
        )
    return Intent(
        "first_and_last", {**flagged, **where, "which": "both" if late and early else "last" if late else "first"}
    )
