"""The drift test: does the promise of the calibration still hold, for a stream of online conformal p-values?

Each of `bets.BETS` keeps two accounts. One stakes all it has from the first case on (its capital W is a product of
gains, W_0 = 1). The other begins anew at every case, so that it finds a change however late it comes: the
Shiryaev–Roberts sum S_t = (S_{t-1} + 1) f_t, here over HORIZON. The test's level is their mean over the bets,

    level_t = sum over bets of weight * (W_t + S_t / HORIZON) / 2,

and it speaks at SPEAKS = 20 (Vovk et al., "Retrain or not retrain: conformal test martingales for change-point
detection", PMLR 152, 2021, for both accounts).

**Proved**, as long as each gain has mean at most 1 given the past, which holds for a stream that is exchangeable with
the calibration cases: level_t + (T - t) / (2 HORIZON) is then a nonnegative supermartingale up to any case T, begun
at (1 + T / HORIZON) / 2. So the test speaks wrongly within T cases with probability (1 + T / HORIZON) / 40 at most
(Ville's inequality, 1939): 5 % within 400 cases, 10 % within 1,200; and on average not before 15,600 cases. A stake
that is withheld only takes gains away and changes nothing in this.

**Measured** (`mmdmad bench run drift`, `docs/results.md`): with odd cases among the stream. What odd cases add to the
gains is bounded by `tolerance` as derived in `bets`; but they also enter the ranks of later cases, which makes normal
p-values larger than uniform. That lowers the bets on a rise and raises the (small) one on a fall, for which there is
then no theorem.

**No stake behind a flagged case**: an event is no drift. Within a run of flagged cases only the first is staked on as
it is, others can lose but not gain; a run that has come to LONG goes on over one unflagged case. That is so for at most
RUN cases at once and a tenth of all in the long run (REFILL), since a stream that is flagged half the time is no event.
Bets on the share of odd cases stake only where the case before was not flagged, which decides before a case is seen.
"""

from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field

from mmdmad.calibration.bets import BETS, gains
from mmdmad.errors import DataError
from mmdmad.saved import require, validated

HORIZON = 400
"""Cases within which the bound on wrong lapses is 5 %."""
SPEAKS = 20.0
TOLERANCES = (0.1, 0.2)
"""Shares of odd cases that two tests put up with: the first speaks sooner, the second says more."""
FLAGGED = 0.05
"""A case with a fixed p-value up to this counts as flagged here, whatever rate is declared."""
LONG = 3
RUN, REFILL = 30, 0.1
"""Flagged cases that stakes are withheld from at once, and how many more for each case that comes."""
_MOST = 1e300  # an account that has grown so far grows no further, so that numbers stay finite
_SHARES = np.array([bet.kind == "share" for bet in BETS])
_Amount = Annotated[float, Field(ge=0, le=_MOST)]
_Count = Annotated[int, Field(ge=0)]


