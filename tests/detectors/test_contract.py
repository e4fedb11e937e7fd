"""One suite over every registered detector: what a user may rely on whatever the method."""

import functools
import inspect
import json
from pathlib import Path

import mmdmad.configs
import numpy as np
import pytest
import yaml
from sklearn.base import clone

from mmdmad.detectors.base import Detector, detectors, load_detector, make_detector
from mmdmad.detectors.kit.grids import GridDetector
from mmdmad.errors import ConfigError, DataError, NotFittedError
from mmdmad.tokens import Layout, Tokens

NAMES = list(detectors())
TINY = {
    "steps": 100,
    "batch": 32,
    "hidden": (32, 32),
    "learning_rate": 3e-3,
    "dropout": 0.0,
    "evaluations": 6,
    "widths": (8,),
    "inner": 16,
    "depth": 1,
}
TINY |= {"autoencoder_widths": (8,)}
TINY |= {"neighbourhood": 1}  # a mean over 3 x 3 cells would make one of the 2 x 3 that pictures have here
PRESETS = Path(next(iter(mmdmad.configs.__path__))) / "detectors"


def tiny(name: str, **params: object) -> Detector:
    """The detector with a training short enough for a test."""
    accepted = inspect.signature(detectors()[name].__init__).parameters
    given = {k: v for k, v in TINY.items() if k in accepted} | ({"steps": 300} if name == "dte-c" else {})
    given |= {"steps": 60, "batch": 16} if on_grids(name) else {}
    return make_detector(name, **given, **params)


def on_grids(name: str) -> bool:
    return issubclass(detectors()[name], GridDetector)


