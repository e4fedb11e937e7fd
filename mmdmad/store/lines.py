"""Flagged cases by the line of a text that stands out in them, numbers left out: what happened again in other words."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mmdmad.explain.text_normal import template
from mmdmad.findings import Finding
from mmdmad.store.db import CaseRow, EvidenceRow, FactRow
from mmdmad.store.query import Filters

if TYPE_CHECKING:
    from mmdmad.store.run import Run

QUOTE = "quote"


def line_of(finding: Finding, part: str) -> str | None:
    """The first line that evidence of a part quotes; None where it quotes none."""
    own = (e for e in finding.evidence if e.part == part and e.kind == "words")
    return next((str(f.value) for e in own for f in e.facts if f.name == QUOTE), None)


def by_line(run: "Run", part: str, **filters: Any) -> dict[str, dict[str, tuple[float, str] | None]]:
    """Of each line without its numbers the cases that pass the filters and quote it, each with seconds and clock.

    Long lines are quoted cut, so that they are like another where their beginnings are.
    """
    query = select(CaseRow.id, CaseRow.time, CaseRow.clock, FactRow.value)
    query = query.join(FactRow, FactRow.case_id == CaseRow.id)
    query = query.join(EvidenceRow, (EvidenceRow.case_id == FactRow.case_id) & (EvidenceRow.id == FactRow.evidence))
    query = query.where(FactRow.name == QUOTE, EvidenceRow.kind == "words", EvidenceRow.part == part)
    query = query.where(*Filters(**filters).conditions(run._at))
    found: dict[str, dict[str, tuple[float, str] | None]] = {}
    with Session(run._engine) as session:
        for case, seconds, clock, quote in session.execute(query.execution_options(yield_per=1000)):
            moment = None if seconds is None or clock is None else (seconds, clock[:19])
            found.setdefault(template(str(quote)), {})[case] = moment
    return found
