"""What the joint suites share: judging cases with a JointDetector and turning judgements into arrays."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.bench.base import Context
from mmdmad.bench.result import Meter
from mmdmad.cases import Case, Cases, Modality
from mmdmad.errors import PartError
from mmdmad.guarantees import ByRecording, Guarantee
from mmdmad.metrics import auroc, average_precision, bootstrap_metric, false_alarms
from mmdmad.modalities.base import ordered

JOINT = "joint"
RATES = (0.01, 0.05)


@dataclass(frozen=True, eq=False)
class Judged:
    """Judgements of N cases: joint score and p-value (N,), each part's surprise and p-value (N,), NaN where missing.

    calibration (N,): how many calibration cases stand behind each p-value. guarantees (N,): what does. by_recording
    (N,): how windows of new recordings rank among recordings.
    """

    cases: tuple[Case, ...]
    score: np.ndarray
    p_value: np.ndarray
    part_score: Mapping[Modality, np.ndarray]
    part_p: Mapping[Modality, np.ndarray]
    contradiction: np.ndarray
    refused: int
    calibration: np.ndarray
    guarantees: tuple[Guarantee, ...] = ()
    by_recording: tuple[ByRecording | None, ...] = ()

    @property
    def labels(self) -> np.ndarray:
        """Labels (N,) of the cases."""
        return np.array([int(c.label or 0) for c in self.cases])

    def single(self, modality: Modality) -> np.ndarray:
        """Ranking (N,) by one part alone: minus log p, then detector score; a missing part counts as a median case."""
        p = np.where(np.isfinite(self.part_p[modality]), self.part_p[modality], 0.5)
        score = np.nan_to_num(self.part_score[modality], nan=0.0)
        order = np.lexsort((score, -p))
        rank = np.empty(len(p))
        rank[order] = np.arange(len(p))
        same = (~np.isfinite(self.part_p[modality])).nonzero()[0]
        if len(same):
            rank[same] = rank[same].mean()
        return rank


def pipeline(detector: str, preset: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The pipeline configuration of a suite: its preset, or the preset with one detector for every modality."""
    parts = {m: dict(settings) for m, settings in preset["parts"].items()}
    if detector != JOINT:
        for settings in parts.values():
            settings["detector"] = detector
            settings.pop("detector_params", None)
    return {**preset, "parts": parts, "seed": seed}


def fit(config: Mapping[str, Any] | str, train: Cases, work: Path | None, meter: Meter) -> Any:
    """A fitted JointDetector."""
    from mmdmad.pipeline.detector import JointDetector

    made = JointDetector.from_config(config if isinstance(config, str) else dict(config))
    with meter.fit():
        return made.fit(train, work=work)


def judge(model: Any, cases: Sequence[Case], context: Context, meter: Meter, work: Path | None) -> Judged:
    """Judge every case; cases without a usable part are counted and left out."""
    kept: list[Case] = []
    said = []
    refused = 0
    cache = None if work is None else work / "tokens"
    with meter.score():
        for case in context.track(cases, "judging"):
            try:
                said.append(model.judge(case, cache=cache))
                kept.append(case)
            except PartError:
                refused += 1
    score, p = (np.array([getattr(j, name) for j in said], float) for name in ("score", "p_value"))
    names = ordered(model.parts_)
    part_score = {m: np.array([j.parts[m].score if m in j.parts else math.nan for j in said]) for m in names}
    part_p = {m: np.array([j.parts[m].p_value if m in j.parts else math.nan for j in said]) for m in names}
    odd = np.array([max((c.share for c in j.contradictions), default=0.0) for j in said])
    size = np.array([j.guarantee.size for j in said])
    behind = tuple(j.guarantee for j in said), tuple(j.by_recording for j in said)
    return Judged(tuple(kept), score, p, part_score, part_p, odd, refused, size, *behind)


def ranking_metrics(judged: Judged, seed: int) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Joint AUROC and AP, AUROC of each part alone against the case labels, false alarms at declared rates."""
    labels = judged.labels
    metrics = {
        "joint_auroc": auroc(labels, judged.score),
        "joint_ap": average_precision(labels, judged.score),
        "joint_auroc_by_p_value": auroc(labels, -judged.p_value),
        "refused_cases": float(judged.refused),
    }
    intervals = {"joint_auroc": bootstrap_metric(auroc, labels, judged.score, seed=seed)}
    for m in judged.part_p:
        if np.isfinite(judged.part_p[m]).any():
            metrics[f"{m}_alone_auroc"] = auroc(labels, judged.single(m))
            intervals[f"{m}_alone_auroc"] = bootstrap_metric(auroc, labels, judged.single(m), seed=seed)
    for rate in RATES:
        found = false_alarms(judged.p_value[labels == 0], rate)
        name = f"false_alarms_at_{rate:g}"
        metrics[name], intervals[name] = found["rate"], (found["low"], found["high"])
        metrics[f"recall_at_{rate:g}"] = float((judged.p_value[labels == 1] <= rate).mean())
    return metrics, intervals
