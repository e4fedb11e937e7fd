"""Diffusion time by an inverse gamma (DTE-IG): a network gives the scale of the posterior of the noise variance.

Livernoche, Jain, Hezaveh, Ravanbakhsh, ICLR 2024. The posterior of s_t^2 given x is an inverse gamma with shape
a = D / 2 - 1 (at least 1/2 here) and scale b(x) = r(x)^2; training maximises its likelihood, so the loss is
(b / s_t^2 - a log(b + 1e-5)) / a. The authors score with r, whose sign means nothing; the default here is b / a,
between the mode and the mean of s^2; `compat` gives r.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.neural import NeuralDetector
from mmdmad.device import normal_like
from mmdmad.diffusion.denoisers import MLP
from mmdmad.diffusion.noise import alphas_bar


@detector(
    About(
        "dte-ig",
        "density",
        "Livernoche et al., ICLR 2024 (DTE, inverse gamma)",
        "seconds",
        branch="diffusion time",
        formula="b(x) / a, scale over shape of an inverse gamma of the noise variance s^2",
        use="To compare with the other two diffusion times; a smooth estimate of the noise variance.",
        avoid="As a first choice: in the paper's tables it stands behind dte-np and dte-c.",
        fidelity="reduced",
        differs="3000 training steps that stop by held-out loss, their weights averaged, without dropout; r^2 "
        "over the shape is the score unless `compat`.",
    )
)
class DiffusionTimeGamma(NeuralDetector):
    """Scale of the inverse gamma posterior of the noise variance, over its shape.

    levels: steps T of the noise grid; compat: score with the network's signed output, as the authors' code does.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> scores = DiffusionTimeGamma(steps=300).fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        levels: int = 400,
        compat: bool = False,
        hidden: tuple[int, ...] = (256, 512, 256),
        steps: int = 3000,
        batch: int | Literal["auto"] = "auto",
        learning_rate: float = 1e-3,
        components: int | Literal["auto"] = "auto",
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.levels, self.compat, self.hidden = levels, compat, hidden
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _build(self, width: int, positions: int) -> nn.Module:
        return MLP(width, tuple(self.hidden), time_width=0, positions=positions, out=1, activation="relu")

    def _loss(self, net: nn.Module, tokens: Tensor, position: Tensor, generator: torch.Generator) -> Tensor:
        level = torch.randint(0, self.levels, (len(tokens),), generator=generator)
        noise = normal_like(tokens, generator)
        variance = (1.0 - alphas_bar("linear", self.levels, beta=(1e-4, 1e-2))[level]).float().to(tokens.device)
        scale = net(tokens + variance.sqrt()[:, None] * noise, None, position)[:, 0] ** 2
        shape = max(tokens.shape[1] / 2.0 - 1.0, 0.5)
        return (scale / variance - shape * (scale + 1e-5).log()) / shape

    def _score_tokens(self, tokens: Tensor, position: Tensor) -> Tensor:
        root = self.net_(tokens, None, position)[:, 0]
        return root if self.compat else root**2 / max(tokens.shape[1] / 2.0 - 1.0, 0.5)
