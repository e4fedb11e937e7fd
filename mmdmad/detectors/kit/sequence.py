"""What detectors with a network over token sequences share: windows in, one training, errors against their usual size.

A subclass says how its network is built, what its loss is and what squared errors a window of tokens gives; all else
is here. Errors are brought to units of their mean on normal training tokens, per level and axis: an axis that nothing
can predict would otherwise drown one that is always predicted well.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from mmdmad.detectors.base import Detector
from mmdmad.detectors.items import as_rows, some
from mmdmad.detectors.kit.chunks import groups, in_chunks
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.neural import standard_features
from mmdmad.detectors.kit.tracks import common_group, gap, tracks, windows
from mmdmad.detectors.kit.trimming import unsuspicious
from mmdmad.detectors.kit.windows import Windows
from mmdmad.diffusion.denoisers import build
from mmdmad.diffusion.training import History, Plan, train
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Layout, Tokens

AXES = 64  # principal axes a token keeps, at most
SAMPLE = 8192  # training tokens from which the usual errors are learned
LONGEST = 2**20  # tokens of a window; far more than any network here can be trained on
PRIOR = 16.0  # tokens' worth of belief in the pooled usual error when that of a rare kind of token is estimated


class SequenceDetector(Detector):
    """A detector whose network sees windows of an item's tokens in their order.

    Constructor arguments every subclass has: `inner`, `depth` (width and blocks of the transformer), `steps`
    (optimiser steps at most), `batch` (windows; "auto": the power of two nearest to a tenth of them, 16 to 64, more
    where windows are short), `learning_rate`, `components`, `per_position`, `contamination` (share of the
    training items, those most under suspicion, that the network never sees), `top`, `seed`.
    """

    _unseen_by = "split"
    inner: int
    depth: int
    steps: int
    batch: int | Literal["auto"]
    learning_rate: float
    components: int | Literal["auto"]
    per_position: bool | Literal["auto"]
    _together: ClassVar[int] = 16  # tokens of one time that are still seen together
    _in_usual_units: bool = True  # False: errors are differences of errors, which are left as they are
    no_export: ClassVar[str] = ""  # why `export` cannot write this detector; empty where it can
    window_note: ClassVar[str] = "windows follow each other along time"  # how an exported graph's windows are cut

    @classmethod
    def obstacle(cls) -> str:
        """Why detectors of this class cannot be exported; "" where they can."""
        ends = cls._score is SequenceDetector._score
        return cls.no_export or ("" if ends else "its score does not end with the network")

    def _graph(self) -> nn.Module:
        from mmdmad.detectors.kit.graphs import WindowGraph

        return WindowGraph(self, self.space_, self.net_)

    def _check_params(self) -> None:
        super()._check_params()
        if self.steps < 1 or self.learning_rate <= 0 or self.depth < 1 or self.inner < 4 or self.inner % 4:
            raise ConfigError(
                f"steps={self.steps}, learning_rate={self.learning_rate}, depth={self.depth}, inner={self.inner} were "
                "given; allowed are positive numbers and a multiple of 4 for inner"
            )

    @property
    def _kinds(self) -> int:
        """Kinds of tokens whose errors differ from the start; the windows are known when it is asked for."""
        return 1

    @abstractmethod
    def _build(self, width: int, positions: int) -> nn.Module:
        """The network for tokens of `width` axes at `positions` known positions (1 = all alike)."""

    @abstractmethod
    def _loss(self, net: nn.Module, batch: Windows, generator: torch.Generator) -> Tensor:
        """Loss of each window (B,)."""

    @abstractmethod
    def _errors(self, batch: Windows) -> Tensor:
        """Squared errors (B, W, K, k) of each token at K levels with `self.net_`; must treat each window apart.

        `export` traces it: the batch size is `batch.values.shape[0]`, not `len`, which would fix it.
        """

    @abstractmethod
    def _longest(self, layouts: list[Layout]) -> int:
        """Tokens W of a window, from the training items."""

    def _cut(self, layout: Layout, training: bool) -> np.ndarray:
        """Token indices (M, W) of an item's windows, -1 for none; together they hold every token."""
        return np.concatenate([windows(track, self.width_, overlap=training) for track in tracks(layout, self.group_)])

    def _kind(self, batch: Windows) -> Tensor:
        """Kind of each token (B, W), below `_kinds`."""
        return torch.zeros_like(batch.row)

    def _extra(self, items: Sequence[Tokens], owner: np.ndarray, values: np.ndarray, present: np.ndarray) -> np.ndarray:
        """What the method needs of each window besides its tokens, (M, E); `owner` (M,) numbers `items`."""
        return np.zeros((len(values), 0), np.float32)

    def _window_extra(self) -> np.ndarray | None:
        """The extra (1, E) that all windows share, for `export`; None where there is none."""
        return None

    def _combine(self, errors: np.ndarray) -> np.ndarray:
        """Token scores (M,) from errors in units of their usual size, (M, K).

        `export` calls it with a tensor, so it uses what arrays and tensors have in common.
        """
        return errors.mean(axis=1)

    def _plan(self, count: int) -> Plan:
        most = int(np.clip(2 ** int(np.log2(4096 / self.width_)), 64, 512))
        wanted = 2 ** round(np.log2(max(count, 10) / 10))
        batch = int(np.clip(wanted, 16, most)) if self.batch == "auto" else self.batch
        return Plan(steps=self.steps, batch=batch, learning_rate=self.learning_rate, seed=self.seed)

    def _fit(self, items: Sequence[Tokens]) -> None:
        items = some(items, unsuspicious(items, self.contamination, self.top, self.seed))
        components = AXES if self.components == "auto" else self.components
        self.space_ = FeatureSpace.fit(items, components, self.per_position)
        layouts = [item.layout for item in items]
        self.group_ = common_group(layouts, self._together)
        self.width_ = self._longest(layouts)
        self._before_training(items)
        data, index, owner = self._gather(items, training=True)
        self.net_ = build(lambda: self._build(data.values.shape[2], self._places()), self.seed)

        def loss(net: nn.Module, batch: list[Tensor], generator: torch.Generator) -> Tensor:
            return self._loss(net, Windows(*batch), generator)

        plan = self._plan(len(index))
        self._batch = plan.batch
        self.history_: History = train(
            self.net_,
            [data.values, data.row, data.present, data.extra],
            loss,
            plan,
            owner=torch.from_numpy(owner),
            checkpoint=None if self._work is None else self._work / f"{self.about.name}.safetensors",
            progress=self._progress,
            title=self.about.name,
        )
        self._learn_usual(data)

    def _settled(self) -> dict[str, Any]:
        return {"batch": self._batch, "per_position": bool(len(self.space_.positions))}

    def _before_training(self, items: Sequence[Tokens]) -> None:
        """Learn what windows need besides their tokens."""

    def _after_training(self, errors: np.ndarray) -> None:
        """Learn what the score needs besides the network, from errors (M, K) of training tokens in usual units."""

    def _places(self) -> int:
        return len(self.space_.positions) + 1 if len(self.space_.positions) else 1

    def _most(self, layouts: list[Layout], limit: int) -> int:
        """Tokens of a window: whole steps, at most `limit` tokens or the longest track."""
        steps = max(-(-layout.shape[0] // gap(layout)) if self._timed(layout) else len(layout) for layout in layouts)
        return max(1, min(limit // self.group_, steps)) * self.group_

    def _timed(self, layout: Layout) -> bool:
        return layout.kind in ("steps", "frames")

    def _gather(self, items: Sequence[Tokens], training: bool = False) -> tuple[Windows, np.ndarray, np.ndarray]:
        """Windows of all items, the flat index (M, W) of each of their tokens, and the item that owns each window."""
        values, row = standard_features(self.space_, items)
        starts = np.cumsum([0, *(len(item.values) for item in items)])
        cuts = [self._cut(item.layout, training) for item in items]
        index = np.concatenate([np.where(cut >= 0, cut + start, -1) for cut, start in zip(cuts, starts)])
        owner = np.repeat(np.arange(len(items)), [len(cut) for cut in cuts])
        present = index >= 0
        gathered = np.where(present[..., None], values[index], np.float32(0))
        extra = self._extra(items, owner, gathered, present)
        batch = Windows(
            torch.from_numpy(gathered),
            torch.from_numpy(np.where(present, row[index], 0)),
            torch.from_numpy(present),
            torch.from_numpy(extra),
        )
        return batch, index, owner

    def _learn_usual(self, data: Windows) -> None:
        """Mean squared error of each kind, level and axis over training tokens."""
        count = len(data.values)
        picked = np.sort(np.random.default_rng(self.seed).permutation(count)[: max(1, SAMPLE // self.width_)])
        chosen = Windows(*(part[picked] for part in (data.values, data.row, data.present, data.extra)))
        errors = self._in_chunks(chosen, lambda batch: self._errors(batch))
        kind = self._in_chunks(chosen, lambda batch: self._kind(batch)[..., None, None])[..., 0, 0].astype(int)
        there = np.isfinite(errors[..., 0, 0])
        errors, kind = errors[there], kind[there]
        pooled = errors.mean(axis=0)
        usual = np.empty((self._kinds, *pooled.shape))
        for number in range(self._kinds):
            own = errors[kind == number]
            usual[number] = (own.sum(axis=0) + PRIOR * pooled) / (len(own) + PRIOR)
        usual = np.maximum(usual, 0.01 * usual.mean(axis=2, keepdims=True) + 1e-9)
        self.usual_ = (usual if self._in_usual_units else np.ones_like(usual)).astype(np.float32)
        self._after_training((errors / self.usual_[kind]).mean(axis=2))

    def _in_chunks(self, data: Windows, function: Any) -> np.ndarray:
        """`function` of windows over chunks of one fixed number of windows, float64."""
        device, many = next(self.net_.parameters()).device, len(data.values)
        k, e = data.values.shape[2], data.extra.shape[1]
        packed = np.concatenate(
            [
                data.values.reshape(many, -1).numpy(),
                data.row.float().numpy(),
                data.present.float().numpy(),
                data.extra.numpy(),
            ],
            axis=1,
        )

        def unpacked(chunk: np.ndarray) -> np.ndarray:
            values, row, present, extra = (
                torch.from_numpy(chunk).to(device).split([self.width_ * k, self.width_, self.width_, e], dim=1)
            )
            batch = Windows(values.reshape(-1, self.width_, k), row.long(), present > 0, extra)
            with torch.no_grad():
                return function(batch).cpu().double().numpy()

        # A multiple of 16 windows: products of matrices may treat the rows left over from full tiles differently.
        return in_chunks(unpacked, packed, max(1, 32 // self.width_) * 16)

    def _score_windows(self, batch: Windows) -> Tensor:
        """Errors of each token in usual units (B, W, K), NaN where a token is not judged."""
        usual = torch.as_tensor(self.usual_).to(batch.values.device)
        return (self._errors(batch) / usual[self._kind(batch)]).mean(dim=3)

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        scores: list[np.ndarray] = []
        for group in groups(items):
            data, index, _ = self._gather(group)
            errors = self._in_chunks(data, self._score_windows)
            there = (index >= 0) & np.isfinite(errors[..., 0])
            count = np.bincount(index[there], minlength=sum(len(item.values) for item in group))
            flat = np.zeros((len(count), errors.shape[2]))
            np.add.at(flat, index[there], errors[there])
            scores.extend(as_rows(group).split(self._combine(flat / count[:, None])))
        return scores

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        weights = {f"net.{name}": value.cpu().numpy() for name, value in self.net_.state_dict().items()}
        return {**self.space_.arrays(), **weights, "usual": self.usual_}, {"group": self.group_, "width": self.width_}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.space_ = FeatureSpace.from_arrays(arrays, self.n_features_in_)
        width = self.space_.width + (1 if self.space_.left_out else 0)
        self.group_, self.width_ = int(values["group"]), int(values["width"])
        require(1 <= self.group_ <= self.width_ <= LONGEST, f"windows of {self.width_} in {self.group_} are none")
        check_arrays(arrays, {"usual": "f kinds K k"}, kinds=self._kinds, k=width)
        require((arrays["usual"] > 0).all(), "a usual error is not above 0")
        self.usual_ = arrays["usual"]
        self.net_ = build(lambda: self._build(width, self._places()), self.seed)
        self.net_.load_state_dict(
            {name.removeprefix("net."): torch.from_numpy(a) for name, a in arrays.items() if name.startswith("net.")}
        )
        self.net_.eval()
