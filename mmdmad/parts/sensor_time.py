"""Which columns of a sensor table are its time, decided by values and ranked by names; and which are no readings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from mmdmad.parts import clock
from mmdmad.parts.clock_digits import time_of_digits
from mmdmad.parts.dates import DAY, Stamps, summer_time
from mmdmad.parts.sensor_columns import Column
from mmdmad.parts.sensor_counts import elapsed, no_reading, restarted
from mmdmad.parts.sensor_fields import time_of_fields
from mmdmad.parts.sensor_fraction import added, fraction
from mmdmad.parts.sensor_intervals import ends_of, ends_of_days, told
from mmdmad.roles import FAULTY, LABEL, NORMAL, asks_of, label_of

SHARED = ("t", "ts", "sec", "tempo", "temps")
"""Names of time columns that other things have too: their numbers must be even to count as time."""
LABELS = (
    *("label", "labels", "anomaly", "anomalies", "is_anomaly", "anomalous", "outlier", "is_outlier", "changepoint"),
    *("change_point", "attack", "is_attack", "att_flag", "target", "class", "ground_truth", "gt", "normal/attack"),
)
KINDS = ("label", "labels", "class", "ground_truth", "gt")
"""Names of labels that number their kinds."""
MOST_KINDS = 20
_VERDICTS = {"normal", "anomaly", "anomalous", "attack", "a ttack", "outlier", "abnormal"}


@dataclass(frozen=True, eq=False)
class Found:
    """Seconds (T,) from the first row, their start, the columns that are no channels, and what was decided.

    `clock` are the columns that are the time, none where rows are counted. `marked` is how many rows the columns of
    labels call faulty. `daytime` are seconds from midnight to the first row where the clock has no date. `counts` are
    the columns that count or time the recording.
    """

    times: np.ndarray
    start: datetime | None
    gone: set[int]
    notes: list[str]
    clock: tuple[int, ...] = ()
    marked: int = 0
    daytime: float | None = None
    counts: tuple[int, ...] = ()


def find_time(columns: Sequence[Column], rate: float | None, first: int = 0) -> Found:
    """The time of a table; without a time column `rate` rows per second. `first` is the number of the first row.

    ValueError asks the question that the table leaves open.
    """
    rows = len(columns[0]) if columns else 0
    notes: list[str] = []
    gone: set[int] = set()
    dated = {i: c.dates for i, c in enumerate(columns) if c.dates is not None}
    ends = ends_of(columns, dated)
    gone |= set(ends)
    notes += told(columns, ends)
    dated = {i: stamps for i, stamps in dated.items() if i not in ends}
    apart = time_of_fields(columns, dated)
    if apart is None:
        joined = _joined(columns, dated, notes)
    else:
        joined = apart[:2]
        notes += apart[2]
    used = set() if joined is None else joined[1]
    numbers = {i: _numeric(c, notes) for i, c in enumerate(columns) if c.numbers is not None and i not in used}
    timely: dict[int, Any] = {i: found for i, found in numbers.items() if found is not None}
    for i, stamps in dated.items():
        if joined is None or i not in joined[1]:
            timely[i] = stamps
    # Of equal names dates come first: numbers may count from anywhere.
    # A clock alone says less than stamps: it may be set back at every step of a cycle.
    full = [stamps for stamps in dated.values() if stamps.kind == "stamp"]
    ranked = sorted(
        ((_rank(columns[i]), i) for i in timely if not (full and i in dated and _says_less(dated[i], full))),
        key=lambda one: (one[0], one[1] not in dated, one[1]),
    )
    best = _best(columns, ranked, timely, joined is not None)
    clock: tuple[int, ...] = ()
    passed = elapsed(columns) if best is None and joined is None and rate is None else None
    if passed is not None:
        gone.add(passed)
        clock = (passed,)
        times, start = _passed(columns[passed], notes)
    elif best is None and joined is None:
        if rate is None and (again := restarted(columns)) is not None:
            _refuse_again(columns[again[0]], again[1])
        times, start = np.arange(rows) / (rate or 1.0), None
    elif joined is not None:
        times, start = joined[0].from_first()
        gone |= joined[1]
        clock = tuple(sorted(joined[1]))
    else:
        assert best is not None
        gone.add(best)
        clock = (best,)
        _goes_on(columns[best], timely[best])
        times, start = _seconds(columns[best], timely[best], notes)
    part = fraction(columns, gone, times, bool(clock)) if start is not None or clock else None
    if part is not None:
        place, seconds = part
        gone.add(place)
        times, start = added(times, start, seconds)
        notes.append(f"column {columns[place].said} is the part of a second of the time beside it")
    for i in sorted({*timely, *dated} - gone):
        if timely.get(i) == "epoch" and not _alike(_seconds(columns[i], "epoch", [])[0], times):
            continue  # a count that grows beside the time is a reading, however large it is
        gone.add(i)
        notes.append(f"column {columns[i].said} holds times too and is left out: it is not a reading")
    marked, counts = _no_readings(columns, gone, notes, times, bool(clock), first)
    if not clock and rate is None and rows > 1:
        notes.append("no column holds the time: a row a second is taken; a rate says otherwise (sensor_rate)")
    day = _daytime(timely.get(clock[0])) if clock else None
    return Found(times, start, gone, notes, clock, marked, day, counts)


def _says_less(stamps: Stamps, full: Sequence[Stamps]) -> bool:
    """Whether a time of day, or a date that several rows share, stands beside full times that tell these rows apart."""
    kinds = len(np.unique(stamps.seconds))
    shared = stamps.kind == "date" and kinds < len(stamps.seconds)
    return stamps.kind == "clock" or (shared and any(len(np.unique(other.seconds)) > kinds for other in full))


def _goes_on(column: Column, how: Any) -> None:
    """ValueError where the time of a table falls back to its begin: sorted, two recordings would become one."""
    if how == "named" and column.numbers is not None and (row := clock.begins_again(column.numbers)) is not None:
        _refuse_again(column, row, f" (from {column.numbers[row - 1]:.12g} to {column.numbers[row]:.12g})")


def _refuse_again(column: Column, row: int, back: str = "") -> None:
    raise ValueError(
        f"column {column.said} begins again in row {row + 1}, as where recordings stand one below the other{back}: "
        "cut the table above this row into two files, or write dates with the times"
    )


def _passed(column: Column, notes: list[str]) -> tuple[np.ndarray, None]:
    """Seconds (T,) from the first row by a column of elapsed time."""
    assert column.numbers is not None
    scale = clock.UNITS.get(column.unit.lower())
    notes.append(f"column {column.said} is read as the time, in {column.unit if scale else 'seconds'}")
    return (column.numbers - column.numbers[0]) * (scale or 1.0), None


def _daytime(found: Any) -> float | None:
    """Seconds from midnight to the first of times of day without a date; None for any other time."""
    if not isinstance(found, Stamps) or found.kind != "clock":
        return None
    return float(found.seconds[0] + found.nanos[0] / 1e9)


def _rank(column: Column) -> int:
    return len(clock.NAMES) if column.named is None else column.named.rank


def _best(
    columns: Sequence[Column], ranked: Sequence[tuple[int, int]], timely: dict[int, Any], joined: bool
) -> int | None:
    if not ranked:
        return None
    rank, best = ranked[0]
    if rank == len(clock.NAMES) and len(ranked) > 1 and not joined:
        spans = [_seconds(columns[i], timely[i], [])[0] for _, i in ranked]
        if not all(_alike(other, spans[0]) for other in spans):
            names = " and ".join(columns[i].said for _, i in ranked)
            raise ValueError(f"columns {names} hold times; call the one that counts 'time'")
    return best


def _alike(seconds: np.ndarray, other: np.ndarray) -> bool:
    """Whether two columns of times tell the same: within a second and a hundredth of the whole."""
    return bool(np.abs(seconds - other).max(initial=0.0) <= 1.0 + 0.01 * other.max(initial=0.0))


def _numeric(column: Column, notes: list[str]) -> str | None:
    """Why the numbers of a column are a time: "named", "days" or "epoch"; None where they are readings."""
    values, named = column.numbers, column.named
    assert values is not None
    there = values[np.isfinite(values)]
    if named is None:
        return "epoch" if clock.is_epoch(values) else None
    if not len(there):
        return None if named.name in SHARED else "named"
    if why := clock.rounded(there):
        raise ValueError(f"column {column.said} {why}")
    if clock.is_epoch(there) or (len(there) < 3 and named.name != "t"):
        return "named"
    if clock.is_days(values, named):
        return "days"
    if not _rises(there, column, named):
        notes.append(
            f"column {column.said} is called like a time, but its numbers do not run like one: it is a channel"
        )
        return None
    if named.scale is None and (_looks_like_clock(there) or clock.is_hhmmss(there)):
        raise ValueError(
            f"column {column.said} may count seconds or hold times of day without colons (101500); write 10:15:00, or "
            "the unit into the header: 'time [s]'"
        )
    return "named"


def _rises(values: np.ndarray, column: Column, named: clock.Named) -> bool:
    """Whether numbers run like a time: nearly always up in rows, or an even grid in another order."""
    steps = np.diff(values)
    if not steps.any():
        return len(values) < 3
    distinct = np.unique(values)
    gaps = np.diff(distinct)
    even = bool((np.abs(gaps - np.median(gaps)) <= 0.01 * np.median(gaps) + 1e-9 * np.abs(values).max()).mean() >= 0.9)
    weak = named.name in SHARED and named.scale is None
    if weak:
        if (steps > 0).mean() >= 0.99 and not even:
            raise ValueError(
                f"column {column.said} rises from row to row in uneven steps: is it the time or a reading? Call it "
                f"'time', or write its unit into the header: '{named.name} [s]' or '{named.name} [°C]'"
            )
        return even and bool((steps > 0).all())
    if (steps >= 0).mean() >= 0.9 and values[-1] > values[0]:
        return True
    if 2 * len(distinct) >= len(values) and even:
        return True
    if len(distinct) == len(values) and len(values) > 2 and named.scale is not None:
        raise ValueError(f"column {column.said} is called like a time, but its numbers go up and down; sort the rows")
    return False


def _looks_like_clock(values: np.ndarray) -> bool:
    """Whether whole numbers skip what clocks skip: after 101559 comes 101600."""
    if len(values) < 2 or (values != np.floor(values)).any() or values.min() < 0 or values.max() >= 240_000:
        return False
    steps = np.diff(values)
    clocks = ((values % 100 < 60) & (values // 100 % 100 < 60)).all()
    return bool(clocks and 0 < np.median(steps) < 41 and ((steps % 100 == 41) & (steps > 0)).any())


def _joined(columns: Sequence[Column], dated: dict[int, Stamps], notes: list[str]) -> tuple[Stamps, set[int]] | None:
    """A column of dates and one of times of day as one."""
    dates = sorted((_rank(columns[i]), i) for i, s in dated.items() if s.kind == "date")
    clocks = sorted((_rank(columns[i]), i) for i, s in dated.items() if s.kind == "clock")
    if not dates or any(s.kind == "stamp" for s in dated.values()):
        return None
    place = dates[0][1]
    found = (clocks[0][1], dated[clocks[0][1]]) if clocks else _digits(columns, dated[place])
    if found is None:
        return None
    other, hands = found
    notes.append(f"columns {columns[place].said} and {columns[other].said} together are the time")
    if dated[place].note:
        notes.append(dated[place].note)
    named = columns[place].named or columns[other].named
    made = dated[place].at(hands)
    late = ends_of_days(dated[place].seconds, hands.seconds)
    if late.any():
        made = replace(made, seconds=made.seconds + DAY * late)
        notes.append(f"00:00 in the last row of a date is its end ({int(late.sum())} rows), the begin of the next day")
    if not made.aware:
        summer_time(made.seconds)
    return _zoned(made, named), {place, other}


def _zoned(stamps: Stamps, named: clock.Named | None) -> Stamps:
    """Stamps in the zone that their header names, where they have none of their own."""
    if named is None or not named.utc or stamps.aware or stamps.kind == "clock":
        return stamps
    return replace(stamps, seconds=stamps.seconds - int(named.ahead), aware=True)


def _digits(columns: Sequence[Column], dates: Stamps) -> tuple[int, Stamps] | None:
    """The column beside dates that holds times of day in digits, and they."""
    for i, column in enumerate(columns):
        named = column.named
        if column.numbers is None or named is None or named.scale is not None or clock.is_epoch(column.numbers):
            continue
        found = time_of_digits(column.numbers, dates.seconds, column.said)
        if found is not None:
            return i, found
    return None


def _seconds(column: Column, how: Any, notes: list[str]) -> tuple[np.ndarray, datetime | None]:
    named = column.named
    if isinstance(how, Stamps):
        if how.note:
            notes.append(how.note)
        if named is None:
            notes.append(f"column {column.said} holds the times")
        return _zoned(how, named).from_first()
    assert column.numbers is not None
    if how == "days":
        notes.append(f"column {column.said} is read as day numbers of a spreadsheet")
        times, start = clock.from_days(column.numbers)
        zoned = named is not None and named.utc
        return times, start.replace(tzinfo=UTC) - timedelta(seconds=named.ahead) if named and zoned else start
    if how == "epoch":
        notes.append(f"column {column.said} counts from 1970 and is the time, whatever its name")
    return clock.from_numbers(column.numbers, None if named is None else named.scale)


def _no_readings(
    columns: Sequence[Column], gone: set[int], notes: list[str], times: np.ndarray, dated: bool, first: int
) -> tuple[int, tuple[int, ...]]:
    """Adds labels, and what counts or times the recording, to the columns that are no channels; the last one stays.

    Returns how many rows a column of labels calls faulty, the most of all, and the columns that count.
    """
    marked, counts = 0, []
    for i, column in enumerate(columns):
        if i in gone:
            continue
        if _is_label(column):
            gone.add(i)
            marks = _marks(column)
            marked = max(marked, marks)
            calls = f"; it calls {marks} of {len(column)} rows faulty" if marks else ""
            notes.append(f"column {column.said} holds labels and is left out: labels are never learned from{calls}")
        elif why := no_reading(column, times, dated, first):
            if column.name.strip() and len(gone) == len(columns) - 1:
                continue
            gone.add(i)
            counts.append(i)
            notes.append(f"column {column.said} {why} and is left out: it is not a reading")
    return marked, tuple(counts)


def _marks(column: Column) -> int:
    """How many rows a column of labels calls faulty; 0 where it numbers kinds, of which nobody knows the sound one."""
    how = asks_of(column.name) or LABEL
    if column.numbers is not None:
        if not _zero_one(column.numbers):
            return 0
        return int(np.count_nonzero(column.numbers == (0 if how == NORMAL else 1)))
    faulty = [code for code, word in enumerate(column.words) if label_of(word, how) == 1]
    return int(np.isin(column.codes, faulty).sum()) if column.codes is not None else 0


def _is_label(column: Column) -> bool:
    """Whether a column is called like one of labels, and holds what labels are: 0 and 1, few kinds, or their words."""
    name, asks = column.name.strip().lower().replace(" ", "_").replace("-", "_"), asks_of(column.name)
    if column.numbers is not None:
        asked = name in LABELS or asks in (FAULTY, NORMAL)
        return (asked and _zero_one(column.numbers)) or (name in KINDS and _few_kinds(column.numbers))
    if name in LABELS and set(map(str.lower, column.words)) & _VERDICTS:
        return True
    how = LABEL if name in LABELS else asks
    return how is not None and bool(column.words) and None not in [label_of(word, how) for word in column.words]


def _few_kinds(values: np.ndarray) -> bool:
    kinds = np.unique(values[np.isfinite(values)])
    return 1 < len(kinds) <= MOST_KINDS and bool((kinds == np.rint(kinds)).all())


def _zero_one(values: np.ndarray | None) -> bool:
    return values is not None and bool(np.isin(values[np.isfinite(values)], (0, 1)).all())
