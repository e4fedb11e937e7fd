"""What stands in the gaps of a statement: a number, a name, one of some words, a quotation, a time.

Each knows how it is written in a language and where in a sentence it is said; what it does not know is not said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Protocol

from mmdmad.claims import numbers
from mmdmad.claims.base import Language
from mmdmad.claims.tokens import ends_of, names_of
from mmdmad.explain.when import LONG, spoken


class Slot(Protocol):
    """A gap of a statement with what fills it."""

    def written(self, language: Language) -> str:
        """What stands there."""

    def ends(self, given: list[str], at: int, language: Language) -> Iterator[int]:
        """Where it ends in the tokens of a sentence that say it from `at` on, for each way of reading it."""


@dataclass(frozen=True)
class Number:
    """A value with its unit."""

    value: float | int
    unit: str = ""

    def written(self, language: Language) -> str:
        """The number in the language's form, with its unit."""
        return numbers.written(self.value, self.unit, language)

    def ends(self, given: list[str], at: int, language: Language) -> Iterator[int]:
        """As `numbers.matches`."""
        return numbers.matches(given, at, self.value, self.unit, language)


@dataclass(frozen=True)
class Name:
    """A name or a text of the case, said as it is; capitals, blanks and underscores do not matter."""

    text: str

    def written(self, language: Language) -> str:
        """The text."""
        return self.text

    def ends(self, given: list[str], at: int, language: Language) -> Iterator[int]:
        """Where its tokens end."""
        end = ends_of(given, at, names_of(self.text))
        if end is not None:
            yield end


VERDICTS = frozenset(
    """
    normal normals usual fine ok okay good bad anomalous abnormal anomaly unusual odd faulty defective broken flagged
    unflagged nothing all every only none normale normaler auffällig unauffällig gemeldet alle gut schlecht defekt
    """.split()  # noqa: SIM905
)
LINKING = frozenset(
    """
    is are was were not no never without cannot but because and ist sind war nicht kein keine keinen nie ohne und aber
    """.split()  # noqa: SIM905
)
"""Words by which a name would say something: a group called "normal" makes no case a normal one. With a number beside
them ("good 001") the first are a name; the second never are."""


_MARKERS = ("group", "case", "channel", "gruppe", "fall", "kanal")
"""Words after which a name is read as one: "of group test/good"."""


@dataclass(frozen=True)
class Called(Name):
    """A name that the case brings; one that says something stands in quotation marks or after what it names."""

    def written(self, language: Language) -> str:
        """The name, in quotation marks where it would say something."""
        return f"“{self.text}”" if self._says() else self.text

    def ends(self, given: list[str], at: int, language: Language) -> Iterator[int]:
        """Where the name ends, or its closing mark."""
        named = at > 0 and given[at - 1].casefold() in _MARKERS and LINKING.isdisjoint(names_of(self.text))
        if named or not self._says():
            yield from super().ends(given, at, language)
        if not self._says():
            return
        end = ends_of(given, at, ['"', *names_of(self.text), '"'])
        if end is not None:
            yield end

    def _says(self) -> bool:
        words = names_of(self.text)
        numbered = any(word[:1].isdigit() for word in words)
        return not LINKING.isdisjoint(words) or (not numbered and not VERDICTS.isdisjoint(words))


@dataclass(frozen=True)
class Words:
    """One of several words that mean the same; the first is written."""

    en: tuple[str, ...]
    de: tuple[str, ...]

    def written(self, language: Language) -> str:
        """The first word of the language."""
        return (self.en if language == "en" else self.de)[0]

    def ends(self, given: list[str], at: int, language: Language) -> Iterator[int]:
        """Where any of the words ends."""
        for word in self.en if language == "en" else self.de:
            end = ends_of(given, at, names_of(word))
            if end is not None:
                yield end


@dataclass(frozen=True)
class Listing:
    """Several slots in a row, in any order: "image, text and video"; `link` stands before the last, by language."""

    items: tuple[Slot, ...]
    link: tuple[str, str] = ("and", "und")

    def written(self, language: Language) -> str:
        """The items with commas, and "and" before the last."""
        words = [one.written(language) for one in self.items]
        last = f" {self.link[language == 'de']} "
        return ", ".join(words[:-1]) + last + words[-1] if len(words) > 1 else "".join(words)

    def ends(self, given: list[str], at: int, language: Language) -> Iterator[int]:
        """Where all items are said; at most six may stand in another order."""
        link = self.link[language == "de"]
        orders = permutations(self.items) if len(self.items) <= 4 else [self.items]
        for order in orders:
            places = {at}
            for number, one in enumerate(order):
                starts = {p + 1 for p in places if number and p < len(given) and given[p].casefold() == link}
                places = {end for p in places | starts for end in one.ends(given, p, language)}
            yield from places


_ENDS: dict[Language, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "en": (("from", "between"), ("to", "until", "and", "–")),
    "de": (("von", "zwischen"), ("bis", "und", "–")),
}
"""Words before the first end of a stretch and between its ends; "from 1.3 s on" says that it has no other end."""
_AT: dict[Language, tuple[str, ...]] = {"en": ("at",), "de": ("bei",)}
_SINCE: dict[Language, tuple[str, ...]] = {"en": ("after",), "de": ("nach",)}


