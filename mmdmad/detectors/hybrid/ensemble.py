"""An average of cheap detectors on one scale: the default where nothing is known about the data.

A Gaussian diffusion sees directions that normal tokens never take; diffusion time sees gaps between clusters. Their
raw scores cannot be added, so each is first brought to the scale of its own scores on normal tokens it has not seen
(cross-fitting, as in split-conformal prediction: Vovk et al., 2005), per position where the layout has positions.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from mmdmad.detectors.base import About, Detector, detector, make_detector
from mmdmad.detectors.chunks import by_value
from mmdmad.errors import ConfigError
from mmdmad.tokens import Tokens

PRIOR = 50.0  # tokens' worth of belief in the pooled scale when a position's own is estimated


@detector(
    About(
        "ensemble",
        "hybrid",
        "cross-fitted average of closed-form detectors (Vovk et al., 2005, for the scale)",
        "instant",
    )
)
class Ensemble(Detector):
    """Mean over `members` of log-scores, standardised on held-out normal tokens.

    members: names of detectors, with their defaults. folds: parts in which training items are held out to learn the
    scale; the members that score later are fitted on all items. per_position: learn the scale of each position apart
    ("auto": where each position has at least 8 training tokens).

    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> scores = Ensemble().fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    def __init__(
        self,
        members: Sequence[str] = ("gaussian-diffusion", "dte-np"),
        folds: int = 3,
        per_position: bool | Literal["auto"] = "auto",
        contamination: float = 0.0,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.members, self.folds, self.per_position = members, folds, per_position
        self.contamination, self.top, self.seed = contamination, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if not self.members or self.about.name in self.members or self.folds < 2:
            raise ConfigError(
                f"members={list(self.members)}, folds={self.folds} were given; allowed are one or more names of other "
                "detectors and at least 2 folds"
            )

    def _fit(self, items: list[Tokens]) -> None:
        fold = np.random.default_rng(self.seed).permutation(len(items)) % min(self.folds, len(items))
        unseen: list[list[np.ndarray]] = [[np.empty(0)] * len(items) for _ in self.members]
        for number in np.unique(fold):
            learn = [item for item, own in zip(items, fold) if own != number]
            learn = learn * 2 if len(learn) == 1 else learn
            for member, made in zip(unseen, self._make()):
                made.fit(learn)
                for i in np.flatnonzero(fold == number):
                    member[i] = made.token_scores([items[i]])[0]
        position = np.concatenate([item.layout.positions() for item in items])
        known, counts = np.unique(position, return_counts=True)
        apart = len(known) > 1 and (counts.min() >= 8 if self.per_position == "auto" else self.per_position)
        self.positions_ = known if apart else known[:0]
        trusted = self._trusted(unseen)
        self.scales_ = [
            _scales(
                np.concatenate([scores[i] for i in trusted]),
                self._row([items[i] for i in trusted]),
                len(self.positions_),
            )
            for scores in unseen
        ]
        self._train_scores = np.array([self._pool(s) for s in self._join(unseen, items)])
        self.members_ = [made.fit(items) for made in self._make()]

    def _make(self) -> list[Detector]:
        return [
            make_detector(name, contamination=self.contamination, top=self.top, seed=self.seed) for name in self.members
        ]

    def _trusted(self, unseen: list[list[np.ndarray]]) -> np.ndarray:
        """Items from which the scale is learned: all, less the `contamination` share with the highest mean rank."""
        count = len(unseen[0])
        ranks = sum(np.argsort(np.argsort([self._pool(s) for s in scores], kind="stable")) for scores in unseen)
        return np.sort(np.argsort(ranks, kind="stable")[: max(2, round(count * (1 - self.contamination)))])

    def _row(self, items: Sequence[Tokens]) -> np.ndarray:
        position = np.concatenate([item.layout.positions() for item in items])
        if not len(self.positions_):
            return np.zeros(len(position), np.int64)
        found = np.minimum(np.searchsorted(self.positions_, position), len(self.positions_) - 1)
        return np.where(self.positions_[found] == position, found, len(self.positions_))

    def _join(self, scores: list[list[np.ndarray]], items: list[Tokens]) -> list[np.ndarray]:
        joined = []
        for i, item in enumerate(items):
            row, total = self._row([item]), np.zeros(len(item.values))
            for member, scale in zip(scores, self.scales_):
                total += (_log(member[i], scale[0, 2]) - scale[row, 0]) / scale[row, 1]
            joined.append(total / len(scores))
        return joined

    def _score(self, items: list[Tokens]) -> list[np.ndarray]:
        return self._join([made.token_scores(items) for made in self.members_], items)

    def _training_scores(self, items: list[Tokens]) -> np.ndarray:
        return self._train_scores

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays: dict[str, np.ndarray] = {"positions": self.positions_}
        values: list[dict[str, Any]] = []
        for number, (made, scale) in enumerate(zip(self.members_, self.scales_)):
            own, state = made._state()
            arrays |= {f"{number}.{name}": array for name, array in own.items()} | {f"{number}.scale": scale}
            values.append(state)
        return arrays, {"members": values}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.positions_ = arrays["positions"]
        self.scales_, self.members_ = [], []
        for number, (made, state) in enumerate(zip(self._make(), values["members"])):
            own = {name.removeprefix(f"{number}."): a for name, a in arrays.items() if name.startswith(f"{number}.")}
            self.scales_.append(own.pop("scale"))
            made.n_features_in_ = self.n_features_in_
            made._set_state(own, state)
            self.members_.append(made)


def _log(scores: np.ndarray, unit: float) -> np.ndarray:
    """A logarithm for scores of any sign: asinh of the score in units of its usual size."""
    return np.arcsinh(scores / unit)


def _scales(scores: np.ndarray, row: np.ndarray, positions: int) -> np.ndarray:
    """Mean, standard deviation and unit of log-scores, (positions + 1, 3); the last row for all tokens together."""
    unit = max(float(np.median(np.abs(scores))), 1e-12) * 0.1
    logs = _log(scores, unit)
    mean, spread = logs.mean(), max(float(logs.std()), 1e-6)
    scales = np.tile([mean, spread, unit], (positions + 1, 1))
    if positions:
        for p, index in by_value(row):
            share = len(index) / (len(index) + PRIOR)
            scales[p, 0] = share * logs[index].mean() + (1 - share) * mean
            scales[p, 1] = max(share * logs[index].std() + (1 - share) * spread, 1e-6)
    return scales
