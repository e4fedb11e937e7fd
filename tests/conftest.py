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
