"""Evidence from a clip: when and where it stands out, how things move there against normal clips, key frames."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmdmad.explain.events import excess
from mmdmad.explain.maps import Span, cell_maps, frame_curve, frame_times, hot_regions, hottest_cell, on_scale
from mmdmad.explain.motion import motion
from mmdmad.explain.ranges import Ranges
from mmdmad.explain.video_normal import VideoNormal
from mmdmad.explain.words import Draft, direction, draft, fact, place

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


def look(judged: "PartJudgement", signal: "Video") -> ClipView | None:
    """The clip's maps; None for an encoder without frames."""
    if judged.layout.kind != "frames":
        return None
    maps = on_scale(cell_maps(judged.token_scores, judged.layout), judged.scale)
    times, curve = frame_times(judged.layout), frame_curve(maps)
    size = judged.layout.size or (signal.height, signal.width)
    return ClipView(maps, times, curve, _hot_span(curve, times), size)


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
        titles.append(f"{middle:.2f} s")
    return frames, list(maps), titles


def evidence(view: ClipView, signal: "Video", known: VideoNormal, group: str | None) -> list[Draft]:
    """The hot frames with their place, then the measured movement where it is not like that of normal clips."""
    drafts = []
    hottest = view.maps[int(view.curve.argmax())]
    if view.span is not None:
        region = hot_regions(hottest, view.size)[0]
        facts = [
            fact("start", view.span.start, "s"),
            fact("stop", view.span.stop, "s"),
            fact("place", place(*region.centre)),
            fact("share of the frame", 100 * region.share, "%"),
            fact("peak on the map scale", view.span.peak),
        ]
        text = "the video stands out from {start} to {stop}, most at {place} ({share_of_the_frame} of the frame)."
        drafts.append(draft("frames", "video", text, facts))
    else:
        spot = hottest_cell(hottest, view.size)
        facts = [
            fact("time", float(view.times[int(view.curve.argmax())].mean()), "s"),
            fact("place", place(*spot.centre)),
            fact("peak on the map scale", spot.peak),
        ]
        text = "no single frame of the video stands out; the most unusual moment is {time}, at {place}."
        drafts.append(draft("frames", "video", text, facts))
    normal = known.clip(group)
    if normal is not None:
        drafts += _movement(view, signal, normal)
    return drafts


def _movement(view: ClipView, signal: "Video", normal: Ranges) -> list[Draft]:
    measured = motion(signal)
    start, stop = (view.span.start, view.span.stop) if view.span else (-np.inf, np.inf)
    values = dict(zip(normal.names, measured.measures(start, stop), strict=True))
    usual = {name: normal[name] for name in normal.names}
    heading = direction(usual["across"][1], usual["down"][1])
    facts = [
        fact("speed", values["speed"], "px/s"),
        fact("normal low speed", usual["speed"][0], "px/s"),
        fact("normal high speed", usual["speed"][2], "px/s"),
        fact("direction", direction(values["across"], values["down"])),
        fact("normal direction", heading),
    ]
    when = ""
    if view.span is not None:
        facts += [fact("start", view.span.start, "s"), fact("stop", view.span.stop, "s")]
        when = " from {start} to {stop}"
    along = values["across"] * usual["across"][1] + values["down"] * usual["down"][1]
    if usual["speed"][1] > 1 and usual["speed"][0] > 0 and values["speed"] < _STILL * usual["speed"][1]:
        text = (
            "hardly anything moves in the video"
            + when
            + ": {speed}, where normal clips move {normal_direction} at {normal_low_speed} to {normal_high_speed}."
        )
        return [draft("frames", "video", text, facts)]
    if usual["speed"][0] > 0.3 * usual["speed"][1] and along < 0 and values["speed"] > 0.3 * usual["speed"][1]:
        text = (
            "things move {direction} at {speed} in the video" + when + "; in normal clips they move {normal_direction}."
        )
        return [draft("frames", "video", text, facts)]
    drafts = []
    if excess(values["speed"], usual["speed"], 0.2 * usual["speed"][1]) > 0.3:
        faster = "faster" if values["speed"] > usual["speed"][2] else "slower"
        facts.append(fact("change", faster))
        text = (
            "things move {change} than usual in the video"
            + when
            + ": {speed} {direction}, where normal clips have {normal_low_speed} to {normal_high_speed}."
        )
        drafts.append(draft("frames", "video", text, facts))
    if excess(values["brightness"], usual["brightness"], 2.0) > 0.3:
        low, _, high = usual["brightness"]
        tone = "brighter" if values["brightness"] > high else "darker"
        some = [
            fact("tone", tone),
            fact("brightness", values["brightness"]),
            fact("normal low brightness", low),
            fact("normal high brightness", high),
            *[f for f in facts if f.name in ("start", "stop")],
        ]
        text = (
            "the video is {tone} than usual"
            + when
            + ": mean grey level {brightness}, normal clips have {normal_low_brightness} to {normal_high_brightness}."
        )
        drafts.append(draft("frames", "video", text, some))
    return drafts


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
