"""The detector contract and the one registry: a detector learns normal tokens and scores how far others are from it.

Habits of scikit-learn and PyOD: the constructor stores its arguments unchanged, `fit` returns self, fitted attributes
end in `_`, a higher score is more anomalous, `predict` gives 1 for anomalous. A new detector is one new file with one
class under `@detector`, here or in a distribution that names it under the entry point `mmdmad.detectors`; the contract
suite finds it by itself. Detectors know nothing about files or modalities.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field

from mmdmad.calibration.crossfit import honest_threshold
from mmdmad.detectors.about import About as About
from mmdmad.detectors.estimator import Estimator
from mmdmad.detectors.inputs import read_items
from mmdmad.detectors.items import some
from mmdmad.detectors.unseen import Way, held_out, training_labels, unseen_scores
from mmdmad.errors import ConfigError, DataError, ExportError, ModelError, NotFittedError
from mmdmad.files import make_folder
from mmdmad.registry import Registry, distribution_of
from mmdmad.saved import check_arrays, read_arrays, read_model, reading, write_arrays, write_values
from mmdmad.sizes import check_sizes, parameters_at_most
from mmdmad.tokens import Tokens

if TYPE_CHECKING:
    from mmdmad.detectors.outlier import OutlierDetector

Data = ArrayLike | Sequence[Tokens]  # what `mmdmad.detectors.inputs.read_items` takes: DataFrames and tensors too


class _Saved(BaseModel):
    """What `config.json` of a detector holds."""

    model_config = ConfigDict(extra="forbid")

    detector: str
    params: dict[str, Any]
    n_features_in_: int = Field(ge=1)
    feature_names_in_: list[str] = Field(default_factory=list)
    threshold_: float | None
    state: dict[str, Any]
    distribution: str = ""  # which brings the detector, where it is not mmdmad


class Detector(Estimator, ABC):
    """A model of normal.

    Subclasses implement `_fit(items)` and `_score(items)` (one float64 array of L token scores per item) and, for
    `save`/`load`, `_state` and `_set_state`. Items come as a sequence: a list of Tokens, or a `Stack` of equal ones.
    Every constructor takes `seed`, `contamination` (share of the training items that may be anomalous: they are kept
    out of what is learned as far as the method can), `false_alarm_rate` (share of new normal items that `predict` is
    to flag; it sets `threshold_`, None: no threshold, which saves its cost) and `top` (an item's score is the mean of
    its `top` share of highest token scores; at least one token).
    A detector whose item score is something else overrides `_pool`.

    After `fit`:

    - `decision_scores_` (N,): scores of the training items by the fitted model, as PyOD has them. Detectors that
      remember items leave each one's own memory out; of others they are lower than scores of new items will be.
    - `unseen_scores_` (n,): scores of training items by models that did not learn from them, without the
      `contamination` share of the highest; empty without a `false_alarm_rate`. `_unseen_by` says how: "folds", another
      ten such detectors learn from nine tenths each (closed forms); "own", the `decision_scores_`, where each item's
      own memory is left out; "few", up to 2,000 items ten folds or more, "own" beyond; "split", this one learns from
      three quarters of the items, drawn by seed, and the rest is scored (networks, whose fit then costs no more than
      without a threshold; of fewer than 76 items up to a half is kept out). Of two items they are `decision_scores_`.
    - `threshold_`: what a share of about `false_alarm_rate` of new normal items exceed, from `unseen_scores_`
      (`mmdmad.calibration.crossfit.honest_threshold`): in the mean over training sets at most that with "split"; the
      other ways compare scores of models that learned from other items, for which theory gives no more than twice the
      rate (Barber et al., "Predictive inference with the jackknife+", Annals of Statistics 2021). n items keep no
      rate under 1 / (n + 1).
    - `labels_` (N,): 1 for training items taken for anomalous: the `contamination` share with the highest
      `decision_scores_`, or those above `threshold_` where `contamination` is 0.
    """

    about: ClassVar[About]
    seed: int
    contamination: float
    false_alarm_rate: float | None = 0.05
    top: float
    n_features_in_: int
    feature_names_in_: np.ndarray  # where a DataFrame with names was learned
    decision_scores_: np.ndarray
    unseen_scores_: np.ndarray
    labels_: np.ndarray
    threshold_: float
    _unseen_by: ClassVar[Way] = "folds"  # how `unseen_scores_` come about; see the class
    _work: Path | None = None
    _progress: bool = False

    def fit(self, X: Data, y: object = None, *, work: Path | None = None, progress: bool = False) -> Self:
        """Learn from normal items; `y` is ignored. Returns self.

        X: a table (N, D) of numbers as an array, list, DataFrame or tensor; token sets of one length, (N, L, D); or a
        sequence of N Tokens. work: folder for training checkpoints; a fit that was killed goes on from there and ends
        the same. progress: show a bar while a network trains. Raises DataError for what cannot be learned from,
        ConfigError for a parameter out of its range.
        """
        self._check_params()
        self._work, self._progress = None if work is None else Path(work), progress
        items = read_items(self, X, learn=True)
        if len(items) < 2:
            raise DataError(f"n_samples={len(items)} was given to {type(self).__name__}.fit; at least 2 are needed")
        held = held_out(self, len(items))
        learn = np.setdiff1d(np.arange(len(items)), held)
        learned = some(items, learn) if len(held) else items
        self._fit(learned)
        self.decision_scores_ = np.empty(len(items))
        self.decision_scores_[learn] = self._training_scores(learned)
        if len(held):
            self.decision_scores_[held] = self._pooled(self._score(some(items, held)))
        self._held = held
        self.unseen_scores_ = np.zeros(0) if self.false_alarm_rate is None else self._unseen_scores(items)
        self._judge_training()
        self._fitted_with = self.get_params()
        return self

    def fit_predict(self, X: Data, y: object = None) -> np.ndarray:
        """`labels_` (N,) of a fit on X: 1 for anomalous; `y` is ignored."""
        return self.fit(X).labels_

    def token_scores(self, X: Data) -> list[np.ndarray]:
        """Score of every token, one float64 array (L,) per item; higher = more anomalous."""
        return [np.asarray(s, np.float64) for s in self._as_fitted()._score(self._items(X))]

    def decision_function(self, X: Data) -> np.ndarray:
        """Score of every item, float64 (N,); higher = more anomalous."""
        fitted = self._as_fitted()
        return fitted._pooled(fitted._score(self._items(X)))

    def score_samples(self, X: Data) -> np.ndarray:
        """The same as `decision_function`: higher = more anomalous. `as_outlier_detector` has scikit-learn's sign."""
        return self.decision_function(X)

    def predict(self, X: Data) -> np.ndarray:
        """1 where the score exceeds `threshold_`, else 0; int (N,)."""
        scores = self.decision_function(X)
        self._need_threshold("predict")
        return (scores > self.threshold_).astype(int)

    def predict_proba(self, X: Data, method: Literal["linear", "unify"] = "linear") -> np.ndarray:
        """Scores on a scale from 0 to 1, float64 (N, 2): normal, anomalous; a row adds up to 1.

        linear: between the lowest and the highest of `unseen_scores_` (PyOD's default, there from training scores);
        unify: the Gaussian error function of the standardised score, 0 below the mean (Kriegel, Kröger, Schubert,
        Zimek, "Interpreting and Unifying Outlier Scores", SDM 2011). Both order items as `decision_function` does,
        but for what lies beyond an end; neither is calibrated: `threshold_` is.
        """
        from scipy.special import erf

        if method not in ("linear", "unify"):
            raise ConfigError(f"method={method!r} was given; allowed are 'linear' and 'unify'")
        scores = self.decision_function(X)
        self._need_threshold("predict_proba")
        known = self.unseen_scores_
        if not len(known):
            raise NotFittedError("this model was saved without unseen_scores_, which predict_proba needs; fit it again")
        if method == "linear":
            odd = (scores - known.min()) / max(float(np.ptp(known)), 1e-12)
        else:
            odd = erf((scores - known.mean()) / (max(float(known.std()), 1e-12) * 2**0.5))
        odd = np.clip(odd, 0.0, 1.0)
        return np.column_stack([1.0 - odd, odd])

    def as_outlier_detector(self) -> "OutlierDetector":
        """This detector with scikit-learn's signs: +1 and -1, low scores for what is odd; a fitted one stays fitted.

        What the adapter scores with is a copy: another fit of this detector does not change it.

        >>> X = np.random.default_rng(0).normal(size=(100, 2))
        >>> make_detector("knn").fit(X).as_outlier_detector().predict([[0.0, 0.0], [9.0, 9.0]])
        array([ 1, -1])
        """
        from mmdmad.detectors.outlier import OutlierDetector

        return OutlierDetector.around(self) if hasattr(self, "threshold_") else OutlierDetector(self)

    def save(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors` into `folder`."""
        self._need_fit()
        folder, fitted = Path(folder), self._as_fitted()
        make_folder(folder)
        arrays, values = fitted._state()
        arrays = {**arrays, "decision_scores_": self.decision_scores_, "unseen_scores_": self.unseen_scores_}
        write_arrays(folder / "model.safetensors", arrays)
        config = {
            "detector": self.about.name,
            "params": fitted.get_params(),
            "n_features_in_": self.n_features_in_,
            "feature_names_in_": list(getattr(self, "feature_names_in_", ())),
            "threshold_": getattr(self, "threshold_", None),
            "state": values,
        }
        if (owner := distribution_of(type(self))) != "mmdmad":
            config["distribution"] = owner
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
        self._need_fit()
        fitted = self._as_fitted()
        graph = fitted._graph()
        about = {
            "detector": self.about.name,
            "params": json.dumps(fitted.get_params()),
            "threshold": repr(getattr(self, "threshold_", None)),
            "item_score": f"mean of the highest {fitted.top:g} of an item's token scores, at least one",
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

    @abstractmethod
    def _fit(self, items: Sequence[Tokens]) -> None:
        """Learn from normal items."""

    @abstractmethod
    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        """Token scores, one float64 array (L,) an item; higher is stranger."""

    @abstractmethod
    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """What was learned, as arrays and JSON values."""

    @abstractmethod
    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        """Restore what `_state` gave."""

    def _training_scores(self, items: Sequence[Tokens]) -> np.ndarray:
        """Item scores of the training items; detectors that remember items leave each one's own memory out."""
        return self._pooled(self._score(items))

    def _items(self, X: Data) -> Sequence[Tokens]:
        """The items of X, checked against what was learned."""
        self._need_fit()
        return read_items(self, X, learn=False)

    def _need_fit(self) -> None:
        if not hasattr(self, "n_features_in_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted; call fit(X) first")

    def _need_threshold(self, what: str) -> None:
        if not hasattr(self, "threshold_"):
            raise NotFittedError(
                f"this {type(self).__name__} has no threshold (false_alarm_rate=None), which {what} needs; "
                "set false_alarm_rate and call fit(X) again"
            )

    def _unseen_scores(self, items: Sequence[Tokens]) -> np.ndarray:
        """`unseen_scores_` of the training items; a detector with a way of its own overrides it."""
        return unseen_scores(self, items, self._held)

    def _settled(self) -> dict[str, Any]:
        """Constructor arguments that this fit chose by itself, with what it chose.

        Detectors that are fitted on folds are made with them: another choice would be another scale of scores.
        """
        return {}

    def _another(self, title: str) -> Self:
        """A detector like this one, not fitted, that keeps its checkpoints in a folder of this title."""
        made = type(self)(**{**self.get_params(), **self._settled()})
        made._work, made._progress = None if self._work is None else self._work / title, self._progress
        made.n_features_in_ = self.n_features_in_
        return made

    def _judge_training(self) -> None:
        """`threshold_` from `unseen_scores_`, and `labels_`."""
        vars(self).pop("threshold_", None)
        if len(self.unseen_scores_) and self.false_alarm_rate is not None:
            self.threshold_ = honest_threshold(self.unseen_scores_, self.false_alarm_rate)
        self.labels_ = training_labels(self.decision_scores_, self.contamination, getattr(self, "threshold_", None))

    def _pooled(self, scores: Sequence[np.ndarray]) -> np.ndarray:
        """Item scores, float64 (N,), of token scores, one array (L,) per item."""
        if type(self)._pool is Detector._pool and all(len(one) == 1 for one in scores):
            return np.concatenate(scores).astype(np.float64)
        return np.array([self._pool(one) for one in scores], np.float64)

    def _pool(self, scores: np.ndarray) -> float:
        k = max(1, int(np.ceil(self.top * len(scores))))
        return float(np.sort(scores)[-k:].mean())

    def _check_params(self) -> None:
        self._check_types()
        check_sizes(self.about.name, self.get_params())
        if self.seed < 0:
            raise ConfigError(f"seed={self.seed} was given; allowed is a whole number of at least 0")
        if not 0 <= self.contamination <= 0.5:
            raise ConfigError(f"contamination={self.contamination} was given; allowed is 0 <= contamination <= 0.5")
        if not 0 < self.top <= 1:
            raise ConfigError(f"top={self.top} was given; allowed is 0 < top <= 1")
        if self.false_alarm_rate is not None and not 0 < self.false_alarm_rate < 1:
            raise ConfigError(
                f"false_alarm_rate={self.false_alarm_rate} was given; allowed are 0 < false_alarm_rate < 1 and None"
            )


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
    if saved.distribution and saved.detector not in detectors():
        reason = f"the detector {saved.detector!r} is not registered; the distribution {saved.distribution} brought it"
        raise ModelError(reason, config, f"install {saved.distribution}, or fit again with another detector")
    with reading(config):
        made = make_detector(saved.detector, **saved.params)
        made._check_params()
    with reading(arrays):
        found.setdefault("unseen_scores_", np.zeros(0))  # models saved before there were any have none
        check_arrays(found, {"decision_scores_": "f N", "unseen_scores_": "f n"})
        made.n_features_in_ = saved.n_features_in_
        if saved.feature_names_in_:
            made.feature_names_in_ = np.array(saved.feature_names_in_, object)
        if saved.threshold_ is not None:
            made.threshold_ = saved.threshold_
        made.decision_scores_, made.unseen_scores_ = found.pop("decision_scores_"), found.pop("unseen_scores_")
        made.labels_ = training_labels(made.decision_scores_, made.contamination, saved.threshold_)
        with parameters_at_most(sum(array.size for array in found.values())):
            made._set_state(found, saved.state)
        made._fitted_with = made.get_params()
    return made
