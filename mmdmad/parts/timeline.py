"""When each row, frame or line of a recording was: what it takes to cut one by the clock."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Timeline:
    """Seconds `times` float64 (n,) of a recording's units (rows, frames, lines) from its first, never decreasing.

    `start` is the time of the first unit, None where the recording has no clock of its own; `lasts` how many seconds
    the last unit lasts. `entries` int64 (k,) are the units at which something new begins (a log entry of several
    lines); None = every unit stands for itself. `notes` are what was decided, in plain words. `daytime` are seconds
    from midnight to the first unit where the recording's clock has no date.
    """

    times: np.ndarray
    start: datetime | None = None
    lasts: float = 0.0
    entries: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    daytime: float | None = None

    @property
    def end(self) -> float:
        """Seconds from the first unit to the end of the last one."""
        return float(self.times[-1]) + self.lasts

    @cached_property
    def _close(self) -> float:
        """Seconds by which a time may miss the edge of a window: far below a step, of a scope too."""
        step = usual_step(self.times)
        return min(1e-6, 0.01 * step) if step else 1e-6

    def between(self, begin: float, end: float) -> tuple[int, int]:
        """The first unit at or after `begin`, and the first at or after `end`, in seconds from the first unit.

        >>> Timeline(np.array([0.0, 1.0, 2.0])).between(1.0, 2.0)
        (1, 2)
        """
        # Times are sums of rounded steps: a row at 59.9999999999 s is the row of the sixtieth second.
        close = self._close
        first, last = np.searchsorted(self.times, [begin - close, end - close])
        return int(first), int(last)


def usual_step(times: np.ndarray) -> float:
    """The median of the positive steps of times (n,), 0 where there is none.

    >>> usual_step(np.array([0.0, 0.0, 2.0, 4.0, 90.0]))
    2.0
    """
    steps = np.diff(times)
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else 0.0
