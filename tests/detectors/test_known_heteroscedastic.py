"""A score is compared with what is usual for items of its look, and the look knows nothing of a local fault."""

import numpy as np
import pytest

from mmdmad.detectors.base import load_detector, make_detector
from mmdmad.detectors.hybrid.heteroscedastic import Heteroscedastic, Level, Look
from mmdmad.errors import ConfigError
from mmdmad.tokens import Layout, Tokens

RNG = np.random.default_rng
GRID = Layout("grid", (4, 6), size=(40, 60), position=np.arange(24))


def pictures(count: int, seed: int, loud: np.ndarray | None = None) -> tuple[list[Tokens], np.ndarray]:
    """Grids whose spread is exp(loud) in twelve features and whose last feature says so; loud is -0.5 or 0.5."""
    rng = RNG(seed)
    loud = rng.choice([-0.5, 0.5], count) if loud is None else loud
    values = rng.normal(size=(count, 24, 13))
    values[:, :, :12] *= np.exp(loud)[:, None, None]
    values[:, :, 12] = loud[:, None] + 0.1 * values[:, :, 12]
    return [Tokens(v, GRID) for v in values.astype(np.float32)], loud


def test_the_level_is_the_log_linear_law_that_made_the_scores():
    rng = RNG(0)
    looks, place = rng.normal(size=(6000, 2)), np.repeat(np.arange(3), 2000)
    truth = np.array([[1.0, 0.5, 0.0], [2.0, 0.0, -1.0], [0.0, 1.0, 1.0]])
    usual = (truth[place] * np.column_stack([np.ones(6000), looks])).sum(axis=1)
    scores = np.exp(usual + 0.3 * rng.normal(size=6000))
    level = Level.fit(scores, place, looks, positions=3)
    np.testing.assert_allclose(level.weights[:3], truth, atol=0.03)
    np.testing.assert_allclose(level.weights[3], truth.mean(axis=0), atol=0.05)  # places never seen: all together
    assert level.spread == pytest.approx(0.3, rel=0.03)
    above = level.above(np.exp(usual + 0.6), place, looks)
    np.testing.assert_allclose(np.quantile(above, [0.01, 0.5, 0.99]), 2.0, atol=0.15)


def test_scores_that_can_be_negative_are_compared_as_they_are():
    looks = RNG(1).normal(size=(500, 1))
    level = Level.fit(-5.0 + 2.0 * looks[:, 0], np.zeros(500, int), looks, positions=0)
    assert level.floor is None
    np.testing.assert_allclose(level.weights, [[-5.0, 2.0]], atol=1e-4)


def test_a_score_below_all_training_scores_is_as_the_lowest_of_them():
    looks = RNG(1).normal(size=(500, 1))
    level = Level.fit(np.exp(looks[:, 0]) + 1.0, np.zeros(500, int), looks, positions=0)
    here = np.zeros(2, int), np.zeros((2, 1))
    assert np.array_equal(level.above(np.zeros(2), *here), level.above(np.full(2, level.floor), *here))


def test_items_that_contamination_distrusts_do_not_set_the_level():
    train, _ = pictures(200, 0)
    dirty = [Tokens(item.values * np.array([8.0] * 12 + [1.0]), GRID) for item in pictures(20, 3)[0]]
    clean, told, untold = (
        Heteroscedastic(contamination=share).fit(items).levels_[0]
        for share, items in ((0.0, train), (0.1, train + dirty), (0.0, train + dirty))
    )
    apart = [np.abs(one.weights - clean.weights).mean() + abs(one.spread - clean.spread) for one in (told, untold)]
    assert apart[0] < 0.5 * apart[1]


def test_the_scores_of_a_normal_item_say_nothing_about_its_look():
    train, (test, loud) = pictures(300, 0)[0], pictures(300, 1)
    plain, given = make_detector("gaussian-diffusion").fit(train), Heteroscedastic().fit(train)
    means = [[np.mean(scores) for scores in one.token_scores(test)] for one in (plain, given)]
    assert np.corrcoef(means[0], loud)[0, 1] > 0.95
    assert abs(np.corrcoef(means[1], loud)[0, 1]) < 0.15


