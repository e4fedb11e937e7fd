"""Each closed form against a direct computation, and the shared machinery against brute force."""

import numpy as np
import pytest
import torch

from mmdmad.detectors.base import make_detector
from mmdmad.detectors.density.diffusion_time import mode_of_time
from mmdmad.detectors.density.gaussian_diffusion import level_weights
from mmdmad.detectors.kit.chunks import groups, in_chunks
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.mixture import Mixture
from mmdmad.detectors.kit.neighbours import Memory, PositionMemory
from mmdmad.errors import RunError
from mmdmad.tokens import Layout, Tokens

RNG = np.random.default_rng


def data(count=300, width=4, seed=0):
    mixing = RNG(5).normal(size=(width, width))
    return (RNG(seed).normal(size=(count, width)) @ mixing + 2.0).astype(np.float32)


def grids(count, cells, width, seed=0):
    rng, means = RNG(seed), 4.0 * RNG(3).normal(size=(cells, width))
    layout = Layout("grid", (1, cells), size=(8, 8 * cells), position=np.arange(cells))
    return [Tokens(means + rng.normal(size=(cells, width)), layout) for _ in range(count)]


@pytest.mark.parametrize("rule", ["energy", "score-norm"])
def test_gaussian_diffusion_is_the_sum_over_levels_of_the_exact_score(rule):
    X, Y = data(), data(20, seed=1)
    fitted = make_detector("gaussian-diffusion", rule=rule, floor=0.01, levels=4).fit(X)
    standard = (X.astype(float) - X.mean(0, dtype=float)) / X.std(0, dtype=float)
    test = (Y.astype(float) - X.mean(0, dtype=float)) / X.std(0, dtype=float)
    covariance = np.cov(standard.T, bias=True)
    expected = np.zeros(len(Y))
    for sigma in np.geomspace(0.1, 1.0, 4):
        score = -np.linalg.solve(covariance + sigma**2 * np.eye(4), test.T).T
        expected += -(test * score).sum(1) if rule == "energy" else sigma**2 * (score**2).sum(1)
    np.testing.assert_allclose(fitted.decision_function(Y), expected / 4 / 4, rtol=1e-4)


def test_all_levels_of_score_norms_make_the_mahalanobis_distance():
    variance, sigmas = np.array([0.25, 4.0]), np.geomspace(1e-4, 1e4, 4000)
    weights = level_weights(variance, sigmas, "score-norm") * np.log(1e8)
    np.testing.assert_allclose(weights, 0.5 / variance, rtol=1e-3)  # the integral over log sigma is half of it


def test_gaussian_diffusion_models_each_position_apart():
    items = grids(60, cells=3, width=4)
    swapped = Tokens(items[0].values[[1, 0, 2]], items[0].layout)
    apart = make_detector("gaussian-diffusion").fit(items)
    together = make_detector("gaussian-diffusion", per_position=False).fit(items)
    assert apart.decision_function([swapped])[0] > 5 * apart.decision_scores_.max()
    assert together.decision_function([swapped])[0] <= 1.5 * together.decision_scores_.max()


def test_shrinkage_and_floor_are_chosen_from_normal_items_alone():
    many = make_detector("gaussian-diffusion").fit(data(2000)).floor_
    few = make_detector("gaussian-diffusion").fit(RNG(0).normal(size=(30, 20)).astype(np.float32)).floor_
    assert many.noise < few.noise
    fixed = make_detector("gaussian-diffusion", floor=0.2, shrinkage=0.5).fit(data()).floor_
    assert (fixed.noise, fixed.shrinkage) == (0.2, 0.5)


def test_diffusion_time_is_the_mean_squared_distance_over_width():
    X, Y = data(), data(25, seed=1)
    mean, scale = X.mean(0, dtype=float), X.std(0, dtype=float)
    squares = (((Y - mean) / scale)[:, None] - ((X - mean) / scale)[None]) ** 2
    expected = np.sort(squares.sum(2), axis=1)[:, :5].mean(1) / 4
    fitted = make_detector("dte-np").fit(X)
    np.testing.assert_allclose(fitted.decision_function(Y), expected, rtol=1e-4)


