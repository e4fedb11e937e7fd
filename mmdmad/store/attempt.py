"""A fit's beginning and failure in the store: what was begun may be gone on with, what failed may be begun anew.

Stopped is not failed: a fit that was stopped has its cases on record and goes on with them. One that failed (its cases
or its configuration do not allow it) has taught nothing, so the folder is free; what it encoded is used again.
"""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from mmdmad.store import db

BEGUN, FAILED = ("fit_cases", "fit_size"), "fit_failed"


def begin(session: Session, mark: str, size: int) -> None:
    """Put a fit on record: the fingerprint of its cases and their number; what an earlier one refused is forgotten."""
    session.execute(delete(db.MetaRow).where(db.MetaRow.key == FAILED))
    session.execute(delete(db.RefusalRow).where(db.RefusalRow.stage == "fit"))
    for key, value in zip(BEGUN, (mark, str(size))):
        session.merge(db.MetaRow(key=key, value=value))


def fail(session: Session) -> None:
    """Put on record that the fit failed."""
    session.execute(delete(db.MetaRow).where(db.MetaRow.key.in_(BEGUN)))
    session.merge(db.MetaRow(key=FAILED, value="true"))


def failed(session: Session) -> bool:
    """Whether the last fit failed."""
    return session.get(db.MetaRow, FAILED) is not None
