"""Dates in digits alone (2026031407): which of the ways to write them a column uses, decided over all of its rows."""

import re
from typing import Any

import numpy as np

from mmdmad.parts import clock
from mmdmad.parts.dates import DAY, Stamps, civil, summer_time

_LAYOUTS = {
    6: ("YYMMDD", "DDMMYY", "YYYYMM"),
    8: ("YYYYMMDD", "DDMMYYYY", "MMDDYYYY"),
    10: ("YYYYMMDDHH", "YYMMDDHHMM"),
    12: ("YYYYMMDDHHMM", "YYMMDDHHMMSS", "DDMMYYYYHHMM"),
    14: ("YYYYMMDDHHMMSS", "DDMMYYYYHHMMSS"),
    17: ("YYYYMMDDHHMMSSFFF",),
}
"""Ways to write a date by the number of its digits, the likelier ones first; a header may name others."""
_DATES = ("date", "datum", "fecha", "data", "日付", "日期")
_MONTHS = ("month", "monat", "mois", "mes", "mese", "maand", "yearmonth", "year_month", "period", "月")
_FIELD = re.compile(r"YYYY|YY|DD|HH|MM|SS|FFF")
_UNITS = {"YYYYMM": 30 * DAY, "DD": DAY, "YYYY": DAY, "YY": DAY, "HH": 3600, "MM": 60, "SS": 1, "FFF": 1e-3}
SURE = 3.0
"""Powers of ten by which a count is less likely to have held dates alone, from which on digits are dates."""


def layout_of(unit: str) -> str | None:
    """How a header says that its digits are to be read, or None.

    >>> layout_of("YYYYMMDDHH"), layout_of("yymmddhhmm"), layout_of("mm")
    ('YYYYMMDDHH', 'YYMMDDHHMM', None)
    """
    bare = unit.strip().upper()
    bare = re.sub(r"(?<=SS)(MMM|SSS)$", "FFF", bare)
    return bare if "YY" in bare and "MM" in bare and not _FIELD.sub("", bare) and len(bare) in _LAYOUTS else None


def dates_of_digits(given: Any, name: str, said: str, named: clock.Named | None, unit: str) -> Stamps | None:
    """A column of digits, words or numbers (T,), as time stamps; None where it holds no dates.

    A way to write dates counts where every row is a date that way, and a count would hardly have hit dates alone: it
    runs through 2026031424 too. ValueError asks where both are likely.

    >>> import pyarrow as pa
    >>> hours = pa.array(["2026031422", "2026031423", "2026031500", "2026031501"])
    >>> dates_of_digits(hours, "time", "'time'", clock.named_time("time"), "").from_first()[0].tolist()
    [0.0, 3600.0, 7200.0, 10800.0]
    """
    wanted = layout_of(unit)
    if named is not None and named.scale is not None and wanted is None:
        return None
    numbers = _whole(given)
    if numbers is None:
        return None
    width = len(str(int(numbers.max()))) if wanted is None else len(wanted)
    width += width in (5, 7, 9, 11, 13) and int(numbers.max()) > 0 and wanted is None
    if width not in _LAYOUTS or int(numbers.max()) >= 10**width:
        return None
    if wanted is not None:
        return _stamps(numbers, wanted, "", strict=True)
    lost = len(str(int(numbers.min()))) < width  # a zero that was in front
    plain, label = name.strip().lower(), "time" if named is None else name[:40]
    asked = named is not None and (named.name in _DATES or (width == 8 and named.name in clock.CALENDAR))
    found = {}
    for layout in _LAYOUTS[width]:
        first = layout.startswith("YYYY")
        if (
            (lost and first)
            or (named is None and not first)
            or (layout == "YYYYMM") != (plain in _MONTHS and width == 6)
        ):
            continue
        if (stamps := _stamps(numbers, layout, said)) is not None:
            found[layout] = stamps
    if width == 6 and not asked:
        found = {layout: stamps for layout, stamps in found.items() if layout == "YYYYMM"}
    if not found:
        return None
    fits = {layout: (_evenly(stamps), -i) for i, (layout, stamps) in enumerate(found.items())}
    best = max(found, key=lambda layout: fits[layout])
    even = fits[best][0]
    rivals = [layout for layout in found if layout != best and (even < 0.9 or 2 * fits[layout][0] > even)]
    if rivals:
        raise ValueError(
            f"column {said} holds dates in digits ({numbers[0]:0{width}d}) that may be {best} or {rivals[0]}; write "
            f"ISO 8601, or name the form in the header: '{label} [{best}]' or '{label} [{rivals[0]}]'"
        )
    certain = asked or best == "YYYYMM" or (best.startswith("YYYY") and width > 10)
    certain |= best == "YYYYMMDD" and named is None
    if certain or _surely(numbers, found[best], best):
        return found[best]
    if named is None and not clock.is_epoch(numbers.astype(float)):
        return None
    two = "dates with a year of two digits" if not best.startswith("YYYY") and "YYYY" not in best else "dates"
    raise ValueError(
        f"column {said} holds numbers like {numbers[0]}: {two}, or a count? Write ISO 8601, or the form or the unit "
        f"into the header: '{label} [{best}]', '{label} [s]' or '{label} [ms]'"
    )


