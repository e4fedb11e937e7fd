"""The drift test: fair bets, accounts by hand, the rule for runs, and what it says of simulated streams."""

import json

import numpy as np
import pytest

from mmdmad.bench.drift import CASES, SCENARIOS, Scenario, listen, simulate
from mmdmad.calibration.bets import BETS, BULK_FROM, cap, gains
from mmdmad.calibration.conformal import conformal_p_value
from mmdmad.calibration.drift import HORIZON, REFILL, RUN, SPEAKS, TOLERANCES, DriftTest
from mmdmad.calibration.online import OnlineRanks
from mmdmad.calibration.stream import Stream
from mmdmad.errors import DataError, ModelError

GRID = (np.arange(200_000) + 0.5) / 200_000  # p-values as evenly as uniform ones lie
OPEN = [i for i, bet in enumerate(BETS) if bet.kind == "shift"]
SHARE = next(i for i, bet in enumerate(BETS) if bet.kind == "share")
RISING = [i for i in OPEN if BETS[i].shift > 0]


# ---- bets


def test_the_weights_of_the_bets_are_a_whole():
    assert sum(bet.weight for bet in BETS) == pytest.approx(1)


@pytest.mark.parametrize("tolerance", TOLERANCES)
def test_a_bet_is_fair_whatever_the_tolerated_share_of_odd_cases_does(tolerance):
    normal = gains(GRID, tolerance).mean(axis=0)
    worst = gains([1e-13, 1 - 1e-13], tolerance).max(axis=0)
    mixed = (1 - tolerance) * normal + tolerance * worst
    assert mixed[[*OPEN, SHARE]] == pytest.approx(np.ones(len(OPEN) + 1), abs=1e-3)  # and no fairer than it must be
    assert (normal <= 1 + 1e-3).all()


def test_a_bet_on_the_bulk_is_fair_and_stakes_nothing_on_what_is_clearly_odd():
    found = gains(GRID, 0.1)[:, [i for i, bet in enumerate(BETS) if bet.kind == "bulk"]]
    assert found[GRID > BULK_FROM].mean(axis=0) == pytest.approx(1, abs=1e-3)
    assert (found[GRID <= BULK_FROM] == 1).all()
    assert found[GRID > BULK_FROM][0] > 2
    assert found[-1] < 0.3


def test_gains_are_the_capped_likelihood_ratio():
    # z = 0 at p = 0.5: the ratio is exp(-d^2 / 2), below every cap; at p = 1e-9 all rising bets are capped
    shifts = np.array([BETS[i].shift for i in OPEN])
    assert gains(0.5, 0.1)[OPEN] == pytest.approx(np.exp(-(shifts**2) / 2) / 0.9)
    assert gains(1e-9, 0.1)[RISING] == pytest.approx([cap(BETS[i].shift, 0.1) / 0.9 for i in RISING])
    assert gains(1 - 1e-9, 0.2)[OPEN[-1]] == pytest.approx(cap(-0.7, 0.2) / 0.8)  # the bet on a fall


def test_more_tolerance_means_lower_caps():
    assert all(cap(bet.shift, 0.2) < cap(bet.shift, 0.1) for bet in BETS if bet.shift)


def test_a_bet_on_the_share_gains_where_a_quarter_more_is_odd():
    low, high = gains([0.1, 0.100001], 0.1)[:, SHARE]
    assert low == pytest.approx((0.19 + 0.225) / 0.19)
    assert high == pytest.approx((1 - 0.415) / 0.81)
    assert 0.415 * np.log(low) + 0.585 * np.log(high) > 0.1


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan])
def test_what_is_no_p_value_is_refused(wrong):
    with pytest.raises(DataError, match="no number from 0 to 1"):
        gains([0.5, wrong], 0.1)


# ---- online ranks


def test_online_ranks_count_everything_that_came_before():
    rng = np.random.default_rng(3)
    calibration, stream = rng.integers(0, 9, 20).astype(float), rng.integers(0, 9, 60).astype(float)
    uniforms = rng.random(60)
    ranks = OnlineRanks(calibration)
    before = list(calibration)
    for score, u in zip(stream, uniforms):
        greater, ties = sum(s > score for s in before), sum(s == score for s in before)
        assert ranks.enter(score, u) == pytest.approx((greater + u * (ties + 1)) / (len(before) + 1))
        before.append(score)


def test_online_p_values_of_copies_are_uniform():
    rng = np.random.default_rng(4)
    ranks = OnlineRanks(rng.integers(0, 3, 50))
    found = np.array([ranks.enter(float(s), u) for s, u in zip(rng.integers(0, 3, 4000), rng.random(4000))])
    assert np.abs(np.sort(found) - (np.arange(4000) + 0.5) / 4000).max() < 0.03


@pytest.mark.parametrize(("score", "uniform"), [(np.nan, 0.5), (np.inf, 0.5), (1.0, 1.0), (1.0, -0.1)])
def test_a_rank_needs_a_finite_score_and_a_uniform(score, uniform):
    with pytest.raises(DataError, match="were given"):
        OnlineRanks([1.0]).enter(score, uniform)
    with pytest.raises(DataError, match="NaN or infinite"):
        OnlineRanks([1.0, np.nan])


