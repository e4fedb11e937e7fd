"""Numbers as claims write them and as sentences spell them, in English and German: value, unit, rounding, bounds."""

import re
from collections.abc import Iterator
from functools import lru_cache

from mmdmad.claims.base import Language
from mmdmad.claims.tokens import tokens
from mmdmad.claims.units import ALIASES, CARDINALS, SCALES, UNITS, ZAHLEN, in_base
from mmdmad.explain.words import number

LOOSE = 0.1
"""Share by which a rounded number may be off at most; a number that says it is about right, half of it."""
NEAR = 0.08
"""Share by which a bound ("more than 10") may lie beside the value; a farther one may pass a limit told beside it."""
HEDGES = {
    "en": ("about", "around", "roughly", "some", "approximately", "~", "≈"),
    "de": ("etwa", "rund", "ungefähr", "circa", "ca", "~", "≈"),
}
UNDER = {
    "en": ("almost", "nearly", "just under", "at most", "less than", "up to"),
    "de": ("fast", "höchstens", "knapp"),
}
OVER = {"en": ("more than", "over", "just over", "at least"), "de": ("mehr als", "über", "mindestens", "gut")}


def written(value: float | int, unit: str = "", language: Language = "en") -> str:
    """A number with its unit as a claim writes it; German has a decimal comma.

    >>> written(0.0588, "m/s"), written(12.5, "%", "de"), written(1230)
    ('0.0588 m/s', '12,5 %', '1230')
    """
    text = number(value)
    text = text.replace(".", ",") if language == "de" else text
    return f"{text} {unit}" if unit else text


def matches(given: list[str], at: int, value: float | int, unit: str, language: Language) -> Iterator[int]:
    """Where a number that says this value ends, beginning at `at`: one end for each way to read it.

    A unit must be said where the value has one, in any of its scales (1300 ms for 1.3 s). What is said must be the
    value rounded to the decimals that are said; a whole number without a unit is a count and must be equal.
    """
    for start, bound in _led(given, at, language):
        for end, stated, step in _stated(given, start, language):
            for stop, spelt in _unit(given, end, unit):
                if _says(stated, step, spelt, value, unit, bound):
                    yield stop


def bare(given: list[str], at: int, value: float | int, unit: str, language: Language) -> Iterator[int]:
    """As `matches`, for the first of two numbers that share a unit: "1.3 to 4 s"."""
    yield from matches(given, at, value, unit, language)
    for end, stated, step in _stated(given, at, language):
        if unit and _says(stated, step, unit, value, unit, ""):
            yield end


def _led(given: list[str], at: int, language: Language) -> Iterator[tuple[int, str]]:
    yield at, ""
    for kind, words in (("about", HEDGES), ("under", UNDER), ("over", OVER)):
        for word in words[language]:
            some = word.split(" ")
            if [t.casefold() for t in given[at : at + len(some)]] == some:
                yield at + len(some), kind


def _stated(given: list[str], at: int, language: Language) -> Iterator[tuple[int, float, float]]:
    """The number at a place: where it ends, its value, and the step of its last digit."""
    if at >= len(given):
        return
    word = given[at].casefold()
    spelt = (CARDINALS if language == "en" else ZAHLEN).get(word)
    if spelt is not None:
        yield at + 1, float(spelt), 1.0
        return
    whole, mark, thousand = word, ".", ","
    if language == "de":
        mark, thousand = ",", "."
    if re.fullmatch(r"[-+]?\d{1,3}(?:" + re.escape(thousand) + r"\d{3})+(?:" + re.escape(mark) + r"\d+)?", whole):
        whole = whole.replace(thousand, "")
    if re.fullmatch(r"[-+]?\d+(?:" + re.escape(mark) + r"\d+)?", whole):
        decimals = len(whole.partition(mark)[2])
        yield at + 1, float(whole.replace(mark, ".")), 10.0**-decimals


def _unit(given: list[str], at: int, unit: str) -> Iterator[tuple[int, str]]:
    """Where the unit at a place ends and which it is; nothing is a unit too where the value is a share or has none."""
    if not unit or unit == "%":
        yield at, ""
    if not unit:
        return
    for spelt, meant in _spellings(unit):
        end = at + len(spelt)
        if tuple(given[at:end]) == spelt:
            yield end, meant


@lru_cache
def _spellings(unit: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    base = SCALES.get(unit, (unit, 1.0))[0]
    alike = {unit} | ({one for one in UNITS if SCALES.get(one, (one, 1.0))[0] == base} if base else set())
    words = {one: one for one in alike} | {word: one for word, one in ALIASES.items() if one in alike}
    return tuple((tuple(tokens(word)), one) for word, one in words.items())


def _says(stated: float, step: float, spelt: str, value: float, unit: str, bound: str) -> bool:
    if not unit and float(value).is_integer() and isinstance(value, int):
        return stated == value if bound == "" else bound == "about" and abs(stated - value) <= 0.05 * abs(value)
    truth, said = in_base(float(value), unit)[0], in_base(stated, spelt)[0]
    if unit == "%" and spelt == "" and stated > 1:
        return False
    slack = 0.5 * step * abs(SCALES.get(spelt, ("", 1.0))[1]) * (1 + 1e-9) + 1e-12
    off = abs(said - truth)
    if bound in ("over", "under"):  # the value cut to the digits that are said, or raised to them: 11 for 10.5, not 12
        beside = (truth - said) * (1 if bound == "over" else -1)
        last = _last_digit(stated, step) * abs(SCALES.get(spelt, ("", 1.0))[1])
        return 0 <= beside < last * (1 - 1e-9) and beside <= NEAR * abs(truth)
    if bound == "about":
        return off <= max(slack, 0.5 * LOOSE * abs(truth)) and off <= LOOSE * abs(truth)
    return off <= slack and off <= LOOSE * abs(truth) + 1e-12


def _last_digit(stated: float, step: float) -> float:
    """The step of the last digit that is not zero; of 120 it is 10.

    >>> _last_digit(120.0, 1.0), _last_digit(0.5, 0.1), _last_digit(0.0, 1.0)
    (10.0, 0.1, 1.0)
    """
    while step >= 1 and stated and stated % (10 * step) == 0:
        step *= 10
    return step
