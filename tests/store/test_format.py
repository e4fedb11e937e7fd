"""A run's format: an old run is brought up to date with all that it holds, a newer one is refused."""

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from sqlalchemy import Connection

from mmdmad import reasons
from mmdmad.cases import Case, Part, Refusal
from mmdmad.errors import ModelError, RunError
from mmdmad.pipeline.model_manifest import verify
from mmdmad.store import format, serial
from mmdmad.store.run import Run

OLD_TABLES = """
CREATE TABLE cases (id VARCHAR NOT NULL, time FLOAT, "group" VARCHAR, verdict VARCHAR NOT NULL, p_value FLOAT NOT NULL,
    score FLOAT NOT NULL, contradictory BOOLEAN NOT NULL, stamp TEXT NOT NULL, content VARCHAR NOT NULL,
    source TEXT NOT NULL, finding TEXT NOT NULL, judged_at DATETIME NOT NULL, PRIMARY KEY (id));
CREATE INDEX ix_cases_time ON cases (time);
CREATE TABLE parts (case_id VARCHAR NOT NULL, modality VARCHAR NOT NULL, p_value FLOAT NOT NULL, score FLOAT NOT NULL,
    share FLOAT NOT NULL, stands_out BOOLEAN NOT NULL, PRIMARY KEY (case_id, modality),
    FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE CASCADE);
CREATE TABLE refusals (stage VARCHAR NOT NULL, case_id VARCHAR NOT NULL, part VARCHAR NOT NULL, reason TEXT NOT NULL,
    "row" INTEGER, PRIMARY KEY (stage, case_id, part));
CREATE TABLE meta ("key" VARCHAR NOT NULL, value TEXT NOT NULL, PRIMARY KEY ("key"));
CREATE TABLE feedback (id INTEGER NOT NULL, case_id VARCHAR NOT NULL, label VARCHAR NOT NULL, note TEXT NOT NULL,
    who VARCHAR NOT NULL, at DATETIME NOT NULL, PRIMARY KEY (id), FOREIGN KEY(case_id) REFERENCES cases (id));
PRAGMA user_version=1;
"""


def old_run(folder: Path, samples, normals) -> Path:
    """A run as format 1 wrote it: no `format` in config.json, five tables, one finding, one refusal, one feedback."""
    folder.mkdir()
    settings = {"config": {"false_alarm_rate": 0.01}, "versions": {"mmdmad": "0.1.0"}, "created": "2026-01-01"}
    (folder / "config.json").write_text(json.dumps(settings))
    case = Case("bad-1", {"text": Part("text", value="text of bad-1")}, group="A", row=1)
    finding = samples.FakeModel(normals).finding(case, 0.01)
    with sqlite3.connect(folder / "cases.sqlite") as store:
        store.executescript(OLD_TABLES)
        row = ("bad-1", None, "A", finding.verdict, finding.p_value, finding.score, False, "{}", "hash")
        source = serial.case_to_json(case)
        store.execute(
            "INSERT INTO cases VALUES (?,?,?,?,?,?,?,?,?,?,?,'2026-01-01 00:00:00')",
            (*row, source, finding.model_dump_json()),
        )
        store.execute("INSERT INTO meta VALUES ('false_alarm_rate', '0.01')")
        store.execute("INSERT INTO refusals VALUES ('score', 'lost', 'image', 'no such file', 9)")
        store.execute("INSERT INTO feedback VALUES (1, 'bad-1', 'confirmed', '', 'Kim', '2026-01-02 00:00:00')")
    store.close()
    return folder


@pytest.fixture
def old(tmp_path, samples, normals):
    return old_run(tmp_path / "old", samples, normals)


def query(folder: Path, sql: str) -> list[tuple]:
    store = sqlite3.connect(folder / "cases.sqlite")
    try:
        return store.execute(sql).fetchall()
    finally:
        store.close()


def indexes(folder: Path) -> set[str]:
    return {name for (name,) in query(folder, "SELECT name FROM sqlite_master WHERE type = 'index' AND sql NOT NULL")}


