"""Damage of known size, planted in a normal part: what a fit would have caught is measured with it.

One kind for each modality, whose size is varied and nothing else; places and values are drawn by seed.

    sensor   a shift of k spreads of the channel over a tenth of the rows of one channel
    image    a round blot over a share of the area, half-way to black or to white, whichever is farther
    text     a share of the words replaced by made-up ones of the same length
    video    one frame that stands still over a share of the clip
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmdmad.cases import Modality
from mmdmad.parts import Image, Sensor, Text, Video

ROWS = 0.1
"""Share of the rows that a shift lasts."""
CONTRAST = 0.5
"""How far a blot goes towards black or white."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Damage:
    """A kind of damage: sizes from small to large, how a size is said, and what plants one in a decoded part."""

    sizes: tuple[float, ...]
    words: Callable[[float], str]
    plant: Callable[[Any, float, np.random.Generator], Any]


def shifted(sensor: Sensor, size: float, rng: np.random.Generator) -> Sensor:
    """A table with `size` spreads added to one channel over a tenth of its rows; missing readings stay missing.

    The spread is the standard deviation of the channel in this table; channels that do not vary are not drawn, unless
    none does: then it is 1.
    """
    values = np.array(sensor.values, np.float64)
    spreads = np.array([np.std(c[np.isfinite(c)]) if np.isfinite(c).any() else 0.0 for c in values.T])
    varying = np.flatnonzero(spreads > 0)
    channel = int(rng.choice(varying)) if len(varying) else int(rng.integers(values.shape[1]))
    rows = max(1, round(ROWS * len(values)))
    first = int(rng.integers(len(values) - rows + 1))
    values[first : first + rows, channel] += size * (spreads[channel] or 1.0)
    return replace(sensor, values=values)


def blotted(image: Image, size: float, rng: np.random.Generator) -> Image:
    """A picture with a disc over the share `size` of its area; where that does not fit in, as much of it as does."""
    pixels = image.pixels.astype(np.float64)
    height, width = pixels.shape[:2]
    radius = np.sqrt(size * height * width / np.pi)
    at = [rng.uniform(min(radius, n / 2), max(n - radius, n / 2)) for n in (height, width)]
    rows, columns = np.ogrid[:height, :width]
    inside = (rows + 0.5 - at[0]) ** 2 + (columns + 0.5 - at[1]) ** 2 <= max(radius, 0.71) ** 2
    target = 255.0 if pixels[inside].mean() < 127.5 else 0.0
    pixels[inside] += CONTRAST * (target - pixels[inside])
    return replace(image, pixels=pixels.round().astype(np.uint8))


def reworded(text: Text, size: float, rng: np.random.Generator) -> Text:
    """A text in which the share `size` of its words, one at least, are made-up ones of the same length."""
    words = text.text.split(" ")
    filled = [i for i, word in enumerate(words) if word.strip()]
    count = min(len(filled), max(1, round(size * len(filled))))
    for i in rng.choice(filled, count, replace=False) if filled else ():
        words[int(i)] = "".join(rng.choice(list(LETTERS)) if c.isalnum() else c for c in words[int(i)])
    return replace(text, text=" ".join(words))


def frozen(clip: Video, size: float, rng: np.random.Generator) -> Video:
    """A clip in which a frame stands still over the share `size` of the frames, two of them at least."""
    frames = np.stack([pixels for _, _, pixels in clip.frames()])
    length = min(len(frames), max(2, round(size * len(frames))))
    first = int(rng.integers(len(frames) - length + 1))
    frames[first : first + length] = frames[first]
    return Video.from_array(frames, clip.fps)


def _percent(size: float) -> str:
    return f"{100 * size:g} %"


DAMAGES: dict[Modality, Damage] = {
    "sensor": Damage((1, 2, 4, 8, 16), lambda k: f"a shift of {k:g} spreads in 10 % of the rows of a channel", shifted),
    "image": Damage((0.001, 0.003, 0.01, 0.03, 0.1), lambda s: f"a blot on {_percent(s)} of the picture", blotted),
    "text": Damage((0.05, 0.1, 0.2, 0.4, 0.8), lambda s: f"{_percent(s)} of the words replaced", reworded),
    "video": Damage((0.1, 0.2, 0.4, 0.8), lambda s: f"a frame that stands still for {_percent(s)} of the clip", frozen),
}
