"""Judging cases into a store: one transaction a case, each id once; what cannot be judged is refused by name."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from mmdmad.cases import Case, Lost, Refusal
from mmdmad.errors import PartError
from mmdmad.findings import Finding
from mmdmad.progress import bar
from mmdmad.store import again, db, pending, rows, serial, stream

if TYPE_CHECKING:
    from mmdmad.store.adapting import Adapting
    from mmdmad.store.levels import Levels


@dataclass(frozen=True)
class Scored:
    """What one call of `Run.score` did: cases judged now, cases that were judged before, and what was refused.

    `lost` are the modalities of which every part that was looked at now was refused.
    """

    done: int
    refused: tuple[Refusal, ...]
    skipped: int = 0
    lost: tuple[Lost, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """A case that is to be judged; how it stands to what was judged under its id, and the finding of that."""

    case: Case
    how: again.Standing
    before: Finding | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a case: whether it was judged, what was refused of it, and that told of each part."""

    judged: bool
    refused: tuple[Refusal, ...] = ()
    parts: tuple[Refusal, ...] = ()


def put_refusals(engine: Engine, stage: Literal["fit", "score"], refused: Iterable[Refusal]) -> None:
    """Store what was refused; told once for each stage, case and part."""
    with Session(engine) as session, session.begin():
        _put(session, stage, refused)


def refusals(engine: Engine, stage: Literal["fit", "score"] | None, limit: int | None) -> list[Refusal]:
    """What was refused and not judged since, all or the first; of one stage, or of both."""
    query = select(db.RefusalRow).order_by(db.RefusalRow.row, db.RefusalRow.case_id, db.RefusalRow.part).limit(limit)
    if stage is not None:
        query = query.where(db.RefusalRow.stage == stage)
    with Session(engine) as session:
        return [Refusal(r.case_id, r.part, r.reason, r.row) for r in session.scalars(query)]


def waiting(engine: Engine, cases: Iterable[Case], *, every: bool = False) -> tuple[list[Waiting], list[Refusal]]:
    """The cases that were not judged as they are, or `every` one; of two of one id and other content the second is
    refused.
    """
    found: list[Waiting] = []
    refused: list[Refusal] = []
    seen: dict[str, Case] = {}
    for case in cases:
        if (first := seen.get(case.id)) is not None:
            if serial.content(first) != serial.content(case):
                refused.append(again.twice(case))
            continue
        seen[case.id] = case
        one = _standing(engine, case)
        if one.how != "same":
            found.append(one)
        elif every:
            found.append(replace(one, before=_before(engine, case)))
    return found, refused


def _before(engine: Engine, case: Case) -> Finding | None:
    """What was said of the case under its id."""
    with Session(engine) as session:
        row = session.get(db.DocumentRow, case.id)
        finding = None if row is None else rows.finding_of(row)
    return finding if finding is not None and finding.parts else None


def _standing(engine: Engine, case: Case) -> Waiting:
    with Session(engine) as session, session.begin():
        row = session.get(db.DocumentRow, case.id)
        if row is None:
            return Waiting(case, "new")
        stamp = serial.stamp(case)
        if row.stamp == stamp:
            return Waiting(case, "same")
        before = rows.finding_of(row)
        how = again.standing(case, before, row.content, row.source)
        if how == "same":  # touched or moved, the same inside
            row.stamp, row.source = stamp, serial.case_to_json(case)
        return Waiting(case, how, before if before.parts else None)


def judge_all(scorer: "Scorer", waiting: list[Waiting], *, progress: bool) -> list[Outcome]:
    """What became of each of the cases that wait, judged one after another."""
    return [scorer.judge(one) for one in (bar(waiting, "judging", len(waiting)) if progress else waiting)]


@dataclass(frozen=True)
class Scorer:
    """Judges cases with the levels of one model, at one rate, into one store.

    `replacing`: in the place of earlier findings too.
    `watch` knows since when the guarantee has lapsed, if it has: no rate is promised for cases from then on.
    `adapting` ranks them among the latest ones, where that is asked for.
    """

    engine: Engine
    model: "Levels"
    rate: float
    artifacts: Path
    simulated: bool = False
    replacing: bool = False
    watch: stream.Watch | None = None
    adapting: "Adapting | None" = None

    def judge(self, one: Waiting) -> Outcome:
        """Judge a case and store it, or what was wrong with it, in one transaction."""
        if one.before is not None and one.how in ("changed", "other") and not self.replacing:
            return self._kept(one, one.before)
        # taken before the files are read: a file changed meanwhile is judged again next time
        stamp, content = serial.stamp(one.case), serial.content(one.case)
        try:
            finding = (self.adapting or self.model).finding(one.case, self.rate, self.artifacts)
        except PartError as error:
            return self._unusable(one, error.reason, error.refused)
        if self.simulated:
            finding = finding.model_copy(update={"simulated": True})
        if self.watch is not None and (lapse := self.watch.lapsing(finding)) is not None:
            finding = stream.lapsed(finding, lapse)
        refused = finding.refusals(one.case.row)
        judged = rows.Judged(finding, stamp, content, serial.case_to_json(one.case), one.case.recording)
        self._store(judged, refused, one.case, self.adapting, first=one.before is None)
        return Outcome(True, refused, refused)

    def _kept(self, one: Waiting, before: Finding) -> Outcome:
        """An id that was judged from other content: its finding stays, unless its own files are now unusable."""
        if one.how == "changed":
            try:
                lost = again.lost_parts(before, self.model.finding(one.case, self.rate, None))
            except PartError as error:
                lost = error.reason
            if lost:
                return self._unusable(one, lost, ())
        refused = (again.used_again(one.case, before, one.how),)
        self._refuse(refused)
        return Outcome(False, refused)

    def _unusable(self, one: Waiting, reason: str, parts: tuple[Refusal, ...]) -> Outcome:
        """Nothing can be judged: refused, and an earlier verdict on these files withdrawn, as it is theirs no more."""
        refused = (Refusal(one.case.id, "case", reason, one.case.row),)
        if one.before is None:
            self._refuse(refused)
        else:
            # without marks: when it is scored again it is judged, whatever it holds then
            source = serial.case_to_json(one.case)
            self._store(rows.Judged(again.withdrawn(one.before, one.case, reason), source=source), refused, one.case)
        return Outcome(False, refused, parts)

    def _store(
        self,
        judged: rows.Judged,
        refused: Iterable[Refusal],
        case: Case,
        adapting: "Adapting | None" = None,
        *,
        first: bool = True,
    ) -> None:
        case_id = judged.finding.case_id
        with Session(self.engine) as session, session.begin():
            rows.put(session.connection(), [judged])
            fixed = None if adapting is None else adapting.fixed
            stream.wait(session.connection(), judged.finding, case, fixed)
            if adapting is not None:
                adapting.keep(session.connection(), first=first)
            session.execute(
                delete(db.RefusalRow).where(db.RefusalRow.stage == "score", db.RefusalRow.case_id == case_id)
            )
            _put(session, "score", refused)
            pending.one_done(session)

    def _refuse(self, refused: Iterable[Refusal]) -> None:
        with Session(self.engine) as session, session.begin():
            _put(session, "score", refused)
            pending.one_done(session)


def _put(session: Session, stage: str, refused: Iterable[Refusal]) -> None:
    for r in refused:
        session.merge(db.RefusalRow(stage=stage, case_id=r.case_id, part=r.part, reason=r.reason, row=r.row))
