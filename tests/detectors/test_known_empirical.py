"""The exact denoiser of a finite set, against what is known of it."""

import numpy as np
import pytest

from mmdmad.detectors.density.gaussian_diffusion import GaussianDiffusion
from mmdmad.detectors.hybrid.empirical_denoiser import EmpiricalDenoiser
from mmdmad.diffusion.empirical import posterior_weights
from mmdmad.errors import ConfigError
from mmdmad.tokens import Layout, Tokens


def lit(count: int, seed: int, kinds: int = 6) -> list[Tokens]:
    """Grids of 3 x 3 cells of one of a few kinds: what a cell looks like depends on the kind, in all cells at once."""
    rng = np.random.default_rng(seed)
    look = 4.0 * np.random.default_rng(99).normal(size=(kinds, 9, 4))
    layout = Layout("grid", (3, 3), size=(30, 30), position=np.arange(9))
    return [Tokens(look[rng.integers(kinds)] + 0.2 * rng.normal(size=(9, 4)), layout) for _ in range(count)]


def test_weights_are_the_posterior_of_some_noise_level():
    rng = np.random.default_rng(0)
    squares = rng.uniform(1, 30, size=(7, 40))
    for effective in (1.5, 6.0, 25.0):
        weights = posterior_weights(squares, effective)
        assert np.allclose(weights.sum(axis=1), 1.0)
        assert np.allclose(1.0 / (weights**2).sum(axis=1), effective, rtol=1e-6)
        # log w_j = c - |x - y_j|^2 / 2 s^2: a line in the squares
        for row, logs in zip(squares, np.log(np.maximum(weights, 1e-300))):
            there = logs > -600
            slope, start = np.polyfit(row[there], logs[there], 1)
            assert slope < 0
            assert np.allclose(start + slope * row[there], logs[there], atol=1e-6)


def test_weights_do_not_depend_on_the_unit_of_distance():
    squares = np.random.default_rng(1).uniform(1, 30, size=(3, 12))
    assert np.allclose(posterior_weights(squares, 4.0), posterior_weights(1e4 * squares, 4.0))


def test_copies_share_the_weight_and_few_points_are_a_plain_mean():
    assert np.allclose(posterior_weights(np.zeros((1, 4)), 2.0), 0.25)
    assert np.allclose(posterior_weights(np.array([[3.0, 8.0, np.inf]]), 20.0), [[0.5, 0.5, 0.0]], atol=1e-6)


def test_one_effective_item_leaves_the_distance_to_the_nearest():
    X = np.random.default_rng(2).normal(size=(60, 3)).astype(np.float32)
    made = EmpiricalDenoiser(effective=1.0, components=8).fit(X)
    query = X[:5] + 0.01
    left = made._left([Tokens(row[None]) for row in query], np.full(5, -1))
    expected = made.space_.standardise(query, np.zeros(5, int)) - made.memory_[:5].astype(np.float32)
    assert np.allclose(np.concatenate([item.values for item in left]), expected, atol=1e-3)


def test_training_items_are_not_their_own_reconstruction():
    X = np.random.default_rng(3).normal(size=(80, 3)).astype(np.float32)
    made = EmpiricalDenoiser(effective=1.0).fit(X)
    again = made.decision_function(X)  # each is its own nearest here
    assert np.median(again) < 0.2 * np.median(made.decision_scores_)


def test_a_cell_of_another_kind_is_found_where_a_model_of_each_position_is_blind():
    train, test = lit(240, seed=4), lit(60, seed=5)
    odd = lit(60, seed=6)
    for item, other in zip(odd, lit(60, seed=7)):
        item.values[4] = other.values[4]  # normal at its place, but not in this picture

    def auroc(made):
        good, bad = made.decision_function(test), made.decision_function(odd)
        return float((bad[:, None] > good).mean())

    different = np.mean([not np.allclose(a.values[4], b.values[4], atol=2.0) for a, b in zip(odd, lit(60, seed=6))])
    assert auroc(EmpiricalDenoiser(effective=8.0).fit(train)) > 0.5 + 0.45 * different
    assert auroc(GaussianDiffusion().fit(train)) < 0.75
    maps = EmpiricalDenoiser(effective=8.0).fit(train).token_scores(odd)
    assert np.mean([one.argmax() == 4 for one in maps]) > 0.9 * different


def test_memory_is_bounded_and_uneven_items_are_still_scored():
    made = EmpiricalDenoiser(memory=10, effective=3.0).fit(lit(40, seed=8))
    assert made.memory_.shape == (10, 36)
    layout = Layout("grid", (1, 2), size=(10, 20), position=np.array([0, 4]))
    assert np.isfinite(made.token_scores([Tokens(np.zeros((2, 4)), layout)])[0]).all()


@pytest.mark.parametrize("wrong", [{"effective": 0.5}, {"memory": 1}, {"components": 0}])
def test_bad_parameters_are_refused(wrong):
    with pytest.raises(ConfigError, match="allowed are effective >= 1"):
        EmpiricalDenoiser(**wrong).fit(np.zeros((5, 2)))
