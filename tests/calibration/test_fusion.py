import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import expon, genpareto, norm
from sklearn.metrics import roc_auc_score

from mmdmad.calibration.fusion import Tail, fuse, together
from mmdmad.errors import DataError

surprise = st.floats(0, 200, allow_nan=False)
names = st.sampled_from(["image", "text", "sensor", "video"])


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(names, surprise, min_size=1), st.dictionaries(names, surprise), st.none() | surprise)
def test_shares_are_never_negative_and_add_up_exactly(parts, contradictions, joint):
    fused = fuse(parts, contradictions, joint)
    shares = [*fused.parts.values(), *fused.contradictions.values()]
    assert math.fsum(shares) == fused.score
    assert min(shares) >= 0
    assert fused.parts.keys() == parts.keys()
    assert fused.contradictions.keys() == contradictions.keys()


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(names, surprise, min_size=1), names, st.floats(0.1, 50))
def test_more_surprise_never_lowers_the_score(parts, name, more):
    higher = {m: s + (more if m == name else 0) for m, s in parts.items()}
    assert fuse(higher, {}, None).score >= fuse(parts, {}, None).score - 1e-9


def test_a_joint_score_needs_a_part():
    with pytest.raises(DataError):
        fuse({}, {}, None)


@pytest.mark.parametrize(
    ("law", "far"), [(expon(), 12.0), (norm(), 5.0), (genpareto(0.3), 60.0)], ids=["exponential", "normal", "heavy"]
)
def test_tail_extends_beyond_the_reference_within_a_factor_in_the_log(law, far):
    ratios = []
    for seed in range(20):
        tail = Tail.fit(law.rvs(150, random_state=np.random.default_rng(seed)))
        ratios.append(tail.surprise(far) / -law.logsf(far))
    assert 0.5 < np.median(ratios) < 1.6


def test_surprise_is_continuous_increasing_and_unbounded():
    tail = Tail.fit(np.random.default_rng(0).gamma(3.0, size=120))
    x = np.linspace(-5, 200, 4001)
    s = np.array([tail.surprise(v) for v in x])
    assert (np.diff(s) >= 0).all()
    assert s[0] == 0
    assert np.diff(s).max() < 0.6
    assert tail.surprise(1e6) > tail.surprise(1e5) > math.log(121)


def test_surprise_of_normal_cases_is_about_exponential():
    rng = np.random.default_rng(1)
    tail = Tail.fit(rng.gamma(4.0, size=2000))
    s = np.array([tail.surprise(v) for v in rng.gamma(4.0, size=20000)])
    for p in (0.5, 0.1, 0.02, 0.005):
        assert np.mean(s >= -math.log(p)) == pytest.approx(p, rel=0.5)


def test_constant_reference_scores_give_a_usable_tail():
    tail = Tail.fit(np.full(50, 3.0))
    assert tail.surprise(2.0) == 0
    assert tail.surprise(3.1) > tail.surprise(3.01) > 0


def test_least_scale_holds_back_a_tail_that_is_too_steep():
    scores = 0.01 * np.random.default_rng(3).exponential(size=100)
    steep, held = Tail.fit(scores), Tail.fit(scores, least_scale=1.0)
    assert steep.surprise(1.0) > 20
    assert held.surprise(1.0) == pytest.approx(held.surprise(0.5) + 0.5)


def test_tail_state_round_trips():
    tail = Tail.fit(np.random.default_rng(2).normal(size=60))
    again = Tail.from_state(tail.state())
    assert [again.surprise(v) for v in (-1, 0.5, 9)] == [tail.surprise(v) for v in (-1, 0.5, 9)]


def simulate(bad_parts, lift, contradiction_lift, seed=0, cases=3000):
    """AUROC of the fused score and of Fisher's sum: surprises of 4 parts and 4 contradictions, some lifted."""
    rng = np.random.default_rng(seed)
    fused, fisher = [], []
    for i in range(2 * cases):
        s, c = rng.exponential(size=4), rng.exponential(size=4)
        if i >= cases:
            s[:bad_parts] += lift
            c[:1] += contradiction_lift
        parts = dict(zip("abcd", s))
        # The sum of four standard exponentials is gamma; its exact surprise stands for the fitted tail.
        whole = -math.log(sum(math.exp(-s.sum()) * s.sum() ** k / math.factorial(k) for k in range(4)))
        fused.append(fuse(parts, dict(zip("abcd", c)), whole).score)
        fisher.append(together(parts) + c.sum())
    truth = np.repeat([0, 1], cases)
    return roc_auc_score(truth, fused), roc_auc_score(truth, fisher)


def test_one_bad_part_among_four_keeps_its_power():
    fused, fisher = simulate(bad_parts=1, lift=5.0, contradiction_lift=0.0)
    assert fused > fisher + 0.02
    assert fused > 0.95


def test_a_contradiction_alone_keeps_its_power():
    fused, fisher = simulate(bad_parts=0, lift=0.0, contradiction_lift=5.0)
    assert fused > fisher + 0.02
    assert fused > 0.95


def test_several_parts_a_little_odd_are_not_lost():
    fused, fisher = simulate(bad_parts=4, lift=1.5, contradiction_lift=0.0)
    assert fused > 0.85
    assert fused > fisher - 0.1


def test_the_shape_of_a_tail_is_pulled_to_an_exponential_by_twenty_further_exceedances():
    """Probability-weighted moments (Hosking and Wallis 1987), then times k / (k + 20) for k exceedances."""
    scores = np.sort(np.random.default_rng(3).pareto(3.0, size=200))
    tail = Tail.fit(scores)
    k = round(0.15 * 200)
    start = (scores[-k] + scores[-k - 1]) / 2
    excess = scores[-k:] - start
    weighted = (excess * (1 - (np.arange(1, k + 1) - 0.35) / k)).mean()
    shape = 2 - excess.mean() / (excess.mean() - 2 * weighted)
    assert 0 < shape < 0.5
    assert tail.shape == pytest.approx(shape * k / (k + 20))
    assert tail.scale == pytest.approx(excess.mean() * (1 - tail.shape))
    assert (tail.start, tail.mass) == (pytest.approx(start), (k + 0.5) / 201)


def test_what_parts_share_together_is_divided_by_their_surprise():
    """Two parts with surprises 3 and 1 and a large joint term: three quarters of its share go to the first."""
    fused = fuse({"image": 3.0, "text": 1.0}, {}, 30.0)  # the joint term carries all but 1e-10 of the score
    assert fused.parts["image"] / fused.score == pytest.approx(0.75, abs=1e-6)
    assert fused.parts["text"] / fused.score == pytest.approx(0.25, abs=1e-6)
