"""What most sensor tables of a training set have in common, and which tables are odd beside them.

The majority decides, never the first table, and the order of the tables does not matter. A table is odd where it cannot
be learned together with the rest: other channels, another unit, numbers too large to average, or times that make it
nearly all gap (one time stamp of 1970).
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from mmdmad.encoders.sensor_stats import grid_rows, sampling_interval
from mmdmad.errors import PartError

LARGEST = 1e100
"""Readings beyond it overflow when they are squared and summed."""
GAPS = 10.0
"""A table with so many rows of time for each row of readings is nearly all gap; odd where most tables have below 2."""

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Usual:
    """Channels and units (C,) of most tables, their sampling interval in seconds, and why other tables are odd.

    `odd` maps the index of a table to the reason.
    """

    channels: tuple[str, ...]
    units: tuple[str, ...]
    interval: float
    odd: Mapping[int, str]


def usual(signals: Sequence[Any]) -> Usual:
    """What most of one or more Sensor tables have in common.

    >>> from mmdmad.parts import Sensor
    >>> def table(*channels):
    ...     return Sensor(np.zeros((5, len(channels))), np.arange(5.0), channels, ("",) * len(channels))
    >>> found = usual([table("a", "b", "c"), table("a", "b"), table("b", "a"), table("a", "b")])
    >>> found.channels, dict(found.odd)
    (('a', 'b'), {0: 'the table has other channels: unknown c'})
    """
    signals = [without(s, counts_of(signals)) for s in signals]
    signals = [with_states(s, states_of(signals)) for s in signals]
    known = set(_commonest(tuple(sorted(signal.channels)) for signal in signals))
    odd = {i: other for i, s in enumerate(signals) if (other := other_channels(s.channels, known))}
    channels = _commonest(tuple(s.channels) for i, s in enumerate(signals) if i not in odd)
    named = [dict(zip(s.channels, s.units)) if i not in odd else {} for i, s in enumerate(signals)]
    units = tuple(_commonest((n[c] for n in named if n.get(c)), "") for c in channels)
    for i, signal in enumerate(signals):
        if i not in odd and (wrong := other_unit(signal, channels, units) or _too_large(signal)):
            odd[i] = wrong
    rest = {i: signal for i, signal in enumerate(signals) if i not in odd}
    steps = [sampling_interval(s.times) for s in rest.values() if len(s.times) > 1]
    interval = float(np.median(steps)) if steps else 1.0
    return Usual(channels, units, interval, odd | _gaps(rest, interval))


def counts_of(signals: Sequence[Any]) -> tuple[str, ...]:
    """Columns that count or time the recording in at least as many tables as they are a channel that varies, sorted.

    In a short table the number of a cycle may stay the same, and only the others tell what it is.
    """
    left = Counter(name for s in signals for name in getattr(s, "counts", ()))
    varying: Counter[str] = Counter()
    for signal in signals:
        for i in [i for i, name in enumerate(signal.channels) if name in left]:
            there = signal.values[:, i][np.isfinite(signal.values[:, i])]
            varying[signal.channels[i]] += int(len(there) > 0 and there.min() < there.max())
    return tuple(sorted(name for name, times in left.items() if times >= varying[name]))


def without(signal: Any, names: Iterable[str]) -> Any:
    """A table without these channels.

    >>> from mmdmad.parts import Sensor
    >>> table = Sensor(np.ones((2, 2)), np.arange(2.0), ("cycle", "a"), ("", ""))
    >>> without(table, ["cycle"]).channels
    ('a',)
    """
    gone = set(names) & set(signal.channels)
    if not gone:
        return signal
    kept = [i for i, name in enumerate(signal.channels) if name not in gone]
    channels, units = tuple(signal.channels[i] for i in kept), tuple(signal.units[i] for i in kept)
    return replace(signal, values=signal.values[:, kept], channels=channels, units=units)


def states_of(signals: Iterable[Any]) -> tuple[str, ...]:
    """The channels "column=word" of all states that any of the tables has, sorted."""
    return tuple(
        sorted(
            {
                c
                for s in signals
                for c in s.channels
                if any(c.startswith(f"{name}=") for name in getattr(s, "states", ()))
            }
        )
    )


def with_states(signal: Any, known: Iterable[str]) -> Any:
    """A table with a channel for every known state of its columns of states: 0 where it is never in that state.

    A state that is not known has no channel: its rows are in none of the known ones, which no training row is.

    >>> from mmdmad.parts import Sensor
    >>> table = Sensor(np.ones((2, 1)), np.arange(2.0), ("valve=OPEN",), ("",), states=("valve",))
    >>> with_states(table, ["valve=OPEN", "valve=SHUT"]).values.tolist()
    [[1.0, 0.0], [1.0, 0.0]]
    """
    if not getattr(signal, "states", ()):
        return signal
    known = set(known)
    of_state = {c: name for name in signal.states for c in signal.channels if c.startswith(f"{name}=")}
    kept = [i for i, c in enumerate(signal.channels) if c not in of_state or c in known]
    channels, units = [signal.channels[i] for i in kept], [signal.units[i] for i in kept]
    values = [signal.values[:, i] for i in kept]
    for name in signal.states:
        has = next(signal.values[:, i] for i, c in enumerate(signal.channels) if of_state.get(c) == name)
        for channel in sorted(c for c in known if c.startswith(f"{name}=") and c not in channels):
            channels.append(channel)
            units.append("")
            values.append(np.where(np.isnan(has), np.nan, 0.0))
    table = np.column_stack(values) if values else np.empty((len(signal.values), 0))
    return replace(signal, values=table, channels=tuple(channels), units=tuple(units))


def other_channels(given: Iterable[str], known: Iterable[str]) -> str:
    """Why a table's channels are not the known ones; "" if they are, in any order."""
    given, known = set(given), set(known)
    missing, unknown = sorted(known - given), sorted(given - known)
    words = [f"missing {', '.join(missing)}" if missing else "", f"unknown {', '.join(unknown)}" if unknown else ""]
    said = "; ".join(word for word in words if word)
    return f"the table has other channels: {said}" if said else ""


