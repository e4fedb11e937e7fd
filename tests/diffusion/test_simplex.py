"""Simplex noise: moments, spectrum, smoothness, and draws that depend on their generator alone."""

import math

import pytest
import torch

from mmdmad.diffusion.simplex import simplex_noise


def draw(seed=0, count=600, height=32, width=32, **params):
    return simplex_noise(count, height, width, torch.Generator().manual_seed(seed), **params)


@pytest.mark.parametrize("octaves", [1, 6])
def test_zero_mean_and_unit_variance(octaves):
    fields = draw(octaves=octaves, frequency=1 / 16, count=1500)
    assert float(fields.mean()) == pytest.approx(0.0, abs=0.03)
    assert float(fields.var()) == pytest.approx(1.0, abs=0.03)
    assert float(fields.var(dim=0).std()) < 0.1  # at every place


def test_the_spectrum_falls_with_frequency():
    power = torch.fft.rfft2(draw(frequency=1 / 32, octaves=5)).abs().square().mean(dim=0)
    down = torch.fft.fftfreq(32)[:, None] * 32
    radius = (down**2 + (torch.arange(17)[None] ** 2)).sqrt()
    bands = [float(power[(radius >= low) & (radius < 2 * low)].mean()) for low in (1, 2, 4, 8)]
    assert bands == sorted(bands, reverse=True)
    assert bands[0] > 30 * bands[-1]


def test_one_octave_is_smooth_and_continuous_over_the_triangles():
    fine = draw(count=20, frequency=1 / 200, octaves=1, height=1, width=1000)[:, 0]
    assert float(fine.diff().abs().max()) < 0.15  # a jump at an edge between triangles would be of the order of 1
    assert float(fine.std()) > 0.5


def test_more_persistence_is_rougher():
    rough, calm = (draw(persistence=p, frequency=1 / 32).diff(dim=2).std() for p in (0.9, 0.3))
    assert float(rough) > 1.5 * float(calm)


def test_fields_are_independent_and_seeded():
    a, b = draw(seed=1, count=3), draw(seed=1, count=3)
    assert torch.equal(a, b)
    assert not torch.equal(a[0], a[1])
    assert not torch.equal(a, draw(seed=2, count=3))
    many = draw(count=800, height=1, width=1)[:, 0, 0]
    assert abs(float(torch.corrcoef(torch.stack([many[:-1], many[1:]]))[0, 1])) < 4 / math.sqrt(800)
