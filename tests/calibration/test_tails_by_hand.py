"""Tails and joint scores against plain loops over their formulas, and every border of what is accepted."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdmad.calibration import fusion
from mmdmad.calibration.fusion import WEIGHTS, Tail, fuse
from mmdmad.errors import DataError, ModelError

ROUNDED = st.lists(st.integers(-40, 400).map(lambda n: n / 8), min_size=4, max_size=60)


def tail_by_hand(scores, mass=0.15, least_scale=0.0):
    """(start, mass, scale, shape) as the docstring of `Tail.fit` says it, one number at a time."""
    s, n = sorted(scores), len(scores)
    above = max(2, round(mass * n))
    start = (s[n - above] + s[n - above - 1]) / 2
    excess = [x - start for x in s[n - above :]]
    mean = sum(excess) / above
    beyond = (above + 0.5) / (n + 1)
    if mean <= 1e-12 * max(1.0, abs(start)):
        return start, beyond, max((s[-1] - s[0]) / 3, 1e-6 * max(1.0, abs(start))), 0.0
    first = sum(e * (1 - (rank - 0.35) / above) for rank, e in enumerate(excess, 1)) / above
    shape = min(max(2 - mean / max(mean - 2 * first, 1e-12), 0.0), 0.5) * above / (above + 20)
    scale = mean * (1 - shape)
    return (start, beyond, least_scale, 0.0) if scale < least_scale else (start, beyond, scale, shape)


@settings(max_examples=300, deadline=None)
@given(ROUNDED, st.sampled_from([0.15, 0.3]), st.sampled_from([0.0, 0.5]))
def test_a_tail_is_what_its_formulas_say(scores, mass, least_scale):
    tail = Tail.fit(scores, mass, least_scale)
    assert (tail.start, tail.mass, tail.scale, tail.shape) == pytest.approx(tail_by_hand(scores, mass, least_scale))
    assert tail.grid.tolist() == sorted(scores)


@settings(max_examples=200, deadline=None)
@given(ROUNDED.map(lambda s: sorted(set(s))).filter(lambda s: len(s) >= 4), st.integers(-50, 500).map(lambda n: n / 8))
def test_surprise_counts_below_the_start_and_follows_pareto_above_it(scores, score):
    tail, n = Tail.fit(scores), len(scores)
    start, mass, scale, shape = tail_by_hand(scores)
    if score >= start:
        z = (score - start) / scale
        expected = -math.log(mass) + (z if shape == 0 else math.log(1 + shape * z) / shape)
    elif score < scores[0]:
        expected = 0.0
    else:
        known = [(x, -math.log(min(1.0, (n - i + 0.5) / (n + 1)))) for i, x in enumerate(scores) if x <= start]
        known = [(x, min(s, -math.log(mass))) for x, s in known] + [(start, -math.log(mass))]
        left = max(i for i, (x, _) in enumerate(known) if x <= score)
        (a, low), (b, high) = known[left], known[left + 1]
        expected = low if b == a else low + (high - low) * (score - a) / (b - a)
    assert tail.surprise(score) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("n", "above"), [(4, 2), (5, 2), (10, 2), (17, 3), (50, 8), (100, 15)])
def test_fifteen_of_a_hundred_reference_scores_make_the_tail_and_never_less_than_two(n, above):
    tail = Tail.fit(np.arange(float(n)))
    assert (tail.start, tail.mass) == (n - above - 0.5, (above + 0.5) / (n + 1))


@pytest.mark.parametrize(
    ("scores", "scale"),
    [([3.0] * 5, 3e-6), ([0.5] * 6, 1e-6), ([1.0, *[3.0] * 6], 2 / 3), ([-2e6] * 7, 2.0), ([0.0, *[9.0] * 4], 3.0),
     ([1e6, 1e6, 1e6, 1e6 + 1e-9, 1e6 + 1e-9], 1.0)],
)  # fmt: skip
def test_equal_scores_are_told_apart_by_their_whole_spread_or_a_millionth_of_their_level(scores, scale):
    tail = Tail.fit(scores)
    assert (tail.scale, tail.shape, tail.mass) == (pytest.approx(scale), 0.0, 2.5 / (len(scores) + 1))
    assert tail.surprise(tail.start + scale) == pytest.approx(-math.log(tail.mass) + 1)


@pytest.mark.parametrize("few", [[], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0, math.nan], [0.0, 1.0, 2.0, math.inf]])
def test_too_few_or_unknown_reference_scores_are_refused(few):
    with pytest.raises(DataError, match=f"{len(few)} reference scores were given; at least 4, all finite"):
        Tail.fit(few)
    assert Tail.fit([1.0, 2.0, 3.0, 4.0]).grid.size == 4


def test_a_saved_tail_is_refused_beyond_each_border_and_taken_at_it():
    good = Tail.fit([1.0, 2.0, 3.0, 4.0]).state()

    def changed(where, value):
        array = good.copy()
        array[where] = value
        return array

    same = Tail.from_state(good)
    assert same.state().tolist() == good.tolist()
    for field, taken in ((0, 1.0), (0, 4.0), (1, 1e-9), (1, 1 - 1e-9), (2, 1e-9), (3, 0.0), (3, 1 - 1e-9), (6, 2.0)):
        assert Tail.from_state(changed(field, taken)).state()[field] == taken
    refused = [
        (good[:7], "fewer than 4"), (good[None], "fewer than 4"), (changed(4, math.nan), "finite"),
        (changed(5, 0.5), "increasing"), (changed(0, 0.999), "outside"), (changed(0, 4.001), "outside"),
        (changed(1, 0.0), "out of range"), (changed(1, 1.0), "out of range"), (changed(2, 0.0), "out of range"),
        (changed(2, -1.0), "out of range"), (changed(3, -1e-9), "out of range"), (changed(3, 1.0), "out of range"),
        (changed(1, 2.0), "out of range"), (changed(1, -0.5), "out of range"), (changed(3, 2.0), "out of range"),
    ]  # fmt: skip
    for array, why in refused:
        with pytest.raises(ModelError, match=why):
            Tail.from_state(array)


def fused_by_hand(parts, contradictions, joint):
    """score = log sum_i w_i exp(s_i), the weights of the kinds that are there scaled to one."""
    kinds = [("part", list(parts.values())), ("contradiction", list(contradictions.values()))]
    kinds.append(("together", [] if joint is None else [joint]))
    there = [(WEIGHTS[kind], terms) for kind, terms in kinds if terms]
    whole = sum(weight for weight, _ in there)
    return math.log(sum(weight / whole / len(terms) * math.exp(s) for weight, terms in there for s in terms))


NAMED = st.dictionaries(st.sampled_from(["image", "text", "sensor"]), st.floats(0, 30), max_size=3)


@settings(max_examples=300, deadline=None)
@given(NAMED.filter(bool), NAMED, st.none() | st.floats(0, 30))
def test_the_joint_score_is_the_log_of_the_weighted_odds(parts, contradictions, joint):
    fused = fuse(parts, contradictions, joint)
    assert fused.score == pytest.approx(fused_by_hand(parts, contradictions, joint), abs=1e-9)
    if joint is None:  # each part's share is in proportion to exp(surprise)
        odds = {name: math.exp(s) / len(parts) for name, s in parts.items()}
        shares = [fused.parts[name] / odds[name] for name in parts]
        assert max(shares) == pytest.approx(min(shares), rel=1e-6, abs=1e-12)


def test_parts_without_any_surprise_share_what_they_have_together_evenly():
    fused = fuse({"image": 0.0, "text": 0.0}, {}, 20.0)
    assert fused.parts["image"] == fused.parts["text"] == pytest.approx(fused.score / 2)
    assert fused.score == pytest.approx(fused_by_hand({"image": 0.0, "text": 0.0}, {}, 20.0))


def test_a_score_is_never_below_nothing():
    assert fuse({"image": 0.0}, {}, None).score == 0.0
    assert fuse({"image": 0.0, "text": 0.0}, {"image": 0.0}, 0.0).score == pytest.approx(0.0, abs=1e-12)


def test_weights_and_fewest_are_those_that_the_documents_name():
    assert WEIGHTS == {"part": 0.45, "together": 0.15, "contradiction": 0.4}
    assert math.fsum(WEIGHTS.values()) == 1
    assert fusion.TAIL_FEWEST == 4


def test_tails_and_fused_scores_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Tail.fit(np.arange(9.0)).start = 0.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        fuse({"image": 1.0}, {}, None).score = 0.0