@dataclass(frozen=True)
class Time:
    """A moment (`stop` None) or a stretch, in seconds from the start of `file` ("": of the part).

    `clock`: the clock times of both ends; `frames`: the numbers of the first and last frame, where they have some.
    """

    start: float
    stop: float | None = None
    file: str = ""
    clock: tuple[str, ...] = ()
    frames: tuple[int, ...] = ()

    def written(self, language: Language) -> str:
        """With its preposition: "from 1.3 s to 4 s of pump.csv", "at 3.4 s"."""
        at, to, of = (" at ", " to ", " of ") if language == "en" else (" bei ", " bis ", " von ")
        first = "from " if language == "en" else "von "
        long = (self.start if self.stop is None else self.stop) >= LONG
        words = [_said(end, long, language) for end in self._ends()]
        text = at.strip() + " " + words[0] if self.stop is None else first + to.join(words)
        text += f"{of}{self.file}" if self.file else ""
        if self.frames:
            one = ("frame" if language == "en" else "Bild") if len({*self.frames}) == 1 else ""
            many = "frames" if language == "en" else "Bilder"
            text += f" ({one} {self.frames[0]})" if one else f" ({many} {self.frames[0]}{to}{self.frames[-1]})"
        if self.clock:
            same = len(self.clock) > 1 and self.clock[0][:10] == self.clock[1][:10]
            last = "" if len(self.clock) == 1 else to + (self.clock[1][11:] if same else self.clock[1])
            text += f" ({self.clock[0]}{last})"
        return text

    def _ends(self) -> tuple[float, ...]:
        return (self.start,) if self.stop is None else (self.start, self.stop)

    def ends(self, given: list[str], at: int, language: Language) -> Iterator[int]:
        """Where a time that says it ends: both ends, the first alone ("after 1.3 s"), or its length and start."""
        yield from self._after(given, self._seconds(given, at, language), language)

    def _seconds(self, given: list[str], at: int, language: Language) -> Iterator[int]:
        word = given[at].casefold() if at < len(given) else ""
        here = at + 1
        openers, links = _ENDS[language]
        if self.stop is None:
            if word in _AT[language]:
                yield from self._moment(given, here, self.start, language)
            yield from self._moment(given, at, self.start, language)
            return
        begin = here if word in openers else at
        for end in self._moment(given, begin, self.start, language, bare=True):
            if end < len(given) and given[end].casefold() in links:
                yield from self._moment(given, end + 1, self.stop, language)
        if word in _SINCE[language]:
            yield from self._moment(given, here, self.start, language)

    def _moment(self, given: list[str], at: int, value: float, language: Language, bare: bool = False) -> Iterator[int]:
        read = numbers.bare if bare else numbers.matches
        yield from read(given, at, value, "s", language)
        end = ends_of(given, at, names_of(_said(value, True, language)))
        if end is not None:
            yield end

    def _after(self, given: list[str], ends: Iterator[int], language: Language) -> Iterator[int]:
        """With what may follow: the file, frames, the clock; "into the recording"."""
        into = (["into", "the", "recording"], ["into", "the", "clip"]) if language == "en" else ()
        tails = [[], *into]
        rest = names_of(self.written(language))
        for marker in ("of", "von"):
            if self.file and marker in rest:
                cut = len(rest) - rest[::-1].index(marker) - 1
                tails += [rest[cut : cut + 1 + len(names_of(self.file))]]
        for end in ends:
            for tail in tails:
                stop = end if not tail else ends_of(given, end, tail)
                if stop is None:
                    continue
                yield stop
                yield from self._details(given, stop, language)

    def _details(self, given: list[str], at: int, language: Language) -> Iterator[int]:
        """Frames and clock in brackets, as they are written."""
        bare = Time(self.start, self.stop, self.file)
        base = len(names_of(bare.written(language)))
        for one in (
            Time(self.start, self.stop, self.file, (), self.frames),
            Time(self.start, self.stop, self.file, self.clock, ()),
            self,
        ):
            tail = names_of(one.written(language))[base:]
            end = ends_of(given, at, tail)
            if end is not None:
                yield end


def _said(seconds: float, long: bool, language: Language) -> str:
    text = spoken(seconds, 9, long)
    return text.replace(".", ",").replace("day", "Tag") if language == "de" else text


@dataclass(frozen=True)
class Pair:
    """Two numbers of one unit that belong together: a range ("1.2 to 1.8 A") or a size ("30 by 40 px")."""

    first: Number
    second: Number
    size: bool = False

    def written(self, language: Language) -> str:
        """Both numbers with their units."""
        link = {"en": ("to", "by"), "de": ("bis", "mal")}[language][self.size]
        return f"{self.first.written(language)} {link} {self.second.written(language)}"

    def ends(self, given: list[str], at: int, language: Language) -> Iterator[int]:
        """Where the second number ends; the first may leave its unit to it."""
        links = ("by", "x", "×", "mal") if self.size else ("to", "and", "–", "-", "bis", "und")
        for end in numbers.bare(given, at, self.first.value, self.first.unit, language):
            if end < len(given) and given[end].casefold() in links:
                yield from self.second.ends(given, end + 1, language)
