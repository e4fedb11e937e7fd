"""How many new normal rows does `predict` flag at the declared rate of false alarms?"""

from collections.abc import Iterator

import numpy as np

from mmdmad.bench.base import Context, suite
from mmdmad.bench.result import Meter, Row
from mmdmad.calibration.crossfit import flagged_band, honest_threshold

RATE = 0.05
WIDTH, FACTORS = 20, 6
COUNTED, PRINTED = 1000, 200  # training rows
FRESH = 3000
PROTOCOL = (
    f"simulated: {COUNTED} (counted) and {PRINTED} (printed) normal rows of {WIDTH} features, six hidden factors and "
    f"noise, another draw of everything for each seed; defaults of each detector, false_alarm_rate={RATE:g}; flagged: "
    f"share of {FRESH} fresh normal rows that predict flags; inside: 1 where that lies in the central 95 % of the "
    "beta-binomial distribution of a right threshold; in_sample: the share that the quantile of the training scores "
    "would flag; fit_ratio: seconds of the fit over those of one without a threshold; detectors that take vectors and "
    "train in seconds, unless named"
)


@suite("thresholds", "false alarms on fresh normal rows at the declared 5 % (simulated)", PROTOCOL, ("dte-np",))
def run(context: Context) -> Iterator[Row]:
    """Each detector on each size and data seed."""
    from mmdmad.detectors.base import detectors

    quick = [n for n, c in detectors().items() if "vectors" in c.about.modalities and c.about.cost != "minutes"]
    named = context.detectors if context.chosen else tuple(sorted(quick, key=lambda name: name != "dte-np"))
    for detector in context.track(named, "detectors"):
        for count in (COUNTED, PRINTED):
            for seed in range(context.seeds):
                yield _row(detector, count, seed)


def normals(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Training rows (count, 20) and fresh ones (3000, 20) of the same normal, both float32.

    >>> train, fresh = normals(100, seed=0)
    >>> train.shape, fresh.shape
    ((100, 20), (3000, 20))
    """
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(WIDTH, FACTORS))
    size = count + FRESH
    rows = rng.normal(size=(size, FACTORS)) @ mixing.T + 0.3 * rng.normal(size=(size, WIDTH))
    return rows[:count].astype(np.float32), rows[count:].astype(np.float32)


def _row(detector: str, count: int, seed: int) -> Row:
    from mmdmad.detectors.base import make_detector

    train, fresh = normals(count, seed)
    bare, meter = Meter(), Meter()
    with bare.fit():
        make_detector(detector, false_alarm_rate=None).fit(train)
    with meter.fit():
        made = make_detector(detector, false_alarm_rate=RATE).fit(train)
    with meter.score():
        scores = made.decision_function(fresh)
    low, high = flagged_band(len(made.unseen_scores_), FRESH, RATE)
    flagged = float((scores > made.threshold_).mean())
    metrics = {
        "flagged": flagged,
        "inside": float(low <= flagged <= high),
        "in_sample": float((scores > honest_threshold(made.decision_scores_, RATE)).mean()),
        "fit_ratio": meter.seconds["fit"] / max(bare.seconds["fit"], 1e-9),
    }
    return meter.row(f"{count} rows", detector, seed, metrics, counted=count == COUNTED)
