"""The approximate search, with which large training sets are compared with themselves, against the exact one."""

import numpy as np
import pytest

from mmdmad.detectors.base import make_detector
from mmdmad.detectors.kit import neighbours
from mmdmad.detectors.kit.neighbours import Cells, Memory


@pytest.fixture
def rows():
    """6,000 tokens of 24 features that follow 6 hidden ones."""
    rng = np.random.default_rng(0)
    made = rng.normal(size=(6000, 6)) @ rng.normal(size=(6, 24)) + 0.25 * rng.normal(size=(6000, 24))
    return made.astype(np.float32)


@pytest.fixture
def in_cells(monkeypatch):
    """As if 6,000 tokens were too many to compare them all."""
    monkeypatch.setattr(neighbours, "PAIRS", 0)
    monkeypatch.setattr(neighbours, "REACH", 1500)


def test_training_scores_in_cells_are_as_long_as_exact_ones(rows, in_cells, monkeypatch):
    near = make_detector("dte-np").fit(rows)
    again = make_detector("dte-np").fit(rows)
    monkeypatch.setattr(neighbours, "PAIRS", 10**9)
    exact = make_detector("dte-np").fit(rows)
    assert np.array_equal(near.decision_scores_, again.decision_scores_)
    assert not np.array_equal(near.decision_scores_, exact.decision_scores_)
    assert near.decision_scores_.mean() == pytest.approx(exact.decision_scores_.mean(), rel=0.01)
    assert near.threshold_ == pytest.approx(exact.threshold_, rel=0.02)
    assert np.corrcoef(near.decision_scores_, exact.decision_scores_)[0, 1] > 0.97
    test = rows[:50] + 0.1
    assert np.array_equal(near.decision_function(test), exact.decision_function(test))  # other items: exact always


def test_own_tokens_are_left_out_in_cells_too(rows, in_cells):
    twice = np.repeat(rows[:3000, None], 2, axis=1)  # each item holds its token twice
    made = make_detector("dte-np", per_position=False).fit(twice)
    assert made.decision_scores_.min() > 0
    axes, none = rows[:200], np.zeros(200, np.float32)
    memory = Memory(rows, np.zeros(6000, np.float32), np.arange(6000) // 2)
    squares, found = memory.nearest(axes, none, 5, owner=np.arange(200) // 2, approximate=True)
    assert np.isfinite(squares).all()
    assert not (found // 2 == np.arange(200)[:, None] // 2).any()


def test_forgotten_items_are_found_in_cells(rows, in_cells):
    dirty = np.concatenate([rows, rows[:60] + 8.0 * np.random.default_rng(1).normal(size=(60, 24))]).astype(np.float32)
    made = make_detector("dte-np", contamination=0.01).fit(dirty)
    kept = made.memory_.arrays()["memory.owner"]
    assert np.count_nonzero(kept >= 6000) == 0
    assert made.decision_scores_[6000:].min() > made.threshold_


def test_cells_that_reach_everything_are_exact(rows, monkeypatch):
    monkeypatch.setattr(neighbours, "REACH", 6000)
    square = (rows**2).sum(axis=1)
    found = Cells(rows, square).candidates(rows[:100], 5)
    distance = ((rows[:100, None].astype(np.float64) - rows[None]) ** 2).sum(axis=2)
    assert np.array_equal(found, np.sort(np.argsort(distance, axis=1)[:, :5], axis=1))


def test_copies_of_one_token_fill_one_cell(in_cells):
    same = np.ones((200, 20), np.float32)
    squares, _ = Memory(same, np.zeros(200, np.float32), np.arange(200)).nearest(
        same, np.zeros(200, np.float32), 3, owner=np.arange(200), approximate=True
    )
    assert np.array_equal(squares, np.zeros((200, 3)))
