"""Score norms over noise levels (MSMA): how hard does the score pull, at each scale, compared with normal tokens?

Mahmood, Oliva, Styner, "Multiscale Score Matching for Out-of-Distribution Detection", ICLR 2021. A noise-conditional
score network s(x, sigma) is trained by denoising score matching; the clean token gives the vector of norms

    v_i(x) = sigma_i |s(x, sigma_i)|,    i = 1..L, sigma_i geometric,

and a density fitted to the training tokens' vectors scores it: -log p(log(1 + v)). The logarithm, which the paper does
not take, keeps the few long norms of the smallest levels from shaping the mixture.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.mixture import Mixture
from mmdmad.detectors.kit.neural import NeuralDetector
from mmdmad.device import normal_like
from mmdmad.diffusion.denoisers import MLP
from mmdmad.diffusion.noise import sigma_grid
from mmdmad.tokens import Tokens


@detector(
    About(
        "score-norm",
        "density",
        "Mahmood et al., ICLR 2021 (MSMA)",
        "seconds",
        branch="score function",
        formula="-log p(log(1 + v)), v_i = s_i |score(x, s_i)|, p a Gaussian mixture of the training vectors",
        use="Anomalies that show at one scale only: too smooth, too rough, too far.",
        avoid="Few training tokens: a network and a mixture have to be learned.",
        fidelity="reduced",
        differs="The mixture alone of the paper's three densities, on log(1 + norm); a small perceptron over "
        "single tokens.",
    )
)
class ScoreNorm(NeuralDetector):
    """Minus log-likelihood of a token's score norms, as log(1 + v), under a Gaussian mixture of the training vectors.

    levels: noise levels L between sigma_min and sigma_max; mixture: components tried for the mixture, the one with
    the lowest Bayesian information criterion is kept; it is fitted to at most 20,000 training tokens.

    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> scores = ScoreNorm(steps=50).fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        levels: int = 10,
        sigma_min: float = 0.01,
        sigma_max: float = 1.0,
        mixture: tuple[int, ...] = (1, 3, 5),
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
        self.levels, self.sigma_min, self.sigma_max, self.mixture = levels, sigma_min, sigma_max, mixture
        self.hidden, self.steps, self.batch, self.learning_rate = hidden, steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _sigmas(self) -> Tensor:
        return sigma_grid(self.sigma_min, self.sigma_max, self.levels).float()

    def _build(self, width: int, positions: int) -> nn.Module:
        return MLP(width, tuple(self.hidden), time_width=32, positions=positions)

    def _loss(self, net: nn.Module, tokens: Tensor, position: Tensor, generator: torch.Generator) -> Tensor:
        """Denoising score matching weighted by sigma^2: the network predicts -sigma * score, the noise."""
        level = torch.randint(0, self.levels, (len(tokens),), generator=generator)
        noise = normal_like(tokens, generator)
        noisy = tokens + self._sigmas()[level].to(tokens.device)[:, None] * noise
        time = (level / max(1, self.levels - 1)).to(tokens.device)
        return ((net(noisy, time, position) - noise) ** 2).mean(dim=1)

    def _score_tokens(self, tokens: Tensor, position: Tensor) -> Tensor:
        norms = []
        for level in range(self.levels):
            time = torch.full((tokens.shape[0],), level / max(1, self.levels - 1), device=tokens.device)
            norms.append(self.net_(tokens, time, position).norm(dim=1))
        return torch.stack(norms, dim=1)

    def _after_training(self, tokens: np.ndarray, row: np.ndarray, owner: np.ndarray) -> None:
        sample = np.random.default_rng(self.seed).permutation(len(tokens))[:20_000]
        norms = np.log1p(self._in_chunks(tokens[np.sort(sample)], row[np.sort(sample)]))
        self.mixture_ = Mixture.fit(norms, self.mixture, self.seed)

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        return [self.mixture_.surprise(np.log1p(norms)) for norms in super()._score(items)]

    def _finish(self, raw: Tensor) -> Tensor:
        return self.mixture_.surprise_of((1.0 + raw).log())

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, values = super()._state()
        return {**arrays, **self.mixture_.arrays()}, values

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        super()._set_state(arrays, values)
        self.mixture_ = Mixture.from_arrays(arrays)
