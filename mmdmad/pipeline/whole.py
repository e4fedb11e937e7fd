"""Further looks at a part: is it odd as a whole, though no single token is?

A slow drift moves no window far from normal ones, a jammed belt has normal frames, a blurred picture has no odd place,
and a message about something else is made of usual words. Three vectors of a part give them away, each asked for by
its name in the settings of the part:

    whole    mean and spread of all tokens, standardised: a Gaussian diffusion, in closed form
    look     the mean token: a Gaussian diffusion, in closed form; it counts only beyond what is usual
    summary  the encoder's own vector for the whole part (of a text its embedding): diffusion time (Livernoche et al.,
             ICLR 2024), which needs no shape for what is normal
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmdmad.calibration.whitening import moving, part_vector
from mmdmad.detectors.base import Detector, load_detector, make_detector
from mmdmad.saved import check_arrays, read_arrays, reading, require, write_arrays
from mmdmad.tokens import Tokens


@dataclass(frozen=True, eq=False)
class Look:
    """A vector (E,) of a part's tokens, the detector that judges it, and whether its features get one scale.

    `beyond`: the look adds to the other views only what it has beyond so many spreads of normal parts, so that it never
    hides a place that is odd; None: it is averaged with them.
    """

    vector: Callable[[Tokens], np.ndarray]
    detector: str
    standard: bool
    beyond: float | None = None


LOOKS: Mapping[str, Look] = {
    "whole": Look(part_vector, "gaussian-diffusion", standard=True),
    "look": Look(lambda tokens: tokens.values.mean(axis=0), "gaussian-diffusion", standard=True, beyond=2.0),
    "summary": Look(Tokens.embedding, "dte-np", standard=False),
}


class WholePart:
    """How unusual a part's vector (E,) is beside those of normal parts; `name` is one of LOOKS.

    >>> normal = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    >>> whole = WholePart().fit(normal)
    >>> whole.score(np.full(4, 9.0)) > whole.score(np.zeros(4))
    True
    """

    def __init__(self, name: str = "whole") -> None:
        self.name, self.kind = name, LOOKS[name]

    def fit(self, vectors: np.ndarray) -> "WholePart":
        """Learn from the vectors (N, E) of normal parts."""
        width = vectors.shape[1]
        self.mean_, self.scale_ = np.zeros(width), np.ones(width)
        if self.kind.standard:
            self.mean_ = vectors.mean(axis=0, dtype=np.float64)
            spread = vectors.std(axis=0, dtype=np.float64)
            self.scale_ = np.divide(1.0, spread, out=np.zeros(width), where=moving(vectors))
        self.detector_: Detector = make_detector(self.kind.detector, false_alarm_rate=None).fit(self._standard(vectors))
        return self

    def score(self, vector: np.ndarray) -> float:
        """How unusual one vector (E,) is; higher is more."""
        return float(self.detector_.decision_function(self._standard(vector[None]))[0])

    def of(self, tokens: Tokens) -> float:
        """The score of a part from its tokens."""
        return self.score(self.kind.vector(tokens))

    def save(self, folder: Path) -> None:
        """Write scale and detector into `folder`."""
        self.detector_.save(folder)
        write_arrays(folder / "whole.safetensors", {"mean": self.mean_, "scale": self.scale_})

    @classmethod
    def load(cls, folder: Path, name: str = "whole") -> "WholePart":
        """What `save` wrote; ModelError where the files do not go together."""
        made, file = cls(name), folder / "whole.safetensors"
        arrays = read_arrays(file)
        made.detector_ = load_detector(folder)
        with reading(file):
            check_arrays(arrays, {"mean": "f E", "scale": "f E"}, E=made.detector_.n_features_in_)
            require((arrays["scale"] >= 0).all(), "scale holds a number below 0")
        made.mean_, made.scale_ = arrays["mean"], arrays["scale"]
        return made

    def _standard(self, vectors: np.ndarray) -> np.ndarray:
        return ((vectors - self.mean_) * self.scale_).astype(np.float32)


def combined(views: np.ndarray, wholes: Sequence[str]) -> np.ndarray:
    """One score (n,) of standardised views (n, V), whose last are the looks of these names.

    The mean of those that are averaged, plus what the others have beyond their bounds (`Look.beyond`).

    >>> combined(np.array([[5.0, 1.0, 1.5], [0.0, 1.0, 3.0]]), ["whole", "look"]).tolist()
    [3.0, 1.5]
    """
    bounds = [None] * (views.shape[1] - len(wholes)) + [LOOKS[name].beyond for name in wholes]
    averaged = [i for i, bound in enumerate(bounds) if bound is None]
    excess = [np.maximum(views[:, i] - bound, 0.0) for i, bound in enumerate(bounds) if bound is not None]
    return np.asarray(views[:, averaged].mean(axis=1) + sum(excess), np.float64)


def fit_wholes(names: Sequence[str], items: Sequence[Tokens]) -> dict[str, WholePart]:
    """The looks of these names, learned from the tokens of normal parts.

    A vector that another look has as well is looked at once: encoders without a summary of their own take the mean
    token for it.
    """
    found: dict[str, WholePart] = {}
    seen: list[np.ndarray] = []
    for name in names:
        vectors = np.stack([LOOKS[name].vector(one) for one in items])
        if not any(np.array_equal(vectors, other) for other in seen):
            found[name] = WholePart(name).fit(vectors)
            seen.append(vectors)
    return found
