"""Dates and clock times in words as seconds: one form a column, decided over all its cells, never cell by cell."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from mmdmad.parts.date_forms import FORMS, SPANS, ZONES
from mmdmad.parts.month_names import month_of

_ORDERS = {"dd/mm/yyyy": "dmy", "mm/dd/yyyy": "mdy", "dd/mm/yy": "dmy", "mm/dd/yy": "mdy"}
DAY = 86_400


@dataclass(frozen=True, eq=False)
class Stamps:
    """Whole seconds (T,) since 1970 (of a clock alone: since midnight) and nanoseconds (T,) beside them.

    `kind` is "stamp", "date" (every time of day is left out) or "clock"; `aware` says that the seconds are UTC, and
    `ahead` (T,) by how many seconds the clocks that were written down are ahead of it; `note` says what was decided, ""
    where nothing had to be.
    """

    seconds: np.ndarray
    nanos: np.ndarray
    kind: str
    aware: bool = False
    note: str = ""
    ahead: np.ndarray | None = None

    def from_first(self) -> tuple[np.ndarray, datetime | None]:
        """Seconds (T,) from the earliest, and the earliest; a clock alone has no start."""
        seconds = _past_midnight(self.seconds) if self.kind == "clock" else self.seconds
        place = int(np.lexsort((self.nanos, seconds))[0])
        first, nanos = int(seconds[place]), int(self.nanos[place])
        times = (seconds - first) + (self.nanos - nanos) / 1e9
        if self.kind == "clock":
            return times, None
        zone = UTC if self.aware else None
        return times, datetime(1970, 1, 1, tzinfo=zone) + timedelta(seconds=first, microseconds=nanos // 1000)

    def at(self, clock: "Stamps") -> "Stamps":
        """These dates at the times of day of another column."""
        late = np.flatnonzero(clock.seconds >= DAY)
        if len(late):
            raise ValueError(f"row {late[0] + 1} has a time of day beyond 23:59:59 beside its date")
        return replace(self, seconds=self.seconds + clock.seconds, nanos=clock.nanos, kind="stamp")


def order_of(unit: str) -> str | None:
    """The order that a header names in its brackets, or None.

    >>> order_of("DD.MM.YYYY"), order_of("mm/dd/yy"), order_of("ms")
    ('dmy', 'mdy', None)
    """
    return _ORDERS.get(re.sub(r"[-.]", "/", unit.lower()).split(" ")[0])


def read_dates(
    words: Any, order: str | None = None, forms: tuple[str, ...] = tuple(FORMS), one_series: bool = True
) -> Stamps | None:
    """An Arrow array of words (T,) as time stamps; None where they are no dates at all.

    Of `one_series` times that go back by an hour once are refused: summer time ended. Where several stand below each
    other, the caller asks for each of them (`summer_time`).

    ValueError names the row that has no date or another form, and says how to name the order of day and month where
    nothing in the column decides it.

    >>> import pyarrow as pa
    >>> read_dates(pa.array(["9.3.2026 10:00:00,5", "10.3.2026"])).from_first()[0].tolist()
    [0.0, 50399.5]
    """
    import pyarrow.compute as pc

    sample = words.drop_null().slice(0, 64)
    every = FORMS | SPANS
    counts = {form: pc.sum(pc.match_substring_regex(sample, every[form])).as_py() or 0 for form in forms}
    form = max(counts, key=lambda name: counts[name])
    if 2 * counts[form] <= len(sample):
        return None
    found = pc.struct_field
    cells = pc.extract_regex(words, every[form])
    missed = np.flatnonzero(cells.is_null().to_numpy(zero_copy_only=False))
    if len(missed):
        given = words[int(missed[0])].as_py()
        what = "has no time" if given is None else f"has the time {given[:60]!r}"
        raise ValueError(
            f"row {missed[0] + 1} {what}; write seconds or ISO 8601, all in one form, all with or all without an offset"
        )
    fields = {cells.type.field(i).name for i in range(cells.type.num_fields)}

    def text(*names: str) -> Any:
        parts = [found(cells, name) for name in names if name in fields]
        return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "")

    def whole(*names: str) -> np.ndarray:
        if not any(name in fields for name in names):
            return np.zeros(len(words), np.int64)
        column = text(*names)
        filled = pc.if_else(pc.equal(column, ""), "0", column)
        return filled.cast("int64").to_numpy(zero_copy_only=False)

    seconds, nanos, bare = _time_of_day(whole, text, fields, form)
    if form == "clock":
        return Stamps(seconds + whole("days") * DAY, nanos, "clock")
    days, note = _days(whole, text, form, fields, order, seconds)
    seconds = seconds + days * DAY
    aware, ahead = False, None
    if "zone" in fields:
        zones = text("zone")
        has = pc.not_equal(zones, "").to_numpy(zero_copy_only=False)
        aware = bool(has.any())
        if aware and not has.all():
            odd = int(np.argmin(has)) if has[0] else int(np.argmax(has))
            raise ValueError(
                f"row {odd + 1} is {'without' if has[0] else 'with'} an offset from UTC, row 1 is "
                f"{'with' if has[0] else 'without'} one; write seconds or ISO 8601, all with or all without an offset"
            )
        if aware:
            ahead = _offsets(zones)
            seconds = seconds - ahead
    if not aware and one_series:
        summer_time(seconds)
    return Stamps(seconds, nanos, "date" if bare else "stamp", aware, note, ahead)


def _time_of_day(whole: Any, text: Any, fields: set[str], form: str) -> tuple[np.ndarray, np.ndarray, bool]:
    import pyarrow.compute as pc

    hours, minutes, secs = whole("h", "h2"), whole("min", "min2", "min3"), whole("s", "s2", "s3")
    if "half" in fields:
        half = pc.utf8_lower(text("half")).to_numpy(zero_copy_only=False)
        twelve = half != ""
        bad = np.flatnonzero(twelve & ((hours < 1) | (hours > 12)))
        if len(bad):
            raise ValueError(f"row {bad[0] + 1} has an hour of {hours[bad[0]]} beside AM or PM; allowed are 1 to 12")
        hours = np.where(twelve, hours % 12 + 12 * (half == "p"), hours)
    late = np.flatnonzero((minutes > 59) | (secs > 59) | ((hours > 23) & (form != "clock")))
    if len(late):
        raise ValueError(f"row {late[0] + 1} has a time of day that no clock shows; allowed is 00:00:00 to 23:59:59")
    nanos = np.zeros(len(hours), np.int64)
    if "f" in fields:
        part = text("f", "f2", "f3")
        digits = pc.utf8_rpad(part, width=9, padding="0")
        nanos = pc.if_else(pc.equal(part, ""), "0", digits).cast("int64").to_numpy(zero_copy_only=False)
    minute = ("min", "min2", "min3")
    bare = not {*minute} & fields or bool(pc.all(pc.equal(text(*minute), "")).as_py())
    return hours * 3600 + minutes * 60 + secs, nanos, bare


def _days(
    whole: Any, text: Any, form: str, fields: set[str], order: str | None, seconds: np.ndarray
) -> tuple[np.ndarray, str]:
    import pyarrow.compute as pc

    whole_years = years = whole("y")
    note = ""
    if form in ("dots", "slashes"):
        a, b = whole("a"), whole("b", "b2")
        short = bool(pc.any(pc.less(pc.utf8_length(text("y")), 4)).as_py())
        possible = {"dmy": bool((b <= 12).all()), "mdy": bool((a <= 12).all())}
        order = order or _running(a, b, years, seconds, short)
        if order == "ymd":
            years, b, a, order = a, b, years, "dmy"
        elif order is None and short:
            raise ValueError(
                "the dates have years of two digits; write four, or name the order behind the name in the header: "
                "'[DD/MM/YY]' or '[MM/DD/YY]'"
            )
        if order is None and form == "dots" and possible["dmy"]:
            order = "dmy"  # in every locale of CLDR that writes dots between numbers the day comes first
        if order is None:
            left = [name for name, can in possible.items() if can]
            if len(left) == 2 and not np.array_equal(a, b):
                raise ValueError(
                    "no date tells whether the day or the month comes first; write ISO 8601, or name the order "
                    "behind the name in the header: '[DD/MM/YYYY]' or '[MM/DD/YYYY]'"
                )
            order = left[0] if left else "dmy"
        ymd = years is not whole_years
        note = f"dates are read with the {'year' if ymd else 'day' if order == 'dmy' else 'month'} first"
        years = years + 2000 * (years < 100)
        days, months = (a, b) if order == "dmy" else (b, a)
    elif "name" in fields:
        names = pc.dictionary_encode(text("name"))
        names = names.combine_chunks() if hasattr(names, "combine_chunks") else names
        known = np.array([month_of(word) for word in names.dictionary.to_pylist()], np.int64)
        months = known[names.indices.to_numpy()]
        days = whole("d") if "d" in fields else np.ones_like(months)
        if form == "named short":
            years, note = years + 2000 - 100 * (years >= 70), "dates are read with the day first"
        if (months == 0).any():
            row = int(np.argmin(months))
            word = text("name")[row].as_py()
            raise ValueError(
                f"row {row + 1} has {word!r} for a month, which no language known here has; write ISO 8601"
            )
    elif form in SPANS:
        return _begins(whole, form, fields, years)
    else:
        months, days = whole("m", "m2", "m3"), whole("d")
    return civil(years, months, days), note


def _begins(whole: Any, form: str, fields: set[str], years: np.ndarray) -> tuple[np.ndarray, str]:
    """Days since 1970 on which weeks (ISO 8601), months or quarters begin, or days of the year are."""
    ones = np.ones_like(years)
    if "week" in fields:
        fourth = civil(years, ones, 4 * ones)  # always in week 1
        day = whole("weekday") if (whole("weekday") > 0).all() else ones
        bad = np.flatnonzero((whole("week") < 1) | (whole("week") > 53))
        if len(bad):
            raise ValueError(f"row {bad[0] + 1} has the week {whole('week')[bad[0]]}; a year has weeks 1 to 53")
        return fourth - (fourth + 3) % 7 + 7 * (
            whole("week") - 1
        ) + day - 1, "weeks begin on Monday, as ISO 8601 has them"
    if "doy" in fields:
        days = civil(years, ones, ones) + whole("doy") - 1
        bad = np.flatnonzero((whole("doy") < 1) | (days >= civil(years + 1, ones, ones)))
        if len(bad):
            raise ValueError(f"row {bad[0] + 1} has the day {whole('doy')[bad[0]]} of a year, which it does not have")
        return days, "three digits behind the year are the day of the year"
    what = "quarters" if "quarter" in fields else "months"
    months = 3 * whole("quarter") - 2 if "quarter" in fields else whole("m")
    return civil(years, months, ones), f"the {what} stand at their first day"


SMOOTH = 24
"""Times the usual step that the longest may be where times run on without a gap."""


def _running(a: np.ndarray, b: np.ndarray, years: np.ndarray, seconds: np.ndarray, short: bool) -> str | None:
    """The one order that a calendar allows, or in which many times of several days run on without a gap; else None.

    Read with day and month exchanged, the next day is the next month.
    """
    orders = {"dmy": (years, b, a), "mdy": (years, a, b), **({"ymd": (a, b, years)} if short else {})}
    known, fits = [], []
    for name, (y, m, d) in orders.items():
        try:
            times = civil(y + 2000 * (y < 100), m, d) * DAY + seconds
        except ValueError:
            continue
        known.append(name)
        steps = np.abs(np.diff(times))
        if not seconds.any():  # dates alone: whole days of readings follow one another
            days = steps[steps > 0]
            fits += [name] * (len(days) >= 2 and len(a) >= 8 * len(days) and bool((days == DAY).all()))
            continue
        if len(a) < 8:
            continue
        usual = float(np.median(steps))
        if usual <= DAY / 2 and steps.max() <= SMOOTH * usual and times[0] // DAY != times[-1] // DAY:
            fits.append(name)
    found = known if len(known) == 1 else fits
    return found[0] if len(found) == 1 else None


def civil(years: np.ndarray, months: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Days since 1970 of dates; ValueError names the first that no calendar has."""
    first = ((years - 1970) * 12 + months - 1).astype("M8[M]")
    length = ((first + np.timedelta64(1, "M")).astype("M8[D]") - first.astype("M8[D]")).astype(np.int64)
    bad = np.flatnonzero((months < 1) | (months > 12) | (days < 1) | (days > length) | (years < 1))
    if len(bad):
        i = bad[0]
        raise ValueError(f"row {i + 1} has a date that no calendar has: year {years[i]}, month {months[i]}, {days[i]}")
    return first.astype("M8[D]").astype(np.int64) + days - 1


