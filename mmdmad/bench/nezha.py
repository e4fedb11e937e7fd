"""Nezha: real logs, metrics and traces of one system; the joint judgement against each kind of signal alone."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from mmdmad.bench.base import Context, suite
from mmdmad.bench.judged import JOINT, Judged, fit, judge, pipeline, ranking_metrics
from mmdmad.bench.result import Meter, Row
from mmdmad.datasets import nezha
from mmdmad.manifest import read_cases
from mmdmad.metrics import auroc, bootstrap_metric

PRESET = {
    "parts": {
        "text": {"encoder": "auto", "detector": "dte-np"},
        "sensor": {"encoder": "auto", "detector": "gaussian-diffusion"},
    }
}
PROTOCOL = (
    "a case is a pod in a minute: logs as text, metrics and traces as sensor columns (each as deviation from the pod's "
    "own normal over the fault-free minutes of the day); training minutes have no fault anywhere, test cases are all "
    "unambiguous pods of the minutes with a fault (53 of 2438 anomalous); a missing part ranks as a median case; "
    "interval: stratified bootstrap of the cases"
)
SENSOR = {"parts": {"sensor": PRESET["parts"]["sensor"]}}


@suite("nezha", "logs, metrics and traces of microservices", PROTOCOL, (JOINT,))
def run(context: Context) -> Iterator[Row]:
    """Joint, then metrics alone and traces alone, every seed."""
    metrics = tuple(c for c in nezha.day(context.data).channels if c not in nezha.TRACES)
    with tempfile.TemporaryDirectory() as scratch:
        home = context.artifacts("nezha") or Path(scratch)
        manifests = {
            "joint": nezha.convert(context.data, home / "joint"),
            "metrics only": nezha.convert(context.data, home / "metrics", channels=metrics),
            "traces only": nezha.convert(context.data, home / "traces", channels=nezha.TRACES),
        }
        for seed in range(context.seeds):
            for detector in context.detectors:
                yield _joint(context, manifests["joint"], detector, seed, home)
                for name in ("metrics only", "traces only"):
                    yield _single(context, manifests[name], manifests["joint"], name, detector, seed, home)


def _joint(context: Context, manifest: Path, detector: str, seed: int, home: Path) -> Row:
    cases, meter = read_cases(manifest, allow_outside=True), Meter()
    model = fit(pipeline(detector, PRESET, seed), cases.where(split="train"), home / "work", meter)
    judged = judge(model, cases.where(split="test"), context, meter, home / "work")
    metrics, intervals = ranking_metrics(judged, seed)
    have = np.isfinite(judged.part_p["text"]) & np.isfinite(judged.part_p["sensor"])
    labels = judged.labels
    metrics["joint_auroc_where_logs"] = auroc(labels[have], judged.score[have])
    for m in ("text", "sensor"):
        metrics[f"{m}_alone_auroc_where_logs"] = auroc(labels[have], judged.part_score[m][have])
    metrics |= _by_fault(cases.extra["columns"], judged)
    return meter.row("test minutes", detector, seed, metrics, intervals=intervals)


def _by_fault(columns: Mapping[str, Mapping[str, str]], judged: Judged) -> dict[str, float]:
    kind = np.array([str(columns.get(c.id, {}).get("fault") or "") for c in judged.cases])
    labels, out = judged.labels, {}
    for name in sorted(set(kind[labels == 1])):
        keep = (labels == 0) | (kind == name)
        out[f"joint_auroc_{name}"] = auroc(labels[keep], judged.score[keep])
        for m in ("text", "sensor"):
            out[f"{m}_alone_auroc_{name}"] = auroc(labels[keep], judged.single(m)[keep])
    return out


def _single(context: Context, manifest: Path, joint: Path, name: str, detector: str, seed: int, home: Path) -> Row:
    cases, meter = read_cases(manifest, allow_outside=True), Meter()
    wanted = {m: [c for c in cases.where(split=m) if "sensor" in c.parts] for m in ("train", "test")}
    alone = [type(c)(c.id, {"sensor": c.parts["sensor"]}, c.time, c.label, c.split, c.group) for c in wanted["train"]]
    train = type(cases)(tuple(alone), (), cases.root, cases.extra)
    model = fit(pipeline(detector, SENSOR, seed), train, home / "work", meter)
    judged = judge(model, wanted["test"], context, meter, home / "work")
    found = dict(zip((c.id for c in judged.cases), judged.single("sensor")))
    middle = float(np.mean(list(found.values())))  # a case without these columns ranks as a median case
    every = read_cases(joint, allow_outside=True).where(split="test")
    labels = np.array([int(c.label or 0) for c in every])
    ranks = np.array([found.get(c.id, middle) for c in every])
    return meter.row(
        "test minutes",
        f"{name} ({detector})",
        seed,
        {"auroc": auroc(labels, ranks), "cases_without": float(len(labels) - len(found))},
        intervals={"auroc": bootstrap_metric(auroc, labels, ranks, seed=seed)},
    )
