"""What is said of clips drawn by hand: how things move, how bright it is, when and where it is odd."""

import numpy as np

from mmdmad.explain import video
from mmdmad.explain.maps import Span
from mmdmad.explain.ranges import Ranges
from mmdmad.explain.video import ClipView
from mmdmad.parts import Video

MOVES = ("speed", "across", "down", "moving", "brightness")


def clip(step=0.0, brightness=60.0, frames=16):
    """A square that moves to the right by `step` pixels a frame, 8 frames a second."""
    drawn = np.full((frames, 40, 80, 3), brightness, np.uint8)
    for i, frame in enumerate(drawn):
        x = int((4 + step * i) % 60)
        frame[14:26, x : x + 12] = min(255, brightness + 120)
    return Video.from_array(drawn, 8)


def clip_ranges(speed, across, brightness=(60.0, 66.0, 72.0)):
    return Ranges(MOVES, np.array([speed, across, (-1, 0, 1), (0, 0.1, 0.5), brightness], float), 60)


def moved(signal, ranges, span=None):
    clip_view = ClipView(np.zeros((1, 1, 1)), np.zeros((1, 2)), np.zeros(1), span, (40, 80))
    return [d.caption for d in video._movement(clip_view, signal, ranges)]


def test_a_clip_that_is_faster_slower_still_or_backwards_is_said_to_be_so():
    usual = clip_ranges((20.0, 24.0, 28.0), (20.0, 24.0, 28.0))
    assert moved(clip(3), usual) == []
    (fast,) = moved(clip(3), clip_ranges((10.0, 12.0, 14.0), (10.0, 12.0, 14.0)))
    assert fast.startswith("Things move faster than usual in the video: ")
    assert fast.endswith(" px/s right, where normal clips have 10 px/s to 14 px/s.")
    (slow,) = moved(clip(2), usual)
    assert slow.startswith("Things move slower than usual in the video: ")
    (still,) = moved(clip(0), usual)
    assert still == ("Hardly anything moves in the video: 0 px/s, where normal clips move right at 20 px/s to 28 px/s.")
    (back,) = moved(clip(-3), usual, Span(0.25, 1.5, 2.0))
    assert back.startswith("Things move left at ")
    assert back.endswith(" px/s in the video from 0.25 s to 1.5 s; in normal clips they move right.")
    resting = clip_ranges((0.0, 24.0, 28.0), (20.0, 24.0, 28.0))  # normal clips rest at times: no stillness, no turn
    assert not [s for s in moved(clip(0), resting) if "Hardly" in s]
    assert not [s for s in moved(clip(-3), resting) if "move left" in s]


def test_a_clip_of_another_brightness_is_said_to_be_brighter_or_darker():
    usual = clip_ranges((20.0, 24.0, 28.0), (20.0, 24.0, 28.0))
    (bright,) = moved(clip(3, brightness=110.0), usual)
    assert bright.startswith("The video is brighter than usual: mean grey level ")
    assert bright.endswith(", normal clips have 60 to 72.")
    (dark,) = moved(clip(3, brightness=20.0), usual)
    assert dark.startswith("The video is darker than usual: mean grey level ")


def test_the_hot_frames_of_a_clip_are_those_around_the_hottest_above_the_lower_mark():
    times = np.stack([np.arange(6) * 0.5, np.arange(6) * 0.5 + 0.5], axis=1)
    curve = np.array([0.8, 0.6, 0.75, 1.3, 0.71, 0.7])
    assert video._hot_span(curve, times) == Span(1.0, 2.5, 1.3)
    assert video._hot_span(curve, times, grow=0.1) == Span(0.0, 3.0, 1.3)
    assert video._hot_span(curve, times, seed=1.3) is None
    maps = np.zeros((6, 2, 4))
    maps[3, 0, 3] = 1.3
    said = video.evidence(ClipView(maps, times, curve, Span(1.0, 2.5, 1.3), (40, 80)), clip(), _Unknown(), None)
    assert [d.caption for d in said] == [
        "The video stands out from 1 s to 2.5 s, most at upper right (12.5 % of the frame)."
    ]
    maps[3] *= 0.5
    said = video.evidence(ClipView(maps, times, maps.reshape(6, -1).max(1), None, (40, 80)), clip(), _Unknown(), None)
    assert [d.caption for d in said] == [
        "No single frame of the video stands out; the most unusual moment is 1.75 s, at upper right."
    ]


class _Unknown:
    def clip(self, group):
        return None
