"""Cases by a bare number or by an id with a suffix, and questions that are not about the case of the last answer."""

import pytest
from mmdmad.agents.llms.dialogue import Call, State, Turn, after, follow
from mmdmad.agents.llms.heard import Reading
from mmdmad.agents.llms.patterns import AT_NUMBER, CASE
from mmdmad.agents.tools import Returned

from mmdmad.ask.ends import Ends


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("where in the frame is the hole on 18?", "18"),
        ("what did the note say in 22 that made it stand out", "22"),
        ("why was 31 NOT flagged, it looked bad", "31"),
        ("whats wrong w 9", "9"),
        ("ist das von 27 wirklich schlimm", "27"),
    ],
)
def test_a_bare_number_after_a_small_word_names_a_case(question, number):
    assert [m[1] for m in AT_NUMBER.finditer(question)] == [number]


@pytest.mark.parametrize(
    "question",
    [
        "how many in 20 minutes",
        "what happened in 2026?",
        "of 60 cases how many are odd",
        "one in 100 is wrong?",
        "at a rate of 5?",
        "with 12 channels",
        "is 5 % ok?",
    ],
)
def test_counts_years_and_rates_name_no_case(question):
    assert not AT_NUMBER.search(question)


@pytest.mark.parametrize("case", ["001-crack", "014_dark", "230-b2x"[:5], "test-00012", "1234"])
def test_an_id_is_taken_with_its_suffix(case):
    assert [m[0] for m in CASE.finditer(f"is {case} fine")] == [case]


def reading(**other):
    return Reading("case", attribute="why", **other)


def test_a_question_with_a_number_or_many_unread_words_is_not_about_the_last_case():
    state = State(focus="test-00007")
    assert follow(reading(), "and where exactly?", state).cases == ("test-00007",)
    assert follow(reading(others=("gouge",)), "where is the gouge?", state).cases == ("test-00007",)
    doubt = follow(reading(doubts=("43",)), "where is the fault on line 43", state)
    assert (doubt.intent, doubt.cases) == ("doubt", ())
    unclear = follow(reading(others=("meny", "gravl", "bords")), "how meny gravl bords flaged", state)
    assert (unclear.intent, unclear.cases) == ("unclear", ())
    assert follow(reading(doubts=("43",)), "why is it odd, was that 43?", state).cases == ("test-00007",)


@pytest.mark.parametrize(
    ("ends", "focus", "listing"),
    [
        (Ends(line="", evidence=(), total=3, first="a"), "a", ("a",)),
        (Ends(line="", evidence=(), total=3, last="b"), "b", ("b",)),
        (Ends(line="", evidence=(), total=1, first="a", last="a"), "a", ("a",)),
        (Ends(line="", evidence=(), total=3, first="a", last="b"), "", ("a", "b")),  # which of the two is "it"?
        (Ends(line="", evidence=(), total=0), "before", ("x",)),
    ],
)
def test_after_the_first_or_the_last_case_it_is_that_one_and_after_both_none(ends, focus, listing):
    turn = Turn("when was the first one", (Call("first_and_last", {}, Returned(ends)),))
    found = after(State("before", ("x",)), turn, Reading("query", attribute="first_and_last"))
    assert (found.focus, found.listing) == (focus, listing)