class _State(BaseModel):
    """What `DriftTest.state` gives."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    tolerance: float = Field(gt=0, lt=0.5)
    cases: int = Field(ge=0)
    run: int = Field(ge=0)
    quiet: int = Field(ge=0)
    spared: float = Field(ge=0, le=RUN)
    capital: list[_Amount]
    restarted: list[_Amount]
    best: list[_Amount]
    since: list[_Count]


class DriftTest:
    """The accounts of all bets at one tolerance, for one stream or, in simulations, for many alike.

    >>> test = DriftTest(0.1)
    >>> for p in [0.02, 0.3, 0.05, 0.01, 0.2, 0.04, 0.1, 0.02] * 4:
    ...     test.update(p, flagged=p <= 0.02)
    >>> bool(test.level >= SPEAKS), test.rising.item(), test.began.item()
    (True, True, 0)
    """

    def __init__(self, tolerance: float, streams: tuple[int, ...] = ()) -> None:
        self.tolerance = tolerance
        self.cases = 0
        shape = (*streams, len(BETS))
        self._capital = np.ones(shape)
        self._restarted = np.zeros(shape)
        self._best = np.zeros(shape)  # the largest product of gains from any case on, and that case
        self._since = np.zeros(shape, np.int64)
        self._run = np.zeros(streams, np.int64)
        self._quiet = np.zeros(streams, np.int64)
        self._spared = np.full(streams, float(RUN))  # flagged cases that a stake may still be withheld from
        self._weights = np.array([bet.weight for bet in BETS])

    def update(self, p_values: ArrayLike, flagged: ArrayLike) -> None:
        """Enter the next case of each stream: its online p-value (...), and whether its fixed one flags it (...)."""
        p, flag = np.asarray(p_values, np.float64), np.asarray(flagged, bool)
        if p.shape != self._run.shape or flag.shape != p.shape:
            raise DataError(f"p-values {p.shape} and flags {flag.shape} were given for streams {self._run.shape}")
        gain = gains(p, self.tolerance)
        ended = self._quiet > (self._run >= LONG)
        run = np.where(ended, 0, self._run)
        self._spared = np.minimum(self._spared + REFILL, RUN)
        withheld = flag & (run > 0) & (self._spared >= 1)
        after_flagged = (self._quiet == 0) & (self.cases > 0)
        none = np.where(_SHARES, after_flagged[..., None], False)
        gain = np.where(none, 1.0, np.where(withheld[..., None] & ~_SHARES, np.minimum(gain, 1.0), gain))
        self._spared -= withheld
        self._run, self._quiet = run + flag, np.where(flag, 0, self._quiet + 1)
        self._capital = np.minimum(self._capital * gain, _MOST)
        self._restarted = np.minimum((self._restarted + 1) * gain, _MOST)
        anew = self._best <= 1
        self._since = np.where(anew, self.cases, self._since)
        self._best = np.minimum(np.where(anew, 1.0, self._best) * gain, _MOST)
        self.cases += 1

    @property
    def level(self) -> np.ndarray:
        """The evidence against "as before, with at most this share odd" (...), 0.5 before the first case."""
        return np.asarray(self._worth.sum(axis=-1))

    @property
    def rising(self) -> np.ndarray:
        """Whether the bet that has gained most says that scores have risen (...)."""
        return np.array([bet.rising for bet in BETS])[self._leading]

    @property
    def began(self) -> np.ndarray:
        """The number of the case (...) at which the gains of the leading bet began: an estimate of the change."""
        return np.asarray(np.take_along_axis(self._since, self._leading[..., None], axis=-1)[..., 0])

    @property
    def _worth(self) -> np.ndarray:
        return np.asarray(self._weights * (self._capital + self._restarted / HORIZON) / 2)

    @property
    def _leading(self) -> np.ndarray:
        return np.asarray(self._worth.argmax(axis=-1))

    def state(self) -> dict[str, Any]:
        """Everything the test knows of one stream, as JSON values (floats survive JSON exactly)."""
        return {
            "tolerance": self.tolerance,
            "cases": self.cases,
            "run": int(self._run),
            "quiet": int(self._quiet),
            "spared": float(self._spared),
            "capital": self._capital.tolist(),
            "restarted": self._restarted.tolist(),
            "best": self._best.tolist(),
            "since": self._since.tolist(),
        }

    @classmethod
    def from_state(cls, state: Any) -> "DriftTest":
        """The test that `state` described; ModelError where no test can have written it."""
        known = validated(_State, state)
        made = cls(known.tolerance)
        made.cases = known.cases
        made._run, made._quiet, made._spared = np.array(known.run), np.array(known.quiet), np.array(known.spared)
        for name in ("capital", "restarted", "best", "since"):
            values = np.array(getattr(known, name))
            require(values.shape == (len(BETS),), f"{name} has {len(values)} values for {len(BETS)} bets")
            setattr(made, f"_{name}", values)
        require(max(known.since) <= known.cases, "a bet begins after the last case")
        require(max(known.run, known.quiet) <= known.cases, "a run is longer than the stream")
        return made
