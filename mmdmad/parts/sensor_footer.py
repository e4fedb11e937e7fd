"""Rows at the ends of a table that are no readings: sums and marks below, settings above. They have no time."""

import re
from dataclasses import replace
from typing import Any

import numpy as np

from mmdmad.parts.dates import FORMS
from mmdmad.parts.sensor_columns import Columns

MOST, FEWEST = 3, 8
"""Rows that may stand below the readings, and rows with a time that must stand above them."""

LEAD = 40
"""Rows without a time that may stand above the readings; at most a fifth of all."""


def without_footer(table: Columns) -> Columns:
    """A table without the last rows that have no date or time of day where all others have one; the notes name them."""
    for words in table.columns:
        if isinstance(words, np.ndarray) or type(words).__name__ == "DatetimeIndex" or len(words) < FEWEST + MOST:
            continue
        last = words.slice(len(words) - MOST)
        told = [_dated(word) for word in last.to_pylist()]
        if all(told) or not _all_dated(words.slice(0, FEWEST)) or not _all_dated(words.slice(0, len(words) - MOST)):
            continue
        spare = next(k for k in range(1, MOST + 1) if k == MOST or told[MOST - 1 - k])
        if told[-1]:  # a row among others that has none: not the end
            continue
        rows = "the last row has" if spare == 1 else f"the last {spare} rows have"
        first = next((word for word in last.to_pylist()[MOST - spare :] if word), None)
        what = "no time" if first is None else f"no time ({first[:30]!r})"
        note = f"{rows} {what} and {'is' if spare == 1 else 'are'} left out"
        return replace(table, columns=[one[: len(one) - spare] for one in table.columns], notes=(*table.notes, note))
    return table


def without_lead(table: Columns) -> Columns:
    """A table without the first rows that have no date where all below them have one, which the notes say.

    Devices write their owner, settings and limits so (glucose meters): limits are no readings.
    """
    for words in table.columns:
        if isinstance(words, np.ndarray) or type(words).__name__ == "DatetimeIndex" or len(words) < FEWEST:
            continue
        many = next((k for k, word in enumerate(words.slice(0, LEAD + 1).to_pylist()) if word is not None), 0)
        if not 0 < many <= LEAD or 5 * many > len(words) or not _all_dated(words.slice(many)):
            continue
        rows, are = ("row has", "is") if many == 1 else (f"{many} rows have", "are")
        note = f"the first {rows} no time and {are} left out: they are no readings"
        return replace(table, columns=[one[many:] for one in table.columns], notes=(*table.notes, note))
    return table


def _dated(word: str | None) -> bool:
    return word is not None and any(re.match(form, word) for form in FORMS.values())


def _all_dated(words: Any) -> bool:
    import pyarrow.compute as pc

    if words.null_count or not len(words):
        return False
    head = words[0].as_py()
    form = next((form for form in FORMS.values() if pc.match_substring_regex(words.slice(0, 1), form)[0].as_py()), None)
    return head is not None and form is not None and bool(pc.all(pc.match_substring_regex(words, form)).as_py())
