"""Dates of logs with years of two digits: read where only one order of the three numbers is a date in every line."""

import re
from typing import Any

SHORT = ("dots", "slashes", "dots, minutes", "slashes, minutes", "compact", "day, name, short year")
"""Forms in which years may have two digits."""
_SPLIT = r"^(?P<a>\d{1,2})(?P<mark>[./]|)(?P<b>\d{1,2})[./]?(?P<c>\d{2})(?P<gap>[,;][ \t]*|[ \t]+)(?P<clock>\d.*)$"
_PIECES = ("a", "mark", "b", "mark", "c", "gap", "clock")
_NAMED = r"^(\d{1,2})-([A-Za-z]{3})-(\d\d)([ \t])"
_ORDERS = {"ymd": ("a", "b", "c"), "dmy": ("c", "b", "a"), "mdy": ("c", "a", "b")}
"""Which of the three numbers are the year, the month and the day."""
THIS = 70
"""Years below are of this century, as C and POSIX have them (69 to 99 are of the last)."""


def with_whole_years(words: Any) -> tuple[Any, tuple[str, ...]]:
    """Stamps (an Arrow array) with years of four digits, year first where they had two, and what was decided.

    ValueError where several orders of day, month and year are dates in every line; it says what to write for each.

    >>> import pyarrow as pa
    >>> with_whole_years(pa.array(["03/14/26 07:00:00"]))[0].to_pylist()
    ['2026-03-14 07:00:00']
    """
    import pyarrow.compute as pc

    if pc.all(pc.match_substring_regex(words, _NAMED)).as_py():
        words = pc.replace_substring_regex(words, _NAMED, r"\1 \2 20\3 ")
        return words, ("years of two digits are read as those from 2000 on",)
    cells = pc.extract_regex(words, _SPLIT)
    if cells.null_count:
        return words, ()
    numbers = {name: pc.struct_field(cells, name).cast("int32") for name in "abc"}
    orders = [order for order, names in _ORDERS.items() if _is_date(numbers, names)]
    mark = str(pc.struct_field(cells, "mark")[0].as_py())
    if mark == "." and "mdy" in orders:
        orders.remove("mdy")  # nobody puts the month first before a dot
    if len(orders) > 1:
        first = {name: int(numbers[name][0].as_py()) for name in "abc"}
        raise ValueError(
            f"its times have years of two digits: {words[0].as_py()!r} may be {_ways(orders, first, cells)}; say which"
        )
    if not orders:
        return words, ()
    year, month, day = (numbers[name] for name in _ORDERS[orders[0]])
    whole = pc.add(year, pc.if_else(pc.less(year, THIS), 2000, 1900))
    date = [f"{y:04d}-{m:02d}-{d:02d}" for y, m, d in zip(whole.to_pylist(), month.to_pylist(), day.to_pylist())]
    clock = pc.struct_field(cells, "clock")
    if not mark:
        clock = pc.replace_substring_regex(clock, r"^(\d\d)(\d\d)(\d\d)", r"\1:\2:\3")
    import pyarrow as pa

    said = {"ymd": "the year first", "dmy": "the day first", "mdy": "the month first"}[orders[0]]
    return pc.binary_join_element_wise(pa.array(date), clock, " "), (f"dates are read with {said}",)


def _is_date(numbers: dict[str, Any], names: tuple[str, str, str]) -> bool:
    import pyarrow.compute as pc

    _, month, day = (numbers[name] for name in names)
    return all(pc.min(one).as_py() >= 1 and pc.max(one).as_py() <= most for one, most in ((month, 12), (day, 31)))


def pattern_of(stamp: str, order: str) -> str:
    """What --log-time is for a stamp of three numbers and a clock, of which `order` says what is what.

    >>> pattern_of("3/4/2026 7:00:05 PM", "mdy"), pattern_of("26.03.14 07:00:05,123", "ymd")
    ('%m/%d/%Y %I:%M:%S %p', '%y.%m.%d %H:%M:%S,%f')
    >>> pattern_of("03.11.25, 05:50", "dmy")
    '%d.%m.%y, %H:%M'
    """
    marked = re.match(r"(\d{1,4})([./])(\d\d?)[./](\d{4}|\d\d)([,;]?[ \t]*)(\d.*)$", stamp)
    found = marked or re.match(r"(\d\d)()(\d\d)(\d\d)([ \t]+)(\d.*)$", stamp)
    if found is None:
        return "%d.%m.%Y %H:%M:%S"
    mark, year, gap, clock = found[2], "%Y" if len(found[4]) == 4 else "%y", found[5], found[6]
    half = re.search(r"( ?)[AaPp][Mm]$", clock)
    time = "%H%M%S" if ":" not in clock else "%I:%M:%S" if half else "%H:%M:%S"
    time = time.removesuffix(":%S") if clock.count(":") == 1 else time
    part = re.search(r"(?<=:\d\d)([.,:])\d+(?= ?[AaPp]?[Mm]?$)", clock)
    fraction = f"{part[1]}%f" if part and clock.count(":") > 1 and not (part[1] == ":" and clock.count(":") < 3) else ""
    date = mark.join(year if one == "y" else f"%{one}" for one in order)
    return f"{date}{gap}{time}{fraction}{f'{half[1]}%p' if half else ''}"


def _ways(orders: list[str], first: dict[str, int], cells: Any) -> str:
    """Each date that the first stamp may be, with what to write for it."""
    import pyarrow.compute as pc

    stamp = str(pc.binary_join_element_wise(*(pc.struct_field(cells, one)[:1] for one in _PIECES), "")[0].as_py())
    told = []
    for order in orders:
        year, month, day = (first[name] for name in _ORDERS[order])
        date = f"{1900 + year if year >= THIS else 2000 + year}-{month:02d}-{day:02d}"
        told.append(f"{date} (--log-time {pattern_of(stamp, order)!r})")
    return " or ".join(told)
