"""A finding as rows: each copied column, facts that SQLite cannot hold, writing in the place of earlier rows."""

import dataclasses
import hashlib
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from mmdmad.errors import RunError
from mmdmad.findings import Fact
from mmdmad.guarantees import ByRecording, Ranks
from mmdmad.store import db, rows
from mmdmad.store.rows import LARGEST, Judged, columns, document, finding_of, spelling, timestamp
from mmdmad.store.run import Run

EAST = timezone(timedelta(hours=2))


def test_every_copied_column(made):
    one = made.finding(
        "Test_00 7b", 0.03, 4.5, parts=(made.part("image", 0.1, 2.0), made.part("text", 0.2, 3.0)),
        contradictions=(made.contradiction("text", 0.1, 1.0),), group="A", label=1, simulated=True, size=49,
        time=datetime(2026, 4, 1, 6, 7, 8, 9000, tzinfo=EAST), verdict="anomalous",
    )  # fmt: skip
    assert columns(one) == {
        "time": datetime(2026, 4, 1, 4, 7, 8, 9000, tzinfo=UTC).timestamp(), "clock": "2026-04-01 06:07:08.009000",
        "group": "A", "verdict": "anomalous", "p_value": 0.03, "score": 4.5, "rung": one.order_key[0],
        "rung_p": one.order_key[1], "reason": "text", "contradictory": True, "pattern": "image,text", "size": 49,
        "label": 1, "simulated": True, "spelling": "test007b", "number": 7,
        "floor": 0.02, "clash": 0.1, "recordings": None, "drawn_p": None, "whole_p": None, "deciding_p": 0.03,
        "ranked": 49, "within": None, "beside_p": None, "beside_floor": None, "beside_size": None,
        "beside_clash": None, "beside_recordings": None, "beside_drawn_p": None, "beside_whole_p": None,
        "lacking": None,
    }  # fmt: skip
    told = {"units": 24, "among": "recordings"}
    window = one.model_copy(
        update={
            "guarantee": one.guarantee.model_copy(update=told),
            "by_recording": ByRecording(p_value=0.04, whole=0.12, count=24),
        }
    )
    held = columns(window)
    assert [held[name] for name in ("recordings", "drawn_p", "whole_p", "deciding_p", "ranked", "p_value", "size")] == [
        24, 0.04, 0.12, 0.04, 24, 0.03, 49,
    ]  # fmt: skip
    assert columns(window.model_copy(update={"parts": ()}))["recordings"] is None
    beside = Ranks(p_value=0.2, size=199, parts={"text": 0.3}, contradictions=(0.4,), by_recording=window.by_recording)
    grouped = columns(window.model_copy(update={"beside": beside}))
    assert {name: value for name, value in grouped.items() if name == "within" or name.startswith("beside_")} == {
        "within": False, "beside_p": 0.2, "beside_floor": 0.005, "beside_size": 199, "beside_clash": 0.4,
        "beside_recordings": 24, "beside_drawn_p": 0.04, "beside_whole_p": 0.12,
    }  # fmt: skip
    other = columns(made.finding("x", contradictions=(made.contradiction("text", 0.1001, 9.0),)))
    expected = {"time": None, "clock": None, "group": None, "label": None, "number": None}
    assert {name: other[name] for name in expected} == expected
    assert (other["floor"], other["clash"]) == (0.01, 0.1001)
    assert columns(made.finding("y"))["clash"] is None
    assert columns(made.finding("z", parts=()))["floor"] is None
    assert (other["contradictory"], other["reason"], other["simulated"]) == (False, "contradiction", False)


@pytest.mark.parametrize(
    ("case_id", "number"),
    [
        ("case-12", 12), ("12-case-007", 7), ("7", 7), ("a7b", 7), ("a7 b8 c", 8), ("none", None), ("", None),
        (f"c{LARGEST}", LARGEST), (f"c{LARGEST + 1}", None), ("c" + "9" * 29, None), ("c" + "9" * 5000, None),
        ("c" + "0" * 27 + "12", 12), ("c-", None), ("run 3 (copy)", 3),
    ],
)  # fmt: skip
def test_the_number_at_the_end_of_an_id(made, case_id, number):
    assert columns(made.finding(case_id))["number"] == number


