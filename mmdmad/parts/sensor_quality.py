"""Columns that say which readings of a table hold (quality, validity): those of bad rows are no readings."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from mmdmad.parts.sensor_columns import Column

_NAMES = "quality qual validity valid qualität qualitaet gültig gueltig gültigkeit calidad qualité status statuscode q"
_VALID = "validity valid gültig gueltig gültigkeit"
_GOOD = "good valid gut gültig gueltig ok"
_BAD = "bad invalid uncertain questionable suspect schlecht ungültig ungueltig unsicher fehlerhaft"
OPC = 192
"""OPC qualities from here on are good (OPC Data Access 3.00, section 6.8)."""
_CODES = [code + limit for code in (*range(0, 32, 4), 64, 80, 84, 88, 192, 216) for limit in range(4)]
"""All that there are: bad, uncertain and good ones, each with two bits of limits."""
OPC_UA = 2**30
"""OPC UA status codes: 0 good, from here on uncertain or bad (OPC 10000-4, section 7.39)."""


@dataclass(frozen=True, eq=False)
class Quality:
    """The column `place` calls rows `bad` (T,); `test` is the condition of the good ones as pandas writes it."""

    place: int
    bad: np.ndarray
    test: str


def qualities(columns: Sequence[Column], gone: Collection[int]) -> list[Quality]:
    """The columns that say which rows hold; one called so whose values are no known qualities is a reading.

    Known are the words good, bad, uncertain, valid and invalid, the numbers of OPC and OPC UA, and 1 beside 0, 2 and 3
    where the column is called valid.

    >>> found = qualities([Column("Quality", "", 1, None, np.array([192.0, 192, 0, 192]))], ())
    >>> found[0].bad.tolist(), found[0].test
    ([False, False, True, False], '>= 192')
    """
    found = []
    for i, column in enumerate(columns):
        words = _words(column.name)
        if i in gone or not set(words) & set(_NAMES.split()):
            continue
        told = _of_words(column) if column.codes is not None else _of_numbers(column, words)
        if told is not None:
            found.append(Quality(i, *told))
    return found


def spoken_for(columns: Sequence[Column], found: Sequence[Quality], one: Quality) -> list[int]:
    """The columns whose readings a quality is of: the one it is named after, of several those on its left, else all."""
    others = {quality.place for quality in found}
    bare = [word for word in _words(columns[one.place].name) if word not in _NAMES.split()]
    named = [i for i, column in enumerate(columns) if i not in others and bare and _words(column.name) == bare]
    if named:
        return named
    if len(found) == 1:
        return [i for i in range(len(columns)) if i not in others]
    before = max((place for place in others if place < one.place), default=-1)
    return list(range(before + 1, one.place))


def no_labels(columns: Sequence[Column], found: Sequence[Quality], labels: Collection[int]) -> list[Quality]:
    """Those of some qualities that are no `labels`: a product is bad whatever it reads, a lost reading is one value.

    A column of labels is a quality where the readings it is of stand still in its bad rows, at one value or at that of
    the row above.
    """
    return [
        one for one in found if one.place not in labels or _stand_still(columns, spoken_for(columns, found, one), one)
    ]


def _stand_still(columns: Sequence[Column], places: Sequence[int], one: Quality) -> bool:
    rows = np.flatnonzero(one.bad)
    still = []
    for values in (columns[i].numbers for i in places):
        if values is None or not len(rows) or np.isnan(values[rows]).all():
            continue
        same = len(rows) > 1 and len(np.unique(values[rows])) == 1
        held = bool((values[rows] == values[np.maximum(rows - 1, 0)]).all())
        if len(np.unique(values)) > 2:
            still.append(same or held or bool((values[rows] == 0).all()))
    return bool(still) and sum(still) > len(still) / 2


def told_of(column: Column, one: Quality) -> str:
    """What a column of qualities decided, in plain words."""
    count = int(one.bad.sum())
    if not count:
        return f"column {column.said} calls every row good and is left out: it is not a reading"
    rows = "one row" if count == 1 else f"{count} rows"
    first = int(np.argmax(one.bad)) + 1
    return f"column {column.said} calls {rows} bad, the first row {first}: their readings are taken as missing"


def _words(name: str) -> list[str]:
    apart = re.sub(r"(?<=[a-zäöü])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[\W_]+", apart.casefold()) if word]


def _of_words(column: Column) -> tuple[np.ndarray, str] | None:
    words = [word.casefold().split("(")[0].split(",")[0].strip() for word in column.words]
    good = [word in _GOOD.split() for word in words]
    known = all(word in (_GOOD + " " + _BAD).split() for word in words)
    if not known or not any(good) or all(word == "ok" for word in words) or column.codes is None:
        return None
    bad = np.isin(column.codes, [code for code, fine in enumerate(good) if not fine])
    return bad, f"== {column.words[good.index(True)]!r}"


def _of_numbers(column: Column, words: Sequence[str]) -> tuple[np.ndarray, str] | None:
    values = column.numbers
    if values is None or column.unit or not np.isfinite(values).any():
        return None
    there = values[np.isfinite(values)]
    if (there != np.floor(there)).any() or there.min() < 0:
        return None
    if set(words) & set(_VALID.split()) and there.max() <= 3 and 2 * (there == 1).sum() >= len(there):
        return np.isfinite(values) & (values != 1), "== 1"
    if np.isin(there, _CODES).all() and 2 * (there >= OPC).sum() >= len(there):
        return values < OPC, f">= {OPC}"
    if there.max() >= OPC_UA and np.isin(there[there < OPC_UA], 0).all() and 2 * (there == 0).sum() >= len(there):
        return values >= OPC_UA, "== 0"
    return None
