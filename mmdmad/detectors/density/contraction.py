"""TCCM: one-step contraction matching. The network learns the way from a normal token to the origin.

"Scalable, Explainable and Provably Robust Anomaly Detection with One-Step Flow Matching", NeurIPS 2025. Training
matches f(x, t) to -x for clean normal x and t uniform; at test |f(x, 1) + x|_2 tells how little of the way the network
knows. Network, optimiser, epochs, batch and rate are the defaults of the authors' class (TCCM-NIPS, `TCCM`): Adam at
1e-3, 100 epochs of batches of 64, the last weights, no early stopping. Their published figures take epochs, batch and
rate from a table with an entry for each data set; here one setting serves all.
"""

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.neural import NeuralDetector
from mmdmad.device import uniform_like
from mmdmad.diffusion.denoisers import MLP
from mmdmad.diffusion.training import Plan
from mmdmad.errors import ConfigError

WIDTH = 128  # sines and cosines of the time, half each
RATES = (1.0, 10_000.0 ** (2.0 / WIDTH - 1.0))  # as in the release: a time in [0, 1] turns none of them once


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
        fidelity="equal",
        differs="The defaults of the authors' class, not the settings a data set of their paper; `steps` ends the "
        "training earlier on more than 12,800 training tokens, and where tokens have positions these are given too.",
    )
)
class Contraction(NeuralDetector):
    """Length of the mismatch between the predicted contraction and the true one, at t = 1.

    epochs: passes over the training tokens; steps: optimiser steps at most, which more than 64 `steps` / `epochs`
    training tokens reach first.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> scores = Contraction(steps=100).fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (256, 256),
        epochs: int = 100,
        steps: int = 20_000,
        batch: int | Literal["auto"] = 64,
        learning_rate: float = 1e-3,
        components: int | Literal["auto"] = "auto",
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.hidden, self.epochs = hidden, epochs
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.epochs < 1:
            raise ConfigError(f"epochs={self.epochs} was given; at least 1 is needed")

    def _plan(self, count: int) -> Plan:
        plan = super()._plan(count)
        steps = min(self.steps, self.epochs * max(1, count // plan.batch))
        return replace(plan, steps=steps, batch=min(plan.batch, count), ema=0.0, clip=0.0, held_out=0.0)

    def _build(self, width: int, positions: int) -> nn.Module:
        return MLP(width, tuple(self.hidden), WIDTH, positions, activation="relu", rates=RATES)

    def _loss(self, net: nn.Module, tokens: Tensor, position: Tensor, generator: torch.Generator) -> Tensor:
        time = uniform_like(tokens, generator)
        return ((net(tokens, time, position) + tokens) ** 2).mean(dim=1)

    def _score_tokens(self, tokens: Tensor, position: Tensor) -> Tensor:
        return (self.net_(tokens, torch.ones(tokens.shape[0], device=tokens.device), position) + tokens).norm(dim=1)
