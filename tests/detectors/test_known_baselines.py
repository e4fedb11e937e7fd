"""Each baseline against the library it wraps or the formula of its paper."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mmdmad.detectors.base import load_detector, make_detector
from mmdmad.detectors.baselines.patchcore import PROJECTED, k_centre
from mmdmad.detectors.kit.trimming import fit_trimmed, trusted
from mmdmad.errors import ConfigError
from mmdmad.tokens import Layout, Tokens

RNG = np.random.default_rng


def data(count=300, width=4, seed=0):
    mixing = RNG(5).normal(size=(width, width))
    return (RNG(seed).normal(size=(count, width)) @ mixing + 2.0).astype(np.float32)


def standard(X, like):
    return ((X.astype(float) - like.mean(0, dtype=float)) / like.std(0, dtype=float)).astype(np.float32)


def pictures(count, rows, columns, width=3, seed=0):
    layout = Layout("grid", (rows, columns), size=(8, 8), position=np.arange(rows * columns))
    values = RNG(seed).normal(size=(count, rows * columns, width)).astype(np.float32)
    return [Tokens(value, layout) for value in values]


@pytest.mark.parametrize("width", [4, 20])  # a tree, and products
def test_local_outlier_factor_is_scikit_learns(width):
    from sklearn.neighbors import LocalOutlierFactor

    X, Y = data(width=width), data(25, width, seed=1)
    expected = LocalOutlierFactor(novelty=True).fit(standard(X, X))
    fitted = make_detector("lof").fit(X)
    np.testing.assert_allclose(fitted.decision_function(Y), -expected.score_samples(standard(Y, X)), rtol=1e-4)
    np.testing.assert_allclose(fitted.decision_scores_, -expected.negative_outlier_factor_, rtol=1e-4)


def test_isolation_forest_is_scikit_learns():
    from sklearn.ensemble import IsolationForest

    X, Y = data(600), data(25, seed=1)
    fitted = make_detector("isolation-forest", trees=30).fit(X)
    expected = IsolationForest(n_estimators=30, random_state=0).fit(fitted.memory_)
    np.testing.assert_array_equal(fitted.decision_function(Y), -expected.score_samples(standard(Y, X)))


def test_a_change_of_a_constant_feature_is_added_to_the_isolation_score():
    X, Y = data(), data(3, seed=1)
    X[:, 2] = Y[:, 2] = 7.0
    fitted = make_detector("isolation-forest", trees=20).fit(X)
    before = fitted.decision_function(Y)
    Y[:, 2] += [0.0, 1.0, -3.0]
    np.testing.assert_allclose(fitted.decision_function(Y) - before, [0.0, 0.5, 0.75], atol=1e-6)


@pytest.mark.parametrize("name", ["lof", "isolation-forest"])
@pytest.mark.parametrize("width", [3, 40])
def test_what_is_fitted_again_on_load_gives_the_same_bits(name, width, tmp_path):
    params = {"max_memory": 150} if name == "lof" else {"trees": 5, "sample": 20}  # a part of the tokens is kept
    fitted = make_detector(name, seed=3, contamination=0.1, **params).fit(data(200, width))
    fitted.save(tmp_path)
    loaded, test = load_detector(tmp_path), data(300, width, seed=2)
    assert len(loaded.memory_) == len(fitted.memory_) < 180
    assert np.array_equal(loaded.decision_function(test), fitted.decision_function(test))


def test_the_coreset_takes_the_farthest_row_each_time():
    rows = RNG(0).normal(size=(200, 3))
    chosen = k_centre(rows, 20, first=7)
    distances = cdist(rows, rows)
    for n in range(1, 20):
        assert chosen[n] == distances[:, chosen[:n]].min(axis=1).argmax()
    assert len(k_centre(np.zeros((5, 2)), 3, first=1)) == 1  # copies add nothing


def test_patchcore_scores_by_equation_7():
    X, Y = data(60), data(10, seed=1)
    bank, test = standard(X, X).astype(float), standard(Y, X).astype(float)
    fitted = make_detector("patchcore", coreset=1.0, false_alarm_rate=None).fit(X)
    for token, score in zip(test, fitted.decision_function(Y)):
        to_token = np.linalg.norm(bank - token, axis=1)
        nearest = to_token.argmin()
        company = np.argsort(np.linalg.norm(bank - bank[nearest], axis=1))[:9]
        weight = 1 - np.exp(to_token[nearest]) / np.exp(to_token[company]).sum()
        assert score == pytest.approx(weight * to_token[nearest], rel=1e-4)


def test_patchcore_weighs_a_picture_by_its_highest_patch():
    train, test = pictures(20, 3, 3), pictures(1, 3, 3, seed=1)
    fitted = make_detector("patchcore", neighbourhood=1, coreset=1.0).fit(train)
    one = make_detector("patchcore", neighbourhood=1, coreset=1.0, neighbours=1).fit(train)  # no company, no weight
    ratio = fitted.token_scores(test)[0] / one.token_scores(test)[0]
    assert np.ptp(ratio) < 1e-12
    assert 1 - 1 / 9 <= ratio[0] < 1
    assert fitted.decision_function(test)[0] == fitted.token_scores(test)[0].max()


def test_patchcore_averages_over_the_cells_there_are():
    item, made = pictures(1, 3, 4)[0], make_detector("patchcore")
    made.grid_ = (3, 4)
    grid, found = item.values.reshape(3, 4, -1), made._average(item).reshape(3, 4, -1)
    np.testing.assert_allclose(found[1, 1], grid[:3, :3].mean((0, 1)), rtol=1e-5)
    np.testing.assert_allclose(found[0, 0], grid[:2, :2].mean((0, 1)), rtol=1e-5)
    np.testing.assert_allclose(found[2, 1], grid[1:, :3].mean((0, 1)), rtol=1e-5)
    spans = Tokens(item.values, Layout("spans", (12,)))
    assert made._average(spans) is spans.values


def test_an_array_is_averaged_like_the_pictures_it_was_stacked_from():
    fitted, test = make_detector("patchcore").fit(pictures(30, 4, 4)), pictures(5, 4, 4, seed=1)
    stacked = np.stack([item.values for item in test])
    assert np.array_equal(fitted.decision_function(stacked), fitted.decision_function(test))


def test_a_coreset_is_small_and_covers_wide_tokens():
    X = data(400, PROJECTED + 10)
    fitted = make_detector("patchcore", coreset=0.25, false_alarm_rate=None).fit(X)
    bank = fitted._state()[0]["memory"]
    assert len(bank) == 100
    reach = cdist(standard(X, X), bank).min(axis=1).max()
    chance = cdist(standard(X, X), standard(X, X)[RNG(0).permutation(400)[:100]]).min(axis=1).max()
    assert reach < chance  # the farthest row is nearer to the coreset than to a random sample of its size


def test_padim_is_the_mahalanobis_distance_of_the_position_on_the_drawn_channels():
    train, test = pictures(80, 2, 2, width=6), pictures(4, 2, 2, width=6, seed=1)
    fitted = make_detector("padim", channels=3, shrinkage=0.0, noise=0.02).fit(train)
    assert len(fitted.drawn_) == 3
    for p in range(4):
        here = np.stack([fitted.space_.transform(t.values[:, fitted.drawn_], np.arange(4))[0][p] for t in train])
        inverse = np.linalg.inv(np.cov(here.T.astype(float)) + 0.02 * np.eye(3))
        for item, scores in zip(test, fitted.token_scores(test)):
            gap = fitted.space_.transform(item.values[:, fitted.drawn_], np.arange(4))[0][p] - here.mean(0)
            assert scores[p] == pytest.approx(np.sqrt(gap @ inverse @ gap), rel=1e-4)
    other = test[0].values.copy()
    other[:, np.setdiff1d(np.arange(6), fitted.drawn_)] += 50
    assert fitted.decision_function([Tokens(other, test[0].layout)])[0] == fitted.decision_function(test[:1])[0]


def test_padim_shrinks_where_pictures_are_fewer_than_channels():
    train, test = pictures(12, 2, 2, width=30), pictures(60, 2, 2, width=30, seed=1)
    free, shrunk = (make_detector("padim", shrinkage=s).fit(train) for s in (0.0, "auto"))
    ratio = [np.mean(f.decision_function(test)) / np.mean(f.decision_scores_) for f in (free, shrunk)]
    assert ratio[1] < 0.5 * ratio[0]  # unseen normal pictures no longer look far away


def test_sub_pca_scores_the_residual_space():
    from sklearn.decomposition import PCA

    rng = RNG(0)
    shapes = np.stack([np.sin(np.arange(1, 11) * f) for f in (0.5, 1.1)])
    X = (rng.normal(size=(300, 2)) * [3, 2] @ shapes + 0.1 * rng.normal(size=(300, 10))).astype(np.float32)
    Y = (rng.normal(size=(20, 2)) * [3, 2] @ shapes + 0.3 * rng.normal(size=(20, 10))).astype(np.float32)
    test = standard(Y, X).astype(float)
    model = PCA(2).fit(standard(X, X))
    plain = make_detector("sub-pca", rule="reconstruction").fit(X)
    error = ((test - model.inverse_transform(model.transform(test))) ** 2).sum(1) / 8
    np.testing.assert_allclose(plain.decision_function(Y), error, rtol=1e-3)
    whole = PCA().fit(standard(X, X))
    spread = np.maximum(whole.explained_variance_[2:], 1e-3)  # the floor of a direction's variance
    expected = (whole.transform(test)[:, 2:] ** 2 / spread).mean(1)
    fitted = make_detector("sub-pca").fit(X)
    np.testing.assert_allclose(fitted.decision_function(Y), expected, rtol=1e-3)
    along = (np.array([[9.0, -6.0]]) @ shapes).astype(np.float32)  # three deviations out, along the main components
    assert fitted.decision_function(along)[0] < np.median(expected)


def test_sub_pca_has_components_for_each_channel():
    layout = Layout("steps", (6, 2), channels=("a", "b") * 6, position=np.tile([0, 1], 6))
    shapes, rng = np.stack([np.sin(np.arange(8)), np.cos(np.arange(8))]), RNG(0)

    def table(order):
        size = rng.normal(size=(6, 2, 1))
        return Tokens((size * shapes[order] + 0.02 * rng.normal(size=(6, 2, 8))).reshape(12, 8), layout)

    train, swapped = [table([0, 1]) for _ in range(20)], table([1, 0])
    fitted = make_detector("sub-pca").fit(train)
    assert fitted.decision_function([swapped])[0] > 20 * fitted.decision_scores_.max()
    still = [Tokens(np.where(np.arange(12)[:, None] % 2, t.values, 1.0), layout) for t in train]  # "a" never moves
    moved = Tokens(still[0].values + 0.5, layout)
    assert make_detector("sub-pca").fit(still).token_scores([moved])[0][0] > 10


def test_positions_seen_once_are_scored_as_all_together():
    layout = Layout("grid", (1, 2), size=(4, 8), position=np.array([0, 1]))
    items = [Tokens(row.reshape(2, 4), layout) for row in data(10, 8)]
    items.append(Tokens(items[0].values[:1], Layout("grid", (1, 1), size=(4, 4), position=np.array([7]))))
    for name in ("padim", "sub-pca"):
        fitted = make_detector(name, per_position=True).fit(items)
        assert np.array_equal(fitted.factor_[2], fitted.factor_[3]), name
        assert not np.array_equal(fitted.factor_[0], fitted.factor_[3]), name


def test_trimming_drops_what_scores_highest_and_looks_again():
    assert trusted(np.array([3.0, 1.0, 2.0, 9.0]), 0.5).tolist() == [1, 2]
    items, centre = [Tokens(np.full((1, 1), v)) for v in (0.0, 0.2, 0.1, 8.0, 9.0)], []

    def fit(kept):
        centre.append(np.mean([item.values[0, 0] for item in kept]))

    def score(some):
        return np.array([abs(item.values[0, 0] - centre[-1]) for item in some])

    assert fit_trimmed(items, 0.4, fit, score).tolist() == [0, 1, 2]
    assert [round(float(c), 2) for c in centre] == [3.46, 0.1, 0.1]
    assert fit_trimmed(items, 0.0, fit, score).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("lof", {"neighbours": 0}),
        ("lof", {"max_memory": 1}),
        ("isolation-forest", {"sample": 1}),
        ("patchcore", {"neighbourhood": 2}),
        ("patchcore", {"coreset": 0.0}),
        ("patchcore", {"neighbours": 0}),
        ("padim", {"noise": 0.0}),
        ("padim", {"shrinkage": 1.5}),
        ("sub-pca", {"share": 1.0}),
        ("sub-pca", {"rule": "other"}),
    ],
)
def test_settings_that_mean_nothing_are_refused(name, wrong):
    with pytest.raises(ConfigError, match="allowed are"):
        make_detector(name, **wrong).fit(data(20))
