import io
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Video, content_key, read

FRAMES = np.zeros((40, 48, 64, 3), np.uint8)
for i in range(40):
    FRAMES[i] = 6 * i
CODECS = [
    ("a.mp4", "libx264", {"x264-params": "open-gop=1:keyint=10:bframes=3"}),
    ("a.mkv", "libx264", {"x264-params": "open-gop=1:keyint=10:bframes=3"}),
    ("a.webm", "libvpx-vp9", {}),
    ("a.avi", "mpeg4", {}),
    ("b.avi", "mjpeg", {}),
    ("a.mov", "mpeg2video", {"bf": "2"}),
    ("a.ts", "libx264", {}),
    ("a.mpg", "mpeg2video", {}),
    ("a.flv", "flv1", {}),
    ("a.wmv", "wmv2", {}),
]


def write(path: Path, codec: str, options: dict[str, str], stamps: list[int] | None = None) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options=options)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.gop_size = 10
        if stamps is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for i, pixels in enumerate(FRAMES if stamps is None else FRAMES[: len(stamps)]):
            frame = av.VideoFrame.from_ndarray(pixels)
            if stamps is not None:
                frame.pts, frame.time_base = stamps[i], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def video(given: object, **how: object) -> Video:
    part = Part("video", given, **how) if isinstance(given, Path) else Part("video", value=given, **how)  # type: ignore[arg-type]
    signal = read(part)
    assert isinstance(signal, Video)
    return signal


def level(pixels: np.ndarray) -> float:
    return float(pixels.mean()) / 6


@pytest.mark.parametrize(("name", "codec", "options"), CODECS, ids=[f"{n}-{c}" for n, c, _ in CODECS])
def test_every_container_gives_every_frame_at_its_time(tmp_path, name, codec, options, capfd) -> None:
    path = write(tmp_path / name, codec, options)
    capfd.readouterr()  # the encoders talk
    clip = video(path)
    assert (clip.n_frames, clip.height, clip.width) == (40, 48, 64)
    assert clip.fps == pytest.approx(10, rel=0.01)
    assert clip.duration == pytest.approx(4, rel=0.01)
    seen = list(clip.frames())
    assert [i for i, _, _ in seen] == list(range(40))
    np.testing.assert_allclose([t for _, t, _ in seen], np.arange(40) / 10, atol=2e-3)
    assert np.abs([level(p) - i for i, _, p in seen]).max() < 0.9
    # Random access gives the very frames that playing gives, wherever the key frames lie.
    for i in (0, 1, 9, 10, 11, 19, 23, 31, 39):
        np.testing.assert_array_equal(clip.frame_at(clip.times[i]), seen[i][2])
    cut = video(path, start=21, stop=30)
    assert cut.n_frames == 9
    for i, t, p in cut.frames(every=4):
        assert t == pytest.approx(i / 10, abs=2e-3)
        np.testing.assert_array_equal(p, seen[21 + i][2])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_variable_frame_rate(tmp_path: Path, suffix: str) -> None:
    stamps = [0, 40, 80, 1000, 1040, 3000]
    clip = video(write(tmp_path / f"a{suffix}", "libx264", {}, stamps))
    np.testing.assert_allclose(clip.times, np.array(stamps) / 1000, atol=1e-3)
    assert [round(level(clip.frame_at(t))) for t in (0, 0.06, 0.9, 1.0, 2.9, 99)] == [0, 1, 2, 3, 4, 5]
    assert level(clip.frame_at(-1)) == pytest.approx(0, abs=0.5)
    assert clip.fps == pytest.approx(5 / 3, rel=0.01)


