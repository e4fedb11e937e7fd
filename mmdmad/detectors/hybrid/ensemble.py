"""Diffusion times under two noises, absolute and relative: the default where nothing is known about the vectors.

Diffusion time without a network (Livernoche et al., ICLR 2024, section 3) asks how much noise would have brought a
normal token x_0 to x. Under Gaussian noise the mode of the posterior of s^2 given one x_0 is |x - x_0|^2 / D; under
Laplace noise of scale b, whose density is (2 b)^-D exp(-|x - x_0|_1 / b), it is b = |x - x_0|_1 / D. Four such times
are averaged, each with its weakness covered by the others:

- after a signed logarithm, arcsinh(2 z) of the standardised features z, so that a heavy tail does not set the
  scale: Laplace time;
- after each feature was brought to a normal distribution by its ranks, so that bunched features count as well:
  Gaussian time, as root of its mean square;
- both again, divided by the mean time of the neighbours themselves: how much longer than is usual there (the idea of
  LOF: Breunig, Kriegel, Ng, Sander, SIGMOD 2000).

Raw times cannot be added. Each becomes -log of the share of normal tokens whose leave-one-out time is as long, as in
conformal prediction (Vovk, Gammerman, Shafer, 2005), and the four logarithms are averaged (Fisher's method, 1932).
Beyond the longest normal time it goes on with the logarithm of the distance to it.
No label, no network, no noise draw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from scipy.special import ndtri

from mmdmad.detectors.base import About, Detector, detector
from mmdmad.detectors.items import as_rows, owners, positions, some
from mmdmad.detectors.kit.chunks import by_value, groups
from mmdmad.detectors.kit.features import FeatureSpace
from mmdmad.detectors.kit.neighbours import Memory, check_memory
from mmdmad.detectors.kit.trimming import ROUNDS, trusted
from mmdmad.errors import ConfigError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Tokens

CANDIDATES = 24  # nearest by squared distance, among which the nearest by absolute distance are sought
KNOTS = 4096  # order statistics kept a feature and a time; more training tokens than that are thinned evenly
OWN = {"row": "i", "owner": "i", "own": "f"}  # what a view keeps of each token besides its values
TINY = 1e-3  # of the median time: what is added before logarithms, for tokens with exact copies


@detector(
    About(
        "ensemble",
        "hybrid",
        "diffusion times of Livernoche et al., ICLR 2024, absolute and relative to the neighbours' (LOF, SIGMOD 2000)",
        "instant",
        branch="combined",
        formula="mean of four -log p, p the share of normal tokens with as long a diffusion time",
        use="Vectors and tables about which nothing is known: four diffusion times cover each other's weakness.",
        avoid="Where a map of single positions or one named cause is wanted, and where memory of the training "
        "tokens is too much.",
        fidelity="idea",
        differs="Made here of diffusion times, ranks and conformal shares; no paper has this combination.",
    )
)
class Ensemble(Detector):
    """Mean over four diffusion times of -log p among normal tokens; see the module for the formula.

    neighbours: nearest training tokens whose times are averaged. per_position: standardise and compare tokens only
    within their position ("auto": where each has at least 8 training tokens). max_memory: training tokens remembered
    per position at most, a seeded sample of them beyond; bounds the time and memory of large sets. contamination:
    this share of training items, those with the highest scores, is forgotten and the rest fitted again.

    Its parts and settings were chosen on every other ADBench table (the first, third, ... of the 37 by number, seeds 0
    and 1) and 7 of the 15 MVTec feature categories (the second, fourth, ...). On the other halves it leads clearly on
    the features, but on the tables by one of them (Wilt): see docs/results.md.

    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> scores = Ensemble().fit(X).decision_function(np.array([[0.0, 0, 0], [9, 9, 9]]))
    >>> bool(scores[1] > scores[0])
    True
    """

    _unseen_by = "own"

    def __init__(
        self,
        neighbours: int = 5,
        per_position: bool | Literal["auto"] = "auto",
        max_memory: int = 20_000,
        contamination: float = 0.0,
        false_alarm_rate: float | None = 0.05,
        top: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.neighbours, self.per_position, self.max_memory = neighbours, per_position, max_memory
        self.contamination, self.false_alarm_rate, self.top, self.seed = contamination, false_alarm_rate, top, seed

    def _check_params(self) -> None:
        super()._check_params()
        if self.neighbours < 1 or self.max_memory < 2:
            raise ConfigError(
                f"neighbours={self.neighbours}, max_memory={self.max_memory} were given; allowed are neighbours >= 1 "
                "and max_memory >= 2"
            )

    def _fit(self, items: Sequence[Tokens]) -> None:
        self._fit_on(items, np.arange(len(items)))
        self._train_scores = self._leave_own_out(items)
        for _ in range(ROUNDS if self.contamination > 0 else 0):
            kept = trusted(self._train_scores, self.contamination)
            self._fit_on(some(items, kept), kept)
            self._train_scores = self._leave_own_out(items)

    def _fit_on(self, items: Sequence[Tokens], names: np.ndarray) -> None:
        """Fit on `items`; names (N,) number them among all training items."""
        self.space_ = FeatureSpace.fit(items, items[0].values.shape[1], self.per_position)
        row = self.space_.index(positions(items))
        keep = _sample(row, self.max_memory, self.seed)
        owner = names[owners(items)][keep]
        kept = np.zeros(len(row), bool)
        kept[keep] = True
        parts, start = [], 0
        for group in groups(items):
            rows = as_rows(group)
            chosen = kept[start : start + len(rows.values)]
            parts.append(self.space_.transform(rows.values[chosen], rows.position[chosen])[0])
            start += len(rows.values)
        standard = np.concatenate(parts)
        self.marginals_ = Marginals.fit(standard)
        logs = View(self.marginals_.logs(standard), row[keep], owner, self.neighbours, 1)
        ranks = View(self.marginals_.ranks(standard), row[keep], owner, self.neighbours, 2)
        self.views_ = (logs, ranks)
        self.tails_ = [Tail.fit(times) for view in self.views_ for times in view.learn_own()]

    def _join(self, items: Sequence[Tokens], owner: np.ndarray | None = None) -> list[np.ndarray]:
        """Scores of tokens; with owner (N,), each item's own remembered tokens are left out."""
        rows = as_rows(items)
        standard, _ = self.space_.transform(rows.values, rows.position)
        row, own = self.space_.index(rows.position), None if owner is None else owner[rows.item]
        logs, ranks = self.views_
        times = (
            *logs.times(self.marginals_.logs(standard), row, own),
            *ranks.times(self.marginals_.ranks(standard), row, own),
        )
        return rows.split(np.mean([tail.surprise(t) for tail, t in zip(self.tails_, times)], axis=0))

    def _score(self, items: Sequence[Tokens]) -> list[np.ndarray]:
        return [scores for group in groups(items) for scores in self._join(group)]

    def _leave_own_out(self, items: Sequence[Tokens]) -> np.ndarray:
        scores: list[np.ndarray] = []
        for group in groups(items):
            owner = np.arange(len(scores), len(scores) + len(group))
            scores.extend(self._join(group, owner))
        return self._pooled(scores)

    def _training_scores(self, items: Sequence[Tokens]) -> np.ndarray:
        return self._train_scores

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays = {**self.space_.arrays(), "knots": self.marginals_.knots, "spread": self.marginals_.spread}
        for name, view in zip(("logs", "ranks"), self.views_):
            arrays |= {f"{name}.{key}": array for key, array in view.arrays().items()}
        for number, tail in enumerate(self.tails_):
            arrays |= {f"tail.{number}": np.concatenate([[tail.floor], tail.known])}
        return arrays, {}

    def _set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        self.space_ = FeatureSpace.from_arrays(arrays, self.n_features_in_)
        forms = {"knots": "f D K", "spread": "f D", "logs.tokens": "f n D", "ranks.tokens": "f n D"}
        forms |= {f"{view}.{name}": f"{kind} n" for view in ("logs", "ranks") for name, kind in OWN.items()}
        forms |= {f"tail.{number}": f"f t{number}" for number in range(4)}
        found = check_arrays(arrays, forms, D=self.n_features_in_)
        require((arrays["spread"] > 0).all(), "a spread is not above 0")
        for view in ("logs", "ranks"):
            check_memory(found["n"], arrays[f"{view}.row"], len(self.space_.positions))
        rising = [arrays["knots"], *(arrays[f"tail.{number}"][1:] for number in range(4))]
        require(all(r.shape[-1] and (np.diff(r) >= 0).all() for r in rising), "knots or a tail are not increasing")
        require(all(arrays[f"tail.{number}"][0] > 0 for number in range(4)), "the floor of a tail is not above 0")
        self.marginals_ = Marginals(arrays["knots"], arrays["spread"])
        logs, ranks = (
            View(arrays[f"{name}.tokens"], arrays[f"{name}.row"], arrays[f"{name}.owner"], self.neighbours, power)
            for name, power in (("logs", 1), ("ranks", 2))
        )
        logs.own, ranks.own = arrays["logs.own"], arrays["ranks.own"]
        self.views_ = (logs, ranks)
        self.tails_ = [Tail(float(a[0]), a[1:]) for a in (arrays[f"tail.{number}"] for number in range(4))]


