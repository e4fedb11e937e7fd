"""Windows of new recordings in simulation: which p-value keeps the rate, and which of these catches more."""

from collections.abc import Iterator

import numpy as np

from mmdmad.bench.bands import clustered_share
from mmdmad.bench.base import Context, suite
from mmdmad.bench.result import Meter, Row
from mmdmad.calibration.conformal import conformal_p_values
from mmdmad.calibration.recordings import one_draw_p_values, whole_p_value, window_p_values
from mmdmad.errors import ConfigError

WAYS = ("hierarchical", "one draw", "windows", "whole")
RATES = (0.05, 0.1)
RECORDINGS, SPREADS = (20, 40, 100), (0.0, 0.5, 1.0)
SHORTEST, LONGEST = 5, 60  # windows of a recording
DRAWS, NEW, FAULT = 400, 20, 3.0
PROTOCOL = (
    f"simulated: a score is the level of its recording (normal, of this spread) plus noise of its window (normal, 1); "
    f"recordings have {SHORTEST} to {LONGEST} windows; {DRAWS} sets of calibration recordings a seed, {NEW} new normal "
    f"and {NEW} new faulty recordings (all windows {FAULT:g} higher) each; hierarchical, one draw, windows: p-values "
    "of one window drawn from each (windows: plain rank among all windows); whole: of the recording, by its most odd "
    "window; false_alarms, caught: share flagged; any_window (windows): share of normal recordings with a window "
    "flagged; intervals have the sets of calibration recordings as clusters"
)


@suite("recordings", "windows of new recordings: which p-value keeps the rate (simulated)", PROTOCOL, WAYS)
def run(context: Context) -> Iterator[Row]:
    """One row for each number of recordings, spread, way and seed."""
    unknown = [name for name in context.detectors if name not in WAYS]
    if unknown:
        raise ConfigError(f"no way is called {unknown[0]!r}; there are {', '.join(WAYS)}")
    for seed in range(context.seeds):
        for count in RECORDINGS:
            for spread in context.track(SPREADS, f"{count} recordings"):
                yield from _rows(context, count, spread, seed)


def _rows(context: Context, count: int, spread: float, seed: int) -> Iterator[Row]:
    meter, rng = Meter(), np.random.default_rng([seed, count, int(10 * spread)])
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    with meter.score():
        for draw in range(DRAWS):
            for key, p_values in judged(rng, count, spread, draw).items():
                found.setdefault(key, []).append(p_values)
    for way in context.detectors:
        metrics, intervals = {}, {}
        for rate in RATES:
            for what in ("false_alarms", "caught", "any_window"):
                if (way, what) in found:
                    hits = [int((p <= rate).sum()) for p in found[way, what]]
                    name = f"{what}_at_{rate:g}"
                    metrics[name], *ends = clustered_share(hits, [NEW] * DRAWS)
                    intervals[name] = ends[0], ends[1]
        yield meter.row(f"{count} recordings, spread {spread:g}", way, seed, metrics, intervals=intervals)


def judged(rng: np.random.Generator, count: int, spread: float, draw: int) -> dict[tuple[str, str], np.ndarray]:
    """p-values (NEW,) of new normal and new faulty recordings by way, from one set of calibration recordings."""
    known = [_recording(rng, spread) for _ in range(count)]
    scores, names = np.concatenate(known), np.repeat(np.arange(count), [len(one) for one in known])
    said: dict[tuple[str, str], np.ndarray] = {}
    for what, shift in (("false_alarms", 0.0), ("caught", FAULT)):
        new = [_recording(rng, spread) + shift for _ in range(NEW)]
        drawn, uniforms = np.array([one[0] for one in new]), rng.random(NEW)
        said["hierarchical", what] = window_p_values(drawn, scores, names)
        said["one draw", what] = one_draw_p_values(drawn, scores, names, uniforms, draw)
        said["windows", what] = conformal_p_values(drawn, scores, uniforms)
        said["whole", what] = np.array([whole_p_value(one, scores, names, u) for one, u in zip(new, uniforms)])
        if not shift:
            most = np.array([one.max() for one in new])
            said["windows", "any_window"] = conformal_p_values(most, scores, uniforms)
    return said


def _recording(rng: np.random.Generator, spread: float) -> np.ndarray:
    return spread * rng.normal() + rng.normal(size=int(rng.integers(SHORTEST, LONGEST + 1)))
