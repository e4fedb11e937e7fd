"""What grid detectors share that judge cells by several numbers, one of them a network's log-odds."""

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mmdmad.detectors.kit.grids import GridDetector, planes_at_once
from mmdmad.saved import check_arrays, require

LIMIT = 10.0  # standard deviations; beyond, only the length of a token tells a network how far it is
ODDS = 5.0  # log-odds that a network can add to or take from those of the lengths
JUDGED = 512  # training planes from which the usual parts of a score are learned


def log_length(planes: Tensor) -> Tensor:
    """Logarithm of the mean square over the axes, (B, 1, h, w).

    >>> round(float(log_length(torch.full((1, 3, 1, 1), 2.0))), 3)
    1.387
    """
    return torch.log(planes.square().mean(dim=1, keepdim=True) + 1e-3)


def focal(logits: Tensor, mask: Tensor, gamma: float = 2.0, alpha: float = 0.5) -> Tensor:
    """Binary focal loss of each cell (Lin et al., ICCV 2017, eq. 5); gamma 0 and alpha 1/2 is half the cross-entropy.

    >>> float(focal(torch.zeros(1), torch.ones(1), gamma=0.0) / torch.log(torch.tensor(2.0)))
    0.5
    """
    entropy = F.binary_cross_entropy_with_logits(logits, mask, reduction="none")
    wrong = (logits.sigmoid() - mask).abs()
    return (alpha * mask + (1.0 - alpha) * (1.0 - mask)) * wrong**gamma * entropy


class PartScores(GridDetector):
    """A cell's score is a weighted sum of parts, each in standard deviations of normal training cells."""

    @abstractmethod
    def _parts(self, planes: Tensor) -> tuple[Tensor, ...]:
        """The parts of the score, (B, 1, h, w) each, of planes (B, k, h, w)."""

    @abstractmethod
    def _weights(self) -> tuple[float, ...]:
        """Weight of each part."""

    def _standardise(self, planes: Tensor, known: Tensor) -> None:
        """Learn the usual mean and standard deviation of each part; to be called when training is over."""
        parts, size = [], planes_at_once(planes.shape[2:])
        device = next(self.net_.parameters()).device
        with torch.no_grad():
            for chunk, own in zip(planes[:JUDGED].split(size), known[:JUDGED].split(size)):
                made = torch.cat(self._parts(chunk.to(device)), dim=1).cpu().movedim(1, -1)
                parts.append(made[own[:, 0] > 0].double().numpy())
        cells = np.concatenate(parts)
        if self.contamination > 0:
            order = np.argsort(cells.sum(axis=1), kind="stable")
            cells = cells[order[: max(2, round(len(order) * (1 - self.contamination)))]]
        self.usual_ = np.stack([cells.mean(axis=0), cells.std(axis=0) + 1e-6]).astype(np.float32)

    def _map(self, planes: Tensor) -> Tensor:
        total = torch.zeros_like(planes[:, 0])
        for part, mean, deviation, weight in zip(self._parts(planes), *self.usual_.tolist(), self._weights()):
            total = total + weight * (part[:, 0] - mean) / deviation
        return total

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, values = super()._state()
        return {**arrays, "usual": self.usual_}, values

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        super()._set_state(arrays, values)
        check_arrays(arrays, {"usual": f"f 2 {len(self._weights())}"})
        require((arrays["usual"][1] > 0).all(), "a usual deviation is not above 0")
        self.usual_ = arrays["usual"]