def test_times_without_a_zone_count_as_utc():
    assert timestamp(None) is None
    assert timestamp(datetime(1970, 1, 1, 0, 0, 5)) == 5.0
    assert timestamp(datetime(1970, 1, 1, 2, 0, 5, tzinfo=EAST)) == 5.0
    assert timestamp(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)) == -1.0


def test_how_an_id_is_spelt():
    assert spelling("Test_00 7") == spelling("test-007") == spelling("TEST007") == "test007"
    assert spelling("Ünï/5") == "ünï5"
    assert spelling("--") == ""


def test_a_stored_finding_is_what_was_written_or_is_refused(made):
    one = made.finding("a")
    kept = document(one)
    assert kept["finding"] == one.model_dump_json()
    assert kept["digest"] == hashlib.sha256(kept["finding"].encode()).hexdigest()
    row = SimpleNamespace(case_id="a", **kept)
    assert finding_of(row) == one
    assert finding_of(SimpleNamespace(case_id="a", finding=kept["finding"], digest=None)) == one  # of an older format
    other = made.finding("b")
    for wrong, told in (
        ({"finding": kept["finding"].replace("normal", "anomalous")}, "it is not what was written"),
        ({"digest": "0" * 64}, "it is not what was written"),
        (document(other), "it is of case 'b'"),
        ({"finding": "{}", "digest": None}, "Field required"),
        ({"finding": "{", "digest": None}, "Invalid JSON"),
    ):
        with pytest.raises(RunError) as why:
            finding_of(SimpleNamespace(**{**vars(row), **wrong}))
        assert f"the stored finding of case 'a' is damaged ({told}" in str(why.value)
        assert str(why.value).endswith("; restore cases.sqlite from a copy, or move it away and score again")


def test_facts_beyond_what_sqlite_holds_become_floats():
    for value in (LARGEST, -LARGEST, 0, True, "9" * 40, 0.5):
        assert rows._value(Fact(name="n", value=value)) == value
        assert type(rows._value(Fact(name="n", value=value))) is type(Fact(name="n", value=value).value)
    for value in (LARGEST + 1, -LARGEST - 1):
        found = rows._value(Fact(name="n", value=value))
        assert (found, type(found)) == (float(value), float)


@pytest.fixture
def store(tmp_path):
    Run.create(tmp_path / "run", {"false_alarm_rate": 0.1}).close()
    engine = db.connect(tmp_path / "run" / "cases.sqlite")
    yield engine
    engine.dispose()


def table(engine, sql):
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def put(engine, *judged):
    with engine.begin() as connection:
        rows.put(connection, judged)


