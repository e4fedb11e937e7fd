"""ImDiffusion: hide every other stretch of a sequence, let a diffusion model fill it in, and let its steps vote.

Chen, Zhang, Ma, Liu, Ding, Li, He, Rajmohan, Lin, Zhang, "ImDiffusion: Imputed Diffusion Models for Multivariate Time
Series Anomaly Detection", PVLDB 17(3), 2023. A window is cut into blocks; of two complementary gratings one hides the
odd, one the even blocks, so each token is imputed once. At each step k of the reverse process the network says what it
believes the hidden tokens to be, b_k(x):

    r_k(x) = mean over axes of (x - b_k(x))^2 / usual_k        error in units of its mean on normal tokens
    votes(x) = number of the last steps k with r_k(x) > t_k     t_k: the 1 - vote_rate quantile on normal tokens
    score(x) = votes(x) + m / (1 + m),  m = mean over k of r_k(x) / t_k

so that tokens are ordered by votes, and within equal votes by how far they exceed. The authors' code chooses the rate
and the needed votes by point-adjusted F1 on the test labels; here both come from normal data, and nothing is adjusted.

The paper's "unconditional" model (`conditional=False`) sees the observed tokens only noised to the level of the step,
so that the error on anomalies grows. Here they enter as they are by default. That was chosen on simulated data with its
labels in view: on noisy two-channel sines with planted shifts (200 training items, 800 steps, seed 0) the unconditional
model had a token AUROC of 0.929, the conditional one 0.996. At so few steps the former is not trained to its end; with
more, or on other data, the order may be another.

`observed="diffad"` observes few tokens, chosen where the sequence does not change: Xiao et al.,
"Imputation-based Time-Series Anomaly Detection with Conditional Weight-Incremental Diffusion Models" (DiffAD), KDD
2023; a second pass swaps the roles.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.sequence import SequenceDetector, Windows
from mmdmad.device import normal_like, uniform_like
from mmdmad.diffusion.denoisers import Transformer
from mmdmad.diffusion.imputation import grating, impute, observed_by_change
from mmdmad.diffusion.noise import add_noise, alpha_bar_at, noise_bank
from mmdmad.diffusion.prediction import target
from mmdmad.errors import ConfigError, ExportError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Layout, Tokens


@detector(
    About(
        "imdiffusion",
        "reconstruction",
        "Chen et al., PVLDB 2023 (ImDiffusion); observed points also as in Xiao et al., KDD 2023 (DiffAD)",
        "minutes",
        modalities=("sensor", "video", "image", "text"),
        needs="several tokens an item: what is hidden is told by its neighbours",
        formula="votes over the last steps k: [(x - imputed_k(x))^2 > t_k], ties by mean_k (x - imputed_k)^2 / t_k",
        use="Series or grids whose tokens can be told from their neighbours in time or place, anomalies shorter than "
        "a window.",
        avoid="Single vectors; anomalies as long as the window, which are imputed from themselves; tight budgets.",
        branch="conditional",
        fidelity="reduced",
        differs="A small transformer and 10 steps instead of 50; observed tokens enter clean by default, and "
        "thresholds come from normal data instead of the test labels. Of DiffAD only the choice of "
        "observed points is here, not its conditioning or network.",
    )
)
class Imputation(SequenceDetector):
    """Votes over the reverse steps that fill hidden tokens in.

    observed: "grating" (complementary stretches) or "diffad" (the `share` of steps where the sequence changes least,
    then the others). window: tokens the network sees at once; blocks: stretches a window is cut into; checker: hide
    neighbours within a time alternately, so that one channel is also told from another. conditional False: observed
    tokens enter noised, as in the paper. walk: reverse steps; voting: how many of the last ones vote; vote_rate: share
    of normal tokens above each step's threshold.

    >>> items = [Tokens(np.sin(np.arange(20) + p)[:, None], Layout("steps", (20, 1))) for p in range(30)]
    >>> odd = Tokens(items[0].values + 9.0 * (np.arange(20) == 7)[:, None], items[0].layout)
    >>> int(Imputation(steps=50, inner=16).fit(items).token_scores([odd])[0].argmax())
    7
    """

    def __init__(
        self,
        observed: Literal["grating", "diffad"] = "grating",
        window: int = 64,
        blocks: int = 10,
        checker: bool = False,
        share: float = 0.12,
        conditional: bool = True,
        walk: int = 10,
        voting: int = 6,
        vote_rate: float = 0.02,
        inner: int = 64,
        depth: int = 2,
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
        self.observed, self.window, self.blocks, self.checker, self.share = observed, window, blocks, checker, share
        self.conditional, self.walk, self.voting, self.vote_rate = conditional, walk, voting, vote_rate
        self.inner, self.depth, self.steps, self.batch, self.learning_rate = inner, depth, steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.observed not in ("grating", "diffad") or self.window < 1 or self.blocks < 1 or not 0 < self.share < 1:
            raise ConfigError(
                f"observed={self.observed!r}, window={self.window}, blocks={self.blocks}, share={self.share} were "
                "given; allowed are 'grating' or 'diffad', positive numbers and 0 < share < 1"
            )
        if not 1 <= self.voting <= self.walk or not 0 < self.vote_rate < 1:
            raise ConfigError(
                f"voting={self.voting}, walk={self.walk}, vote_rate={self.vote_rate} were given; allowed are "
                "1 <= voting <= walk and 0 < vote_rate < 1"
            )

    def _longest(self, layouts: list[Layout]) -> int:
        return self._most(layouts, self.window)

    def _build(self, width: int, positions: int) -> nn.Module:
        return Transformer(width, self.inner, self.depth, positions=2 * positions, slots=self.width_)

    def _extra(self, items: Sequence[Tokens], owner: np.ndarray, values: np.ndarray, present: np.ndarray) -> np.ndarray:
        """The first of the two masks of each window, 1 = observed."""
        steps = self.width_ // self.group_
        if self.observed == "grating":
            first = grating(steps, self.group_, self.blocks, self.checker)[0]
            return np.tile(first.astype(np.float32), (len(values), 1))
        masks = np.zeros(present.shape, np.float32)
        for mask, tokens, there in zip(masks, values, present):
            length = int(there.sum()) // self.group_
            series = tokens[: length * self.group_].reshape(length, -1)
            mask[: length * self.group_] = np.repeat(observed_by_change(series, self.share), self.group_)
        return masks

    def _window_extra(self) -> np.ndarray:
        if self.observed != "grating":
            raise ExportError(
                f"imdiffusion cannot be exported with observed={self.observed!r}: which tokens are observed is chosen "
                "for each window outside the network; fit it with observed='grating'"
            )
        return grating(self.width_ // self.group_, self.group_, self.blocks, self.checker)[:1].astype(np.float32)

    def _velocity(self, net: nn.Module, batch: Windows, observed: Tensor, noisy: Tensor, time: Tensor) -> Tensor:
        """The network is told which tokens are observed by the second half of its position embeddings."""
        return net(noisy, time, batch.row + observed.long() * self._places(), ignore=batch.ignore)

    def _loss(self, net: nn.Module, batch: Windows, generator: torch.Generator) -> Tensor:
        first = batch.extra > 0
        swap = (torch.rand(len(first), 1, generator=generator) < 0.5).to(first.device)
        observed = first ^ swap
        hidden = ~observed & batch.present
        # A window that is shorter than a block may have nothing to hide in one of the two masks: take the other.
        observed = torch.where(hidden.any(dim=1, keepdim=True), observed, ~observed)
        hidden = (~observed & batch.present).float()
        time = uniform_like(first, generator)
        noise = normal_like(batch.values, generator)
        a = alpha_bar_at(time)
        noisy = add_noise(batch.values, noise, a)
        if self.conditional:
            noisy = torch.where(observed[..., None], batch.values, noisy)
        wrong = (self._velocity(net, batch, observed, noisy, time) - target("v", batch.values, noise, a)) ** 2
        return (wrong.mean(dim=2) * hidden).sum(dim=1) / hidden.sum(dim=1).clamp(min=1.0)

    def beliefs(self, batch: Windows, observed: Tensor) -> list[Tensor]:
        """What the model believes each token to be at the voting steps, given the observed ones, each (B, W, k)."""
        bank = noise_bank(1 + self.walk, tuple(batch.values.shape[1:]), self.seed).to(batch.values.device)
        levels = [1.0 - step / self.walk for step in range(self.walk)]

        def velocity(noisy: Tensor, time: float) -> Tensor:
            times = torch.full((noisy.shape[0],), time, device=noisy.device)
            return self._velocity(self.net_, batch, observed, noisy, times)

        every = impute(velocity, batch.values, observed, levels, bank[0], list(bank[1:]), self.conditional)
        return every[-self.voting :]

    def _errors(self, batch: Windows) -> Tensor:
        first = batch.extra > 0
        passes = [torch.stack(self.beliefs(batch, observed), dim=2) for observed in (first, ~first)]
        belief = torch.where(first[..., None, None], passes[1], passes[0])
        return (belief - batch.values[:, :, None]) ** 2

    def _after_training(self, errors: np.ndarray) -> None:
        self.vote_thresholds_ = np.maximum(np.quantile(errors, 1 - self.vote_rate, axis=0), 1e-12)

    def _combine(self, errors: np.ndarray) -> np.ndarray:
        ratio = errors / self.vote_thresholds_
        margin = ratio.mean(axis=1)
        return (ratio > 1.0).sum(axis=1) + margin / (1.0 + margin)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, values = super()._state()
        return {**arrays, "vote_thresholds": self.vote_thresholds_}, values

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        super()._set_state(arrays, values)
        check_arrays(arrays, {"vote_thresholds": "f K"}, K=self.usual_.shape[1])
        require((arrays["vote_thresholds"] > 0).all(), "a threshold is not above 0")
        self.vote_thresholds_ = arrays["vote_thresholds"]
