"""What is normal in clips: how things move, sizes and frames a second, over all normal cases and per group."""

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from mmdmad.explain.motion import VIDEO_MEASURES, motion
from mmdmad.explain.ranges import MIN_GROUP, Ranges, SavedRanges
from mmdmad.explain.sizes import Sizes
from mmdmad.explain.sizes import evidence as of_size
from mmdmad.explain.words import Draft, draft, fact
from mmdmad.saved import require, validated

if TYPE_CHECKING:
    from mmdmad.parts import Video

MAX_CASES = 160
FORM = ("frames a second",)
RATE = 1.05
"""Times the frames a second, from which on they are others."""


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ranges: list[SavedRanges]
    sizes: dict[str, Any] = {"groups": []}  # models saved before there were any say nothing of sizes and rates
    rates: list[SavedRanges] = []


class VideoNormal:
    """Ranges of VIDEO_MEASURES and of frames a second by group, "" for all together, and sizes."""

    def __init__(self) -> None:
        self.ranges: dict[str, Ranges] = {}
        self.rates: dict[str, Ranges] = {}
        self.sizes = Sizes()
        self._rows: dict[str, list[np.ndarray]] = {}
        self._rates: dict[str, list[np.ndarray]] = {}
        self._cases = 0

    def clip(self, group: str | None) -> Ranges | None:
        """Normal ranges of a clip's motion in this group, or over all groups."""
        return self.ranges.get(group or "") or self.ranges.get("")

    def rate(self, group: str | None) -> Ranges | None:
        """Least and most frames a second of normal clips in this group, or in all; None where that was not learned."""
        return self.rates.get(group or "") or self.rates.get("")

    def add(self, signal: "Video", group: str) -> None:
        """Measure one normal clip: its form, and of the first MAX_CASES what moves."""
        self.sizes.add(signal.width, signal.height, group)
        for own in sorted({"", group}):
            self._rates.setdefault(own, []).append(np.array([signal.fps]))
        if self._cases >= MAX_CASES:
            return
        self._cases += 1
        measures = motion(signal).measures()
        for own in sorted({"", group}):
            self._rows.setdefault(own, []).append(measures)

    def finish(self) -> None:
        """Turn what was measured into ranges."""
        self.ranges = {k: Ranges.of(VIDEO_MEASURES, v) for k, v in self._rows.items() if not k or len(v) >= MIN_GROUP}
        self.rates = {k: Ranges.ends(FORM, v) for k, v in self._rates.items() if not k or len(v) >= MIN_GROUP}
        self.sizes.finish()
        self._rows.clear()
        self._rates.clear()

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Tables of ranges, and what they belong to."""
        about = [{"group": g, "names": r.names, "size": r.size} for g, r in self.ranges.items()]
        arrays, sizes = self.sizes.state()
        arrays |= {str(i): r.table for i, r in enumerate(self.ranges.values())}
        arrays |= {f"rate.{i}": r.table for i, r in enumerate(self.rates.values())}
        rates = [{"group": g, "names": r.names, "size": r.size} for g, r in self.rates.items()]
        return arrays, {"ranges": about, "sizes": sizes, "rates": rates}

    def set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        """Restore what `state` gave; ModelError where it is nothing of that kind."""
        saved = validated(_Saved, values)
        self.ranges = {one.group: one.ranges(str(i), arrays) for i, one in enumerate(saved.ranges)}
        self.rates = {one.group: one.ranges(f"rate.{i}", arrays) for i, one in enumerate(saved.rates)}
        require(all(r.names == FORM for r in self.rates.values()), "a rate has other measures")
        self.sizes.set_state(arrays, saved.sizes)


def evidence(signal: "Video", known: VideoNormal, group: str | None) -> list[Draft]:
    """A size that no normal clip has, and frames a second that none has."""
    drafts = of_size("video", "video", signal.width, signal.height, known.sizes.of(group))
    normal = known.rate(group)
    if normal is None:
        return drafts
    least, middle, most = normal[FORM[0]]
    if least <= RATE * signal.fps and signal.fps <= RATE * most:
        return drafts
    facts = [fact("frames a second", signal.fps, "frames/s")]
    if most <= RATE * least:
        facts.append(fact("normal frames a second", middle, "frames/s"))
        usual = "{normal_frames_a_second}"
    else:
        facts += [fact("normal least", least, "frames/s"), fact("normal most", most, "frames/s")]
        usual = "{normal_least} to {normal_most}"
    text = f"the video has {{frames_a_second}}; normal ones have {usual}."
    return [*drafts, draft("form", "video", text, facts)]
