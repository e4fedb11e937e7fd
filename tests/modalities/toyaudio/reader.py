"""Sounds from WAV files."""

import wave
from dataclasses import dataclass

import numpy as np

from mmdmad.cases import Part
from mmdmad.parts.limits import decoding, plain_file, refuse


@dataclass(frozen=True, eq=False)
class Sound:
    """Samples float64 (N,) between -1 and 1, `rate` of them a second."""

    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def read_sound(part: Part) -> Sound:
    if isinstance(part.value, Sound):
        return part.value
    path = plain_file(part, 10_000_000)
    with decoding(part, path.name), wave.open(str(path)) as file:
        if file.getsampwidth() != 2 or file.getnchannels() != 1:
            raise refuse(part, f"{path.name} is not 16-bit mono")
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        return Sound(samples, file.getframerate())
