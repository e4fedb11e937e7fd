"""The database as it is on disk: every column, index and reference, the switches of a connection, and what it says.

A change here changes what a run holds; it needs a new `FORMAT` and a step that makes it out of the one before.
"""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, select

from mmdmad.errors import RunError
from mmdmad.store import db, guarded
from mmdmad.store.format import FORMAT
from mmdmad.store.run import Run

TABLES = {  # name, type, not null, default, place in the primary key
    "cases": """id VARCHAR 1 None 1; time FLOAT 0 None 0; clock VARCHAR 0 None 0; group VARCHAR 0 None 0;
        verdict VARCHAR 1 None 0; p_value FLOAT 1 None 0; score FLOAT 1 None 0; rung INTEGER 1 '0' 0;
        rung_p FLOAT 1 '0' 0; reason VARCHAR 0 None 0; contradictory BOOLEAN 1 None 0; floor FLOAT 0 None 0;
        clash FLOAT 0 None 0; pattern VARCHAR 0 None 0;
        size INTEGER 0 None 0; recording VARCHAR 0 None 0; recordings INTEGER 0 None 0; drawn_p FLOAT 0 None 0;
        whole_p FLOAT 0 None 0; deciding_p FLOAT 0 None 0; ranked INTEGER 0 None 0;
        within BOOLEAN 0 None 0; beside_p FLOAT 0 None 0; beside_floor FLOAT 0 None 0; beside_size INTEGER 0 None 0;
        beside_clash FLOAT 0 None 0; beside_recordings INTEGER 0 None 0; beside_drawn_p FLOAT 0 None 0;
        beside_whole_p FLOAT 0 None 0; lacking TEXT 0 None 0;
        label INTEGER 0 None 0; simulated BOOLEAN 0 None 0; spelling VARCHAR 0 None 0;
        number BIGINT 0 None 0; event VARCHAR 0 None 0; judged_at DATETIME 1 None 0""",
    "documents": """case_id VARCHAR 1 None 1; stamp TEXT 1 None 0; content VARCHAR 1 None 0; source TEXT 1 None 0;
        finding TEXT 1 None 0; digest VARCHAR 0 None 0""",
    "parts": """case_id VARCHAR 1 None 1; modality VARCHAR 1 None 2; p_value FLOAT 1 None 0; score FLOAT 1 None 0;
        share FLOAT 1 None 0; stands_out BOOLEAN 1 None 0; encoder VARCHAR 1 '' 0; detector VARCHAR 1 '' 0;
        beside_p FLOAT 0 None 0""",
    "evidence": "case_id VARCHAR 1 None 1; id VARCHAR 1 None 2; kind VARCHAR 1 None 0; part VARCHAR 0 None 0",
    "facts": """case_id VARCHAR 1 None 1; evidence VARCHAR 1 None 2; place INTEGER 1 None 3; name VARCHAR 1 None 0;
        value BLOB 0 None 0; unit VARCHAR 1 None 0""",
    "stream": """case_id VARCHAR 1 None 1; place INTEGER 0 None 0; time FLOAT 1 None 0; clock VARCHAR 1 None 0;
        pattern VARCHAR 1 None 0; key VARCHAR 1 None 0; score FLOAT 1 None 0; fixed FLOAT 1 None 0;
        online FLOAT 0 None 0; level FLOAT 0 None 0; era INTEGER 1 '0' 0""",
    "recalibrations": """id INTEGER 1 None 1; at DATETIME 1 None 0; who VARCHAR 1 None 0; why TEXT 1 None 0;
        since FLOAT 0 None 0; clock VARCHAR 0 None 0; named TEXT 1 None 0; size INTEGER 1 None 0;
        units INTEGER 1 None 0; unit VARCHAR 1 None 0; anew INTEGER 1 None 0; before INTEGER 1 None 0;
        after INTEGER 1 None 0; kept INTEGER 1 None 0; lapse TEXT 0 None 0""",
    "events": """id VARCHAR 1 None 1; place INTEGER 1 None 0; begin FLOAT 0 None 0; end FLOAT 0 None 0;
        clock VARCHAR 0 None 0; recording VARCHAR 0 None 0; file VARCHAR 0 None 0; group VARCHAR 0 None 0;
        parts VARCHAR 1 None 0; alarm BOOLEAN 1 None 0; document TEXT 1 None 0""",
    "refusals": """stage VARCHAR 1 None 1; case_id VARCHAR 1 None 2; part VARCHAR 1 None 3; reason TEXT 1 None 0;
        row INTEGER 0 None 0""",
    "meta": "key VARCHAR 1 None 1; value TEXT 1 None 0",
    "feedback": """id INTEGER 1 None 1; case_id VARCHAR 1 None 0; label VARCHAR 1 None 0; note TEXT 1 None 0;
        who VARCHAR 1 None 0; at DATETIME 1 None 0; content VARCHAR 0 None 0""",
}
INDEXES = {
    "cases_by_rank": ("cases", ["rung", "rung_p", "score", "id"]),
    "parts_by_modality": ("parts", ["modality", "p_value"]),
    "facts_by_name": ("facts", ["name", "value"]),
    "ix_stream_place": ("stream", ["place"]),
    "ix_stream_time": ("stream", ["time"]),
    "ix_events_place": ("events", ["place"]),
    "ix_events_begin": ("events", ["begin"]),
    "ix_evidence_kind": ("evidence", ["kind"]),
    "ix_feedback_case_id": ("feedback", ["case_id"]),
    **{
        f"ix_cases_{name}": ("cases", [name])
        for name in (
            "recording",
            "time",
            "group",
            "verdict",
            "p_value",
            "reason",
            "contradictory",
            "pattern",
            "spelling",
            "number",
            "event",
        )
    },
}
REFERENCES = {
    "documents": [("case_id", "cases", "id", "CASCADE")],
    "parts": [("case_id", "cases", "id", "CASCADE")],
    "evidence": [("case_id", "cases", "id", "CASCADE")],
    "facts": [("case_id", "evidence", "case_id", "CASCADE"), ("evidence", "evidence", "id", "CASCADE")],
    "feedback": [("case_id", "cases", "id", "NO ACTION")],
    "stream": [("case_id", "cases", "id", "NO ACTION")],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Run.create(tmp_path / "run", {"false_alarm_rate": 0.01}).close()
    return tmp_path / "run"


def test_the_schema_of_this_format(folder: Path) -> None:
    assert FORMAT == 12
    store = sqlite3.connect(folder / "cases.sqlite")
    kinds = store.execute("SELECT type, name FROM sqlite_master WHERE sql NOT NULL").fetchall()
    assert {name for kind, name in kinds if kind == "table"} == set(TABLES)
    assert {name for kind, name in kinds if kind == "index"} == set(INDEXES)
    for table, columns in TABLES.items():
        rows = store.execute(
            f"SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{table}') ORDER BY cid"
        ).fetchall()
        words = [" ".join(str(value).strip("'") or "''" for value in row) for row in rows]
        assert words == [" ".join(one.split()).replace("'0'", "0") for one in columns.split(";")], table
        references = store.execute(
            f'SELECT "from", "table", "to", on_delete FROM pragma_foreign_key_list(\'{table}\')'
        ).fetchall()
        assert references == REFERENCES.get(table, [])
        (sql,) = store.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        assert sql.rstrip().endswith("WITHOUT ROWID") == (table in ("evidence", "facts"))
    for index, (table, columns) in INDEXES.items():
        found = store.execute(f"SELECT name FROM pragma_index_info('{index}') ORDER BY seqno").fetchall()
        assert [name for (name,) in found] == columns
        assert store.execute("SELECT tbl_name FROM sqlite_master WHERE name = ?", (index,)).fetchone() == (table,)
        unique = "UNIQUE " if index == "ix_stream_place" else ""
        assert f"CREATE {unique}INDEX {index}" in store.execute(
            "SELECT sql FROM sqlite_master WHERE name = ?", (index,)
        ).fetchone()[0]  # fmt: skip
    store.close()


def test_the_switches_of_a_connection(folder: Path) -> None:
    engine = db.connect(folder / "cases.sqlite")
    expected = {
        "busy_timeout": 30_000, "journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "trusted_schema": 0,
        "cell_size_check": 1,
    }  # fmt: skip
    for _ in range(2):  # every connection, not only the first
        with engine.connect() as connection:
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected}
        assert found == expected
        engine.dispose()
    if hasattr(sqlite3.Connection, "getconfig"):
        with engine.connect() as connection:
            driver = db._driver(connection)
            switches = {"DEFENSIVE": True, "TRUSTED_SCHEMA": False, "ENABLE_VIEW": False, "ENABLE_TRIGGER": False}
            for name, on in switches.items():
                assert driver.getconfig(getattr(sqlite3, f"SQLITE_DBCONFIG_{name}")) is on


