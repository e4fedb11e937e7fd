"""What a sentence claims, read by code: numbers with units, clock times, directions, places, polarity, role words.

Pure text functions, used alike on sentences and on evidence, so that both are read by the same rules. Nothing here
knows which claims are true; that is `grounding`.
"""

import re
from dataclasses import dataclass, replace

from mmdmad.claims.units import ALIASES, CARDINALS, ORDINALS, SCALES, UNITS
from mmdmad.modalities.base import modalities as registered

UP = frozenset(
    """
    rise rises rose rising risen increase increases increased increasing climb climbs climbed jump jumps jumped grow
    grows grew above exceed exceeds exceeded exceeding higher high highest surge surges upward upwards up over
    faster quicker accelerates spike spikes spiked peaks larger stronger louder hotter warmer
    """.split()  # noqa: SIM905
)
DOWN = frozenset(
    """
    fall falls fell falling fallen drop drops dropped dropping decrease decreases decreased decreasing decline
    declines declined below sink sinks sank lower low lowest downward downwards down under slower slows decelerates
    dip dips dipped smaller weaker quieter colder cooler
    """.split()  # noqa: SIM905
)
PLACES = {
    "top": "top", "upper": "top", "bottom": "bottom", "left": "left", "right": "right", "centre": "centre",
    "center": "centre", "middle": "centre", "central": "centre", "edge": "edge", "border": "edge",
    "corner": "corner",
}  # fmt: skip
PLACE_NOUNS = (
    r"(?:left|right|half|centre|center|part|edge|corner|third|quarter|area|region|side|middle|border|picture|image)"
)
NEGATIONS = frozenset(
    """
    not no never none neither nor without cannot n't nothing isn't doesn't wasn't aren't didn't
    """.split()  # noqa: SIM905
)
ABNORMAL = frozenset(
    """
    anomalous anomaly anomalies abnormal flagged faulty defective defect alarm alarming unusual strange odd
    suspicious off
    """.split()  # noqa: SIM905
)
NORMAL = frozenset(
    """
    normal fine ok okay ordinary usual unremarkable inconspicuous
    """.split()  # noqa: SIM905
)

_CLOCK = re.compile(
    r"(?:\b(\d{4}-\d{2}-\d{2})(?:[ T](\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})?)?)"
    r"|\b(\d{1,2}:\d{2}(?::\d{2})?)\b"
)
_NUMBER = re.compile(
    r"(?<![\w.])(?<![A-Za-z]-)([-−+]?)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?:\s?[eE]([-−+]?\d+)|\s?[x×]\s?10\^?([-−]?\d+))?(?![\d])"
)
_SMALLER = {"d": ("h", "min", "s"), "h": ("min", "s"), "min": ("s",)}
"""Units that follow one another within one time."""
_OF_A_TIME = re.compile(r"\s?(?:days?|d|hours?|h|minutes?|min)(?:,|,? and)?\s+")
_HEDGE = re.compile(r"\b(?:about|around|roughly|nearly|almost|some|≈|~)\s*$")
_BOUND = re.compile(r"(<|>|≤|≥|below|under|less than|more than|over|above|at most|at least)\s*$")
_ROLES = (
    ("normal", re.compile(r"(?<!than )\b(?:(?:normal|usual|typical)(?:ly)?|expected|training|ordinarily)\b", re.I)),
    ("p", re.compile(r"\bp(?:-value)?(?: (?:is|of))?\s*(?:=|<|≤|is|of|:|\b)|\bp_value\b", re.I)),
    ("share", re.compile(r"\bshares?\b(?: of the (?:joint |total )?score)?|\bcarr(?:y|ies)\b|\bcontribut", re.I)),
    ("rate", re.compile(r"\brate\b|\bfalse[- ]alarms?\b", re.I)),
    ("interval", re.compile(r"\binterval\b", re.I)),
    ("score", re.compile(r"\bscores?\b", re.I)),
    ("size", re.compile(r"\bcalibration\b|\bsize\b", re.I)),
    ("distance", re.compile(r"\bdistances?\b", re.I)),
)  # fmt: skip


