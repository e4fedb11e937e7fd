"""The unit and the zero of a feature are nobody's business: scores do not change with them."""

import numpy as np
import pytest

from mmdmad.calibration.whitening import Whitener, moving
from mmdmad.detectors.base import make_detector
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.graphs import Graph
from mmdmad.encoders.sensor import _center_scale
from mmdmad.errors import ExportError
from mmdmad.pipeline.whole import WholePart
from mmdmad.tokens import Layout, Tokens

CLOSED = [
    *("knn", "dte-np", "gaussian-diffusion", "padim", "pca", "lof", "ensemble", "sub-pca", "isolation-forest"),
    *("patchcore", "empirical-denoiser", "cascade"),
]
RNG = np.random.default_rng(0)
TRAIN, TEST = RNG.normal(size=(120, 4)), RNG.normal(size=(30, 4))
TEST[20:, 0] += 6.0


def made(name):
    return make_detector(name, false_alarm_rate=None)


@pytest.mark.parametrize("name", CLOSED)
def test_scores_do_not_depend_on_units(name):
    expected = made(name).fit(TRAIN).decision_function(TEST)
    for scale in (np.array([1e-9, 1, 1, 1]), np.array([1e-30, 1, 1e30, 1e-6]), 1e-6, 1e-30, 1e30):
        found = made(name).fit(TRAIN * scale).decision_function(TEST * scale)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("name", [*CLOSED, "tccm"])
def test_scores_do_not_depend_on_an_offset(name):
    offset = np.array([1.7e9, 0.0, -1e6, 1e8])  # a time, a counter, an identifier
    model = made(name)
    if name == "tccm":
        model.set_params(steps=20, hidden=(16,))
    expected = model.fit(TRAIN).decision_function(TEST)
    model.fit(TRAIN + offset)
    for data in (TEST + offset, (TEST + offset).tolist(), np.asfortranarray(TEST + offset)):
        found = model.decision_function(data)
        np.testing.assert_allclose(found, expected, rtol=0.01, atol=1e-3 * np.abs(expected).max())


def test_token_sets_keep_their_digits():
    sets = RNG.normal(size=(40, 3, 2))
    far = sets + 1.7e9 * np.array([[1.0], [2.0], [0.0]])[None]
    one, other = (made("gaussian-diffusion").fit(values).decision_function(values[:5]) for values in (sets, far))
    np.testing.assert_allclose(one, other, rtol=1e-3)


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("level", [0.0, 0.1, 1.7e9])
def test_a_table_of_constants_is_learned(name, level):
    model = make_detector(name).fit(np.full((50, 4), level))
    scores = model.decision_function(np.full((3, 4), level) + np.array([[0.0], [0.0], [30.0]]))
    assert np.isfinite(scores).all()
    assert scores[2] > scores[0] == scores[1]
    if name != "isolation-forest":  # its out-of-bag scores are rounded otherwise in the last digit
        assert model.predict(np.full((1, 4), level))[0] == 0


def test_what_moves_less_than_rounding_has_no_scale():
    values = 5.0 + np.linspace(0, 1e-6, 40)[:, None]  # two steps of float32
    assert FeatureSpace.fit([Tokens(row[None]) for row in values], 1).scale[0, 0] == 1.0
    exact = [Tokens.exact(row[None], Layout("vector")) for row in values]
    assert FeatureSpace.fit(exact, 1).scale[0, 0] == pytest.approx(values.std())


def test_moments_keep_their_digits_far_from_zero_and_for_any_unit():
    for factor in (1e-150, 1.0, 1e150):
        values = factor * (1e6 + np.random.default_rng(1).normal(size=(500, 1)))
        space = FeatureSpace.fit([Tokens.exact(row[None], Layout("vector")) for row in values], 1)
        assert space.scale[0, 0] == pytest.approx(values.std(), rel=1e-9)
        assert space.mean[0, 0] == pytest.approx(values.mean(), rel=1e-15)


def test_vectors_of_parts_are_whitened_in_any_unit():
    vectors = np.random.default_rng(2).normal(size=(60, 6))
    expected, whole = Whitener().fit(vectors).transform(vectors), WholePart().fit(vectors)
    for unit in (1e-20, 1e20):
        np.testing.assert_allclose(Whitener().fit(unit * vectors).transform(unit * vectors), expected, atol=1e-4)
        again = WholePart().fit(unit * vectors)
        assert again.score(unit * vectors[0]) == pytest.approx(whole.score(vectors[0]), rel=1e-4)
        assert moving(unit * vectors).all()
    assert not moving(np.full((9, 3), 0.1)).any()


def test_a_channel_of_any_unit_has_its_own_scale():
    channel = np.random.default_rng(3).normal(size=400)
    center, scale = _center_scale(np.stack([channel, 1e-20 * channel, 1.7e9 + channel, 0 * channel + 0.1], axis=1))
    assert scale[:3] == pytest.approx(channel.std() * np.array([1.0, 1e-20, 1.0]), rel=1e-6)
    assert center[3] == 0.1
    assert scale[3] == pytest.approx(1e-7)


def test_a_graph_of_float32_is_refused_where_it_would_lose_a_feature():
    near = make_detector("tccm", steps=2, hidden=(8,), false_alarm_rate=None).fit(TRAIN)
    assert isinstance(near._graph(), Graph)
    far = make_detector("tccm", steps=2, hidden=(8,), false_alarm_rate=None).fit(TRAIN + np.array([0, 1.7e9, 0, 0]))
    with pytest.raises(ExportError, match="feature 1 lies at"):
        far._graph()


@pytest.mark.parametrize("name", ["knn", "dte-np", "gaussian-diffusion", "pca", "padim"])
def test_an_encoders_feature_that_is_rounding_of_the_others_says_nothing(name):
    def tokens(rows, noise):
        return [Tokens(np.column_stack([r, n])[:1], Layout("vector")) for r, n in zip(rows[:, None], noise[:, None])]

    quiet, loud = 1e-9 * RNG.normal(size=len(TRAIN)), 1e-8 * RNG.normal(size=len(TEST))
    expected = made(name).fit(tokens(TRAIN, 0 * quiet)).decision_function(tokens(TEST, 0 * loud))
    found = made(name).fit(tokens(TRAIN, quiet)).decision_function(tokens(TEST, loud))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
