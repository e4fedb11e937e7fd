"""Manifests that name files in other capital letters than the disk has, or with another ending."""

from pathlib import Path

import pytest
from PIL import Image

from mmdmad.cases import Cases
from mmdmad.manifest import read_cases


def read(folder: Path, files: list[str], listed: list[str]) -> Cases:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / name, "png")
    rows = [f"{i},{name}" for i, name in enumerate(listed)]
    (folder / "cases.csv").write_text("\n".join(["id,image", *rows]) + "\n")
    return read_cases(folder / "cases.csv")


def found(cases: Cases) -> list[str]:
    return [str(case.parts["image"].path) for case in cases]


def test_files_that_differ_by_capitals_alone_are_found_and_told(tmp_path: Path) -> None:
    cases = read(tmp_path, ["Photos/A_1.JPG", "Photos/a_2.jpg"], ["photos/a_1.jpg", "Photos\\A_2.JPG"])
    assert found(cases) == [str(tmp_path / "Photos/A_1.JPG"), str(tmp_path / "Photos/a_2.jpg")]
    assert not cases.refused
    said = " | ".join(cases.extra["notes"])
    assert "2 files found under names that differ by capital letters alone" in said
    assert "the first 'Photos/A_1.JPG' for 'photos/a_1.jpg'" in said


def test_a_file_that_is_there_as_written_is_taken_as_written(tmp_path: Path) -> None:
    cases = read(tmp_path, ["a.jpg", "A.JPG"], ["a.jpg", "A.JPG"])
    assert found(cases) == [str(tmp_path / "a.jpg"), str(tmp_path / "A.JPG")]
    assert not any("capital" in note for note in cases.extra["notes"])


def test_of_several_that_differ_by_capitals_none_is_taken_and_all_are_named(tmp_path: Path) -> None:
    cases = read(tmp_path, ["A.JPG", "A.jpg", "b.png"], ["a.jpg", "b.png"])
    assert len(cases) == 1
    assert "no such file: a.jpg; there is 'A.JPG', 'A.jpg' instead" in cases.refused[0].reason


def test_a_file_with_another_ending_is_named(tmp_path: Path) -> None:
    cases = read(tmp_path, ["im/a.png", "b.png"], ["im/a.bmp", "im/c.bmp", "b.png"])
    assert "no such file: im/a.bmp; there is 'a.png' instead" in cases.refused[0].reason
    assert "instead" not in cases.refused[1].reason


@pytest.mark.parametrize("name", ["../OUT/a.png", "/etc/PASSWD"])
def test_no_folder_outside_is_listed(tmp_path: Path, name: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"x")
    cases = read(tmp_path / "in", ["b.png"], ["b.png", name])
    assert len(cases) == 1
    assert "instead" not in cases.refused[0].reason
