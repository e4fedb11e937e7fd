"""The simulated line: deterministic, growing by prefix, and its truth is true of the data."""

import hashlib
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from scipy.stats import binom

from mmdmad.datasets.line.inspection_line import Rendered, describe, make_line, read_truth, render_case
from mmdmad.datasets.line.look import EXAMPLES, find_cases, sheet
from mmdmad.datasets.line.plan import CONTRADICTION_MIX, MIX, Plan, plan_case
from mmdmad.datasets.line.truth import (
    CHAINS,
    CHANNEL_NAMES,
    CHANNELS,
    FPS,
    MISSING_SHARE,
    PARTS,
    PRODUCT_NAMES,
    PRODUCTS,
    RATE,
    SENSOR_KINDS,
    SINGLE_KINDS,
    STOPPED_SHARE,
    SURFACE_KINDS,
    TEXT_KINDS,
)
from mmdmad.datasets.line.words import ALARMING, UNKNOWN, WARNINGS
from mmdmad.errors import DataError


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_line(tmp_path_factory.mktemp("line"), train=6, test=24, seed=5).parent


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((folder / "parts").iterdir())}


def singles(part: str, kind: str, count: int = 3) -> list[Rendered]:
    plans = (plan_case(3, "test", i, 1.0) for i in range(20_000))
    wanted = (p for p in plans if p.kind == "single" and p.faults.get(part) == kind)  # type: ignore[call-overload]
    return [render_case(3, "test", next(wanted).index, 1.0) for _ in range(count)]


def twin(case: Rendered) -> Rendered:
    return render_case(3, "test", case.plan.index, 1.0, faults=False)


def same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return a == b


def test_same_seed_same_bytes_and_a_larger_line_begins_with_the_smaller(line: Path, tmp_path: Path) -> None:
    again = make_line(tmp_path / "again", train=6, test=24, seed=5).parent
    assert digests(again) == digests(line)
    for name in ("manifest.csv", "manifest.json", "truth.jsonl"):
        assert (again / name).read_bytes() == (line / name).read_bytes()
    small = make_line(tmp_path / "small", train=3, test=5, seed=5).parent
    assert digests(small).items() <= digests(line).items()
    assert read_truth(small).items() <= read_truth(line).items()
    other = make_line(tmp_path / "other", train=1, test=1, seed=6).parent
    assert not set(digests(other).values()) & set(digests(line).values())


def test_files_decode_and_hold_what_the_contract_says(line: Path) -> None:
    about = json.loads((line / "manifest.json").read_text(encoding="utf-8"))
    assert about["simulated"] is True
    assert "imulated" in about["note"]
    rows = [r.split(",") for r in (line / "manifest.csv").read_text(encoding="utf-8").splitlines()]
    head, body = rows[0], [dict(zip(rows[0], r)) for r in rows[1:]]
    assert head == ["id", "time", "image", "text_file", "sensor", "video", "label", "split", "group", "shift"]
    assert [r["split"] for r in body] == ["train"] * 6 + ["test"] * 24
    truth = read_truth(line)
    for row in body:
        gone = {m for m, c in zip(PARTS, ("image", "text_file", "sensor", "video")) if not row[c]}
        assert gone == set(truth[row["id"]]["missing"])
        assert int(row["label"]) == truth[row["id"]]["label"]
        if row["image"]:
            picture = Image.open(line / row["image"])
            assert (picture.size, picture.mode) == ((160, 160), "RGB")
        if row["text_file"]:
            text = (line / row["text_file"]).read_text(encoding="utf-8")
            assert 2 <= len(text.splitlines()) <= 6
            assert any(name in text for name in PRODUCT_NAMES)
        if row["sensor"]:
            table = (line / row["sensor"]).read_text(encoding="utf-8").splitlines()
            assert table[0] == ",".join(["time [s]", *(f"{name} [{unit}]" for name, unit in CHANNELS)])
            assert len(table) == 201
            values = np.genfromtxt(table[1:], delimiter=",")
            assert values.shape == (200, 9)
            np.testing.assert_allclose(values[:, 0], np.arange(200) / RATE)
        if row["video"]:
            with av.open(str(line / row["video"])) as box:
                frames = [f.to_ndarray(format="rgb24") for f in box.decode(video=0)]
                assert box.streams.video[0].average_rate == FPS
            assert len(frames) == 32
            assert frames[0].shape == (96, 128, 3)


