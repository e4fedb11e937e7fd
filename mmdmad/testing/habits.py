"""What every detector promises as an estimator: its life from the constructor to the saved file."""

import copy
import json
import pickle
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from mmdmad.calibration.crossfit import honest_threshold
from mmdmad.detectors.base import load_detector
from mmdmad.errors import ConfigError, DataError, NotFittedError
from mmdmad.testing.samples import odd, pictures, series, vectors
from mmdmad.testing.trial import Trial, must, must_refuse, promise

COMMON = ("contamination", "false_alarm_rate", "top", "seed")


@promise
def constructor_stores_its_arguments(trial: Trial) -> None:
    """The constructor stores its arguments unchanged, among them `contamination`, `false_alarm_rate`, `top`, `seed`."""
    before = dict(trial.detector.get_params())
    missing = [name for name in COMMON if name not in before]
    must(not missing, f"the constructor has no {', '.join(missing)}")
    after = trial.on_vectors.get_params()
    must(repr(after) == repr(before), f"after fit the arguments are {after}, not {before}")


@promise
def fit_returns_itself_and_leaves_global_generators(trial: Trial) -> None:
    """`fit` returns self; numpy's and torch's global generators are left as they were."""
    import torch

    made, state = trial.quick(), torch.get_rng_state()
    np.random.seed(3)  # noqa: NPY002
    must(made.fit(vectors(20)) is made, "fit returned something else")
    made.decision_function(vectors(5))
    drawn = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    must(drawn == np.random.random(), "numpy's global generator was used")  # noqa: NPY002
    must(torch.equal(torch.get_rng_state(), state), "torch's global generator was used")


@promise
def fitted_attributes(trial: Trial) -> None:
    """After `fit` there are `n_features_in_`, `decision_scores_`, `unseen_scores_`, `threshold_` and `labels_`."""
    fitted = trial.on_vectors
    must(fitted.n_features_in_ == 5, f"n_features_in_ is {fitted.n_features_in_}, not 5")
    for name, shape in (("decision_scores_", (90,)), ("labels_", (90,))):
        found = np.shape(getattr(fitted, name))
        must(found == shape, f"{name} has shape {found}, not {shape}")
    must(set(np.unique(fitted.labels_)) <= {0, 1}, f"labels_ holds {np.unique(fitted.labels_)}")
    expected = honest_threshold(fitted.unseen_scores_, float(fitted.false_alarm_rate or 0))
    must(fitted.threshold_ == expected, f"threshold_ is {fitted.threshold_}; unseen_scores_ give {expected}")


@promise
def tables_may_come_in_any_form(trial: Trial) -> None:
    """Lists, DataFrames, tensors and arrays of any numbers give the same scores; text and sparse ones are refused."""
    import pandas as pd
    import torch
    from scipy.sparse import csr_array

    whole = np.rint(4 * vectors(30)).astype(np.int64)
    frame = pd.DataFrame(whole, columns=list("abcde"))
    fitted, named = trial.quick().fit(whole.tolist()), trial.quick().fit(frame)
    expected = fitted.decision_function(whole)
    for form in (whole.tolist(), torch.tensor(whole), whole.astype(np.float64), whole.astype(object)):
        found = fitted.decision_function(form)
        must(np.array_equal(found, expected), f"a {type(form).__name__} scores otherwise than the same array")
    must(np.array_equal(named.decision_function(frame), expected), "learned from a DataFrame, it scores otherwise")
    must(list(named.feature_names_in_) == list("abcde"), f"feature_names_in_ is {named.feature_names_in_}")
    must_refuse(lambda: named.decision_function(frame[list("bacde")]), DataError, "order")
    must_refuse(lambda: trial.quick().fit(csr_array(whole)), DataError, "sparse")
    must_refuse(lambda: trial.quick().fit([["a", "b"], ["c", "d"]]), DataError, "number")


@promise
def the_input_is_left_as_it_was(trial: Trial) -> None:
    """`fit`, `decision_function`, `token_scores` and `predict` change no bit of what they are given."""
    calls: dict[str, Callable[[np.ndarray], object]] = {"fit": lambda given: trial.quick().fit(given)}
    calls |= {name: getattr(trial.on_vectors, name) for name in ("decision_function", "token_scores", "predict")}
    for name, call in calls.items():
        for dtype in (np.float32, np.float64):
            given = vectors(20).astype(dtype)
            given[0], given[1] = 1e4, -1e4  # what clips its input in place changes these
            before = given.tobytes()
            call(given)
            must(given.tobytes() == before, f"{name} changed the array that it was given")
    test = pictures(3)
    before = b"".join(item.values.tobytes() for item in test)
    trial.on_pictures.decision_function(test)
    after = b"".join(item.values.tobytes() for item in test)
    must(after == before, "decision_function changed the tokens that it was given")


