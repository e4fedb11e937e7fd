"""Rows at one rate, gaps, autocorrelations and periods of sensor tables, on numbers that can be followed by hand."""

import numpy as np
import pytest

from mmdmad.encoders import sensor_stats
from mmdmad.encoders.sensor_stats import (
    MAX_ROWS,
    autocorrelation,
    dominant_period,
    grid_rows,
    regular,
    sampling_interval,
)
from mmdmad.errors import PartError

NAN = float("nan")


def test_the_interval_is_the_median_step():
    assert sampling_interval(np.array([3.0])) == 1.0
    assert sampling_interval(np.array([3.0, 3.5])) == 0.5
    assert sampling_interval(np.array([0.0, 1.0, 3.0, 7.0])) == 2.0
    assert isinstance(sampling_interval(np.array([0.0, 2.0])), float)


def rows(values: list[float], times: list[float], interval: float = 1.0) -> tuple[list[float], list[bool]]:
    filled, missing = regular(np.array(values)[:, None], np.array(times), interval)
    return filled[:, 0].tolist(), missing[:, 0].tolist()


def test_even_rows_stay_and_gaps_are_filled_in_between():
    assert rows([1.0, NAN, 3.0, np.inf, NAN, 9.0], [0, 1, 2, 3, 4, 5]) == (
        [1.0, 2.0, 3.0, 5.0, 7.0, 9.0], [False, True, False, True, True, False],
    )  # fmt: skip
    assert rows([NAN, 2.0, 4.0, NAN], [5, 7, 9, 11], 2.0) == ([2.0, 2.0, 4.0, 4.0], [True, False, False, True])
    assert rows([7.0], [3.0]) == ([7.0], [False])
    values, missing = rows([NAN, -np.inf], [0, 1])
    assert np.isnan(values).all()
    assert missing == [True, True]


def test_a_step_may_be_off_by_a_twentieth():
    for step in (0.951, 1.0, 1.049):  # rows stay as they are
        assert rows([1.0, 2.0, 4.0], [0, 1, 1 + step])[0] == [1.0, 2.0, 4.0]
    # with 20 more rows a clock that is ahead by more loses one of them
    for step, count in ((0.951, 21), (0.949, 20), (1.049, 21), (1.051, 22)):
        times = np.arange(21) * step
        assert len(rows(list(range(21)), times.tolist())[0]) == count, step


def test_rows_of_one_step_are_averaged_and_steps_without_one_filled():
    filled, missing = rows([1.0, 3.0, 8.0, 20.0], [10.0, 10.3, 11.0, 14.0])
    assert filled == [2.0, 8.0, 12.0, 16.0, 20.0]
    assert missing == [False, False, True, True, False]
    assert rows([0.0, 3.0, 9.0], [0.0, 0.5, 2.0], 0.5) == (
        [0.0, 3.0, 5.0, 7.0, 9.0], [False, False, True, True, False],
    )  # fmt: skip


def test_a_channel_that_lacks_a_row_lacks_it_alone():
    values = np.array([[0.0, 5.0], [1.0, NAN], [2.0, 7.0], [4.0, 8.0]])
    filled, missing = regular(values, np.array([0.0, 1.0, 2.0, 4.0]), 1.0)
    assert filled.tolist() == [[0.0, 5.0], [1.0, 6.0], [2.0, 7.0], [3.0, 7.5], [4.0, 8.0]]
    assert missing.tolist() == [[False, False], [False, True], [False, False], [True, True], [False, False]]
    filled, missing = regular(np.array([[1.0, NAN], [2.0, NAN]]), np.array([0.0, 3.0]), 1.0)
    assert filled[:, 0].tolist() == pytest.approx([1, 4 / 3, 5 / 3, 2])
    assert np.isnan(filled[:, 1]).all()
    assert missing.tolist() == [[False, True], [True, True], [True, True], [False, True]]


@pytest.mark.parametrize(("early", "late", "gap"), [(1.3, 2.7, False), (1.251, 2.751, False), (1.2, 2.8, True)])
def test_neighbours_within_a_step_and_a_half_leave_no_gap(early, late, gap):
    filled, missing = rows([0.0, 1.0, 3.0, 4.0], [0.0, early, late, 4.0])
    assert filled == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert missing == [False, False, gap, False, False]
    # the same in a table of another rate
    assert rows([0.0, 1.0, 3.0, 4.0], [0.0, 4 * early, 4 * late, 16.0], 4.0)[1] == missing


def test_distances_to_the_nearest_row():
    grid = np.array([-1.0, 0.0, 0.4, 1.0, 2.0, 2.6, 5.0, 9.0])
    nearest = sensor_stats._distance(grid, np.array([0.0, 1.0, 3.0, 6.0]))
    assert nearest.tolist() == pytest.approx([1.0, 0.0, 0.4, 0.0, 1.0, 0.4, 1.0, 3.0])
    assert sensor_stats._distance(grid, np.array([1.0])).tolist() == pytest.approx([2, 1, 0.6, 0, 1, 1.6, 4, 8])
    assert sensor_stats._distance(grid[:2], np.array([])).tolist() == [np.inf, np.inf]


