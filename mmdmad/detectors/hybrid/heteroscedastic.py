"""Scores compared with what is usual for items of the same look: a detector's level as a function of the item.

A coarse, bright or wide item scores higher everywhere than a fine, dark or narrow one though both are normal, so a
faint fault on a quiet item drowns among loud normal ones. Here the usual score s of a token at position p is modelled
given the item, as heteroscedastic regression does with a variance (Harvey, "Estimating Regression Models with
Multiplicative Heteroscedasticity", Econometrica 44, 1976):

    log s(x, p) = w_p . [1, c] + u,    c: the item's look,    score: u over its usual spread

For a Gaussian diffusion, whose energy is a sum of squares over variances, this is a normal model whose variance depends
on the item. The look is robust, so that a local fault does not change it: the median over the item's tokens on a few
principal axes. Level and spread are learned from scores that each training item got from a model fitted without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mmdmad.detectors.base import About, Detector, detector, make_detector
from mmdmad.detectors.items import as_rows, owners, positions, some, split
from mmdmad.detectors.kit.chunks import by_value, groups, in_chunks
from mmdmad.detectors.kit.features import PRIOR, FeatureSpace
from mmdmad.detectors.kit.trimming import trusted
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Tokens

FOLDS = 3
AXES = 128  # principal axes of tokens on which the median is taken
ITEMS = 10  # training items needed for each direction of the look
TOKENS = 4  # an item with fewer tokens has no look apart from them
CHUNK = 64


@detector(
    About(
        "heteroscedastic",
        "hybrid",
        "Harvey, Econometrica 1976 (scale as a function of the case), over closed-form diffusion scores",
        "seconds",
        branch="adaptive",
        formula="mean over bases of (log s(x, p) - w_p . [1, c]) / spread, c the median token of the item",
        use="Pictures, windows or clips of several kinds, exposures or textures, and faults small beside the "
        "differences between normal items.",
        avoid="Single vectors, and faults that change a whole item: the look takes part of those for a kind.",
        fidelity="idea",
        differs="A regression of the log score on an item's look is the econometric model; for anomaly scores it "
        "was put together here.",
    )
)
class Heteroscedastic(Detector):
    """How far the bases' scores are above what is usual for items that look like this one, in standard deviations.

    bases: names of the detectors whose scores are averaged; base_params: their arguments by name. dims: principal axes
    of the look, at most one for ten training items, none where items have fewer than four tokens. Scores are
    compared in the log where all training scores are positive, else as they are. The look counts no further than it
    went in training, so an item unlike all others finds no excuse.

    `dims` and the bases were chosen on the two tile-disjoint splits of magnetic tile pictures: see docs/results.md.

    >>> rng = np.random.default_rng(0)
    >>> kind = np.tile([[[1.0]], [[8.0]]], (100, 20, 1))  # every other item varies eight times as much as the others
    >>> X = np.concatenate([kind * rng.normal(size=(200, 20, 4)), kind], axis=2)
    >>> quiet, noisy = X[2].copy(), X[3]
    >>> quiet[7, :4] = 12.0  # far for a quiet item, usual in a noisy one
    >>> scores = Heteroscedastic().fit(X).decision_function(np.stack([quiet, noisy]))
    >>> bool(scores[0] > scores[1] + 1)
    True
    """

    _unseen_by = "own"

    def __init__(
        self,
        bases: Sequence[str] = ("gaussian-diffusion",),
        dims: int = 8,
        base_params: Mapping[str, Mapping[str, Any]] | None = None,
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.bases, self.dims, self.base_params = bases, dims, base_params
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if not self.bases or isinstance(self.bases, str) or self.about.name in self.bases or self.dims < 0:
            raise ConfigError(
                f"bases={self.bases!r}, dims={self.dims} were given; allowed are one or more other detectors and "
                "dims >= 0"
            )

    def _make(self, name: str) -> Detector:
        common = {
            "contamination": self.contamination,
            "false_alarm_rate": None,
            "top": self.top,
            "seed": self.seed,
        }
        return make_detector(name, **{**common, **(self.base_params or {}).get(name, {})})

    def _fit(self, items: Sequence[Tokens]) -> None:
        self.look_ = Look.fit(items, self.dims)
        looks = self.look_.of(items)
        owner, place = owners(items), self.look_.space.index(positions(items))
        self.members_ = [self._made(name, items) for name in self.bases]
        self.levels_, kept = [], np.ones(len(items), bool)
        unseen = [self._unseen(made, items) for made in self.members_]
        if self.contamination > 0:
            order = np.mean([np.argsort(np.argsort(self._pooled(one))) for one in unseen], axis=0)
            kept[:] = False
            kept[trusted(order, self.contamination)] = True
        of_kept, total = kept[owner], np.zeros(len(place))
        for scores in unseen:
            flat = np.concatenate(scores)
            level = Level.fit(flat[of_kept], place[of_kept], looks[owner][of_kept], len(self.look_.space.positions))
            self.levels_.append(level)
            total += level.above(flat, place, looks[owner]) / len(self.bases)
        self._train_scores = self._pooled(split(items, total))

    def _made(self, name: str, items: Sequence[Tokens]) -> Detector:
        work = None if self._work is None else self._work / name
        return self._make(name).fit(items, work=work, progress=self._progress)

    def _unseen(self, member: Detector, items: Sequence[Tokens]) -> list[np.ndarray]:
        """Token scores of each training item by one like `member` that did not see it; by itself where items are few.

        What the member chose by itself holds for the folds too: another choice would be another level of scores.
        """
        if len(items) < 2 * FOLDS:
            return member.token_scores(items)
        fold = np.random.default_rng(self.seed).permutation(len(items)) % FOLDS
        found: list[np.ndarray] = [np.zeros(0)] * len(items)
        for number in range(FOLDS):
            left_out, made = np.flatnonzero(fold == number), member._another(f"fold-{number}")
            made._fit(some(items, np.flatnonzero(fold != number)))
            for i, scores in zip(left_out, made._score(some(items, left_out))):
                found[i] = np.asarray(scores, np.float64)
        return found

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        scores: list[np.ndarray] = []
        for group in groups(items):
            rows, looks = as_rows(group), self.look_.of(group)
            place = self.look_.space.index(rows.position)
            total = np.zeros(len(rows.values))
            for made, level in zip(self.members_, self.levels_):
                flat = np.concatenate(made.token_scores(group))
                total += level.above(flat, place, looks[rows.item]) / len(self.members_)
            scores.extend(rows.split(total))
        return scores

    def _training_scores(self, items: Sequence[Tokens]) -> np.ndarray:
        return self._train_scores

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays = self.look_.arrays()
        values: dict[str, Any] = {"members": [], "levels": []}
        for number, (made, level) in enumerate(zip(self.members_, self.levels_)):
            own, state = made._state()
            arrays |= {f"{number}.{name}": array for name, array in own.items()} | {f"level.{number}": level.weights}
            values["members"].append(state)
            values["levels"].append([level.spread, level.floor])
        return arrays, values

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.look_ = Look.from_arrays(arrays, self.n_features_in_)
        rows, columns = len(self.look_.space.mean), 1 + len(self.look_.scale)
        self.members_, self.levels_ = [], []
        for number, (name, state, (spread, floor)) in enumerate(
            zip(self.bases, values["members"], values["levels"], strict=True)
        ):
            check_arrays(arrays, {f"level.{number}": f"f {rows} {columns}"})
            require(spread > 0 and (floor is None or floor > 0), "the spread or the floor of a level is not above 0")
            made = self._make(name)
            made.n_features_in_ = self.n_features_in_
            made._set_state(
                {key.removeprefix(f"{number}."): a for key, a in arrays.items() if key.startswith(f"{number}.")}, state
            )
            self.members_.append(made)
            self.levels_.append(Level(arrays[f"level.{number}"], spread, floor))


@dataclass(frozen=True, eq=False)
class Look:
    """What an item looks like: its median token on the axes of `space`, on the training items' own principal axes.

    `centre` (A,), `basis` (A, k) and `scale` (k,) belong to those medians, `low` and `high` (k,) are the smallest and
    the largest look in training, beyond which a look is not followed.
    """

    space: FeatureSpace
    centre: np.ndarray
    basis: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def fit(cls, items: Sequence[Tokens], dims: int) -> Self:
        """Learn at most `dims` axes from training items."""
        space = FeatureSpace.fit(items, AXES)
        medians = _medians(space, items)
        enough = np.median(np.bincount(owners(items))) >= TOKENS
        count = min(dims, len(items) // ITEMS, medians.shape[1]) if enough else 0
        centre = medians.mean(axis=0)
        _, sizes, axes = np.linalg.svd(medians - centre, full_matrices=False)
        count = min(count, int((sizes > 1e-6 * max(float(sizes[0]), 1e-12)).sum()))
        basis = np.ascontiguousarray(axes[:count].T)
        looks = (medians - centre) @ basis
        scale = looks.std(axis=0)
        empty = np.zeros(0)
        low, high = ((looks / scale).min(axis=0), (looks / scale).max(axis=0)) if count else (empty, empty)
        return cls(space, centre, basis, scale, low, high)

    def of(self, items: Sequence[Tokens]) -> np.ndarray:
        """Looks (N, k) of items, each kept between the training items' lowest and highest."""
        medians = np.concatenate([_medians(self.space, group) for group in groups(items)])
        looks = in_chunks(lambda chunk: (chunk - self.centre) @ self.basis, medians, CHUNK) / self.scale
        return np.clip(looks, self.low, self.high)

    def arrays(self) -> dict[str, np.ndarray]:
        """The fitted state as arrays, for safetensors."""
        own = {name: getattr(self, name) for name in ("centre", "basis", "scale", "low", "high")}
        return self.space.arrays() | {f"look.{name}": array for name, array in own.items()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], width: int) -> Self:
        """The look that `arrays` gave for tokens of `width` features; ModelError where it is none."""
        space = FeatureSpace.from_arrays(arrays, width)
        forms = {"centre": "f A", "basis": "f A k", "scale": "f k", "low": "f k", "high": "f k"}
        check_arrays(arrays, {f"look.{name}": form for name, form in forms.items()}, A=space.width)
        require((arrays["look.scale"] > 0).all(), "look.scale holds a number that is not above 0")
        require((arrays["look.low"] <= arrays["look.high"]).all(), "look.low lies above look.high")
        own = (arrays[f"look.{name}"] for name in ("centre", "basis", "scale", "low", "high"))
        return cls(space, *own)


