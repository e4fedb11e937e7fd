"""The threshold comes from rows the model did not learn from, so new normal rows are flagged as often as declared."""

import numpy as np
import pytest

from mmdmad.bench import run_suite, thresholds
from mmdmad.bench.thresholds import normals
from mmdmad.calibration.crossfit import flagged_band, honest_threshold
from mmdmad.detectors.base import detectors, load_detector, make_detector
from mmdmad.detectors.items import as_rows
from mmdmad.errors import ConfigError, NotFittedError
from tests.detectors.test_contract import tiny

CLOSED = ["dte-np", "gaussian-diffusion", "knn", "pca", "padim", "sub-pca", "lof", "ensemble", "isolation-forest"]
SHORT = {"steps": 60, "hidden": (32,)}


def rows_of(items):
    return {row.tobytes() for row in as_rows(items).values}


@pytest.mark.parametrize("name", ["pca", "gaussian-diffusion", "tccm", "patchcore", "glad", "forecast"])
def test_no_row_is_scored_by_a_model_that_learned_from_it(name, monkeypatch):
    made, learned, whole = tiny(name), [], normals(40, 0)[0]
    if "steps" in made.get_params():
        made.set_params(steps=2)
    fit, score = type(made)._fit, type(made)._score
    known = {}

    def spy_fit(self, items):
        known[id(self)] = rows_of(items)
        learned.append(len(known[id(self)]))
        return fit(self, items)

    seen = []

    def spy_score(self, items):
        if self is not made or made._unseen_by == "split":
            seen.append(rows_of(items) & known[id(self)])
        return score(self, items)

    monkeypatch.setattr(type(made), "_fit", spy_fit)
    monkeypatch.setattr(type(made), "_score", spy_score)
    made.fit(whole)
    if made._unseen_by == "split":
        assert learned == [21]  # of forty; nineteen are what 5 % needs
        assert len(made.unseen_scores_) == 19
        assert np.array_equal(np.sort(made.decision_scores_[made._held]), made.unseen_scores_)
        assert any(not shared for shared in seen)
    else:
        assert learned == [40] + [36] * 10
        assert not any(seen)
        assert len(made.unseen_scores_) == 40
    assert made.threshold_ == honest_threshold(made.unseen_scores_, 0.05)


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_flag_as_often_as_declared(name):
    shares = []
    for seed in range(4):
        train, fresh = normals(400, seed)
        made = make_detector(name).fit(train)
        shares.append(made.predict(fresh).mean())
        low, high = flagged_band(len(made.unseen_scores_), len(fresh), 0.05, level=0.9999)
        assert low <= shares[-1] <= high
    assert 0.03 <= np.mean(shares) <= 0.075


@pytest.mark.parametrize(
    ("name", "learns_by_heart"), [("tccm", True), ("ddae", True), ("dte-c", False), ("elbo", False)]
)
def test_networks_flag_as_often_as_declared(name, learns_by_heart):
    short = {**SHORT, "hidden": (256,), "steps": 600, "learning_rate": 3e-3} if learns_by_heart else SHORT
    shares, in_sample = [], []
    for seed in range(3):
        train, fresh = normals(120, seed)
        made = make_detector(name, **short).fit(train)
        scores = made.decision_function(fresh)
        shares.append((scores > made.threshold_).mean())
        known = np.delete(made.decision_scores_, made._held)
        in_sample.append((scores > honest_threshold(known, 0.05)).mean())
        low, high = flagged_band(len(made.unseen_scores_), len(fresh), 0.05, level=0.9999)
        assert low <= shares[-1] <= high
    assert np.mean(shares) <= 0.12
    assert not learns_by_heart or np.mean(in_sample) > 2 * np.mean(shares)


def test_the_rate_moves_the_threshold_and_none_saves_it(tmp_path):
    train, fresh = normals(300, 1)
    loose, strict = (make_detector("knn", false_alarm_rate=rate).fit(train) for rate in (0.3, 0.01))
    assert loose.threshold_ < strict.threshold_
    assert loose.predict(fresh).mean() == pytest.approx(0.3, abs=0.1)
    bare = make_detector("tccm", false_alarm_rate=None, **SHORT).fit(train)
    assert len(bare.unseen_scores_) == 0
    assert not bare.labels_.any()
    bare.save(tmp_path)
    for one in (bare, load_detector(tmp_path)):
        assert not hasattr(one, "threshold_")
        for ask in (one.predict, one.predict_proba):
            with pytest.raises(NotFittedError, match="false_alarm_rate"):
                ask(fresh)
    with pytest.raises(ConfigError, match="0 < false_alarm_rate < 1"):
        make_detector("knn", false_alarm_rate=1.0).fit(train)


