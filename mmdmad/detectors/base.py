"""The detector contract and the one registry: a detector learns normal tokens and scores how far others are from it.

Habits of scikit-learn and PyOD: the constructor stores its arguments unchanged, `fit` returns self, fitted attributes
end in `_`, a higher score is more anomalous, `predict` gives 1 for anomalous. A new detector is one new file with one
class under `@detector`, here or in a distribution that names it under the entry point `mmdmad.detectors`; the contract
suite finds it by itself. Detectors know nothing about files or modalities.
"""

import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mmdmad.errors import ConfigError, DataError, ExportError, NotFittedError
from mmdmad.files import make_folder
from mmdmad.registry import Registry
from mmdmad.saved import check_arrays, read_arrays, read_model, reading, write_arrays, write_values
from mmdmad.tokens import Layout, Tokens

Family = Literal["reconstruction", "density", "hybrid", "zero-shot", "baseline"]
Fidelity = Literal["equal", "reduced", "idea"]
Data = np.ndarray | Sequence[Tokens]


@dataclass(frozen=True)
class About:
    """What the registry says of a detector.

    branch: where in its family the method stands; formula: the token score in one line of plain text; use, avoid: when
    the method is the right one and when not, a sentence each; needs: what it cannot do without. fidelity: how near it
    is to the paper or its released code, "equal" (the same score and training), "reduced" (the same method, parts of
    it smaller or left out) or "idea" (taken to other data or put together here); differs: what is other, in sentences.
    docs/detectors.md is written from these.
    """

    name: str
    family: Family
    paper: str
    cost: Literal["instant", "seconds", "minutes"]
    modalities: tuple[str, ...] = ("image", "text", "sensor", "video", "vectors")
    needs: str = ""
    formula: str = ""
    use: str = ""
    avoid: str = ""
    branch: str = ""
    fidelity: Fidelity | None = None
    differs: str = ""


@dataclass(frozen=True, eq=False)
class Rows:
    """All tokens of a set of items, flat: `values` (M, D) float32, `item` (M,) owner, `position` (M,)."""

    values: np.ndarray
    item: np.ndarray
    position: np.ndarray
    n_items: int

    def split(self, scores: np.ndarray) -> list[np.ndarray]:
        """Cut flat token scores (M,) back into one array per item."""
        return np.split(scores, np.cumsum(np.bincount(self.item, minlength=self.n_items))[:-1])


def as_tokens(data: Data) -> list[Tokens]:
    """Vectors (N, D), equal token sets (N, L, D) or a sequence of Tokens, as a list of N Tokens.

    >>> len(as_tokens(np.zeros((3, 5)))), as_tokens(np.zeros((3, 4, 5)))[0].values.shape
    (3, (4, 5))
    """
    if isinstance(data, np.ndarray):
        if data.ndim == 2:
            return [Tokens(row[None]) for row in data]
        if data.ndim == 3:
            layout = Layout("grid", (1, data.shape[1]), position=np.arange(data.shape[1]))
            return [Tokens(item, layout) for item in data]
        raise DataError(f"an array of shape {data.shape} was given; allowed are (N, D) and (N, L, D)")
    items = list(data)
    if not all(isinstance(item, Tokens) for item in items):
        raise DataError(f"a {type(data).__name__} was given; allowed are an array or a sequence of Tokens")
    return items


def as_rows(items: Sequence[Tokens]) -> Rows:
    """All tokens of all items, flat, with owner and position."""
    if not items:
        raise DataError("no items were given; at least one is needed")
    widths = {item.values.shape[1] for item in items}
    if len(widths) > 1:
        raise DataError(f"items have token widths {sorted(widths)}; one width is needed")
    return Rows(
        np.concatenate([item.values for item in items]),
        np.repeat(np.arange(len(items)), [len(item.values) for item in items]),
        np.concatenate([item.layout.positions() for item in items]),
        len(items),
    )


