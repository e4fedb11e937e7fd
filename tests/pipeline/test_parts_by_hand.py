"""Models of one modality and their tables: views, ranges of maps, what is refused, what is written and read back."""

import logging
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mmdmad.cases import Case, Part
from mmdmad.errors import ConfigError, DataError, ModelError, PartError
from mmdmad.parts import Text
from mmdmad.parts.levels import Levels
from mmdmad.pipeline import part_model as module
from mmdmad.pipeline.config import PartSettings
from mmdmad.pipeline.part_about import PartAbout
from mmdmad.pipeline.part_model import LARGEST, TOLD, PartModel, finite, map_scale, part_of, unfit
from mmdmad.pipeline.whole import WholePart
from mmdmad.saved import write_arrays
from mmdmad.tokens import Layout, Tokens


def test_the_range_of_maps():
    assert map_scale([np.arange(1001.0)]) == (500.0, 999.0)
    assert map_scale([np.arange(501.0), np.arange(501.0, 1001.0)]) == (500.0, 999.0)
    assert map_scale([]) == (0.0, 1e-6)
    assert map_scale([np.array([np.inf, np.nan])]) == (0.0, 1.0)
    assert map_scale([np.array([np.inf, 3.0, -np.inf])]) == (3.0, 3.003)
    assert map_scale([np.full(5, -4.0)]) == (-4.0, -3.996)
    assert map_scale([np.full(5, 1e-5)]) == pytest.approx((1e-5, 1.1e-5))


def test_numbers_that_a_detector_can_take():
    assert LARGEST == 1e15

    def tokens(value: float, summary: float = 0.0):
        return SimpleNamespace(values=np.array([[1.0, value]]), embedding=lambda: np.array([summary]))

    for value in (1e15, -1e15, 0.0):
        assert unfit(tokens(value)) == ""
    for value in (1.1e15, -1.1e15):
        assert unfit(tokens(value)) == "its features reach 1.1e+15; allowed are numbers up to 1e+15"
    for summary in (np.nan, np.inf):
        assert unfit(tokens(1.0, summary)) == "its summary holds numbers that are NaN or infinite"
    assert unfit(SimpleNamespace(values=np.zeros((0, 3)), embedding=lambda: np.zeros(3))) == ""
    assert [finite(x) for x in (2.5, np.inf, -np.inf, np.nan)] == [2.5, 1e300, -1e300, 1e300]
    assert all(type(finite(x)) is float for x in (2, np.float64(1), np.inf))


def test_a_part_carries_its_case(tmp_path):
    part = Part("text", value="x", row=3)
    case = Case("a", {"text": part, "image": Part("image", case_id="b", row=9)}, row=7)
    assert (part_of(case, "text").case_id, part_of(case, "text").row) == ("a", 7)
    assert (part_of(case, "image").case_id, part_of(case, "image").row) == ("b", 9)
    assert part_of(case, "video") is None


def test_the_pieces_that_settings_name():
    model = PartModel.unfitted("sensor", PartSettings(encoder="windows", detector="gaussian-diffusion"), seed=7)
    assert (model.scale, model.levels, model.letters, model.wholes, model.likenesses) == (
        (0.0, 1.0),
        None,
        None,
        {},
        [],
    )
    assert model.detector.get_params()["seed"] == 7
    assert model.detector.get_params()["false_alarm_rate"] is None
    own = {"seed": 3, "false_alarm_rate": 0.1}
    settings = PartSettings(
        encoder="windows", encoder_params={"length": 9}, detector="gaussian-diffusion", detector_params=own
    )
    model = PartModel.unfitted("sensor", settings, seed=7)
    assert model.detector.get_params()["seed"] == 3
    assert model.detector.get_params()["false_alarm_rate"] == 0.1
    assert model.encoder.params()["length"] == 9
    assert settings.detector_params == own
    for wrong in ({"detector_params": {"nope": 1}}, {"encoder_params": {"nope": 1}}):
        with pytest.raises(ConfigError, match="sensor"):
            PartModel.unfitted("sensor", PartSettings(encoder="windows", **wrong), 0)


