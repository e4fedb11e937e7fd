"""Inversion without reconstruction (InvAD): where does a token land when the diffusion runs forward?

"InvAD", CVPR 2026. The clean token is sent to the noise end by a few deterministic DDIM inversion steps; normal
tokens land near the unit Gaussian, others outside. Map: |z_T| of each token. Item: the mean of 1/2 |z_T|^2 over its
tokens plus the map's range, both in standard deviations from their mean on at most 2000 training items (the authors'
code normalises over the test set); an item of one token has no range. `top` is not used.
"""

from typing import Any, Literal

import numpy as np
from torch import Tensor

from mmdmad.detectors.base import About, detector
from mmdmad.detectors.kit.noise_predictor import STEPS, NoisePredictor
from mmdmad.diffusion.noise import Schedule
from mmdmad.diffusion.steppers import invert
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require


@detector(
    About(
        "invad",
        "density",
        "InvAD, CVPR 2026 (inversion)",
        "seconds",
        branch="inversion and flow",
        formula="|z_T|, z_T = x carried to the noise end by 3 DDIM inversion steps",
        use="Feature maps when speed counts: three network calls, no reconstruction.",
        avoid="Small networks on little data, whose inversion does not end at a unit Gaussian.",
        fidelity="reduced",
        differs="A perceptron for each token by itself instead of a transformer over the feature map; the item's "
        "two terms are standardised on training items, not over the test set.",
    )
)
class Inversion(NoisePredictor):
    """Length of the noise that DDIM inversion finds in `calls` network calls.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 0.1]
    >>> scores = Inversion(steps=200).fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        calls: int = 3,
        schedule: Schedule = "linear",
        hidden: tuple[int, ...] = (512, 512),
        steps: int = 2000,
        batch: int | Literal["auto"] = "auto",
        learning_rate: float = 1e-3,
        components: int | Literal["auto"] = "auto",
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.calls, self.schedule, self.hidden = calls, schedule, hidden
        self.steps, self.batch, self.learning_rate = steps, batch, learning_rate
        self.components, self.per_position = components, per_position
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if not 1 <= self.calls < STEPS:
            raise ConfigError(f"calls={self.calls} was given; allowed is 1 <= calls < {STEPS}")

    def _score_tokens(self, tokens: Tensor, position: Tensor) -> Tensor:
        ends = [round(STEPS * n / self.calls) - 1 for n in range(1, self.calls + 1)]
        return invert(self._eps(position), tokens, self._path([0, *ends])).norm(dim=1)

    def _after_training(self, tokens: np.ndarray, row: np.ndarray, owner: np.ndarray) -> None:
        lengths = self._in_chunks(tokens, row)
        per_item = [lengths[owner == item] for item in np.unique(owner)[:2000]]
        both = np.array([_statistics(item) for item in per_item])
        self.usual_ = np.stack([both.mean(axis=0), both.std(axis=0) + 1e-6])

    def _pool(self, scores: np.ndarray) -> float:
        standard = (np.array(_statistics(scores)) - self.usual_[0]) / self.usual_[1]
        return float(standard[0] if len(scores) == 1 else standard.sum())

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, values = super()._state()
        return {**arrays, "usual": self.usual_}, values

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        super()._set_state(arrays, values)
        check_arrays(arrays, {"usual": "f 2 2"})
        require((arrays["usual"][1] > 0).all(), "a usual deviation is not above 0")
        self.usual_ = arrays["usual"]


def _statistics(lengths: np.ndarray) -> tuple[float, float]:
    """Mean of 1/2 |z|^2 over the tokens, and the range of |z|."""
    return float(0.5 * (lengths**2).mean()), float(lengths.max() - lengths.min())
