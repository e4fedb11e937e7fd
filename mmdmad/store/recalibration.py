"""A recalibration: a person names cases that are normal now, and other cases are ranked among these from then on.

Nothing is learned again. The new level holds from the time of the first named case on (for all cases, where one of them
has no time): the other cases of that time are judged anew, earlier ones stay as they are. The stream begins anew there,
and a lapse ends there; both stay on record. It is one transaction: stopped at any moment it is as if it had not been.
"""

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, or_, select
from sqlalchemy.orm import Session

from mmdmad.calibration.conformal import is_attainable, smallest_calibration_size
from mmdmad.cases import Case, Cases, Refusal
from mmdmad.errors import PartError, RunError
from mmdmad.files import filing, make_folder, within
from mmdmad.findings import Finding
from mmdmad.grouping import grouped
from mmdmad.intake import cases_of
from mmdmad.parts import case_key
from mmdmad.pipeline.units import head, recording_of
from mmdmad.progress import bar
from mmdmad.store import again, feedback, rows, serial, stream
from mmdmad.store.db import CaseRow, DocumentRow, RecalibrationRow, StreamRow, alone
from mmdmad.store.levels import FOLDER, Dated, Levels, dated

if TYPE_CHECKING:
    from mmdmad.pipeline.levels import Level

NAMES = 5  # cases that a message names


@dataclass(frozen=True)
class Recalibration:
    """Who named what, and what changed: of `anew` other cases `before` were flagged, and `after` are now.

    `since` is the clock of the first named case, from which on it holds; "" for cases of any time. `size` cases of
    `units` units are ranked among. `kept` cases could not be read again: they keep their verdict, without a promise.
    """

    at: datetime
    who: str
    why: str
    since: str
    named: tuple[str, ...]
    size: int
    units: int
    unit: str
    anew: int
    before: int
    after: int
    kept: int
    lapse: stream.Lapse | None = None
    refused: tuple[Refusal, ...] = ()

    @property
    def words(self) -> str:
        """What changed by it, in one line."""
        others = "1 other case was" if self.anew == 1 else f"{self.anew} other cases were"
        text = f"{others} judged anew: {self.before} flagged before, {self.after} now"
        return text + (f"; {self.kept} could not be read again and have no promised rate" if self.kept else "")


@dataclass(frozen=True)
class Named:
    """Cases that are named normal; `left_out` are ids of those in the same time that people confirmed as faults."""

    cases: tuple[Case, ...]
    left_out: tuple[str, ...] = ()


def judged_at(engine: Engine, since: datetime | None, until: datetime | None) -> Named:
    """The judged cases of these times (the end left out) but those that people confirmed as faults."""
    conditions: list[ColumnElement[bool]] = [CaseRow.time.is_not(None)]
    if since is not None:
        conditions.append(CaseRow.time >= rows.timestamp(since))
    if until is not None:
        conditions.append(CaseRow.time < rows.timestamp(until))
    with Session(engine) as session:
        ids = list(session.scalars(select(CaseRow.id).where(*conditions).order_by(CaseRow.time, CaseRow.id)))
        faults = {case for case, label in feedback.last_words(session).items() if label == feedback.CONFIRMED}
    if not ids:
        span = " to ".join("…" if end is None else end.isoformat(" ", "seconds") for end in (since, until))
        raise RunError(
            f"no judged case has a time in {span}; `mmdmad score` judges cases, the report shows their times"
        )
    found = _judged(engine, [case for case in ids if case not in faults])
    return Named(found, tuple(case for case in ids if case in faults))


def judged_as(engine: Engine, ids: Sequence[str]) -> Named:
    """The judged cases of these ids; RunError where one was not judged, or people confirmed it as a fault."""
    _refuse_faults(engine, ids)
    return Named(_judged(engine, ids))


def given(engine: Engine, cases: Iterable[Case]) -> Named:
    """Cases of a manifest or a folder, all of them normal; RunError where one is labelled or confirmed as a fault."""
    found = tuple(cases)
    faulty = [case.id for case in found if case.label]
    if faulty:
        raise RunError(f"{_some(faulty)} {_is(faulty)} labelled faulty and cannot be named normal; leave them out")
    _refuse_faults(engine, [case.id for case in found])
    return Named(found)