@dataclass(frozen=True)
class Number:
    """A number as written: its value, step shown, unit ("" if none), place in the text, role words near it."""

    value: float
    step: float
    unit: str
    text: str
    at: int
    role: str = ""
    hedged: bool = False
    bound: str = ""

    def base(self) -> tuple[float, str]:
        """Value and unit in base units: ms to s, % to a fraction.

        >>> abs(numbers("41 %")[0].base()[0] - 0.41) < 1e-9
        True
        """
        unit, scale = SCALES.get(self.unit, (self.unit, 1.0))
        return self.value * scale, unit


def role_of(words: str) -> str:
    """The last role word in `words`: "normal", "p", "share", "rate", "score", … or ""."""
    found = [(m.end(), role) for role, pattern in _ROLES for m in pattern.finditer(words)]
    return max(found)[1] if found else ""


def numbers(text: str, units: tuple[str, ...] = ()) -> list[Number]:
    """Numbers in `text`, digits and number words, in order; `units` are known units beside the common ones.

    A range's first number takes the unit of the second: "1.2 to 1.8 s" gives two numbers in seconds.
    """
    unit_words = sorted({*UNITS, *ALIASES, *(u for u in units if u)}, key=len, reverse=True)
    unit_at = re.compile(r"\s?(" + "|".join(map(re.escape, unit_words)) + r")(?![\w/²])")
    found: list[Number] = []
    for m in _NUMBER.finditer(text):
        sign = -1.0 if m[1] in ("-", "−") and not re.search(r"\d\s?$", text[: m.start()]) else 1.0
        exponent = int((m[4] or m[5] or "0").replace("−", "-"))
        decimals = len(m[3]) - 1 if m[3] else 0
        value = sign * float(m[2].replace(",", "") + (m[3] or "")) * 10.0**exponent
        unit = unit_at.match(text, m.end())
        before = text[max(0, m.start() - 60) : m.start()]
        clause = re.split(r"[;()]|, ", before)[-1]
        role = role_of(clause)
        after = text[m.end() : m.end() + 40]
        if re.match(r"\s?%? ?(?:share )?of the (?:joint |total )?score|\s?%? share", after):
            role = "share"
        elif re.match(
            r"\s?%? (?:declared |guaranteed )?(?:false-alarm |false alarm )?rate|\s?%? of normal cases", after
        ):
            role = "rate"
        elif re.match(r"\s?(?:normal )?calibration", after):
            role = "size"
        found.append(
            Number(
                value=value,
                step=10.0 ** (exponent - decimals),
                unit=ALIASES.get(unit[1], unit[1]) if unit else "",
                text=m[0],
                at=m.start(),
                role=role,
                hedged=bool(_HEDGE.search(before)),
                bound=(_BOUND.search(before) or [""])[0].strip(),
            )
        )
    for m in re.finditer(r"[A-Za-z]+", text):
        word = m[0].lower()
        if word in CARDINALS and word not in ("one", "zero"):
            found.append(Number(float(CARDINALS[word]), 1.0, "", m[0], m.start()))
        elif (
            word in ORDINALS
            and re.search(r"\b(?:the|its|a|E\d+,?)\s+$", text[: m.start()], re.I)
            and not re.match(r"\s+(?:of a|to\b)", text[m.end() :])
        ):
            found.append(Number(float(ORDINALS[word]), 1.0, "", m[0], m.start()))
    found = _whole_times(text, sorted(found, key=lambda n: n.at))
    for i in range(len(found) - 1):
        between = text[found[i].at + len(found[i].text) : found[i + 1].at]
        if not found[i].unit and re.fullmatch(r"\s*(?:to|and|–|-|—|until|or)\s*", between):
            found[i] = Number(**{**found[i].__dict__, "unit": found[i + 1].unit})
            found[i + 1] = Number(**{**found[i + 1].__dict__, "role": found[i].role})
    return found


