"""What is measured and named on a channel, on traces that are written down number by number."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from mmdmad.explain import events as module
from mmdmad.explain import traces as tracing
from mmdmad.explain.events import Event, above, below, events, excess
from mmdmad.explain.ranges import Ranges
from mmdmad.explain.traces import Traces, traces

TIMES = np.arange(100) / 4
NAMES = ("low", "high", "spike", "rough", "run", "rise", "shift", "gap", "value")
WIDE = (-900.0, 0.0, 900.0)


def normal(**known) -> Ranges:
    """Ranges that nothing is outside of, but those that are given."""
    usual = dict.fromkeys(NAMES, WIDE) | known
    return Ranges(NAMES, np.array([usual[n] for n in NAMES], float), 60)


def trace(values, *, level=None, residual=None, rough=None, run=None, missing=None, window=8) -> Traces:
    """A channel whose level is its values and that has no residual, roughness or run unless they are given."""
    values = np.asarray(values, float)
    rest = [np.zeros(len(values)) if a is None else np.asarray(a, float) for a in (residual, rough, run)]
    gone = np.zeros(len(values), bool) if missing is None else missing
    return Traces(
        TIMES[: len(values)], values, gone, values if level is None else np.asarray(level, float), *rest, window
    )


def steps(*pieces, n=100):
    """Zeros but for (start, stop, value)."""
    values = np.zeros(n)
    for start, stop, value in pieces:
        values[start:stop] = value
    return values


def test_ranges_without_width_are_told_apart_by_their_floor():
    thin = (1.0, 1.5, 2.0)
    assert (above(3.0, thin), below(0.0, thin), excess(3.0, thin), excess(0.0, thin)) == (2.0, 2.0, 2.0, 2.0)
    assert (above(3.0, thin, 4.0), below(0.0, thin, 4.0), excess(3.0, thin, 4.0)) == (0.25, 0.25, 0.25)
    assert below(0.0, (1.0, 1.0, 1.0)) == 1e12
    made = Event("drift", 0.0, 1.0, 1.0, 0.0, 0.0, (0.0, 1.0))
    assert made.against == "level"
    with pytest.raises(FrozenInstanceError):
        made.start = 2.0


def test_a_sample_lasts_until_the_next_one_and_the_last_as_long_as_usual():
    uneven = replace(trace(np.zeros(5)), times=np.array([0.0, 1.0, 3.0, 3.5, 4.5]))
    assert uneven.step == 1.0
    assert module._span(uneven, 1, 3) == (1.0, 3.5)
    assert module._span(uneven, 0, 4) == (0.0, 4.5)
    assert module._span(uneven, 2, 5) == (3.0, 5.5)
    assert module._length(uneven) == 4.5


def test_nothing_read_at_all_is_one_endless_dropout():
    silent = traces(np.full(8, np.nan), np.arange(8) + 2.0)
    (event,) = events(silent, normal())
    assert (event.kind, event.start, event.stop, event.excess, event.change) == ("dropout", 2.0, 9.0, np.inf, 0.0)
    assert np.isnan(event.value)
    assert event.normal == (0.0, 0.0)


@pytest.mark.parametrize(("length", "said"), [(5, False), (6, True)])
def test_a_gap_is_longer_than_a_fifth_more_than_the_longest_usual_one(length, said):
    gone = steps((10, 12, 1), (30, 30 + length, 1), (80, 83, 1)) > 0
    event = module._gap(trace(np.zeros(100), missing=gone), normal(gap=(0, 0, 1.25 / 1.2)))  # five samples
    if not said:
        assert event is None
        return
    assert (event.kind, event.start, event.stop, event.change) == ("dropout", 7.5, 9.0, 0.0)
    assert event.excess == pytest.approx(1.5 * 1.2 / 1.25)
    assert event.normal == (0.0, 1.25 / 1.2)
    assert np.isnan(event.value)


def test_a_gap_of_exactly_a_fifth_more_or_of_two_samples_is_none():
    gone = steps((30, 54, 1)) > 0
    assert module._gap(trace(np.zeros(100), missing=gone), normal(gap=(0, 0, 5))) is None
    assert module._gap(trace(np.zeros(100), missing=gone), normal(gap=(0, 0, 4.9))).excess == pytest.approx(6 / 4.9)
    never = normal(gap=(0, 0, 0))
    assert module._gap(trace(np.zeros(100), missing=steps((30, 32, 1)) > 0), never) is None
    assert module._gap(trace(np.zeros(100), missing=steps((30, 33, 1)) > 0), never).excess == 3.0  # in samples


@pytest.mark.parametrize(
    ("length", "usual", "beyond"),
    [(4, 0.0, None), (5, 0.0, 5.0), (7, 1.0, None), (8, 1.0, 2.0), (8, 0.1, 8.0)],
)
def test_a_held_value_is_five_samples_and_half_as_long_again_as_usual(length, usual, beyond):
    run = steps((0, 100, 1), (40, 40 + length, length))
    found = module._held(trace(steps((40, 60, 3)), run=run), normal(run=(0, 0, usual), value=(0, 1, 2)))
    if beyond is None:
        assert found is None
    else:
        assert found == Event("frozen", 10.0, 10.0 + length / 4, beyond, 3.0, 0.0, (0.0, usual))


@pytest.mark.parametrize(("low", "kind"), [(2.9, "frozen"), (3.0, "frozen"), (3.1, "dropout")])
def test_a_value_held_below_its_range_is_a_dropout(low, kind):
    run = steps((40, 48, 8))
    found = module._held(trace(steps((40, 48, 3)), run=run), normal(run=(0, 0, 1), value=(low, 4, 5)))
    assert found == Event(kind, 10.0, 12.0, 2.0, 3.0, 0.0, (low, 5.0) if kind == "dropout" else (0.0, 1.0))


def test_two_values_held_one_after_the_other_are_two_stretches():
    values = np.concatenate([np.arange(5.0), np.full(6, 7.0), np.full(6, 8.0), np.arange(5.0)])
    found = module._held(traces(values, np.arange(22.0)), normal(run=(0, 0, 1), value=(0, 1, 9)))
    assert (found.start, found.stop, found.value) == (5.0, 11.0, 7.0)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_spike_reaches_over_what_is_beyond_the_usual_and_a_third_of_its_tip(sign):
    values = np.arange(100.0)
    residual = sign * steps((45, 46, -2.5), (46, 47, 3), (48, 49, 3.5), (50, 51, -10))
    found = module._spike(trace(values, residual=residual), normal(spike=(0.5, 1, 2)))
    assert found == Event("spike", 12.0, 12.75, 8.0, 50.0, -10.0 * sign, (0.0, 2.0))
    residual = sign * steps((46, 47, 2), (47, 48, 2.25), (50, 51, 5), (52, 53, -2.25), (53, 54, 2))
    found = module._spike(trace(values, residual=residual), normal(spike=(0.5, 1, 2)))
    assert found == Event("spike", 11.75, 13.25, 3.0, 50.0, 5.0 * sign, (0.0, 2.0))


@pytest.mark.parametrize(
    ("size", "usual", "beyond"),
    [(2.0, (0, 1, 2), None), (2.0625, (0, 1, 2), None), (2.125, (0, 1, 2), 0.125), (0.1, (-2, -1, 0), None),
     (3.0, (2, 2, 2), 5.0)],
)  # fmt: skip
def test_a_spike_or_a_burst_is_a_tenth_of_the_upper_half_beyond(size, usual, beyond):
    spike = module._spike(trace(np.zeros(100), residual=steps((50, 51, size))), normal(spike=usual))
    burst = module._noise(trace(np.tile([0.0, 1.0], 50), rough=steps((40, 60, size))), normal(rough=usual))
    for found in (spike, burst):
        assert (found is None) == (beyond is None)
        if found is not None:
            assert found.excess == pytest.approx(beyond)


def test_a_burst_is_the_stretch_around_its_peak_above_the_middle_between_usual_and_peak():
    restless = np.tile([0.0, 2.0], 50)
    rough = steps((5, 20, 2.4), (27, 30, 1.6), (30, 60, 1.9), (45, 46, 2.5))
    found = module._noise(trace(restless, rough=rough), normal(rough=(0.5, 1, 2)))
    assert found == Event("noise burst", 7.5, 15.0, 0.5, 2.5, 2.5, (0.5, 2.0))
    rough = steps((30, 60, 2), (35, 50, 2.25), (40, 41, 5))  # half of 1 and 5 is more than the usual 2
    found = module._noise(trace(restless, rough=rough), normal(rough=(0.5, 1, 2)))
    assert found == Event("noise burst", 8.75, 12.5, 3.0, 5.0, 5.0, (0.5, 2.0))
    found = module._noise(trace(restless, rough=rough), normal(rough=(0, 0, 2)))
    assert np.isnan(found.change)  # nothing is so many times zero


@pytest.mark.parametrize(
    ("at", "size", "burst"),
    [
        (27, 15.0, False), (27, 14.0, True), (27, 14.2, False), (27, 13.9, True),  # with the next two, 60 % of all
        (26, 15.0, True), (63, 15.0, False), (64, 15.0, True),  # within half a window of the burst
    ],
)  # fmt: skip
def test_a_burst_is_no_few_large_steps(at, size, burst):
    values = np.tile([0.0, 2.0], 50)
    values[at:] += size - (values[at] - values[at - 1])
    rough = steps((30, 60, 3))
    assert (module._noise(trace(values, rough=rough), normal(rough=(0.5, 1, 2))) is not None) == burst


@pytest.mark.parametrize(("at", "burst"), [(1, False), (13, False), (14, True)])
def test_a_burst_at_the_start_is_looked_at_from_the_first_sample(at, burst):
    values = np.tile([0.0, 2.0], 50)
    values[at:] += 60.0
    assert (module._noise(trace(values, rough=steps((2, 10, 3))), normal(rough=(0.5, 1, 2))) is not None) == burst


LEVELS = {"low": (-4, -3, -2), "high": (2, 3, 4)}


@pytest.mark.parametrize("sign", [1, -1])
def test_a_box_is_a_shift_against_the_usual_levels_or_against_the_usual_shifts(sign):
    box = trace(steps((40, 60, 8.0 * sign)))
    found = module._level(box, normal(**LEVELS))
    assert found == Event("level shift", 10.0, 15.0, 4.0, 8.0 * sign, 8.0 * sign, (-4.0, 4.0), "level")
    found = module._level(box, normal(**LEVELS, shift=(0, 1, 2)))
    assert found == Event("level shift", 10.0, 15.0, 6.0, 8.0 * sign, 8.0 * sign, (0.0, 2.0), "shift")
    found = module._level(box, normal(shift=(0, 2, 2)))
    assert (found.excess, found.against) == (pytest.approx(15.0), "shift")  # a fifth of the largest is the least unit
    found = module._level(box, normal(**LEVELS, shift=(0, 6, 7)))
    assert (found.excess, found.against) == (4.0, "shift")
    found = module._level(box, normal(**LEVELS, shift=(-20, -3, 7)))  # a tenth beyond and no more
    assert (found.excess, found.against) == (4.0, "level")
    found = module._level(box, normal(low=(-4, -4, -2), high=(2, 4, 4)))
    assert found.excess == pytest.approx(4 / 0.4)  # a twentieth of the whole range


@pytest.mark.parametrize(("top", "said"), [(4.0625, False), (4.125, True)])
def test_a_level_is_a_tenth_of_its_half_beyond(top, said):
    found = module._level(trace(steps((40, 60, 3.0)), level=steps((50, 51, top))), normal(**LEVELS))
    assert (found is not None) == said
    found = module._level(trace(steps((40, 60, -3.0)), level=steps((50, 51, -top))), normal(**LEVELS))
    assert (found is not None) == said


def test_a_tenth_and_no_more_is_no_event():
    level = steps((50, 51, 0.1))
    assert module._level(trace(np.zeros(100), level=level), normal(high=(-2, -1, 0), low=(-4, -3, -2))) is None
    found = module._level(trace(steps((40, 60, 0.3)), level=level), normal(high=(-2, -1, 0), low=(-4, -3, -2)))
    assert found is None
    # a shift is far beyond, the level a tenth and no more: the box keeps its place
    ranges = normal(high=(0, -6, 4), low=(-4, 6, 9), shift=(0, 1, 2))
    found = module._level(trace(steps((40, 60, 3.5)), level=steps((45, 52, 5))), ranges)
    assert (found.start, found.stop, found.against) == (10.0, 15.0, "shift")


@pytest.mark.parametrize(
    ("quiet", "said"),
    [((40, 60), (15.0, 25.0)), ((39, 59), (14.75, 25.0)), ((41, 61), (0.0, 10.25))],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_where_the_rest_is_unusual_the_longer_side_of_it_is_said(quiet, said, sign):
    values = np.full(100, 8.0 * sign)
    values[slice(*quiet)] = 0.0
    found = module._level(trace(values), normal(**LEVELS))
    assert found == Event("level shift", *said, 4.0, 8.0 * sign, 8.0 * sign, (-4.0, 4.0))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_table_out_of_range_for_more_than_four_fifths_is_one_shift(sign):
    values = np.full(100, 8.0 * sign)
    values[40:59] = 0.0
    found = module._level(trace(values), normal(**LEVELS))
    assert found == Event("level shift", 0.0, 25.0, 4.0, pytest.approx(6.48 * sign), 0.0, (-4.0, 4.0))


def test_a_table_too_short_for_a_box_is_one_shift():
    found = module._level(trace([0.0, 0.0, 30.0]), normal(**LEVELS))
    assert found == Event("level shift", 0.0, 0.75, 26.0, 10.0, 0.0, (-4.0, 4.0))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("inside", "kept"), [(3.5, False), (4.0, False), (4.125, True)])
def test_a_box_that_holds_more_than_the_unusual_part_is_cut_to_it(sign, inside, kept):
    level = sign * steps((0, 30, 3.5), (30, 40, -4.5), (45, 52, 5), (70, 73, 5), (75, 99, -3.5))
    found = module._level(trace(sign * steps((40, 60, inside)), level=level), normal(**LEVELS))
    span, change = ((10.0, 15.0), inside) if kept else ((11.25, 13.0), inside - 13 * inside / 93)
    assert found == Event("level shift", *span, 1.0, sign * inside, pytest.approx(sign * change), (-4.0, 4.0))


def test_equally_far_above_and_below_is_said_as_above():
    level = steps((45, 52, 5), (70, 79, -5))
    found = module._level(trace(steps((40, 60, 3.5)), level=level), normal(**LEVELS))
    assert (found.start, found.stop) == (11.25, 13.0)


def ramp(start=20, slope=0.25):
    return np.maximum(np.arange(100) - start, 0) * slope


@pytest.mark.parametrize("sign", [1, -1])
def test_a_drift_runs_from_its_kink_to_the_end(sign):
    values = ramp()
    values[17] = 0.5
    found = module._level(trace(sign * values), normal(rise=(-1, 0, 1)))
    assert (found.kind, found.start, found.stop) == ("drift", 5.0, 25.0)
    assert found.value == sign * 19.75
    assert found.change == pytest.approx(sign * 19.25)  # medians of the last five and of the five around the kink
    assert found.normal == (0.0, 1.0)
    total = tracing.rise(TIMES, sign * values)
    assert found.excess == pytest.approx(abs(total) - 1)
    assert module._level(trace(sign * values), normal(rise=(-3, 0, 2))).normal == (0.0, 3.0)
    assert module._level(trace(sign * values), normal(rise=(-2, 0, 3))).normal == (0.0, 3.0)
    half = normal(rise=(-1, 1, 1)) if sign > 0 else normal(rise=(-1, -1, 1))
    assert module._level(trace(sign * values), half).excess == pytest.approx((abs(total) - 1) / 0.2)
    far = module._level(trace(sign * values), normal(rise=(-1, 0, 1), low=(-0.1, 0, 0), high=(0, 0, 0.1)))
    assert far.kind == "drift"
    assert far.excess == pytest.approx((19.75 - 0.1) / 0.1)  # beyond in level further than in rise


def test_a_straight_line_drifts_from_its_first_sample():
    found = module._level(trace(ramp(0)), normal(rise=(-1, 0, 1)))
    assert (found.start, found.stop, found.change) == (0.0, 25.0, pytest.approx(24.25 - 0.25))


def test_what_a_box_explains_better_or_what_rises_no_more_than_usual_is_no_drift():
    late = trace(steps((60, 100, 8)))
    assert module._level(late, normal(rise=(-1, 0, 1))) is None
    assert module._level(late, normal(**LEVELS, rise=(-1, 0, 1))).kind == "level shift"
    assert module._level(trace(ramp()), normal(**LEVELS)).kind == "level shift"
    assert module._level(trace(ramp()), normal()) is None


@pytest.mark.parametrize("start", [0, 30, 43, 80])
def test_the_best_ramp_is_found_on_a_grid_of_25_starts_up_to_four_fifths(start):
    found, error = module._best_ramp(5.0 + 2 * ramp(start))
    assert found == start
    assert error == pytest.approx(0.0, abs=1e-9)


def test_a_ramp_beyond_the_last_start_leaves_an_error():
    found, error = module._best_ramp(ramp(90, 1.0))
    assert found == 80
    design = np.stack([np.ones(100), ramp(80, 1.0)], axis=1)
    assert error == pytest.approx(np.linalg.lstsq(design, ramp(90, 1.0), rcond=None)[1][0])
    assert module._best_ramp(np.zeros(100)) == (0, 0.0)
    assert module._best_ramp(np.array([3.0])) == (0, pytest.approx(0.0))


def one(kind, start=0.0, stop=1.0, beyond=1.0):
    return Event(kind, start, stop, beyond, 0.0, 1.0, (0.0, 1.0))


@pytest.mark.parametrize(
    ("gap", "held", "spike", "noise", "level", "said"),
    [
        (None, None, None, None, None, []),
        ("dropout", None, one("spike"), one("noise burst"), one("drift"), ["dropout"]),
        (None, "frozen", one("spike"), one("noise burst"), one("drift"), ["frozen"]),
        ("dropout", "frozen", one("spike"), None, None, ["dropout", "frozen"]),
        (None, None, one("spike", stop=9.0), None, one("drift"), ["spike"]),
        (None, None, one("spike", stop=2.475), one("noise burst"), one("drift"), ["spike"]),  # a tenth of 24.75 s
        (None, None, one("spike", stop=2.5), one("noise burst"), one("drift"), ["noise burst"]),
        (None, None, one("spike", 20.0, 22.25), one("noise burst"), None, ["spike"]),
        (None, None, None, one("noise burst", beyond=0.9), one("drift"), ["drift"]),
        (None, None, None, one("noise burst", beyond=1.0), one("drift"), ["noise burst"]),
        (None, None, None, one("noise burst"), None, ["noise burst"]),
        (None, None, None, None, one("drift"), ["drift"]),
    ],
)
def test_one_event_explains_a_channel_but_what_holds_still_stands_beside(
    monkeypatch, gap, held, spike, noise, level, said
):
    found = {"_gap": gap and one(gap), "_held": held and one(held), "_spike": spike, "_noise": noise, "_level": level}
    for name, event in found.items():
        monkeypatch.setattr(module, name, lambda trace, normal, event=event: event)
    assert [e.kind for e in events(trace(np.zeros(100)), normal())] == said
