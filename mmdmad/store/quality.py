"""How good the data of a run are: refusals and notes counted by kind, in SQL as far as their words are the same."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from mmdmad.store.db import EvidenceRow, FactRow, RefusalRow

if TYPE_CHECKING:
    from mmdmad.store.run import Run

MOST = 5000
"""Different wordings that are looked at; where there are more, the rest is counted as one kind of its own."""
REST = "others"
_VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”|\S*[/\\]\S*|[-+]?\d[\d.,:eE+-]*")


@dataclass(frozen=True)
class Kind:
    """What befell so many cases or parts in words that are the same but for names and numbers; `example` is one."""

    part: str
    count: int
    example: str


def kind(words: str) -> str:
    """The words without what differs from case to case: names in quotes, paths, numbers.

    >>> kind("line 17 of 'a.csv' has 3 cells") == kind("line 4 of 'b.csv' has 12 cells")
    True
    """
    return _VARIES.sub("#", words)


def refused(run: "Run") -> list[Kind]:
    """What was refused and not judged since, by part and kind of reason, most first."""
    n = func.count()
    query = select(RefusalRow.part, RefusalRow.reason, n).group_by(RefusalRow.part, RefusalRow.reason)
    query = query.order_by(n.desc(), RefusalRow.part, RefusalRow.reason).limit(MOST)
    with Session(run._engine) as session:
        found = [(part, reason, int(count)) for part, reason, count in session.execute(query)]
        every = session.scalar(select(func.count()).select_from(RefusalRow)) or 0
    return _together(found, every)


def noted(run: "Run") -> list[Kind]:
    """What was decided while parts were read (missing cells, columns left out, times), by part and kind."""
    n = func.count()
    query = select(EvidenceRow.part, FactRow.value, n).join(
        FactRow, (FactRow.case_id == EvidenceRow.case_id) & (FactRow.evidence == EvidenceRow.id)
    )
    query = query.where(EvidenceRow.kind == "context", FactRow.name == "notes").group_by(
        EvidenceRow.part, FactRow.value
    )
    query = query.order_by(n.desc(), EvidenceRow.part, FactRow.value).limit(MOST)
    with Session(run._engine) as session:
        rows = [(part or "", str(notes), int(count)) for part, notes, count in session.execute(query)]
    # of one part there may be several decisions, each of a kind of its own
    return _together([(part, note, count) for part, notes, count in rows for note in notes.split("; ")])


def cases_with(run: "Run", evidence: str, name: str) -> int:
    """How many cases have a fact of this name in evidence of this kind."""
    query = (
        select(func.count(distinct(FactRow.case_id)))
        .join(EvidenceRow, (EvidenceRow.case_id == FactRow.case_id) & (EvidenceRow.id == FactRow.evidence))
        .where(EvidenceRow.kind == evidence, FactRow.name == name)
    )
    with Session(run._engine) as session:
        return session.scalar(query) or 0


def unsure(run: "Run") -> list[Kind]:
    """Why there is no verdict on cases, or one without a promised rate, as was said when they were judged."""
    n = func.count()
    query = select(FactRow.value, n).join(
        EvidenceRow, (FactRow.case_id == EvidenceRow.case_id) & (FactRow.evidence == EvidenceRow.id)
    )
    query = query.where(EvidenceRow.kind == "verdict", FactRow.name == "note").group_by(FactRow.value)
    query = query.order_by(n.desc(), FactRow.value).limit(MOST)
    with Session(run._engine) as session:
        return _together([("", str(note), int(count)) for note, count in session.execute(query)])


def _together(found: Iterable[tuple[str, str, int]], every: int = 0) -> list[Kind]:
    counts: dict[tuple[str, str], int] = {}
    examples: dict[tuple[str, str], str] = {}
    for part, words, count in found:
        key = part, kind(words)
        counts[key] = counts.get(key, 0) + count
        examples.setdefault(key, words)
    kinds = [Kind(part, count, examples[part, words]) for (part, words), count in counts.items()]
    kinds.sort(key=lambda one: (-one.count, one.part, one.example))
    rest = every - sum(counts.values())
    return [*kinds, Kind("", rest, REST)] if rest > 0 else kinds
