"""Transparency diffusion: an anomaly fades in instead of noise.

Fucka, Zavrtanik, Skocaj, "TransFusion - A Transparency-Based Diffusion Model for Anomaly Detection", ECCV 2024. With
M the mask, e the anomaly's appearance and b_t rising evenly from 0 to 1,

    x_t = (1 - M) x_0 + (1 - b_t) M x_0 + b_t M e
"""

from torch import Tensor

from mmdmad.diffusion.noise import rowwise


def fade_in(clean: Tensor, appearance: Tensor, mask: Tensor, opacity: Tensor | float) -> Tensor:
    """x_t for planes (B, k, h, w), mask (B, 1, h, w) and opacity b_t, a number or (B,).

    >>> import torch
    >>> float(fade_in(torch.tensor(2.0), torch.tensor(6.0), torch.tensor(1.0), 0.25))
    3.0
    """
    shown = rowwise(opacity, clean) * mask
    return clean + shown * (appearance - clean)


def fade_out_step(
    here: Tensor, shown: Tensor, clean: Tensor, mask: Tensor, opacity: Tensor | float, lower: Tensor | float
) -> Tensor:
    """x at the lower opacity b_{t-1} from x_t at b_t > 0, by estimates of b_t e, x_0 and M.

    x_{t-1} = x_t - (b_t - b_{t-1}) / b_t M (b_t e) + (b_t - b_{t-1}) M x_0

    >>> import torch
    >>> x0, e, m = torch.randn(3, 1, 2, 4, 4)
    >>> down = fade_out_step(fade_in(x0, e, m, 0.8), 0.8 * e, x0, m, 0.8, 0.3)
    >>> bool(torch.allclose(down, fade_in(x0, e, m, 0.3), atol=1e-5))
    True
    """
    high, low = rowwise(opacity, here), rowwise(lower, here)
    return here - (high - low) / high * mask * shown + (high - low) * mask * clean
