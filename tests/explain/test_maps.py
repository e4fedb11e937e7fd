import numpy as np
import pytest

from mmdmad.errors import DataError
from mmdmad.explain import maps
from mmdmad.explain.draw import heat, overlay
from mmdmad.tokens import Layout


@pytest.mark.parametrize("token", [0, 11, 30, 53, 95])
@pytest.mark.parametrize("size", [(64, 96), (61, 101), (8, 12)])
def test_hot_token_lands_on_its_pixels(token, size):
    scores = np.full(96, 1.0)
    scores[token] = 5.0
    cells = maps.on_scale(maps.cell_maps(scores, Layout("grid", (8, 12), size=size))[0], (1.0, 3.0))
    pixels = maps.pixel_map(cells, size)
    assert pixels.shape == size
    row, column = divmod(token, 12)
    y, x = np.unravel_index(int(pixels.argmax()), size)
    assert row <= (y + 0.5) * 8 / size[0] <= row + 1
    assert column <= (x + 0.5) * 12 / size[1] <= column + 1
    (region,) = maps.hot_regions(cells, size)
    left, top, right, bottom = region.box
    assert left <= x < right
    assert top <= y < bottom
    assert (right - left, bottom - top) == (
        round((column + 1) * size[1] / 12) - round(column * size[1] / 12),
        round((row + 1) * size[0] / 8) - round(row * size[0] / 8),
    )
    assert region.share == pytest.approx(1 / 96)


def test_pixel_map_of_equal_cells_is_flat_and_keeps_the_middles():
    assert np.ptp(maps.pixel_map(np.full((3, 5), 2.0), (30, 50))) == 0
    cells = np.random.default_rng(0).normal(size=(3, 5))
    pixels = maps.pixel_map(cells, (33, 55))
    np.testing.assert_allclose(pixels[5::11, 5::11], cells)


def test_hot_window_lands_on_its_seconds_and_channel():
    starts = np.arange(8) * 0.5
    where = np.tile(np.stack([starts, starts + 0.5], axis=1), (2, 1))
    layout = Layout("steps", (16,), where=where, channels=("a",) * 8 + ("b",) * 8)
    scores = np.zeros(16)
    scores[8 + 3] = 2.0
    times = np.arange(200) / 50
    curves = maps.curves(scores, layout, times)
    assert set(curves) == {"a", "b"}
    assert not curves["a"].any()
    hot = times[curves["b"] > 1]
    assert hot.min() == 1.5
    assert hot.max() == pytest.approx(1.98)
    (span,) = maps.hot_spans(curves["b"], times)
    assert (span.start, span.stop, span.peak) == (1.5, pytest.approx(1.98), 2.0)


def test_overlapping_windows_are_averaged_and_bare_times_take_the_nearest():
    layout = Layout("steps", (2,), where=np.array([[1.0, 3.0], [2.0, 4.0]]))
    curve = maps.curves(np.array([0.0, 4.0]), layout, np.array([0.0, 1.5, 2.5, 3.5, 5.5, 9.0]))["*"]
    np.testing.assert_allclose(curve, [0, 0, 2, 4, 4, 0])  # at 9 s a window lies between it and the last one


def test_hot_frame_cell_lands_on_its_seconds_and_place():
    seconds = np.repeat(np.arange(4) * 0.5, 16)
    layout = Layout("frames", (4, 4, 4), where=np.stack([seconds, seconds + 0.5], axis=1), size=(40, 64))
    scores = np.zeros(64)
    scores[2 * 16 + 4 * 3 + 1] = 1.0
    cells = maps.cell_maps(scores, layout)
    assert maps.frame_curve(cells).tolist() == [0, 0, 1, 0]
    assert maps.frame_times(layout)[2].tolist() == [1.0, 1.5]
    assert np.unravel_index(int(cells[2].argmax()), (4, 4)) == (3, 1)


def test_hot_span_lands_on_its_characters():
    text = "all fine\nfire in cabinet\nall fine"
    layout = Layout("spans", (3,), where=np.array([[25.0, 33.0], [9.0, 24.0], [0.0, 8.0]]))
    spans = maps.character_spans(np.array([0.0, 5.0, 1.0]), layout)
    hottest = max(spans, key=lambda s: s.peak)
    assert text[int(hottest.start) : int(hottest.stop)] == "fire in cabinet"
    assert [s.start for s in spans] == [0, 9, 25]


def test_scale_is_fixed_whatever_else_is_in_the_picture():
    pixels = np.full((40, 40, 3), 120, np.uint8)
    quiet, loud = np.full((4, 4), 0.2), np.full((4, 4), 0.2)
    loud[3, 3] = 50.0
    np.testing.assert_array_equal(overlay(pixels, quiet)[:20, :20], overlay(pixels, loud)[:20, :20])
    np.testing.assert_array_equal(heat(np.array(0.0))[3], 0.0)  # typical is transparent
    assert heat(np.array(2.0))[3] == heat(np.array(99.0))[3]


def test_wrong_layouts_are_refused():
    with pytest.raises(DataError, match="3 token scores"):
        maps.cell_maps(np.zeros(3), Layout("grid", (2, 2)))
    with pytest.raises(DataError, match="no cells"):
        maps.cell_maps(np.zeros(1), Layout("vector"))
    with pytest.raises(DataError, match="where"):
        maps.curves(np.zeros(2), Layout("steps", (2,)), np.arange(3.0))