class Detector:
    """Scores tokens by their first number; the score of a part is the largest."""

    def token_scores(self, items):
        if items[0].values[0, 0] < 0:
            raise DataError("below zero")
        return [item.values[:, 0] for item in items]

    def _pool(self, scores):
        return scores.max()


def model(**pieces) -> PartModel:
    made = PartModel("text", SimpleNamespace(), Detector())
    for name, piece in pieces.items():
        setattr(made, name, piece)
    return made


TOKENS = Tokens(np.array([[2.0, 1.0], [5.0, 3.0]]), Layout("grid", (2, 1), size=(2, 1)))
TEXT = Part("text", value="some words", case_id="a", row=4)


def test_what_is_measured_of_a_part():
    found = model().measure(TOKENS, TEXT)
    assert (found.score, found.views, found.token_scores.tolist()) == (5.0, (5.0,), [2.0, 5.0])
    assert found.token_scores.dtype == np.float64
    assert found.layout is TOKENS.layout
    assert found.embedding.tolist() == TOKENS.embedding().tolist()
    assert found.vector.tolist() == [*TOKENS.embedding(), 1.5, 1.0]
    read = []
    letters = SimpleNamespace(scores=lambda texts: read.append(texts) or np.array([0.25]))
    assert model(letters=letters).measure(TOKENS, TEXT).views == (5.0, 0.251)
    assert read == [["some words"]]
    wholes = {
        "whole": SimpleNamespace(of=lambda tokens: float(tokens.values.sum())),
        "look": SimpleNamespace(of=lambda _: np.inf),
    }
    assert model(wholes=wholes).measure(TOKENS, TEXT).views == (5.0, 11.0, 1e300)
    with pytest.raises(PartError, match="below zero") as why:
        model().measure(Tokens(-TOKENS.values, TOKENS.layout), TEXT)
    assert (why.value.part, why.value.case_id, why.value.row) == ("text", "a", 4)


def test_views_are_compared_each_with_its_own_likeness():
    vector = np.array([0.5])
    times = lambda factor: SimpleNamespace(standardise=lambda vector, view: factor * view + vector[0])  # noqa: E731
    assert model(likenesses=[times(1), times(10)]).compared((1.0, 7.0), vector) == (1.5 + 70.5) / 2
    assert model(likenesses=[times(np.inf)]).compared((1.0,), vector) == 1e300
    with pytest.raises(ValueError, match="zip"):
        model(likenesses=[times(1)]).compared((1.0, 2.0), vector)


def test_a_comparison_is_learned_for_every_view(monkeypatch):
    seen = []

    class Likeness:
        def __init__(self, **how):
            self.how = how

        def fit(self, space, vectors, view):
            seen.append((self.how, space, vectors, view.tolist()))
            self.view = view
            return self

        def reference(self):
            return 2 * self.view

    monkeypatch.setattr(module, "Likeness", Likeness)
    made, space, vectors = model(), np.zeros((4, 2)), np.ones((3, 2))
    scores = [(1.0, 10.0), (2.0, 20.0), (3.0, 30.0)]
    assert made.fit_comparison(space, vectors, scores, "similar").tolist() == [11.0, 22.0, 33.0]
    assert [(how, view) for how, _, _, view in seen] == [({}, [1.0, 2.0, 3.0]), ({}, [10.0, 20.0, 30.0])]
    assert seen[0][1] is space
    assert seen[0][2] is vectors
    assert len(made.likenesses) == 2
    made.fit_comparison(space, vectors, scores, "all")
    assert seen[2][0] == {"neighbours": 3}
    with pytest.raises(ValueError, match="3 parts have scores and 2 vectors"):
        made.fit_comparison(space, vectors[:2], scores, "similar")


def test_views_are_told_beside_those_of_normal_parts():
    measured = SimpleNamespace(views=(5.0, 0.301, 9.0))
    assert model(likenesses=[None]).beside(SimpleNamespace(views=(5.0,))) == {}
    high = lambda share: {0.99: 0.199}[share]  # noqa: E731
    likenesses = [None, SimpleNamespace(high=high), SimpleNamespace(high=lambda share: 7.0)]
    found = model(letters=object(), wholes={"look": object()}, likenesses=likenesses).beside(measured)
    assert found == {"letters": (pytest.approx(0.3), pytest.approx(0.198)), "look": (9.0, 7.0)}
    with pytest.raises(ValueError, match="zip"):
        model(letters=object(), likenesses=likenesses).beside(measured)