def _offsets(zones: Any) -> np.ndarray:
    """Seconds ahead of UTC of words like Z and +02:00."""
    import pyarrow.compute as pc

    coded = pc.dictionary_encode(zones)
    coded = coded.combine_chunks() if hasattr(coded, "combine_chunks") else coded
    ahead = []
    for zone in coded.dictionary.to_pylist():
        digits = re.sub(r"^[A-Z]+\s?(?=[+-])", "", zone)
        if digits[0] in "+-":
            bare = digits[1:].replace(":", "").ljust(2)
            seconds = int(bare[:2]) * 3600 + int(bare[2:] or 0) * 60
            ahead.append(-seconds if digits[0] == "-" else seconds)
        else:
            ahead.append(3600 * ZONES[zone.upper()])
    return np.array(ahead, np.int64)[coded.indices.to_numpy()]


def _past_midnight(seconds: np.ndarray) -> np.ndarray:
    """A clock that falls by more than half a day has passed midnight; one that falls by less is refused."""
    steps = np.diff(seconds)
    back = np.flatnonzero((steps < 0) & (steps > -DAY // 2))
    if len(back):
        raise ValueError(f"the clock in row {back[0] + 2} is before the one above it; write dates with the times")
    return seconds + DAY * np.concatenate([[0], np.cumsum(steps < 0)])


def summer_time(seconds: np.ndarray) -> None:
    """Refuses local times that repeat an hour once: sorted, two hours of readings would become one."""
    steps = np.diff(seconds)
    back = np.flatnonzero(steps < 0)
    if len(back) != 1 or len(steps) < 4:
        return
    usual = float(np.median(steps))
    if usual > 0 and abs(steps[back[0]] + 3600 - usual) <= max(1.0, usual):
        raise ValueError(
            f"the times go back by an hour before row {back[0] + 2}, as clocks do when summer time ends; write UTC or "
            "add the offset to every time (date, time and offset in one column: 2025-10-26T02:00+01:00)"
        )
