"""What is normal in clips: ranges of how things move, over all normal cases and per group."""

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from mmdmad.explain.motion import VIDEO_MEASURES, motion
from mmdmad.explain.ranges import MIN_GROUP, Ranges, SavedRanges
from mmdmad.saved import validated

if TYPE_CHECKING:
    from mmdmad.parts import Video

MAX_CASES = 160


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ranges: list[SavedRanges]


class VideoNormal:
    """Ranges of VIDEO_MEASURES by group, "" for all together."""

    def __init__(self) -> None:
        self.ranges: dict[str, Ranges] = {}
        self._rows: dict[str, list[np.ndarray]] = {}
        self._cases = 0

    def clip(self, group: str | None) -> Ranges | None:
        """Normal ranges of a clip's motion in this group, or over all groups."""
        return self.ranges.get(group or "") or self.ranges.get("")

    def add(self, signal: "Video", group: str) -> None:
        """Measure one normal clip."""
        if self._cases >= MAX_CASES:
            return
        self._cases += 1
        measures = motion(signal).measures()
        for own in sorted({"", group}):
            self._rows.setdefault(own, []).append(measures)

    def finish(self) -> None:
        """Turn what was measured into ranges."""
        self.ranges = {k: Ranges.of(VIDEO_MEASURES, v) for k, v in self._rows.items() if not k or len(v) >= MIN_GROUP}
        self._rows.clear()

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Tables of ranges, and what they belong to."""
        about = [{"group": g, "names": r.names, "size": r.size} for g, r in self.ranges.items()]
        return {str(i): r.table for i, r in enumerate(self.ranges.values())}, {"ranges": about}

    def set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        """Restore what `state` gave; ModelError where it is nothing of that kind."""
        saved = validated(_Saved, values)
        self.ranges = {one.group: one.ranges(str(i), arrays) for i, one in enumerate(saved.ranges)}
