"""A denoiser of the next tokens that reads the past ones through cross-attention."""

import torch
from torch import Tensor, nn

from mmdmad.diffusion.denoisers import Transformer


class Forecaster(nn.Module):
    """A transformer over `ahead` tokens with `behind` past tokens as its condition, each with its lag and position.

    A past token that does not exist (the item had not begun) is replaced by a learned one, so that short pasts are
    part of what is learned. A past that is dropped altogether is the transformer's "nothing".
    """

    def __init__(
        self, width: int, behind: int, ahead: int, inner: int = 64, depth: int = 2, heads: int = 4, positions: int = 1
    ) -> None:
        super().__init__()
        self.enter = nn.Linear(width, inner)
        self.place = nn.Embedding(positions, inner)
        self.lag = nn.Embedding(behind, inner)
        self.absent = nn.Parameter(torch.zeros(inner))
        self.denoiser = Transformer(width, inner, depth, heads, positions, condition_width=inner, slots=ahead)

    def forward(
        self,
        noisy: Tensor,
        time: Tensor,
        position: Tensor,
        past: Tensor,
        past_position: Tensor,
        there: Tensor,
        ignore: Tensor | None = None,
    ) -> Tensor:
        """noisy (B, ahead, k), time (B,), past (B, behind, k), positions of both, there (B, behind) → (B, ahead, k)."""
        memory = torch.where(there[..., None], self.enter(past) + self.place(past_position), self.absent)
        return self.denoiser(noisy, time, position, condition=memory + self.lag.weight, ignore=ignore)
