"""Diffusion time by classification (DTE-C): a network tells how much noise a token carries.

Livernoche, Jain, Hezaveh, Ravanbakhsh, "On Diffusion Modeling for Anomaly Detection", ICLR 2024. Training tokens are
noised without drift, x_t = x_0 + s_t e with s_t^2 = 1 - prod(1 - beta); the network sorts them into bins of t, and the
score of a token is the expected bin. A classifier says anything about tokens farther out than it ever saw, so tokens
are clipped to the range that training covered before it is asked.
"""

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.neural import NeuralDetector
from mmdmad.device import normal_like
from mmdmad.diffusion.denoisers import MLP
from mmdmad.diffusion.noise import alphas_bar
from mmdmad.diffusion.training import Plan
from mmdmad.saved import check_arrays, require


@detector(
    About(
        "dte-c",
        "density",
        "Livernoche et al., ICLR 2024 (DTE, categorical)",
        "seconds",
        branch="diffusion time",
        formula="sum_b b p(b | x), p a classifier of the noise level's bin",
        use="Diffusion time where the memory of dte-np is too large: a network instead of the training tokens.",
        avoid="Short training, or sets of a few hundred tokens.",
        fidelity="reduced",
        differs="4000 training steps that stop by held-out loss, their weights averaged, instead of 400 epochs; "
        "one softmax unless `compat`; tokens are clipped to what training covered.",
    )
)
class DiffusionTimeCategorical(NeuralDetector):
    """Expected bin of the diffusion time that a classifier gives a token.

    levels: steps T of the noise grid; bins: classes of t; compat: apply the softmax twice in the loss, as the
    authors' code does (it regularises, for better on some sets and for worse on others).

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> scores = DiffusionTimeCategorical(steps=200).fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        levels: int = 400,
        bins: int = 7,
        compat: bool = False,
        hidden: tuple[int, ...] = (256, 512, 256),
        dropout: float = 0.5,
        steps: int = 4000,
        batch: int | Literal["auto"] = 64,
        learning_rate: float = 1e-4,
        components: int | Literal["auto"] = "auto",
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.levels, self.bins, self.compat, self.hidden, self.dropout = levels, bins, compat, hidden, dropout
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _plan(self, count: int) -> Plan:
        plan = super()._plan(count)
        return Plan(**{**vars(plan), "weight_decay": 5e-4, "evaluate_every": 200, "patience": 10})

    def _build(self, width: int, positions: int) -> nn.Module:
        return MLP(
            width,
            tuple(self.hidden),
            time_width=0,
            positions=positions,
            out=self.bins,
            dropout=self.dropout,
            activation="relu",
        )

    def _loss(self, net: nn.Module, tokens: Tensor, position: Tensor, generator: torch.Generator) -> Tensor:
        level = torch.randint(0, self.levels, (len(tokens),), generator=generator)
        noise = normal_like(tokens, generator)
        sigma = (1.0 - alphas_bar("linear", self.levels, beta=(1e-4, 1e-2))[level]).sqrt().float()
        logits = net(tokens + sigma.to(tokens.device)[:, None] * noise, None, position)
        wanted = (level * self.bins // self.levels).to(tokens.device)
        return F.cross_entropy(logits.softmax(dim=1) if self.compat else logits, wanted, reduction="none")

    def _before_training(self, tokens: np.ndarray, row: np.ndarray) -> None:
        self.limit_ = (np.abs(tokens).max(axis=0) + 2.0).astype(np.float32)

    def _score_tokens(self, tokens: Tensor, position: Tensor) -> Tensor:
        limit = torch.from_numpy(self.limit_).to(tokens.device)
        shares = self.net_(tokens.clamp(-limit, limit), None, position).softmax(dim=1)
        return (shares * torch.arange(self.bins, device=tokens.device)).sum(dim=1)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, values = super()._state()
        return {**arrays, "limit": self.limit_}, values

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        super()._set_state(arrays, values)
        check_arrays(arrays, {"limit": "f k"}, k=self.space_.width + (1 if self.space_.left_out else 0))
        require((arrays["limit"] > 0).all(), "a limit is not above 0")
        self.limit_ = arrays["limit"]
