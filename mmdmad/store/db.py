"""The case store: one SQLite file with a row per judged case, refusals and feedback (SQLAlchemy 2 models).

A finding is stored whole as JSON (`documents`). The narrow tables beside it (`cases`, `parts`, `evidence`, `facts`) are
copies of what filters, counts and orders ask for, so that none of them ever reads the JSON; `store.rows` writes both.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    BigInteger,
    Connection,
    Engine,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    create_engine,
    event,
    inspect,
)
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool
from sqlalchemy.schema import CreateColumn
from sqlalchemy.types import UserDefinedType

from mmdmad.errors import RunError
from mmdmad.store.guarded import guard, refuse_other_schema, refuse_strangers


class Base(DeclarativeBase):
    """Root of the tables."""


class Value(UserDefinedType[float | int | str | None]):
    """A column without a type: SQLite keeps a number as a number and a word as a word, each as it was given."""

    cache_ok = True

    def get_col_spec(self, **keywords: Any) -> str:
        """The column's type in CREATE TABLE; BLOB is the one that converts nothing."""
        return "BLOB"


class CaseRow(Base):
    """One judged case: what filters, counts and orders ask of it. Few bytes a row, so that all can be gone through."""

    __tablename__ = "cases"
    __table_args__ = (Index("cases_by_rank", "rung", "rung_p", "score", "id"),)

    id: Mapped[str] = mapped_column(String, primary_key=True)
    time: Mapped[float | None] = mapped_column(Float, index=True)  # seconds since 1970 UTC, so that zones compare
    clock: Mapped[str | None] = mapped_column(String)  # the same on the case's own clock: 2026-04-01 06:07:00.000000
    group: Mapped[str | None] = mapped_column(String, index=True)
    verdict: Mapped[str] = mapped_column(String, index=True)
    p_value: Mapped[float] = mapped_column(Float, index=True)
    score: Mapped[float] = mapped_column(Float)
    rung: Mapped[int] = mapped_column(server_default="0")  # the head of `findings.order_key`, the one order
    rung_p: Mapped[float] = mapped_column(Float, server_default="0")
    reason: Mapped[str | None] = mapped_column(String, index=True)  # `reasons.main_reason`
    contradictory: Mapped[bool] = mapped_column(index=True)
    floor: Mapped[float | None] = mapped_column(Float)  # no p-value of such a case is smaller; none: no verdict ever
    clash: Mapped[float | None] = mapped_column(Float)  # smallest p-value of a contradiction
    pattern: Mapped[str | None] = mapped_column(String, index=True)  # of its guarantee: "image,text"
    size: Mapped[int | None] = mapped_column()  # calibration cases of that pattern
    recording: Mapped[str | None] = mapped_column(String, index=True)  # of which it is a window
    recordings: Mapped[int | None] = mapped_column()  # calibration recordings that its window is ranked among
    drawn_p: Mapped[float | None] = mapped_column(Float)  # `ByRecording`: of a window of a new recording,
    whole_p: Mapped[float | None] = mapped_column(Float)  # of its recording, were this the most odd window
    deciding_p: Mapped[float | None] = mapped_column(Float)  # the p-value that its verdict rests on,
    ranked: Mapped[int | None] = mapped_column()  # and among how many cases or recordings that ranks it
    within: Mapped[bool | None] = mapped_column()  # whether these are of its own group; none: not ranked by group
    beside_p: Mapped[float | None] = mapped_column(Float)  # `Ranks` that do not decide: over all groups or its own,
    beside_floor: Mapped[float | None] = mapped_column(Float)  # and of these what the columns above are of the others
    beside_size: Mapped[int | None] = mapped_column()
    beside_clash: Mapped[float | None] = mapped_column(Float)
    beside_recordings: Mapped[int | None] = mapped_column()
    beside_drawn_p: Mapped[float | None] = mapped_column(Float)
    beside_whole_p: Mapped[float | None] = mapped_column(Float)
    lacking: Mapped[str | None] = mapped_column(Text)  # readings that are missing inside its parts, in words
    label: Mapped[int | None] = mapped_column()
    simulated: Mapped[bool | None] = mapped_column()
    spelling: Mapped[str | None] = mapped_column(String, index=True)  # `rows.spelling` of the id, to find it by
    number: Mapped[int | None] = mapped_column(BigInteger, index=True)  # the digits at the end of the id
    event: Mapped[str | None] = mapped_column(String, index=True)  # of which a flagged case is part (`EventRow.id`)
    judged_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