def test_diffusion_time_of_a_training_item_leaves_itself_out():
    X = data(80)
    fitted = make_detector("dte-np").fit(X)
    assert fitted.decision_scores_.min() > 0
    others = make_detector("dte-np").fit(np.delete(X, 7, axis=0)).decision_function(X[7:8])[0]
    assert fitted.decision_scores_[7] == pytest.approx(others, rel=0.1)


def test_modal_time_is_where_the_inverse_gamma_peaks():
    noise = 1 - np.cumprod(1 - np.linspace(1e-4, 1e-2, 300))
    found = mode_of_time(noise[[20, 100, 250]] * 10, width=10)  # mean square = D s^2 peaks at s^2
    assert found.tolist() == [20, 100, 250]
    fitted = make_detector("dte-np", mode_t=True).fit(data())
    assert set(fitted.decision_function(data(20, seed=2))) <= set(range(300))


def test_knn_is_scikit_learns_distance():
    from sklearn.neighbors import NearestNeighbors

    X, Y = data(), data(25, seed=1)
    mean, scale = X.mean(0, dtype=float), X.std(0, dtype=float)
    expected = NearestNeighbors(n_neighbors=5).fit((X - mean) / scale).kneighbors((Y - mean) / scale)[0]
    np.testing.assert_allclose(make_detector("knn").fit(X).decision_function(Y), expected[:, -1], rtol=1e-4)
    mean_of = make_detector("knn", method="mean").fit(X).decision_function(Y)
    np.testing.assert_allclose(mean_of, expected.mean(1), rtol=1e-4)


@pytest.mark.parametrize("size", [(50, 3), (3000, 20), (5000, 3)])  # everything, products, tree
def test_memory_finds_the_true_neighbours(size):
    bank, queries = RNG(0).normal(size=size).astype(np.float32), RNG(1).normal(size=(40, size[1])).astype(np.float32)
    memory = Memory(bank, np.zeros(len(bank), np.float32), np.arange(len(bank)))
    squares, rows = memory.nearest(queries, np.zeros(40, np.float32), 4)
    full = ((queries[:, None].astype(float) - bank[None]) ** 2).sum(2)
    np.testing.assert_array_equal(rows, np.argsort(full, axis=1)[:, :4])
    np.testing.assert_allclose(squares, np.sort(full, axis=1)[:, :4])


def test_memory_leaves_owners_out_and_falls_back_for_unknown_positions():
    axes, zeros = RNG(0).normal(size=(20, 3)).astype(np.float32), np.zeros(20, np.float32)
    owner, row = np.repeat(np.arange(5), 4), np.tile([0, 1], 10)
    memory = PositionMemory(axes, zeros, row, owner, known=2)
    own = memory.nearest(axes, zeros, row, 2, owner)
    assert own.min() > 0
    unknown = memory.nearest(axes[:1], zeros[:1], np.array([2]), 1)
    assert float(unknown[0, 0]) == 0.0


def test_feature_space_keeps_what_lies_outside_its_axes():
    items = [Tokens(row[None]) for row in data(200, width=12)]
    space, full = FeatureSpace.fit(items, components=5), FeatureSpace.fit(items, components=12)
    values, place = data(10, width=12, seed=1), np.zeros(10, np.int64)
    axes, residual = space.transform(values, place)
    whole, nothing = full.transform(values, place)
    assert axes.shape == (10, 5)
    assert not nothing.any()
    np.testing.assert_allclose((axes**2).sum(1) + residual, (whole**2).sum(1), rtol=1e-4)
    np.testing.assert_allclose(space.variance.sum() + 7 * space.rest, 12.0, rtol=1e-3)


