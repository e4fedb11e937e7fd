"""How many of the cases would be flagged if every one were normal: what any number of flagged cases is held against."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from mmdmad.ask.words import percent, plural
from mmdmad.calibration.conformal import attained_level, false_alarm_range
from mmdmad.explain.words import fact, number
from mmdmad.findings import Fact
from mmdmad.store.tally import Judged

MANY = 0.25
"""Share of flagged cases from which it is asked whether the cases are like those learned from at all."""


class Expected(BaseModel):
    """False alarms among `cases` that could get a verdict, were all of them normal: their mean, and 95 % of draws.

    Patterns of parts share calibration cases, so their ranges are added end by end: too wide rather than too narrow.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cases: int
    mean: float
    low: int
    high: int

    def words(self, rate: float) -> str:
        """One sentence.

        >>> Expected(cases=60, mean=2.8, low=0, high=8).words(0.05)
        'If all 60 cases were normal, 2.8 of them (95 %: 0 to 8) would be flagged at the declared 5 %.'
        """
        all_of_them = f"If all {plural(self.cases)} were normal" if self.cases != 1 else "If the one case were normal"
        return (
            f"{all_of_them}, {number(self.mean)} of them (95 %: {self.low} to {self.high}) would be flagged at the "
            f"declared {percent(rate)}."
        )

    def far_above(self, flagged: int) -> str:
        """What it may mean that so many are flagged, where that is a quarter and beyond all draws; else nothing.

        >>> Expected(cases=60, mean=2.8, low=0, high=8).far_above(14)
        ''
        >>> Expected(cases=60, mean=2.8, low=0, high=8).far_above(15)[:57]
        'A quarter and more is flagged: either something is wrong '
        """
        if not self.cases or flagged <= self.high or flagged < MANY * self.cases:
            return ""
        return (
            "A quarter and more is flagged: either something is wrong with that many cases, or these are not like the "
            "cases learned from (another machine, product, season, log format). If they are normal, learn from some of "
            "them too."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Its numbers as facts."""
        return (
            fact("cases that could be flagged", self.cases), fact("expected false alarms", self.mean),
            fact("interval level", 95, "%"), fact("fewest false alarms", self.low),
            fact("most false alarms", self.high),
        )  # fmt: skip


def expected(counts: Iterable[tuple[int, int]], rate: float) -> Expected:
    """What is expected of (size of the calibration set, cases that rest on it) at a declared rate.

    >>> expected([(199, 100)], 0.05)
    Expected(cases=100, mean=5.0, low=1, high=11)
    """
    pairs = [(size, cases) for size, cases in counts if cases]
    ends = [false_alarm_range(rate, size, cases) for size, cases in pairs]
    return Expected(
        cases=sum(cases for _, cases in pairs),
        mean=round(sum(cases * attained_level(size, rate) for size, cases in pairs), 6),
        low=sum(low for low, _ in ends),
        high=sum(high for _, high in ends),
    )


def of_all(groups: Iterable[Judged], rate: float) -> Expected:
    """What is expected of all cases that could get a verdict."""
    decided: dict[int, int] = {}
    for one in groups:
        decided[one.size] = decided.get(one.size, 0) + one.decided
    return expected(sorted(decided.items()), rate)