def test_the_manifest_reader_takes_it(line: Path) -> None:
    cases = pytest.importorskip("mmdmad.cases")
    if not hasattr(cases, "read_cases"):
        pytest.skip("the manifest reader is not there yet")
    read = cases.read_cases(line / "manifest.csv")
    assert (len(read), len(read.refused)) == (30, 0)
    assert read.extra["simulated"] is True
    assert len(read.where(split="train", label=0)) == 6
    assert {c.group for c in read} == set(PRODUCT_NAMES)


def test_impossible_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="fault_share between 0 and 1"):
        make_line(tmp_path, fault_share=1.5)
    with pytest.raises(DataError, match="make_line"):
        read_truth(tmp_path)


def inside(count: int, total: int, share: float) -> bool:
    low, high = binom.interval(0.9999, total, share)
    return low <= count <= high


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    return [plan_case(1, "test", i, 0.5) for i in range(4000)]


def test_shares_are_as_documented(plans: list[Plan]) -> None:
    faulty = [p for p in plans if p.kind != "normal"]
    assert inside(len(faulty), len(plans), 0.5)
    for kind, share in MIX.items():
        assert inside(sum(p.kind == kind for p in faulty), len(faulty), share)
    for group in (plans, faulty, [plan_case(1, "train", i, 0.5) for i in range(4000)]):
        assert inside(sum(bool(p.missing) for p in group), len(group), MISSING_SHARE)  # at random: not with faults
    normal = [p for p in plans if p.kind == "normal"]
    assert inside(sum(not p.scenes["sensor"].running for p in normal), len(normal), STOPPED_SHARE)
    assert {len(p.missing) for p in plans} == {0, 1, 2}
    seen = Counter((part, kind) for p in faulty if p.kind == "single" for part, kind in p.faults.items())
    assert set(seen) == {(part, kind) for part, kinds in SINGLE_KINDS.items() for kind in kinds}
    assert {p.root_cause for p in faulty if p.kind == "chain"} == set(CHAINS)
    assert {p.contradiction for p in faulty if p.kind == "contradiction"} == set(CONTRADICTION_MIX)


def test_training_is_normal_and_faults_lie_in_parts_that_are_there(plans: list[Plan]) -> None:
    assert all(plan_case(1, "train", i, 1.0).kind == "normal" for i in range(500))
    for p in plans:
        if p.kind == "single":
            assert not set(p.faults) & set(p.missing)
        if p.kind == "chain":
            assert len(set(p.faults) - set(p.missing)) > 1
        if p.kind == "contradiction":
            assert p.odd_part not in p.missing
            assert len(p.missing) < 3


def test_no_part_of_a_contradiction_is_odd_by_itself(plans: list[Plan]) -> None:
    """Product, standstill and speed of every part follow the same distribution in contradictions as in normal cases."""
    many = plans + [plan_case(2, "test", i, 1.0) for i in range(4000)]
    odd = [p for p in many if p.kind == "contradiction"]
    for part in PARTS:
        here = [p.scenes[part] for p in odd if part not in p.missing]
        assert all(inside(n, len(here), 1 / 5) for n in Counter(s.product.name for s in here).values())
        if part != "image":
            assert inside(sum(not s.running for s in here), len(here), STOPPED_SHARE)
            place = np.array([s.speed / s.product.speed for s in here if s.running])
            assert abs(place.mean() - 1) < 5 * 0.1155 / np.sqrt(len(place))
            assert abs(np.histogram(place, 4, (0.8, 1.2))[0] / len(place) - 0.25).max() < 0.06


def test_contradicting_parts_really_disagree(plans: list[Plan]) -> None:
    for p in plans:
        if p.kind != "contradiction":
            assert len(set(p.scenes.values())) == 1
            continue
        odd = p.scenes[p.odd_part]  # type: ignore[index]
        (rest,) = {s for m, s in p.scenes.items() if m != p.odd_part}
        assert {
            "product": odd.product is not rest.product,
            "state": odd.running is not rest.running,
            "speed": odd.product is rest.product and abs(odd.speed - rest.speed) > 0.19 * rest.product.speed,
        }[str(p.contradiction)]


