"""`model/manifest.json`: SHA-256, size, types and shapes of every file of a fitted model, checked before it is loaded.

It finds what a disk, a copy or an editor has changed. Somebody who changes files on purpose can write a new one, which
is why everything that is loaded is checked for itself as well (`mmdmad.saved`).
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from safetensors import safe_open

from mmdmad.errors import ModelError
from mmdmad.saved import read_arrays, read_model, read_values, reading, write_values

NAME = "manifest.json"
LEFT_BY_SYSTEMS = (".DS_Store", "Thumbs.db", "desktop.ini")
"""Files that looking at a folder may leave in it; no one reads them here."""


class StoredFile(BaseModel):
    """One file as it was written: its bytes and, of safetensors, dtype and shape of each array."""

    model_config = ConfigDict(extra="forbid")

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0)]
    arrays: dict[str, tuple[str, tuple[int, ...]]] = Field(default_factory=dict)


class ModelManifest(BaseModel):
    """Every file of a model by its path in the model's folder."""

    model_config = ConfigDict(extra="forbid")

    files: dict[str, StoredFile]


def write_manifest(folder: Path) -> None:
    """Write the manifest of the files in `folder`; ModelError where one of them is damaged already."""
    files = {}
    for name in sorted(set(_files(folder)) - {NAME}):
        file = folder / name
        if file.suffix == ".safetensors":
            read_arrays(file)
        elif file.suffix == ".json":
            read_values(file)
        else:
            raise ModelError("no part of a model is called that; models are safetensors and JSON", file)
        files[name] = _stored(file)
    write_values(folder / NAME, ModelManifest(files=files).model_dump(mode="json"))


def relist(folder: Path, gone: str, new: str) -> None:
    """Write the manifest anew without the files of the folder `gone` and with those of the folder `new`."""
    before = read_model(folder / NAME, ModelManifest).files
    kept = {name: stored for name, stored in before.items() if not name.startswith(f"{gone}/")}
    kept |= {f"{new}/{name}": _stored(folder / new / name) for name in _files(folder / new)}
    write_values(folder / NAME, ModelManifest(files=dict(sorted(kept.items()))).model_dump(mode="json"))


def listed(folder: Path) -> frozenset[str]:
    """The files that the manifest lists; none where there is no manifest."""
    return frozenset(read_model(folder / NAME, ModelManifest).files) if (folder / NAME).exists() else frozenset()


def verify(folder: Path) -> None:
    """ModelError unless `folder` holds exactly the files that the manifest lists, each as it was written."""
    there = set(_files(folder))
    if NAME not in there:
        raise ModelError("the file is missing, so nothing tells whether the model is whole", folder / NAME)
    wanted = read_model(folder / NAME, ModelManifest).files
    there.remove(NAME)
    for name in sorted(wanted.keys() - there):
        raise ModelError("the file is missing", folder / name)
    for name in sorted(there - wanted.keys()):
        raise ModelError("the file is none of the model's", folder / name, "move it out of the model's folder")
    for name, stored in wanted.items():
        _compare(folder / name, stored)


def _compare(file: Path, stored: StoredFile) -> None:
    with reading(file):
        found = file.stat().st_size
        if found != stored.bytes:
            raise ModelError(f"it has {found} bytes, {stored.bytes} were written")
        if _sha256(file) != stored.sha256:
            raise ModelError("its content is not what was written (another SHA-256)")
        found_arrays = _arrays(file) if file.suffix == ".safetensors" else {}
        for name in sorted(found_arrays.keys() | stored.arrays.keys()):
            there, listed = found_arrays.get(name), stored.arrays.get(name)
            if there != listed:
                raise ModelError(f"{name} is {there or 'not there'}; the manifest says {listed or 'nothing of it'}")


def _stored(file: Path) -> StoredFile:
    arrays = _arrays(file) if file.suffix == ".safetensors" else {}
    return StoredFile(sha256=_sha256(file), bytes=file.stat().st_size, arrays=arrays)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _arrays(file: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    with safe_open(file, framework="numpy") as opened:
        slices = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118  (no mapping)
        return {name: (str(one.get_dtype()), tuple(one.get_shape())) for name, one in slices.items()}


def _files(folder: Path) -> Iterator[str]:
    """Paths of all files below the model's folder; ModelError for links, pipes and devices."""
    with reading(folder):
        entries = sorted(folder.iterdir())
    for entry in entries:
        if entry.is_symlink():
            raise ModelError("a link is no part of a model: it may lead anywhere", entry, "put the file itself there")
        if entry.is_dir():
            yield from (f"{entry.name}/{name}" for name in _files(entry))
        elif not entry.is_file():
            raise ModelError("a pipe or device is no part of a model", entry)
        elif entry.name not in LEFT_BY_SYSTEMS and not entry.name.startswith("._"):
            yield entry.name
