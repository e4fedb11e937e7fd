import pytest
import torch

from mmdmad.diffusion.noise import (
    SCHEDULES,
    add_noise,
    alpha_bar_at,
    alpha_bar_of,
    alphas_bar,
    noise_bank,
    sigma,
    sigma_grid,
    snr,
    spaced_steps,
)
from mmdmad.diffusion.prediction import target, to_eps, to_score, to_v, to_x0
from mmdmad.errors import ConfigError


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules_fall_from_signal_to_noise(schedule):
    a = alphas_bar(schedule, 500)
    assert a.shape == (500,)
    assert 0.99 < a[0] < 1.0
    assert bool((a[1:] < a[:-1]).all())
    assert bool((a > 0).all())


def test_linear_schedule_is_the_product_of_its_betas():
    a = alphas_bar("linear", 300, beta=(1e-4, 1e-2))
    expected = torch.cumprod(1 - torch.linspace(1e-4, 1e-2, 300, dtype=torch.float64), dim=0)
    torch.testing.assert_close(a, expected, rtol=1e-5, atol=0)
    assert round(1 - float(a[-1]), 2) == 0.78  # DTE's grid ends at a noise variance of 0.78


def test_unknown_schedule_is_refused():
    with pytest.raises(ConfigError, match="linear"):
        alphas_bar("steep")  # type: ignore[arg-type]


def test_continuous_levels_end_at_given_and_at_noise():
    for schedule in ("cosine", "vp"):
        ends = alpha_bar_at(torch.tensor([0.0, 1.0], dtype=torch.float64), schedule)
        assert float(ends[0]) == 1.0
        assert float(ends[1]) < 1e-4


def test_add_noise_keeps_unit_variance_and_snr_matches():
    generator = torch.Generator().manual_seed(0)
    x, e = torch.randn(200_000, 1, generator=generator), torch.randn(200_000, 1, generator=generator)
    assert abs(float(add_noise(x, e, 0.3).var()) - 1.0) < 0.02
    a = torch.tensor([0.2, 0.9])
    torch.testing.assert_close(sigma(a) ** -2, snr(a))
    torch.testing.assert_close(alpha_bar_of(sigma(a)), a)


def test_noise_level_a_row():
    x, e = torch.ones(2, 3, 4), torch.zeros(2, 3, 4)
    noisy = add_noise(x, e, torch.tensor([1.0, 0.25]))
    assert float(noisy[0].min()) == 1.0
    assert float(noisy[1].max()) == 0.5


@pytest.mark.parametrize("kind", ["geometric", "linear", "karras"])
def test_sigma_grids_rise_between_their_ends(kind):
    grid = sigma_grid(0.01, 2.0, 7, kind)
    assert float(grid[0]) == pytest.approx(0.01)
    assert float(grid[-1]) == pytest.approx(2.0)
    assert bool((grid.diff() > 0).all())


@pytest.mark.parametrize(
    ("kind", "middle"),
    [
        ("geometric", 0.1),  # the root of 0.01 * 1
        ("linear", 0.505),
        ("karras", 0.14507),  # ((0.01 ** (1 / 7) + 1) / 2) ** 7, eq. 5 with rho = 7 as a number
    ],
)
def test_sigma_grids_are_spaced_as_their_papers_say(kind, middle):
    assert float(sigma_grid(0.01, 1.0, 3, kind)[1]) == pytest.approx(middle, rel=1e-3)


def test_spaced_steps_and_bank():
    assert spaced_steps(250, 6) == [0, 50, 100, 150, 200, 250]
    assert torch.equal(noise_bank(3, (4,), seed=5), noise_bank(3, (4,), seed=5))
    assert not torch.equal(noise_bank(3, (4,), seed=5), noise_bank(3, (4,), seed=6))


@pytest.mark.parametrize("kind", ["eps", "x0", "v"])
def test_predictions_give_each_other(kind):
    generator = torch.Generator().manual_seed(0)
    clean, noise = (torch.randn(5, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    a = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)
    noisy, output = add_noise(clean, noise, a), target(kind, clean, noise, a)
    torch.testing.assert_close(to_x0(output, noisy, a, kind), clean)
    torch.testing.assert_close(to_eps(output, noisy, a, kind), noise)
    torch.testing.assert_close(to_v(output, noisy, a, kind), target("v", clean, noise, a))
    torch.testing.assert_close(to_score(output, noisy, a, kind), -noise / (1 - a[:, None]).sqrt())
