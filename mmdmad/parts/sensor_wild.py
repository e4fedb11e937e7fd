"""Readings far outside all others of their channel: marks of loggers and overflows (-9999, 1e30) and torn cells.

A number that loggers are known to write for no reading is missing where it lies so, however often it stands there.
"""

import numpy as np

WIDTHS = 10.0
"""Times the range of all other readings that a reading must lie outside of it."""
SHARE = 1000
"""One reading in so many, and one in any channel, may be wild; more are what the channel is like."""
MARKS = (
    *(-99.0, -99.9, -999.0, -999.9, -999.99, -9999.0, -9999.9, -99999.0, -999999.0, -32768.0, -32767.0),
    *(-6999.0, -7999.0, -8888.0, -888.0, -8190.0, 8190.0, 8191.0, 2147483647.0, -2147483648.0, 4294967295.0),
    *(999.0, 999.9, 999.99, 9999.0, 9999.9, 99999.0, 999999.0, 6999.0, 7999.0, 32767.0, 65535.0),
    *(9.9e37, -9.9e37, 9.91e37),
)
"""Numbers that weather services, loggers and converters write for no reading; the last are the overload and the NaN of
SCPI instruments."""
APART = 3.0
"""Times the range of all other readings that such a number must lie outside of it."""


def no_readings(values: np.ndarray) -> np.ndarray:
    """Where readings (T,) are a mark for no reading and lie far outside all readings that are none.

    At least five others, of two values, have to say what is far. A mark inside their range, or near it, is a reading.

    >>> no_readings(np.array([1.0, 2.0, -999.0, 3.0, 2.0, 1.0, -999.0])).nonzero()[0].tolist()
    [2, 6]
    """
    marked = np.isin(values, MARKS)
    others = values[~marked & np.isfinite(values)]
    if not marked.any() or len(others) < 5 or others.min() == others.max():
        return np.zeros(len(values), bool)
    width = APART * (others.max() - others.min())
    return marked & ((values < others.min() - width) | (values > others.max() + width))


def usual_range(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest (C,) that a reading of each channel may be, from readings (T, C); NaN = missing.

    The most extreme reading in a thousand at each end, at least one, has no say, so a wild one cannot move the range.
    Where all others are equal, the range reaches a thousand times their size.

    >>> low, high = usual_range(np.array([[0.0], [1.0], [2.0], [3.0], [1e30]]))
    >>> low.tolist(), high.tolist()
    ([-19.0], [23.0])
    """
    low, high = np.full(values.shape[1], -np.inf), np.full(values.shape[1], np.inf)
    for channel, column in enumerate(values.T):
        there = np.sort(column[np.isfinite(column)])
        spare = max(1, len(there) // SHARE)
        if len(there) < 5:
            continue
        least, most = there[spare], there[-1 - spare]
        width = WIDTHS * (most - least) or 1000 * max(1.0, abs(most))
        low[channel], high[channel] = least - width, most + width
    return low, high


def wild(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Where readings (T, C) lie outside the range of their channel; missing ones do not."""
    with np.errstate(invalid="ignore"):
        return (values < low) | (values > high)


def said(mask: np.ndarray, values: np.ndarray, channels: tuple[str, ...]) -> list[str]:
    """One line a channel: its first wild reading, its row, and how many there are.

    >>> said(np.array([[False], [True]]), np.array([[1.0], [-9999.0]]), ("level",))
    ["channel 'level' is -9999 in row 2, far outside all its other readings"]
    """
    lines = []
    for channel in np.flatnonzero(mask.any(axis=0)):
        row, count = int(np.argmax(mask[:, channel])), int(mask[:, channel].sum())
        more = f" ({count} such readings)" if count > 1 else ""
        what = f"channel {channels[channel][:60]!r} is {values[row, channel]:g} in row {row + 1}"
        lines.append(f"{what}, far outside all its other readings{more}")
    return lines


def again(values: np.ndarray, channels: tuple[str, ...]) -> list[str]:
    """One line a channel whose lowest or highest reading comes again and again, far outside of all others.

    At most a tenth of readings (T, C) may be so: more are what the channel is like.

    >>> again(np.array([[1.0], [2.0], [-5e3], [3.0], [-5e3], *[[2.0]] * 20]), ("level",))[0][:41]
    "channel 'level' is -5000 in 2 rows, the f"
    """
    lines = []
    for channel, column in enumerate(values.T):
        there = column[np.isfinite(column)]
        for extreme in (there.min(initial=np.inf), there.max(initial=-np.inf)):
            rows = np.flatnonzero(column == extreme)
            others = there[there != extreme]
            if not 1 < len(rows) <= len(there) / 10 or others.min() == others.max():
                continue
            width = APART * (others.max() - others.min())
            if others.min() - width <= extreme <= others.max() + width:
                continue
            lines.append(
                f"channel {channels[channel][:60]!r} is {extreme:g} in {len(rows)} rows, the first row {rows[0] + 1}, "
                "far outside its other readings: if that stands for no reading, leave the cells empty"
            )
    return lines
