"""A look at a sensor table: its clock, its channels and what stands out among their readings."""

from typing import Any

import numpy as np

from mmdmad.parts import sensor_wild
from mmdmad.survey.base import Channel, Survey

GAP = 5.0
"""Usual steps of the clock; a longer one is a gap."""
UNEVEN = 0.01
"""Share of steps that may differ from the usual one by more than a tenth before the clock is called uneven."""
FEWEST, MOST = 64, 512
"""Rows from which on two tables can be told apart, and how many of them are held against each other."""
NEAR = 0.9
"""Only the same readings, rounded or a little disturbed, agree so in their second differences."""
LAGGING = 0.5
"""Share of missing readings from which on a channel is said to be mostly missing."""


def of_table(table: Any) -> Survey:
    """What a `mmdmad.parts.Sensor` is like."""
    steps = np.diff(table.times)
    step = float(np.median(steps)) if len(steps) else 0.0
    channels = tuple(_channel(*one) for one in zip(table.channels, table.units, table.values.T))
    wild = sensor_wild.said(_wild(table.values), table.values, table.channels)
    again = sensor_wild.again(table.values, table.channels)
    remarks = [*_gaps(table.times, steps, step), *wild, *again, *_of_channels(channels, table.states)]
    decisions = tuple(note for note in table.notes if not note.startswith(tuple(wild)))
    decisions += tuple(_lacking(channels, len(table.times), table.states))
    zone = "" if table.start is None else table.start.tzname() or "without a zone"
    clock = f"column {table.clock}" if table.clock else "no time column"
    traits = {
        "step": _step(steps, step),
        "time": f"{clock}, " + ("counted from 0" if table.start is None else f"dated, {zone}"),
        "length": f"{len(table.times)} rows",
        "channels": ", ".join(f"{c.name} [{c.unit}]" if c.unit else c.name for c in channels),
    }
    measures, readings = _coarse(table.values), _fine(table.values)
    return Survey(traits, tuple(remarks), decisions, channels, measures, readings, NEAR, table.marked)


def _wild(values: np.ndarray) -> np.ndarray:
    return sensor_wild.wild(values, *sensor_wild.usual_range(values))


def _step(steps: np.ndarray, step: float) -> str:
    if not len(steps):
        return "a single row"
    if np.mean(np.abs(steps - step) > 0.1 * step) > UNEVEN:
        return f"uneven, about {step:.4g} s"
    return f"{step:.4g} s"


def _gaps(times: np.ndarray, steps: np.ndarray, step: float) -> list[str]:
    wide = np.flatnonzero(steps > GAP * step) if step > 0 else np.array([], int)
    if not len(wide):
        return []
    more = f", and {len(wide) - 1} more" if len(wide) > 1 else ""
    return [f"no row between {times[wide[0]]:.6g} s and {times[wide[0] + 1]:.6g} s (row {wide[0] + 2}){more}"]


def _channel(name: str, unit: str, values: np.ndarray) -> Channel:
    """What one channel (T,) is.

    >>> [_channel("a", "", np.array(x, float)).kind for x in ([1, 2, 4], [1, 1, 1], [0, 1, 0], [.5, .2, .9])]
    ['counter', 'constant', 'flag', 'number']
    """
    there = values[np.isfinite(values)]
    if not len(there):
        return Channel(name, unit, "empty", float("nan"), float("nan"), 1.0)
    low, high = float(there.min()), float(there.max())
    kind = "number"
    if low == high:
        kind = "constant"
    elif np.isin(there, (0, 1)).all():
        kind = "flag"
    elif len(there) > 2 and (np.diff(there) >= 0).all() and (there == np.rint(there)).all():
        kind = "counter"
    return Channel(name, unit, kind, low, high, 1 - len(there) / len(values))


def _lacking(channels: tuple[Channel, ...], rows: int, states: tuple[str, ...]) -> list[str]:
    """How many readings each channel lacks, where it lacks some; of a column of states once."""
    known: dict[str, float] = {}
    for one in channels:
        if 0 < one.missing < LAGGING:
            known[next((s for s in states if one.name.startswith(f"{s}=")), one.name)] = one.missing
    return [f"channel {name!r} lacks {round(share * rows)} of {rows} readings" for name, share in known.items()]


def _of_channels(channels: tuple[Channel, ...], states: tuple[str, ...]) -> list[str]:
    said = []
    for one in channels:
        if one.kind == "empty":
            said.append(f"channel {one.name!r} has no reading at all")
        elif one.missing >= LAGGING:
            said.append(f"channel {one.name!r} lacks {100 * one.missing:.0f} % of its readings")
        elif one.kind == "constant" and not any(one.name.startswith(f"{state}=") for state in states):
            said.append(f"channel {one.name!r} never changes ({one.low:g})")
    return said


def _coarse(values: np.ndarray) -> np.ndarray:
    """Middle, spread, ends and roughness of each channel: (5 * C,)."""
    return np.concatenate([_measures(column) for column in values.T])


def _measures(column: np.ndarray) -> np.ndarray:
    there = column[np.isfinite(column)]
    if not len(there):
        return np.zeros(5)
    low, middle, high = np.quantile(there, [0.1, 0.5, 0.9])
    rough = float(np.abs(np.diff(there)).mean()) if len(there) > 1 else 0.0
    return np.array([middle, high - low, there.min(), there.max(), rough])


def _fine(values: np.ndarray) -> np.ndarray | None:
    """Second differences of its first rows, each channel by its own size: (C * rows,).

    What a machine does at a given phase is alike in every recording and smooth; the noise in between is that of one
    recording alone, as the fine detail of a picture is that of one piece. None where there are too few rows, or nothing
    changes.
    """
    if len(values) < FEWEST:
        return None
    detail = np.nan_to_num(np.diff(np.nan_to_num(values[:MOST]), n=2, axis=0))
    size = np.sqrt((detail**2).mean(axis=0))
    lively = size > 1e-12 * np.abs(np.nan_to_num(values)).max(axis=0, initial=1e-300)
    if not lively.any():
        return None
    return np.asarray(np.where(lively, detail / np.where(lively, size, 1.0), 0.0), np.float32).ravel()
