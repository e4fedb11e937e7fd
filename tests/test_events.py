"""Events and alarms from windows made by hand: what is one, what ends one, which of them are alarms."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdmad.errors import ConfigError
from mmdmad.events import AlarmRule, events
from mmdmad.findings import Slice
from mmdmad.stretches import Window

BEGIN = datetime(2026, 3, 2, 8)
RATE = 0.05


def piece(number, p_value=0.5, *, score=1.0, part="sensor", file="pump.csv", recording="r", clock=True):
    """Window `number` of a minute, and as many rows, of a recording."""
    place = Slice(
        part=part, file=file, recording=recording, first=60 * number, last=60 * number + 60,
        start=60.0 * number, stop=60.0 * number + 60,
    )  # fmt: skip
    flagged = p_value <= RATE
    begin = BEGIN + timedelta(minutes=number) if clock else None
    order = (0 if flagged else 2, p_value, -score, f"w{number:03}")
    end = begin + timedelta(minutes=1) if begin else None
    return Window(f"w{number:03}", p_value, order, (part,) if flagged else (), (place,), begin, end, flagged)


def picture(case_id, minute, p_value=0.5, source=("", "tile")):
    """A picture taken at a minute; no piece of any file."""
    at = BEGIN + timedelta(minutes=minute)
    flagged = p_value <= RATE
    return Window(case_id, p_value, (0 if flagged else 2, p_value, 0.0, case_id), (), (), at, at, flagged, source)


def along(p_values, **more):
    return [piece(number, p_value, **more) for number, p_value in enumerate(p_values)]


def cases(found):
    """Cases of each event, in the order of their first ones."""
    return sorted(e.cases for e in found)


def test_an_event_is_what_lies_side_by_side_with_its_ends_its_peak_and_its_parts():
    first, second = events(along([0.5, 0.04, 0.01, 0.03, 0.5, 0.02]))
    assert first.id == "w001"
    assert first.cases == ("w001", "w002", "w003")
    assert (first.peak, first.p_value, first.parts, first.alarm) == ("w002", 0.01, ("sensor",), True)
    assert (first.begin, first.end) == (BEGIN + timedelta(minutes=1), BEGIN + timedelta(minutes=4))
    assert first.lasts == 180
    assert (first.place.first, first.place.last) == (60, 240)
    assert (second.id, second.cases) == ("w005", ("w005",))


def test_cases_of_a_stream_are_neighbours_where_no_other_lies_between_and_time_did_not_stand_still():
    tiles = [picture(f"t{m}", m, 0.01) for m in (0, 1, 2)]
    assert cases(events(tiles)) == [("t0", "t1", "t2")]
    normal = picture("t1", 1)
    assert cases(events([tiles[0], normal, tiles[2]])) == [("t0",), ("t2",)]
    # a normal case of another stream lies between nothing
    other = picture("x1", 1, source=("", "brick"))
    assert cases(events([tiles[0], tiles[2], other, *[picture(f"n{m}", m) for m in (4, 6, 8)]])) == [("t0", "t2")]
    assert cases(events([picture("a", 0, 0.01), picture("b", 1, 0.01, ("", "brick"))])) == [("a",), ("b",)]
    # steps of a minute; three are still one stream, more are a stop
    minutely = [picture(f"n{m}", m) for m in range(100, 120)]
    assert cases(events([picture("a", 0, 0.01), picture("b", 3, 0.01), *minutely])) == [("a", "b")]
    assert cases(events([picture("a", 0, 0.01), picture("b", 3.01, 0.01), *minutely])) == [("a",), ("b",)]
    # what has one time stands side by side, whatever it is called
    assert cases(events([picture("a", 0, 0.01), picture("m", 0), picture("z", 0, 0.01), picture("b", 5)])) == [
        ("a", "z")
    ]


def test_an_event_ends_only_after_enough_cases_above_the_looser_level():
    p_values = [0.01, 0.08, 0.02, 0.3, 0.08, 0.03, 0.3, 0.3, 0.04]
    starts = [e[0] for e in cases(events(along(p_values)))]
    assert starts == ["w000", "w002", "w005", "w008"]
    level = AlarmRule(level=0.1)  # 0.08 holds, one of 0.3 ends
    assert cases(events(along(p_values), level)) == [("w000", "w002"), ("w005",), ("w008",)]
    two = AlarmRule(level=0.1, hold=2)  # one of 0.3 holds, two in a row end
    assert cases(events(along(p_values), two)) == [("w000", "w002", "w005"), ("w008",)]
    assert cases(events(along(p_values), AlarmRule(hold=3))) == [("w000", "w002", "w005", "w008")]
    assert cases(events(along(p_values), AlarmRule(hold=2))) == [("w000", "w002"), ("w005",), ("w008",)]
    # an event holds over what was seen to be quiet, not over what was not seen
    gap = [piece(0, 0.01), piece(3, 0.01)]
    assert cases(events(gap, AlarmRule(hold=9))) == [("w000",), ("w003",)]
    tiles = [picture(f"t{m}", m, p) for m, p in enumerate(p_values)]
    assert cases(events(tiles, two)) == [("t0", "t2", "t5"), ("t8",)]


def test_an_event_takes_in_what_begins_soon_after_its_end():
    apart = [piece(0, 0.01), piece(1), piece(3, 0.01), piece(9, 0.01)]  # 2 and 5 minutes after the one before
    assert cases(events(apart, AlarmRule(rearm=119))) == [("w000",), ("w003",), ("w009",)]
    assert cases(events(apart, AlarmRule(rearm=120))) == [("w000", "w003"), ("w009",)]
    assert cases(events(apart, AlarmRule(rearm=300))) == [("w000", "w003", "w009")]
    without = [piece(n, 0.01, clock=False) for n in (0, 3)]  # seconds of the file do as well
    assert cases(events(without, AlarmRule(rearm=120))) == [("w000", "w003")]
    assert len(events([piece(0, 0.01), piece(3, 0.01, recording="other")], AlarmRule(rearm=9e9))) == 2
    hours = [piece(0, 0.01, file="8.csv"), piece(3, 0.01, file="9.csv")]  # files of one recording, on its clock
    assert [len(events(hours, AlarmRule(rearm=s))) for s in (110, 120)] == [2, 1]
    tiles = [picture("a", 0, 0.01), picture("b", 1), picture("c", 4, 0.01)]
    assert [len(events(tiles, AlarmRule(rearm=s))) for s in (239, 240)] == [2, 1]


def test_an_event_is_an_alarm_by_its_cases_its_length_and_its_smallest_p_value():
    found = along([0.01, 0.5, 0.04, 0.03, 0.5, 0.02, 0.02, 0.02])
    long = {e.id: e.alarm for e in events(found, AlarmRule(fewest=2))}
    assert long == {"w000": False, "w002": True, "w005": True}
    assert [e.alarm for e in events(found, AlarmRule(shortest=121)) if e.id != "w005"] == [False, False]
    low = {e.id: e.alarm for e in events(found, AlarmRule(onset=0.02))}
    assert low == {"w000": True, "w002": False, "w005": True}
    assert cases(events(found, AlarmRule(fewest=9, onset=0.001))) == cases(events(found))  # none is lost


@pytest.mark.parametrize(
    "wrong",
    [{"fewest": 0}, {"hold": 0}, {"rearm": -1.0}, {"shortest": float("nan")}, {"level": 0.0}, {"onset": 1.5}],
)
def test_a_rule_out_of_range_is_refused(wrong):
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))}=.* was given; allowed are"):
        AlarmRule(**wrong)


RULES = st.builds(
    AlarmRule, hold=st.integers(1, 4), level=st.sampled_from([None, 0.1, 0.4]),
    rearm=st.sampled_from([0.0, 90.0, 300.0]), onset=st.sampled_from([None, 0.02]),
)  # fmt: skip


@st.composite
def judged(draw):
    """Windows of two files, and pictures of a stream, some at the same time."""
    odds = st.sampled_from([0.01, 0.04, 0.08, 0.3])
    found = [
        *(piece(n, draw(odds)) for n in draw(st.sets(st.integers(0, 12)))),
        *(piece(20 + n, draw(odds), file="9.csv") for n in draw(st.sets(st.integers(0, 4)))),
        *(picture(f"t{k}", m, draw(odds)) for k, m in enumerate(draw(st.lists(st.integers(0, 9), max_size=9)))),
    ]
    return found, draw(st.permutations(found))


@settings(max_examples=150, deadline=None)
@given(judged(), RULES)
def test_events_share_out_the_flagged_cases_whatever_order_they_came_in(drawn, rule):
    found, other = drawn
    told = events(found, rule)
    assert sorted(case for e in told for case in e.cases) == sorted(w.case_id for w in found if w.flagged)
    assert events(other, rule) == told
    assert len(told) <= len(events(found))  # a rule holds together, it never parts
