"""Words of time in questions: what is told is what the store holds, the interval is said, no word is dropped.

The newest case of the run is of Thursday 5 March 2026, 11:30: relative words count from there.
"""

import re
from datetime import datetime, time
from uuid import uuid4

import pytest
from mmdmad.agents.investigator import Investigator
from mmdmad.agents.llms.times import when
from pydantic import Field

from mmdmad.ask import base


def span(start, stop="2026-03-31"):
    """Times from a moment to before another."""
    low, high = datetime.fromisoformat(start), datetime.fromisoformat(stop)
    return lambda at: low <= at < high


def clock(low=0, high=24):
    """Hours of any day."""
    return lambda at: time(low) <= at.time() and at.hour < high


DAY5, DAY4, DAY3 = (span(f"2026-03-0{d}", f"2026-03-0{d + 1}") for d in (5, 4, 3))
ASKED = [
    ("Which cases were flagged this morning, and why?", span("2026-03-05T06:00", "2026-03-05T12:00")),
    ("How many cases were flagged this morning?", span("2026-03-05T06:00", "2026-03-05T12:00")),
    ("How many cases were flagged today?", DAY5),
    ("How many cases were flagged yesterday?", DAY4),
    ("Which cases were flagged yesterday?", DAY4),
    ("Was anything flagged yesterday, are there any cases?", DAY4),
    ("What went wrong yesterday?", DAY4),
    ("How many cases were flagged the day before yesterday?", DAY3),
    ("How many cases were flagged last night?", span("2026-03-04T22:00", "2026-03-05T06:00")),
    ("What was flagged yesterday evening?", span("2026-03-04T18:00", "2026-03-04T22:00")),
    ("How many cases were flagged in the morning?", clock(6, 12)),
    ("How many cases were flagged in the afternoon?", clock(12, 18)),
    ("How many cases were flagged in the evening?", clock(18, 22)),
    ("How many cases were flagged on 3 March?", DAY3),
    ("How many cases were flagged on March 3?", DAY3),
    ("Count the flagged cases of the 3rd of March.", DAY3),
    ("How many cases were flagged on 4 March 2026?", DAY4),
    ("How many cases were flagged on March 4th, 2026?", DAY4),
    ("Which cases were flagged on 2026-03-03?", DAY3),
    ("How many cases were flagged in the morning of 3 March?", span("2026-03-03T06:00", "2026-03-03T12:00")),
    ("How many cases were flagged between 9:00 and 12:00?", clock(9, 12)),
    ("How many cases were flagged between 9:00 and 18:00 on 3 March?", span("2026-03-03T09:00", "2026-03-03T18:00")),
    ("How many cases were flagged yesterday after 10 am?", span("2026-03-04T10:00", "2026-03-05")),
    ("How many cases were flagged last week?", span("2026-02-23", "2026-03-02")),
    ("How many cases were flagged this week?", span("2026-03-02", "2026-03-09")),
    ("How many cases were flagged since Monday?", span("2026-03-02")),
    ("How many cases were flagged on Monday?", span("2026-03-02", "2026-03-03")),
    ("How many cases were flagged from Monday until Tuesday?", span("2026-03-02", "2026-03-04")),
    ("How many cases were flagged before noon?", clock(0, 12)),
    ("How many cases were flagged in the last 3 days?", span("2026-03-02T11:30")),
    ("How many cases were flagged since 2026-03-03T06:00?", span("2026-03-03T06:00")),
    ("How many cases were flagged before 1 March?", span("2026-01-01", "2026-03-01")),
    ("How many cases were flagged last month?", span("2026-02-01", "2026-03-01")),
]


@pytest.fixture(scope="module")
def asks(two_weeks):
    investigator = Investigator(two_weeks, folder=two_weeks.path)
    yield lambda *questions: [investigator.ask(q, thread) for thread in [uuid4().hex] for q in questions][-1]
    investigator.close()


@pytest.mark.parametrize(("question", "within"), ASKED, ids=[q for q, _ in ASKED])
def test_what_is_told_is_what_the_store_holds(asks, two_weeks, question, within):
    flagged = list(two_weeks.findings(verdict="anomalous"))
    wanted = {f.case_id for f in flagged if within(f.time)}
    assert len(wanted) < len(flagged), "an answer about all of them would be right too"
    answer = asks(question)
    assert answer.withheld == ()
    told = re.match(r"(?:There (?:is|are) )?(\d+|no) flagged cases?\b", answer.text)
    assert told, answer.text
    assert int(told[1].replace("no", "0")) == len(wanted), answer.text
    assert re.search(r"\b(?:from|until) (?:\d{4}-\d\d-\d\dT)?\d\d:\d\d", answer.text), "the interval is said"
    assert {*re.findall(r"test-\d+", answer.text)} <= wanted
    if question.startswith(("Which", "What")):
        assert len({*re.findall(r"test-\d+", answer.text)}) == min(len(wanted), 10)


