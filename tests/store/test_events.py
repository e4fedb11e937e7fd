"""Events in the store: rows that follow the findings, whatever calls brought these there, and what is asked of them."""

import json
import sqlite3
from datetime import datetime, time, timedelta
from types import SimpleNamespace
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from mmdmad.calibration.budget import Track
from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import DataError, PartError, RunError
from mmdmad.events import AlarmRule
from mmdmad.findings import Slice
from mmdmad.guarantees import Grounds, Ranked
from mmdmad.store import db, events, format, rows
from mmdmad.store.run import Run

BEGIN = datetime(2026, 3, 2, 8)


class Judge:
    """Says of a case the p-value that is its text; a case `r1@3` is the fourth minute of the recording r1."""

    parts_ = ("text",)

    def __init__(self, made) -> None:
        self.made = made

    def joint_scores(self):
        return {}

    def finding(self, case, rate, artifacts):
        if case.parts["text"].value == "broken":
            raise PartError("it is broken", part="text", case_id=case.id, row=None)
        part, p = self.made.part("text", share=1.0), float(case.parts["text"].value)
        recording, _, number = case.id.partition("@")
        if number:
            cut = Slice(
                part="text", file=f"{recording}.log", recording=recording, first=int(number), last=int(number) + 1
            )
            part = part.model_copy(update={"cut": cut})
        found = self.made.finding(
            case.id, p, 1 / p, parts=(part,), rate=rate, size=199, time=case.time, group=case.group
        )
        grounds = Grounds(folds=(Ranked(size=199, natural=199, units=199, smallest=1),))
        return found.model_copy(update={"guarantee": found.guarantee.model_copy(update={"grounds": grounds})})


@pytest.fixture
def judged(tmp_path, made):
    """Makes runs, each of its own name."""
    runs = []

    def make(name: str = "run") -> Run:
        run = Run.create(tmp_path / name, {"false_alarm_rate": 0.05})
        run._model = Judge(made)
        runs.append(run)
        return run

    yield make
    for run in runs:
        run.close()


def case(id: str, p: float | str, minute: float | None = None, group: str | None = None, recording: str | None = None):
    at = None if minute is None else BEGIN + timedelta(minutes=minute)
    return Case(id, {"text": Part("text", value=str(p))}, time=at, group=group, recording=recording)


def told(run: Run) -> list[tuple[str, ...]]:
    return sorted(e.cases for e in run.events)


def stored(run: Run) -> list[tuple]:
    with run._engine.connect() as connection:
        return list(connection.execute(select(db.EventRow.id, db.EventRow.place, db.EventRow.document)))


def members(run: Run) -> dict[str, str]:
    with run._engine.connect() as connection:
        query = select(db.CaseRow.id, db.CaseRow.event).where(db.CaseRow.event.is_not(None))
        return {row.id: row.event for row in connection.execute(query)}


WINDOWS = [case("r1@0", 0.02), case("r1@1", 0.01), case("r1@2", 0.4), case("r1@3", 0.03), case("r2@4", 0.04)]
TILES = [
    case("t0", 0.03, 0, "tile"), case("t1", 0.02, 1, "tile"), case("b1", 0.9, 1.5, "brick"),
    case("t2", 0.03, 2, "tile"), case("t3", 0.9, 3, "tile"), case("t4", 0.01, 4, "tile"), case("b5", 0.01, 5, "brick"),
]  # fmt: skip
EVENTS = [("b5",), ("r1@0", "r1@1"), ("r1@3",), ("r2@4",), ("t0", "t1", "t2"), ("t4",)]


def test_scoring_writes_the_events_of_recordings_and_of_streams(judged):
    run = judged()
    run.score([*WINDOWS, *TILES])
    assert len(stored(run)) == len(EVENTS)  # before anybody asks
    assert told(run) == EVENTS
    assert members(run) == {one: some[0] for some in EVENTS for one in some}
    first = run.events.of("t1")
    assert (first.id, first.peak, first.p_value, first.group) == ("t0", "t1", 0.02, "tile")
    assert (first.begin, first.end) == (BEGIN, BEGIN + timedelta(minutes=2))
    assert run.events.of("t3") is None
    assert run.events.of("nobody") is None
    place = run.events.of("r1@1").place
    assert (place.file, place.first, place.last) == ("r1.log", 0, 2)
    assert [e.p_value for e in run.events] == [0.01, 0.01, 0.01, 0.02, 0.03, 0.04]
    assert run.events[0] == run.events.list(limit=1)[0]


