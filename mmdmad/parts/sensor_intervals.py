"""Rows that begin and end: of two columns of times the begin is the time of a row, and the end is left out."""

import re
from collections.abc import Sequence

import numpy as np

from mmdmad.parts.dates import DAY, Stamps
from mmdmad.parts.sensor_columns import Column

_ENDS = (
    *("end", "ends", "ending", "ended", "stop", "stopped", "to", "until", "till", "finish", "finished", "off"),
    *("bis", "ende", "endzeit", "enddatum", "fin", "hasta", "fine", "fino", "einde", "eind", "tot", "slut", "koniec"),
    *("endtime", "enddate", "stoptime", "endtimestamp", "結束", "结束", "終了"),
)
"""Words in the names of columns that hold the ends of rows."""


def ends_of(columns: Sequence[Column], dated: dict[int, Stamps]) -> dict[int, int]:
    """Which columns of times hold the ends of rows, and which hold their begins: places of `columns`, end to begin.

    A column is one of ends where its name says so and another of its kind, whose name does not, is never later: by the
    clock, where times of day go past midnight.

    >>> def clock(name, *hours):
    ...     seconds = 3600 * np.array(hours)
    ...     return Column(name, "", 1, None, dates=Stamps(seconds, np.zeros_like(seconds), "clock"))
    >>> columns = [clock("Zeit bis", 23, 0), clock("Zeit von", 22, 23)]
    >>> ends_of(columns, {i: column.dates for i, column in enumerate(columns)})
    {0: 1}
    """
    called = {i for i in dated if _says_end(columns[i].name)}
    found = {}
    for end in sorted(called):
        for begin in sorted(set(dated) - called):
            if dated[begin].kind == dated[end].kind and _before(dated[begin], dated[end]):
                found[end] = begin
                break
    return found


def told(columns: Sequence[Column], ends: dict[int, int]) -> list[str]:
    """What was decided, in words."""
    return [
        f"column {columns[end].said} holds the end of what {columns[begin].said} begins, and is left out: a row has "
        "the time of its begin"
        for end, begin in ends.items()
    ]


def ends_of_days(days: np.ndarray, clock: np.ndarray) -> np.ndarray:
    """Which rows (T,) have midnight as the end of their date: 00:00 behind later times of one date, as its last row.

    >>> ends_of_days(np.array([0, 0, 86400, 86400]), np.array([64800, 0, 64800, 0])).tolist()
    [False, True, False, True]
    """
    late = np.zeros(len(days), bool)
    late[1:] = (clock[1:] == 0) & (days[1:] == days[:-1]) & (clock[:-1] > DAY / 2)
    last = np.append(days[1:] != days[:-1], True)
    forward = bool((np.diff(days) >= 0).all())
    return late if forward and late.any() and bool(last[late].all()) else np.zeros(len(days), bool)


def _says_end(name: str) -> bool:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return any(word in _ENDS for word in re.split(r"[\W\d_]+", apart.lower()))


def _before(begin: Stamps, end: Stamps) -> bool:
    """Whether no row ends before it begins; the clock may go past midnight, or back by an hour, within a row."""
    late = (end.seconds - begin.seconds) + (end.nanos - begin.nanos) / 1e9
    if begin.kind == "clock":
        late = np.where(late < -DAY / 2, late + DAY, late)
    back = late < 0
    # Where clocks go back, 02:45 ends at 02:00.
    later = begin.kind == "date" or bool(late.any())
    return bool((late[back] >= -3600).all() and 20 * back.sum() <= len(late)) and later
