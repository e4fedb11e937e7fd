"""Shared directions step by step: kernel, leave-one-out predictions, their eigenvectors, and how many are kept."""

import math

import numpy as np
import pytest

from mmdmad.joint import shared
from mmdmad.joint.shared import kernel, shared_directions


def plain_kernel(part: np.ndarray) -> np.ndarray:
    """Of every two rows: their product plus a Gaussian of every coordinate, a mean over coordinates."""
    made = np.zeros((len(part), len(part)))
    for i, a in enumerate(part):
        for j, b in enumerate(part):
            if np.isfinite(a).all() and np.isfinite(b).all():
                made[i, j] = sum(x * y + math.exp(-((x - y) ** 2) / 2) for x, y in zip(a, b)) / len(a)
    return made


def test_the_kernel_of_every_two_rows():
    part = np.random.default_rng(0).normal(size=(6, 3))
    part[2, 1] = np.nan
    part[4, 0] = np.inf
    assert kernel(part) == pytest.approx(plain_kernel(part))
    assert kernel(np.array([[2.0], [0.0]])) == pytest.approx(np.array([[5.0, math.exp(-2)], [math.exp(-2), 1.0]]))


def left_out(gram: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    """Predictions of every row by kernel ridge regression on the other rows."""
    made = np.empty_like(y)
    for i in range(len(y)):
        rest = np.arange(len(y)) != i
        inner = gram[np.ix_(rest, rest)] + ridge * len(y) * np.eye(len(y) - 1)
        made[i] = gram[i, rest] @ np.linalg.solve(inner, y[rest])
    return made


@pytest.mark.parametrize("ridge", [1e-3, 1.0])
def test_the_closed_form_leaves_every_row_out(ridge):
    rng = np.random.default_rng(1)
    gram, y = plain_kernel(rng.normal(size=(9, 2))), rng.normal(size=(9, 3))
    values, vectors = np.linalg.eigh(gram)
    assert shared._held_out(values, vectors, y, ridge) == pytest.approx(left_out(gram, y, ridge))


def test_a_row_that_only_itself_explains_is_predicted_as_nothing_and_never_divides_by_zero():
    y = np.array([[1.0], [-2.0]])
    for value, predicted in ((1e12, 1.0), (2e8, 0.99), (2.0, 0.0)):
        # shrunk by value / (value + 2): nearly 1 for the first two, where the least distance from 1 is 1e-6
        found = shared._held_out(np.array([value, value]), np.eye(2), y, ridge=1.0)
        assert found == pytest.approx(predicted * y, rel=1e-3, abs=1e-9)


def test_eigenvalues_come_largest_first_with_their_directions():
    y = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    values, directions = shared._shared(0.5 * y, y)
    assert values == pytest.approx([1.0, 0.25])
    assert np.abs(directions) == pytest.approx(np.eye(2))
    # what predictions and truth share is made symmetric
    values, _ = shared._shared(np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.0, 2.0], [0.0, 0.0]]))
    assert values == pytest.approx([0.5, -0.5])


def plain(own: np.ndarray, others: list[np.ndarray], most: int, seed: int) -> np.ndarray:
    """`shared_directions` with the rows really left out."""
    rows = [i for i in range(len(own)) if np.isfinite(own[i]).all() and any(np.isfinite(o[i]).all() for o in others)]
    y = own[rows] - own[rows].mean(axis=0)
    gram = sum(plain_kernel(o[rows]) for o in others)
    ridges = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    best = min(ridges, key=lambda ridge: ((y - left_out(gram, y, ridge)) ** 2).sum())

    def covariance(truth: np.ndarray) -> np.ndarray:
        made = left_out(gram, truth, best).T @ truth / len(truth)
        return (made + made.T) / 2

    values, directions = np.linalg.eigh(covariance(y))
    rng = np.random.default_rng(seed)
    chance = max([0.0, *(np.linalg.eigvalsh(covariance(y[rng.permutation(len(y))])).max() for _ in range(5))])
    kept = min(most, max(2, int((values > chance).sum()) + 1), own.shape[1])
    chosen = [directions[:, -1 - k] for k in range(kept)]
    return np.stack([d if d[np.abs(d).argmax()] > 0 else -d for d in chosen], axis=1)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("strength", [0.0, 0.4, 2.0])
