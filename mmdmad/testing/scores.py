"""What every detector promises of its scores: what is odd ranks first, and nothing else moves a score."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from mmdmad.detectors.base import Detector
from mmdmad.errors import DataError
from mmdmad.testing.samples import odd, pictures, series, texts, vectors, with_odd_token
from mmdmad.testing.trial import Trial, must, must_refuse, promise
from mmdmad.tokens import Layout, Tokens

MOST_FLAGGED = 0.25  # of new normal rows, after learning from 90: far more than 5 % and far less than a leak gives


@promise
def a_planted_anomaly_ranks_first(trial: Trial) -> None:
    """A row unlike all others has the highest score."""
    scores = trial.on_vectors.decision_function(np.concatenate([vectors(40, seed=1), odd()]))
    must(scores.argmax() == 40, f"row {scores.argmax()} has the highest score, not the planted one")


@promise
def a_planted_token_is_found_on_a_grid(trial: Trial) -> None:
    """Of pictures, the one with a planted cell ranks first, and that cell has its highest token score."""
    _finds_token(trial.on_pictures, with_odd_token(pictures(8, seed=1), 3, 4), 3, 4)


@promise
def a_planted_token_is_found_in_a_sequence(trial: Trial) -> None:
    """Of series, the one with a planted window ranks first, and that window has its highest token score."""
    _finds_token(trial.on_series, with_odd_token(series(8, seed=1), 2, 13), 2, 13)


def _finds_token(fitted: Detector, items: Sequence[Tokens], item: int, token: int) -> None:
    scores = fitted.decision_function(items)
    must(scores.argmax() == item, f"item {scores.argmax()} ranks first, not the planted {item}")
    highest = fitted.token_scores(items)[item].argmax()
    must(highest == token, f"token {highest} ranks first, not the planted {token}")


@promise
def scores_are_finite_and_differ(trial: Trial) -> None:
    """Scores are float64, finite, and not all the same."""
    for fitted, data in (
        (trial.on_vectors, vectors(30, seed=2)),
        (trial.on_pictures, pictures(10, seed=2)),
        (trial.on_series, series(10, seed=2)),
    ):
        scores = fitted.decision_function(data)
        must(scores.dtype == np.float64, f"scores are {scores.dtype}")
        must(bool(np.isfinite(scores).all()), f"scores are not finite: {scores}")
        must(np.unique(scores).size > len(scores) // 2, f"only {np.unique(scores).size} scores of {len(scores)} differ")


@promise
def huge_values_score_high(trial: Trial) -> None:
    """Values of 1e30 get a finite score, higher than that of normal rows."""
    scores = trial.on_vectors.decision_function(np.concatenate([vectors(5), np.full((1, 5), 1e30, np.float32)]))
    must(bool(np.isfinite(scores).all()), f"scores are not finite: {scores}")
    must(scores.argmax() == 5, "a normal row scores higher")


@promise
def nan_and_infinity_are_refused(trial: Trial) -> None:
    """NaN and infinity are refused with a DataError, in `fit` and in scoring."""
    for value in (np.nan, np.inf):
        bad = vectors(10)
        bad[3, 2] = value
        must_refuse(partial(trial.new().fit, bad), DataError, "infinite")
        must_refuse(partial(trial.on_vectors.decision_function, bad), DataError, "infinite")


@promise
def the_same_fit_twice_gives_the_same_bits(trial: Trial) -> None:
    """Two fits on the same items give the same bits, whether they came as an array or as Tokens."""
    test = vectors(20, seed=3)
    one, other = trial.on_vectors, trial.on_vectors_again
    as_items = [Tokens(row[None]) for row in test]
    must(np.array_equal(one.decision_function(test), other.decision_function(as_items)), "scores differ")
    must(np.array_equal(one.decision_scores_, other.decision_scores_), "decision_scores_ differ")
    strip = Layout("grid", (1, 6), position=np.arange(6))  # what an array (N, L, D) stands for
    strips = [Tokens(item.values, strip) for item in pictures(5, seed=8)]
    stacked = trial.on_pictures.decision_function(np.stack([item.values for item in strips]))
    must(
        np.array_equal(stacked, trial.on_pictures.decision_function(strips)), "token sets as (N, L, D) score otherwise"
    )


@promise
def scores_do_not_depend_on_the_batch(trial: Trial) -> None:
    """A row's score is the same to the last bit whatever it is scored with, and in whatever order."""
    test, score = np.concatenate([vectors(340, seed=4), odd()]), trial.on_vectors.decision_function
    whole = score(test)
    for count in (1, 7, 300):
        for start in range(0, len(test), count) if count == 300 else (0, 150, 337):
            part = slice(start, start + count)
            must(
                np.array_equal(score(test[part]), whole[part]), f"rows {start} to {start + count} score otherwise alone"
            )
    must(np.array_equal(score(test[::-1])[::-1], whole), "the order changes scores")


