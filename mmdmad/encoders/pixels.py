"""Plain pixels as tokens: the way in for detectors that work on the picture itself.

The picture is squeezed to a square, so each pixel of the square is the same share of its height and width whatever its
shape. Nothing is learned and no weights are needed.
"""

from typing import Any

import numpy as np
from PIL import Image as PillowImage

from mmdmad.encoders.base import Encoder, encoder
from mmdmad.errors import ConfigError
from mmdmad.tokens import Layout, Tokens


@encoder("pixels", "image")
class Pixels(Encoder):
    """One token a pixel of the picture resized to `size` x `size`, row by row; position = pixel.

    Values lie in [-1, 1]: three a pixel (red, green, blue), or one with `grey` (luma, ITU-R 601-2).

    >>> from mmdmad.parts import Image
    >>> tokens = Pixels(size=8).encode(Image(np.full((48, 80, 3), 255, np.uint8)))
    >>> tokens.values.shape, float(tokens.values.min())
    ((64, 3), 1.0)
    """

    def __init__(self, size: int = 64, grey: bool = False) -> None:
        if not 8 <= size <= 512:
            raise ConfigError(f"size={size} was given; allowed is 8 to 512")
        self.size, self.grey = size, grey

    def encode(self, signal: Any) -> Tokens:
        """Tokens (size * size, 3 or 1) of an Image."""
        picture = PillowImage.fromarray(signal.pixels).convert("L" if self.grey else "RGB")
        # Pillow widens its filter by the scale, so that thin things fade but do not vanish between samples.
        small = picture.resize((self.size, self.size), PillowImage.Resampling.BILINEAR)
        values = np.asarray(small, np.float32).reshape(self.size**2, -1) / 127.5 - 1.0
        height, width = signal.pixels.shape[:2]
        layout = Layout("grid", (self.size, self.size), size=(height, width), position=np.arange(self.size**2))
        return Tokens(values, layout)

    def describe(self) -> str:
        """Which pixels."""
        return f"{self.size} x {self.size} {'grey' if self.grey else 'RGB'} pixels"

    def params(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"size": self.size, "grey": self.grey}
