"""A cascade: a cheap detector judges everything, a costly one only what the cheap one leaves undecided.

The edge-cloud idea of the survey of diffusion models for anomaly detection (arXiv 2501.11430), after the attentional
cascade of Viola and Jones, CVPR 2001. Which scores leave an item undecided is learned from normal items that neither
detector was fitted on, without labels, and fixed: an item is judged the same whatever comes with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mmdmad.detectors.base import About, Data, Detector, detector, make_detector
from mmdmad.detectors.items import some
from mmdmad.detectors.kit.trimming import trusted
from mmdmad.detectors.unseen import lowest
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Tokens

FEW = 20  # items below which none is held out
TAIL = 0.1  # share of the held-out scores from which the tail beyond them is learned
KEPT = 2048  # points of a scale


@dataclass(frozen=True, eq=False)
class Scale:
    """Scores as nats: minus the logarithm of the share of held-out normal scores that are at least as high.

    `points` (n,) are held-out scores, ascending; `tail` is the mean excess over their 90 % quantile. Above that
    quantile the share falls off exponentially, as tails of many distributions do (Pickands, Annals of Statistics,
    1975), so that ranks go on where the held-out scores end.
    """

    points: np.ndarray
    tail: float

    @classmethod
    def fit(cls, scores: np.ndarray) -> Self:
        """Learn from held-out scores (N,)."""
        ordered = np.sort(np.asarray(scores, np.float64))
        if len(ordered) > KEPT:
            ordered = ordered[np.linspace(0, len(ordered) - 1, KEPT).round().astype(int)]
        start = np.quantile(ordered, 1 - TAIL)
        excess = float((ordered[ordered >= start] - start).mean())
        return cls(ordered, max(excess, 1e-3 * float(ordered.std()), 1e-9 * (1.0 + abs(float(start)))))

    def nats(self, scores: np.ndarray) -> np.ndarray:
        """Surprise (N,) of scores (N,), strictly rising with them.

        >>> scale = Scale.fit(np.arange(1000.0))
        >>> scale.nats(np.array([499.5, 899.1])).round(2).tolist()  # half, a tenth are as high
        [0.69, 2.3]
        """
        start = np.quantile(self.points, 1 - TAIL)
        share = 1.0 - (np.arange(len(self.points)) + 0.5) / len(self.points)
        inside = np.interp(np.minimum(scores, start), self.points, -np.log(share))
        return (
            inside + np.maximum(scores - start, 0.0) / self.tail + np.minimum(scores - self.points[0], 0.0) / self.tail
        )


@detector(
    About(
        "cascade",
        "hybrid",
        "edge-cloud cascade (survey, arXiv 2501.11430; Viola and Jones, 2001)",
        "seconds",
        branch="combined",
        formula="-log of the share of held-out normal items with a higher cheap score; the costly score's where "
        "that is undecided",
        use="Many items, few of them doubtful, and a costly detector that is worth its price on those.",
        avoid="Where the cheap detector misses anomalies with certainty: what it passes is not looked at again.",
        fidelity="idea",
        differs="The survey names the direction only; band and scales are this library's.",
    )
)
class Cascade(Detector):
    """Nats of the cheap detector's score, or of the costly one's where the cheap score lies in the undecided band.

    cheap, costly: names of detectors, cheap_params and costly_params their arguments. band: the quantiles of the cheap
    scores of held-out items between which an item is undecided: below it is plainly normal (with 0 nothing is), above
    plainly odd. held_out: share of the training items kept from both detectors to learn band and scales; with fewer
    than 20 items both learn from all.

    An item's score is its surprise in nats among the held-out items, by the detector that judged it; its token scores
    are that detector's in nats among held-out tokens, moved so that they pool to it.
    `share_` is the share of the training items that were sent on; `undecided` says which items of others are.

    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> model = Cascade().fit(X)
    >>> scores = model.decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0]), model.undecided(np.array([[0.0, 0, 0], [9, 9, 9]])).tolist()
    (True, [False, False])
    """

    def __init__(
        self,
        cheap: str = "gaussian-diffusion",
        costly: str = "dte-np",
        band: tuple[float, float] = (0.75, 1.0),
        held_out: float = 0.25,
        cheap_params: Mapping[str, Any] | None = None,
        costly_params: Mapping[str, Any] | None = None,
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.cheap, self.costly, self.band, self.held_out = cheap, costly, band, held_out
        self.cheap_params, self.costly_params = cheap_params, costly_params
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.about.name in (self.cheap, self.costly) or not 0 < self.held_out <= 0.5:
            raise ConfigError(
                f"cheap={self.cheap!r}, costly={self.costly!r}, held_out={self.held_out} were given; allowed are other "
                "detectors and 0 < held_out <= 0.5"
            )
        if len(self.band) != 2 or not 0 <= self.band[0] < self.band[1] <= 1:
            raise ConfigError(f"band={self.band} was given; allowed are two quantiles, 0 <= low < high <= 1")

    def _make(self) -> tuple[Detector, Detector]:
        common = {
            "contamination": self.contamination,
            "false_alarm_rate": None,
            "top": self.top,
            "seed": self.seed,
        }
        return (
            make_detector(self.cheap, **{**common, **(self.cheap_params or {})}),
            make_detector(self.costly, **{**common, **(self.costly_params or {})}),
        )

    def _fit(self, items: Sequence[Tokens]) -> None:
        shuffled = np.random.default_rng(self.seed).permutation(len(items))
        held = np.sort(shuffled[: round(self.held_out * len(items))] if len(items) >= FEW else shuffled[:0])
        rest = np.setdiff1d(np.arange(len(items)), held)
        learn = some(items, rest)
        self.members_ = self._make()
        scores, self.scales_ = np.empty((2, len(items))), []
        for number, (made, title) in enumerate(zip(self.members_, ("cheap", "costly"))):
            made.fit(learn, work=None if self._work is None else self._work / title, progress=self._progress)
            scores[number, rest] = made.decision_scores_
            probe = held if len(held) else rest
            tokens = made.token_scores(some(items, probe))
            if len(held):
                scores[number, held] = made._pooled(tokens)
            kept = trusted(scores[number, probe], self.contamination)
            pair = Scale.fit(scores[number, probe][kept]), Scale.fit(np.concatenate([tokens[i] for i in kept]))
            self.scales_.append(pair)
            if number == 0:
                low, high = np.quantile(scores[0, probe][kept], self.band)
                self.band_ = (float(low) if self.band[0] else -np.finfo(float).max, float(high))
        sent = self._undecided(scores[0])
        self._train_scores = np.where(sent, self.scales_[1][0].nats(scores[1]), self.scales_[0][0].nats(scores[0]))
        self.share_ = float(sent.mean())
        self._judged = held

    def _unseen_scores(self, items: Sequence[Tokens]) -> np.ndarray:
        """Those of the held-out items, which neither member learned from, if there are any."""
        if not len(self._judged):
            return super()._unseen_scores(items)
        return lowest(self._train_scores[self._judged], self.contamination)

    def undecided(self, X: Data) -> np.ndarray:
        """Which items the cheap detector leaves to the costly one, bool (N,)."""
        return self._undecided(self.members_[0].decision_function(self._items(X)))

    def _undecided(self, scores: np.ndarray) -> np.ndarray:
        return (scores >= self.band_[0]) & (scores <= self.band_[1])

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        cheap, costly = self.members_
        tokens = cheap.token_scores(items)
        pooled = cheap._pooled(tokens)
        found = self._on_scale(tokens, pooled, 0)
        sent = np.flatnonzero(self._undecided(pooled))
        if len(sent):
            tokens = costly.token_scores(some(items, sent))
            pooled = costly._pooled(tokens)
            for i, scores in zip(sent, self._on_scale(tokens, pooled, 1)):
                found[i] = scores
        return found

    def _on_scale(self, tokens: list[np.ndarray], pooled: np.ndarray, number: int) -> list[np.ndarray]:
        """Token scores in nats that pool to their item's own nats."""
        of_item, of_token = self.scales_[number]
        cuts = np.cumsum([len(s) for s in tokens])[:-1]
        each = np.split(of_token.nats(np.concatenate(tokens)), cuts)
        return [nats + (item - self._pool(nats)) for nats, item in zip(each, of_item.nats(pooled))]

    def _training_scores(self, items: Sequence[Tokens]) -> np.ndarray:
        return self._train_scores

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays: dict[str, np.ndarray] = {}
        values: dict[str, Any] = {"band": list(self.band_), "share": self.share_, "members": [], "tails": []}
        for number, (made, scales) in enumerate(zip(self.members_, self.scales_)):
            own, state = made._state()
            arrays |= {f"{number}.{name}": array for name, array in own.items()}
            arrays |= {f"{number}.scale.{which}": one.points for which, one in zip(("item", "token"), scales)}
            values["members"].append(state)
            values["tails"].append([one.tail for one in scales])
        return arrays, values

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        low, high = (float(edge) for edge in values["band"])
        self.band_, self.share_ = (low, high), float(values["share"])
        require(low <= high and 0 <= self.share_ <= 1, f"a band of {self.band_} or a share of {self.share_} is none")
        self.members_, self.scales_ = self._make(), []
        for number, (made, state, tails) in enumerate(
            zip(self.members_, values["members"], values["tails"], strict=True)
        ):
            own = {name.removeprefix(f"{number}."): a for name, a in arrays.items() if name.startswith(f"{number}.")}
            check_arrays(own, {"scale.item": "f n", "scale.token": "f m"})
            points = own.pop("scale.item"), own.pop("scale.token")
            require(all(len(one) and (np.diff(one) >= 0).all() for one in points), "a scale is not increasing")
            require(len(tails) == 2 and min(tails) > 0, "the tail of a scale is not above 0")
            self.scales_.append((Scale(points[0], tails[0]), Scale(points[1], tails[1])))
            made.n_features_in_ = self.n_features_in_
            made._set_state(own, state)
