"""How views of a part become one score."""

import numpy as np
import pytest

from mmdmad.pipeline.whole import combined


def test_views_are_averaged():
    views = np.array([[3.0, -1.0, 4.0], [0.0, 1.0, 2.0]])
    assert combined(views[:, :1], []).tolist() == [3.0, 0.0]
    assert combined(views[:, :2], []).tolist() == [1.0, 0.5]
    assert combined(views, ["whole", "summary"]).tolist() == [2.0, 1.0]


def test_a_look_adds_what_it_has_beyond_two_spreads_and_takes_nothing_away():
    z = np.array([[1.0, -9.0], [1.0, 1.9], [1.0, 2.0], [1.0, 2.5], [1.0, 12.0]])
    assert combined(z, ["look"]) == pytest.approx([1.0, 1.0, 1.0, 1.5, 11.0])
    assert combined(np.insert(z, 1, 3.0, axis=1), ["whole", "look"]) == pytest.approx([2.0, 2.0, 2.0, 2.5, 12.0])