def test_directions_are_those_of_the_rule(seed, strength):
    rng = np.random.default_rng([seed, 9])
    a, b, own = rng.normal(size=(26, 2)), rng.normal(size=(26, 3)), rng.normal(size=(26, 5))
    own[:, 1] += strength * a[:, 0]
    own[:, 3] += strength * b[:, 1] ** 2
    own[3], a[5], b[6], a[8], b[8] = np.nan, np.nan, np.nan, np.nan, np.nan
    for most in (1, 2, 3, 5):
        found = shared_directions(own, [a, b], most, seed)
        assert found == pytest.approx(plain(own, [a, b], most, seed), abs=1e-6)


@pytest.mark.parametrize(
    ("values", "most", "kept"),
    [
        ([5, 4, 3, 2, 1, 0], 8, 3),  # two are above chance, and one more
        ([5, 4, 3, 2, 1, 0], 2, 2),
        ([5, 4, 3, 2, 1, 0], 1, 1),
        ([5, 3.5, 3, 2, 1, 0], 8, 2),  # what is not above chance does not count
        ([3, 3, 3, 2, 1, 0], 8, 2),  # two stay where nothing is shared
        ([9, 9, 9, 9, 9, 9], 8, 6),
        ([9, 9, 9, 9, 9, 0], 8, 6),
        ([9, 9, 9, 9, 0, 0], 8, 5),
    ],
)
def test_how_many_directions_stay(monkeypatch, values, most, kept):
    calls = []

    def eigenvalues(predicted, y):
        calls.append(y)
        largest = values if len(calls) == 1 else [3.5 if len(calls) == 4 else 0.1 * len(calls)]
        return np.array(largest, float), -np.eye(6)

    monkeypatch.setattr(shared, "_shared", eigenvalues)
    rng = np.random.default_rng(0)
    found = shared_directions(rng.normal(size=(20, 6)), [rng.normal(size=(20, 2))], most)
    assert found.tolist() == np.eye(6)[:, :kept].tolist()  # the largest entry is positive
    assert len(calls) == 1 + 5
    assert all(sorted(one[:, 0]) == sorted(calls[0][:, 0]) for one in calls)


def test_no_chance_is_below_zero(monkeypatch):
    calls = []

    def eigenvalues(predicted, y):
        calls.append(y)
        return np.array([3.0, 0.5, -0.5, -2.0] if len(calls) == 1 else [-1.0]), np.eye(4)

    monkeypatch.setattr(shared, "_shared", eigenvalues)
    rng = np.random.default_rng(0)
    assert shared_directions(rng.normal(size=(20, 4)), [rng.normal(size=(20, 2))], 4).shape == (4, 3)


def test_some_fifteen_hundred_cases_decide(monkeypatch):
    seen = []

    def small(part):
        seen.append(part)
        return np.eye(len(part))

    monkeypatch.setattr(shared, "kernel", small)
    monkeypatch.setattr(np.linalg, "eigh", lambda gram: (np.ones(len(gram)), np.zeros((len(gram), 1))))
    monkeypatch.setattr(shared, "_held_out", lambda values, vectors, y, ridge: y)
    monkeypatch.setattr(shared, "_shared", lambda predicted, y: (np.ones(1), np.ones((1, 1))))
    other = np.arange(2000.0)[:, None]
    other[0] = np.nan
    shared_directions(np.random.default_rng(0).normal(size=(2000, 1)), [other], 1)
    assert seen[0][:, 0].tolist() == list(range(1, 1501))
