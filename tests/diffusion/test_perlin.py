"""Perlin noise and masks: moments, scale, and that both blobs and lines come out."""

import pytest
import torch

from mmdmad.diffusion.perlin import perlin_mask, perlin_noise


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_noise_has_zero_mean_and_stays_in_bounds():
    g = generator()
    fields = torch.stack([perlin_noise(16, 24, (3.0, 4.0), g) for _ in range(300)])
    assert abs(float(fields.mean())) < 0.02
    assert float(fields.abs().max()) <= 0.5**0.5 + 1e-6
    assert 0.15 < float(fields.std()) < 0.4


def test_more_waves_are_rougher_and_the_field_is_continuous():
    calm, rough = (perlin_noise(64, 64, (w, w), generator(1)) for w in (2.0, 16.0))
    assert float(rough.diff(dim=1).abs().mean()) > 3 * float(calm.diff(dim=1).abs().mean())
    assert float(perlin_noise(1, 2000, (1.0, 8.0), generator(2)).diff(dim=1).abs().max()) < 0.02


def test_same_seed_same_mask():
    assert torch.equal(perlin_mask(16, 16, generator(5)), perlin_mask(16, 16, generator(5)))
    assert not torch.equal(perlin_mask(16, 16, generator(5)), perlin_mask(16, 16, generator(6)))


def test_masks_are_small_or_large_but_never_empty_or_nearly_full():
    g = generator()
    shares = torch.tensor([float(perlin_mask(16, 16, g).float().mean()) for _ in range(300)])
    assert shares.min() > 0
    assert shares.max() <= 0.31
    assert float((shares < 0.05).float().mean()) > 0.25
    assert float((shares > 0.12).float().mean()) > 0.15


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (2, 3)])
def test_small_grids_have_masks_too(height, width):
    g = generator()
    assert all(bool(perlin_mask(height, width, g).any()) for _ in range(20))


def test_lines_are_thinner_than_blobs():
    def neighbours(thin):
        g, counts = generator(3), []
        for _ in range(200):
            mask = perlin_mask(32, 32, g, share=(0.1, 0.1), thin=thin).float()[None, None]
            around = torch.nn.functional.avg_pool2d(mask, 3, 1, 1) * 9
            counts.append(float(around[mask > 0].mean()) / 9)
        return sum(counts) / len(counts)

    assert neighbours(thin=1.0) < 0.8 * neighbours(thin=0.0)
