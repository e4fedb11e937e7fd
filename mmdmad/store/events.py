"""The events of a run as rows, made anew from its findings whenever these have changed, and how they are asked for.

They depend on what the store holds and on the run's alarm rule alone, not on the calls that brought it there. Who asks
after a scoring that was stopped, or in a run of an earlier version, makes them first.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, Connection, Engine, create_engine, delete, func, or_, select, text, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from mmdmad.calibration.budget import Budget, Per, Track, choose
from mmdmad.errors import DataError, RunError
from mmdmad.event_table import export, html
from mmdmad.events import AlarmRule, Event, events
from mmdmad.findings import Finding
from mmdmad.modalities.base import modalities
from mmdmad.store.at import At
from mmdmad.store.db import Base, CaseRow, DocumentRow, EventRow, MetaRow, alone
from mmdmad.store.log_templates import by_case
from mmdmad.store.rows import CUT, EVENTS, timestamp
from mmdmad.stretches import Window, window

if TYPE_CHECKING:
    import pandas as pd

    from mmdmad.store.run import Run
    from mmdmad.store.views import View

RULE = "alarm_rule"  # the key of the rule in the table of the run's settings
PAGE = 500
"""Findings that are in memory at once."""
TEMPLATES = 5  # new templates that are kept of an event
_RESTORE = "restore cases.sqlite from a copy, or move it away and score again"
_ORDERS: dict[str, tuple[Any, ...]] = {
    "rank": (EventRow.place,),
    "time": (EventRow.begin.asc().nulls_last(), EventRow.place),
    "-time": (EventRow.begin.desc().nulls_last(), EventRow.place),
}


class Events:
    """The events of a run, the most anomalous first: a sequence of `Event` with filters.

    Of a run that is read at another rate they are those of the cases that are flagged there, and not stored.
    """

    def __init__(self, run: "Run") -> None:
        self._engine, self._run = run._engine, run

    def __len__(self) -> int:
        return self.count()

    def __iter__(self) -> Iterator[Event]:
        return iter(self.list())

    def __getitem__(self, index: int) -> Event:
        return self.list()[index]

    def list(
        self,
        *,
        limit: int | None = None,
        offset: int = 0,
        order: Literal["rank", "time", "-time"] = "rank",
        **filters: Any,
    ) -> tuple[Event, ...]:
        """The events that pass the filters, the most anomalous first, or by the time at which they begin.

        Filters: `since`, `until` (datetimes: events that last into, and begin before), `from_clock`, `to_clock` (times
        of any day at which they begin), `part` (that stands out), `recording` (its name, or that of its file),
        `group`, `alarm` (True or False).
        """
        if order not in _ORDERS:
            raise RunError(f"order={order!r} was given; allowed are {', '.join(_ORDERS)}")
        query = select(EventRow.id, EventRow.document).where(*_conditions(**filters)).order_by(*_ORDERS[order])
        with Session(self._rows()) as session:
            return tuple(_event(*row) for row in session.execute(query.limit(limit).offset(offset)))

    def count(self, **filters: Any) -> int:
        """How many events pass the filters of `list`."""
        with Session(self._rows()) as session:
            return session.scalar(select(func.count()).select_from(EventRow).where(*_conditions(**filters))) or 0

    def of(self, case_id: str) -> Event | None:
        """The event that a case is part of; None where it is in none, as it is not flagged or not judged."""
        if self._run._at.rate is not None:
            return next((one for one in self.list() if case_id in one.cases), None)
        query = select(EventRow.id, EventRow.document).join(CaseRow, CaseRow.event == EventRow.id)
        with Session(self._rows()) as session:
            row = session.execute(query.where(CaseRow.id == case_id)).first()
        return None if row is None else _event(*row)

    @property
    def rule(self) -> AlarmRule:
        """The rule by which flagged cases are one event and events are alarms."""
        with self._engine.connect() as connection:
            return _rule(connection)

    def set_rule(self, rule: AlarmRule) -> None:
        """Tell events by another rule from now on; findings stay as they are."""
        with self._engine.begin() as connection:
            _keep(connection, RULE, json.dumps(asdict(rule)))
            connection.execute(delete(MetaRow).where(MetaRow.key == EVENTS))
        self.catch_up()

    def budget(self, most: float, per: Per = "day") -> Budget:
        """Tell as alarms, from now on, so few events that at most `most` false ones `per` day (or 1,000 cases) are due.

        The level is chosen from the calibration (`mmdmad.calibration.budget`), with 95 % confidence; DataError where
        it is too short, has no order or was divided out of it. Findings stay as they are.
        """
        made = choose(ordered_calibration(self._run), self.rule, self._run.rate, most, per)
        self.set_rule(replace(self.rule, onset=made.level))
        return made

    def catch_up(self) -> None:
        """Make the rows anew where findings or the rule have changed since they were made; one transaction."""
        current = select(MetaRow.key).where(MetaRow.key == EVENTS)
        with self._engine.connect() as connection:
            if connection.scalar(current) is not None:
                return
        with alone(self._engine) as connection:
            if connection.scalar(current) is None:
                _refresh(connection, self._run)

    def _rows(self) -> Engine:
        """Where the rows are: in the run, or in memory where it is read at another rate."""
        if self._run._at.rate is None:
            self.catch_up()
            return self._engine
        with self._engine.connect() as connection:
            found = _found(connection, _rule(connection), self._run)
        made = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        with made.begin() as connection:
            Base.metadata.create_all(connection, [Base.metadata.tables[EventRow.__tablename__]])
            _write(connection, found)
        return made

    def save(self, path: str | Path) -> Path:
        """Write one row per event to a .csv or .parquet table, or the whole events to .jsonl; most anomalous first."""
        return export(self.list(), Path(path))

    def to_dataframe(self) -> "pd.DataFrame":
        """One row per event, the most anomalous first."""
        from mmdmad.event_table import frame

        return frame(self.list())

    def _repr_html_(self) -> str:
        return html(self.list(limit=50), len(self))

    def __repr__(self) -> str:
        return f"Events({len(self)} events, {self.count(alarm=True)} alarms)"


def ordered_calibration(run: "Run") -> Track:
    """The calibration cases of a run's model in their order; DataError where they have none."""
    tracks = [fold.calibration.track_ for fold in run.model.folds_]
    if run.model.calibration_.unit == "case":
        raise DataError(
            "the calibration cases were dealt out one by one, so nothing says which events they would make; fit on "
            "recordings (--window, or a column `recording` in the manifest)"
        )
    known = [track for track in tracks if track is not None and len(track)]
    if not known or len(known) < len(tracks):
        raise DataError(
            "the model keeps no order of its calibration cases (they have neither time nor place in a file, or it is "
            "of an earlier version); fit again, with times or --window"
        )
    joined = Track.joined(known) if len(known) > 1 else known[0]
    cut = run.windows
    length = None if cut is None else cut.step or cut.length
    seconds = joined.seconds or (length if isinstance(length, float) else None)
    return replace(joined, seconds=seconds)


