"""CLIP encoders of pictures and texts (Radford et al., 2021) through open_clip, where weights are on this machine."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor

from mmdmad.encoders.base import Encoder, encoder
from mmdmad.encoders.clip_weights import find_clip, load_clip
from mmdmad.encoders.lite0 import on_grid
from mmdmad.encoders.text_tokens import TextEncoder
from mmdmad.errors import ConfigError
from mmdmad.tokens import Layout, Tokens

RESAMPLING = {"bicubic": PillowImage.Resampling.BICUBIC, "bilinear": PillowImage.Resampling.BILINEAR}
MOST_CELLS, BATCH, CHARACTERS = 16, 16, 5000


@encoder("clip-image", "image")
class ClipImage(Encoder):
    """Patch tokens of a CLIP image tower; the summary is the picture's embedding in CLIP's joint space, length one.

    `model` and `checkpoint` name the weights (see `clip_weights`). `depths` are the blocks whose patch tokens are used,
    as shares of the tower: 1.0 is the last. The picture is squeezed to the tower's size rather than cropped, so that
    its borders are seen. Position = cell.
    """

    def __init__(
        self, model: str | None = None, checkpoint: str | None = None, depths: Sequence[float] = (0.5, 1.0)
    ) -> None:
        if not depths or not all(0 < depth <= 1 for depth in depths):
            raise ConfigError(f"depths={tuple(depths)} was given; allowed are numbers above 0 and at most 1")
        self.model, self.checkpoint, self.depths = model, checkpoint, tuple(depths)
        self.source = find_clip(model, checkpoint)

    def encode(self, signal: Any) -> Tokens:
        """Tokens (rows * columns, D) of an Image."""
        network, _ = load_clip(self.source)
        with torch.inference_mode():
            given = _prepare(signal.pixels, network.visual.preprocess_cfg).to(_device(network))
            out = network.forward_intermediates(
                image=given, normalize=True, normalize_intermediates=True, image_output_fmt="NCHW"
            )
            maps = out["image_intermediates"]
            picked = [maps[max(0, round(depth * len(maps)) - 1)].cpu() for depth in self.depths]
            rows, columns = (min(MOST_CELLS, max(one.shape[axis] for one in picked)) for axis in (2, 3))
            cells = torch.cat([on_grid(one, rows, columns) for one in picked], 1)[0]
            values = cells.permute(1, 2, 0).reshape(rows * columns, -1).numpy()
            summary = out["image_features"][0].cpu().numpy().copy()
        height, width = signal.pixels.shape[:2]
        layout = Layout("grid", (rows, columns), size=(height, width), position=np.arange(rows * columns))
        return Tokens(values, layout, summary=summary)

    def describe(self) -> str:
        """One line for outputs."""
        return f"CLIP image tower ({self.source.describe()}), depths {', '.join(f'{d:g}' for d in self.depths)}"

    def params(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"model": self.model, "checkpoint": self.checkpoint, "depths": list(self.depths)}


@encoder("clip-text", "text")
class ClipText(TextEncoder):
    """CLIP text embeddings of the pieces of a text, in the space of `clip-image`, beside the form of the pieces."""

    def __init__(
        self, model: str | None = None, checkpoint: str | None = None, components: int = 32, max_spans: int = 64
    ) -> None:
        super().__init__(components, max_spans)
        self.model, self.checkpoint = model, checkpoint
        self.source = find_clip(model, checkpoint)

    def embed(self, pieces: Sequence[str]) -> np.ndarray:
        """Embeddings float32 (N, E); a piece is cut to the tower's context."""
        network, tokenizer = load_clip(self.source)
        out = []
        with torch.inference_mode():
            for start in range(0, len(pieces), BATCH):
                given = tokenizer([piece[:CHARACTERS] for piece in pieces[start : start + BATCH]])
                out.append(network.encode_text(given.to(_device(network)), normalize=True).cpu().numpy())
        return np.concatenate(out)

    def describe(self) -> str:
        """One line for outputs."""
        return f"CLIP text tower ({self.source.describe()}) and text form"

    def params(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"model": self.model, "checkpoint": self.checkpoint, **super().params()}


def _device(network: torch.nn.Module) -> torch.device:
    return next(network.parameters()).device


def _prepare(pixels: np.ndarray, config: dict[str, Any]) -> Tensor:
    size = config["size"]
    height, width = (size, size) if isinstance(size, int) else size
    resampling = RESAMPLING.get(config.get("interpolation", "bicubic"), PillowImage.Resampling.BICUBIC)
    picture = PillowImage.fromarray(pixels).resize((width, height), resampling, reducing_gap=3.0)
    mean, std = (torch.tensor(config[name])[:, None, None] for name in ("mean", "std"))
    values = torch.from_numpy(np.array(picture, np.float32)).permute(2, 0, 1) / 255
    return ((values - mean) / std)[None]
