"""The suite of few normals: who is drawn, how ranks are pooled, and how another interpreter is asked."""

import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from mmdmad.bench import few_normals, run_suite
from mmdmad.bench.apart.three import MeanOfThree
from mmdmad.bench.few_normals import INTERPRETER, drawn, folds, nonconform, shares, split
from mmdmad.errors import ConfigError


def table(seed: int = 0, normals: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.concatenate([rng.normal(size=(normals, 3)), rng.normal(6, 1, (40, 3))])
    return X, np.r_[np.zeros(normals), np.ones(40)]


def test_no_row_is_learned_and_judged() -> None:
    X, y = table()
    train, test, labels = drawn(X, y, 100, seed=3)
    assert (len(train), len(test), labels.sum()) == (100, 340, 40)
    assert not {tuple(row) for row in train} & {tuple(row) for row in test}
    assert {tuple(row) for row in train} <= {tuple(row) for row in X[y == 0]}
    again, _, _ = drawn(X, y, 100, seed=4)
    assert not np.array_equal(train, again)


def test_shares_at_each_rate_by_hand() -> None:
    p_values, labels = np.array([0.01, 0.011, 0.05, 0.1, 0.5]), np.array([1, 1, 0, 1, 0])
    assert shares(p_values, labels) == {
        "caught_1": pytest.approx(1 / 3), "false_1": 0.0,
        "caught_5": pytest.approx(2 / 3), "false_5": 0.5,
        "caught_10": 1.0, "false_10": 0.5,
    }  # fmt: skip


def test_folds_rank_every_row_once_and_within_a_fold() -> None:
    X, y = table()
    train, test, labels = drawn(X, y, 20, seed=0)
    found = folds(train, test, seed=0)
    above = np.zeros(len(test))
    for k in range(5):
        held = np.arange(20) % 5 == k
        model = MeanOfThree(0).fit(train[~held])
        ranked = model.decision_function(train[held])
        above += [(ranked > score).sum() for score in model.decision_function(test)]
    assert np.allclose(found, (1 + above) / 21)
    assert found[labels == 1].max() == pytest.approx(1 / 21)


def test_one_division_ranks_among_thirty_percent() -> None:
    X, y = table()
    train, test, labels = drawn(X, y, 100, seed=0)
    found = split(train, test, seed=0)
    assert found[labels == 1].max() == pytest.approx(1 / 31)


@pytest.mark.parametrize("wrong", ["", "/no/such/python"])
def test_without_an_interpreter_the_peer_says_what_to_do(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INTERPRETER, wrong)
    with pytest.raises(ConfigError, match=r"pip install nonconform|cannot run nonconform"):
        nonconform(np.zeros((9, 2)), np.zeros((3, 2)), 0)


def test_an_interpreter_without_nonconform_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INTERPRETER, sys.executable)
    with pytest.raises(ConfigError, match="cannot run nonconform: ModuleNotFoundError: No module named 'nonconform'"):
        nonconform(np.zeros((9, 2)), np.zeros((3, 2)), 0)


def test_what_another_interpreter_answers_stands_beside_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = tmp_path / "python"
    answer.write_text(
        f"#!{sys.executable}\nimport sys\nimport numpy as np\ngiven = np.load(sys.argv[2])\n"
        "m = len(given['test'])\nassert given['train'].shape == (60, 3)\n"
        "np.savez(sys.argv[3], Split=np.full(m, 0.02), CV5=np.full(m, 0.07), JaB=np.full(m, 0.5))\n"
    )
    answer.chmod(answer.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv(INTERPRETER, str(answer))
    monkeypatch.setattr(few_normals, "SIZES", (60,))
    monkeypatch.setattr(few_normals, "TABLES", ("6_cardio",))
    home = tmp_path / "data" / "adbench_classical"
    home.mkdir(parents=True)
    X, y = table()
    np.savez(home / "6_cardio.npz", X=X, y=y)
    result = run_suite("few-normals", tmp_path / "data", seeds=2, peers=True)
    found = {(r["detector"], r["metric"]): r["mean"] for r in result["summary"]}
    assert found["nonconform:Split", "caught_5"] == 1.0
    assert found["nonconform:CV5", "caught_5"] == 0.0
    assert found["nonconform:CV5", "false_10"] == 1.0
    assert found["folds", "caught_5"] == 1.0
    assert found["split", "caught_5"] == 0.0  # 18 ranks allow no p-value below 1 / 19
    with pytest.raises(ConfigError, match="its strategies are folds, split"):
        run_suite("few-normals", tmp_path / "data", detectors=["thirds"])
