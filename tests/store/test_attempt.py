"""What a run remembers of its fit: enough to tell the whole command that goes on with it."""

import re
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import RunError
from mmdmad.store import attempt, db
from mmdmad.store.run import Run


def test_the_line_that_ends_a_fit_is_told_in_full(tmp_path):
    part = Part("text", tmp_path / "data" / "a.txt", root=tmp_path / "data")
    cases = Cases(
        (Case("a", {"text": part}, split="ok"), Case("b", {"text": part}, split="ok")),
        root=tmp_path / "data",
        extra={"manifest": "line 3.csv"},
    )
    run = Run.create(tmp_path / "a run", {"false_alarm_rate": 0.01})
    with pytest.raises(RunError, match=re.escape(f"mmdmad fit --data DATA --run '{run.path}' --resume")):
        run.score(cases)
    with Session(run._engine) as session, session.begin():
        attempt.begin(session, "of other cases", 2)
        attempt.remember(session, cases)
    told = f"mmdmad fit --data '{tmp_path / 'data' / 'line 3.csv'}' --run '{run.path}' --resume --split ok"
    with pytest.raises(RunError, match=re.escape(told)):
        run.score(cases)
    with Session(run._engine) as session, session.begin():
        attempt.remember(session, Cases((Case("a", {"text": replace(part, root=None)}, split="train"),), root=tmp_path))
        session.merge(db.MetaRow(key="fit_data", value="x; rm -rf /"))
    with pytest.raises(RunError, match=re.escape("--data 'x; rm -rf /' --run")) as why:
        run.score(cases)
    assert str(why.value).endswith("--resume --allow-outside")
    run.close()
