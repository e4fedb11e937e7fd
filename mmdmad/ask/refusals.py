"""Parts and cases that could not be read or judged, and why."""

from pydantic import BaseModel, ConfigDict, Field

from mmdmad.ask.base import Arguments, Result, Scope, query, told
from mmdmad.explain.words import fact

LIMIT = 1000


class Refusals(Arguments):
    """How many refusals are listed."""

    limit: int = Field(default=20, ge=1, le=LIMIT, description="how many refusals are listed")


class Refusal(BaseModel):
    """A part (or, as "case", a whole case) that could not be used; `row` of the manifest where it has one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: str
    part: str
    reason: str
    row: int | None


class Refused(Result):
    """How many refusals there are, and those on the page."""

    total: int
    refused: tuple[Refusal, ...]


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
        refused=tuple(Refusal(case_id=r.case_id, part=r.part, reason=r.reason, row=r.row) for r in page),
    )  # fmt: skip