# ---- accounts


def entered(test, p_values, flags=None):
    for i, p in enumerate(p_values):
        test.update(p, False if flags is None else flags[i])
    return test


def test_the_level_is_the_mean_of_two_accounts_a_bet():
    weights = np.array([bet.weight for bet in BETS])
    p_values = [0.3, 0.9, 0.02, 0.6]
    each = gains(p_values, 0.1)
    capital, restarted = np.ones(len(BETS)), np.zeros(len(BETS))
    test = DriftTest(0.1)
    assert test.level == pytest.approx(0.5)
    for p, gain in zip(p_values, each):
        capital, restarted = capital * gain, (restarted + 1) * gain
        test.update(p, False)
        assert test.level == pytest.approx((weights * (capital + restarted / HORIZON)).sum() / 2)


def test_within_a_run_of_flagged_cases_only_the_first_is_staked_on():
    once = entered(DriftTest(0.1), [0.001], [True]).state()["capital"]
    run = entered(DriftTest(0.1), [0.001] * 5, [True] * 5).state()["capital"]
    assert once[2] > 2
    for i in RISING:
        assert run[i] == pytest.approx(once[i])  # nothing more is gained
    fall = OPEN[-1]
    assert run[fall] == pytest.approx(once[fall] ** 5)  # but it can be lost
    # unflagged cases are staked on as they are
    free = entered(DriftTest(0.1), [0.001] * 5).state()["capital"]
    assert free[2] == pytest.approx(once[2] ** 5)


@pytest.mark.parametrize(
    ("flags", "staked"),
    [
        ("1011", 3),  # one flagged, one not: the run has ended, the third begins another
        ("11011", 3),
        ("111011", 2),  # three flagged: the run goes on over one that is not
        ("1110011", 4),  # and ends with two
        ("0110", 3),
    ],
)
def test_a_run_goes_on_over_one_case_once_it_is_long(flags, staked):
    test = entered(DriftTest(0.1), [0.001] * len(flags), [flag == "1" for flag in flags])
    assert test.state()["capital"][2] == pytest.approx(float(gains(0.001, 0.1)[2]) ** staked)


def test_a_run_is_no_excuse_for_ever():
    long = RUN + 40
    test = entered(DriftTest(0.1), [0.001] * long, [True] * long)
    # the first is staked on; of the others 30 are spared, and one more for every ten that come
    spared = next(n for n in range(long) if n + 1 > RUN + REFILL * n) + 0
    staked = round(np.log(test.state()["capital"][2]) / np.log(gains(0.001, 0.1)[2]))
    assert staked == long - spared - (long - 1 - spared) // 10
    assert test.level >= SPEAKS


def test_a_stream_that_is_flagged_half_the_time_is_no_event():
    p_values, flags = [0.001, 0.001, 0.5, 0.5] * 60, [True, True, False, False] * 60
    test = entered(DriftTest(0.1), p_values, flags)
    assert test.state()["spared"] < 2
    assert test.level >= SPEAKS


def test_a_bet_on_the_share_stakes_only_where_the_case_before_was_not_flagged():
    hit, miss = gains([0.001, 0.5], 0.1)[:, SHARE]
    test = entered(DriftTest(0.1), [0.001, 0.001, 0.5, 0.5, 0.001], [True, True, False, False, True])
    assert test.state()["capital"][SHARE] == pytest.approx(hit * miss * hit)


def test_it_finds_where_the_change_began_and_its_direction():
    rng = np.random.default_rng(0)
    up = entered(DriftTest(0.1), [*rng.random(500), *(0.4 * rng.random(80))])
    assert up.level >= SPEAKS
    assert up.rising
    assert abs(int(up.began) - 500) <= 15
    down = entered(DriftTest(0.1), [*rng.random(500), *(1 - 0.4 * rng.random(150))])
    assert down.level >= SPEAKS
    assert not down.rising
    assert abs(int(down.began) - 500) <= 15


def test_many_streams_at_once_are_each_as_alone():
    rng = np.random.default_rng(1)
    p_values, flags = rng.random((3, 40)) ** 2, rng.random((3, 40)) < 0.3
    together = DriftTest(0.2, (3,))
    for case in range(40):
        together.update(p_values[:, case], flags[:, case])
    alone = [entered(DriftTest(0.2), p_values[i], flags[i]) for i in range(3)]
    assert together.level.tolist() == [float(test.level) for test in alone]
    assert together.began.tolist() == [int(test.began) for test in alone]
    with pytest.raises(DataError, match="streams"):
        together.update(0.5, False)


# ---- state


