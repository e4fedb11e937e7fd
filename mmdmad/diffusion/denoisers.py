"""Denoisers over tokens: networks that take noisy tokens and a time and predict noise, clean tokens or velocity.

Every denoiser is called `net(noisy, time, ...)` with one float time a row, in [0, 1]. Dropout and weights draw from
torch's generators; `build` makes the weights a function of the seed alone.
"""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmdmad.device import chosen_device
from mmdmad.sizes import bounded_networks


def build(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """A network on the device that is used, whose initial weights depend on `seed` only, drawn on the CPU.

    The global generator is left as it was. ConfigError for more parameters than `mmdmad.sizes` allows.

    >>> a, b = (build(lambda: nn.Linear(2, 2), seed=3) for _ in range(2))
    >>> bool((a.weight == b.weight).all())
    True
    """
    with torch.random.fork_rng(devices=[]), bounded_networks():
        torch.manual_seed(seed)
        return make().to(chosen_device())


def time_embedding(time: Tensor, width: int, fastest: float = 1000.0, slowest: float = 1.0) -> Tensor:
    """Sines and cosines of `time` (B,) in [0, 1] at geometric frequencies: (B, width) (Vaswani et al., NeurIPS 2017).

    fastest, slowest: the ends of the frequencies, in radians over the whole range of times.

    >>> time_embedding(torch.zeros(2), 4).tolist()[0]
    [0.0, 0.0, 1.0, 1.0]
    """
    half = width // 2
    place = torch.arange(half, device=time.device, dtype=time.dtype) / max(half - 1, 1)
    rates = slowest * (fastest / slowest) ** (1.0 - place)
    angles = time[:, None] * rates
    return F.pad(torch.cat([angles.sin(), angles.cos()], dim=1), (0, width - 2 * half))


_ACTIVATIONS = {"silu": nn.SiLU, "relu": nn.ReLU, "leaky": nn.LeakyReLU, "gelu": nn.GELU}


class MLP(nn.Module):
    """A perceptron over single tokens [noisy, time embedding, position embedding] (DDAE, KDD 2025, uses this form).

    width: token features; hidden: layer widths; positions: how many positions have an embedding of their own
    (0 = positions do not matter); out: output features (default: width); time_width 0: no time input; rates: fastest
    and slowest frequency of the time.
    """

    def __init__(
        self,
        width: int,
        hidden: tuple[int, ...] = (512, 512),
        time_width: int = 32,
        positions: int = 0,
        out: int | None = None,
        dropout: float = 0.0,
        activation: str = "silu",
        rates: tuple[float, float] = (1000.0, 1.0),
    ) -> None:
        super().__init__()
        self.time_width, self.rates = time_width, rates
        self.place = nn.Embedding(positions, 16) if positions else None
        sizes = [width + time_width + (16 if positions else 0), *hidden]
        layers: list[nn.Module] = []
        for i, (a, b) in enumerate(itertools.pairwise(sizes)):
            layers += [nn.Linear(a, b), _ACTIVATIONS[activation]()]
            if dropout and i:
                layers.append(nn.Dropout(dropout))
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], out or width))

    def forward(self, noisy: Tensor, time: Tensor | None = None, position: Tensor | None = None) -> Tensor:
        """noisy (B, width), time (B,), position (B,) row numbers → (B, out)."""
        inputs = [noisy]
        if self.time_width:
            assert time is not None
            inputs.append(time_embedding(time, self.time_width, *self.rates))
        if self.place is not None:
            assert position is not None
            inputs.append(self.place(position))
        return self.layers(torch.cat(inputs, dim=1))


class ResidualMLP(nn.Module):
    """Residual blocks over single tokens (Gorishniy et al., NeurIPS 2021), the time added behind the first layer.

    As the DDPM baseline of Livernoche et al., ICLR 2024, has it: `depth` blocks x + linear(relu(linear(norm(x)))) of
    `inner` and `between` features with batch norm and dropout behind both linear layers. positions: how many positions
    have an embedding of their own (0 = positions do not matter).
    """

    def __init__(
        self,
        width: int,
        inner: int = 128,
        between: int = 256,
        depth: int = 3,
        positions: int = 0,
        time_width: int = 256,
        dropout: tuple[float, float] = (0.4, 0.1),
    ) -> None:
        super().__init__()
        self.time_width = time_width
        self.enter = nn.Linear(width, inner)
        self.place = nn.Embedding(positions, inner) if positions else None
        self.time = nn.Sequential(
            nn.Linear(time_width, time_width),
            nn.SiLU(),
            nn.Linear(time_width, time_width),
            nn.SiLU(),
            nn.Linear(time_width, inner),
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm1d(inner),
                nn.Linear(inner, between),
                nn.ReLU(),
                nn.Dropout(dropout[0]),
                nn.Linear(between, inner),
                nn.Dropout(dropout[1]),
            )
            for _ in range(depth)
        )
        self.leave = nn.Sequential(nn.BatchNorm1d(inner), nn.ReLU(), nn.Linear(inner, width))

    def forward(self, noisy: Tensor, time: Tensor, position: Tensor | None = None) -> Tensor:
        """noisy (B, width), time (B,), position (B,) row numbers → (B, width)."""
        inside = self.enter(noisy) + self.time(time_embedding(time, self.time_width))
        if self.place is not None:
            assert position is not None
            inside = inside + self.place(position)
        for block in self.blocks:
            inside = inside + block(inside)
        return self.leave(inside)


