"""Lists and counts of cases that pass a filter; filters, counts and orders are SQL's."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from mmdmad.ask.base import Cited, Result, Scope, query, told
from mmdmad.ask.filters import Filter
from mmdmad.ask.words import case_line, in_stretches, percent, short, stretch_line
from mmdmad.cases import Modality
from mmdmad.errors import ConfigError
from mmdmad.explain.words import fact, listed
from mmdmad.findings import Finding
from mmdmad.store.stretched import stretched
from mmdmad.store.tally import By
from mmdmad.stretches import Stretch

LIMIT = 100
BY_NUMBER = {
    "score": "the joint score, smallest first", "-score": "the joint score, largest first",
    "p_value": "the joint p-value, smallest first", "-p_value": "the joint p-value, largest first",
}  # fmt: skip
BY_WORDS = {"driver": "largest share", "kind": "kind of evidence", "missing": "missing part"}


class Find(Filter):
    """Which cases are listed, in which order, and which page of them."""

    order: Literal["rank", "-rank", "time", "-time", "score", "-score", "p_value", "-p_value"] = Field(
        default="rank",
        description="rank = most anomalous first, time = oldest first, score and p_value = smallest first; a minus "
        "turns it round",
    )
    by_part: Modality | None = Field(
        default=None, description="rank (or -rank) by the p-value of this part alone; cases without it are left out"
    )
    limit: int = Field(default=10, ge=1, le=LIMIT, description="how many cases are listed")
    offset: int = Field(default=0, ge=0, description="how many cases at the head are left out")
    why: bool = Field(default=False, description="whether the strongest evidence of each listed case is told too")


class Count(Filter):
    """Which cases are counted, and by what."""

    by: By | None = Field(default=None, description="the property by which they are counted; none = all together")


class Found(Result):
    """A page of cases; `filter` says them in words.

    Where neighbouring windows of a recording are told as one, `stretches` says of how many the page is, and `cases` are
    the most anomalous of each.
    """

    filter: str
    total: int
    cases: tuple[str, ...]
    stretches: int | None = None


class Counted(Result):
    """How many cases there are, and by what, most first; `most` are the keys with the largest count."""

    filter: str
    total: int
    by: By | None
    counts: dict[str, int]
    most: tuple[str, ...]


@query("find_cases")
def find_cases(scope: Scope, asked: Find) -> Found:
    """List cases, most anomalous first, with verdict, p-value and what drives them; every argument filters."""
    where, scope, order, what = asked.stored(), replace(scope, run=asked.of(scope.run)), str(asked.order), asked.words()
    if asked.by_part is not None:
        order = _of_part(asked.by_part, asked.order)
        where["ranked_by"] = asked.by_part
        what += f" with {asked.by_part}, by its p-value alone"
    elif asked.order in BY_NUMBER:
        what += f", by {BY_NUMBER[asked.order]}"
    if asked.order in ("time", "-time"):
        where["timed"] = True  # a case without a time has no place in this order
    total, judged = scope.run.count(**where), scope.run.count()
    if asked.verdict == "anomalous" and asked.order == "rank" and asked.by_part is None:
        together = stretched(scope.run, **where)
        if in_stretches(total, together):
            return _by_stretch(scope, asked, total, judged, together)
    page = scope.run.findings(order=order, limit=asked.limit, offset=asked.offset, **where)
    if not total:
        _known(scope, asked)
    none, every = _impossible(scope, asked, where, total)
    head = told(none or f"There are {total} {what}.", fact("cases", total), fact("listed", len(page)), *asked.facts)
    lines = [(_with_number(case_line(f), f, asked), f) for f in page]
    return Found(
        line=asked.line(total, every or judged, scope.run.rate, bool(none)),
        evidence=(head, *_lines(lines, asked.why)), filter=what, total=total, cases=tuple(f.case_id for f in page),
    )  # fmt: skip


def _by_stretch(scope: Scope, asked: Find, total: int, judged: int, together: tuple[Stretch, ...]) -> Found:
    """Flagged cases with neighbouring windows as one; counts stay those of the windows."""
    some = together[asked.offset : asked.offset + asked.limit]
    page = [(s, finding) for s in some if (finding := scope.run.finding(s.peak)) is not None]
    text = f"There are {total} {asked.words()}{in_stretches(total, together)} of windows side by side."
    head = told(text, fact("cases", total), fact("stretches", len(together)), fact("listed", len(page)))
    return Found(
        line=asked.line(total, judged, scope.run.rate),
        evidence=(head, *_lines([(stretch_line(s, finding), finding) for s, finding in page], asked.why)),
        filter=asked.words(), total=total, cases=tuple(s.peak for s, _ in page), stretches=len(together),
    )  # fmt: skip


def _of_part(part: str, order: str) -> str:
    """The order of the store by one part; ConfigError for an order that is not one by oddness."""
    if order not in ("rank", "-rank"):
        raise ConfigError(f"order={order!r} was given with by_part; allowed are rank and -rank")
    return f"{'-' if order[0] == '-' else ''}part:{part}"


def _with_number(line: Cited, finding: Finding, asked: Find) -> Cited:
    """A case line with the number by which the list is ordered, where it is not there: a score, a part's p-value."""
    part = asked.by_part
    if asked.order in ("score", "-score"):
        said = f"{line.evidence.caption.rstrip('.')}, joint score {short(finding.score)}"
        return told(said, *line.evidence.facts, case=line.case)
    found = None if part is None else finding.part(part)
    if found is None:
        return line
    p = short(found.p_value)
    said = f"{line.evidence.caption.rstrip('.')}, {part} p-value {p}"
    return told(said, *line.evidence.facts, fact(f"{part} p-value", p), case=line.case)


