"""A part by its file and the hash of what it holds: what is kept of parts that are too large to be kept themselves."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mmdmad.cases import Modality, Part
from mmdmad.parts.content import content_key
from mmdmad.parts.limits import refuse
from mmdmad.saved import validated


class _Named(BaseModel):
    """What `reference` gives."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(min_length=1)
    root: str | None
    start: int | None
    stop: int | None
    rate: float | None
    key: str = Field(pattern="^[0-9a-f]{64}$")


def reference(part: Part) -> dict[str, Any] | None:
    """The part's file, its slice, rate and content key as JSON values; None where it lies in memory.

    None, too, where a name is no text: JSON could not hold it.
    """
    if part.path is None:
        return None
    path, root = (None if name is None else os.path.abspath(name) for name in (part.path, part.root))
    try:
        f"{path}{root}".encode()
    except UnicodeEncodeError:
        return None
    plain = _as_read(part)
    return {
        "path": path, "root": root, "start": part.start, "stop": part.stop, "rate": part.rate,
        "key": content_key(plain),
    }  # fmt: skip


def referred(modality: Modality, values: Mapping[str, Any]) -> Part:
    """The part that `reference` named; PartError where its file is gone or holds something else, ModelError where the
    values are not such as it gives."""
    known = validated(_Named, values)
    root = None if known.root is None else Path(known.root)
    part = Part(modality, Path(known.path), start=known.start, stop=known.stop, rate=known.rate, root=root)
    if content_key(part) != known.key:
        raise refuse(part, f"{part.path and part.path.name} holds no more what was learned from")
    return part


def _as_read(part: Part) -> Part:
    """The part without what a model adds to it: levels enter its key."""
    return Part(part.modality, part.path, start=part.start, stop=part.stop, rate=part.rate, root=part.root)
