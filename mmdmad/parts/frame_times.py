"""When the pictures of a folder were taken, from their names: cam_20260301_061500_123.png, 2026-03-01T06-15-00.jpg."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

_TIME = re.compile(
    r"(?<!\d)(?P<Y>(?:19|20)\d\d)(?P<a>[-_.]?)(?P<m>[01]\d)(?P=a)(?P<d>[0-3]\d)[-_.T ]{0,3}"
    r"(?P<H>[012]\d)(?P<b>[-_.:h]?)(?P<M>[0-5]\d)(?:[-_.:m]?)(?P<S>[0-5]\d)(?:s?[-_.,]?(?P<f>\d{3}(?:\d{3})?))?(?P<z>Z)?(?!\d)"
)
_EPOCH = re.compile(r"(?<!\d)1\d{9}(?:[._]?\d{3}|[._]?\d{6})?(?!\d)")


@dataclass(frozen=True, eq=False)
class FrameTimes:
    """Seconds `times` (n,) of frames from the first, in the order of their names, and when the first was taken.

    `even` says that several names hold one second, so that only the first one counts.
    """

    times: np.ndarray
    start: datetime
    even: bool = False


def times_in(names: Sequence[str]) -> FrameTimes | None:
    """The times that all names hold; None where one has none, they run backwards, or may be numbers of frames.

    >>> found = times_in(["a_20260301_061500_500.png", "a_20260301_061501_750.png"])
    >>> found.times.tolist(), found.start.isoformat()
    ([0.0, 1.25], '2026-03-01T06:15:00.500000')
    """
    taken = [_taken(name) for name in names]
    moments = [one for one in taken if one is not None]
    if len(moments) < len(taken) or not moments or len({one.tzinfo for one in moments}) > 1:
        return None
    times = np.array([(one - moments[0]).total_seconds() for one in moments])
    steps = np.diff(times)
    first = moments[0].replace(hour=0, minute=0, second=0, microsecond=0)
    counts = len(times) < 60 and (moments[0] - first).total_seconds() <= 1 and (steps == 1).all()
    if (steps < 0).any() or counts:  # 20260301_000001, 20260301_000002 numbers the frames of a day
        return None
    return FrameTimes(times, moments[0], bool((steps == 0).any()))


def _taken(name: str) -> datetime | None:
    stem = name.rsplit(".", 1)[0]
    found = list(_TIME.finditer(stem))
    if len(found) == 1:
        one = found[0]
        fraction = int((one["f"] or "0").ljust(6, "0"))
        try:
            year, month, day, hour, minute, second = (int(one[field]) for field in "YmdHMS")
            return datetime(year, month, day, hour, minute, second, fraction, UTC if one["z"] else None)
        except ValueError:  # the thirtieth of February, hour 27
            return None
    counts = _EPOCH.findall(stem)
    if found or len(counts) != 1:
        return None
    digits = re.sub(r"\D", "", counts[0])
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(digits.ljust(16, "0")))
