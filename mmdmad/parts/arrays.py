"""NPY and NPZ files opened without trust: no pickles, and no byte is allocated that the file does not hold."""

import math
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from mmdmad.cases import Part
from mmdmad.parts.limits import MAX_CHANNELS, decoding, is_own_fault, refuse


@dataclass(frozen=True, eq=False)
class StoredArray:
    """An array on disk: shape, dtype and where its numbers begin in an open stream."""

    stream: IO[bytes]
    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool
    offset: int

    def read_all(self) -> np.ndarray:
        """The whole array."""
        self.stream.seek(self.offset)
        data = self._read(math.prod(self.shape))
        return data.reshape(self.shape[::-1]).T if self.fortran else data.reshape(self.shape)

    def read_item(self, index: int) -> np.ndarray:
        """The array `index` along the first axis; only its bytes are read (C order only)."""
        size = math.prod(self.shape[1:])
        self.stream.seek(self.offset + index * size * self.dtype.itemsize)
        return self._read(size).reshape(self.shape[1:])

    def _read(self, count: int) -> np.ndarray:
        data = self.stream.read(count * self.dtype.itemsize)
        if len(data) != count * self.dtype.itemsize:
            raise ValueError("the array is truncated")
        return np.frombuffer(data, self.dtype)


@dataclass(frozen=True, eq=False)
class StoredArrays:
    """The arrays of an NPZ file by name."""

    part: Part
    archive: zipfile.ZipFile
    names: tuple[str, ...]
    streams: ExitStack

    @property
    def unpacked(self) -> int:
        """Bytes of all arrays together when they are unpacked."""
        return sum(info.file_size for info in self.archive.infolist())

    def open(self, name: str) -> StoredArray:
        """One array, its header read and checked."""
        info = self.archive.getinfo(name + ".npy")
        return _open(self.part, self.streams.enter_context(self.archive.open(info)), info.file_size, name)


def _open(part: Part, stream: IO[bytes], size: int, name: str) -> StoredArray:
    version = npy.read_magic(stream)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in readers:
        raise refuse(part, f"{name} has the NPY version {version}; 1.0 and 2.0 are read")
    try:
        shape, fortran, dtype = readers[version](stream)
    except Exception as why:  # the header is parsed as a Python literal, which fails in many ways
        if is_own_fault(why):
            raise
        raise refuse(part, f"{name} has a header that is not one of NumPy's") from why
    if dtype.kind not in "buifUSM":
        raise refuse(part, f"{name} holds {dtype}; only plain numbers and words are read, never pickled objects")
    offset = stream.tell()
    if any(n < 0 for n in shape) or dtype.itemsize * math.prod(shape) != size - offset:
        raise refuse(part, f"{name} says it has the shape {shape} of {dtype}, which is not what the file holds")
    return StoredArray(stream, shape, dtype, fortran, offset)


@contextmanager
def open_npy(part: Part, path: Path) -> Iterator[StoredArray]:
    """An open NPY file."""
    with path.open("rb") as stream:
        with decoding(part, path.name):
            array = _open(part, stream, path.stat().st_size, path.name)
        yield array


@contextmanager
def open_npz(part: Part, path: Path) -> Iterator[StoredArrays]:
    """An open NPZ file."""
    with decoding(part, path.name):
        archive = zipfile.ZipFile(path)
    # An archive stays open as long as one of its streams does, so these are closed first, also after a damaged one.
    with archive, ExitStack() as streams:
        files = archive.namelist()
        names = tuple(f[:-4] for f in files if f.endswith(".npy"))
        if not names or len(names) != len(files):
            raise refuse(part, f"{path.name} is a zip file, but not one of NumPy arrays only")
        if len(set(names)) < len(names) or len(names) > MAX_CHANNELS + 2:
            raise refuse(part, f"{path.name} holds {len(names)} arrays; at most {MAX_CHANNELS}, all of different names")
        yield StoredArrays(part, archive, names, streams)
