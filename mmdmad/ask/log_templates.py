"""Which templates of log lines are new, since when and how often evidence names them."""

from typing import Any

from pydantic import Field

from mmdmad.ask.base import Cited, Result, Scope, query, told
from mmdmad.ask.filters import InTime, moments
from mmdmad.ask.words import plural
from mmdmad.explain.log_lines import SEEN, TEMPLATE
from mmdmad.explain.words import fact
from mmdmad.store.log_templates import Named, named


class Which(InTime):
    """Which templates are meant."""

    since: str | None = Field(default=None, description="ISO date-time, or HH:MM of any day: cases from then on")
    until: str | None = Field(default=None, description="ISO date-time, or HH:MM of any day: cases before it")
    new: bool = Field(default=True, description="only templates that no normal line follows; false = all named ones")
    limit: int = Field(default=10, ge=1, le=100, description="how many templates are listed")


class Listed(Result):
    """The templates, most flagged cases first; `total` counts those that were not listed too."""

    total: int
    templates: tuple[str, ...]


@query(
    "log_templates",
    asked=(
        "which templates", "what templates", "new templates", "new template", "list … templates", "log templates",
        "new log lines", "new kinds of lines", "new kind of line", "new lines", "lines … new", "unseen lines",
        "never seen lines", "lines never seen", "new log events",
    ),
    section="New kinds of log lines",
)  # fmt: skip
def log_templates(scope: Scope, asked: Which) -> Listed:
    """Templates of log lines that evidence names: which are new, since when, in how many cases."""
    where: dict[str, Any] = moments(asked.since, asked.until)
    found = named(scope.run, asked.new, **where)
    what = "new template of log lines" if asked.new else "template of log lines"
    head = f"Evidence names {len(found) or 'no'} {what.replace('template', 'templates') if len(found) != 1 else what}."
    left = len(found) - asked.limit
    more = (
        [told(f"{left} more {'is' if left == 1 else 'are'} not listed.", fact("not listed", left))] if left > 0 else []
    )
    return Listed(
        line=f"{what.replace('template', 'templates')}: {len(found)}",
        evidence=(told(head, fact("templates", len(found))), *map(_line, found[: asked.limit]), *more[: max(0, left)]),
        idle=not found, total=len(found), templates=tuple(one.template for one in found[: asked.limit]),
    )  # fmt: skip


def _line(one: Named) -> Cited:
    facts = [fact(TEMPLATE, one.template), fact(SEEN, one.normal_lines), fact("cases", one.cases)]
    facts += [fact("flagged cases", one.flagged), fact("case", one.peak)]
    kind = f"{one.normal_lines} normal lines follow it" if one.normal_lines else "new"
    words = f"“{one.template}”: {kind}, named in the evidence of {plural(one.cases)} ({one.flagged} flagged)"
    if one.first:
        facts += [fact("first time", one.first), fact("last time", one.last)]
        words += f", since {one.first}" + (f", last {one.last}" if one.last != one.first else "")
    return told(f"{words}; most anomalous {one.peak}.", *facts, case=one.peak)
