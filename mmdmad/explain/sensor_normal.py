"""What is normal in sensor tables: ranges of each channel's measures, over all normal cases and per group."""

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from mmdmad.explain.ranges import MIN_GROUP, QUANTILES, Ranges, SavedRanges
from mmdmad.explain.traces import MEASURES, traces
from mmdmad.saved import validated

if TYPE_CHECKING:
    from mmdmad.parts import Sensor

MAX_CASES = 3000
_VALUES_PER_CASE = 64


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ranges: list[SavedRanges]
    units: dict[str, str]


class SensorNormal:
    """Ranges by (group or "", channel), and the unit of each channel."""

    def __init__(self) -> None:
        self.ranges: dict[tuple[str, str], Ranges] = {}
        self.units: dict[str, str] = {}
        self._rows: dict[tuple[str, str], list[np.ndarray]] = {}
        self._cases = 0

    def channel(self, name: str, group: str | None) -> Ranges | None:
        """Normal ranges of a channel in this group, or over all groups; None for an unknown channel."""
        return self.ranges.get((group or "", name)) or self.ranges.get(("", name))

    def add(self, signal: "Sensor", group: str) -> None:
        """Measure every channel of one normal table."""
        if self._cases >= MAX_CASES:
            return
        self._cases += 1
        self.units |= dict(zip(signal.channels, signal.units, strict=True))
        for channel, measures in _measures(signal).items():
            if not np.isfinite(measures).all():
                continue  # readings so far apart that squares overflow say nothing of what is usual
            for own in sorted({"", group}):
                self._rows.setdefault((own, channel), []).append(measures)

    def finish(self) -> None:
        """Turn what was measured into ranges."""
        self.ranges = {k: _ranges(v) for k, v in self._rows.items() if not k[0] or len(v) >= MIN_GROUP}
        self._rows.clear()

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Tables of ranges, and what they belong to."""
        about = [
            {"group": group, "channel": channel, "names": r.names, "size": r.size}
            for (group, channel), r in self.ranges.items()
        ]
        arrays = {str(i): r.table for i, r in enumerate(self.ranges.values())}
        return arrays, {"ranges": about, "units": self.units}

    def set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        """Restore what `state` gave; ModelError where it is nothing of that kind."""
        saved = validated(_Saved, values)
        self.units = saved.units
        self.ranges = {(one.group, one.channel): one.ranges(str(i), arrays) for i, one in enumerate(saved.ranges)}


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
