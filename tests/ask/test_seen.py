"""Whether the like of a case was flagged before: same driver, and the same channel where one is named."""

import pytest

from mmdmad.ask.base import Scope, ask
from mmdmad.findings import Evidence, Fact
from mmdmad.store import rows
from mmdmad.store.run import Run
from tests.store.made import contradiction, finding, part


@pytest.fixture
def scope(tmp_path):
    run = Run.create(tmp_path / "run", {"false_alarm_rate": 0.1})
    found = [
        odd("a", "2026-03-01T06:00", "load"), odd("b", "2026-03-01T07:00", "speed"),
        odd("c", "2026-03-01T08:00", "load"),
        odd("d", "2026-03-01T09:00", "load", p_value=0.5), odd("e", "2026-03-01T10:00", "load"), odd("f", None, "load"),
        finding("t", 0.01, time="2026-03-01T11:00"),
        finding("x", 0.01, 9.0, contradictions=(contradiction("text", 0.01, 8.0),), time="2026-03-01T12:00"),
    ]  # fmt: skip
    with run._engine.begin() as connection:
        rows.put(connection, [rows.Judged(one, one.case_id, one.case_id, "{}") for one in found])
    yield Scope(run, tmp_path)
    run.close()


def odd(case, time, channel, p_value=0.01):
    said = Evidence(
        id="E1", kind="channel", part="sensor", caption="it rises", facts=(Fact(name="channel", value=channel),)
    )
    return finding(case, p_value, parts=(part("sensor"),), evidence=(said,), time=time)


def alike(scope, case):
    return ask(scope, "seen_before", case_id=case).alike


def test_the_same_channel_counts_and_only_flagged_cases(scope):
    found = alike(scope, "e")
    assert (found.what, found.total, found.before) == ("by the sensor, channel load", 4, 2)
    assert found.first == "2026-03-01 06:00:00"
    assert alike(scope, "a").before == 0
    assert alike(scope, "a").words == "The first of 4 flagged cases by the sensor, channel load in the run."


def test_a_case_without_a_time_stands_in_no_order(scope):
    assert alike(scope, "f").before is None
    assert alike(scope, "f").words.startswith(
        "One of 4 flagged cases by the sensor, channel load in the run, since 2026"
    )


def test_other_drivers_are_apart(scope):
    assert alike(scope, "b").words == "The only flagged case by the sensor, channel speed in the run."
    assert alike(scope, "t").what == "by the text"
    assert alike(scope, "x").what == "by parts that do not fit each other"


def test_a_case_that_is_not_flagged_has_none(scope):
    found = ask(scope, "seen_before", case_id="d")
    assert found.alike is None
    assert found.evidence[0].evidence.caption == "d is not flagged."


def test_the_answer_has_its_numbers_as_facts(scope):
    said = ask(scope, "seen_before", case_id="e").evidence[0].evidence
    assert said.caption.startswith("e: seen before: 2 earlier flagged cases by the sensor, channel load, 4 in the run")
    assert {f.name: f.value for f in said.facts}["earlier flagged cases"] == 2


def line(case, time, quote, p_value=0.01):
    facts = (Fact(name="quote", value=quote),)
    said = Evidence(id="E1", kind="words", part="text", caption="a line stands out", facts=facts)
    return finding(case, p_value, evidence=(said,), time=time)


def test_lines_are_alike_whatever_their_numbers(tmp_path):
    run = Run.create(tmp_path / "log", {"false_alarm_rate": 0.1})
    found = [
        line("a", "2026-03-01T06:00", "06:00 node 4 lost"), line("b", "2026-03-01T07:00", "07:00 node 17 lost"),
        line("c", "2026-03-01T08:00", "disk full"), line("d", "2026-03-01T09:00", "09:00 node 4 lost", 0.5),
        line("e", "2026-03-01T10:00", "10:00 node 4 lost"), line("f", None, "11:00 node 5 lost"),
    ]  # fmt: skip
    with run._engine.begin() as connection:
        rows.put(connection, [rows.Judged(one, one.case_id, one.case_id, "{}") for one in found])
    here = Scope(run, tmp_path)
    same = alike(here, "e")
    assert (same.total, same.before, same.first) == (4, 2, "2026-03-01 06:00:00")
    assert same.words.startswith("Seen before: 2 earlier flagged cases with such a line (numbers aside), 4 in the run")
    assert alike(here, "c").words == "The only flagged case with such a line (numbers aside) in the run."
    assert alike(here, "f").before is None
    run.close()
