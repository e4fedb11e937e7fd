"""What detectors with a network over single tokens share: features in, one training, fixed-size scoring, saving.

A subclass says how its network is built, what its loss is and how a chunk of tokens is scored; all else is here.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.detectors.base import Detector
from mmdmad.detectors.items import as_rows, owners, positions, some
from mmdmad.detectors.kit.chunks import groups, in_chunks
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.trimming import unsuspicious
from mmdmad.diffusion.denoisers import build
from mmdmad.diffusion.training import History, Plan, train
from mmdmad.errors import ConfigError
from mmdmad.tokens import Tokens

CHUNK = 256


def standard_features(space: FeatureSpace, items: Sequence[Tokens]) -> tuple[np.ndarray, np.ndarray]:
    """Standardised axes (M, k) float32, the residual's length as one more column if axes were left out; rows (M,)."""
    position = positions(items)
    axes, residual = space.transform_all(items)
    if space.left_out:
        usual = np.sqrt(max(space.rest * space.left_out, 1e-12))
        axes = np.concatenate([axes, (np.sqrt(residual) / usual)[:, None]], axis=1)
    return np.ascontiguousarray(axes, np.float32), space.index(position)


class NeuralDetector(Detector):
    """A detector whose network sees one token at a time, standardised, with its position where the layout has some.

    Constructor arguments every subclass has: `steps` (optimiser steps at most), `batch` ("auto": the power of two
    nearest to a tenth of the tokens, 32 to 1024), `learning_rate`, `components`, `per_position`, `contamination`
    (share of the training items, those most under suspicion, that the network never sees), `top`, `seed`.
    """

    _unseen_by = "split"
    steps: int
    batch: int | Literal["auto"]
    learning_rate: float
    components: int | Literal["auto"]
    per_position: bool | Literal["auto"]
    no_export: ClassVar[str] = ""  # why `export` cannot write this detector; empty where it can

    @classmethod
    def obstacle(cls) -> str:
        """Why detectors of this class cannot be exported; "" where they can."""
        if cls.no_export:
            return cls.no_export
        if cls._features is not NeuralDetector._features:
            return "it prepares tokens in a way of its own"
        if cls._score is not NeuralDetector._score and cls._finish is NeuralDetector._finish:
            return "its score does not end with the network"
        return ""

    def _graph(self) -> nn.Module:
        from mmdmad.detectors.kit.graphs import TokenGraph

        return TokenGraph(self, self.space_, self.net_)

    def _check_params(self) -> None:
        super()._check_params()
        if self.steps < 1 or self.learning_rate <= 0:
            raise ConfigError(
                f"steps={self.steps}, learning_rate={self.learning_rate} were given; both must be positive"
            )

    @abstractmethod
    def _build(self, width: int, positions: int) -> nn.Module:
        """The network for tokens of `width` axes at `positions` known positions (0 = none)."""

    @abstractmethod
    def _loss(self, net: nn.Module, tokens: Tensor, position: Tensor, generator: torch.Generator) -> Tensor:
        """Loss of each token (B,) for tokens (B, k) at position rows (B,)."""

    @abstractmethod
    def _score_tokens(self, tokens: Tensor, position: Tensor) -> Tensor:
        """Score of each token (B,) with `self.net_`; must treat each row apart.

        `export` traces it: the batch size is `tokens.shape[0]`, not `len(tokens)`, which would fix it; numbers that do
        not depend on the tokens come from the cached functions of `mmdmad.diffusion.noise`.
        """

    def _finish(self, raw: Tensor) -> Tensor:
        """Scores (B,) from what `_score_tokens` gives, float64; detectors whose `_score` adds a step repeat it here."""
        return raw

    def _plan(self, count: int) -> Plan:
        batch = int(np.clip(2 ** round(np.log2(max(count, 10) / 10)), 32, 1024)) if self.batch == "auto" else self.batch
        return Plan(steps=self.steps, batch=batch, learning_rate=self.learning_rate, seed=self.seed)

    def _fit(self, items: Sequence[Tokens]) -> None:
        items = some(items, unsuspicious(items, self.contamination, self.top, self.seed))
        many = len(np.unique(positions(items))) > 1
        components = (128 if many and self.per_position else 512) if self.components == "auto" else self.components
        self.space_ = FeatureSpace.fit(items, components, self.per_position)
        tokens, row = self._features(items)
        owner = owners(items)
        self.net_ = build(lambda: self._build(tokens.shape[1], self._places()), self.seed)
        self._before_training(tokens, row)

        def loss(net: nn.Module, batch: list[Tensor], generator: torch.Generator) -> Tensor:
            return self._loss(net, batch[0], batch[1], generator)

        plan = self._plan(len(tokens))
        self._batch = plan.batch
        self.history_: History = train(
            self.net_,
            [torch.from_numpy(tokens), torch.from_numpy(row)],
            loss,
            plan,
            owner=torch.from_numpy(owner),
            checkpoint=None if self._work is None else self._work / f"{self.about.name}.safetensors",
            progress=self._progress,
            title=self.about.name,
        )
        self._after_training(tokens, row, owner)

    def _settled(self) -> dict[str, Any]:
        return {"batch": self._batch, "per_position": bool(len(self.space_.positions))}

    def _before_training(self, tokens: np.ndarray, row: np.ndarray) -> None:
        """Learn what the loss needs besides the network."""

    def _after_training(self, tokens: np.ndarray, row: np.ndarray, owner: np.ndarray) -> None:
        """Learn what the score needs besides the network."""

    def _places(self) -> int:
        return len(self.space_.positions) + 1 if len(self.space_.positions) else 0

    def _features(self, items: Sequence[Tokens]) -> tuple[np.ndarray, np.ndarray]:
        return standard_features(self.space_, items)

    def _in_chunks(self, tokens: np.ndarray, row: np.ndarray) -> np.ndarray:
        """`_score_tokens` over fixed-size chunks, float64 (M,) or (M, n)."""
        device = next(self.net_.parameters()).device
        packed = np.concatenate([tokens, row[:, None].astype(np.float32)], axis=1)

        def score(chunk: np.ndarray) -> np.ndarray:
            part = torch.from_numpy(chunk).to(device)
            with torch.no_grad():
                return self._score_tokens(part[:, :-1].contiguous(), part[:, -1].long()).cpu().double().numpy()

        return in_chunks(score, packed, CHUNK)

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        scores: list[np.ndarray] = []
        for group in groups(items):
            scores.extend(as_rows(group).split(self._in_chunks(*self._features(group))))
        return scores

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        weights = {f"net.{name}": value.cpu().numpy() for name, value in self.net_.state_dict().items()}
        return {**self.space_.arrays(), **weights}, {}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.space_ = FeatureSpace.from_arrays(arrays, self.n_features_in_)
        width = self.space_.width + (1 if self.space_.left_out else 0)
        self.net_ = build(lambda: self._build(width, self._places()), self.seed)
        named = {
            name.removeprefix("net."): torch.from_numpy(a) for name, a in arrays.items() if name.startswith("net.")
        }
        self.net_.load_state_dict(named)
        self.net_.eval()
