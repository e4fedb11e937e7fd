"""Which cases are learned from: what somebody said, what names say, and nothing that is open."""

import warnings
from pathlib import Path

import pytest
from PIL import Image as Pillow

import mmdmad.learning
from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import DataError, RefusalWarning
from mmdmad.learning import learned_from, to_learn
from mmdmad.manifest import read_cases


def tree(root: Path, *files: str) -> Cases:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return read_cases(root)


def rows(*given: tuple) -> Cases:
    """Cases of (id, split, label)."""
    return Cases(tuple(Case(i, {"text": Part("text", value=i)}, split=s, label=y) for i, s, y in given))


def ids(cases: Cases, **choice: object) -> list[str]:
    return [case.id for case in to_learn(cases, **choice).cases]


MVTEC = (
    *("train/good/0.png", "train/good/1.png", "test/good/0.png", "test/crack/0.png", "test/bent/0.png"),
    *("ground_truth/crack/0_mask.png", "ground_truth/bent/0_mask.png"),
)


def test_of_a_tree_with_train_test_and_masks_train_alone_is_learned(tmp_path: Path) -> None:
    cases = tree(tmp_path, *MVTEC, "readme.txt", "license.txt")
    assert ids(cases) == ["train/good/0", "train/good/1"]
    assert {case.id: (case.split, case.label) for case in cases} == {
        "train/good/0": ("train", 0),
        "train/good/1": ("train", 0),
        "test/good/0": ("test", 0),
        "test/crack/0": ("test", 1),
        "test/bent/0": ("test", 1),
    }
    masks = {case: path.relative_to(tmp_path).as_posix() for case, path in cases.extra["masks"].items()}
    assert masks == {"test/crack/0": "ground_truth/crack/0_mask.png", "test/bent/0": "ground_truth/bent/0_mask.png"}
    assert [(f.folder, f.role, f.files) for f in cases.extra["folders"]] == [
        ("ground_truth/bent", "mask", 1),
        ("ground_truth/crack", "mask", 1),
        ("test/bent", "test", 1),
        ("test/crack", "test", 1),
        ("test/good", "test", 1),
        ("train/good", "train", 2),
    ]
    assert "2 files taken as masks, by folder or name, and not as cases" in cases.extra["notes"]
    assert to_learn(cases).lines == ["3 cases are not learned from: they belong to test"]