def test_a_test_goes_on_from_its_state_as_if_never_stopped():
    rng = np.random.default_rng(2)
    p_values, flags = rng.random(200) ** 1.3, rng.random(200) < 0.2
    whole = entered(DriftTest(0.1), p_values, flags)
    half = entered(DriftTest(0.1), p_values[:77], flags[:77])
    rest = entered(DriftTest.from_state(json.loads(json.dumps(half.state()))), p_values[77:], flags[77:])
    assert rest.state() == whole.state()
    assert rest.level == whole.level


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"capital": [1.0] * 9}, "9 values for 7 bets"),
        ({"capital": [-1.0] * 7}, "greater than or equal to 0"),
        ({"restarted": [float("inf")] * 7}, "finite"),
        ({"since": [9] * 7}, "begins after the last case"),
        ({"run": 9}, "longer than the stream"),
        ({"spared": 31.0}, "less than or equal to 30"),
        ({"tolerance": 0.7}, "less than 0.5"),
        ({"level": 1.0}, "Extra inputs"),
    ],
)
def test_a_state_that_no_test_wrote_is_refused(change, said):
    state = entered(DriftTest(0.1), [0.3, 0.4]).state()
    assert DriftTest.from_state(state).state() == state
    with pytest.raises(ModelError, match=said):
        DriftTest.from_state({**state, **change})


def test_numbers_stay_finite_however_long_the_drift():
    test = entered(DriftTest(0.1), [1e-15] * 3000)
    assert np.isfinite(test.level)
    assert test.level > 1e290
    assert DriftTest.from_state(test.state()).state() == test.state()


# ---- simulated streams


def spoke(scenario, tolerance, streams, seed=7):
    heard = listen(simulate(scenario, streams, seed), tolerance, seed)
    after = np.where(heard.at > scenario.good, heard.at - scenario.good, CASES + 1)
    early = (heard.at > 0) & (heard.at <= scenario.good)
    return heard, after[~early]


def test_without_change_the_mean_level_is_at_most_what_the_bound_allows():
    rng = np.random.default_rng(5)
    test, highest = DriftTest(0.1, (4000,)), np.zeros(4000)
    for _ in range(HORIZON):
        p = rng.random(4000)
        test.update(p, p <= 0.05)
        highest = np.maximum(highest, test.level)
    assert test.level.mean() <= 1.05  # (1 + 400 / HORIZON) / 2, and chance
    assert (highest >= SPEAKS).mean() <= 0.05


@pytest.mark.parametrize("equal", ["", "ties", "copies"])
def test_it_keeps_silent_on_streams_with_a_tenth_odd(equal):
    _, after = spoke(Scenario("", odd=0.1, equal=equal), 0.1, 60)
    assert (after <= CASES).sum() <= 3


def test_it_keeps_silent_on_one_event():
    for begin in (0, 150):
        _, after = spoke(Scenario("", events=((begin, 20),)), 0.1, 60)
        assert (after <= CASES).sum() <= 3


def test_it_speaks_soon_after_normal_has_moved():
    heard, after = spoke(Scenario("", shift=1.0), 0.1, 60)
    assert np.median(after) <= 32
    assert (after <= 100).mean() >= 0.9
    assert np.median(heard.began) <= 5


def test_it_hears_that_many_more_are_odd():
    _, after = spoke(Scenario("", good=300, later=0.45), 0.1, 60)
    assert np.median(after) <= 110


def test_every_scenario_has_a_name_of_its_own():
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "median", "within_100", "within_400"),
    [
        (Scenario("", shift=1.0), 30, 0.95, 0.95),
        (Scenario("", shift=1.0, good=3000), 50, 0.95, 0.95),
        (Scenario("", shift=0.5), CASES, 0, 0.75),
        (Scenario("", shift=0.5, n=300), CASES, 0, 0.85),
        (Scenario("", shift=0.5, good=3000), CASES, 0, 0.75),
        (Scenario("", good=1000, later=0.4), 110, 0, 0.95),
    ],
)
def test_how_soon_it_speaks(scenario, median, within_100, within_400):
    _, after = spoke(scenario, 0.1, 400)
    assert np.median(after) <= median
    assert (after <= 100).mean() >= within_100
    assert (after <= CASES).mean() >= within_400


@pytest.mark.slow
@pytest.mark.parametrize("equal", ["", "ties", "copies"])
@pytest.mark.parametrize(("tolerance", "odd"), [(0.1, 0.0), (0.1, 0.05), (0.1, 0.1), (0.2, 0.2)])
def test_how_often_it_speaks_wrongly(tolerance, odd, equal):
    for events in ((), ((100, 20),)) if odd <= 0.05 else ((),):
        _, after = spoke(Scenario("", odd=odd, equal=equal, events=events), tolerance, 400)
        assert (after <= CASES).mean() <= 0.05


@pytest.mark.slow
def test_patterns_that_share_calibration_cases_do_not_make_it_speak():
    spoke = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        shared = rng.normal(size=150)
        scores = {name: 0.9 * shared + np.sqrt(0.19) * rng.normal(size=150) for name in "abcd"}
        stream, highest = Stream(scores), 0.0
        for i in range(CASES):
            name, score = "abcd"[rng.integers(4)], rng.normal() + 4 * (rng.random() < 0.05)
            fixed = conformal_p_value(score, scores[name], rng.random())
            heard = stream.enter(name, score, f"{seed}-{i}", fixed)
            highest = max(highest, heard.levels[0])
        spoke += highest >= SPEAKS
    assert spoke <= 5