def _lines(page: Sequence[tuple[Cited, Finding]], why: bool) -> Iterator[Cited]:
    """A line for each case, and where that is asked for its strongest evidence after it, as numbered in the case."""
    for line, finding in page:
        yield line
        if why and finding.strongest is not None:
            yield Cited(case=finding.case_id, evidence=finding.strongest)


@query("count_cases")
def count_cases(scope: Scope, asked: Count) -> Counted:
    """Count cases that pass the filters (as in find_cases), in all or by group, driver, channel, hour, day, …"""
    plain, where, what = scope.run, asked.stored(), asked.words()
    scope = replace(scope, run=asked.of(plain))
    total, judged = scope.run.count(**where), scope.run.count()
    if not total:
        _known(scope, asked)
    counts = {} if asked.by is None else scope.run.tally.by(asked.by, **where)
    most = tuple(key for key, n in counts.items() if n == max(counts.values()))
    none, every = _impossible(scope, asked, where, total)
    if none:
        said = [told(none, fact("cases", 0), fact("judged cases", every), *asked.facts)]
    elif total == 1:
        said = [told(f"There is 1 {what.replace('cases', 'case', 1)}.", fact("cases", 1), *asked.facts)]
    else:
        said = [told(f"There are {total or 'no'} {what}.", fact("cases", total), *asked.facts)]
    if asked.rate is not None and asked.verdict is not None and not none:
        own = asked.model_copy(update={"rate": None})
        base = plain.count(**own.stored())
        said.append(
            told(
                f"At the run's own {percent(plain.rate)}: {base}.",
                fact("cases", base),
                fact("rate", 100 * plain.rate, "%"),
            )
        )
    if asked.by is not None and counts:
        name, top = BY_WORDS.get(asked.by, asked.by), max(counts.values())
        each = "has the most: " if len(most) == 1 else "have the most: "
        text = f"By {name}, {listed(most)} {each}{top}{'' if len(most) == 1 else ' each'} of {total} {what}."
        said = [
            told(
                text,
                fact("cases", total),
                fact("most cases", top),
                *asked.facts,
                *(fact(asked.by, key) for key in most),
            )
        ]
        said += [told(f"{key}: {n}.", fact(asked.by, key), fact("cases", n)) for key, n in counts.items()]
    return Counted(
        line=asked.line(total, every or judged, scope.run.rate, bool(none)), evidence=tuple(said), filter=what,
        total=total, by=asked.by, counts=counts, most=most,
    )  # fmt: skip


def _impossible(scope: Scope, asked: Filter, where: dict[str, Any], total: int) -> tuple[str, int]:
    """That none of the cases meant could be flagged, and why, and how many they are; ("", 0) where one could.

    "0 flagged" would sound as if all were well.
    """
    meant = {name: value for name, value in where.items() if name != "verdict"}
    every = scope.run.count(**meant) if asked.verdict == "anomalous" and not total else 0
    if not every or scope.run.count(**meant, verdict="no verdict") < every:
        return "", 0
    why = next((f.guarantee.note for f in scope.run.findings(limit=1, **meant)), "") if asked.rate is None else ""
    if asked.rate is not None and (sizes := scope.run.tally.sizes()) is not None:
        most = sizes[1]
        why = f"only {most} calibration cases stand behind them, so no p-value is below {short(1 / (most + 1))}"
    which = asked.model_copy(update={"verdict": None, "rate": None}).words()
    none = f"None of the {every} {which} could be flagged at {percent(scope.run.rate)}"
    return f"{none}: {why}." if why else f"{none}.", every


def _known(scope: Scope, asked: Filter) -> None:
    """Refuse a group, channel or label that this run does not know, rather than to say that there are no such cases."""
    if asked.label and not scope.run.tally.labels():
        raise ConfigError(f"label {asked.label!r} was given; no case of this run has a label")
    for name, values, known in (
        ("group", asked.group, scope.run.groups), ("channel", asked.channel, scope.run.tally.channels),
    ):  # fmt: skip
        if values and (unknown := [value for value in values if value not in (names := known())]):
            raise ConfigError(
                f"{name} {unknown[0]!r} was given; in this run there are {', '.join(names[:20]) or 'none'}"
            )
