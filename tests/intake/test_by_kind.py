"""The short way in: folders, globs, files, arrays and DataFrames become cases, or are refused with what is allowed."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mmdmad import cases_from
from mmdmad.cases import Cases
from mmdmad.errors import ConfigError, DataError
from mmdmad.intake.joining import joined
from mmdmad.learning import to_learn
from mmdmad.parts import Sensor, read

GREY = np.full((4, 5), 7, np.uint8)


def pictures(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(GREY).save(folder / name)
    return folder


def ids(cases: Cases) -> list[str]:
    return [case.id for case in cases]


def test_a_folder_is_read_by_the_names_of_its_folders(tmp_path: Path) -> None:
    root = pictures(tmp_path / "b", "train/good/1.png", "test/crack/2.png", "ground_truth/crack/2_mask.png")
    (root / "train" / "good" / "1.txt").write_text("beside")
    cases = cases_from(images=str(root))
    assert {case.id: (case.split, case.label, case.pattern) for case in cases} == {
        "train/good/1": ("train", 0, ("image",)),
        "test/crack/2": ("test", 1, ("image",)),
    }
    assert ids(to_learn(cases).cases) == ["train/good/1"]


def test_globs_and_lists_of_paths_are_read_by_the_same_names(tmp_path: Path) -> None:
    root = pictures(tmp_path / "b", "train/good/1.png", "test/crack/2.png", "test/good/3.png")
    every = cases_from(images=f"{root}/*/*/*.png")
    assert ids(to_learn(every).cases) == ["train/good/1"]
    listed = cases_from(images=[root / "test/crack/2.png", root / "train/good/1.png"])
    assert [(case.id, case.label) for case in listed] == [("test/crack/2", 1), ("train/good/1", 0)]
    assert [case.label for case in cases_from(images=[f"{root}/test/crack/2.png", f"{root}/train/good/1.png"])] == [
        1,
        0,
    ]
    one = cases_from(images=root / "test/good/3.png")
    assert ids(one) == ["3"]
    assert read(one[0].parts["image"]).pixels.shape == (4, 5, 3)


def test_a_list_over_two_places_does_not_walk_what_lies_between(tmp_path: Path) -> None:
    root = pictures(tmp_path, "a/1.png", "b/2.png", "c/3.png")
    assert ids(cases_from(images=[root / "a/1.png", root / "b/2.png"])) == ["a/1", "b/2"]


def test_files_of_another_kind_are_refused_by_name(tmp_path: Path) -> None:
    root = pictures(tmp_path, "1.png")
    (root / "2.csv").write_text("time,flow\n0,1\n1,2\n")
    (root / "3.exe").write_text("x")
    cases = cases_from(images=[root / "1.png", root / "2.csv", root / "3.exe"])
    assert ids(cases) == ["1"]
    assert [(r.case_id, "give it as tables=" in r.reason, "allowed are .png" in r.reason) for r in cases.refused] == [
        ("2.csv", True, False),
        ("3.exe", False, True),
    ]
    with pytest.raises(DataError, match=r"holds no image; the first, 2\.csv"):
        cases_from(images=[root / "2.csv"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "nothing was given; give images, frames"),
        ({"images": "no/such"}, "is no file, folder or glob"),
        ({"images": "no/such/*.png"}, "matches no file"),
        ({"texts": "Seal replaced."}, "texts in memory are a list"),
        ({"images": []}, "images is empty"),
        ({"images": [None, None]}, "nothing but None"),
        ({"images": GREY.reshape(1, 4, 5)}, r"shape \(1, 4, 5\) is one or several"),
        ({"tables": {"a": "x"}}, "'a' is of the type builtins.str; give DataFrames"),
        ({"images": [Path("a.png"), GREY]}, "give arrays"),
        ({"texts": [1]}, "give a list of strings"),
        ({"texts": {1: "a", "1": "b"}}, "the same as words"),
        ({"frames": "no/such", "rates": {"video": 5}}, "is no folder"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_what_is_allowed(given: dict, said: str) -> None:
    with pytest.raises(DataError, match=said):
        cases_from(**given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"frames": [np.zeros((2, 4, 4), np.uint8)]}, r"how many frames a second .* rates="),
        ({"frames": "a", "videos": "b"}, "both frames and videos"),
        ({"texts": ["a"], "rates": {"text": 5}}, "give rows or frames a second of sensor, video"),
        ({"texts": ["a"], "rates": {"video": -1}}, "a rate of -1"),
        ({"texts": ["a"], "step": "30s"}, "a step was given without a window"),
    ],
)
def test_wrong_options_say_what_is_allowed(given: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        cases_from(**given)


def test_values_in_memory_get_their_positions_or_their_own_ids() -> None:
    assert ids(cases_from(images=np.zeros((11, 4, 4, 3), np.uint8)))[:3] == ["00", "01", "02"]
    assert ids(cases_from(tables={"pump": pd.DataFrame({"flow": [1.0, 2.0]})})) == ["pump"]
    assert ids(cases_from(texts=pd.Series(["a", None, "c"], index=["x", "y", "z"]))) == ["x", "z"]
    assert ids(cases_from(texts=pd.Series(["a", "b"]))) == ["0", "1"]
    assert [case.split for case in cases_from(texts=np.array(["a", "b"]), split="Testing")] == ["test", "test"]
    assert ids(cases_from(tables=np.zeros((3, 20, 2)))) == ["0", "1", "2"]
    assert ids(cases_from(tables=np.zeros((20, 2)))) == ["0"]
    clip = cases_from(videos=np.zeros((2, 6, 4, 4, 3), np.uint8), rates={"video": 5})
    assert read(clip[1].parts["video"]).fps == 5
    assert ids(cases_from(images=[Image.fromarray(GREY)])) == ["0"]


def test_a_text_that_names_a_file_is_a_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app.log").write_text("job done\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"'app.log', which is the name of a file; give pathlib.Path"):
        cases_from(texts=["job done", "app.log"])
    assert read(cases_from(texts=[Path("app.log")])[0].parts["text"]).text == "job done\n"
    assert read(cases_from(texts="app.log")[0].parts["text"]).text == "job done\n"


def test_kinds_are_paired_by_position_by_id_or_by_name(tmp_path: Path) -> None:
    root = pictures(tmp_path / "img", "1.png", "2.png", "4.png")
    (tmp_path / "notes").mkdir()
    for name in ("1", "2", "3"):
        (tmp_path / "notes" / f"{name}.txt").write_text(f"piece {name}")
    cases = cases_from(images=root, texts=tmp_path / "notes")
    assert {case.id: case.pattern for case in cases} == {
        "1": ("image", "text"),
        "2": ("image", "text"),
        "4": ("image",),
        "3": ("text",),
    }
    assert cases.extra["notes"] == ("2 of 4 cases lack one of images, texts",)
    assert all(part.case_id == case.id for case in cases for part in case.parts.values())
    by_place = cases_from(images=np.zeros((2, 4, 4, 3), np.uint8), texts=[None, "b"])
    assert [(case.id, case.pattern) for case in by_place] == [("0", ("image",)), ("1", ("image", "text"))]
    by_id = cases_from(images={"b": GREY, "a": GREY}, texts={"a": "one", "b": "two"})
    assert by_id[0].parts["text"].value == "two"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["a", "b"], r"different lengths were given: images \(3\), texts \(2\)"),
        ({"x": "a", "y": "b"}, "images are numbered, the others of images .3., texts .2. have names"),
    ],
)
def test_what_cannot_be_paired_is_refused(texts: object, said: str) -> None:
    with pytest.raises(DataError, match=said):
        cases_from(images=np.zeros((3, 4, 4, 3), np.uint8), texts=texts)
    with pytest.raises(DataError, match=r"no.* name in common"):
        cases_from(images={"a": GREY, "b": GREY}, texts={"c": "x", "d": "y"})


def test_one_of_each_kind_is_one_case_with_the_name_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("2026-05-01 12:00:00 started\n2026-05-01 12:00:05 done\n")
    pd.DataFrame({"time": pd.date_range("2026-05-01 12:00", periods=9, freq="s"), "flow": range(9)}).to_csv(
        tmp_path / "pump.csv", index=False
    )
    cases = cases_from(texts=tmp_path / "app.log", tables=tmp_path / "pump.csv")
    assert [(case.id, case.pattern) for case in cases] == [("pump", ("text", "sensor"))]
    assert cases.extra["notes"] == ("pump and app are taken as parts of one case, for there is one of each kind",)
    assert cases_from(texts=["a"], images=[GREY]).extra["notes"] == ()


def test_parts_that_say_different_things_of_a_label_are_refused(tmp_path: Path) -> None:
    good, bad = tmp_path / "x" / "a" / "good", tmp_path / "y" / "a" / "bad"
    pictures(good, "1.png", "2.png")
    bad.mkdir(parents=True)
    (bad / "1.txt").write_text("cracked")
    (bad / "2.txt").write_text("cracked")
    one, two = cases_from(images=good.parents[1]), cases_from(texts=bad.parents[1])
    assert (ids(one), [c.label for c in one]) == (["a/good/1", "a/good/2"], [0, 0])
    assert [c.label for c in two] == [1, 1]
    renamed = Cases(
        tuple(type(c)(c.id.replace("bad", "good"), c.parts, label=c.label) for c in two), (), None, two.extra
    )
    both = joined({"images": one, "texts": renamed})
    assert [r.reason for r in both.refused] == ["its parts say different things of its label: 0 and 1"] * 2
    assert len(both) == 0


def table(rows: int = 120, begin: str = "2026-05-01 12:00") -> pd.DataFrame:
    times = pd.date_range(begin, periods=rows, freq="s")
    return pd.DataFrame({"time": times, "flow": np.arange(rows) % 20.0})


def test_a_long_table_in_memory_is_cut_into_windows() -> None:
    cases = cases_from(tables={"pump": table()}, window="30s", split="train")
    assert ids(cases)[1] == "pump@2026-05-01T12:00:30"
    assert {case.recording for case in cases} == {"pump"}
    assert {case.split for case in cases} == {"train"}
    window: Sensor = read(cases[1].parts["sensor"])
    assert window.start == datetime(2026, 5, 1, 12, 0, 30)
    assert window.values[:3, 0].tolist() == [10.0, 11.0, 12.0]
    assert len(cases_from(tables=table(), window="30s", step="15s")) == 7


def test_dates_are_decided_over_the_whole_table_and_not_in_each_window() -> None:
    days = [f"{day:02d}/05/2026" for day in range(1, 29)]  # only from the 13th on is the order decided
    cases = cases_from(tables={"d": pd.DataFrame({"time": days, "flow": np.arange(28.0)})}, window="7d")
    assert [case.time for case in cases][:2] == [datetime(2026, 5, 1), datetime(2026, 5, 8)]
    assert all(len(read(case.parts["sensor"]).times) == 7 for case in cases)


def test_a_table_that_cannot_be_read_is_refused_and_the_others_are_cut() -> None:
    broken = pd.DataFrame({"time": ["x", "y"], "flow": [np.inf, 1.0]})
    cases = cases_from(tables={"pump": table(), "broken": broken}, window="30s")
    assert len(cases) == 4
    assert [r.case_id for r in cases.refused] == ["broken"]


def test_folders_of_frames_are_clips_and_the_folders_around_them_say_what_is_learned(tmp_path: Path) -> None:
    pictures(tmp_path, *(f"Train/T001/{i}.png" for i in range(3)), *(f"Test/T001/{i}.png" for i in range(3)))
    pictures(tmp_path, *(f"Test/T001_gt/{i}.png" for i in range(3)))
    cases = cases_from(frames=tmp_path, rates={"video": 10})
    assert [(case.id, case.split, case.group) for case in cases] == [
        ("Test/T001", "test", "Test"),
        ("Train/T001", "train", "Train"),
    ]
    assert cases.extra["notes"] == ("1 folder taken as masks, by name, and not as clips",)
    assert ids(to_learn(cases).cases) == ["Train/T001"]
    assert read(cases[0].parts["video"]).n_frames == 3
    alone = cases_from(frames=str(tmp_path / "Train" / "T001"), rates={"video": 10})
    assert ids(alone) == ["T001"]
    both = cases_from(frames=[tmp_path / "Train" / "T001", tmp_path / "Test"], rates={"video": 10})
    assert ids(both) == ["Train/T001", "Test/T001"]
    with pytest.raises(ConfigError, match=r"clip Test/T001: nothing says how many a second .* rates=\{'video': 25\}"):
        cases_from(frames=tmp_path)
    timed = pictures(tmp_path / "timed", *(f"20260301_06150{i}_000.png" for i in range(4)))
    assert read(cases_from(frames=timed)[0].parts["video"]).times.tolist() == [0, 1, 2, 3]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        cases_from(frames=tmp_path / "empty", rates={"video": 10})


def test_a_manifest_is_for_read_cases(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("id,text\na,x\n")
    with pytest.raises(DataError, match="lists cases; read it with read_cases"):
        cases_from(tables=tmp_path / "m.csv")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "manifest.csv").write_text("id,text,image\na,x,\nb,,p.png\n")
    pictures(tmp_path / "folder", "p.png")
    cases = cases_from(images=tmp_path / "folder")
    assert ids(cases) == ["b"]
    assert "1 of 2 cases in folder have no image" in cases.extra["notes"]
