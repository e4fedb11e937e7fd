"""One odd part never ends a fit, in any encoder or detector: it is refused by name, and the rest is learned."""

import importlib.util
import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Case, Cases, Part
from mmdmad.encoders import base as encoder_registry
from mmdmad.encoders.base import Encoder, encoder
from mmdmad.encoders.sensor import Windows
from mmdmad.encoders.sensor_usual import usual
from mmdmad.encoders.video import Clip
from mmdmad.errors import DataError, PartError, RefusalWarning
from mmdmad.parts import Sensor, Video, read
from mmdmad.parts.limits import refuse
from mmdmad.pipeline import part_model
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.detector import JointDetector
from mmdmad.pipeline.splits import split
from mmdmad.tokens import Layout, Tokens

TIMES = np.arange(80) / 10


@pytest.fixture(scope="module")
def tiny():
    before = encoder_registry.encoders()
    spec = importlib.util.spec_from_file_location("tiny_odd", Path(__file__).parents[1] / "tiny_pipeline.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    @encoder("tiny-odd", "text")
    class TinyOdd(Encoder):
        """Letter shares; some texts ask for tokens that others do not have."""

        def encode(self, signal) -> Tokens:
            letters = np.array([[signal.text.lower().count(chr(97 + i)) for i in range(26)]], float)
            letters /= max(1, letters.sum())
            summary = np.zeros(3)
            if "WIDE" in signal.text:
                letters = np.concatenate([letters, [[1.0]]], axis=1)
            if "NAN" in signal.text:
                letters[0, 3] = np.nan
            if "HUGE" in signal.text:
                letters[0, 3] = 1e30
            if "SUMMARY" in signal.text:
                summary = np.zeros(5)
            if "BLIND" in signal.text:
                summary = np.array([0.0, np.inf, 0.0])
            return Tokens(letters, Layout("vector"), summary=summary)

    yield module
    for name in set(encoder_registry.encoders()) - set(before):
        encoder_registry._REGISTRY.remove(name)


def table(seed: int, **changes) -> Sensor:
    rng = np.random.default_rng(seed)
    wave = np.sin(2 * np.pi * TIMES + rng.uniform(0, 6)) + rng.normal(0, 0.1, 80)
    made = Sensor(np.stack([wave, rng.normal(0, 1, 80)], 1), TIMES, ("vib", "level"), ("g", "m"))
    return replace(made, **changes)


def wild_time(seed: int) -> Sensor:
    times = np.concatenate([[0.0], 1.7e9 + TIMES[1:]])
    return table(seed, times=times)


def slow_gap(seed: int) -> Sensor:
    times = np.concatenate([[0.0], 4000 + TIMES[1:]])  # far fewer rows than are allowed, nearly all of them gap
    return table(seed, times=times)


def wider(seed: int) -> Sensor:
    made = table(seed)
    return replace(
        made, values=np.c_[made.values, made.values[:, :1]], channels=("vib", "level", "temp"), units=("g", "m", "")
    )


def huge(seed: int) -> Sensor:
    made = table(seed)
    made.values[7, 1] = 1e300
    return made


def marked(seed: int) -> Sensor:
    made = table(seed)
    made.values[50, 1] = -9999.0
    return made


ODD_TABLES = {
    "a further channel": (wider, "unknown temp"),
    "a lost channel": (
        lambda seed: table(seed, values=table(seed).values[:, :1], channels=("vib",), units=("g",)),
        "missing level",
    ),
    "another unit": (lambda seed: table(seed, units=("g", "mm")), "level is in mm, the training tables in m"),
    "a time of 1970": (wild_time, r"spans 1\.7e\+09 s"),
    "nearly all gap": (slow_gap, "nearly all of it gaps"),
    "a number beyond all": (huge, r"level is 1e\+300 in row 8, too large"),
    "a mark of a logger": (marked, "'level' is -9999 in row 51, .* leave the cell empty"),
    "three rows": (
        lambda seed: table(seed, values=table(seed).values[:3], times=TIMES[:3]),
        "table has 3 rows",
    ),
}
SENSOR = {"parts": {"sensor": {"encoder": "windows", "detector": "knn"}}, "min_parts": 5}


def placed(odd, cases: list[Case], settings: PipelineConfig, place: str) -> Cases:
    """The cases and an odd one, chosen among odd ones of many seeds so that the split puts it where it is wanted."""
    for seed in range(100, 1100):
        mixed = Cases((*cases, odd(seed)))
        rows = split(mixed.items, settings.shares, settings.seed)
        at = [c.id for c in rows.cases].index(mixed[-1].id)
        if at == 0 if place == "first" else at in getattr(rows, place):
            return mixed
    raise AssertionError(f"no odd case falls into {place}")


def fit_with(odd, modality: str, normal, config: dict, place: str, count: int = 48) -> tuple[JointDetector, Cases]:
    """Fit on normal parts and one that is odd, at this place of the one split."""
    settings = PipelineConfig.load({**config, "calibration": "split"})
    cases = [Case(f"c{i:02d}", {modality: Part(modality, value=normal(i))}) for i in range(count)]
    mixed = placed(lambda seed: Case(f"odd{seed}", {modality: Part(modality, value=odd(seed))}), cases, settings, place)
    return JointDetector(settings).fit(mixed), mixed


def only_odd(model: JointDetector, cases: Cases, modality: str) -> str:
    """The reason for which the odd case, and no other, was refused."""
    (refused,) = model.refused_
    assert (refused.case_id, refused.part) == (cases[-1].id, modality)
    assert model.judge(cases[0]).parts
    return refused.reason


@pytest.mark.parametrize("place", ["first", "reference", "calibration"])
@pytest.mark.parametrize("what", ODD_TABLES)
def test_an_odd_table_is_refused_by_name_and_decides_nothing(what, place):
    make, words = ODD_TABLES[what]
    if place != "first" and what in ("nearly all gap", "a number beyond all"):
        pytest.skip("beside a learned model such a table is a finding")
    model, cases = fit_with(make, "sensor", table, SENSOR, place)
    assert re.search(words, only_odd(model, cases, "sensor"))
    state = model.parts_["sensor"].encoder.fitted_
    assert (state.channels, state.units) == (("vib", "level"), ("g", "m"))
    assert state.interval == pytest.approx(0.1)
    assert float(state.scale.max()) < 3


def test_what_most_tables_have_does_not_depend_on_their_order():
    tables = [
        *(table(i) for i in range(9)),
        wider(20),
        wider(21),
        table(22, units=("g", "mm")),
        table(23, units=("", "")),
    ]
    tables.append(replace(table(24), values=table(24).values[:, ::-1], channels=("level", "vib"), units=("m", "g")))
    expected = None
    for seed in range(6):
        order = random.Random(seed).sample(range(len(tables)), len(tables))
        found = usual([tables[i] for i in order])
        said = (found.channels, found.units, found.interval, {order[i]: r for i, r in found.odd.items()})
        expected = expected or said
        assert said == expected
    assert set(expected[3]) == {9, 10, 11}
    assert expected[:2] == (("vib", "level"), ("g", "m"))


def test_of_equally_many_the_same_ones_are_learned_whatever_the_order():
    ones, others = [table(i) for i in range(4)], [wider(i) for i in range(4, 8)]
    assert usual([*ones, *others]).channels == usual([*others, *ones]).channels
    feet, metres = [table(i, units=("g", "ft")) for i in range(3)], [table(i) for i in range(3)]
    assert usual([*feet, *metres]).units == usual([*metres, *feet]).units == ("g", "ft")


def test_an_encoder_alone_says_which_item_is_odd():
    with pytest.raises(DataError, match="training table 2: the table has other channels: unknown temp"):
        Windows().fit([table(0), table(1), wider(2)])
    assert list(Windows().odd([table(0), table(1), wider(2)])) == [2]
    with pytest.raises(DataError, match="training clip 1: the clip has 1 frame"):
        Clip(height=32, width=32, rows=2, columns=2).fit([video(0), video(1, 1), video(2)])


def clip(seed: int, frames: int = 6, height: int = 24, width: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(90, 140, (frames, height, width), dtype=np.uint8)


def video(seed: int, frames: int = 6) -> Video:
    return Video.from_array(clip(seed, frames), 10)


class Failing:
    """Frames of a clip that breaks off, or changes its size, half-way."""

    def __init__(self, array: np.ndarray, then: object) -> None:
        self.array, self.then = array, then
        self.times, self.fps = np.arange(len(array)) / 10, 10.0
        self.height, self.width = array.shape[1:3]

    def frames(self, start: int, stop: int, every: int):
        for i in range(start, stop, every):
            if i >= len(self.array) // 2:
                if isinstance(self.then, Exception):
                    raise self.then
                yield i, np.repeat(self.then[..., None], 3, axis=2)
            else:
                yield i, np.repeat(self.array[i][..., None], 3, axis=2)


def broken(seed: int, then: np.ndarray | None = None) -> Video:
    wrong = refuse(Part("video"), "frame 3 of 6 cannot be decoded") if then is None else then
    return Video(Part("video"), Failing(clip(seed), wrong), 0, 6)


ODD_CLIPS = {
    "one frame": (lambda seed: video(seed, 1), "the clip has 1 frame; at least 2"),
    "damaged half-way": (broken, "frame 3 of 6 cannot be decoded"),
    "another size half-way": (lambda seed: broken(seed, np.zeros((48, 40), np.uint8)), "frame 3 is of another shape"),
}
VIDEO = {
    "parts": {
        "video": {
            "encoder": "clip",
            "encoder_params": {"height": 32, "width": 32, "rows": 2, "columns": 2},
            "detector": "knn",
        }
    },
    "min_parts": 4,
}


@pytest.mark.parametrize("what", ODD_CLIPS)
def test_an_odd_clip_is_refused_by_name_and_the_fit_goes_on(what):
    make, words = ODD_CLIPS[what]
    place = "first" if what == "one frame" else "fit"
    model, cases = fit_with(make, "video", video, VIDEO, place, count=24)
    assert words in only_odd(model, cases, "video")


def test_clips_of_other_sizes_are_learned():
    cases = [Case(f"c{i}", {"video": Part("video", value=video(i))}) for i in range(24)]
    sizes = [(24, 32), (2, 400), (500, 3), (1, 1)]
    odd = [Case(f"o{i}", {"video": Part("video", value=clip(50 + i, 6, *size))}) for i, size in enumerate(sizes)]
    assert JointDetector.from_config(VIDEO).fit(Cases((*cases, *odd))).refused_ == ()


ODD_TEXTS = {
    "WIDE": "27 features a token, the other parts 26",
    "NAN": "makes no tokens of it: tokens hold 1 values that are NaN",
    "HUGE": r"features reach 1e\+30",
    "SUMMARY": "5 numbers as a whole, the other parts 3",
    "BLIND": "summary holds numbers that are NaN or infinite",
}


WORDS = ("amber", "cobalt", "green", "passed", "went", "done")


def sentence(seed: int) -> str:
    return " ".join(np.random.default_rng(seed).choice(WORDS, 5))


@pytest.mark.parametrize("word", ODD_TEXTS)
@pytest.mark.parametrize("place", ["first", "fit", "reference", "calibration"])
def test_tokens_that_no_detector_can_take_are_refused_by_name(tiny, word, place):
    config = {"parts": {"text": {"encoder": "tiny-odd", "detector": "knn"}}, "min_parts": 5}
    model, cases = fit_with(lambda seed: f"{sentence(seed)} {word}", "text", sentence, config, place)
    assert re.search(ODD_TEXTS[word], only_odd(model, cases, "text"))
    if word != "SUMMARY":  # at scoring nothing but the joint model compares it
        with pytest.raises(PartError, match="no part can be judged"):
            model.judge(Case("new", {"text": Part("text", value=f"amber {word}")}))


@pytest.mark.parametrize(
    "detector", ["gaussian-diffusion", "dte-np", "pca", "padim", "lof", "isolation-forest", "ensemble"]
)
def test_detectors_do_not_meet_the_odd_ones(tiny, detector):
    config = {"parts": {"text": {"encoder": "tiny-odd", "detector": detector}}, "min_parts": 5}
    cases = [Case(f"c{i:02d}", {"text": Part("text", value=sentence(i))}) for i in range(60)]
    odd = [Case(f"o{i}{w}", {"text": Part("text", value=f"{sentence(i)} {w}")}) for i in range(4) for w in ODD_TEXTS]
    model = JointDetector.from_config(config).fit(Cases((*odd, *cases)))
    assert {r.case_id for r in model.refused_} == {c.id for c in odd}


def test_where_the_fit_split_is_unusable_the_kind_is_refused_and_the_others_go_on(tiny, monkeypatch):
    cases = [
        Case(f"c{i:02d}", {"sensor": Part("sensor", value=table(i)), "text": Part("text", value=sentence(i))})
        for i in range(60)
    ]
    config = {
        "parts": {**SENSOR["parts"], "text": {"encoder": "tiny-text", "detector": "knn"}},
        "min_parts": 5,
        "joint": {"steps": 10, "width": 16, "levels": 4, "draws": 2},
        "calibration": "split",
    }
    settings = PipelineConfig.load(config)
    real = split(cases, settings.shares, settings.seed)
    learned = sorted(real.cases[i].id for i in real.fit)
    for many, words in (
        (len(learned), "cannot be read today"),
        (len(learned) - 2, "only 2 usable sensor parts in the fit"),
    ):
        wrong = {id(c.parts["sensor"].value) for c in cases if c.id in learned[:many]}

        def reads(part, wrong=wrong):
            if id(part.value) in wrong:
                raise refuse(part, "cannot be read today")
            return read(part)

        monkeypatch.setattr(part_model, "read", reads)
        with pytest.warns(RefusalWarning, match="all 60 sensor parts were refused"):
            model = JointDetector(settings).fit(Cases(tuple(cases)))
        assert set(model.parts_) == {"text"}
        assert any(words in r.reason for r in model.refused_)
