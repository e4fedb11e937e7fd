"""How the rows of a sensor table follow each other: another sampling rate, and rows that are missing.

Encoders lay every table on one grid, so that a table of another rate, or with a gap, is compared all the same; here it
is said that it is one. What is normal is the least and the most of the normal tables, so that "no gap above" is true.
"""

from collections.abc import Iterator

import numpy as np

from mmdmad.explain.ranges import Ranges
from mmdmad.explain.traces import stretches
from mmdmad.explain.when import Recorded
from mmdmad.explain.words import Draft, draft, fact
from mmdmad.findings import Fact
from mmdmad.parts.timeline import usual_step

CLOCK = ("fastest", "slowest", "gap")
"""Least and most usual time from one row to the next, and the most of all, in seconds."""
WINDOW = 9
"""Steps whose median is the usual time between rows at a place: up to four that are longer there change nothing."""
RATE = 1.05
"""Times the usual time between rows, from which on it is another one; a time of whole milliseconds varies less."""
GAP = 1.5
"""Times the longest normal time between rows, and the usual one at that place, from which on rows are missing."""
RUN, WHOLE = 5, 0.9
"""Steps that another rate takes to be one, and the share of all from which on the whole table has it."""
MOST = 3
"""Gaps, and stretches of another rate, that are told one by one."""


def clock(times: np.ndarray) -> np.ndarray | None:
    """One number (s) per name of CLOCK from the times (T,) of a table; None for fewer than three rows.

    >>> clock(np.array([0.0, 1.0, 2.0, 3.0, 7.0, 8.0, 9.0, 10.0])).tolist()
    [1.0, 1.0, 4.0]
    """
    if len(times) < 3:
        return None
    steps = np.diff(np.asarray(times, np.float64))
    usual = _usual(steps)
    return np.array([usual.min(), usual.max(), steps.max()])


def another_rate(times: np.ndarray, normal: Ranges) -> bool:
    """Whether the rows of a whole table (T,) come at another rate than those of normal tables."""
    if len(times) < 3:
        return False
    return bool(_other(_usual(np.diff(times)), normal).mean() >= WHOLE)


def evidence(times: np.ndarray, normal: Ranges | None, recorded: Recorded | None = None) -> list[Draft]:
    """The longest stretches of another rate, then the longest gaps, of a table of times (T,); none without normals.

    A table that has another rate from end to end is told without times.
    """
    recorded = recorded or Recorded(step=usual_step(times))
    if normal is None or len(times) < 3:
        return []
    times = np.asarray(times, np.float64)
    usual = _usual(np.diff(times))
    other = _other(usual, normal)
    runs = sorted((r for r in stretches(other) if r[1] - r[0] >= min(RUN, len(usual))), key=lambda r: r[0] - r[1])
    if other.mean() >= WHOLE:
        runs = [(0, len(usual))]
    due = np.minimum(usual, normal["slowest"][2])  # a few long steps in a row are gaps, and no rate of their own
    for a, b in runs:
        due[a:b] = usual[a:b]
    rates = [_rate(times, run, len(usual), normal, recorded) for run in runs[:MOST]]
    return [*rates, *_gaps(times, due, normal, recorded)]


def _usual(steps: np.ndarray) -> np.ndarray:
    """The running median of steps (n,)."""
    from scipy import ndimage

    return np.asarray(ndimage.median_filter(steps, min(WINDOW, len(steps) | 1), mode="nearest"))


def _other(usual: np.ndarray, normal: Ranges) -> np.ndarray:
    return np.asarray((usual * RATE < normal["fastest"][0]) | (usual > RATE * normal["slowest"][2]))


def _rate(times: np.ndarray, run: tuple[int, int], count: int, normal: Ranges, recorded: Recorded) -> Draft:
    """That rows come at another rate in this stretch of `count` steps."""
    a, b = run
    facts = [fact("time between rows", float(np.median(np.diff(times)[a:b])), "s"), *_normal_rate(normal)]
    text, when = "rows come every {time_between_rows}", ""
    if b - a < count:
        found = recorded.span(float(times[a]), float(times[b]))
        facts, text, when = [*facts, *found.facts], text + " {when}", found.words
    alike = len(_normal_rate(normal)) == 1
    usually = "{normal_time_between_rows}" if alike else "{normal_least_time} to {normal_most_time}"
    return draft("form", "sensor", f"{text}; normal tables have one every {usually}.", facts, when)


def _normal_rate(normal: Ranges) -> list[Fact]:
    """The usual time between rows of normal tables: one, or least and most where they differ."""
    least, most = normal["fastest"][0], normal["slowest"][2]
    if most <= RATE * least:
        return [fact("normal time between rows", normal["slowest"][1], "s")]
    return [fact("normal least time", least, "s"), fact("normal most time", most, "s")]


def _gaps(times: np.ndarray, due: np.ndarray, normal: Ranges, recorded: Recorded) -> Iterator[Draft]:
    """Where rows are missing; `due` is when the next row is, after each."""
    steps = np.diff(times)
    wide = (steps > GAP * normal["gap"][2]) & (steps > GAP * due)
    found = [a for a, b in stretches(wide) for a in range(a, b)]
    found.sort(key=lambda i: (-round(float(steps[i]), 9), i))
    for i in found[:MOST]:
        when = recorded.span(float(times[i] + due[i]), float(times[i + 1]))
        facts = [
            *when.facts,
            fact("gap", float(steps[i]), "s"),
            fact("longest normal gap", normal["gap"][2], "s"),
        ]
        text = "rows are missing {when}"
        if i == found[:MOST][-1] and len(found) > MOST:
            facts.append(fact("further places", len(found) - MOST))
            text += " and at {further_places} further places"
        text += "; normal tables have no gap above {longest_normal_gap}."
        yield draft("form", "sensor", text, facts, when.words)
