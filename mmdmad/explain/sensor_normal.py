"""What is normal in sensor tables: ranges of each channel's measures and of the clock, over all cases and per group."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from mmdmad.explain.ranges import MIN_GROUP, QUANTILES, Ranges, SavedRanges
from mmdmad.explain.sensor_clock import CLOCK, clock
from mmdmad.explain.traces import MEASURES, traces
from mmdmad.saved import require, validated

if TYPE_CHECKING:
    from mmdmad.parts import Sensor

MAX_CASES = 3000
_VALUES_PER_CASE = 64


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ranges: list[SavedRanges]
    units: dict[str, str]
    clocks: list[SavedRanges] = []  # models saved before there were any say nothing of rates and gaps


class SensorNormal:
    """Ranges by (group or "", channel), the unit of each channel, and how rows follow each other, by group or ""."""

    def __init__(self) -> None:
        self.ranges: dict[tuple[str, str], Ranges] = {}
        self.units: dict[str, str] = {}
        self.clocks: dict[str, Ranges] = {}
        self._rows: dict[tuple[str, str], list[np.ndarray]] = {}
        self._clocks: dict[str, list[np.ndarray]] = {}
        self._counts: Counter[str] = Counter()
        self._cases = 0

    def channel(self, name: str, group: str | None) -> Ranges | None:
        """Normal ranges of a channel in this group, or over all groups; None for an unknown channel."""
        return self.ranges.get((group or "", name)) or self.ranges.get(("", name))

    def clock(self, group: str | None) -> Ranges | None:
        """How rows follow each other in normal tables of this group, or of all; None where that was not learned."""
        return self.clocks.get(group or "") or self.clocks.get("")

    def add(self, signal: "Sensor", group: str) -> None:
        """Measure the clock and every channel of one normal table."""
        if self._cases >= MAX_CASES:
            return
        self._cases += 1
        self._counts.update(signal.counts)
        self.units |= dict(zip(signal.channels, signal.units, strict=True))
        ticks = clock(signal.times)
        if ticks is not None:
            for own in sorted({"", group}):
                self._clocks.setdefault(own, []).append(ticks)
        for channel, measures in _measures(signal).items():
            if not np.isfinite(measures).all():
                continue  # readings so far apart that squares overflow say nothing of what is usual
            for own in sorted({"", group}):
                self._rows.setdefault((own, channel), []).append(measures)

    def finish(self) -> None:
        """Turn what was measured into ranges; what counts the recording in most tables has none."""
        counts = {name for name, tables in self._counts.items() if tables >= len(self._rows.get(("", name), ()))}
        self._rows = {key: rows for key, rows in self._rows.items() if key[1] not in counts}
        self.ranges = {k: _ranges(v) for k, v in self._rows.items() if not k[0] or len(v) >= MIN_GROUP}
        self.clocks = {k: Ranges.ends(CLOCK, v) for k, v in self._clocks.items() if not k or len(v) >= MIN_GROUP}
        self._rows.clear()
        self._clocks.clear()
        self._counts.clear()

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Tables of ranges, and what they belong to."""
        about = [
            {"group": group, "channel": channel, "names": r.names, "size": r.size}
            for (group, channel), r in self.ranges.items()
        ]
        arrays = {str(i): r.table for i, r in enumerate(self.ranges.values())}
        arrays |= {f"clock.{i}": r.table for i, r in enumerate(self.clocks.values())}
        clocks = [{"group": group, "names": r.names, "size": r.size} for group, r in self.clocks.items()]
        return arrays, {"ranges": about, "units": self.units, "clocks": clocks}

    def set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        """Restore what `state` gave; ModelError where it is nothing of that kind."""
        saved = validated(_Saved, values)
        self.units = saved.units
        self.ranges = {(one.group, one.channel): one.ranges(str(i), arrays) for i, one in enumerate(saved.ranges)}
        self.clocks = {one.group: one.ranges(f"clock.{i}", arrays) for i, one in enumerate(saved.clocks)}
        require(all(r.names == CLOCK for r in self.clocks.values()), "a clock has other measures")


def _measures(sensor: "Sensor") -> dict[str, np.ndarray]:
    """Per channel its MEASURES followed by evenly spaced order statistics of its values."""
    found = {}
    for index, channel in enumerate(sensor.channels):
        values = np.asarray(sensor.values[:, index], float)
        finite = values[np.isfinite(values)]
        if len(finite) < 2:
            continue
        spread = np.quantile(finite, np.linspace(0, 1, _VALUES_PER_CASE))
        found[channel] = np.concatenate([traces(values, sensor.times).measures(), spread])
    return found


def _ranges(rows: list[np.ndarray]) -> Ranges:
    table = np.stack(rows)
    measures = Ranges.of(MEASURES, [row[: len(MEASURES)] for row in rows])
    values = np.quantile(table[:, len(MEASURES) :], QUANTILES)
    return Ranges((*MEASURES, "value"), np.vstack([measures.table, values]), len(rows))
