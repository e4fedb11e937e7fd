"""Parts of a second in a column of their own: milliseconds beside a time to the second."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import numpy as np

from mmdmad.parts.sensor_columns import Column

PARTS = {
    ("ms", "msec", "millis", "millisec", "millisecond", "milliseconds", "millisekunde", "millisekunden", "毫秒"): 1e-3,
    ("us", "µs", "μs", "usec", "micros", "microsec", "microsecond", "microseconds"): 1e-6,
}
"""What columns are called that hold a part of the second of the time beside them, and seconds a unit."""


def fraction(
    columns: Sequence[Column], gone: Collection[int], times: np.ndarray, dated: bool
) -> tuple[int, np.ndarray] | None:
    """The column of the milli- or microseconds of times to the second, and they in seconds; None without one."""
    if not dated or len(times) < 2 or (times != np.floor(times)).any():
        return None
    for i, column in enumerate(columns):
        values, name = column.numbers, column.name.strip().lower()
        scale = next((scale for words, scale in PARTS.items() if name in words or column.unit.lower() in words), None)
        if i in gone or values is None or scale is None or not np.isfinite(values).all():
            continue
        whole = (values == np.floor(values)).all() and values.min() >= 0 and values.max() * scale < 1
        parts = (np.diff(times) == 0).any() or not values.any()
        if whole and parts and (np.diff(times + values * scale) > 0).mean() >= 0.99:
            return i, values * scale
    return None


def added(times: np.ndarray, start: datetime | None, seconds: np.ndarray) -> tuple[np.ndarray, datetime | None]:
    """Times (T,) with their parts of a second, counted from the first of them again."""
    exact = times + seconds
    first = float(exact.min())
    return exact - first, None if start is None else start + timedelta(seconds=first)
