"""Sounds as tokens: the energy of frequency bands in windows."""

import numpy as np

from mmdmad.encoders.base import Encoder, encoder
from mmdmad.tokens import Layout, Tokens
from toyaudio.reader import Sound

WINDOW, BANDS = 0.05, 6


@encoder("toy-spectrum", "audio")
class Spectrum(Encoder):
    """Log energy of six bands in windows of 50 ms."""

    def encode(self, signal: Sound) -> Tokens:
        size = int(WINDOW * signal.rate)
        windows = signal.samples[: len(signal.samples) // size * size].reshape(-1, size)
        power = np.abs(np.fft.rfft(windows, axis=1)) ** 2
        bands = np.stack([b.sum(axis=1) for b in np.array_split(power, BANDS, axis=1)], axis=1)
        start = np.arange(len(windows)) * WINDOW
        where = np.stack([start, start + WINDOW], axis=1)
        return Tokens(np.log(bands + 1e-6), Layout("steps", (len(windows),), where=where))
