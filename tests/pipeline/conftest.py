"""The tiny four-modality problem, its encoders known as long as the tests of one file run."""

import importlib.util
from pathlib import Path

import pytest

from mmdmad.encoders import base as encoder_registry


@pytest.fixture(scope="module")
def tiny():
    """The module tests/tiny_pipeline.py."""
    before = encoder_registry.encoders()  # loads every file first, so that only the tiny ones are taken out again
    spec = importlib.util.spec_from_file_location("tiny_pipeline", Path(__file__).parents[1] / "tiny_pipeline.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in set(encoder_registry.encoders()) - set(before):
        encoder_registry._REGISTRY.remove(name)
