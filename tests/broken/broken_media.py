"""Broken pictures and clips."""

import io
import struct
import zlib
from pathlib import Path

import av
import numpy as np
from broken_base import CLIPS, PICTURES, Made, clip_bytes, picture_bytes, put
from PIL import Image as Pillow

from mmdmad.cases import Part


def pictures(folder: Path) -> Made:
    """Truncated, disguised, oversized and otherwise broken pictures."""

    def part(name: str, data: bytes) -> tuple[str, Part]:
        return name, Part("image", put(folder, name, data))

    for kind in PICTURES:
        data = picture_bytes(kind)
        for share in (0.02, 0.2, 0.5, 0.8, 0.97):
            yield part(f"cut-{share}.{kind.lower()}", data[: int(len(data) * share)])
        yield part(f"cut-last.{kind.lower()}", data[:-1])
        yield part(f"zeroed-head.{kind.lower()}", bytes(32) + data[32:])
    png = picture_bytes("PNG")
    middle = bytearray(png)
    middle[len(png) // 2] ^= 0xFF
    yield part("wrong-checksum.png", bytes(middle))
    for width, height in ((60_000, 60_000), (2**31 - 1, 1), (1, 2**31 - 1), (70_000, 1), (0, 0), (12_000, 12_000)):
        yield part(f"huge-{width}x{height}.png", png_header(width, height) + png[33:])
    yield part("bomb.png", png_bomb(30_000))
    yield part("text-bomb.png", png[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2 * 10**8))) + png[33:])
    yield part("huge.gif", b"GIF89a\xff\xff\xff\xff\xf7\0\0" + bytes(768) + b",\0\0\0\0\xff\xff\xff\xff\0\x08;")
    yield part("huge.bmp", b"BM" + struct.pack("<IHHIIiiHHIIiiII", 60, 0, 0, 54, 40, 2**30, 2**30, 1, 24, *[0] * 6))
    yield part("huge.ppm", b"P6 1000000 1000000 255\n" + bytes(100))
    yield part("huge.tga", struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 65535, 65535, 24, 0) + bytes(50))
    yield part("program.eps", picture_bytes("EPS"))
    for name, data in (("empty", b""), ("text", b"hello"), ("zeros", bytes(5000)), ("zip", b"PK\x03\x04" + bytes(90))):
        yield part(f"{name}.png", data)
    yield part("svg.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    tiff = io.BytesIO()
    Pillow.fromarray(np.full((8, 8), np.nan, np.float32)).save(tiff, "TIFF")
    yield part("nan.tiff", tiff.getvalue())
    tiff = io.BytesIO()
    Pillow.fromarray(np.full((8, 8), -np.inf, np.float32)).save(tiff, "TIFF")
    yield part("infinite.tiff", tiff.getvalue())
    for name, value in (
        ("1d", np.zeros(4)),
        ("5-channels", np.zeros((4, 4, 5), np.uint8)),
        ("empty", np.zeros((0, 4), np.uint8)),
        ("nan", np.full((4, 4), np.nan)),
        ("inf", np.full((4, 4), np.inf)),
        ("words", np.array([["a"]])),
        ("objects", np.array([[None]])),
        ("complex", np.full((2, 2), 1j)),
        ("list", [[1, 2]]),
    ):
        yield f"array-{name}", Part("image", value=value)
    yield "sliced-image", Part("image", put(folder, "whole.png", png), start=0, stop=1)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def png_bomb(side: int) -> bytes:
    """A true bomb: one bit a pixel, all zero, so that a few kilobytes unpack to `side` x `side` pixels."""
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return head + chunk(b"IDAT", zlib.compress(bytes((side // 8 + 1) * side), 9)) + chunk(b"IEND", b"")


def clips(folder: Path) -> Made:
    """Containers that are cut, corrupt, disguised, or that point elsewhere; folders of frames that are none."""
    for kind, codec, suffix in CLIPS:
        data = clip_bytes(kind, codec)
        for share in (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
            path = put(folder, f"cut-{share}{suffix}", data[: int(len(data) * share)])
            yield f"clip-cut-{share}{suffix}", Part("video", path)
        yield f"clip-cut-last{suffix}", Part("video", put(folder, f"last{suffix}", data[:-1]))
        yield f"clip-zeroed-head{suffix}", Part("video", put(folder, f"head{suffix}", bytes(64) + data[64:]))
        third = len(data) // 3
        holed = data[:third] + b"\xff" * third + data[2 * third :]
        yield f"clip-hole{suffix}", Part("video", put(folder, f"hole{suffix}", holed))
        yield f"clip-slice{suffix}", Part("video", put(folder, f"whole{suffix}", data), start=20, stop=25)
    for name, data in {
        "empty.mp4": b"",
        "zeros.mp4": bytes(4000),
        "random.mkv": np.random.default_rng(1).bytes(4000),
        "text.avi": b"hello\n" * 50,
        "picture.mp4": picture_bytes("PNG"),
        "playlist.m3u8": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        "playlist.mp4": b"#EXTM3U\n#EXTINF:1,\nwhole.mp4\n#EXT-X-ENDLIST\n",
        "script.txt": b"ffconcat version 1.0\nfile whole.mp4\n",
        "script.mp4": b"ffconcat version 1.0\nfile whole.mp4\n",
        "session.sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "dash.mpd": b"<?xml version='1.0'?><MPD><BaseURL>whole.mp4</BaseURL></MPD>",
    }.items():
        yield f"clip-{name}", Part("video", put(folder, name, data))
    sound = io.BytesIO()
    with av.open(sound, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
    yield "clip-sound-only.mkv", Part("video", put(folder, "sound.mkv", sound.getvalue()))
    for name, files in {
        "no-files": {},
        "no-pictures": {"a.txt": b"a", "b.csv": b"b"},
        "sizes": {"f1.png": picture_bytes("PNG"), "f2.bmp": b"BM", "f3.png": png_header(9, 9)},
        "cut-frame": {"f1.png": picture_bytes("PNG"), "f2.png": picture_bytes("PNG")[:300]},
        "empty-frame": {"f1.png": picture_bytes("PNG"), "f2.png": b""},
        "bomb-frame": {"f1.png": png_bomb(20_000)},
    }.items():
        (folder / name).mkdir()
        for file, content in files.items():
            put(folder / name, file, content)
        yield f"frames-{name}", Part("video", folder / name)
    small, large = folder / "grow" / "1.png", folder / "grow" / "2.png"
    small.parent.mkdir()
    Pillow.new("RGB", (8, 8)).save(small)
    Pillow.new("RGB", (9, 8)).save(large)
    yield "frames-grow", Part("video", small.parent)
    for name, value in (("float", np.zeros((2, 8, 8))), ("2d", np.zeros((8, 8), np.uint8)), ("list", [1])):
        yield f"clip-value-{name}", Part("video", value=value)
    yield "clip-value-empty", Part("video", value=np.zeros((0, 8, 8), np.uint8))
    yield "clip-value-rate", Part("video", value=np.zeros((2, 8, 8), np.uint8), rate=-1.0)
