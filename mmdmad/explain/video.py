"""Evidence from a clip: when and where it stands out, how things move there against normal clips, key frames."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mmdmad.explain.events import excess
from mmdmad.explain.maps import Span, cell_maps, frame_curve, frame_times, hot_regions, hottest_cell, on_scale
from mmdmad.explain.motion import motion
from mmdmad.explain.ranges import Ranges
from mmdmad.explain.video_normal import VideoNormal
from mmdmad.explain.when import Recorded, When
from mmdmad.explain.words import Draft, direction, draft, fact, place
from mmdmad.findings import Fact

if TYPE_CHECKING:
    from mmdmad.judgement import PartJudgement
    from mmdmad.parts import Video

KEY_FRAMES = 4
_STILL = 0.1  # below this share of the usual speed nothing moves


@dataclass(frozen=True, eq=False)
class ClipView:
    """A clip's cells per frame on the fixed scale, the frames' times, and its hot span."""

    maps: np.ndarray  # (F, rows, columns)
    times: np.ndarray  # (F, 2)
    curve: np.ndarray  # (F,)
    span: Span | None
    size: tuple[int, int]
    recorded: Recorded = field(default_factory=Recorded)


def look(judged: "PartJudgement", signal: "Video") -> ClipView | None:
    """The clip's maps; None for an encoder without frames."""
    if judged.layout.kind != "frames":
        return None
    maps = on_scale(cell_maps(judged.token_scores, judged.layout), judged.scale)
    times, curve = frame_times(judged.layout), frame_curve(maps)
    size = judged.layout.size or (signal.height, signal.width)
    return ClipView(maps, times, curve, _hot_span(curve, times), size, Recorded.of_clip(signal))


