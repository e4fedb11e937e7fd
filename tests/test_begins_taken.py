"""Where nothing says when a part began, what is taken for it is said, and never told like something measured."""

from pathlib import Path

import numpy as np

from mmdmad.cases import Case, Cases, Part
from mmdmad.parts import Sensor
from mmdmad.windows import Windows, cut


def elapsed(rows: int, step: float) -> Part:
    times = np.arange(rows) * step
    return Part("sensor", value=Sensor(times[:, None] + 0.5, times, ("pH",), ("",)))


def undated(folder: Path, begin: int, seconds: int) -> Part:
    path = folder / "lab.log"
    lines = [f"[{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}] dosed" for at in range(begin, begin + seconds, 7)]
    path.write_text("\n".join(lines) + "\n")
    return Part("text", path)


def notes(window: str = "20s", offsets: dict[str, str | float] | None = None, **parts: Part) -> list[str]:
    made = cut(Cases((Case("lab", parts),)), Windows.of(window, None, offsets))
    return list(made.extra["notes"])


def test_elapsed_seconds_beside_times_of_day_are_said_to_be_laid_on_the_first_of_them(tmp_path: Path) -> None:
    told = notes(sensor=elapsed(120, 1.0), text=undated(tmp_path, 37_800, 100))
    assert (
        "lab: the sensor has no times of day of its own and is taken to begin with the text, at 10:30:00 of its clock "
        "(which has no date); --offset sensor=2.5s moves it"
    ) in told
    assert "lab: the sensor lasts 22 s longer than the text (120 s, 98 s)" in told
    assert not any("begins +0" in note for note in told)


def test_an_offset_that_somebody_gave_is_no_guess(tmp_path: Path) -> None:
    told = notes("20s", {"sensor": "-5s"}, sensor=elapsed(120, 1.0), text=undated(tmp_path, 37_800, 100))
    assert not any("is taken to begin" in note for note in told)
    assert any(note.startswith("lab: the sensor begins -5 s and ends") for note in told)


def test_two_parts_without_any_clock_are_said_to_be_laid_together() -> None:
    clip = Part("video", value=np.zeros((40, 8, 8, 3), np.uint8), rate=2.0)
    told = notes("5s", sensor=elapsed(200, 0.1), video=clip)
    assert (
        "lab: nothing says when the sensor and the video began: they are taken to begin together; --offset sensor=2.5s "
        "moves it"
    ) in told
    assert not any("is taken to begin" in note for note in notes("5s", {"sensor": 1.0}, sensor=elapsed(200, 0.1)))
