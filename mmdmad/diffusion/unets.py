"""Denoisers for raw signals: diffusers' UNets behind the denoiser call `net(noisy, time)`.

Any length or picture size is allowed: inputs are padded at the end to what the network can halve, outputs cut back.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SeriesUNet(nn.Module):
    """diffusers' UNet1DModel over series (B, channels, T); time (B,) in [0, 1].

    >>> SeriesUNet(channels=3, widths=(16, 32))(torch.zeros(2, 3, 21), torch.zeros(2)).shape
    torch.Size([2, 3, 21])
    """

    def __init__(self, channels: int, widths: tuple[int, ...] = (32, 64, 64), layers: int = 1) -> None:
        super().__init__()
        from diffusers import UNet1DModel

        self.multiple = 2 ** len(widths)
        self.net = UNet1DModel(
            sample_size=64,
            in_channels=channels,
            out_channels=channels,
            time_embedding_type="positional",
            use_timestep_embedding=True,
            act_fn="silu",
            down_block_types=("DownResnetBlock1D",) * len(widths),
            up_block_types=("UpResnetBlock1D",) * (len(widths) - 1),
            mid_block_type="MidResTemporalBlock1D",
            out_block_type="OutConv1DBlock",
            block_out_channels=widths,
            layers_per_block=layers,
            norm_num_groups=8,
        )

    def forward(self, noisy: Tensor, time: Tensor) -> Tensor:
        """noisy (B, channels, T), time (B,) → (B, channels, T)."""
        length = noisy.shape[-1]
        padded = F.pad(noisy, (0, -length % self.multiple), mode="replicate")
        return self.net(padded, time * 1000.0, return_dict=False)[0][..., :length]


class ImageUNet(nn.Module):
    """diffusers' UNet2DModel over pictures (B, channels, H, W); time (B,) in [0, 1].

    attention: how many of the lowest resolutions attend (Ho et al., NeurIPS 2020, attend at 16 x 16). groups: of the
    normalisation; 1 where pictures may be as small as one cell, which normalising few channels would erase. out: output
    channels (default: `channels`).

    >>> ImageUNet(channels=3, widths=(16, 32))(torch.zeros(1, 3, 18, 20), torch.zeros(1)).shape
    torch.Size([1, 3, 18, 20])
    """

    def __init__(
        self,
        channels: int = 3,
        widths: tuple[int, ...] = (32, 64, 64),
        layers: int = 1,
        attention: int = 1,
        groups: int = 8,
        out: int | None = None,
    ) -> None:
        super().__init__()
        from diffusers import UNet2DModel

        plain = len(widths) - attention
        self.multiple = 2 ** (len(widths) - 1)
        self.net = UNet2DModel(
            sample_size=None,
            in_channels=channels,
            out_channels=out or channels,
            layers_per_block=layers,
            block_out_channels=widths,
            down_block_types=("DownBlock2D",) * plain + ("AttnDownBlock2D",) * attention,
            up_block_types=("AttnUpBlock2D",) * attention + ("UpBlock2D",) * plain,
            norm_num_groups=groups,
            attention_head_dim=8,
        )

    def forward(self, noisy: Tensor, time: Tensor) -> Tensor:
        """noisy (B, channels, H, W), time (B,) → (B, out, H, W)."""
        height, width = noisy.shape[-2:]
        padded = F.pad(noisy, (0, -width % self.multiple, 0, -height % self.multiple), mode="replicate")
        return self.net(padded, torch.as_tensor(time) * 1000.0, return_dict=False)[0][..., :height, :width]
