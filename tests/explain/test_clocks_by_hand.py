"""What is said of how the rows of a table follow each other: another sampling rate, and rows that are missing."""

import numpy as np
import pytest
from mmdmad.agents.explainer import explain
from mmdmad.agents.grounding import check

from mmdmad.errors import ModelError
from mmdmad.explain import events, gather, sensor, sensor_clock
from mmdmad.explain.ranges import MIN_GROUP, Ranges
from mmdmad.explain.sensor_clock import CLOCK, another_rate, clock, evidence
from mmdmad.explain.sensor_normal import SensorNormal
from mmdmad.explain.traces import MEASURES, traces
from mmdmad.parts import Sensor

TENTHS = np.arange(200) / 10


def learned(*tables):
    return Ranges.ends(CLOCK, [clock(np.asarray(times)) for times in tables])


EVEN = learned(TENTHS, TENTHS[:150])


def said(times, normal=EVEN):
    return [draft.caption for draft in evidence(np.asarray(times), normal)]


def facts(draft):
    return {f.name: (f.value, f.unit) for f in draft.facts}


@pytest.mark.parametrize(("every", "seconds"), [(2, "0.2"), (7, "0.7")])
def test_a_slower_table_is_told_without_times_and_has_no_gaps(every, seconds):
    (draft,) = evidence(TENTHS[::every], EVEN)
    assert draft.caption == f"Rows come every {seconds} s; normal tables have one every 0.1 s."
    assert (draft.kind, draft.part) == ("form", "sensor")
    assert facts(draft) == {"time between rows": (float(seconds), "s"), "normal time between rows": (0.1, "s")}


def test_a_faster_table_is_told_too():
    assert said(np.arange(400) / 40) == ["Rows come every 0.025 s; normal tables have one every 0.1 s."]


def test_missing_rows_are_told_from_when_the_first_was_due_to_when_the_next_came():
    (draft,) = evidence(np.delete(TENTHS, range(90, 110)), EVEN)
    assert draft.caption == "Rows are missing from 9 s to 11 s; normal tables have no gap above 0.1 s."
    assert (draft.kind, draft.part) == ("form", "sensor")
    assert facts(draft) == {
        "start": (9.0, "s"), "stop": (11.0, "s"), "gap": (2.1, "s"), "longest normal gap": (0.1, "s"),
    }  # fmt: skip
    assert said(np.delete(TENTHS, 50)) == ["Rows are missing from 5 s to 5.1 s; normal tables have no gap above 0.1 s."]


def test_the_three_longest_gaps_are_told_and_the_number_of_others():
    out = [20, *range(50, 60), *range(80, 83), *range(100, 105), 150]
    assert said(np.delete(TENTHS, out)) == [
        "Rows are missing from 5 s to 6 s; normal tables have no gap above 0.1 s.",
        "Rows are missing from 10 s to 10.5 s; normal tables have no gap above 0.1 s.",
        "Rows are missing from 8 s to 8.3 s and at 2 further places; normal tables have no gap above 0.1 s.",
    ]


def test_a_slower_table_with_a_gap_is_told_both():
    assert said(np.delete(TENTHS[::2], range(40, 50))) == [
        "Rows come every 0.2 s; normal tables have one every 0.1 s.",
        "Rows are missing from 8 s to 10 s; normal tables have no gap above 0.1 s.",
    ]


def test_a_rate_that_changes_within_a_table_is_told_with_its_times():
    times = np.concatenate([np.arange(100) / 10, 10 + np.arange(20) / 2])
    assert said(times) == ["Rows come every 0.5 s from 10 s to 19.5 s; normal tables have one every 0.1 s."]
    assert not another_rate(times, EVEN)


def test_each_stretch_of_another_rate_is_told_and_a_few_long_steps_are_gaps():
    steps = np.full(200, 0.1)
    steps[20:60], steps[100:130] = 0.3, 0.02
    assert said(np.concatenate([[0], np.cumsum(steps)])) == [
        "Rows come every 0.3 s from 2 s to 14 s; normal tables have one every 0.1 s.",
        "Rows come every 0.02 s from 18 s to 18.6 s; normal tables have one every 0.1 s.",
    ]
    steps[20:130] = 0.1
    steps[50:55] = 0.2
    assert said(np.concatenate([[0], np.cumsum(steps)])) == [
        "Rows come every 0.2 s from 5 s to 6 s; normal tables have one every 0.1 s."
    ]
    steps[51:59] = 0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.1, 0.2
    assert said(np.concatenate([[0], np.cumsum(steps)])) == [
        "Rows are missing from 5.1 s to 5.2 s; normal tables have no gap above 0.1 s.",
        "Rows are missing from 5.4 s to 5.5 s; normal tables have no gap above 0.1 s.",
        "Rows are missing from 5.7 s to 5.8 s and at 2 further places; normal tables have no gap above 0.1 s.",
    ]


def test_where_normal_tables_differ_least_and_most_are_told_and_what_lies_between_is_none():
    both = learned(TENTHS, TENTHS[::4])
    assert said(TENTHS[::2], both) == said(TENTHS, both) == said(TENTHS[::4], both) == []
    assert said(TENTHS[::8], both) == ["Rows come every 0.8 s; normal tables have one every 0.1 s to 0.4 s."]


