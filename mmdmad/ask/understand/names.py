"""Names of groups and channels in a question: as they are spelt, nearly so, or by one of their words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmdmad.ask.understand.vocabulary import is_known

NEUTRAL = "pieces"  # stands for a name once it is read, so that the words of names are not read again
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*", re.UNICODE)


@dataclass(frozen=True)
class Named:
    """The names that a text holds, whether they are `several` by one word ("vibration"), and the text without them.

    `corrected` are words with a slip of the pen, each with the name that it was read as.
    """

    names: tuple[str, ...]
    rest: str
    several: bool = False
    corrected: tuple[tuple[str, str], ...] = ()


def named(text: str, known: Sequence[str]) -> Named:
    """The names of `known` that the text holds; each becomes a neutral word there.

    Names are found as they stand (blank for underscore, with a plural s), with a slip of the pen, or by a word that is
    in them and in no list of usual words.

    >>> named("flagged brik tiles", ["brick tile", "moon plate"])
    Named(names=('brick tile',), rest='flagged pieces', several=False, corrected=(('brik tiles', 'brick tile'),))
    >>> named("anything with vibration?", ["vibration_x", "vibration_y", "load"]).names
    ('vibration_x', 'vibration_y')
    """
    found: list[str] = []
    mended: list[tuple[str, str]] = []
    for name in sorted(known, key=len, reverse=True):
        spelt = re.escape(name).replace("_", "[_ ]").replace(r"\ ", "[_ ]")
        text, times = re.subn(rf"(?<![\w-]){spelt}(?:e?s)?(?![\w-])", f" {NEUTRAL} ", text, flags=re.I)
        found += [name] * bool(times)
    for name in known:
        nearly = _nearly(text, name) if name not in found else None
        if nearly is not None:
            mended.append((text[nearly[0] : nearly[1]], name))
            text = text[: nearly[0]] + NEUTRAL + text[nearly[1] :]
            found.append(name)
    if found:
        return Named(tuple(name for name in known if name in found), re.sub(r" +", " ", text), corrected=tuple(mended))
    for m in _WORD.finditer(text):
        word = m[0].lower().removesuffix("s")
        own = tuple(name for name in known if word in _words(name)) if len(word) > 3 and not is_known(m[0]) else ()
        if own:
            return Named(own, text[: m.start()] + NEUTRAL + text[m.end() :], several=len(own) > 1)
    return Named((), text)


def not_there(text: str, known: Sequence[str]) -> str:
    """A channel or group that the text speaks of by a kind word ("the oil temperature channel") and that is not known.

    >>> not_there("since the oil temperature channel failed", ["oil_pressure"])
    'oil temperature'
    >>> not_there("the odd vibration channel", ["vibration_x"])
    ''
    """
    for m in re.finditer(r"((?:[\w-]+ ){1,3})(?:channels?|signals?|kanäle?n?)\b", text, re.I):
        words: list[str] = []
        for word in reversed(m[1].split()):
            if is_known(word) or word == NEUTRAL:
                break
            words.insert(0, word)
        asked = {word.lower() for word in words}
        if asked and not any(asked <= {*_words(name), name.lower()} for name in known):
            return " ".join(words)
    return ""


def _words(name: str) -> list[str]:
    return [word.removesuffix("s") for word in re.split(r"[\W_]+", name.lower()) if len(word) > 2]


def _nearly(text: str, name: str) -> tuple[int, int] | None:
    """Where words stand that differ from the name by a slip: one letter of five to eight, two of more."""
    wanted = name.lower().replace("_", " ")
    allowed = 0 if len(wanted) < 5 else 1 if len(wanted) < 9 else 2
    if not allowed:
        return None
    spans = [(m.start(), m.end()) for m in _WORD.finditer(text.replace("_", " "))]
    words = len(wanted.split())
    for i, count in ((i, n) for n in (words, words - 1) if n for i in range(len(spans) - n + 1)):
        start, stop = spans[i][0], spans[i + count - 1][1]
        given = text[start:stop].lower().replace("_", " ")
        if all(is_known(word) for word in given.split()) or given[:1] != wanted[:1] or given in _words(name):
            continue
        if min(distance(given, wanted), distance(given, wanted + "s")) <= allowed:
            return start, stop
    return None


def distance(a: str, b: str) -> int:
    """Letters to change, add, drop or exchange with their neighbour to make `b` of `a` (optimal string alignment).

    >>> distance("brik tile", "brick tile"), distance("laod", "load")
    (1, 1)
    """
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row, before = row, [i], row if i == 1 else before
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = last
    return row[-1]
