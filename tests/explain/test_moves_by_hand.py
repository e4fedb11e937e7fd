"""How things move in a clip and what is said of it, with the flow between frames and the measures given by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from mmdmad.explain import video
from mmdmad.explain.maps import Span
from mmdmad.explain.motion import VIDEO_MEASURES
from mmdmad.explain.ranges import MIN_GROUP, Ranges
from mmdmad.explain.video import ClipView
from mmdmad.explain.video_normal import VideoNormal
from mmdmad.explain.when import Recorded
from mmdmad.tokens import Layout

USUAL = {
    "speed": (20, 24, 28),
    "across": (20, 24, 28),
    "down": (-1, 0, 1),
    "moving": (0, 0.1, 0.5),
    "brightness": (60, 66, 72),
}


def ranges(**known):
    usual = USUAL | known
    return Ranges(VIDEO_MEASURES, np.array([usual[n] for n in VIDEO_MEASURES], float), 60)


def facts(said):
    return {f.name: (f.value, f.unit) for f in said.facts}


def view(maps=None, span=None, size=(40, 80)):
    maps = np.zeros((4, 2, 2)) if maps is None else np.asarray(maps, float)
    times = np.stack([np.arange(len(maps)) / 2, np.arange(len(maps)) / 2 + 0.5], axis=1)
    return ClipView(maps, times, maps.reshape(len(maps), -1).max(axis=1), span, size)


@pytest.fixture
def said(monkeypatch):
    """What is said of a clip with these measures (speed, across, down, brightness), and the span that is asked for."""

    def say(speed=24.0, across=24.0, down=0.0, /, *, grey=66.0, span=None, **known):
        asked = []

        def measures(start, stop):
            asked.append((start, stop))
            return np.array([speed, across, down, 0.1, grey])

        monkeypatch.setattr(video, "motion", lambda signal: SimpleNamespace(measures=measures))
        drafts = video._movement(view(span=span), None, ranges(**known))
        assert asked == [(-np.inf, np.inf) if span is None else (span.start, span.stop)]
        assert {(d.kind, d.part) for d in drafts} <= {("frames", "video")}
        return drafts

    return say


def test_measures_are_medians_of_named_movements():
    assert VIDEO_MEASURES == ("speed", "across", "down", "moving", "brightness")


@pytest.mark.parametrize(
    ("speed", "word"),
    [(24, None), (29.4, None), (29.5, "faster"), (18.6, None), (18.4, "slower"), (40, "faster"), (8, "slower")],
)
def test_a_speed_three_tenths_of_a_half_beyond_is_said(said, speed, word):
    drafts = said(speed, speed)  # halves of 4, but at least a fifth of the usual 24: 4.8
    assert [facts(d)["change"][0] for d in drafts] == ([] if word is None else [word])
    if word is not None:
        assert drafts[0].caption == (
            f"Things move {word} than usual in the video: {speed:g} px/s right, where normal clips have 20 px/s to "
            "28 px/s."
        )


def test_the_unit_of_speed_is_at_least_a_fifth_of_the_usual_one(said):
    assert said(25.4, speed=(24, 24, 24)) == []  # 1.4 of 4.8
    assert len(said(25.5, speed=(24, 24, 24))) == 1
    assert said(2.0, 2.0, speed=(-1, 1.6, 1.7), across=(0, 1.6, 3)) != []  # 0.3 of a fifth of 1.6 is 0.096
    assert said(1.79, 1.79, speed=(-1, 1.6, 1.7), across=(0, 1.6, 3)) == []


def test_the_facts_of_a_movement(said):
    (draft,) = said(48.0, 0.0, -48.0, span=Span(0.5, 1.5, 2.0))
    assert draft.caption == (
        "Things move faster than usual in the video from 0.5 s to 1.5 s: 48 px/s up, where normal clips have 20 px/s "
        "to 28 px/s."
    )
    assert facts(draft) == {
        "speed": (48.0, "px/s"), "normal low speed": (20.0, "px/s"), "normal high speed": (28.0, "px/s"),
        "direction": ("up", ""), "normal direction": ("right", ""), "start": (0.5, "s"), "stop": (1.5, "s"),
        "change": ("faster", ""),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("speed", "usual", "still"),
    [(2.3, (20, 24, 28), True), (2.0, (10, 20, 28), False), (0.0, (0, 24, 28), False), (0.0, (0.5, 1, 2), False),
     (0.0, (0.5, 1.01, 2), True), (0.0, (0.01, 24, 28), True)],
)  # fmt: skip
def test_hardly_anything_moves_below_a_tenth_of_a_speed_that_normal_clips_always_have(said, speed, usual, still):
    drafts = said(speed, speed, speed=usual)
    assert bool([d for d in drafts if d.caption.startswith("Hardly")]) == still
    if still:
        assert len(drafts) == 1
        assert drafts[0].caption == (
            f"Hardly anything moves in the video: {speed:g} px/s, where normal clips move right at {usual[0]:g} px/s "
            f"to {usual[2]:g} px/s."
        )


@pytest.mark.parametrize(
    ("across", "down", "speed", "known", "back"),
    [
        (-24, 0, 24, {}, True),
        (24, 0, 24, {}, False),
        (0, 24, 24, {}, False),  # across the usual way
        (-0.1, 24, 24, {}, True),
        (-7.3, 0, 7.3, {}, True),
        (-6, 0, 6.0, {"speed": (18, 20, 22)}, False),  # three tenths of the usual speed and no more
        (-24, 0, 24, {"speed": (7.3, 24, 28)}, True),
        (-24, 0, 24, {"speed": (6, 20, 28)}, False),
        (10, -24, 26, {"across": (0, 10, 20), "down": (10, 24, 30)}, True),  # down counts as well
        (-24, 30, 38, {"across": (0, 10, 20), "down": (5, 24, 30), "speed": (20, 26, 39)}, False),
        (-24, 9, 25, {"across": (0, 10, 20), "down": (-30, 24, 30)}, False),  # normal clips move in every way
        (-24, 0, 24, {"across": (-28, 24, 28)}, False),  # the sign of a median is no way
        (-24, 0, 24, {"across": (-28, -24, 0.1), "down": (-28, -24, 1)}, False),
        (24, 0, 24, {"across": (-28, -24, -0.1)}, True),
    ],
)
def test_a_movement_against_the_usual_one_is_said(said, across, down, speed, known, back):
    drafts = [d for d in said(speed, across, down, **known) if "in normal clips they move" in d.caption]
    assert bool(drafts) == back
    if back:
        assert drafts[0].caption == "Things move {} at {:g} px/s in the video; in normal clips they move {}.".format(
            facts(drafts[0])["direction"][0], speed, facts(drafts[0])["normal direction"][0]
        )


def test_of_few_clips_it_is_told_what_they_have_and_nothing_is_called_usual(said):
    few = Ranges(VIDEO_MEASURES, np.array([USUAL[n] for n in VIDEO_MEASURES], float), MIN_GROUP - 1)
    for measured, captions in (
        ((0.0, 0.0), ["Things move right at 0 px/s in the video; the 19 normal clips have 20 px/s to 28 px/s."]),
        ((24.0, -24.0), []),
        ((48.0, 48.0), ["Things move right at 48 px/s in the video; the 19 normal clips have 20 px/s to 28 px/s."]),
    ):
        said(*measured)
        drafts = video._movement(view(), None, few)
        assert [d.caption for d in drafts] == captions
        assert all("normal direction" not in facts(d) for d in drafts)
    said(grey=90.0)
    (grey,) = video._movement(view(), None, few)
    assert grey.caption == "The video has a mean grey level of 90; the 19 normal clips have 60 to 72."
    assert "tone" not in facts(grey)


@pytest.mark.parametrize(
    ("brightness", "word"), [(66, None), (73.7, None), (73.9, "brighter"), (58.3, None), (58.1, "darker")]
)
def test_a_brightness_three_tenths_of_a_half_beyond_is_said(said, brightness, word):
    drafts = said(grey=brightness)
    assert [facts(d)["tone"][0] for d in drafts] == ([] if word is None else [word])
    if word is not None:
        assert facts(drafts[0]) == {
            "tone": (word, ""), "brightness": (brightness, ""), "normal low brightness": (60.0, ""),
            "normal high brightness": (72.0, ""),
        }  # fmt: skip
    (spanned,) = said(grey=90.0, span=Span(0.5, 1.5, 2.0))
    assert spanned.caption == (
        "The video is brighter than usual from 0.5 s to 1.5 s: mean grey level 90, normal clips have 60 to 72."
    )
    assert (facts(spanned)["start"], facts(spanned)["stop"]) == ((0.5, "s"), (1.5, "s"))
    assert "speed" not in facts(spanned)
    both = said(48.0, 48.0, grey=90.0)
    assert [d.caption.split(" than")[0] for d in both] == ["Things move faster", "The video is brighter"]


def test_brightness_counts_in_at_least_two_grey_levels(said):
    flat = Ranges(VIDEO_MEASURES, np.array([*[USUAL[n] for n in VIDEO_MEASURES[:4]], (66, 66, 66)], float), 60)
    for level, count in ((66.5, 0), (66.7, 1), (65.5, 0), (65.3, 1)):
        said(grey=level)  # sets what is measured
        assert len(video._movement(view(), None, flat)) == count


def test_the_hot_frames_of_a_clip_are_said_with_their_place_and_share(said):
    maps = np.zeros((4, 2, 4))
    maps[2, 1, :2], maps[1, 0, 0] = (2.0, 1.75), 1.5
    found = video.evidence(view(maps, Span(0.5, 1.5, 2.0)), None, VideoNormal(), None)
    (draft,) = found
    assert draft.caption == "The video stands out from 0.5 s to 1.5 s, most at lower left (25 % of the frame)."
    assert facts(draft) == {
        "start": (0.5, "s"), "stop": (1.5, "s"), "place": ("lower left", ""), "share of the frame": (25.0, "%"),
        "peak on the map scale": (2.0, ""),
    }  # fmt: skip
    (draft,) = video.evidence(view(maps / 4), None, VideoNormal(), None)
    assert facts(draft) == {"time": (1.25, "s"), "place": ("lower left", ""), "peak on the map scale": (0.5, "")}
    assert (draft.kind, draft.part) == ("frames", "video")


def test_clips_are_compared_with_their_group_or_with_all(said, monkeypatch):
    said()
    known = VideoNormal()
    known.ranges = {"": ranges(), "A": ranges(brightness=(0, 1, 2))}
    assert [known.clip(g) is known.ranges[r] for g, r in (("A", "A"), ("B", ""), (None, ""), ("", ""))] == [True] * 4
    assert VideoNormal().clip("A") is None
    assert len(video.evidence(view(), None, known, None)) == 1
    assert len(video.evidence(view(), None, known, "A")) == 2


@pytest.mark.parametrize(
    ("kind", "size", "expected"), [("frames", (8, 10), (8, 10)), ("frames", None, (40, 80)), ("grid", None, None)]
)
def test_a_look_at_a_clip_has_maps_on_the_fixed_scale(kind, size, expected):
    where = np.repeat(np.stack([np.arange(3.0), np.arange(3.0) + 1], axis=1), 2, axis=0)
    layout = Layout(kind, (3, 1, 2), where=where, size=size)
    part = SimpleNamespace(layout=layout, token_scores=np.array([1.0, 3, 5, 1, 2, 2]), scale=(1.0, 3.0))
    found = video.look(
        part, SimpleNamespace(height=40, width=80, offset=0.0, file="", fps=2.0, times=np.arange(3.0), start=0)
    )
    if expected is None:
        assert found is None
        return
    assert found.maps.tolist() == [[[0, 1]], [[2, 0]], [[0.5, 0.5]]]
    assert found.curve.tolist() == [1.0, 2.0, 0.5]
    assert found.times.tolist() == [[0, 1], [1, 2], [2, 3]]
    assert found.span == Span(0.0, 2.0, 2.0)
    assert found.size == expected


def chosen(curve):
    """The frames shown of a clip with this curve, by their middle."""
    n = len(curve)
    maps = np.asarray(curve, float)[:, None, None]
    shown = ClipView(
        maps, np.stack([np.arange(n) * 2.0, np.arange(n) * 2.0 + 2], axis=1), np.asarray(curve), None, (1, 1)
    )
    signal = SimpleNamespace(frame_at=lambda second: np.full((1, 1, 4), second))
    frames, cells, titles = video.key_frames(shown, signal)
    middles = [float(t.removesuffix(" s")) for t in titles]
    assert [f.shape for f in frames] == [(1, 1, 3)] * len(frames)
    assert [f[0, 0, 0] for f in frames] == middles
    assert [c[0, 0] for c in cells] == [curve[int(m / 2)] for m in middles]
    return [int((m - 1) / 2) for m in middles]


def peak(n, at):
    return np.eye(n)[at]


@pytest.mark.parametrize(
    ("curve", "frames"),
    [
        (peak(1, 0), [0]), (peak(2, 1), [0, 1]), (peak(3, 1), [0, 1, 2]), (peak(4, 3), [0, 1, 2, 3]),
        (peak(20, 0), [0, 5, 10, 16]), (peak(20, 19), [0, 5, 10, 19]), (peak(20, 4), [0, 4, 8, 13]),
        (peak(20, 3), [3, 8, 13, 19]), (peak(60, 59), [0, 16, 33, 59]), (peak(60, 30), [0, 16, 30, 42]),
        (peak(10, 5), [0, 2, 5, 7]), (np.zeros(4), [0, 1, 2, 3]),
    ],
)  # fmt: skip
def test_four_frames_are_shown_the_hottest_and_others_at_least_a_fifth_of_the_clip_apart(curve, frames):
    assert chosen(curve) == frames


def test_titles_are_as_fine_as_the_frames_and_tell_the_frame_of_a_piece():
    curve = np.zeros(1)
    for recorded, title in (
        (Recorded(step=0.04), "0.12 s"),
        (Recorded(60.0, "cam.mp4", None, 0.04, np.arange(9) / 25, 1500), "60.12 s of cam.mp4 (frame 1503)"),
    ):
        shown = ClipView(np.zeros((1, 1, 1)), np.array([[0.0, 0.25]]), curve, None, (1, 1), recorded)
        _, _, titles = video.key_frames(shown, SimpleNamespace(frame_at=lambda s: np.zeros((1, 1, 3))))
        assert titles == [title]


@pytest.mark.parametrize(
    ("curve", "span"),
    [([1.0, 0.5], None), ([1.01, 0.7], (0, 1)), ([1.01, 0.71], (0, 2)), ([0.71, 1.01], (0, 2)), ([0.7, 1.01], (1, 2)),
     ([0.8, 0.8, 2.0, 0.8, 0.8], (0, 5)), ([0.9, 0.6, 2.0, 0.6, 0.9], (2, 3)), ([0.6, 0.9, 2.0, 0.9, 0.6], (1, 4))],
)  # fmt: skip
def test_a_hot_span_reaches_as_far_as_the_frames_stay_above_the_lower_mark(curve, span):
    times = np.stack([np.arange(len(curve)), np.arange(len(curve)) + 1], axis=1)
    found = video._hot_span(np.array(curve), times)
    assert found == (None if span is None else Span(*map(float, span), max(curve)))


def moved(by):
    """A clip of which all that moves is known."""
    return SimpleNamespace(moved=by, fps=25.0, width=8, height=6)


def test_ranges_of_clips_are_of_all_and_of_groups_of_twenty(monkeypatch):
    known = VideoNormal()
    monkeypatch.setattr(
        "mmdmad.explain.video_normal.motion", lambda clip: SimpleNamespace(measures=lambda: np.full(5, clip.moved))
    )
    for i in range(MIN_GROUP):
        known.add(moved(float(i)), "A")
    for _ in range(MIN_GROUP - 1):
        known.add(moved(100.0), "B")
    known.add(moved(500.0), "")
    known.finish()
    assert known.ranges.keys() == {"", "A"}
    assert (known.ranges[""].size, known.ranges["A"].size) == (2 * MIN_GROUP, MIN_GROUP)
    assert known.ranges["A"]["speed"][1] == 9.5
    assert known._rows == {}
    again = VideoNormal()
    arrays, values = known.state()
    assert values["ranges"] == [
        {"group": "", "names": VIDEO_MEASURES, "size": 40}, {"group": "A", "names": VIDEO_MEASURES, "size": 20},
    ]  # fmt: skip
    again.set_state(arrays, values)
    assert [again.clip(g)["down"] for g in ("A", "B")] == [known.clip(g)["down"] for g in ("A", "B")]


def test_no_more_clips_are_measured_than_are_needed(monkeypatch):
    monkeypatch.setattr("mmdmad.explain.video_normal.MAX_CASES", 2)
    monkeypatch.setattr(
        "mmdmad.explain.video_normal.motion", lambda clip: SimpleNamespace(measures=lambda: np.full(5, clip.moved))
    )
    known = VideoNormal()
    for i in range(4):
        known.add(moved(float(i)), "")
    known.finish()
    assert known.ranges[""].size == 2