def vectors(count: int = 90, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(7).normal(size=(3, 5))
    return (rng.normal(size=(count, 3)) @ mixing + 0.3 * rng.normal(size=(count, 5))).astype(np.float32)


def pictures(count: int = 24, seed: int = 0) -> list[Tokens]:
    """Aligned grids of 2 x 3 cells; each cell has its own mean and scale."""
    rng = np.random.default_rng(seed)
    layout = Layout("grid", (2, 3), size=(20, 30), position=np.arange(6))
    means = 3.0 * np.random.default_rng(8).normal(size=(6, 4))
    return [Tokens(means + rng.normal(size=(6, 4)) * np.linspace(0.5, 1, 6)[:, None], layout) for _ in range(count)]


def texts(count: int = 30, seed: int = 0) -> list[Tokens]:
    """Spans of uneven number, all alike."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        length = int(rng.integers(1, 5))
        where = np.stack([np.arange(length), np.arange(length) + 1], axis=1) * 10.0
        made.append(Tokens(rng.normal(size=(length, 4)), Layout("spans", (length,), where=where)))
    return made


@functools.cache
def again(name: str) -> tuple[Detector, dict[str, object]]:
    """A second fit on the same vectors, given as Tokens, and its constructor arguments before it."""
    import torch

    made = tiny(name)
    before = dict(made.get_params())
    state = torch.get_rng_state()
    np.random.seed(3)  # noqa: NPY002
    assert made.fit([Tokens(row[None]) for row in vectors()]) is made
    made.decision_function(vectors(5))
    drawn = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    assert drawn == np.random.random(), "numpy's global generator was touched"  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), state), "torch's global generator was touched"
    return made, before


ODD = np.full((1, 5), 25.0, np.float32) * np.array([1, -1, 1, 1, -1], np.float32)


@functools.cache
def on_vectors(name: str) -> Detector:
    return tiny(name).fit(vectors())


@functools.cache
def on_pictures(name: str) -> Detector:
    return tiny(name).fit(pictures())


@pytest.mark.parametrize("name", NAMES)
class TestContract:
    def test_constructor_stores_its_arguments_unchanged(self, name):
        made, before = again(name)
        assert {"seed", "contamination", "top"} <= set(before)
        assert made.get_params() == before
        copy = clone(made)
        assert copy.get_params() == before
        assert not hasattr(copy, "decision_scores_")

    def test_fitted_attributes(self, name):
        fitted = on_vectors(name)
        assert fitted.n_features_in_ == 5
        assert fitted.decision_scores_.shape == (90,)
        assert np.isfinite(fitted.threshold_)
        assert 1 <= fitted.predict(np.concatenate([vectors(), ODD])).sum() <= 45

    def test_a_planted_anomaly_ranks_first(self, name):
        scores = on_vectors(name).decision_function(np.concatenate([vectors(40, seed=1), ODD]))
        assert scores.argmax() == 40

    def test_a_planted_token_ranks_first_and_is_found(self, name):
        test = pictures(8, seed=1)
        values = test[3].values.copy()
        values[4] += 25.0
        test[3] = Tokens(values, test[3].layout)
        fitted = on_pictures(name)
        assert fitted.decision_function(test).argmax() == 3
        assert fitted.token_scores(test)[3].argmax() == 4

    def test_scores_are_finite_and_not_constant(self, name):
        for fitted, data in ((on_vectors(name), vectors(30, seed=2)), (on_pictures(name), pictures(10, seed=2))):
            scores = fitted.decision_function(data)
            assert scores.dtype == np.float64
            assert np.isfinite(scores).all()
            assert np.unique(scores).size > len(scores) // 2

    def test_huge_values_still_give_finite_high_scores(self, name):
        scores = on_vectors(name).decision_function(np.concatenate([vectors(5), np.full((1, 5), 1e30, np.float32)]))
        assert np.isfinite(scores).all()
        assert scores.argmax() == 5

    def test_nan_and_infinity_are_refused(self, name):
        bad = vectors(10)
        bad[3, 2] = np.nan
        with pytest.raises(DataError, match="NaN"):
            tiny(name).fit(bad)
        bad[3, 2] = np.inf
        with pytest.raises(DataError, match="infinite"):
            on_vectors(name).decision_function(bad)

    def test_bit_reproducible_from_arrays_or_tokens(self, name):
        test = vectors(20, seed=3)
        expected = on_vectors(name).decision_function(test)
        assert np.array_equal(again(name)[0].decision_function([Tokens(row[None]) for row in test]), expected)
        assert np.array_equal(again(name)[0].decision_scores_, on_vectors(name).decision_scores_)
        strip = Layout("grid", (1, 6), position=np.arange(6))  # what an array (N, L, D) stands for
        strips = [Tokens(item.values, strip) for item in pictures(5, seed=8)]
        stacked = on_pictures(name).decision_function(np.stack([item.values for item in strips]))
        assert np.array_equal(stacked, on_pictures(name).decision_function(strips))
        if not on_grids(name):  # to others, neighbours do not matter
            assert np.array_equal(stacked, on_pictures(name).decision_function(pictures(5, seed=8)))

    def test_scores_do_not_depend_on_the_batch(self, name):
        test, score = np.concatenate([vectors(340, seed=4), ODD]), on_vectors(name).decision_function
        whole = score(test)
        for count in (1, 7, 300):
            starts = range(0, len(test), count) if count == 300 else (0, 150, 337)
            for start in starts:
                part = slice(start, start + count)
                assert np.array_equal(score(test[part]), whole[part]), part
        assert np.array_equal(score(test[::-1])[::-1], whole)

    def test_token_scores_do_not_depend_on_the_batch(self, name):
        test = pictures(9, seed=5)
        whole = on_pictures(name).token_scores(test)
        for item, expected in zip(test, whole):
            assert np.array_equal(on_pictures(name).token_scores([item])[0], expected)

    def test_uneven_token_sets(self, name):
        fitted, test = tiny(name).fit(texts()), texts(12, seed=6)
        scores = fitted.token_scores(test)
        assert [len(s) for s in scores] == [len(item.values) for item in test]
        assert np.array_equal(fitted.token_scores(test[5:6])[0], scores[5])

    def test_save_and_load_round_trip_exactly(self, name, tmp_path):
        for kind, fitted, test in (
            ("vectors", on_vectors(name), vectors(12, seed=9)),
            ("pictures", on_pictures(name), pictures(4, seed=9)),
        ):
            folder = tmp_path / kind
            fitted.save(folder)
            loaded = load_detector(folder)
            assert type(loaded) is type(fitted)
            for a, b in zip(loaded.token_scores(test), fitted.token_scores(test)):
                assert np.array_equal(a, b)
            assert np.array_equal(loaded.predict(test), fitted.predict(test))
            assert np.array_equal(loaded.decision_scores_, fitted.decision_scores_)
            loaded.save(tmp_path / "again")
            assert (tmp_path / "again" / "model.safetensors").read_bytes() == (
                folder / "model.safetensors"
            ).read_bytes()

    def test_files_are_safetensors_and_json(self, name, tmp_path):
        on_vectors(name).save(tmp_path)
        files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
        assert all(file.endswith((".safetensors", ".json")) for file in files)
        assert json.loads((tmp_path / "config.json").read_text())["detector"] == name

    def test_training_lowers_the_loss(self, name):
        fitted = on_vectors(name)
        if "steps" not in fitted.get_params():
            pytest.skip("no training")
        longer = tiny(name).set_params(steps=400).fit(vectors())
        assert longer.history_.losses[-1] < longer.history_.losses[0]

    def test_contamination_is_found_and_not_learned(self, name):
        rng = np.random.default_rng(10)
        planted = rng.choice([-1.0, 1.0], size=(9, 5)) * rng.uniform(15, 35, size=(9, 5))
        dirty = np.concatenate([vectors(81), planted]).astype(np.float32)
        fitted = tiny(name, contamination=0.1).fit(dirty)
        flagged = fitted.decision_scores_ > fitted.threshold_
        assert flagged[81:].sum() >= 7
        assert flagged[:81].sum() <= 2
        assert fitted.decision_function(np.concatenate([vectors(20, seed=11), ODD])).argmax() == 20

    def test_bad_parameters_are_refused(self, name):
        for wrong in ({"contamination": 0.5}, {"contamination": -0.1}, {"top": 0.0}, {"top": 1.5}):
            with pytest.raises(ConfigError, match="allowed"):
                tiny(name, **wrong).fit(vectors())
        with pytest.raises(ConfigError, match="no parameter"):
            tiny(name).set_params(nonsense=1)

    def test_wrong_width_and_too_few_and_unfitted(self, name):
        with pytest.raises(DataError, match="fitted on 5"):
            on_vectors(name).decision_function(np.zeros((3, 4)))
        with pytest.raises(DataError, match="at least 2"):
            tiny(name).fit(vectors(1))
        with pytest.raises(NotFittedError, match="fit"):
            tiny(name).decision_function(vectors(3))
        with pytest.raises(NotFittedError, match="fit"):
            tiny(name).save("nowhere")

    def test_two_items_and_constant_features_are_enough(self, name):
        few = tiny(name).fit(vectors(2))
        assert np.isfinite(few.decision_function(vectors(5, seed=12))).all()
        flat = vectors(30)
        flat[:, 2] = 4.0
        fitted = tiny(name).fit(flat)
        odd = flat[:1].copy()
        odd[0, 2] = 30.0
        scores = fitted.decision_function(np.concatenate([flat[:10], odd]))
        assert np.isfinite(scores).all()
        assert scores.argmax() == 10

    def test_unseen_positions_are_scored(self, name):
        layout = Layout("grid", (1, 2), size=(10, 20), position=np.array([2, 99]))
        scores = on_pictures(name).token_scores([Tokens(np.zeros((2, 4)), layout)])[0]
        assert np.isfinite(scores).all()

    def test_registry_preset_and_documentation(self, name):
        cls = detectors()[name]
        assert cls.__doc__
        assert ">>>" in cls.__doc__
        assert cls.about.name == name
        assert any(char.isdigit() for char in cls.about.paper)
        preset = PRESETS / f"{name}.yaml"
        assert preset.read_text().startswith("# ")
        loaded = yaml.safe_load(preset.read_text())
        assert loaded["name"] == name
        made = make_detector(name, **loaded["params"])
        defaults = make_detector(name).get_params()
        for key, value in made.get_params().items():
            default = defaults[key]
            assert value == (list(default) if isinstance(default, tuple) else default) or value == default, key


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="dte-np"):
        make_detector("nonsense")


def test_every_preset_belongs_to_a_detector():
    assert {path.stem for path in PRESETS.glob("*.yaml")} == set(NAMES)
