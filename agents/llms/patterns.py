"""The words by which a question is read: what is declined, what flags, counts, lists, and what can be asked of a case."""
# ruff: noqa: E501  (one pattern a line reads better than a folded one)

import re
from dataclasses import dataclass
from functools import lru_cache

from mmdmad.modalities.base import by_suffix, modalities


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
    r"flag|anomal|alarm|abnormal|\bbad\b|fault|defect|(?:not|n't) pass|fail|trouble|unusual|strange|suspicious|out of line|\bodd\b|outlier|(?:look|looks|looked|went|seem|seems|seemed|was|were|is) (?:off|wrong|amiss|not right)"
)
NORMAL = _rx(r"\bnormal(?:s)?\b|\bgood\b|\bpass(?:ed)?\b|\bfine\b|\bok(?:ay)?\b|unremarkable")
COUNT = _rx(r"how many|how often|\bnumber of\b|\bcount\b|\btotal\b|what number|\btally\b")
LIST = _rx(
    r"\bwhich\b|\blist\b|\bshow\b|\bgive\b|\bname\b|\bwhat\b|\bfind\b|\btell me\b|\bpoint\b|\bsee\b|\bpick\b|\bdisplay\b"
)
SUPER = _rx(
    r"\bmost (?:\w+ly )?(?:anomalous|extreme|suspicious|unusual|strange|striking|abnormal)|\bworst|strangest|oddest|\btop\b|deviates? (?:the )?most|only one case|look at (?:first|one)|stands? out most|(?:check|inspect|investigate|worry about) first|most severe|highest score|smallest p"
)
LEAST = _rx(r"most normal|least (?:anomalous|suspicious|unusual|strange)|most ordinary|highest p|largest p")
MOST = _rx(
    r"\bmost\b|\bmostly\b|more than|\bper\b|\bby (?:product|group|hour|day|channel|part|verdict)|often|highest number|busiest|break ?down"
)
BY = {
    "group": _rx(r"\b(?:products?|groups?|types?)\b"), "hour": _rx(r"\bhours?\b|time of (?:the )?day"), "day": _rx(r"\bdays?\b|\bdates?\b"),
    "channel": _rx(r"\bchannels?\b"), "driver": _rx(r"\b(?:parts?|modalit(?:y|ies))\b"), "kind": _rx(r"\bkinds? of evidence\b"),
    "verdict": _rx(r"\bverdicts?\b"),
}  # fmt: skip

ATTRIBUTES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("missing", _rx(r"\bmissing\b|\black(?:s|ing)?\b|\babsent\b|\bcomplete\b|\bincomplete\b|all (?:of )?(?:its|the|their) parts|\bnot (?:there|recorded)\b")),
    ("contradiction", _rx(r"(?:everything|all|parts?) .*\b(?:match|agree|fit)|contradict|disagree|mismatch|\bagree|inconsisten|(?:not|n't) (?:fit|match|belong|go together)|odd one|\bbelongs? together")),
    ("neighbours", _rx(r"nearest|closest|similar|resembl|look-?alike|compar\w* .*normal|normal.*\bcompar|most like\b|\blooks? like\b")),
    ("words", _rx(r"\bwords?\b|wording|\bmessages?\b|\bquote|\blog\b|\blogs\b|\bphrase|(?<!you )\bsay\b|\bsays\b|written")),
    ("p_value", _rx(r"\bp-?\s?values?\b|\bp of\b|\bp\?|unlikely|probab|how (?:extreme|anomalous|rare|sure|certain|confident|bad|serious|likely|strong|far)\b(?! into)|statistic|\bscore\b|significan|\bguarantee")),
    ("where", _rx(r"\bwhere(?:abouts)?\b|\bregion|\barea|\bcorner|\blocat|\bspot\b|\bplace|\bposition|which side")),
    ("when", _rx(r"\bwhen\b|recording time|time of day|\bmoment|what time|which time|\bsecond(?:s)? (?:is|are|does|do)|which seconds?|how (?:far into|long)|since when|timestamp|time stamp|\bdate\b|which frames?|at what point")),
    ("channel", _rx(r"\bchannels?\b|\b(?:which|what) (?:of the )?(?:sensor |sensors?'? )?(?:signals?|measurements?|readings?|sensors?|quantit\w+)\b|\bsignals? is\b")),
    ("part", _rx(r"\b(?:which|what) (?:of the )?parts?\b|modalit|contribut|\bshares?\b|giv\w+ .* away|\bdriv|which part|responsible|\bparts\b")),
    ("why", _rx(r"\bwhy\b|explain|\breason|what (?:else|went|makes|made|happened|is going|was|'s)|\bwrong\b|tell me|descri|detail|\babout\b|stand(?:s)? out|\bshow\b|\bopen\b|what(?:'s| is) (?:up|unusual|strange|odd|the (?:matter|problem|issue))")),
    ("verdict", _rx(r"normal|\bok(?:ay)?\b|\bfine\b|alright|all right|\bpass|flag|anomal|alarm|worr|\bship\b|\bgood\b|\bbad\b|problem|defect|fault|verdict|abnormal|\bsafe\b")),
)  # fmt: skip

