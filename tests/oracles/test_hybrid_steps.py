"""TransFusion's reverse steps and DeCo-Diff's pair and corrections against loops written from the papers."""

import numpy as np
import pytest
import torch
from torch import nn

from mmdmad.detectors.base import make_detector
from mmdmad.diffusion.deviation import deviation
from mmdmad.diffusion.transparency import fade_in, fade_out_step
from mmdmad.tokens import Layout, Tokens

SHAPE = (2, 3, 4, 5)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def pictures(count=6):
    layout = Layout("grid", (4, 5), size=(4, 5), position=np.arange(20))
    return [Tokens(normal(20, 3, seed=n).astype(np.float32), layout) for n in range(count)]


def test_transfusion_forward_and_one_step_back():
    """x_t = (1 - M) x_0 + (1 - b_t) M x_0 + b_t M e, and x_{t-1} = x_t - db / b_t M (b_t e) + db M x_0."""
    x0, e, shown = (normal(*SHAPE, seed=n) for n in range(3))
    mask = (normal(2, 1, 4, 5, seed=3) > 0).astype(float)
    b, lower = np.array([0.8, 0.35]), np.array([0.75, 0.1])
    wide, low = b[:, None, None, None], lower[:, None, None, None]
    noisy = (1 - mask) * x0 + (1 - wide) * mask * x0 + wide * mask * e
    given = [torch.from_numpy(part) for part in (x0, e, mask, b)]
    np.testing.assert_allclose(fade_in(*given).numpy(), noisy, rtol=1e-12)
    back = noisy - (wide - low) / wide * mask * shown + (wide - low) * mask * x0
    parts = [torch.from_numpy(part) for part in (noisy, shown, x0, mask, b, lower)]
    np.testing.assert_allclose(fade_out_step(*parts).numpy(), back, rtol=1e-12)


class MadeUp(nn.Module):
    """Estimates that depend on everything the network is shown."""

    def forward(self, here, mask, opacity):
        b = opacity[:, None, None, None]
        return torch.sin(here) * b + 0.3 * mask, here * 0.8 - 0.1 * mask - 0.2 * b, here[:, :1] + 0.5 * mask - b + 0.4


def test_transfusion_map_over_all_opacities():
    fitted = make_detector(
        "transfusion", false_alarm_rate=None, steps=1, widths=(8,), opacities=7, neighbourhood=1
    ).fit(pictures())
    fitted.net_ = MadeUp()
    planes = normal(*SHAPE, seed=9)
    here, mask, odds = planes, np.zeros((2, 1, 4, 5)), np.zeros((2, 1, 4, 5))
    for level in range(6, 0, -1):
        b, lower = level / 6, (level - 1) / 6
        shown, clean, logit = np.sin(here) * b + 0.3 * mask, here * 0.8 - 0.1 * mask - 0.2 * b, None
        logit = here[:, :1] + 0.5 * mask - b + 0.4
        odds = odds + logit / 6
        mask = (1 / (1 + np.exp(-logit)) > 0.5).astype(float)
        here = here - (b - lower) / b * mask * shown + (b - lower) * mask * clean
    change = np.log(((planes - clean) ** 2).mean(axis=1, keepdims=True) + 1e-3)
    assert 0 < mask.mean() < 1
    found = fitted._parts(torch.from_numpy(planes))
    np.testing.assert_allclose(found[0].numpy(), odds, rtol=1e-6)
    np.testing.assert_allclose(found[1].numpy(), change, rtol=1e-6)
    weights = (0.95, 0.05)
    expected = sum(
        w * (part[:, 0] - mean) / spread
        for w, part, mean, spread in zip(weights, (odds, change), *fitted.usual_.astype(float))
    )
    np.testing.assert_allclose(fitted._map(torch.from_numpy(planes)).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_deco_diff_pair(seed):
    """x_t = m x_0 + (1 - m) (sqrt(a) x_0 + sqrt(1 - a) n), d = (1 - m) (n - (1 - sqrt(a)) / sqrt(1 - a) x_0)."""
    x0, n = normal(*SHAPE, seed=seed), normal(*SHAPE, seed=seed + 10)
    m = (normal(2, 1, 4, 5, seed=seed + 20) > 0).astype(float)
    bars = np.array([0.9, 0.2])
    a = bars[:, None, None, None]
    x_t = m * x0 + (1 - m) * (np.sqrt(a) * x0 + np.sqrt(1 - a) * n)
    d = (1 - m) * (n - (1 - np.sqrt(a)) / np.sqrt(1 - a) * x0)
    here, target = deviation(*(torch.from_numpy(part) for part in (x0, n, m, bars)))
    np.testing.assert_allclose(here.numpy(), x_t, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(target.numpy(), d, rtol=1e-10, atol=1e-12)


def test_deco_diff_corrections_and_map():
    """x <- x - (sqrt(1 - a_t) - sqrt(1 - a_{t-1})) d^(x, t) over the lowest levels, no noise added."""
    fitted = make_detector("deco-diff", false_alarm_rate=None, steps=1, widths=(8,), neighbourhood=1).fit(pictures())
    bars = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    levels = [1.0, *(bars[round(n * 999 / 10)] for n in range(1, 11))]

    class Known(nn.Module):
        def forward(self, here, time):
            return torch.sin(here) + time[:, None, None, None]

    fitted.net_ = Known()
    planes = 2 * normal(*SHAPE, seed=4)
    planes[0, 1, 2, 3] = 14.0  # beyond ten deviations a network sees ten, and the rest is taken off whole
    here = planes
    for t in range(5, 0, -1):
        spread = np.sqrt(1 - levels[t])
        seen = np.clip(here, -10, 10)
        guess = np.sin(seen) + t / 10 + (here - seen) / spread
        here = here - (spread - np.sqrt(1 - levels[t - 1])) * guess
    change = np.abs(here - planes)
    found = fitted._map(torch.from_numpy(planes)).numpy()
    np.testing.assert_allclose(found, np.sqrt(change.max(axis=1) * change.mean(axis=1)), rtol=1e-5)
