"""Pixels as tokens: right values in the right places, kept in the cache like any encoder's."""

from pathlib import Path

import numpy as np
import pytest
from skimage import data

from mmdmad.cases import Part
from mmdmad.encoders import cache, make_encoder
from mmdmad.encoders.pixels import Pixels
from mmdmad.errors import ConfigError
from mmdmad.parts import Image


def test_a_picture_of_that_size_comes_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    tokens = Pixels(size=16).encode(Image(pixels))
    back = np.rint((tokens.values.reshape(16, 16, 3) + 1) * 127.5).astype(np.uint8)
    assert np.array_equal(back, pixels)
    assert tokens.layout.kind == "grid"
    assert tokens.layout.positions().tolist() == list(range(256))


def test_places_sizes_and_range() -> None:
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:20, 50:, 0] = 255  # upper right quarter, red
    tokens = Pixels(size=8).encode(Image(pixels))
    red = tokens.values[:, 0].reshape(8, 8)
    assert red[:3, 5:].min() == 1.0
    assert red[5:].max() == red[:, :3].max() == -1.0
    assert tokens.values[:, 1:].max() == -1.0
    assert tokens.layout.size == (40, 100)


def test_thin_lines_do_not_vanish() -> None:
    pixels = np.full((256, 256, 3), 255, np.uint8)
    pixels[:, 130] = 0
    row = Pixels(size=32, grey=True).encode(Image(pixels)).values.reshape(32, 32)[7]
    assert row.min() < 0.95
    assert (row[[0, 1, 30, 31]] == 1.0).all()


def test_grey_has_one_value_a_pixel() -> None:
    tokens = Pixels(size=32, grey=True).encode(Image(data.chelsea()))
    assert tokens.values.shape == (1024, 1)
    assert tokens.values.std() > 0.1


def test_the_cache_keeps_them_apart_by_parameters(tmp_path: Path) -> None:
    part = Part("image", value=data.chelsea())
    small, grey = make_encoder("pixels", size=8), make_encoder("pixels", size=8, grey=True)
    first = cache.encode(small, part, tmp_path)
    assert np.array_equal(cache.encode(small, part, tmp_path).values, first.values)
    assert cache.encode(grey, part, tmp_path).values.shape == (64, 1)
    assert len(list(tmp_path.rglob("*.safetensors"))) == 2


@pytest.mark.parametrize("size", [0, 7, 513])
def test_sizes_out_of_range_are_refused(size: int) -> None:
    with pytest.raises(ConfigError, match="8 to 512"):
        Pixels(size=size)
