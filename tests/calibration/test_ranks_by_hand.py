"""p-values, thresholds and folds by counting, borders of what is accepted, another library's corrected p-values."""

import dataclasses
import hashlib
import inspect
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, betabinom, false_discovery_control

from mmdmad.calibration import conformal
from mmdmad.calibration.conformal import (
    adjusted_p_values,
    benjamini_hochberg,
    case_uniform,
    conformal_p_value,
    conformal_p_values,
    false_alarm_interval,
    is_attainable,
    smallest_calibration_size,
)
from mmdmad.calibration.crossfit import crossfit, flagged_band, honest_threshold
from mmdmad.errors import DataError

GRID = st.integers(-3, 3).map(float)
RATES = [Fraction(1, d) for d in (2, 3, 7, 10, 20, 49, 50, 100, 1000)] + [Fraction(3, 10), Fraction(3, 100)]


@settings(max_examples=300, deadline=None)
@given(GRID, st.lists(GRID, max_size=12), st.floats(0, 1, exclude_max=True))
def test_a_p_value_counts_the_higher_and_a_drawn_number_of_the_equal(score, calibration, uniform):
    higher, equal = sum(c > score for c in calibration), sum(c == score for c in calibration)
    place = next(k for k in range(equal + 1) if uniform * (equal + 1) < k + 1)
    expected = (1 + higher + place) / (len(calibration) + 1)
    assert conformal_p_value(score, calibration, uniform) == expected


def test_many_scores_are_judged_as_one_at_a_time():
    rng = np.random.default_rng(0)
    scores, calibration, uniforms = rng.integers(0, 9, 50), rng.integers(0, 9, 30), rng.random(50)
    one = [conformal_p_value(s, calibration, u) for s, u in zip(scores, uniforms, strict=True)]
    assert conformal_p_values(scores, calibration.reshape(5, 6), uniforms).tolist() == one
    assert conformal_p_values([], calibration, []).tolist() == []


@pytest.mark.parametrize(
    ("scores", "calibration", "uniforms", "why"),
    [
        ([math.nan], [1.0], [0.5], "finite"), ([1.0], [math.inf], [0.5], "finite"), ([1.0], [1.0], [1.0], r"\[0, 1\)"),
        ([1.0], [1.0], [-1e-9], r"\[0, 1\)"), ([1.0, 2.0], [1.0], [0.5], r"\(1,\) uniforms"),
        ([1.0, 2.0], [1.0], [0.5, 1.5], r"\[0, 1\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_ranked_is_refused(scores, calibration, uniforms, why):
    with pytest.raises(DataError, match=why):
        conformal_p_values(scores, calibration, uniforms)
    assert conformal_p_value(1.0, [1.0], 0.0) == 0.5  # the border itself is allowed


@pytest.mark.parametrize("rate", RATES)
def test_the_smallest_calibration_is_the_first_whose_smallest_p_value_reaches_the_rate(rate):
    smallest = next(n for n in range(2000) if Fraction(1, n + 1) <= rate)
    assert smallest_calibration_size(float(rate)) == smallest
    assert [is_attainable(n, float(rate)) for n in (smallest - 1, smallest, smallest + 1)] == [False, True, True]


@pytest.mark.parametrize("rate", RATES)
def test_the_threshold_is_the_score_that_a_share_of_at_most_the_rate_of_ranks_exceeds(rate):
    for n in (1, 2, 9, 18, 19, 20, 60, 99, 101, 999):
        scores = np.random.default_rng(n).permutation(n).astype(float)
        allowed = [s for s in scores if Fraction(int((scores > s).sum()) + 1, n + 1) <= rate]
        assert honest_threshold(scores, float(rate)) == (min(allowed) if allowed else scores.max())
    assert honest_threshold(np.arange(24.0).reshape(4, 6), 0.2) == 19.0


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 1.1, 2.0, math.nan])
def test_a_rate_lies_between_nothing_and_everything(rate):
    calls = (
        lambda: smallest_calibration_size(rate), lambda: false_alarm_interval(10, rate),
        lambda: benjamini_hochberg([0.5], rate), lambda: honest_threshold([1.0, 2.0], rate),
    )  # fmt: skip
    for call in calls:
        with pytest.raises(DataError, match="rate"):
            call()


@pytest.mark.parametrize(
    ("size", "rate", "k"), [(199, 0.05, 10), (99, 0.01, 1), (100, 0.3, 30), (29, 0.1, 3), (38, 0.05, 1)]
)
def test_the_interval_is_that_of_the_rank_of_the_threshold(size, rate, k):
    for level in (0.95, 0.5):
        low, high = beta(k, size + 1 - k).interval(level)
        assert false_alarm_interval(size, rate, level) == pytest.approx((low, high))
    assert false_alarm_interval(size, rate) == false_alarm_interval(size, rate, 0.95)
    assert flagged_band(size, 500, rate) == pytest.approx(
        tuple(x / 500 for x in betabinom(500, k, size + 1 - k).interval(0.95))
    )
    low, high = betabinom(500, k, size + 1 - k).interval(0.5)
    assert flagged_band(size, 500, rate, 0.5) == pytest.approx((low / 500, high / 500))


def test_the_interval_of_a_threshold_that_nothing_or_everything_exceeds():
    assert false_alarm_interval(18, 0.05) == (0.0, 0.0)
    assert false_alarm_interval(0, 0.999999999999) == (1.0, 1.0)  # every place is flagged
    assert false_alarm_interval(1, 0.999999999999) == (1.0, 1.0)
    low, high = false_alarm_interval(1, 0.5)
    assert (low, high) == pytest.approx((0.025, 0.975))
    low, high = flagged_band(5, 100, 0.01)  # too few for the rate: the highest score is the threshold
    assert (low, high) == pytest.approx(tuple(x / 100 for x in betabinom(100, 1, 5).interval(0.95)))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.2, 0.5, 1.0]), min_size=1, max_size=12), st.floats(0.01, 0.9)
)
def test_adjusted_p_values_are_another_librarys_and_name_the_discoveries(p, rate):
    adjusted = adjusted_p_values(p)
    assert adjusted == pytest.approx(false_discovery_control(p))
    assert benjamini_hochberg(p, rate).tolist() == (adjusted <= rate).tolist()
    found = [k for k, value in enumerate(sorted(p), 1) if value <= rate * k / len(p) * (1 + 1e-12)]
    assert abs(int(benjamini_hochberg(p, rate).sum()) - max(found, default=0)) == 0


