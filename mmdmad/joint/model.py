"""One network that denoises the parts' embeddings together, each part at a noise level of its own.

UniDiffuser (Bao et al., ICML 2023, arXiv 2303.06555, §3.2) gives every modality its own time t_m: t_m = 0 means the
part is given, t_m = 1 (the maximum) that it is missing. One network then holds every marginal, conditional and the
joint distribution. Here the parts are short whitened vectors and the network is an MLP.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmdmad.device import normal_like

FREQUENCIES = 8


def alpha_sigma(level: Tensor) -> tuple[Tensor, Tensor]:
    """Signal and noise scale of the cosine schedule (Nichol and Dhariwal 2021) at `level` in [0, 1], same shape.

    >>> [round(float(x), 3) for x in alpha_sigma(torch.tensor(0.5))]
    [0.707, 0.707]
    """
    angle = level * (torch.pi / 2)
    return torch.cos(angle), torch.sin(angle)


@dataclass(frozen=True)
class Shape:
    """Sizes of the network: width of each part's vector, hidden width, number of residual blocks."""

    dims: tuple[int, ...]
    width: int = 192
    blocks: int = 2
    dropout: float = 0.1


class JointDenoiser(nn.Module):
    """Predicts the clean vectors of all parts from noisy ones (B, sum of dims) and one level per part (B, parts).

    With unit-variance vectors the best estimate from a part alone is about alpha x_t, so the network only learns the
    rest: x0 = alpha x_t + sigma F (preconditioning after Karras et al., NeurIPS 2022, §5). A part at level 1 enters
    as zeros: nothing of it is known, not even a noise draw.
    """

    def __init__(self, shape: Shape, seed: int) -> None:
        super().__init__()
        self.shape = shape
        parts, total = len(shape.dims), sum(shape.dims)
        self.enter = nn.utils.skip_init(nn.Linear, total + parts * (FREQUENCIES + 2), shape.width)
        self.blocks = nn.ModuleList(_Block(shape.width, shape.dropout) for _ in range(shape.blocks))
        self.leave = nn.utils.skip_init(nn.Linear, shape.width, total)
        self.owner: Tensor
        self.frequencies: Tensor
        self.register_buffer("owner", torch.repeat_interleave(torch.arange(parts), torch.tensor(shape.dims)), False)
        self.register_buffer("frequencies", torch.arange(1, FREQUENCIES // 2 + 1) * torch.pi, False)
        _initialise(self, seed)

    def forward(self, noisy: Tensor, level: Tensor) -> Tensor:
        """Clean vectors (B, sum of dims) from noisy ones and levels (B, parts)."""
        alpha, sigma = (scale[:, self.owner] for scale in alpha_sigma(level))
        seen = noisy * (level < 1)[:, self.owner]
        angles = level[..., None] * self.frequencies
        flags = torch.stack([(level <= 0), (level >= 1)], dim=-1).to(noisy.dtype)
        about = torch.cat([angles.sin(), angles.cos(), flags], dim=-1).flatten(1)
        hidden = self.enter(torch.cat([seen, about], dim=1))
        for block in self.blocks:
            hidden = block(hidden)
        return alpha * seen + sigma * self.leave(nn.functional.silu(hidden))

    def columns(self, part: int) -> slice:
        """Where the vector of one part lies in the concatenation."""
        start = sum(self.shape.dims[:part])
        return slice(start, start + self.shape.dims[part])


class _Block(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width)
        self.inner = nn.utils.skip_init(nn.Linear, width, width)
        self.outer = nn.utils.skip_init(nn.Linear, width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        inside = nn.functional.silu(self.inner(self.norm(hidden)))
        return hidden + self.outer(self.dropout(inside))


def _initialise(model: nn.Module, seed: int) -> None:
    # skip_init above leaves the global random state alone; here every weight comes from the seed.
    generator = torch.Generator().manual_seed(seed)
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            with torch.no_grad():
                bound = module.in_features**-0.5
                module.weight.uniform_(-bound, bound, generator=generator)
                module.bias.zero_()
                if name == "leave" or name.endswith("outer"):
                    module.weight.mul_(1e-2)


def draw_levels(rows: int, parts: int, generator: torch.Generator) -> Tensor:
    """Training levels (rows, parts): 0 (given) with p = .2, 1 (missing) with p = .25, else uniform; independent.

    Drawn on the CPU, and still there.

    >>> levels = draw_levels(1000, 4, torch.Generator().manual_seed(0))
    >>> round(levels.eq(0).double().mean().item(), 1), round(levels.eq(1).double().mean().item(), 1)
    (0.2, 0.2)
    """
    kind = torch.rand(rows, parts, generator=generator)
    level = torch.rand(rows, parts, generator=generator)
    level = torch.where(kind < 0.2, 0.0, level)
    return torch.where(kind >= 0.75, 1.0, level)


def denoising_loss(model: nn.Module, clean: Tensor, present: Tensor, generator: torch.Generator) -> Tensor:
    """Weighted x0 error per case (B,): clean vectors (B, sum of dims), present (B, parts) bool.

    A part that is absent from the case is at level 1 and out of the loss; a given part (level 0) has nothing to learn.
    The weight min(1 / sigma^2, 5) (Min-SNR, Hang et al., ICCV 2023) keeps low noise from being neglected.
    """
    owner = model.get_buffer("owner")
    level = draw_levels(len(clean), present.shape[1], generator).to(clean.device)
    level = torch.where(present, level, 1.0)
    noise = normal_like(clean, generator)
    alpha, sigma = (scale[:, owner] for scale in alpha_sigma(level))
    estimate = model(alpha * clean + sigma * noise, level)
    counted = (present & (level > 0))[:, owner]
    weight = torch.clamp(1 / sigma.clamp(min=1e-3) ** 2, max=5.0) * counted
    return (weight * (estimate - clean) ** 2).mean(dim=1)


def stack(vectors: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Parts' vectors [(N, d_m)] with NaN rows for missing parts, as one (N, sum of dims) of zeros there, and a mask."""
    present = torch.stack([torch.isfinite(v).all(dim=1) for v in vectors], dim=1)
    return torch.nan_to_num(torch.cat(list(vectors), dim=1)), present