def test_a_turned_clip_is_shown_upright(tmp_path: Path) -> None:
    data = bytearray(write(tmp_path / "a.mp4", "libx264", {}).read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 16  # the display matrix of a version-0 track header
    one = 1 << 16
    quarter = [0, one, 0, -one, 0, 0, 0, 0, 1 << 30]
    data[at : at + 36] = b"".join(n.to_bytes(4, "big", signed=True) for n in quarter)
    (tmp_path / "b.mp4").write_bytes(data)
    turned = video(tmp_path / "b.mp4")
    assert (turned.height, turned.width) == (64, 48)


def test_a_mirrored_clip_is_shown_mirrored_and_not_turned(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    left = np.zeros((48, 64, 3), np.uint8)
    left[:24, :20] = 255  # bright at upper left
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(left)))
        container.mux(stream.encode())
    data = bytearray(path.read_bytes())
    at, one = data.index(b"tkhd") + 4 + 4 + 20 + 16, 1 << 16
    bright = {
        (one, 0, 0, 0, one, 0, 0, 0, 1 << 30): (slice(4, 20), slice(4, 16)),
        (-one, 0, 0, 0, one, 0, 0, 0, 1 << 30): (slice(4, 20), slice(48, 60)),
        (one, 0, 0, 0, -one, 0, 0, 0, 1 << 30): (slice(28, 44), slice(4, 16)),
        (-one, 0, 0, 0, -one, 0, 0, 0, 1 << 30): (slice(28, 44), slice(48, 60)),
        (0, one, 0, -one, 0, 0, 0, 0, 1 << 30): (slice(4, 16), slice(28, 44)),
        (0, one, 0, one, 0, 0, 0, 0, 1 << 30): (slice(4, 16), slice(4, 20)),
        (0, -one, 0, one, 0, 0, 0, 0, 1 << 30): (slice(48, 60), slice(4, 20)),
    }
    for matrix, (rows, columns) in bright.items():
        data[at : at + 36] = b"".join(n.to_bytes(4, "big", signed=True) for n in matrix)
        (tmp_path / "b.mp4").write_bytes(data)
        frame = video(tmp_path / "b.mp4").frame_at(0.0)
        assert frame.shape == ((48, 64, 3) if matrix[0] else (64, 48, 3))
        assert frame[rows, columns].mean() > 240, matrix
        assert frame.mean() < 60


def test_a_folder_of_frames_in_natural_order(tmp_path: Path) -> None:
    for i in range(12):
        Pillow.fromarray(FRAMES[i]).save(tmp_path / f"frame{i}.png")
    for other in ("notes.txt", ".hidden.png", "._frame1.png", "Thumbs.db", "frame1.xmp", "frame1.THM", "index00.bin"):
        (tmp_path / other).write_text("x")
    clip = video(tmp_path, rate=5.0)
    assert (clip.n_frames, clip.fps, round(clip.duration, 9)) == (12, 5.0, 2.4)
    assert [round(level(p)) for _, _, p in clip.frames()] == list(range(12))
    assert [t for _, t, _ in clip.frames(every=5)] == [0.0, 1.0, 2.0]
    assert round(level(video(tmp_path, start=9, rate=5.0).frame_at(0))) == 9
    with pytest.raises(PartError, match=r"how many a second the 12 pictures .* column video_rate"):
        video(tmp_path)


def test_streams_without_times_take_the_rate_of_their_part_or_say_what_was_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.mjpeg"
    with av.open(str(path), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for frame in FRAMES[:5]:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode())
    taken, told = video(path), video(path, rate=10.0)
    assert "carries no times" in taken.notes[0]
    assert (told.notes, told.fps, told.times.tolist()) == ((), 10.0, [0.0, 0.1, 0.2, 0.3, 0.4])
    assert "25 are taken" in video(FRAMES).notes[0]
    assert Video.from_array(FRAMES, 8.0).notes == ()


