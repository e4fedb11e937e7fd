"""DDIM against diffusers, and the guided walks of DDAD and DiffusionAD against loops written from the papers."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from mmdmad.detectors.base import make_detector
from mmdmad.diffusion.guidance import guided_walk, one_step
from mmdmad.diffusion.steppers import ddim_step, reconstruct, walk
from mmdmad.tokens import Layout, Tokens

BARS = np.cumprod(1.0 - np.linspace(1e-4, 0.02, 1000))


def made_up_noise(x, a):
    """A predictor that is no sensible denoiser: nothing in a formula cancels against it. Numpy or torch."""
    sine = torch.sin(x) if isinstance(x, torch.Tensor) else np.sin(x)
    return sine * (0.3 + a) + 0.2 * x - 0.1


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0])
def test_ddim_is_the_scheduler_of_diffusers(eta):
    scheduler = DDIMScheduler(beta_schedule="linear", clip_sample=False, set_alpha_to_one=True)
    scheduler.set_timesteps(12)
    start, noises = draws(4, 3), draws(12, 4, 3, seed=1)
    theirs, path = start.clone(), []
    for n, step in enumerate(scheduler.timesteps.tolist()):
        bar = float(scheduler.alphas_cumprod[step])
        path.append(bar)
        guess = made_up_noise(theirs, bar)
        theirs = scheduler.step(guess, step, theirs, eta=eta, variance_noise=noises[n]).prev_sample
        if n == 0:
            after = float(scheduler.alphas_cumprod[scheduler.timesteps[1]])
            torch.testing.assert_close(
                ddim_step(start, made_up_noise(start, bar), bar, after, eta, noises[0]), theirs, rtol=1e-6, atol=1e-6
            )
    assert path[0] < 0.01
    torch.testing.assert_close(
        walk(made_up_noise, start, [*path, 1.0], eta, list(noises)), theirs, rtol=1e-5, atol=1e-5
    )


def test_partial_noise_is_noised_and_then_walked_back():
    x, noise = draws(4, 3), draws(3, seed=1)
    path = [float(BARS[step]) for step in (250, 120, 0)]
    here = path[0] ** 0.5 * x.numpy() + (1 - path[0]) ** 0.5 * noise.numpy()
    for a, b in pairwise(path):
        e = made_up_noise(here, a)
        here = b**0.5 * (here - (1 - a) ** 0.5 * e) / a**0.5 + (1 - b) ** 0.5 * e
    np.testing.assert_allclose(reconstruct(made_up_noise, x, path, noise.expand_as(x)).numpy(), here, rtol=1e-10)


def ddad(x, start, path, weight, eta, noises):
    """Mousakhan et al., 2023, algorithm 1: noise as `start`, then DDIM steps conditioned on y = x."""
    here = np.sqrt(path[0]) * x + np.sqrt(1 - path[0]) * start
    for n, (a, b) in enumerate(pairwise(path)):
        e = made_up_noise(here, a)
        target = np.sqrt(a) * x + np.sqrt(1 - a) * e
        e = e - np.sqrt(1 - a) * weight * (target - here)
        clean = (here - np.sqrt(1 - a) * e) / np.sqrt(a)
        sigma = eta * np.sqrt((1 - b) / (1 - a)) * np.sqrt(1 - a / b)
        here = np.sqrt(b) * clean + np.sqrt(1 - b - sigma**2) * e + sigma * noises[n]
    return here


@pytest.mark.parametrize(("weight", "eta"), [(0.0, 0.0), (0.5, 0.0), (3.0, 1.0)])
def test_ddad_walk(weight, eta):
    x, noises = draws(2, 3, 4, 4), draws(5, 3, 4, 4, seed=1)
    path = [float(BARS[step]) for step in (250, 190, 120, 40, 0)]
    begin = path[0] ** 0.5 * x + (1 - path[0]) ** 0.5 * noises[0]
    found = guided_walk(made_up_noise, begin, x, path, weight, eta, list(noises[1:]))
    expected = ddad(x.numpy(), noises[0].numpy(), path, weight, eta, noises[1:].numpy())
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)


def pictures(count, width, seed=0):
    rng = np.random.default_rng(seed)
    layout = Layout("grid", (5, 4), size=(5, 4), position=np.arange(20))
    return [Tokens(rng.normal(size=(20, width)).astype(np.float32), layout) for _ in range(count)]


@pytest.mark.parametrize("width", [3, 20])
def test_ddad_detector_from_walk_to_map(width):
    """The detector's reconstruction and map on the made-up network, from the walk to features and their ratio."""
    settings = {"weight": 0.7, "start": 250, "walk": 3, "eta": 1.0, "repeats": 2, "value_weight": 1.5}
    fitted = make_detector("ddad", false_alarm_rate=None, steps=1, widths=(8,), per_position=False, **settings)
    fitted._eps = lambda net: made_up_noise
    items = pictures(6, width)
    fitted.fit(items)
    values = np.stack([item.values for item in items]).astype(np.float64)
    mean, scale = values.mean(axis=(0, 1)), values.std(axis=(0, 1))
    standard = ((values - mean) / scale).reshape(6, 5, 4, width).transpose(0, 3, 1, 2)
    path = [float(BARS[round(step)]) for step in np.linspace(250, 0, 4)]
    bank = torch.randn((8, width, 5, 4), generator=torch.Generator().manual_seed(0)).double().numpy()
    back = (ddad(standard, bank[0], path, 0.7, 1.0, bank[1:4]) + ddad(standard, bank[4], path, 0.7, 1.0, bank[5:])) / 2
    change = np.abs(back - standard).mean(axis=1)

    def averaged(planes):
        """Features in their own units, each the mean over its 3 x 3 cells, fewer at the border."""
        features = planes * scale[:, None, None] + mean[:, None, None]
        out = np.empty_like(features)
        for r in range(5):
            for c in range(4):
                out[..., r, c] = features[..., max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2].mean(axis=(2, 3))
        return out

    ours, theirs = averaged(standard), averaged(back)
    cosine = (ours * theirs).sum(axis=1) / np.sqrt((ours**2).sum(axis=1) * (theirs**2).sum(axis=1))
    apart = 1.0 - cosine if width >= 16 else np.zeros_like(change)
    ratio = apart.max() / change.max() if width >= 16 else 1.0
    expected = (apart + 1.5 * ratio * change).reshape(6, 20)
    np.testing.assert_allclose(np.stack(fitted.token_scores(items)), expected, rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 1.0, 2.5])
def test_diffusionad_one_step(weight):
    """Zhang et al., 2023: the noisier estimate, and the lesser noised grid moved towards it."""
    x, e = draws(2, 3, 4, 4), draws(1, 3, 4, 4, seed=1)
    near, far = float(BARS[200]), float(BARS[400])
    grid, noise = x.numpy(), e.numpy()
    far_x = np.sqrt(far) * grid + np.sqrt(1 - far) * noise
    norm = (far_x - np.sqrt(1 - far) * made_up_noise(far_x, far)) / np.sqrt(far)
    near_x = np.sqrt(near) * grid + np.sqrt(1 - near) * noise
    guess = made_up_noise(near_x, near)
    towards = np.sqrt(near) * norm + np.sqrt(1 - near) * guess
    guess = guess - np.sqrt(1 - near) * weight * (towards - near_x)
    expected = (near_x - np.sqrt(1 - near) * guess) / np.sqrt(near)
    np.testing.assert_allclose(one_step(made_up_noise, x, e, near, far, weight).numpy(), expected, rtol=1e-9)
