"""Noise banks, denoising errors and contradictions with denoisers whose answers are known."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from mmdmad.diffusion.log_snr import snr_bank
from mmdmad.joint.denoising_error import (
    LOG_SNR,
    NoiseBank,
    contradiction,
    contradictions,
    denoising_error,
    noise_bank,
)
from mmdmad.joint.model import Shape


class Zero(nn.Module):
    """Three parts of 2, 1 and 1 numbers; every estimate is zero, and what entered is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.shape, self.given = Shape((2, 1, 1)), []

    def columns(self, part: int) -> slice:
        return (slice(0, 2), slice(2, 3), slice(3, 4))[part]

    def forward(self, entered: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        self.given.append((entered, level))
        return torch.zeros_like(entered)


class Told(Zero):
    """Estimates a tenth of its number for every other part that is given, so that a condition shows."""

    def forward(self, entered: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        self.given.append((entered, level))
        return torch.full_like(entered, 0.1) * (level == 0).sum(dim=1, keepdim=True)


BANK = NoiseBank(torch.tensor([0.25, 0.5]), torch.tensor([2.0, 0.5]), torch.tensor([[1.0, 2, 3, 4], [-1, -2, -3, -4]]))
X = torch.tensor([0.5, -1.0, 2.0, 3.0])


def test_a_bank_lies_evenly_in_log_snr():
    bank = noise_bank(3, levels=7, draws=2, seed=4)
    snr = np.exp(np.repeat(-5 + 7 * (np.arange(7) + 0.5) / 7, 2))  # from -5 to 2, the middles of seven pieces
    assert bank.level.numpy() == pytest.approx(2 / np.pi * np.arctan(1 / np.sqrt(snr)), rel=1e-5)
    assert bank.weight.numpy() == pytest.approx(snr / 2, rel=1e-5)  # a step of 1 in log snr, two draws each
    assert (bank.level.dtype, bank.weight.dtype, bank.noise.dtype) == (torch.float32,) * 3
    assert torch.equal(bank.noise, snr_bank(3, 7, 2, 4, LOG_SNR).noise)
    other = noise_bank(3, levels=2, draws=2, seed=4, log_snr=(0.0, 4.0))
    assert other.weight.numpy() == pytest.approx(np.exp([1, 1, 3, 3]), rel=1e-5)
    assert LOG_SNR == (-5.0, 2.0)
    moved = bank.to(torch.device("cpu"))
    assert all(torch.equal(getattr(moved, n), getattr(bank, n)) for n in ("level", "weight", "noise"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        bank.level = bank.weight


def test_parts_enter_noisy_given_or_missing():
    model = Zero()
    error = denoising_error(model, BANK, X, [0], [2])
    ((entered, level),) = model.given
    assert level.tolist() == [[0.25, 1.0, 0.0], [0.5, 1.0, 0.0]]
    for i, (t, sign) in enumerate(((0.25, 1), (0.5, -1))):
        alpha, sigma = math.cos(t * math.pi / 2), math.sin(t * math.pi / 2)
        expected = [alpha * 0.5 + sigma * sign * 1, -alpha + sigma * sign * 2, 2.0, 3.0]
        assert entered[i].tolist() == pytest.approx(expected, abs=1e-6)
    assert error == pytest.approx(0.5 * (2.0 + 0.5) * (0.5**2 + 1.0**2))
    assert isinstance(error, float)
    assert X.tolist() == [0.5, -1.0, 2.0, 3.0]


def test_several_noisy_parts_share_a_level_and_their_error_is_their_sum():
    model = Zero()
    assert denoising_error(model, BANK, X, [2, 1], [0]) == pytest.approx(1.25 * (9.0 + 4.0))
    assert model.given[0][1].tolist() == [[0.0, 0.25, 0.25], [0.0, 0.5, 0.5]]


def test_no_gradients_are_kept():
    seen = []

    class Asks(Zero):
        def forward(self, entered, level):
            seen.append(torch.is_inference_mode_enabled())
            return super().forward(entered, level)

    denoising_error(Asks(), BANK, X, [0], [])
    assert seen == [True]


def test_a_contradiction_is_what_the_others_add_to_the_error():
    model = Told()
    alone = 1.25 * 4.0
    given = 1.25 * (0.1 * 2 - 2.0) ** 2
    assert contradiction(model, BANK, X, 1, [0, 2]) == pytest.approx(given - alone)
    assert len(model.given) == 2
    assert contradiction(model, BANK, X, 1, [0, 2], 1.0) == pytest.approx(given - 1.0)
    assert contradiction(model, BANK, X, 1, [0, 2], 0.0) == pytest.approx(given)
    assert len(model.given) == 4


def test_every_marginal_is_computed_once_and_gaps_count_as_zero():
    model = Told()
    x = np.array([0.5, np.nan, 2.0, 3.0])
    wanted = [(1, (0,)), (0, (1, 2)), (1, (0, 2)), (0, (2,))]
    found = contradictions(model, BANK, x, wanted)
    assert len(model.given) == 2 + 4
    assert found.dtype == np.float64
    error = {0: lambda k: 1.25 * ((0.5 - 0.1 * k) ** 2 + (0.1 * k) ** 2), 1: lambda k: 1.25 * (2.0 - 0.1 * k) ** 2}
    assert found == pytest.approx([error[p](len(given)) - error[p](0) for p, given in wanted], abs=1e-5)
    assert np.isnan(x[1])
