"""The cascade sends on what lies in its band and nothing else, and both detectors speak on one scale."""

import numpy as np
import pytest
from scipy.stats import norm

from mmdmad.detectors.base import load_detector, make_detector
from mmdmad.detectors.hybrid.cascade import Cascade, Scale
from mmdmad.errors import ConfigError
from mmdmad.tokens import Layout, Tokens

RNG = np.random.default_rng


def clusters(count: int, seed: int) -> np.ndarray:
    """Two clusters; between them a Gaussian sees nothing odd."""
    rng = RNG(seed)
    side = rng.choice([-4.0, 4.0], size=(count, 1)) * np.eye(1, 6)
    return (side + rng.normal(size=(count, 6))).astype(np.float32)


def test_nats_are_minus_the_logarithm_of_the_tail():
    scale = Scale.fit(RNG(0).normal(size=20_000))
    found = scale.nats(np.array([-1.0, 0.0, 1.0, 2.0]))
    np.testing.assert_allclose(found, -norm.logsf([-1.0, 0.0, 1.0, 2.0]), rtol=0.1)
    wide = np.concatenate([np.linspace(-50, -5, 40), np.linspace(-3, 3, 200), np.linspace(5, 5e4, 40)])
    assert (np.diff(scale.nats(wide)) > 0).all()
    heavy = Scale.fit(RNG(1).exponential(size=5000))
    assert heavy.nats(np.array([12.0]))[0] == pytest.approx(12.0, rel=0.1)  # far beyond every held-out score
    assert np.isfinite(Scale.fit(np.ones(30)).nats(np.array([0.0, 1.0, 5.0]))).all()


def test_only_the_band_reaches_the_costly_detector(monkeypatch):
    fitted, test = Cascade().fit(clusters(300, 0)), np.concatenate([clusters(60, 1), np.zeros((5, 6), np.float32)])
    cheap, costly = fitted.members_
    seen, original = [], costly.token_scores

    def spy(items):
        seen.extend(items)
        return original(items)

    monkeypatch.setattr(costly, "token_scores", spy)
    found, sent = fitted.decision_function(test), fitted.undecided(test)
    assert len(seen) == sent.sum()
    assert 0 < sent.sum() < len(test)
    low, high = cheap.decision_function(test), make_detector("dte-np")._pool
    assert np.array_equal(sent, (low >= fitted.band_[0]) & (low <= fitted.band_[1]))
    raw = np.array([high(s) for s in original([Tokens(row[None]) for row in test])])
    expected = np.where(sent, fitted.scales_[1][0].nats(raw), fitted.scales_[0][0].nats(low))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_share_sent_on_is_the_band_on_unseen_normal_items():
    fitted = Cascade(band=(0.6, 0.9)).fit(clusters(2000, 0))
    assert fitted.share_ == pytest.approx(0.3, abs=0.05)
    assert fitted.undecided(clusters(2000, 1)).mean() == pytest.approx(0.3, abs=0.05)


def test_with_the_whole_band_the_order_is_the_costly_detectors():
    fitted = Cascade(band=(0.0, 1.0), cheap="pca").fit(clusters(400, 0))
    test = clusters(100, 1) * 0.8
    sent = fitted.undecided(test)
    costly = fitted.members_[1].decision_function(test)[sent]
    assert sent.mean() > 0.9
    assert np.array_equal(np.argsort(fitted.decision_function(test)[sent]), np.argsort(costly))


def test_an_items_tokens_pool_to_its_nats():
    layout = Layout("grid", (2, 2), size=(8, 8), position=np.arange(4))
    train, test = ([Tokens(v, layout) for v in RNG(s).normal(size=(n, 4, 3))] for s, n in ((0, 80), (1, 20)))
    fitted = Cascade(top=0.5).fit(train)
    cheap = fitted.members_[0]
    for item, scores, sent in zip(test, fitted.token_scores(test), fitted.undecided(test)):
        judge, scale = fitted.members_[int(sent)], fitted.scales_[int(sent)][0]
        assert fitted._pool(scores) == pytest.approx(scale.nats(judge.decision_function([item]))[0])
        assert np.array_equal(np.argsort(scores), np.argsort(judge.token_scores([item])[0]))
    assert cheap.top == 0.5


def test_a_costly_network_keeps_its_settings_and_its_checkpoint(tmp_path):
    X = clusters(80, 0)
    made = make_detector("cascade", costly="ddae", costly_params={"steps": 30, "hidden": [16]}, cheap="knn")
    made.fit(X, work=tmp_path / "work")
    assert [path.name for path in (tmp_path / "work" / "costly").iterdir()] == ["ddae.safetensors"]
    assert made.members_[1].history_.steps <= 30
    made.save(tmp_path / "saved")
    loaded = load_detector(tmp_path / "saved")
    assert loaded.share_ == made.share_
    assert np.array_equal(loaded.decision_function(X), made.decision_function(X))


def test_settings_that_mean_nothing_are_refused():
    for wrong in ({"cheap": "cascade"}, {"held_out": 0.0}, {"band": (0.9, 0.2)}, {"band": (0.5, 1.5)}):
        with pytest.raises(ConfigError, match="allowed are"):
            Cascade(**wrong).fit(clusters(30, 0))
    with pytest.raises(ConfigError, match="dte-np"):
        Cascade(costly="nothing").fit(clusters(30, 0))