def test_levels_are_those_of_the_fit(monkeypatch, caplog):
    levels = Levels(0.0, 255.0, ("8-bit",))
    part = Part("image", value=1)
    assert model().given(part) is part
    assert model(levels=levels).given(part).levels == levels
    made = PartModel("image", SimpleNamespace(), Detector())

    def depths(part):
        if part.value == 0:
            raise PartError("torn", part="image")
        return [("kind", float(part.value), 9.0)]

    monkeypatch.setattr(module, "modality_of", lambda modality: SimpleNamespace(depths=depths))
    seen = []

    def common(given):
        seen.append(list(given))
        return levels if len(given) < 3 else Levels(1.0, 900.0, ("10-bit", "12-bit"))

    monkeypatch.setattr(module, "common_levels", common)
    with caplog.at_level(logging.WARNING):
        made.fit_levels([Part("image", value=v) for v in (1, 0, 2)])
        assert (made.levels, caplog.text) == (levels, "")
        made.fit_levels([Part("image", value=v) for v in (1, 2, 3)])
    assert seen[0] == [("kind", 1.0, 9.0), ("kind", 2.0, 9.0)]
    assert "image: pixels are 10-bit and 12-bit numbers; 1 is shown black and 900 white" in caplog.text
    monkeypatch.setattr(module, "common_levels", lambda given: None)
    made.fit_levels([])
    assert made.levels is None


def test_what_reading_decided_is_told_once(caplog):
    assert TOLD == 20
    parts = {
        i: Part("sensor", Path(f"/d/t{i}.csv") if i < 5 else None, case_id="named" if i == 5 else None)
        for i in range(9)
    }
    said = {
        0: ["comma"], 1: ["comma", "clock"], 3: ["clock"], 5: ["named"], 6: ["bare"], 7: [],
    }  # fmt: skip
    module._tell("sensor", {i: SimpleNamespace(notes=notes) for i, notes in said.items()} | {8: object()}, parts)
    assert [r.getMessage() for r in caplog.records] == [
        "sensor, t0.csv and 1 more: comma", "sensor, t1.csv and 1 more: clock", "sensor, named: named",
        "sensor, part 7: bare",
    ]  # fmt: skip
    for count, more in ((20, None), (21, 1), (23, 3)):
        caplog.clear()
        module._tell("sensor", {0: SimpleNamespace(notes=[f"note {i}" for i in range(count)])}, parts)
        told = [r.getMessage() for r in caplog.records]
        assert told[:20] == [f"sensor, t0.csv: note {i}" for i in range(20)]
        assert told[20:] == (
            [] if more is None else [f"sensor: {more} more decisions while reading; findings tell those of their case"]
        )


ABOUT = {"modality": "text", "encoder": "e", "params": {}, "state": {}, "describe": "d", "scale": (0.0, 1.0)}


def test_what_part_json_may_hold():
    assert PartAbout(**ABOUT).levels is None
    for scale in ((1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0)):
        with pytest.raises(ValueError, match="does not rise"):
            PartAbout(**{**ABOUT, "scale": scale})
    for black, white in ((5.0, 5.0), (6.0, 5.0)):
        with pytest.raises(ValueError, match="is not below white"):
            PartAbout(**ABOUT, levels={"black": black, "white": white, "kinds": ["8-bit"]})
    assert PartAbout(**ABOUT, levels={"black": 0.0, "white": 5.0, "kinds": ["8-bit"]}).levels.white == 5.0
    with pytest.raises(ValueError, match="not permitted"):
        PartAbout(**ABOUT, more=1)


