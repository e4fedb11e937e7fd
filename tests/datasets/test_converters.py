"""Converters on tiny trees in the sets' own formats; on the real sets where MMDMAD_DATA names their folder."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from mmdmad import parts
from mmdmad.cases import Cases
from mmdmad.datasets import adbench, bgl, joint_composed, mtd, mvtec_features, nezha, ped2, skab, sms_spam, tsbad, uca
from mmdmad.datasets.sources import link, windows
from mmdmad.errors import ConfigError, ManifestError
from mmdmad.manifest import read_cases
from tests.bench.trees import make_trees

CONVERTERS = (mtd, sms_spam, bgl, uca, skab, tsbad, ped2, joint_composed, nezha)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_trees(tmp_path_factory.mktemp("data"))


def check(manifest: Path, rows: int | None = None) -> Cases:
    """What every manifest must keep: nothing refused, normal training rows, parts that can be read."""
    cases = read_cases(manifest, allow_outside=True)
    assert not cases.refused
    assert rows is None or len(cases) == rows
    assert len({c.id for c in cases}) == len(cases)
    assert {c.split for c in cases} == {"train", "test"}
    assert all(not c.label for c in cases.where(split="train"))
    assert {c.label for c in cases.where(split="test")} == {0, 1}
    assert cases.extra["simulated"] is False
    about = json.loads(manifest.with_suffix(".json").read_text())
    assert about["licence"]
    assert not [p for p in manifest.parent.rglob("*") if p.suffix in (".jpg", ".png", ".webp")]  # nothing is copied
    for case in (cases[0], cases[-1], cases.where(split="test")[0]):
        for part in case.parts.values():
            parts.read(part)
    return cases


@pytest.mark.parametrize("module", CONVERTERS, ids=lambda m: m.NAME)
def test_converts_a_tiny_tree(module, data, tmp_path):
    first = module.convert(data, tmp_path / "a")
    check(first)
    second = module.convert(data, tmp_path / "b")
    assert [c.id for c in read_cases(first, allow_outside=True)] == [
        c.id for c in read_cases(second, allow_outside=True)
    ]


@pytest.mark.parametrize("module", CONVERTERS, ids=lambda m: m.NAME)
def test_a_missing_folder_is_named(module, tmp_path):
    with pytest.raises(ManifestError, match="expected there"):
        module.convert(tmp_path, tmp_path / "out")


def test_a_missing_file_is_named(data, tmp_path):
    (tmp_path / "mtd").mkdir()
    with pytest.raises(ManifestError, match=r"lacks index\.csv, images"):
        mtd.convert(tmp_path, tmp_path / "out")
    with pytest.raises(ManifestError, match="tile_split_0"):
        mtd.convert(data, tmp_path / "out", split="mine")
    with pytest.raises(ManifestError, match="U and M"):
        tsbad.series(data, "X")


def test_links_are_relative(tmp_path):
    assert link(tmp_path / "data" / "x.csv", tmp_path / "out", (3, 9)) == "../data/x.csv#3:9"
    assert windows(0, 10, 4, 4) == [(0, 4), (4, 8), (6, 10)]


def test_mtd_masks_and_kinds(data, tmp_path):
    cases = check(mtd.convert(data, tmp_path, split="tile_split_1"))
    kinds = cases.extra["columns"]
    assert {kinds[c.id]["defect"] for c in cases if c.label} == {"Crack", "Fray"}
    index = mtd.index(data)
    masks = [mtd.mask(data, row) for _, row in index.iterrows()]
    assert [m.any() for m in masks] == index["label"].astype(bool).tolist()
    assert all(m.shape == (row.h, row.w) for m, row in zip(masks, index.itertuples()))


def test_skab_keeps_rows_units_and_labels(data, tmp_path):
    cases = check(skab.convert(data, tmp_path))
    series = {s.name: s for s in skab.files(data)}
    for case in cases:
        part = case.parts["sensor"]
        assert case.label == int(series[case.group].labels[part.start : part.stop].any())
    table = parts.read(cases[0].parts["sensor"])
    assert table.channels == tuple(skab.UNITS)
    assert table.units == tuple(skab.UNITS.values())
    assert np.allclose(table.values, series[cases[0].group].values[:60])
    assert "anomaly-free" not in " ".join(series)  # it has no labels


def test_tsbad_never_trains_after_train_end(data, tmp_path):
    cases = check(tsbad.convert(data, tmp_path, "U", rows=50))
    ends = {s.name: s.train_end for s in tsbad.series(data, "U")}
    assert all(c.parts["sensor"].stop <= ends[c.group] for c in cases.where(split="train"))
    assert all(c.parts["sensor"].start >= ends[c.group] for c in cases.where(split="test"))
    assert tsbad.published(data, "U")["001_A"] == {"Sub-PCA": 0.5, "CNN": 0.25}  # a missing value is left out


def test_ped2_labels_follow_frames(data, tmp_path):
    cases = check(ped2.convert(data, tmp_path, frames=4))
    labels = {c.name: c.labels for c in ped2.clips(data, "testing")}
    for case in cases.where(split="test"):
        part = case.parts["video"]
        assert case.label == int(labels[case.group][part.start : part.stop].any())


def test_ped2_masks_hold_a_pixel_in_the_frames_that_are_labelled(data):
    for clip in ped2.clips(data, "testing"):
        masks = ped2.masks(data, clip, (48, 72))
        assert masks.shape == (40, 48, 72)
        assert masks.any(axis=(1, 2)).tolist() == (clip.labels == 1).tolist()
        assert masks[10, 20:32, 16:24].all(), "the object of frame 10"
        assert masks[10].sum() == 12 * 8
        with pytest.raises(ManifestError, match="not 40 frames of 2304 bits"):
            ped2.masks(data, clip, (48, 48))


def test_joint_composed_trains_on_nothing_of_the_index(data, tmp_path):
    cases = check(joint_composed.convert(data, tmp_path / "missing", train=6))
    index = joint_composed.events(data)
    tested = set(index["image"])
    assert not [c for c in cases.where(split="train") if c.parts["image"].path.name in tested]
    missing = dict(zip(index["event"], index["missing"]))
    for case in cases.where(split="test"):
        assert set(case.pattern) == {"image", "text", "sensor", "video"} - {missing[case.id]}
    whole = check(joint_composed.convert(data, tmp_path / "all", train=6, drop=False))
    assert all(len(c.pattern) == 4 for c in whole)


def test_nezha_drops_ambiguous_rows_and_trains_without_faults(data, tmp_path):
    cases = check(nezha.convert(data, tmp_path, history=2, step=3))
    rows = nezha.day(data).rows
    dropped = {f"{r['pod']}@{r['window'].replace(':', '')}" for _, r in rows[rows["ambiguous"] == 1].iterrows()}
    assert dropped
    assert not dropped & {c.id for c in cases}
    faulty = {r["window"].replace(":", "") for _, r in rows[rows["window_has_fault"] == 1].iterrows()}
    assert not faulty & {c.id.split("@")[1] for c in cases.where(split="train")}
    assert {c.group for c in cases} == {"pod-a", "pod-b", "pod-c"}
    table = parts.read(cases[0].parts["sensor"])
    assert table.channels[-4:] == nezha.TRACES
    only = check(nezha.convert(data, tmp_path / "traces", history=2, step=3, channels=nezha.TRACES))
    assert parts.read(only[0].parts["sensor"]).channels == nezha.TRACES


def test_deviations_compare_pods_with_themselves():
    rng = np.random.default_rng(0)
    values = np.exp(rng.normal(size=(2, 200, 1)) * 0.2) * np.array([10.0, 10000.0])[:, None, None]
    z = nezha.deviations(values, np.ones(200, bool))
    assert np.abs(np.median(z, axis=1)).max() < 0.1
    assert z[0].std() == pytest.approx(z[1].std(), rel=0.4)


def test_bgl_trains_on_half_of_the_normal_lines(data, tmp_path):
    frame = bgl.lines(data)
    normal = frame["anomaly"].to_numpy() == 0
    early, drawn, again, other = (
        bgl.make_split(frame, by, s) for by, s in (("time", 0), *[("random", s) for s in (0, 0, 1)])
    )
    for trains in (early, drawn, other):
        assert not (trains & ~normal).any()
        assert trains.sum() == normal.sum() // 2
    assert frame["LineId"][early].max() < frame["LineId"][normal & ~early].min()
    assert np.array_equal(drawn, again)
    assert not np.array_equal(drawn, other)
    cases = check(bgl.convert(data, tmp_path), len(frame))
    columns = cases.extra["columns"]
    assert {columns[c.id].get("alert") for c in cases if c.label} == {"KERNSTOP", "APPDEAD"}
    assert {len(c.parts) for c in cases} == {1}
    with pytest.raises(ConfigError, match="time and random"):
        bgl.make_split(frame, "place")


def test_adbench_splits(data):
    assert adbench.names(data) == ["1_small", "2_large"]
    assert mvtec_features.names(data) == ["MVTec-AD_toy"]
    assert adbench.published(data)["small"]["KNN"] == pytest.approx(0.9)
    X, y = adbench.load(data, "1_small")
    clean = adbench.make_split(X, y, "leak-free", seed=3)
    rows = {r.tobytes() for r in clean.train}
    assert len(rows) == len(clean.train)  # the planted duplicate is gone
    assert not rows & {r.tobytes() for r, label in zip(clean.test, clean.labels) if not label}
    assert np.allclose(clean.train.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(clean.train.std(axis=0), 1, atol=1e-4)
    leaky = adbench.make_split(X, y, "compat", seed=3)
    assert len(leaky.train) + len(leaky.test) == 1000
    copies = {r.tobytes() for r in leaky.train} & {r.tobytes() for r in leaky.test[leaky.labels == 0]}
    assert copies  # the published protocol leaks, and this shows it
    again = adbench.make_split(X, y, "leak-free", seed=3)
    assert np.array_equal(again.train, clean.train)
    assert not np.array_equal(adbench.make_split(X, y, "leak-free", seed=4).train, clean.train)
    with pytest.raises(ConfigError, match="leak-free, compat"):
        adbench.make_split(X, y, "best", seed=0)


REAL = os.environ.get("MMDMAD_DATA")


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="set MMDMAD_DATA to the folder of the labelled sets")
@pytest.mark.parametrize(
    ("module", "train", "test", "odd"),
    [
        (mtd, 757, 587, 392),
        (sms_spam, 4080, 1494, 747),
        (bgl, 928, 1072, 143),
        (uca, 14421, 1823, 275),
        (skab, 597, 416, 256),
        (tsbad, 1046, 845, 123),
        (ped2, 308, 134, 115),
        (joint_composed, 400, 640, 240),
        (nezha, 3705, 2438, 53),
    ],
    ids=lambda v: getattr(v, "NAME", None),
)
def test_real_sets(module, train, test, odd, tmp_path):
    cases = check(module.convert(REAL, tmp_path))
    tested = cases.where(split="test")
    assert (len(cases) - len(tested), len(tested), sum(c.label for c in tested)) == (train, test, odd)