@pytest.mark.parametrize("kind", SURFACE_KINDS)
def test_surface_faults_change_the_picture_inside_their_box_only(kind: str) -> None:
    for case in singles("image", kind):
        clean = twin(case)
        (fault,) = case.truth.faults
        assert case.image is not None
        assert clean.image is not None
        assert fault.box is not None
        x0, y0, x1, y1 = fault.box
        change = np.abs(case.image.astype(int) - clean.image).max(-1)
        assert (change[y0:y1, x0:x1] > 12).sum() >= 20
        outside = change.copy()
        outside[max(0, y0 - 9) : y1 + 9, max(0, x0 - 9) : x1 + 9] = 0
        assert (outside > 12).sum() == 0
        assert same(case.sensor, clean.sensor)
        assert same(case.text, clean.text)
        assert same(case.video, clean.video)


@pytest.mark.parametrize("kind", SENSOR_KINDS)
def test_sensor_faults_lie_where_the_truth_says(kind: str) -> None:
    for case in singles("sensor", kind):
        clean, (fault,) = twin(case), case.truth.faults
        assert case.sensor is not None
        assert clean.sensor is not None
        channel = CHANNEL_NAMES.index(str(fault.channel))
        start, stop = round(float(fault.start or 0) * RATE), round(float(fault.stop or 0) * RATE)
        change = case.sensor - clean.sensor
        touched = np.zeros(change.shape, bool)
        touched[start:stop, channel] = True
        assert np.all((change[~touched] == 0) | np.isnan(clean.sensor[~touched]))
        span, was = case.sensor[start:stop, channel], change[start:stop, channel]
        if kind == "frozen channel":
            assert np.nanstd(span) == 0
            assert len(span) >= 0.6 * RATE
        elif kind == "dropout":
            assert np.isnan(span).all()
        elif kind == "noise burst":
            assert np.nanstd(was) == pytest.approx(fault.size, rel=0.5)
        else:
            strongest = was[np.nanargmax(np.abs(was))]
            assert strongest == pytest.approx(fault.size, rel=1e-2)
        assert fault.size_unit == (None if fault.size is None else dict(CHANNELS)[str(fault.channel)])


def shifts(video: np.ndarray) -> np.ndarray:
    """How far the pieces move from frame to frame, in px: best shift of the column profile of the belt."""
    profile = video[:, 20:-20].astype(float).mean(1)
    profile -= profile.mean(1, keepdims=True)
    moves = np.arange(-16, 17)
    errors = [[np.abs(a[20:108] - b[20 + d : 108 + d]).mean() for d in moves] for a, b in pairwise(profile)]
    return moves[np.argmin(errors, axis=1)]


def test_the_clip_moves_as_fast_as_the_sensor_says() -> None:
    for index in (0, 1, 2, 3, 4, 5):
        case = render_case(3, "train", index)
        if case.video is None or case.sensor is None or not case.plan.scenes["video"].running:
            continue
        pixels = case.plan.scenes["video"].speed * 160 / FPS
        assert np.median(shifts(case.video)) == pytest.approx(pixels, abs=1.0)
        assert np.nanmean(case.sensor[:, 3]) == pytest.approx(case.plan.scenes["sensor"].speed, rel=0.03)


def test_reversed_belt_moves_back_in_its_span_and_only_there() -> None:
    for case in singles("video", "reversed belt"):
        assert case.video is not None
        (fault,) = case.truth.faults
        at = np.arange(1, 32) / FPS
        span = (at >= float(fault.start or 0)) & (at < float(fault.stop or 0))
        moves = shifts(case.video)
        assert np.median(moves[span]) < -2
        assert np.median(moves[~span]) > 2


def test_jam_holds_the_piece() -> None:
    for case in singles("video", "jam"):
        assert case.video is not None
        (fault,) = case.truth.faults
        at = np.arange(1, 32) / FPS
        span = (at >= float(fault.start or 0)) & (at < float(fault.stop or 0))
        moves = shifts(case.video)
        assert np.abs(np.median(moves[span])) <= 1
        assert np.median(moves[~span]) > 2


