"""The same cases at two declared rates: how many more are flagged at the larger one."""

from pydantic import Field

from mmdmad.ask.base import Result, Scope, query, told
from mmdmad.ask.filters import Filter
from mmdmad.ask.words import flagged_line, percent
from mmdmad.explain.words import fact
from mmdmad.sizes import RATES


class TwoRates(Filter):
    """Which cases, at which two rates; a verdict is not asked for, it is what differs."""

    first: float = Field(
        default=0.05, ge=RATES[0], le=RATES[1], description="one declared rate as a share (0.01 = 1 %)"
    )
    second: float = Field(default=0.01, ge=RATES[0], le=RATES[1], description="the other rate")


class Difference(Result):
    """Flagged cases at either rate, the smaller rate first."""

    rates: tuple[float, float]
    flagged: tuple[int, int]


@query("compare_rates")
def compare_rates(scope: Scope, asked: TwoRates) -> Difference:
    """How many more cases are flagged at one declared false-alarm rate than at another, by any filter."""
    asked = asked.model_copy(update={"verdict": None, "rate": None})
    rates, where, what = sorted((asked.first, asked.second)), asked.stored(), asked.words()
    counts, undecided = [], []
    for rate in rates:
        run = scope.run.at(rate)
        counts.append(run.count(**where, verdict="anomalous"))
        undecided.append(run.count(**where, verdict="no verdict"))
    every = scope.run.count(**where)
    low, high = (f"{n} at {percent(rate)}" for n, rate in zip(counts, rates, strict=True))
    more = counts[1] - counts[0]
    text = f"Of {every} {what}, {high} and {low} are flagged: "
    text += f"{abs(more)} {'more' if more >= 0 else 'fewer'} at {percent(rates[1])}."
    facts = [fact("cases", every), fact("difference", abs(more)), *asked.facts]
    for rate, n in zip(rates, counts, strict=True):
        facts += [fact("declared false-alarm rate", 100 * rate, "%"), fact("flagged cases", n)]
    said = [told(text, *facts)]
    for rate, n, none in zip(rates, counts, undecided, strict=True):
        if none:
            lacking = f"{none} of these could get no verdict at {percent(rate)}." if none < every else ""
            words = lacking or flagged_line(n, every, none, rate, sentence=True)
            said.append(
                told(words, fact("without a verdict", none), fact("declared false-alarm rate", 100 * rate, "%"))
            )
    line = f"{what}, flagged at {percent(rates[1])} and at {percent(rates[0])}: {counts[1]} and {counts[0]} of {every}"
    return Difference(line=line, evidence=tuple(said), rates=(rates[0], rates[1]), flagged=(counts[0], counts[1]))
