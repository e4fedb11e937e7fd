"""Frames of clips in a folder each are one recording a folder, in the fit too; other folders of pictures are not."""

from pathlib import Path, PurePath

import numpy as np
import pytest
from PIL import Image

from mmdmad.folder_clips import FEWEST, clips, note_of_clips
from mmdmad.manifest import read_cases
from mmdmad.pipeline.units import units_of

FRAMES = [f"{i:03d}" for i in range(12)]


def found(**folders):
    return {str(one) for one in clips({PurePath(name.replace("__", "/")): stems for name, stems in folders.items()})}


def test_folders_of_one_name_and_pictures_in_a_row_are_clips():
    assert found(Train001=FRAMES, Train002=FRAMES) == {"Train001", "Train002"}
    assert found(a__c1=FRAMES, a__C2=[f"img_{i}" for i in range(5, 25)]) == {"a/c1", "a/C2"}
    assert found(c1=FRAMES[:FEWEST], c2=FRAMES) == {"c1", "c2"}
    assert found(c1=[f"{2 * i}" for i in range(12)], c2=FRAMES) == {"c1", "c2"}


@pytest.mark.parametrize(
    "folders",
    [
        {"Train001": FRAMES},
        {"good": FRAMES, "crack": FRAMES},
        {"a__c1": FRAMES, "b__c2": FRAMES},
        {"cam1": FRAMES, "lot2": FRAMES},
        {"c1": FRAMES, "c2": FRAMES[: FEWEST - 1]},
        {"c1": FRAMES, "c2": [f"{3 * i}" for i in range(12)]},
        {"c1": FRAMES, "c2": [*FRAMES, "overview"]},
        {"c1": FRAMES, "c2": [f"{chr(97 + i)}{i}" for i in range(12)]},
        {"c1": FRAMES, "c2": [*FRAMES[:-1], "0000"]},
    ],
)
def test_others_are_not(folders):
    assert found(**folders) == set()


def test_pictures_of_a_clip_stay_together_from_the_folder_to_the_split(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for clip in range(6):
        folder = tmp_path / f"Train{clip:03d}"
        folder.mkdir()
        for i in range(10):
            Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).save(folder / f"{i:03d}.png")
    cases = read_cases(tmp_path)
    assert {case.recording for case in cases} == {f"Train{clip:03d}" for clip in range(6)}
    assert note_of_clips({PurePath(f"Train{clip:03d}") for clip in range(6)}) in cases.extra["notes"]
    units = units_of(cases.items, 5)
    assert (units.kind, len(set(units.of))) == ("recording", 6)
    assert len({(case.recording, unit) for case, unit in zip(cases, units.of, strict=True)}) == 6