@dataclass(frozen=True, eq=False)
class Marginals:
    """Each feature on its own: order statistics `knots` (D, n) and the spread (D,) of its signed logarithm."""

    knots: np.ndarray
    spread: np.ndarray

    @classmethod
    def fit(cls, standard: np.ndarray) -> Self:
        """Learn from standardised tokens (M, D)."""
        spread = np.arcsinh(2.0 * standard.astype(np.float64)).std(axis=0)
        knots = np.ascontiguousarray(np.sort(standard, axis=0)[_evenly(len(standard))].T)
        return cls(knots, np.where(spread > 1e-9, spread, 1.0))

    def logs(self, standard: np.ndarray) -> np.ndarray:
        """arcsinh(2 z) over its spread, float32 (M, D)."""
        return (np.arcsinh(2.0 * standard.astype(np.float64)) / self.spread).astype(np.float32)

    def ranks(self, standard: np.ndarray) -> np.ndarray:
        """Normal quantile of each value's middle rank among the training values, float32 (M, D).

        >>> Marginals(np.array([[1.0, 2.0, 3.0]]), np.ones(1)).ranks(np.array([[2.0]], np.float32))
        array([[0.]], dtype=float32)
        """
        out, count = np.empty(standard.shape, np.float32), self.knots.shape[1]
        for feature, knots in enumerate(self.knots):
            below, upto = (np.searchsorted(knots, standard[:, feature], side) for side in ("left", "right"))
            out[:, feature] = ndtri((0.5 * (below + upto) + 0.5) / (count + 1))
        return out