def _refresh(connection: Connection, run: "Run") -> None:
    found = _found(connection, _rule(connection), run)
    connection.execute(update(CaseRow).where(CaseRow.event.is_not(None)).values(event=None))
    connection.execute(delete(EventRow))
    _write(connection, found)
    if found:
        members = text("UPDATE cases SET event = :event WHERE id = :case")
        connection.execute(members, [{"event": one.id, "case": case} for one in found for case in one.cases])
    _keep(connection, EVENTS, "current")


def _write(connection: Connection, found: Sequence[Event]) -> None:
    if found:
        connection.execute(insert(EventRow), [_row(place, one) for place, one in enumerate(found)])


def _found(connection: Connection, rule: AlarmRule, run: "Run") -> tuple[Event, ...]:
    """The events of the cases that are flagged at the rate at which the run is read."""
    flagged = select(CaseRow.id, CaseRow.group).where(run._at.flagged)
    groups = {row.id: row.group for row in connection.execute(flagged)}
    made, new = events(_windows(connection, rule, run), rule, groups), by_case(connection, run._at)
    return tuple(one.model_copy(update={"templates": _templates(one, new)}) for one in made)


def _templates(event: Event, new: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The new templates of an event's cases, in their order, each once."""
    return tuple(dict.fromkeys(one for case in event.cases for one in new.get(case, ())))[:TEMPLATES]


def _windows(connection: Connection, rule: AlarmRule, run: "Run") -> Iterator[Window]:
    """What grouping needs of the flagged cases, and of as many others as decide what lies between them."""
    streams = False
    which = CaseRow.reason.is_not(None) if rule.bridges and _has_pieces(connection) else run._at.flagged
    for one in _whole(connection, which, run._view()):
        streams = streams or one.source is not None
        if one.flagged or one.source is None:
            yield one
    if streams:
        yield from _between(connection, run._at)


def _whole(connection: Connection, which: ColumnElement[bool], view: "View | None") -> Iterator[Window]:
    """Windows of judged cases; most of a finding stays in the database."""
    light = func.json_remove(DocumentRow.finding, "$.evidence", "$.explanation")
    query = select(DocumentRow.case_id, light, _recording()).join(CaseRow, CaseRow.id == DocumentRow.case_id)
    for case_id, stored, recording in connection.execute(query.where(which).execution_options(yield_per=PAGE)):
        try:
            finding = Finding.model_validate_json(stored)
        except ValidationError as error:
            raise RunError(f"the stored finding of case {case_id!r} is damaged; {_RESTORE}") from error
        yield window(finding if view is None else view.of(finding), recording)


def _between(connection: Connection, at: At) -> Iterator[Window]:
    """The cases of streams that are not flagged, from narrow columns; withdrawn ones say nothing."""
    query = select(CaseRow.id, CaseRow.time, at.joint_p, CaseRow.group, _recording())
    query = query.join(DocumentRow, DocumentRow.case_id == CaseRow.id)
    query = query.where(~at.flagged, CaseRow.time.is_not(None), CaseRow.reason.is_not(None))
    if _has_pieces(connection):
        query = query.where(text(f"NOT ({_PIECE})").bindparams(**_ordered_kinds()))
    for case_id, seconds, p_value, group, recording in connection.execute(query.execution_options(yield_per=PAGE)):
        try:
            moment = datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise RunError(f"the stored time of case {case_id!r} is damaged ({error}); {_RESTORE}") from error
        source = recording or "", group or ""
        yield Window(case_id, p_value, (9, 0.0, 0.0, case_id), (), (), moment, moment, False, source)


_PIECE = """EXISTS (SELECT 1 FROM json_each(documents.finding, '$.parts') AS part
WHERE json_extract(part.value, '$.cut') IS NOT NULL
AND json_extract(part.value, '$.modality') NOT IN (SELECT value FROM json_each(:whole)))"""


def _ordered_kinds() -> dict[str, str]:
    """Modalities that have no order inside their files: a place in one makes no case a piece (`stretches.window`)."""
    return {"whole": json.dumps([name for name, kind in modalities().items() if not kind.slices])}


def _recording() -> ColumnElement[Any]:
    return func.json_extract(DocumentRow.source, "$.recording")


def _has_pieces(connection: Connection) -> bool:
    return connection.scalar(select(MetaRow.key).where(MetaRow.key == CUT)) is not None


def _row(place: int, event: Event) -> dict[str, Any]:
    return {
        "id": event.id, "place": place, "begin": timestamp(event.begin), "end": timestamp(event.end),
        "clock": None if event.begin is None else event.begin.replace(tzinfo=None).isoformat(" ", "microseconds"),
        "recording": event.place and event.place.recording, "file": event.place and event.place.file,
        "group": event.group, "parts": f",{','.join(event.parts)},", "alarm": event.alarm,
        "document": event.model_dump_json(),
    }  # fmt: skip


def _event(event_id: str, document: str) -> Event:
    try:
        return Event.model_validate_json(document)
    except ValidationError as error:
        raise RunError(f"the stored event {event_id!r} is damaged ({error.errors()[0]['msg']}); {_RESTORE}") from error


def _conditions(
    since: datetime | None = None,
    until: datetime | None = None,
    from_clock: time | None = None,
    to_clock: time | None = None,
    part: str | None = None,
    recording: str | None = None,
    group: str | None = None,
    alarm: bool | None = None,
) -> list[ColumnElement[bool]]:
    """The filters of events as conditions; None leaves one out."""
    begins = func.substr(EventRow.clock, 12)
    conditions: list[ColumnElement[bool]] = []
    if since is not None:  # an event that goes on into the time asked for is one of it
        conditions.append(or_(EventRow.end > timestamp(since), EventRow.begin >= timestamp(since)))
    if until is not None:
        conditions.append(EventRow.begin < timestamp(until))
    if from_clock is not None:
        conditions.append(begins >= from_clock.isoformat("microseconds"))
    if to_clock is not None:
        conditions.append(begins < to_clock.isoformat("microseconds"))
    if part is not None:
        conditions.append(EventRow.parts.contains(f",{part},", autoescape=True))
    if recording is not None:
        conditions.append(or_(EventRow.recording == recording, EventRow.file == recording))
    if group is not None:
        conditions.append(EventRow.group == group)
    if alarm is not None:
        conditions.append(EventRow.alarm.is_(alarm))
    return conditions


def _rule(connection: Connection) -> AlarmRule:
    stored = connection.scalar(select(MetaRow.value).where(MetaRow.key == RULE))
    try:
        return AlarmRule() if stored is None else TypeAdapter(AlarmRule).validate_json(stored)
    except (ValidationError, ValueError) as error:
        raise RunError(f"the run's alarm rule is damaged ({error}); {_RESTORE}") from error


def _keep(connection: Connection, key: str, value: str) -> None:
    statement = insert(MetaRow).values(key=key, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
