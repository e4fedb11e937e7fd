"""Maps, curves and measures of a channel against plain loops, on pictures that are no squares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdmad.errors import DataError, ModelError
from mmdmad.explain import draw, maps, traces
from mmdmad.explain.maps import Region, Span
from mmdmad.explain.motion import Motion
from mmdmad.explain.ranges import MIN_GROUP, Ranges, SavedRanges
from mmdmad.tokens import Layout

CELLS = np.array([[0.0, 1.2, 0.9, 0.0, 0.0], [0.0, 0.0, 0.65, 0.0, 3.0], [0.8, 0.0, 0.0, 1.4, 1.6]])


def test_the_fixed_scale_is_a_straight_line_and_a_scale_without_width_is_no_division_by_zero():
    assert maps.on_scale([2.0, 4.0, 8.0], (2.0, 4.0)).tolist() == [0.0, 1.0, 3.0]
    assert np.isfinite(maps.on_scale([2.0], (2.0, 2.0))).all()


def test_cells_are_laid_out_row_by_row_and_frame_by_frame():
    assert maps.cell_maps(np.arange(6), Layout("grid", (2, 3))).tolist() == [[[0, 1, 2], [3, 4, 5]]]
    frames = maps.cell_maps(np.arange(12), Layout("frames", (2, 2, 3)))
    assert frames.tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]
    with pytest.raises(DataError, match="'steps' has no cells; allowed are grid and frames"):
        maps.cell_maps(np.arange(6), Layout("steps", (6,)))
    with pytest.raises(DataError, match="5 token scores do not fit a layout of 6 tokens"):
        maps.cell_maps(np.arange(5), Layout("grid", (2, 3)))


def pixel_by_hand(cells, size, y, x):
    rows, columns = cells.shape
    at = min(max((y + 0.5) * rows / size[0] - 0.5, 0), rows - 1)
    along = min(max((x + 0.5) * columns / size[1] - 0.5, 0), columns - 1)
    total = 0.0
    for r in range(rows):
        for c in range(columns):
            total += max(0.0, 1 - abs(at - r)) * max(0.0, 1 - abs(along - c)) * cells[r, c]
    return total


@pytest.mark.parametrize("size", [(7, 16), (30, 12), (2, 3), (9, 5)])
def test_a_pixel_is_the_weighted_mean_of_the_four_cells_around_it(size):
    drawn = maps.pixel_map(CELLS, size)
    assert drawn.shape == size
    by_hand = [[pixel_by_hand(CELLS, size, y, x) for x in range(size[1])] for y in range(size[0])]
    assert drawn == pytest.approx(np.array(by_hand), abs=1e-12)


def test_regions_are_connected_hot_cells_without_their_halo_strongest_first():
    found = maps.hot_regions(CELLS, (30, 100))
    assert [r.peak for r in found] == [3.0, 1.2]
    first, second = found
    assert np.argwhere(first.mask).tolist() == [[1, 4], [2, 4]]  # 1.4 is the halo of 3.0; 1.6 lies above its half
    assert first.box == (80, 10, 100, 30)
    assert first.share == 2 / 15
    assert first.centre == (2 / 3, 0.9)
    assert np.argwhere(second.mask).tolist() == [[0, 1], [0, 2]]  # 0.65 lies below what grows a region
    assert second.box == (20, 0, 60, 10)
    assert second.centre == pytest.approx((0.5 / 3, 2 / 5))
    assert [r.peak for r in maps.hot_regions(CELLS, (30, 100), seed=1.2)] == [3.0]  # not above the seed
    assert len(maps.hot_regions(CELLS, (30, 100), seed=0.7)) == 3
    assert maps.hot_regions(np.full((2, 2), 0.99), (4, 4)) == []
    corners = np.array([[2.0, 0.0], [0.0, 1.5]])
    assert len(maps.hot_regions(corners, (2, 2))) == 1  # cells that touch at a corner belong together


def test_the_hottest_cell_has_the_box_of_its_row_and_column():
    spot = maps.hottest_cell(CELLS, (30, 100))
    assert (spot.box, spot.share, spot.peak) == ((80, 10, 100, 20), 1 / 15, 3.0)
    assert spot.centre == (0.5, 0.9)
    assert maps.hottest_cell(np.array([[1.0, 1.0]]), (10, 10)).box == (0, 0, 5, 10)  # the first of equals
    assert maps.hottest_cell(CELLS, (11, 17)).box == (14, 4, 17, 7)  # of cells 11/3 high and 17/5 wide


def curve_by_hand(scores, where, times):
    last, out = max(stop for _, stop in where), []
    for t in times:
        inside = [s for s, (a, b) in zip(scores, where, strict=True) if a <= t < b or (b == last and a <= t <= b)]
        out.append(sum(inside) / len(inside) if inside else None)
    known = [i for i, v in enumerate(out) if v is not None]
    longest = max(b - a for a, b in where)
    nearest = [min(known, key=lambda k: (abs(k - i), k)) for i in range(len(out))]
    far = [abs(times[k] - t) > longest for k, t in zip(nearest, times, strict=True)]
    return [v if v is not None else min(scores) if f else out[k] for v, f, k in zip(out, far, nearest, strict=True)]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9), st.integers(-9, 9)), min_size=1, max_size=8),
    st.lists(st.integers(0, 40), min_size=1, max_size=30, unique=True),
)
def test_a_curve_is_the_mean_of_the_windows_over_each_time(windows, times):
    where = [(float(a), float(a + n)) for a, n, _ in windows]
    scores, times = [float(s) for *_, s in windows], np.array(sorted(times), float)
    layout = Layout("steps", (len(where),), where=np.array(where))
    covered = [any(a <= t < b or (b == max(w[1] for w in where) and a <= t <= b) for a, b in where) for t in times]
    curve = maps.curves(np.array(scores), layout, times)["*"]
    if not any(covered):
        assert curve.tolist() == [max(scores)] * len(times)
    else:
        assert curve == pytest.approx(curve_by_hand(scores, where, times))


def test_each_channel_has_a_curve_of_its_own_and_windows_without_places_none():
    where = np.array([[0.0, 2.0], [0.0, 2.0]])
    layout = Layout("steps", (2,), where=where, channels=("load", "speed"))
    found = maps.curves(np.array([1.0, 5.0]), layout, np.arange(3.0))
    assert {k: v.tolist() for k, v in found.items()} == {"load": [1.0] * 3, "speed": [5.0] * 3}
    with pytest.raises(DataError, match="without `where` cannot be brought back to time"):
        maps.curves(np.zeros(2), Layout("steps", (2,)), np.arange(3.0))
    with pytest.raises(DataError, match="3 token scores"):
        maps.curves(np.zeros(3), layout, np.arange(3.0))


def test_spans_are_stretches_above_the_lower_mark_that_reach_the_upper_one():
    curve, times = np.array([0.8, 1.1, 0.7, 0.71, 0.9, 0.2, 1.5, 0.0, 0.75]), np.arange(9) * 0.5
    assert maps.hot_spans(curve, times) == [Span(3.0, 3.0, 1.5), Span(0.0, 0.5, 1.1)]
    assert maps.hot_spans(curve, times, seed=0.8) == [
        Span(3.0, 3.0, 1.5), Span(0.0, 0.5, 1.1), Span(1.5, 2.0, 0.9),
    ]  # fmt: skip
    assert maps.hot_spans(curve, times, grow=0.6)[1] == Span(0.0, 2.0, 1.1)
    assert maps.hot_spans(np.array([1.0]), times[:1]) == []


def test_frames_and_characters_keep_their_places():
    stack = np.array([[[0.0, 1.0], [3.0, 2.0]], [[5.0, 4.0], [0.0, 0.0]]])
    assert maps.frame_curve(stack).tolist() == [3.0, 5.0]
    where = np.array([[0.0, 0.4], [0.1, 0.5], [0.5, 0.9], [0.6, 1.0]])
    assert maps.frame_times(Layout("frames", (2, 1, 2), where=where)).tolist() == [[0.0, 0.5], [0.5, 1.0]]
    with pytest.raises(DataError, match="frames without `where`"):
        maps.frame_times(Layout("frames", (2, 1, 2)))
    spans = Layout("spans", (3,), where=np.array([[4.0, 9.0], [0.0, 3.0], [0.0, 2.0]]))
    assert maps.character_spans(np.array([1.0, 2.0, 3.0]), spans) == [
        Span(0.0, 2.0, 3.0), Span(0.0, 3.0, 2.0), Span(4.0, 9.0, 1.0),
    ]  # fmt: skip
    with pytest.raises(DataError, match="spans without `where`"):
        maps.character_spans(np.zeros(3), Layout("spans", (3,)))


def test_colours_stand_at_their_marks_and_beyond_the_top_nothing_changes():
    assert draw.heat(np.array([0.0, 1.0, 2.0, 9.0, -1.0])) == pytest.approx(
        np.array([[255, 236, 170, 0], [250, 150, 30, 0.55], [140, 8, 60, 0.78], [140, 8, 60, 0.78], [255, 236, 170, 0]])
    )
    assert draw.heat(np.array([0.675])) == pytest.approx(np.array([[252.5, 185, 75, 0.315]]))


def test_an_overlay_greys_the_picture_by_45_percent_and_lays_the_heat_over_it():
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    cold = draw.overlay(pixels, np.zeros((2, 3)))
    assert cold.tolist() == np.round(0.55 * pixels + 0.45 * pixels.mean(axis=2, keepdims=True)).astype(int).tolist()
    hot = draw.overlay(pixels, np.full((2, 3), 2.0))
    base = 0.55 * pixels + 0.45 * pixels.mean(axis=2, keepdims=True)
    assert hot.tolist() == np.round(0.22 * base + 0.78 * np.array([140, 8, 60])).astype(int).tolist()


@pytest.mark.parametrize(("height", "width"), [(40, 100), (150, 60)])
def test_a_drawn_picture_has_the_plain_one_the_map_beside_it_and_the_bar_at_the_end(height, width):
    pixels = np.random.default_rng(1).integers(60, 200, (height, width, 3), dtype=np.uint8)
    cells = np.zeros((4, 5))
    cells[1, 3] = 2.0
    region = maps.hot_regions(cells, (height, width))[0]
    drawn = np.asarray(draw.image_picture(pixels, cells, [region], side=max(height, width)))
    tall = max(height, 120)
    assert drawn.shape == (tall, 2 * width + 24 + draw.BAR, 3)
    assert drawn[:height, :width].tolist() == pixels.tolist()
    assert (drawn[:height, width : width + 12] == 255).all()
    hot = drawn[:height, width + 12 : 2 * width + 12].astype(int)
    expected = draw.overlay(pixels, cells).astype(int)
    left, top, right, bottom = region.box
    y, x = (top + bottom) // 2, (left + right) // 2
    assert hot[y, x].tolist() == expected[y, x].tolist()
    assert hot[y, left - 2].tolist() == list(draw.HOT)
    assert hot[top - 2, x].tolist() == list(draw.HOT)
    assert hot[y, right].tolist() == list(draw.HOT)
    assert hot[bottom, x].tolist() == list(draw.HOT)
    assert hot[-1, -1].tolist() == expected[-1, -1].tolist()
    assert drawn[:, 2 * width + 24 :].tolist() == np.asarray(draw.colour_bar(tall)).tolist()
    assert np.asarray(draw.image_picture(pixels, None, [], side=max(height, width))).tolist() == pixels.tolist()
    half = draw.image_picture(pixels, None, [], side=max(height, width) // 2)
    assert half.size == (width // 2, height // 2)


def test_the_bar_runs_from_extreme_above_to_typical_below():
    bar = np.asarray(draw.colour_bar(216)).astype(int)
    assert bar.shape == (216, draw.BAR, 3)
    strong = np.round(0.22 * 255 + 0.78 * np.array([140, 8, 60])).astype(int)
    assert bar[8, 5].tolist() == strong.tolist()
    assert bar[207, 5].tolist() == [255, 255, 255]
    middle = np.round(255 * 0.45 + 0.55 * np.array([250, 150, 30])).astype(int)
    assert np.abs(bar[108, 5] - middle).max() <= 4
    assert bar[108, 14].tolist() == list(draw.INK)  # the mark of 99.9 % stands in the middle
    assert bar[60, 14].tolist() == [255, 255, 255]


def test_key_frames_stand_side_by_side_with_their_maps_below():
    frames = [np.full((20, 40, 3), v, np.uint8) for v in (50, 150)]
    drawn = np.asarray(draw.strip_picture(frames, [np.zeros((2, 2)), None], ["0 s", "1 s"], side=40))
    assert drawn.shape == (18 + 40 + 8, 2 * 48 + draw.BAR + 4, 3)
    assert (drawn[18:38, 0:40] == 50).all()
    assert (drawn[18:38, 48:88] == 150).all()
    assert (drawn[46:66, 0:40] == 50).all()  # grey stays grey under a cold map
    assert (drawn[46:66, 48:88] == 255).all()  # the second frame has none
    assert (drawn[38:46, 0:40] == 255).all()
    assert drawn[18:, 100:].tolist() == np.asarray(draw.colour_bar(48)).tolist()
    bare = np.asarray(draw.strip_picture(frames, [None, None], ["", ""], side=40))
    assert (bare[:, 100:] == 255).all()


def test_ranges_are_the_outer_half_percents_and_the_middle():
    rows = [np.array([float(v), 10.0 * v]) for v in range(201)]
    found = Ranges.of(["speed", "level"], rows)
    assert found["speed"] == pytest.approx((1.0, 100.0, 199.0))
    assert found["level"] == pytest.approx((10.0, 1000.0, 1990.0))
    assert found.size == 201
    assert "speed" in found
    assert "other" not in found
    assert MIN_GROUP == 20
    saved = SavedRanges(group="A", names=("speed",), size=0)
    assert saved.ranges("0", {"0": np.array([[1.0, 1.0, 2.0]])})["speed"] == (1.0, 1.0, 2.0)
    for falling in ([2.0, 1.0, 3.0], [1.0, 3.0, 2.0]):
        with pytest.raises(ModelError, match="does not rise"):
            saved.ranges("0", {"0": np.array([falling])})
    with pytest.raises(ValueError, match="size"):
        SavedRanges(group="A", names=("speed",), size=-1)


def test_motion_in_a_span_is_the_median_of_its_frames_and_of_the_nearest_where_it_has_none():
    times = np.array([1.0, 2.0, 3.0, 4.0])
    moved = Motion(times, np.array([3.0, 0.0, 6.0, 1.0]), np.array([4.0, 2.0, 8.0, 0.0]), times / 10, times * 5)
    assert moved.speed.tolist() == [5.0, 2.0, 10.0, 1.0]
    assert moved.measures().tolist() == [3.5, 2.0, 3.0, 0.25, 12.5]
    assert moved.measures(2.0, 3.0).tolist() == [6.0, 3.0, 5.0, 0.25, 12.5]
    assert moved.measures(1.6, 1.9).tolist() == moved.measures(2.0, 2.0).tolist() == [2.0, 0.0, 2.0, 0.2, 10.0]


def box_by_hand(values):
    n, best = len(values), (-1.0, 0, 0)
    least = max(2, n // 40)
    for a in range(n):
        for b in range(a + 1, n + 1):
            if least <= b - a <= n - least:
                inside, outside = values[a:b], np.concatenate([values[:a], values[b:]])
                gain = len(inside) * len(outside) / n * (inside.mean() - outside.mean()) ** 2
                if gain > best[0] + 1e-9:
                    best = (gain, a, b)
    return best


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-20, 20), min_size=5, max_size=30))
def test_the_best_box_leaves_the_least_error(values):
    values = np.array(values, float)
    (a, b), error = traces.best_box(values)
    gain, _, _ = box_by_hand(values)
    total = ((values - values.mean()) ** 2).sum()
    assert error == pytest.approx(total - gain, abs=1e-6)
    inside, outside = values[a:b], np.concatenate([values[:a], values[b:]])
    assert traces.contrast(values) == pytest.approx(inside.mean() - outside.mean())


def test_a_channel_too_short_for_a_box_has_no_contrast():
    assert [traces.contrast(np.arange(float(n))) for n in (1, 2, 3)] == [0.0, 0.0, 0.0]
    assert traces.contrast(np.array([0.0, 0.0, 4.0, 4.0])) != 0


def test_rolling_measures_are_those_of_their_windows():
    rng = np.random.default_rng(2)
    values, times = rng.normal(size=48), np.arange(48) * 0.25 + 3
    found = traces.traces(values, times)
    assert (found.window, found.step) == (6, 0.25)
    padded = np.pad(values, 8, mode="edge")
    level = [padded[8 + i - 3 : 8 + i + 3].mean() for i in range(48)]
    assert found.level == pytest.approx(level)
    median = [np.median(padded[8 + i - 4 : 8 + i + 5]) for i in range(48)]
    assert found.residual == pytest.approx(values - median)
    steps = np.pad(np.concatenate([[0.0], np.diff(values)]), 8, mode="edge")
    assert found.rough == pytest.approx([steps[8 + i - 3 : 8 + i + 3].std() for i in range(48)], abs=1e-9)
    named = dict(zip(traces.MEASURES, found.measures(), strict=True))
    slope, _ = np.polyfit(times, values, 1)
    assert named["rise"] == pytest.approx(slope * (times[-1] - times[0]))
    assert named["low"] == pytest.approx(min(level))
    assert named["high"] == pytest.approx(max(level))
    assert named["spike"] == pytest.approx(np.abs(values - median).max())
    assert named["rough"] == pytest.approx(found.rough.max())
    assert (named["run"], named["gap"]) == (0.25, 0.0)
    assert named["shift"] == pytest.approx(abs(traces.contrast(values)))


def test_gaps_are_straight_lines_that_are_neither_held_nor_rough():
    values = np.array([1.0, 1.0, 1.0, np.nan, np.nan, 4.0, 4.0, 7.0])
    found = traces.traces(values, np.arange(8.0))
    assert found.values.tolist() == [1, 1, 1, 2, 3, 4, 4, 7]
    assert found.missing.tolist() == [False] * 3 + [True] * 2 + [False] * 3
    assert found.run.tolist() == [3, 3, 3, 0, 0, 2, 2, 1]
    named = dict(zip(traces.MEASURES, found.measures(), strict=True))
    assert (named["run"], named["gap"]) == (3.0, 2.0)
    nothing = traces.traces(np.full(4, np.nan), np.arange(4) * 0.5)
    assert nothing.measures()[-1] == 2.0
    assert np.isnan(nothing.measures()[:-1]).all()
    assert (nothing.values.tolist(), nothing.window) == ([0.0] * 4, 1)
    one = traces.traces(np.array([5.0]), np.array([0.0]))
    assert (one.step, traces.rise(one.times, one.values)) == (0.0, 0.0)
    assert traces.rise(np.array([1.0, 1.0]), np.array([0.0, 5.0])) == 0.0


def test_stretches_and_the_longest_of_them():
    assert traces.stretches(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert traces.longest(np.array([True, False, True, True, True])) == 3
    assert traces.longest(np.zeros(3, bool)) == 0
    assert isinstance(maps.hottest_cell(CELLS, (3, 5)), Region)
