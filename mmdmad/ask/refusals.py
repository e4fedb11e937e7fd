"""Parts and cases that could not be read or judged, and why."""

from pydantic import Field

from mmdmad.ask.base import Arguments, Result, Scope, query, told
from mmdmad.explain.words import fact

LIMIT = 1000


class Refusals(Arguments):
    """How many refusals are listed."""

    limit: int = Field(default=20, ge=1, le=LIMIT, description="how many refusals are listed")


class Refused(Result):
    """The refusals on the page: case, part ("case" for the whole), reason, and the manifest's row where it has one."""

    total: int
    refused: tuple[tuple[str, str, str, int | None], ...]


@query("list_refusals")
def list_refusals(scope: Scope, asked: Refusals) -> Refused:
    """Parts and cases that could not be read or judged, and why."""
    total, page = scope.run.tally.refused(), scope.run.refusals(limit=asked.limit)
    if total:
        noun = "part or case was" if total == 1 else "parts or cases were"
        said = [told(f"{total} {noun} refused:", fact("refused", total))]
    else:
        said = [told("0 parts or cases were refused: everything could be read.", fact("refused", 0))]
    for r in page:
        facts = (fact("case", r.case_id), fact("part", r.part), fact("reason", r.reason))
        said.append(told(f"{r.case_id}, {r.part}: {r.reason}", *facts, case=r.case_id))
    return Refused(
        line=f"refused parts and cases: {total}", evidence=tuple(said), total=total,
        refused=tuple((r.case_id, r.part, r.reason, r.row) for r in page),
    )  # fmt: skip
