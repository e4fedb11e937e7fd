"""What two versions of a category differ in, and a version without the prompts that an audit found fault with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mmdmad.categories.audit import Fault
from mmdmad.categories.category import NORMAL, Category, Language, Wording


@dataclass(frozen=True)
class Change:
    """A phrase that one version has and the other has not."""

    kind: Literal["added", "removed"]
    language: Language
    state: str
    phrase: str


def difference(before: Category, after: Category) -> tuple[Change, ...]:
    """The phrases removed and added, by language and state; nouns and templates count as states of that name.

    >>> from mmdmad.categories.grammar import write
    >>> difference(write("steel screw"), write("steel screw"))
    ()
    """
    old, new = _said(before), _said(after)
    gone = [Change("removed", *key) for key in old if key not in set(new)]
    return (*gone, *(Change("added", *key) for key in new if key not in set(old)))


def prune(category: Category, faults: Sequence[Fault], language: Language = "en") -> Category:
    """The next version, without the phrases of `faults`; the last phrase of the normal state, or of all, stays.

    A defect that loses all its phrases is left out.
    """
    words = category.words(language)
    bad = {(fault.state, fault.phrase) for fault in faults if fault.phrase is not None}
    normal = tuple(p for p in words.normal if (NORMAL, p) not in bad) or words.normal[:1]
    kept = {d: tuple(p for p in phrases if (d, p) not in bad) for d, phrases in words.anomalous.items()}
    anomalous = {d: phrases for d, phrases in kept.items() if phrases}
    if not anomalous:
        first = next(iter(words.anomalous))
        anomalous = {first: words.anomalous[first][:1]}
    left = words.model_copy(update={"normal": normal, "anomalous": anomalous})
    if left == words:
        return category
    checked = Wording.model_validate(left.model_dump())
    return category.model_copy(update={language: checked, "version": category.version + 1})


def _said(category: Category) -> list[tuple[Language, str, str]]:
    found: list[tuple[Language, str, str]] = []
    for language in category.languages:
        words = category.words(language)
        states = {"noun": (words.noun,), NORMAL: words.normal, **words.anomalous, "templates": words.templates}
        found += [(language, state, phrase) for state, phrases in states.items() for phrase in phrases]
    return found
