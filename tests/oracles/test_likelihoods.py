"""Diffusion times and the evidence bound against what probability theory says they are."""

import numpy as np
import pytest
import torch
from scipy.stats import invgamma, multivariate_normal, spearmanr

from mmdmad.detectors.base import make_detector

COVARIANCE = np.array([[1.0, 0.7, 0.2], [0.7, 1.0, -0.3], [0.2, -0.3, 1.0]])


def correlated(count, seed):
    return np.random.default_rng(seed).multivariate_normal(np.zeros(3), COVARIANCE, size=count).astype(np.float32)


def test_dte_np_is_the_mode_of_an_inverse_gamma():
    """Livernoche et al., ICLR 2024: p(s^2 | x) is IG(D / 2 - 1, m / 2), m the mean of the five nearest squares."""
    train, test = correlated(300, 0), np.concatenate([correlated(40, 1), 3 * correlated(10, 2)])
    mean, scale = train.astype(float).mean(axis=0), train.astype(float).std(axis=0)
    one, other = (test - mean) / scale, (train - mean) / scale
    squares = np.array([np.sort(((row - other) ** 2).sum(axis=1))[:5].mean() for row in one])
    found = make_detector("dte-np").fit(train).decision_function(test)
    np.testing.assert_allclose(found, squares / 3, rtol=1e-4)
    # b / (a + 1) is the mode of an inverse gamma: no point nearby is more probable.
    posterior = [invgamma(3 / 2 - 1, scale=m / 2) for m in squares]
    for at, law in zip(found, posterior):
        assert law.logpdf(at) > max(law.logpdf(at * 0.99), law.logpdf(at * 1.01))
    grid = 1 - np.cumprod(1 - np.linspace(1e-4, 1e-2, 300))
    steps = [int(np.argmax(law.logpdf(grid))) for law in posterior]
    assert len(set(steps)) > 20
    discrete = make_detector("dte-np", mode_t=True).fit(train).decision_function(test)
    np.testing.assert_array_equal(discrete, steps)


def exact_noise(position):
    """The best noise prediction for standardised tokens N(0, COVARIANCE)."""
    covariance = torch.from_numpy(COVARIANCE)

    def predicted(noisy, a):
        spread = a * covariance + (1 - a) * torch.eye(3, dtype=torch.float64)
        return ((1 - a) ** 0.5 * torch.linalg.solve(spread, noisy.double().T).T).float()

    return predicted


def standardised(count):
    """Training tokens whose mean is 0 and whose deviation is 1 to rounding, so that they are their own features."""
    x = correlated(count, 3).astype(np.float64)
    return ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)


def test_elbo_is_the_gaussian_likelihood_up_to_a_constant():
    fitted = make_detector("elbo", false_alarm_rate=None, weight="elbo", steps=1, hidden=(8,), levels=1200).fit(
        standardised(200)
    )
    fitted._eps = exact_noise
    test = np.concatenate([correlated(60, 4), 2 * correlated(20, 5)])
    truth = -multivariate_normal(np.zeros(3), COVARIANCE).logpdf(test) / 3  # nats a feature
    found = fitted.decision_function(test)
    slope, _ = np.polyfit(truth, found, 1)
    assert slope == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(found - found.mean(), truth - truth.mean(), atol=0.12)
    fitted.levels = 20
    assert spearmanr(fitted.decision_function(test), truth)[0] > 0.99


def test_simple_bound_is_the_mean_squared_error_of_the_noise():
    fitted = make_detector("elbo", false_alarm_rate=None, steps=1, hidden=(8,), levels=4, last=600).fit(
        standardised(200)
    )
    fitted._eps = exact_noise
    test, bars = correlated(5, 6), np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    bank = torch.randn((4, 3), generator=torch.Generator().manual_seed(0)).numpy()
    errors = []
    for step, noise in zip((0, 200, 400, 600), bank):
        a = bars[step]
        noisy = np.sqrt(a) * test + np.sqrt(1 - a) * noise
        guess = np.sqrt(1 - a) * np.linalg.solve(a * COVARIANCE + (1 - a) * np.eye(3), noisy.T).T
        errors.append(((guess - noise) ** 2).mean(axis=1))
    np.testing.assert_allclose(fitted.decision_function(test), np.mean(errors, axis=0), rtol=1e-3)
