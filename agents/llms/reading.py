"""Reading a question: what is asked, of which case, with which filters. Rules over words, no weights.

A question that asks for something no run can hold (people, money, forecasts, orders to change a verdict, things whose
name is not known here) is read as "decline", with the reason.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mmdmad.agents.claims import CARDINALS, MODALITY_WORDS, ORDINALS

PART = {w: m for m, names in MODALITY_WORDS.items() for w in names}


def _rx(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)


DECLINES: tuple[tuple[re.Pattern[str], str], ...] = (
    (_rx(r"\b(?:who|whom|whose|operator|colleague|supplier|vendor|manufacturer|builder|owner|foreman|employee)\b"), "people or companies"),
    (_rx(r"\b(?:cost|costs|price|expensive|cheap|budget|pay|euros?|dollars?|money|invoice|warranty|insurance)\b|[€$£]"), "costs"),
    (_rx(r"\b(?:tomorrow|forecast|predict\w*|next (?:week|month|year|day|shift|time)|in the future|will|going to happen|remaining life|on (?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"), "the future"),
    (_rx(r"\b(?:weather|news|stock|capital|president|football|joke|poem|recipe|song|translate|love|opinion on)\b"), "the world outside this run"),
    (_rx(r"\b(?:repair|replace|fix|spare parts?|maintenance|how (?:do|can|should) (?:i|we) (?:solve|prevent|avoid))\b"), "repairs"),
    (_rx(r"\b(?:serial number|part number|brand|model number|address|phone|e-?mail|password|api key|age of)\b"), "things that are not in the evidence"),
    (_rx(r"\b(?:delete|erase|overwrite|change|set|mark|override|ignore|forget|pretend|disregard|declare|reclassify)\b(?!.*\bchanged?\b)"), "changing anything: verdicts come from the statistics"),
    (_rx(r"\broot cause\b|\bwhat caused\b|\bcaused by\b|\bwhose fault\b"), "causes: the evidence shows what is unusual, not what caused it"),
)  # fmt: skip

FLAG = _rx(
    r"flag|anomal|alarm|abnormal|\bbad\b|fault|defect|(?:not|n't) pass|fail|trouble|unusual|strange|suspicious|out of line|\bodd\b|outlier"
)
NORMAL = _rx(r"\bnormal(?:s)?\b|\bgood\b|\bpass(?:ed)?\b|\bfine\b|\bok(?:ay)?\b|unremarkable")
COUNT = _rx(r"how many|how often|\bnumber of\b|\bcount\b|\btotal\b|what number|\btally\b")
LIST = _rx(
    r"\bwhich\b|\blist\b|\bshow\b|\bgive\b|\bname\b|\bwhat\b|\bfind\b|\btell me\b|\bpoint\b|\bsee\b|\bpick\b|\bdisplay\b"
)
SUPER = _rx(
    r"\bmost (?:\w+ly )?(?:anomalous|extreme|suspicious|unusual|strange|striking|abnormal)|\bworst|strangest|oddest|\btop\b|deviates? (?:the )?most|only one case|look at (?:first|one)|stands? out most|most severe|highest score|smallest p"
)
LEAST = _rx(r"most normal|least (?:anomalous|suspicious|unusual|strange)|most ordinary|highest p|largest p")
MOST = _rx(
    r"\bmost\b|\bmostly\b|more than|\bper\b|\bby (?:product|group|hour|day|channel|part|verdict)|often|highest number|busiest|break ?down"
)
BY = {
    "group": _rx(r"\b(?:products?|groups?|types?)\b"), "hour": _rx(r"\bhours?\b|time of day"), "day": _rx(r"\bdays?\b|\bdates?\b"),
    "channel": _rx(r"\bchannels?\b"), "driver": _rx(r"\b(?:parts?|modalit(?:y|ies))\b"), "kind": _rx(r"\bkinds? of evidence\b"),
    "verdict": _rx(r"\bverdicts?\b"),
}  # fmt: skip

ATTRIBUTES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("missing", _rx(r"\bmissing\b|\black(?:s|ing)?\b|\babsent\b|\bcomplete\b|\bincomplete\b|all (?:of )?(?:its|the|their) parts|\bnot (?:there|recorded)\b")),
    ("contradiction", _rx(r"contradict|disagree|mismatch|\bagree|inconsisten|(?:not|n't) (?:fit|match|belong|go together)|odd one|\bbelongs? together")),
    ("neighbours", _rx(r"nearest|closest|similar|resembl|look-?alike|compar\w* .*normal|normal.*\bcompar|most like\b|\blooks? like\b")),
    ("words", _rx(r"\bwords?\b|wording|\bmessages?\b|\bquote|\blog\b|\blogs\b|\bphrase|\bsays?\b|written")),
    ("p_value", _rx(r"\bp-?\s?values?\b|\bp of\b|\bp\?|unlikely|probab|how (?:extreme|anomalous|rare|sure|certain|confident|bad|serious|likely|strong|far)\b(?! into)|statistic|\bscore\b|significan|\bguarantee")),
    ("where", _rx(r"\bwhere(?:abouts)?\b|\bregion|\barea|\bcorner|\blocat|\bspot\b|\bplace|\bposition|which side")),
    ("when", _rx(r"\bwhen\b|\bmoment|what time|which time|\bsecond(?:s)? (?:is|are|does|do)|which seconds?|how (?:far into|long)|since when|timestamp|time stamp|\bdate\b|which frames?|at what point")),
    ("channel", _rx(r"\bchannels?\b|\b(?:which|what) (?:of the )?(?:sensor |sensors?'? )?(?:signals?|measurements?|readings?|sensors?|quantit\w+)\b|\bsignals? is\b")),
    ("part", _rx(r"\b(?:which|what) (?:of the )?parts?\b|modalit|contribut|\bshares?\b|giv\w+ .* away|\bdriv|which part|responsible|\bparts\b")),
    ("why", _rx(r"\bwhy\b|explain|\breason|what (?:went|makes|made|happened|is going|was|'s)|\bwrong\b|tell me|descri|detail|\babout\b|stand(?:s)? out|\bshow\b|\bopen\b|what(?:'s| is) (?:up|unusual|strange|odd|the (?:matter|problem|issue))")),
    ("verdict", _rx(r"normal|\bok(?:ay)?\b|\bfine\b|alright|all right|\bpass|flag|anomal|alarm|worr|\bship\b|\bgood\b|\bbad\b|problem|defect|fault|verdict|abnormal|\bsafe\b")),
)  # fmt: skip

KNOWN_HEADS = _rx(
    r"\b(?:cases?|parts?|piece?s?|items?|modalit\w+|products?|groups?|types?|channels?|sensors?|signals?|measurements?|readings?|"
    r"areas?|regions?|corners?|places?|spots?|sides?|hours?|days?|times?|moments?|seconds?|dates?|words?|messages?|logs?|texts?|"
    r"pictures?|images?|photos?|videos?|frames?|clips?|numbers?|rates?|p-?values?|verdicts?|scores?|shares?|evidence|anomal\w+|"
    r"alarms?|ones?|normals?|guarantees?|data|kinds?|reasons?|timestamps?|total|files?|inputs?|problems?|rows?|neighbours?|"
    r"points?|matter|issue|share|interval|calibration|flagged|findings?|summary|overview|status|situation|contradictions?|"
    r"is|are|was|were|does|do|did|has|have|had|happened|happens|went|makes|made|makes|contradicts|looks?|deviates?|stands?|"
    r"can|could|should|about|else|not|lacks?|gives?|normal|good|bad|worst|top|nearest|of|makes|in|kind|part|defect|stamp|say|says)\b"
)
FALSE_ALARM = _rx(
    r"false[- ]alarms?|guarantee|\btrust\b|by mistake|wrongly|reliab|calibrat|confiden|declared rate|false positive"
)
REFUSED = _rx(
    r"refus|reject|unread|\bskip|(?:not|n't) be (?:read|used|judged)|could(?:n't| not) (?:you )?read|broken|corrupt|unusable|left out"
)
OVERVIEW = _rx(
    r"overview|summar|big picture|\bstatus\b|how (?:is|are|was) (?:the )?(?:line|run|things|it|everything)|the run\b|at a glance|what do we have|general impression|all in all"
)
HELP = _rx(r"^(?:help|hello|hi|hey|good (?:morning|evening|day))\b|what can (?:you|i)|how do (?:you|i) (?:work|use)")
THANKS = _rx(r"^(?:thanks?|thank you|great|perfect|cheers|bye|ok(?:ay)?[.! ]*$)")
FOLLOW = _rx(
    r"^(?:and|what about|how about|only|just|but|or|of (?:those|these|them)|among|okay[,.]? and|ok[,.]? and|same)\b|\b(?:those|these|them)\b"
)
PRONOUN = _rx(r"\b(?:it|its|it's|this|that|this one|that one|the same case|the case|there|he|she)\b")
FILES = re.compile(r"[\w./\\-]+\.(?:png|jpe?g|bmp|tiff?|webp|txt|log|md|csv|parquet|npz|mp4|avi|mov|mkv|webm)\b", re.I)
FILE_KIND = {
    "image": r"png|jpe?g|bmp|tiff?|webp",
    "text": r"txt|log|md",
    "sensor": r"csv|parquet|npz",
    "video": r"mp4|avi|mov|mkv|webm",
}
CASE = re.compile(
    r"(?<![\w.:/-])(?:[A-Za-z][A-Za-z]*[-_][\w-]*\d[\w-]*|[A-Za-z]{1,8}\d{2,}|\d{3,}|(?<=#)\d+|(?<=case )\w*\d[\w-]*|(?<=case no\. )\d+|(?<=number )\d{2,})(?![\w:./-]*\d)"
)
CLOCK = re.compile(
    r"(?:(\d{4}-\d{2}-\d{2})[ T]?)?(?:\b(\d{1,2}:\d{2}(?::\d{2})?)|\b(\d{1,2}) ?(am|pm|o'clock)\b)?", re.I
)


@dataclass(frozen=True)
class Vocabulary:
    """Names in use in a run, as its overview gives them."""

    groups: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


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


def read(question: str, names: Vocabulary) -> Reading:
    """The reading of one question by itself; `follow` puts it into its conversation.

    >>> read("How many flagged cases lack the video?", Vocabulary()).where
    {'verdict': 'anomalous', 'missing': 'video'}
    >>> read("Where in the picture of case test-00012 is it?", Vocabulary()).attribute
    'where'
    """
    text = question.strip().replace("’", "'")
    named = _named(text, (*names.groups, *names.channels))
    bare = named
    cases = tuple(dict.fromkeys(m[0] for m in CASE.finditer(_without_clocks(bare))))
    for case in cases:
        bare = bare.replace(case, " ")
    where = _filters(text, bare, names)
    base = Reading("", cases=cases, where=where, follows=bool(FOLLOW.search(text)), number=_number(bare), ordinal=_ordinal(bare),
                   part=next((PART[w] for w in re.findall(r"[a-z]+", bare.lower()) if w in PART), ""))  # fmt: skip
    files = FILES.findall(text)
    if THANKS.search(text):
        return replace(base, intent="thanks")
    if HELP.search(text):
        return replace(base, intent="help")
    if files:
        return replace(base, intent="score", where={_kind(f): f for f in files})
    if FALSE_ALARM.search(bare) and not cases:
        return replace(base, intent="guarantee")
    for pattern, reason in DECLINES:
        if pattern.search(bare):
            return replace(base, intent="decline", reason=reason)
    if _unknown_head(named, base):
        return replace(base, intent="decline", reason="that, because nothing of that name is in the evidence")
    return _intent(base, bare)


def _intent(base: Reading, text: str) -> Reading:
    attribute = next((name for name, pattern in ATTRIBUTES if pattern.search(text)), "")
    spoken = {PART[w] for w in re.findall(r"[a-z]+", text.lower()) if w in PART}
    if len(spoken) >= 3:
        attribute = "part"
    if len(base.cases) > 1:
        return replace(base, intent="compare", attribute=attribute)
    if base.cases:
        return replace(base, intent="case", attribute=attribute)
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
    ):
        if not (by == "driver" and base.where.get("driver")):
            return replace(base, intent="ranking", by=by, where={"verdict": "anomalous", **_less(base.where, by)})
    if COUNT.search(text):
        return replace(base, intent="count")
    if LEAST.search(text):
        return replace(base, intent="list", where={**base.where, "_order": "-p_value"}, number=base.number or 1)
    if SUPER.search(text):
        several = re.search(r"\bcases\b|\bones\b|anomalies", text)
        kept = {k: v for k, v in base.where.items() if k != "verdict"}
        return replace(base, intent="list", where=kept, number=base.number or (3 if several else 1))
    if OVERVIEW.search(text):
        return replace(base, intent="overview")
    plural = re.search(
        r"\bcases\b|\bpieces\b|\bitems\b|\bones\b|anomalies|\balarms\b|\bfindings\b|\bnormals\b|were flagged|\ball\b",
        text,
    )
    if LIST.search(text) and (plural or base.where) and not PRONOUN.search(text):
        return replace(base, intent="list", number=base.number)
    if re.search(r"\bany\b|\bthere\b", text) and plural:
        return replace(base, intent="count")
    if attribute:
        return replace(base, intent="case", attribute=attribute)
    return replace(base, intent="unclear")


def _less(where: dict[str, Any], by: str) -> dict[str, Any]:
    return {k: v for k, v in where.items() if k != by and not (by in ("group", "channel") and k == by)}


def _named(text: str, names: Sequence[str]) -> str:
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
    words = "|".join(PART)
    if (
        m := re.search(
            rf"\b(?:no|without|lacks?|lacking|missing|absent|come without|had no|have no)\b(?: (?:an?|the|any|its|their))? ({words})\b",
            low,
        )
    ) or (
        m := re.search(
            rf"\b({words})\b(?: part)?(?: (?:is|was|are|were|that is))? (?:missing|absent|lacking|not there)", low
        )
    ):
        where["missing"] = PART[m[1]]
    elif m := re.search(rf"\b({words})\b", low):
        lead = r"driv|main|largest|mostly|weigh|due to|contribut|carr|biggest|heaviest|dominat|lead|share|primar|stem"
        if re.search(lead, low):
            where["driver"] = PART[m[1]]
        elif FLAG.search(low) or re.search(r"\boff\b|stands? out|beyond", low):
            where["unusual"] = PART[m[1]]
    if re.search(r"contradict|disagree|mismatch|(?:not|n't) (?:match|fit|belong|agree|go)|inconsisten", low):
        where["contradictory"] = not re.search(r"\b(?:without|no) (?:any )?contradict", low)
        where.pop("unusual", None)
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
    if m and not KNOWN_HEADS.search(m[1] or m[2]) and not re.match(r"\W*$", m[1] or m[2]):
        return True
    m = re.search(
        r"\bwhat (?:is|was|are) (?:the|its) ((?:[\w'-]+ ){0,3}[\w'-]+?)(?: of\b| in\b| for\b|\?|$)", text, re.I
    )
    return (
        bool(m)
        and not KNOWN_HEADS.search(m[1])
        and not any(p.search(m[1]) for _, p in ATTRIBUTES)
        and not SUPER.search(m[1])
    )


def _kind(file: str) -> str:
    return next(kind for kind, endings in FILE_KIND.items() if re.search(rf"\.(?:{endings})$", file, re.I))
