"""The simulated inspection line: joint AUROC by kind of fault, and false alarms at declared rates."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.bench.base import Context, suite
from mmdmad.bench.judged import JOINT, RATES, Judged, fit, judge, pipeline, ranking_metrics
from mmdmad.bench.result import Meter, Row
from mmdmad.calibration import false_alarm_range
from mmdmad.cases import Case
from mmdmad.manifest import read_cases
from mmdmad.metrics import auroc, binomial_range, bootstrap_metric, calibration_error, false_alarms

TRAIN, TEST = 600, 400
PRESET = "pipelines/inspection"
LINE_PROTOCOL = (
    f"simulated line, {TRAIN} normal training and {TEST} test cases a seed (the seed makes both the line and the "
    "model); joint_auroc_faults is over single-part faults and chains, contradictions apart; false alarms of normal "
    "test cases with exact binomial intervals; in_band is 1 where the count lies in the 95 % range that the declared "
    "rate explains, in_conformal_band where it lies in the range that also knows how few calibration cases there are "
    "(beta-binomial)"
)
COVERAGE_PROTOCOL = (
    f"simulated line, {TRAIN} normal training and {TEST} normal test cases a seed; every test case is judged in every "
    "pattern of its parts (parts masked), false alarms per pattern with exact binomial intervals"
)


def preset(detector: str, seed: int) -> dict[str, Any]:
    """The shipped inspection pipeline with this seed, and this detector for all parts if it is not "joint"."""
    from mmdmad.pipeline.detector import load_config

    return pipeline(detector, load_config(PRESET).model_dump(mode="json"), seed)


@suite("line", "simulated inspection line, joint AUROC and false alarms", LINE_PROTOCOL, (JOINT,))
def run(context: Context) -> Iterator[Row]:
    """A fresh line per seed."""
    from mmdmad.datasets.line.inspection_line import make_line, read_truth

    with tempfile.TemporaryDirectory() as scratch:
        home = context.artifacts("line") or Path(scratch)
        for seed in range(context.seeds):
            folder = home / f"line-{seed}"
            cases = read_cases(make_line(folder, train=TRAIN, test=TEST, seed=seed))
            truth = read_truth(folder)
            for detector in context.detectors:
                meter = Meter()
                model = fit(preset(detector, seed), cases.where(split="train"), home / "work", meter)
                judged = judge(model, cases.where(split="test"), context, meter, home / "work")
                metrics, intervals = ranking_metrics(judged, seed)
                metrics |= band(judged)
                more, about = by_kind(judged, truth, seed)
                yield meter.row(f"line {seed}", detector, seed, metrics | more, intervals=intervals | about)


@suite("line-coverage", "false alarms for every pattern of missing parts, simulated", COVERAGE_PROTOCOL, (JOINT,))
def run_coverage(context: Context) -> Iterator[Row]:
    """Normal test cases only, masked to each pattern."""
    from mmdmad.calibration.patterns import patterns
    from mmdmad.datasets.line.inspection_line import make_line

    with tempfile.TemporaryDirectory() as scratch:
        home = context.artifacts("line-coverage") or Path(scratch)
        for seed in range(context.seeds):
            folder = home / f"line-{seed}"
            cases = read_cases(make_line(folder, train=TRAIN, test=TEST, seed=seed, fault_share=0.0))
            for detector in context.detectors:
                fitting = Meter()
                model = fit(preset(detector, seed), cases.where(split="train"), home / "work", fitting)
                for pattern in patterns(tuple(model.parts_)):
                    masked = [m for c in cases.where(split="test") if (m := mask(c, pattern)) is not None]
                    meter = Meter()
                    meter.seconds["fit"] = fitting.seconds["fit"]
                    judged = judge(model, masked, context, meter, home / "work")
                    metrics, intervals = alarms(judged.p_value, judged.calibration)
                    yield meter.row("+".join(pattern), detector, seed, metrics, intervals=intervals)


def mask(case: Case, pattern: tuple[str, ...]) -> Case | None:
    """The case with only the parts of `pattern`; None if it lacks one of them."""
    if not set(pattern) <= set(case.parts):
        return None
    return replace(case, parts={m: p for m, p in case.parts.items() if m in pattern})


def alarms(p_values: np.ndarray, calibration: np.ndarray) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """False alarms of normal cases at the declared rates, with intervals, and how far p-values are from uniform."""
    metrics: dict[str, float] = {"cases": float(len(p_values))}
    intervals = {}
    for rate in RATES:
        found, name = false_alarms(p_values, rate), f"false_alarms_at_{rate:g}"
        metrics[name], intervals[name] = found["rate"], (found["low"], found["high"])
        low, high = binomial_range(rate, len(p_values))
        metrics[f"in_band_at_{rate:g}"] = float(low <= found["hits"] <= high)
        low, high = false_alarm_range(rate, round(float(calibration.mean())), len(p_values))
        metrics[f"in_conformal_band_at_{rate:g}"] = float(low <= found["hits"] <= high)
    metrics["calibration_error"] = calibration_error(p_values)["expected"]
    return metrics, intervals


def band(judged: Judged) -> dict[str, float]:
    """`alarms` of the normal cases, without what `ranking_metrics` already says."""
    normal = judged.labels == 0
    metrics, _ = alarms(judged.p_value[normal], judged.calibration[normal])
    return {k: v for k, v in metrics.items() if k.startswith("in_") or k == "calibration_error"}


def by_kind(
    judged: Judged, truth: Mapping[str, Any], seed: int
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """AUROC of each kind of case and of each fault of single parts, against all normal test cases."""
    known = [about(truth[c.id]) for c in judged.cases]
    normal = np.array([kind == "normal" for kind, _ in known])
    wanted = {"joint_auroc_faults": np.array([kind in ("single", "chain") for kind, _ in known])}
    for kind in sorted({k for k, _ in known} - {"normal"}):
        wanted[f"joint_auroc_{kind}"] = np.array([k == kind for k, _ in known])
    for fault in sorted({f for k, f in known if k == "single"}):
        wanted[f"joint_auroc_single_{fault.replace(' ', '_')}"] = np.array(
            [k == "single" and f == fault for k, f in known]
        )
    metrics, intervals = {}, {}
    for name, odd in wanted.items():
        keep = normal | odd
        if odd.any() and normal.any():
            metrics[name] = auroc(odd[keep], judged.score[keep])
            intervals[name] = bootstrap_metric(auroc, odd[keep].astype(int), judged.score[keep], seed=seed)
    return metrics, intervals


def about(truth: Any) -> tuple[str, str]:
    """Kind of a case and kind of its first fault ("" for normal cases), from a Truth or its JSON."""
    values = truth if isinstance(truth, Mapping) else truth.to_json()
    faults = values.get("faults") or []
    return values["kind"], str(faults[0]["kind"]) if faults else ""
