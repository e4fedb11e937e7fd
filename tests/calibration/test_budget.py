"""Alarm budgets by hand: which events calibration cases make, what a level costs, and when none can be chosen."""

import math

import numpy as np
import pytest
from scipy.stats import chi2, poisson

from mmdmad.calibration.budget import Order, Track, alarms_of, choose, garwood, upper_bound
from mmdmad.errors import DataError, ModelError
from mmdmad.events import AlarmRule

RATE = 0.1


def track(*lines, seconds=60.0, units=None):
    """Windows side by side on lines of these p-values, a line a unit; None is a window that is not there."""
    rows = [(k, n, n + 1, p) for k, line in enumerate(lines) for n, p in enumerate(line) if p is not None]
    line, begin, end, p = map(np.array, zip(*rows))
    return Track(line, line if units is None else np.array(units), begin * 1.0, end * 1.0, p * 1.0, seconds)


ONE = [0.5, 0.04, 0.02, 0.5, 0.09, 0.5, 0.5, 0.03, None, 0.01, 0.5]
"""Four events at 10 %: two windows with 0.02 at best, one of 0.09, of 0.03, and of 0.01 behind a gap."""


def test_calibration_cases_make_the_events_that_a_run_would_tell():
    assert sorted(p for p, _ in alarms_of(track(ONE), AlarmRule(), RATE)) == [0.01, 0.02, 0.03, 0.09]
    assert sorted(p for p, _ in alarms_of(track(ONE), AlarmRule(fewest=2), RATE)) == [0.02]
    assert sorted(p for p, _ in alarms_of(track(ONE), AlarmRule(shortest=61), RATE)) == [0.02]
    assert sorted(p for p, _ in alarms_of(track(ONE), AlarmRule(hold=2), RATE)) == [0.01, 0.02, 0.03]
    assert sorted(p for p, _ in alarms_of(track(ONE), AlarmRule(rearm=60), RATE)) == [0.01, 0.02]
    assert sorted(p for p, _ in alarms_of(track(ONE), AlarmRule(), 0.03)) == [0.01, 0.02, 0.03]
    # an end of one line and the begin of the next are no neighbours
    assert [unit for _, unit in alarms_of(track([0.5, 0.01], [0.02, 0.5]), AlarmRule(), RATE)] == [0, 1]


@pytest.mark.parametrize("count", [0, 1, 7])
def test_the_upper_bound_of_a_count_is_the_mean_that_makes_so_few_unlikely(count):
    assert poisson.cdf(count, garwood(count, 0.95)) == pytest.approx(0.05)


def test_counts_that_vary_between_recordings_more_than_poisson_widen_the_bound():
    many = track(*[[0.5] * 10] * 20)
    even = upper_bound(dict.fromkeys(range(20), 2), many, 0.95)
    assert even == pytest.approx(garwood(40, 0.95))
    uneven = upper_bound({**dict.fromkeys(range(20), 2), 0: 8, 1: 0, 2: 0, 3: 0}, many, 0.95)
    # Pearson's statistic is (6^2 + 3 * 2^2) / 2 = 24 on 19 degrees of freedom: 5 / 19 above that of Poisson counts
    excess = 5 / 19 * 19 / chi2.ppf(0.01, 19)
    spread = 1 + excess * uneven / 40  # at the bound itself
    assert uneven == pytest.approx(spread * garwood(40 / spread, 0.95), rel=1e-4)
    assert even < (1 + 5 / 19) * garwood(40 / (1 + 5 / 19), 0.95) < uneven


def test_recordings_weigh_by_their_size():
    sizes = track([0.5] * 30, [0.5] * 10, [0.5] * 10)
    assert upper_bound({0: 6, 1: 2, 2: 2}, sizes, 0.95) == pytest.approx(garwood(10, 0.95))
    assert upper_bound({0: 2, 1: 6, 2: 2}, sizes, 0.95) > garwood(10, 0.95)


def test_few_recordings_that_differ_bound_nothing():
    four = track(*[[0.5] * 10] * 4)
    assert upper_bound(dict.fromkeys(range(4), 2), four, 0.95) == pytest.approx(garwood(8, 0.95))
    assert upper_bound({0: 8}, four, 0.95) == math.inf
    assert upper_bound({}, four, 0.95) == pytest.approx(garwood(0, 0.95))
    assert upper_bound({0: 8}, track([0.5] * 10), 0.95) == pytest.approx(garwood(8, 0.95))  # one says nothing of others
    apart = track([0.01, 0.5, 0.01], [0.5] * 3, [0.5] * 3, seconds=86_400.0)
    refused = "3 recordings or blocks .* that 2 false alarms among them may stand for any number per day; fit on more"
    with pytest.raises(DataError, match=refused):
        choose(apart, AlarmRule(), RATE, 5)
    # one alarm says nothing of how recordings differ
    assert choose(track([0.01, 0.5, 0.5], [0.5] * 3, [0.5] * 3, seconds=86_400.0), AlarmRule(), RATE, 5).alarms == 1


