"""Ranks within a fold, added up: uniform on exchangeable data whatever the scales of the folds, equal to one fold's."""

import math

import numpy as np
import pytest

from mmdmad.calibration.conformal import case_uniform, conformal_p_value, pooled_p_value
from mmdmad.calibration.folds import judge_in_folds, mean_of
from mmdmad.calibration.fusion import fuse
from mmdmad.calibration.patterns import JointCalibration, Measures, links
from mmdmad.calibration.promise import bound

PAIR = ("image", "text")
LINKS = links(PAIR)


def measures(n, seed, scale=1.0):
    rng = np.random.default_rng(seed)
    parts = {m: scale * rng.exponential(size=n) for m in PAIR}
    return Measures(parts, {link: rng.normal(size=n) for link in LINKS})


FOLDS = [JointCalibration(5).fit(measures(30, k), measures(20 + k, 50 + k, 10.0**k)) for k in range(4)]


def test_one_fold_says_what_it_says_alone():
    parts, clashes = {"image": 1.3, "text": 0.4}, dict.fromkeys(LINKS, 0.7)
    for rate in (0.05, 0.2):
        alone = FOLDS[1].judge("k", parts, clashes, rate, learned=True)
        assert judge_in_folds(FOLDS[1:2], "k", [parts], [clashes], rate, learned=True) == alone


def test_p_values_count_places_within_each_fold():
    parts = [{"image": 1.0 * 10**k, "text": 2.0 * 10**k} for k in range(4)]
    clashes = [dict.fromkeys(LINKS, 0.1 * k) for k in range(4)]
    said = judge_in_folds(FOLDS, "k", parts, clashes, 0.05)
    total = sum(20 + k for k in range(4))

    def above(term, scores):
        return sum(int((fold.scores_[term] > score).sum()) for fold, score in zip(FOLDS, scores, strict=True))

    for m in PAIR:
        assert said.parts[m] == (1 + above(f"part:{m}", [one[m] for one in parts])) / (total + 1)
    for link in LINKS:
        key = f"link:{link[0]}|{link[1][0]}"
        assert said.links[link] == (1 + above(key, [one[link] for one in clashes])) / (total + 1)
    fused = [fold.fuse(one, two) for fold, one, two in zip(FOLDS, parts, clashes, strict=True)]
    assert said.p_value == (1 + above("joint:image+text", [one.score for one in fused])) / (total + 1)
    assert said.fused.parts["image"] == pytest.approx(np.mean([one.parts["image"] for one in fused]))
    assert said.fused.score == pytest.approx(np.mean([one.score for one in fused]))
    drawn = [judge_in_folds(FOLDS, key, parts, clashes, 0.05).single for key in map(str, range(40))]
    assert set(drawn) == {one.score for one in fused}  # each fold's now and then
    assert FOLDS[1].judge("k", parts[0], clashes[0], 0.05).single is None
    guarantee = said.guarantee
    assert (guarantee.method, guarantee.size, guarantee.units) == ("cross", total, total)
    assert guarantee.bound == bound([fold.ranked(PAIR) for fold in FOLDS], 0.05)
    odd = judge_in_folds(FOLDS, "k", [dict.fromkeys(PAIR, 1e6)] * 4, [dict.fromkeys(LINKS, 99.0)] * 4, 0.05)
    assert odd.p_value == 1 / (total + 1)


def test_shares_add_up_exactly_after_the_mean():
    rng = np.random.default_rng(0)
    fused = [
        fuse(dict(zip(PAIR, rng.exponential(size=2), strict=True)), {"image": rng.exponential()}, 1.0) for _ in range(7)
    ]
    mean = mean_of(fused)
    assert mean.score == math.fsum([*mean.parts.values(), *mean.contradictions.values()])
    assert mean.contradictions["image"] == pytest.approx(np.mean([one.contradictions["image"] for one in fused]))
    some = mean_of([fused[0], fuse({"image": 1.0, "text": 1.0}, {}, None)])
    assert some.contradictions == {"image": fused[0].contradictions["image"] / 2}


def test_a_link_counts_where_every_fold_has_a_term_for_it():
    lacking = JointCalibration(5).fit(Measures(measures(6, 0).parts, measures(6, 0).links), measures(20, 1))
    assert not any(key.startswith("link") for key in lacking.tails_)  # six reference cases make no such term
    said = judge_in_folds(
        [FOLDS[0], lacking], "k", [dict.fromkeys(PAIR, 1.0)] * 2, [dict.fromkeys(LINKS, 1.0)] * 2, 0.05
    )
    assert said.links == {}
    assert said.p_value > 0


def test_pooled_p_values_stay_on_their_grid():
    assert pooled_p_value([1 / 7], [6]) == 1 / 7
    assert pooled_p_value([0.25, 1.0, 0.5], [3, 0, 1]) == (1 + 0 + 0 + 0) / 5
    assert pooled_p_value([1.0, 1.0], [4, 9]) == 14 / 14
    for size in (1, 13, 99, 1000):
        for rank in (1, 2, size // 2 + 1, size + 1):
            assert pooled_p_value([rank / (size + 1)], [size]) == rank / (size + 1)


def test_a_case_that_ties_with_all_is_uniform():
    """With one uniform number for all folds, as with one fold; numbers of their own would bring it near one half."""
    sizes, p = [20] * 5, []
    for i in range(2000):
        u = case_uniform(str(i), "joint", 0)
        p.append(pooled_p_value([conformal_p_value(0.0, np.zeros(n), u) for n in sizes], sizes))
    assert abs(np.mean(np.array(p) <= 0.05) - 0.05) < 0.015
    assert abs(np.mean(p) - 0.5) < 0.02


def scores(models: list[np.ndarray], x: np.ndarray) -> list[np.ndarray]:
    """Distance to the nearest learned point, on a scale that differs by fold."""
    return [(3.0 ** k) * np.abs(x[:, None] - model[None]).min(axis=1) for k, model in enumerate(models)]  # fmt: skip


def test_false_alarms_of_crossed_folds_keep_the_rate_whatever_the_scales_of_the_folds():
    rng, rate, folds, n = np.random.default_rng(1), 0.1, 5, 50
    within, trials = 0, 3000
    for _ in range(trials):
        x = rng.normal(size=n + 1)
        groups = np.arange(n) % folds
        models = [x[:n][groups != k] for k in range(folds)]
        mine = [float(s[0]) for s in scores(models, x[n:])]
        known = [scores(models, x[:n][groups == k])[k] for k in range(folds)]
        p = pooled_p_value([conformal_p_value(s, one, 0.0) for s, one in zip(mine, known, strict=True)], [10] * folds)
        within += p <= rate
    assert abs(within / trials - 5 / 51) < 0.025
    assert within / trials < 2 * rate
