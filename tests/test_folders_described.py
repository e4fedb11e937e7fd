"""Folders with files of boxes in every split, with what describes them, and with what mmdmad itself left there."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdmad.cases import Cases
from mmdmad.errors import ManifestError
from mmdmad.learning import question, to_learn
from mmdmad.manifest import read_cases
from mmdmad.recordings import is_manifest

BOX = "0 0.5 0.5 0.1 0.1\n"


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(sum(map(ord, str(path.name))))
    Image.fromarray(rng.integers(0, 255, (16, 16), dtype=np.uint8)).save(path)


def boxes(root: Path, folders: dict[str, str], boxed: str = BOX, count: int = 6) -> Cases:
    """Pictures of which every second one has `boxed` in its label file, the others a blank one: {pictures: labels}."""
    for images, labels in folders.items():
        for number in range(count):
            picture(root / images / f"p{number}.png")
            text = root / labels / f"p{number}.txt"
            text.parent.mkdir(parents=True, exist_ok=True)
            text.write_text(boxed if number % 2 else "")
    return read_cases(root)


def told(cases: Cases) -> str:
    return " | ".join(cases.extra["notes"])


@pytest.mark.parametrize("shape", ["{0}/images {0}/labels", "images/{0} labels/{0}"])
def test_boxes_label_the_pictures_of_all_splits(tmp_path: Path, shape: str) -> None:
    (tmp_path / "data.yaml").write_text("train: ../train/images\nval: ../valid/images\nnc: 1\nnames: ['scratch']\n")
    pairs = [shape.format(split).split() for split in ("train", "valid", "test")]
    cases = boxes(tmp_path, dict(pairs))
    assert {(case.split, case.label) for case in cases} == {
        (split, label) for split in ("train", "validation", "test") for label in (0, 1)
    }
    assert all(case.label == int(case.id[-1]) % 2 for case in cases)
    assert "9 pictures without a box in the label file taken as normal, 9 with boxes as faulty" in told(cases)
    assert cases.refused == ()
    assert "'data.yaml'" in told(cases)
    assert [case.id for case in to_learn(cases).cases] == [c.id for c in cases if c.split == "train" and c.label == 0]


def test_a_description_says_what_folders_leave_open(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("path: /home/eve/set\ntrain: a/images\nval: b/images\nnames: {0: dent}\n")
    cases = boxes(tmp_path, {"a/images": "a/labels", "b/images": "b/labels"})
    assert {case.split for case in cases if case.group == "a/images"} == {"train"}
    assert {case.split for case in cases if case.group == "b/images"} == {"validation"}
    assert question(cases) == ""
    assert "a/images is train, b/images is validation" in told(cases)


def test_what_a_description_does_not_name_is_asked_about(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("train: a/images\nnames: [dent]\n")
    picture(tmp_path / "other/images/x.png")
    cases = boxes(tmp_path, {"a/images": "a/labels"})
    assert {case.split for case in cases if case.group.startswith("other")} == {"other/images"}
    assert "do not say whether they are normal" in question(cases)


def test_boxes_of_a_class_that_means_normal_mark_no_fault(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [ok, ng]\n")
    cases = boxes(tmp_path, {"images/train": "labels/train", "images/val": "labels/val"}, "0 .5 .5 .1 .1\n")
    assert {case.label for case in cases} == {0}
    assert "of which 'ok' marks no fault" in told(cases)
    (tmp_path / "labels/train/p1.txt").write_text("0 .5 .5 .1 .1\n1 .2 .2 .1 .1\n")
    assert [case.id for case in read_cases(tmp_path) if case.label == 1] == ["images/train/p1"]


def test_another_yaml_is_listed_as_before(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("exposure: 3\n")
    picture(tmp_path / "a.png")
    assert [one.case_id for one in read_cases(tmp_path).refused] == ["settings.yaml"]


def test_masks_label_pictures_to_judge(tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / "train" / f"{number}.png")
        picture(tmp_path / "test" / f"t{number}.png")
        mask = np.zeros((16, 16), np.uint8)
        mask[: 4 * number] = 255
        (tmp_path / "ground_truth").mkdir(exist_ok=True)
        Image.fromarray(mask).save(tmp_path / "ground_truth" / f"t{number}.png")
    labels = {case.id: case.label for case in read_cases(tmp_path) if case.split == "test"}
    assert labels == {"test/t0": 0, "test/t1": 1, "test/t2": 1}


def recording(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    rows = [f"2026-03-14T07:{i // 60:02d}:{i % 60:02d},{i % 7}" for i in range(300)]
    (root / "pump.csv").write_text("time,pressure\n" + "\n".join(rows) + "\n")


def test_a_manifest_that_was_cut_is_no_case_of_its_folder(tmp_path: Path) -> None:
    recording(tmp_path)
    (tmp_path / "cases.csv").write_text(
        "id,time,sensor,split,recording\npump@0,2026-03-14T07:00:00,pump.csv#0:60,train,pump\n"
        "pump@1,2026-03-14T07:01:00,pump.csv#60:120,train,pump\n"
    )
    cases = read_cases(tmp_path)
    assert [case.id for case in cases] == ["pump"]
    assert question(cases) == ""
    assert "'cases.csv' is a manifest of files that lie here" in told(cases)
    assert len(read_cases(tmp_path / "cases.csv")) == 2


@pytest.mark.parametrize("row", ["pump,pump.csv,1,", "pump,pump.csv,,test"])
def test_a_manifest_that_says_what_is_faulty_is_asked_for(tmp_path: Path, row: str) -> None:
    recording(tmp_path)
    (tmp_path / "cases.csv").write_text(f"id,sensor,label,split\n{row}\n")
    assert "'cases.csv' lists files of this folder" in question(read_cases(tmp_path))


def test_a_run_in_the_folder_is_passed_over(tmp_path: Path) -> None:
    recording(tmp_path)
    run = tmp_path / "runs" / "one"
    picture(run / "pictures" / "a.png")
    (run / "cases.sqlite").write_bytes(b"")
    (run / "config.json").write_text("{}")
    cases = read_cases(tmp_path)
    assert [case.id for case in cases] == ["pump"]
    assert "'runs/one': runs of mmdmad are passed over" in told(cases)
    with pytest.raises(ManifestError, match="is a run of mmdmad and no data"):
        read_cases(run)


def test_folders_of_cameras_ask_nothing(tmp_path: Path) -> None:
    for folder in ("DCIM/100CANON", "DCIM/101MSDCF"):
        picture(tmp_path / folder / "IMG_0001.png")
    cases = read_cases(tmp_path)
    assert question(cases) == ""
    assert len(to_learn(cases).cases) == 2


def test_masks_and_lists_of_pascal_voc(tmp_path: Path) -> None:
    for number in range(4):
        picture(tmp_path / "JPEGImages" / f"{number:03d}.png")
        mask = np.zeros((16, 16), np.uint8)
        mask[: number % 2] = 1
        (tmp_path / "SegmentationClass").mkdir(exist_ok=True)
        Image.fromarray(mask).save(tmp_path / "SegmentationClass" / f"{number:03d}.png")
    assert {case.id[-3:]: case.label for case in read_cases(tmp_path)} == {"000": 0, "001": 1, "002": 0, "003": 1}
    (tmp_path / "ImageSets").mkdir()
    (tmp_path / "ImageSets" / "train.txt").write_text("000\n001\n")
    assert "'ImageSets/train.txt' lists files of this folder" in question(read_cases(tmp_path))


@pytest.mark.parametrize("name", ["slice.dcm", "frame.raw", "stack.czi"])
def test_pictures_of_other_programs_are_told_with_their_cure(tmp_path: Path, name: str) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / name).write_bytes(b"x")
    assert "export it as TIFF or PNG" in read_cases(tmp_path).refused[0].reason


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_json_list_is_a_manifest(tmp_path: Path, wrapped: bool) -> None:
    rows = [{"id": number, "image": f"img/{number}.png", "label": "ok" if number else "ng"} for number in range(3)]
    for number in range(3):
        picture(tmp_path / "img" / f"{number}.png")
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"cases": rows} if wrapped else rows, indent=1))
    assert is_manifest(path)
    assert [(case.id, case.label) for case in read_cases(path)] == [("0", 1), ("1", 0), ("2", 0)]
    path.write_text("[1, 2]")
    assert not is_manifest(path)
    with pytest.raises(ManifestError, match="holds 0 lists of objects"):
        read_cases(path)


@pytest.mark.parametrize(("top", "learned"), [("good", True), ("cam", False)])
def test_a_folder_that_is_called_normal_vouches_for_the_folders_in_it(top: str, learned: bool, tmp_path: Path) -> None:
    for place in (f"{top}/01/000.png", f"{top}/01/001.png", f"{top}/02/000.png"):
        picture(tmp_path / place)
    made = read_cases(tmp_path / top)
    assert {case.split for case in made} == ({None} if learned else {"01", "02"})
    assert any("by the name of the folder, good" in note for note in made.extra["notes"]) is learned
    for place in (f"{top}/03-scratch/000.png", f"{top}/04-ok/000.png"):  # names that say something say it themselves
        picture(tmp_path / place)
    assert next(case for case in read_cases(tmp_path / top) if "scratch" in case.id).label == 1
