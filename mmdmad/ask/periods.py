"""Two stretches of time side by side: how many cases each has, and which share of them passes a filter."""

from pydantic import Field

from mmdmad.ask.base import Arguments, Result, Scope, query, told
from mmdmad.ask.filters import Filter, InTime
from mmdmad.ask.words import percent, plural
from mmdmad.explain.words import fact


class Period(InTime):
    """From when to when."""

    since: str | None = Field(default=None, description="ISO date-time, or HH:MM for that time on any day (included)")
    until: str | None = Field(default=None, description="ISO date-time, or HH:MM for that time on any day (excluded)")

    def words(self) -> str:
        """The stretch in words.

        >>> Period(since="06:00", until="07:00").words()
        'from 06:00 until 07:00'
        """
        return (
            " ".join([f"from {self.since}"] * bool(self.since) + [f"until {self.until}"] * bool(self.until))
            or "any time"
        )


class Two(Arguments):
    """Which cases are counted, in which two stretches of time."""

    first: Period = Field(default=Period(), description="one stretch of time; none = any time")
    second: Period = Field(default=Period(), description="the other")
    cases: Filter = Field(default=Filter(verdict="anomalous"), description="the cases that are counted in both")


class Compared(Result):
    """Cases counted and all cases of either stretch."""

    first: tuple[int, int]
    second: tuple[int, int]


@query("compare_periods")
def compare_periods(scope: Scope, asked: Two) -> Compared:
    """Two stretches of time compared: how many cases each has, and how many of them are flagged."""
    run, rows, counts = asked.cases.of(scope.run), [], []
    what = asked.cases.words()
    for one in (asked.first, asked.second):
        inside = Filter(since=one.since, until=one.until).stored()
        every, some = run.count(**inside), run.count(**(asked.cases.stored() | inside))
        share = f" ({percent(some / every)})" if every else ""
        facts = [fact("cases", some), fact("of cases", every), fact("period", one.words())]
        facts += [fact("share", 100 * some / every, "%")] if every else []
        rows.append(told(f"{one.words().capitalize()}: {some} {what} of {plural(every)}{share}.", *facts))
        counts.append((some, every))
    line = f"{what}, {asked.first.words()} and {asked.second.words()}, at {percent(run.rate)}"
    return Compared(line=line, evidence=tuple(rows), first=counts[0], second=counts[1])
