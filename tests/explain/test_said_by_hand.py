"""What is said of signals drawn by hand: each sentence whole, each border just inside and just outside."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from mmdmad.explain import events, relations, sensor, verdict
from mmdmad.explain import image as picture
from mmdmad.explain.events import Event
from mmdmad.explain.maps import hot_regions
from mmdmad.explain.normal import Neighbours
from mmdmad.explain.ranges import Ranges
from mmdmad.explain.sensor import ChannelView
from mmdmad.explain.traces import traces
from mmdmad.explain.words import direction, fact, listed, number, place, quoted, rounded, shown
from mmdmad.findings import Contradiction, Fact
from mmdmad.parts import Image

TIMES = np.arange(100) / 10
SENSOR_NAMES = ("low", "high", "spike", "rough", "run", "rise", "shift", "gap", "value")


def normal(**known) -> Ranges:
    """Ranges of a channel that rests at 0 with a noise of about 0.1."""
    usual = {
        "low": (-0.2, -0.1, 0.0), "high": (0.0, 0.1, 0.2), "spike": (0.1, 0.2, 0.4), "rough": (0.05, 0.1, 0.15),
        "run": (0.0, 0.1, 0.2), "rise": (-0.1, 0.0, 0.1), "shift": (0.0, 0.05, 0.1), "gap": (0.0, 0.0, 0.0),
        "value": (-0.5, 0.0, 0.5),
    } | known  # fmt: skip
    return Ranges(SENSOR_NAMES, np.array([usual[n] for n in SENSOR_NAMES]), 60)


def noise(seed=0):
    return np.random.default_rng(seed).normal(0, 0.03, 100)


def found(values, **known):
    return events.events(traces(np.asarray(values, float), TIMES), normal(**known))


def test_places_change_at_a_third_and_two_thirds():
    names = [place(row, column) for row in (0.33, 0.34, 0.66, 0.67) for column in (0.33, 0.34, 0.66, 0.67)]
    assert names == [
        "upper left", "upper centre", "upper centre", "upper right", "left", "centre", "centre", "right",
        "left", "centre", "centre", "right", "lower left", "lower centre", "lower centre", "lower right",
    ]  # fmt: skip


def test_directions_are_eight_steps_of_45_degrees_around_their_middle():
    names = ["right", "down and right", "down", "down and left", "left", "up and left", "up", "up and right"]
    for turn in range(-8, 16):
        for off in (-22, 0, 22):
            angle = np.deg2rad(45 * turn + off)
            assert direction(np.cos(angle), np.sin(angle)) == names[turn % 8]


def test_numbers_have_three_digits_and_counts_all_of_them():
    assert [rounded(v) for v in (1234.5, 0.00098765, -2.5, 0.0)] == [1230.0, 0.000988, -2.5, 0.0]
    assert rounded(1234.5, 2) == 1200.0
    assert str(rounded(-0.0)) == "0.0"
    for wrong in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match="cannot be stated"):
            rounded(wrong)
    assert [number(v) for v in (1234567, 0.5, 3.0, 1e-7, 98765.0)] == ["1234567", "0.5", "3", "0.0000001", "98800"]
    assert (fact("n", np.int64(12345)).value, fact("n", 12345.0).value) == (12345, 12300.0)
    assert fact("n", "word", "m") == Fact(name="n", value="word", unit="m")
    assert [shown(fact("n", 2.0, "A")), shown(fact("n", 2.0)), shown(fact("n", "x"))] == ["2 A", "2", "x"]
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_a_quotation_is_one_line_without_control_letters_and_cut_at_its_limit():
    assert quoted(" a\t\n b\u200b\x1b[2Jc ") == "a b [2Jc"
    assert quoted("x" * 120) == "x" * 120
    assert quoted("x" * 121) == "x" * 119 + "…"
    assert quoted("abc def", 5) == "abc…"


def test_how_far_beyond_a_range_is_counted_in_the_half_that_is_left():
    usual = (1.0, 2.0, 6.0)
    assert (events.above(10.0, usual), events.above(4.0, usual), events.above(10.0, usual, 8.0)) == (1.0, -0.5, 0.5)
    assert (events.below(-1.0, usual), events.below(1.5, usual), events.below(-1.0, usual, 4.0)) == (2.0, -0.5, 0.5)
    assert (events.excess(10.0, usual), events.excess(0.5, usual), events.excess(3.0, usual)) == (1.0, 0.5, -0.75)
    assert events.above(3.0, (1.0, 1.0, 1.0)) == 2e12  # a range of no width is no division by zero


@pytest.mark.parametrize("sign", [1, -1])
def test_a_spike_is_named_by_its_tip_and_its_side(sign):
    values = noise()
    values[40] += sign * 2.0
    (event,) = found(values)
    assert event == Event("spike", 4.0, 4.1, event.excess, values[40], event.change, (0.0, 0.4))
    assert event.change == pytest.approx(sign * 2.0, abs=0.15)
    assert event.excess == pytest.approx((abs(event.change) - 0.4) / 0.2)
    assert found(noise()) == []


def test_a_gap_needs_three_samples_and_a_fifth_more_than_usual():
    for length, usual, counts in ((2, 0.0, False), (3, 0.0, True), (6, 0.5, False), (7, 0.5, True)):
        values = noise()
        values[30 : 30 + length] = np.nan
        gaps = [e for e in found(values, gap=(0.0, 0.0, usual)) if e.kind == "dropout"]
        assert bool(gaps) == counts
        if gaps:
            assert (gaps[0].start, gaps[0].stop) == (3.0, pytest.approx(3.0 + length / 10))
            assert gaps[0].excess == pytest.approx(length * 0.1 / max(usual, 0.1))
            assert gaps[0].normal == (0.0, usual)
    at_the_end = noise()
    at_the_end[95:] = np.nan
    assert found(at_the_end)[0].stop == pytest.approx(10.0)


def test_a_held_value_inside_its_range_is_frozen_and_at_or_below_its_low_end_a_dropout():
    for held, kind, usual in ((0.1, "frozen", (0.0, 0.2)), (-0.6, "dropout", (-0.5, 0.5)), (0.6, "frozen", (0.0, 0.2))):
        values = noise()
        values[20:50] = held
        (event,) = found(values)
        assert (event.kind, event.start, event.stop, event.value) == (kind, 2.0, 5.0, held)
        assert event.normal == usual
        assert event.excess == pytest.approx(3.0 / 0.2)
    for length, counts in ((4, False), (5, True)):  # as many as five samples are needed
        values = noise()
        values[20 : 20 + length] = 0.05
        assert [e.kind for e in found(values, run=(0.0, 0.0, 0.0))] == (["frozen"] if counts else [])
    values = noise()
    values[20:30] = 0.05  # one second, usual is half a second: 1.5 times that and a sample are 0.85 s
    assert [e.kind for e in found(values, run=(0.0, 0.1, 0.5))] == ["frozen"]
    assert found(values, run=(0.0, 0.1, 0.6)) == []


@pytest.mark.parametrize("sign", [1, -1])
def test_a_box_is_a_shift_and_a_ramp_a_drift_each_with_its_side(sign):
    values = noise()
    values[40:70] += sign * 1.0
    (event,) = found(values, spike=(0.0, 1.0, 3.0), rough=(0.0, 1.0, 3.0))
    assert (event.kind, event.against) == ("level shift", "shift")
    assert (event.start, event.stop) == (pytest.approx(4.0, abs=0.11), pytest.approx(7.0, abs=0.11))
    assert event.change == pytest.approx(sign, abs=0.05)
    assert event.value == pytest.approx(sign, abs=0.05)
    values = noise()
    values[30:] += sign * np.linspace(0, 2, 70)
    (event,) = found(values)
    assert event.kind == "drift"
    assert event.start == pytest.approx(3.0, abs=0.5)
    assert event.stop == pytest.approx(10.0)
    assert event.change == pytest.approx(sign * 2, abs=0.15)
    assert event.value == values[-1]
    assert event.normal == (0.0, 0.1)


def test_a_table_at_another_level_is_one_shift_of_no_change():
    (event,) = found(noise() + 3.0, shift=(0.0, 1.0, 9.0))
    assert (event.kind, event.start, event.stop, event.change) == ("level shift", 0.0, pytest.approx(10.0), 0.0)
    assert event.value == pytest.approx(3.0, abs=0.02)
    assert event.normal == (-0.2, 0.2)


def test_a_noise_burst_is_where_the_steps_spread():
    values = noise()
    values[30:60] += np.random.default_rng(1).uniform(-0.9, 0.9, 30)
    (event,) = found(values, spike=(0.0, 2.0, 9.0), shift=(0.0, 1.0, 9.0), low=(-2.0, -1.0, 0.0), high=(0.0, 1.0, 2.0))
    assert event.kind == "noise burst"
    assert (event.start, event.stop) == (pytest.approx(3.0, abs=0.8), pytest.approx(6.0, abs=0.8))
    assert event.change == pytest.approx(event.value / 0.1)
    assert event.normal == (0.05, 0.15)


def view(values, *, hot=(), marked=False, unit="A", known=None, **usual):
    trace = traces(np.asarray(values, float), TIMES)
    curve = np.zeros(100)
    curve[list(hot)] = 2.0
    ranges = normal(**usual) if known is None else known
    return ChannelView("load", unit, trace, ranges, curve, events.events(trace, ranges), marked)


def captions(*views):
    return [d.caption for d in sensor.evidence(list(views), None, TIMES)]


def test_what_happened_on_a_channel_is_said_with_its_numbers():
    spiked = noise()
    spiked[40] = 2.0
    (said,) = captions(view(spiked))
    jump = number(abs(traces(spiked, TIMES).residual[40]))
    assert said == f"Channel load spikes up by {jump} A to 2 A at 4 s; normal cases jump by at most 0.4 A."
    spiked[40] = -2.0
    jump = number(abs(traces(spiked, TIMES).residual[40]))
    (said,) = captions(view(spiked))
    assert said == f"Channel load spikes down by {jump} A to -2 A at 4 s; normal cases jump by at most 0.4 A."
    still = noise()
    still[20:50] = 0.1
    assert captions(view(still)) == [
        "Channel load is frozen at 0.1 A from 2 s to 5 s; normal cases hold one value for at most 0.2 s."
    ]
    still[20:50] = -0.75
    assert captions(view(still)) == [
        "Channel load drops out: it reads -0.75 A from 2 s to 5 s; its normal range is -0.5 A to 0.5 A."
    ]
    still[20:50] = np.nan
    assert captions(view(still)) == ["Channel load gives no readings from 2 s to 5 s (dropout)."]
    (said,) = captions(view(np.round(noise(), 6) + 3.0, shift=(0.0, 1.0, 9.0)))
    assert said.startswith("Channel load averages 3 A; normal levels lie between -0.2 A and 0.2 A.")


@pytest.mark.parametrize("sign", [1, -1])
def test_shifts_and_drifts_say_their_side(sign):
    side = "up" if sign > 0 else "down"
    values = noise()
    values[40:70] += sign * 1.0
    (said,) = captions(view(values, spike=(0.0, 1.0, 3.0), rough=(0.0, 1.0, 3.0)))
    assert said.startswith(f"Channel load shifts {side} by ")
    assert said.endswith("normal cases shift by at most 0.1 A.")
    values = noise()
    values[30:] += sign * np.linspace(0, 2, 70)
    (said,) = captions(view(values))
    assert said.startswith(f"Channel load drifts {side} by ")
    assert said.endswith(f"to 10 s, to {number(values[-1])} A; normal cases change by at most 0.1 A.")


def test_a_marked_channel_without_an_event_has_its_course_or_its_range_said():
    quiet = noise()
    hot = range(20, 31)
    (span, course) = captions(view(quiet, hot=hot, marked=True))
    assert span == "The sensor data stand out most from 2 s to 3 s."
    assert course == (
        "Channel load has an unusual course from 2 s to 3 s, "
        "though its values stay in the normal range of -0.5 A to 0.5 A."
    )
    low, high = number(quiet[20:31].min()), number(quiet[20:31].max())
    (_, runs) = captions(view(quiet, hot=hot, marked=True, value=(0.0, 0.3, 0.5)))
    assert runs == (
        f"Channel load runs between {low} A and {high} A from 2 s to 3 s; its normal range is 0 A to 0.5 A."
    )
    unknown = ChannelView("load", "A", traces(quiet, TIMES), None, view(quiet, hot=hot).curve, [], True)
    assert captions(unknown)[1] == "Channel load stands out from 2 s to 3 s; no normal case has this channel."


def test_where_nothing_is_off_the_least_usual_time_is_said():
    curve = np.zeros(100)
    curve[50:54] = (0.45, 0.5, 0.46, 0.44)
    quiet = replace(view(noise()), curve=curve)
    assert captions(quiet) == ["No single channel stands out; the least usual time is 5 s to 5.2 s."]
    assert captions(replace(quiet, curve=np.full(100, 0.5))) == [
        "No single channel stands out; the least usual time is 0 s to 9.9 s."
    ]
    below = -np.ones(100)
    below[30] = -0.5
    assert captions(replace(quiet, curve=below)) == ["No single channel stands out; the least usual time is 3 s."]


def test_a_channel_is_named_when_marked_or_half_a_range_beyond_and_no_more_than_four_are():
    weak, strong = (Event("spike", 1.0, 2.0, e, 0.0, 1.0, (0.0, 1.0)) for e in (0.5, 0.51))
    plain = replace(view(noise()), events=[])
    assert not plain.named
    assert replace(plain, marked=True).named
    assert not replace(plain, events=[weak]).named
    assert replace(plain, events=[strong]).named
    assert replace(plain, events=[weak, strong]).weight == 0.51
    assert replace(plain, events=[replace(strong, excess=1e9)]).weight == 100.0
    assert replace(plain, events=[strong], marked=True, curve=np.full(100, 2.0)).weight == 2.51
    assert len(captions(*[replace(plain, name=f"c{i}", events=[strong]) for i in range(6)])) == 4
    assert len(captions(*[replace(plain, name=f"c{i}", events=[weak]) for i in range(6)])) == 1


def test_a_region_is_said_with_its_box_and_a_picture_without_one_with_its_place():
    cells = np.zeros((4, 5))
    pixels = np.zeros((40, 100, 3), np.uint8)
    cells[0, 4] = 0.5
    assert [d.caption for d in picture.evidence(cells, [], pixels)] == [
        "No single region of the picture stands out; the most unusual place is upper right."
    ]
    cells[1:3, 2] = 2.0
    found = hot_regions(cells, (40, 100))
    assert [d.caption for d in picture.evidence(cells, found, pixels)] == [
        "A region of 20 px by 20 px stands out in the centre (10 % of the picture, from x 40 px, y 10 px)."
    ]
    facts = {f.name: f.value for f in picture.evidence(cells, found, pixels)[0].facts}
    assert (facts["left"], facts["top"], facts["right"], facts["bottom"]) == (40, 10, 60, 30)
    assert picture.evidence(None, [], pixels) == []
    for rows, said in (
        (2, "A region of 100 px by 20 px stands out at upper centre"),
        (3, "The picture stands out nearly"),
    ):
        cells = np.zeros((4, 5))
        cells[:rows] = 2.0
        assert picture.evidence(cells, hot_regions(cells, (40, 100)), pixels)[0].caption.startswith(said)


@pytest.mark.parametrize(
    ("p", "state"),
    [(0.01, "stands out"), (0.0101, "is unusual"), (0.05, "is unusual"), (0.0501, "is borderline"),
     (0.1, "is borderline"), (0.1001, "looks normal")],
)  # fmt: skip
def test_a_part_is_as_unusual_as_its_p_value(samples, p, state):
    judgement = samples.judgement(p={"image": p})
    part = judgement.parts["image"]
    said = verdict.part(part, judgement).caption
    share = number(100 * part.share / judgement.score)
    assert said == f"The image part {state} with p-value {number(p)} and carries {share} % of the joint score."


def test_a_share_is_said_from_half_a_percent_on(samples):
    judgement = samples.judgement()
    part = judgement.parts["image"]
    for share, said in ((0.0049, False), (0.005, True), (1.0, True), (0.0, False)):
        text = verdict.part(replace(part, share=share * judgement.score), judgement).caption
        assert ("of the joint score" in text) == said
    assert "share" not in {f.name for f in verdict.part(part, replace(judgement, score=0.0)).facts}


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ((), []),
        (("white is 4095",), ["Reading the image part took 1 decision: white is 4095."]),
        (("a is b", "c is d"), ["Reading the image part took 2 decisions: a is b; c is d."]),
    ],
)
def test_decisions_of_reading_are_said_and_counted(notes, said):
    seen = SimpleNamespace(signals={"image": Image(np.zeros((2, 2, 3), np.uint8), notes)})
    assert [draft.caption for draft in verdict.readings(seen)] == said


def test_the_nearest_cases_name_a_group_when_four_of_five_agree():
    def near(*groups):
        return Neighbours(tuple("abcde"), groups, np.ones(5))

    assert relations.main_group(None) is None
    assert relations.main_group(near(*"AAAAB")) == ("A", 4)
    assert relations.main_group(near(*"AAABB")) is None
    assert relations.main_group(near("", "", "", "", "")) is None


def clash(part, p, share=1.0, score=1.0):
    return Contradiction(part=part, given=("video",), score=score, p_value=p, share=share)


def test_contradictions_worth_saying_are_two_that_carry_the_score_or_the_least_likely_one(samples):
    base = replace(samples.judgement(), score=10.0)  # declared rate 0.01

    def said(*clashes):
        return [c.part for c in relations.worth_saying(replace(base, contradictions=clashes))]

    assert said(clash("image", 0.0101), clash("text", 0.01)) == ["text"]
    assert said(clash("image", 0.001, 1.0), clash("text", 0.01, 3.0), clash("sensor", 0.001, 2.0)) == ["text", "sensor"]
    assert said(clash("image", 0.002, 0.9), clash("text", 0.001, 0.1)) == ["text"]  # neither carries a tenth
    assert said(clash("image", 0.001, 0.1, 1.0), clash("text", 0.001, 0.1, 2.0)) == ["text"]
    assert said() == []
