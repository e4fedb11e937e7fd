"""Encode a part once: tokens are kept on disk under what the part holds and what the encoder is.

One safetensors file an entry, written whole or not at all; an entry that is damaged or of another form is made again.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from mmdmad import parts
from mmdmad.cases import Part
from mmdmad.encoders.base import Encoder
from mmdmad.errors import DataError, MmdmadError, PartError
from mmdmad.files import replacing
from mmdmad.saved import system_errors
from mmdmad.threads import one_thread
from mmdmad.tokens import Layout, Tokens

FORMAT = "1"


def encode(encoder: Encoder, part: Part, folder: Path | None = None) -> Tokens:
    """Tokens of one part, from the cache in `folder` if they are there, else made and kept; raises PartError."""
    if part.modality != encoder.modality:
        raise PartError(f"{encoder.name} encodes {encoder.modality} parts", **_where(part))
    if folder is None:
        return _encode(encoder, part)
    path = entry_path(encoder, part, Path(folder))
    kept = read_entry(path)
    if kept is not None:
        return kept
    made = _encode(encoder, part)
    write_entry(path, made)
    return made


def entry_path(encoder: Encoder, part: Part, folder: Path) -> Path:
    """Where the tokens of this part by this encoder are kept: a file named by the SHA-256 of all that decides them."""
    key = {
        "format": FORMAT,
        "content": parts.content_key(part),
        "encoder": encoder.name,
        "version": encoder.version,
        "params": encoder.params(),
        "weights": encoder.describe(),
        "state": encoder.state_key(),
    }
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return folder / digest[:2] / f"{digest}.safetensors"


def write_entry(path: Path, tokens: Tokens) -> None:
    """Write an entry beside its place and rename it, so that a reader never meets half a file."""
    arrays = {"values": tokens.values}
    if tokens.summary is not None:
        arrays["summary"] = np.asarray(tokens.summary, np.float32)
    if tokens.layout.where is not None:
        arrays["where"] = np.asarray(tokens.layout.where, np.float64)
    if tokens.layout.position is not None:
        arrays["position"] = np.asarray(tokens.layout.position, np.int64)
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    layout = tokens.layout.to_json() | {"where": None, "position": None}
    with replacing(path) as unfinished, system_errors():
        save_file(arrays, unfinished, metadata={"layout": json.dumps(layout), "sha256": _digest(arrays)})


def read_entry(path: Path) -> Tokens | None:
    """The tokens of an entry; None if it is not there or not sound."""
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (safe_open is no mapping)
    except (OSError, SafetensorError):
        return None
    if metadata.get("sha256") != _digest(arrays) or "values" not in arrays or "layout" not in metadata:
        return None
    try:
        data = json.loads(metadata["layout"]) | {"where": arrays.get("where"), "position": arrays.get("position")}
        return Tokens(arrays["values"], Layout.from_json(data), arrays.get("summary"))
    except (ValueError, KeyError, TypeError, MmdmadError):
        return None  # the header was changed: make the entry again


def _encode(encoder: Encoder, part: Part) -> Tokens:
    try:
        signal = parts.read(part)
        with one_thread():
            return encoder.encode(signal)
    except PartError as error:
        if error.case_id is not None or error.row is not None:
            raise
        raise PartError(error.reason, **_where(part)) from error
    except DataError as error:  # tokens that are none: of this part, not of the whole fit
        raise PartError(f"{encoder.name} makes no tokens of it: {error}", **_where(part)) from error


def _digest(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _where(part: Part) -> dict:
    return {"part": part.modality, "case_id": part.case_id, "row": part.row}
