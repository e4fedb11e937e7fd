"""Sections of a report that are made by queries with a heading of their own; a name stands here for its place alone."""

import logging
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from mmdmad.ask.base import Query, Scope, queries, told_error
from mmdmad.ask.events import Found
from mmdmad.findings import Evidence

log = logging.getLogger(__name__)
LINES = 50  # pieces of evidence of a section
ASKED = {"list_events": {"limit": LINES - 1}, "log_templates": {"limit": LINES - 2}}  # with head and end they have room
FIRST = ("list_events",)  # what is told before the cases
FOLDED = ("rates", "recording_rates")  # statistics, which stand folded away at the end
TABLED = ("by_group",)  # what the report shows in a table of its own


class Section(BaseModel):
    """What a query with a heading of its own adds to the report: its line, and its evidence up to a limit.

    `cases` are those that the pieces of evidence are of, one for each ("" for what is of none).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    line: str
    evidence: tuple[Evidence, ...] = ()
    cases: tuple[str, ...] = ()
    left_out: int = 0
    failed: bool = False
    place: str = ""


def sections(scope: Scope) -> Iterator[Section]:
    """The sections of all queries with a heading that have something to say."""
    for query in queries().values():
        found = _section(query, scope) if query.section and query.name not in TABLED else None
        if found is not None:
            place = "first" if query.name in FIRST else "folded" if query.name in FOLDED else ""
            yield found.model_copy(update={"place": place})


def _section(query: Query, scope: Scope) -> Section | None:
    """What a query says, or in one line why it says nothing: another distribution's code must not cost the report."""
    try:
        found = query(scope, **ASKED.get(query.name, {}))
    except Exception as error:
        log.debug("section %s", query.section, exc_info=True)
        return Section(title=query.section, line=f"This section failed: {told_error(query.name, error)}", failed=True)
    if found.idle:
        return None
    page = found.evidence[:LINES]
    left_out = len(found.evidence) - len(page)
    if isinstance(found, Found):
        left_out += found.total - len(found.events)
    return Section(
        title=query.section, line=found.line, evidence=tuple(one.evidence for one in page),
        cases=tuple(one.case or "" for one in page), left_out=left_out,
    )  # fmt: skip