KNOWN_HEADS = _rx(
    r"\b(?:cases?|parts?|piece?s?|items?|modalit\w+|products?|groups?|types?|channels?|sensors?|signals?|measurements?|readings?|"
    r"areas?|regions?|corners?|places?|spots?|sides?|hours?|days?|times?|moments?|seconds?|dates?|words?|messages?|logs?|texts?|"
    r"pictures?|images?|photos?|videos?|frames?|clips?|numbers?|rates?|p-?values?|verdicts?|scores?|shares?|evidence|anomal\w+|"
    r"alarms?|ones?|normals?|guarantees?|data|kinds?|reasons?|timestamps?|total|files?|inputs?|problems?|rows?|neighbours?|"
    r"points?|matter|issue|share|interval|calibration|flagged|findings?|summary|overview|status|situation|contradictions?|"
    r"is|are|was|were|overall|tally|sum|count|amount|grand|does|do|did|has|have|had|happened|happens|went|makes|made|makes|contradicts|looks?|deviates?|stands?|"
    r"can|could|should|about|else|not|lacks?|gives?|normal|good|bad|worst|top|nearest|of|makes|in|kind|part|defect|stamp|say|says)\b"
)
FALSE_ALARM = _rx(
    r"false[- ]alarms?|guarantee|\btrust\b|by mistake|wrongly|reliab|calibrat|confiden|declared rate|false positive"
)
WHY = _rx(
    r"\bwhy\b|\breasons?\b|\bexplain|\bexplanations?\b|on what grounds|\bhow come\b|what makes (?:them|these|those)"
)
WHY_TOO = _rx(r"(?:,| and| with)(?: for)?(?: the| an?| what)? (?:why|reasons?|explain|explanations?)\b")
"""That the why is wanted beside a count."""
SEVERAL = _rx(
    r"\b(?:these|those|them|they|all|every|each|cases|ones|pieces|items|anomalies|alarms|findings)\b|^what\b.* flagged\b"
)
REFUSED = _rx(
    r"refus|reject|unread|\bskip|(?:not|n't) be (?:read|used|judged)|could(?:n't| not) (?:you )?read|broken (?:files?|inputs?|pictures?|images?|tables?|clips?|records?|data)|corrupt|unusable|left out"
)
OVERVIEW = _rx(
    r"\b(?:is|are|was|were) (?:the (?:line|machine|run|shift)|everything|it all|we)(?: all)? "
    r"(?:ok(?:ay)?|fine|alright|all right|normal|good|in order)\b|overview|summar|big picture|\bstatus\b|how (?:is|are|was) (?:the )?(?:line|run|things|it|everything)|the run\b|at a glance|what do we have|general impression|all in all"
)
HELP = _rx(r"^(?:help|hello|hi|hey|good (?:morning|evening|day))\b|what can (?:you|i)|how do (?:you|i) (?:work|use)")
UNASKED = _rx(
    r"\b(?:average|median|standard deviation|correlat\w*)\b|\bmean (?:scores?|p-?values?|values?|time)\b|"
    r"\bhow (?:many|much) (?:minutes|hours|days|seconds|time)\b|"
    r"\b(?:longest|shortest|busiest|quietest)\b(?! (?:words?|texts?|messages?))|\bin a row\b|\bconsecutive\b|"
    r"\b(?:time|gap|interval)s? between (?:two|the|flagged|cases)\b|\bhow long (?:was|were|did)\b.*\b(?:nothing|none|no)\b|"
    r"^for how long\b"
)
"""What no query of the house computes; a query of others that does is found by its phrases before."""
GREETING = r"thanks?|thank you|hello|hi|hey|good (?:morning|afternoon|evening)|dear \w+"
THANKS = _rx(r"^(?:thanks?|thank you|great|perfect|cheers|bye|ok(?:ay)?[.! ]*$)")
FOLLOW = _rx(
    r"^(?:and|what about|how about|only|just|but|or|of (?:those|these|them)|among|okay[,.]? and|ok[,.]? and|same)\b|\b(?:those|these|them|they)\b"
)
PRONOUN = _rx(r"\b(?:it|its|it's|this|that|this one|that one|the same case|the case|there|he|she)\b")


