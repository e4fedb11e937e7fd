"""The first words of a report: what was looked at, found, since when, what to do next, and what must be known first."""

from datetime import datetime
from types import SimpleNamespace
from typing import get_args

import pytest

from mmdmad.ask.expected import Expected
from mmdmad.ask.judging import Basis
from mmdmad.ask.overview import Overview
from mmdmad.events import Event
from mmdmad.findings import Guarantee
from mmdmad.report import opening
from mmdmad.report.words import together_in
from mmdmad.store.pending import Pending

CALM = Expected(cases=20, mean=1.0, low=0, high=3)
ALL = Pending(20, 0)


def overview(flagged=0, open_=0, judged=20, **more):
    verdicts = {"anomalous": flagged, "no verdict": open_, "normal": judged - flagged - open_}
    values = {"line": "", "refused": 0, "rate": 0.05, "drivers": {}, "groups": (), "channels": (), "simulated": False}
    return Overview(judged=judged, verdicts={k: n for k, n in verdicts.items() if n}, **(values | more))


def basis(**more):
    return Basis(
        guarantee=Guarantee(rate=0.05, size=99, interval=(0, 0.1), pattern=("image",), **more), judged=20, flagged=1
    )


def test_a_calm_run_has_no_banner():
    assert opening.banners(overview(1), (basis(),), CALM, ALL) == ()


@pytest.mark.parametrize(
    ("whole", "of", "waits", "kind", "words"),
    [
        (overview(1, simulated=True), basis(), ALL, "simulated", "no real machine"),
        (overview(1, lapsed=True, watched="It has lapsed since noon"), basis(), ALL, "lapsed", "lapsed since noon"),
        (overview(0, 20), basis(valid=False, note="only 9 normal cases"), ALL, "unsupported", "only 9 normal cases"),
        (overview(10), basis(), ALL, "mass", "10 of 20 cases flagged"),
        (overview(1), basis(valid=False, attained=0.05, note="few recordings"), ALL, "unpromised", "few recordings"),
        (overview(1), basis(), Pending(40, 20), "stopped", "20 of the 40"),
    ],
)
def test_each_banner(whole, of, waits, kind, words):
    found = opening.banners(whole, (of,), CALM, waits)
    assert [b.kind for b in found] == [kind]
    assert words in found[0].words


def test_every_kind_of_banner_is_tried_above():
    tried = {mark.args[1][i][3] for mark in test_each_banner.pytestmark for i in range(len(mark.args[1]))}
    assert tried == set(get_args(opening.Banner.model_fields["kind"].annotation))


def steps(whole, waits=ALL, expected=CALM):
    return " ".join(opening._steps(whole, expected, waits, "c-7"))


def test_what_to_do_next():
    assert steps(overview(1)).startswith("Begin with c-7, the most unusual.")
    assert "mmdmad feedback RUN CASE confirmed, or false-alarm" in steps(overview(1))
    assert steps(overview()) == "Nothing has to be done; the most unusual cases stand below."
    assert steps(overview(0, 20)).startswith("Learn from more normal cases")
    assert "Nothing has to be done" not in steps(overview(0, 20))
    assert steps(overview(10)).startswith("Look at three of the flagged cases.")
    assert steps(overview(10, lapsed=True)).startswith("Find out what changed")
    assert "mmdmad recalibrate RUN --normal-since TIME" in steps(overview(10, lapsed=True))
    assert "Look at three" not in steps(overview(10, lapsed=True))
    assert steps(overview(1), Pending(9, 4)).startswith("Give the same cases to mmdmad score again")
    assert "3 parts or cases could not be used" in steps(overview(1, refused=3))
    assert steps(overview(judged=0)) == "Judge some cases: mmdmad score RUN --data …"


def test_what_was_found():
    assert opening._found({"image": 2, "contradiction": 1}, 3, CALM) == (
        "3 cases look unlike the normal ones: 1 because parts do not fit each other and 2 by the image. "
        "Were all normal, 0 to 3 of 20 cases would be flagged by chance."
    )
    assert opening._found({"image": 3}, 3, CALM, " They are 2.").startswith(
        "3 cases look unlike the normal ones: all by the image. They are 2. Were"
    )
    assert opening._found({}, 0, CALM).startswith("No case looks unlike the normal ones. Were all normal")
    assert opening._found({}, 0, Expected(cases=0, mean=0, low=0, high=0)) == ""


@pytest.mark.parametrize(
    ("events", "alarms", "rule", "said"),
    [
        (3, 3, "", ""),
        (2, 2, "", " Told together where they lie side by side, they are 2 events."),
        (3, 1, "fewest=2", " 1 of 3 events is an alarm by the rule fewest=2."),
        (
            2, 0, "fewest=9",
            " Told together where they lie side by side, they are 2 events. 0 of 2 events are alarms by the rule "
            "fewest=9.",
        ),
    ],
)  # fmt: skip
def test_how_many_events_and_alarms_they_are(events, alarms, rule, said):
    def count(alarm=None):
        return events if alarm is None else alarms

    assert opening._together(SimpleNamespace(count=count, rule=SimpleNamespace(words=rule)), 3) == said


def test_events_that_hold_several_of_the_listed_cases_are_told():
    def event(*cases, begin=None):
        return Event(
            id=cases[0], alarm=True, cases=cases, peak=cases[0], p_value=0.01, parts=(), begin=begin, end=begin
        )

    noon = datetime(2026, 3, 1, 12)
    some = [event("a", "b", "c", begin=noon), event("d", "e"), event("f")]
    assert together_in(some, {"a", "c", "d", "f"}) == dict.fromkeys("ac", "2026-03-01 12:00:00: 3 cases from a")
    assert together_in(some, "de") == dict.fromkeys("de", "2 cases from d")
    assert together_in([], {"a"}) == {}