class _Saved(BaseModel):
    """What `config.json` of a detector holds."""

    model_config = ConfigDict(extra="forbid")

    detector: str
    params: dict[str, Any]
    n_features_in_: int = Field(ge=1)
    threshold_: float
    state: dict[str, Any]


class Detector(ABC):
    """A model of normal.

    Subclasses implement `_fit(items)` and `_score(items)` (one float64 array of L token scores per item) and, for
    `save`/`load`, `_state` and `_set_state`. Every constructor takes `seed`, `contamination` (share of the training
    items that may be anomalous) and `top` (an item's score is the mean of its `top` share of highest token scores; at
    least one token).
    A detector whose item score is something else overrides `_pool`.
    """

    about: ClassVar[About]
    seed: int
    contamination: float
    top: float
    _work: Path | None = None
    _progress: bool = False

    def fit(self, X: Data, y: object = None, *, work: Path | None = None, progress: bool = False) -> Self:
        """Learn from normal items; `y` is ignored. Returns self.

        work: folder for training checkpoints; a fit that was killed goes on from there and ends the same. progress:
        show a bar while a network trains.
        """
        self._check_params()
        self._work, self._progress = None if work is None else Path(work), progress
        items = as_tokens(X)
        if len(items) < 2:
            raise DataError(f"{len(items)} items were given to {type(self).__name__}.fit; at least 2 are needed")
        self.n_features_in_: int = as_rows(items[:1]).values.shape[1]
        self._fit(items)
        self.decision_scores_: np.ndarray = self._training_scores(items)
        rate = self.contamination if self.contamination > 0 else 0.05
        self.threshold_: float = float(np.quantile(self.decision_scores_, 1 - rate))
        return self

    def token_scores(self, X: Data) -> list[np.ndarray]:
        """Score of every token, one float64 array (L,) per item; higher = more anomalous."""
        if not hasattr(self, "n_features_in_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted; call fit(X) first")
        items = as_tokens(X)
        width = as_rows(items).values.shape[1]
        if width != self.n_features_in_:
            raise DataError(f"items have {width} features; {type(self).__name__} was fitted on {self.n_features_in_}")
        return [np.asarray(s, np.float64) for s in self._score(items)]

    def decision_function(self, X: Data) -> np.ndarray:
        """Score of every item, float64 (N,); higher = more anomalous."""
        return np.array([self._pool(scores) for scores in self.token_scores(X)], np.float64)

    def predict(self, X: Data) -> np.ndarray:
        """1 where the score exceeds `threshold_` (the training scores' 1 - contamination quantile), else 0."""
        return (self.decision_function(X) > self.threshold_).astype(int)

    def save(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors` into `folder`."""
        if not hasattr(self, "n_features_in_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted; call fit(X) first")
        folder = Path(folder)
        make_folder(folder)
        arrays, values = self._state()
        arrays = {**arrays, "decision_scores_": self.decision_scores_}
        write_arrays(folder / "model.safetensors", arrays)
        config = {
            "detector": self.about.name,
            "params": self.get_params(),
            "n_features_in_": self.n_features_in_,
            "threshold_": self.threshold_,
            "state": values,
        }
        write_values(folder / "config.json", config)

    def export(self, path: str | Path) -> Path:
        """Write the token score as an ONNX graph, input normalisation included; returns the path.

        Input `tokens` float32 (M, D) and, where positions were learned, `position` int64 (M,); output `scores` float64
        (M,). Networks over grids take planes (N, h, w, D) of the size of the training ones, networks over sequences
        windows (N, W, D) with `present` bool (N, W); the graph's metadata `mmdmad.inputs` says which. Needs the extra
        `onnx`. Detectors without such a graph raise ExportError, which names those that have one.

        >>> from mmdmad.errors import ExportError
        >>> try:
        ...     make_detector("knn").export("model.onnx")
        ... except ExportError as error:
        ...     print(str(error)[:44])
        knn cannot be exported: it has no network; t
        """
        from mmdmad.detectors.onnx import write

        if reason := self.obstacle():
            others = ", ".join(name for name, cls in detectors().items() if not cls.obstacle())
            raise ExportError(f"{self.about.name} cannot be exported: {reason}; those that can are {others}")
        if not hasattr(self, "n_features_in_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted; call fit(X) first")
        graph = self._graph()
        about = {
            "detector": self.about.name,
            "params": json.dumps(self.get_params()),
            "threshold": repr(self.threshold_),
            "item_score": f"mean of the highest {self.top:g} of an item's token scores, at least one",
            "inputs": graph.inputs,
        }
        if type(self)._pool is not Detector._pool:
            about["item_score"] = about["threshold"] = "not in the graph: items here are no mean of tokens"
        return write(graph, self.n_features_in_, about, path)

    @classmethod
    def obstacle(cls) -> str:
        """Why detectors of this class cannot be exported; "" where they can."""
        return "it has no network"

    def _graph(self) -> Any:
        """What `export` writes, a `kit.graphs.Graph`; for classes without an obstacle."""
        raise NotImplementedError

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Constructor arguments by name."""
        names = [p for p in inspect.signature(type(self).__init__).parameters if p != "self"]
        return {name: getattr(self, name) for name in names}

    def set_params(self, **params: Any) -> Self:
        """Set constructor arguments by name; returns self."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ConfigError(f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}")
            setattr(self, name, value)
        return self

    @abstractmethod
    def _fit(self, items: list[Tokens]) -> None: ...

    @abstractmethod
    def _score(self, items: list[Tokens]) -> list[np.ndarray]: ...

    @abstractmethod
    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]: ...

    @abstractmethod
    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None: ...

    def _training_scores(self, items: list[Tokens]) -> np.ndarray:
        """Item scores of the training items; detectors that remember items leave each one's own memory out."""
        return self.decision_function(items)

    def _pool(self, scores: np.ndarray) -> float:
        k = max(1, int(np.ceil(self.top * len(scores))))
        return float(np.sort(scores)[-k:].mean())

    def _check_params(self) -> None:
        if not 0 <= self.contamination < 0.5:
            raise ConfigError(f"contamination={self.contamination} was given; allowed is 0 <= contamination < 0.5")
        if not 0 < self.top <= 1:
            raise ConfigError(f"top={self.top} was given; allowed is 0 < top <= 1")


D = TypeVar("D", bound=type[Detector])
_REGISTRY: Registry[type[Detector]] = Registry("detector", "mmdmad.detectors", "mmdmad.detectors")


def detector(about: About) -> Callable[[D], D]:
    """Register a detector class; the one decorator a detector file needs."""

    def register(cls: D) -> D:
        cls.about = about
        _REGISTRY.add(about.name, cls)
        return cls

    return register


def detectors() -> dict[str, type[Detector]]:
    """Every detector by name; the files of the family folders, and what other distributions bring, are loaded once."""
    return _REGISTRY.all()


def make_detector(name: str, **params: Any) -> Detector:
    """The detector called `name`; unknown names raise ConfigError with the known ones."""
    return _REGISTRY.get(name)(**params)


def load_detector(folder: str | Path) -> Detector:
    """The detector that `Detector.save` wrote into `folder`; ModelError where the files do not make one."""
    config, arrays = Path(folder) / "config.json", Path(folder) / "model.safetensors"
    saved, found = read_model(config, _Saved), read_arrays(arrays)
    with reading(config):
        made = make_detector(saved.detector, **saved.params)
        made._check_params()
    with reading(arrays):
        check_arrays(found, {"decision_scores_": "f N"})
        made.n_features_in_, made.threshold_ = saved.n_features_in_, saved.threshold_
        made.decision_scores_ = found.pop("decision_scores_")
        made._set_state(found, saved.state)
    return made