def test_it_is_said_where_recordings_are_few():
    nine, ten = ([[0.5] * 40 + [0.05]] * n for n in (9, 10))
    few, many = (choose(track(*some, seconds=8640.0), AlarmRule(), RATE, 9) for some in (nine, ten))
    assert few.words.endswith(
        "like those of the calibration; 9 recordings or blocks are few to tell how much they differ"
    )
    assert many.words.endswith("like those of the calibration")


def test_the_largest_level_within_the_budget_is_chosen():
    quiet = [0.5] * 989
    made = track([*ONE, *quiet], seconds=86.4)  # 999 windows, a thousandth of a day each
    days = 0.999
    assert made.seconds == 86.4
    for most, level, alarms in (
        (garwood(1, 0.95) / days + 0.01, 0.01, 1), (garwood(2, 0.95) / days + 0.01, 0.02, 2),
        (garwood(3, 0.95) / days + 0.01, 0.03, 3), (99, 0.09, 4),
    ):  # fmt: skip
        found = choose(made, AlarmRule(), RATE, most)
        assert (found.level, found.alarms, found.cases, found.units) == (level, alarms, 999, 1)
        assert found.rate == pytest.approx(alarms / days)
        assert found.upper == pytest.approx(garwood(alarms, 0.95) / days)
    a_thousand = choose(made, AlarmRule(), RATE, garwood(2, 0.95) / 0.999 + 0.01, "1000")
    assert a_thousand.level == 0.02
    assert "at most 6.3 with 95 % confidence, where new recordings are like those" in a_thousand.words


def test_a_budget_that_the_calibration_cannot_bear_says_what_it_takes():
    short = track(ONE)
    least = math.ceil(garwood(1, 0.95) / (2 / 1440))
    with pytest.raises(
        DataError, match=f"10 calibration cases are too few for 2 .* at least {least} calibration cases"
    ):
        choose(short, AlarmRule(), RATE, 2)
    with pytest.raises(DataError, match="how long a case lasts is not known"):
        choose(track(ONE, seconds=None), AlarmRule(), RATE, 2)
    assert choose(track(ONE, seconds=None), AlarmRule(), RATE, 1000, "1000").alarms == 4
    with pytest.raises(DataError, match="no calibration case is flagged"):
        choose(track([0.5] * 5), AlarmRule(), RATE, 2)
    with pytest.raises(DataError, match="it must be above 0"):
        choose(short, AlarmRule(), RATE, 0)


def test_a_track_is_kept_and_checked():
    made = track(ONE, [0.2, 0.3])
    again = Track.from_state(made.state())
    assert again.state() == made.state()
    rows = made.state()["rows"]
    for wrong in ([-1, 0, 0, 1, 0.5], [0, 0, 2, 1, 0.5], [0, 0, 0, 1, 0.0], [0, 0, 0, 1, 1.5], [0, 0, 0, 1]):
        with pytest.raises(ModelError):
            Track.from_state({"seconds": 60.0, "rows": [*rows, wrong]})
    for seconds in (0.0, -1.0, "x"):
        with pytest.raises(ModelError):
            Track.from_state({"seconds": seconds, "rows": rows})


def test_cases_without_a_p_value_are_in_no_track_and_units_are_numbered():
    order = Order((0, 0, 1), (0, 1, 0), (1, 2, 1), 60.0)
    made = Track.of(order, ("a", "a", "b"), np.array([0.5, np.nan, 0.25]))
    assert made.state() == {"seconds": 60.0, "rows": [[0, 0, 0.0, 1.0, 0.5], [1, 1, 0.0, 1.0, 0.25]]}


def test_tracks_of_folds_are_joined_with_ranks_of_all():
    # two folds of four: second of four, with as many before it in the other fold, is third of eight
    folds = [track([0.2, 0.4, 0.6, 0.8]), track([0.8, 0.2, 0.6, 0.4])]
    joined = Track.joined(folds)
    assert joined.p_values.tolist() == pytest.approx([n / 9 for n in (1, 3, 5, 7, 7, 1, 5, 3)])
    assert joined.lines.tolist() == joined.units.tolist() == [0] * 4 + [1] * 4
    assert joined.seconds == 60.0
