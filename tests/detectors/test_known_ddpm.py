"""The DDPM baseline of Livernoche et al. (`partial-noise` under `compat`) and what its training needs."""

import numpy as np
import pytest
import torch
from torch import nn

from mmdmad.detectors.base import load_detector, make_detector
from mmdmad.diffusion.denoisers import ResidualMLP, build
from mmdmad.diffusion.noise import alphas_bar
from mmdmad.diffusion.training import Plan, train

ROWS = torch.randn(128, 3, generator=torch.Generator().manual_seed(0))


def test_it_walks_by_the_means_of_the_reverse_process():
    X = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    fitted = make_detector("partial-noise", compat=True, start=30, steps=20).fit(X)
    test = torch.from_numpy(fitted.space_.transform(X[:7], np.zeros(7))[0])
    beta = torch.linspace(1e-4, 0.01, 1000, dtype=torch.float64)
    kept = torch.cumprod(1 - beta, 0)
    back = test.double()
    with torch.no_grad():
        for t in range(29, -1, -1):
            noise = fitted.net_(back.float(), torch.full((7,), t / 1000), torch.zeros(7, dtype=torch.long)).double()
            back = (back - beta[t] * noise / (1 - kept[t]).sqrt()) / (1 - beta[t]).sqrt()
    np.testing.assert_allclose(fitted.decision_function(X[:7]), ((back - test) ** 2).mean(dim=1), rtol=1e-3)


def test_its_training_learns_on_the_schedule_that_ends_at_a_hundredth():
    fitted = make_detector("partial-noise", compat=True, steps=3).fit(np.eye(40, 3))
    level = alphas_bar("linear", 1000, (1e-4, 0.01))
    assert fitted._path([999]) == [pytest.approx(float(level[-1]))]
    plan = fitted._plan(5000)
    assert (plan.steps, plan.batch, plan.evaluate_every) == (3, 64, 78)
    assert make_detector("partial-noise", compat=True, steps=10**6)._plan(5000).steps == 400 * 78


def test_it_is_saved_with_its_norms_and_scores_rows_apart(tmp_path):
    X = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    fitted = make_detector("partial-noise", compat=True, start=10, steps=40).fit(X)
    fitted.save(tmp_path)
    scores = fitted.decision_function(X[:9])
    assert np.array_equal(load_detector(tmp_path).decision_function(X[:9]), scores)
    assert np.array_equal(fitted.decision_function(X[4:5]), scores[4:5])
    assert fitted.decision_function(X[:1] + 9)[0] > scores.max()


def test_positions_matter_to_residual_blocks():
    net = build(lambda: ResidualMLP(3, positions=2), seed=0).eval()
    here, there = (net(ROWS, torch.zeros(128), torch.full((128,), p)) for p in (0, 1))
    assert here.shape == (128, 3)
    assert not torch.allclose(here, there)
    assert not torch.allclose(here, net(ROWS, torch.ones(128), torch.zeros(128, dtype=torch.long)))


def noise_only(model: nn.Module, batch: list[torch.Tensor], generator: torch.Generator) -> torch.Tensor:
    """A loss that cannot fall: its target is new every time."""
    return (model(batch[0]) * 0 + torch.rand(batch[0].shape, generator=generator)).mean(dim=1)


def test_a_rising_training_loss_ends_the_training():
    plan = Plan(steps=1000, batch=64, evaluate_every=2, rising=39, held_out=0.0)
    history = train(build(lambda: nn.Linear(3, 3), 0), [ROWS], noise_only, plan)
    losses = history.losses
    assert 50 < len(losses) < 100
    assert losses[-1] > losses[-40]
    assert not any(losses[i] > losses[i - 39] for i in range(50, len(losses) - 1))
    assert train(build(lambda: nn.Linear(3, 3), 0), [ROWS], noise_only, Plan(steps=150, held_out=0.0)).steps == 150


def test_decay_of_gradients_shrinks_all_weights_alike():
    """Adam divides by the gradient's size: if only the decay pulls, each weight moves by the rate at first."""
    moved = {}
    for decoupled in (False, True):
        net = build(lambda: nn.Linear(3, 3), 0)
        before = net.weight.detach().clone()
        plan = Plan(steps=1, learning_rate=1e-3, weight_decay=0.5, decoupled=decoupled, ema=0.0, held_out=0.0, clip=0.0)
        train(net, [ROWS], noise_only, plan)
        moved[decoupled] = before - net.weight.detach()
        expected = 1e-3 * before.sign() if not decoupled else 1e-3 * 0.5 * before
        torch.testing.assert_close(moved[decoupled], expected, rtol=1e-3, atol=1e-7)