def test_a_case_judged_later_or_again_or_withdrawn_changes_its_events_alone(judged):
    run = judged()
    run.score([*WINDOWS, *TILES])
    before = {e.id: e for e in run.events}
    run.score([case("r1@2", 0.04)], replace=True)
    assert told(run) == [("b5",), ("r1@0", "r1@1", "r1@2", "r1@3"), ("r2@4",), ("t0", "t1", "t2"), ("t4",)]
    run.score([case("t1", 0.5, 1, "tile")], replace=True)
    assert [e for e in told(run) if e[0] in ("t0", "t2")] == [("t0",), ("t2",)]
    run.score([case("t1", "broken", 1, "tile")], replace=True)  # without a verdict it parts nothing
    assert [e for e in told(run) if e[0] in ("t0", "t2")] == [("t0", "t2")]
    run.score([case("t05", 0.7, 0.5, "tile")])
    assert [e for e in told(run) if e[0] in ("t0", "t2")] == [("t0",), ("t2",)]
    assert {e.id: e for e in run.events}["t4"] == before["t4"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations([*WINDOWS, *TILES]), st.integers(1, 11))
def test_events_do_not_depend_on_the_order_of_calls(judged, order, cut):
    with_all, in_two = judged(uuid4().hex), judged(uuid4().hex)
    with_all.score([*WINDOWS, *TILES])
    in_two.score(order[:cut])
    in_two.score(order[cut:])
    assert stored(in_two) == stored(with_all)


def test_read_at_another_rate_events_are_those_of_the_cases_flagged_there(judged):
    run = judged()
    run.score([*WINDOWS, *TILES])
    low = run.at(0.02)
    assert told(low) == [("b5",), ("r1@0", "r1@1"), ("t1",), ("t4",)]
    assert low.events.of("t1").cases == ("t1",)
    assert low.events.of("t0") is None
    assert low.events.count(group="tile") == 2
    assert (len(run.at(0.005).events), told(run.at(0.05))) == (0, EVENTS)
    assert members(run) == {one: some[0] for some in EVENTS for one in some}  # the run's own stay as they are


def test_a_rule_is_kept_with_the_run_and_moves_no_finding(judged):
    run = judged()
    run.score([*WINDOWS, *TILES])
    before = list(run.findings())
    run.events.set_rule(AlarmRule(fewest=2, hold=2))
    assert Run.open(run.path).events.rule == AlarmRule(fewest=2, hold=2)
    assert told(run) == [("b5",), ("r1@0", "r1@1", "r1@3"), ("r2@4",), ("t0", "t1", "t2", "t4")]
    assert [e.alarm for e in run.events.list(order="time")] == [True, False, True, False]
    assert list(run.findings()) == before
    run.events.set_rule(AlarmRule())
    assert told(run) == EVENTS


def test_events_are_asked_for_by_time_part_recording_group_and_alarm(judged):
    run = judged()
    run.score([*WINDOWS, *TILES])
    run.events.set_rule(AlarmRule(onset=0.02))

    def ids(**filters):
        found = run.events.list(**filters)
        assert run.events.count(**{k: v for k, v in filters.items() if k != "order"}) == len(found)
        return [e.id for e in found]

    assert ids(group="tile", order="time") == ["t0", "t4"]
    assert ids(group="tile", order="-time") == ["t4", "t0"]
    # t0 lasts from 8:00 to 8:02: asked from 8:01 on it still lasts, from 8:02 on it is over
    assert ids(since=BEGIN + timedelta(minutes=1), order="time") == ["t0", "t4", "b5"]
    assert ids(since=BEGIN + timedelta(minutes=2), order="time") == ["t4", "b5"]
    assert ids(since=BEGIN + timedelta(minutes=4), until=BEGIN + timedelta(minutes=5)) == ["t4"]
    assert ids(from_clock=time(8, 4), to_clock=time(8, 5)) == ["t4"]
    assert sorted(ids(recording="r1")) == sorted(ids(recording="r1.log")) == ["r1@0", "r1@3"]
    assert len(ids(part="text")) == 6
    assert ids(part="tex") == ids(part="%") == []
    assert sorted(ids(alarm=False)) == ["r1@3", "r2@4"]
    assert len(ids(alarm=True)) == 4
    with pytest.raises(RunError, match="order='worst' was given; allowed are rank, time, -time"):
        run.events.list(order="worst")


def test_pictures_of_one_recording_in_memory_are_a_stream_of_their_own(judged):
    run = judged()
    run.score([case(f"{r}{m}", 0.01, m, recording=r) for r in "ab" for m in (0, 1)])
    assert told(run) == [("a0", "a1"), ("b0", "b1")]


def test_cases_beside_pieces_of_files_are_a_stream_and_pieces_lie_in_none(judged):
    run = judged()
    between = [case("r1@0", 0.9, 0.5), case("r1@9", 0.01, 0.7)]  # pieces of a file, at times between two pictures
    run.score([case("a", 0.01, 0), case("b", 0.01, 1), *between])
    assert told(run) == [("a", "b"), ("r1@9",)]


