"""Bets against "nothing has changed", each fair as long as at most a named share of the cases is odd.

A bet multiplies its stake by f(p) when the next case's online conformal p-value is p. If normal cases are as they were,
their p-values are uniform and independent of the past, whatever the detector does (Vovk, Gammerman and Shafer,
"Algorithmic Learning in a Random World", 2005, theorem 8.2). If on top of that a share of at most `tolerance` of the
cases is odd in any way, p follows (1 - tolerance) uniform + tolerance anything.

With z = the standard normal quantile of 1 - p, the likelihood ratio of "scores have risen by d deviations" is
LR(z) = exp(d z - d^2 / 2). It is cut off at c and divided by 1 - tolerance, where c makes the bet fair:

    f = min(LR, c) / (1 - tolerance),    (1 - tolerance) E[min(LR, c)] + tolerance c = 1 - tolerance

so that E f <= 1 under every such mixture: nothing that an odd case can do gains more than c / (1 - tolerance). This is
the robust likelihood ratio of Huber ("A robust version of the probability ratio test", Annals of Mathematical
Statistics 36, 1965), and the c that grows fastest when the scores have really risen by d.

A bet on the **bulk** asks only how p lies among p > 0.2, where clearly odd cases never come; there it needs no cap.

A bet on the **share** of odd cases asks only whether p <= 0.1. Of all cases that is so for q = tolerance + (1 -
tolerance) / 10 at most, and for r > q where a quarter more is odd; the bet multiplies by r / q or by (1 - r) / (1 - q).
Cases that are half normal and half far off have no shift in common, and this finds them.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mmdmad.errors import DataError

BULK_FROM = 0.2
"""A bet on the bulk stakes nothing on p-values up to this."""
SHARE_UP_TO, SHARE_MORE = 0.1, 0.25
"""A bet on the share counts p-values up to the first, and is made for this share of odd cases above the tolerance."""
_NEAREST = 1e-12  # to 0 and 1 that a p-value counts as, so that its normal quantile is finite


Kind = Literal["shift", "bulk", "share"]


@dataclass(frozen=True)
class Bet:
    """A bet that scores have moved by `shift` deviations, or that more are odd; `weight` is its part of the capital."""

    weight: float
    shift: float = 0.0
    kind: Kind = "shift"

    @property
    def rising(self) -> bool:
        """Whether it gains where scores have risen."""
        return self.kind == "share" or self.shift > 0


BETS: tuple[Bet, ...] = (
    Bet(0.55, 0.35), Bet(0.2, 0.6), Bet(0.06, 1.0), Bet(0.02, 2.5), Bet(0.04, -0.7), Bet(0.06, 0.5, "bulk"),
    Bet(0.07, kind="share"),
)  # fmt: skip
"""Shares were chosen by simulation (`mmdmad bench run drift`): small shifts take longest, so they get most."""


@lru_cache(maxsize=256)
def cap(shift: float, tolerance: float) -> float:
    """The c of the module's formula: where the likelihood ratio of a shift is cut off.

    >>> round(cap(1.0, 0.1), 3), round(cap(1.0, 0.2), 3)
    (1.865, 1.256)
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    if not 0 < tolerance < 0.5 or shift == 0:
        raise DataError(f"shift={shift}, tolerance={tolerance} were given; a shift and 0 < tolerance < 0.5 are needed")
    size = abs(shift)  # z and -z are alike where nothing has changed

    def excess(log_c: float) -> float:
        edge = log_c / size + size / 2  # LR < c below this z
        mean = ndtr(edge - size) + np.exp(log_c) * ndtr(-edge)
        return float(mean + tolerance / (1 - tolerance) * np.exp(log_c) - 1)

    return float(np.exp(brentq(excess, -20.0, 20.0, xtol=1e-14)))


def gains(p_values: ArrayLike, tolerance: float) -> np.ndarray:
    """What each of `BETS` multiplies its stake by: (..., B) for online p-values (...).

    >>> gains([0.01, 0.5], 0.1).round(2).tolist()
    [[1.17, 1.45, 2.07, 5.77, 0.17, 1.0, 2.18], [1.05, 0.93, 0.67, 0.05, 0.87, 1.03, 0.72]]
    """
    from scipy.special import ndtri

    p = np.asarray(p_values, np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise DataError("p-values that are no number from 0 to 1 were given to a drift test")
    z = -ndtri(np.clip(p, _NEAREST, 1 - _NEAREST))
    inside = (p - BULK_FROM) / (1 - BULK_FROM)
    z_bulk = -ndtri(np.clip(inside, _NEAREST, 1 - _NEAREST))
    made = []
    for bet in BETS:
        if bet.kind == "share":
            usual = tolerance + (1 - tolerance) * SHARE_UP_TO
            more = usual + SHARE_MORE * (1 - SHARE_UP_TO)
            made.append(np.where(p <= SHARE_UP_TO, more / usual, (1 - more) / (1 - usual)))
            continue
        ratio = np.exp(bet.shift * (z_bulk if bet.kind == "bulk" else z) - bet.shift**2 / 2)
        if bet.kind == "bulk":
            made.append(np.where(p > BULK_FROM, ratio, 1.0))
        else:
            made.append(np.minimum(ratio, cap(bet.shift, tolerance)) / (1 - tolerance))
    return np.stack(made, axis=-1)