def test_a_fault_in_a_quiet_item_is_found_among_loud_ones():
    train, (test, _) = pictures(300, 0)[0], pictures(200, 1)
    quiet, _ = pictures(20, 2, loud=np.full(20, -0.5))
    for item in quiet:
        item.values[11, :12] = 1.7  # near three of its own spreads, one of a loud item
    plain, given = make_detector("gaussian-diffusion").fit(train), Heteroscedastic().fit(train)
    higher = [np.mean(one.decision_function(quiet)[:, None] > one.decision_function(test)) for one in (plain, given)]
    assert higher[0] < 0.7
    assert higher[1] > 0.95
    assert all(scores.argmax() == 11 for scores in given.token_scores(quiet))


def test_the_look_does_not_see_a_local_fault():
    train, _ = pictures(200, 0)
    look, (clean, _) = Look.fit(train, 8), pictures(10, 1)
    faulty = [Tokens(np.concatenate([item.values[:18], item.values[18:] + 50.0]), GRID) for item in clean]
    moved = np.abs(look.of(faulty) - look.of(clean)).max(axis=0)
    apart = np.abs(look.of(clean)[:, None] - look.of(clean)[None]).max()
    assert moved[0] < 0.35 * apart  # the axis of loudness, though a quarter of the tokens left the scale


def test_a_look_beyond_all_training_looks_is_no_excuse():
    train, _ = pictures(300, 0)
    fitted = Heteroscedastic().fit(train)
    far, _ = pictures(5, 3, loud=np.full(5, 4.0))
    assert (fitted.look_.of(far)[:, 0] <= fitted.look_.high[0]).all()
    assert (fitted.look_.of(far)[:, 0] >= fitted.look_.low[0]).all()
    assert fitted.decision_function(far).min() > fitted.decision_function(train).max()


def test_items_of_one_token_keep_the_order_of_the_base():
    X, Y = RNG(0).normal(size=(200, 6)), RNG(1).normal(size=(60, 6)) * 2
    fitted = Heteroscedastic().fit(X)
    assert fitted.look_.basis.shape[1] == 0
    plain = make_detector("gaussian-diffusion").fit(X).decision_function(Y)
    assert np.array_equal(np.argsort(fitted.decision_function(Y)), np.argsort(plain))


def test_training_scores_are_of_models_that_did_not_see_the_item():
    train, _ = pictures(200, 0)
    fitted = Heteroscedastic(bases=["knn"]).fit(train)
    alarms = fitted.predict(pictures(400, 1)[0]).mean()
    assert 0.02 < alarms < 0.09  # declared: 5 %


def test_bases_are_averaged_each_on_its_own_spread(tmp_path):
    (train, _), (test, _) = pictures(120, 0), pictures(30, 1)
    both = Heteroscedastic(bases=["gaussian-diffusion", "dte-np"], base_params={"dte-np": {"neighbours": 3}}).fit(train)
    alone = [Heteroscedastic(bases=[b], base_params=both.base_params).fit(train).token_scores(test) for b in both.bases]
    for found, one, other in zip(both.token_scores(test), *alone):
        np.testing.assert_allclose(found, (one + other) / 2, rtol=1e-9, atol=1e-9)
    assert both.members_[1].neighbours == 3
    both.save(tmp_path)
    assert np.array_equal(load_detector(tmp_path).decision_function(test), both.decision_function(test))


def test_a_training_item_is_pooled_as_any_other():
    train, _ = pictures(5, 0)  # too few to leave any out
    made = Heteroscedastic(bases=["pca", "isolation-forest"]).fit(train)
    np.testing.assert_allclose(made.decision_scores_, made.decision_function(train), rtol=1e-9)


def test_a_network_keeps_its_checkpoints_apart(tmp_path):
    train, _ = pictures(40, 0)
    made = Heteroscedastic(bases=["ddae"], base_params={"ddae": {"steps": 20, "hidden": [8]}})
    made.fit(train, work=tmp_path)
    found = sorted(path.parent.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.safetensors"))
    assert found == ["ddae", "ddae/fold-0", "ddae/fold-1", "ddae/fold-2"]


def test_settings_that_mean_nothing_are_refused():
    train, _ = pictures(20, 0)
    for wrong in ({"bases": []}, {"bases": "knn"}, {"bases": ["heteroscedastic"]}, {"dims": -1}):
        with pytest.raises(ConfigError, match="allowed are"):
            Heteroscedastic(**wrong).fit(train)
    with pytest.raises(ConfigError, match="dte-np"):
        Heteroscedastic(bases=["nothing"]).fit(train)
