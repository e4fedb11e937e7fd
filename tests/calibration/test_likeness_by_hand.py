"""Vectors, whitening and comparison among similar parts against plain loops; borders of what is accepted."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdmad.calibration.likeness import Likeness
from mmdmad.calibration.whitening import Whitener, part_vector
from mmdmad.errors import DataError, ModelError
from mmdmad.tokens import Layout, Tokens


def test_a_part_is_its_embedding_and_the_spread_of_its_tokens():
    values = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    tokens = Tokens(values, Layout("steps", (7,)))  # steps of no channel of their own
    vector = part_vector(tokens)
    assert vector.dtype == np.float32
    assert vector == pytest.approx(np.concatenate([tokens.embedding(), values.std(axis=0)]))


def test_a_series_is_its_embedding_and_mean_and_spread_of_each_channel():
    values = np.random.default_rng(1).normal(size=(6, 2)).astype(np.float32)
    channel = np.array([1, 0, 1, 0, 1, 0])
    layout = Layout("steps", (3, 2), position=channel)
    tokens = Tokens(values, layout)
    pooled = [np.concatenate([values[channel == c].mean(axis=0), values[channel == c].std(axis=0)]) for c in (0, 1)]
    vector = part_vector(tokens)
    assert vector.dtype == np.float32
    assert vector == pytest.approx(np.concatenate([tokens.embedding(), *pooled]), abs=1e-6)


def correlated(n=60, width=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, width)) @ rng.normal(size=(width, width)) + 5.0


def whitened_by_hand(x, kept):
    """Leading principal components of standardised features, each of unit variance, largest entry above 0."""
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    variance, axes = np.linalg.eigh(z.T @ z / (len(z) - 1))
    order = np.argsort(-variance)[:kept]
    axes = axes[:, order] * np.sign(axes[np.abs(axes[:, order]).argmax(axis=0), order])
    return z @ axes / np.sqrt(variance[order])


@pytest.mark.parametrize("dims", [1, 3, 6, 20])
def test_whitening_is_principal_components_of_unit_variance(dims):
    x = correlated()
    white = Whitener(dims).fit(x).transform(x)
    assert white.shape == (60, min(dims, 6))
    assert white.dtype == np.float32
    assert white == pytest.approx(whitened_by_hand(x, min(dims, 6)), abs=1e-4)
    assert np.cov(white.T.astype(np.float64)) == pytest.approx(np.eye(min(dims, 6)).squeeze(), abs=1e-4)


def test_no_more_directions_are_kept_than_rows_less_one_and_none_of_a_thousandth_of_the_largest_variance():
    assert Whitener().fit(correlated(4, 9)).transform(correlated(4, 9)).shape == (4, 3)
    two = correlated(2, 9)
    assert Whitener().fit(two).components_.shape == (1, 9)
    assert np.var(Whitener().fit(two).transform(two), ddof=1) == pytest.approx(1.0)
    rng = np.random.default_rng(2)
    base = rng.normal(size=(400, 1))
    for noise, kept in ((0.1, 2), (0.01, 1)):  # the second direction has about noise^2 / 4 of the variance of the first
        pair = base + noise * rng.normal(size=(400, 2))
        assert len(Whitener().fit(pair).components_) == kept
    assert len(Whitener(floor=1e-6).fit(pair).components_) == 2
    assert (Whitener().dims, Whitener().floor, Whitener().limit) == (12, 1e-3, 6.0)
    assert len(Whitener().fit(rng.normal(size=(400, 15))).components_) == 12


def test_a_constant_feature_says_nothing_and_far_values_are_held_at_the_limit():
    x = np.column_stack([np.random.default_rng(3).normal(size=50), np.full(50, 7.0)])
    white = Whitener(limit=2.5).fit(x)
    assert white.scale_[1] == 0.0
    assert white.transform([[x[0, 0], 1e6]]) == pytest.approx(white.transform(x[:1]))
    far = white.transform([[1e9, 7.0], [-1e9, 7.0], [math.nan, 7.0]])
    assert sorted(far[:2].ravel().tolist()) == [-2.5, 2.5]
    assert np.isnan(far[2]).all()
    assert sorted(np.abs(Whitener().fit(x).transform([[1e9, 7.0]])).ravel().tolist()) == [6.0]


def test_what_cannot_be_whitened_is_refused():
    for wrong in (np.ones(3), np.ones((1, 3)), np.ones((2, 2, 2))):
        with pytest.raises(DataError, match="at least two rows"):
            Whitener().fit(wrong)
    fitted = Whitener().fit(correlated())
    with pytest.raises(DataError, match="width 5 were given; 6"):
        fitted.transform(np.ones((1, 5)))
    again = Whitener().set_state(fitted.state())
    assert again.transform(correlated(seed=1)).tolist() == fitted.transform(correlated(seed=1)).tolist()
    below, flat = fitted.state() | {"scale": -fitted.scale_}, fitted.components_.copy()
    flat[1] = 0.0
    for arrays, why in ((below, "below 0"), (fitted.state() | {"components": flat}, "direction of zeros")):
        with pytest.raises(ModelError, match=why):
            Whitener().set_state(arrays)


def test_rotation_keeps_the_directions_asked_for():
    fitted, x = Whitener().fit(correlated()), correlated()[:20]
    white = fitted.transform(x)
    directions = np.linalg.qr(np.random.default_rng(5).normal(size=(6, 2)))[0]
    assert fitted.rotate(directions).transform(x) == pytest.approx(white @ directions, abs=1e-4)


def standardised_by_hand(white, own, score, *, neighbours, prior, spread, skip=None):
    """(score - mean) / spread of the nearest, the variance pulled to spread^2 by `prior` further scores."""
    others = [i for i in range(len(white)) if i != skip]
    near = sorted(others, key=lambda i: (float(((white[i] - white[skip]) ** 2).sum()), i))[:neighbours]
    scores = own[near]
    pulled = (len(near) * scores.var() + prior * spread**2) / (len(near) + prior)
    return (score - scores.mean()) / math.sqrt(pulled), scores.var()


@pytest.mark.parametrize(("logarithmic", "n"), [(True, 30), (False, 30), (True, 5)])
def test_each_reference_part_is_compared_with_the_ten_others_most_like_it(logarithmic, n):
    rng = np.random.default_rng(6)
    x = rng.normal(size=(n, 4))
    scores = np.exp(rng.normal(size=n)) - (0 if logarithmic else 1.0)
    like = Likeness().fit(x, x, scores)
    own = np.log(scores) if logarithmic else scores
    white = like.whitener_.transform(x).astype(np.float64)
    how = {"neighbours": 10, "prior": 15}
    spread = math.sqrt(np.mean([standardised_by_hand(white, own, 0.0, spread=1.0, skip=i, **how)[1] for i in range(n)]))
    assert like.spread_ == pytest.approx(spread)
    by_hand = [standardised_by_hand(white, own, own[i], spread=spread, skip=i, **how)[0] for i in range(n)]
    assert like.reference() == pytest.approx(by_hand)
    # a new part in the place of an old one is compared with that one too
    nearest = np.argsort(((white - white[0]) ** 2).sum(axis=1), kind="stable")[:10]
    near, count = own[nearest], len(nearest)
    pulled = math.sqrt((count * near.var() + 15 * spread**2) / (count + 15))
    assert like.standardise(x[0], 3.0) == pytest.approx(((math.log(3) if logarithmic else 3) - near.mean()) / pulled)


def test_a_score_of_zero_stands_one_below_the_smallest_in_the_log_and_as_it_is_elsewhere():
    x = np.random.default_rng(7).normal(size=(20, 3))
    like = Likeness().fit(x, x, np.linspace(1, 5, 20))
    for nothing in (0.0, -1.0):
        assert like.standardise(x[0], nothing) == pytest.approx(like.standardise(x[0], math.exp(-1.0)))
    one_zero = Likeness().fit(x, x, np.linspace(0, 5, 20))
    assert not one_zero.logarithmic_
    assert one_zero.standardise(x[0], 4.0) - one_zero.standardise(x[0], 3.0) == pytest.approx(
        one_zero.standardise(x[0], 1.0) - one_zero.standardise(x[0], 0.0)
    )


def test_sizes_are_kept_and_a_comparison_that_no_fit_can_have_written_is_refused():
    x = np.random.default_rng(8).normal(size=(12, 3))
    like = Likeness(neighbours=4, prior=2, dims=2).fit(x, x, np.linspace(1, 2, 12))
    state = like.state()
    assert state["sizes"].tolist() == [4, 2, 2, 1]
    assert set(state) == {"vectors", "scores", "spread", "sizes", *(f"whitener.{k}" for k in like.whitener_.state())}
    again = Likeness.from_state(state)
    assert (again.neighbours, again.prior, again.dims, again.logarithmic_) == (4, 2, 2, True)
    assert again.reference().tolist() == like.reference().tolist()
    assert (Likeness().neighbours, Likeness().prior, Likeness().dims) == (10, 15, 12)

    def with_sizes(*sizes):
        return state | {"sizes": np.array(sizes, state["sizes"].dtype)}

    Likeness.from_state(with_sizes(1, 1, 1, 0))
    two = state | {"vectors": like.vectors_[:2], "scores": like.scores_[:2]}
    assert len(Likeness.from_state(two).reference()) == 2
    refused = [
        (with_sizes(0, 2, 2, 1), "sizes"), (with_sizes(4, 0, 2, 1), "sizes"), (with_sizes(4, 2, 0, 1), "sizes"),
        (with_sizes(4, 2, 2, 2), "sizes"), (with_sizes(4, 2, 2, -1), "sizes"),
        (state | {"spread": np.zeros(1)}, "spread"), (state | {"spread": -np.ones(1)}, "spread"),
        (state | {"vectors": like.vectors_[:1], "scores": like.scores_[:1]}, "cannot be compared"),
        (state | {"vectors": like.vectors_[:, :1]}, "1 wide, those of the whitener 2"),
        (state | {"vectors": np.hstack([like.vectors_] * 2)}, "4 wide, those of the whitener 2"),
    ]  # fmt: skip
    for arrays, why in refused:
        with pytest.raises(ModelError, match=why):
            Likeness.from_state(arrays)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.5, 50), min_size=8, max_size=8), st.floats(0.1, 100), st.floats(0.1, 100))
def test_a_higher_score_is_never_less_unusual(scores, one, other):
    x = np.arange(8.0)[:, None] * [[1.0, -0.5]]
    like = Likeness().fit(x, x, np.array(scores))
    low, high = sorted((one, other))
    assert like.standardise(x[2], low) <= like.standardise(x[2], high)
