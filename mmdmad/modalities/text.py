"""Texts: written into the manifest, or one UTF-8 file each, or lines of one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mmdmad.modalities.base import BaseModality, modality

if TYPE_CHECKING:
    import numpy as np

    from mmdmad.cases import Part
    from mmdmad.explain.base import Look, Seen
    from mmdmad.explain.text_normal import TextNormal
    from mmdmad.parts.text import Text as Signal


@modality
class Text(BaseModality):
    """A text as one string."""

    name, rank, noun = "text", 20, "text"
    words = ("text", "texts", "log", "logs", "message", "messages", "wording")
    suffixes = (".txt", ".md", ".log")
    slices, inline, written = "lines", True, True
    kinds = ("words",)
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
        return Look(text.evidence(spans, whole, seen.normal, found) + text.letters(seen.judged), None, marked)