@promise
def token_scores_do_not_depend_on_the_batch(trial: Trial) -> None:
    """The tokens of a picture and of a series have the same scores alone and among others."""
    for fitted, test in ((trial.on_pictures, pictures(9, seed=5)), (trial.on_series, series(9, seed=5))):
        for item, expected in zip(test, fitted.token_scores(test)):
            must(np.array_equal(fitted.token_scores([item])[0], expected), "an item alone scores otherwise")


@promise
def items_may_have_uneven_numbers_of_tokens(trial: Trial) -> None:
    """Items of one to four tokens are learned and scored together, one score a token."""
    fitted, test = trial.new().fit(texts()), texts(12, seed=6)
    scores = fitted.token_scores(test)
    must([len(s) for s in scores] == [len(item.values) for item in test], "the numbers of token scores are others")
    must(np.array_equal(fitted.token_scores(test[5:6])[0], scores[5]), "an item alone scores otherwise")


@promise
def declared_contamination_is_found_and_not_learned(trial: Trial) -> None:
    """Told that a tenth of the rows is bad, it labels them and still ranks another one like them first."""
    rng = np.random.default_rng(10)
    planted = rng.choice([-1.0, 1.0], size=(9, 5)) * rng.uniform(15, 35, size=(9, 5))
    dirty = np.concatenate([vectors(81), planted]).astype(np.float32)
    fitted = trial.new(contamination=0.1).fit(dirty)
    found, wrong = int(fitted.labels_[81:].sum()), int(fitted.labels_[:81].sum())
    must(found >= 7 and wrong <= 2, f"of 9 bad rows {found} are labelled, and {wrong} of 81 good ones")
    scores = fitted.decision_function(np.concatenate([vectors(20, seed=11), odd()]))
    must(scores.argmax() == 20, "a normal row scores higher than the planted one")


@promise
def few_new_normal_rows_are_flagged(trial: Trial) -> None:
    """`predict` flags few new normal rows and an odd one: the threshold is not that of rows it has learned."""
    share = float(trial.on_vectors.predict(vectors(400, seed=12)).mean())
    must(share <= MOST_FLAGGED, f"{share:.0%} of new normal rows are flagged; {MOST_FLAGGED:.0%} is far too much")
    must(bool(trial.on_vectors.predict(odd())[0]), "an odd row is not flagged")


@promise
def two_rows_and_constant_features_are_enough(trial: Trial) -> None:
    """Two rows can be learned from, and of a feature that is constant in training a change is seen."""
    few = trial.given().fit(vectors(2))
    must(bool(np.isfinite(few.decision_function(vectors(5, seed=12))).all()), "after two rows scores are not finite")
    must(few.predict(vectors(5)).shape == (5,), "after two rows predict does not work")
    flat = vectors(30)
    flat[:, 2] = 4.0
    odd = flat[:1].copy()
    odd[0, 2] = 30.0
    scores = trial.new().fit(flat).decision_function(np.concatenate([flat[:10], odd]))
    must(bool(np.isfinite(scores).all()) and scores.argmax() == 10, "a change of the constant feature is not seen")


@promise
def positions_never_seen_are_scored(trial: Trial) -> None:
    """A token at a position that training did not show gets a finite score."""
    layout = Layout("grid", (1, 2), size=(10, 20), position=np.array([2, 99]))
    scores = trial.on_pictures.token_scores([Tokens(np.zeros((2, 4)), layout)])[0]
    must(bool(np.isfinite(scores).all()), f"scores are {scores}")
