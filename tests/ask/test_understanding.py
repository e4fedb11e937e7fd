"""Questions made by a grammar: every condition is read as meant, whatever its form; no strange word is lost."""

import itertools
from datetime import datetime

import pytest

from mmdmad.ask.understand.clock_words import in_figures
from mmdmad.ask.understand.conditions import conditions
from mmdmad.ask.understand.coverage import unread
from mmdmad.ask.understand.german import english, is_foreign, is_german
from mmdmad.ask.understand.intents import intent
from mmdmad.ask.understand.names import distance, named, not_there

PARTS = {"image": "image", "picture": "image", "sensor": "sensor", "log": "text", "text": "text", "video": "video"}
ENDS = {
    "below": ("below", "under", "less than", "smaller than", "<"),
    "at_most": ("at most", "no more than", "up to", "<="),
    "above": ("above", "over", "more than", "greater than", ">"), "at_least": ("at least", "no less than", ">="),
}  # fmt: skip
NAMES = ("brick tile", "gravel board", "moon plate", "motor_current", "belt_speed", "vibration_x")


@pytest.mark.parametrize(("end", "word"), [(end, word) for end, words in ENDS.items() for word in words])
@pytest.mark.parametrize(
    "form", ["with a p-value {} {}", "with p {} {}", "whose joint p value is {} {}", "p-values {} {}"]
)
def test_a_range_of_p_values(end, word, form):
    for said, value in (("0.05", 0.05), ("0,05", 0.05), ("5 %", 0.05), ("5 percent", 0.05), ("1", 1.0)):
        found = conditions(f"flagged cases {form.format(word, said)}, please", PARTS)
        assert found.where == {"p_value": {end: value}}, found
        assert found.rest == "flagged cases , please"


def test_a_range_of_a_part_between_two_ends_and_of_scores():
    assert conditions("cases with an image p-value under 2 %", PARTS).where == {
        "p_value": {"below": 0.02},
        "p_of": "image",
    }
    assert conditions("p between 0.1 and 0.2", PARTS).where == {"p_value": {"at_least": 0.1, "at_most": 0.2}}
    assert conditions("scores above 20", PARTS).where == {"score": {"above": 20.0}}
    assert conditions("labelled as normal", PARTS).where == {"label": "normal"}


@pytest.mark.parametrize(("a", "b"), itertools.permutations(["image", "log", "sensor", "video"], 2))
def test_two_parts(a, b):
    parts = (PARTS[a], PARTS[b])
    for text, where in {
        f"cases without {a} and {b}": {"missing": parts},
        f"cases without {a} or {b}": {"missing": parts, "either": True},
        f"which lack both the {a} and the {b}": {"missing": parts},
        f"both the {a} and the {b} are unusual by themselves": {"unusual": parts},
        f"either the {a} or the {b} was out of line": {"unusual": parts, "either": True},
        f"cases with {a} but without {b}": {"present": parts[:1], "missing": parts[1:]},
        f"only the {a} is odd by itself": {"unusual": parts[:1], "alone": True},
        f"cases with a normal {a} and no {b}": {"usual": parts[:1], "missing": parts[1:]},
        f"the {a} and the {b} contradict each other": {},
    }.items():
        assert conditions(text, PARTS).where == where, text


def test_all_parts():
    assert conditions("had all four parts", PARTS).where == {"complete": True}
    assert conditions("that lack a part", PARTS).where == {"complete": False}
    every = conditions("a case with all parts unusual", PARTS, learned=("image", "text"))
    assert every.where == {"unusual": ("image", "text")}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_with_a_slip_of_the_pen(name):
    for i in range(2, len(name) - 1):
        for slip in (name[:i] + name[i + 1 :], f"{name[:i]}q{name[i + 1 :]}", name[:i] + name[i - 1 : i] + name[i:]):
            if " " in name and name[i] == " ":
                continue
            found = named(f"how many of the {slip} cases", NAMES)
            assert found.names == (name,), slip
            assert name.split()[0] not in found.rest
    assert named("how many of the others", NAMES).names == ()


def test_names_by_one_of_their_words_and_names_that_are_not_there():
    channels = ("vibration_x", "vibration_y", "oil_pressure", "load")
    assert named("a vibration problem", channels).names == ("vibration_x", "vibration_y")
    assert named("two Vibration_X and LOAD alarms", channels).names == ("vibration_x", "load")
    assert not_there("the oil temperature channel failed", channels) == "oil temperature"
    assert not_there("the oil pressure channel failed", channels) == ""
    assert not_there("which channel failed", channels) == ""
    assert (distance("ab", "ba"), distance("", "abc"), distance("kitten", "sitting")) == (1, 3, 3)


