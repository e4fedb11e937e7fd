"""What `contamination` means to detectors without a network: the items farthest from the model are left out of it.

A model that was fitted with anomalies among its items is pulled towards them, so one look is not enough: the model is
fitted, the `contamination` share of items with the highest scores is dropped, and it is fitted again on the others
(the concentration steps of Rousseeuw and Van Driessen, "A Fast Algorithm for the Minimum Covariance Determinant
Estimator", Technometrics 1999).

That works where the score sees every direction. A network's loss does not tell an anomaly from a token at a low noise
level, a residual subspace does not see the direction that anomalies have made their own, and a coreset is made of
anomalies first; such detectors are given `unsuspicious` items only, judged by two closed forms that do see them.
"""

from collections.abc import Callable, Sequence

import numpy as np

from mmdmad.detectors.items import some
from mmdmad.tokens import Tokens

ROUNDS = 2
REMEMBERED = 20_000  # tokens a position that the neighbours of a training item are looked for among


def trusted(scores: np.ndarray, contamination: float) -> np.ndarray:
    """Numbers of the items that are kept, ascending: all but the `contamination` share with the highest scores.

    >>> trusted(np.array([0.1, 9.0, 0.2, 0.3]), 0.25).tolist()
    [0, 2, 3]
    """
    count = max(2, round(len(scores) * (1.0 - contamination)))
    return np.sort(np.argsort(scores, kind="stable")[:count])


def fit_trimmed(
    items: Sequence[Tokens],
    contamination: float,
    fit: Callable[[Sequence[Tokens]], None],
    score: Callable[[Sequence[Tokens]], np.ndarray],
    rounds: int = ROUNDS,
) -> np.ndarray:
    """`fit` all items, then `rounds` times those that `score` trusts; numbers of the items of the last fit.

    >>> seen = []
    >>> items = [Tokens(np.full((1, 1), v)) for v in (0.0, 1.0, 50.0)]
    >>> fit_trimmed(items, 0.4, lambda kept: seen.append(len(kept)), lambda all: np.array([0.0, 1.0, 2.0])).tolist()
    [0, 1]
    >>> seen
    [3, 2, 2]
    """
    kept = np.arange(len(items))
    fit(items)
    for _ in range(rounds if contamination > 0 else 0):
        kept = trusted(score(items), contamination)
        fit(some(items, kept))
    return kept


def unsuspicious(items: Sequence[Tokens], contamination: float, top: float = 0.03, seed: int = 0) -> np.ndarray:
    """Numbers of the training items to learn from, ascending: all but the `contamination` share most under suspicion.

    An item is suspected when it has no near neighbours among the others (diffusion time, own tokens left out), or lies
    far from the bulk of all (Gaussian diffusion); the higher of its two ranks counts. Anomalies as dense as the normal
    items and among them pass.

    >>> X = np.random.default_rng(0).normal(size=(40, 3)); X[7] += 9.0
    >>> 7 in unsuspicious([Tokens(row[None]) for row in X], contamination=0.05)
    False
    """
    if contamination == 0:
        return np.arange(len(items))
    from mmdmad.detectors.base import make_detector

    common = {"contamination": contamination, "false_alarm_rate": None, "top": top, "seed": seed}
    alone = make_detector("dte-np", max_memory=REMEMBERED, **common).fit(items).decision_scores_
    outside = make_detector("gaussian-diffusion", **common).fit(items).decision_scores_
    ranks = [np.argsort(np.argsort(scores, kind="stable"), kind="stable") for scores in (alone, outside)]
    return trusted(np.maximum(*ranks), contamination)
