"""A made-up run that questions can be asked of, and its findings."""

import pytest

from mmdmad.ask.base import Scope
from mmdmad.bench.synthetic_run import synthetic_findings, synthetic_run

COUNT = 120


@pytest.fixture(scope="session")
def findings():
    return list(synthetic_findings(COUNT, seed=5))


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    run = synthetic_run(tmp_path_factory.mktemp("asked") / "run", COUNT, seed=5)
    yield run
    run.close()


@pytest.fixture
def asked(made, tmp_path):
    return Scope(run=made, folder=tmp_path)
