"""Columns that count or time the recording itself (row numbers, counters, elapsed seconds, meters): no readings.

Such a column rises with the rows whatever the machine does. Learned as a reading it makes every later recording the
strangest ever seen, and a faulty one no stranger. Only what steps by whole numbers, or runs in proportion to the clock,
counts as one; any other column that rises (a tank that warms up) is a reading.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from mmdmad.parts.clock import UNITS, begins_again
from mmdmad.parts.sensor_columns import Column

INDEX = (
    *("index", "idx", "row", "rows", "no", "no.", "nr", "nr.", "#", "id", "sample", "record", "line", "entry", "n"),
    *("番号", "序号", "编号"),
)
ROWS, SURE = 8, 30
"""Rows from which on numbers are taken as what they look like: under a name that says so, and under any name."""
_COUNTS = (
    "index idx count counts counter cnt cycle cycles datapoint record records rec number num nr seq sequence "
    "sample samples scan scans frame frames packet row rows zaehler zähler zyklus zyklen lfd satz"
)
_OTHERWISE = "duty rate per set step phase stage state status mode program recipe level"
"""Words beside which one of the above names a reading: duty cycle, frame rate, step index."""
_CLOCKS = "time times zeit elapsed uptime runtime clock timer hours minutes seconds millis stunden"
_METERS = "counter totalizer totaliser cumulative accumulated odometer kwh mwh zaehler zähler zählerstand zaehlerstand"
_ENDS = ("zeit", "stunden", "zähler", "zaehler", "zählerstand", "zaehlerstand")
"""How compound words end that are one of the above."""


def no_reading(column: Column, times: np.ndarray, dated: bool, first: int = 0) -> str:
    """Why a column of numbers is no reading but counts or times the recording; "" where it is one.

    `times` (T,) are the seconds of the rows, `dated` whether a column holds them, `first` the number of the first row.
    A unit of something measured (°C) speaks for a reading: only a name can then say that the column counts.

    >>> column = Column("Data_Point", "", 1, None, np.arange(141.0, 281.0))
    >>> no_reading(column, np.arange(140.0), True)
    'numbers the rows'
    """
    values = column.numbers
    if values is None or not len(values) or not np.isfinite(values).all():
        return ""
    words, index = _words(column.name), is_index(column)
    counting = index or bool((_of(words, _COUNTS) or {"data", "point"} <= words) and not _of(words, _OTHERWISE))
    if _numbers_rows(values, first, index, counting, column.unit):
        return "numbers the rows"
    steps = np.diff(values)
    if len(values) < ROWS or values.min() < 0 or not (steps > 0).any():
        return ""
    if dated and (why := _timed(column, values, times, _of(words, _CLOCKS))):
        return why
    if (steps < 0).any():
        return ""
    if not dated and not column.unit and len(values) >= SURE and np.ptp(steps) <= 1e-3 * steps.min():
        return "rises evenly with the rows (if it is the time, call it that, with its unit: 'time [s]', 'time [d]')"
    if counting and (values == np.floor(values)).all() and len(np.unique(values)) > 2:
        return "is a count that only rises"
    if len(values) >= SURE and _of(words | _words(column.unit), _METERS):
        return "is a meter that only rises (if its rise matters, write each row's rise into a column of its own)"
    return ""


def elapsed(columns: Sequence[Column]) -> int | None:
    """The one column of a table without a clock that is called like elapsed time and always rises; None without it.

    >>> elapsed([Column("Test_Time", "s", 1, None, np.arange(9) * 0.5), Column("a", "", 2, None, np.arange(9.0))])
    0
    """
    found = [
        i
        for i, column in enumerate(columns)
        if (values := column.numbers) is not None
        and len(values) >= ROWS
        and _of(_words(column.name), _CLOCKS)
        and column.unit.lower() in ("", *UNITS)
        and (np.diff(values) > 0).all()
    ]
    return found[0] if len(found) == 1 else None


def restarted(columns: Sequence[Column]) -> tuple[int, int] | None:
    """The one column called like elapsed time that begins again from its begin, and the row where it first does.

    >>> restarted([Column("uptime", "s", 1, None, np.arange(40.0) % 20), Column("a", "", 2, None, np.arange(40.0))])
    (0, 20)
    """
    found = [
        (i, row)
        for i, column in enumerate(columns)
        if column.numbers is not None
        and len(column.numbers) >= ROWS
        and _of(_words(column.name), _CLOCKS)
        and (row := begins_again(column.numbers)) is not None
    ]
    return found[0] if len(found) == 1 else None


def is_index(column: Column) -> bool:
    """Whether a column is called like row numbers, or is the first and has no name."""
    name = column.name.strip().lower()
    return name in INDEX or name.startswith("unnamed:") or (not name and column.place == 1)


def _words(name: str) -> set[str]:
    """The words of a header, small, those at the end of a compound too."""
    apart = re.sub(r"(?<=[a-zäöü])(?=[A-Z])", " ", name)  # TestTime, but also kWh
    words = {*re.split(r"[\W_\d]+", name.lower()), *re.split(r"[\W_\d]+", apart.lower())} - {""}
    return words | {end for word in words for end in _ENDS if word.endswith(end)}


def _of(words: set[str], known: str) -> bool:
    return not words.isdisjoint(known.split())


def _numbers_rows(values: np.ndarray, first: int, index: bool, counting: bool, unit: str) -> bool:
    if not (index or len(values) >= ROWS) or (unit and not counting):
        return False
    one_by_one = bool((np.diff(values) == 1).all()) and values[0] == np.floor(values[0])
    return one_by_one and (counting or values[0] - first in (0, 1) or len(values) >= SURE)


def _timed(column: Column, values: np.ndarray, times: np.ndarray, named: bool) -> str:
    """Why a column runs like a clock beside that of the table, or like one that is set back to 0; "" where it does not.

    Under the name of a clock it may be off by a hundredth and by what it is rounded to; under any other it must agree
    to a thousandth of a step in all of at least SURE rows.
    """
    own = UNITS.get(column.unit.lower())
    if column.unit and own is None:
        return ""
    steps, ticks = np.diff(values), np.diff(times)
    if not (ticks > 0).any():
        return ""
    back = np.flatnonzero(steps < 0) + 1
    if len(back) and len(values) < 3 * (len(back) + 1):
        return ""
    if not named and (len(values) < SURE or (steps <= 0).any()):
        return ""
    step = float(np.median(ticks[ticks > 0]))
    begins = np.concatenate([[0], back, [len(values)]])
    for scale in (own,) if own is not None else sorted(set(UNITS.values())):
        rounded = scale * float(steps[steps > 0].min()) if named else 0.0
        fits = True
        for begin, end in pairwise(begins.tolist()):
            run, passed = scale * (values[begin:end] - values[begin]), times[begin:end] - times[begin]
            off = 0.01 * passed[-1] + min(rounded, 0.5 * float(times[-1])) if named else 1e-3 * step
            fits &= bool(np.abs(run - passed).max() <= off)
            fits &= begin == 0 or scale * values[begin] <= 1.01 * ticks[begin - 1] + rounded
        if fits and scale * float(steps[steps > 0].sum()) >= 0.5 * float(times[-1]):
            return "counts the time since something began" if len(back) else "runs with the clock"
    return ""
