"""Tables that hold several recordings side by side, each with times of its own: a row of them is no one time."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmdmad.parts.clock import named_time
from mmdmad.parts.dates import FORMS
from mmdmad.parts.sensor_columns import Columns

SAMPLE = 200
"""Cells of a column that are looked at to see if it holds dates."""


def several_clocks(table: Columns) -> str:
    """Why the rows of a table are no single times, and what to do; "" where they may be.

    Several columns of dates count, each with readings on its right, that are called alike or end at different rows, and
    do not hold the same times: the begin and the end of something have names of their own.
    """
    clocks = [i for i, column in enumerate(table.columns) if _holds_dates(column)]
    beside = [i for i in clocks if i + 1 < len(table.columns) and i + 1 not in clocks]
    if len(beside) < 2 or beside != clocks or any(_holds_clock(table.columns[i + 1]) for i in beside):
        return ""
    first, others = table.columns[beside[0]], [table.columns[i] for i in beside[1:]]
    alike = len({_called(table.names[i]) for i in beside}) == 1 and _called(table.names[beside[0]]) != ""
    lacking = any(column.null_count != first.null_count for column in others)
    if not (alike or lacking) or all(column.equals(first) for column in others):
        return ""
    places = ", ".join(str(i + 1) for i in beside)
    code = ", ".join(map(str, beside))
    return (
        f"columns {places} each hold the times of the readings on their right, so that a row is no one time: save each "
        "of them with its readings as a table of its own, or put them onto one clock (in pandas: pd.concat([table.iloc"
        f"[:, [i, i + 1]].dropna().set_index(table.columns[i]) for i in ({code})], axis=1).sort_index()"
        ".to_csv('one.csv', index_label='time'))"
    )


def _called(name: str) -> str:
    """The last word of a header if it is the name of a time, without a number behind it; else ""."""
    words = re.sub(r"[._ ]*\d*$", "", name.strip()).split()
    return words[-1].casefold() if words and named_time(words[-1]) is not None else ""


def _holds_clock(column: Any) -> bool:
    """Whether a column holds times of day: those of the dates on its left."""
    return _all_like(column, [FORMS["clock"]])


def _holds_dates(column: Any) -> bool:
    return _all_like(column, [form for name, form in FORMS.items() if name not in ("clock", "compact")])


def _all_like(column: Any, forms: Sequence[str]) -> bool:
    import pyarrow.compute as pc

    if isinstance(column, np.ndarray) or type(column).__name__ == "DatetimeIndex":
        return False
    sample = column.drop_null().slice(0, SAMPLE)
    return len(sample) > 1 and any(pc.all(pc.match_substring_regex(sample, form)).as_py() for form in forms)
