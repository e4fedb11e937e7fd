"""New templates of log lines over a run: which, since when, in how many cases, in events, in the chat."""

from datetime import datetime, timedelta

import pytest

from mmdmad.ask.base import Scope, ask
from mmdmad.bench.synthetic_run import synthetic_findings
from mmdmad.event_table import flat
from mmdmad.findings import Evidence, Fact

START = datetime(2026, 3, 2, 10)


def naming(finding, at, template, seen=0):
    """A finding at a minute of the log, whose evidence names a template."""
    facts = (Fact(name="template", value=template), Fact(name="normal lines of the template", value=seen))
    said = Evidence(id=f"E{len(finding.evidence) + 1}", kind="words", part="text", caption="A line.", facts=facts)
    more = {"time": START + timedelta(minutes=at), "evidence": (*finding.evidence, said), "group": None}
    return finding.model_copy(update=more)


@pytest.fixture
def scope(a_run, tmp_path):
    every = [*synthetic_findings(60, seed=3)]
    flagged = [f for f in every if f.verdict == "anomalous"][:3]
    # two cases beyond all calibration cases: the larger joint score, of the later id, goes first
    same = {"p_value": flagged[0].guarantee.smallest_p_value, "guarantee": flagged[0].guarantee}
    flagged = [f.model_copy(update={**same, "score": 9.0 + n}) for n, f in enumerate(flagged)]
    normal = [f for f in every if f.verdict == "normal"][:2]
    found = [
        naming(flagged[0], 1, "fan <*> stopped"), naming(flagged[1], 2, "fan <*> stopped"),
        naming(naming(flagged[2], 30, "disk full"), 30, "disk ok", seen=30), naming(normal[0], 0, "fan <*> stopped"),
        naming(normal[1], 40, "disk ok", seen=30),
    ]  # fmt: skip
    return Scope(run=a_run(tmp_path / "run", found)), [f.case_id for f in found]


def test_new_templates_with_since_when_and_how_often(scope):
    asked, cases = scope
    told = ask(asked, "log_templates")
    assert (told.total, told.templates, told.idle) == (2, ("fan <*> stopped", "disk full"), False)
    head, fan, disk = (one.evidence.caption for one in told.evidence)
    assert head == "Evidence names 2 new templates of log lines."
    assert fan.startswith(
        "“fan <*> stopped”: new, named in the evidence of 3 cases (2 flagged), since 2026-03-02 10:00:00, "
    )
    assert "last 2026-03-02 10:02:00; most anomalous" in fan
    assert disk.endswith(f"1 case (1 flagged), since 2026-03-02 10:30:00; most anomalous {cases[2]}.")
    assert told.evidence[2].case == cases[2]
    assert told.evidence[1].case == cases[1] == asked.run.findings(limit=9)[1].case_id


def test_filters_all_and_none(scope):
    asked, _ = scope
    assert ask(asked, "log_templates", since="2026-03-02T10:10").templates == ("disk full",)
    assert ask(asked, "log_templates", until="10:02").total == 1
    one = ask(asked, "log_templates", limit=1)
    assert (one.total, one.templates) == (2, ("fan <*> stopped",))
    assert one.evidence[-1].evidence.caption == "1 more is not listed."
    every = ask(asked, "log_templates", new=False)
    assert every.total == 3
    assert any("“disk ok”: 30 normal lines follow it, named in" in one.evidence.caption for one in every.evidence)
    none = ask(asked, "log_templates", since="2027-01-01")
    assert none.idle
    assert none.evidence[0].evidence.caption == "Evidence names no new templates of log lines."


def test_events_know_the_new_templates_of_their_cases(scope):
    asked, cases = scope
    by_case = {case: one.templates for one in asked.run.events for case in one.cases}
    assert by_case[cases[2]] == ("disk full",)
    assert "fan <*> stopped" in by_case[cases[0]]
    said = [one.evidence.caption for one in ask(asked, "list_events").evidence]
    assert any("; new log template “disk full”" in line for line in said)
    rows = [flat(one)["new_templates"] for one in asked.run.events]
    assert "disk full" in rows
    stricter = asked.run.at(0.2)
    assert ("disk full",) in [one.templates for one in stricter.events]


def test_the_chat_knows_the_question(scope):
    agents = pytest.importorskip("mmdmad.agents.investigator")
    asked, _ = scope
    investigator = agents.Investigator(asked.run)
    for question in ("Which new templates are there?", "Are there new log lines?", "Which templates are new?"):
        answer = investigator.ask(question, question)
        assert answer.tools[-1] == "log_templates"
        assert not answer.withheld
        assert "“fan <*> stopped”: new" in answer.text
        assert "10:00:00" in answer.text
    investigator.close()
