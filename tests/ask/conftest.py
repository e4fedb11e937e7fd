"""A made-up run that questions can be asked of, and its findings."""

import pytest
from sqlalchemy.orm import Session

from mmdmad.ask.base import Scope
from mmdmad.bench.synthetic_run import RATE, synthetic_findings, synthetic_run
from mmdmad.store import db, rows
from mmdmad.store.run import Run

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


@pytest.fixture
def a_run():
    """Makes a run of findings, and closes it."""
    made = []

    def make(folder, findings):
        run = Run.create(folder, {"false_alarm_rate": RATE})
        made.append(run)
        with run._engine.begin() as connection:
            rows.put(connection, [rows.Judged(f) for f in findings])
        with Session(run._engine) as session, session.begin():
            session.merge(db.MetaRow(key="false_alarm_rate", value=repr(RATE)))
        return run

    yield make
    for run in made:
        run.close()