class DocumentRow(Base):
    """The wide part of a judged case: its finding as JSON, and what is needed to know and to read its files again."""

    __tablename__ = "documents"

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    stamp: Mapped[str] = mapped_column(Text)  # paths, sizes and times of the judged files
    content: Mapped[str] = mapped_column(String)  # hash of what was in them; where it differs, the case is judged again
    source: Mapped[str] = mapped_column(Text)  # the Case as JSON, to read its signals again
    finding: Mapped[str] = mapped_column(Text)
    digest: Mapped[str | None] = mapped_column(String)  # SHA-256 of the finding's text


class PartRow(Base):
    """One judged part of a case."""

    __tablename__ = "parts"
    __table_args__ = (Index("parts_by_modality", "modality", "p_value"),)

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    modality: Mapped[str] = mapped_column(String, primary_key=True)
    p_value: Mapped[float] = mapped_column(Float)
    score: Mapped[float] = mapped_column(Float)
    share: Mapped[float] = mapped_column(Float)
    stands_out: Mapped[bool] = mapped_column()  # its own p-value is at most the declared rate
    encoder: Mapped[str] = mapped_column(String, server_default="")
    detector: Mapped[str] = mapped_column(String, server_default="")
    beside_p: Mapped[float | None] = mapped_column(Float)  # where cases are ranked by group, see `CaseRow.beside_p`


class EvidenceRow(Base):
    """One numbered piece of evidence of a case; its caption stands in the finding."""

    __tablename__ = "evidence"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  (SQLAlchemy's form)

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(String, primary_key=True)
    kind: Mapped[str] = mapped_column(String, index=True)
    part: Mapped[str | None] = mapped_column(String)


class FactRow(Base):
    """One fact of a piece of evidence: a named value with its unit, found by name and value over all cases."""

    __tablename__ = "facts"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "evidence"], ["evidence.case_id", "evidence.id"], ondelete="CASCADE"),
        Index("facts_by_name", "name", "value"),
        {"sqlite_with_rowid": False},
    )

    case_id: Mapped[str] = mapped_column(String, primary_key=True)
    evidence: Mapped[str] = mapped_column(String, primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)  # among the facts of its evidence
    name: Mapped[str] = mapped_column(String)
    value: Mapped[float | int | str | None] = mapped_column(Value)
    unit: Mapped[str] = mapped_column(String, default="")


class StreamRow(Base):
    """A judged case as the stream of the run takes it, in the order of time; `place` is empty until it has entered.

    Once entered it stays as it is, whatever becomes of its finding: what was heard cannot be unheard.
    """

    __tablename__ = "stream"

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    place: Mapped[int | None] = mapped_column(index=True, unique=True)
    time: Mapped[float] = mapped_column(Float, index=True)  # seconds since 1970 UTC
    clock: Mapped[str] = mapped_column(String)  # the same on the case's own clock, as it is told
    pattern: Mapped[str] = mapped_column(String)
    key: Mapped[str] = mapped_column(String)  # of its content
    score: Mapped[float] = mapped_column(Float)
    fixed: Mapped[float] = mapped_column(Float)  # p-value among the calibration cases
    online: Mapped[float | None] = mapped_column(Float)  # p-value among these and all before it in the stream
    level: Mapped[float | None] = mapped_column(Float)  # of the drift test that puts up with a tenth of odd cases
    era: Mapped[int] = mapped_column(server_default="0")  # number of the recalibration with which this stream begins


class RecalibrationRow(Base):
    """A recalibration: who named which cases normal, from when on it holds, and what changed by it."""

    __tablename__ = "recalibrations"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column()
    who: Mapped[str] = mapped_column(String)
    why: Mapped[str] = mapped_column(Text)
    since: Mapped[float | None] = mapped_column(Float)  # seconds since 1970 UTC; None = it holds for cases of any time
    clock: Mapped[str | None] = mapped_column(String)  # the same on the first named case's own clock
    named: Mapped[str] = mapped_column(Text)  # ids of the cases that it ranks among, a JSON list
    size: Mapped[int] = mapped_column()
    units: Mapped[int] = mapped_column()
    unit: Mapped[str] = mapped_column(String)
    anew: Mapped[int] = mapped_column()  # cases judged anew, and of these flagged before and after
    before: Mapped[int] = mapped_column()
    after: Mapped[int] = mapped_column()
    kept: Mapped[int] = mapped_column()  # cases that could not be read again
    lapse: Mapped[str | None] = mapped_column(Text)  # the lapse that it ended, as JSON


