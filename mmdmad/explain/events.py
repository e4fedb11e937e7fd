"""What happened on a sensor channel: dropout, frozen, spike, noise burst, level shift or drift, against normal.

A detector says where a channel is unusual; this names what was measured there. Every test compares one measure of
`traces` with the range of the same measure over normal cases, so nothing is judged on a case's own statistics alone.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mmdmad.explain.ranges import Ranges
from mmdmad.explain.traces import Traces, best_box, contrast, longest, rise, stretches

EventKind = Literal["dropout", "frozen", "spike", "noise burst", "level shift", "drift"]


@dataclass(frozen=True)
class Event:
    """One thing that happened on a channel between `start` and `stop` seconds.

    `excess`: how far the measure lies beyond its normal range, in units of that range's upper or lower half.
    `value`: the reading itself (spike: at its tip; shift: mean inside; frozen and dropout: the held value; NaN: none).
    `change`: spike: distance from the readings around; drift: rise; noise burst: ratio of roughness to normal's middle.
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


def events(trace: Traces, normal: Ranges) -> list[Event]:
    """The one event that explains the channel best, and a dropout or frozen stretch beside it; strongest first."""
    if trace.missing.all():
        return [Event("dropout", float(trace.times[0]), float(trace.times[-1]), np.inf, np.nan, 0.0, (0.0, 0.0))]
    still = [e for e in (_gap(trace, normal), _held(trace, normal)) if e is not None]
    if still:  # a step into a held value is part of it, not a second event
        return still
    spike, noise, level = _spike(trace, normal), _noise(trace, normal), _level(trace, normal)
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
    long = longest(trace.missing)
    usual = normal["gap"][2]
    if long < 3 or long * trace.step <= 1.2 * usual:
        return None
    a, b = max(stretches(trace.missing), key=lambda s: s[1] - s[0])
    return Event("dropout", *_span(trace, a, b), long * trace.step / max(usual, trace.step), np.nan, 0.0, (0.0, usual))


def _held(trace: Traces, normal: Ranges) -> Event | None:
    usual = normal["run"][2]
    length = float(trace.run.max())
    if length < 5 or length * trace.step <= 1.5 * usual + trace.step:
        return None
    a, b = next(s for s in stretches(trace.run == length))
    value = float(trace.values[a])
    low, _, high = normal["value"]
    outside = not low <= value <= high
    kind: EventKind = "dropout" if outside and value <= low else "frozen"
    beyond = length * trace.step / max(usual, trace.step)
    return Event(kind, *_span(trace, a, b), beyond, value, 0.0, (low, high) if kind == "dropout" else (0.0, usual))


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
    return Event("noise burst", *_span(trace, a, b), beyond, peak, peak / max(usual[1], 1e-12), (usual[0], usual[2]))


def _level(trace: Traces, normal: Ranges) -> Event | None:
    """Level shift or drift: whichever shape, a box or a ramp, leaves less of the channel unexplained."""
    low, high, rises = normal["low"], normal["high"], normal["rise"]
    floor = 0.05 * (high[2] - low[0])
    over, under = above(float(trace.level.max()), high, floor), below(float(trace.level.min()), low, floor)
    stepped = (
        above(abs(contrast(trace.values)), normal["shift"], 0.2 * normal["shift"][2]) if "shift" in normal else 0.0
    )
    beyond = max(over, under, stepped)
    rising = excess(rise(trace.times, trace.values), rises, 0.1 * (rises[2] - rises[0]))
    if max(beyond, rising) <= 0.1:
        return None
    box, box_error = best_box(trace.values)
    ramp, ramp_error = _best_ramp(trace.values)
    if ramp_error < box_error and rising > 0.1:
        a = ramp
        change = float(np.median(trace.values[-5:]) - np.median(trace.values[max(0, a - 2) : a + 3]))
        usual = max(abs(normal["rise"][0]), abs(normal["rise"][2]))
        return Event("drift", *_span(trace, a, len(trace.values)), max(beyond, rising), float(trace.values[-1]), change,
                     (0.0, usual))  # fmt: skip
    if beyond <= 0.1:
        return None
    if np.mean((trace.level > high[2]) | (trace.level < low[0])) > 0.8:
        return Event("level shift", *_span(trace, 0, len(trace.values)), beyond, float(trace.values.mean()), 0.0,
                     (low[0], high[2]))  # fmt: skip
    a, b = box
    inside = float(trace.values[a:b].mean())
    outside_value = float(np.delete(trace.values, np.s_[a:b]).mean()) if b - a < len(trace.values) else np.nan
    if max(over, under) > 0.1 and (over >= under) != (inside >= outside_value) and np.isfinite(outside_value):
        # the part outside the box is the unusual one: say the other side
        a, b = (b, len(trace.values)) if len(trace.values) - b >= a else (0, a)
        inside, outside_value = float(trace.values[a:b].mean()), inside
    if max(over, under) > 0.1 and low[0] <= inside <= high[2]:
        # the box holds more than the unusual part: keep the stretch whose level is out of range
        out = trace.level > high[2] if over >= under else trace.level < low[0]
        a, b = max(stretches(out), key=lambda s: s[1] - s[0])
        inside, outside_value = float(trace.values[a:b].mean()), float(np.delete(trace.values, np.s_[a:b]).mean())
    change = inside - outside_value if np.isfinite(outside_value) else 0.0
    if stepped > 0.1:
        return Event(
            "level shift", *_span(trace, a, b), beyond, inside, change, (0.0, normal["shift"][2]), against="shift"
        )
    return Event("level shift", *_span(trace, a, b), beyond, inside, change, (low[0], high[2]))


def _best_ramp(values: np.ndarray) -> tuple[int, float]:
    """Start of the best flat-then-straight line (least squares), and the error left."""
    n = len(values)
    best, best_error = 0, np.inf
    for a in np.unique(np.linspace(0, int(0.8 * n), 25).astype(int)):
        hinge = np.maximum(np.arange(n) - a, 0.0)
        design = np.stack([np.ones(n), hinge], axis=1)
        weights, *_ = np.linalg.lstsq(design, values, rcond=None)
        error = float(((values - design @ weights) ** 2).sum())
        if error < best_error:
            best, best_error = int(a), error
    return best, best_error
