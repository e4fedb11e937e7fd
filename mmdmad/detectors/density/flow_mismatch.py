"""Flow mismatching: does the flow learned from normal tokens agree with the straight way to this token?

"Flow Mismatching", 2026, on flow matching (Lipman et al., ICLR 2023). The velocity v is trained on straight paths
x_s = (1 - s) e + s x with target x - e. A test token is put on such paths from several fixed noise draws e_k, and

    score(x) = mean over k and s of |v(x_s, s) - (x - e_k)|^2 / D
"""

from typing import Literal

import torch
from torch import Tensor, nn

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.neural import NeuralDetector
from mmdmad.device import normal_like, uniform_like
from mmdmad.diffusion.denoisers import MLP
from mmdmad.diffusion.noise import noise_bank
from mmdmad.errors import ConfigError


@detector(
    About(
        "flow-mismatch",
        "density",
        "Flow Mismatching, 2026; flow matching of Lipman et al., ICLR 2023",
        "seconds",
        branch="inversion and flow",
        formula="mean over k, s of |v(x_s, s) - (x - e_k)|^2 / D, x_s = (1 - s) e_k + s x",
        use="Wherever elbo would do: fewer noise levels, straight paths.",
        avoid="Large levels of irreducible error: what no path tells is part of every score.",
        fidelity="reduced",
        differs="A perceptron for each token by itself, and the plain mean over draws and places where the paper "
        "aggregates robustly.",
    )
)
class FlowMismatch(NeuralDetector):
    """Mean squared mismatch of velocities along straight paths.

    draws: noise draws K; places: how many s in (0, 1), evenly spaced up to `last`.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> scores = FlowMismatch(steps=100).fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        draws: int = 4,
        places: int = 5,
        last: float = 0.9,
        hidden: tuple[int, ...] = (512, 512),
        steps: int = 2000,
        batch: int | Literal["auto"] = "auto",
        learning_rate: float = 1e-3,
        components: int | Literal["auto"] = "auto",
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.draws, self.places, self.last, self.hidden = draws, places, last, hidden
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.draws < 1 or self.places < 1 or not 0 < self.last < 1:
            raise ConfigError(
                f"draws={self.draws}, places={self.places}, last={self.last} were given; allowed are draws >= 1, "
                "places >= 1, 0 < last < 1"
            )

    def _build(self, width: int, positions: int) -> nn.Module:
        return MLP(width, tuple(self.hidden), time_width=32, positions=positions)

    def _loss(self, net: nn.Module, tokens: Tensor, position: Tensor, generator: torch.Generator) -> Tensor:
        place = uniform_like(tokens, generator)
        noise = normal_like(tokens, generator)
        on_path = torch.lerp(noise, tokens, place[:, None])
        return ((net(on_path, place, position) - (tokens - noise)) ** 2).mean(dim=1)

    def _score_tokens(self, tokens: Tensor, position: Tensor) -> Tensor:
        total = torch.zeros(tokens.shape[0], device=tokens.device)
        for noise in noise_bank(self.draws, (tokens.shape[1],), self.seed).to(tokens.device):
            for n in range(1, self.places + 1):
                s = self.last * n / self.places
                place = torch.full((tokens.shape[0],), s, device=tokens.device)
                mismatch = self.net_((1.0 - s) * noise + s * tokens, place, position) - (tokens - noise)
                total = total + (mismatch**2).mean(dim=1)
        return total / (self.draws * self.places)
