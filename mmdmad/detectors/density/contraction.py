"""TCCM: one-step contraction matching. The network learns the way from a normal token to the origin.

"Scalable, Explainable and Provably Robust Anomaly Detection with One-Step Flow Matching", NeurIPS 2025. Training
matches f(x, t) to -x for clean normal x and t uniform; at test |f(x, 1) + x|_2 tells how little of the way the network
knows. The authors look up epochs and rates per data set; here one setting serves all.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.neural import NeuralDetector
from mmdmad.device import uniform_like
from mmdmad.diffusion.denoisers import MLP


@detector(
    About(
        "tccm",
        "density",
        "TCCM, NeurIPS 2025 (contraction matching)",
        "seconds",
        branch="inversion and flow",
        formula="|f(x, 1) + x|_2, f trained to the vector from x to the origin",
        use="Tables under a tight budget: one network call, and a residual for each feature.",
        avoid="Long training: with enough of it the network maps every input right, anomalies too.",
        fidelity="reduced",
        differs="2000 training steps at most that stop by held-out loss, their weights averaged, instead of the "
        "release's epochs; another range of time frequencies.",
    )
)
class Contraction(NeuralDetector):
    """Length of the mismatch between the predicted contraction and the true one, at t = 1.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> scores = Contraction(steps=100).fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (256, 256),
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
        self.hidden = hidden
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _build(self, width: int, positions: int) -> nn.Module:
        return MLP(width, tuple(self.hidden), time_width=128, positions=positions, activation="relu")

    def _loss(self, net: nn.Module, tokens: Tensor, position: Tensor, generator: torch.Generator) -> Tensor:
        time = uniform_like(tokens, generator)
        return ((net(tokens, time, position) + tokens) ** 2).mean(dim=1)

    def _score_tokens(self, tokens: Tensor, position: Tensor) -> Tensor:
        return (self.net_(tokens, torch.ones(tokens.shape[0], device=tokens.device), position) + tokens).norm(dim=1)
