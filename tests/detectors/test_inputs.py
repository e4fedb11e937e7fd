"""What users hand to a detector, and what is said of what cannot be taken."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import coo_array, csr_matrix

from mmdmad.detectors import KNN
from mmdmad.detectors.base import load_detector, make_detector
from mmdmad.detectors.inputs import read_items
from mmdmad.detectors.items import Stack, as_rows, owners, positions, some, split
from mmdmad.detectors.kit.chunks import groups
from mmdmad.errors import DataError, DataTypeError
from mmdmad.tokens import Layout, Tokens

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)


def read(data):
    return read_items(KNN(), data, learn=True)


@pytest.mark.parametrize(
    "data",
    [
        X.tolist(),
        tuple(map(tuple, X.tolist())),
        list(X),
        X.astype(np.float64),
        np.asfortranarray(X),
        X.astype(object),
        torch.tensor(X),
        torch.tensor(X, requires_grad=True),
        list(torch.tensor(X)),
        pd.DataFrame(X),
        pd.DataFrame(X, columns=list("abcd")).convert_dtypes(),
        [Tokens(row[None]) for row in X],
        Stack(X[:, None]),
    ],
)
def test_every_form_of_a_table_is_the_same_items(data):
    items = read(data)
    assert len(items) == 40
    assert np.array_equal(as_rows(items).values, X)
    assert items[3].values.shape == (1, 4)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float16, np.bool_, torch.bfloat16, torch.int32])
def test_numbers_of_any_type_are_taken(dtype):
    whole = np.array([[0, 1], [1, 1], [1, 0]])
    data = torch.tensor(whole).to(dtype) if isinstance(dtype, torch.dtype) else whole.astype(dtype)
    assert np.array_equal(as_rows(read(data)).values, whole)


def test_token_sets_may_be_arrays_lists_or_tensors():
    sets = np.random.default_rng(1).normal(size=(5, 3, 2)).astype(np.float32)
    for data in (sets, torch.tensor(sets), list(sets), sets.tolist(), list(torch.tensor(sets))):
        items = read(data)
        assert np.array_equal(np.stack([item.values for item in items]), sets)
        assert items[0].layout.positions().tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (csr_matrix(X), "sparse"),
        (coo_array(X), "sparse"),
        (X[0], "2D"),
        (np.zeros((2, 2, 2, 2)), "dim 4"),
        (5.0, "table"),
        ([], "no items"),
        ([[1.0, 2.0], [3.0]], "inhomogeneous"),
        ([np.zeros((2, 3)), np.zeros((4, 3))], "uneven shape"),
        ([["a", "b"], ["c", "d"]], "numbers"),
        (pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}), "numbers"),
        (pd.DataFrame({"a": pd.to_datetime(["2024-01-01", "2024-01-02"]), "b": [1, 2]}), "numbers"),
        (np.array([["2024-01-01"], ["2024-01-02"]], "datetime64[D]"), "numbers"),
        (np.array([[1 + 2j, 0], [0, 1]]), "Complex"),
        (np.full((3, 2), 1e300), "float32"),
        (np.zeros((3, 0)), "0 feature"),
        ([Tokens(X[:1]), X[1]], "given together"),
        ([X[1], Tokens(X[:1])], "given together"),
        ([Tokens(X[:1]), Tokens(X[:1, :2])], "widths"),
        ("abcd", "table"),
    ],
)
def test_what_cannot_be_taken_is_named(data, word):
    with pytest.raises(DataError, match=word):
        read(data)


def test_cells_that_are_no_numbers_are_a_type_error_too():
    for data in (csr_matrix(X), [["a", "b"]], np.array([[{}, 1.0]], object)):
        with pytest.raises(DataTypeError) as caught:
            read(data)
        assert isinstance(caught.value, TypeError)
        assert isinstance(caught.value, ValueError)


def test_names_of_columns_are_kept_checked_and_forgotten(tmp_path):
    frame = pd.DataFrame(X, columns=list("abcd"))
    made = KNN().fit(frame)
    made.save(tmp_path)
    for fitted in (made, load_detector(tmp_path)):
        assert fitted.feature_names_in_.tolist() == list("abcd")
        with pytest.raises(DataError, match="same order"):
            fitted.predict(frame[list("bacd")])
        with pytest.raises(DataError, match="unseen at fit time:\n- e"):
            fitted.predict(frame.rename(columns={"d": "e"}))
        with pytest.warns(UserWarning, match="valid feature names"):
            fitted.predict(X)
    made.fit([Tokens(row[None]) for row in X])
    assert not hasattr(made, "feature_names_in_")


def test_another_width_is_refused_whatever_the_form():
    made = KNN().fit(X)
    for data in (X[:, :3], X[:, :3].tolist(), Stack(X[:, None, :3]), [Tokens(X[:1, :3])], np.zeros((2, 5, 3))):
        with pytest.raises(DataError, match="X has 3 features, but KNN is expecting 4 features"):
            made.decision_function(data)


def test_a_stack_is_read_like_the_list_of_its_items():
    layout = Layout("grid", (1, 3), position=np.array([5, 2, 5]))
    stack = Stack(np.arange(24, dtype=np.float32).reshape(4, 3, 2), layout)
    listed = list(stack)
    assert np.array_equal(as_rows(stack).values, as_rows(listed).values)
    assert np.array_equal(positions(stack), positions(listed))
    assert np.array_equal(owners(stack), owners(listed))
    flat = np.arange(12.0)
    for items in (stack, listed):
        assert [part.tolist() for part in split(items, flat)] == flat.reshape(4, 3).tolist()
        assert [item.values[0, 0] for item in some(items, np.array([2, 0]))] == [12.0, 0.0]
        assert [len(group) for group in groups(items, rows=6)] == [2, 2]
    assert stack[1].layout is layout
    assert len(stack[1:]) == 3


@pytest.mark.parametrize(
    "name",
    ["knn", "dte-np", "gaussian-diffusion", "ensemble", "pca", "lof", "isolation-forest", "sub-pca", "padim", "tccm"],
)
def test_a_table_makes_no_object_a_row(name, monkeypatch):
    made, check = [], Tokens.__post_init__
    monkeypatch.setattr(Tokens, "__post_init__", lambda self: made.append(check(self)))
    short = {"steps": 2} if name == "tccm" else {}
    seen = []
    for count in (60, 120):
        table = np.random.default_rng(2).normal(size=(count, 4))
        make_detector(name, contamination=0.1, **short).fit(table).predict(table)
        seen.append(len(made))
        made.clear()
    assert seen[0] == seen[1]  # a first item from which the width is read, for each fit