class EventRow(Base):
    """One event, flagged cases side by side (`mmdmad.events`): whole as JSON, and what is asked of it."""

    __tablename__ = "events"

    id: Mapped[str] = mapped_column(String, primary_key=True)  # of its first case
    place: Mapped[int] = mapped_column(index=True)  # among all, the most anomalous first
    begin: Mapped[float | None] = mapped_column(Float, index=True)  # seconds since 1970 UTC
    end: Mapped[float | None] = mapped_column(Float)
    clock: Mapped[str | None] = mapped_column(String)  # its begin on the cases' own clock
    recording: Mapped[str | None] = mapped_column(String)
    file: Mapped[str | None] = mapped_column(String)
    group: Mapped[str | None] = mapped_column(String)
    parts: Mapped[str] = mapped_column(String)  # that stand out, each between commas
    alarm: Mapped[bool] = mapped_column()
    document: Mapped[str] = mapped_column(Text)


class RefusalRow(Base):
    """One part or case that could not be used, and in which stage: fit or score."""

    __tablename__ = "refusals"

    stage: Mapped[str] = mapped_column(String, primary_key=True)
    case_id: Mapped[str] = mapped_column(String, primary_key=True)
    part: Mapped[str] = mapped_column(String, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    row: Mapped[int | None] = mapped_column()


class MetaRow(Base):
    """One setting of the run as a whole."""

    __tablename__ = "meta"

    key: Mapped[str] = mapped_column(String, primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class FeedbackRow(Base):
    """What a person said of a finding; recorded, never moves the statistics by itself."""

    __tablename__ = "feedback"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    label: Mapped[str] = mapped_column(String)
    note: Mapped[str] = mapped_column(Text, default="")
    who: Mapped[str] = mapped_column(String, default="")
    at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    content: Mapped[str | None] = mapped_column(String)  # that of the case which was meant (`DocumentRow.content`)


_RESTORE = "restore it from a copy, or move it away and score again"
_ADVICE = (
    ("locked", "another program is writing into it; wait until it is done, then run the same command again"),
    ("readonly", "it cannot be written (a read-only disk, or no permission); copy the run to a folder that can be"),
    ("full", "the disk is full; free space, then run the same command again; what is stored stays"),
    ("unable to open", "it cannot be opened or made (no permission, a read-only disk, or a folder in its place)"),
    ("malformed", f"it is damaged; {_RESTORE}"),
    ("not a database", f"it is damaged; {_RESTORE}"),
    ("decode to utf-8", f"it is damaged; {_RESTORE}"),
    ("no such", f"it lacks a table or column; {_RESTORE}"),
    ("i/o error", "the disk reports an error; copy the run to another one"),
)


def connect(path: Path) -> Engine:
    """An engine on the case store at `path`; `store.format` sees to it that the tables are there.

    Whatever SQLite reports (full, read-only, locked, damaged) becomes a RunError of one line with what to do.
    """
    engine = create_engine(URL.create("sqlite", database=str(path)))

    @event.listens_for(engine, "handle_error")
    def _explain(context: ExceptionContext) -> None:
        why = context.original_exception
        if isinstance(why, sqlite3.Error):
            said = str(why).lower()
            if said == "interrupted" and threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt from why  # SQLite took the signal in; it is still meant
            advice = next((advice for word, advice in _ADVICE if word in said), f"{why}; {_RESTORE}")
            raise RunError(f"{path}: {advice}") from why

    @event.listens_for(engine, "connect")
    def _pragmas(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        if isinstance(connection, sqlite3.Connection):
            guard(connection)
        cursor = connection.cursor()
        # WAL: readers (chat, report) go on while a scoring process writes.
        for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other process can write into: whole at the end, or as if it had not been."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


def complete(connection: Connection) -> None:
    """Add what the database lacks of the tables, columns and indexes declared here; what is there stays as it is.

    A column added to a table that exists must be nullable or have a `server_default`, as rows are there already.
    """
    Base.metadata.create_all(connection)
    seen = inspect(connection)
    for table in Base.metadata.tables.values():
        columns = {column["name"] for column in seen.get_columns(table.name)}
        for column in table.columns:
            if column.name not in columns:
                declared = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f'ALTER TABLE "{table.name}" ADD COLUMN {declared}')
        for index in table.indexes:
            index.create(connection, checkfirst=True)


@lru_cache(maxsize=1)
def _fresh() -> sqlite3.Connection:
    """A database with nothing in it but what is declared here."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.begin() as connection:
        complete(connection)
    return _driver(engine.connect())


def _driver(connection: Connection) -> sqlite3.Connection:
    found = connection.connection.dbapi_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def check(engine: Engine, *, whole: bool) -> None:
    """RunError where the database holds a table, view, trigger or index that is not declared here.

    `whole`: it is of the present format, so that every table, column and index must be there as well, in this form.
    """
    with engine.connect() as connection:
        refuse = refuse_other_schema if whole else refuse_strangers
        refuse(_driver(connection), _fresh(), engine.url.database)
