"""From raw scores to one joint score whose shares add up: surprise of each term, and a heavy-tailed combination.

A **term** is one way for a case to be odd: a part's detector score, a part's contradiction with the others, or
all parts being somewhat odd together. Its **surprise** is -log of the share of normal reference cases at least as odd,
smooth and without a floor: far out a fitted tail goes on where the reference cases end, so that a worse fault always
scores higher.

Terms are combined by a weighted harmonic mean of the tail probabilities (Wilson, "The harmonic mean p-value for
combining dependent tests", PNAS 116, 2019): score = log sum_i w_i / p_i. Its size is set by the smallest p, at a
cost of only log 1/w_i, so one bad part among four is not diluted by three good ones, as it would be in a sum of
surprises (Fisher), and it holds under dependence, which parts of one case always have. Several parts that are a little
odd are what Fisher's sum is good at, so that sum is a term of its own, with its own reference. Contradictions and
parts have separate weights and never enter one sum (adding them cost up to 13 AUROC points in prototypes).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mmdmad.errors import DataError
from mmdmad.saved import check_finite, require

TAIL_FEWEST = 4
"""Reference scores without which there is no tail."""
PART, CONTRADICTION, TOGETHER = "part", "contradiction", "together"
WEIGHTS = {PART: 0.45, TOGETHER: 0.15, CONTRADICTION: 0.4}


@dataclass(frozen=True, eq=False)
class Tail:
    """Smooth upper tail of a term on normal reference cases: surprise = -log P(score >= s).

    Inside the reference scores the empirical survival function is interpolated in the log; above `start` (probability
    `mass`) it is a generalised Pareto tail with `scale` and `shape` >= 0 (Pickands 1975). Shape 0 is exponential.
    """

    grid: np.ndarray
    start: float
    mass: float
    scale: float
    shape: float

    @classmethod
    def fit(cls, scores: ArrayLike, mass: float = 0.15, least_scale: float = 0.0) -> "Tail":
        """The tail of normal reference scores (n,); a scale below `least_scale` is raised to it (shape 0).

        Shape by probability-weighted moments (Hosking and Wallis, Technometrics 29, 1987), pulled to 0 by the
        weight of 20 further exceedances, because with tens of reference cases it is mostly noise; never negative,
        because a finite end point would make every worse case equally bad.

        >>> tail = Tail.fit(np.random.default_rng(0).exponential(size=2000))
        >>> bool(abs(tail.surprise(5.0) - 5.0) < 0.7)
        True
        """
        s = np.sort(np.asarray(scores, np.float64).ravel())
        if len(s) < TAIL_FEWEST or not np.isfinite(s).all():
            needed = f"at least {TAIL_FEWEST}, all finite, are needed for a tail"
            raise DataError(f"{len(s)} reference scores were given; {needed}")
        above = max(2, round(mass * len(s)))
        start = float((s[-above] + s[-above - 1]) / 2)
        excess = s[-above:] - start
        mean = float(excess.mean())
        spread = float(s[-1] - s[0])
        if mean <= 1e-12 * max(1.0, abs(start)):
            # Most reference scores are equal: any step above them is judged against their whole spread.
            mean = max(spread / 3, 1e-6 * max(1.0, abs(start)))
            return cls(s, start, (above + 0.5) / (len(s) + 1), mean, 0.0)
        rank = (np.arange(1, above + 1) - 0.35) / above
        first = float((excess * (1 - rank)).mean())
        shape = 2 - mean / max(mean - 2 * first, 1e-12)
        shape = min(max(shape, 0.0), 0.5) * above / (above + 20)
        scale = mean * (1 - shape)
        if scale < least_scale:
            scale, shape = least_scale, 0.0
        return cls(s, start, (above + 0.5) / (len(s) + 1), scale, shape)

    def surprise(self, score: float) -> float:
        """-log of the tail probability (nats), >= 0, never decreasing in `score` and without an upper bound."""
        if score >= self.start:
            z = (score - self.start) / self.scale
            return -math.log(self.mass) + (z if self.shape == 0 else math.log1p(self.shape * z) / self.shape)
        body = self.grid[self.grid <= self.start]
        survival = (len(self.grid) - np.arange(len(body)) + 0.5) / (len(self.grid) + 1)
        surprise = np.minimum(-np.log(np.minimum(survival, 1.0)), -math.log(self.mass))
        return float(np.interp(score, np.append(body, self.start), np.append(surprise, -math.log(self.mass)), left=0.0))

    def state(self) -> np.ndarray:
        """All numbers in one float64 array."""
        return np.concatenate([[self.start, self.mass, self.scale, self.shape], self.grid])

    @classmethod
    def from_state(cls, array: np.ndarray) -> "Tail":
        """The tail that `state` described; ModelError where no reference scores give such a tail."""
        require(array.ndim == 1 and len(array) >= 8, f"a tail of shape {array.shape} has fewer than 4 reference scores")
        check_finite("a tail", array)
        start, mass, scale, shape = (float(x) for x in array[:4])
        grid = np.asarray(array[4:], np.float64)
        require((np.diff(grid) >= 0).all(), "the reference scores of a tail are not in increasing order")
        require(grid[0] <= start <= grid[-1], "a tail starts outside its reference scores")
        require(0 < mass < 1 and scale > 0 and 0 <= shape < 1, "mass, scale or shape of a tail are out of range")
        return cls(grid, start, mass, scale, shape)


@dataclass(frozen=True)
class Fused:
    """A joint score and what each part and each contradiction contributes to it; `score` is the sum of all shares."""

    score: float
    parts: dict[str, float]
    contradictions: dict[str, float]


def together(surprises: Mapping[str, float]) -> float:
    """Fisher's statistic of the parts: the sum of their surprises.

    >>> together({"image": 1.0, "text": 2.0})
    3.0
    """
    return math.fsum(surprises.values())


def fuse(parts: Mapping[str, float], contradictions: Mapping[str, float], joint: float | None) -> Fused:
    """Joint score of the surprises of parts, of contradictions, and of the parts together (None for a single part).

    Each kind's weight (WEIGHTS) is divided among its terms; kinds that do not exist hand theirs on. Terms share the
    score in proportion to w_i / p_i; the share of "together" goes to the parts in proportion to their surprise.

    >>> fused = fuse({"image": 9.0, "text": 0.1}, {"image": 0.2, "text": 0.3}, 6.0)
    >>> fused.parts["image"] / fused.score > 0.9
    True
    >>> fused.score == math.fsum([*fused.parts.values(), *fused.contradictions.values()])
    True
    """
    terms: list[tuple[str, str, float]] = [(PART, name, s) for name, s in parts.items()]
    terms += [(CONTRADICTION, name, s) for name, s in contradictions.items()]
    if joint is not None:
        terms.append((TOGETHER, "", joint))
    if not parts:
        raise DataError("no part was given; a joint score needs at least one")
    size = {kind: sum(k == kind for k, _, _ in terms) for kind in WEIGHTS}
    total = sum(weight for kind, weight in WEIGHTS.items() if size[kind])
    logs = np.array([math.log(WEIGHTS[kind] / size[kind] / total) + s for kind, _, s in terms])
    largest = float(logs.max())
    odds = np.exp(logs - largest)
    # Weights add up to one and surprises are >= 0, so the score is >= 0 and every share is too.
    score = max(0.0, largest + math.log(float(odds.sum())))
    shares = score * odds / odds.sum()
    of_parts, of_contradictions = dict.fromkeys(parts, 0.0), dict.fromkeys(contradictions, 0.0)
    for (kind, name, _), share in zip(terms, shares, strict=True):
        if kind == PART:
            of_parts[name] += float(share)
        elif kind == CONTRADICTION:
            of_contradictions[name] += float(share)
        else:
            whole = together(parts)
            for part, s in parts.items():
                of_parts[part] += float(share) * (s / whole if whole > 0 else 1 / len(parts))
    # Defined as the sum of the shares, so that it is their sum exactly and not up to rounding.
    return Fused(math.fsum([*of_parts.values(), *of_contradictions.values()]), of_parts, of_contradictions)
