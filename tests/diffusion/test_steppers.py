"""Steppers against the one distribution whose diffusion is known exactly: a Gaussian."""

import math

import pytest
import torch

from mmdmad.diffusion.noise import add_noise, alphas_bar, sigma_grid
from mmdmad.diffusion.steppers import ancestral, ddim_step, flow_log_likelihood, flow_ode, invert, reconstruct, walk

MEAN = torch.tensor([0.5, -1.0], dtype=torch.float64)
COVARIANCE = torch.tensor([[1.0, 0.6], [0.6, 0.8]], dtype=torch.float64)


def exact_eps(noisy, a):
    """The best noise prediction for data N(MEAN, COVARIANCE): -sqrt(1 - a) times the exact score."""
    spread = a * COVARIANCE + (1 - a) * torch.eye(2, dtype=torch.float64)
    return (1 - a) ** 0.5 * torch.linalg.solve(spread, (noisy - a**0.5 * MEAN).T).T


def tokens(count=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return MEAN + torch.randn(count, 2, generator=generator, dtype=torch.float64) @ torch.linalg.cholesky(COVARIANCE).T


def path(last=999, count=300):
    a = alphas_bar("linear", 1000)
    return [float(a[i]) for i in torch.linspace(last, 0, count).long()]


def test_ddim_with_the_true_noise_lands_exactly():
    x, e = tokens(), tokens(seed=1)
    there = ddim_step(add_noise(x, e, 0.3), e, 0.3, 0.7)
    torch.testing.assert_close(there, add_noise(x, e, 0.7))


def test_inversion_then_sampling_returns():
    x = tokens()
    noise = invert(exact_eps, x, path(count=1000)[::-1])
    back = walk(exact_eps, noise, path(count=1000))
    assert float((back - x).abs().max()) < 0.02


def test_inversion_brings_normal_tokens_to_the_unit_normal_and_others_outside():
    normal = invert(exact_eps, tokens(4000), path()[::-1])
    assert abs(float(normal.mean())) < 0.06
    torch.testing.assert_close(torch.cov(normal.T), torch.eye(2, dtype=torch.float64), atol=0.1, rtol=0)
    odd = invert(exact_eps, torch.tensor([[8.0, 8.0]], dtype=torch.float64), path()[::-1])
    assert float(odd.norm()) > 5


def test_ancestral_sampling_gives_the_data_distribution():
    generator = torch.Generator().manual_seed(3)
    steps = path(count=200)
    draws = [torch.randn(4000, 2, generator=generator, dtype=torch.float64) for _ in range(len(steps) + 1)]
    samples = ancestral(exact_eps, draws[0], steps, draws[1:])
    torch.testing.assert_close(samples.mean(0), MEAN, atol=0.08, rtol=0)
    torch.testing.assert_close(torch.cov(samples.T), COVARIANCE, atol=0.1, rtol=0)


def test_partial_noise_pulls_an_outlier_back():
    odd = torch.tensor([[0.5, 6.0]], dtype=torch.float64)
    noise = torch.zeros(1, 2, dtype=torch.float64)
    pulled = reconstruct(exact_eps, odd, path(last=500, count=50), noise)
    normal = reconstruct(exact_eps, MEAN[None], path(last=500, count=50), noise)
    assert float((pulled - odd).norm()) > 10 * float((normal - MEAN).norm())


def test_ancestral_without_noise_is_refused():
    with pytest.raises(ValueError, match="noise"):
        ddim_step(tokens(), tokens(), 0.3, 0.7, eta=1.0)


def test_flow_ode_there_and_back():
    x, sigmas = tokens(), sigma_grid(1e-3, 50.0, 200).tolist()
    far = flow_ode(exact_eps, x, sigmas)
    back = flow_ode(exact_eps, far, sigmas[::-1])
    assert float((back - x).abs().max()) < 1e-3


@pytest.mark.parametrize("hutchinson", [False, True])
def test_flow_likelihood_of_a_gaussian_is_its_density(hutchinson):
    x = tokens(16)
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
    found = flow_log_likelihood(exact_eps, x, sigma_grid(1e-3, 200.0, 300).tolist(), signs if hutchinson else None)
    expected = torch.distributions.MultivariateNormal(MEAN, COVARIANCE).log_prob(x)
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0)
    assert math.isfinite(float(found.sum()))