def _whole(given: Any) -> np.ndarray | None:
    """Digits as int64 (T,), None where a cell holds anything else, or nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(given, np.ndarray):
        if not len(given) or not np.isfinite(given).all() or given.min() < 100_101 or given.max() >= 2**53:
            return None
        return given.astype(np.int64) if (given == np.floor(given)).all() else None
    if not len(given) or given.null_count or not pc.all(pc.match_substring_regex(given, r"^\d{5,17}$")).as_py():
        return None
    made: np.ndarray = given.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return made


def _stamps(numbers: np.ndarray, layout: str, said: str, strict: bool = False) -> Stamps | None:
    """Digits read one way; None (`strict`: ValueError) where one of them is no date that way."""
    fields: dict[str, np.ndarray] = {}
    rest = numbers
    names = _FIELD.findall(layout)
    for name in reversed(names):
        rest, fields[_kind(names, name, fields)] = np.divmod(rest, 10 ** len(name))
    zero = np.zeros(len(numbers), np.int64)
    years = fields["y"] if "YYYY" in names else fields["y"] + np.where(fields["y"] < 70, 2000, 1900)
    hour, minute, second = (fields.get(key, zero) for key in ("h", "min", "s"))
    odd = np.flatnonzero((hour > 23) | (minute > 59) | (second > 59) | (years < 1900) | (years > 2199) | (rest > 0))
    try:
        if len(odd):
            raise ValueError(f"row {odd[0] + 1} has the time {numbers[odd[0]]}, which is no {layout}")
        days = civil(years, fields["m"], fields.get("d", zero + 1))
    except ValueError:
        if strict:
            raise
        return None
    seconds = days * DAY + hour * 3600 + minute * 60 + second
    summer_time(seconds)
    kind = "stamp" if "HH" in names else "date"
    note = f"dates in digits are read as {layout}" + (f": column {said}" if said else "")
    return Stamps(seconds, fields.get("f", zero) * 1_000_000, kind, note=note)


def _kind(names: list[str], name: str, known: dict[str, np.ndarray]) -> str:
    """What a field is: MM behind the hour are minutes, and are met before the month from behind."""
    if name == "MM":
        return "min" if "HH" in names and "h" not in known and "min" not in known and names.count("MM") > 1 else "m"
    return {"YYYY": "y", "YY": "y", "DD": "d", "HH": "h", "SS": "s", "FFF": "f"}[name]


def _evenly(stamps: Stamps) -> float:
    """The share of steps between different times that are as long as the middle one."""
    steps = np.diff(np.unique(stamps.seconds * 10**9 + stamps.nanos))
    return float((steps == np.median(steps)).mean()) if len(steps) else 1.0


def _surely(numbers: np.ndarray, stamps: Stamps, layout: str) -> bool:
    """Whether a count between the same two numbers would hardly have held dates alone in so many rows."""
    different = np.unique(numbers)
    step = _UNITS[_FIELD.findall(layout)[-1]]
    dates = (stamps.seconds.max() - stamps.seconds.min()) / step + 1
    if layout[0] != "Y":
        dates = 200 * 366 * DAY / step  # nearly any date of these years may stand between two such numbers
    share = min(1.0, float(dates / (different[-1] - different[0] + 1)))
    steps = np.diff(different)
    even_count = len(steps) > 0 and (steps == steps[0]).all()
    return not even_count and -len(different) * np.log10(share) >= SURE
