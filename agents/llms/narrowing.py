"""The conditions of a question that one pattern each reads: verdict, a part, a contradiction, moments and clocks."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from mmdmad.agents.llms.patterns import CLOCK, FLAG, NORMAL, spoken

_SUPERLATIVE = re.compile(
    r"\b(?:most|least|more|less) (?:\w+ly )?"
    r"(?:unusual|anomalous|suspicious|strange|odd|abnormal|normal|extreme|striking)\b|"
    r"\b(?:worst|strangest|oddest|weirdest)\b"
)


def narrowed(text: str, bare: str) -> dict[str, Any]:
    """The conditions of a question; `bare` is its text without names of groups, channels and cases.

    >>> narrowed("flagged after 06:30", "flagged after 06:30")
    {'verdict': 'anomalous', 'since': '06:30'}
    """
    where: dict[str, Any] = {}
    low = bare.lower()
    beside = _SUPERLATIVE.sub(" ", low)  # "the most unusual unflagged one" is not flagged
    if re.search(
        r"\bno verdict\b|without (?:a )?verdict|(?:not|n't) (?:have|get|got|receive) (?:an? |any )?verdict", low
    ):
        where["verdict"] = "no verdict"
    elif FLAG.search(beside):
        where["verdict"] = "anomalous"
    elif NORMAL.search(beside):
        where["verdict"] = "normal"
    raised = r"(?:had|have|has|having|raised?|gave|give|got|with|caused?|without|triggered)"
    nothing = r"(?:alarms?|anomal\w+|flags?|problems?|faults?|defects?|issues?)"
    unflagged = r"\b(?:not|n't|never|without being) flagged|\b(?:un|non-?)flagged"
    if re.search(rf"{unflagged}|\b(?:{raised} no|without(?: an?| any)?) {nothing}\b", low):
        where["verdict"] = "normal"
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
        where["contradictory"] = not re.search(
            r"\b(?:(?:without|no|(?:not|n't) (?:have|show|contain)|never) (?:an? |any )?|not |n't )contradict", low
        )
        where.pop("unusual", None)
        if re.search(r"\b(?:driv\w+|mainly|due to|because of|carried|dominated) (?:\w+ ){0,3}contradict", low):
            where["driver"] = "contradiction"
            del where["contradictory"]
    where |= clocks(text)
    return where


def clocks(text: str) -> dict[str, str]:
    """Clock times and ISO dates of a text, as `since` and `until`."""
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


def without_clocks(text: str) -> str:
    """The text with blanks where its clock times and dates stand."""
    return CLOCK.sub(lambda m: " " * len(m[0]), text)


_NO = r"(?:not|\w+n['’]?t|without|no|never|except(?: for)?|excluding|other than|apart from|aside from)"


def undone(text: str, where: Mapping[str, Any], cases: Collection[str] = ()) -> tuple[str, ...]:
    """Words that deny a part or a case in a text, where no condition does: read without them it says the opposite.

    >>> undone("the picture wasnt the problem", {"unusual": ("image",)}), undone("without text", {"missing": "text"})
    (('wasnt',), ())
    """
    low, parts = text.lower(), spoken().part
    words = "|".join(map(re.escape, parts))
    denied = _all_of(where, "missing") | _all_of(where, "usual")
    if where.keys() & {"complete", "alone"} or where.get("contradictory") is False or where.get("verdict") == "normal":
        denied |= set(parts.values())
    meant = (_all_of(where, "unusual") | _all_of(where, "driver") | _all_of(where, "present")) - denied
    before = re.finditer(rf"\b(?P<no>{_NO})(?: \w+){{0,2}} (?P<part>{words})\b", low)
    after = re.finditer(rf"\b(?P<part>{words})(?: part)? (?:was |is |were |are )?(?P<no>{_NO})\b", low)
    said = [m["no"] for m in (*before, *after) if parts[m["part"]] in meant]
    for case in cases:
        m = re.search(rf"\b({_NO})(?: the| case| piece)* {re.escape(case.lower())}", low)
        said += [m[1]] if m else []
    return tuple(dict.fromkeys(said))


def _all_of(where: Mapping[str, Any], name: str) -> set[str]:
    value = where.get(name) or ()
    return {value} if isinstance(value, str) else set(value)


FILTERS = {
    "since": "time",
    "until": "time",
    "group": "group",
    "channel": "channel",
    "missing": "a missing part",
    "present": "a part that is there",
    "complete": "all parts",
    "p_value": "a p-value",
    "score": "a score",
    "label": "a label",
    "rate": "another rate",
}


def unused_filters(where: Mapping[str, Any], used: Collection[str] = ()) -> tuple[str, ...]:
    """What a question filters by beside the filters `used`, in words; a verdict's words may be the query's own.

    >>> unused_filters({"since": "06:00", "until": "12:00", "group": "A"})
    ('time', 'group')
    """
    return tuple(dict.fromkeys(words for name, words in FILTERS.items() if name in where and name not in used))
