"""Words that deny, and months by their names: an answer that leaves them out says the opposite, or counts too much."""

from datetime import datetime

import pytest
from mmdmad.agents.llms.narrowing import undone
from mmdmad.agents.llms.times import when

NEWEST = datetime(2006, 1, 3, 15, 13)


@pytest.mark.parametrize(
    ("words", "since", "until"),
    [
        ("how many were flagged in september", "2005-09-01T00:00", "2005-10-01T00:00"),
        ("September 2004", "2004-09-01T00:00", "2004-10-01T00:00"),
        ("in may", "2005-05-01T00:00", "2005-06-01T00:00"),
        ("since december", "2005-12-01T00:00", None),
        ("on 20 september", "2005-09-20T00:00", "2005-09-21T00:00"),
    ],
)
def test_a_month_is_an_interval(words: str, since: str, until: str | None) -> None:
    assert when(words, NEWEST).where == {"since": since, **({"until": until} if until else {})}


@pytest.mark.parametrize("words", ["second week of august", "early september", "compare august with september"])
def test_a_piece_of_a_month_and_two_of_them_are_not_read_as_one(words: str) -> None:
    found = when(words, NEWEST)
    assert found.unread
    assert not found.where


def test_a_verb_is_no_month() -> None:
    assert when("may i ask which ones march on", NEWEST).where == {}


@pytest.mark.parametrize(
    "question",
    [
        *(f"how many flagged cases are there {no} brick tiles?" for no in ("without", "except", "but not")),
        "Wie viele Fälle wurden ohne brick tile markiert?",
    ],
)
def test_groups_that_are_denied_are_left_out(talk, fake_run, question: str) -> None:
    want = sum(f.verdict == "anomalous" and f.group != "brick tile" for f in fake_run.items.values())
    every = sum(f.verdict == "anomalous" for f in fake_run.items.values())
    assert 0 < want < every
    assert f"{want} flagged" in talk(question)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("which flagged ones where the picture wasnt the problem", "wasnt"),
        ("flagged ones that are not by the picture", "not"),
        ("flagged cases without a camera clip", "without"),
    ],
)
def test_a_denial_that_no_condition_holds_stops_the_answer(talk, question: str, word: str) -> None:
    said = talk(question)
    assert f"“{word}”" in said
    assert "could say which cases are asked for" in said


def test_all_but_a_case_is_not_told_of_that_case(talk, fake_run) -> None:
    case = next(f.case_id for f in fake_run.items.values() if f.verdict == "anomalous")
    assert "“except”" in talk(f"all flagged except {case}")
    assert case in talk(f"why was {case} flagged?")


def test_denials_that_a_condition_holds_are_done() -> None:
    assert undone("cases without text", {"missing": ("text",)}) == ()
    assert undone("the picture was not the problem", {"unusual": ("image",)}) == ("not",)


def test_broken_things_of_the_plant_are_no_unread_files(talk) -> None:
    assert "could be read" not in talk("is the camera broken?")
    assert "refused" in talk("were there any broken files?")
