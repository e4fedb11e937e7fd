"""Statements that evidence can make: how each is written in English and German, and in which other words it is known.

A frame says what is claimed; what of a piece of evidence fills it is a `View`. Frames stand with the readers of their
kinds of evidence (`of_case`, `of_sensor`, `of_text`, `of_pictures`).
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from mmdmad.claims.base import LANGUAGES, Language, Polarity, Relation
from mmdmad.claims.slots import Called, Name, Number, Pair, Slot, Time, Words
from mmdmad.findings import EvidenceKind, Fact
from mmdmad.modalities.base import modalities

CASE = {
    "en": "([the] case {case}|{case}|the case|this case|it)",
    "de": "([der] Fall {case}|{case}|der Fall|dieser Fall|er)",
}
PART = {
    "en": "([the|its] {part} [part|data]|the part)",
    "de": "([der Teil|Teil|das|der|die|sein|seine|ihr|ihre] {part})",
}
CHANNEL = {"en": "([the] [channel] {channel})", "de": "([der] [Kanal] {channel})"}
MACROS = {"@case": CASE, "@part": PART, "@channel": CHANNEL}


@dataclass(frozen=True)
class Frame:
    """One statement: `field` in `relation` to what fills the slot `value`; `en` and `de` write it.

    `known` are further patterns (`claims.patterns`) of sentences that say just this.
    """

    name: str
    field: str
    relation: Relation
    value: str
    en: str
    de: str
    polarity: Polarity = ""
    known_en: tuple[str, ...] = ()
    known_de: tuple[str, ...] = ()

    def text(self, language: Language) -> str:
        """How it is written, with {slots}."""
        return self.en if language == "en" else self.de

    def patterns(self, language: Language) -> tuple[str, ...]:
        """Patterns of all sentences that say it."""
        return _patterns(self, language)

    def filled(self, language: Language) -> tuple[str, ...]:
        """The patterns with what their short forms stand for."""
        own = re.sub(r"[()|]|(?<=\})-", " ", self.text(language)).replace(";", r" \; ")
        return tuple(_filled(p, language) for p in (own, *(self.known_en if language == "en" else self.known_de)))


@lru_cache(maxsize=1024)
def _patterns(frame: Frame, language: Language) -> tuple[str, ...]:
    return frame.filled(language)


def _filled(pattern: str, language: Language) -> str:
    for mark, words in MACROS.items():
        pattern = pattern.replace(mark, words[language])
    return pattern


NAMING = frozenset(
    ("case", "channel", "line", "quote", "part", "given", "nearest_normal_case", "nearest_normal_cases", "caption")
)
"""Slots that say what a statement is about."""
OF_SEVERAL = frozenset(("channel", "words", "neighbour", "part", "contradiction"))
"""Kinds of which a case has several pieces; their statements are about one channel, line or part among others."""


def leans(kind: EvidenceKind, polarity: Polarity, said: Collection[str]) -> bool:
    """Whether a statement with these slots is about what was said before it: "normal cases reach at most 3 A".

    >>> leans("channel", "unusual", ["channel", "when"]), leans("channel", "", ["mean"])
    (False, True)
    """
    if kind in ("verdict", "context", "missing") or NAMING & {*said}:
        return False
    return kind in OF_SEVERAL or not polarity


@dataclass
class View:
    """One piece of evidence as its reader sees it: facts by name, and the slots that they fill."""

    kind: EvidenceKind
    part: str
    facts: dict[str, Fact]
    caption: str
    slots: dict[str, Slot] = field(default_factory=dict)

    def number(self, name: str) -> float | None:
        """The value of a fact that is a number, or None."""
        found = self.facts.get(name)
        return None if found is None or isinstance(found.value, str) else float(found.value)

    def text(self, name: str) -> str:
        """The value of a fact that is a text, or ""."""
        found = self.facts.get(name)
        return found.value if found is not None and isinstance(found.value, str) else ""

    def pair(self, name: str, first: str, second: str, size: bool = False) -> None:
        """A slot made of two facts, where both are there."""
        one, two = self.facts.get(first), self.facts.get(second)
        if one is None or two is None or isinstance(one.value, str) or isinstance(two.value, str):
            return
        self.slots[name] = Pair(Number(one.value, one.unit), Number(two.value, two.unit), size)


Reader = Callable[[View], Sequence[str]]
"""Fills further slots of a view and names the frames that hold of it, in the order in which they are told."""


def view(kind: EvidenceKind, part: str | None, facts: Sequence[Fact], caption: str) -> View:
    """The view of a piece of evidence, with a slot for each fact, its part, its place and its time."""
    made = View(kind, part or "", {f.name: f for f in facts}, caption)
    for f in facts:
        made.slots[f.name.replace(" ", "_")] = _slot(f)
    if part:
        made.slots["part"] = part_words(part)
    if (time := _time(made)) is not None:
        made.slots["when"] = time
    return made


CALLED = ("case", "group", "channel", "nearest normal case", "group of the part", "group of the others", "file")
"""Facts that are names from outside."""


def _slot(f: Fact) -> Slot:
    if not isinstance(f.value, str):
        return Number(f.value, f.unit)
    if f.name in ("place", "direction", "normal direction"):
        return WAYS.get(f.value, Name(f.value))
    return Called(f.value) if f.name in CALLED else Name(f.value)


def _time(made: View) -> Time | None:
    start, stop, moment = made.number("start"), made.number("stop"), made.number("time")
    file, clock = made.text("file"), tuple[str, ...]()
    if moment is not None:
        clock = (made.text("clock time"),) if "clock time" in made.facts else ()
        return Time(moment, None, file, clock, _frames(made, "frame"))
    if start is None or stop is None:
        return None
    if start >= stop:
        clock = tuple(filter(None, (made.text("clock time") or made.text("start time"),)))
        return Time(start, None, file, clock, _frames(made, "frame"))
    clock = tuple(filter(None, (made.text("start time"), made.text("stop time"))))
    return Time(start, stop, file, clock, _frames(made, "first frame", "last frame"))


def _frames(made: View, *names: str) -> tuple[int, ...]:
    values = (made.number(name) for name in names)
    return tuple(int(v) for v in values if v is not None)


GERMAN_PARTS = {"image": ("Bild", "Foto"), "text": ("Text", "Log"), "sensor": ("Sensor", "Sensordaten"),
                "video": ("Video", "Clip")}  # fmt: skip


def part_words(part: str) -> Words:
    """What a part is called: its name first, then its other words; in German for the parts that ship."""
    known = modalities().get(part)
    own = tuple(w for w in (known.words if known else ()) if w != part)
    return Words((part, *own), GERMAN_PARTS.get(part, (part,)))


WAYS: dict[str, Slot] = {
    "up": Words(("up", "upwards", "upward"), ("nach oben", "aufwärts")),
    "down": Words(("down", "downwards", "downward"), ("nach unten", "abwärts")),
    "left": Words(("left", "the left"), ("links", "nach links")),
    "right": Words(("right", "the right"), ("rechts", "nach rechts")),
    "centre": Words(("centre", "center", "the centre", "the middle", "middle"), ("Mitte", "der Mitte")),
    "up and left": Words(("up and left",), ("nach links oben",)),
    "up and right": Words(("up and right",), ("nach rechts oben",)),
    "down and left": Words(("down and left",), ("nach links unten",)),
    "down and right": Words(("down and right",), ("nach rechts unten",)),
    "upper left": Words(("upper left", "the upper left", "top left", "the top left"), ("oben links",)),
    "upper right": Words(("upper right", "the upper right", "top right", "the top right"), ("oben rechts",)),
    "lower left": Words(("lower left", "the lower left", "bottom left", "the bottom left"), ("unten links",)),
    "lower right": Words(("lower right", "the lower right", "bottom right", "the bottom right"), ("unten rechts",)),
    "upper centre": Words(("upper centre", "the upper centre", "top centre"), ("oben in der Mitte",)),
    "lower centre": Words(("lower centre", "the lower centre", "bottom centre"), ("unten in der Mitte",)),
}
"""Places in a picture and ways of moving; "up" is a place to nothing else."""


def check_frames(frames: Sequence[Frame]) -> None:
    """ValueError where two frames have one name or one has no words in a language."""
    names = [f.name for f in frames]
    wrong = {n for n in names if names.count(n) > 1} | {f.name for f in frames for at in LANGUAGES if not f.text(at)}
    if wrong:
        raise ValueError(f"frames of one name, or without words: {', '.join(sorted(wrong))}")
