"""Everything that differs for sounds."""

import numpy as np
from PIL import Image

from mmdmad.explain.base import Look
from mmdmad.explain.maps import curves, hot_spans, on_scale
from mmdmad.explain.words import draft, fact
from mmdmad.modalities.base import BaseModality, modality
from toyaudio.reader import Sound, read_sound


class Loudness:
    """The range of loudness of normal sounds."""

    def __init__(self):
        self.levels = []

    def add(self, signal: Sound, group: str) -> None:
        self.levels.append(level(signal.samples))

    def finish(self) -> None:
        self.levels = [min(self.levels), max(self.levels)]

    def state(self):
        return {"levels": np.array(self.levels)}, {}

    def set_state(self, arrays, values) -> None:
        self.levels = arrays["levels"].tolist()


@modality
class Audio(BaseModality):
    """A sound."""

    name, noun = "audio", "sound"
    words = ("audio", "sound", "sounds", "noise", "noises")
    suffixes = (".wav",)
    kinds, details = ("span",), 1
    picture_note = "the wave, red where it is unusual"
    encoder = "toy-spectrum"

    def read(self, part):
        return read_sound(part)

    def content(self, part):
        yield str(part.value.rate)
        yield part.value.samples

    def normal(self):
        return Loudness()

    def look(self, seen):
        times = np.arange(0, seen.signal.seconds, 0.01)
        curve = on_scale(curves(seen.judged.token_scores, seen.judged.layout, times)["*"], seen.judged.scale)
        spans = hot_spans(curve, times)
        drafts = []
        if spans:
            start, stop = (int(t * seen.signal.rate) for t in (spans[0].start, spans[0].stop))
            low, high = seen.normal.levels
            facts = [
                fact("start", spans[0].start, "s"),
                fact("stop", spans[0].stop, "s"),
                fact("loudness", level(seen.signal.samples[start : stop + 1]), "dB"),
                fact("normal low", low, "dB"),
                fact("normal high", high, "dB"),
            ]
            text = "the sound stands out from {start} to {stop}, at {loudness}; "
            drafts = [draft("span", "audio", text + "normal sounds have {normal_low} to {normal_high}.", facts)]
        return Look(drafts, lambda: picture(seen.signal.samples, curve))


def level(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2) + 1e-9))


def picture(samples: np.ndarray, curve: np.ndarray) -> Image.Image:
    """A column for each stretch, as high as its loudest sample."""
    canvas = np.full((60, len(curve), 3), 255, np.uint8)
    for i, piece in enumerate(np.array_split(np.abs(samples), len(curve))):
        half = round(29 * min(1.0, float(piece.max(initial=0.0))))
        canvas[30 - half : 31 + half, i] = (176, 18, 52) if curve[i] > 1 else (32, 36, 44)
    return Image.fromarray(canvas).resize((4 * len(curve), 120))
