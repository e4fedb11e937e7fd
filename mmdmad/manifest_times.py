"""Times of a manifest: ISO 8601, dates with dots, and dates with slashes, whose order is decided over their column."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from mmdmad.manifest_rows import is_missing

_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_DOTTED = re.compile(
    r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})(?:[T,\s]\s*(?P<clock>\d{1,2}:\d\d(:\d\d([.,]\d+)?)?))?"
)
_SLASHED = re.compile(
    r"(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y>\d{4})"
    r"(?:[T,\s]\s*(?P<h>\d{1,2}):(?P<rest>\d\d(:\d\d([.,]\d+)?)?)\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*"
    r"(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?)?",
)
_ORDERED = re.compile(r"(?P<name>.*?)\s*[\[(]\s*(?P<first>dd|mm)[/.-](dd|mm)[/.-]yyyy(\s[^\])]*)?[\])]", re.IGNORECASE)
_SHORT = 120


class NoTime(ValueError):
    """A cell that holds no time; the words say why."""


def order_named(column: str) -> tuple[str, str | None]:
    """The name of a column without the order of its dates, and that order, "dmy" or "mdy"; None where it names none.

    >>> order_named("time [DD/MM/YYYY]"), order_named("time")
    (('time', 'dmy'), ('time', None))
    """
    found = _ORDERED.fullmatch(column.strip())
    if found is None:
        return column, None
    return found["name"], "dmy" if found["first"].lower() == "dd" else "mdy"


def is_dotted(value: Any) -> bool:
    """Whether a cell holds a date with dots."""
    return _DOTTED.fullmatch(str(value).strip()) is not None


def is_slashed(value: Any) -> bool:
    """Whether a cell holds a date with slashes that does not begin with the year, 14/3/2026."""
    return isinstance(value, str) and _SLASHED.fullmatch(value.strip()) is not None


def looks_like_time(value: str) -> bool:
    """Whether words are a date with or without a time of day, in any of the forms that are read.

    >>> looks_like_time("14.03.2026 08:00"), looks_like_time("3/14/2026 8:00 PM"), looks_like_time("4711")
    (True, True, False)
    """
    if is_slashed(value) or is_dotted(value):
        return True
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return re.match(r"\d{4}-\d\d-\d\d", value) is not None


def time_of(value: Any, day: Any = None) -> datetime:
    """A time stamp; a time of day alone needs the `day` of the column `date` beside it. NoTime where it is none.

    >>> time_of("14.3.2026 8:05").isoformat()
    '2026-03-14T08:05:00'
    """
    if isinstance(value, datetime):
        return value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
    if isinstance(value, date):
        return datetime.combine(value, time())
    try:
        if isinstance(value, time) or (isinstance(value, str) and _CLOCK.fullmatch(value.strip())):
            hour = value if isinstance(value, time) else time.fromisoformat(value.strip())
            if is_missing(day):
                raise NoTime(f"time {str(value)!r} has no date; write one into a column 'date', or before the time")
            return datetime.combine(day if isinstance(day, date) else date.fromisoformat(str(day).strip()), hour)
        if dotted := _DOTTED.fullmatch(value.strip()):  # in every locale that writes dots the day comes first
            year, month, number = (int(dotted[part]) for part in "ymd")
            hours, _, rest = (dotted["clock"] or "0:00").partition(":")
            return datetime.combine(date(year, month, number), time.fromisoformat(f"{hours:0>2}:{rest}"))
        return datetime.fromisoformat(value.strip())
    except NoTime:
        raise
    except (AttributeError, ValueError):
        words = str(value) if len(str(value)) <= _SHORT else str(value)[: _SHORT - 3] + "..."
        raise NoTime(f"time {words!r} is not an ISO 8601 time such as 2026-05-01T12:30:00Z") from None


def slashed(cells: Mapping[str, str], order: str | None = None) -> tuple[dict[str, datetime], dict[str, str], str]:
    """Cells of dates with slashes by their case: the times, why others have none, and a note.

    Whether the day or the month comes first is decided over all of them, unless the column names the `order`.

    >>> slashed({"a": "03/04/2026", "b": "14/04/2026"})[0]["a"].isoformat()
    '2026-04-03T00:00:00'
    """
    if not cells:
        return {}, {}, ""
    found = {case: _SLASHED.fullmatch(cell.strip()) for case, cell in cells.items()}
    # A number above 12 in one place is a day; both orders may be refuted, then each date says what is wrong with it.
    day_first = any(one is not None and 12 < int(one["a"]) <= 31 for one in found.values())
    month_first = any(one is not None and 12 < int(one["b"]) <= 31 for one in found.values())
    if order is None and day_first == month_first:
        some = next(iter(cells.values()))[:40]
        why = (
            "some begin with the day and some with the month"
            if day_first
            else "nothing says whether the day or the month comes first"
        )
        reason = (
            f"time {some!r}: {why} (in the {len(cells)} dates with slashes); write ISO 8601, or name the order in the "
            "header: 'time [DD/MM/YYYY]' or 'time [MM/DD/YYYY]'"
        )
        return {}, dict.fromkeys(cells, reason), ""
    order = order or ("dmy" if day_first else "mdy")
    made, refused = {}, {}
    for case, one in found.items():
        try:
            assert one is not None
            made[case] = _dated(one, order)
        except ValueError as why:
            refused[case] = f"time {cells[case][:_SHORT]!r} cannot be, with the {_FIRST[order]} first: {why}"
    return made, refused, f"times with slashes in their dates are read with the {_FIRST[order]} first"


_FIRST = {"dmy": "day", "mdy": "month"}


def _dated(found: "re.Match[str]", order: str) -> datetime:
    first, second, year = int(found["a"]), int(found["b"]), int(found["y"])
    day, month = (first, second) if order == "dmy" else (second, first)
    made = datetime(year, month, day)
    if found["h"] is None:
        return made
    hour, late = int(found["h"]), timedelta()
    if found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"the hour is {hour}, beside AM or PM 1 to 12 are allowed")
        hour, late = hour % 12, timedelta(hours=12 if found["half"][0] in "Pp" else 0)
    zone = (found["zone"] or "").replace("UTC", "Z")
    clock = time.fromisoformat(f"{hour:02}:{found['rest'].replace(',', '.')}{zone}")
    return datetime.combine(made.date(), clock) + late
