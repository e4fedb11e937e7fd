"""A fault of the program is never blamed on the file; what a decoder trips over in damaged bytes is."""

import io
from pathlib import Path

import av
import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest
from PIL import Image as Pillow

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import content_key, limits, read
from mmdmad.parts.limits import decoding, is_own_fault

FAULTS = [
    TypeError("open() got an unexpected keyword argument 'metadata_errors'"),
    AttributeError("module has no attribute 'open'"),
    NameError("name 'opne' is not defined"),
    UnboundLocalError("cannot access local variable 'x'"),
    ImportError("cannot import name 'x'"),
    ModuleNotFoundError("No module named 'x'"),
]


def part(folder: Path, kind: str) -> Part:
    """A sound part of one kind whose decoder is replaced by one that fails."""
    if kind == "video":
        file = folder / "a.mp4"
        with av.open(str(file), "w") as container:
            stream = container.add_stream("mpeg4", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))))
            container.mux(stream.encode())
        return Part("video", file)
    if kind == "image":
        Pillow.new("RGB", (8, 8)).save(folder / "a.png")
        return Part("image", folder / "a.png")
    if kind == "csv":
        (folder / "a.csv").write_text("time,a\n0,1\n1,2\n")
        return Part("sensor", folder / "a.csv")
    if kind == "parquet":
        import pandas as pd

        pd.DataFrame({"a": [1.0, 2.0]}).to_parquet(folder / "a.parquet")
        return Part("sensor", folder / "a.parquet")
    np.save(folder / "a.npy", np.ones((3, 2)))
    return Part("sensor", folder / "a.npy")


DECODERS = {
    "video": (av, "open"),
    "image": (Pillow, "open"),
    "csv": (pyarrow.csv, "open_csv"),
    "parquet": (pyarrow.parquet, "ParquetFile"),
    "npy": (np.lib.format, "read_magic"),
}


@pytest.mark.parametrize("kind", DECODERS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: type(f).__name__)
def test_a_wrong_call_goes_on_as_what_it_is(kind, fault, tmp_path, monkeypatch) -> None:
    given = part(tmp_path, kind)
    assert read(given) is not None

    def fails(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(*DECODERS[kind], fails)
    with pytest.raises(type(fault)) as raised:
        read(given)
    assert raised.value is fault


@pytest.mark.parametrize("kind", DECODERS)
def test_a_wrong_argument_of_ours_goes_on(kind, tmp_path, monkeypatch) -> None:
    given = part(tmp_path, kind)
    monkeypatch.setattr(*DECODERS[kind], lambda: None)  # takes no argument at all
    with pytest.raises(TypeError):
        read(given)


@pytest.mark.parametrize(
    "damage", [ValueError("x"), KeyError("x"), ZeroDivisionError(), OSError(5, "input"), EOFError()]
)
def test_what_a_decoder_says_of_bytes_is_a_refusal(damage, tmp_path, monkeypatch) -> None:
    given = part(tmp_path, "image")

    def fails(*_: object) -> None:
        raise damage

    monkeypatch.setattr(Pillow, "open", fails)
    with pytest.raises(PartError, match=r"a\.png cannot be decoded"):
        read(given)


def test_bytes_that_a_decoder_in_python_trips_over_are_refused(tmp_path) -> None:
    out = io.BytesIO()
    np.save(out, np.ones((3, 2)))
    data = bytearray(out.getvalue())
    at = data.index(b"{")
    literal = b"{[]: 1}"  # a list cannot be a key: the parser ends in TypeError
    data[at : at + len(literal)] = literal
    data[at + len(literal) : data.index(b"\n")] = b" " * (data.index(b"\n") - at - len(literal))
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(PartError, match="header"):
        read(Part("sensor", tmp_path / "a.npy"))


def test_an_error_class_of_the_library_is_its_word_on_the_data() -> None:
    with pytest.raises(PartError, match="cannot be decoded"), decoding(Part("sensor"), "a.parquet"):
        raise pyarrow.lib.ArrowTypeError("no conversion")
    assert not is_own_fault(pyarrow.lib.ArrowTypeError("no conversion"))


def test_a_fault_in_hashing_is_not_hidden(tmp_path, monkeypatch) -> None:
    given = part(tmp_path, "image")
    monkeypatch.setattr(limits.os.path, "realpath", lambda: None)
    with pytest.raises(TypeError):
        content_key(Part("image", given.path, root=tmp_path))