def test_what_a_row_gets_by_itself(folder: Path) -> None:
    engine, before = db.connect(folder / "cases.sqlite"), datetime.now(UTC).replace(tzinfo=None)
    with engine.begin() as connection:
        case = {"id": "a", "verdict": "normal", "p_value": 0.5, "score": 1.0, "contradictory": False}
        connection.execute(insert(db.CaseRow), [case])
        connection.execute(insert(db.FeedbackRow), [{"case_id": "a", "label": "fine"}])
        connection.execute(insert(db.FeedbackRow), [{"case_id": "a", "label": "fine"}])
        connection.execute(
            insert(db.PartRow),
            [{"case_id": "a", "modality": "text", "p_value": 0.5, "score": 1.0, "share": 1.0, "stands_out": False}],
        )
        connection.execute(insert(db.EvidenceRow), [{"case_id": "a", "id": "E1", "kind": "part"}])
        fact = {"case_id": "a", "evidence": "E1", "place": 0, "name": "n", "value": "7"}
        connection.execute(insert(db.FactRow), [fact])
        connection.execute(insert(db.FactRow), [{**fact, "place": 1, "value": 7}])
    with engine.connect() as connection:
        row = connection.execute(select(db.CaseRow)).one()
        assert (row.rung, row.rung_p, row.time, row.group, row.label, row.number) == (0, 0.0, None, None, None, None)
        assert timedelta(0) <= row.judged_at.replace(tzinfo=None) - before < timedelta(minutes=1)
        said = connection.execute(select(db.FeedbackRow)).all()
        assert [(f.id, f.note, f.who) for f in said] == [(1, "", ""), (2, "", "")]
        assert timedelta(0) <= said[0].at.replace(tzinfo=None) - before < timedelta(minutes=1)
        facts = connection.execute(select(db.FactRow).order_by(db.FactRow.place)).all()
        assert [(f.value, type(f.value), f.unit) for f in facts] == [("7", str, ""), (7, int, "")]
        part = connection.execute(select(db.PartRow)).one()
        assert (part.encoder, part.detector) == ("", "")
    engine.dispose()


