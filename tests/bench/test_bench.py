"""Suites on tiny trees in the real formats, the result's schema, and the helpers between tokens and labels."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from mmdmad.bench import list_suites, run_suite
from mmdmad.bench.base import suites
from mmdmad.bench.judged import JOINT, Judged, pipeline
from mmdmad.bench.line import alarms, by_kind, mask
from mmdmad.bench.ped2 import frame_scores, on_object
from mmdmad.bench.result import Meter, Result, Row, published, summarise
from mmdmad.bench.texts import BASELINE, DETECTORS, NGRAMS, POOLING, WHOLE, LetterDistances, averaged
from mmdmad.bench.tokens import cover, sensor, step_pieces, window_scores
from mmdmad.bench.tsbad import STRETCH, moving_energy, point_scores, row_encoder
from mmdmad.cases import Case, Part
from mmdmad.detectors.base import detectors, make_detector
from mmdmad.detectors.kit.tracks import tracks
from mmdmad.errors import ConfigError, DataError, ManifestError, MissingExtraError
from mmdmad.metrics import auroc
from mmdmad.tokens import Layout, Tokens
from tests.bench.trees import make_trees

NAMES = {"adbench", "mvtec-features", "mtd", "sms-spam", "tsbad-u", "tsbad-m", "skab", "ped2", "joint-composed"}
NAMES |= {"bgl", "uca", "nezha", "line", "line-coverage", "coverage", "recordings", "drift", "drift-streams", "budget"}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_trees(tmp_path_factory.mktemp("data"))


def value(result: dict, detector: str, metric: str) -> float:
    found = [s["mean"] for s in result["summary"] if (s["detector"], s["metric"]) == (detector, metric)]
    assert len(found) == 1, (detector, metric)
    return found[0]


def check(result: dict, default: str) -> None:
    """What design.md promises of every result."""
    Result.model_validate(result)
    for row in result["rows"]:
        assert {"dataset", "detector", "seed", "metrics", "seconds_fit", "seconds_score", "peak_mb", "source"} <= set(
            row
        )
        assert all(math.isfinite(v) for v in row["metrics"].values())
        if row["source"] == "measured":
            assert row["peak_mb"] > 10
    assert any(s["default"] for s in result["summary"])
    for line in result["summary"]:
        assert {"detector", "metric", "mean", "low", "high", "default"} <= set(line)
        assert line["low"] <= line["mean"] <= line["high"]
        assert line["default"] == (line["detector"] == default and line["source"] == "measured")


def test_every_suite_is_listed():
    assert set(list_suites()) >= NAMES
    assert all(list_suites().values())


def test_errors_say_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="adbench"):
        run_suite("nothing", tmp_path)
    with pytest.raises(ManifestError, match="--data"):
        run_suite("mtd")
    with pytest.raises(ManifestError, match="not a folder"):
        run_suite("mtd", tmp_path / "none")
    with pytest.raises(ManifestError, match=r"mtd.* is expected there"):
        run_suite("mtd", tmp_path)
    with pytest.raises(ConfigError, match="seeds=0"):
        run_suite("mtd", tmp_path, seeds=0)


def test_adbench_end_to_end(data, tmp_path):
    out = tmp_path / "deep" / "adbench.json"
    result = run_suite("adbench", data, detectors=["knn"], seeds=2, out=out)
    assert json.loads(out.read_text()) == result
    assert {(r["dataset"], r["seed"]) for r in result["rows"] if r["source"] == "measured"} == {
        (d, s) for d in ("1_small", "2_large") for s in (0, 1)
    }
    assert value(result, "knn", "auroc") > 0.95
    assert value(result, "KNN", "auroc_compat") == pytest.approx(0.9)
    assert not any(s["default"] for s in result["summary"])  # knn was asked for, it is not the suite's default


def test_a_suite_is_reproducible(data):
    first, second = (run_suite("mvtec-features", data, detectors=["ensemble"]) for _ in range(2))
    check(first, "ensemble")
    assert [r["metrics"] for r in first["rows"]] == [r["metrics"] for r in second["rows"]]
    assert first["summary"] == second["summary"]


def test_peers_name_the_extra_or_run(data):
    try:
        import pyod  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match=r"mmdmad\[bench\]"):
            run_suite("mvtec-features", data, detectors=["knn"], peers=True)
    else:
        result = run_suite("mvtec-features", data, detectors=["knn"], peers=True)
        assert value(result, "pyod:KNN", "auroc") > 0.9


def test_tsbad_end_to_end(data, tmp_path):
    result = run_suite("tsbad-u", data, detectors=["gaussian-diffusion"], work=tmp_path)
    check(result, "gaussian-diffusion")
    assert value(result, "gaussian-diffusion", "vus_pr") > value(result, "moving-energy", "vus_pr")
    assert value(result, "gaussian-diffusion", "vus_roc") > 0.9
    assert value(result, "Chronos", "vus_pr") == pytest.approx(0.2)
    check(run_suite("tsbad-m", data, detectors=["gaussian-diffusion"]), "gaussian-diffusion")


def test_skab_end_to_end(data, tmp_path):
    result = run_suite("skab", data, detectors=["gaussian-diffusion"], work=tmp_path)
    check(result, "gaussian-diffusion")
    assert value(result, "gaussian-diffusion", "auroc") > 0.9
    assert value(result, "gaussian-diffusion", "f1") > 0.3
    assert value(result, "Conv-AE", "f1") == 0.78
    assert [p.name for p in (tmp_path / "skab-gaussian-diffusion").iterdir()] == ["other-1.png"]


def test_mtd_end_to_end(data, tmp_path):
    default = "heteroscedastic"
    result = run_suite("mtd", data, detectors=[default], work=tmp_path)
    check(result, default)
    assert value(result, default, "image_auroc") > 0.9
    assert value(result, default, "pixel_auroc") > 0.8
    assert 0 < value(result, default, "aupro") <= 1
    assert value(result, default, "score_ms") > 0
    assert value(result, default, "encode_ms") > 1
    assert value(result, default, "model_mb") > 0.1
    assert value(result, "nearest-training-picture", "image_auroc_published_split") > 0.5
    assert value(result, "DifferNet", "image_auroc_published_split") == 0.977
    drawn = list((tmp_path / "mtd-heteroscedastic").glob("*.png"))
    assert len(drawn) == 5  # two of each of two kinds, a page of them


def test_anomalibs_models_name_the_extra_or_run_on_our_backbone(data):
    try:
        import anomalib  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match=r"mmdmad\[bench\]"):
            run_suite("mtd", data, detectors=["knn"], peers=True)
    else:
        result = run_suite("mtd", data, detectors=["knn"], peers=True)
        for name in ("anomalib:Patchcore", "anomalib:Padim"):
            assert value(result, name, "image_auroc") > 0.8
            assert value(result, name, "pixel_auroc") > 0.7


def test_sms_spam_end_to_end(data):
    result = run_suite("sms-spam", data, detectors=[DETECTORS[0]])
    check(result, DETECTORS[0])
    assert value(result, DETECTORS[0], "auroc") > 0.95
    assert value(result, BASELINE, "auroc_no_copies") > 0.9  # no word of the planted spam is known
    assert value(result, "Text-ADBench max of 330", "ap") == pytest.approx(0.6)


def test_bgl_end_to_end(data):
    result = run_suite("bgl", data, detectors=[DETECTORS[0]], seeds=2)
    check(result, DETECTORS[0])
    assert value(result, DETECTORS[0], "auroc_drawn") > 0.9
    drawn = [r for r in result["rows"] if (r["dataset"], r["detector"]) == ("drawn halves", DETECTORS[0])]
    assert [r["seed"] for r in drawn] == [0, 1]
    by_time = next(r for r in result["rows"] if r["dataset"] == "by time")
    assert set(by_time["metrics"]) == {"auroc", "ap", "auroc_new_lines"}  # no kind of alert occurs ten times here
    assert set(by_time["intervals"]) == {"auroc", "ap"}
    assert {r["detector"] for r in result["rows"]} == {DETECTORS[0], NGRAMS, WHOLE, BASELINE}


def test_uca_end_to_end(data):
    result = run_suite("uca", data, detectors=[DETECTORS[0]])
    check(result, DETECTORS[0])
    assert value(result, DETECTORS[0], "auroc") > 0.9
    assert 0.5 < value(result, DETECTORS[0], "auroc_crime_videos") <= 1


def test_n_grams_are_averaged_with_a_detector_by_rank():
    train = [f"lane {i} of {i + 1} is clear" for i in range(40)]
    letters = LetterDistances(train, ["lane 77 of 3 is clear", "lane 7 of 3 is closed", "§§§"])
    assert letters.test[0] < letters.test[1] < letters.test[2] == pytest.approx(1)
    ranks = np.arange(1.0, 41.0)
    scores = averaged((ranks, np.array([20.0, 20.0, 20.0])), letters.views)
    assert scores[0] < scores[1] < scores[2]
    higher = averaged((ranks, np.array([60.0, 20.0, 20.0])), letters.views)
    assert higher[0] > scores[0]
    assert higher[1:] == pytest.approx(scores[1:])
    odd = np.array([1.0, 1.0, 90.0])
    three = averaged((ranks, np.array([20.0, 20.0, 20.0])), letters.views, (ranks, odd))
    assert three[2] > scores[2]
    assert three[:2] == pytest.approx(2 / 3 * scores[:2], rel=0.1)
    with pytest.raises(ConfigError, match="negative"):
        averaged((np.array([-1.0, 1.0]), np.zeros(3)), letters.views)


def test_text_suites_share_one_setting():
    found = [suites()[name] for name in ("sms-spam", "bgl", "uca")]
    assert {s.detectors for s in found} == {DETECTORS}
    assert all(POOLING in s.protocol for s in found)


@pytest.mark.slow
def test_ped2_end_to_end(data, monkeypatch):
    monkeypatch.setattr("mmdmad.encoders.video.FIT_FRAMES", 28)  # two frames a clip are enough here
    result = run_suite("ped2", data, detectors=["gaussian-diffusion"])
    check(result, "gaussian-diffusion")
    assert value(result, "gaussian-diffusion", "frame_auroc") > 0.8


def test_a_meter_times_and_weighs():
    meter = Meter()
    with meter.fit():
        block = np.ones(8_000_000)
    with meter.score():
        assert block.sum() == 8_000_000
    row = meter.row("set", "knn", 1, {"auroc": np.float64(0.5)})
    assert row.seconds_fit > 0
    assert row.seconds_score > 0
    assert row.peak_mb > 60
    with pytest.raises(ValidationError, match="not finite"):
        meter.row("set", "knn", 1, {"auroc": math.nan})
    with pytest.raises(ValidationError, match="needs seed"):
        Row(dataset="d", detector="k", seed=None, metrics={})


def test_summaries():
    def row(dataset: str, seed: int, auroc: float, **more) -> Row:
        return Meter().row(dataset, "knn", seed, {"auroc": auroc}, **more)

    own = summarise([row("a", 0, 0.5, intervals={"auroc": (0.4, 0.7)})], "knn")[0]
    assert (own.mean, own.low, own.high, own.default) == (0.5, 0.4, 0.7, True)
    seeds = summarise([row("a", 0, 0.4), row("a", 1, 0.6), row("b", 0, 0.9)], "dte-np")[0]
    assert seeds.mean == pytest.approx(0.7)  # the mean of a's mean and b
    assert (seeds.low, seeds.high, seeds.datasets, seeds.default) == (0.4, 0.9, 2, False)
    many = summarise([row(str(i), 0, i / 10) for i in range(10)], "knn", "chosen on labels")[0]
    assert 0.25 < many.low < many.mean < many.high < 0.65
    assert many.note == "chosen on labels"
    assert summarise([row("a", 0, 0.5, counted=False)], "knn") == []
    other = summarise([row("a", 0, 0.5), published("a", "knn", {"auroc": 0.9})], "knn")
    assert [(s.source, s.default) for s in other] == [("measured", True), ("published", False)]


def test_windows_cover_rows():
    scores = cover(np.array([0.0, 1.0, 0.0]), np.array([[0, 4], [2, 6], [4, 8]]), np.arange(10.0))
    assert scores.tolist() == [0, 0, 0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0]  # the ends are held


def test_pieces_keep_every_token_once():
    layout = Layout("steps", (7, 2), np.arange(28.0).reshape(14, 2), ("a", "*") * 7, position=np.tile([0, 1], 7))
    tokens = Tokens(np.arange(28).reshape(14, 2), layout)
    pieces = step_pieces(tokens, 3)
    assert [p.layout.shape for p in pieces] == [(3, 2), (2, 2), (2, 2)]
    assert np.array_equal(np.concatenate([p.values for p in pieces]), tokens.values)
    assert np.array_equal(np.concatenate([p.layout.where for p in pieces]), layout.where)
    assert pieces[1].layout.channels == ("a", "*", "a", "*")


def test_window_scores_weigh_channels_and_their_relation():
    layout = Layout("steps", (1, 3), np.zeros((3, 2)), ("a", "b", "*"))
    assert window_scores(np.array([1.0, 3.0, 10.0]), layout)[0].tolist() == [6.0]
    one = Layout("steps", (2, 1), np.zeros((2, 2)), ("a", "a"))
    assert window_scores(np.array([1.0, 3.0]), one)[0].tolist() == [1.0, 3.0]


def test_point_scores_see_only_training_rows_before():
    rng = np.random.default_rng(0)
    x = np.sin(np.arange(400) / 4)[:, None] + rng.normal(0, 0.05, (400, 1))
    x[300:320] += 3
    _, scores = point_scores(x, x[:200], "gaussian-diffusion", 0)
    assert scores.shape == (400,)
    assert 280 <= scores.argmax() < 340
    changed = x.copy()
    changed[350:] = 9.0  # rows that a window does not cover cannot move its score
    _, again = point_scores(changed, changed[:200], "gaussian-diffusion", 0)
    assert np.allclose(scores[:150], again[:150])
    assert moving_energy(x, 10).argmax() in range(290, 330)
    assert sensor(x).values.shape == (400, 1)


def test_detectors_along_time_get_windows_as_tokens_in_a_row():
    wave = np.sin(np.arange(400) * 0.157)[:, None] * np.ones(2) + 0.05 * np.random.default_rng(0).normal(size=(400, 2))
    whole, pieces = row_encoder(wave, make_detector("gaussian-diffusion"))
    assert pieces == 8
    encoder, pieces = row_encoder(wave, make_detector("forecast"))
    assert (encoder.fitted_.length, pieces) == (whole.fitted_.length // STRETCH, 2)
    for item in step_pieces(encoder.encode(sensor(wave)), pieces):
        assert min(len(track) for track in tracks(item.layout, 3)) >= STRETCH - 1


@pytest.mark.parametrize("name", ["forecast", "imdiffusion", "d3r"])
def test_detectors_along_time_find_a_stretch_that_stands_still(name):
    x = np.sin(np.arange(700) * 0.157)[:, None] + 0.05 * np.random.default_rng(1).normal(size=(700, 1))
    labels = np.zeros(700, int)
    labels[520:560] = 1
    x[520:560] = x[520] + 0.05 * np.random.default_rng(2).normal(size=(40, 1))  # a value that is normal, but stays
    _, scores = point_scores(x[300:], x[:300], name, 0, steps=100, inner=16, depth=1, learning_rate=5e-3)
    assert auroc(labels[300:], scores) > 0.9


def test_a_sample_runs_on_some_items_and_says_so(data):
    result = run_suite("skab", data, detectors=["knn"], sample=1)
    assert [row["dataset"] for row in result["rows"]] == ["other/1"]
    assert "a sample: 1 items" in result["protocol"]
    assert len({row["dataset"] for row in run_suite("tsbad-u", data, detectors=["knn"], sample=1)["rows"]}) == 1
    with pytest.raises(ConfigError, match=r"sample=2 was given to mtd; allowed is 1 or more, for .*skab, tsbad-m"):
        run_suite("mtd", data, sample=2)


def test_a_detector_that_refuses_the_tokens_is_listed_and_the_others_go_on(data, monkeypatch):
    def refuse(self, items):
        raise DataError("poses are needed")

    monkeypatch.setattr(detectors()["mocodad"], "_fit", refuse)
    result = run_suite("skab", data, detectors=["mocodad", "knn"], sample=1)
    assert result["refused"] == {"mocodad": "poses are needed"}
    assert {row["detector"] for row in result["rows"]} == {"knn"}
    for suite in ("skab", "tsbad-u"):
        with pytest.raises(ConfigError, match=f"no detector can take the tokens of {suite}: poses are needed"):
            run_suite(suite, data, detectors=["mocodad"], sample=1)


def test_frame_scores_take_the_highest_cells():
    where = np.repeat(np.array([[0.0, 0.2], [0.2, 0.4]]), 4, axis=0)
    layout = Layout("frames", (2, 2, 2), where, size=(8, 8))
    scores = frame_scores(np.array([0, 0, 0, 0, 0, 3, 3, 3.0]), layout, 4, 10.0)
    assert scores.tolist() == [0, 0, 3, 3]


def test_the_highest_cell_of_an_anomalous_frame_lies_on_the_object_or_not():
    where = np.repeat(np.array([[0.0, 0.2], [0.2, 0.4]]), 4, axis=0)
    layout = Layout("frames", (2, 2, 2), where, size=(9, 8))
    masks = np.zeros((4, 9, 8), bool)
    masks[1:, 4, 3] = True  # row 4 of 9 lies in both rows of cells
    for cell, hit in ((0, True), (1, False), (2, True), (3, False)):
        scores = np.zeros(8)
        scores[[cell, 4 + cell]] = 3
        assert on_object(scores, layout, masks, 10.0).tolist() == [hit] * 3


def test_pipelines_of_joint_suites():
    preset = {"parts": {"text": {"encoder": "auto", "detector": "dte-np", "detector_params": {"top": 0.1}}}}
    assert pipeline(JOINT, preset, 3) == {**preset, "seed": 3}
    assert pipeline("knn", preset, 0)["parts"]["text"] == {"encoder": "auto", "detector": "knn"}
    assert preset["parts"]["text"]["detector_params"] == {"top": 0.1}


def judged(p: list[float], text: list[float], ids: str = "abcd", labels: tuple[int, ...] = (0, 0, 1, 1)) -> Judged:
    cases = tuple(Case(i, {"text": Part("text", value=i)}, label=label) for i, label in zip(ids, labels))
    part = {m: np.array(text if m == "text" else [math.nan] * 4) for m in ("image", "text", "sensor", "video")}
    return Judged(cases, -np.array(p), np.array(p), part, part, np.zeros(4), 0, np.full(4, 99))


def test_a_missing_part_ranks_in_the_middle():
    ranks = judged([0.9, 0.6, 0.2, 0.1], [0.9, math.nan, 0.3, 0.01]).single("text")
    assert ranks[3] > ranks[2] > ranks[1] > ranks[0]


def test_false_alarms_by_kind_and_pattern():
    metrics, intervals = alarms(np.arange(1, 201) / 200, np.full(200, 199))
    assert metrics["false_alarms_at_0.05"] == pytest.approx(0.05)
    assert metrics["in_band_at_0.01"] == 1
    assert intervals["false_alarms_at_0.05"][0] < 0.05 < intervals["false_alarms_at_0.05"][1]
    truth = {"a": {"kind": "normal", "faults": []}, "b": {"kind": "normal", "faults": []}}
    truth |= {"c": {"kind": "single", "faults": [{"kind": "level shift"}]}}
    truth |= {"d": {"kind": "contradiction", "faults": []}}
    found, about = by_kind(judged([0.9, 0.6, 0.7, 0.1], [0.5] * 4), truth, 0)
    assert found["joint_auroc_faults"] == found["joint_auroc_single_level_shift"] == 0.5
    assert found["joint_auroc_contradiction"] == 1.0
    assert set(about) == set(found)
    case = Case("a", {"text": Part("text", value="x"), "image": Part("image", value=None)})
    assert mask(case, ("text",)).pattern == ("text",)
    assert mask(case, ("text", "video")) is None


@pytest.mark.slow
def test_joint_suites_end_to_end(data, tmp_path, monkeypatch):
    from mmdmad.datasets import joint_composed

    monkeypatch.setattr(joint_composed.convert, "__defaults__", (60, 0, True))
    for name in ("joint-composed", "nezha"):
        result = run_suite(name, data, work=tmp_path)
        check(result, "joint")
        assert value(result, "joint", "joint_auroc") > 0.6
