"""EfficientNet-Lite0: right weights in the right places, and tokens that map back to pixels."""

import numpy as np
import pytest
import torch
from skimage import data

from mmdmad.encoders.lite0 import Lite0, load_lite0, on_grid, prepare, stage_maps, timm_name
from mmdmad.errors import ConfigError
from mmdmad.parts import Image

# line numbers of the ImageNet-1k class list
EGYPTIAN_CAT, ESPRESSO = 285, 967


@pytest.mark.parametrize(("picture", "wanted"), [("chelsea", EGYPTIAN_CAT), ("coffee", ESPRESSO)])
def test_the_weights_recognise_photographs(picture: str, wanted: int) -> None:
    with torch.inference_mode():
        scores = load_lite0()(prepare(getattr(data, picture)(), 224, 224))[0].softmax(0)
    assert int(scores.argmax()) == wanted
    assert float(scores[wanted]) > 0.4


def test_every_parameter_has_its_own_name() -> None:
    names = [f"_blocks.{block}._bn1.weight" for block in range(16)]
    assert len({timm_name(name) for name in names}) == 16
    assert timm_name("_blocks.15._project_conv.weight") == "blocks.6.0.conv_pwl.weight"


def test_stages_and_summary_equal_the_whole_network() -> None:
    x = prepare(data.astronaut(), 128, 128)
    network = load_lite0()
    with torch.inference_mode():
        maps, final = stage_maps(network, x, (1, 2, 3, 4, 5, 6, 7), final=True)
        features = network.forward_features(x)
    assert [m.shape[1] for m in maps] == [16, 24, 40, 80, 112, 192, 320]
    assert [128 // m.shape[2] for m in maps] == [2, 4, 8, 16, 16, 32, 32]
    assert final is not None
    assert torch.allclose(final, features.mean((2, 3))[0], atol=1e-5)


def test_tokens_of_a_grid() -> None:
    pixels = data.chelsea()
    tokens = Lite0().encode(Image(pixels))
    assert tokens.values.shape == (256, 40 + 80 + 112 + 320)
    assert tokens.layout.kind == "grid"
    assert tokens.layout.shape == (16, 16)
    assert tokens.layout.size == pixels.shape[:2]
    assert tokens.layout.positions().tolist() == list(range(256))
    assert tokens.embedding().shape == (1280,)


def test_a_change_moves_the_tokens_where_it_is() -> None:
    pixels = np.full((200, 400, 3), 120, np.uint8)
    other = pixels.copy()
    other[150:175, 50:75] = 250  # rows 0.75 to 0.875, columns 0.125 to 0.1875 of the picture
    encode = Lite0(stages=(3,)).encode
    moved = np.abs(encode(Image(pixels)).values - encode(Image(other)).values).mean(1).reshape(16, 16)
    row, column = np.unravel_index(moved.argmax(), moved.shape)
    assert 12 <= row <= 13
    assert 2 <= column <= 3


def test_a_second_side_adds_its_features_to_every_cell() -> None:
    cat = Image(data.chelsea())
    both = Lite0(size=128, grid=8, also=(64,)).encode(cat)
    alone = Lite0(size=128, grid=8).encode(cat)
    coarse = Lite0(size=64, grid=8).encode(cat)
    assert np.array_equal(both.values, np.concatenate([alone.values, coarse.values], axis=1))
    assert np.array_equal(both.embedding(), alone.embedding())
    assert Lite0(**Lite0(size=128, grid=8, also=(64,)).params()).also == (64,)


def test_results_do_not_depend_on_neighbours_or_repetition() -> None:
    cat, cup = Image(data.chelsea()), Image(data.coffee())
    encoder = Lite0(size=128, grid=8)
    alone = encoder.encode(cat)
    encoder.encode(cup)
    again = encoder.encode(cat)
    assert np.array_equal(alone.values, again.values)
    assert np.array_equal(alone.embedding(), again.embedding())


def test_loading_leaves_the_random_stream_alone() -> None:
    load_lite0.cache_clear()
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    load_lite0()
    assert torch.equal(torch.rand(2), wanted)


def test_neighbours_are_averaged_before_the_grid() -> None:
    spike = torch.zeros(1, 1, 6, 6)
    spike[0, 0, 2, 2] = 9.0
    assert torch.allclose(on_grid(spike, 6, 6)[0, 0, 1:4, 1:4], torch.ones(3, 3))
    assert on_grid(spike, 12, 12).shape == (1, 1, 12, 12)


@pytest.mark.parametrize(
    "params", [{"size": 100}, {"also": (100,)}, {"grid": 0}, {"grid": 100}, {"stages": ()}, {"stages": (3, 9)}]
)
def test_wrong_arguments_are_named(params: dict) -> None:
    with pytest.raises(ConfigError, match="allowed"):
        Lite0(**params)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (700, 2, 3)])
def test_odd_shapes_are_encoded(shape: tuple[int, ...]) -> None:
    tokens = Lite0(size=64, grid=4).encode(Image(np.full(shape, 7, np.uint8)))
    assert np.isfinite(tokens.values).all()
