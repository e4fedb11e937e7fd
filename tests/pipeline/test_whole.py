import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mmdmad.joint.shared import shared_directions
from mmdmad.pipeline.config import PartSettings
from mmdmad.pipeline.whole import LOOKS, WholePart, fit_wholes
from mmdmad.tokens import Layout, Tokens


def test_a_part_odd_in_every_feature_a_little_stands_out(tmp_path):
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(20, 20))
    normal = (rng.normal(size=(300, 20)) @ mix).astype(np.float32)
    normal[:, 0] = 4.0  # never moves
    test = rng.normal(size=(100, 20)) @ mix
    test[:50] += 3 * mix.sum(axis=0) / np.sqrt(20)
    test[:, 0] = 4.0
    whole = WholePart().fit(normal)
    scores = [whole.score(v.astype(np.float32)) for v in test]
    assert roc_auc_score(np.arange(100) < 50, scores) > 0.8
    whole.save(tmp_path)
    assert WholePart.load(tmp_path).score(test[0].astype(np.float32)) == scores[0]


def test_shared_directions_are_found_and_private_ones_left_out():
    rng = np.random.default_rng(1)
    cause = rng.normal(size=(250, 2))
    a = np.concatenate([cause + 0.2 * rng.normal(size=(250, 2)), rng.normal(size=(250, 10))], axis=1)
    b = np.concatenate([np.abs(cause) + 0.2 * rng.normal(size=(250, 2)), rng.normal(size=(250, 10))], axis=1)
    b = (b - b.mean(axis=0)) / b.std(axis=0)
    b[::7] = np.nan
    found = shared_directions(b, [a], most=8)
    assert found.shape[1] <= 5
    assert np.allclose(found.T @ found, np.eye(found.shape[1]))
    # The two shared axes lie in what was kept.
    assert (found[:2] ** 2).sum() > 1.8


def test_two_directions_stay_where_nothing_is_shared():
    rng = np.random.default_rng(2)
    assert 2 <= shared_directions(rng.normal(size=(120, 8)), [rng.normal(size=(120, 8))], most=8).shape[1] <= 4


def test_each_look_is_of_its_own_vector_and_found_again(tmp_path):
    rng = np.random.default_rng(0)
    items = [
        Tokens(rng.normal(size=(5, 4)), Layout("steps", (5,)), summary=rng.normal(size=3).astype(np.float32))
        for _ in range(40)
    ]
    found = fit_wholes(("whole", "look", "summary"), items)
    assert list(found) == ["whole", "look", "summary"]
    usual = items[0].values
    assert found["look"].of(Tokens(usual + 9, items[0].layout, items[0].summary)) > 5 * found["look"].of(items[0])
    elsewhere = np.full(3, 9.0, np.float32)
    assert found["summary"].of(Tokens(usual, items[0].layout, elsewhere)) > 5 * found["summary"].of(items[1])
    assert found["look"].of(Tokens(usual, items[0].layout, elsewhere)) == found["look"].of(items[0])
    wide = Tokens(9 * (usual - usual.mean(axis=0)) + usual.mean(axis=0), items[0].layout, items[0].summary)
    assert found["look"].of(wide) == pytest.approx(found["look"].of(items[0]), rel=1e-4)
    assert found["whole"].of(wide) > 5 * found["whole"].of(items[0])
    for name, one in found.items():
        one.save(tmp_path / name)
        assert WholePart.load(tmp_path / name, name).of(wide) == one.of(wide)


def test_what_two_looks_would_see_alike_is_looked_at_once():
    rng = np.random.default_rng(0)
    items = [Tokens(rng.normal(size=(5, 4)), Layout("steps", (5,))) for _ in range(20)]
    assert list(fit_wholes(("look", "summary"), items)) == ["look"]
    assert list(fit_wholes(("summary",), items)) == ["summary"]


def test_settings_ask_for_the_looks_that_there_are_in_their_order():
    assert PartSettings(**dict.fromkeys(LOOKS, True)).looks == tuple(LOOKS)
    assert PartSettings(look=True).looks == ("look",)
