"""The timeline of p-values as plain coordinates, for an inline SVG.

A p-value cannot be smaller than its floor, however odd the case. Where it is known how far the joint score lies beyond
those of all normal cases, such cases stand in a band of their own above the p-values, on a logarithmic scale of the
ratio to the largest normal score.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mmdmad.ask.timeline import Point

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 960, 240, 58, 16, 14, 30
BAND = 110  # height of the band of cases beyond all normal ones
RATIOS = tuple(m * 10**k for k in range(9) for m in (1, 2, 5))
STEPS = (1, 5, 15, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600,
         86_400, 2 * 86_400, 7 * 86_400, 30 * 86_400, 91 * 86_400)  # fmt: skip


@dataclass(frozen=True)
class Dot:
    """One case in the drawing."""

    x: float
    y: float
    point: Point
    times: float | None = None  # joint score over the largest normal one, where it lies in the band


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Timeline:
    """Everything the SVG draws; y grows downwards, small p-values are at the top."""

    dots: tuple[Dot, ...]
    ticks_x: tuple[Tick, ...]
    ticks_y: tuple[Tick, ...]
    limit: float
    sampled: bool
    by_time: bool
    band: float | None = None  # where the band of cases beyond all normal ones ends; None without any
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def lay_out(
    points: Sequence[Point], rate: float, sampled: bool = False, beyond: Mapping[str, float] | None = None
) -> Timeline | None:
    """Coordinates of the timeline: by time where at least two cases have different times, else one after another.

    `sampled` says that there are more cases than points; it is passed on to the reader. `beyond` are joint scores of
    cases at their floor over the largest normal one; those of more than 1 stand in the band.
    """
    if not points:
        return None
    seconds = [_seconds(p.time) for p in points]
    timed = [s for s in seconds if s is not None]
    by_time = len(timed) == len(points) and max(timed) > min(timed)
    xs = [s or 0.0 for s in seconds] if by_time else [float(p.place) for p in points]
    low, high = min(xs), max(xs)
    far = {case: times for case, times in (beyond or {}).items() if times > 1}
    far = {p.case_id: far[p.case_id] for p in points if p.case_id in far}
    most, band = max([2.0, *far.values()]), BAND if far else 0
    top, height = TOP + band, HEIGHT + band
    deepest = max(-math.log10(max(p.p_value, 1e-12)) for p in points)
    depth = max(2.0, deepest + 0.2) if far else max(2.0, math.ceil(deepest + 0.2))

    def x(value: float) -> float:
        return round(LEFT + 8 + (value - low) / max(high - low, 1e-9) * (WIDTH - LEFT - RIGHT - 16), 1)

    def y(p_value: float) -> float:
        share = min(-math.log10(max(p_value, 1e-12)) / depth, 1.0)
        return round(height - BOTTOM - share * (height - top - BOTTOM), 1)

    def above(times: float) -> float:
        return round(top - 14 - math.log(times) / math.log(most) * (BAND - 22), 1)

    dots = tuple(
        Dot(x(at), above(far[p.case_id]), p, far[p.case_id]) if p.case_id in far else Dot(x(at), y(p.p_value), p)
        for at, p in zip(xs, points)
    )
    ticks_y = tuple(Tick(y(10.0**-k), f"{10.0**-k:g}") for k in range(int(depth) + 1))
    if far:
        ticks_y += tuple(Tick(above(ratio), f"{ratio} ×") for ratio in _ratios(most))
    return Timeline(
        dots, _ticks_x(points, by_time, low, high, x), ticks_y, y(rate), sampled, by_time,
        band=float(top) if far else None, height=height, bottom=height - BOTTOM,
    )  # fmt: skip


def _ratios(most: float) -> list[int]:
    """A few round ratios from 1 to the largest."""
    found = [ratio for ratio in RATIOS if ratio <= most]
    return found if len(found) <= 4 else [ratio for ratio in found if str(ratio)[0] == "1"]


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _ticks_x(
    points: Sequence[Point], by_time: bool, low: float, high: float, x: Callable[[float], float]
) -> tuple[Tick, ...]:
    if not by_time:
        values = [low + (high - low) * i / 4 for i in range(5)] if high > low else [low]
        return tuple(Tick(x(round(v)), str(round(v) + 1)) for v in dict.fromkeys(round(v) for v in values))
    zone = next((p.time.tzinfo for p in points if p.time is not None), None) or UTC
    step = next((s for s in STEPS if (high - low) / s <= 7), 365 * 86_400.0)
    first = datetime.fromtimestamp(low, zone)
    start = first.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    values = [start + step * i for i in range(math.ceil((low - start) / step), math.floor((high - start) / step) + 1)]
    pattern = "%H:%M:%S" if step < 60 else "%H:%M" if high - low < 86_400 else "%d %b %H:%M"
    pattern = "%d %b %Y" if step >= 86_400 else pattern
    return tuple(Tick(x(v), datetime.fromtimestamp(v, zone).strftime(pattern)) for v in values)