def _whole_times(text: str, found: list[Number]) -> list[Number]:
    """The numbers with those that make one time ("3 h 24 min 10 s") as one, in seconds."""
    whole: list[Number] = []
    smallest = ""  # unit of the last number of the time that may go on
    for n in found:
        last = whole[-1] if whole else n
        if n.unit in _SMALLER.get(smallest, ()) and _OF_A_TIME.fullmatch(text[last.at + len(last.text) : n.at]):
            value = last.base()[0] + n.base()[0]
            step = n.step * SCALES.get(n.unit, ("", 1.0))[1]
            together = text[last.at : n.at + len(n.text)]
            whole[-1] = replace(last, value=value, step=step, unit="s", text=together)
        else:
            whole.append(n)
        smallest = n.unit
    return whole


def clocks(text: str) -> list[tuple[str, str]]:
    """Dates and clock times in `text` as (date or "", "HH:MM[:SS]" or "").

    >>> clocks("at 2026-03-02 09:15 or 9:20:01")
    [('2026-03-02', '09:15'), ('', '09:20:01')]
    """
    return [(m[1] or "", _padded(m[2] or m[3] or "")) for m in _CLOCK.finditer(text)]


def _padded(clock: str) -> str:
    """The clock time with two digits for the hour; "" stays."""
    return clock.zfill(5 if clock.count(":") == 1 else 8) if clock else ""


def without_clocks(text: str) -> str:
    """`text` with dates and clock times blanked, so that they are not read as numbers."""
    return _CLOCK.sub(lambda m: " " * len(m[0]), text)


def words(text: str) -> list[str]:
    """Lower-case words; underscores and hyphens part them."""
    return re.findall(r"[a-zà-öø-ÿ]+(?:'t)?", text.lower().replace("_", " ").replace("’", "'"))


def directions(text: str) -> set[str]:
    """{"up"}, {"down"}, both or neither; words of place ("lower left") are not directions.

    A spike or a jump goes up unless the next word says where it goes, or how far at most.

    >>> directions("rises above the range in the lower left corner"), directions("spikes down; jumps by at most 2")
    ({'up'}, {'down'})
    """
    plain = re.sub(rf"\b(?:upper|lower)[ -]{PLACE_NOUNS}\b", " ", text.lower())
    plain = re.sub(r"\b(?:spik|jump)\w* (?=up|down|by at most)", " ", plain)
    found = set(words(re.sub(r"\b(?:based|depends?|in|all|set|made|shut|broke) (?:over|up|down|under)\b", " ", plain)))
    return ({"up"} if found & UP else set()) | ({"down"} if found & DOWN else set())


def places(text: str) -> set[str]:
    """Named places: top, bottom, left, right, centre, edge, corner.

    >>> sorted(places("in the lower left corner")), places("lower than normal")
    (['bottom', 'corner', 'left'], set())
    """
    low = text.lower()
    found = {PLACES[w] for w in words(low) if w in PLACES}
    if re.search(rf"\blower[ -]{PLACE_NOUNS}\b", low):
        found.add("bottom")
    return found


def polarity(text: str) -> set[str]:
    """Which verdicts a text speaks of: "anomalous", "normal"; a negation before the word turns it round.

    >>> polarity("The case is not anomalous.")
    {'normal'}
    """
    tokens, found = words(text), set()
    for i, token in enumerate(tokens):
        kind = "anomalous" if token in ABNORMAL else "normal" if token in NORMAL else ""
        if not kind:
            continue
        if (
            kind == "normal"
            and i + 1 < len(tokens)
            and tokens[i + 1] not in ("and", "but", "at", "because", "with", "here", "for", "though")
        ):
            continue  # "normal cases", "normal range": a name, no verdict
        if kind == "normal" and i and tokens[i - 1] in ("than", "its", "the", "below", "above", "of", "from"):
            continue  # "higher than normal": a range
        negated = any(t in NEGATIONS for t in tokens[max(0, i - 3) : i])
        found.add({"anomalous": "normal", "normal": "anomalous"}[kind] if negated else kind)
    return found


def modalities(text: str) -> set[str]:
    """The modalities a text speaks of, by any of their names."""
    found = set(words(text))
    return {name for name, one in registered().items() if not found.isdisjoint(one.words)}
