"""Black and white of pictures whose numbers are no bytes: one level for a whole run, decided over its fit pictures.

Cameras write 10, 12 or 14 bits into files of 16, thermal cameras a narrow band far from zero, programs floating-point
numbers of any unit. Divided by what the file could hold, most of these keep a handful of grey levels; scaled picture by
picture, brightness could not be compared and one hot pixel would blacken all others. So a run has one scale for all.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

WHITES = (255, 1023, 4095, 16383, 65535)
"""White of 8, 10, 12, 14 and 16 bits."""
NARROW = 4
"""A band narrower than white over this gets a third of the grey levels, and its width on either side the others."""

SPARE = 20
"""One picture in so many has no say at either end: a closed shutter or a flash takes no grey level from others."""


@dataclass(frozen=True)
class Levels:
    """What is shown black and white in pictures that are no bytes, and the `kinds` of numbers that fit pictures had."""

    black: float
    white: float
    kinds: tuple[str, ...]

    def bytes_of(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers (H, W) or (H, W, C) as uint8; what lies beyond black or white is that.

        >>> Levels(0.0, 4095.0, ("16-bit",)).bytes_of(np.array([[0, 4095, 9000]], np.uint16)).tolist()
        [[0, 255, 255]]
        """
        out = np.empty(numbers.shape, np.uint8)
        factor = 255 / (self.white - self.black)
        for i in range(0, len(numbers), 256):  # in strips: the float copy of a large picture would be four times it
            strip = (numbers[i : i + 256].astype(np.float64) - self.black) * factor
            out[i : i + 256] = np.rint(np.clip(strip, 0, 255))
        return out

    def unlike(self, numbers: np.ndarray) -> tuple[str, ...]:
        """What is to be said of a picture beside those that the level was decided over."""
        said = []
        if (kind := kind_of(numbers)) not in self.kinds:
            others = " and ".join(self.kinds)
            said.append(f"its pixels are {kind} numbers, those of the pictures learned from {others}")
        if kind == BYTES or self.kinds == (BYTES,):
            return tuple(said)
        numbers = colours(numbers)
        for beyond, word, level in (
            (numbers > self.white, "above the white", self.white),
            (numbers < self.black, "below the black", self.black),
        ):
            count = int(np.count_nonzero(beyond))
            if count:
                far = numbers.max() if word.startswith("above") else numbers.min()
                share = 100 * count / numbers.size
                said.append(
                    f"{count} of its numbers ({share:.2g} %) lie {word} of the pictures learned from, {level:g}, "
                    f"up to {far:g}; they are taken as that"
                )
        return tuple(said)


BYTES = "8-bit"


def colours(numbers: np.ndarray) -> np.ndarray:
    """A picture without its transparency."""
    return numbers[..., :3] if numbers.ndim == 3 else numbers


def kind_of(numbers: np.ndarray) -> str:
    """What kind of numbers a picture holds.

    >>> [kind_of(np.zeros((1, 1), kind)) for kind in ("u1", "u2", "i4", "f4")]
    ['8-bit', '16-bit', '16-bit', 'floating-point']
    """
    if numbers.dtype.kind == "f":
        return "floating-point"
    if numbers.dtype.kind == "b" or numbers.dtype == np.uint8:
        return BYTES
    # Decoders give 16-bit files as 32-bit integers too, so the numbers themselves say which they are.
    held = numbers.min(initial=0) >= 0 and numbers.max(initial=0) <= WHITES[-1]
    return "16-bit" if held else "32-bit"


def used_range(numbers: np.ndarray) -> tuple[float, float]:
    """Lowest and highest number of a picture (H, W) or (H, W, C) that a patch of two by two pixels reaches.

    A hot or a dead pixel is no patch, nor are two beside each other.

    >>> hot = np.full((9, 9), 100); hot[4, 4] = 60000; hot[0, 0] = 0
    >>> used_range(hot)
    (100.0, 100.0)
    """
    if min(numbers.shape[:2]) < 2:
        return float(numbers.min()), float(numbers.max())
    across = (numbers[:, :-1], numbers[:, 1:])
    least, most = np.minimum(*across), np.maximum(*across)
    return float(np.maximum(most[:-1], most[1:]).min()), float(np.minimum(least[:-1], least[1:]).max())


def common_levels(seen: Iterable[tuple[str, float, float]]) -> Levels | None:
    """The level of pictures given as (`kind_of`, *`used_range`) each; None where there are none.

    White is the smallest of 8, 10, 12, 14 and 16 bits (1.0 for floating point) that holds all of them, black is 0.
    Where they use less than a quarter of that, hold negative numbers or larger ones, the band that they use gets the
    middle third of the grey levels, so that what is darker or brighter has room.

    >>> common_levels([("16-bit", 3.0, 3900.0), ("16-bit", 10.0, 4095.0)])
    Levels(black=0.0, white=4095.0, kinds=('16-bit',))
    >>> common_levels([("floating-point", 19.0, 24.0), ("floating-point", 20.0, 29.0)])
    Levels(black=9.0, white=39.0, kinds=('floating-point',))
    """
    every = list(seen)
    if not every:
        return None
    kinds = tuple(sorted({kind for kind, _, _ in every}))
    deep = [(low, high) for kind, low, high in every if kind != BYTES]
    if not deep:
        return Levels(0.0, 255.0, kinds)
    spare = len(deep) // SPARE
    low, high = sorted(low for low, _ in deep)[spare], sorted(high for _, high in deep)[-1 - spare]
    whites = WHITES if {"16-bit", "32-bit"} & set(kinds) else (1, *WHITES)
    white = next((float(top) for top in whites if high <= top), None)
    width = high - low
    if white is not None and low >= 0 and (width >= white / NARROW or not width):
        return Levels(0.0, white, kinds)
    width = width or max(1.0, abs(high))
    black = low - width
    return Levels(max(0.0, black) if low >= 0 else black, high + width, kinds)