def test_no_table_may_span_millions_of_rows():
    assert MAX_ROWS == 2_000_000
    assert grid_rows(np.array([5.0, 6.0, 9.0]), 2.0) == 3.0
    assert grid_rows(np.array([0.0, MAX_ROWS - 1.0]), 1.0) == MAX_ROWS
    with pytest.raises(PartError, match=r"spans 2e\+06 s, which is 2e\+06 rows at the training interval of 1 s") as why:
        grid_rows(np.array([0.0, float(MAX_ROWS)]), 1.0)
    assert why.value.part == "sensor"


def plain_autocorrelation(values: np.ndarray, lags: int) -> np.ndarray:
    every = []
    for column in values.T:
        x = (column - column.mean()) / column.std()
        every.append([sum(x[i] * x[i + lag] for i in range(len(x) - lag)) / len(x) for lag in range(lags)])
    return np.mean(every, axis=0)


@pytest.mark.parametrize("length", [5, 8, 9, 33])
def test_autocorrelation_is_a_plain_sum(length):
    rng = np.random.default_rng(0)
    values = np.c_[rng.normal(size=length), 1e3 + 5 * rng.normal(size=length)]
    lags = length // 2
    found = autocorrelation(values, lags)
    assert found == pytest.approx(plain_autocorrelation(values, lags), abs=1e-9)
    assert found[0] == pytest.approx(1.0)
    still = np.c_[values, np.full(length, 7.0), 1e6 + 1e-5 * rng.normal(size=length)]
    assert autocorrelation(still, lags) == pytest.approx(found)  # what never moves is left out
    moves = np.c_[values, 1e3 + 1e-5 * rng.normal(size=length)]
    assert autocorrelation(moves, lags) != pytest.approx(found)


def test_a_table_that_stands_still_correlates_with_nothing():
    for channels in (1, 3):
        assert autocorrelation(np.full((6, channels), 4.0), 3).tolist() == [0.0, 0.0, 0.0]


def peak_of(monkeypatch, shape: list[float], length: int = 100, **how: int) -> tuple[int | None, int | None]:
    """The period where this is the autocorrelation (the last value goes on), and the number of lags asked for."""
    asked: list[int] = []

    def given(table, lags):
        asked.append(lags)
        return np.array([*shape, *[shape[-1]] * lags])[:lags]

    monkeypatch.setattr(sensor_stats, "autocorrelation", given)
    found = dominant_period([np.zeros((length, 1)), np.zeros((2 * length, 1))], **how)
    return found, asked[0] if asked else None


def test_a_period_is_the_highest_peak(monkeypatch):
    #                     0    1    2    3     4    5    6    7
    period = lambda *shape, **how: peak_of(monkeypatch, list(shape), **how)[0]  # noqa: E731
    assert period(1.0, 0.5, 0.2, 0.6, 0.3, 0.1, 0.7, 0.0) == 6
    assert period(1.0, 0.5, 0.2, 0.8, 0.3, 0.1, 0.7, 0.0) == 3
    assert period(1.0, 0.5, 0.9, 0.3, 0.2, 0.1, 0.0) is None  # below lag 3 it is none
    assert period(1.0, 0.5, 0.2, 0.31, 0.1, 0.0) == 3  # 0.1 above the lowest before it
    assert period(1.0, 0.5, 0.2, 0.29, 0.1, 0.0) is None
    assert period(1.0, 0.5, 0.2, 0.25, 0.4, 0.4, 0.1, 0.0) == 4  # of a plateau the first
    assert period(1.0, 0.2, 0.5, 0.5, 0.1, 0.0) is None
    assert period(1.0, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0) is None


def test_how_far_a_period_is_looked_for(monkeypatch):
    far = [1.0, *[0.2] * 299, 0.8, *[0.1] * 50]  # a peak at 300
    assert peak_of(monkeypatch, far, length=1000) == (300, 302)
    later = [1.0, *[0.2] * 300, 0.8, *[0.1] * 50]
    assert peak_of(monkeypatch, later, length=1000) == (None, 302)
    assert peak_of(monkeypatch, far, length=1000, longest=299) == (None, 301)
    assert peak_of(monkeypatch, [1.0, 0.2, 0.1, 0.1, 0.9, 0.1], length=12) == (4, 6)
    assert peak_of(monkeypatch, [1.0, 0.2, 0.1, 0.9, 0.1, 0.1], length=11) == (None, None)


def test_the_period_of_several_tables_is_that_of_their_mean(monkeypatch):
    shapes = {1.0: [1.0, 0.5, 0.0, 0.9, 0.0, 0.0, 0.6, 0.0], 2.0: [1.0, 0.5, 0.0, -0.9, 0.0, 0.0, 0.6, 0.0]}
    given = lambda table, lags: np.array([*shapes[table[0, 0]], *[0.0] * lags])[:lags]  # noqa: E731
    monkeypatch.setattr(sensor_stats, "autocorrelation", given)
    assert dominant_period([np.full((40, 1), 1.0)]) == 3
    assert dominant_period([np.full((40, 1), 1.0), np.full((40, 1), 2.0)]) == 6
