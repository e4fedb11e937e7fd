"""Tables whose newest row stands first, as monitors write them: turned round before they are looked at."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmdmad.parts.clock import is_epoch
from mmdmad.parts.dates import DAY, Stamps
from mmdmad.parts.sensor_columns import Column

NOTE = "the newest row stands first: rows are read, and counted, from the last to the first"
FEWEST = 3
"""Rows from which on an order is told."""


def falls(times: np.ndarray) -> bool:
    """Whether times (T,) go back from row to row, all of them.

    >>> falls(np.array([3.0, 2.0, 2.0, 1.0])), falls(np.array([3.0, 1.0, 2.0])), falls(np.zeros(3))
    (True, False, False)
    """
    steps = np.diff(times)
    return len(times) >= FEWEST and bool((steps <= 0).all() and (steps < 0).any())


def falls_unnamed(columns: Sequence[Column]) -> bool:
    """Whether a clock without dates, or a column that counts from 1970, goes back from row to row."""
    dates = [column.dates for column in columns if column.dates is not None]
    if any(stamps.kind != "clock" for stamps in dates):
        return False
    if any(_clock_falls(stamps.seconds + stamps.nanos / 1e9) for stamps in dates):
        return True
    numbers = [column.numbers for column in columns if column.numbers is not None]
    return not dates and any(is_epoch(values[::-1]) and falls(values) for values in numbers)


def turned(columns: Sequence[Column]) -> list[Column]:
    """Columns with their last row first."""
    return [
        replace(
            column,
            numbers=None if column.numbers is None else column.numbers[::-1].copy(),
            dates=None if column.dates is None else _turned(column.dates),
            codes=None if column.codes is None else column.codes[::-1].copy(),
        )
        for column in columns
    ]


def _turned(stamps: Stamps) -> Stamps:
    ahead = None if stamps.ahead is None else stamps.ahead[::-1]
    return replace(stamps, seconds=stamps.seconds[::-1], nanos=stamps.nanos[::-1], ahead=ahead)


def _clock_falls(seconds: np.ndarray) -> bool:
    """Whether times of day go back in all steps but those over midnight."""
    steps = np.diff(seconds)
    back = steps < 0
    return len(seconds) >= FEWEST and bool(
        (back | (steps == 0) | (steps > DAY / 2)).all() and 2 * back.sum() > len(steps)
    )
