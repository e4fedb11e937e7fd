"""A database that somebody else made: whatever is not of our own schema is refused, and signals end every statement."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mmdmad.errors import RunError
from mmdmad.store import db
from mmdmad.store.guarded import guard
from mmdmad.store.run import Run

ENDLESS = "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT "
FOREIGN = {
    "an endless view": [
        "DROP TABLE refusals",
        f"CREATE VIEW refusals AS {ENDLESS} n AS stage, n AS case_id, n AS part, n AS reason, n AS row FROM x",
    ],
    "a view beside": ["CREATE VIEW other AS SELECT 1"],
    "a trigger": ["CREATE TRIGGER t AFTER INSERT ON cases BEGIN UPDATE cases SET verdict = 'normal'; END"],
    "another table": ["CREATE TABLE other (x)"],
    "a virtual table": ["CREATE VIRTUAL TABLE other USING fts5(x)"],
    "an index on an expression": ["CREATE INDEX other ON cases (abs(score))"],
    "a partial index": ["CREATE INDEX other ON cases (score) WHERE score > 1"],
    "an index of our name": ["DROP INDEX ix_cases_time", "CREATE INDEX ix_cases_time ON cases (score)"],
    "a generated column": ["ALTER TABLE refusals ADD COLUMN more AS (row + 1)"],
    "another column": ["ALTER TABLE refusals ADD COLUMN score FLOAT"],
    "a missing index": ["DROP INDEX ix_cases_time"],
    "a missing table": ["DROP TABLE feedback"],
    "a check": [
        "DROP TABLE meta",
        'CREATE TABLE meta ("key" VARCHAR NOT NULL, value TEXT NOT NULL CHECK (length(value)), PRIMARY KEY ("key"))',
    ],
    "another type": [
        "DROP TABLE meta",
        'CREATE TABLE meta ("key" VARCHAR NOT NULL, value FLOAT NOT NULL, PRIMARY KEY ("key"))',
    ],
    "statistics": ["ANALYZE"],
}


def changed(folder: Path, *lines: str) -> Path:
    """A run whose database was changed by these statements."""
    Run.create(folder, {"false_alarm_rate": 0.01}).close()
    with sqlite3.connect(folder / "cases.sqlite") as store:
        store.execute("INSERT INTO refusals VALUES ('score', 'a', 'image', 'no such file', 9)")
        for line in lines:
            store.execute(line)
    store.close()
    return folder


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("declared", [None, 3])
def test_a_schema_that_is_not_ours_is_refused_in_one_line(tmp_path: Path, kind: str, declared: int | None) -> None:
    repaired = declared is not None and kind.startswith("a missing")  # an older format may lack it; it is added
    folder = changed(tmp_path / "run", *FOREIGN[kind], *([f"PRAGMA user_version={declared}"] if declared else []))
    if repaired:
        Run.open(folder).close()
        return
    with pytest.raises(
        RunError, match=r"cases\.sqlite (holds|lacks) the .*; restore it from a copy, or move it"
    ) as why:
        Run.open(folder)
    assert "\n" not in str(why.value)


def test_a_sound_database_is_opened_again(tmp_path: Path) -> None:
    run = Run.open(changed(tmp_path / "run"))
    assert [r.case_id for r in run.refusals()] == ["a"]
    run.close()


def test_a_signal_ends_a_statement_that_never_would(tmp_path: Path) -> None:
    """In a process of its own, as from the command line: SIGTERM comes while SQLite counts without end."""
    folder = changed(tmp_path / "run")
    code = (
        "import sys; sys.argv[1:] = ['report', 'x']\n"
        "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 0, flush=True))\n"
        "from mmdmad.store import db; from mmdmad.stopping import told; from pathlib import Path\n"
        "with told():\n"
        f"    connection = db.connect(Path({str(folder / 'cases.sqlite')!r})).connect()\n"
        "    print('working', flush=True)\n"
        f"    connection.exec_driver_sql('{ENDLESS} count(*) FROM x').fetchall()\n"
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen(
            [sys.executable, "-c", "import signal; signal.signal(2, signal.default_int_handler)\n" + code],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        time.sleep(0.2)
        process.send_signal(number)
        out, said = process.communicate(timeout=60)
        assert process.returncode == 128 + number, said
        assert said.startswith("mmdmad: stopped; no report was written")
        assert "Traceback" not in said
        assert out == "True\n"  # Python does not search all that torch made for circles once more


def test_threads_end_their_statements_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = db.connect(changed(tmp_path / "run") / "cases.sqlite")
    told: list[BaseException] = []

    def ask() -> None:
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"{ENDLESS} count(*) FROM x").fetchall()
        except BaseException as why:
            told.append(why)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    time.sleep(0.2)
    assert thread.is_alive()
    monkeypatch.setattr("mmdmad.stopping._stopped", [signal.SIGTERM])
    thread.join(30)
    engine.dispose()
    assert isinstance(told[0], RunError)


def test_what_a_schema_names_has_no_effects() -> None:
    connection = sqlite3.connect(":memory:")
    guard(connection)
    assert connection.execute("PRAGMA trusted_schema").fetchone() == (0,)
    connection.execute("CREATE TABLE a (x)")
    if sys.version_info >= (3, 12):
        connection.execute("CREATE VIEW v AS SELECT * FROM a")
        with pytest.raises(sqlite3.OperationalError, match="view"):
            connection.execute("SELECT * FROM v")
    connection.close()
