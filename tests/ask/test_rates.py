"""Questions at other rates: what is flagged at each, and that none could be where that is so."""

import re

import pytest
from mmdmad.agents.investigator import Investigator
from mmdmad.agents.llms.reading import Vocabulary, read

from mmdmad.ask.base import Scope, ask
from mmdmad.bench.synthetic_run import synthetic_run
from mmdmad.calibration.conformal import attained_level
from mmdmad.errors import ConfigError
from mmdmad.report.model import build


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = synthetic_run(tmp_path_factory.mktemp("rates") / "run", 300, 3)
    yield made
    made.close()


def flagged(run, rate):
    """By hand: p-values at most the rate, of cases whose floor reaches it."""
    return [f.case_id for f in run.findings(order="id") if f.p_value <= rate and 1 / (f.guarantee.size + 1) <= rate]


def test_each_rate_is_counted_beside_what_is_expected(run):
    found = ask(Scope(run), "rates")
    assert [one.rate for one in found.rates] == [0.01, 0.02, 0.05, 0.1]
    for one in found.rates:
        assert one.flagged == len(flagged(run, one.rate))
        sizes = [f.guarantee.size for f in run.findings()]
        could = [n for n in sizes if 1 / (n + 1) <= one.rate]
        assert one.undecided == 300 - len(could)
        assert one.expected.mean == pytest.approx(sum(attained_level(n, one.rate) for n in could))
    assert len({one.flagged for one in found.rates}) > 1
    few = ask(Scope(run), "rates", rate=0.001)
    assert [e.evidence.caption for e in few.evidence] == ["None of 300 cases could be flagged at 0.1 %."]
    with pytest.raises(ConfigError, match="rate"):
        ask(Scope(run), "rates", rate=0.9)


def test_lists_and_counts_take_a_rate(run):
    for rate in (0.01, 0.1):
        expected = flagged(run, rate)
        found = ask(Scope(run), "find_cases", verdict="anomalous", rate=rate, limit=100)
        assert sorted(found.cases) == expected
        assert found.total == ask(Scope(run), "count_cases", verdict="anomalous", rate=rate).total == len(expected)
        assert found.line == f"flagged at {100 * rate:g} %: {len(expected)} of 300 cases"
    for name in ("find_cases", "count_cases"):
        none = ask(Scope(run), name, verdict="anomalous", rate=0.001)
        assert none.total == 0
        assert none.line == "none of 300 cases could be flagged at 0.1 %"
        assert none.evidence[0].evidence.caption.startswith("None of the 300 cases could be flagged at 0.1 %: only ")
    few = ask(Scope(run), "find_cases", verdict="anomalous", rate=0.005, missing="video", group="coin tray")
    assert re.fullmatch(r"none of \d+ cases could be flagged at 0\.5 %", few.line), few.line
    assert " cases of coin tray without video could be flagged at 0.5 %: " in few.evidence[0].evidence.caption
    assert ask(Scope(run.at(0.001)), "overview").line == "all cases: none of 300 cases could be flagged at 0.1 %"
    assert ask(Scope(run.at(0.001)), "timeline").line == "none of 300 cases could be flagged at 0.1 %"


@pytest.mark.parametrize(
    ("question", "rate"),
    [
        ("How many cases are flagged at 1 %?", 0.01), ("How many cases were flagged at a rate of 2.5 percent?", 0.025),
        ("Which cases are flagged at a false-alarm rate of 10%?", 0.1), ("How many were flagged at 14:00?", None),
    ],
)  # fmt: skip
def test_a_rate_in_words_is_read(question, rate):
    assert read(question, Vocabulary()).where.get("rate") == rate


def test_the_chat_answers_at_the_rate_that_is_asked_for(run):
    agent = Investigator(run, thread="rates")
    answer = agent.ask("How many cases are flagged at 1 %?")
    agent.close()
    assert answer.withheld == ()
    assert re.search(rf"\b{len(flagged(run, 0.01))} flagged cases at 1 %", answer.text), answer.text


def test_a_report_at_another_rate_says_so(run):
    read = build(run.at(0.01))
    assert (read.rate, read.judged_at, read.flagged) == (0.01, 0.05, len(flagged(run, 0.01)))
    assert "Verdicts are read at 1 %; the cases were judged at 5 %" in read.promise
    assert "read at" not in build(run).promise
    assert [s.title for s in read.sections if s.title == "At other rates"] == ["At other rates"]
    assert build(run.at(0.001)).headline == "None of 300 cases could be flagged"
    assert all(f.guarantee.rate == 0.01 and f.verdict == "anomalous" for f in read.findings)
