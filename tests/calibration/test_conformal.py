import math

import numpy as np
import pytest
from scipy.stats import beta, chisquare, kstest

from mmdmad.calibration import (
    adjusted_p_values,
    benjamini_hochberg,
    case_uniform,
    conformal_p_value,
    conformal_p_values,
    false_alarm_interval,
    is_attainable,
    smallest_calibration_size,
)
from mmdmad.errors import DataError


@pytest.mark.parametrize("ties", [False, True])
def test_p_values_of_normal_cases_are_uniform_on_the_grid(ties):
    rng = np.random.default_rng(1)
    n, repeats = 19, 6000
    draw = (lambda size: rng.integers(0, 4, size).astype(float)) if ties else (lambda size: rng.exponential(size=size))
    p = [conformal_p_value(draw(1)[0], draw(n), rng.random()) for _ in range(repeats)]
    counts = np.bincount(np.rint(np.array(p) * (n + 1)).astype(int), minlength=n + 2)[1:]
    assert counts.sum() == repeats
    assert chisquare(counts).pvalue > 1e-3


def test_without_the_uniforms_ties_would_not_be_uniform():
    p = conformal_p_values(np.zeros(1000), np.zeros(9), np.zeros(1000))
    assert (p == 0.1).all()
    spread = conformal_p_values(np.zeros(1000), np.zeros(9), np.random.default_rng(0).random(1000))
    assert chisquare(np.bincount(np.rint(spread * 10).astype(int), minlength=11)[1:]).pvalue > 1e-3


def test_p_value_counts_ranks_exactly():
    assert conformal_p_values([3.0, 2.0, -1.0], [0.0, 1.0, 2.0, 2.0], [0.0, 0.5, 0.9]).tolist() == [0.2, 0.4, 1.0]
    assert conformal_p_value(5.0, [], 0.3) == 1.0


def test_false_alarm_interval_holds_the_realised_rate_in_95_of_100_calibrations():
    rng = np.random.default_rng(2)
    n, rate, inside, realised = 180, 0.05, 0, []
    low, high = false_alarm_interval(n, rate)
    for _ in range(1500):
        calibration = np.sort(rng.random(n))
        # Scores are uniform, so the realised rate is 1 - threshold with the threshold at the k-th largest score.
        k = math.floor(rate * (n + 1))
        realised.append(1 - calibration[-k])
        inside += low <= realised[-1] <= high
    assert 0.93 < inside / 1500 < 0.97
    k = math.floor(rate * (n + 1))
    assert kstest(realised, beta(k, n + 1 - k).cdf).pvalue > 1e-3
    assert np.mean(realised) <= rate


def test_interval_covers_flagging_by_p_value():
    rng = np.random.default_rng(3)
    calibration, test = rng.normal(size=200), rng.normal(size=20000)
    flagged = np.mean(conformal_p_values(test, calibration, rng.random(len(test))) <= 0.05)
    exact = np.mean(test > np.sort(calibration)[-10])
    assert flagged == pytest.approx(exact)


@pytest.mark.parametrize(("rate", "size"), [(0.01, 99), (0.05, 19), (0.1, 9), (0.5, 1), (1 / 3, 2)])
def test_validity_needs_n_plus_1_of_at_least_1_over_rate(rate, size):
    assert smallest_calibration_size(rate) == size
    assert is_attainable(size, rate)
    assert not is_attainable(size - 1, rate)
    assert conformal_p_value(1e9, np.arange(float(size)), 0.0) <= rate + 1e-12
    assert conformal_p_value(1e9, np.arange(float(size - 1)), 0.0) > rate


def test_interval_of_a_rate_that_no_case_can_reach_is_zero():
    assert false_alarm_interval(50, 0.01) == (0.0, 0.0)


def test_case_uniforms_are_uniform_and_depend_on_purpose():
    u = [case_uniform(f"case-{i}", "joint", 0) for i in range(3000)]
    assert kstest(u, "uniform").pvalue > 1e-3
    other = [case_uniform(f"case-{i}", "image", 0) for i in range(3000)]
    assert abs(np.corrcoef(u, other)[0, 1]) < 0.06


def test_benjamini_hochberg_controls_false_discoveries():
    rng = np.random.default_rng(4)
    false_share, found = [], []
    for _ in range(300):
        p = rng.random(200)
        p[:40] = rng.random(40) * 1e-3
        report = benjamini_hochberg(p, 0.1)
        false_share.append(report[40:].sum() / max(1, report.sum()))
        found.append(report[:40].mean())
    assert np.mean(false_share) <= 0.1 * 160 / 200 + 0.01
    assert np.mean(found) > 0.95


def test_adjusted_p_values_agree_with_a_library():
    from scipy.stats import false_discovery_control

    p = np.random.default_rng(5).random(50) ** 2
    assert np.allclose(adjusted_p_values(p), false_discovery_control(p))


def test_wrong_input_is_refused():
    with pytest.raises(DataError, match="finite"):
        conformal_p_values([np.nan], [1.0], [0.5])
    with pytest.raises(DataError, match="uniforms"):
        conformal_p_values([1.0, 2.0], [1.0], [0.5])
    with pytest.raises(DataError, match="rate"):
        false_alarm_interval(10, 0.0)
    with pytest.raises(DataError, match="p-values"):
        adjusted_p_values([1.5])
