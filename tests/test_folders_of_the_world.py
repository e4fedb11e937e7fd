"""Folders as they are left: runs with a table and a log each, files of boxes, logs without an ending."""

from pathlib import Path

import pytest
from PIL import Image

from mmdmad.cases import Cases
from mmdmad.checking.sources import read_any
from mmdmad.errors import ManifestError
from mmdmad.learning import to_learn
from mmdmad.manifest import read_cases
from mmdmad.recordings import kind_of, recordings
from mmdmad.windows import Windows, cut

SYSLOG = "".join(f"Nov 29 06:{i:02d}:12 edge systemd[1]: unit {i} started\n" for i in range(40))


def runs(root: Path, count: int = 3, last: str = "") -> Path:
    for run in range(count):
        folder = root / f"run_{run}"
        folder.mkdir(parents=True)
        rows = [f"2026-11-0{run + 1} 09:{i // 60:02d}:{i % 60:02d},{i % 7}" for i in range(180)]
        (folder / "daq.csv").write_text("\n".join(["time,torque", *rows]) + "\n")
        lines = [f"2026-11-0{run + 1} 09:{i // 60:02d}:{i % 60:02d} step {i}" for i in range(3, 170, 20)]
        (folder / "operator.log").write_text("\n".join(lines) + "\n")
    if last:
        (root / "run_0" / last).write_text("time,a\n0,1\n1,2\n2,1\n")
    return root


def test_folders_of_a_table_and_a_log_each_are_recordings_with_both(tmp_path: Path) -> None:
    made = cut(read_cases(runs(tmp_path)), Windows.of("60s"))
    assert [case.pattern for case in made] == [("text", "sensor")] * 9
    assert {case.recording for case in made} == {"run_0", "run_1", "run_2"}
    assert any("each of 3 folders holds one table and one log" in note for note in made.extra["notes"])
    assert not any("cover the same times" in note for note in made.extra["notes"])
    first = made[0].parts["text"]
    assert (first.start, first.stop) == (0, 3)


@pytest.mark.parametrize(("count", "last"), [(1, ""), (3, "second.csv")])
def test_folders_that_are_not_alike_are_cut_file_by_file(tmp_path: Path, count: int, last: str) -> None:
    made = cut(read_cases(runs(tmp_path / "in", count, last)), Windows.of("60s"))
    assert all(len(case.parts) == 1 for case in made)
    assert not any("holds one table and one log" in note for note in made.extra["notes"])


def test_a_text_column_that_names_logs_is_told_how_it_should_be_called(tmp_path: Path) -> None:
    runs(tmp_path)
    (tmp_path / "cases.csv").write_text("id,sensor,text\na,run_0/daq.csv,run_0/operator.log\n")
    made = cut(read_cases(tmp_path / "cases.csv"), Windows.of("60s"))
    assert "if it names a log, call the column text_file" in made.refused[0].reason


def boxes(root: Path, images: str, labels: str, marked: tuple[int, ...], count: int = 12) -> Cases:
    for folder in (images, labels):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for i in range(count):
        Image.new("RGB", (8, 8), (i, 0, 0)).save(root / images / f"pcb_{i}.png")
        box = "1 0.42 0.56 0.18 0.12\n0 .1 .2 .1 .1\n" if i in marked else ""
        (root / labels / f"pcb_{i}.txt").write_text(box)
    return read_cases(root)


@pytest.mark.parametrize("labels", ["labels/train", "images/train"])
def test_pictures_with_boxes_are_not_learned_from(tmp_path: Path, labels: str) -> None:
    cases = boxes(tmp_path, "images/train", labels, (2, 5, 7))
    assert [case.id.rsplit("_", 1)[1] for case in cases if case.label == 1] == ["2", "5", "7"]
    assert all(case.pattern == ("image",) for case in cases)
    assert cases.extra["masks"] == {}
    said = " | ".join(cases.extra["notes"])
    assert "12 files of boxes say which pictures are marked; no pixels of them are compared" in said
    assert "9 pictures without a box in the label file taken as normal, 3 with boxes as faulty" in said
    assert "taken as masks" not in said
    assert len(to_learn(cases).cases) == 9
    assert len(to_learn(cases, normal=[str(tmp_path / "images")]).cases) == 9


def test_where_every_picture_has_boxes_a_manifest_is_asked_for(tmp_path: Path) -> None:
    cases = boxes(tmp_path, "images/train", "labels/train", tuple(range(12)))
    assert "each of 12 pictures has a box in its label file" in cases.extra["open"]
    assert "give a manifest with the columns id, image and label" in cases.extra["open"]


def test_words_beside_pictures_are_still_texts_of_their_cases(tmp_path: Path) -> None:
    for i in range(6):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{i}.png")
        (tmp_path / f"{i}.txt").write_text("1 0.5 0.5 0.1 0.1" if i else "belt 2 worn")
    assert all(case.pattern == ("image", "text") for case in read_cases(tmp_path))


@pytest.mark.parametrize("name", ["syslog", "messages", "gateway", "app.out", "trace.7"])
def test_a_log_without_a_known_ending_is_read_as_one(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(SYSLOG)
    assert kind_of(path) == "text"
    assert len(cut(recordings(path), Windows.of("entry"))) == 40
    [(_, cases)] = read_any([path])
    assert [case.pattern for case in cases] == [("text",)]


def test_other_files_without_an_ending_are_no_logs(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("all:\n\tmake it\n" * 20)
    (tmp_path / "core").write_bytes(SYSLOG.encode() + b"\0")
    assert kind_of(tmp_path / "Makefile") is None
    assert kind_of(tmp_path / "core") is None
    rows = [f"USGS\t0164\t2026-11-01 {i // 4:02d}:{15 * (i % 4):02d}\t{5 + i % 7}\t{3 + i % 5}" for i in range(40)]
    for name in ("gauge.rdb", "gauge"):  # a table whose lines hold times
        (tmp_path / name).write_text("\n".join(["agency\tsite\tdatetime\tflow\theight", *rows]) + "\n")
        assert kind_of(tmp_path / name) is None
    with pytest.raises(ManifestError, match=r"if it is a log, call it \.log"):
        recordings(tmp_path / "Makefile")


def test_logs_of_a_system_in_a_folder_are_cases(tmp_path: Path) -> None:
    for name in ("syslog", "auth", "README"):
        (tmp_path / name).write_text(SYSLOG)
    found = read_cases(tmp_path)
    assert [case.id for case in found] == ["auth", "syslog"]
    assert [one.case_id for one in found.refused] == ["README"]
