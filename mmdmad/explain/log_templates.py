"""Templates of log lines: what lines of one kind have in common, and what stands where they differ.

An online miner after Drain (He, Zhu, Zheng and Lyu, "Drain: an online log parsing approach with fixed depth tree",
ICWS 2017): lines are compared with templates of as many words and the same first word only, and join the most similar
one, in which words that differ become places `<*>`. Departures from Drain: words with digits are places from the start,
places keep what stood in them, and to match is to agree in every other word, so that a template says what was matched.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mmdmad.explain.ranges import Count
from mmdmad.saved import require

PLACE = "<*>"
ALIKE = 0.6
"""Share of its words in which a line agrees with a template that it joins."""
MAX_TEMPLATES, MAX_WORDS, MAX_VALUES, MAX_LENGTH = 5_000, 60, 12, 40
"""Templates kept, words of a line that are looked at, values kept of a place, letters kept of a word."""
MAX_COMPARED = 200
"""Templates of one length and first word; where logs have more, later lines are not told apart."""
FEWEST_LINES, REPEATED = 20, 0.5
"""A log is a text of at least so many normal lines, this share of which follow a template that another follows too."""
RARE = 10
"""A place is told to have a new value where so many lines stand behind each value it had."""

Word = Annotated[str, Field(max_length=MAX_LENGTH)]


class _Template(BaseModel):
    model_config = ConfigDict(extra="forbid")

    words: Annotated[list[Word], Field(min_length=1, max_length=MAX_WORDS)]
    lines: Annotated[int, Field(ge=1)]
    values: dict[int, Annotated[list[Word], Field(max_length=MAX_VALUES)] | None]


class SavedTemplates(BaseModel):
    """The templates of a model as they are stored."""

    model_config = ConfigDict(extra="forbid")

    templates: Annotated[list[_Template], Field(max_length=MAX_TEMPLATES)]
    n_lines: Count
    full: bool


@dataclass
class Template:
    """Words that lines have in common, how many lines, and what stood in each place (None: too much to be kept)."""

    words: list[str]
    lines: int = 0
    values: dict[int, dict[str, None] | None] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Its words as one line."""
        return " ".join(self.words)

    def agrees(self, words: list[str]) -> bool:
        """Whether a line has every word of it that is no place."""
        return len(words) == len(self.words) and all(a in (PLACE, b) for a, b in zip(self.words, words, strict=True))

    def likeness(self, words: list[str]) -> float:
        """The share of words in which a line with its digits taken for places agrees."""
        return sum(a == b for a, b in zip(self.words, words, strict=True)) / len(words)

    def join(self, words: list[str]) -> None:
        """Count one more line; where it differs there is a place from now on."""
        for at, (own, word) in enumerate(zip(self.words, words, strict=True)):
            if own not in (PLACE, word):
                self.values[at] = {own: None}
                self.words[at] = PLACE
            if self.words[at] == PLACE:
                self._keep(at, word)
        self.lines += 1

    def _keep(self, at: int, word: str) -> None:
        known = self.values.setdefault(at, {})
        if known is not None and word not in known:
            self.values[at] = None if len(known) == MAX_VALUES else known | {word: None}


@dataclass(frozen=True)
class Match:
    """What a line follows: the template in words, how many normal lines follow it (0: it is new, of `of` lines in all).

    `value` is the first word that no normal line of the template has in its place, `place` the number of its word from
    1, `others` how many values that place had; "" where there is none that could be told.
    """

    template: str
    lines: int
    of: int
    value: str = ""
    place: int = 0
    others: int = 0


