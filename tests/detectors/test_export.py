"""An exported graph scores like the detector it was written from, whatever the positions and the number of tokens."""

import inspect

import numpy as np
import pytest

from mmdmad.detectors.base import Detector, detectors, load_detector, make_detector
from mmdmad.detectors.kit.grids import GridDetector
from mmdmad.detectors.kit.sequence import SequenceDetector
from mmdmad.errors import ExportError, MissingExtraError, NotFittedError
from mmdmad.tokens import Layout, Tokens

# trainings and graphs short enough for a test
SMALL = {"steps": 40, "batch": 32, "hidden": (24, 24), "score_levels": 3, "draws": 1, "places": 2, "repeats": 1}
SMALL |= {"levels": 4, "walk": 2, "scales": 3, "calls": 2}
SMALL |= {"widths": (8, 8), "corrections": 2, "opacities": 3, "head_width": 8, "starts": (100,)}
SMALL |= {"autoencoder_widths": (8,), "inner": 16, "depth": 1, "voting": 2, "generations": 2, "reach": 1.0}
GRIDS = [name for name, cls in detectors().items() if issubclass(cls, GridDetector) and not cls.obstacle()]
SEQUENCES = [name for name, cls in detectors().items() if issubclass(cls, SequenceDetector) and not cls.obstacle()]
EXPORTABLE = [name for name, cls in detectors().items() if not cls.obstacle()]
ONE_PASS = ["dte-c", "dte-ig", "ddae", "tccm", "score-norm", "mulde"]
LAYOUT = Layout("grid", (2, 2), size=(8, 8), position=np.array([0, 3, 5, 9]))


def pictures(count: int, seed: int) -> list[Tokens]:
    rng, means = np.random.default_rng(seed), 3.0 * np.random.default_rng(8).normal(size=(4, 6))
    return [Tokens(means + rng.normal(size=(4, 6)), LAYOUT) for _ in range(count)]


def small(name: str, **params: object) -> Detector:
    accepted = inspect.signature(detectors()[name].__init__).parameters
    return make_detector(name, **{k: v for k, v in (SMALL | params).items() if k in accepted})


def test_which_detectors_can_be_exported():
    assert set(EXPORTABLE) >= {*ONE_PASS, "elbo", "flow-mismatch", "invad", "partial-noise"}
    assert set(GRIDS) == {"anoddpm", "ddad", "deco-diff", "diffusionad", "glad", "latent", "transfusion"}
    assert set(SEQUENCES) == {"d3r", "forecast", "imdiffusion", "mocodad"}
    with pytest.raises(ExportError, match="clip-conditioned cannot be exported: its condition is an embedding"):
        make_detector("clip-conditioned").export("unused.onnx")
    with pytest.raises(ExportError, match=r"dte-np cannot be exported: it has no network; those that can are .*tccm"):
        make_detector("dte-np").fit(np.eye(4)).export("unused.onnx")
    with pytest.raises(ExportError, match="derivatives"):
        make_detector("pf-ode").export("unused.onnx")
    with pytest.raises(NotFittedError, match="fit"):
        make_detector("tccm").export("unused.onnx")


def test_a_score_that_goes_on_after_the_network_is_not_exported_silently():
    class Doubled(detectors()["tccm"]):  # type: ignore[misc]
        def _score(self, items: list[Tokens]) -> list[np.ndarray]:
            return [2 * scores for scores in super()._score(items)]

    assert "does not end" in Doubled.obstacle()


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"mmdmad\[onnx\]"):
        small("tccm").fit(np.eye(4)).export("unused.onnx")