@dataclass(frozen=True)
class Spoken:
    """How the modalities are spoken of: `part` by word, `kind` by the suffix of a file, and patterns that find them."""

    part: dict[str, str]
    kind: dict[str, str]
    heads: re.Pattern[str]
    files: re.Pattern[str]


def spoken() -> Spoken:
    """The words of the modalities that are there now: other packages may bring theirs at any time."""
    return _spoken(tuple(modalities()))


@lru_cache
def _spoken(names: tuple[str, ...]) -> Spoken:
    part = {word: name for name in names for word in modalities()[name].words}
    kind = by_suffix()
    files = rf"[\w./\\-]+(?:{'|'.join(map(re.escape, kind))})\b"
    return Spoken(part, kind, _rx(rf"\b(?:{'|'.join(map(re.escape, part))})\b"), _rx(files))


CASE = re.compile(
    r"(?<![\w.:/-])(?:[A-Za-z][A-Za-z]*[-_][\w-]*\d[\w-]*|[A-Za-z]{1,8}\d{2,}|\d{3,}(?:[-_][A-Za-z]\w*)*|(?<=#)\d+|(?<=case )\w*\d[\w-]*|(?<=case no\. )\d+|(?<=number )\d{2,})(?![\w:./-]*\d)"
)
BARE = re.compile(
    r"^\W*(?:(?:and|ok|okay|so|what about|how about|is|was|are you sure about|why (?:is|was)|explain|open|show|check)\W+)+"
    r"(?:no\.? |number |nr\.? |#)?(\d{1,4})\b"
    r"(?= (?:ok(?:ay)?|normal|fine|good|bad|flagged|anomalous|alright|in order|and)\b|\W*$)(?! flagged cases)",
    re.I,
)
PAIR = re.compile(
    r"\b(?:why|are|were|compare|about|between|explain) (?:no\.? |#)?(\d{1,4}) (?:and|with|vs\.?|or) (?:no\.? |#)?(\d{1,4})\b"
    r"(?! ?(?:%|o'clock|am\b|pm\b|minutes|hours|percent|cases|flagged cases))",
    re.I,
)
AT_NUMBER = re.compile(
    r"(?<!rate )(?<!level )(?<!threshold )(?<!\d )\b(?:on|in|of|for|with|w|was|is|dass|bei|von|about) (?:no\.? |#)?"
    r"(?!(?:19|20)\d\d)(\d{1,4})(?=\s*(?:[?!,;]|\.?$)|\s+(?:that|not|really|truly|wirklich|kaputt|made|had|has|looks?)\b)",
    re.I,
)
"""A case by its bare number after a small word: "what did the log say in 35", "why was 41 NOT flagged"."""
NUMBERED = re.compile(
    r"\b(?:p-?\s?value|score|verdict|reason|explanation|interval|evidence)s? (?:of|for) (?:no\.? |number |#)?(\d{1,4})\W*$",
    re.I,
)
"""A case by its bare number, where nothing else can be meant: "is 12 ok?"."""
CLOCK = re.compile(
    r"(?:(\d{4}-\d{2}-\d{2})[ T]?)?(?:(?:\b|(?<=\dT))(\d{1,2}:\d{2}(?::\d{2})?)|\b(\d{1,2}) ?(am|pm|o'clock)\b)?", re.I
)
