"""Trainings of methods along time go on from their checkpoints and end the same."""

import numpy as np
import pytest

from mmdmad.detectors.base import make_detector
from mmdmad.tokens import Layout, Tokens


def series(seed):
    """Six steps of two channels, three numbers each."""
    values = np.random.default_rng(seed).normal(size=(12, 3)).astype(np.float32)
    return Tokens(values, Layout("steps", (6, 2), channels=("c0", "c1") * 6, position=np.tile(np.arange(2), 6)))


@pytest.mark.parametrize("name", ["imdiffusion", "forecast", "mocodad", "d3r", "clip-conditioned"])
def test_a_training_goes_on_from_its_checkpoint(name, tmp_path):
    items = [series(seed) for seed in range(12)]
    first, again = (
        make_detector(name, steps=20, inner=16, depth=1).fit(items, work=tmp_path).decision_function(items)
        for _ in range(2)
    )
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.*")] == [f"{name}.safetensors"]
    assert np.array_equal(first, again)
    assert np.array_equal(first, make_detector(name, steps=20, inner=16, depth=1).fit(items).decision_function(items))
