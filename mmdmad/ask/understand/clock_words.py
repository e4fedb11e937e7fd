"""Times of day and stretches as people say them ("around ten to seven", "the last quarter of an hour"), in figures."""
# ruff: noqa: E501  (one pattern a line reads better than a folded one)

import re
from datetime import datetime, timedelta

_HOURS = {
    name: i
    for i, name in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1
    )
}  # fmt: skip
_MINUTES = {"five": 5, "ten": 10, "twenty": 20, "twenty-five": 25, "quarter": 15, "a quarter": 15, "half": 30}
_HOUR = rf"(?P<hour>\d{{1,2}}|{'|'.join(_HOURS)})(?: o'clock)?(?: (?P<half>am|pm|a\.m\.|p\.m\.))?"
_SPOKEN = re.compile(
    rf"\b(?P<minutes>{'|'.join(sorted(_MINUTES, key=len, reverse=True))}|\d{{1,2}})(?: minutes?)? (?P<way>to|past|before|after) {_HOUR}(?!\w|[:.]\d)",
    re.I,
)
_ABOUT = re.compile(
    r"\b(?:at )?(?:some ?time )?(?:around|about|roughly|approximately|near|circa|ca\.?) (\d{1,2}):(\d{2})\b", re.I
)
_AT = re.compile(r"\bat (\d{1,2}):(?!00\b)(\d{2})\b(?!:)", re.I)
_STRETCHES = (
    (
        re.compile(r"\b(last|past|first|second|final) (?:(?:a )?quarter (?:of (?:an|the) )?hour|quarter-hour)\b", re.I),
        r"\1 15 minutes",
    ),
    (re.compile(r"\b(last|past|first|second|final) (?:half (?:an )?hour|half-hour)\b", re.I), r"\1 30 minutes"),
    (re.compile(r"\b(last|past|first|final) three quarters of an hour\b", re.I), r"\1 45 minutes"),
    (re.compile(r"\bfinal (?=\d+ minutes|hour)", re.I), "last "),
)
_FIRST = re.compile(
    r"\b(?:in |during |within |of )?(?:the )?(?P<which>first|second) (?:(?P<count>\d{1,3}) )?(?P<unit>minutes?|hours?)\b",
    re.I,
)
_RANGE = re.compile(r"\b(?:from )?(\d{1,2}:\d{2}) ?[-–] ?(\d{1,2}:\d{2})\b(?!:)")
_HALF = re.compile(rf"\bhalf (?=(?:{'|'.join(_HOURS)}|\d{{1,2}})\b)", re.I)
_BETWEEN_HOURS = re.compile(
    r"\b(?:between|from) (\d{1,2})(?: o'clock)? (?:and|to|until|till) (\d{1,2}) (?:o'clock|hours)\b", re.I
)
WIDTH = timedelta(minutes=5)
"""How far "around" reaches to either side."""


def in_figures(text: str, oldest: datetime | None = None, newest: datetime | None = None) -> str:
    """The text with its times in figures; of two halves of the day the one in which the cases lie is meant.

    >>> in_figures("flagged around ten to seven?")
    'flagged between 06:45 and 06:55?'
    >>> in_figures("in the last quarter of an hour")
    'in the last 15 minutes'
    >>> in_figures("in the first half hour", datetime(2026, 4, 1, 6, 0))
    'between 06:00 and 06:30'
    """
    text = _RANGE.sub(r"between \1 and \2", text)
    text = _HALF.sub("half past ", text)
    text = _BETWEEN_HOURS.sub(lambda m: f"between {int(m[1]):02d}:00 and {int(m[2]):02d}:00", text)
    for pattern, said in _STRETCHES:
        text = pattern.sub(said, text)
    text = _SPOKEN.sub(lambda m: _figure(m, oldest, newest), text)
    text = _ABOUT.sub(lambda m: _between(m, -WIDTH, WIDTH), text)
    text = _AT.sub(lambda m: _between(m, timedelta(), timedelta(minutes=1)), text)
    return text if oldest is None else _FIRST.sub(lambda m: _from_the_start(m, oldest), text)


def _from_the_start(m: re.Match[str], oldest: datetime) -> str:
    """The first or second stretch of some length, from the first case on."""
    if m["which"].lower() == "second" and not m["count"] and m["unit"].lower().startswith("min"):
        return m[0]
    size = timedelta(**{m["unit"].lower().rstrip("s") + "s": int(m["count"] or 1)})
    begin = oldest.replace(second=0, microsecond=0) + (size if m["which"].lower() == "second" else timedelta())
    end = begin + size
    return f"between {begin:%H:%M} and {end:%H:%M}" if begin.date() == end.date() else m[0]


def _figure(m: re.Match[str], oldest: datetime | None, newest: datetime | None) -> str:
    minutes = m["minutes"].lower()
    shift = int(minutes) if minutes.isdigit() else _MINUTES[minutes]
    if m["way"].lower() in ("before", "after") and minutes.isdigit() and "minute" not in m[0].lower():
        return m[0]
    hour = int(m["hour"]) if m["hour"].isdigit() else _HOURS[m["hour"].lower()]
    if shift > 59 or hour > 24:
        return m[0]
    total = 60 * hour + (-shift if m["way"].lower() in ("to", "before") else shift)
    if (m["half"] or "").lower().startswith("p") and hour < 12:
        total += 720
    elif m["half"] is None and hour <= 12 and oldest is not None and newest is not None:
        early, late = oldest.hour * 60 + oldest.minute, newest.hour * 60 + newest.minute
        same = oldest.date() == newest.date()
        if same and not early - 30 <= total <= late + 30 and early - 30 <= total + 720 <= late + 30:
            total += 720
    total %= 1440
    return f"{total // 60:02d}:{total % 60:02d}"


def _between(m: re.Match[str], low: timedelta, high: timedelta) -> str:
    if int(m[1]) > 23 or int(m[2]) > 59:
        return m[0]
    at = datetime(2000, 1, 2, int(m[1]), int(m[2]))
    if (at + low).date() != (at + high).date():
        return m[0]
    return f"between {at + low:%H:%M} and {at + high:%H:%M}"
