"""What happened on a sensor channel: dropout, frozen, spike, noise burst, level shift or drift, against normal.

A detector says where a channel is unusual; this names what was measured there. Every test compares one measure of
`traces` with the range of the same measure over normal cases, so nothing is judged on a case's own statistics alone.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mmdmad.explain.ranges import Ranges
from mmdmad.explain.traces import Traces, best_box, contrast, longest_stretch, means, rise, stretches

EventKind = Literal["dropout", "frozen", "spike", "noise burst", "level shift", "drift"]


@dataclass(frozen=True)
class Event:
    """One thing that happened on a channel between `start` and `stop` seconds.

    `excess`: how far the measure lies beyond its normal range, in units of that range's upper or lower half.
    `value`: the reading itself (spike: at its tip; shift: mean inside; frozen and dropout: the held value; NaN: none).
    `change`: spike: distance from the readings around; drift: rise; noise burst: ratio of roughness to normal's middle
    (NaN: that is no scale).
    `normal`: the ends of the normal range of what is compared.
    """

    kind: EventKind
    start: float
    stop: float
    excess: float
    value: float
    change: float
    normal: tuple[float, float]
    against: Literal["level", "shift"] = "level"  # of a level shift: whether `normal` is of levels or of shifts


def events(trace: Traces, normal: Ranges, alike: bool = True) -> list[Event]:
    """The one event that explains the channel best, and a dropout or frozen stretch beside it; strongest first.

    Spikes and noise are steps from row to row: unless rows come at a rate `alike` to the normal one, their measures
    cannot be compared and none is told.
    """
    if trace.missing.all():
        return [Event("dropout", float(trace.times[0]), float(trace.times[-1]), np.inf, np.nan, 0.0, (0.0, 0.0))]
    still = [e for e in (_gap(trace, normal), _held(trace, normal)) if e is not None]
    if still:  # a step into a held value is part of it, not a second event
        return still
    level = _level(trace, normal)
    spike, noise = (_spike(trace, normal), _noise(trace, normal)) if alike else (None, None)
    if spike is not None and (noise is None or spike.stop - spike.start <= 0.1 * _length(trace)):
        return [spike]
    if noise is not None and (level is None or noise.excess >= level.excess):
        return [noise]
    return [e for e in (level,) if e is not None]


def above(value: float, normal: tuple[float, float, float], floor: float = 0.0) -> float:
    """How far a value lies above the high end of (low, middle, high), in units of the upper half; negative below it."""
    _, middle, high = normal
    return (value - high) / max(high - middle, floor, 1e-12)


def below(value: float, normal: tuple[float, float, float], floor: float = 0.0) -> float:
    """How far a value lies below the low end of (low, middle, high), in units of the lower half."""
    low, middle, _ = normal
    return (low - value) / max(middle - low, floor, 1e-12)


def excess(value: float, normal: tuple[float, float, float], floor: float = 0.0) -> float:
    """How far a value lies outside (low, middle, high), in units of the half it leaves; negative inside."""
    return max(above(value, normal, floor), below(value, normal, floor))


def _length(trace: Traces) -> float:
    return float(trace.times[-1] - trace.times[0])


def _span(trace: Traces, a: int, b: int) -> tuple[float, float]:
    """Start and stop in seconds of the samples a to b - 1; a sample lasts until the next one."""
    return float(trace.times[a]), float(trace.times[b] if b < len(trace.times) else trace.times[-1] + trace.step)


def _gap(trace: Traces, normal: Ranges) -> Event | None:
    a, b = longest_stretch(trace.missing)
    long, usual = (b - a) * trace.step, normal["gap"][2]
    if b - a < 3 or long <= 1.2 * usual:
        return None
    return Event("dropout", *_span(trace, a, b), long / max(usual, trace.step), np.nan, 0.0, (0.0, usual))


def _held(trace: Traces, normal: Ranges) -> Event | None:
    usual = normal["run"][2]
    a = int(trace.run.argmax())
    length = int(trace.run[a])
    if length < 5 or length * trace.step <= 1.5 * usual + trace.step:
        return None
    value = float(trace.values[a])
    low, _, high = normal["value"]
    kind: EventKind = "dropout" if value < low else "frozen"
    span, beyond = _span(trace, a, a + length), length * trace.step / max(usual, trace.step)
    return Event(kind, *span, beyond, value, 0.0, (low, high) if kind == "dropout" else (0.0, usual))


def _spike(trace: Traces, normal: Ranges) -> Event | None:
    usual = normal["spike"]
    size = np.abs(trace.residual)
    beyond = above(float(size.max()), usual, 0.1 * usual[2])
    if beyond <= 0.1:
        return None
    tip = int(size.argmax())
    near = np.flatnonzero(size > max(usual[2], 0.3 * size[tip]))
    start, stop = _span(trace, int(near[0]), int(near[-1]) + 1)
    return Event("spike", start, stop, beyond, float(trace.values[tip]), float(trace.residual[tip]), (0.0, usual[2]))


def _noise(trace: Traces, normal: Ranges) -> Event | None:
    usual = normal["rough"]
    peak = float(trace.rough.max())
    beyond = above(peak, usual, 0.1 * usual[2])
    if beyond <= 0.1:
        return None
    hot = trace.rough > min(usual[2], (usual[1] + peak) / 2)
    a, b = max(stretches(hot), key=lambda s: float(trace.rough[s[0] : s[1]].max()))
    energy = np.sort(np.diff(trace.values[max(0, a - trace.window // 2) : b + trace.window // 2]) ** 2)
    if energy[-3:].sum() > 0.6 * energy.sum():  # a few large steps are edges of something else, not noise
        return None
    ratio = normal.times_usual("rough", peak)
    return Event("noise burst", *_span(trace, a, b), beyond, peak, ratio, (usual[0], usual[2]))


def _level(trace: Traces, normal: Ranges) -> Event | None:
    """Level shift or drift: whichever shape, a box or a ramp, leaves less of the channel unexplained."""
    low, high, rises = normal["low"], normal["high"], normal["rise"]
    floor = 0.05 * (high[2] - low[0])
    over, under = above(float(trace.level.max()), high, floor), below(float(trace.level.min()), low, floor)
    stepped = above(abs(contrast(trace.values)), normal["shift"], 0.2 * normal["shift"][2])
    beyond = max(over, under, stepped)
    rising = excess(rise(trace.times, trace.values), rises, 0.1 * (rises[2] - rises[0]))
    (a, b), box_error = best_box(trace.values)
    if rising > 0.1:
        ramp, ramp_error = _best_ramp(trace.values)
        if ramp_error < box_error:
            change = float(np.median(trace.values[-5:]) - np.median(trace.values[max(0, ramp - 2) : ramp + 3]))
            usual = max(abs(rises[0]), abs(rises[2]))
            span, last = _span(trace, ramp, len(trace.values)), float(trace.values[-1])
            return Event("drift", *span, max(beyond, rising), last, change, (0.0, usual))
    if beyond <= 0.1:
        return None
    if b <= a or np.mean((trace.level > high[2]) | (trace.level < low[0])) > 0.8:
        return Event("level shift", *_span(trace, 0, len(trace.values)), beyond, float(trace.values.mean()), 0.0,
                     (low[0], high[2]))  # fmt: skip
    inside, outside = means(trace.values, a, b)
    if max(over, under) > 0.1 and (over >= under) != (inside >= outside):
        # the part outside the box is the unusual one: say the other side
        a, b = (b, len(trace.values)) if len(trace.values) - b >= a else (0, a)
        inside, outside = float(trace.values[a:b].mean()), inside
    if max(over, under) > 0.1 and low[0] <= inside <= high[2]:
        # the box holds more than the unusual part: keep the stretch whose level is out of range
        out = trace.level > high[2] if over >= under else trace.level < low[0]
        a, b = longest_stretch(out)
        inside, outside = means(trace.values, a, b)
    change = inside - outside
    if stepped > 0.1:
        return Event(
            "level shift", *_span(trace, a, b), beyond, inside, change, (0.0, normal["shift"][2]), against="shift"
        )
    return Event("level shift", *_span(trace, a, b), beyond, inside, change, (low[0], high[2]))


def _best_ramp(values: np.ndarray) -> tuple[int, float]:
    """Start of the best flat-then-straight line (least squares), and the error left."""
    n = len(values)
    starts = np.unique(np.linspace(0, int(0.8 * n), 25).astype(int))
    errors = [_ramp_error(values, np.maximum(np.arange(n) - start, 0.0)) for start in starts]
    best = int(np.argmin(errors))
    return int(starts[best]), errors[best]


def _ramp_error(values: np.ndarray, ramp: np.ndarray) -> float:
    """The squared error that the best multiple of a ramp, with a constant, leaves."""
    design = np.stack([np.ones(len(values)), ramp], axis=1)
    weights, *_ = np.linalg.lstsq(design, values, rcond=None)
    return float(((values - design @ weights) ** 2).sum())