class _Block(nn.Module):
    """Self-attention, cross-attention to the condition and a perceptron, each under adaptive norm (adaLN-zero)."""

    def __init__(self, width: int, heads: int, condition_width: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(3))
        self.attention = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.cross = (
            nn.MultiheadAttention(width, heads, dropout, kdim=condition_width, vdim=condition_width, batch_first=True)
            if condition_width
            else None
        )
        self.perceptron = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.modulation = nn.Linear(width, 9 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, tokens: Tensor, context: Tensor, condition: Tensor | None, ignore: Tensor | None) -> Tensor:
        shift_a, scale_a, gate_a, shift_c, scale_c, gate_c, shift_p, scale_p, gate_p = (
            part[:, None] for part in self.modulation(F.silu(context)).chunk(9, dim=1)
        )
        normed = self.norms[0](tokens) * (1 + scale_a) + shift_a
        tokens = (
            tokens + gate_a * self.attention(normed, normed, normed, key_padding_mask=ignore, need_weights=False)[0]
        )
        if self.cross is not None and condition is not None:
            normed = self.norms[1](tokens) * (1 + scale_c) + shift_c
            tokens = tokens + gate_c * self.cross(normed, condition, condition, need_weights=False)[0]
        normed = self.norms[2](tokens) * (1 + scale_p) + shift_p
        return tokens + gate_p * self.perceptron(normed)


class Transformer(nn.Module):
    """A transformer over token sets with adaptive norm (Peebles and Xie, DiT, ICCV 2023) and cross-attention.

    width: token features; inner: model width; positions: how many positions have an embedding; condition_width: width
    of the condition tokens (0 = unconditional); slots: the longest sequence whose order matters (0: order does not
    matter). A condition that is dropped (`drop_condition`) or not given is replaced by one learned token, which is
    what classifier-free guidance contrasts with.
    """

    def __init__(
        self,
        width: int,
        inner: int = 128,
        depth: int = 3,
        heads: int = 4,
        positions: int = 1,
        condition_width: int = 0,
        dropout: float = 0.0,
        slots: int = 0,
    ) -> None:
        super().__init__()
        self.inner, self.condition_width = inner, condition_width
        self.enter = nn.Linear(width, inner)
        self.place = nn.Embedding(max(1, positions), inner)
        self.time = nn.Sequential(nn.Linear(inner, inner), nn.SiLU(), nn.Linear(inner, inner))
        self.nothing = nn.Parameter(torch.zeros(1, 1, condition_width)) if condition_width else None
        self.blocks = nn.ModuleList(_Block(inner, heads, condition_width, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(inner)
        self.leave = nn.Linear(inner, width)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        self.slot = nn.Embedding(slots, inner) if slots else None

    def forward(
        self,
        noisy: Tensor,
        time: Tensor,
        position: Tensor | None = None,
        condition: Tensor | None = None,
        dropped: Tensor | None = None,
        ignore: Tensor | None = None,
    ) -> Tensor:
        """noisy (B, L, width), time (B,), position (B, L) row numbers, condition (B, C, E) → (B, L, width).

        dropped (B,) bool: rows whose condition is replaced by the learned "nothing"; ignore (B, L) bool: padding.
        """
        place = torch.zeros(noisy.shape[:2], dtype=torch.long, device=noisy.device) if position is None else position
        tokens = self.enter(noisy) + self.place(place)
        if self.slot is not None:
            tokens = tokens + self.slot.weight[: tokens.shape[1]]
        context = self.time(time_embedding(time, self.inner))
        given: Tensor | None = None
        if self.nothing is not None:
            if condition is None:
                given = self.nothing.expand(len(noisy), 1, self.condition_width)
            elif dropped is None:
                given = condition
            else:
                given = torch.where(dropped[:, None, None], self.nothing, condition)
        for block in self.blocks:
            tokens = block(tokens, context, given, ignore)
        return self.leave(self.norm(tokens))


def drop_condition(rows: int, share: float, generator: torch.Generator) -> Tensor:
    """Which rows of a batch lose their condition in training, bool (rows,) (Ho and Salimans, 2022: share 0.1)."""
    return torch.rand(rows, generator=generator) < share


def guided(conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance: u + w (c - u); w = 1 is the conditional model (Ho and Salimans, 2022).

    >>> float(guided(torch.tensor(3.0), torch.tensor(1.0), 2.0))
    5.0
    """
    return unconditional + scale * (conditional - unconditional)