def test_what_depends_on_a_case_goes_with_it_but_not_what_people_said(folder: Path) -> None:
    test_what_a_row_gets_by_itself(folder)
    engine = db.connect(folder / "cases.sqlite")
    with pytest.raises(Exception, match="FOREIGN KEY"), engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM cases")
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM feedback")
        connection.exec_driver_sql("DELETE FROM cases")
        for table in ("parts", "evidence", "facts"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0
    engine.dispose()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database is locked", "another program is writing into it; wait"),
        ("attempt to write a readonly database", "it cannot be written"),
        ("database or disk is full", "the disk is full; free space"),
        ("unable to open database file", "it cannot be opened or made"),
        ("database disk image is malformed", "it is damaged; restore it from a copy, or move it away and score again"),
        ("file is not a database", "it is damaged; restore it"),
        ("Could not decode to UTF-8 column", "it is damaged; restore it"),
        ("no such table: cases", "it lacks a table or column; restore it"),
        ("disk I/O error", "the disk reports an error"),
        ("Something else", "Something else; restore it from a copy, or move it away and score again"),
    ],
)
def test_what_sqlite_reports_is_told_with_what_to_do(folder: Path, said: str, told: str) -> None:
    engine = db.connect(folder / "cases.sqlite")
    with engine.connect() as connection, pytest.raises(RunError) as why:
        raise_as(connection, said)
    assert str(why.value).startswith(f"{folder / 'cases.sqlite'}: {told}")
    assert isinstance(why.value.__cause__, sqlite3.Error)
    engine.dispose()


def raise_as(connection, said: str) -> None:
    """Let a statement end as if SQLite had said this."""
    cursor = type("Cursor", (), {"close": lambda self: None})

    def execute(self, *args):
        raise sqlite3.OperationalError(said)

    cursor.execute = execute
    connection.connection.cursor = lambda *_: cursor()  # type: ignore[method-assign]
    connection.exec_driver_sql("SELECT 1")


def test_an_interruption_is_meant_for_the_main_thread_alone(folder: Path) -> None:
    engine, seen = db.connect(folder / "cases.sqlite"), []

    def ask() -> None:
        try:
            with engine.connect() as connection:
                raise_as(connection, "interrupted")
        except BaseException as error:
            seen.append(type(error))

    ask()
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert seen == [KeyboardInterrupt, RunError]
    engine.dispose()


def test_an_older_table_is_completed_and_keeps_its_rows(tmp_path: Path) -> None:
    engine = db.connect(tmp_path / "old.sqlite")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE refusals (stage VARCHAR, case_id VARCHAR, part VARCHAR, reason TEXT)")
        connection.exec_driver_sql("INSERT INTO refusals VALUES ('fit', 'a', 'text', 'blank')")
        db.complete(connection)
        db.complete(connection)  # twice is once
        assert connection.execute(select(db.RefusalRow.reason, db.RefusalRow.row)).all() == [("blank", None)]
        seen = inspect(connection)
        assert set(seen.get_table_names()) == set(TABLES)
        assert {i["name"] for i in seen.get_indexes("cases")} >= {n for n, (t, _) in INDEXES.items() if t == "cases"}
    engine.dispose()


def test_statements_with_facts_are_compiled_once() -> None:
    assert select(db.FactRow.value)._generate_cache_key() is not None
    assert db.Value().get_col_spec() == "BLOB"


def test_few_objects_are_looked_at(folder: Path) -> None:
    assert (guarded.ASK_EVERY, guarded.MOST_OBJECTS) == (20_000, 200)
    store = sqlite3.connect(":memory:")
    for i in range(250):
        store.execute(f"CREATE TABLE t{i:03d} (x)")
    found = guarded.objects(store)
    assert len(found) == 201
    assert found[0] == ("table", "t000", "t000", "CREATE TABLE t000 (x)")
    store.execute("CREATE INDEX an ON t000 (x)")
    assert guarded.objects(store)[0][:3] == ("index", "an", "t000")
