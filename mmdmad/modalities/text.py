"""Texts: written into the manifest, or one UTF-8 file each, or lines of one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mmdmad.modalities.base import BaseModality, modality

if TYPE_CHECKING:
    import numpy as np

    from mmdmad.cases import Part
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