def key_frames(view: ClipView, signal: "Video") -> tuple[list[np.ndarray], list[np.ndarray | None], list[str]]:
    """The hottest frame and others spread over the clip, in time order, with their maps and titles."""
    count = min(KEY_FRAMES, len(view.curve))
    chosen = {int(view.curve.argmax())}
    for index in np.linspace(0, len(view.curve) - 1, 2 * count).astype(int):
        if len(chosen) < count and all(abs(index - c) >= len(view.curve) // (count + 1) for c in chosen):
            chosen.add(int(index))
    frames, maps, titles = [], [], []
    for index in sorted(chosen):
        middle = float(view.times[index].mean())
        frames.append(signal.frame_at(middle)[..., :3])
        maps.append(view.maps[index])
        titles.append(view.recorded.at(middle).bare)
    return frames, list(maps), titles


def evidence(view: ClipView, signal: "Video", known: VideoNormal, group: str | None) -> list[Draft]:
    """The hot frames with their place, then the measured movement where it is not like that of normal clips."""
    drafts = []
    hottest = view.maps[int(view.curve.argmax())]
    if view.span is not None:
        region = hot_regions(hottest, view.size)[0]
        when = view.recorded.span(view.span.start, view.span.stop)
        facts = [
            *when.facts,
            fact("place", place(*region.centre)),
            fact("share of the frame", 100 * region.share, "%"),
            fact("peak on the map scale", view.span.peak),
        ]
        text = "the video stands out {when}, most at {place} ({share_of_the_frame} of the frame)."
        drafts.append(draft("frames", "video", text, facts, when.words))
    else:
        spot = hottest_cell(hottest, view.size)
        when = view.recorded.at(float(view.times[int(view.curve.argmax())].mean()))
        facts = [
            *when.facts,
            fact("place", place(*spot.centre)),
            fact("peak on the map scale", spot.peak),
        ]
        text = "no single frame of the video stands out; the most unusual moment is {when}, at {place}."
        drafts.append(draft("frames", "video", text, facts, when.bare))
    normal = known.clip(group)
    if normal is not None:
        drafts += _movement(view, signal, normal)
    return drafts


def _movement(view: ClipView, signal: "Video", normal: Ranges) -> list[Draft]:
    """How things move, and how bright it is, where that is not like normal clips.

    "Faster", "brighter", or which way normal clips move is said only where enough of them bear it out; else what was
    measured is told beside what they have.
    """
    measured = motion(signal)
    start, stop = (view.span.start, view.span.stop) if view.span else (-np.inf, np.inf)
    values = dict(zip(normal.names, measured.measures(start, stop), strict=True))
    when = None if view.span is None else view.recorded.span(start, stop)
    turned = _still_or_turned(values, normal, when)
    return turned or [*_speed(values, normal, when), *_brightness(values, normal, when)]


def _still_or_turned(values: dict[str, float], normal: Ranges, when: When | None) -> list[Draft]:
    """That hardly anything moves, or that things move against the way in which all normal clips move."""
    if normal.few:
        return []
    usual, heading = normal["speed"], _heading(normal)
    facts = _speeds(values, normal)
    if usual[1] > 1 and usual[0] > 0 and values["speed"] < _STILL * usual[1]:
        way = " {normal_direction}" if heading is not None else ""
        text = f"hardly anything moves in the video{{when}}: {{speed}}, where normal clips move{way} at "
        return [_draft(text + "{normal_low_speed} to {normal_high_speed}.", facts, when)]
    along = 0.0 if heading is None else values["across"] * heading[0] + values["down"] * heading[1]
    if usual[0] > 0.3 * usual[1] and along < 0 and values["speed"] > 0.3 * usual[1]:
        text = "things move {direction} at {speed} in the video{when}; in normal clips they move {normal_direction}."
        return [_draft(text, facts, when)]
    return []


def _heading(normal: Ranges) -> tuple[float, float] | None:
    """The way (right, down) in which normal clips move: along an axis only where nearly all of them agree on its sign.

    The sign of a median is no way: where half the clips go left and half go right, none is usual.
    """
    ways = [middle if low > 0 or high < 0 else 0.0 for low, middle, high in (normal["across"], normal["down"])]
    return (ways[0], ways[1]) if any(ways) else None


def _speeds(values: dict[str, float], normal: Ranges) -> list[Fact]:
    heading = None if normal.few else _heading(normal)
    facts = [
        fact("speed", values["speed"], "px/s"),
        fact("normal low speed", normal["speed"][0], "px/s"),
        fact("normal high speed", normal["speed"][2], "px/s"),
        fact("direction", direction(values["across"], values["down"])),
    ]
    return facts if heading is None else [*facts, fact("normal direction", direction(*heading))]


def _speed(values: dict[str, float], normal: Ranges, when: When | None) -> list[Draft]:
    usual = normal["speed"]
    if excess(values["speed"], usual, 0.2 * usual[1]) <= 0.3:
        return []
    facts = _speeds(values, normal)
    if normal.few:
        text = "things move {direction} at {speed} in the video{when}; the {normal_clips} normal clips have "
        facts.append(fact("normal clips", normal.size))
    else:
        facts.append(fact("change", "faster" if values["speed"] > usual[2] else "slower"))
        text = "things move {change} than usual in the video{when}: {speed} {direction}, where normal clips have "
    return [_draft(text + "{normal_low_speed} to {normal_high_speed}.", facts, when)]


def _brightness(values: dict[str, float], normal: Ranges, when: When | None) -> list[Draft]:
    low, _, high = normal["brightness"]
    if excess(values["brightness"], normal["brightness"], 2.0) <= 0.3:
        return []
    facts = [fact("brightness", values["brightness"])]
    facts += [fact("normal low brightness", low), fact("normal high brightness", high)]
    if normal.few:
        facts.append(fact("normal clips", normal.size))
        text = "the video has a mean grey level of {brightness}{when}; the {normal_clips} normal clips have "
    else:
        facts.append(fact("tone", "brighter" if values["brightness"] > high else "darker"))
        text = "the video is {tone} than usual{when}: mean grey level {brightness}, normal clips have "
    return [_draft(text + "{normal_low_brightness} to {normal_high_brightness}.", facts, when)]


def _draft(text: str, facts: list[Fact], when: When | None) -> Draft:
    if when is None:
        return draft("frames", "video", text, facts)
    return draft("frames", "video", text, [*facts, *when.facts], f" {when.words}")


def _hot_span(curve: np.ndarray, times: np.ndarray, seed: float = 1.0, grow: float = 0.7) -> Span | None:
    """The stretch of frames above `grow` around the hottest frame, if that one is above `seed`."""
    peak = int(curve.argmax())
    if curve[peak] <= seed:
        return None
    start = stop = peak
    while start > 0 and curve[start - 1] > grow:
        start -= 1
    while stop < len(curve) - 1 and curve[stop + 1] > grow:
        stop += 1
    return Span(float(times[start, 0]), float(times[stop, 1]), float(curve[peak]))
