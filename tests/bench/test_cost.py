"""The cost, contamination and cascade suites on tiny sizes; a process that ends badly is told, not dropped."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mmdmad.bench import cascade, contamination, cost, run_suite
from mmdmad.bench.contamination import contaminate, takers
from mmdmad.bench.cost_slices import rows_of_slices, write_tables
from mmdmad.bench.cost_worker import Spec, main, measure, network_calls, one_by_one, synthetic
from mmdmad.bench.result import Result
from mmdmad.cases import Part
from mmdmad.datasets import adbench
from mmdmad.detectors.base import detectors, make_detector
from mmdmad.errors import ManifestError, RunError
from mmdmad.metrics import auroc
from mmdmad.parts import read
from tests.bench.trees import make_trees

TINY = Spec("knn", 0, train=25, test=6, width=4, shape=(2, 2, 3))


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_trees(tmp_path_factory.mktemp("data"))


def fake_worker(monkeypatch, code: str) -> None:
    """Let the suite start this code instead of the worker."""
    real = cost.subprocess.Popen
    monkeypatch.setattr(cost.subprocess, "Popen", lambda command, **more: real([sys.executable, "-c", code], **more))


def stages(detector: str, **more) -> dict[str, float]:
    told: dict[str, float] = {}
    measure(Spec(**{**vars(TINY), "detector": detector, **more}), told.update)
    return told


def test_synthetic_tokens_are_seeded_and_fill_their_layout():
    train, test = synthetic(TINY)
    assert (len(train), len(test)) == (25, 6)
    assert train[0].values.shape == (12, 4)
    assert train[0].layout.where.tolist() == [[0, 1]] * 6 + [[1, 2]] * 6
    assert np.array_equal(synthetic(TINY)[1][3].values, test[3].values)
    assert synthetic(Spec("knn", 1, 25, 6, 4))[0].shape == (25, 4)
    assert Spec.read(TINY.to_json()) == TINY


def test_network_calls_count_a_network_once():
    inner = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Sequential(torch.nn.Linear(2, 2)))
    with network_calls() as calls:
        inner(torch.zeros(1, 2))
        inner[0](torch.zeros(1, 2))
        with pytest.raises(RuntimeError):
            inner(torch.zeros(1, 3))
    inner(torch.zeros(1, 2))
    assert calls == [3]


def test_every_stage_is_measured():
    told = stages("gaussian-diffusion")
    assert set(told) == {
        "train_seconds", "memory_mb", "peak_mb", "score_ms_per_item", "model_mb", "ms_alone", "network_calls"
    }  # fmt: skip
    assert told["network_calls"] == 0
    assert told["train_seconds"] > 0
    assert 0 < told["model_mb"] < 0.1
    assert told["peak_mb"] > 50
    made = make_detector("ddae", steps=5, hidden=(8,), score_levels=7).fit(synthetic(TINY)[0])
    assert one_by_one(made, synthetic(TINY)[1])["network_calls"] == 7


def test_a_refusal_is_told(capsys):
    main(Spec("nothing", 0, 5, 5, 3).to_json())
    assert "no detector is called 'nothing'" in json.loads(capsys.readouterr().out)["refused"]


@pytest.mark.parametrize(
    ("code", "note", "known"),
    [
        ("print('{\"train_seconds\": 2.0}', flush=True); import time; time.sleep(60)", "stopped while scoring", True),
        ("import time; time.sleep(60)", "stopped while fitting", False),
        ('print(\'{"refused": "too few"}\')', "refused: too few", False),
        ("import os; os.kill(os.getpid(), 9)", "killed by signal 9", False),
    ],
)
def test_a_detector_that_does_not_finish_is_listed_with_the_reason(monkeypatch, code, note, known):
    monkeypatch.setattr(cost, "LIMIT", 1.5)
    fake_worker(monkeypatch, code)
    row = cost.row(TINY, "tokens", True)
    assert note in (row.note or "")
    assert row.metrics == {"finished": 0.0, **({"train_seconds": 2.0} if known else {})}
    assert row.seconds_fit == (2.0 if known else 1.5)


def test_a_fault_of_the_library_is_an_error(monkeypatch):
    fake_worker(monkeypatch, "raise KeyError('odd')")
    with pytest.raises(RunError, match=r"knn failed.*KeyError"):
        cost.row(TINY, "tokens", True)


def test_cost_end_to_end(monkeypatch):
    for name, value in {"TRAIN": 20, "TEST": 4, "SHAPE": (1, 2, 2), "WIDTH": 4, "SIZES": ()}.items():
        monkeypatch.setattr(cost, name, value)
    result = run_suite("cost", detectors=["dte-np"])
    Result.model_validate(result)
    (row,) = result["rows"]
    assert row["dataset"] == "80 tokens of 4"
    assert row["metrics"]["finished"] == 1
    assert row["peak_mb"] > 50
    assert "one thread of" in row["note"]
    assert {s["metric"] for s in result["summary"]} >= {"train_seconds", "score_ms_per_item", "network_calls"}


def test_every_detector_is_listed_and_sizes_do_not_enter_the_means(monkeypatch):
    monkeypatch.setattr(
        cost, "outcome", lambda spec, limit: ({"train_seconds": float(spec.train), "peak_mb": 9.0}, None)
    )
    monkeypatch.setattr(cost, "rows_of_slices", lambda: rows_of_slices(200, 10))
    result = run_suite("cost", seeds=2)
    default = [r for r in result["rows"] if r["detector"] == "dte-np"]
    assert [r["metrics"]["train_seconds"] for r in default] == [100, 1e3, 1e4, 1e5, 1e6] * 2
    assert {r["detector"] for r in result["rows"]} == {*detectors(), "(slices)"}
    means = {s["detector"]: s["mean"] for s in result["summary"] if s["metric"] == "train_seconds"}
    assert means == dict.fromkeys(detectors(), 100.0)


def test_slices_of_a_table_are_read_from_one_decoding(tmp_path, monkeypatch):
    from mmdmad.parts import sensor_table

    reads = []
    real = sensor_table.read_columns
    monkeypatch.setattr(sensor_table, "read_columns", lambda part, path: reads.append(path.name) or real(part, path))
    monkeypatch.setattr("mmdmad.parts.sensor.read_columns", sensor_table.read_columns)
    csv, parquet = rows_of_slices(rows=3000, slices=30)
    assert [r.dataset for r in (csv, parquet)] == [f"30 slices of 3,000 rows, {end}" for end in (".csv", ".parquet")]
    assert not csv.counted
    assert csv.metrics["slices_over_whole"] > 0
    assert csv.metrics["whole_cpu_s"] > 0
    assert reads.count("long.csv") == reads.count("long.parquet") == 3  # warm, whole, and once for all slices
    for path in write_tables(tmp_path, 40, seed=3).values():
        whole = read(Part("sensor", path))
        assert (whole.channels[0], len(whole.values), len(whole.channels)) == ("channel_0", 40, 5)


def test_training_sets_differ_in_their_share_only():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 3)), np.repeat([0, 1], [220, 80])
    X[:, 2] += 10.0 * y
    made = {share: contaminate(X, y, share, 1) for share in (0.0, 0.1, 0.2)}
    assert {len(one.train) for one in made.values()} == {110}
    assert {one.labels.sum() for one in made.values()} == {40}
    for share, one in made.items():
        ordered = np.sort(one.train[:, 2])
        odd = len(ordered) - 1 - np.diff(ordered).argmax() if share else 0  # rows above the widest gap
        assert odd == round(share * 110)
    clean, dirty = made[0.0], made[0.2]
    np.testing.assert_allclose(np.corrcoef(clean.test[:, 0], dirty.test[:, 0])[0, 1], 1.0)  # the same test rows


def test_contamination_end_to_end(data, monkeypatch):
    with pytest.raises(ManifestError, match="4_breastw"):
        run_suite("contamination", data)
    monkeypatch.setattr(contamination, "SETS", ("1_small",))
    result = run_suite("contamination", data, detectors=["gaussian-diffusion", "knn"])
    Result.model_validate(result)
    assert {r["detector"] for r in result["rows"]} == {"gaussian-diffusion", "knn"}
    found = {(s["detector"], s["metric"]): s["mean"] for s in result["summary"]}
    for share in (5, 10, 20):
        assert (
            found["gaussian-diffusion", f"auroc_{share}_told"] >= found["gaussian-diffusion", f"auroc_{share}"] - 0.02
        )
    assert ("knn", "auroc_0_told") not in found
    assert found["knn", "ap_0"] > 0.5
    assert takers()[0] == "dte-np"
    assert "mulde" not in takers()


def test_cascade_end_to_end(data, monkeypatch):
    with pytest.raises(ManifestError, match="2_annthyroid"):
        run_suite("cascade", data)
    monkeypatch.setattr(cascade, "SETS", ("1_small",))
    result = run_suite("cascade", data, detectors=["knn"])
    Result.model_validate(result)
    (row,) = result["rows"]
    metrics = row["metrics"]
    assert 0 < metrics["share"] < 1
    assert metrics["speed_up"] > 0
    assert metrics["auroc_cascade"] >= min(metrics["auroc_cheap"], metrics["auroc_costly"]) - 0.02


def test_a_cascade_reports_its_own_members_each_under_its_name(data, monkeypatch):
    rng = np.random.default_rng(3)
    ring = rng.normal(size=(300, 2))
    ring *= (4 + 0.6 * rng.normal(size=(300, 1))) / np.linalg.norm(ring, axis=1, keepdims=True)
    X = np.concatenate([ring, rng.normal(size=(40, 2))])  # inside the ring, where one Gaussian sees nothing odd
    y = np.repeat([0, 1], [300, 40])
    monkeypatch.setattr(cascade, "SETS", ("1_small",))
    monkeypatch.setattr(adbench, "load", lambda *_: (X, y))
    (row,) = run_suite("cascade", data, detectors=["knn"])["rows"]
    split = adbench.make_split(X, y, "leak-free", 0)
    made = make_detector("cascade", cheap=cascade.CHEAP, costly="knn", seed=0).fit(split.train)
    cheap, costly = (auroc(split.labels, member.decision_function(split.test)) for member in made.members_)
    assert cheap < costly - 0.2
    assert (row["metrics"]["auroc_cheap"], row["metrics"]["auroc_costly"]) == (cheap, costly)
