"""The time column of a sensor table: which one it is, and its values as seconds from the first row."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

UNITS = {"h": 3600.0, "min": 60.0, "s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
NAMES = (
    *("timestamp", "datetime", "date_time", "time", "date", "ts", "t", "elapsed_time", "elapsed", "seconds", "sec"),
)
_HEADER = re.compile(r"^(?P<name>.*?)\s*[\[(](?P<unit>[^\[\]()]*)[\])]\s*$")
_SUFFIX = re.compile(r"^(?P<name>.+)_(?P<unit>h|min|s|sec|ms|us|ns)$")


def split_unit(header: str) -> tuple[str, str]:
    """A column header as name and unit.

    >>> split_unit("motor_current [A]"), split_unit("flow (l/min)"), split_unit("speed")
    (('motor_current', 'A'), ('flow', 'l/min'), ('speed', ''))
    """
    match = _HEADER.match(header)
    if match is None or not match["name"]:
        return header.strip(), ""
    return match["name"].strip(), match["unit"].strip()


def time_column(headers: Sequence[str]) -> tuple[int, float] | None:
    """Index of the time column and seconds per unit, or None: "time", "timestamp_ms", "t [min]", but not "t [°C]".

    >>> time_column(["load", "time [ms]"]), time_column(["t (°C)", "load"])
    ((1, 0.001), None)
    """
    found: dict[str, tuple[int, float]] = {}
    for index, header in enumerate(headers):
        name, unit = split_unit(header)
        name = re.sub(r"[\s_-]+", "_", name.lower())
        suffix = _SUFFIX.match(name)
        if not unit and suffix is not None and suffix["name"] in NAMES:
            name, unit = suffix["name"], suffix["unit"]
        if name in NAMES and (not unit or unit.lower() in UNITS):
            found.setdefault(name, (index, UNITS[unit.lower()] if unit else 1.0))
    return next((found[name] for name in NAMES if name in found), None)


def from_numbers(numbers: np.ndarray, scale: float) -> tuple[np.ndarray, datetime | None]:
    """Numeric times as seconds from the first row, and the start where they count from 1970.

    Numbers of 1e9 s (the year 2001) and more are Unix times. Without a unit, 1e11 and more are taken as milliseconds,
    1e14 as microseconds, 1e17 as nanoseconds: as seconds they would lie beyond the year 5000. ValueError names the row.
    """
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        raise ValueError(f"row {bad[0] + 1} has no time")
    first = float(numbers.min())
    if scale == 1.0 and first >= 1e11:
        scale = 1e-3 if first < 1e14 else 1e-6 if first < 1e17 else 1e-9
    seconds = first * scale
    start = None
    if 1e9 <= seconds < 1e11:
        start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return (numbers - first) * scale, start


def from_words(words: Sequence[object]) -> tuple[np.ndarray, datetime | None]:
    """ISO 8601 times as seconds from the earliest, and the earliest; with an offset they become UTC.

    ValueError names the row.

    >>> from_words(["2026-05-01T12:00:00Z", "2026-05-01T12:00:00.5Z"])[0].tolist()
    [0.0, 0.5]
    """
    import pandas as pd

    series = pd.Series(list(words), dtype="object")
    first = next((str(w) for w in words if w is not None), "")
    aware = bool(re.search(r"([zZ]|[+-]\d\d:?\d\d)\s*$", first))
    times = pd.to_datetime(series, format="ISO8601", errors="coerce", utc=aware)
    bad = np.flatnonzero(times.isna().to_numpy())
    if len(bad):
        given = words[bad[0]]
        what = "has no time" if given is None else f"has the time {str(given)[:60]!r}"
        raise ValueError(f"row {bad[0] + 1} {what}; write seconds or ISO 8601, all with or all without an offset")
    return from_stamps(times)


def from_stamps(times: "object") -> tuple[np.ndarray, datetime | None]:
    """Timestamps (a pandas Series or index, or datetime64) as seconds from the earliest, and that (in UTC if zoned)."""
    import pandas as pd

    stamps = pd.DatetimeIndex(times)  # type: ignore[arg-type]
    bad = np.flatnonzero(stamps.isna())
    if len(bad):
        raise ValueError(f"row {bad[0] + 1} has no time")
    if stamps.tz is not None:
        stamps = stamps.tz_convert("UTC")
    ticks = stamps.as_unit("ns").asi8
    return (ticks - ticks.min()) / 1e9, stamps.min().to_pydatetime(warn=False)