@pytest.mark.parametrize(
    ("files", "learned"),
    [
        (["a.png", "b.png"], ["a", "b"]),
        (["images/a.png", "images/b.png"], ["images/a", "images/b"]),
        (["line3/a.png", "line3/b.png"], ["line3/a", "line3/b"]),
        (["2026-05-01/a.png", "2026-05-02/a.png"], ["2026-05-01/a", "2026-05-02/a"]),
        (["good/a.png", "bad/b.png"], ["good/a"]),
        (["ok/a.png", "ng/b.png", "ng/scratch/c.png"], ["ok/a"]),
        (["normal/a.png", "abnormal/b.png", "masks/b.png"], ["normal/a"]),
        (["train/a.png", "val/b.png", "test/c.png"], ["train/a"]),
        (["train/line1/a.png", "train/line2/b.png", "test/line1/c.png"], ["train/line1/a", "train/line2/b"]),
        (["Train/OK/a.png", "Train/NOK/b.png"], ["Train/OK/a"]),
        (
            ["bolt/train/good/a.png", "nut/train/good/a.png", "nut/test/bent/a.png"],
            ["bolt/train/good/a", "nut/train/good/a"],
        ),
        (["train/2026-05-01/a.png", "test/b.png"], ["train/2026-05-01/a"]),
        (["train/good/a.png", "stray.png", "test/b.png"], ["train/good/a"]),
        (["good/7.png", "good/7_mask.png"], ["good/7"]),
        (["gut/a.png", "n.i.O/b.png"], ["gut/a"]),
        (["良品/a.png", "不良品/b.png"], ["良品/a"]),
        (["good_1.png", "good_2.png", "bad_1.png", "ok_3.png"], ["good_1", "good_2", "ok_3"]),
        (["train/piece 1 ok.png", "train/piece 1 not-ok.png"], ["train/piece 1 ok"]),
        (["train_1.png", "train_2.png", "test_1.png"], ["train_1", "train_2"]),
        (["fault_1.csv", "fault_2.csv"], ["fault_1", "fault_2"]),
        (["test_1.csv", "test_2.csv"], ["test_1", "test_2"]),
    ],
)
def test_what_names_say_is_normal_is_learned(tmp_path: Path, files: list[str], learned: list[str]) -> None:
    assert ids(tree(tmp_path, *files)) == learned


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["good/a.png", "hook/b.png"], "the folders 'hook'"),
        (["train/a.png", "lot7/b.png"], "the folders 'lot7' .1 case. beside train do not say"),
        (["A/a.png", "B/b.png"], "the folders 'A', 'B' .2 cases. do not say"),
        (["0/a.png", "1/b.png"], "the folders '0', '1'"),
        (["data/A/a.png", "data/B/b.png"], "the folders 'data/A', 'data/B'"),
        (["a.png", "B/b.png"], "the folders 'B'"),
        (["train/good/a.png", "train/hook/b.png"], "the folders 'train/hook'"),
        (["test/a.png", "test/b.png"], "every case belongs to test"),
        (["val/a.png", "test/b.png"], "every case belongs to test or validation"),
        (["bad/a.png", "defect/b.png"], "no case is left to learn from"),
        (["test/crack/a.png", "loose.png"], "1 file beside the folders"),
        (
            ["001.png", "002.png", "crack_1.png"],
            "1 file called faulty .'crack_1'. beside 2 files whose names say nothing",
        ),
        (["train/1.png", "train/ng_1.png"], "1 file called faulty"),
    ],
)
def test_what_names_leave_open_is_not_learned(tmp_path: Path, files: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        to_learn(tree(tmp_path, *files))
    assert "--normal" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "is_list"),
    [
        ("labels.csv", "file,label\n000.png,0\n001.png,1\n", True),
        ("list.txt", "img\\000.PNG 0\nimg\\001.png 1\n", True),
        ("vib.csv", "time,x\n000,1\n001,2\n", False),
        ("notes.txt", "000.png is dark\n001.png is not\nall is well\nand so\non and\non\n", False),
    ],
)
def test_a_list_of_files_in_a_folder_is_a_question_and_no_case(
    tmp_path: Path, name: str, text: str, is_list: bool
) -> None:
    tree(tmp_path, "000.png", "001.png", "002.png")
    (tmp_path / name).write_text(text)
    cases = read_cases(tmp_path)
    assert len(cases) == 3 + (not is_list)
    if is_list:
        with pytest.raises(DataError, match=f"'{name}' lists files of this folder, and may say which are faulty"):
            to_learn(cases)
    assert len(to_learn(cases, normal=["."]).cases) == len(cases)


def test_texts_about_the_data_are_no_cases(tmp_path: Path) -> None:
    cases = tree(tmp_path, "a.log", "b.txt", "README.md", "LICENSE.txt", "readme.log", "Read_me first.txt")
    assert [case.id for case in cases] == ["Read_me first", "a", "b"]


def test_many_tables_in_a_folder_are_the_data_and_not_looked_into(tmp_path: Path) -> None:
    cases = tree(tmp_path, *(f"{i}.csv" for i in range(4)), "000.png", "001.png")
    (tmp_path / "0.csv").write_text("file\n000.png\n001.png\n")
    assert len(read_cases(tmp_path)) == len(cases) == 6


def test_a_folder_that_is_said_to_be_normal_leaves_out_files_that_are_called_faulty(tmp_path: Path) -> None:
    assert ids(tree(tmp_path, "001.png", "002.png", "crack_1.png"), normal=["."]) == ["001", "002"]


