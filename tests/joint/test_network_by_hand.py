"""The joint network, its weights, its training levels and its loss, each computed again in a few plain lines."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from mmdmad.joint import model as joint
from mmdmad.joint.model import JointDenoiser, Shape, alpha_sigma, denoising_loss, draw_levels, stack


def test_sizes_have_defaults_and_stay_as_they_are():
    shape = Shape((2, 3))
    assert (shape.dims, shape.width, shape.blocks, shape.dropout) == ((2, 3), 192, 2, 0.1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        shape.width = 3


def test_the_schedule_is_a_quarter_of_a_circle():
    alpha, sigma = alpha_sigma(torch.tensor([0.0, 1 / 3, 0.5, 1.0]))
    assert alpha.tolist() == pytest.approx([1.0, math.sqrt(3) / 2, math.sqrt(0.5), 0.0], abs=1e-6)
    assert sigma.tolist() == pytest.approx([0.0, 0.5, math.sqrt(0.5), 1.0], abs=1e-6)


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


def test_the_network_is_what_it_says():
    network = JointDenoiser(Shape((2, 1), width=8, blocks=2, dropout=0.5), seed=3).eval()
    with torch.no_grad():
        for weight in network.parameters():  # so large that nothing hides behind the first estimate
            weight.copy_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(weight.numel())))
    w = {name: value.double().numpy() for name, value in network.state_dict().items()}
    noisy = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75], [0.3, 0.7, 4.0], [-1.0, 2.0, 0.1]])
    level = np.array([[0.0, 0.4], [1.0, 0.0], [0.9, 1.0], [0.25, 0.75]])
    expected = []
    for x, t in zip(noisy, level):
        seen = x * np.array([t[0] < 1, t[0] < 1, t[1] < 1])
        about = []
        for one in t:
            angles = one * math.pi * np.array([1, 2, 3, 4])
            about += [*np.sin(angles), *np.cos(angles), one == 0, one == 1]
        hidden = w["enter.weight"] @ np.concatenate([seen, about]) + w["enter.bias"]
        for i in range(2):
            normed = (hidden - hidden.mean()) / np.sqrt(hidden.var() + 1e-5)
            normed = normed * w[f"blocks.{i}.norm.weight"] + w[f"blocks.{i}.norm.bias"]
            inside = silu(w[f"blocks.{i}.inner.weight"] @ normed + w[f"blocks.{i}.inner.bias"])
            hidden = hidden + w[f"blocks.{i}.outer.weight"] @ inside + w[f"blocks.{i}.outer.bias"]
        rest = w["leave.weight"] @ silu(hidden) + w["leave.bias"]
        each = np.array([t[0], t[0], t[1]]) * math.pi / 2
        expected.append(np.cos(each) * seen + np.sin(each) * rest)
    made = network(torch.tensor(noisy, dtype=torch.float32), torch.tensor(level, dtype=torch.float32))
    assert made.detach().numpy() == pytest.approx(np.array(expected), rel=1e-4, abs=1e-4)


def test_dropout_is_between_the_layers_of_a_block_and_only_in_training():
    network = JointDenoiser(Shape((2, 2), width=8, dropout=0.25), 0)
    assert [block.dropout.p for block in network.blocks] == [0.25, 0.25]
    x, level = torch.ones(1, 4), torch.full((1, 2), 0.5)
    network.eval()
    assert torch.equal(network(x, level), network(x, level))
    network.train()
    for block in network.blocks:
        nn.init.ones_(block.outer.weight)
    nn.init.ones_(network.leave.weight)
    assert len({network(x, level).sum().item() for _ in range(20)}) > 1


def test_weights_come_from_the_seed_one_layer_after_the_other():
    network = JointDenoiser(Shape((2, 1), width=8, blocks=1), seed=5)
    generator = torch.Generator().manual_seed(5)
    layers = {"enter": 23, "blocks.0.inner": 8, "blocks.0.outer": 8, "leave": 8}
    state = network.state_dict()
    for name, inputs in layers.items():  # the order in which torch lists them
        layer = network.get_submodule(name)
        assert layer.in_features == inputs  # 3 numbers and 2 parts of 4 sines, 4 cosines and 2 flags
        drawn = torch.empty_like(layer.weight).uniform_(-(inputs**-0.5), inputs**-0.5, generator=generator)
        small = 0.01 if name in ("blocks.0.outer", "leave") else 1.0
        assert torch.equal(state[f"{name}.weight"], drawn * small)
        assert torch.equal(state[f"{name}.bias"], torch.zeros(layer.out_features))
    # What follows from the sizes is no weight, and is not saved.
    assert set(state) == {f"{n}.{k}" for n in (*layers, "blocks.0.norm") for k in ("weight", "bias")}
    assert network.owner.tolist() == [0, 0, 1]
    assert network.frequencies.tolist() == pytest.approx([math.pi, 2 * math.pi, 3 * math.pi, 4 * math.pi])


def test_columns_of_a_part_follow_those_of_the_parts_before():
    network = JointDenoiser(Shape((2, 3, 1), width=8), 0)
    assert [network.columns(part) for part in range(3)] == [slice(0, 2), slice(2, 5), slice(5, 6)]


def test_levels_are_given_missing_or_between(monkeypatch):
    drawn = iter(
        [torch.tensor([[0.0, 0.199, 0.2, 0.5], [0.749, 0.75, 0.99, 0.2001]]), torch.tensor([[0.4] * 4, [0.6] * 4])]
    )
    sizes = []

    def rand(*size, generator):
        sizes.append(size)
        return next(drawn)

    monkeypatch.setattr(joint.torch, "rand", rand)
    levels = draw_levels(2, 4, torch.Generator())
    assert levels.flatten().tolist() == pytest.approx([0, 0, 0.4, 0.4, 0.6, 1, 1, 0.6])
    assert sizes == [(2, 4), (2, 4)]


class Estimate(nn.Module):
    """Stands in for the network: remembers what it was given, and estimates the same numbers every time."""

    def __init__(self, dims: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("owner", torch.repeat_interleave(torch.arange(len(dims)), torch.tensor(dims)))
        self.given: list[tuple[torch.Tensor, torch.Tensor]] = []

    def forward(self, noisy: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        self.given.append((noisy, level))
        return torch.full_like(noisy, 0.25)


LEVELS = [[0.0, 0.5], [0.2, 1.0], [0.9, 0.0003], [0.4, 0.6], [0.35, 0.295]]
PRESENT = [[True, True], [True, True], [True, True], [False, True], [True, True]]


def test_the_loss_in_plain_lines(monkeypatch):
    monkeypatch.setattr(joint, "draw_levels", lambda rows, parts, generator: torch.tensor(LEVELS))
    clean = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    estimate = Estimate((2, 1))
    loss = denoising_loss(estimate, clean, torch.tensor(PRESENT), torch.Generator().manual_seed(7))
    noise = torch.randn(5, 3, generator=torch.Generator().manual_seed(7)).numpy()
    ((entered, told),) = estimate.given
    weights = []
    for i in range(5):
        level = [t if there else 1.0 for t, there in zip(LEVELS[i], PRESENT[i])]
        assert told[i].tolist() == pytest.approx(level)
        expected = 0.0
        for column, part in enumerate((0, 0, 1)):
            alpha, sigma = math.cos(level[part] * math.pi / 2), math.sin(level[part] * math.pi / 2)
            x, e = float(clean[i, column]), float(noise[i, column])
            assert float(entered[i, column]) == pytest.approx(alpha * x + sigma * e, abs=1e-6)
            # a given part has nothing to learn, an absent one nothing to be compared with
            weight = min(1 / sigma**2, 5.0) if PRESENT[i][part] and level[part] > 0 else 0.0
            weights.append(weight)
            expected += weight * (0.25 - x) ** 2 / 3
        assert float(loss[i]) == pytest.approx(expected, rel=1e-5)
    assert loss.shape == (5,)
    assert {0.0, 5.0} < set(weights)
    assert any(1.01 < weight < 4.99 for weight in weights)


def test_levels_of_a_loss_are_drawn_from_its_generator_before_its_noise():
    clean, present, estimate = torch.zeros(6, 3), torch.ones(6, 2, dtype=torch.bool), Estimate((2, 1))
    denoising_loss(estimate, clean, present, torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    level = draw_levels(6, 2, generator)
    noise = torch.randn(6, 3, generator=generator)
    entered, told = estimate.given[0]
    assert torch.equal(told, level)
    assert torch.allclose(entered, torch.sin(level * torch.pi / 2)[:, [0, 0, 1]] * noise)


def test_a_part_is_missing_where_one_of_its_numbers_is():
    nan, inf = float("nan"), float("inf")
    first = torch.tensor([[1.0, 2.0], [nan, 3.0], [4.0, inf]])
    clean, present = stack([first, torch.tensor([[5.0], [6.0], [nan]])])
    assert present.tolist() == [[True, True], [False, True], [False, False]]
    assert clean[:2].tolist() == [[1.0, 2.0, 5.0], [0.0, 3.0, 6.0]]
    assert torch.isfinite(clean).all()