@pytest.mark.parametrize(
    "template", ["how many cases {} {}?", "list everything flagged {} the {}", "any alarms {} {} today?"]
)
@pytest.mark.parametrize("lead", ["with", "without", "in", "of", "from", "by", "near", "except"])
def test_a_strange_word_that_could_be_a_condition_is_never_lost(template, lead):
    for word in ("flurb", "Kessel", "press-brake", "P4", "17"):
        assert word in unread(template.format(lead, word)).doubts
    assert "flurb" in unread("flurb cases that were flagged").doubts
    assert unread("they were flagged, flurb").others == ("flurb",)
    assert not unread("which cases were flagged, and why?")


def test_numbers_that_were_used_are_not_told():
    assert unread("the 3 worst cases", "3").doubts == ()
    assert unread("the 3 worst cases of 30", "3").doubts == ("30",)
    assert unread("flagged around seven").doubts == ("seven",)
    assert not unread("the four parts of it")


@pytest.mark.parametrize(
    ("said", "figures"),
    [
        ("at ten to seven", "between 06:50 and 06:51"), ("around half past six.", "between 06:25 and 06:35."),
        ("after quarter past six", "after 06:15"), ("before twenty to seven", "before 06:40"),
        ("between 6 and 7 o'clock", "between 06:00 and 07:00"), ("in the last half hour", "in the last 30 minutes"),
        ("in the second half hour", "between 06:30 and 07:00"), ("in the first 20 minutes", "between 06:00 and 06:20"),
        ("the two to beat", "the two to beat"), ("about 6:53", "between 06:48 and 06:58"),
    ],
)  # fmt: skip
def test_times_as_they_are_said(said, figures):
    assert in_figures(said, datetime(2026, 4, 1, 6), datetime(2026, 4, 1, 7)) == figures


def test_of_two_halves_of_the_day_the_one_with_cases_is_meant():
    evening = datetime(2026, 4, 1, 18), datetime(2026, 4, 1, 20)
    assert in_figures("at ten to seven", *evening) == "between 18:50 and 18:51"
    assert in_figures("at ten to seven am", *evening) == "between 06:50 and 06:51"


@pytest.mark.parametrize(
    ("german", "said"),
    [
        ("Warum ist test-00053 auffällig?", "why is test-00053 anomalous?"),
        ("Wie viele Fälle ohne Video wurden beanstandet?", "how many cases without Video were flagged?"),
        ("Welche Fälle zwischen 6:30 und 6:45 waren auffällig?", "which cases between 6:30 and 6:45 were anomalous?"),
        ("Vergleiche test-1 mit test-2", "compare test-1 with test-2"),
        ("Gab es davor etwas?", "were there before it something?"),
    ],
)
def test_german(german, said):
    assert is_german(german)
    assert english(german) == said


def test_other_languages_are_told_apart():
    for text in (
        "¿Qué casos?",
        "Pourquoi est-ce que la pièce est anormale ?",
        "どのケースですか",
        "Quanti casi sono anomali?",
    ):
        assert is_foreign(text), text
    for text in ("which cases were flagged?", "Welche Fälle sind auffällig?", "is the video ok", "what was in the log"):
        assert not is_foreign(text), text
        assert is_german(text) == text.startswith("Welche")


@pytest.mark.parametrize(
    ("text", "query", "args"),
    [
        ("when was the first alarm?", "first_and_last", {"verdict": "anomalous", "which": "first"}),
        ("the latest case", "first_and_last", {"which": "last"}),
        ("which hour is the worst?", "rank_groups", {"by": "hour", "least": False}),
        ("which product has the fewest alarms", "rank_groups", {"by": "group", "least": True}),
        ("what percentage was flagged?", "share_of_cases", {"cases": {"verdict": "anomalous"}, "among": {}}),
        ("isn't that too many?", "rate_meaning", {"topic": "so many flagged"}),
        ("how many of these are false alarms?", "rate_meaning", {"topic": "share that is wrong"}),
    ],
)
def test_what_is_asked_of_the_run(text, query, args):
    found = intent(text, {}, cases=0, number=0)
    assert (found.query, found.args) == (query, args)


def test_a_share_of_the_flagged_is_not_one_of_all():
    found = intent(
        "what share of the flagged cases is there", {"verdict": "anomalous", "driver": "video"}, cases=0, number=0
    )
    assert found.args == {"cases": {"verdict": "anomalous", "driver": "video"}, "among": {"verdict": "anomalous"}}
