"""Broken inputs, made by code: `make(folder)` gives each with a name; `python broken_inputs.py FOLDER` reads them all.

Not a test file itself: test_broken_inputs.py runs each input with a time limit, and all of them in one process with a
memory limit.
"""

import io
import json
import os
import resource
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image as Pillow

from mmdmad.cases import Cases, Part, read_cases
from mmdmad.errors import ManifestError, PartError
from mmdmad.parts import Video, read

Made = Iterator[tuple[str, Part | Path]]


@dataclass(frozen=True)
class Broken:
    name: str
    given: Part | Path  # a Path is a manifest


def refusals(given: Part | Path) -> list[str]:
    """The reasons with which an input is refused; empty if it is taken. Other exceptions go through."""
    try:
        if isinstance(given, Path):
            cases: Cases = read_cases(given)
            return [r.reason for r in cases.refused]
        signal = read(given)
        if isinstance(signal, Video):
            for _ in signal.frames():
                pass
    except ManifestError as why:
        return [str(why)]
    except PartError as why:
        return [why.reason]
    return []


def _put(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def picture_bytes(kind: str) -> bytes:
    """A small picture that does not compress to nothing."""
    noise = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    out = io.BytesIO()
    Pillow.fromarray(np.kron(noise, np.ones((4, 4, 1), np.uint8))).save(out, kind)
    return out.getvalue()


def clip_bytes(kind: str, codec: str, frames: int = 24, pix_fmt: str = "yuv420p") -> bytes:
    """A small clip: a bright bar that moves over noise."""
    noise = np.random.default_rng(0).integers(0, 90, (64, 96, 3), dtype=np.uint8)
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pix_fmt
        for i in range(frames):
            pixels = noise.copy()
            pixels[:, 3 * i : 3 * i + 12] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())
    return out.getvalue()


CLIPS = (
    ("mp4", "libx264", ".mp4"),
    ("matroska", "libx264", ".mkv"),
    ("webm", "libvpx-vp9", ".webm"),
    ("avi", "mpeg4", ".avi"),
    ("mov", "mpeg4", ".mov"),
    ("flv", "flv1", ".flv"),
)
PICTURES = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "SGI", "PCX", "QOI", "JPEG2000", "AVIF", "ICO", "DDS")


