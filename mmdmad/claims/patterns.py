"""The small language in which statements are written down, and how a sentence is held against one.

Words stand for themselves, `{name}` for what fills a slot, `[…]` may be left out, `(a|b)` is one of them, and
`<a;b;c>` any of them in any order, each at most once. A pattern matches tokens whole or not at all.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mmdmad.claims.base import Language
from mmdmad.claims.slots import Slot
from mmdmad.claims.tokens import tokens

_PIECE = re.compile(r"\{[\w-]+\}|[\[\](|)<;>]|\\.|[^\s\[\](|)<;>{}\\]+|\s+")


@dataclass(frozen=True)
class Word:
    """Tokens that are said as they are, in small letters."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Gap:
    """The slot of this name."""

    name: str


@dataclass(frozen=True)
class Row:
    """One after the other."""

    items: tuple["Node", ...]


@dataclass(frozen=True)
class Either:
    """One of them."""

    items: tuple["Node", ...]


@dataclass(frozen=True)
class Any:
    """Any of them, in any order."""

    items: tuple["Node", ...]


Node = Word | Gap | Row | Either | Any


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Node:
    """The pattern as a tree; ValueError where a bracket is not closed.

    >>> compiled("a [b]")
    Row(items=(Word(words=('a',)), Either(items=(Word(words=('b',)), Row(items=())))))
    """
    pieces = [p for p in _PIECE.findall(pattern) if not p.isspace()]
    node, rest = _either(pieces, ())
    if rest:
        raise ValueError(f"{pattern!r} has {rest[0]!r} without its other half")
    return node


def _either(pieces: list[str], stops: tuple[str, ...]) -> tuple[Node, list[str]]:
    ways: list[Node] = []
    items: list[Node] = []
    while pieces and pieces[0] not in stops:
        piece, *pieces = pieces
        if piece == "|":
            ways.append(Row(tuple(items)))
            items = []
        elif piece == "(":
            inner, pieces = _either(pieces, (")",))
            items.append(inner)
            pieces = _closed(pieces, ")")
        elif piece == "[":
            inner, pieces = _either(pieces, ("]",))
            items.append(Either((inner, Row(()))))
            pieces = _closed(pieces, "]")
        elif piece == "<":
            some = []
            while True:
                inner, pieces = _either(pieces, (";", ">"))
                some.append(inner)
                if not pieces or pieces[0] == ">":
                    break
                pieces = pieces[1:]
            items.append(Any(tuple(some)))
            pieces = _closed(pieces, ">")
        elif piece.startswith("{"):
            items.append(Gap(piece[1:-1]))
        elif piece in (")", "]", ">", ";"):
            return Row(tuple(items)), [piece, *pieces]
        else:
            said = tuple(t.casefold() for t in tokens(piece.removeprefix("\\")))
            if said:
                items.append(Word(said))
    row: Node = items[0] if len(items) == 1 else Row(tuple(items))
    return (Either((*ways, row)) if ways else row), pieces


def _closed(pieces: list[str], bracket: str) -> list[str]:
    if not pieces or pieces[0] != bracket:
        raise ValueError(f"{bracket!r} is missing")
    return pieces[1:]


def covers(given: list[str], said: Sequence[tuple[Node, Mapping[str, Slot]]], links: frozenset[str]) -> bool:
    """Whether English tokens are nothing but what these patterns say, one after the other, with links between."""
    reached, waiting = {0}, [0]
    while waiting:
        at = waiting.pop()
        starts = {at} | ({at + 1} if at and at < len(given) and given[at].casefold() in links else set())
        for start in starts:
            for node, slots in said:
                for end, _ in ends(node, given, start, slots, "en"):
                    if end not in reached:
                        reached.add(end)
                        waiting.append(end)
    return len(given) in reached


def ends(
    node: Node, given: list[str], at: int, slots: Mapping[str, Slot], language: Language
) -> Iterator[tuple[int, frozenset[str]]]:
    """Where the pattern ends that the tokens say from `at` on, with the slots that were said: once for each reading."""
    match node:
        case Word(words):
            if tuple(t.casefold() for t in given[at : at + len(words)]) == words:
                yield at + len(words), frozenset()
        case Gap(name):
            if name in slots:
                for end in {*slots[name].ends(given, at, language)}:
                    yield end, frozenset({name})
        case Either(items):
            for one in items:
                yield from ends(one, given, at, slots, language)
        case Row(items):
            yield from _row(items, given, at, slots, language)
        case Any(items):
            yield from _any(items, given, at, slots, language)


def _row(
    items: tuple[Node, ...], given: list[str], at: int, slots: Mapping[str, Slot], language: Language
) -> Iterator[tuple[int, frozenset[str]]]:
    if not items:
        yield at, frozenset()
        return
    for end, said in ends(items[0], given, at, slots, language):
        for stop, more in _row(items[1:], given, end, slots, language):
            yield stop, said | more


def _any(
    items: tuple[Node, ...], given: list[str], at: int, slots: Mapping[str, Slot], language: Language
) -> Iterator[tuple[int, frozenset[str]]]:
    for i, one in enumerate(items):
        rest = items[:i] + items[i + 1 :]
        for end, said in ends(one, given, at, slots, language):
            if end > at:
                for stop, more in _any(rest, given, end, slots, language):
                    yield stop, said | more
    yield at, frozenset()
