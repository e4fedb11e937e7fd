"""The content key of a part: SHA-256 of what it holds and of the slice, so that a cache can trust it."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.cases import Case, Part
from mmdmad.errors import ConfigError, PartError
from mmdmad.files import left_by_others
from mmdmad.modalities.base import BaseModality, modality_of
from mmdmad.parts.limits import MIB, is_folder, plain_file, refuse


def content_key(part: Part) -> str:
    """SHA-256 (hex) of the part's bytes, its slice, rate and levels; the file's name and place do not enter.

    Files are hashed in a stream, and once only as long as path, size and times stay the same. The key of an array and
    that of a file with the same pixels differ, though both are read to the same signal. Of a slice of a table or a text
    file only what it holds counts, so that its key stays when rows or lines are added to the file.

    >>> content_key(Part("text", value="oil leak")) == content_key(Part("text", value="oil leak"))
    True
    """
    held = _slice(part)
    if held is not None:
        digest = hashlib.sha256(f"slice of {part.modality}".encode())
        for piece in held:
            _add(digest, piece)
        return digest.hexdigest()
    levels = "" if part.levels is None else f" {part.levels}"
    digest = hashlib.sha256(f"{part.modality} {part.start} {part.stop} {part.rate}{levels}".encode())
    if part.value is not None:
        plain = isinstance(part.value, str | np.ndarray)
        for piece in [part.value] if plain else modality_for(part).content(part):
            _add(digest, piece)
    elif is_folder(part):
        assert part.path is not None
        for file in sorted(p for p in part.path.iterdir() if p.is_file() and not left_by_others(p.name)):
            one = Part(part.modality, file, case_id=part.case_id, row=part.row, root=part.root)
            digest.update(f"{file.name}\0{_file(plain_file(one), one)}\n".encode(errors="surrogateescape"))
    else:
        path = plain_file(part)
        # The suffix chooses the reader, so it is part of what the bytes mean.
        digest.update(f"{path.suffix.lower()} {_file(path, part)}".encode())
    return digest.hexdigest()


def case_key(case: Case) -> str:
    """SHA-256 (hex) of what a case's parts hold: its id, label, time and group, and names of files, do not enter.

    Exact copies have one key, whatever they are called. A part that cannot be hashed counts as that and no more; ""
    where that is every part.

    >>> case_key(Case("a", {"text": Part("text", value="oil leak")})) == case_key(
    ...     Case("b", {"text": Part("text", value="oil leak")}))
    True
    """
    held: dict[str, str] = {}
    for modality, part in sorted(case.parts.items()):
        try:
            held[modality] = content_key(part)
        except PartError:
            held[modality] = ""
    told = "\n".join(f"{modality}={key}" for modality, key in held.items())
    return hashlib.sha256(told.encode()).hexdigest() if any(held.values()) else ""


def modality_for(part: Part) -> BaseModality:
    """The modality of a part; PartError where there is none of that name."""
    try:
        return modality_of(part.modality)
    except ConfigError as why:
        raise refuse(part, str(why)) from None


def _file(path: Path, part: Part) -> str:
    try:
        status = path.stat()
        return _hash_file(str(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    except OSError as why:
        raise refuse(part, f"{path.name} cannot be read: {why.strerror}") from None


@lru_cache(100_000)
def _hash_file(path: str, *_identity: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _slice(part: Part) -> Iterable[str | bytes | np.ndarray] | None:
    """What a slice of a file holds, for the modalities that tell."""
    if part.value is not None or (part.start is None and part.stop is None) or is_folder(part):
        return None
    return modality_for(part).sliced(part)


def _add(digest: Any, piece: str | bytes | np.ndarray) -> None:
    if isinstance(piece, np.ndarray):
        _add_array(digest, piece)
    else:
        digest.update(piece.encode(errors="surrogatepass") if isinstance(piece, str) else piece)


def _add_array(digest: Any, array: np.ndarray) -> None:
    digest.update(f"{array.dtype.str} {array.shape}".encode())
    if array.dtype.hasobject:
        digest.update(repr(array.tolist()).encode())
        return
    rows = max(1, MIB * array.shape[0] // max(1, array.nbytes)) if array.ndim else 1
    for i in range(0, array.shape[0] if array.ndim else 1, rows):
        piece = array[i : i + rows] if array.ndim else array
        digest.update(np.ascontiguousarray(piece).tobytes())