def test_somebody_says_which_folders_are_normal(tmp_path: Path) -> None:
    cases = tree(tmp_path, "A/a.png", "A/deep/b.png", "B/c.png", "odd/d.png", "odd/bad/e.png", "odd/test/f.png")
    assert ids(cases, normal=["A"]) == ["A/a", "A/deep/b"]
    assert ids(cases, normal=["A", str(tmp_path / "B")]) == ["A/a", "A/deep/b", "B/c"]
    assert ids(cases, normal=["odd", "odd"]) == ["odd/d"]
    assert to_learn(cases, normal=["odd"]).left == {
        "they do not lie below odd": ("A/a", "A/deep/b", "B/c"),
        "they are labelled faulty, or lie in folders of faults": ("odd/bad/e",),
        "they belong to test, below odd": ("odd/test/f",),
    }
    with pytest.raises(DataError, match="--normal 'C' is no folder"):
        to_learn(cases, normal=["C"])


def test_a_folder_that_is_said_to_be_normal_may_leave_another_question(tmp_path: Path) -> None:
    cases = tree(tmp_path, "all/good/a.png", "all/hook/b.png", "plain/x/c.png", "plain/y/d.png")
    with pytest.raises(DataError, match="below all, 'hook' do not say"):
        to_learn(cases, normal=["all"])
    assert ids(cases, normal=["all", "all/hook"]) == ["all/good/a", "all/hook/b"]
    assert ids(cases, normal=["plain"]) == ["plain/x/c", "plain/y/d"]


def test_a_folder_named_like_the_beginning_of_another_is_another(tmp_path: Path) -> None:
    assert ids(tree(tmp_path, "A/a.png", "AB/b.png"), normal=["A"]) == ["A/a"]


def test_masks_beside_pictures_and_in_folders_find_their_pictures(tmp_path: Path) -> None:
    cases = tree(
        tmp_path, "good/1.png", "bad/2.png", "bad/2_mask.png", "bad/3.jpg", "masks/bad/3.png", "masks/lost.png",
        "bad/4.png", "bad/4_label.txt",
    )  # fmt: skip
    assert {c: p.relative_to(tmp_path).as_posix() for c, p in cases.extra["masks"].items()} == {
        "bad/2": "bad/2_mask.png",
        "bad/3": "masks/bad/3.png",
    }
    assert [case.id for case in cases] == ["bad/2", "bad/3", "bad/4", "bad/4_label", "good/1"]


@pytest.mark.parametrize("beside", [(), ("train/bad/b.png",), ("test/ok_front/t.png", "test/def_front/t.png")])
@pytest.mark.parametrize("name", ["def_front", "front_ng_left", "top view crack", "not_ok_front", "Defekte_Vorne"])
def test_a_word_of_faults_inside_the_name_of_a_folder_is_never_learned(
    tmp_path: Path, name: str, beside: tuple[str, ...]
) -> None:
    cases = tree(tmp_path, f"train/{name}/a.png", "train/ok_front/a.png", "train/ok_front/b.png", *beside)
    assert ids(cases) == ["train/ok_front/a", "train/ok_front/b"]
    assert {case.id: case.label for case in cases}[f"train/{name}/a"] == 1
    assert "1 case is not learned from: they are labelled faulty, or lie in folders of faults" in [
        line.replace("2 cases are", "1 case is") for line in to_learn(cases).lines
    ]


@pytest.mark.parametrize("names", [("ok_front", "def_front"), ("cam1_gut", "cam1_defekt")])
def test_words_inside_names_decide_alike_at_the_top_and_in_test(tmp_path: Path, names: tuple[str, str]) -> None:
    good, bad = names
    cases = tree(tmp_path, f"{good}/a.png", f"{bad}/b.png", f"test/{good}/c.png", f"test/{bad}/d.png")
    assert {case.id: (case.split, case.label) for case in cases} == {
        f"{good}/a": (None, 0),
        f"{bad}/b": (None, 1),
        f"test/{good}/c": ("test", 0),
        f"test/{bad}/d": ("test", 1),
    }
    assert ids(cases) == [f"{good}/a"]


