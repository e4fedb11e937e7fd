"""Cases that lack readings inside a part, in the store: told apart in counts, and by an upgrade of older runs."""

import json

import numpy as np
import pytest
from sqlalchemy import select, update

from mmdmad.findings import Findings
from mmdmad.guarantees import Grounds, Ranked
from mmdmad.pipeline.readings import Outside, for_missing
from mmdmad.report.words import strength, unsure
from mmdmad.store import rows
from mmdmad.store.db import CaseRow
from mmdmad.store.format import CONFIG, FORMAT
from mmdmad.store.run import Run
from mmdmad.store.strength import Beyond, beyond

MASKED = Outside(fewer="'heat' is silent", like="'heat'")
FEWER = Outside(fewer="'heat' is rare", unlike="normal ones lack it too")
MORE = Outside(more="'heat' speaks")


def lacking(made, name: str, outside: Outside, *numbers: float):
    plain = made.finding(name, *numbers)
    grounds = Grounds(folds=(Ranked(99, 99, 99, 1),))
    guarantee = for_missing(plain.guarantee.model_copy(update={"grounds": grounds, "attained": 0.1}), outside)
    return plain.model_copy(update={"guarantee": guarantee})


@pytest.fixture
def run(tmp_path, made):
    made_run = Run.create(tmp_path / "run", {"false_alarm_rate": 0.1})
    found = [
        made.finding("whole", 0.5), made.finding("odd", 0.01, 5.0), lacking(made, "masked", MASKED, 0.01, 50.0),
        lacking(made, "fewer", FEWER, 0.01, 60.0), lacking(made, "more", MORE, 0.01, 70.0),
    ]  # fmt: skip
    with made_run._engine.begin() as connection:
        rows.put(connection, [rows.Judged(one) for one in found])
    yield made_run
    made_run.close()


def words(run) -> dict[str, str | None]:
    with run._engine.connect() as connection:
        return {row.id: row.lacking for row in connection.execute(select(CaseRow.id, CaseRow.lacking))}


TOLD = {"whole": None, "odd": None, "masked": "'heat'", "fewer": "'heat' is rare", "more": "'heat' speaks"}


def test_each_case_says_what_it_lacks_after_an_upgrade_too(run):
    assert words(run) == TOLD
    with run._engine.begin() as connection:
        connection.execute(update(CaseRow).values(lacking=None))
        connection.exec_driver_sql("PRAGMA user_version=10")
    file = run.path / CONFIG
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 10}))
    run.close()
    again = Run.open(run.path)
    assert words(again) == TOLD
    assert json.loads(file.read_text())["format"] == FORMAT
    again.close()


def test_the_guarantee_of_a_pattern_is_told_by_a_case_that_lacks_nothing(run):
    (told,) = run.tally.patterns()
    assert told[0] == "odd"  # the worst of those, though three others are worse


def test_scores_of_masked_cases_are_not_held_against_those_of_whole_ones(run, monkeypatch):
    scores = {("text",): np.linspace(0.0, 2.0, 99)}
    monkeypatch.setattr(Run, "findings", lambda self, **more: Findings([], calibration=lambda: scores))
    assert beyond(run).times == {"odd": 2.5}


def test_the_report_says_what_is_missing_beside_a_verdict(made):
    masked, fewer = lacking(made, "m", MASKED, 0.01, 50.0), lacking(made, "f", FEWER, 0.01, 60.0)
    assert masked.guarantee.valid
    assert unsure(masked, ()).startswith("Readings are missing in it: 'heat' is silent: ranked among normal cases that")
    assert "with the same parts that lack the same readings" in strength(masked, Beyond())
    assert unsure(fewer, ()).startswith("No false-alarm rate is promised for it: 'heat' is rare: its readings are")
    assert "(normal ones lack it too)" in fewer.guarantee.note
