"""The names of frames hold their times: gaps stay gaps, and what only looks like a time is none."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import PartError
from mmdmad.parts import Video, read
from mmdmad.parts.frame_times import times_in
from mmdmad.windows import Windows, cut


def folder(at: Path, names: list[str]) -> Path:
    at.mkdir()
    for i, name in enumerate(names):
        Pillow.fromarray(np.full((16, 16, 3), 5 * i % 250, np.uint8)).save(at / name)
    return at


def stamps(seconds: list[float]) -> list[str]:
    start = np.datetime64("2026-03-01T06:15:00.000", "ms")
    words = [str(start + np.timedelta64(round(1000 * s), "ms")) for s in seconds]
    return ["cam_" + word.replace("-", "").replace(":", "").replace("T", "_").replace(".", "_") for word in words]


@pytest.mark.parametrize(
    "names",
    [
        ["20260301_061500", "20260301_061502"],
        ["IMG-2026-03-01T06-15-00Z", "IMG-2026-03-01T06-15-02Z"],
        ["1772345700", "1772345702"],
        ["f_1772345700000_a", "f_1772345702000_a"],
        ["2026.03.01 06h15m00s", "2026.03.01 06h15m02s"],
    ],
)
def test_times_are_found_in_every_form(names: list[str]) -> None:
    found = times_in([f"{name}.png" for name in names])
    assert found is not None
    assert (found.times.tolist(), found.start.isoformat()[:19]) == ([0.0, 2.0], "2026-03-01T06:15:00")


@pytest.mark.parametrize(
    "names",
    [
        ["frame_00001", "frame_00002"],
        ["20260301_000001", "20260301_000002", "20260301_000003"],  # a day and the numbers of its frames
        ["20260301_061502", "20260301_061500"],
        ["20260301_061500", "last"],
        ["20260231_061500", "20260231_061501"],
        ["20260301061500_20260302061500", "20260301061501_20260302061500"],
    ],
)
def test_what_is_no_time_is_none(names: list[str]) -> None:
    assert times_in([f"{name}.png" for name in names]) is None


def test_frames_keep_their_times_and_gaps(tmp_path: Path) -> None:
    seconds = [0.0, 0.5, 1.0, 1.5, 10.0, 10.5]
    cam = folder(tmp_path / "cam", [f"{name}.png" for name in stamps(seconds)])
    for rate in (None, 2.0):
        clip = read(Part("video", cam, rate=rate))
        assert isinstance(clip, Video)
        assert clip.times.tolist() == seconds
        assert str(clip.began) == "2026-03-01 06:15:00"
        assert clip.notes == ("the names of its 6 frames hold their times",)
    late = read(Part("video", cam, start=4, stop=6))
    assert (str(late.began), late.times.tolist()) == ("2026-03-01 06:15:10", [0.0, 0.5])


def test_a_rate_counts_where_names_tell_another_or_share_seconds(tmp_path: Path) -> None:
    cam = folder(tmp_path / "cam", [f"{name}.png" for name in stamps([0.0, 2.0, 4.0])])
    clip = read(Part("video", cam, rate=25.0))
    assert clip.times.tolist() == [0.0, 0.04, 0.08]
    assert "0.5 a second, but 25 a second were given and count" in clip.notes[0]
    shared = folder(tmp_path / "shared", [f"20260301_061500_f{i}.png" for i in range(3)])
    with pytest.raises(PartError, match="how many a second"):
        read(Part("video", shared))
    clip = read(Part("video", shared, rate=10.0))
    assert (clip.times.tolist(), str(clip.began)) == ([0.0, 0.1, 0.2], "2026-03-01 06:15:00")


def test_windows_take_frames_by_their_names(tmp_path: Path) -> None:
    table = tmp_path / "pump.csv"
    table.write_text("time,x\n" + "".join(f"2026-03-01 06:{14 + i // 60}:{i % 60:02d},{i % 7}\n" for i in range(180)))
    cam = folder(tmp_path / "cam", [f"{name}.png" for name in stamps([4.0 * i for i in range(20)])])
    whole = Cases((Case("pump", {"sensor": Part("sensor", table), "video": Part("video", cam)}),))
    made = cut(whole, Windows.of("60s"))
    assert [(c.parts["video"].start, c.parts["video"].stop) if "video" in c.parts else None for c in made] == [
        None,
        (0, 15),
        (15, 20),
    ]
