import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def samples():
    """The module tests/samples.py."""
    spec = importlib.util.spec_from_file_location("samples", Path(__file__).parents[1] / "samples.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def normals(samples):
    """What normal looks like on the made-up machine."""
    return samples.normals()


@pytest.fixture(scope="session")
def made():
    """The module tests/store/made.py: findings made by hand."""
    spec = importlib.util.spec_from_file_location("made_findings", Path(__file__).with_name("made.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