def test_a_part_as_a_whole_has_the_energy_of_its_standardised_vector(tmp_path):
    normal = np.random.default_rng(0).normal([5.0, -1.0, 3.0], [2.0, 0.5, 0.0], size=(50, 3)).astype(np.float32)
    whole = WholePart().fit(normal)
    assert whole.mean_ == pytest.approx(normal.mean(axis=0, dtype=np.float64))
    assert whole.scale_ == pytest.approx([1 / normal[:, 0].std(), 1 / normal[:, 1].std(), 0.0], rel=1e-5)
    assert whole.mean_.dtype == whole.scale_.dtype == np.float64
    vector = np.array([6.0, -2.0, 9.0])
    z = ((vector - whole.mean_) * whole.scale_).astype(np.float32)
    assert whole._standard(vector[None])[0].tolist() == z.tolist()
    assert z[2] == 0.0
    assert whole.score(vector) == float(whole.detector_.decision_function(z[None])[0])
    assert whole.detector_.about.name == "gaussian-diffusion"
    assert whole.detector_.get_params()["false_alarm_rate"] is None
    whole.save(tmp_path)
    again = WholePart.load(tmp_path)
    assert again.score(vector) == whole.score(vector)
    for wrong in (-whole.scale_, whole.scale_[:2]):
        write_arrays(tmp_path / "whole.safetensors", {"mean": whole.mean_, "scale": wrong})
        with pytest.raises(ModelError):
            WholePart.load(tmp_path)
    write_arrays(tmp_path / "whole.safetensors", {"mean": whole.mean_, "scale": 0 * whole.scale_})
    assert WholePart.load(tmp_path).scale_.tolist() == [0.0, 0.0, 0.0]


def test_the_encoder_learns_from_what_can_be_read(caplog):
    from mmdmad.encoders.base import Encoder

    class Learns(Encoder):
        fitted: list = []  # noqa: RUF012

        def fit(self, signals):
            self.fitted.append([s.text for s in signals])
            return self

        def odd(self, signals):
            return {i: "it is odd" for i, s in enumerate(signals) if "odd" in s.text}

        def encode(self, signal):
            raise NotImplementedError

    parts = {i: Part("text", value=words) for i, words in ((3, "one"), (5, ""), (6, "odd"), (8, "two"), (9, "three"))}
    made = PartModel("text", Learns(), Detector())
    refused = made.fit_encoder(parts, 3)
    assert (set(refused), refused[6]) == ({5, 6}, "it is odd")
    assert Learns.fitted[0] == ["one", "two", "three"]
    count = len(Learns.fitted)
    assert set(made.fit_encoder(parts, 4)) == {5, 6}  # too few are left
    assert len(Learns.fitted) == count
    assert made.letters is None
    made.fit_encoder(parts, 3, letters=True)
    assert made.letters._known.shape[0] == 3
    plain = PartModel("text", type("Plain", (Encoder,), {"encode": Learns.encode})(), Detector())
    assert plain.fit_encoder(parts, 3) == {5: "the text is blank"}  # how long texts are is learned all the same
    assert set(plain.fit_encoder(parts, 3, letters=True)) == {5}
    assert plain.letters._known.shape[0] == 4


def test_tokens_of_a_signal_at_hand_are_not_read_again(monkeypatch, tmp_path):
    seen = []

    def encode(encoder, part, cache=None):
        seen.append((part.value, part.path, part.start, part.stop, cache))
        return TOKENS

    monkeypatch.setattr(module, "encode", encode)
    part = Part("text", tmp_path / "a.txt", start=1, stop=2, case_id="a", row=3)
    assert model().tokens(part, None, Text("x")) is TOKENS
    model().tokens(part, tmp_path, Text("x"))
    model().tokens(part, None)
    assert seen[0][0].text == "x"
    assert [one[1:] for one in seen] == [
        (None, None, None, None), (tmp_path / "a.txt", 1, 2, tmp_path), (tmp_path / "a.txt", 1, 2, None),
    ]  # fmt: skip
    assert [one[0] for one in seen[1:]] == [None, None]
    monkeypatch.setattr(module, "unfit", lambda tokens: "it is unfit")
    with pytest.raises(PartError, match="it is unfit") as why:
        model().tokens(part, None)
    assert (why.value.part, why.value.case_id, why.value.row) == ("text", "a", 3)
