"""D3R: take the trend off a drifting series, then judge the rest by a diffusion reconstruction that knows the trend.

Wang et al., "Drift doesn't Matter: Dynamic Decomposition with Diffusion Reconstruction for Unstable Multivariate Time
Series Anomaly Detection" (D3R), NeurIPS 2023, in a small form. A window x is split by a network that learns the stable
part s (target: the series less its rolling median over `period` steps):

    trend = robust trend of x - s,  x_t = sqrt(a) x + sqrt(1 - a) e + (1 - sqrt(a)) trend,  score = |x - x0|^2 / usual

at one noise level t = 500 of 1000: noise is a bottleneck too narrow for an anomaly, and the trend goes round it; usual
is the mean on normal tokens, per axis. Since x_t - trend = sqrt(a) (x - trend) + sqrt(1 - a) e, the network denoises
the rest. In training half the windows get a trend with a random offset of up to `disturbance` standard deviations, so
that a level never seen is nothing new.

The price, here as in the paper: a fault that is a change of level and outlasts the window is drift, and taken off. On
two files of SKAB the size of the trend alone tells nearly all rows apart, and what is left after it is at chance
(docs/results.md). `reach`, which the paper does not have, bounds what drift may do: the window is put back together
with its trend held within `reach` times the furthest that a training trend went, x0 = held trend + denoised rest, so
that a level beyond it stays in the error. It bounds how far a level goes, not how fast: a slow drift that leaves the
bound is found too.

Unlike the authors' code this scores every token of a window, not the last one; the trend is a median (a line by
default), which a spike does not move, instead of a mean; and windows of fewer than 4 steps have no trend.

`trend="line"` was chosen with the answer in view: on simulated sines that drift steadily in a test where training ones
hardly do, a line takes the drift off and a level does not, and the default was set after seeing that. Nothing says that
it is the better one on other series; where drifts are not straight, or a slope is itself the fault, try "level".
"""

from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.neural import standard_features
from mmdmad.detectors.kit.sequence import SequenceDetector, Windows
from mmdmad.detectors.kit.tracks import tracks
from mmdmad.device import normal_like
from mmdmad.diffusion.decomposition import TrendAndRest, rolling_median
from mmdmad.diffusion.noise import add_noise, alpha_bars, noise_bank
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Layout

STEPS = 1000
BLOCK = 4096  # training windows whose trends are held at once
FEWEST = 4  # steps without which there is no trend