def test_an_old_run_is_brought_up_to_date_and_keeps_what_it_holds(old, tmp_path):
    made = Run.create(tmp_path / "new", {"false_alarm_rate": 0.01})
    made.close()
    run = Run.open(old)
    assert run.finding("bad-1").verdict == "anomalous"
    assert run.refusals() == [Refusal("lost", "image", "no such file", 9)]
    assert [f.who for f in run.feedbacks("bad-1")] == ["Kim"]
    assert run.false_alarm_rate == 0.01
    assert run.case("bad-1").parts["text"].value == "text of bad-1"
    assert run.tally.by("driver") == {reasons.main_reason(run.finding("bad-1")): 1}
    run.close()
    told = sum(len(e.facts) for e in run.finding("bad-1").evidence)
    assert query(old, "SELECT count(*), min(case_id), max(case_id) FROM facts") == [(told, "bad-1", "bad-1")]
    for folder in (old, tmp_path / "new"):
        assert query(folder, "PRAGMA user_version") == [(format.FORMAT,)]
        assert json.loads((folder / "config.json").read_text())["format"] == format.FORMAT
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    assert query(old, tables) == query(tmp_path / "new", tables)
    assert indexes(old) >= indexes(tmp_path / "new")
    for (table,) in query(old, tables):
        columns = f"SELECT name FROM pragma_table_info('{table}') ORDER BY name"
        assert query(old, columns) == query(tmp_path / "new", columns)
    again = Run.open(old)
    assert again.count() == 1
    again.close()


def test_columns_that_an_old_table_lacks_are_added(old):
    query(old, "ALTER TABLE refusals DROP COLUMN row")
    run = Run.open(old)
    assert run.refusals() == [Refusal("lost", "image", "no such file", None)]
    run.close()


def test_the_model_of_an_old_run_is_listed_unless_it_is_damaged(old, caplog):
    sound = old / "model" / "sensor"
    sound.mkdir(parents=True)
    (sound / "part.json").write_text('{"scale": [0.0, 1.0]}')
    save_file({"spread": np.ones(1)}, sound / "likeness-0.safetensors")
    damaged = Path(shutil.copytree(old, old.with_name("damaged")))
    save_file({"spread": np.array([np.nan])}, damaged / "model" / "sensor" / "likeness-0.safetensors")
    Run.open(old).close()
    listed = json.loads((old / "model" / "manifest.json").read_text())["files"]
    assert set(listed) == {"sensor/part.json", "sensor/likeness-0.safetensors"}
    verify(old / "model")
    run = Run.open(damaged)
    assert run.count() == 1
    assert "likeness-0.safetensors: spread holds numbers that are not finite" in caplog.text
    assert not (damaged / "model" / "manifest.json").exists()
    with pytest.raises(ModelError, match=r"manifest\.json"):
        verify(damaged / "model")
    run.close()


def test_steps_run_in_one_transaction_and_again_after_a_stop(old, monkeypatch):
    seen: list[int] = []

    def first(folder: Path, connection: Connection) -> None:
        seen.append(1)
        connection.exec_driver_sql("INSERT INTO meta VALUES ('step', 'done')")

    def stops(folder: Path, connection: Connection) -> None:
        if len(seen) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(format, "STEPS", (format.Step(format.FORMAT, (format.fill, first, stops)),))
    with pytest.raises(KeyboardInterrupt):
        Run.open(old)
    assert query(old, "PRAGMA user_version") == [(1,)]
    assert query(old, "SELECT * FROM meta WHERE key = 'step'") == []
    assert "format" not in json.loads((old / "config.json").read_text())
    Run.open(old).close()
    assert query(old, "SELECT value FROM meta WHERE key = 'step'") == [("done",)]
    Run.open(old).close()
    assert seen == [1, 1]


def test_only_the_steps_after_a_run_s_format_are_taken(old, monkeypatch):
    Run.open(old).close()
    taken: list[int] = []
    steps = tuple(
        format.Step(to, (lambda folder, connection, to=to: taken.append(to),))
        for to in range(format.FORMAT, format.FORMAT + 3)
    )
    monkeypatch.setattr(format, "STEPS", steps)
    monkeypatch.setattr(format, "FORMAT", format.FORMAT + 2)
    Run.open(old).close()
    assert taken == [step.to for step in steps[1:]]


@pytest.mark.parametrize("where", ["config.json", "cases.sqlite"])
def test_a_newer_run_is_refused_and_left_alone(old, where):
    Run.open(old).close()
    settings = json.loads((old / "config.json").read_text())
    if where == "config.json":
        (old / "config.json").write_text(json.dumps({**settings, "format": 99}))
    else:
        query(old, "PRAGMA user_version=99")
    before = (old / "cases.sqlite").read_bytes()
    with pytest.raises(RunError, match=r"run format 99; this mmdmad reads formats up to .*pip install --upgrade"):
        Run.open(old)
    assert (old / "cases.sqlite").read_bytes() == before


@pytest.mark.parametrize("wrong", ["two", 0, True, None, 1.5])
def test_a_format_that_is_no_number_is_refused(old, wrong):
    settings = json.loads((old / "config.json").read_text())
    (old / "config.json").write_text(json.dumps({**settings, "format": wrong}))
    with pytest.raises(RunError, match="a whole number"):
        Run.open(old)
