"""Events as they are asked for and told: by query, by the offline analyst, on the command line, in the report."""

from datetime import datetime, timedelta

import pytest
from typer.testing import CliRunner

from mmdmad.ask.base import Scope, ask
from mmdmad.cli import app
from mmdmad.commands.events import rule_of
from mmdmad.errors import ConfigError
from mmdmad.events import AlarmRule
from mmdmad.findings import Finding, Guarantee, PartFinding, Slice
from mmdmad.report.model import build
from mmdmad.store import rows
from mmdmad.store.run import Run

BEGIN = datetime(2026, 3, 2, 9)  # a Monday


def finding(minute, p_value, part="sensor"):
    """A window of a minute of pump.csv."""
    place = Slice(
        part=part, file="pump.csv", recording="shift", first=60 * minute, last=60 * minute + 60,
        start=60.0 * minute, stop=60.0 * minute + 60,
    )  # fmt: skip
    own = PartFinding(modality=part, score=1, p_value=p_value, share=1, encoder="e", detector="d", cut=place)
    guarantee = Guarantee(rate=0.05, size=199, interval=(0.0, 0.1), pattern=(part,))
    return Finding(
        case_id=f"w-{minute:04}", time=BEGIN + timedelta(minutes=minute), p_value=p_value, score=1 / p_value,
        verdict="anomalous" if p_value <= 0.05 else "normal", guarantee=guarantee, parts=(own,),
    )  # fmt: skip