def named(engine: Engine, normal: Any, since: datetime | None, until: datetime | None, by: str | None = None) -> Named:
    """What is named normal: ids of judged cases, cases of any kind, or without either the judged ones of a time.

    `by` is the column that says their groups, where the run ranks within these.
    """
    if normal is None:
        return judged_at(engine, since, until)
    if not isinstance(normal, Cases) and all(isinstance(one, str) for one in normal):
        return judged_as(engine, list(normal))
    return given(engine, grouped(cases_of(normal), by))


def recalibrate(
    path: Path, engine: Engine, levels: Levels, rate: float, these: Named, *, who: str, why: str, progress: bool
) -> Recalibration:
    """Make a level of the named cases, judge the others of its time anew, and put all of it on record."""
    from mmdmad.pipeline.levels import level  # loads torch

    found, refused = level(levels.fitted, these.cases)
    _refuse_few(found, rate, these, refused)
    at, times = datetime.now(UTC), [case.time for case in these.cases]
    first = None if None in times else min(these.cases, key=lambda case: rows.timestamp(case.time) or 0)
    new = Dated(found, found.of(levels.fitted), f"{at:%Y-%m-%d}", None if first is None else rows.timestamp(first.time))
    ids = _of_its_time(engine, new.since)
    _refuse_recordings(engine, found, ids)
    aside = make_folder(path / "work" / "level.part")
    try:
        found.save(make_folder(aside))
        with TemporaryFile("w+", encoding="utf-8") as judged:
            counts: Counter[str] = Counter()
            for case_id in bar(ids, "judging anew", len(ids)) if progress else ids:
                before, after, how = _anew(engine, new, case_id, rate, within(path, "artifacts"))
                counts.update({how: 1, "before": how == "anew" and before.verdict == "anomalous"})
                counts.update({"after": how == "anew" and after.verdict == "anomalous"})
                judged.write(json.dumps([how, after.model_dump_json()]) + "\n")
            with alone(engine) as connection:
                lapse = stream.begin_anew(connection, new.since)
                done = Recalibration(
                    at=at, who=who, why=why, since="" if first is None else _clock(first),
                    named=tuple(case.id for case in these.cases), size=found.size(), units=found.units(),
                    unit=found.calibrations[0].unit, anew=counts["anew"], before=counts["before"],
                    after=counts["after"], kept=counts["kept"], lapse=lapse, refused=refused,
                )  # fmt: skip
                number = _record(connection, done, new.since)
                judged.seek(0)
                for line in judged:
                    how, text = json.loads(line)
                    _rewrite(connection, Finding.model_validate_json(text), how, number)
                target = within(path, f"{FOLDER}/{number}")
                make_folder(target.parent)
                shutil.rmtree(target, ignore_errors=True)  # of one that was stopped here
                with filing(target):
                    os.replace(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return done


def recalibrations(engine: Engine) -> list[Recalibration]:
    """The recalibrations on record, oldest first."""
    with Session(engine) as session:
        return [
            Recalibration(
                at=r.at, who=r.who, why=r.why, since=r.clock or "", named=tuple(json.loads(r.named)), size=r.size,
                units=r.units, unit=r.unit, anew=r.anew, before=r.before, after=r.after, kept=r.kept,
                lapse=None if r.lapse is None else stream.lapse_from(r.lapse),
            )
            for r in session.scalars(select(RecalibrationRow).order_by(RecalibrationRow.id))
        ]  # fmt: skip


def _anew(engine: Engine, new: Dated, case_id: str, rate: float, artifacts: Path) -> tuple[Finding, Finding, str]:
    """What was said of a case, what is said at the new level, and whether it is judged "anew", "named" or "kept"."""
    with Session(engine) as session:
        row = session.get_one(DocumentRow, case_id)
        before = rows.finding_of(row)
        case = serial.case_from_json(case_id, row.source)
        same = serial.content(case) == row.content
    if same and head(case_key(case)) in new.level.contents:
        return before, again.named(before, new.day), "named"
    try:
        if not same:
            raise PartError("its files were changed since, or lay in memory", part="case", case_id=case_id)
        found = dated(new.model.finding(case, rate, artifacts), new.day, before)
    except PartError as why:
        return before, again.kept(before, new.day, why.reason), "kept"
    return before, found.model_copy(update={"simulated": before.simulated}), "anew"


def _rewrite(connection: Connection, finding: Finding, how: str, era: int) -> None:
    """Store a finding in the place of the earlier one; what was judged anew waits for its place in the new stream."""
    rows.rewrite(connection, finding)
    if how == "anew":
        connection.execute(delete(StreamRow).where(StreamRow.case_id == finding.case_id))
        source = connection.scalar(select(DocumentRow.source).where(DocumentRow.case_id == finding.case_id))
        stream.wait(connection, finding, serial.case_from_json(finding.case_id, source or "{}"))


def _record(connection: Connection, done: Recalibration, since: float | None) -> int:
    values = {
        "at": done.at, "who": done.who, "why": done.why, "since": since, "clock": done.since or None,
        "named": json.dumps(done.named), "size": done.size, "units": done.units, "unit": done.unit, "anew": done.anew,
        "before": done.before, "after": done.after, "kept": done.kept,
        "lapse": None if done.lapse is None else done.lapse.model_dump_json(),
    }  # fmt: skip
    key = connection.execute(insert(RecalibrationRow).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _clock(case: Case) -> str:
    """The time of a case on its own clock, to the second; "" without one."""
    return "" if case.time is None else str(case.time.replace(tzinfo=None))[:19]


def _of_its_time(engine: Engine, since: float | None) -> list[str]:
    """Judged cases at whose time a level from `since` on holds, in the order of time."""
    query = select(CaseRow.id).order_by(CaseRow.time, CaseRow.id)
    if since is not None:
        query = query.where(or_(CaseRow.time.is_(None), CaseRow.time >= since))
    with Session(engine) as session:
        return list(session.scalars(query))


def _judged(engine: Engine, ids: Sequence[str]) -> tuple[Case, ...]:
    found = []
    with Session(engine) as session:
        for case_id in dict.fromkeys(ids):
            row = session.get(DocumentRow, case_id)
            if row is None:
                raise RunError(
                    f"case {case_id!r} was not judged; name judged cases, or a manifest or folder of normals"
                )
            found.append(again.unchanged(row))
    return tuple(found)


def _refuse_faults(engine: Engine, ids: Sequence[str]) -> None:
    with Session(engine) as session:
        last = feedback.last_words(session)
    faults = [case for case in ids if last.get(case) == feedback.CONFIRMED]
    if faults:
        raise RunError(
            f"{_some(faults)} {_is(faults)} confirmed as a fault by feedback and cannot be named normal; leave out "
            "what is a fault, or take the word back with `mmdmad feedback RUN CASE false-alarm`"
        )


def _refuse_few(found: "Level", rate: float, named: Named, refused: Sequence[Refusal]) -> None:
    if not is_attainable(found.size(), rate):
        why = f" ({len(refused)} of their parts and cases cannot be: {refused[0].reason})" if refused else ""
        raise RunError(
            f"{len(named.cases)} cases were named normal and {found.size()} of them can be ranked with{why}; at the "
            f"declared rate of {rate:g} nothing could be flagged with fewer than {smallest_calibration_size(rate)}: "
            "name more, or judge at a higher rate"
        )


def _refuse_recordings(engine: Engine, found: "Level", ids: Sequence[str]) -> None:
    """Ranks among windows of a few recordings say nothing of other recordings, and these alone are to be judged."""
    if found.calibrations[0].unit != "block":
        return
    others, elsewhere = 0, None
    for case_id in ids:
        with Session(engine) as session:
            case = serial.case_from_json(case_id, session.get_one(DocumentRow, case_id).source)
        if case_key(case) and head(case_key(case)) in found.contents:
            continue
        if recording_of(case) in found.recordings:
            return
        others, elsewhere = others + 1, case_id
    if others:
        raise RunError(
            f"the cases named normal are windows of {_some(sorted(found.recordings))}, and none of the {others} other "
            f"cases ({elsewhere!r}, …) is: ranks among them say nothing of other recordings; name normal cases of five "
            "recordings or more, or of the recordings that are to be judged"
        )


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMES
    return ", ".join(map(repr, names[:NAMES])) + (f" and {more} more" if more > 0 else "")


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
