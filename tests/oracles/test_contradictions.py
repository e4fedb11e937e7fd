"""Contradictions against the pointwise mutual information of Gaussian parts, read with their exact denoiser."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from mmdmad.joint.denoising_error import contradictions, noise_bank

WIDE = (-5.0, 10.0)


class Exact(torch.nn.Module):
    """E[x | what is seen] for two parts of `dims` numbers, each pair with correlation `r`, at one noise level."""

    def __init__(self, dims, r):
        super().__init__()
        self.dims, self.r, self.shape = dims, r, SimpleNamespace(dims=(dims, dims))

    def columns(self, part):
        return slice(part * self.dims, (part + 1) * self.dims)

    def forward(self, noisy, level):
        out = torch.zeros_like(noisy)
        for part in (0, 1):
            other = noisy[:, self.columns(1 - part)]
            known = (level[:, 1 - part] == 0)[:, None]
            mean = torch.where(known, self.r * other, 0.0)
            variance = torch.where(known, 1.0 - self.r**2, 1.0)
            angle = level[:, part, None] * torch.pi / 2
            alpha, sigma = angle.cos(), angle.sin()
            gain = variance * alpha / (alpha**2 * variance + sigma**2).clamp(min=1e-12)
            out[:, self.columns(part)] = mean + gain * (noisy[:, self.columns(part)] - alpha * mean)
        return out


def cases(dims, r, count=90, seed=0):
    """Cases, a third of them with a partner of another case and a third with one direction turned round; true -pmi."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, dims))
    y = r * x + np.sqrt(1 - r * r) * rng.normal(size=(count, dims))
    y[1::3] = rng.normal(size=y[1::3].shape)
    y[2::3, 0] *= -1
    joint = -0.5 * ((x - r * y) ** 2).sum(axis=1) / (1 - r * r) - 0.5 * dims * np.log(1 - r * r)
    return np.concatenate([x, y], axis=1).astype(np.float32), -(joint + 0.5 * (x**2).sum(axis=1))


def read(dims, r, rows, draws, **bank):
    fixed = noise_bank(2 * dims, levels=20, draws=draws, seed=0, **bank)
    return np.array([contradictions(Exact(dims, r), fixed, row, [(0, (1,))])[0] for row in rows])


@pytest.mark.parametrize("dims", [2, 8])
@pytest.mark.parametrize("r", [0.3, 0.6, 0.9, 0.97, 0.999])
def test_read_far_enough_a_contradiction_is_minus_the_pointwise_mutual_information(dims, r):
    rows, truth = cases(dims, r)
    found = read(dims, r, rows, draws=16, log_snr=WIDE)
    slope, offset = np.polyfit(truth, found, 1)
    assert slope == pytest.approx(1.0, abs=0.03)
    assert offset == pytest.approx(0.0, abs=0.6 * dims)  # one bank of noise is off by the same for every case
    assert spearmanr(found, truth)[0] > 0.998


def test_as_read_tight_links_are_drawn_together_but_keep_their_order():
    slopes = []
    for r in (0.3, 0.6, 0.9, 0.97, 0.995, 0.999):
        rows, truth = cases(2, r)
        found = read(2, r, rows, draws=4)
        slopes.append(np.polyfit(truth, found, 1)[0])
        assert spearmanr(found, truth)[0] > 0.95
    np.testing.assert_allclose(slopes, [0.86, 0.81, 0.57, 0.30, 0.07, 0.01], atol=0.03)