DAY = 24 * 60
FLAGGED = {10: 0.02, 11: 0.005, 12: 0.03, 20: 0.04, DAY + 5: 0.01, DAY + 6: 0.01}
"""On Monday three minutes from 09:10 on and one at 09:20, on Tuesday two from 09:05 on."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = Run.create(tmp_path_factory.mktemp("events") / "pump", {"false_alarm_rate": 0.05})
    others = [m for m in (0, 9, 13, 21, DAY, DAY + 7) if m not in FLAGGED]
    with made._engine.begin() as connection:
        found = [finding(m, p) for m, p in FLAGGED.items()] + [finding(m, 0.5) for m in others]
        rows.put(connection, [rows.Judged(one) for one in found])
    yield made
    made.close()


@pytest.fixture
def scope(run, tmp_path):
    run.events.set_rule(AlarmRule())
    return Scope(run, tmp_path)


def captions(result):
    return [one.evidence.caption for one in result.evidence]


def test_events_are_listed_with_when_where_what_and_how_long(scope):
    found = ask(scope, "list_events")
    assert (found.total, [e.id for e in found.events]) == (3, ["w-0010", "w-1445", "w-0020"])
    said = captions(found)
    assert said[0] == "There are 3 events; the run has 6 flagged cases."
    assert said[1] == (
        "From 10 min to 13 min of pump.csv (2026-03-02 09:10:00 to 09:13:00), 3 min long: 3 flagged cases, most "
        "anomalous w-0011, by sensor."
    )
    assert said[3].endswith("60 s long: 1 flagged case, w-0020, by sensor.")
    assert found.line == "events: 3 of 3 events"
    page = ask(scope, "list_events", order="-time", limit=1)
    assert [e.id for e in page.events] == ["w-1445"]
    assert [e.id for e in ask(scope, "list_events", recording="pump.csv", until="2026-03-02T09:20").events] == [
        "w-0010"
    ]
    assert ask(scope, "list_events", part="text").total == 0
    with pytest.raises(ConfigError, match="group 'x' was given; in this run there are none"):
        ask(scope, "list_events", group="x")


def test_events_are_counted_and_alarms_apart(scope):
    assert ask(scope, "count_events").total == 3
    assert ask(scope, "count_events", since="2026-03-03").total == 1
    assert ask(scope, "count_events", since="2026-03-02T09:12:30").total == 3  # the first still lasts
    assert ask(scope, "count_events", since="09:15", until="09:30").total == 1
    scope.run.events.set_rule(AlarmRule(fewest=2))
    counted = ask(scope, "count_events")
    assert (counted.total, counted.alarms, counted.flagged) == (3, 2, 6)
    assert captions(counted) == ["There are 3 events; the run has 6 flagged cases, and 2 alarms by its rule fewest=2."]
    assert ask(scope, "count_events", alarm=False).total == 1
    assert captions(ask(scope, "list_events", alarm=False))[1].endswith("by sensor; no alarm by the rule of the run.")


def test_one_event_is_opened_by_any_of_its_cases(scope):
    found = ask(scope, "open_event", case_id="12")
    assert found.events[0].cases == ("w-0010", "w-0011", "w-0012")
    assert captions(found)[1:] == [
        "Its most anomalous case, w-0011, has the p-value 0.005.", "Its flagged cases: w-0010, w-0011, w-0012."
    ]  # fmt: skip
    assert ask(scope, "open_event").events[0].peak == "w-0011"
    assert captions(ask(scope, "open_event", case_id="w-0009")) == ["w-0009 is in no event: it is not flagged."]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which events were there?", "most anomalous w-0011, by sensor"),
        ("How many events since Tuesday?", "There is 1 event from 2026-03-03"),
        ("How many events were there on 2 March?", "There are 2 events from 2026-03-02"),
        ("How long did the event of w-0012 last?", "3 min long"),
        ("When did the event of w-1446 begin?", "(2026-03-03 09:05:00 to 09:07:00)"),
    ],
)
def test_the_offline_analyst_answers_questions_about_events(run, scope, question, expected):
    from mmdmad.agents.investigator import Investigator

    answer = Investigator(run, llm="offline", thread=question).ask(question)
    assert expected in answer.text
    assert "withheld" not in answer.text


def test_it_means_the_event_that_is_spoken_of(run, scope):
    from mmdmad.agents.investigator import Investigator

    investigator = Investigator(run, llm="offline", thread="it")
    assert "w-0010" in investigator.ask("Show the event of w-0010.").text
    assert "3 min long" in investigator.ask("How long did it last?").text
    assert "2026-03-02 09:10:00 to 09:13:00" in investigator.ask("When did it begin?").text


def test_the_command_lists_events_keeps_a_rule_and_writes_a_table(run, scope, tmp_path):
    folder = str(run.path)
    said = CliRunner().invoke(app, ["events", folder, "--since", "2026-03-03"]).output
    assert said.splitlines()[0] == "There is 1 event from 2026-03-03; the run has 6 flagged cases."
    out = str(tmp_path / "events.csv")
    said = CliRunner().invoke(app, ["events", folder, "--alarm", "fewest=2 rearm=10min", "--alarms", "--out", out])
    assert "alarm rule of the run: fewest=2 rearm=600; 2 events, 2 of them alarms" in said.output
    assert len((tmp_path / "events.csv").read_text().splitlines()) == 3
    assert run.events.rule == AlarmRule(fewest=2, rearm=600.0)
    told = CliRunner().invoke(app, ["events", folder, "--json", "--limit", "1"]).output
    assert '"cases": [\n   "w-0010",' in told
    CliRunner().invoke(app, ["events", folder, "--alarm", "none"])
    assert run.events.rule == AlarmRule()


def test_a_rule_in_words_is_read_or_refused():
    assert rule_of("fewest=3, shortest=90s") == AlarmRule(fewest=3, shortest=90.0)
    assert rule_of("level=0.1", AlarmRule(hold=2)) == AlarmRule(hold=2, level=0.1)
    for wrong, why in (
        ("longest=3", "'longest' is not known; known are fewest, shortest, level, hold, rearm, onset"),
        ("hold=x", "hold cannot be 'x'"), ("hold=0", "hold=0 was given"), ("rearm=1 parsec", "is not known"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=why):
            rule_of(wrong)


def test_the_report_has_events_where_cases_lie_side_by_side(scope):
    section = next(s for s in build(scope.run).sections if s.title == "Events")
    assert section.line == "events: 3 of 3 events"
    assert len(section.evidence) == 4