def test_arrays_in_memory_and_on_disk(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", FRAMES)
    np.save(tmp_path / "grey.npy", FRAMES[..., 0])
    np.savez_compressed(tmp_path / "a.npz", frames=FRAMES, fps=8)
    np.savez(tmp_path / "only.npz", FRAMES)
    for given, how in (
        (FRAMES, {}),
        (FRAMES[..., 0], {}),
        (FRAMES[..., :1], {}),
        (Video.from_array(FRAMES, 8), {}),
        (tmp_path / "a.npy", {}),
        (tmp_path / "grey.npy", {}),
        (tmp_path / "only.npz", {}),
        (tmp_path / "a.npz", {}),
    ):
        clip = video(given, **how)
        np.testing.assert_array_equal([p for _, _, p in clip.frames()], FRAMES)
        np.testing.assert_array_equal(video(given, start=7, stop=9).frame_at(0.0), FRAMES[7])
    assert video(tmp_path / "a.npz").fps == pytest.approx(8)
    assert video(FRAMES, rate=4.0).duration == pytest.approx(10)
    np.testing.assert_array_equal(video(tmp_path / "a.npz").frame_at(2.0), FRAMES[16])


def test_two_readers_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    clip = video(write(tmp_path / "a.mp4", "libx264", {}))
    first, second = clip.frames(), clip.frames(every=2)
    pairs = [(next(first)[0], next(second)[0]) for _ in range(5)]
    assert pairs == [(0, 0), (1, 2), (2, 4), (3, 6), (4, 8)]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak memory of a process from /proc")
def test_the_clip_is_never_whole_in_memory(tmp_path: Path) -> None:
    """A stored clip of 300 MB is read with a peak of a few frames."""
    with open(tmp_path / "a.npy", "wb") as file:
        head = {"descr": "|u1", "fortran_order": False, "shape": (300, 1000, 1000)}
        np.lib.format.write_array_header_1_0(file, head)
        file.truncate(file.tell() + 300 * 10**6)
    code = (
        "import sys; from pathlib import Path; from mmdmad.cases import Part; from mmdmad.parts import read;"
        "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]);"
        "before = peak(); clip = read(Part('video', Path(sys.argv[1])));"
        "print(sum(1 for _ in clip.frames(every=10)), before, peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.npy"], capture_output=True, text=True, check=True)
    count, before, grown = map(int, done.stdout.split())
    assert count == 30
    assert before > 10_000
    assert grown < 60_000  # kilobytes; 8 to 12 thousand where it was written


def test_a_clip_with_a_damaged_tail_is_refused_but_its_sound_frames_can_be_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.avi", "mpeg4", {})
    with av.open(str(path)) as container:
        last = [packet for packet in container.demux(video=0) if packet.size][-1]
        start, size = last.pos, last.size
    data = bytearray(path.read_bytes())
    data[start : start + size] = bytes(size)
    path.write_bytes(data)
    clip = video(path)
    with pytest.raises(PartError, match="damaged: frame 39 of 40 cannot be decoded"):
        list(clip.frames())
    assert len(list(video(path, stop=39).frames())) == 39


def test_content_keys(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for i in range(3):
        Pillow.fromarray(FRAMES[i]).save(folder / f"{i}.png")
    key = content_key(Part("video", folder))
    assert key == content_key(Part("video", folder))
    assert key != content_key(Part("video", folder, rate=3.0))
    (folder / "3.png").write_bytes((folder / "0.png").read_bytes())
    assert key != content_key(Part("video", folder))
    assert content_key(Part("video", value=FRAMES)) != content_key(Part("video", value=FRAMES[:-1]))
    out = io.BytesIO()
    np.save(out, FRAMES)
    (tmp_path / "a.npy").write_bytes(out.getvalue())
    assert len(content_key(Part("video", tmp_path / "a.npy"))) == 64


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_titles_in_another_alphabet_do_not_matter(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "TITLEabcd"
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for pixels in FRAMES[:5]:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())
    data = path.read_bytes()
    assert b"TITLEabcd" in data
    path.write_bytes(data.replace(b"TITLEabcd", b"TITLE" + "äöüß".encode("latin-1")))
    assert len(list(video(path).frames())) == 5


def test_only_arguments_that_every_pyav_knows_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.mp4", "libx264", {})
    real = av.open

    def newer(file: object, mode: str = "r", *, container_options: object = None, timeout: object = None) -> object:
        return real(file, mode, container_options=container_options, timeout=timeout)

    monkeypatch.setattr(av, "open", newer)
    assert len(list(video(path).frames())) == 40
