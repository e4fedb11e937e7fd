"""When each row, frame or line of a recording was: what it takes to cut one by the clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from itertools import pairwise

import numpy as np


@dataclass(frozen=True, eq=False)
class Timeline:
    """Seconds `times` float64 (n,) of a recording's units (rows, frames, lines) from its first, never decreasing.

    `start` is the time of the first unit, None where the recording has no clock of its own; `lasts` how many seconds
    the last unit lasts. `entries` int64 (k,) are the units at which something new begins (a log entry of several
    lines), by their place in the file; None = every unit stands for itself. `notes` are what was decided, in plain
    words. `daytime` are seconds from midnight to the first unit where the recording's clock has no date.
    `newest_first`: the file has its units in the other order, so that `times` are those of its last unit first. `zones`
    float64 (k, 2) are the seconds from the first unit after which its clock was so many seconds ahead of UTC: the last
    unit at another distance was then.
    """

    times: np.ndarray
    start: datetime | None = None
    lasts: float = 0.0
    entries: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    daytime: float | None = None
    newest_first: bool = False
    zones: np.ndarray | None = None

    @property
    def end(self) -> float:
        """Seconds from the first unit to the end of the last one."""
        return float(self.times[-1]) + self.lasts

    @cached_property
    def _close(self) -> float:
        """Seconds by which a time may miss the edge of a window: far below a step, of a scope too."""
        step = usual_step(self.times)
        return min(1e-6, 0.01 * step) if step else 1e-6

    def local(self, time: datetime, seconds: float) -> datetime:
        """A time as the recording's own clock showed it so many seconds after its first unit.

        >>> time = datetime(2026, 5, 1, 21, 50, tzinfo=timezone.utc)
        >>> Timeline(np.zeros(1), time, zones=np.array([[-np.inf, 7200.0]])).local(time, 0.0).isoformat()
        '2026-05-01T23:50:00+02:00'
        """
        if self.zones is None or time.tzinfo is None:
            return time
        last = int(np.searchsorted(self.zones[:, 0], seconds - self._close)) - 1
        return time.astimezone(timezone(timedelta(seconds=float(self.zones[last, 1]))))

    def between(self, begin: float, end: float) -> tuple[int, int]:
        """The units at or after `begin` and before `end`, seconds from the first: places in the file, start and stop.

        >>> Timeline(np.array([0.0, 1.0, 2.0])).between(1.0, 2.0)
        (1, 2)
        >>> Timeline(np.array([0.0, 1.0, 2.0]), newest_first=True).between(0.0, 1.0)
        (2, 3)
        """
        # Times are sums of rounded steps: a row at 59.9999999999 s is the row of the sixtieth second.
        close = self._close
        first, last = np.searchsorted(self.times, [begin - close, end - close])
        if self.newest_first:
            first, last = len(self.times) - last, len(self.times) - first
        return int(first), int(last)

    def each_entry(self) -> list[tuple[float, int, int]]:
        """Seconds, start and stop of every entry, in the order of time; of a recording without entries, of every unit.

        >>> Timeline(np.array([0.0, 5.0, 5.0]), entries=np.array([0, 2]), newest_first=True).each_entry()
        [(0.0, 2, 3), (5.0, 0, 2)]
        """
        count = len(self.times)
        bounds = [*(range(count) if self.entries is None else self.entries.tolist()), count]
        pairs = list(pairwise(bounds))
        if self.newest_first:
            return [(float(self.times[count - last]), first, last) for first, last in reversed(pairs)]
        return [(float(self.times[first]), first, last) for first, last in pairs]


def usual_step(times: np.ndarray) -> float:
    """The median of the positive steps of times (n,), 0 where there is none.

    >>> usual_step(np.array([0.0, 0.0, 2.0, 4.0, 90.0]))
    2.0
    """
    steps = np.diff(times)
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else 0.0
