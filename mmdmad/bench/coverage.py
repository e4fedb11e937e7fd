"""Whether a declared rate holds on real normal cases: drawn, of new recordings, and later in time.

A promise is right where it holds or says that it does not: each row tells what was flagged of normal cases, what the
theorem explains, for which share of the cases the rate was promised, and whether a lapse was said.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mmdmad.bench.bands import clustered_share, expected_flags, flags_band
from mmdmad.bench.base import Context, suite
from mmdmad.bench.coverage_sets import TEST, TRAIN, Division, Normals, Way, divide, every_set
from mmdmad.bench.drift_streams import listened
from mmdmad.bench.judged import JOINT, Judged, fit, judge, pipeline
from mmdmad.bench.result import Meter, Row
from mmdmad.cases import Cases
from mmdmad.store.views import at_rate

RATES = (0.01, 0.05, 0.1)
SPLITS = 20
PROTOCOL = (
    f"normal cases alone, at most {TRAIN} to learn from and {TEST} others to judge, the shipped pipelines, folds as by "
    f"default; drawn: {SPLITS} random divisions (--seeds N from 2 on for another number); new recordings: so many "
    "divisions by video (uca), file (skab) or half of the tiles (mtd, whose tiles have no numbers, so that the fit "
    "cannot know); later: the earlier half teaches, the later is judged in its order, once; flagged_at_R: share of all "
    "judged cases, interval by division (drawn), by recording (new recordings); expected_at_R and band_at_R: mean and "
    "95 % band of the theorem; in_band_at_R: 1 where the count lies in it; promised_at_R: share of cases for which the "
    "rate is promised; kept_at_R (new recordings): 1 where the interval of the promised cases reaches down to the "
    "rate, or none is promised; lapse_said_at: the case at which the drift test speaks (0: never)"
)


@suite("coverage", "false alarms at declared rates on real normal cases", PROTOCOL, (JOINT,), sampled=True)
def run(context: Context) -> Iterator[Row]:
    """Each set in each way that it can be divided."""
    splits = context.seeds if context.seeds > 1 else SPLITS
    with tempfile.TemporaryDirectory() as scratch:
        home = context.artifacts("coverage") or Path(scratch)
        for one in every_set(context.data, home):
            for way in one.ways:
                with context.trying(f"{one.name}, {way}"):  # a set too small for a fit costs its own row
                    yield measured(context, one, way, 1 if way == "later" else splits, home)


def measured(context: Context, one: Normals, way: Way, splits: int, home: Path) -> Row:
    """One set divided so many times in one way; what is encoded is encoded once."""
    meter, sizes = Meter(), (TRAIN, TEST)
    if context.sample is not None:
        learn = max(2, context.sample * TRAIN // (TRAIN + TEST))
        sizes = min(TRAIN, learn), min(TEST, max(1, context.sample - learn))
    divisions, found, said = [], [], {"lapse_said_at": 0.0}
    for seed in range(splits):
        division = divide(one, way, seed, *sizes)
        model = fit(config(one, seed), Cases(division.train), home / "work", meter)
        judged = judge(model, division.test, context, meter, home / "work")
        shutil.rmtree(home / "work" / "stages", ignore_errors=True)  # models of many divisions fill a disk; tokens stay
        divisions.append(division)
        found.append(judged)
        if way == "later":
            heard = listened(judged, model.joint_scores(), np.ones(len(judged.cases), bool))
            said = {"lapse_said_at": heard["spoke_at"]}
    metrics: dict[str, float] = {"splits": splits, "cases": float(sum(len(one.cases) for one in found))}
    intervals = {}
    for rate in RATES:
        figures, interval = at(divisions, found, way, rate)
        metrics |= {f"{name}_at_{rate:g}": value for name, value in figures.items()}
        if interval is not None:
            intervals[f"flagged_at_{rate:g}"] = interval
    return meter.row(
        f"{one.name}, {way}", JOINT, 0, metrics | (said if way == "later" else {}), intervals=intervals or None
    )


def config(one: Normals, seed: int) -> dict[str, object]:
    """The set's pipeline with this seed."""
    from mmdmad.pipeline.detector import load_config

    preset = load_config(one.preset).model_dump(mode="json") if isinstance(one.preset, str) else one.preset
    return pipeline(JOINT, preset, seed)


def at(
    divisions: Sequence[Division], found: Sequence[Judged], way: Way, rate: float
) -> tuple[dict[str, float], tuple[float, float] | None]:
    """Figures at one rate over all divisions, and the interval of the flagged share where it has clusters."""
    ranked = [deciding(one, rate) for one in found]
    flags = [p_value <= rate for p_value, _ in ranked]
    promised = [promises(one, rate) for one in found]
    sizes = [Counter(among.tolist()) for _, among in ranked]
    hits, cases = sum(int(one.sum()) for one in flags), sum(map(len, flags))
    low, high = flags_band(sizes, rate)
    figures = {
        "flagged": hits / cases,
        "expected": expected_flags(sizes, rate) / cases,
        "band_low": low / cases,
        "band_high": high / cases,
        "in_band": float(low <= hits <= high),
        "promised": float(np.concatenate(promised).mean()),
    }
    if way == "later":
        return figures, None
    if way == "drawn":
        _, *ends = clustered_share([one.sum() for one in flags], [len(one) for one in flags])
        return figures, (ends[0], ends[1])
    clusters = np.concatenate([_clusters(d, j) for d, j in zip(divisions, found, strict=True)])
    every, sure = np.concatenate(flags), np.concatenate(promised)
    interval = by_cluster(clusters, every)
    figures["kept"] = float(not sure.any() or by_cluster(clusters[sure], every[sure])[0] <= rate)
    return figures, interval


def deciding(judged: Judged, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """The p-values (N,) that verdicts rest on at this rate, and among how many cases or recordings each is (N,)."""
    p_value, among = judged.p_value.copy(), judged.calibration.astype(int)
    for i, own in enumerate(judged.by_recording):
        if own is not None and own.decides(rate):
            p_value[i], among[i] = own.p_value, own.count
    return p_value, among


def promises(judged: Judged, rate: float) -> np.ndarray:
    """For which cases (N,) this rate is promised, from what each guarantee rests on."""
    return np.array([
        g.grounds is not None and at_rate(g.pattern, g.unit, g.grounds, rate).valid for g in judged.guarantees
    ])  # fmt: skip


def by_cluster(clusters: np.ndarray, flags: np.ndarray) -> tuple[float, float]:
    """Interval of the share of flags (N,) with recordings (N,) as clusters, over all divisions together."""
    names, which = np.unique(clusters, return_inverse=True)
    cases = np.bincount(which, minlength=len(names))
    _, low, high = clustered_share(np.bincount(which, flags.astype(float), len(names)), cases)
    return low, high


def _clusters(division: Division, judged: Judged) -> np.ndarray:
    known = dict(zip((case.id for case in division.test), division.clusters, strict=True))
    return np.array([known[case.id] for case in judged.cases])
