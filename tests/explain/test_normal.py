"""Nearest normal cases: axes of an embedding count alike, whatever their scale."""

from types import SimpleNamespace

import numpy as np
import pytest

from mmdmad.cases import Case, Part
from mmdmad.explain.normal import Normal
from mmdmad.explain.relations import neighbours


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


@pytest.mark.parametrize(("off", "said"), [(0.0, "is like them"), (1e-3, "differs"), (5.0, "differs")])
@pytest.mark.parametrize("kinds", [1, 3])
def test_where_normal_cases_are_all_alike_no_ratio_is_said(kinds, off, said):
    rng = np.random.default_rng(0)
    templates = rng.normal(size=(kinds, 16)) if kinds > 1 else np.ones((1, 16))
    vectors = templates[np.arange(60) % kinds] + rng.normal(0, 1e-9, (60, 16))
    near = known(vectors).nearest("image", vectors[0] + off)
    assert near is not None
    assert near.alike
    judged = SimpleNamespace(modality="image", embedding=vectors[0] + off)
    made = neighbours(judged, known(vectors))[0]
    assert "nearly all alike" in made.caption
    assert made.caption.endswith((f"{said}.", f"{said} from them."))
    assert not [f for f in made.facts if f.name == "distance"]


def test_axes_on_which_normal_cases_do_not_vary_keep_the_distances_of_the_others():
    rng = np.random.default_rng(0)
    vectors = np.zeros((60, 16))
    vectors[:, :4] = rng.normal(size=(60, 4))
    same = known(vectors).nearest("image", vectors[0] + np.eye(16)[0] * 0.1)
    assert same is not None
    assert not same.alike
    assert 0 < same.distances[0] < 3
    other = known(vectors).nearest("image", vectors[0] + np.eye(16)[9])
    assert other is not None
    assert other.alike
    assert other.distances[0] > 0