def _medians(space: FeatureSpace, items: Sequence[Tokens]) -> np.ndarray:
    rows = as_rows(items)
    axes, _ = space.transform(rows.values, rows.position)
    return np.stack([np.median(one, axis=0) for one in rows.split(axes)]).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Level:
    """Usual score of a token given its item's look: `weights` (P + 1, 1 + k), a row a position, the last for others.

    Each position's weights are ridge estimates pulled towards those of all positions together, as if by `PRIOR` tokens.
    `spread` is the standard deviation around the level, `floor` the smallest score whose logarithm is taken; None
    where scores are compared as they are.
    """

    weights: np.ndarray
    spread: float
    floor: float | None

    @classmethod
    def fit(cls, scores: np.ndarray, place: np.ndarray, looks: np.ndarray, positions: int) -> Self:
        """Learn from scores (M,) of tokens at places (M,) in items of these looks (M, k).

        >>> look = np.linspace(-1, 1, 50)[:, None]
        >>> level = Level.fit(np.exp(2 + 3 * look[:, 0]), np.zeros(50, int), look, 0)
        >>> np.round(level.weights, 1)
        array([[2., 3.]])
        """
        floor = float(scores.min()) if (scores > 0).all() else None
        values = scores if floor is None else np.log(scores)
        design = np.column_stack([np.ones(len(looks)), looks])
        all_together = _ridge(design, values, 1e-6 * len(design))
        weights = np.tile(all_together, (positions + 1, 1))
        left = values - design @ all_together
        for p, index in by_value(place):
            if p < positions:
                weights[p] += _ridge(design[index], left[index], PRIOR)
        spread = float((values - (weights[place] * design).sum(axis=1)).std())
        return cls(weights, max(spread, 1e-9 * (1.0 + float(np.abs(values).max()))), floor)

    def above(self, scores: np.ndarray, place: np.ndarray, looks: np.ndarray) -> np.ndarray:
        """How many spreads scores (M,) lie above their usual level."""
        values = scores if self.floor is None else np.log(np.maximum(scores, self.floor))
        usual = self.weights[place, 0] + (self.weights[place, 1:] * looks).sum(axis=1)
        return np.asarray((values - usual) / self.spread)


def _ridge(design: np.ndarray, values: np.ndarray, penalty: float) -> np.ndarray:
    gram = design.T @ design + penalty * np.eye(design.shape[1])
    return np.linalg.solve(gram, design.T @ values)
