"""Composed joint cases: joint AUROC with and without missing parts, beside each part alone."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mmdmad.bench.base import Context, suite
from mmdmad.bench.judged import JOINT, Judged, fit, judge, pipeline, ranking_metrics
from mmdmad.bench.result import Meter, Row
from mmdmad.cases import Cases
from mmdmad.datasets import joint_composed
from mmdmad.manifest import read_cases
from mmdmad.metrics import auroc

PRESET = {
    "parts": {
        "image": {"encoder": "auto", "detector": "gaussian-diffusion"},
        "text": {"encoder": "auto", "detector": "dte-np"},
        "sensor": {"encoder": "auto", "detector": "gaussian-diffusion"},
        "video": {"encoder": "auto", "detector": "gaussian-diffusion"},
    }
}
PROTOCOL = (
    "400 normal training cases composed from the sets' own training items, 640 test cases of the fixed index (240 "
    "anomalous); 'with missing parts' drops the part that the index calls missing (19 % of the cases), 'all parts' "
    "keeps it; interval: stratified bootstrap of the cases"
)


@suite("joint-composed", "real items of four sets drawn together", PROTOCOL, (JOINT,), joint_composed.HONESTY)
def run(context: Context) -> Iterator[Row]:
    """One model per detector and seed, judged on both versions of the test cases."""
    with tempfile.TemporaryDirectory() as scratch:
        home = context.artifacts("joint-composed") or Path(scratch)
        for seed in range(context.seeds):
            sets = {}
            for name, drop in (("with missing parts", True), ("all parts", False)):
                folder = home / f"{'missing' if drop else 'all'}-{seed}"
                manifest = joint_composed.convert(context.data, folder, seed=seed, drop=drop)
                sets[name] = read_cases(manifest, allow_outside=True)
            for detector in context.detectors:
                work, meter = home / "work", Meter()
                train = sets["with missing parts"].where(split="train")
                model = fit(pipeline(detector, PRESET, seed), train, work, meter)
                for name, cases in sets.items():
                    meter.seconds["score"] = 0.0
                    judged = judge(model, cases.where(split="test"), context, meter, work)
                    metrics, intervals = ranking_metrics(judged, seed)
                    metrics |= own_label_metrics(cases, judged)
                    yield meter.row(name, detector, seed, metrics, intervals=intervals)


def own_label_metrics(cases: Cases, judged: Judged) -> dict[str, float]:
    """AUROC of each part's score against that part's own label, over the cases that have the part."""
    columns = cases.extra["columns"]
    out = {}
    for m in joint_composed.PARTS:
        truth = np.array([float(columns.get(c.id, {}).get(f"{m}_label") or 0) for c in judged.cases])
        have = np.isfinite(judged.part_score[m])
        if len(set(truth[have])) == 2:
            out[f"{m}_own_auroc"] = auroc(truth[have], judged.part_score[m][have])
    return out
