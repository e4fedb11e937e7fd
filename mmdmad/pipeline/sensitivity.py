"""What a model would have caught, as data: p-values of normal cases with planted damage, by kind and size."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from mmdmad.calibration.binomial import clopper_pearson
from mmdmad.guarantees import Guarantee, PartName
from mmdmad.pipeline.planted import DAMAGES

HALF = 0.5
Share = Annotated[float, Field(ge=0, le=1)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Tried(_Data):
    """The p-values of cases with damage of one size; 0 is none. A case that can get no verdict has 1."""

    size: float
    p_values: tuple[Share, ...]

    def caught(self, rate: float) -> int:
        """How many are caught."""
        return sum(p <= rate for p in self.p_values)

    def share(self, rate: float) -> float:
        """Which share of the tries is caught."""
        return self.caught(rate) / len(self.p_values) if self.p_values else 0.0


class Kind(_Data):
    """Damage of one modality, in sizes from none to the largest."""

    modality: PartName
    tried: tuple[Tried, ...]

    def half(self, rate: float) -> Tried | None:
        """The smallest size from which on half of the tries and more are caught; None where that is none."""
        found = None
        for one in reversed([t for t in self.tried if t.size > 0]):
            if one.share(rate) < HALF:
                break
            found = one
        return found

    def interval(self, rate: float) -> tuple[float, float]:
        """95 % interval (Clopper and Pearson) of the share caught of the size `half`, or of the largest."""
        best = self.half(rate) or self.tried[-1]
        return clopper_pearson(best.caught(rate), len(best.p_values))

    def words(self, rate: float) -> str:
        """One sentence.

        >>> tried = (Tried(size=0, p_values=(0.5, 0.9)), Tried(size=4, p_values=(0.2, 0.01)))
        >>> Kind(modality="sensor", tried=tried).words(0.05)[:72]
        'sensor: caught in 50 % of 2 tries from a shift of 4 spreads in 10 % of t'
        """
        said, at = DAMAGES[self.modality].words, f"{100 * rate:g} %"
        none = next((t for t in self.tried if not t.size), None)
        control = "" if none is None else f"; without damage {none.caught(rate)} of {len(none.p_values)}"
        best = self.half(rate)
        if best is None:
            last = self.tried[-1]
            caught = f"{last.caught(rate)} of {len(last.p_values)} tries"
            return f"{self.modality}: at {at} even {said(last.size)} is caught in only {caught}{control}"
        low, high = (100 * end for end in self.interval(rate))
        return (
            f"{self.modality}: caught in {100 * best.share(rate):.0f} % of {len(best.p_values)} tries from "
            f"{said(best.size)} on, at {at} (95 %: {low:.3g} to {high:.3g} %){control}"
        )


class Sensitivity(_Data):
    """What would have been caught at `rate`: a kind of damage each modality.

    `free`: the p-values do not depend on the rate, so that another one can be read. `stopped`: the time was used up.
    `usual` is what stands behind verdicts on cases with the most usual parts, over all groups; of `share` of the normal
    cases p-values rank.
    """

    rate: float
    usual: Guarantee
    share: float
    kinds: tuple[Kind, ...]
    cases: int
    seconds: float = 0.0
    stopped: bool = False
    free: bool = True
