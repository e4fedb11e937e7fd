"""Trend and rest of a window: what drifts slowly is taken off before a diffusion model judges the shape."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.diffusion.denoisers import Transformer


def rolling_median(series: np.ndarray, span: int) -> np.ndarray:
    """Centred median over `span` steps (T, D), the series mirrored at its ends.

    >>> rolling_median(np.array([0.0, 0.0, 9.0, 0.0, 0.0])[:, None], span=3).ravel().tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0]
    """
    from scipy.ndimage import median_filter

    return median_filter(series, size=(min(span, 2 * len(series) - 1), 1), mode="mirror")


def robust_trend(series: Tensor, there: Tensor, kind: Literal["level", "line"]) -> Tensor:
    """Trend (B, T, ...) of windows (B, T, ...) whose steps exist where `there` (B, T): medians, which no spike moves.

    level: the median; line: also the median slope between steps half a window apart (after Theil and Sen), through
    the median of what it leaves over.

    >>> x = torch.arange(8.0)[None, :, None] * 2 + 1
    >>> bool(torch.allclose(robust_trend(x, torch.ones(1, 8, dtype=torch.bool), "line"), x))
    True
    """
    line = torch.zeros_like(series)
    if kind == "line" and series.shape[1] >= 4:
        half = series.shape[1] // 2
        slope = _median((series[:, half:] - series[:, :-half]) / half, there[:, half:] & there[:, :-half])
        step = torch.arange(series.shape[1], device=series.device, dtype=series.dtype)
        line = slope * step.reshape(1, -1, *([1] * (series.dim() - 2)))
    return line + _median(series - line, there)


def _median(values: Tensor, there: Tensor) -> Tensor:
    """Lower median (B, 1, ...) of values (B, T, ...) along T where `there` (B, T), 0 where there are none.

    As `torch.nanmedian`, for which ONNX has no operator.
    """
    rest = [1] * (values.dim() - 2)
    seen = torch.where(there.reshape(*there.shape, *rest), values, torch.inf)
    ordered = seen.topk(values.shape[1], dim=1, largest=False).values
    count = there.sum(dim=1).reshape(-1, 1, *rest)
    middle = ((count - 1) // 2).clamp(min=0).expand(-1, -1, *values.shape[2:])
    return torch.where(count > 0, ordered.gather(1, middle), 0.0)


class TrendAndRest(nn.Module):
    """Two transformers: one estimates the stable part of a window, one denoises the rest given the trend.

    A small form of D3R's data-time mix attention (Wang et al., NeurIPS 2023): attention over the sum of what a token
    is and when in the window it stands. Windows are (B, T, G, k): T steps of G tokens.
    """

    def __init__(
        self, width: int, steps: int, group: int, inner: int = 64, depth: int = 2, heads: int = 4, positions: int = 1
    ) -> None:
        super().__init__()
        self.stable = Transformer(width, inner, depth, heads, positions, slots=steps * group)
        self.rest = Transformer(width, inner, depth, heads, positions, condition_width=inner, slots=steps * group)
        self.trend = nn.Linear(width, inner)
        self.channel = nn.Embedding(group, inner)

    def split(
        self, windows: Tensor, there: Tensor, row: Tensor, ignore: Tensor, kind: Literal["level", "line"]
    ) -> Tensor:
        """Trend (B, T, G, k) of windows: the robust trend of what the stable part leaves over.

        Levels and slopes are taken off first, so that the stable part does not depend on them at all.
        """
        flat = (windows.shape[0], -1, windows.shape[3])
        first = robust_trend(windows, there, kind)
        shape = windows - first
        now = torch.zeros(windows.shape[0], device=windows.device)
        stable = self.stable(shape.reshape(flat), now, row, ignore=ignore).reshape(windows.shape)
        return first + robust_trend(shape - stable, there, kind)

    def denoise(self, noisy: Tensor, time: Tensor, row: Tensor, ignore: Tensor, trend: Tensor) -> Tensor:
        """The clean rest (B, T * G, k) from its noised form, given the trend's level (B, G, k)."""
        return self.rest(noisy, time, row, condition=self.trend(trend) + self.channel.weight, ignore=ignore)
