"""Claims in words: a clause for each, joined only as their times and their polarity allow.

The one place where a claim becomes words.
"""

from collections.abc import Sequence
from typing import Literal, get_args

from mmdmad.claims.base import Claim, Language
from mmdmad.claims.making import FRAMES, seen_by

Join = Literal["none", "and", "also", "then", "while", "but"]
JOINS: tuple[Join, ...] = get_args(Join)
_WORDS: dict[Language, dict[str, str]] = {
    "en": {"and": " and ", "also": "; also, ", "then": ", then ", "while": ", while ", "but": ", but "},
    "de": {"and": " und ", "also": "; außerdem: ", "then": ", dann: ", "while": ", zugleich: ", "but": ", aber: "},
}


def clause(claim: Claim, language: Language = "en") -> str:
    """What a claim says, without capital and full stop."""
    slots = seen_by(claim).slots
    filled = {name: slot.written(language) for name, slot in slots.items()}
    return " ".join(FRAMES[claim.frame].text(language).format(**filled).split())


def fits(join: str, before: Claim, after: Claim) -> str:
    """Why two claims may not be joined so; "" where they may.

    "then" needs a later start, "while" times that overlap (of one recording, both), "but" a normal and an unusual side.
    """
    if join not in JOINS:
        return f"join {join!r} was given; allowed are {', '.join(JOINS)}"
    if join == "but":
        return "" if {before.polarity, after.polarity} == {"unusual", "usual"} else '"but" needs two sides that differ'
    if join not in ("then", "while"):
        return ""
    if before.span is None or after.span is None:
        return f'"{join}" needs two claims with times'
    if before.subject.name != after.subject.name or _file(before) != _file(after):
        return f'"{join}" needs times of one recording'
    if join == "then":
        return "" if after.span[0] > before.span[0] else '"then" needs a later start'
    return "" if max(before.span[0], after.span[0]) <= min(before.span[1], after.span[1]) else '"while" needs one time'


def joined(claims: Sequence[Claim], joins: Sequence[str], language: Language = "en") -> str:
    """Claims as sentences; `joins[i]` stands before claim i, and where it does not fit, a new sentence begins."""
    sentences: list[str] = []
    for i, claim in enumerate(claims):
        join = joins[i] if i < len(joins) else "none"
        words = clause(claim, language)
        if not i or join in ("none", "") or fits(join, claims[i - 1], claim):
            sentences.append(words)
        else:
            sentences[-1] += _WORDS[language][join] + words
    return " ".join(f"{_high(s)}." for s in sentences)


def _file(claim: Claim) -> str:
    return next((str(f.value) for f in claim.facts if f.name == "file"), "")


def _high(text: str) -> str:
    return text if "_" in text.split(" ")[0] else text[:1].upper() + text[1:]
