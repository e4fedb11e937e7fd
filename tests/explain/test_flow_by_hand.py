"""How things move between frames, with the flow between them given by hand."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from mmdmad.explain import motion as moving
from mmdmad.explain.motion import Motion, motion
from mmdmad.parts import Video


@pytest.fixture
def flow(monkeypatch):
    """Flow that is 1 to the right and 2 down in frame pixels wherever it is asked for; the questions are kept."""
    asked = []

    def farneback(before, after, flow, *settings):
        asked.append((before.copy(), after.copy(), flow, settings))
        return np.tile(np.array([1.0, 2.0], np.float32), (*after.shape, 1))

    monkeypatch.setattr(cv2, "calcOpticalFlowFarneback", farneback)
    return asked


def grey(*levels, height=10, width=100):
    return np.stack([np.full((height, width, 3), level, np.uint8) for level in levels])


def test_flow_is_asked_for_between_neighbours_in_halving_steps_and_counted_in_seconds(flow):
    found = motion(Video.from_array(grey(50, 60, 90), 4))
    assert found.times.tolist() == [0.25, 0.5]
    scale = 96 / 100
    assert found.across == pytest.approx([4 / scale] * 2)
    assert found.down == pytest.approx([8 / scale] * 2)
    assert found.moving.tolist() == [1.0, 1.0]
    assert found.brightness.tolist() == [60.0, 90.0]
    assert [q[3] for q in flow] == [(0.5, 3, 11, 2, 5, 1.1, 0)] * 2
    assert [(q[0][0, 0], q[1][0, 0], q[2]) for q in flow] == [(50, 60, None), (60, 90, None)]
    assert {q[0].shape for q in flow} == {(10, 96)}


@pytest.mark.parametrize(
    ("height", "width", "shape"),
    [(10, 96, (10, 96)), (96, 96, (96, 96)), (192, 96, (96, 48)), (97, 10, (96, 10)), (1, 200, (1, 96)),
     (200, 1, (96, 1)), (2, 400, (1, 96)), (400, 2, (96, 1)), (3, 288, (1, 96))],
)  # fmt: skip
def test_frames_are_shrunk_to_96_pixels_and_keep_at_least_one(flow, height, width, shape):
    found = motion(Video.from_array(grey(50, 90, height=height, width=width), 4))
    assert flow[0][0].shape == shape
    scale = min(1.0, 96 / max(height, width))
    assert found.across == pytest.approx([4 / scale])


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (2, 1), (32, 31), (33, 16), (64, 31), (65, 21), (96, 31)])
def test_at_most_32_frames_are_looked_at(flow, count, rows):
    found = motion(Video.from_array(grey(*range(count)), 4))
    assert len(found.times) == rows
    step = -(-count // 32)
    assert found.times == pytest.approx([i * step / 4 for i in range(1, rows + 1)] if count > 1 else [0.0])


def test_frames_of_one_time_are_one_and_the_first_has_none_before_it(flow):
    frames = grey(10, 50, 90, width=96)
    timed = [(0, 1.0, frames[0]), (1, 1.0, frames[1]), (2, 1.5, frames[2])]
    found = motion(SimpleNamespace(n_frames=3, height=10, width=96, frames=lambda every: iter(timed)))
    assert found.times.tolist() == [1.5]
    assert found.across.tolist() == [2.0]
    assert (len(flow), flow[0][0][0, 0]) == (1, 50)
    still = SimpleNamespace(n_frames=1, height=10, width=96, frames=lambda every: iter(timed[2:]))
    assert (motion(still).times.tolist(), motion(still).brightness.tolist()) == ([1.5], [90.0])
    empty = motion(SimpleNamespace(n_frames=0, height=10, width=96, frames=lambda every: iter(())))
    assert [empty.times.tolist(), empty.brightness.tolist(), empty.speed.tolist()] == [[0.0], [0.0], [0.0]]


def test_a_single_frame_has_its_brightness_and_no_movement():
    found = motion(Video.from_array(grey(77), 4))
    assert (found.times.tolist(), found.speed.tolist(), found.moving.tolist()) == ([0.0], [0.0], [0.0])
    assert found.brightness.tolist() == [77.0]
    assert found.measures().tolist() == [0.0, 0.0, 0.0, 0.0, 77.0]


@pytest.mark.parametrize(("change", "moves"), [(4, False), (5, True), (-4, False), (-5, True)])
def test_a_pixel_moves_when_it_changes_by_more_than_four_grey_levels(flow, change, moves):
    found = motion(Video.from_array(grey(100, 100 + change, width=96), 4))
    assert found.moving.tolist() == [float(moves)]
    assert bool(flow) == moves
    assert found.across.tolist() == [4.0 if moves else 0.0]


@pytest.mark.parametrize(("pixels", "moves"), [(1, False), (2, True)])
def test_flow_is_measured_where_more_than_one_pixel_in_five_hundred_changes(flow, pixels, moves):
    frames = grey(100, 100, width=50)  # 500 pixels, of which one is exactly the border
    frames[1, 0, :pixels] = 200
    found = motion(Video.from_array(frames, 4))
    assert bool(flow) == moves
    assert found.moving.tolist() == [pixels / 500]
    assert found.down.tolist() == [8.0 if moves else 0.0]


def test_the_grey_of_a_frame_is_the_mean_of_its_colours(flow):
    frames = grey(0, 0)
    frames[1] = (30, 60, 90)
    assert motion(Video.from_array(frames, 4)).brightness.tolist() == [60.0]


def test_the_main_movement_is_the_median_of_those_at_least_half_as_long_as_the_fast_ones():
    lengths = np.array([0.0] * 4 + [4.9, 5.0, 6.0, 10.0, 10.0, 10.0, 10.0])
    flow = np.stack([lengths * 0.6, -lengths * 0.8], axis=1)
    kept = np.array([5.0, 6.0, 10, 10, 10, 10])
    assert moving._main(flow) == pytest.approx([0.6 * np.median(kept), -0.8 * np.median(kept)])
    flow = np.array([[10.0, 0.0]] * 9 + [[0.0, 100.0]] + [[4.0, 0.0]] * 9)  # nine tenths lie at ten or below
    assert moving._main(flow) == pytest.approx([10.0, 0.0])


def test_measures_at_the_ends_of_a_span():
    moved = Motion(np.array([1.0, 2.0, 3.0]), *np.arange(12.0).reshape(4, 3))
    assert moved.measures(2.0, 2.0).tolist() == [np.hypot(1, 4), 1.0, 4.0, 7.0, 10.0]
    assert moved.measures(1.0, 2.0)[1] == 0.5
    assert moved.measures(9.0, 9.5)[1] == 2.0
    assert moved.measures(stop=1.5)[1] == 0.0
    assert moved.measures(start=2.5)[1] == 2.0
