"""What is measured on one channel: boxes against all boxes, windows, residuals, runs and gaps on small arrays."""

import numpy as np
import pytest

from mmdmad.explain import traces as tracing
from mmdmad.explain.traces import best_box, contrast, traces


def steps(*pieces, n=100):
    """Zeros but for (start, stop, value)."""
    values = np.zeros(n)
    for start, stop, value in pieces:
        values[start:stop] = value
    return values


def box_by_hand(values, points):
    """Start and stop of the best of all boxes with ends at these points, and the squared error it leaves."""
    n, errors = len(values), {}
    for a in points:
        for b in points:
            if max(2, n // 40) <= b - a <= n - max(2, n // 40):
                inside, outside = values[a:b], np.delete(values, np.s_[a:b])
                errors[a, b] = ((inside - inside.mean()) ** 2).sum() + ((outside - outside.mean()) ** 2).sum()
    best = min(errors, key=errors.get)
    return best, errors[best]


@pytest.mark.parametrize(
    ("n", "hot", "box"),
    [
        (117, (50, 52), (50, 52)), (119, (50, 52), (50, 52)), (118, (50, 52), (50, 52)),
        (120, (50, 53), (50, 53)), (160, (50, 60), None), (240, (101, 111), None),
    ],
)  # fmt: skip
def test_a_box_is_at_least_a_fortieth_long_with_its_ends_on_at_most_121_points(n, hot, box):
    values = steps((*hot, 4.0), n=n) + np.random.default_rng(0).normal(0, 0.01, n)
    (a, b), error = best_box(values)
    points = range(n + 1) if n <= 120 else sorted({int(i * n / 120) for i in range(121)})
    expected, left = box_by_hand(values, points)
    assert (a, b) == expected
    assert box is None or (a, b) == box
    assert error == pytest.approx(left, rel=1e-6)
    assert contrast(values) == pytest.approx(values[a:b].mean() - np.delete(values, np.s_[a:b]).mean())


@pytest.mark.parametrize("n", [119, 120])
def test_a_stretch_shorter_than_a_fortieth_is_no_box_inside_or_outside(n):
    for hot in ((50, 51), (50, 52)):
        values = steps((*hot, 9.0), n=n) + np.linspace(0, 0.01, n)
        assert best_box(values)[0] == box_by_hand(values, range(n + 1))[0]
    values = steps((0, 1, 9.0), (n - 1, n, 9.0), n=n) + np.linspace(0, 0.01, n)
    assert best_box(values)[0] == box_by_hand(values, range(n + 1))[0]


def test_what_a_channel_of_one_two_or_three_samples_measures():
    alone = traces(np.array([5.0]), np.array([3.0]))
    assert alone.measures().tolist() == [5.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    two = traces(np.array([1.0, 3.0]), np.array([0.0, 2.0]))
    assert two.window == 3
    assert two.step == 2.0
    assert two.level == pytest.approx([5 / 3, 7 / 3])
    assert dict(zip(tracing.MEASURES, two.measures(), strict=True))["rise"] == pytest.approx(2.0)
    assert best_box(np.array([1.0, 2.0, 9.0]))[0] == (0, 0)
    assert tracing.MEASURES == ("low", "high", "spike", "rough", "run", "rise", "shift", "gap")
    assert tracing.means(np.array([1.0, 5.0, 7.0, 2.0]), 1, 3) == (6.0, 1.5)


@pytest.mark.parametrize(("n", "window"), [(8, 3), (31, 3), (32, 4), (39, 4), (40, 5), (80, 10)])
def test_the_window_is_an_eighth_of_the_samples_and_at_least_three(n, window):
    assert traces(np.arange(float(n)), np.arange(float(n))).window == window


def test_the_residual_is_the_distance_to_the_median_of_nine():
    values = np.zeros(30)
    values[10:14] = 1.0  # four of nine
    values[20:25] = 1.0  # five of nine
    found = traces(values, np.arange(30.0))
    assert found.residual[10:14].tolist() == [1.0] * 4
    assert found.residual[22] == 0.0
    short = traces(np.array([0.0, 0.0, 7.0, 0.0]), np.arange(4.0))
    assert short.residual.tolist() == [0.0, 0.0, 7.0, 0.0]
    assert tracing.MEDIAN_WINDOW == 9


def test_equal_readings_on_both_sides_of_a_gap_are_two_stretches():
    values = np.array([2.0, 2.0, np.nan, 2.0, 2.0, 2.0, np.nan, 5.0, 5.0])
    found = traces(values, np.arange(9.0))
    assert found.values.tolist() == [2, 2, 2, 2, 2, 2, 3.5, 5, 5]
    assert found.run.tolist() == [2, 2, 0, 3, 3, 3, 0, 2, 2]
    first = traces(np.array([np.nan, 2.0, 2.0, np.nan, 7.0]), np.arange(5.0))
    assert first.run.tolist() == [0, 2, 2, 0, 1]
    assert first.values.tolist() == [2, 2, 2, 4.5, 7]
    assert traces(np.array([np.inf, 1.0, -np.inf]), np.arange(3.0)).missing.tolist() == [True, False, True]


def test_steps_into_and_across_a_gap_are_no_roughness():
    values = np.array([1.0] * 8 + [np.nan] * 8 + [1.0] * 8)
    values[7] = 2.0
    found = traces(values, np.arange(24.0))
    squares = np.zeros(24)
    squares[7], squares[16] = 1.0, (found.values[16] - found.values[15]) ** 2
    assert found.window == 3
    assert found.rough[10:15].tolist() == [0.0] * 5  # the line down from 2 to 1 across the gap is not read
    assert found.rough[6] == pytest.approx(np.sqrt(1 / 3 - 1 / 9))


def test_the_longest_stretch_is_the_first_of_equals():
    assert tracing.longest_stretch(np.array([True, True, False, True, True, False])) == (0, 2)
    assert tracing.longest_stretch(np.zeros(3, bool)) == (0, 0)
    flags = np.array([True, False, True, True, True, False, True, True])
    assert (tracing.longest_stretch(flags), tracing.longest(flags)) == ((2, 5), 3)
    assert tracing.stretches(np.zeros(0, bool)) == []


def test_a_rise_needs_two_times():
    assert tracing.rise(np.array([0.0]), np.array([4.0])) == 0.0
    assert tracing.rise(np.array([0.0, 4.0]), np.array([1.0, 3.0])) == 2.0
    assert tracing.rise(np.array([5.0, 5.0, 5.0]), np.array([1.0, 3.0, 2.0])) == 0.0
    assert tracing.rise(np.array([1.0, 2.0, 9.0]), np.array([2.0, 4.0, 18.0])) == pytest.approx(16.0)
