"""The ensemble of diffusion times against a direct computation, term by term."""

import numpy as np
import pytest
from scipy.stats import norm, rankdata

from mmdmad.detectors.base import make_detector
from mmdmad.detectors.hybrid.ensemble import KNOTS, Marginals, Tail, View
from mmdmad.detectors.kit.neighbours import smallest
from mmdmad.errors import ConfigError

RNG = np.random.default_rng


def skewed(count, seed, width=4):
    mixing = RNG(5).normal(size=(width, width))
    return np.exp(0.5 * RNG(seed).normal(size=(count, width)) @ mixing).astype(np.float32)


def direct_times(train, test, power, leave_out):
    """Diffusion time and neighbours of each test row by brute force: (mean |difference|^power / D)^(1/power)."""
    powers = (np.abs(test[:, None].astype(float) - train[None]) ** power).sum(2) / train.shape[1]
    if leave_out:
        np.fill_diagonal(powers, np.inf)
    near = np.argsort(powers, axis=1, kind="stable")[:, :5]
    return np.take_along_axis(powers, near, axis=1).mean(1) ** (1 / power), near


def test_scores_are_the_mean_surprise_of_four_times():
    X, Y = skewed(120, 0), skewed(30, 1)
    mean, scale = X.mean(0, dtype=float), X.std(0, dtype=float)
    Z, W = (X - mean) / scale, (Y - mean) / scale
    spread = np.arcsinh(2 * Z).std(0)
    logs = np.arcsinh(2 * Z) / spread, np.arcsinh(2 * W) / spread
    ranks = [np.empty_like(Z), np.empty_like(W)]
    for d in range(4):
        ranks[0][:, d] = norm.ppf(rankdata(Z[:, d]) / 121)
        ranks[1][:, d] = [norm.ppf((rankdata(np.append(Z[:, d], w))[-1] - 0.5) / 121) for w in W[:, d]]
    total = np.zeros(30)
    for (train, test), power in ((logs, 1), (ranks, 2)):
        own, near = direct_times(train, train, power, leave_out=True)
        time, around = direct_times(train, test, power, leave_out=False)
        small = 1e-3 * np.median(own)
        for known, new in ((own, time), (own / (own[near].mean(1) + small), time / (own[around].mean(1) + small))):
            known, new = (np.log(t + 1e-3 * np.median(known)) for t in (np.sort(known), new))
            level = -np.log(np.arange(120, 0, -1) / 121)
            beyond = np.maximum(new - known[-1], 0) / (known[108:] - known[108]).mean()
            total += np.interp(new, known, level) + np.log1p(beyond)
    fitted = make_detector("ensemble").fit(X)
    np.testing.assert_allclose(fitted.decision_function(Y), total / 4, rtol=2e-4)


def test_normal_tokens_have_exponential_surprise_whatever_the_density():
    """-log p of a uniform p has mean 1; relative times are cautious: tokens are neighbours' neighbours."""
    fitted = make_detector("ensemble").fit(skewed(1500, 0))
    fresh = skewed(1500, 1)
    standard, _ = fitted.space_.transform(fresh, np.zeros(1500, np.int64))
    times = fitted.views_[0].times(fitted.marginals_.logs(standard), np.zeros(1500, np.int64), None)
    absolute, relative = (tail.surprise(t) for tail, t in zip(fitted.tails_, times))
    assert absolute.mean() == pytest.approx(1.0, abs=0.1)
    assert np.quantile(absolute, 0.95) == pytest.approx(-np.log(0.05), abs=0.4)
    assert 0.6 < relative.mean() < 1.05
    assert fitted.decision_scores_.mean() == pytest.approx(1.0, abs=0.01)


def test_relative_time_sees_the_gap_beside_a_dense_cluster():
    dense, loose = RNG(0).normal(size=(300, 2)) * 0.02, RNG(1).normal(size=(300, 2)) * 2.0 + 20.0
    train = np.concatenate([dense, loose]).astype(np.float32)
    view = View(train, np.zeros(600, np.int64), np.arange(600), neighbours=5, power=2)
    view.learn_own()
    beside, inside = np.array([[0.3, 0.3]], np.float32), loose[:1].astype(np.float32) + 0.3
    absolute, relative = view.times(np.concatenate([beside, inside]), np.zeros(2, np.int64), None)
    assert absolute[0] < 1.5 * absolute[1]
    assert relative[0] > 10 * relative[1]


def test_surprise_grows_without_bound_but_slowly_beyond_the_longest_time():
    tail = Tail.fit(RNG(0).exponential(size=500))
    scores = tail.surprise(np.array([0.0, 1.0, 20.0, 1e3, 1e12]))
    assert (np.diff(scores) > 0).all()
    assert scores[-1] < 4 * -np.log(1 / 501)


def test_ranks_of_copies_are_their_middle_and_ends_stay_finite():
    marginals = Marginals.fit(np.repeat(np.float32([0, 0, 0, 1]), 5)[:, None])
    got = marginals.ranks(np.array([[0.0], [1.0], [0.5], [-9.0], [9.0]], np.float32))[:, 0]
    expected = norm.ppf((np.array([7.5, 17.5, 15, 0, 20]) + 0.5) / 21)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_large_sets_are_thinned_and_keep_their_order():
    X, Y = skewed(6000, 0, width=2), skewed(200, 1, width=2)
    odd = Y.max(axis=0) + RNG(2).uniform(1, 2, size=(20, 2)).astype(np.float32)
    for limit in (6000, 1500):
        fitted = make_detector("ensemble", max_memory=limit).fit(X)
        assert fitted.marginals_.knots.shape == (2, min(limit, KNOTS))
        assert [view.tokens.shape for view in fitted.views_] == [(limit, 2), (limit, 2)]
        assert len(fitted.decision_scores_) == 6000
        assert np.quantile(fitted.decision_function(Y), 0.9) < fitted.decision_function(odd).min()


def test_bad_settings_are_refused():
    for wrong in ({"neighbours": 0}, {"max_memory": 1}):
        with pytest.raises(ConfigError, match="allowed"):
            make_detector("ensemble", **wrong).fit(skewed(20, 0))


@pytest.mark.parametrize("width", [30, 1000, 1037])
def test_the_smallest_of_each_row_are_those_of_a_full_sort(width):
    block = RNG(0).normal(size=(7, width)).round(2)  # ties among them
    block[3, 5:9] = np.inf
    found = np.sort(np.take_along_axis(block, smallest(block, 11), axis=1), axis=1)
    assert np.array_equal(found, np.sort(block, axis=1)[:, :11])
    assert all(len(np.unique(row)) == 11 for row in smallest(block, 11))
