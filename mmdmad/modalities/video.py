"""Clips: a video file, a folder of frames, or an array of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmdmad.modalities.base import BaseModality, modality

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from PIL.Image import Image as Picture

    from mmdmad.cases import Part
    from mmdmad.explain.base import Look, Seen
    from mmdmad.explain.video_normal import VideoNormal
    from mmdmad.explain.words import Draft
    from mmdmad.parts.timeline import Timeline
    from mmdmad.parts.video import Video as Signal
    from mmdmad.survey.base import Survey


@modality
class Video(BaseModality):
    """A clip: frames over time."""

    name, rank, noun = "video", 40, "video"
    words = ("video", "videos", "clip", "clips", "footage", "film", "frame", "frames")
    suffixes = (
        *(".mp4", ".mkv", ".avi", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".ogv", ".mjpeg"),
        ".3gp",
    )
    slices, rated, folders, photo, timed = "frames", True, True, True, True
    kinds, details = ("form", "frames", "whole"), 2
    picture_note = "key frames, and below them their maps"
    encoder = "clip"

    def read(self, part: "Part") -> "Signal":
        """Its frames, one at a time."""
        from mmdmad.parts.video import read_video

        return read_video(part)

    def stretch(self, signal: "Signal", start: int, stop: int) -> "Signal":
        """Some of its frames."""
        from mmdmad.cases import Part

        return signal.cut(Part(self.name, value=signal, start=start, stop=stop))

    def masked(self, signal: "Signal", there: "np.ndarray", lost: "Mapping[str, np.ndarray]") -> "Signal":
        """Some of its frames."""
        return signal.some(there)

    def kept(self, part: "Part", signal: "Signal") -> "tuple[dict[str, np.ndarray], dict[str, Any]] | None":
        """Its file and the hash of what that holds; nothing of a clip in memory, which is too large."""
        from mmdmad.parts.references import reference

        named = reference(part)
        return None if named is None else ({}, named)

    def from_kept(self, arrays: "Mapping[str, np.ndarray]", values: "Mapping[str, Any]") -> "Part":
        """The file, if it is still as it was."""
        from mmdmad.parts.references import referred

        return referred(self.name, values)

    def content(self, part: "Part") -> "Iterator[str | np.ndarray]":
        """Times of the frames, then the frames."""
        from mmdmad.parts.video import Video as Signal

        if not isinstance(part.value, Signal):
            yield from super().content(part)
            return
        yield f"{part.value.times.tolist()}"
        for _, _, frame in part.value.frames():
            yield frame

    def depths(self, part: "Part") -> "Iterator[tuple[str, float, float]]":
        """Those of some pictures of a folder; frames of clips are bytes."""
        from mmdmad.parts.limits import is_folder
        from mmdmad.parts.video_sources import Folder

        if part.value is None and is_folder(part):
            yield from Folder(part).depths()

    def timeline(self, part: "Part", pattern: str | None = None, near: "datetime | None" = None) -> "Timeline":
        """The times of its frames, from their names where these hold them; a file begins at the time in its name.

        Dates of files are not used: cameras write the start there, the end, or nothing.
        """
        from datetime import timedelta

        from mmdmad.parts.frame_times import times_in
        from mmdmad.parts.timeline import Timeline, usual_step

        clip = self.read(part)
        began, notes = clip.began, clip.notes
        named = times_in([part.path.name]) if began is None and part.path is not None and part.path.is_file() else None
        if named is not None:
            began = named.start + timedelta(seconds=clip.offset)
            at = named.start.isoformat()
            notes = (*notes, f"it begins at {at}, by its name; --offset {self.name}=-60s if it began a minute earlier")
        return Timeline(clip.times, began, usual_step(clip.times) or 1 / clip.fps, None, notes)

    def survey(self, signal: "Signal") -> "Survey":
        """Its rate, and a look at three of its frames."""
        from mmdmad.survey.clips import of_clip

        return of_clip(signal)

    def normal(self) -> "VideoNormal":
        """Ranges of how things move."""
        from mmdmad.explain.video_normal import VideoNormal

        return VideoNormal()

    def form(self, signal: "Signal", normal: "VideoNormal", group: str | None) -> "Sequence[Draft]":
        """Another size or shape, and another rate of frames."""
        from mmdmad.explain.video_normal import evidence

        return evidence(signal, normal, group)

    def look(self, seen: "Seen") -> "Look | None":
        """When and where the clip stands out and how things move there, drawn as key frames over their maps."""
        from mmdmad.explain import video
        from mmdmad.explain.base import Look
        from mmdmad.explain.draw import strip_picture

        signal = seen.signal
        view = video.look(seen.judged, signal)
        if view is None:
            return None
        drafts = video.evidence(view, signal, seen.normal, seen.group)
        return Look(drafts, lambda: strip_picture(*video.key_frames(view, signal)))

    def crop(self, picture: "Picture") -> "Picture":
        """The first of the maps below the key frames."""
        return picture.crop((0, picture.height // 2 + 14, picture.width // 4, picture.height))
