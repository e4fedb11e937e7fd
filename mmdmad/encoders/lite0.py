"""EfficientNet-Lite0 features of pictures: the default image encoder, with ImageNet weights from a pip package.

Intermediate stages are averaged over 3x3 neighbours and brought to one grid, as PatchCore does with its backbone (Roth
et al., 2022, section 3.1). The picture is squeezed to a square, so each grid cell is the same share of its height and
width whatever its shape.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image as PillowImage
from torch import Tensor, nn

from mmdmad.device import chosen_device
from mmdmad.encoders.base import Encoder, encoder
from mmdmad.encoders.weights import LITE0
from mmdmad.errors import ConfigError
from mmdmad.packaged import packaged_file
from mmdmad.tokens import Layout, Tokens

BLOCKS = (1, 2, 2, 3, 3, 4, 1)
"""Blocks of each of the seven stages; the weight file numbers them through, timm counts within the stage."""
CHANNELS = (16, 24, 40, 80, 112, 192, 320)
WIDTH = 1280


@lru_cache(maxsize=1)
def load_lite0() -> nn.Module:
    """The network with its ImageNet weights, in evaluation mode, on the device that is used; loaded once."""
    import timm  # heavy: only where a picture is really encoded

    path = packaged_file(LITE0, LITE0.files[0][0])
    given = torch.load(path, map_location="cpu", weights_only=True)
    with torch.random.fork_rng(devices=[]):  # timm draws start weights that are overwritten: leave the caller's stream
        network: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    network.load_state_dict({timm_name(name): value for name, value in given.items()}, strict=True)
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last).to(chosen_device())


def timm_name(name: str) -> str:
    """timm's name for a parameter of the weight file.

    >>> timm_name("_blocks.3._expand_conv.weight"), timm_name("_fc.bias")
    ('blocks.2.0.conv_pw.weight', 'classifier.bias')
    """
    outer = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    inner = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if inner is None:
        layer, value = name.split(".")
        return f"{outer[layer]}.{value}"
    number, layer, value = int(inner[1]), inner[2], inner[3]
    stage = int(np.searchsorted(np.cumsum(BLOCKS), number, side="right"))
    index = number - sum(BLOCKS[:stage])
    if stage == 0:  # the first block does not expand
        layers = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    else:
        layers = {
            "_expand_conv": "conv_pw",
            "_bn0": "bn1",
            "_depthwise_conv": "conv_dw",
            "_bn1": "bn2",
            "_project_conv": "conv_pwl",
            "_bn2": "bn3",
        }
    return f"blocks.{stage}.{index}.{layers[layer]}.{value}"


def prepare(pixels: np.ndarray, height: int, width: int) -> Tensor:
    """A picture, uint8 (H, W, 3), squeezed to (1, 3, height, width) with values (x - 127) / 128."""
    picture = PillowImage.fromarray(pixels).resize((width, height), PillowImage.Resampling.BILINEAR, reducing_gap=3.0)
    values = torch.from_numpy(np.array(picture, np.float32)).permute(2, 0, 1)[None]
    return ((values - 127) / 128).contiguous(memory_format=torch.channels_last)


def stage_maps(network: nn.Module, x: Tensor, stages: Sequence[int], final: bool) -> tuple[list[Tensor], Tensor | None]:
    """Feature maps (1, C, h, w) after the given stages (1 to 7), and the pooled 1280 final features if asked for.

    The network's device does the work; what it finds comes back on the CPU.
    """
    maps = []
    last = 7 if final else max(stages)
    x = x.to(next(network.parameters()).device)
    x = network.bn1(network.conv_stem(x))  # type: ignore[operator]
    for number, stage in enumerate(network.blocks[:last], start=1):  # type: ignore[index]
        x = stage(x)
        if number in stages:
            maps.append(x.cpu())
    if not final:
        return maps, None
    return maps, network.bn2(network.conv_head(x)).mean((2, 3))[0].cpu()  # type: ignore[operator]


def on_grid(features: Tensor, rows: int, columns: int) -> Tensor:
    """A map (1, C, h, w), averaged over 3x3 neighbours, brought to (1, C, rows, columns)."""
    features = F.avg_pool2d(features, 3, stride=1, padding=1, count_include_pad=False)
    height, width = features.shape[-2:]
    if height >= rows and width >= columns:
        return F.adaptive_avg_pool2d(features, (rows, columns))
    return F.interpolate(features, (rows, columns), mode="bilinear", align_corners=False)


@encoder("lite0", "image")
class Lite0(Encoder):
    """EfficientNet-Lite0 stages on a grid.

    `size` is the side in pixels to which pictures are squeezed, `grid` the cells a side, `stages` which of the seven
    stages are used (strides 2, 4, 8, 16, 16, 32, 32). `also` are further sides at which the picture is looked at: a
    cell gets the features of all sides, the smaller ones see wide changes, the larger ones fine ones. Tokens have one
    row per cell, row by row, and position = cell. The summary is the pooled final layer at `size`, float32 (1280,).

    >>> from mmdmad.parts import Image
    >>> Lite0(size=64, grid=4).encode(Image(np.zeros((48, 80, 3), np.uint8))).values.shape
    (16, 552)
    """

    def __init__(
        self, size: int = 256, grid: int = 16, stages: Sequence[int] = (3, 4, 5, 7), also: Sequence[int] = ()
    ) -> None:
        for side in (size, *also):
            if not 32 <= side <= 2048 or side % 32:
                raise ConfigError(
                    f"size={size}, also={tuple(also)} were given; allowed are multiples of 32 from 32 to 2048"
                )
        if not 1 <= grid <= size // 4:
            raise ConfigError(f"grid={grid} was given; allowed is 1 to {size // 4} for size={size}")
        if not stages or not set(stages) <= set(range(1, 8)) or len(set(stages)) < len(stages):
            raise ConfigError(f"stages={tuple(stages)} was given; allowed are different numbers from 1 to 7")
        self.size, self.grid, self.stages, self.also = size, grid, tuple(sorted(stages)), tuple(also)

    def encode(self, signal: Any) -> Tokens:
        """Tokens (grid * grid, D) of an Image."""
        network = load_lite0()
        with torch.inference_mode():
            maps, final = stage_maps(network, prepare(signal.pixels, self.size, self.size), self.stages, final=True)
            for side in self.also:
                maps += stage_maps(network, prepare(signal.pixels, side, side), self.stages, final=False)[0]
            cells = torch.cat([on_grid(one, self.grid, self.grid) for one in maps], 1)[0]
            values = cells.permute(1, 2, 0).reshape(self.grid**2, -1).numpy()
        assert final is not None
        height, width = signal.pixels.shape[:2]
        layout = Layout("grid", (self.grid, self.grid), size=(height, width), position=np.arange(self.grid**2))
        return Tokens(values, layout, summary=final.numpy().copy())

    def describe(self) -> str:
        """One line for outputs."""
        stages = ", ".join(map(str, self.stages))
        sides = " and ".join(map(str, (self.size, *self.also)))
        return f"EfficientNet-Lite0 (ImageNet), {sides} px, {self.grid}x{self.grid} grid, stages {stages}"

    def params(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"size": self.size, "grid": self.grid, "stages": list(self.stages), "also": list(self.also)}
