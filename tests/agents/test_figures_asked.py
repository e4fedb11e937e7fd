# ruff: noqa: E501  (a question and what its answer must hold, a line each)
"""Questions for figures, two asks in one, slips of the pen: every answer held against the findings, counted by hand here."""

import re
import statistics

import pytest

from mmdmad.ask.words import short


def some(run, **where):
    return [f for f in run.items.values() if all(getattr(f, name) == value for name, value in where.items())]


NUMBERS = [
    ("what is the median score?", "median", "score", {}),
    ("what's the mean p-value of the flagged ones?", "mean", "p_value", {"verdict": "anomalous"}),
    ("average score of the brick tiles", "mean", "score", {"group": "brick tile"}),
    ("highest score among the normal cases?", "highest", "score", {"verdict": "normal"}),
    ("lowest p-value of a normal case?", "lowest", "p_value", {"verdict": "normal"}),
    ("Was ist der Median der Scores?", "median", "score", {}),
    ("Durchschnittlicher p-Wert der normalen Fälle?", "mean", "p_value", {"verdict": "normal"}),
]
OF = {"median": statistics.median, "mean": statistics.fmean, "highest": max, "lowest": min}


@pytest.mark.parametrize(("question", "what", "quantity", "where"), NUMBERS, ids=[q for q, *_ in NUMBERS])
def test_a_number_is_that_of_the_cases_meant(talk, fake_run, question, what, quantity, where):
    values = [getattr(f, quantity) for f in some(fake_run, **where)]
    noun = "joint p-value" if quantity == "p_value" else "joint score"
    said = talk(question)
    assert said.startswith(f"The {what} {noun} of {len(values)} "), said
    assert f" is {short(float(OF[what](values)))}" in said.split(";")[0], said


def test_two_rates_are_told_apart_with_their_difference(talk, fake_run):
    low, high = (sum(f.p_value <= rate for f in fake_run.items.values()) for rate in (0.02, 0.4))
    for question in (
        "how many more are flagged at 40 % than at 2 %?",
        "what changes if the rate is 2 % instead of 40 %?",
        "Wie viele mehr sind es bei 40 % als bei 2 %?",
    ):
        assert talk(question).startswith(
            f"Of 60 cases, {high} at 40 % and {low} at 2 % are flagged: {high - low} more at 40 %."
        ), question


@pytest.mark.parametrize(
    ("question", "minutes"),
    [
        ("alarms per ten minutes", 10),
        ("in which half hour were there the most alarms?", 30),
        ("in which quarter of an hour did most alarms occur?", 15),
        ("Alarme pro Viertelstunde", 15),
        ("Wie viele Alarme gab es alle 20 Minuten?", 20),
    ],
)
def test_stretches_of_the_clock_are_counted(talk, fake_run, question, minutes):
    begins = [
        f"{f.time:%Y-%m-%d %H}:{f.time.minute // minutes * minutes:02d}" for f in some(fake_run, verdict="anomalous")
    ]
    most = max(begins.count(one) for one in begins)
    said = talk(question)
    assert said.startswith(f"Per {minutes} minutes of the clock, the most flagged cases ")
    assert re.search(rf": {most}(?: each)?, of {len(begins)} in all\.", said), said
    for one in {*begins}:
        if f"from {one}: " in said:
            assert re.search(rf"from {one}: {begins.count(one)} of ", said), (one, said)


@pytest.mark.parametrize(
    "question",
    [
        "what is the smallest p possible here?",
        "can a p-value be smaller than 0.002?",
        "Was ist der kleinste mögliche p-Wert?",
    ],
)
def test_the_smallest_possible_p_value_is_that_of_the_calibration(talk, fake_run, question):
    floor = 1 / (max(f.guarantee.size for f in fake_run.items.values()) + 1)
    assert f"The smallest p-value possible for cases is {short(floor)}: " in talk(question)


def test_a_part_ranks_cases_by_its_own_p_value(talk, fake_run):
    own = {f.case_id: f.part("video") for f in fake_run.items.values() if f.part("video") is not None}
    first = sorted(own, key=lambda case: (own[case].p_value, -own[case].share, case))[:3]
    for question in ("the three worst by video alone", "top 3 by video p-value", "die drei schlimmsten nur nach Video"):
        said = talk(question)
        assert said.startswith(f"{len(own)} cases with video, by its p-value alone, the 3 most anomalous:"), said
        assert re.findall(r"^\d\. (test-\d+)", said, re.M) == first


def test_the_worst_of_the_unflagged_is_not_flagged(talk, fake_run):
    best = min(some(fake_run, verdict="normal"), key=lambda f: f.order_key)
    for question in ("the most unusual unflagged one", "der auffälligste nicht gemeldete Fall"):
        assert talk(question).startswith(f"The most anomalous of 40 cases judged normal is {best.case_id}: "), question


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (
            "how many are flagged and which is the worst?",
            r"^There are 20 flagged cases\.\nThe most anomalous of 60 cases is ",
        ),
        (
            "Wie viele sind auffällig und welcher ist der schlimmste?",
            r"^There are 20 flagged cases\.\nThe most anomalous of 60 ",
        ),
        (
            "which one is worst, and when was it recorded?",
            r"^The most anomalous of 60 cases is (test-\d+): .*\n\1 was recorded at ",
        ),
        (
            "how many cases lack the text, and of those which were flagged?",
            r"^There are \d+ cases without text\.\n(?:There are no|\d+) flagged cases? without text",
        ),
        (
            "how many were flagged between 6:10 and 7:20 and how many between 7:20 and 8:30?",
            r"flagged cases from 06:10 until 07:20\.\nThere are \d+ flagged cases from 07:20 until 08:30\.",
        ),
        ("which cases were flagged, or where?", r"I did not answer: “where”\.$"),
        (
            "how many gravl boards were flagged?",
            r"flagged cases? of gravel board\.\nI did not know “gravl boards” and read it as gravel board\.$",
        ),
        ("do moon plates fail more often than brick tiles?", r"share of flagged cases of brick tile or moon plate: "),
        ("what is the average temperature?", r"^I cannot answer that from the evidence: it is about the readings"),
        ("Mittelwert der p-Werte der Marsplatten", r"^I cannot answer that .*“Marsplatten”"),
        ("how many sensor cases were there?", r"^I cannot answer that .*“sensor"),
    ],
    ids=lambda v: v[:50],
)
def test_every_ask_is_answered_or_named(talk, question, said):
    answer = talk(question)
    assert re.search(said, answer), answer


def test_labels_are_told_only_where_they_are_given(talk, fake_run):
    given = [f for f in fake_run.items.values() if f.label is not None]
    said = talk("how many of the really faulty ones were found?")
    if not given:
        assert said.startswith("No judged case has a label, so it is not known which are really faulty")
        assert re.match(
            r"I cannot answer that: .*no case of this run has a label", talk("which labelled faults were not flagged?")
        )
    else:
        bad = [f for f in given if f.label == 1]
        assert f"{sum(f.verdict == 'anomalous' for f in bad)} of {len(bad)} anomalous cases" in said


def test_of_those_keeps_the_filter_of_the_list_before(talk, fake_run):
    values = [f.score for f in some(fake_run, group="brick tile", verdict="anomalous")]
    said = talk("which brick tiles were flagged?", "what is the median score of those?")
    assert said.startswith(f"The median joint score of {len(values)} flagged cases of brick tile is "), said
    assert "“those”" in talk("which product is the cleanest?", "what is the median score of those?")
