"""Nearest normal cases: axes of an embedding count alike, whatever their scale."""

import numpy as np
import pytest

from mmdmad.cases import Case, Part
from mmdmad.explain.normal import Normal


def known(vectors: np.ndarray) -> Normal:
    """Normal cases n-0, n-1, … of groups A and B in turn, of whose pictures only the embeddings are known."""
    rows = (
        (Case(f"n-{i}", {"image": Part("image")}, group="AB"[i % 2]), {}, {"image": vector})
        for i, vector in enumerate(vectors)
    )
    return Normal.fit(rows)


def test_an_axis_of_large_numbers_does_not_decide_who_is_near() -> None:
    vectors = np.random.default_rng(0).normal(size=(40, 3)) * [1.0, 1.0, 50.0]
    vectors[7] = [4.0, 0.0, 10.0]  # alone on a small axis
    vectors[8] = [0.0, 0.0, 40.0]  # the same as is asked for on the large one
    near = known(vectors).nearest("image", np.array([4.0, 0.0, 40.0]), k=3)
    assert near is not None
    assert near.ids[0] == "n-7"
    assert near.groups[0] == "B"
    assert list(near.distances) == sorted(near.distances)


def test_distances_are_in_units_of_the_usual_one_and_do_not_move_with_the_scale() -> None:
    vectors = np.random.default_rng(1).normal(size=(60, 3))
    plain, scaled = known(vectors), known(vectors * [1.0, 8.0, 0.5] + [5.0, -3.0, 100.0])
    query = np.array([0.3, -0.2, 0.1])
    first = plain.nearest("image", query)
    second = scaled.nearest("image", query * [1.0, 8.0, 0.5] + [5.0, -3.0, 100.0])
    assert first is not None
    assert second is not None
    assert first.ids == second.ids
    assert second.distances == pytest.approx(first.distances, rel=1e-3)
    own = [plain.nearest("image", vector, k=2).distances[1] for vector in vectors.astype(np.float32)]  # type: ignore[union-attr]
    assert np.median(own) == pytest.approx(1.0, rel=1e-3)


def test_a_part_that_no_normal_case_has_or_of_another_width_has_no_neighbours() -> None:
    normal = known(np.eye(4))
    assert normal.nearest("text", np.ones(4)) is None
    assert normal.nearest("image", np.ones(3)) is None
