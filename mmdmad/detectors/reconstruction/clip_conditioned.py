"""Denoising under a condition: do an item's tokens fit what its embedding says it is?

A transformer denoises windows of tokens with one condition vector c in cross-attention: the item's summary (a CLIP or
sentence embedding; the mean token where there is none), reduced to its principal axes. For a tenth of the training
windows the condition is dropped, so that the one network also denoises without (Ho and Salimans, "Classifier-Free
Diffusion Guidance", 2022):

    e_w(x_t) = e(x_t) + w (e(x_t | c) - e(x_t))
    error      = mean over t of |e - e_w(x_t)|^2 / usual_t
    difference = mean over t of |e - e(x_t | c)|^2 - |e - e(x_t | other)|^2

The second is the log-likelihood ratio of the diffusion classifier (Li et al., "Your Diffusion Model is Secretly a
Zero-Shot Classifier", ICCV 2023), up to the levels' weights: high where the tokens are told better by the other
condition, or by none, than by their own. The same fixed noise e serves both terms, so that its randomness cancels.

Condition axes are held within 3 training deviations: what an anomalous item's own embedding says of it beyond that
would explain the anomaly away.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.sequence import SequenceDetector, Windows
from mmdmad.device import normal_like, uniform_like
from mmdmad.diffusion.denoisers import Transformer, drop_condition, guided
from mmdmad.diffusion.noise import add_noise, alpha_bar_at, noise_bank
from mmdmad.diffusion.prediction import target, to_eps
from mmdmad.errors import ConfigError, DataError
from mmdmad.saved import check_arrays
from mmdmad.tokens import Layout, Tokens

LIMIT = 3.0  # training deviations within which a condition is held
DROPPED = 0.1  # share of training windows whose condition is dropped (Ho and Salimans)


@detector(
    About(
        "clip-conditioned",
        "reconstruction",
        "Ho and Salimans, 2022 (guidance); Li et al., ICCV 2023 (diffusion classifier)",
        "minutes",
        modalities=("image", "text", "sensor", "video"),
        needs="several tokens an item; better with a summary embedding of another source than the tokens",
        formula="mean_t |e - e_w(x_t)|^2 / usual_t, or mean_t |e - e(x_t | c)|^2 - |e - e(x_t | other)|^2",
        use="Normal of several kinds that an embedding tells apart; tokens that contradict their item's embedding; "
        "prompts for normal and for a fault.",
        avoid="Single vectors; an embedding that itself shows the anomaly and nothing else.",
        branch="conditional",
        fidelity="idea",
        differs="Guidance and the diffusion classifier are put together here: the condition is an item's own "
        "embedding, held within three deviations, and levels weigh the same.",
    )
)
class ClipConditioned(SequenceDetector):
    """Denoising error of tokens given their item's embedding, or how much better another condition tells them.

    rule: "error" or "difference". guidance: w of the error (1: the conditional model, 0: the unconditional one).
    given: a condition for all scored items in place of their own, such as the embedding of "a flawless bolt"; other:
    the condition that "difference" compares with, such as that of "a damaged bolt" (None: no condition). axes:
    principal axes of the condition. window: tokens seen at once; levels: noise levels averaged.

    >>> items = [Tokens(np.sin(np.arange(20) + p)[:, None], Layout("steps", (20, 1))) for p in range(30)]
    >>> odd = Tokens(items[0].values + 9.0 * (np.arange(20) == 7)[:, None], items[0].layout)
    >>> int(ClipConditioned(steps=50, inner=16).fit(items).token_scores([odd])[0].argmax())
    7
    """

    def __init__(
        self,
        rule: Literal["error", "difference"] = "error",
        guidance: float = 1.0,
        given: Sequence[float] | None = None,
        other: Sequence[float] | None = None,
        axes: int = 16,
        window: int = 64,
        levels: int = 8,
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
        self.rule, self.guidance, self.given, self.other, self.axes = rule, guidance, given, other, axes
        self.window, self.levels = window, levels
        self.inner, self.depth, self.steps, self.batch, self.learning_rate = inner, depth, steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    @property
    def _in_usual_units(self) -> bool:  # type: ignore[override]
        return self.rule == "error"

    no_export = "its condition is an embedding of the whole item, which windows of tokens do not hold"

    def _check_params(self) -> None:
        super()._check_params()
        if self.rule not in ("error", "difference") or self.axes < 1 or self.window < 1 or self.levels < 1:
            raise ConfigError(
                f"rule={self.rule!r}, axes={self.axes}, window={self.window}, levels={self.levels} were given; "
                "allowed are 'error' or 'difference' and positive numbers"
            )

    def _longest(self, layouts: list[Layout]) -> int:
        return self._most(layouts, self.window)

    def _before_training(self, items: Sequence[Tokens]) -> None:
        embeddings = _embeddings(items).astype(np.float64)
        self.condition_mean_ = embeddings.mean(axis=0)
        centred = embeddings - self.condition_mean_
        _, scale, directions = np.linalg.svd(centred, full_matrices=False)
        scale = scale / np.sqrt(len(items))
        kept = (scale > 1e-6 * max(scale[0], 1e-12)).nonzero()[0][: self.axes]
        self.condition_basis_ = np.zeros((len(self.condition_mean_), self.axes))
        self.condition_basis_[:, kept] = directions[kept].T / scale[kept]
        for name, vector in (("given", self.given), ("other", self.other)):
            if vector is not None and np.shape(vector) != self.condition_mean_.shape:
                raise ConfigError(f"{name} has shape {np.shape(vector)}; embeddings have {len(self.condition_mean_)}")

    def _condition(self, embeddings: np.ndarray) -> np.ndarray:
        """Embeddings (N, E) as conditions (N, axes) of about unit variance."""
        return np.clip((embeddings - self.condition_mean_) @ self.condition_basis_, -LIMIT, LIMIT).astype(np.float32)

    def _extra(self, items: Sequence[Tokens], owner: np.ndarray, values: np.ndarray, present: np.ndarray) -> np.ndarray:
        """Each window's condition and 1, or zeros where the item is a single token that would be its own condition."""
        embeddings = _embeddings(items)
        if embeddings.shape[1] != len(self.condition_mean_):
            raise DataError(
                f"items have embeddings of width {embeddings.shape[1]}; this detector was fitted on "
                f"{len(self.condition_mean_)}"
            )
        # One row at a time: a product over all items might round with their number.
        own = np.concatenate([self._condition(row[None]) for row in embeddings])
        known = np.array([item.summary is not None or len(item.values) > 1 for item in items])
        both = np.concatenate([own * known[:, None], known[:, None]], axis=1).astype(np.float32)
        return both[owner]

    def _build(self, width: int, positions: int) -> nn.Module:
        return Transformer(
            width, self.inner, self.depth, positions=positions, condition_width=self.axes, slots=self.width_
        )

    def _loss(self, net: nn.Module, batch: Windows, generator: torch.Generator) -> Tensor:
        many, device = len(batch.values), batch.values.device
        time = uniform_like(batch.values, generator)
        noise = normal_like(batch.values, generator)
        dropped = drop_condition(many, DROPPED, generator).to(device) | (batch.extra[:, -1] == 0)
        a = alpha_bar_at(time)
        guess = net(
            add_noise(batch.values, noise, a), time, batch.row, batch.extra[:, None, :-1], dropped, batch.ignore
        )
        wrong = ((guess - target("v", batch.values, noise, a)) ** 2).mean(dim=2)
        there = batch.present.float()
        return (wrong * there).sum(dim=1) / there.sum(dim=1).clamp(min=1.0)

    def predicted_noise(self, batch: Windows, noisy: Tensor, time: float, condition: Tensor | None) -> Tensor:
        """The noise that the network sees in `noisy` (B, W, k) under conditions (B, axes + 1), or under none."""
        times = torch.full((len(noisy),), time, device=noisy.device)
        if condition is None:
            velocity = self.net_(noisy, times, batch.row, ignore=batch.ignore)
        else:
            dropped = condition[:, -1] == 0
            velocity = self.net_(noisy, times, batch.row, condition[:, None, :-1], dropped, batch.ignore)
        return to_eps(velocity, noisy, float(alpha_bar_at(torch.tensor(time))), "v")

    def _fixed(self, vector: Sequence[float], like: Tensor) -> Tensor:
        one = np.concatenate(
            [self._condition(np.asarray(vector, np.float64)[None]), np.ones((1, 1), np.float32)], axis=1
        )
        return torch.from_numpy(one).to(like.device).expand(len(like), -1)

    def _errors(self, batch: Windows) -> Tensor:
        bank = noise_bank(self.levels, tuple(batch.values.shape[1:]), self.seed).to(batch.values.device)
        own = batch.extra if self.given is None else self._fixed(self.given, batch.extra)
        other = None if self.other is None else self._fixed(self.other, batch.extra)
        errors = []
        for time, noise in zip(torch.linspace(0.1, 0.9, self.levels).tolist(), bank):
            noisy = add_noise(batch.values, noise.expand_as(batch.values), float(alpha_bar_at(torch.tensor(time))))
            with_it = self.predicted_noise(batch, noisy, time, own)
            if self.rule == "difference":
                without = self.predicted_noise(batch, noisy, time, other)
                errors.append((noise - with_it) ** 2 - (noise - without) ** 2)
            elif self.guidance == 1.0:
                errors.append((noise - with_it) ** 2)
            else:
                without = self.predicted_noise(batch, noisy, time, None)
                errors.append((noise - guided(with_it, without, self.guidance)) ** 2)
        return torch.stack(errors, dim=2)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, values = super()._state()
        return {**arrays, "condition.mean": self.condition_mean_, "condition.basis": self.condition_basis_}, values

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        super()._set_state(arrays, values)
        check_arrays(arrays, {"condition.mean": "f E", "condition.basis": "f E a"}, a=self.axes)
        self.condition_mean_, self.condition_basis_ = arrays["condition.mean"], arrays["condition.basis"]


def _embeddings(items: Sequence[Tokens]) -> np.ndarray:
    every = [item.embedding() for item in items]
    widths = {len(one) for one in every}
    if len(widths) > 1:
        raise DataError(f"items have embeddings of widths {sorted(widths)}; give all of them a summary, or none")
    return np.stack(every)
