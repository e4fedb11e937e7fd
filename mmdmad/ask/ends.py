"""The first and the last case, in the order of time, that pass a filter."""

from dataclasses import replace
from typing import Literal

from pydantic import Field

from mmdmad.ask.base import Cited, Result, Scope, query, told
from mmdmad.ask.filters import Filter
from mmdmad.ask.words import case_line
from mmdmad.explain.words import fact


class End(Filter):
    """Which cases are meant, and which end of them."""

    which: Literal["first", "last", "both"] = Field(
        default="both", description="the earliest case, the latest, or both"
    )


class Ends(Result):
    """The ids of the first and the last case of so many, as far as they were asked for."""

    total: int
    first: str | None = None
    last: str | None = None


@query("first_and_last")
def first_and_last(scope: Scope, asked: End) -> Ends:
    """The first and the last case in time that pass the filters (as in find_cases), with their times."""
    where, scope = asked.stored() | {"timed": True}, replace(scope, run=asked.of(scope.run))
    total, judged, what = scope.run.count(**where), scope.run.count(), asked.words()
    line = asked.line(total, judged, scope.run.rate)
    if not total:
        return Ends(
            line=line, evidence=(told(f"There are no {what} with a time.", fact("cases", 0), *asked.facts),), total=0
        )
    said: list[Cited] = []
    ids: dict[str, str] = {}
    for which, order in (("first", "time"), ("last", "-time")):
        if asked.which in (which, "both"):
            (found,) = scope.run.findings(order=order, limit=1, **where)
            one, ids[which] = case_line(found), found.case_id
            text = f"The {which} of {total} {what} is {one.evidence.caption}."
            said.append(told(text, fact("cases", total), *asked.facts, *one.evidence.facts, case=found.case_id))
    return Ends(line=line, evidence=tuple(said), total=total, first=ids.get("first"), last=ids.get("last"))