def test_parts_evidence_and_facts_are_written_in_their_order(store, made):
    facts = (("channel", "x"), ("mean", 2.5))
    one = made.finding(
        "a", parts=(made.part("text", 0.1, 3.0, 7.0), made.part("image", 0.11)),
        evidence=(made.evidence(1, "verdict"), made.evidence(2, "channel", *facts, part="sensor")),
    )  # fmt: skip
    put(store, Judged(one, "stamp", "content", "source"))
    assert table(store, "SELECT * FROM parts ORDER BY modality") == [
        ("a", "image", 0.11, 2.0, 1.0, 0, "image-e", "image-d", None),
        ("a", "text", 0.1, 7.0, 3.0, 1, "text-e", "text-d", None),
    ]  # fmt: skip
    assert table(store, "SELECT * FROM evidence ORDER BY id") == [
        ("a", "E1", "verdict", None),
        ("a", "E2", "channel", "sensor"),
    ]
    assert table(store, "SELECT * FROM facts ORDER BY place") == [
        ("a", "E2", 0, "channel", "x", ""), ("a", "E2", 1, "mean", 2.5, ""),
    ]  # fmt: skip
    assert table(store, "SELECT case_id, stamp, content, source FROM documents") == [
        ("a", "stamp", "content", "source")
    ]
    assert dataclasses.astuple(Judged(one))[1:] == ("", "", "{}", None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Judged(one).stamp = "other"


def test_a_case_judged_again_keeps_its_row_and_nothing_else(store, made):
    first = made.finding(
        "a", parts=(made.part("text"), made.part("image")), evidence=(made.evidence(1, "part", ("n", 1)),)
    )
    other = made.finding("b", evidence=(made.evidence(1, "part", ("n", 5)),))
    put(store, Judged(first, "old"), Judged(other))
    with store.begin() as connection:
        connection.exec_driver_sql("INSERT INTO feedback VALUES (1, 'a', 'fine', '', '', '2026-01-01', NULL)")
        connection.exec_driver_sql("UPDATE cases SET judged_at = '2000-01-01 00:00:00.000000'")
    put(store, Judged(made.finding("a", 0.01, evidence=(made.evidence(1, "verdict", ("n", 2)),)), "new"))
    assert table(store, "SELECT id, verdict, p_value FROM cases ORDER BY id") == [
        ("a", "anomalous", 0.01), ("b", "normal", 0.5),
    ]  # fmt: skip
    assert table(store, "SELECT case_id, modality FROM parts ORDER BY case_id") == [("a", "text"), ("b", "text")]
    assert table(store, "SELECT case_id, kind FROM evidence ORDER BY case_id") == [("a", "verdict"), ("b", "part")]
    assert table(store, "SELECT case_id, value FROM facts ORDER BY case_id") == [("a", 2), ("b", 5)]
    assert table(store, "SELECT case_id, stamp FROM documents ORDER BY case_id") == [("a", "new"), ("b", "")]
    assert table(store, "SELECT label FROM feedback") == [("fine",)]
    times = dict(table(store, "SELECT id, judged_at FROM cases"))
    assert times["a"] > "2025" > times["b"]
    with store.begin() as connection:
        rows.put(connection, [])
        rows.write(connection, [])
    assert len(table(store, "SELECT id FROM cases")) == 2


def test_the_step_to_wide_documents(store, made, tmp_path):
    put(store, *(Judged(made.finding(name, 0.01), "s", "c", "q") for name in ("a", "b")))
    wide = ("stamp", "content", "source", "finding")
    with store.begin() as connection:
        for name in wide:
            connection.exec_driver_sql(f"ALTER TABLE cases ADD COLUMN {name} TEXT")
            connection.exec_driver_sql(f"UPDATE cases SET {name} = (SELECT {name} FROM documents WHERE case_id = id)")
        connection.exec_driver_sql("DELETE FROM documents")
        connection.exec_driver_sql("DELETE FROM evidence")
        connection.exec_driver_sql("UPDATE cases SET spelling = NULL, rung = 0, reason = NULL")
        rows.fill(tmp_path, connection)
        rows.fill(tmp_path, connection)  # it may run again
    columns_ = {name for (name,) in table(store, "SELECT name FROM pragma_table_info('cases')")}
    assert not columns_ & set(wide)
    assert table(store, "SELECT id, spelling, reason FROM cases ORDER BY id") == [
        ("a", "a", "text"),
        ("b", "b", "text"),
    ]
    with store.connect() as connection:
        found = connection.execute(select(db.DocumentRow).order_by(db.DocumentRow.case_id)).all()
        assert [(r.case_id, r.stamp, r.content, r.source) for r in found] == [(n, "s", "c", "q") for n in ("a", "b")]
        assert [r.digest for r in found] == [document(made.finding(n, 0.01))["digest"] for n in ("a", "b")]
        assert [f.case_id for f in rows._findings(connection)] == ["a", "b"]


def test_a_batch_is_one_transaction(store, made, tmp_path):
    twice = made.finding("b", parts=(made.part("text"), made.part("text")))  # no store can hold it
    with pytest.raises(Exception, match="UNIQUE"), store.begin() as connection:
        rows.put(connection, [Judged(made.finding("a")), Judged(twice)])
    with sqlite3.connect(tmp_path / "run" / "cases.sqlite") as plain:
        assert plain.execute("SELECT count(*) FROM cases").fetchone() == (0,)
