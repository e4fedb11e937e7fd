"""What detectors share that judge tokens by their past: pasts and futures instead of windows, one conditional denoiser.

A window of these detectors is `past` steps followed by `horizon` steps; only the latter are noised, and judged. Errors
are in units of what is usual for tokens with as much past, or the first tokens of each item would always stand out.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.detectors.kit.sequence import SequenceDetector, Windows
from mmdmad.detectors.kit.tracks import futures, tracks
from mmdmad.device import normal_like, uniform_like
from mmdmad.diffusion.forecaster import Forecaster
from mmdmad.diffusion.noise import add_noise, alpha_bar_at
from mmdmad.diffusion.prediction import target
from mmdmad.errors import ConfigError
from mmdmad.tokens import Layout


@lru_cache(maxsize=64)
def falling_times(last: float, count: int) -> tuple[tuple[float, float], ...]:
    """`count` times from 1 (noise) down to `last`, each with its alpha bar, as plain numbers.

    >>> [(time, round(level, 6)) for time, level in falling_times(0.0, 3)]
    [(1.0, 0.0), (0.5, 0.5), (0.0, 1.0)]
    """
    return tuple((float(time), float(alpha_bar_at(time))) for time in torch.linspace(1.0, last, count))


class ForecastDetector(SequenceDetector):
    """A detector that denoises the next `horizon` steps given the `past` ones; both are attributes."""

    past: int
    horizon: int
    window_note = "a window is the past and then what is judged by it; the past alone has no score"

    def _check_params(self) -> None:
        super()._check_params()
        if self.past < 1 or self.horizon < 1:
            raise ConfigError(f"past={self.past}, horizon={self.horizon} were given; both must be at least 1")

    @property
    def _kinds(self) -> int:
        return self._behind // self.group_ + 1

    @property
    def _behind(self) -> int:
        return self.width_ - self.horizon * self.group_

    def _longest(self, layouts: list[Layout]) -> int:
        """As much past as training items have: a longer one would be judged by weights that never saw any."""
        steps = self._most(layouts, (self.past + self.horizon) * self.group_) // self.group_
        past = max(1, min(self.past, steps - 1))
        return (past + self.horizon) * self.group_

    def _cut(self, layout: Layout, training: bool) -> np.ndarray:
        every = 1 if training else self.horizon
        past = self._behind // self.group_
        cuts = [futures(track, past, self.horizon, every) for track in tracks(layout, self.group_)]
        return np.concatenate(cuts)

    def _build(self, width: int, positions: int) -> nn.Module:
        return Forecaster(width, self._behind, self.horizon * self.group_, self.inner, self.depth, positions=positions)

    def _kind(self, batch: Windows) -> Tensor:
        """How many steps of past there are."""
        count = batch.take(0, self._behind).present.sum(dim=1) // self.group_
        return count[:, None].expand_as(batch.row)

    def _velocity(self, net: nn.Module, batch: Windows, noisy: Tensor, time: Tensor) -> Tensor:
        past, future = batch.take(0, self._behind), batch.take(self._behind)
        return net(noisy, time, future.row, past.values, past.row, past.present, future.ignore)

    def _loss(self, net: nn.Module, batch: Windows, generator: torch.Generator) -> Tensor:
        future = batch.take(self._behind)
        time = uniform_like(future.values, generator)
        noise = normal_like(future.values, generator)
        a = alpha_bar_at(time)
        velocity = self._velocity(net, batch, add_noise(future.values, noise, a), time)
        wrong = ((velocity - target("v", future.values, noise, a)) ** 2).mean(dim=2)
        there = future.present.float()
        return (wrong * there).sum(dim=1) / there.sum(dim=1).clamp(min=1.0)

    def _padded(self, errors: Tensor, batch: Windows) -> Tensor:
        """Errors (B, ahead, K, k) of the future with NaN for the past and for what does not exist, (B, W, K, k)."""
        future = batch.take(self._behind).present[..., None, None]
        errors = torch.where(future, errors, torch.nan)
        past = torch.full((errors.shape[0], self._behind, *errors.shape[2:]), torch.nan, device=errors.device)
        return torch.cat([past, errors], dim=1)
