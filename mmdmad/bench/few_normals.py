"""What few normal rows allow: divided once, crossed in folds with ranks within a fold, and nonconform's strategies."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mmdmad.bench.apart.three import MeanOfThree
from mmdmad.bench.base import Context, suite
from mmdmad.bench.result import Meter, Row
from mmdmad.calibration.conformal import conformal_p_values, pooled_p_value
from mmdmad.datasets import adbench
from mmdmad.errors import ConfigError

TABLES = ("6_cardio", "30_satellite", "28_pendigits", "38_thyroid", "23_mammography")
SIZES = (60, 100, 300, 1000)
RATES = (0.01, 0.05, 0.1)
FOLDS = 5
NORMAL, ODD = 1000, 300
STRATEGIES = ("folds", "split")
INTERPRETER = "MMDMAD_NONCONFORM"
PEERS = ("Split", "CV5", "JaB")
PROTOCOL = (
    f"five ADBench tables; {', '.join(map(str, SIZES))} normal rows drawn, {NORMAL} other normal rows and {ODD} "
    "anomalies judged (as many as there are); one detector for all: the mean of scikit-learn's kNN, LOF and isolation "
    "forest. folds: five, each learns from the other four and ranks within itself; split: half learned, a "
    f"fifth for tails left out, 30 % ranked with. caught_R and false_R: share of anomalies and of normal rows with "
    f"p <= R %. With --peers nonconform 2.0 ({', '.join(PEERS)}) on the same rows, run by the interpreter that "
    f"{INTERPRETER} names"
)


@suite("few-normals", "what 60 to 1,000 normal rows allow, split against folds", PROTOCOL, STRATEGIES)
def run(context: Context) -> Iterator[Row]:
    """Every table, number of normal rows, seed and strategy."""
    if unknown := set(context.detectors) - set(STRATEGIES):
        raise ConfigError(
            f"{', '.join(sorted(unknown))} was given to few-normals; its strategies are {', '.join(STRATEGIES)}"
        )
    for table in context.track(TABLES, "tables"):
        X, y = adbench.load(context.data, table)
        for size in SIZES:
            for seed in range(context.seeds):
                train, test, labels = drawn(X, y, size, seed)
                found = {}
                meters = {}
                for name in context.detectors:
                    meter = meters[name] = Meter()
                    with meter.score():
                        found[name] = (folds if name == "folds" else split)(train, test, seed)
                if context.peers:
                    meter = Meter()
                    with meter.score():
                        theirs = nonconform(train, test, seed)
                    for name, p_values in theirs.items():
                        found[f"nonconform:{name}"], meters[f"nonconform:{name}"] = p_values, meter
                for name, p_values in found.items():
                    yield meters[name].row(f"{table}, {size} normals", name, seed, shares(p_values, labels))


def drawn(X: np.ndarray, y: np.ndarray, size: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normal rows to learn from, and rows to judge with their labels; no row is in both."""
    rng = np.random.default_rng(seed)
    normal, odd = X[y == 0].astype(np.float64), X[y == 1].astype(np.float64)
    order = rng.permutation(len(normal))
    later = normal[order[size : size + NORMAL]]
    odd = odd[rng.permutation(len(odd))[:ODD]]
    labels = np.r_[np.zeros(len(later)), np.ones(len(odd))]
    return normal[order[:size]], np.concatenate([later, odd]), labels


def split(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """p-values (M,) of one division: half of the rows learned, the last 30 % ranked with."""
    model = MeanOfThree(seed).fit(train[: round(0.5 * len(train))])
    return _ranks(model, train[round(0.7 * len(train)) :], test)


def folds(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """p-values (M,) of crossed folds, ranks within a fold (`mmdmad.calibration.conformal.pooled_p_value`)."""
    number = np.arange(len(train)) % FOLDS
    held = [train[number == k] for k in range(FOLDS)]
    each = [_ranks(MeanOfThree(seed).fit(train[number != k]), held[k], test) for k in range(FOLDS)]
    sizes = [len(rows) for rows in held]
    return np.array([pooled_p_value(one, sizes) for one in np.transpose(each).tolist()])


def nonconform(train: np.ndarray, test: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """p-values (M,) by strategy, from nonconform in its own interpreter; ConfigError where none is named."""
    python = os.environ.get(INTERPRETER)
    if not python:
        raise ConfigError(
            f"{INTERPRETER} names no interpreter with nonconform; it needs Python 3.12 and an environment of its own: "
            f"python3.12 -m venv nc && nc/bin/pip install nonconform && export {INTERPRETER}=$PWD/nc/bin/python"
        )
    worker = Path(__file__).parent / "apart" / "nonconform_worker.py"
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(given, train=train, test=test, seed=seed)
        try:
            subprocess.run([python, worker, given, out], capture_output=True, text=True, check=True)
        except subprocess.CalledProcessError as why:
            last = why.stderr.strip().splitlines()[-1:] or ["no word"]
            raise ConfigError(f"{INTERPRETER}={python} cannot run nonconform: {last[0]}") from None
        except OSError as why:
            raise ConfigError(f"{INTERPRETER}={python} cannot run nonconform: {why.strerror}") from None
        with np.load(out, allow_pickle=False) as stored:
            return {name: stored[name] for name in PEERS}


def shares(p_values: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """What is caught and flagged falsely at each rate.

    >>> shares(np.array([0.01, 0.02, 0.2, 0.06]), np.array([1, 0, 0, 1]))["caught_10"]
    1.0
    """
    found = {}
    for rate in RATES:
        flagged = p_values <= rate
        found[f"caught_{100 * rate:g}"] = float(flagged[labels == 1].mean())
        found[f"false_{100 * rate:g}"] = float(flagged[labels == 0].mean())
    return found


def _ranks(model: MeanOfThree, held: np.ndarray, test: np.ndarray) -> np.ndarray:
    """p-values of test rows among held-out ones; ties in the middle, there are hardly any."""
    return conformal_p_values(model.decision_function(test), model.decision_function(held), np.full(len(test), 0.5))
