import numpy as np
import pytest

from mmdmad.calibration.crossfit import crossfit, honest_threshold
from mmdmad.errors import DataError


@pytest.mark.parametrize(
    ("count", "folds", "rounds"), [(10, 5, None), (11, 5, None), (3, 10, None), (20, 5, 1), (9, 4, 2)]
)
def test_no_row_is_scored_by_a_model_that_learned_from_it(count, folds, rounds):
    seen = []

    def score(learn, left_out):
        assert not set(learn) & set(left_out)
        assert sorted([*learn, *left_out]) == list(range(count))
        assert (np.diff(left_out) > 0).all()
        seen.append(len(left_out))
        return 100.0 * left_out

    unseen = crossfit(count, score, folds=folds, rounds=rounds, seed=3)
    assert len(seen) == min(folds, count) if rounds is None else rounds
    assert max(seen) - min(seen) <= 1
    assert np.array_equal(unseen.scores, 100.0 * unseen.rows)
    assert len(unseen.rows) == (count if rounds is None else sum(seen))
    assert (np.diff(unseen.rows) > 0).all()


def test_folds_are_dealt_by_seed():
    def dealt(seed):
        parts = []
        crossfit(40, lambda learn, out: parts.append(out.tolist()) or np.zeros(len(out)), folds=4, seed=seed)
        return parts

    assert dealt(0) == dealt(0) != dealt(1)


def test_scores_of_another_number_are_refused():
    with pytest.raises(DataError, match="one each"):
        crossfit(10, lambda learn, left_out: np.zeros(3), folds=2)
    for wrong in ({"count": 1}, {"folds": 1}, {"rounds": 0}):
        with pytest.raises(DataError, match="at least"):
            crossfit(**{"count": 10, "score": lambda learn, left_out: np.zeros(len(left_out)), "folds": 2, **wrong})


@pytest.mark.parametrize(("n", "rate"), [(99, 0.05), (100, 0.05), (19, 0.05), (199, 0.01), (50, 0.3)])
def test_a_new_row_exceeds_the_threshold_as_often_as_declared(n, rate):
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(20_000, n + 1))
    above = np.mean([row[-1] > honest_threshold(row[:-1], rate) for row in draws])
    k = int(np.floor(rate * (n + 1) + 1e-9))
    assert above == pytest.approx(k / (n + 1), abs=4 * np.sqrt(rate / len(draws)))
    assert above <= rate + 4 * np.sqrt(rate / len(draws))


def test_ties_never_raise_the_rate_and_few_scores_give_the_highest():
    assert honest_threshold([1.0] * 60 + [2.0] * 39, 0.05) == 2.0  # nothing lies above
    assert honest_threshold(np.arange(18.0), 0.05) == 17.0
    assert honest_threshold(np.arange(19.0), 0.05) == 18.0
    assert honest_threshold(np.arange(39.0), 0.05) == 37.0
    for scores, rate in (([], 0.05), ([np.nan], 0.05), ([1.0], 0.0), ([1.0], 1.0)):
        with pytest.raises(DataError, match="finite scores"):
            honest_threshold(scores, rate)
