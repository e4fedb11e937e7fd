"""What people say of findings: recorded with who and when; it moves no statistics by itself."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mmdmad.store.db import FeedbackRow


@dataclass(frozen=True)
class Feedback:
    """What a person said of a finding."""

    case_id: str
    label: str
    note: str
    who: str
    at: datetime


def record(session: Session, said: Feedback) -> None:
    """Put it on record; the caller's transaction."""
    session.add(FeedbackRow(case_id=said.case_id, label=said.label, note=said.note, who=said.who, at=said.at))


def of(session: Session, case_id: str | None = None) -> list[Feedback]:
    """What was said of all findings or of one, oldest first."""
    query = select(FeedbackRow).order_by(FeedbackRow.id)
    if case_id is not None:
        query = query.where(FeedbackRow.case_id == case_id)
    return [Feedback(r.case_id, r.label, r.note, r.who, r.at) for r in session.scalars(query)]
