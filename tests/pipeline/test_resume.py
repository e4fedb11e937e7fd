"""Killed at any moment and started again, fit and score end in what an undisturbed run gives; nothing twice."""

import importlib.util
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmdmad.store.run import Run

SCRIPT = Path(__file__).parents[1] / "tiny_pipeline.py"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def start(manifest: Path, folder: Path) -> subprocess.Popen:
    command = [sys.executable, str(SCRIPT), str(manifest), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)


def finish(manifest: Path, folder: Path) -> float:
    """Run to the end; seconds between `started` and `finished`."""
    process = start(manifest, folder)
    assert process.stdout.readline() == "started\n", process.stderr.read()
    began = time.monotonic()
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return time.monotonic() - began


def kill_after(manifest: Path, folder: Path, seconds: float) -> bool:
    """Start, SIGKILL that many seconds after the work began; False if it had finished by then."""
    process = start(manifest, folder)
    assert process.stdout.readline() == "started\n", process.stderr.read()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode in (0, -signal.SIGKILL)
    return process.returncode != 0


def outcome(folder: Path) -> tuple:
    """Everything a run says: model files, findings, refusals, artifacts."""
    run = Run.open(folder)
    model = {p.relative_to(folder): p.read_bytes() for p in sorted((folder / "model").rglob("*")) if p.is_file()}
    artifacts = {
        p.relative_to(folder): p.read_bytes() for p in sorted((folder / "artifacts").rglob("*")) if p.is_file()
    }
    findings = [f.model_dump_json() for f in run.findings(order="id")]
    refusals = sorted(map(repr, run.refusals()))
    run.close()
    return model, findings, refusals, artifacts


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("tiny_line_writer", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    from mmdmad.encoders import base

    before = base.encoders()
    spec.loader.exec_module(module)
    for name in set(base.encoders()) - set(before):
        base._REGISTRY.remove(name)
    return module.write_line(tmp_path_factory.mktemp("line"), count=80, seed=20)


@pytest.fixture(scope="module")
def undisturbed(line, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "undisturbed"
    seconds = finish(line, folder)
    return outcome(folder), seconds


def resumes(line: Path, folder: Path, undisturbed: tuple, kills: int, seed: int) -> None:
    expected, longest = undisturbed
    rng = random.Random(seed)
    killed = 0
    while killed < kills:
        if kill_after(line, folder, rng.uniform(0.0, longest)):
            killed += 1
        else:  # it was faster than the undisturbed run on a busier machine: begin again and kill earlier
            shutil.rmtree(folder)
            killed, longest = 0, longest / 2
    finish(line, folder)
    model, findings, refusals, artifacts = outcome(folder)
    assert model.keys() == expected[0].keys()
    assert [name for name in model if model[name] != expected[0][name]] == []
    assert findings == expected[1]
    assert refusals == expected[2]
    assert artifacts == expected[3]


def test_undisturbed_run_judges_every_case_once_or_refuses_it(undisturbed):
    _, findings, refusals, _ = undisturbed[0]
    assert len(findings) == 21
    assert sum("test-nothing" in r for r in refusals) >= 1
    assert sum("test-broken" in r for r in refusals) >= 1


def test_killed_four_times_ends_the_same(line, undisturbed, tmp_path):
    resumes(line, tmp_path / "run", undisturbed, kills=4, seed=0)


@pytest.mark.slow
def test_killed_twenty_times_ends_the_same(line, undisturbed, tmp_path):
    for part in range(5):
        resumes(line, tmp_path / f"run{part}", undisturbed, kills=4, seed=100 + part)