def test_a_scoring_that_was_stopped_and_an_older_run_get_their_events_when_asked(judged, made):
    run = judged()
    run.score(WINDOWS)
    with run._engine.begin() as connection:  # as a stopped scoring leaves it: a case more, no events of it
        rows.put(connection, [rows.Judged(Judge(made).finding(case("r2@5", 0.01), 0.05, None))])
    assert [e for e in told(run) if e[0] == "r2@4"] == [("r2@4", "r2@5")]
    run.close()
    with sqlite3.connect(run.path / "cases.sqlite") as store:
        for line in (
            "DROP TABLE events", "DROP INDEX ix_cases_event", "ALTER TABLE cases DROP COLUMN event",
            "DELETE FROM meta WHERE key = 'events'", f"PRAGMA user_version={format.FORMAT - 1}",
        ):  # fmt: skip
            store.execute(line)
    settings = json.loads((run.path / "config.json").read_text())
    (run.path / "config.json").write_text(json.dumps({**settings, "format": 6}))
    older = Run.open(run.path)
    assert told(older) == [("r1@0", "r1@1"), ("r1@3",), ("r2@4", "r2@5")]
    older.close()


def test_what_is_stored_is_checked(judged):
    run = judged()
    run.score(WINDOWS)
    with run._engine.begin() as connection:
        connection.execute(text("UPDATE events SET document = '{}' WHERE id = 'r1@3'"))
    with pytest.raises(RunError, match="the stored event 'r1@3' is damaged"):
        list(run.events)
    for wrong in ('{"hold": 0}', '{"holds": 1}', "nonsense"):
        with run._engine.begin() as connection:
            events._keep(connection, events.RULE, wrong)
        with pytest.raises(RunError, match="alarm rule is damaged"):
            _ = run.events.rule


def test_events_are_written_as_tables(judged, tmp_path):
    run = judged()
    run.score([*WINDOWS, *TILES, case("=1+1@7", 0.01)])
    lines = run.events.save(tmp_path / "events.csv").read_text().splitlines()
    assert lines[0].startswith('"event","begin","end","seconds","cases","peak","p_value","parts","alarm","group"')
    assert (
        '"t0","2026-03-02T08:00:00","2026-03-02T08:02:00",120.0,3,"t1",0.02,"text",True,"tile","","","","",""' in lines
    )
    assert any(line.startswith('"\'=1+1@7"') for line in lines)
    whole = [json.loads(line) for line in run.events.save(tmp_path / "events.jsonl").read_text().splitlines()]
    assert [one["cases"] for one in whole] == [list(e.cases) for e in run.events]
    table = run.events.to_dataframe()
    assert table.loc[table.event == "r1@0", "last"].item() == 2
    assert "<b>7 events</b>" in run.events._repr_html_()
    with pytest.raises(RunError, match=r"tables are written as \.parquet, \.csv, \.jsonl"):
        run.events.save(tmp_path / "events.xlsx")


def budgeted(run: Run, *tracks, unit="recording") -> Run:
    """The run with a model whose folds have these calibration cases in order."""
    folds = [SimpleNamespace(calibration=SimpleNamespace(track_=track)) for track in tracks]
    run._model.folds_, run._model.calibration_ = folds, SimpleNamespace(unit=unit)
    return run


def calibration(size: int, *odd: float, seconds: float | None = 60.0) -> Track:
    """Windows of one recording of which every tenth has one of these p-values."""
    p_values = np.full(size, 0.9)
    p_values[10 * np.arange(len(odd))] = odd
    at = np.arange(size, dtype=float)
    return Track(np.zeros(size, int), np.zeros(size, int), at, at + 1, p_values, seconds)


def test_a_budget_lets_only_events_be_alarms_that_the_calibration_makes_seldom(judged):
    run = judged()
    run.score([*WINDOWS, *TILES])
    budgeted(run, calibration(14_400, 0.011, 0.02, 0.025, 0.04))  # ten days
    made = run.events.budget(0.8)  # three in ten days may stand for .775 a day, four for .915
    assert (made.level, made.alarms) == (0.025, 3)
    assert run.events.rule == AlarmRule(onset=0.025)
    assert sorted(e.id for e in run.events.list(alarm=True)) == ["b5", "r1@0", "t0", "t4"]
    assert told(run) == EVENTS
    assert run.events.budget(0.7).level == 0.02  # chosen anew, whatever was before
    assert run.events.budget(1.0, "1000").level == 0.04


def test_a_budget_is_refused_where_the_calibration_has_no_order(judged):
    run = judged()
    for tracks, unit, why in (
        ([None], "case", "were dealt out one by one"), ([None], "recording", "keeps no order"),
        ([calibration(99, 0.01), None], "block", "keeps no order"),
        ([calibration(99, 0.01, seconds=None)], "block", "how long a case lasts is not known"),
        ([calibration(99, 0.01)], "block", "99 calibration cases are too few for 1 alarms per day"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=why):
            budgeted(run, *tracks, unit=unit).events.budget(1)
    assert run.events.rule == AlarmRule()


def test_a_run_without_flagged_cases_has_no_events(judged):
    run = judged()
    assert (len(run.events), list(run.events), repr(run.events)) == (0, [], "Events(0 events, 0 alarms)")
    run.score(Cases((case("a", 0.5, 0),)))
    assert len(run.events) == 0
