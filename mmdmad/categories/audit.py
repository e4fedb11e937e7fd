"""Whether the prompts of a category can work: said before they are used, with the reason for each weak one.

Without pictures: phrases that mean the same, words that a text-image model reads the other way round ("without a crack"
is near cracks), names of other categories, states that are not balanced, defects that a thing of this kind can have and
nobody wrote down. With normal pictures, and anomalous ones where there are some: whether a prompt is nearer to the
pictures it should be near.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mmdmad.categories.category import NORMAL, Category, Language, Wording, names
from mmdmad.categories.grammar import defects
from mmdmad.metrics import auroc

Reason = Literal[
    "duplicate", "crossed", "negation", "other category", "nothing said", "unbalanced", "not covered", "weak"
]
Embed = Callable[[Sequence[str]], np.ndarray]
"""Embeddings (P, E), each of length one, of P texts."""

ALIKE = 0.97
"""Cosine from which two phrases mean the same."""
FACTOR = 3
"""Times as many phrases that one defect may have as another."""
NEGATIONS = {
    "en": re.compile(r"\b(?:no|not|without|free of|never|lacks?|non)\b|-free\b", re.I),
    "de": re.compile(r"\b(?:keine?[rmns]?|nicht|ohne|frei von|nie)\b|\w+frei(?:e[rmns]?)?\b", re.I),
}


@dataclass(frozen=True)
class Fault:
    """What is wrong: the state and the phrase (None: with the state as a whole), the reason, and how it shows."""

    state: str
    phrase: str | None
    reason: Reason
    said: str


@dataclass(frozen=True)
class Audit:
    """What was found in the words of one language.

    `separation` is, by state, the AUROC of the pictures of that state (all anomalous ones, for a defect) against the
    others by these prompts; without anomalous pictures the share of normal pictures that are nearer to the normal
    prompts; None where there were no pictures.
    """

    category: str
    language: Language
    prompts: int
    faults: tuple[Fault, ...]
    separation: dict[str, float] | None = None


def audit(
    category: Category,
    language: Language = "en",
    *,
    embed: Embed | None = None,
    normal: np.ndarray | None = None,
    anomalous: np.ndarray | None = None,
) -> Audit:
    """Look at the words of a category in one language.

    `embed` gives embeddings of texts, by which phrases are compared (without it, by their letters). `normal` (N, E) and
    `anomalous` (M, E) are embeddings of pictures in the same space, each of length one.

    >>> from mmdmad.categories.grammar import write
    >>> audit(write("steel screw")).faults
    ()
    """
    words = category.words(language)
    faults = [*_said_twice(words, embed), *_wrong_words(category, words, language), *_as_a_whole(category, words)]
    separation = None
    if normal is not None and embed is not None:
        separation, weak = _separation(words, embed, normal, anomalous)
        faults += weak
    return Audit(category.name, language, sum(map(len, words.prompts().values())), tuple(faults), separation)


def _phrases(words: Wording) -> list[tuple[str, str]]:
    return [(state, p) for state, phrases in {NORMAL: words.normal, **words.anomalous}.items() for p in phrases]


def _said_twice(words: Wording, embed: Embed | None) -> list[Fault]:
    """Phrases that mean the same as an earlier one of their state; worse, of the other side of normal."""
    every = _phrases(words)
    texts = [phrase.replace("{}", words.noun) for _, phrase in every]
    if embed is None:
        same = np.array([[float(_letters(a) == _letters(b)) for b in texts] for a in texts])
    else:
        vectors = embed(texts)
        same = vectors @ vectors.T
    faults = []
    for i, (state, phrase) in enumerate(every):
        for j in range(i):
            if same[i, j] < ALIKE:
                continue
            other, near = every[j]
            if state == other:
                faults.append(
                    Fault(state, phrase, "duplicate", f"means the same as {near!r} (cosine {same[i, j]:.3f})")
                )
            elif NORMAL in (state, other):
                said = f"means the same as {near!r} of {other} (cosine {same[i, j]:.3f})"
                faults.append(Fault(state, phrase, "crossed", said))
            else:
                continue
            break
    return faults


def _wrong_words(category: Category, words: Wording, language: Language) -> list[Fault]:
    faults = []
    others = [name for name in names() if name != category.name and name not in words.noun.lower()]
    for state, phrase in _phrases(words):
        found = NEGATIONS[language].search(phrase.replace("{}", ""))
        if state == NORMAL and found:
            said = f"{found[0]!r} denies a defect, which text-image models read as that defect; say what is there"
            faults.append(Fault(state, phrase, "negation", said))
        low = phrase.lower()
        for name in others:
            if re.search(rf"\b{re.escape(name)}\b", low):
                faults.append(Fault(state, phrase, "other category", f"names another category, {name!r}"))
                break
        if state != NORMAL and _letters(phrase) in {_letters(p) for p in ("{}", "a {}", "ein {}", *words.normal)}:
            faults.append(Fault(state, phrase, "nothing said", "says nothing that a normal state does not say"))
    return faults


def _as_a_whole(category: Category, words: Wording) -> list[Fault]:
    faults = []
    sizes = {state: len(phrases) for state, phrases in words.anomalous.items()}
    fewest = min(sizes.values())
    for state, size in sizes.items():
        if size > FACTOR * fewest:
            said = f"{size} phrases, where another defect has {fewest}: it would outvote that one"
            faults.append(Fault(state, None, "unbalanced", said))
    if len(words.normal) < 2:
        faults.append(Fault(NORMAL, None, "unbalanced", "one phrase for all that is normal; two or more are needed"))
    known = {_letters(state) for state in (*sizes, *category.cannot_have)}
    for defect in defects(category.name, category.modality):
        if _letters(defect) not in known:
            faults.append(Fault(defect, None, "not covered", "things of this kind can have it; no phrase says it"))
    return faults


def _separation(
    words: Wording, embed: Embed, normal: np.ndarray, anomalous: np.ndarray | None
) -> tuple[dict[str, float], list[Fault]]:
    """How well the mean prompt of each state parts the pictures, and phrases that part them the wrong way."""
    prompts = words.prompts()
    centre = {state: _unit(embed(texts).mean(axis=0)) for state, texts in prompts.items()}
    other = np.empty((0, normal.shape[1])) if anomalous is None else anomalous
    pictures = np.concatenate([normal, other])
    odd = np.r_[np.zeros(len(normal)), np.ones(len(other))]
    usual = pictures @ centre[NORMAL]
    margins = {state: pictures @ centre[state] - usual for state in words.anomalous}
    worst = np.max([*margins.values()], axis=0)
    if len(other):
        found = {NORMAL: auroc(odd, worst), **{state: auroc(odd, margin) for state, margin in margins.items()}}
    else:
        found = {NORMAL: float((worst < 0).mean()), **{s: float((m < 0).mean()) for s, m in margins.items()}}
    faults = []
    for state, phrases in words.anomalous.items():
        for phrase in phrases:
            texts = [t.replace("{}", phrase.replace("{}", words.noun)) for t in words.templates]
            margin = pictures @ _unit(embed(texts).mean(axis=0)) - usual
            if len(other) and (value := auroc(odd, margin)) < 0.5:
                said = f"is nearer to normal pictures than to anomalous ones (AUROC {value:.2f})"
                faults.append(Fault(state, phrase, "weak", said))
            elif not len(other) and (share := float((margin > 0).mean())) > 0.5:
                said = f"is nearer to {100 * share:.0f} % of the normal pictures than the normal prompts are"
                faults.append(Fault(state, phrase, "weak", said))
    return found, faults


def _unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), np.float64)


def _letters(text: str) -> str:
    return re.sub(r"[^\w{}]+", " ", text.lower()).strip()
