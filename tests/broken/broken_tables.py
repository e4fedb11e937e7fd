"""Broken texts, tables and archives."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from broken_base import Made, picture_bytes, put

from mmdmad.cases import Part


def texts(folder: Path) -> Made:
    """Texts that are no text, too long, blank or not there."""
    for name, data in {
        "random": np.random.default_rng(0).bytes(4000),
        "png": picture_bytes("PNG"),
        "zeros": bytes(100),
        "empty": b"",
        "blank": b" \n\t\r\n ",
        "long": b"a" * (4 * 2**20 + 1),
    }.items():
        yield f"text-{name}", Part("text", put(folder, f"{name}.txt", data))
    path = put(folder, "two.txt", "one\ntwo\n")
    for start, stop in ((2, 3), (0, 9), (5, None), (1, 1), (2, 1)):
        yield f"text-lines-{start}-{stop}", Part("text", path, start=start, stop=stop)
    yield "text-one-long-line", Part("text", folder / "long.txt", start=0, stop=1)
    for name, value in (("bytes", b"a"), ("number", 3), ("blank", "  "), ("zero", "a\0b"), ("surrogate", "\ud800")):
        yield f"text-value-{name}", Part("text", value=value)
    yield "text-value-long", Part("text", value="é" * (2 * 2**20 + 1))


def tables(folder: Path) -> Made:
    """Sensor tables as CSV with a fault each, and arrays and Parquet files with theirs."""
    for name, data in csv_faults().items():
        yield f"csv-{name}", Part("sensor", put(folder, f"{name}.csv", data))
    path = put(folder, "ten.csv", "time,a\n" + "".join(f"{i},{i}\n" for i in range(10)))
    for start, stop in ((10, 12), (0, 11), (3, 3), (5, 2), (10**15, None), (-4, 2)):
        yield f"csv-rows-{start}-{stop}", Part("sensor", path, start=start, stop=stop)
    yield "sensor-suffix", Part("sensor", put(folder, "ten.xyz", "a\n1\n"))
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
        "decimal-comma": "time;a\n0;75,100\n1;75,200\n",
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
        "latin1-header": "Größe,ä\n".encode("latin-1"),
        "latin1-cell": "time,a\n0,1\n1,é\n".encode("latin-1"),
        "utf16": "0,1\n1,2\n".encode("utf-16"),
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
        cut = put(folder, f"cut-{share}.parquet", data[: int(len(data) * share)])
        yield f"parquet-cut-{share}", Part("sensor", cut)
    for length in (0, 1, 2**31 - 1, 2**32 - 1):
        lying = data[:-8] + struct.pack("<I", length) + b"PAR1"
        yield f"parquet-footer-{length}", Part("sensor", put(folder, f"footer-{length}.parquet", lying))
    yield "parquet-zero-pages", Part("sensor", put(folder, "pages.parquet", data[:4] + bytes(900) + data[904:]))
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
        path = put(folder, f"cut-{share}.npz", whole[: int(len(whole) * share)])
        yield f"npz-cut-{share}", Part("sensor", path)
    wrong = bytearray(whole)
    wrong[120] ^= 0xFF
    yield "npz-corrupt", Part("sensor", put(folder, "corrupt.npz", bytes(wrong)))
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
            yield f"npy-{name}-{modality}", Part(modality, put(folder, f"{name}.npy", data))  # type: ignore[arg-type]
    frames = npz("frames", frames=np.random.default_rng(0).integers(0, 255, (9, 8, 8, 3), dtype=np.uint8))
    data = frames.read_bytes()
    for share in (0.1, 0.5, 0.9):
        yield f"npz-clip-cut-{share}", Part("video", put(folder, f"clip-{share}.npz", data[: int(len(data) * share)]))
    yield "npz-clip-slice", Part("video", frames, start=3, stop=20)
    yield "npz-clip-float", Part("video", npz("float", frames=np.zeros((3, 8, 8))))
    yield "npz-clip-2d", Part("video", npz("flat", frames=np.zeros((3, 8), np.uint8)))
    yield "npz-clip-two", Part("video", npz("two", a=np.zeros((3, 8, 8), np.uint8), b=np.zeros((3, 8, 8), np.uint8)))
    yield "npz-clip-rate", Part("video", npz("fps", frames=np.zeros((3, 8, 8), np.uint8), fps=np.array(np.nan)))
    wide = np.zeros((1, 10_001, 10_000), np.uint8)
    yield "npz-clip-huge", Part("video", npz("large", frames=wide))