def test_normal_gaps_and_uneven_clocks_are_no_news():
    rng = np.random.default_rng(0)
    uneven = learned(*(np.cumsum(rng.exponential(0.1, 300)) for _ in range(40)))
    for _ in range(20):
        assert said(np.cumsum(rng.exponential(0.1, 300)), uneven) == []
    gappy = learned(np.delete(TENTHS, range(90, 110)), TENTHS)
    assert said(np.delete(TENTHS, range(30, 45)), gappy) == []
    assert said(np.delete(TENTHS, range(30, 75)), gappy) == [
        "Rows are missing from 3 s to 7.5 s; normal tables have no gap above 2.1 s."
    ]
    rounded = learned(np.round(np.arange(300) / 30, 3))  # steps of 33 and 34 ms
    assert said(np.round(np.arange(300) / 30 + 0.0004, 3), rounded) == []


def test_of_two_rows_or_without_what_was_learned_nothing_is_said():
    assert said([0.0, 5.0]) == []
    assert said(TENTHS[::2], None) == []
    assert clock(TENTHS[:2]) is None
    assert not another_rate(TENTHS[:2] * 9, EVEN)
    assert another_rate(TENTHS[::2], EVEN)
    assert clock(np.array([0.0, 1.0, 3.0])).tolist() == pytest.approx([1.0, 2.0, 2.0])


def table(times, channel="load"):
    return Sensor(np.sin(np.asarray(times))[:, None], np.asarray(times), (channel,), ("A",))


def test_clocks_are_learned_of_all_and_of_groups_of_twenty_and_kept():
    known = SensorNormal()
    for _ in range(MIN_GROUP):
        known.add(table(TENTHS), "A")
    for _ in range(MIN_GROUP - 1):
        known.add(table(TENTHS[::2]), "B")
    known.finish()
    assert known.clocks.keys() == {"", "A"}
    assert known.clock("A")["slowest"] == pytest.approx((0.1, 0.1, 0.1))
    assert known.clock("B") is known.clock(None) is known.clocks[""]
    assert known.clock("B")["slowest"] == pytest.approx((0.1, 0.1, 0.2))
    assert known.clock("B").size == 2 * MIN_GROUP - 1
    again = SensorNormal()
    again.set_state(*known.state())
    assert said(TENTHS[::2], again.clock("A")) == ["Rows come every 0.2 s; normal tables have one every 0.1 s."]
    assert said(TENTHS[::2], again.clock("B")) == []


def test_a_model_of_before_says_nothing_of_rates_and_one_of_other_measures_is_refused():
    known = SensorNormal()
    known.add(table(TENTHS), "")
    known.finish()
    arrays, values = known.state()
    old = SensorNormal()
    old.set_state({k: v for k, v in arrays.items() if not k.startswith("clock.")}, {
        k: v for k, v in values.items() if k != "clocks"
    })  # fmt: skip
    assert old.clock(None) is None
    assert old.ranges.keys() == known.ranges.keys()
    assert said(TENTHS[::2], old.clock(None)) == []
    values["clocks"][0]["names"] = ("fastest", "gap", "slowest")
    with pytest.raises(ModelError, match="other measures"):
        SensorNormal().set_state(arrays, values)


def test_steps_from_row_to_row_are_not_compared_at_another_rate():
    rng = np.random.default_rng(0)

    def wave(times):
        return np.sin(times) + rng.normal(0, 0.05, len(times))

    normal = [traces(wave(TENTHS), TENTHS).measures() for _ in range(30)]
    known = events.Ranges.of(MEASURES, normal)
    known = events.Ranges((*MEASURES, "value"), np.vstack([known.table, [[-1.1, 0.0, 1.1]]]), 30)
    times = TENTHS[::5]
    slow = traces(wave(times), times)
    assert {e.kind for e in events.events(slow, known)} & {"spike", "noise burst"}
    assert not {e.kind for e in events.events(slow, known, alike=False)} & {"spike", "noise burst"}


def test_a_look_at_a_table_of_another_rate_tells_no_noise(samples, normals):
    rng = np.random.default_rng(0)
    known = SensorNormal()
    for _ in range(30):
        known.add(Sensor((np.sin(TENTHS) + rng.normal(0, 0.05, 200))[:, None], TENTHS, ("load",), ("A",)), "")
    known.finish()
    judged = samples.judgement().parts["sensor"]
    times = TENTHS[::5]
    slow = Sensor((np.sin(times) + rng.normal(0, 0.05, 40))[:, None], times, ("load",), ("A",))
    assert not {e.kind for view in sensor.look(judged, slow, known, None) for e in view.events} & {
        "spike",
        "noise burst",
    }
    known.clocks.clear()
    assert {e.kind for view in sensor.look(judged, slow, known, None) for e in view.events} & {"spike", "noise burst"}


@pytest.mark.parametrize("p_value", [0.004, 0.6])
def test_a_form_is_evidence_whatever_the_score_and_every_sentence_of_it_is_true(samples, normals, p_value):
    for change in (lambda n: slice(0, n, 2), lambda n: np.delete(np.arange(n), range(n // 4, n // 2))):
        made = samples.judgement(p_value=p_value)
        signal = made.signals["sensor"]
        rows = change(len(signal.times))
        made.signals["sensor"] = Sensor(
            signal.values[rows], signal.times[rows], signal.channels, signal.units, signal.start
        )
        finding = made.finding(gather(made, normals, None))
        (form,) = [e for e in finding.evidence if e.kind == "form"]
        assert check(form.caption, [form.id], finding.evidence) == []
        note = explain(finding)
        assert note.faithfulness == 1.0
        assert form.id in {cite for sentence in note.sentences for cite in sentence.cites}


def test_the_bounds_of_a_clock():
    assert (sensor_clock.WINDOW, sensor_clock.RATE, sensor_clock.GAP) == (9, 1.05, 1.5)
    assert (sensor_clock.RUN, sensor_clock.WHOLE, sensor_clock.MOST) == (5, 0.9, 3)
