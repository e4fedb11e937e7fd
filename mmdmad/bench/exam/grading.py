"""Grading answers by code: what an answer says is read by rules of its own, not by those that wrote it.

Each grader takes the last answer's text and returns whether it is right. All of them can fail: an empty answer, an
answer about another case, or one that says everything at once is wrong.
"""

import re
from collections.abc import Callable, Collection

Grader = Callable[[str], bool]

NAMES = {
    "image": r"images?|pictures?|photos?", "text": r"texts?|logs?|messages?", "sensor": r"sensors?|readings?",
    "video": r"videos?|clips?",
}  # fmt: skip
DECLINED = re.compile(
    r"\bcannot\b|\bcan't\b|\bcan not\b|\bunable\b|\bdo(?:es)? not (?:know|say|hold|tell)\b|no information|"
    r"not in the evidence",
    re.I,
)
_ID = re.compile(r"\b(?:test|train)-\d{5}\b")


def _plain(text: str) -> str:
    """The answer without its citations, case ids, dates and clock times."""
    text = re.sub(r"\[[^\]]*\]", " ", text)
    return re.sub(r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}:\d{2}(?::\d{2})?\b", " ", _ID.sub(" ", text))


def count(expected: int) -> Grader:
    """The first number of the answer is the expected one; "no" and "none" are 0."""

    def right(text: str) -> bool:
        found = re.search(r"\d+(?:\.\d+)?", _plain(text))
        if found is None or (
            expected == 0 and re.search(r"\b(?:no|none|nothing)\b", _plain(text)[: found.start()], re.I)
        ):
            return expected == 0 and bool(re.search(r"\b(?:no|none|nothing)\b", text, re.I))
        return float(found[0]) == expected

    return right


def first_case(*allowed: str) -> Grader:
    """The first case named is one of these."""
    return lambda text: (m := _ID.search(re.sub(r"\[[^\]]*\]", "", text))) is not None and m[0] in allowed


def names_cases(expected: Collection[str]) -> Grader:
    """Exactly these cases are named."""
    return lambda text: set(_ID.findall(re.sub(r"\[[^\]]*\]", "", text))) == set(expected)


def first_of(expected: Collection[str], known: Collection[str]) -> Grader:
    """Of the known names, the first one in the answer is an expected one; blanks and underscores are alike."""

    def right(text: str) -> bool:
        plain = _plain(text).replace("_", " ").lower()
        at = {n: plain.find(n.replace("_", " ").lower()) for n in known}
        seen = [n for n in sorted(at, key=lambda n: at[n]) if at[n] >= 0]
        return bool(seen) and seen[0] in expected

    return right


def first_part(expected: Collection[str]) -> Grader:
    """The first part named (by any of its names) is an expected one."""

    def right(text: str) -> bool:
        at = {m: f.start() for m, words in NAMES.items() if (f := re.search(rf"\b(?:{words})\b", _plain(text), re.I))}
        return bool(at) and min(at, key=lambda m: at[m]) in expected

    return right


def says_part(expected: Collection[str]) -> Grader:
    """At least one of these parts is named."""
    return lambda text: any(re.search(rf"\b(?:{NAMES[m]})\b", _plain(text), re.I) for m in expected)


def verdict(case: str, expected: str) -> Grader:
    """The answer gives this case this verdict and no other."""
    anomalous = re.compile(r"(?<!not )\b(?:is|as|was) (?:flagged|anomalous)|flagged as anomalous", re.I)
    normal = re.compile(r"\b(?:judged|is|was|looks) normal\b|\bnot (?:flagged|anomalous)\b", re.I)

    def right(text: str) -> bool:
        own = " ".join(s for s in re.split(r"(?<=[.!?])\s", re.sub(r" ?\[[^\]]*\]", "", text)) if case in s)
        said = {"anomalous": bool(anomalous.search(own)), "normal": bool(normal.search(own))}
        return said.get(expected, False) and not any(v for k, v in said.items() if k != expected)

    return right


def number(expected: float, unit: str = "") -> Grader:
    """A number of the answer (with this unit) is the expected one, to at least two significant digits."""

    def right(text: str) -> bool:
        found = re.findall(rf"(?<![\w.])(\d+(?:\.\d+)?(?:e-?\d+)?)\s?{re.escape(unit)}", _plain(text))
        return any(abs(float(f) - expected) <= 0.01 * abs(expected) + 1e-12 for f in found)

    return right


def overlaps(start: float, stop: float, slack: float = 0.25) -> Grader:
    """The first time span (or moment) in seconds overlaps the true one, and is not longer than thrice it plus 1 s."""

    def right(text: str) -> bool:
        plain = _plain(text)
        span = re.search(r"(\d+(?:\.\d+)?) ?s?(?:ec\w*)? (?:to|and|until|–) (\d+(?:\.\d+)?) ?s\b", plain)
        moment = re.search(r"\bat (\d+(?:\.\d+)?) ?s\b", plain)
        first = min((m for m in (span, moment) if m), key=lambda m: m.start(), default=None)
        if first is None:
            return False
        a, b = float(first[1]), float(first[first.lastindex or 1])
        return a <= stop + slack and b >= start - slack and b - a <= 3 * (stop - start) + 1

    return right


def place(box: tuple[float, float, float, float], size: float) -> Grader:
    """The first place named is where the box's centre lies, in thirds; within 8 % of a border both sides count."""
    across, down = (box[0] + box[2]) / 2 / size, (box[1] + box[3]) / 2 / size

    def thirds(x: float, names: tuple[str, str, str]) -> set[str]:
        return {names[0 if v < 1 / 3 else 2 if v > 2 / 3 else 1] for v in (x - 0.08, x, x + 0.08)}

    rows, columns = thirds(down, ("upper", "", "lower")), thirds(across, ("left", "", "right"))

    def right(text: str) -> bool:
        found = re.search(
            r"\b(?:(upper|lower|top|bottom)[ -]?)?(left|right|centre|center|middle)\b", _plain(text), re.I
        )
        if not found:
            return False
        row = {"top": "upper", "bottom": "lower"}.get((found[1] or "").lower(), (found[1] or "").lower())
        column = found[2].lower() if found[2].lower() in ("left", "right") else ""
        return row in rows and column in columns

    return right


def quotes(words: str) -> Grader:
    """The answer quotes at least one telling word (five letters or more) of the true ones."""
    telling = {w for w in re.findall(r"[a-z]+", words.lower()) if len(w) >= 5} or set(
        re.findall(r"[a-z]+", words.lower())
    )
    return lambda text: any(
        w in q for q in [x.lower() for x in re.findall(r"“([^”]+)”|\"([^\"]+)\"", text) for x in x] for w in telling
    )


def contains(*pieces: str) -> Grader:
    """Every piece stands in the answer."""
    return lambda text: all(p.lower() in text.lower() for p in pieces)


def declined(text: str) -> bool:
    """The answer says that it cannot tell, and cites nothing."""
    return bool(DECLINED.search(text)) and not re.search(r"\[[^\]]*E\d+", text)


def both(*graders: Grader) -> Grader:
    """All of them."""
    return lambda text: all(g(text) for g in graders)