@pytest.mark.parametrize("kind", ["foreign object", "missing piece"])
def test_objects_appear_and_vanish_in_their_span(kind: str) -> None:
    for case in singles("video", kind):
        clean, (fault,) = twin(case), case.truth.faults
        assert case.video is not None
        assert clean.video is not None
        at = np.arange(32) / FPS
        span = (at >= float(fault.start or 0)) & (at < float(fault.stop or 0))
        changed = (np.abs(case.video.astype(int) - clean.video).max(-1) > 25).sum((1, 2))
        assert (changed[span] >= 8).mean() > 0.9
        # outside its span the object may still be coming in or going out at the border
        assert changed[span].max() > 3 * np.median(changed[~span]) if (~span).any() else True


@pytest.mark.parametrize("kind", TEXT_KINDS)
def test_strange_words_are_where_the_truth_says(kind: str) -> None:
    for case in singles("text", kind, 5):
        clean, (fault,) = twin(case), case.truth.faults
        assert case.text is not None
        assert clean.text is not None
        assert case.text[int(fault.start or 0) : int(fault.stop or 0)] == fault.words
        assert str(fault.words) not in clean.text
        assert len(case.text.splitlines()) <= 6


def test_fault_wording_never_occurs_in_normal_logs() -> None:
    normal = "\n".join(str(render_text(i)) for i in range(150))
    for template in [*UNKNOWN, *ALARMING, *(w for ws in WARNINGS.values() for w in ws)]:
        longest = max(template.replace("}", "{").split("{")[::2], key=len).strip()
        assert longest not in normal


def render_text(index: int) -> str | None:
    return render_case(9, "train", index).text


@pytest.mark.parametrize("cause", CHAINS)
def test_chains_touch_every_part_they_claim(cause: str) -> None:
    plans = (plan_case(3, "test", i, 1.0) for i in range(20_000))
    plan = next(p for p in plans if p.root_cause == cause and not p.missing)
    case = render_case(3, "test", plan.index, 1.0)
    clean = twin(case)
    assert {f.part for f in case.truth.faults} == set(CHAINS[cause])
    assert case.truth.root_cause == cause
    for part in PARTS:
        # a log quotes the sensors' means, so it may change with them
        assert same(getattr(case, part), getattr(clean, part)) != (part in CHAINS[cause]), part
    for fault in case.truth.faults:
        if fault.part == "sensor":
            channel = CHANNEL_NAMES.index(str(fault.channel))
            assert case.sensor is not None
            assert clean.sensor is not None
            change = np.abs(np.nan_to_num(case.sensor[:, channel] - clean.sensor[:, channel]))
            start = int(float(fault.start or 0) * RATE)
            assert change[start:].max() > 3 * change[: start - 1].max()


def test_log_figures_are_those_of_the_sensor() -> None:
    checked = 0
    for index in range(30):
        case = render_case(4, "train", index)
        if case.text is None or case.sensor is None or not case.plan.scenes["text"].running:
            continue
        speed = f"{np.nanmean(case.sensor[:, 3]):.2f}"
        near = {speed, f"{float(speed) + 0.01:.2f}", f"{float(speed) - 0.01:.2f}"}
        assert any(figure in case.text for figure in near)
        checked += 1
    assert checked > 10


def test_every_product_is_told_apart_by_its_load_and_description_lists_every_kind() -> None:
    assert len({p.mass for p in PRODUCTS}) == len(PRODUCTS) == 5
    table = describe()
    for kind in [*SURFACE_KINDS, *SENSOR_KINDS, *TEXT_KINDS, *CHAINS, *CONTRADICTION_MIX]:
        assert kind in table


def test_the_example_sheet_is_a_small_picture(tmp_path: Path) -> None:
    wanted = [want for _, want in EXAMPLES[:2]]
    path = sheet(find_cases(wanted), tmp_path / "images" / "two.png", dpi=60)
    assert path.stat().st_size < 100_000
    assert np.asarray(Image.open(path).convert("L")).std() > 20
    with pytest.raises(DataError, match="none of the first 3"):
        list(find_cases([lambda plan: plan.kind == "no such kind"], most=3))
