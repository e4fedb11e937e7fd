"""What people say of findings: recorded with who, when and why. It moves no statistic by itself.

Of each case the last word counts, and what was said before stays on record. Words on a case whose files, time, group or
label have changed since, so that it was judged anew, stay on record too and count no more.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from mmdmad.calibration.binomial import clopper_pearson
from mmdmad.errors import RunError
from mmdmad.store.at import STORED, At
from mmdmad.store.db import CaseRow, DocumentRow, FeedbackRow

Label = Literal["confirmed", "false alarm"]
"""The case is a fault; or it is none, and was flagged for nothing."""
CONFIRMED, FALSE_ALARM = get_args(Label)


@dataclass(frozen=True)
class Feedback:
    """What a person said of a finding; `earlier`: the case was judged anew since, after something of it had changed."""

    case_id: str
    label: str
    note: str
    who: str
    at: datetime
    earlier: bool = False


@dataclass(frozen=True)
class Precision:
    """What people's last words say of the flagged cases, and of others.

    Of `flagged` cases people have judged `judged`, and `confirmed` of these. `missed` cases are confirmed as faults and
    not flagged. `disputed`: cases, flagged or not, on which the last word is another than one before.
    """

    flagged: int
    judged: int
    confirmed: int
    missed: int
    disputed: int

    @property
    def unjudged(self) -> int:
        """Flagged cases on which nobody has said a word."""
        return self.flagged - self.judged

    @property
    def share(self) -> float | None:
        """Confirmed ones among the judged; None where none is judged."""
        return self.confirmed / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of that share (Clopper and Pearson), as if the judged cases were drawn one by one."""
        return clopper_pearson(self.confirmed, self.judged) if self.judged else None


def label_of(word: str) -> Label:
    """One of the two labels, however it is spelled; RunError for another word.

    >>> label_of("false-alarm"), label_of("Confirmed")
    ('false alarm', 'confirmed')
    """
    plain = " ".join(word.lower().replace("-", " ").replace("_", " ").split())
    found: Label | None = next((label for label in get_args(Label) if label == plain), None)
    if found is None:
        raise RunError(f"{word!r} was given as feedback; allowed are confirmed and false-alarm")
    return found


def record(session: Session, case_id: str, label: str, note: str, who: str) -> bool:
    """Put a word on a judged case on record, the caller's transaction; False where it was the last word already.

    The same label by the same person is the same word, unless it has another reason.
    """
    content = session.scalar(select(DocumentRow.content).where(DocumentRow.case_id == case_id))
    last = session.scalars(_words(case_id).order_by(FeedbackRow.id.desc()).limit(1)).first()
    said = label_of(label), who, content
    if last is not None and (last.label, last.who, last.content) == said and note in ("", last.note):
        return False
    now = datetime.now(UTC)
    session.add(FeedbackRow(case_id=case_id, label=said[0], note=note, who=who, at=now, content=content))
    return True


def of(session: Session, case_id: str | None = None) -> list[Feedback]:
    """What was said of all findings or of one, oldest first."""
    query = select(FeedbackRow, _VALID).outerjoin(DocumentRow, DocumentRow.case_id == FeedbackRow.case_id)
    query = query if case_id is None else query.where(FeedbackRow.case_id == case_id)
    rows = session.execute(query.order_by(FeedbackRow.id))
    return [Feedback(r.case_id, r.label, r.note, r.who, r.at, not valid) for r, valid in rows]


def last_words(session: Session) -> dict[str, Label]:
    """The word that counts on each case of which something was said."""
    rows = session.execute(_counting(FeedbackRow.case_id, FeedbackRow.label).order_by(FeedbackRow.id))
    return {case_id: label_of(label) for case_id, label in rows}


def precision(session: Session, at: At = STORED) -> Precision:
    """How many of the flagged cases people have judged, and what they said."""
    flagged = session.scalar(select(func.count()).where(at.flagged)) or 0
    marked = set(session.scalars(_counting(FeedbackRow.case_id).where(at.flagged)))
    last = last_words(session)
    every = {(case, label) for case, label in session.execute(_counting(FeedbackRow.case_id, FeedbackRow.label))}
    words = Counter(case for case, _ in every)
    confirmed = {case for case, label in last.items() if label == CONFIRMED}
    return Precision(
        flagged=flagged, judged=len(marked), confirmed=len(confirmed & marked), missed=len(confirmed - marked),
        disputed=sum(count > 1 for count in words.values()),
    )  # fmt: skip


# What was written before contents were kept beside the words counts as long as the case is there.
_VALID = or_(FeedbackRow.content.is_(None), FeedbackRow.content == DocumentRow.content)


def _counting(*columns: Any) -> Select[Any]:
    query = select(*columns).join(DocumentRow, DocumentRow.case_id == FeedbackRow.case_id)
    query = query.join(CaseRow, CaseRow.id == FeedbackRow.case_id)
    return query.where(_VALID, FeedbackRow.label.in_(get_args(Label)))


def _words(case_id: str) -> Select[FeedbackRow]:
    return select(FeedbackRow).where(FeedbackRow.case_id == case_id)