def test_words_of_normal_things_inside_names_say_nothing_where_there_are_no_faults(tmp_path: Path) -> None:
    cases = tree(tmp_path, "io_board/a.png", "power_board/b.png")
    assert [case.split for case in cases] == ["io_board", "power_board"]
    with pytest.raises(DataError, match="do not say whether they are normal"):
        to_learn(cases)


@pytest.mark.parametrize("folder", ["hole_plate", "bad"])
def test_a_folder_of_faults_is_normal_where_somebody_says_so(tmp_path: Path, folder: str) -> None:
    cases = tree(tmp_path, f"{folder}/a.png", f"{folder}/ng/b.png", "other/c.png")
    found = to_learn(cases, normal=[folder])
    assert [(case.id, case.label) for case in found.cases] == [(f"{folder}/a", 0)]
    assert found.left["they are labelled faulty, or lie in folders of faults"] == (f"{folder}/ng/b",)
    named = to_learn(cases, normal=[folder, f"{folder}/ng"])
    assert [case.id for case in named.cases] == [f"{folder}/a", f"{folder}/ng/b"]


def masked(root: Path, marks: dict[str, int | None], form: str = "{}_label.bmp", mode: str = "L") -> Cases:
    """Pictures with masks that mark so many pixels, at the form of a path; None = no mask."""
    for name, mark in marks.items():
        for path, pixels in ((f"{name}.png", 7), (form.format(name), mark)):
            if pixels is None:
                continue
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            picture = Pillow.new(mode, (4, 4))
            if mode == "P":
                picture.putpalette([0, 0, 0, 255, 0, 0])
            for pixel in range(pixels):
                picture.putpixel((pixel % 4, pixel // 4), 1 if mode in ("L", "P", "1") else (0, 0, 1, 255)[: len(mode)])
            picture.save(root / path)
    return read_cases(root)


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGB"])
@pytest.mark.parametrize("form", ["{}_label.bmp", "ground_truth/{}.png"])
def test_an_empty_mask_is_a_normal_picture_and_another_a_faulty_one(tmp_path: Path, form: str, mode: str) -> None:
    cases = masked(tmp_path, {"kos01/P1": 0, "kos01/P2": 3, "kos02/P1": 0}, form, mode)
    assert {case.id: (case.split, case.label) for case in cases} == {
        "kos01/P1": (None, 0),
        "kos01/P2": (None, 1),
        "kos02/P1": (None, 0),
    }
    assert ids(cases) == ["kos01/P1", "kos02/P1"]
    assert ids(cases, normal=["kos01"]) == ["kos01/P1"]
    assert (
        "2 pictures with an empty mask taken as normal, 1 with one that marks something as faulty"
        in cases.extra["notes"]
    )


def test_masks_speak_below_train_and_not_against_folders(tmp_path: Path) -> None:
    cases = masked(tmp_path, {"train/P1": 0, "train/P2": 1, "bad/P3": 0, "test/P4": 0})
    assert {case.id: (case.split, case.label) for case in cases} == {
        "train/P1": ("train", 0),
        "train/P2": ("train", 1),
        "bad/P3": (None, 1),
        "test/P4": ("test", 0),
    }


def test_pictures_beside_those_with_a_mask_that_marks_something_are_learned(tmp_path: Path) -> None:
    assert ids(masked(tmp_path, {"1": None, "2": 4, "3": None})) == ["1", "3"]


def test_masks_none_of_which_is_empty_are_a_question(tmp_path: Path) -> None:
    cases = masked(tmp_path, {"train/1": 5, "train/2": 4})
    with pytest.raises(
        DataError, match=r"none of the masks of 2 pictures is empty.* say --normal DIR; nothing is learn"
    ):
        to_learn(cases)
    assert ids(cases, normal=["train"]) == ["train/1", "train/2"]


def test_a_mask_that_cannot_be_read_makes_no_normal_picture(tmp_path: Path) -> None:
    masked(tmp_path, {"a/1": 0, "a/2": 0})
    (tmp_path / "a/2_label.bmp").write_bytes(b"BM damaged")
    assert ids(read_cases(tmp_path)) == ["a/1"]


def test_of_a_manifest_train_is_learned_and_faulty_cases_never() -> None:
    cases = rows(("a", "train", None), ("b", "train", 1), ("c", "test", 0), ("d", None, 0), ("e", "validation", None))
    assert to_learn(cases).left == {
        "they are labelled faulty, or lie in folders of faults": ("b",),
        "they belong to test": ("c",),
        "they do not belong to train": ("d",),
        "they belong to validation": ("e",),
    }
    assert ids(cases) == ["a"]
    assert ids(cases, split="test") == ["c"]
    assert ids(rows(("a", None, None), ("b", None, None))) == ["a", "b"]
    assert ids(rows(("a", None, 0), ("b", None, 1), ("c", None, None))) == ["a"]
    assert ids(rows(("a", None, None), ("b", None, 1))) == ["a"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([("a", "fold 1", None)], "the splits 'fold 1' .1 case. do not say"),
        ([("a", "train", None), ("b", "fold 1", None)], "beside train do not say .*--split train to learn from train"),
        ([("a", "test", None)], "every case belongs to test"),
        ([("a", "test", None), ("b", None, None)], "have no split beside others of test"),
        ([("a", None, 1)], "no case is left"),
    ],
)
def test_what_a_manifest_leaves_open_is_not_learned(given: list, words: str) -> None:
    with pytest.raises(DataError, match=words):
        to_learn(rows(*given))


def test_usual_words_of_splits_and_labels_are_read_in_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(
        "id,text,split,label,line\na,x,Training,i.O.,1\nb,x,TRN,n.i.O.,1\nc,x,Evaluation,ok,2\nd,x,train,dunno,2\n"
    )
    cases = read_cases(tmp_path / "m.csv")
    assert [(c.split, c.label) for c in cases] == [("train", 0), ("train", 1), ("test", 0), ("train", None)]
    assert [(r.case_id, r.part) for r in cases.refused] == [("d", "label")]
    assert ids(cases) == ["a"]
    assert "their labels cannot be read" in " ".join(to_learn(cases).lines)
    assert ids(cases, split="line=1") == ["a"]
    assert ids(cases, split="split=Test") == ids(cases, split="eval") == ["c"]
    assert ids(cases, split="label=good") == ["a", "c"]
    for choice, words in (("line=3", "no case has line '3'; there are 1, 2"), ("lane=1", "no column 'lane'.*line"),
                          ("label=so so", "neither normal nor faulty")):  # fmt: skip
        with pytest.raises(DataError, match=words):
            to_learn(cases, split=choice)


def test_a_column_that_may_hold_labels_stops_the_fit_until_somebody_says(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("id,text,class\na,x,0\nb,x,1\n")
    cases = read_cases(tmp_path / "m.csv")
    with pytest.raises(DataError, match="are these labels"):
        to_learn(cases)
    assert ids(cases, split="class=0") == ["a"]


def test_cases_that_were_chosen_by_their_split_are_taken_and_faulty_ones_left_with_a_warning() -> None:
    cases = rows(("a", "fold 1", None), ("b", "fold 1", 1), ("c", "fold 2", None))
    with pytest.warns(RefusalWarning, match="1 case is not learned from: they are labelled faulty"):
        assert [c.id for c in learned_from(cases.where(split="fold 1"))] == ["a"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(learned_from(learned_from(cases.where(split="fold 2")))) == 1
    assert mmdmad.learning.question(cases)
