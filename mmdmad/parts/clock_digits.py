"""Times of day in digits beside a column of dates (101500): which of the ways to write them runs evenly."""

from collections.abc import Callable

import numpy as np

from mmdmad.parts.dates import DAY, Stamps

_WAYS = ("hhmmss", "hhmm", "hhmmssmmm", "seconds", "milliseconds")


def time_of_digits(values: np.ndarray, days: np.ndarray, said: str) -> Stamps | None:
    """Numbers (T,) as times of day of dates at `days` (T,) seconds; None where no time of day is written like this.

    The way that makes the time run most evenly over the rows counts. ValueError where two do equally.

    >>> day = np.full(4, 0)
    >>> time_of_digits(np.array([65800.0, 65900, 70000, 70100]), day, "'time'").seconds.tolist()
    [25080, 25140, 25200, 25260]
    """
    if not len(values) or not np.isfinite(values).all() or (values < 0).any():
        return None
    found = {way: seconds for way in _WAYS if (seconds := _as(way, values)) is not None}
    if not found:
        return None
    even = {way: _evenly(days + seconds) for way, seconds in found.items()}
    best = max(even, key=lambda way: even[way])
    rivals = [way for way in found if way != best and even[way] >= even[best] - 1e-9]
    if rivals:
        raise ValueError(f"column {said} beside a date may be {_SAID[best]} or {_SAID[rivals[0]]}; write 10:15:00")
    seconds = found[best]
    whole = np.floor(seconds + 1e-9).astype(np.int64)
    return Stamps(whole, np.round((seconds - whole) * 1e9).astype(np.int64).clip(0), "clock")


_SAID = {
    "hhmmss": "times of day without colons (101500)",
    "hhmm": "hours and minutes without a colon (1015)",
    "hhmmssmmm": "times of day without marks (101500123)",
    "seconds": "seconds since midnight",
    "milliseconds": "milliseconds since midnight",
}


def _as(way: str, values: np.ndarray) -> np.ndarray | None:
    """Seconds since midnight (T,), None where the numbers are not written that way."""
    most, whole = values.max(), np.floor(values)
    even = bool((values == whole).all())
    reads: dict[str, Callable[[], np.ndarray | None]] = {
        "hhmmss": lambda: _fields(whole, 100) + (values - whole) if most < 240_000 and _clocks(whole) else None,
        "hhmm": lambda: _fields(whole * 100, 100) if even and most < 2400 and _clocks(whole * 100) else None,
        "hhmmssmmm": lambda: (
            _fields(whole // 1000, 100) + whole % 1000 / 1000
            if even and 240_000 <= most < 240_000_000 and _clocks(whole // 1000)
            else None
        ),
        "seconds": lambda: values if most < DAY else None,
        "milliseconds": lambda: values / 1000 if 240_000 <= most < 1000 * DAY else None,
    }
    return reads[way]()


def _fields(whole: np.ndarray, unit: int) -> np.ndarray:
    seconds: np.ndarray = whole // unit**2 * 3600 + whole // unit % unit * 60 + whole % unit
    return seconds


def _clocks(whole: np.ndarray) -> bool:
    return bool(((whole % 100 < 60) & (whole // 100 % 100 < 60)).all())


def _evenly(seconds: np.ndarray) -> float:
    """The share of steps that go forward and are as long as the middle one."""
    steps = np.diff(seconds)
    if not len(steps):
        return 0.0
    middle = float(np.median(steps))
    return float(((steps > 0) & (np.abs(steps - middle) <= 0.01 * abs(middle) + 1e-6)).mean())
