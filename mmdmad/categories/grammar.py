"""Category prompts without a model: from a vocabulary of materials, processes, machines, logs and scenes.

What goes wrong with a thing follows from what it is made of and how: the entries of `prompts/vocabulary.yaml` whose
words occur in the noun give its defects, beside the general ones of its modality.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any

from mmdmad.cases import Modality
from mmdmad.categories.category import Category, Language, Wording
from mmdmad.errors import ConfigError
from mmdmad.yaml_files import plain_yaml

GENERAL = "general"


def kinds(noun: str, modality: Modality) -> tuple[str, ...]:
    """Entries of the vocabulary that a noun's words belong to; none where it has no such word.

    >>> kinds("steel screw", "image"), kinds("Wasserpumpe", "sensor"), kinds("thing", "image")
    (('metal',), ('rotating', 'fluid'), ())
    """
    return tuple(name for name, entry in _entries(modality).items() if _names(entry.get("words", ()), noun))


def defects(noun: str, modality: Modality) -> tuple[str, ...]:
    """The names of the defects that a thing can have, those of its own kind first.

    >>> defects("glass bottle", "image")[:3]
    ('crack', 'chip', 'bubble')
    """
    entries = _entries(modality)
    return tuple(dict.fromkeys(d for kind in (*kinds(noun, modality), GENERAL) for d in entries[kind]["defects"]))


def write(noun: str, modality: Modality = "image", *, nouns: Mapping[Language, str] | None = None) -> Category:
    """A category of a thing, in the languages for which `nouns` has its word (English alone: `noun` itself).

    ConfigError for a noun that cannot be a name, or a modality that the vocabulary does not know.

    >>> made = write("steel screw")
    >>> made.author, "a rusty steel screw" in made.words().prompts()["rust"][0]
    ('grammar', True)
    """
    said: Mapping[Language, str] = {"en": noun} if nouns is None else nouns
    name = re.sub(r"[^a-z0-9]+", " ", noun.lower()).strip()
    if not name or len(name) > 60:
        raise ConfigError(f"{noun!r} cannot be the name of a category; give a few words in Latin letters")
    own = tuple(dict.fromkeys(kind for word in (noun, *said.values()) for kind in kinds(word, modality)))
    words = {language: _wording(word, own, modality, language) for language, word in said.items()}
    return Category(name=name, modality=modality, author="grammar", en=words.get("en"), de=words.get("de"))


def _wording(word: str, of: Sequence[str], modality: Modality, language: Language) -> Wording:
    entries = _entries(modality)
    own = [entries[kind] for kind in of]
    normal = list(entries[GENERAL]["normal"][language])
    anomalous: dict[str, tuple[str, ...]] = {}
    for entry in own:
        normal += [phrase for phrase in entry["normal"][language] if phrase not in normal]
    for entry in (*own, entries[GENERAL]):
        for defect, phrases in entry["defects"].items():
            anomalous.setdefault(defect, tuple(phrases[language]))
    return Wording(
        noun=word,
        normal=tuple(_article(phrase, word, language) for phrase in normal),
        anomalous={d: tuple(_article(p, word, language) for p in phrases) for d, phrases in anomalous.items()},
        templates=tuple(_vocabulary()["templates"][modality][language]),
    )


def _article(phrase: str, noun: str, language: Language) -> str:
    """The phrase with "an" where the noun begins with a vowel."""
    if language != "en" or noun[:1].lower() not in "aeio":
        return phrase
    return re.sub(r"\b([Aa]) \{\}", r"\1n {}", phrase)


def _names(words: Sequence[str], noun: str) -> bool:
    """Whether one of the words occurs in the noun: whole, in the plural, or inside a compound (from five letters)."""
    low = noun.lower()
    whole = any(re.search(rf"\b{re.escape(word.lower())}(?:s|es)?\b", low) for word in words)
    return whole or any(len(word) > 4 and word.lower() in low.split()[-1] for word in words)


def _entries(modality: Modality) -> dict[str, Any]:
    found = _vocabulary().get(modality)
    if found is None or modality == "templates":
        known = [name for name in _vocabulary() if name != "templates"]
        raise ConfigError(f"the vocabulary has no words for {modality!r}; it has {', '.join(known)}")
    return dict(found)


@lru_cache(maxsize=1)
def _vocabulary() -> dict[str, Any]:
    file = resources.files("mmdmad.prompts") / "vocabulary.yaml"
    return dict(plain_yaml(file.read_text(encoding="utf-8")))
