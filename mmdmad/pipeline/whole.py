"""A second look at a part: is it odd as a whole, though no single token is?

A slow drift moves no window far from normal ones, a jammed belt has normal frames; the mean and spread of all tokens
give them away. The closed-form Gaussian diffusion scores the standardised vector of the part.
"""

from pathlib import Path

import numpy as np

from mmdmad.calibration.whitening import moving
from mmdmad.detectors.base import Detector, load_detector, make_detector
from mmdmad.saved import check_arrays, read_arrays, reading, require, write_arrays


class WholePart:
    """Energy of a part's vector (E,) under the Gaussian of normal ones, noise levels summed.

    >>> normal = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    >>> whole = WholePart().fit(normal)
    >>> whole.score(np.full(4, 9.0)) > whole.score(np.zeros(4))
    True
    """

    def fit(self, vectors: np.ndarray) -> "WholePart":
        """Learn from the vectors (N, E) of normal parts."""
        self.mean_ = vectors.mean(axis=0, dtype=np.float64)
        spread = vectors.std(axis=0, dtype=np.float64)
        self.scale_ = np.divide(1.0, spread, out=np.zeros(len(spread)), where=moving(vectors))
        self.detector_: Detector = make_detector("gaussian-diffusion", false_alarm_rate=None).fit(
            self._standard(vectors)
        )
        return self

    def score(self, vector: np.ndarray) -> float:
        """Energy of one vector (E,); higher is more unusual."""
        return float(self.detector_.decision_function(self._standard(vector[None]))[0])

    def save(self, folder: Path) -> None:
        """Write scale and detector into `folder`."""
        self.detector_.save(folder)
        write_arrays(folder / "whole.safetensors", {"mean": self.mean_, "scale": self.scale_})

    @classmethod
    def load(cls, folder: Path) -> "WholePart":
        """What `save` wrote; ModelError where the files do not go together."""
        made, file = cls(), folder / "whole.safetensors"
        arrays = read_arrays(file)
        made.detector_ = load_detector(folder)
        with reading(file):
            check_arrays(arrays, {"mean": "f E", "scale": "f E"}, E=made.detector_.n_features_in_)
            require((arrays["scale"] >= 0).all(), "scale holds a number below 0")
        made.mean_, made.scale_ = arrays["mean"], arrays["scale"]
        return made

    def _standard(self, vectors: np.ndarray) -> np.ndarray:
        return ((vectors - self.mean_) * self.scale_).astype(np.float32)
