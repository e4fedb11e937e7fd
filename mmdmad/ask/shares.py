"""Shares of cases: of those that pass one filter, how many pass another; and which group has most or least."""

from typing import Literal

from pydantic import Field

from mmdmad.ask.base import Arguments, Result, Scope, query, told
from mmdmad.ask.filters import Filter
from mmdmad.ask.words import percent
from mmdmad.explain.words import fact, listed


class OfThese(Arguments):
    """Whose share, and among which."""

    cases: Filter = Field(
        default=Filter(verdict="anomalous"),
        description="the cases whose share is asked for; the filters of `among` hold for them too",
    )
    among: Filter = Field(default=Filter(), description="the cases that are taken as the whole; none = all")
    rate: float | None = Field(default=None, description="rate that verdicts are read at; none = the run's own")


class Share(Result):
    """So many `of` so many cases."""

    part: int
    of: int


class Ranked(Filter):
    """Which cases are counted, and by what the shares are told."""

    by: Literal["group", "hour", "day"] = Field(default="group", description="what is compared: groups, hours or days")
    least: bool = Field(default=False, description="whether the smallest share is asked for rather than the largest")


class Ranks(Result):
    """Cases that pass the filters and all cases, by name, in the order of shares; `first` are those at its head."""

    shares: dict[str, tuple[int, int]]
    first: tuple[str, ...] = ()


@query("share_of_cases")
def share_of_cases(scope: Scope, asked: OfThese) -> Share:
    """Which share of cases that pass one filter pass another: of the brick tiles, the flagged ones."""
    run = scope.run if asked.rate is None else scope.run.at(asked.rate)
    whole = asked.among.stored()
    part, of = run.count(**(whole | asked.cases.stored())), run.count(**whole)
    named, every = _narrowed(asked).words(), asked.among.words()
    line = f"{named} among {every} at {percent(run.rate)}: {part} of {of}"
    if not of:
        return Share(
            line=line, evidence=(told(f"There are no {every}, so there is no share.", fact("cases", 0)),), part=0, of=0
        )
    rate = f"at a declared false-alarm rate of {percent(run.rate)}"
    text = f"{part} of {of} {every} are {named}: {percent(part / of)}, {rate}."
    facts = (
        *asked.cases.facts,
        *asked.among.facts,
        fact("cases", part),
        fact("of cases", of),
        fact("share", 100 * part / of, "%"),
        fact("rate", 100 * run.rate, "%"),
    )
    return Share(line=line, evidence=(told(text, *facts),), part=part, of=of)


@query("rank_groups")
def rank_groups(scope: Scope, asked: Ranked) -> Ranks:
    """Groups, hours or days by the share of their cases that is flagged, or passes other filters, in order."""
    run = asked.of(scope.run)
    asked = asked if asked.verdict else asked.model_copy(update={"verdict": "anomalous"})
    where = asked.stored()
    every = {
        name: value for name, value in where.items() if name in ("group", "since", "until", "from_clock", "to_clock")
    }
    all_of, found = run.tally.by(asked.by, **every), run.tally.by(asked.by, **where)
    ordered = sorted(all_of, key=lambda name: (found.get(name, 0) / all_of[name], name), reverse=not asked.least)
    what, total = asked.words(), sum(all_of.values())
    line = f"{what} by {asked.by}: {run.count(**where)} of {total} cases"
    if not ordered:
        return Ranks(line=line, evidence=(told(f"No case has a {asked.by}.", fact("cases", 0)),), shares={})
    shares = {name: (found.get(name, 0), all_of[name]) for name in ordered}
    top = shares[ordered[0]][0] / shares[ordered[0]][1]
    first = tuple(name for name in ordered if shares[name][0] / shares[name][1] == top)
    word = "smallest" if asked.least else "largest"
    head = (
        f"{listed(first)} {'has' if len(first) == 1 else 'have'} the {word} share of {what}: "
        f"{shares[first[0]][0]} of {shares[first[0]][1]}{'' if len(first) == 1 else ', or as much'} ({percent(top)})."
    )
    facts = [*asked.facts, *(fact(asked.by, name) for name in first)]
    rows = [
        told(f"{name}: {n} of {m} ({percent(n / m)}).", fact(asked.by, name), fact("cases", n), fact("of cases", m),
             fact("share", 100 * n / m, "%"))
        for name, (n, m) in shares.items()
    ]  # fmt: skip
    said = told(
        head,
        *facts,
        fact("cases", shares[first[0]][0]),
        fact("of cases", shares[first[0]][1]),
        fact("share", 100 * top, "%"),
    )
    return Ranks(line=line, evidence=(said, *rows), shares=shares, first=first)


def _narrowed(asked: OfThese) -> Filter:
    """The numerator's filter without what the whole says already."""
    whole = asked.among.model_dump(exclude_defaults=True)
    own = {n: v for n, v in asked.cases.model_dump(exclude_defaults=True).items() if whole.get(n) != v}
    return Filter.model_validate(own)
