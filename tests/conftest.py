"""Shared by all tests: one thread (two spin on a busy machine), no accelerator, no network, labelled data if any."""

import importlib.util
import os
from pathlib import Path

import pytest

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault(
    "ACCELERATE_USE_CPU", "1"
)  # the same numbers on every machine; tests/test_devices.py looks at others
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

_spec = importlib.util.spec_from_file_location("only_ours", Path(__file__).with_name("only_ours.py"))
assert _spec is not None
assert _spec.loader is not None
_ours = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_ours)
_ours.hide()


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The labelled sets for development (not shipped); tests that need them skip where they are absent."""
    folder = os.environ.get("MMDMAD_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs the labelled data sets, which are not shipped; set MMDMAD_DATA to their folder")
    return Path(folder)


@pytest.fixture(scope="module")
def tiny():
    """The module tests/tiny_pipeline.py; its encoders are known as long as the tests of one file run."""
    from mmdmad.encoders import base as encoder_registry

    before = encoder_registry.encoders()  # loads every file first, so that only the tiny ones are taken out again
    spec = importlib.util.spec_from_file_location("tiny_pipeline", Path(__file__).with_name("tiny_pipeline.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in set(encoder_registry.encoders()) - set(before):
        encoder_registry._REGISTRY.remove(name)