def other_unit(signal: Any, channels: Sequence[str], units: Sequence[str]) -> str:
    """Why a table's units are not those of the training tables; "" if they are. A unit that is not given fits."""
    known = dict(zip(channels, units))
    for name, unit in zip(signal.channels, signal.units):
        if unit and known[name] and unit != known[name]:
            return f"channel {name} is in {unit}, the training tables in {known[name]}"
    return ""


def _too_large(signal: Any) -> str:
    values = np.asarray(signal.values, np.float64)
    wrong = np.argwhere(np.isfinite(values) & (np.abs(values) > LARGEST))
    if not len(wrong):
        return ""
    row, column = wrong[0]
    return f"channel {signal.channels[column]} is {values[row, column]:g} in row {row + 1}, too large to learn from"


def _gaps(tables: Mapping[int, Any], interval: float) -> dict[int, str]:
    """Tables whose times span far more rows at the common interval than they have."""
    odd: dict[int, str] = {}
    shares: dict[int, float] = {}
    for i, signal in tables.items():
        try:
            shares[i] = grid_rows(signal.times, interval) / len(signal.times)
        except PartError as error:
            odd[i] = error.reason
    if shares and np.median(list(shares.values())) < 2:
        for i, share in shares.items():
            if share > GAPS:
                times = tables[i].times
                odd[i] = (
                    f"the table has {len(times)} rows in {times[-1] - times[0]:g} s, nearly all of it gaps: "
                    f"most tables have a row every {interval:g} s"
                )
    return odd


def _commonest(given: Iterable[K], default: K | None = None) -> K:
    """The value that occurs most often; of several the smallest, so that no order decides."""
    counts = Counter(given)
    if not counts and default is not None:
        return default
    return min(counts, key=lambda value: (-counts[value], value))