@detector(
    About(
        "d3r",
        "hybrid",
        "Wang et al., NeurIPS 2023 (D3R), small form",
        "minutes",
        modalities=("sensor", "video", "text", "image"),
        needs="several tokens an item, in an order",
        formula="|x - x0|^2 / usual, x0 from sqrt(a) (x - trend) + sqrt(1 - a) e given the trend, plus the trend",
        use="Series whose level drifts in normal service, where spikes, breaks of rhythm and broken relations count.",
        avoid="Where a wrong level is the anomaly (valves of skab: at chance): any shift that outlasts the window is "
        "taken off before judging, unless `reach` bounds it.",
        branch="adaptive",
        fidelity="reduced",
        differs="A small transformer instead of two attentions over data and time stamps, which are not used; the "
        "trend is a median or a line instead of a mean with an offset search, every token is scored "
        "instead of a window's last, and no threshold is set by extreme values.",
    )
)
class DriftReconstruction(SequenceDetector):
    """Reconstruction error of a window less its trend.

    window: tokens seen at once; trend: "line" or "level" of a window; period: steps of the rolling median that
    defines the stable part in training ("auto": four windows); level: noise step of 1000; draws: fixed noise draws
    averaged; disturbance: largest random offset of the trend in training; reach: how many times as far as in training
    a trend may go before what lies beyond counts as error (None: any distance, as in the paper).

    >>> from mmdmad.tokens import Tokens
    >>> items = [Tokens(np.sin(np.arange(20) + p)[:, None], Layout("steps", (20, 1))) for p in range(30)]
    >>> odd = Tokens(items[0].values + 9.0 * (np.arange(20) == 7)[:, None], items[0].layout)
    >>> int(DriftReconstruction(steps=50, inner=16).fit(items).token_scores([odd])[0].argmax())
    7
    """

    def __init__(
        self,
        window: int = 64,
        trend: Literal["level", "line"] = "line",
        period: int | Literal["auto"] = "auto",
        level: int = 500,
        draws: int = 3,
        disturbance: float = 10.0,
        reach: float | None = None,
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
        self.window, self.trend, self.period, self.level, self.draws = window, trend, period, level, draws
        self.disturbance, self.reach = disturbance, reach
        self.inner, self.depth, self.steps, self.batch, self.learning_rate = inner, depth, steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.trend not in ("level", "line") or self.window < 1 or (self.period != "auto" and self.period < 2):
            raise ConfigError(
                f"trend={self.trend!r}, window={self.window}, period={self.period!r} were given; allowed are 'level' "
                "or 'line', window >= 1, period >= 2 or 'auto'"
            )
        if not 1 <= self.level <= STEPS or self.draws < 1 or self.disturbance < 0:
            raise ConfigError(
                f"level={self.level}, draws={self.draws}, disturbance={self.disturbance} were given; allowed are "
                f"1 <= level <= {STEPS}, draws >= 1, disturbance >= 0"
            )
        if self.reach is not None and self.reach <= 0:
            raise ConfigError(f"reach={self.reach} was given; allowed are reach > 0 and None, which bounds no trend")

    def _longest(self, layouts: list[Layout]) -> int:
        return self._most(layouts, self.window)

    def _build(self, width: int, positions: int) -> nn.Module:
        many = self.width_ // self.group_
        return TrendAndRest(width, many, self.group_, self.inner, self.depth, positions=positions)

    def _gather(self, items: Any, training: bool = False) -> tuple[Windows, np.ndarray, np.ndarray]:
        """In training with the rolling median of each token (B, W * k) as extra."""
        batch, index, owner = super()._gather(items, training)
        if not training:
            return batch, index, owner
        values, _ = standard_features(self.space_, items)
        slow, start = np.empty_like(values), 0
        span = 4 * self.width_ // self.group_ if self.period == "auto" else self.period
        for item in items:
            for track in tracks(item.layout, self.group_):
                for column in track.T + start:
                    slow[column] = rolling_median(values[column], span)
            start += len(item.values)
        extra = np.where(index[..., None] >= 0, slow[index], np.float32(0)).reshape(len(index), -1)
        return Windows(batch.values, batch.row, batch.present, torch.from_numpy(extra)), index, owner

    def _stepped(self, flat: Tensor) -> Tensor:
        """Windows (B, W, k) as (B, T, G, k)."""
        return flat.reshape(flat.shape[0], -1, self.group_, flat.shape[2])

    def _trends(self, net: TrendAndRest, batch: Windows) -> Tensor:
        there = self._stepped(batch.present[..., None])[:, :, 0, 0]
        split = net.split(self._stepped(batch.values), there, batch.row, batch.ignore, self.trend)
        return torch.where((there.sum(dim=1) >= FEWEST)[:, None, None, None], split, 0.0)

    def _denoise(self, net: TrendAndRest, batch: Windows, trends: Tensor, noise: Tensor, offset: Tensor) -> Tensor:
        """The window that the network makes of its noised form, (B, W, k)."""
        trend = trends.reshape(batch.values.shape)
        a = alpha_bars("linear", STEPS)[self.level - 1]
        noisy = add_noise(batch.values - trend, noise, a)
        time = torch.full((noisy.shape[0],), self.level / STEPS, device=noisy.device)
        return trend + net.denoise(noisy, time, batch.row, batch.ignore, trends.mean(dim=1) + offset)

    def _loss(self, net: nn.Module, batch: Windows, generator: torch.Generator) -> Tensor:
        device, (many, _, k) = batch.values.device, batch.values.shape
        both = cast(TrendAndRest, net)
        trends = self._trends(both, batch)
        offset = (2 * torch.rand(many, self.group_, k, generator=generator) - 1) * self.disturbance
        offset = offset * (torch.rand(many, 1, 1, generator=generator) < 0.5)
        noise = normal_like(batch.values, generator)
        guess = self._denoise(both, batch, trends.detach(), noise, offset.to(device))
        there = batch.present.float()
        # The trend is right if it is the rolling median: the same as asking that the stable part is what is left over.
        wrong = ((guess - batch.values) ** 2).mean(dim=2)
        wrong = wrong + ((trends.reshape(batch.values.shape) - batch.extra.reshape(batch.values.shape)) ** 2).mean(
            dim=2
        )
        return 0.5 * (wrong * there).sum(dim=1) / there.sum(dim=1).clamp(min=1.0)

    def _learn_usual(self, data: Windows) -> None:
        """Also how far from the mean the trends of training went, by kind of place and axis."""
        net, parts = cast(TrendAndRest, self.net_), (data.values, data.row, data.present, data.extra)
        furthest = np.zeros((self._places(), data.values.shape[2]), np.float32)
        for start in range(0, len(data.values), BLOCK):
            block = Windows(*(part[start : start + BLOCK] for part in parts))
            trends = self._in_chunks(block, lambda batch: self._trends(net, batch).reshape(batch.values.shape))
            there = block.present.numpy()
            np.maximum.at(furthest, block.row.numpy()[there], np.abs(trends[there]).astype(np.float32))
        furthest[~np.isin(np.arange(len(furthest)), data.row[data.present])] = furthest.max(axis=0)  # places never seen
        self.furthest_ = furthest
        super()._learn_usual(data)

    def _beyond(self, trend: Tensor, row: Tensor) -> Tensor:
        """What of a trend (B, W, k) lies beyond `reach` times the furthest of training; 0 where nothing bounds it."""
        if self.reach is None:
            return torch.zeros_like(trend)
        bound = self.reach * torch.as_tensor(self.furthest_).to(trend.device)[row]
        return trend - torch.minimum(torch.maximum(trend, -bound), bound)

    def _errors(self, batch: Windows) -> Tensor:
        net, nothing = cast(TrendAndRest, self.net_), torch.zeros((), device=batch.values.device)
        trends = self._trends(net, batch)
        beyond = self._beyond(trends.reshape(batch.values.shape), batch.row)
        bank = noise_bank(self.draws, tuple(batch.values.shape[1:]), self.seed).to(batch.values.device)
        guesses = [self._denoise(net, batch, trends, e.expand_as(batch.values), nothing) - beyond for e in bank]
        return (torch.stack(guesses, dim=2) - batch.values[:, :, None]) ** 2

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, values = super()._state()
        return {**arrays, "furthest": self.furthest_}, values

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        super()._set_state(arrays, values)
        width = self.space_.width + (1 if self.space_.left_out else 0)
        check_arrays(arrays, {"furthest": "f p k"}, p=self._places(), k=width)
        require((arrays["furthest"] >= 0).all(), "a distance is below 0")
        self.furthest_ = arrays["furthest"]
