import numpy as np
import pytest

from mmdmad.explain.motion import VIDEO_MEASURES, motion
from mmdmad.parts import Video


@pytest.mark.parametrize("step", [1, 2, 3, 4, -3])
def test_speed_and_direction_of_a_moving_square(samples, step):
    measured = dict(zip(VIDEO_MEASURES, motion(samples.video(1, step)).measures(), strict=True))
    assert measured["across"] == pytest.approx(8 * step, rel=0.06)  # 8 frames a second
    assert measured["speed"] == pytest.approx(8 * abs(step), rel=0.06)
    assert abs(measured["down"]) < 1


def test_noise_alone_does_not_move(samples):
    measured = dict(zip(VIDEO_MEASURES, motion(samples.video(1, 0)).measures(), strict=True))
    assert measured["speed"] < 1


def test_speed_in_a_span_of_a_clip_that_stops(samples):
    frames = np.stack([f for _, _, f in samples.video(2, 3).frames()])
    frames[8:] = frames[7]
    found = motion(Video.from_array(frames, 8))
    assert found.measures(0.1, 0.8)[0] == pytest.approx(24, rel=0.06)
    assert found.measures(1.2, 2.0)[0] == 0


def test_large_frames_are_measured_in_their_own_pixels(samples):
    frames = np.stack([f for _, _, f in samples.video(2, 2).frames()]).repeat(4, axis=1).repeat(4, axis=2)
    assert motion(Video.from_array(frames, 8)).measures()[1] == pytest.approx(64, rel=0.05)
