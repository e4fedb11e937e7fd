"""Headers of time columns: their names and units; and numbers as seconds from the first row."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from mmdmad.parts.dates import DAY, order_of

UNITS = {
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("h", "hr", "hour", "hours", "std"), 3600.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millis", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "µs", "μs", "usec", "micros", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanoseconds"), 1e-9),
}
DATES = ("date", "datum", "fecha", "日付", "日期", "datetime", "date_time", "data_ora")
"""Names of columns that hold dates, never seconds."""
CALENDAR = ("timestamp", "zeitstempel", "horodatage", *DATES)
NAMES = (
    *("timestamp", "datetime", "date_time", "timestring", "zeitstempel", "horodatage", "日時"),
    *("time", "zeit", "tiempo", "temps", "tempo", "時間", "时间", "時刻"),
    *(
        "uhrzeit",
        "heure",
        "hora",
        "ora",
        "date",
        "datum",
        "fecha",
        "日付",
        "日期",
        "epoch",
        "ts",
        "t",
        "elapsed_time",
        "elapsed",
    ),
    *("seconds", "sec", "millis", "milliseconds", "minutes", "hours", "days", "second", "minute", "hour", "day"),
)
"""Names of time columns, those that say most first."""
_AROUND = (
    "utc gmt local unix posix sample sampling log logger system event measurement recording rel relative since string"
)
_WORDS = {word for name in NAMES for word in name.split("_")} - {"t", "data"} | {"stamp"}
_HEADER = re.compile(r"^(?P<name>.*?)\s*[\[(](?P<unit>[^\[\]()]*)[\])]\s*$")
_ZONED = re.compile(r"\b(?:utc|gmt)\s*(?P<sign>[+−-])(?P<h>\d{1,2})(?::?(?P<m>\d{2}))?", re.IGNORECASE)
_SUFFIX = re.compile(r"^(?P<name>.+?)\s*[_/,\s]\s*(?P<unit>[a-zµμ]+)$", re.IGNORECASE)


@dataclass(frozen=True)
class Named:
    """What the header of a time column says: its rank among `NAMES`, seconds per unit, order of dates, its zone.

    `utc` says that it names UTC, or a zone that is `ahead` seconds of it.
    """

    rank: int
    name: str
    scale: float | None = None
    order: str | None = None
    utc: bool = False
    ahead: float = 0.0


def split_unit(header: str) -> tuple[str, str]:
    """A column header as name and unit.

    >>> split_unit("motor_current [A]"), split_unit("flow (l/min)"), split_unit("speed")
    (('motor_current', 'A'), ('flow', 'l/min'), ('speed', ''))
    """
    match = _HEADER.match(header)
    if match is None or not match["name"]:
        return header.strip(), ""
    return match["name"].strip(), match["unit"].strip()


def named_time(header: str, unit: str = "") -> Named | None:
    """What a header says if it is the name of a time column, else None: "time", "timestamp_ms", "t [min]", "Zeit/s".

    Whether the column is one, its values decide.

    >>> named_time("time [ms]").scale, named_time("Elapsed time/d").scale, named_time("t (°C)")
    (0.001, 86400.0, None)
    >>> named_time("Date Time, GMT+02:00 [MM/DD/YY]").ahead
    7200.0
    """
    name, bracket = split_unit(header)
    unit = (unit or bracket).lower()
    ahead = 0.0
    for words in (name, unit):
        if zone := _ZONED.search(words):
            ahead = (-1 if zone["sign"] in "-−" else 1) * (60.0 * int(zone["h"]) + int(zone["m"] or 0)) * 60
            name, unit = (_ZONED.sub("utc", name), unit) if words == name else (name, "utc")
            break
    suffix = _SUFFIX.match(name)
    if not unit and suffix is not None and suffix["unit"].lower() in UNITS and _rank(suffix["name"]) is not None:
        name, unit = suffix["name"], suffix["unit"].lower()
    rank = _rank(name)
    if rank is None:
        return None
    plain = NAMES[rank]
    scale = UNITS.get(unit, UNITS.get(plain if not unit else ""))
    order = order_of(unit)
    utc = unit in ("utc", "gmt", "z") or bool({"utc", "gmt"} & set(_tidy(name).split("_")))
    if (
        unit
        and scale is None
        and order is None
        and not utc
        and not re.match(r"^(iso|local|unix|epoch|y{2,4}|(ddmm|mmdd)yy)", unit)
    ):
        return None
    return Named(rank, plain, scale, order, utc or bool(ahead), ahead)


def _tidy(name: str) -> str:
    return re.sub(r"[\s_,&-]+", "_", name.strip().lower()).strip("_")


def _rank(name: str) -> int | None:
    name = _tidy(name)
    if name in NAMES:
        return NAMES.index(name)
    tokens = [token for token in name.split("_") if token not in _AROUND.split()]
    if not tokens or len(tokens) > 2 or not all(token in _WORDS for token in tokens):
        return None
    return next(i for i, known in enumerate(NAMES) if known in (name, *tokens) or "stamp" in tokens)


def from_numbers(numbers: np.ndarray, scale: float | None) -> tuple[np.ndarray, datetime | None]:
    """Numeric times as seconds from the first row, and the start where they count from 1970.

    Numbers of 1e9 s (the year 2001) and more are Unix times. Without a unit, 1e11 and more are taken as milliseconds,
    1e14 as microseconds, 1e17 as nanoseconds: as seconds they would lie beyond the year 5000. ValueError names the row.
    """
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        raise ValueError(f"row {bad[0] + 1} has no time")
    first = float(numbers.min())
    if scale is None:
        scale = epoch_scale(first) or 1.0
    seconds = first * scale
    start = None
    if 1e9 <= seconds < 1e11:
        start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return (numbers - first) * scale, start


def epoch_scale(first: float) -> float | None:
    """Seconds per unit of a time that counts from 1970, by its size; None below 1e11, where seconds are meant.

    >>> epoch_scale(1.58e9), epoch_scale(1.58e12), epoch_scale(1.58e18)
    (None, 0.001, 1e-09)
    """
    return None if first < 1e11 else 1e-3 if first < 1e14 else 1e-6 if first < 1e17 else 1e-9


def is_hhmmss(numbers: np.ndarray) -> bool:
    """Whether whole numbers (T,) run evenly as times of day without colons, and do not as what they are: 65900, 70000.

    >>> is_hhmmss(np.array([60000, 65900, 70000, 70100])), is_hhmmss(np.array([0.0, 100, 200, 300]))
    (False, False)
    >>> is_hhmmss(np.array([65700, 65800, 65900, 70000, 70100]))
    True
    """
    if len(numbers) < 3 or (numbers != np.floor(numbers)).any() or numbers.min() < 0 or numbers.max() >= 240_000:
        return False
    whole = numbers.astype(np.int64)
    if (whole % 100 > 59).any() or (whole // 100 % 100 > 59).any():
        return False
    steps = np.diff(whole // 10_000 * 3600 + whole // 100 % 100 * 60 + whole % 100) % DAY
    return max(0.9, _alike(np.diff(whole)) + 1e-9) <= _alike(steps)


def rounded(numbers: np.ndarray) -> str:
    """Why counts from 1970 (T,) say no time: a spreadsheet left digits out, and rows share what remains; else "".

    >>> rounded(np.repeat([1.773471e9, 1.773472e9], 2))[:35]
    'holds times rounded to 1000 s or mo'
    """
    scale = epoch_scale(float(numbers.min())) or 1.0
    seconds = numbers * scale
    if len(numbers) < 3 or seconds.min() < 978_307_200 or seconds.max() > 4_102_444_800:
        return ""
    if (np.round(seconds, 3) % 1000).any() or len(np.unique(numbers)) * 2 > len(numbers):
        return ""
    return (
        f"holds times rounded to 1000 s or more ({numbers[0]:.7g}), as a spreadsheet shows long numbers: save them "
        "with all their digits"
    )


def begins_again(numbers: np.ndarray) -> int | None:
    """The first row of a second recording below the first, by times (T,) that fall back to their begin, else None.

    >>> begins_again(np.array([0.0, 1, 2, 3, 4, 5, 0.5, 1.5, 2.5, 3.5])), begins_again(np.array([0.0, 2, 1, 3]))
    (6, None)
    """
    steps = np.diff(numbers)
    back = np.flatnonzero(steps < 0)
    if not len(back) or len(numbers) < 8 or back[0] < 2 or 4 * len(back) > len(steps) or not np.isfinite(numbers).all():
        return None
    usual = float(np.median(steps))
    low = float(numbers.min())
    falls = (numbers[back + 1] <= low + 2 * usual) & (numbers[back] - numbers[back + 1] > 2 * usual)
    return int(back[0]) + 1 if usual > 0 and falls.all() else None


def _alike(steps: np.ndarray) -> float:
    """The share of steps that are as long as the middle one."""
    return float((np.abs(steps - np.median(steps)) <= 0.01 * abs(np.median(steps))).mean())


def is_epoch(numbers: np.ndarray) -> bool:
    """Whether numbers (T,) are time stamps by their values alone: counts from 1970 that rise in every row.

    They lie in the years 2001 to 2100, with at most 366 days from row to row.
    """
    if len(numbers) < 2 or not np.isfinite(numbers).all():
        return False
    scale = epoch_scale(float(numbers[0])) or 1.0
    steps = np.diff(numbers) * scale
    first, last = float(numbers[0]) * scale, float(numbers[-1]) * scale
    return bool(first >= 978_307_200 and last <= 4_102_444_800 and (steps > 0).all() and steps.max() <= 366 * DAY)


def from_days(numbers: np.ndarray) -> tuple[np.ndarray, datetime]:
    """Day numbers of a spreadsheet (1 = the first of January 1900) as seconds from the first row, and the start."""
    first = float(numbers.min())
    seconds = np.round((numbers - first) * DAY, 3)
    return seconds, datetime(1899, 12, 30) + timedelta(milliseconds=round(first * DAY * 1000))


def is_days(numbers: np.ndarray, named: Named) -> bool:
    """Whether numbers (T,) without a unit are day numbers of a spreadsheet; ValueError where seconds are as likely."""
    if named.scale is not None or len(numbers) < 2 or not np.isfinite(numbers).all():
        return False
    steps = np.diff(np.sort(numbers))
    if numbers.min() < 25_000 or numbers.max() > 80_000 or steps.max() > 366:
        return False
    if named.name in DATES:  # a row a day is a whole number, and a logger that was off leaves a gap of days
        return True
    if np.median(steps) >= 1 or (numbers == np.floor(numbers)).all():
        return False
    if named.name in CALENDAR:
        return True
    step = float(steps.mean())
    round_seconds = abs(step - float(f"{step:.2g}")) <= 1e-6 * step
    round_days = abs(step * DAY - round(step * DAY)) < 0.02 and round(step * DAY) >= 1
    even = float(np.abs(steps - step).max()) <= 2.1e-5
    if round_days and even and not round_seconds:
        return True
    raise ValueError(
        f"the times from {numbers.min():g} to {numbers.max():g} may be seconds or day numbers of a spreadsheet; write "
        "the unit into the header: 'time [s]' or 'time [d]'"
    )
