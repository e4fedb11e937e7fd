import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mmdmad.calibration.likeness import Likeness


def kinds(n, seed):
    """Two kinds of parts: one whose normal scores are near 1, one near 5; vectors tell which."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, n)
    return kind, kind[:, None] + 0.1 * rng.normal(size=(n, 3)), 1 + 4 * kind + (0.2 + 0.3 * kind) * rng.normal(size=n)


def test_a_fault_on_a_quiet_kind_is_not_hidden_by_a_loud_one():
    _, space, _ = kinds(200, 0)
    _, vectors, scores = kinds(120, 1)
    like = Likeness().fit(space, vectors, scores)
    kind, where, test = kinds(400, 2)
    odd = (np.arange(400) % 2 == 0) & (kind == 0)
    test = test + 1.5 * odd
    compared = [like.standardise(v, s) for v, s in zip(where, test, strict=True)]
    assert roc_auc_score(odd, test) < 0.85
    assert roc_auc_score(odd, compared) > 0.97


def test_reference_scores_are_compared_without_themselves():
    _, space, _ = kinds(200, 3)
    _, vectors, scores = kinds(120, 4)
    like = Likeness().fit(space, vectors, scores)
    fresh = [like.standardise(v, s) for v, s in zip(*kinds(2000, 5)[1:], strict=True)]
    own = like.reference()
    assert abs(np.mean(own) - np.mean(fresh)) < 0.25
    assert 0.75 < np.std(own) / np.std(fresh) < 1.25


def test_equal_scores_and_round_trip():
    _, space, _ = kinds(30, 6)
    like = Likeness().fit(space, space[:10], np.full(10, 2.0))
    assert np.isfinite(like.reference()).all()
    assert like.standardise(space[0], 3.0) > 0
    again = Likeness.from_state(like.state())
    assert again.standardise(space[3], 2.5) == like.standardise(space[3], 2.5)


def test_the_spread_of_few_neighbours_is_pulled_to_that_of_all():
    """`prior` further scores of the usual spread: (n v + prior s^2) / (n + prior), n neighbours with variance v."""
    rng = np.random.default_rng(7)
    vectors, scores = rng.normal(size=(60, 3)), rng.normal(size=60)  # a negative one: scores stay as they are
    like = Likeness(neighbours=10, prior=15, dims=3).fit(vectors, vectors, scores)
    where = np.zeros(3)
    white = like.whitener_.transform(where[None])[0]
    near = scores[np.argsort(((like.vectors_ - white) ** 2).sum(axis=1))[:10]]
    spread = np.sqrt((10 * near.var() + 15 * like.spread_**2) / 25)
    assert like.standardise(where, 2.0) == pytest.approx((2.0 - near.mean()) / spread, rel=1e-6)
    assert abs(like.spread_ - scores.std()) < 0.2
