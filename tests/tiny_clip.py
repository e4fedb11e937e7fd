"""A small random CLIP that stands in for real weights."""

import json
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file

from mmdmad.encoders.clip_weights import CONFIG

TINY = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 64, "layers": 4, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}


def write_tiny_clip(path: Path) -> Path:
    """A CLIP folder as on a hub: configuration and safetensors; returns `path`."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = open_clip.CLIP(**TINY)
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(weights, path / "open_clip_model.safetensors")
    (path / CONFIG).write_text(json.dumps({"model_cfg": TINY, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}))
    return path