class View:
    """Remembered tokens in one view of the features, one `Memory` a position, with their own diffusion times.

    power: 1 for Laplace noise, 2 for Gaussian noise. The nearest by absolute distance are sought among the
    `CANDIDATES` nearest by squared distance, so that one fast search serves both.
    """

    def __init__(self, tokens: np.ndarray, row: np.ndarray, owner: np.ndarray, neighbours: int, power: int) -> None:
        self.tokens, self.row, self.owner = tokens, row, owner
        self.own = np.zeros(len(tokens))
        self._neighbours, self._power = neighbours, power
        self._where = dict(by_value(row))
        self._memories = {position: self._memory(index) for position, index in self._where.items()}

    def _memory(self, index: np.ndarray) -> Memory:
        return Memory(self.tokens[index], np.zeros(len(index), np.float32), self.owner[index])

    def learn_own(self) -> tuple[np.ndarray, np.ndarray]:
        """Leave-own-item-out times of the remembered tokens, absolute and relative, each (n,)."""
        self.own, near = self._nearest(self.tokens, self.row, self.owner)
        return self.own, self._relative(self.own, near)

    def times(self, tokens: np.ndarray, row: np.ndarray, owner: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Absolute and relative diffusion times of tokens (M, D), each (M,)."""
        time, near = self._nearest(tokens, row, owner)
        return time, self._relative(time, near)

    def _relative(self, time: np.ndarray, near: np.ndarray) -> np.ndarray:
        usual = np.where(near >= 0, self.own[near], 0.0).sum(axis=1) / np.maximum((near >= 0).sum(axis=1), 1)
        return time / (usual + TINY * np.median(self.own) + 1e-12)

    def _nearest(self, tokens: np.ndarray, row: np.ndarray, owner: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Diffusion time (M,) and the neighbours (M, k) as rows of `tokens`; -1 where there are fewer."""
        time, near = np.zeros(len(tokens)), np.full((len(tokens), self._neighbours), -1)
        for position, index in by_value(row):
            if position not in self._memories:  # never seen: compared with all tokens together
                self._where[position] = np.arange(len(self.tokens))
                self._memories[position] = self._memory(self._where[position])
            own = None if owner is None else owner[index]
            time[index], found = self._of(self._memories[position], tokens[index], own)
            near[index, : found.shape[1]] = np.where(found >= 0, self._where[position][found], -1)
        return time, near

    def _of(self, memory: Memory, tokens: np.ndarray, owner: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        count = max(CANDIDATES, self._neighbours) if self._power == 1 else self._neighbours
        zeros = np.zeros(len(tokens), np.float32)
        powers, rows = memory.nearest(tokens, zeros, count, owner)
        if self._power == 1:
            powers = np.where(np.isfinite(powers), _absolute(tokens, memory.axes, rows), np.inf)
            order = np.argsort(powers, axis=1, kind="stable")[:, : self._neighbours]
            powers, rows = np.take_along_axis(powers, order, axis=1), np.take_along_axis(rows, order, axis=1)
        found = np.isfinite(powers)
        mean = np.where(found, powers, 0.0).sum(axis=1) / np.maximum(found.sum(axis=1), 1) / tokens.shape[1]
        return mean ** (1.0 / self._power), np.where(found, rows, -1)

    def arrays(self) -> dict[str, np.ndarray]:
        """The remembered tokens as arrays, for safetensors."""
        return {"tokens": self.tokens, "row": self.row, "owner": self.owner, "own": self.own}


@dataclass(frozen=True, eq=False)
class Tail:
    """Surprise of a time among normal ones: -log of the share of normal tokens with a time as long.

    `known` (n,) are ascending log-times of normal tokens left out of the memory; between them the surprise is
    interpolated. Beyond the longest it grows with the logarithm of the distance to it, in units of the mean excess
    over the 90 % quantile, so that no single time outvotes the others however long it is.
    """

    floor: float
    known: np.ndarray

    @classmethod
    def fit(cls, times: np.ndarray) -> Self:
        """Learn from leave-one-out times (M,) of normal tokens."""
        floor = TINY * float(np.median(times)) + 1e-12
        return cls(floor, np.log(np.sort(times)[_evenly(len(times))] + floor))

    def surprise(self, times: np.ndarray) -> np.ndarray:
        """-log p (M,) of times (M,).

        >>> tail = Tail.fit(np.arange(1.0, 100.0))
        >>> np.round(np.exp(-tail.surprise(np.array([1.0, 51.0, 99.0]))), 2)
        array([0.99, 0.49, 0.01])
        """
        logs, count = np.log(times + self.floor), len(self.known)
        levels = -np.log((count - np.arange(count)) / (count + 1.0))
        high = self.known[int(0.9 * count) :]
        excess = max(float((high - high[0]).mean()), 1e-3)
        beyond = np.maximum(logs - self.known[-1], 0.0) / excess
        return np.interp(logs, self.known, levels) + np.log1p(beyond)


def _evenly(count: int) -> np.ndarray:
    """At most `KNOTS` indices spread evenly over `count` sorted values, both ends among them."""
    return np.unique(np.linspace(0, count - 1, min(count, KNOTS)).round().astype(np.int64))


def _sample(row: np.ndarray, limit: int, seed: int) -> np.ndarray:
    """Indices, ascending, of at most `limit` tokens of each row number, drawn by seed."""
    shuffled = np.random.default_rng(seed).permutation(len(row))
    order = shuffled[np.argsort(row[shuffled], kind="stable")]
    starts = np.searchsorted(row[order], row[order], side="left")
    return np.sort(order[np.arange(len(order)) - starts < limit])


def _absolute(tokens: np.ndarray, memory: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Sums of absolute differences (m, c) float64 between each token and its candidate rows, in bounded memory."""
    sums = np.empty(rows.shape)
    step = max(1, 4_000_000 // max(1, rows.shape[1] * tokens.shape[1]))
    for start in range(0, len(tokens), step):
        part = slice(start, start + step)
        difference = tokens[part, None].astype(np.float64) - memory[rows[part]]
        sums[part] = np.abs(difference, out=difference).sum(axis=2)
    return sums