def pictures(folder: Path) -> Made:
    """Truncated, disguised, oversized and otherwise broken pictures."""

    def part(name: str, data: bytes) -> tuple[str, Part]:
        return name, Part("image", _put(folder, name, data))

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
    Pillow.fromarray(np.full((8, 8), -5, np.int32)).save(tiff, "TIFF")
    yield part("negative.tiff", tiff.getvalue())
    for name, value in (
        ("1d", np.zeros(4)),
        ("5-channels", np.zeros((4, 4, 5), np.uint8)),
        ("empty", np.zeros((0, 4), np.uint8)),
        ("nan", np.full((4, 4), np.nan)),
        ("inf", np.full((4, 4), np.inf)),
        ("words", np.array([["a"]])),
        ("objects", np.array([[None]])),
        ("large", np.full((2, 2), 1e9)),
        ("list", [[1, 2]]),
    ):
        yield f"array-{name}", Part("image", value=value)
    yield "sliced-image", Part("image", _put(folder, "whole.png", png), start=0, stop=1)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def png_bomb(side: int) -> bytes:
    """A true bomb: one bit a pixel, all zero, so that a few kilobytes unpack to `side` x `side` pixels."""
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return head + chunk(b"IDAT", zlib.compress(bytes((side // 8 + 1) * side), 9)) + chunk(b"IEND", b"")


def texts(folder: Path) -> Made:
    """Texts that are not UTF-8, too long, blank or not there."""
    for name, data in {
        "latin1": "Größe überschritten".encode("latin-1"),
        "utf16": "oil leak".encode("utf-16"),
        "utf16-be": "oil leak".encode("utf-16-be"),
        "utf32": "oil leak".encode("utf-32"),
        "cut-rune": "Größe"[:3].encode()[:-1] + b"\xc3",
        "overlong": b"\xc0\xaf",
        "surrogate": b"\xed\xa0\x80",
        "random": np.random.default_rng(0).bytes(4000),
        "png": picture_bytes("PNG"),
        "zeros": bytes(100),
        "empty": b"",
        "blank": b" \n\t\r\n ",
        "long": b"a" * (4 * 2**20 + 1),
    }.items():
        yield f"text-{name}", Part("text", _put(folder, f"{name}.txt", data))
    path = _put(folder, "two.txt", "one\ntwo\n")
    for start, stop in ((2, 3), (0, 9), (5, None), (1, 1), (2, 1)):
        yield f"text-lines-{start}-{stop}", Part("text", path, start=start, stop=stop)
    yield "text-one-long-line", Part("text", folder / "long.txt", start=0, stop=1)
    for name, value in (("bytes", b"a"), ("number", 3), ("blank", "  "), ("zero", "a\0b"), ("surrogate", "\ud800")):
        yield f"text-value-{name}", Part("text", value=value)
    yield "text-value-long", Part("text", value="é" * (2 * 2**20 + 1))


def tables(folder: Path) -> Made:
    """Sensor tables as CSV with a fault each, and arrays and Parquet files with theirs."""
    for name, data in csv_faults().items():
        yield f"csv-{name}", Part("sensor", _put(folder, f"{name}.csv", data))
    path = _put(folder, "ten.csv", "time,a\n" + "".join(f"{i},{i}\n" for i in range(10)))
    for start, stop in ((10, 12), (0, 11), (3, 3), (5, 2), (10**15, None), (-4, 2)):
        yield f"csv-rows-{start}-{stop}", Part("sensor", path, start=start, stop=stop)
    yield "sensor-suffix", Part("sensor", _put(folder, "ten.xyz", "a\n1\n"))
    for name, value in (
        ("empty", np.zeros((0, 3))),
        ("3d", np.zeros((2, 2, 2))),
        ("words", np.array(["a"])),
        ("nan", np.full((5, 2), np.nan)),
        ("inf", np.full((5, 2), np.inf)),
        ("complex", np.zeros(3, complex)),
        ("list", [1, 2]),
    ):
        yield f"sensor-value-{name}", Part("sensor", value=value)
    yield from parquet_faults(folder)


def csv_faults() -> dict[str, bytes | str]:
    return {
        "empty": b"",
        "header-only": "time,a\n",
        "no-header": "0,1\n1,2\n",
        "ragged-long": "time,a\n0,1\n1,2,3\n",
        "ragged-short": "time,a,b\n0,1,2\n1,2\n",
        "word": "time,a\n0,1\n1,running\n",
        "decimal-comma": "time;a\n0;1,5\n1;2,5\n",
        "nan-only": "time,a,b\n0,nan,\n1,NaN,null\n",
        "inf": "time,a\n0,1\n1,inf\n",
        "inf-only": "a,b\n-inf,inf\ninf,inf\n",
        "no-time": "time,a\n0,1\n,2\n",
        "bad-time": "time,a\n2026-01-01,1\nyesterday,2\n",
        "mixed-time": "time,a\n2026-01-01,1\n12.5,2\n",
        "infinite-time": "time,a\n0,1\ninf,2\n",
        "same-time": "time,a\n0,1\n0,2\n",
        "only-time": "time\n0\n1\n",
        "same-name": "a,a\n1,2\n",
        "same-name-with-units": "temp [C],temp [F]\n1,2\n",
        "nameless": "time,,b\n0,1,2\n",
        "blank-header": "\n1,2\n",
        "latin1-header": "time,Größe\n0,1\n".encode("latin-1"),
        "latin1-cell": "time,a\n0,1\n1,é\n".encode("latin-1"),
        "utf16": "time,a\n0,1\n".encode("utf-16"),
        "zeros": bytes(1000),
        "gzip": b"\x1f\x8b\x08\0" + np.random.default_rng(0).bytes(500),
        "png": picture_bytes("PNG"),
        "columns-5000": ",".join(f"c{i}" for i in range(5000)) + "\n" + ",".join("1" * 5000) + "\n",
        "columns-million": ",".join(f"c{i}" for i in range(10**6)) + "\n",
        "commas-million": "," * 10**6 + "\n",
        "endless-header": "a" * (2 * 2**20),
        "endless-cell": "time,a\n0," + "1" * (3 * 2**20) + "\n",
        "open-quote": 'time,a\n0,"1\n1,2\n',
        "underscore": "a\n1_000\n",
        "hex": "a\n0x1F\n",
        "date-cell": "a\n2026-01-01\n",
        "json": '{"time": [0, 1]}\n{"a": 2}\n',
        "html": "<html><body>Not found</body></html>\n<p>\n",
    }


def parquet_faults(folder: Path) -> Made:
    def stored(name: str, columns: dict[str, object]) -> tuple[str, Part]:
        path = folder / f"{name}.parquet"
        pq.write_table(pa.table(columns), path)
        return f"parquet-{name}", Part("sensor", path)

    good = io.BytesIO()
    pq.write_table(pa.table({"time": np.arange(200.0), "a": np.arange(200.0)}), good)
    data = good.getvalue()
    for share in (0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
        cut = _put(folder, f"cut-{share}.parquet", data[: int(len(data) * share)])
        yield f"parquet-cut-{share}", Part("sensor", cut)
    for length in (0, 1, 2**31 - 1, 2**32 - 1):
        lying = data[:-8] + struct.pack("<I", length) + b"PAR1"
        yield f"parquet-footer-{length}", Part("sensor", _put(folder, f"footer-{length}.parquet", lying))
    yield "parquet-zero-pages", Part("sensor", _put(folder, "pages.parquet", data[:4] + bytes(900) + data[904:]))
    yield stored("no-rows", {"a": pa.array([], pa.float64())})
    yield stored("lists", {"a": [[1.0, 2.0], [3.0]]})
    yield stored("structs", {"a": [{"b": 1}]})
    yield stored("binary", {"a": [b"ab"]})
    yield stored("words", {"a": ["1", "two"]})
    yield stored("giant-word", {"a": ["9" * 10**6] * 5})
    yield stored("nulls", {"a": pa.array([None, None], pa.float64())})
    yield stored("inf", {"a": [1.0, float("inf")]})
    yield stored("wide", {f"c{i}": [1.0] for i in range(4200)})
    block = pa.table({c: pa.array(np.zeros(2**20, np.int8)) for c in "ab"})
    with pq.ParquetWriter(folder / "bomb.parquet", block.schema) as writer:
        for _ in range(25):
            writer.write_table(block)
    yield "parquet-bomb", Part("sensor", folder / "bomb.parquet")


def archives(folder: Path) -> Made:
    """NPY and NPZ files, as tables and as clips."""

    def npz(name: str, compress: bool = True, **arrays: np.ndarray) -> Path:
        path = folder / f"{name}.npz"
        (np.savez_compressed if compress else np.savez)(path, **arrays)  # type: ignore[arg-type]
        return path

    whole = npz("whole", values=np.random.default_rng(0).normal(size=(40, 3)), times=np.arange(40.0)).read_bytes()
    for share in (0.05, 0.3, 0.6, 0.9, 0.98):
        path = _put(folder, f"cut-{share}.npz", whole[: int(len(whole) * share)])
        yield f"npz-cut-{share}", Part("sensor", path)
    wrong = bytearray(whole)
    wrong[120] ^= 0xFF
    yield "npz-corrupt", Part("sensor", _put(folder, "corrupt.npz", bytes(wrong)))
    pickled = np.array([{"a": 1}], dtype=object)
    yield "npz-pickle", Part("sensor", npz("pickle", values=pickled))
    yield "npz-bomb", Part("sensor", npz("bomb", values=np.zeros((60_000_000, 1), np.int8)))
    yield "npz-ragged", Part("sensor", npz("ragged", a=np.zeros(3), b=np.zeros(4)))
    yield "npz-names", Part("sensor", npz("names", values=np.zeros((3, 2)), channels=np.array(["a"])))
    yield "npz-units", Part("sensor", npz("units", values=np.zeros((3, 2)), units=np.array(["A"])))
    yield "npz-times", Part("sensor", npz("times", values=np.zeros((3, 2)), times=np.zeros(2)))
    yield "npz-nan-times", Part("sensor", npz("nantimes", values=np.zeros((3, 2)), times=np.full(3, np.nan)))
    yield "npz-rate", Part("sensor", npz("rate", values=np.zeros((3, 2)), rate=np.array(-1.0)))
    yield "npz-4d", Part("sensor", npz("4d", values=np.zeros((3, 2, 2, 2))))
    yield "npz-scalar", Part("sensor", npz("scalar", a=np.array(1.0)))
    with zipfile.ZipFile(folder / "other.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    yield "npz-not-arrays", Part("sensor", folder / "other.npz")
    with zipfile.ZipFile(folder / "path.npz", "w") as archive:
        archive.writestr("../../evil.npy", b"\x93NUMPY\x01\0\x06\0{}   \n")
    yield "npz-evil-name", Part("sensor", folder / "path.npz")
    for name, head in {
        "huge": "{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999, 3)}",
        "negative": "{'descr': '<f8', 'fortran_order': False, 'shape': (-3, 3)}",
        "code": "__import__('os').getcwd()",
        "nested": "(" * 3000,
        "object": "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "record": "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}",
    }.items():
        data = b"\x93NUMPY\x01\0" + struct.pack("<H", len(head) + 1) + head.encode() + b"\n" + bytes(64)
        for modality in ("sensor", "video"):
            yield f"npy-{name}-{modality}", Part(modality, _put(folder, f"{name}.npy", data))  # type: ignore[arg-type]
    frames = npz("frames", frames=np.random.default_rng(0).integers(0, 255, (9, 8, 8, 3), dtype=np.uint8))
    data = frames.read_bytes()
    for share in (0.1, 0.5, 0.9):
        yield f"npz-clip-cut-{share}", Part("video", _put(folder, f"clip-{share}.npz", data[: int(len(data) * share)]))
    yield "npz-clip-slice", Part("video", frames, start=3, stop=20)
    yield "npz-clip-float", Part("video", npz("float", frames=np.zeros((3, 8, 8))))
    yield "npz-clip-2d", Part("video", npz("flat", frames=np.zeros((3, 8), np.uint8)))
    yield "npz-clip-two", Part("video", npz("two", a=np.zeros((3, 8, 8), np.uint8), b=np.zeros((3, 8, 8), np.uint8)))
    yield "npz-clip-rate", Part("video", npz("fps", frames=np.zeros((3, 8, 8), np.uint8), fps=np.array(np.nan)))
    wide = np.zeros((1, 10_001, 10_000), np.uint8)
    yield "npz-clip-huge", Part("video", npz("large", frames=wide))


def clips(folder: Path) -> Made:
    """Containers that are cut, corrupt, disguised, or that point elsewhere; folders of frames that are none."""
    for kind, codec, suffix in CLIPS:
        data = clip_bytes(kind, codec)
        for share in (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
            path = _put(folder, f"cut-{share}{suffix}", data[: int(len(data) * share)])
            yield f"clip-cut-{share}{suffix}", Part("video", path)
        yield f"clip-cut-last{suffix}", Part("video", _put(folder, f"last{suffix}", data[:-1]))
        yield f"clip-zeroed-head{suffix}", Part("video", _put(folder, f"head{suffix}", bytes(64) + data[64:]))
        third = len(data) // 3
        holed = data[:third] + b"\xff" * third + data[2 * third :]
        yield f"clip-hole{suffix}", Part("video", _put(folder, f"hole{suffix}", holed))
        yield f"clip-slice{suffix}", Part("video", _put(folder, f"whole{suffix}", data), start=20, stop=25)
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
        yield f"clip-{name}", Part("video", _put(folder, name, data))
    sound = io.BytesIO()
    with av.open(sound, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
    yield "clip-sound-only.mkv", Part("video", _put(folder, "sound.mkv", sound.getvalue()))
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
            _put(folder / name, file, content)
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


def manifests(folder: Path) -> Made:
    """Manifests that cannot be read, and rows that cannot be used."""

    def manifest(name: str, data: bytes | str, suffix: str = ".csv") -> tuple[str, Path]:
        return f"manifest-{name}{suffix}", _put(folder, f"{name}/m{suffix}", data)

    for name, data in {
        "empty": "",
        "header-only": "id,text\n",
        "no-id": "image,text\n,a\n",
        "no-parts": "id,label\na,1\n",
        "misspelt": "id,imgae\na,b.png\n",
        "capital": "id,Text\na,b\n",
        "twice": "id,text,text\na,b,c\n",
        "same-id": "id,text\na,b\na,c\n",
        "latin1": "id,text\na,Größe\n".encode("latin-1"),
        "utf16": "id,text\na,b\n".encode("utf-16"),
        "zeros": bytes(300),
        "png": picture_bytes("PNG"),
        "open-quote": 'id,text\na,"b\nc,d\n',
        "ragged": "id,text\na,b\nc,d,e\nf\n",
        "columns": "id,text," + ",".join(f"x{i}" for i in range(2000)) + "\n",
        "blank-id": "id,text\n,a\nb,c\n",
        "dot-id": "id,text\n..,a\nb,c\n",
        "control-id": "id,text\n\x07,a\nb,c\n",
        "long-id": f"id,text\n{'a' * 300},a\nb,c\n",
        "no-part": "id,text\na,\nb,c\n",
        "bad-time": "id,time,text\na,noon,b\n",
        "bad-label": "id,label,text\na,maybe,b\n",
        "label-2": "id,label,text\na,2,b\n",
        "bad-rate": "id,sensor,sensor_rate,text\na,,fast,b\n",
        "both-texts": "id,text,text_file\na,b,m.csv\n",
        "cell": f"id,text\na,{'b' * 200_000}\n",
    }.items():
        yield manifest(name, data)
    for name, line in {
        "not-json": "hello",
        "cut": '{"id": "b", "te',
        "list": "[1, 2]",
        "number": "3",
        "deep": "[" * 100_000,
        "text-number": '{"id": "b", "text": 5}',
        "image-list": '{"id": "b", "image": ["a.png"]}',
        "sensor-object": '{"id": "b", "sensor": {"a": 1}}',
        "id-list": '{"id": [1], "text": "a"}',
        "id-true": '{"id": true, "text": "a"}',
        "id-null": '{"id": null, "text": "a"}',
        "time-number": '{"id": "b", "text": "a", "time": 5}',
        "split-list": '{"id": "b", "text": "a", "split": [1]}',
        "huge-number": '{"id": "b", "text": "a", "label": ' + "9" * 5000 + "}",
    }.items():
        yield manifest(name, '{"id": "a", "text": "good"}\n' + line + "\n", ".jsonl")
    yield manifest("no-objects", "1\n2\n", ".jsonl")
    yield manifest("latin1-line", '{"id": "a", "text": "é"}\n'.encode("latin-1"), ".jsonl")
    yield manifest("text", "id,text\na,b\n", ".doc")
    yield manifest("fake", "id,text\na,b\n", ".parquet")
    yield "manifest-missing", folder / "nowhere.csv"
    yield "manifest-zero-byte-name", Path("a\0b.csv")
    side = _put(folder, "side/m.csv", "id,text\na,b\n")
    _put(folder, "side/m.json", "{simulated: yes}")
    yield "manifest-side-file", side
    table = {"id": ["a"], "text": ["b" * (5 * 2**20)]}
    for name, columns in (("giant", table), ("lists", {"id": ["a"], "text": [["b"]]}), ("none", {"id": []})):
        path = folder / f"{name}.parquet"
        pq.write_table(pa.table(columns), path)
        yield f"manifest-{name}.parquet", path
    (folder / "bare").mkdir()
    yield "folder-empty", folder / "bare"
    _put(folder, "odd/a.xyz", "a")
    _put(folder, "odd/b.txt", "b")
    yield "folder-unknown-file", folder / "odd"


def paths(folder: Path) -> Made:
    """Paths that leave the folder, slices that are none, files that are no files."""
    outside = _put(folder, "secret.txt", "secret")
    root = folder / "root"
    _put(root, "ok.csv", "time,a\n0,1\n")
    _put(root, "ok.png", picture_bytes("PNG"))
    (root / "sub").mkdir()
    (root / "link.txt").symlink_to(outside)
    (root / "up").symlink_to(folder)
    (root / "loop.txt").symlink_to("loop.txt")
    (root / "dangling.txt").symlink_to("nothing.txt")
    (root / "etc").symlink_to("/etc")
    os.mkfifo(root / "pipe.csv")
    bad = {
        "text_file": (
            *("../secret.txt", "sub/../../secret.txt", str(outside), "link.txt", "up/secret.txt", "loop.txt"),
            *("dangling.txt", "etc/hostname", "/etc/hostname", "/dev/zero", "sub", ".", "..", "a" * 5000, "none.txt"),
            *("~/secret.txt", "file:///etc/hostname", "http://localhost/a.txt", "sub/./../../root/../secret.txt"),
        ),
        "sensor": (
            *("ok.csv#", "ok.csv#5", "ok.csv#a:b", "ok.csv#-1:3", "ok.csv#3:1", "ok.csv#0:0", "ok.csv#1:2:3", "#0:1"),
            *("ok.csv#1.5:2", "ok.csv#0x1:2", "ok.csv# 1:2", "ok.csv#" + "9" * 40 + ":", "ok.csv#٣:٤", "pipe.csv"),
            *("../root/../root/../secret.txt#0:1", "/dev/null", "/dev/stdin"),
        ),
        "image": ("ok.png#0:1", "sub", "../root"),
        "video": ("..", "/", "../", "up", "etc", "ok.csv#:0"),
    }
    for column, values in bad.items():
        for number, value in enumerate(values):
            line = {"id": "a", column: value}
            yield f"path-{column}-{number}", _put(root, f"{column}-{number}.jsonl", json.dumps(line) + "\n")
    frames = root / "frames"
    frames.mkdir()
    Pillow.new("RGB", (4, 4)).save(folder / "secret.png")
    (frames / "f1.png").symlink_to(folder / "secret.png")
    yield "path-frame-link", Part("video", frames, root=root.resolve())
    yield "path-late-link", Part("text", root / "link.txt", root=root.resolve())
    yield "path-pipe", Part("sensor", root / "pipe.csv")
    yield "path-device", Part("image", Path("/dev/zero"))
    yield "path-none", Part("image")
    yield "path-folder", Part("sensor", root)
    yield "path-zero-byte", Part("text", Path("a\0b"))
    yield "path-long", Part("text", Path("a" * 5000))
    yield "modality", Part("smell", value=1)  # type: ignore[arg-type]


KINDS: tuple[Callable[[Path], Made], ...] = (pictures, texts, tables, archives, clips, manifests, paths)


def make(folder: Path) -> list[Broken]:
    """All broken inputs, their files written below the folder."""
    out = []
    for kind in KINDS:
        at = folder / kind.__name__
        at.mkdir(parents=True)
        out += [Broken(name, given) for name, given in kind(at)]
    return out


def peak_mb() -> float:
    """Most memory that this process has had. The kernel's other count, ru_maxrss, begins with the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    limit = int(sys.argv[2]) * 2**20
    inputs = make(Path(sys.argv[1]))
    before = peak_mb()
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    taken = [b.name for b in inputs if not all(refusals(b.given)) or not refusals(b.given)]
    print(json.dumps({"inputs": len(inputs), "taken": taken, "peak_mb": peak_mb(), "made_mb": before}))
