"""CLIP weights: found in a file, a folder or the local hub cache, and loaded by open_clip. Nothing is ever downloaded.

A source is named by two values: `model`, an open_clip architecture ("ViT-B-32") or a hub repository ("laion/CLIP-…"),
and `checkpoint`, a weights file of that architecture or a folder with `open_clip_config.json` and weights. Without
them the environment variable MMDMAD_CLIP is read ("FOLDER" or "MODEL:FILE"), then the hub cache of this machine.
"""

import json
import os
import pickle
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmdmad.errors import WeightsError
from mmdmad.packaged import sha256

REPOSITORIES = (
    "laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
    "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
    "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
)
"""Looked for in the hub cache, in this order, when no source is named."""
EXAMPLE = REPOSITORIES[1]
WEIGHT_NAMES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
)
CONFIG = "open_clip_config.json"
VARIABLE = "MMDMAD_CLIP"


@dataclass(frozen=True)
class ClipSource:
    """Where a CLIP model comes from: open_clip's name for it and its weights file."""

    name: str
    weights: Path

    def describe(self) -> str:
        """Name, file and the first digits of its SHA-256."""
        shown = self.weights.parent.name if self.name.startswith("local-dir:") else self.name
        return f"{shown}, {self.weights.name} {sha256(self.weights)[:12]}"


def find_clip(model: str | None = None, checkpoint: str | None = None) -> ClipSource:
    """The named source, or the one this machine has; WeightsError that says what to do when there is none."""
    if checkpoint is not None:
        return _local(model, Path(checkpoint))
    if model is not None:
        if "/" not in model:
            raise WeightsError(
                f"CLIP model {model!r} was given without weights; give checkpoint=FILE too, or a hub repository "
                f"such as model={EXAMPLE!r}"
            )
        return _cached(model.removeprefix("hf-hub:"))
    named = os.environ.get(VARIABLE)
    if named:
        name, colon, file = named.partition(":")
        return _local(name, Path(file)) if colon and not Path(named).exists() else _local(None, Path(named))
    for repository in REPOSITORIES:
        try:
            return _cached(repository)
        except WeightsError:
            continue
    raise WeightsError(
        f"no CLIP weights are on this machine; give checkpoint=FOLDER, set {VARIABLE}=FOLDER or MODEL:FILE, or with a "
        f"network run: hf download {EXAMPLE} {CONFIG} {WEIGHT_NAMES[0]}"
    )


def _local(model: str | None, path: Path) -> ClipSource:
    if path.is_dir():
        if not (path / CONFIG).is_file():
            raise WeightsError(f"{path} holds no {CONFIG}; give a folder with it, or a weights file and model=NAME")
        found = [path / name for name in WEIGHT_NAMES if (path / name).is_file()]
        if not found:
            raise WeightsError(f"{path} holds no CLIP weights; allowed are {', '.join(WEIGHT_NAMES)}")
        return ClipSource(f"local-dir:{path}", found[0])
    if not path.is_file():
        raise WeightsError(f"CLIP checkpoint {path} is not there; give a weights file or a folder with {CONFIG}")
    if not model:
        raise WeightsError(f"CLIP checkpoint {path} needs model=NAME, the open_clip architecture it belongs to")
    return ClipSource(model, path)


def _cached(repository: str) -> ClipSource:
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(repository, CONFIG)
    if isinstance(config, str):
        folder = Path(config).parent
        for name in WEIGHT_NAMES:
            if (folder / name).is_file():
                return ClipSource(f"local-dir:{folder}", folder / name)
    raise WeightsError(
        f"{repository} is not in the local hub cache; with a network run: "
        f"hf download {repository} {CONFIG} {WEIGHT_NAMES[0]}"
    )


def clip_config(source: ClipSource) -> dict[str, Any]:
    """open_clip's configuration of the source; refused where a tower would have to be fetched from a hub."""
    import open_clip

    if source.name.startswith("local-dir:"):
        path = Path(source.name.removeprefix("local-dir:")) / CONFIG
        try:
            config = json.loads(path.read_text(encoding="utf-8"))["model_cfg"]
        except (ValueError, KeyError, UnicodeDecodeError) as error:
            raise WeightsError(f"{path} is no open_clip configuration: {error!r}") from error
    else:
        config = open_clip.get_model_config(source.name)
        if config is None:
            raise WeightsError(f"open_clip knows no model {source.name!r}; see open_clip.list_models()")
        if config["text_cfg"].get("hf_tokenizer_name") or "siglip" in source.name.lower():
            raise WeightsError(f"the tokenizer of {source.name} is on a hub; give a folder that holds it with {CONFIG}")
    if config["text_cfg"].get("hf_model_name"):
        raise WeightsError(f"the text tower of {source.name} is configured on a hub; choose a model without one")
    return dict(config)


@lru_cache(maxsize=2)
def load_clip(source: ClipSource) -> tuple[Any, Any]:
    """Model in evaluation mode on the device that is used, and tokenizer; loaded once.

    Weights are read as safetensors or with `weights_only=True`.
    """
    import open_clip
    import torch
    from safetensors import SafetensorError

    from mmdmad.device import chosen_device

    # open_clip asserts that positional embeddings fit
    wrong = (RuntimeError, ValueError, KeyError, OSError, AssertionError, pickle.UnpicklingError, SafetensorError)
    clip_config(source)
    with torch.random.fork_rng(devices=[]):  # building a network draws start weights: leave the caller's stream
        try:
            pretrained = None if source.name.startswith("local-dir:") else str(source.weights)
            model = open_clip.create_model(
                source.name, pretrained=pretrained, pretrained_text=False, require_pretrained=True, weights_only=True
            )
        except wrong as error:
            reason = " ".join(str(error).split())[:300]
            raise WeightsError(f"{source.weights} does not hold weights of {source.name}: {reason}") from error
    return model.eval().requires_grad_(False).to(chosen_device()), open_clip.get_tokenizer(source.name)
