"""What a cascade saves and what it loses: a cheap detector first, a costly one only for what that leaves undecided."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from mmdmad.bench.base import Context, suite
from mmdmad.bench.result import Meter, Row
from mmdmad.datasets import adbench
from mmdmad.detectors.base import Detector, make_detector
from mmdmad.metrics import auroc, average_precision
from mmdmad.threads import one_thread

SETS = (
    "2_annthyroid",
    "23_mammography",
    "26_optdigits",
    "27_PageBlocks",
    "28_pendigits",
    "30_satellite",
    "31_satimage-2",
    "41_Waveform",
)
CHEAP = "gaussian-diffusion"
COSTLY = ("pf-ode", "elbo", "dte-np")
STEPS = 500  # of training: what is measured is scoring
PROTOCOL = (
    f"tables of ADBench with 3,000 to 12,000 rows, leak-free; {CHEAP} judges all rows, the named detector those in the "
    "default band; both are also used alone, fitted on the same three quarters of the training rows; networks train "
    f"{STEPS} steps; speed_up: seconds the costly detector takes for all test rows over those of the cascade, "
    "one thread; share: test rows that were sent on"
)


@suite("cascade", "speed-up and loss of a cascade on tables", PROTOCOL, COSTLY)
def run(context: Context) -> Iterator[Row]:
    """Every table, costly detector and seed: the cascade beside either of its members alone."""
    for name in context.track(adbench.among(context.data, SETS), "tables"):
        X, y = adbench.load(context.data, name)
        for seed in range(context.seeds):
            split = adbench.make_split(X, y, "leak-free", seed)
            for costly in context.detectors:
                yield _row(name, costly, seed, split)


def _row(name: str, costly: str, seed: int, split: adbench.Split) -> Row:
    meter = Meter()
    short: dict[str, Any] = {"steps": STEPS} if "steps" in make_detector(costly).get_params() else {}
    made = make_detector("cascade", cheap=CHEAP, costly=costly, costly_params=short, seed=seed, false_alarm_rate=None)
    with meter.fit(), one_thread():
        made.fit(split.train)
    whole, took = _timed(made, split.test)
    meter.seconds["score"] = took
    metrics = {"auroc_cascade": auroc(split.labels, whole), "ap_cascade": average_precision(split.labels, whole)}
    metrics["share"] = float(made.undecided(split.test).mean())  # type: ignore[attr-defined]
    for kind, member in zip(("cheap", "costly"), made.members_):  # type: ignore[attr-defined]
        scores, alone = _timed(member, split.test)
        metrics |= {f"auroc_{kind}": auroc(split.labels, scores), f"ap_{kind}": average_precision(split.labels, scores)}
    return meter.row(name, costly, seed, {**metrics, "speed_up": alone / took})


def _timed(detector: Detector, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Item scores, and the seconds of the faster of two calls."""
    times = []
    with one_thread():
        for _ in range(2):
            start = time.perf_counter()
            scores = detector.decision_function(rows)
            times.append(time.perf_counter() - start)
    return scores, min(times)
