"""Texts: written into the manifest, or one file each, or lines of one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mmdmad.modalities.base import BaseModality, modality

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np

    from mmdmad.cases import Part
    from mmdmad.explain.base import Look, Seen
    from mmdmad.explain.text_normal import TextNormal
    from mmdmad.parts.text import Text as Signal
    from mmdmad.parts.timeline import Timeline
    from mmdmad.survey.base import Survey


@modality
class Text(BaseModality):
    """A text as one string."""

    name, rank, noun = "text", 20, "text"
    words = ("text", "texts", "log", "logs", "message", "messages", "wording")
    suffixes = (".txt", ".md", ".log")
    slices, inline, written = "lines", True, True
    kinds = ("words", "whole")
    encoder, clip_encoder = "minilm", "clip-text"

    def read(self, part: "Part") -> "Signal":
        """Its string."""
        from mmdmad.parts.text import read_text

        return read_text(part)

    def content(self, part: "Part") -> "Iterable[str | np.ndarray]":
        """Its string as it was given, unread: line ends count."""
        value = getattr(part.value, "text", None)
        return [value] if isinstance(value, str) else super().content(part)

    def sliced(self, part: "Part") -> "Iterable[str | bytes | np.ndarray]":
        """The bytes of its lines."""
        from mmdmad.parts.limits import plain_file
        from mmdmad.parts.text import picked_bytes

        return [picked_bytes(part, plain_file(part))]

    def timeline(self, part: "Part", pattern: str | None = None, near: "datetime | None" = None) -> "Timeline | None":
        """The times that stand in its lines; a text in memory has none."""
        from mmdmad.parts.limits import plain_file, refuse
        from mmdmad.parts.log_times import log_times

        if part.path is None:
            return None
        path = plain_file(part)
        try:
            return log_times(path, pattern, near)
        except ValueError as why:
            raise refuse(part, f"{path.name}: {why}") from None

    def stretch(self, signal: "Signal", start: int, stop: int) -> "Signal":
        """Some of its characters."""
        from dataclasses import replace

        return replace(signal, text=signal.text[start:stop])

    def survey(self, signal: "Signal") -> "Survey":
        """Its length and letters."""
        from mmdmad.survey.texts import of_text

        return of_text(signal.text, signal.notes)

    def normal(self) -> "TextNormal":
        """The words and kinds of lines that occur."""
        from mmdmad.explain.text_normal import TextNormal

        return TextNormal()

    def look(self, seen: "Seen") -> "Look":
        """Lines and words that stand out or that no normal text has, marked in the text; no picture."""
        from mmdmad.explain import text
        from mmdmad.explain.base import Look

        whole = seen.signal.text
        spans = text.look(seen.judged, whole)
        found = text.carried(seen.judged, spans, whole) if seen.telling else []
        words = text.marks(spans, whole, seen.normal, found)
        marked = {"text": whole, "spans": text.heats(spans), "words": text.heats(words)}
        return Look(text.evidence(spans, seen.signal, seen.normal, found) + text.letters(seen.judged), None, marked)