class Templates:
    """The templates of normal lines, learned line by line; `full`: there were more than are kept.

    >>> known = Templates()
    >>> for i in range(30): known.add(f"unit {i} leaves by the door {'left' if i % 2 else 'right'}")
    >>> known.match("unit 77 leaves by the door above")
    Match(template='unit <*> leaves by the door <*>', lines=30, of=30, value='above', place=7, others=2)
    >>> known.match("smoke near belt 4").template, known.match("smoke near belt 4").lines
    ('smoke near belt <*>', 0)
    """

    def __init__(self) -> None:
        self.n_lines, self.full, self._count = 0, False, 0
        self._by_head: dict[tuple[int, str], list[Template]] = defaultdict(list)

    @property
    def tells(self) -> bool:
        """Whether the lines were those of a log: most of them follow a template that another line follows too."""
        repeated = sum(one.lines for one in self._all() if one.lines > 1)
        return self.n_lines >= FEWEST_LINES and repeated >= REPEATED * self.n_lines

    def add(self, line: str) -> None:
        """Learn one normal line; a blank one is none."""
        words = words_of(line)
        if not words:
            return
        self.n_lines += 1
        some, plain = self._by_head[_head(words)], _plain(words)
        best = max(some, key=lambda one: one.likeness(plain), default=None)
        if best is None or not _alike(best, plain):
            if self._count >= MAX_TEMPLATES or len(some) >= MAX_COMPARED:
                self.full = True
                return
            best = Template(plain)
            some.append(best)
            self._count += 1
        best.join(words)

    def match(self, line: str) -> Match | None:
        """What a line follows, None for a blank one, or an unknown one where not all templates were kept."""
        words = words_of(line)
        if not words:
            return None
        own = [one for one in self._by_head.get(_head(words), ()) if one.agrees(words)]
        if not own:
            return None if self.full else Match(" ".join(_plain(words)), 0, self.n_lines)
        best = max(own, key=lambda one: (sum(word != PLACE for word in one.words), one.lines))
        for at, values in sorted(best.values.items()):
            if values is not None and words[at] not in values and best.lines >= RARE * len(values):
                return Match(best.text, best.lines, self.n_lines, words[at], at + 1, len(values))
        return Match(best.text, best.lines, self.n_lines)

    def state(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        found = [
            {
                "words": one.words,
                "lines": one.lines,
                "values": {str(at): None if some is None else [*some] for at, some in sorted(one.values.items())},
            }
            for one in self._all()
        ]
        return {"templates": found, "n_lines": self.n_lines, "full": self.full}

    @classmethod
    def from_state(cls, saved: SavedTemplates) -> "Templates":
        """What `state` described; ModelError where no fit can have written it."""
        made = cls()
        for one in saved.templates:
            places = {at for at, word in enumerate(one.words) if word == PLACE}
            require({*one.values} == places, "the places of a template are not those that have values")
            require(all(word and not word.isspace() for word in one.words), "a template has an empty word")
            values = {at: None if some is None else dict.fromkeys(some) for at, some in one.values.items()}
            made._by_head[_head(one.words)].append(Template(one.words, one.lines, values))
        made.n_lines, made.full, made._count = saved.n_lines, saved.full, len(saved.templates)
        require(sum(one.lines for one in made._all()) <= made.n_lines, "templates have more lines than there were")
        return made

    def _all(self) -> Iterator[Template]:
        return (one for some in self._by_head.values() for one in some)


def words_of(line: str) -> list[str]:
    """The words of a line as they are compared: the first ones, each cut where it is long.

    >>> words_of("  unit 7\\tleaves ")
    ['unit', '7', 'leaves']
    """
    return [word[:MAX_LENGTH] for word in line.split(maxsplit=MAX_WORDS)[:MAX_WORDS]]


def _plain(words: list[str]) -> list[str]:
    return [PLACE if re.search(r"\d", word) else word for word in words]


def _head(words: list[str]) -> tuple[int, str]:
    return len(words), PLACE if re.search(r"\d", words[0]) else words[0]


def _alike(one: Template, words: list[str]) -> bool:
    """Whether a line joins a template: it agrees in most words, and in at least one that is no place."""
    shared = any(a == b != PLACE for a, b in zip(one.words, words, strict=True))
    return one.likeness(words) >= ALIKE and (shared or one.words == words)
