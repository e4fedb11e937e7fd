"""Lists beside pictures that name them without endings: a question in a folder, and manifests when they are given."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdmad.errors import DataError, ManifestError
from mmdmad.learning import question, to_learn
from mmdmad.manifest import read_cases
from mmdmad.recordings import is_manifest


def pictures(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(root / name)


def rows(*cells: str) -> str:
    return "\n".join(cells) + "\n"


ISIC = [f"ISIC_00{i}" for i in range(20)]


@pytest.mark.parametrize(
    ("names", "table"),
    [
        (ISIC, rows("isic_id,sex,kind", *(f"{n},f,benign" for n in ISIC))),
        (ISIC, rows("sex;isic_id", *(f"f;{n}" for n in ISIC))),
        (ISIC[:10], rows("isic_id,sex", *(f"X_{i},f" for i in range(200)), *(f"{n},f" for n in ISIC))),  # a subset
        (["1", "2", "3"], rows("id,label", "1,0", "2,1", "3,0")),
        (["0001", "0002", "0003"], rows("0001,1", "0002,0", "0003,0")),
        (["P1_left", "P1_right", "P2_left"], rows("patient,grade", "P1,0", "P2,4")),
        (["a b 1", "a b 2"], rows("picture,who", "a b 1.png,eve", "a b 2.png,max")),
        (["p1/x", "p2/x", "p3/x"], rows("study,result", "sets/p1/,1", "sets/p2/,0", "sets/p3/,0")),
    ],
)
def test_a_list_beside_pictures_is_a_question(tmp_path: Path, names: list[str], table: str) -> None:
    pictures(tmp_path, *(f"{name}.png" for name in names))
    (tmp_path / "list.csv").write_text(table)
    cases = read_cases(tmp_path)
    assert len(cases) == len(names)
    assert "'list.csv' lists files" in question(cases)
    with pytest.raises(DataError, match="nothing is learned until then"):
        to_learn(cases)


@pytest.mark.parametrize(
    ("names", "table"),
    [
        ([str(i) for i in range(30)], rows("index,temperature", *(f"{i},{20 + i / 7:.2f}" for i in range(30)))),
        ([str(i) for i in range(30)], rows("t,temperature", *(f"{i},{20 + i / 7:.2f}" for i in range(30)))),
        (
            [str(1_700_000_000 + i) for i in range(9)],
            rows("timestamp,x", *(f"{1_700_000_000 + i},1" for i in range(9))),
        ),
        (["ok_1", "ok_2", "run_3"], rows("t,state", *(f"{i},{'ok' if i % 2 else 'run'}" for i in range(40)))),
    ],
)
def test_rows_of_readings_are_no_list(tmp_path: Path, names: list[str], table: str) -> None:
    pictures(tmp_path, *(f"{name}.png" for name in names))
    (tmp_path / "log.csv").write_text(table)
    cases = read_cases(tmp_path)
    assert len(cases) == len(names) + 1
    assert not question(cases)


def test_a_list_without_endings_is_a_manifest(tmp_path: Path) -> None:
    pictures(tmp_path, *(f"images/{name}.png" for name in ISIC), "masks/ISIC_000.png")
    faulty = ISIC[3:5]
    (tmp_path / "m.csv").write_text(
        rows("isic_id,benign_malignant", *(f"{n},{'malignant' if n in faulty else 'benign'}" for n in [*ISIC, "gone"]))
    )
    assert is_manifest(tmp_path / "m.csv")
    cases = read_cases(tmp_path / "m.csv")
    assert [case.id for case in cases] == ISIC
    assert {case.id for case in cases if case.label == 1} == set(faulty)
    assert cases[0].parts["image"].path == (tmp_path / "images/ISIC_000.png").resolve()
    assert [(one.case_id, "no such file" in one.reason) for one in cases.refused] == [("gone", True)]
    assert [case.id for case in to_learn(cases).cases] == [name for name in ISIC if name not in faulty]


def test_a_name_of_two_files_is_refused(tmp_path: Path) -> None:
    pictures(tmp_path, "a/x1.png", "b/x1.png", "a/x2.png", "a/x3.png")
    (tmp_path / "m.csv").write_text(rows("image,label", "x1,0", "x2,0", "x3,1"))
    cases = read_cases(tmp_path / "m.csv")
    assert [(case.id, case.label) for case in cases] == [("x2", 0), ("x3", 1)]
    assert [one.case_id for one in cases.refused] == ["x1"]


@pytest.mark.parametrize(
    ("header", "cells", "asked"),
    [
        ("level", "01234", "'0', '1', '2', '3', '4'"),
        ("dr_grade", "01234", "'0', '1', '2', '3', '4'"),
        ("diagnosis", "01234", "'0', '1', '2', '3', '4'"),
        ("dx", ["nv", "mel", "bkl", "nv", "nv"], "'bkl', 'mel', 'nv'"),
        ("label", "01234", "classes, and nothing says which are normal"),
        ("NV,MEL,BCC", ["1.0,0.0,0.0", "0.0,1.0,0.0", "0.0,0.0,1.0", "1.0,0.0,0.0", "1.0,0.0,0.0"], "'BCC', 'MEL'"),
    ],
)
def test_kinds_of_which_nobody_says_which_is_normal(tmp_path: Path, header: str, cells: str, asked: str) -> None:
    pictures(tmp_path, *(f"e{i}.png" for i in range(5)))
    (tmp_path / "train.csv").write_text(rows(f"id_code,{header}", *(f"e{i},{cell}" for i, cell in enumerate(cells))))
    cases = read_cases(tmp_path / "train.csv")
    assert len(cases) == 5
    assert asked in question(cases)
    if header == "dx":
        assert [case.id for case in to_learn(cases, split="dx=nv").cases] == ["e0", "e3", "e4"]
    if header == "label":  # no choice of another column makes them normal
        with pytest.raises(DataError, match="cannot be read"):
            to_learn(cases, split="id=e0")


def test_a_bare_list_says_what_to_write(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "b.png")
    (tmp_path / "trainval.txt").write_text("a.png b.png\nb.png a.png\n")
    with pytest.raises(ManifestError, match="has no header; write it as CSV"):
        is_manifest(tmp_path / "trainval.txt")


def test_a_level_with_fractions_is_a_reading(tmp_path: Path) -> None:
    pictures(tmp_path, "e0.png", "e1.png", "e2.png")
    (tmp_path / "tanks.csv").write_text(rows("id,image,level", "0,e0.png,1.25", "1,e1.png,2.5", "2,e2.png,3.75"))
    assert not question(read_cases(tmp_path / "tanks.csv"))


def test_names_without_folders_are_found_below_the_list(tmp_path: Path) -> None:
    pictures(tmp_path, "train_images/10.jpg", "train_images/11.jpg", "train_images/12.jpg")
    (tmp_path / "train.csv").write_text(rows("image_id,label", "10.jpg,good", "11.jpg,bad", "12.jpg,good"))
    cases = read_cases(tmp_path / "train.csv")
    assert [(case.id, case.label) for case in cases] == [("10.jpg", 0), ("11.jpg", 1), ("12.jpg", 0)]


def test_many_lists_among_more_pictures_are_lists(tmp_path: Path) -> None:
    pictures(tmp_path, *(f"jpg/{name}.png" for name in ISIC))
    for i, name in enumerate(("train", "val", "test", "sample")):
        (tmp_path / f"{name}.csv").write_text(rows("isic_id,target", *(f"{n},0" for n in ISIC[5 * i : 5 * i + 5])))
    cases = read_cases(tmp_path)
    assert len(cases) == len(ISIC)
    assert "list files of this folder" in question(cases)


def test_pairs_of_a_template_and_a_test_are_a_question(tmp_path: Path) -> None:
    pictures(tmp_path, *(f"{i:02d}_{word}.png" for i in range(4) for word in ("temp", "test")))
    assert "4 files called test" in question(read_cases(tmp_path))