def test_a_conversation_takes_the_time_along(asks, two_weeks):
    wanted = [f for f in two_weeks.findings(verdict="anomalous") if DAY4(f.time)]
    answer = asks("How many cases were flagged on 3 March?", "And yesterday?").text
    assert re.search(rf"There (?:is|are) {len(wanted) or 'no'} flagged", answer)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How many cases were flagged at night?", "at night"),
        ("Which cases of the night shift were flagged?", "night"),
        ("How many cases were flagged on 31 February?", "31 February"),
        ("How many cases were flagged at the weekend?", "weekend"),
        ("How many cases were flagged two hours ago?", "two hours ago"),
    ],
)
def test_a_word_of_time_that_cannot_be_read_is_said(asks, question, words):
    answer = asks(question).text
    assert answer.startswith("I cannot tell which time is meant")
    assert words in answer
    assert "yesterday" in answer, "and what can be read"


def test_a_filter_that_an_answer_cannot_take_is_said(asks):
    answer = asks("How reliable were the verdicts of today?").text
    assert "I did not filter by time: this answer is about everything." in answer


def test_an_overview_of_a_day_counts_its_verdicts(asks, two_weeks):
    held = two_weeks.count(since=datetime(2026, 3, 4), until=datetime(2026, 3, 5))
    assert 0 < held < two_weeks.count()
    assert f"of {held} cases from 2026-03-04T00:00" in asks("Give me an overview of yesterday.").text


@pytest.fixture
def loud():
    """A query of another package that takes no filter, but a number."""
    base.queries()

    class Most(base.Arguments):
        """How many."""

        most: int = Field(default=1, description="how many")

    @base.query("loud", asked=("how loud", "noise … night"))
    def loud(scope: base.Scope, asked: Most) -> base.Result:
        """How loud it was."""
        return base.Result(line="all cases", evidence=(base.told(f"Loud, {asked.most}."),))

    yield
    base._REGISTRY.remove("loud")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How loud was it?", "Loud, 1."),
        ("How loud was it, the 4 loudest?", "Loud, 4."),
        ("How loud was it on 3 March?", "Loud, 1.\nI did not filter by time: this answer is about everything."),
        ("How loud was it at night?", "Loud, 1.\nI did not filter by time: this answer is about everything."),
        ("How loud were moon plates?", "Loud, 1.\nI did not filter by group: this answer is about everything."),
        ("Was there noise in the night?", "Loud, 1."),  # the query's own words
    ],
)
def test_a_filter_for_which_a_query_has_no_field_is_said(loud, two_weeks, question, answer):
    investigator = Investigator(two_weeks, thread=uuid4().hex, folder=two_weeks.path)
    assert investigator.ask(question).text == answer
    investigator.close()


@pytest.mark.parametrize(
    "question",
    ["Longest time between two flagged cases?", "For how long was nothing wrong at most?",
     "Show the longest run of cases with nothing flagged", "Give me the 5 busiest hours"],
)  # fmt: skip
def test_what_nothing_computes_is_declined_with_what_can_be_asked(asks, question):
    answer = asks(question).text
    assert answer.startswith("I did not understand the question. I can tell which cases were flagged")


def test_the_busiest_hour_is_counted_on_the_clock(asks, two_weeks):
    counts = two_weeks.numbers.slots(60, verdict="anomalous")
    said = asks("What was the busiest hour?").text
    assert said.startswith("Per 60 minutes of the clock, the most flagged cases ")
    assert f": {max(counts.values())}" in said
    assert f"of {sum(counts.values())} in all." in said


def test_hours_of_the_day_are_ranked_by_hour(asks):
    assert asks("What time of the day are most flagged?").text.startswith("By hour")


def test_without_a_time_in_the_run_relative_words_are_not_guessed():
    assert when("flagged yesterday", None).unread == "yesterday"
    assert when("flagged on 2026-03-03 in the morning", None).where["since"] == "2026-03-03T06:00"


@pytest.mark.parametrize("text", ["which channel shifts?", "the spring is loose", "Good day", "from 1.2 s to 3.4 s"])
def test_other_words_are_no_times(text):
    assert when(text, datetime(2026, 3, 5)).where == {}
    assert when(text, datetime(2026, 3, 5)).unread == ""