@promise
def set_params_acts_at_the_next_fit(trial: Trial) -> None:
    """`set_params` after `fit` leaves scores as they were, to which `threshold_` belongs."""
    fitted, test = copy.deepcopy(trial.on_vectors), vectors(30, seed=14)
    scores = fitted.decision_function(test)
    for name, value in fitted.get_params().items():
        if isinstance(value, bool):
            other: object = not value
        elif isinstance(value, int | float):
            other = value + 1 if isinstance(value, int) else value / 2
        else:
            continue
        fitted.set_params(**{name: other})
        found = fitted.decision_function(test)
        must(np.array_equal(found, scores), f"set_params({name}={other}) after fit changes the scores at once")


@promise
def saved_and_loaded_it_is_the_same(trial: Trial) -> None:
    """`save` writes safetensors and JSON only; what is loaded scores, judges and saves to the last bit the same."""
    for fitted, test in (
        (trial.on_vectors, vectors(12, seed=9)),
        (trial.on_pictures, pictures(4, seed=9)),
        (trial.on_series, series(4, seed=9)),
    ):
        with tempfile.TemporaryDirectory() as folder:
            first, second = Path(folder) / "first", Path(folder) / "second"
            fitted.save(first)
            files = sorted(path.name for path in first.rglob("*") if path.is_file())
            must(all(name.endswith((".safetensors", ".json")) for name in files), f"files were written: {files}")
            must(json.loads((first / "config.json").read_text())["detector"] == fitted.about.name, "another name")
            loaded = load_detector(first)
            must(type(loaded) is type(fitted), f"a {type(loaded).__name__} was loaded")
            same = zip(loaded.token_scores(test), fitted.token_scores(test))
            must(all(np.array_equal(a, b) for a, b in same), "the loaded detector scores otherwise")
            for name in ("decision_scores_", "unseen_scores_", "labels_", "threshold_"):
                a, b = getattr(loaded, name, None), getattr(fitted, name, None)
                must(np.array_equal(a, b), f"{name} was {b} and is {a}")  # type: ignore[arg-type]
            loaded.save(second)
            again, once = ((one / "model.safetensors").read_bytes() for one in (second, first))
            must(again == once, "saved again, the file is another")


@promise
def feature_names_are_saved(trial: Trial) -> None:
    """The names of a DataFrame's columns are kept by `save` and checked after `load`."""
    import pandas as pd

    frame = pd.DataFrame(vectors(12), columns=list("abcde"))
    with tempfile.TemporaryDirectory() as folder:
        trial.quick().fit(frame).save(folder)
        loaded = load_detector(folder)
    must(list(loaded.feature_names_in_) == list("abcde"), "the names are lost")
    must_refuse(lambda: loaded.predict(frame[list("bacde")]), DataError, "order")


@promise
def signs_are_those_of_pyod(trial: Trial) -> None:
    """High scores are odd and 1 means anomalous, in `predict`, `score_samples`, `predict_proba`, `fit_predict`."""
    fitted, test = trial.on_vectors, np.concatenate([vectors(30, seed=13), odd()])
    scores = fitted.decision_function(test)
    must(np.array_equal(fitted.score_samples(test), scores), "score_samples is not decision_function")
    must(
        np.array_equal(fitted.predict(test), (scores > fitted.threshold_).astype(int)),
        "predict is not score > threshold_",
    )
    for method in ("linear", "unify"):
        shares = fitted.predict_proba(test, method)
        must(shares.shape == (31, 2) and np.allclose(shares.sum(axis=1), 1), f"{method}: shape or sum is wrong")
        must(
            bool((np.diff(shares[np.argsort(scores), 1]) >= 0).all()), f"{method}: the order is not that of the scores"
        )
    labels = trial.quick().fit_predict(vectors(20))
    must(labels.shape == (20,) and not labels.any(), "without threshold and contamination a row is labelled")