@pytest.mark.parametrize("p", [[1.0001], [-1e-9], [math.nan], [[0.5]], [0.5, 2.0], 0.5])
def test_what_is_no_p_value_is_refused(p):
    with pytest.raises(DataError, match="p-values of shape"):
        adjusted_p_values(p)


def test_a_case_draws_the_first_seven_bytes_of_a_digest():
    digest = hashlib.sha256(b"key\x1fjoint\x1f3").digest()
    assert case_uniform("key", "joint", 3) == int.from_bytes(digest[:7], "big") / 2**56
    assert case_uniform("a", "b") != case_uniform("ab") != case_uniform("a\x1fb", "")
    assert 0 <= min(case_uniform(str(i)) for i in range(500)) < max(case_uniform(str(i)) for i in range(500)) < 1


def learned(count, **how):
    seen = []

    def score(learn, left_out):
        seen.append((learn.tolist(), left_out.tolist()))
        return left_out + 0.5

    return seen, crossfit(count, score, **how)


@pytest.mark.parametrize("count", [2, 4, 5, 12, 23])
def test_five_folds_by_default_each_row_left_out_once(count):
    seen, unseen = learned(count)
    assert len(seen) == min(5, count)
    assert sorted(len(out) for _, out in seen) == sorted(len(range(k, count, 5)) for k in range(min(5, count)))
    assert sorted(row for _, out in seen for row in out) == list(range(count)) == unseen.rows.tolist()
    assert all(sorted(learn + out) == list(range(count)) for learn, out in seen)
    assert unseen.scores.tolist() == [row + 0.5 for row in range(count)]


def test_rows_are_dealt_in_turn_in_the_order_of_a_seeded_permutation():
    seen, _ = learned(11, folds=3, seed=4)
    order = np.random.default_rng(4).permutation(11)
    assert [out for _, out in seen] == [sorted(order[k::3].tolist()) for k in range(3)]
    assert learned(11, folds=3)[0] == learned(11, folds=3, seed=0)[0]
    few, unseen = learned(11, folds=3, seed=4, rounds=2)
    assert few == seen[:2]
    assert unseen.rows.tolist() == sorted(few[0][1] + few[1][1])
    assert learned(11, folds=3, seed=4, rounds=9)[0] == seen


@pytest.mark.parametrize(
    ("count", "folds", "rounds"), [(1, 5, None), (0, 5, None), (5, 1, None), (5, 2, 0), (5, 0, None)]
)
def test_folds_that_leave_nothing_to_learn_from_are_refused(count, folds, rounds):
    with pytest.raises(DataError, match="at least 2, 2 and 1 are needed"):
        learned(count, folds=folds, rounds=rounds)
    assert len(learned(2, folds=2, rounds=1)[0]) == 1


def test_unseen_scores_cannot_be_changed_and_public_rules_take_their_options_by_name():
    with pytest.raises(dataclasses.FrozenInstanceError):
        learned(4)[1].rows = np.zeros(1)
    options = inspect.signature(crossfit).parameters
    assert all(options[name].kind is inspect.Parameter.KEYWORD_ONLY for name in ("folds", "rounds", "seed"))
    assert conformal.false_alarm_interval.__defaults__ == (0.95,)
