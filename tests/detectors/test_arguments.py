"""Arguments of the wrong type are refused in a line, and act at the next fit."""

from fractions import Fraction
from typing import Literal

import numpy as np
import pandas as pd
import pytest
import torch

from mmdmad.detectors.base import detectors, load_detector, make_detector
from mmdmad.detectors.estimator import _is_a
from mmdmad.detectors.outlier import OutlierDetector
from mmdmad.errors import ConfigError, DataError, DataTypeError, NotFittedError

X, T = np.random.default_rng(0).normal(size=(60, 4)), np.random.default_rng(1).normal(size=(20, 4))


@pytest.mark.parametrize(
    "wrong",
    [
        *({"contamination": one} for one in ("auto", None, 0.51, float("nan"), True)),
        *({"false_alarm_rate": one} for one in ("x", [0.1])),
        *({"seed": one} for one in (1.5, "a", -1, None, np.random.RandomState(0))),
        *({"neighbours": one} for one in ("5", 2.5, None)),
        *({"max_memory": one} for one in ("all", 0, 2.5)),
        {"top": "a"},
        {"method": "least"},
    ],
)
def test_what_is_no_argument_is_refused_in_a_line(wrong):
    with pytest.raises(ConfigError, match=r"was given( to knn)?; allowed|were given; allowed") as caught:
        make_detector("knn", **wrong).fit(X)
    assert "\n" not in str(caught.value)
    assert " at 0x" not in str(caught.value)


@pytest.mark.parametrize("wrong", [1, 0, "yes", None, 1.0])
def test_a_switch_is_true_or_false_and_nothing_like_it(wrong):
    with pytest.raises(ConfigError, match=r"per_position=.* was given; allowed are True or False"):
        make_detector("gaussian-diffusion", per_position=wrong).fit(X)
    for right in (True, np.bool_(False)):
        make_detector("gaussian-diffusion", per_position=right, false_alarm_rate=None).fit(X)


def test_defaults_of_every_detector_are_of_the_type_they_say():
    for name, cls in detectors().items():
        made = cls(**({"autoencoder": None} if "autoencoder" in cls.defaults() else {}))
        made._check_types()
        for wrong in ({"seed": "a"}, {"contamination": "auto"}):
            with pytest.raises(ConfigError, match="allowed"):
                cls(**wrong)._check_params()
        assert name


def test_numbers_of_any_kind_are_numbers():
    assert all(_is_a(one, int) for one in (1, np.int8(1), np.uint64(1)))
    assert all(_is_a(one, float) for one in (1, 0.5, np.float32(0.5), Fraction(1, 2)))
    assert _is_a(np.bool_(1), bool)
    assert not _is_a(1, Literal["auto"])
    assert _is_a({"any": 1}, dict[str, int])


@pytest.mark.parametrize(
    ("name", "later"),
    [
        ("knn", {"neighbours": 20}),
        ("knn", {"method": "mean"}),
        ("dte-np", {"mode_t": True}),
        ("lof", {"neighbours": 3}),
        ("gaussian-diffusion", {"levels": 2}),
        ("isolation-forest", {"seed": 5}),
    ],
)
def test_arguments_act_at_the_next_fit(name, later, tmp_path):
    made = make_detector(name).fit(X)
    scores, labels = made.decision_function(T), made.predict(T)
    made.set_params(**later)
    assert np.array_equal(made.decision_function(T), scores)
    assert np.array_equal(np.concatenate(made.token_scores(T)), scores)
    assert np.array_equal(made.predict(T), labels)
    made.save(tmp_path)
    loaded = load_detector(tmp_path)
    assert np.array_equal(loaded.decision_function(T), scores)
    loaded.set_params(**later)
    assert np.array_equal(loaded.decision_function(T), scores)
    assert not np.array_equal(made.fit(X).decision_function(T), scores)


def test_an_adapter_is_independent_of_its_detector():
    made = make_detector("knn").fit(X)
    adapter, scores = made.as_outlier_detector(), made.decision_function(T)
    made.fit(5 * X)
    assert np.array_equal(adapter.score_samples(T), -scores)


def test_an_adapter_says_what_it_lacks():
    bare = make_detector("knn", false_alarm_rate=None).fit(X).as_outlier_detector()
    with pytest.raises(NotFittedError, match=r"no threshold .* contamination"):
        bare.predict(T)
    assert bare.set_params(contamination=0.1).fit(X).predict(X).min() == -1
    with pytest.raises(ConfigError, match="make_detector"):
        OutlierDetector("knn").fit(X)
    with pytest.raises(ConfigError, match="allowed"):
        OutlierDetector(make_detector("knn"), contamination=None).fit(X)


def test_half_may_be_declared_bad():
    assert make_detector("knn", contamination=0.5).fit(X).labels_.sum() == 30


def broken(value):
    values = X[:9].copy()
    values[7, 2] = value
    return values


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (pd.Series(X[:, 0]), DataError, ["2-dimensional", "Series"]),
        (pd.DataFrame(X).iloc[0], DataError, ["2-dimensional"]),
        (broken(np.nan), DataError, ["row 7, column 2"]),
        (broken(np.inf).tolist(), DataError, ["row 7, column 2"]),
        (broken(1e39), DataError, ["row 7, column 2", "float32"]),
        (pd.DataFrame(broken(np.nan), columns=list("abcd")), DataError, ["row 7, column 2 ('c')"]),
        (np.stack([X[:3], broken(np.nan)[5:8]]), DataError, ["item 1, token 2, feature 2"]),
        (pd.DataFrame({"n": [1, 2], "day": pd.to_datetime(["2024-01-01"] * 2)}), DataTypeError, ["column 'day'"]),
        (X + 1j, DataTypeError, ["Complex"]),
        ((X + 1j).tolist(), DataTypeError, ["complex"]),
        (torch.eye(3).to_sparse(), DataTypeError, ["sparse", "to_dense"]),
        ([[10**400, 1], [1, 2]], DataError, ["too large"]),
    ],
)
def test_a_refusal_says_what_and_where(data, kind, words):
    with pytest.raises(kind) as caught:
        make_detector("knn").fit(data)
    assert all(word in str(caught.value) for word in words)
    assert "[[" not in str(caught.value)