@pytest.mark.parametrize(
    "name",
    [
        n if n in ("tccm", "mulde") else pytest.param(n, marks=pytest.mark.slow)
        for n in EXPORTABLE
        if n not in (*GRIDS, *SEQUENCES)
    ],
)
def test_native_and_exported_scores_agree(name, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    fitted = small(name, components=4).fit(pictures(40, seed=0))
    path = fitted.export(tmp_path / "deep" / "model.onnx")
    session = runtime.InferenceSession(path)
    assert [one.name for one in session.get_inputs()] == ["tokens", "position"]
    unseen = Tokens(np.ones((1, 6)), Layout("grid", (1, 1), size=(4, 4), position=np.array([4])))
    far = Tokens(np.full((4, 6), -30.0), LAYOUT)
    for items in ([unseen], pictures(30, seed=1), [far, *pictures(2, seed=2), unseen]):
        given = {
            "tokens": np.concatenate([item.values for item in items]),
            "position": np.concatenate([item.layout.positions() for item in items]),
        }
        expected = np.concatenate(fitted.token_scores(items))
        (found,) = session.run(None, given)
        # surprises pass through zero, so that an error is judged by their usual size there
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).mean())
    about = session.get_modelmeta().custom_metadata_map
    assert about["mmdmad.detector"] == name
    if name != "invad":
        assert float(about["mmdmad.threshold"]) == fitted.threshold_


@pytest.mark.slow
@pytest.mark.parametrize("name", GRIDS)
def test_planes_score_as_natively(name, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    small(name, components=4).fit(pictures(40, seed=0)).save(tmp_path)
    fitted = load_detector(tmp_path)
    session = runtime.InferenceSession(fitted.export(tmp_path / "model.onnx"))
    assert [one.name for one in session.get_inputs()] == ["tokens", "position"]
    unseen = Layout("grid", (2, 2), size=(8, 8), position=np.array([0, 3, 4, 9]))
    for items in ([Tokens(np.full((4, 6), -30.0), LAYOUT)], [*pictures(5, seed=1), Tokens(np.ones((4, 6)), unseen)]):
        given = {
            "tokens": np.stack([item.values.reshape(2, 2, 6) for item in items]),
            "position": np.stack([item.layout.positions().reshape(2, 2) for item in items]),
        }
        expected = np.stack(fitted.token_scores(items)).reshape(-1, 2, 2)
        (found,) = session.run(None, given)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).mean())


@pytest.mark.slow
@pytest.mark.parametrize("name", SEQUENCES)
def test_windows_score_as_natively(name, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    fitted = small(name, components=4).fit(pictures(40, seed=0))
    session = runtime.InferenceSession(fitted.export(tmp_path / "model.onnx"))
    assert [one.name for one in session.get_inputs()] == ["tokens", "present", "position"]
    assert "windows of" in session.get_modelmeta().custom_metadata_map["mmdmad.inputs"]
    short = Tokens(np.ones((3, 6)), Layout("grid", (1, 3), size=(4, 12), position=np.array([4, 3, 5])))
    for items in ([Tokens(np.full((4, 6), -30.0), LAYOUT)], [*pictures(5, seed=1), short]):
        _, index, _ = fitted._gather(items)
        there = index >= 0
        values = np.concatenate([item.values for item in items])
        position = np.concatenate([item.layout.positions() for item in items])
        given = {
            "tokens": np.where(there[..., None], values[index], np.float32(0)),
            "present": there,
            "position": np.where(there, position[index], 0),
        }
        (found,) = session.run(None, given)
        judged = np.isfinite(found)
        assert sorted(index[judged]) == list(range(len(values)))
        expected = np.concatenate(fitted.token_scores(items))
        np.testing.assert_allclose(found[judged], expected[index[judged]], rtol=1e-3, atol=1e-3 * expected.mean())


def test_observed_points_that_are_chosen_outside_the_network_are_not_exported(tmp_path):
    pytest.importorskip("onnxscript")
    fitted = small("imdiffusion", observed="diffad", steps=2).fit(pictures(10, seed=0))
    with pytest.raises(ExportError, match=r"observed='diffad'.*fit it with observed='grating'"):
        fitted.export(tmp_path / "model.onnx")


@pytest.mark.slow
def test_vectors_need_no_position(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    X = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    fitted = small("dte-c").fit(X)
    session = runtime.InferenceSession(fitted.export(tmp_path / "model.onnx"))
    assert [one.name for one in session.get_inputs()] == ["tokens"]
    (found,) = session.run(None, {"tokens": X})
    np.testing.assert_allclose(found, fitted.decision_function(X), rtol=1e-4)