@promise
def the_adapter_has_the_signs_of_scikit_learn(trial: Trial) -> None:
    """`as_outlier_detector` gives +1 and -1, low scores for what is odd, and 0 where its `predict` turns."""
    fitted, test = trial.on_vectors, np.concatenate([vectors(30, seed=13), odd()])
    again = trial.quick(false_alarm_rate=0.05).fit(vectors(40))
    other, scores = again.as_outlier_detector(), again.decision_function(test)
    again.fit(3 * vectors(40, seed=15))
    must(np.array_equal(other.score_samples(test), -scores), "another fit of the detector changes its adapter")
    other = fitted.as_outlier_detector()
    must(np.array_equal(other.predict(test), 1 - 2 * fitted.predict(test)), "predict is not +1 and -1 for 0 and 1")
    must(np.array_equal(other.score_samples(test), -fitted.decision_function(test)), "score_samples is not -score")
    flagged = other.decision_function(test) < 0
    must(np.array_equal(flagged, other.predict(test) == -1), "decision_function is not negative for outliers")


@promise
def it_lives_in_scikit_learn(trial: Trial) -> None:
    """`clone`, a Pipeline, GridSearchCV by AUROC, `check_is_fitted`, `repr` and pickle work."""
    from sklearn.base import clone
    from sklearn.exceptions import NotFittedError as Theirs
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.utils.validation import check_is_fitted

    copy = clone(trial.on_vectors)
    must(copy.get_params() == trial.on_vectors.get_params(), "clone has other arguments")
    must_refuse(lambda: check_is_fitted(copy), Theirs, "fit")
    check_is_fitted(trial.on_vectors)
    must(repr(copy).startswith(f"{type(copy).__name__}("), f"repr is {copy!r}")
    X = np.concatenate([vectors(20), np.repeat(odd(), 4, axis=0)])
    scaler, alone = StandardScaler().fit(X), trial.quick().fit(StandardScaler().fit_transform(X))
    both = make_pipeline(StandardScaler(), trial.quick()).fit(X)
    same = np.array_equal(both.decision_function(X), alone.decision_function(scaler.transform(X)))
    must(same, "in a Pipeline it scores otherwise than after the same steps by hand")
    grid = GridSearchCV(trial.quick(), {"seed": [0]}, scoring="roc_auc", cv=[(np.arange(24), np.arange(24))])
    best, y = grid.fit(X, np.repeat([0, 1], [20, 4])), np.repeat([0, 1], [20, 4])
    expected = roc_auc_score(y, best.best_estimator_.decision_function(X))
    must(best.best_score_ == expected, f"GridSearchCV gives an AUROC of {best.best_score_}, its scores {expected}")
    again = pickle.loads(pickle.dumps(trial.on_vectors))
    must(np.array_equal(again.decision_scores_, trial.on_vectors.decision_scores_), "pickled, it is another")


@promise
def bad_arguments_are_refused(trial: Trial) -> None:
    """Arguments out of their range and unknown ones are refused with a ConfigError that says what is allowed."""
    for name, wrong in (
        ("contamination", 0.6),
        ("contamination", "auto"),
        ("seed", -1),
        ("seed", 1.5),
        ("contamination", -0.1),
        ("top", 0.0),
        ("top", 1.5),
        ("false_alarm_rate", 0.0),
        ("false_alarm_rate", 1.0),
    ):
        must_refuse(partial(trial.new(**{name: wrong}).fit, vectors()), ConfigError, "allowed")
    must_refuse(lambda: trial.new().set_params(nonsense=1), ConfigError, "no parameter")


@promise
def wrong_width_too_few_items_and_no_fit_are_refused(trial: Trial) -> None:
    """Rows of another width, a single row, and questions before `fit` are refused and say why."""
    must_refuse(lambda: trial.on_vectors.decision_function(np.zeros((3, 4))), DataError, "expecting 5")
    must_refuse(lambda: trial.on_pictures.decision_function(np.zeros((3, 6, 5))), DataError, "expecting 4")
    must_refuse(lambda: trial.new().fit(vectors(1)), DataError, "at least 2")
    must_refuse(lambda: trial.new().decision_function(vectors(3)), NotFittedError, "fit")
    must_refuse(lambda: trial.new().save("nowhere"), NotFittedError, "fit")
    must_refuse(lambda: trial.quick().fit(vectors(3)).predict(vectors(3)), NotFittedError, "false_alarm_rate")
