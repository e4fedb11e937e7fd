"""What lies in a folder beside its cases, names that answer, files that cannot be read, recordings of one time."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdmad import windows
from mmdmad.cases import Case, Cases, Part
from mmdmad.checking import check
from mmdmad.learning import question, to_learn
from mmdmad.manifest import read_cases
from mmdmad.windows import Windows, cut

NOON = datetime(2026, 5, 1, 12)


def picture(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(path)


@pytest.mark.parametrize("name", ["Notizen.txt", "sub/camera.txt", "log.log"])
def test_a_text_alone_beside_pictures_is_no_case_and_is_told(tmp_path: Path, name: str) -> None:
    for i in range(6):
        picture(tmp_path / f"a{i}.png", 20 * i)
    (tmp_path / "sub").mkdir()
    (tmp_path / name).write_text("camera 2, light on\n")
    cases = read_cases(tmp_path)
    assert {case.pattern for case in cases} == {("image",)}
    assert f"{name!r} stands alone beside pictures and is no case" in cases.extra["notes"]


@pytest.mark.parametrize("texts", [["a0.txt"], ["x.txt", "y.txt", "z.txt"]])
def test_texts_of_pictures_and_many_texts_are_cases(tmp_path: Path, texts: list[str]) -> None:
    for i in range(6):
        picture(tmp_path / f"a{i}.png", 20 * i)
    for name in texts:
        (tmp_path / name).write_text("seal replaced\n")
    assert sum("text" in case.parts for case in read_cases(tmp_path)) == len(texts)


def test_names_answer_what_folders_of_lots_leave_open(tmp_path: Path) -> None:
    for lot in ("Lot_1", "Lot_2"):
        for i in range(4):
            picture(tmp_path / lot / f"SN{i}_{'NG' if i == 2 else 'OK'}.png", 20 * i)
    cases = read_cases(tmp_path)
    assert question(cases) == ""
    assert sorted(case.id for case in to_learn(cases).cases) == [
        f"{p}/SN{i}_OK" for p in ("Lot_1", "Lot_2") for i in (0, 1, 3)
    ]
    picture(tmp_path / "Lot_2" / "SN9.png", 7)
    assert "whose names say nothing" in question(read_cases(tmp_path))


def test_what_cannot_be_read_does_not_count_among_the_cases_to_learn_from(tmp_path: Path) -> None:
    for i in range(6):
        picture(tmp_path / f"a{i}.png", 20 * i)
    (tmp_path / "b.png").write_bytes(b"")
    assert check(read_cases(tmp_path), estimate=False).learned == 6
    report = check(Cases(tuple(case for case in read_cases(tmp_path) if case.id == "b")), estimate=False)
    assert report.learned == 0
    assert [note.said for note in report.stops] == [
        "none of the cases to learn from can be read; the reasons stand below"
    ]


def recorded(folder: Path, name: str, channel: str, minutes: int = 0) -> Case:
    rows = [f"{NOON + timedelta(minutes=minutes, seconds=i)},{i % 7}" for i in range(120)]
    (folder / f"{name}.csv").write_text("\n".join([f"time,{channel}", *rows]) + "\n")
    return Case(name, {"sensor": Part("sensor", folder / f"{name}.csv", case_id=name)})


def told(*cases: Case) -> list[str]:
    made = cut(Cases(cases), Windows.of("30s"))
    return [note for note in made.extra["notes"] if "cover the same times" in note]


def test_recordings_of_other_kinds_that_cover_the_same_times_are_told_with_how_to_join_them(tmp_path: Path) -> None:
    log = tmp_path / "rack.log"
    log.write_text("".join(f"{NOON + timedelta(seconds=5 * i)} ok\n" for i in range(24)))
    text = Case("rack", {"text": Part("text", log, case_id="rack")})
    (note,) = told(recorded(tmp_path, "temps", "heat"), recorded(tmp_path, "vib", "speed"), text)
    assert note.startswith("rack, temps, vib cover the same times")
    assert "mmdmad cases make OUT --sensor TABLE --text LOG" in note


def test_machines_side_by_side_and_recordings_one_after_the_other_are_not(tmp_path: Path) -> None:
    assert not told(recorded(tmp_path, "pump1", "heat"), recorded(tmp_path, "pump2", "heat"))
    assert not told(recorded(tmp_path, "temps", "heat"), recorded(tmp_path, "vib", "speed", minutes=10))


def test_many_recordings_and_clocks_with_and_without_a_zone_are_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = recorded(tmp_path, "temps", "heat"), recorded(tmp_path, "vib", "speed")
    monkeypatch.setattr(windows, "BESIDE", 2)
    assert len(told(*two)) == 1
    monkeypatch.setattr(windows, "BESIDE", 1)
    assert told(*two) == []
    monkeypatch.undo()
    rows = [f"{NOON + timedelta(seconds=i)}Z,{i % 7}" for i in range(120)]
    (tmp_path / "zoned.csv").write_text("\n".join(["time,flow", *rows]) + "\n")
    zoned = Case("zoned", {"sensor": Part("sensor", tmp_path / "zoned.csv", case_id="zoned")})
    assert told(two[0], zoned) == []  # nobody knows how far apart these are
