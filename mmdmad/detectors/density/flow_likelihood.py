"""Exact likelihood along the probability-flow ODE: minus log p(x) in bits per dimension.

Song et al., "Score-Based Generative Modeling through Stochastic Differential Equations", ICLR 2021, appendix D.2. The
learned diffusion is an invertible flow to a Gaussian; its change of volume is the integral of the divergence, exact
for few features and Hutchinson's estimate with fixed signs otherwise. The likelihood is that of the standardised token.
"""

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.noise_predictor import NoisePredictor
from mmdmad.diffusion.noise import Schedule, sigma_grid
from mmdmad.diffusion.steppers import flow_log_likelihood
from mmdmad.errors import ConfigError


@detector(
    About(
        "pf-ode",
        "density",
        "Song et al., ICLR 2021 (probability-flow likelihood)",
        "seconds",
        branch="likelihood",
        formula="-log p(x) / (D log 2), by the change of variables along the probability-flow ODE",
        use="Few features, where the exact likelihood in bits is wanted.",
        avoid="Wide tokens: the trace is estimated and costs many passes; raw pixels, as for elbo.",
        fidelity="reduced",
        differs="20 Heun steps between two noise levels instead of an adaptive solver, the trace by four fixed "
        "signs beyond 16 features, a small perceptron.",
    )
)
class FlowLikelihood(NoisePredictor):
    """Minus log-likelihood, bits per dimension.

    evaluations: Heun steps between sigma_min and sigma_max; probes: Hutchinson signs where there are more than
    `exact` features (the trace is exact up to there, one derivative a feature).

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> scores = FlowLikelihood(steps=200).fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    no_export: ClassVar[str] = "its likelihood takes derivatives of the network, for which ONNX has no operator"

    def __init__(
        self,
        evaluations: int = 20,
        sigma_min: float = 0.05,
        sigma_max: float = 80.0,
        probes: int = 4,
        exact: int = 16,
        schedule: Schedule = "linear",
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
        self.evaluations, self.sigma_min, self.sigma_max = evaluations, sigma_min, sigma_max
        self.probes, self.exact, self.schedule, self.hidden = probes, exact, schedule, hidden
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.evaluations < 2 or self.probes < 1 or not 0 < self.sigma_min < self.sigma_max:
            raise ConfigError(
                f"evaluations={self.evaluations}, probes={self.probes}, sigma_min={self.sigma_min}, "
                f"sigma_max={self.sigma_max} were given; allowed are evaluations >= 2, probes >= 1, "
                "0 < sigma_min < sigma_max"
            )

    def _score_tokens(self, tokens: Tensor, position: Tensor) -> Tensor:
        width, signs = tokens.shape[1], None
        if width > self.exact:
            generator = torch.Generator().manual_seed(self.seed)
            signs = torch.randint(0, 2, (self.probes, width), generator=generator).float().to(tokens.device) * 2.0 - 1.0
        sigmas = sigma_grid(self.sigma_min, self.sigma_max, self.evaluations).tolist()
        return -flow_log_likelihood(self._eps(position), tokens, sigmas, signs) / (width * math.log(2.0))