def test_feature_space_standardises_positions_apart():
    items = grids(400, cells=2, width=3)
    space = FeatureSpace.fit(items, components=8)
    axes, _ = space.transform_all(items)
    row = np.tile([0, 1], 400)
    for p in (0, 1):
        np.testing.assert_allclose(axes[row == p].mean(0), 0, atol=1e-3)
        np.testing.assert_allclose(axes[row == p].std(0), 1, atol=0.05)
    assert space.index(np.array([0, 1, 7])).tolist() == [0, 1, 2]


def test_chunks_have_one_size_and_groups_are_bounded():
    seen = []
    rows = RNG(0).normal(size=(10, 2))
    out = in_chunks(lambda chunk: (seen.append(len(chunk)), chunk.sum(1))[1], rows, 4)
    assert seen == [4, 4, 4]
    np.testing.assert_allclose(out, rows.sum(1))
    items = grids(7, cells=3, width=2)
    assert [len(group) for group in groups(items, rows=7)] == [2, 2, 2, 1]


def test_mixture_is_a_density():
    vectors = RNG(0).normal(size=(3000, 2)) * [1, 3]
    mixture = Mixture.fit(vectors, tried=(1,), seed=0)
    expected = 0.5 * 2 * np.log(2 * np.pi)
    assert mixture.surprise(np.zeros((1, 2)))[0] == pytest.approx(expected, abs=0.05)


def test_reconstruction_error_is_small_on_the_manifold_and_large_off_it():
    rng, direction = RNG(0), np.array([1.0, 1.0, 1.0, 1.0]) / 2
    X = (rng.normal(size=(400, 1)) * 2 * direction + 0.02 * rng.normal(size=(400, 4))).astype(np.float32)
    on, off = X[:20] * 0.9, X[:20] + np.array([1.0, -1.0, 1.0, -1.0], np.float32)
    for name in ("ddae", "partial-noise"):
        fitted = make_detector(name, steps=400, hidden=(64, 64)).fit(X)
        assert fitted.decision_function(off).min() > fitted.decision_function(on).max(), name


def test_network_detectors_go_on_from_their_checkpoint(tmp_path):
    X = data(60)
    whole = make_detector("ddae", steps=60, hidden=(16,)).fit(X)
    first = make_detector("ddae", steps=60, hidden=(16,)).fit(X, work=tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".safetensors"]
    again = make_detector("ddae", steps=60, hidden=(16,)).fit(X, work=tmp_path)
    for other in (first, again):
        assert np.array_equal(other.decision_function(X), whole.decision_function(X))
    with pytest.raises(RunError, match="other data or settings"):
        make_detector("ddae", steps=60, hidden=(16,)).fit(X + 1, work=tmp_path)


def test_double_softmax_is_another_loss():
    fitted = make_detector("dte-c", steps=20, hidden=(16,)).fit(data(60))
    tokens, place = torch.zeros(4, 4), torch.zeros(4, dtype=torch.long)
    losses = [
        make_detector("dte-c", compat=compat)._loss(fitted.net_, tokens, place, torch.Generator().manual_seed(0))
        for compat in (False, True)
    ]
    assert not torch.allclose(*losses)


def test_inverse_gamma_finds_the_noise_variance():
    tokens = torch.zeros(1, 10)
    made = make_detector("dte-ig")

    def loss(root):
        class Fixed(torch.nn.Module):
            def forward(self, noisy, time, position):
                return torch.full((len(noisy), 1), root)

        one = made._loss(Fixed(), tokens, torch.zeros(1, dtype=torch.long), torch.Generator().manual_seed(4))
        return float(one[0])

    generator = torch.Generator().manual_seed(4)
    level = torch.randint(0, 400, (1,), generator=generator)
    variance = float(1 - torch.cumprod(1 - torch.linspace(1e-4, 1e-2, 400), 0)[level])
    best = (4 * variance) ** 0.5  # b = a s^2 maximises the likelihood, a = D / 2 - 1 = 4
    assert loss(best) < min(loss(0.9 * best), loss(1.1 * best))