def test_a_rate_of_none_learns_from_all_rows():
    train = normals(60, 2)[0]
    seen = []
    for rate in (None, 0.05):
        made = make_detector("tccm", false_alarm_rate=rate, **SHORT)
        made._before_training = lambda tokens, row: seen.append(len(tokens))
        made.fit(train)
    assert seen == [60, 41]


def test_declared_contamination_does_not_lift_the_threshold():
    train, fresh = normals(300, 3)
    dirty = np.concatenate([train, 6.0 * normals(100, 4)[0][:33]])
    for name in ("knn", "gaussian-diffusion", "tccm"):
        short = SHORT if name == "tccm" else {}
        blind = make_detector(name, **short).fit(dirty)
        told = make_detector(name, contamination=0.1, **short).fit(dirty)
        assert told.threshold_ < blind.threshold_
        assert blind.predict(fresh).mean() < 0.02
        assert 0.01 < told.predict(fresh).mean() < 0.12
        assert told.labels_.sum() == 33


def test_models_saved_without_unseen_scores_still_load(tmp_path):
    from safetensors.numpy import load_file, save_file

    train, fresh = normals(100, 5)
    made = make_detector("knn").fit(train)
    made.save(tmp_path)
    arrays = load_file(tmp_path / "model.safetensors")
    del arrays["unseen_scores_"]
    save_file(arrays, tmp_path / "model.safetensors")
    old = load_detector(tmp_path)
    assert np.array_equal(old.predict(fresh), made.predict(fresh))
    with pytest.raises(NotFittedError, match="fit"):
        old.predict_proba(fresh)


def test_every_detector_says_how_its_unseen_scores_come_about():
    ways = {name: cls._unseen_by for name, cls in detectors().items()}
    assert set(ways.values()) == {"folds", "few", "own", "split"}
    assert all(ways[name] == "split" for name, cls in detectors().items() if cls.about.cost == "minutes")


def test_the_suite_counts_what_is_flagged(monkeypatch):
    monkeypatch.setattr(thresholds, "COUNTED", 100)
    monkeypatch.setattr(thresholds, "PRINTED", 60)
    result = run_suite("thresholds", detectors=["pca", "knn"], seeds=2)
    assert [(r["dataset"], r["counted"]) for r in result["rows"]] == 2 * (
        [("100 rows", True)] * 2 + [("60 rows", False)] * 2
    )
    for row in result["rows"]:
        assert 0 < row["metrics"]["flagged"] < 0.25
        assert row["metrics"]["in_sample"] > 0
    found = {(s["detector"], s["metric"]): s["mean"] for s in result["summary"]}
    assert found["pca", "in_sample"] > 1.3 * found["pca", "flagged"]


@pytest.mark.parametrize("name", ["knn", "dte-np", "lof"])
@pytest.mark.parametrize("draw", ["normal", "t2"])
def test_few_rows_do_not_flag_more_than_declared(name, draw):
    """What the scale knows of a row counts too: left out of the memory alone, of 50 rows it lets .24 to .28 pass."""
    shares = []
    for seed in range(20):
        rng = np.random.default_rng(1000 + seed)
        rows = rng.normal(size=(550, 20)) if draw == "normal" else rng.standard_t(2, size=(550, 10))
        made = make_detector(name, seed=seed, false_alarm_rate=0.2).fit(rows[:50])
        assert len(made.unseen_scores_) == 50
        shares.append(made.predict(rows[50:]).mean())
    assert np.mean(shares) <= 0.2 + 2 * np.std(shares, ddof=1) / 20**0.5


def test_many_rows_leave_their_own_memory_out():
    made = make_detector("knn").fit(normals(2100, 0)[0])
    assert np.array_equal(made.unseen_scores_, np.sort(made.decision_scores_))


@pytest.mark.parametrize("name", ["knn", "dte-np", "lof", "gaussian-diffusion", "ensemble", "pca", "padim"])
def test_a_wild_row_that_was_declared_does_not_set_the_scale(name):
    rows = np.random.default_rng(0).normal(size=(120, 4))
    clean = make_detector(name).fit(rows[1:])
    rows[0] = 1e12
    made = make_detector(name, contamination=0.02).fit(rows)
    assert made.labels_[0] == 1
    assert made.threshold_ == pytest.approx(clean.threshold_, rel=0.5)
    assert made.predict([[8.0, 8, 8, 8], [0.0, 0, 0, 0]]).tolist() == [1, 0]
