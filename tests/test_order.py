"""One order of findings, in every place where findings are told one after the other."""

import csv
import itertools
import json
import random
import sqlite3
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
from mmdmad.agents.investigator import Investigator
from typer.testing import CliRunner

from mmdmad.ask.base import Scope, ask
from mmdmad.bench.exam.asked import _Maker
from mmdmad.cases import Case, Cases, Part
from mmdmad.cli import app
from mmdmad.findings import Evidence, Fact, Finding, Findings, Guarantee, PartFinding, order_key
from mmdmad.report import write_report
from mmdmad.report.model import build
from mmdmad.store.run import Run

# id, verdict, p-value, calibration cases, joint score; in the order in which they must be told.
TOLD = [
    ("c-09", "anomalous", 1 / 241, 240, 41.5),
    ("c-07", "anomalous", 1 / 101, 100, 22.0),  # fewer calibration cases, the same kind of place
    ("c-04", "anomalous", 1 / 401, 400, 4.7),
    ("c-05", "anomalous", 1 / 401, 400, 4.7),  # all alike: by id
    ("c-01", "anomalous", 2 / 401, 400, 60.0),  # not at its smallest p-value, whatever its score
    ("c-08", "anomalous", 3 / 241, 240, 3.9),
    ("c-03", "anomalous", 3 / 241, 240, 3.1),
    ("c-02", "no verdict", 1 / 5, 4, 9.0),
    ("c-11", "normal", 0.2, 240, 1.5),
    ("c-10", "no verdict", 1.0, 0, 80.0),  # nothing to compare with is no extreme place
    ("c-06", "normal", 1.0, 240, 0.1),
]
IDS = [row[0] for row in TOLD]
FLAGGED = [row[0] for row in TOLD if row[1] == "anomalous"]


def finding(case_id: str, verdict: str, p: float, size: int, score: float) -> Finding:
    valid = verdict != "no verdict"
    guarantee = Guarantee(rate=0.05, size=size, interval=(0.0, 0.1), pattern=("text",), valid=valid)
    facts = tuple(
        Fact(name=n, value=v)
        for n, v in (("case", case_id), ("p-value", p), ("verdict", verdict), ("joint score", score))
    )
    return Finding(
        case_id=case_id,
        verdict=verdict,
        score=score,
        p_value=p,
        guarantee=guarantee,
        parts=(PartFinding(modality="text", score=score, p_value=p, share=score, encoder="e", detector="d"),),
        evidence=(Evidence(id="E1", kind="verdict", caption=f"Case {case_id} is {verdict}.", facts=facts),),
    )


class Double:
    """Answers with the findings above."""

    known: ClassVar = {row[0]: finding(*row) for row in TOLD}
    parts_: ClassVar = ("text",)

    def finding(self, case, rate, artifacts) -> Finding:
        return self.known[case.id]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = Run.create(tmp_path_factory.mktemp("order") / "run", {"false_alarm_rate": 0.05})
    made._model = Double()
    mixed = random.Random(4).sample(IDS, len(IDS))
    made.score(Cases(tuple(Case(i, {"text": Part("text", value=f"text of {i}")}) for i in mixed)))
    yield made
    made.close()


def test_the_rule_orders_every_pair_as_it_says():
    keys = {i: Double.known[i].order_key for i in IDS}
    for before, after in itertools.combinations(IDS, 2):
        assert keys[before] < keys[after], (before, after)


def test_rounding_of_a_p_value_does_not_move_it_from_its_smallest():
    exact = {"verdict": "anomalous", "score": 1.0, "case_id": "a"}
    for n in range(1, 3000):
        assert order_key(p_value=(1 + 0) / (n + 1), smallest=1 / (n + 1), **exact)[0] == 0
        assert order_key(p_value=2 / (n + 1), smallest=1 / (n + 1), **exact)[0] == 1


def test_ranked_findings(run):
    mixed = random.Random(1).sample([Double.known[i] for i in IDS], len(IDS))
    assert [f.case_id for f in Findings(mixed).ranked()] == IDS


def test_store_queries(run):
    assert [f.case_id for f in run.findings()] == IDS
    assert [f.case_id for f in run.findings(verdict="anomalous", limit=3)] == IDS[:3]
    assert [f.case_id for f in run.findings(limit=4, offset=3)] == IDS[3:7]
    assert [f.case_id for f in run.findings(order="-rank")] == IDS[::-1]


def test_a_store_of_the_first_version_is_put_in_order(run, tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "config.json").write_bytes((run.path / "config.json").read_bytes())
    with sqlite3.connect(run.path / "cases.sqlite") as old:
        old.execute(f"VACUUM INTO '{folder / 'cases.sqlite'}'")
    with sqlite3.connect(folder / "cases.sqlite") as old:
        old.execute("DROP INDEX cases_by_rank")
        old.execute("ALTER TABLE cases DROP COLUMN rung")
        old.execute("ALTER TABLE cases DROP COLUMN rung_p")
        old.execute("PRAGMA user_version=1")
    kept = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**kept, "format": 1}))
    again = Run.open(folder)
    assert [f.case_id for f in again.findings()] == IDS
    again.close()
    assert [f.case_id for f in Run.open(folder).findings(order="-rank")] == IDS[::-1]


def test_exports(run, tmp_path):
    for suffix in ("csv", "parquet", "jsonl"):
        run.export(tmp_path / f"t.{suffix}")
    with (tmp_path / "t.csv").open(newline="") as file:
        assert [row["case_id"] for row in csv.DictReader(file)] == IDS
    assert pd.read_parquet(tmp_path / "t.parquet")["case_id"].tolist() == IDS
    assert [json.loads(line)["case_id"] for line in (tmp_path / "t.jsonl").read_text().splitlines()] == IDS


def positions(text: str, ids: list[str]) -> list[int]:
    return [text.index(f">{i}<") for i in ids]


def test_notebook_table(run):
    mixed = random.Random(2).sample([Double.known[i] for i in IDS], len(IDS))
    for shown in (run.findings(order="id"), Findings(mixed)):
        at = positions(shown._repr_html_(), IDS)
        assert at == sorted(at)
    few = Findings(mixed)._repr_html_(limit=3)
    assert [i for i in IDS if f">{i}<" in few] == IDS[:3]


def test_report(run, tmp_path):
    report = build(run)
    assert [f.case_id for f in report.findings] == FLAGGED
    page = write_report(run, tmp_path / "r.html").read_text()
    markdown = write_report(run, tmp_path / "r.md").read_text().replace("\\", "")
    saved = json.loads(write_report(run, tmp_path / "r.json").read_text())
    assert [f["case_id"] for f in saved["findings"]] == FLAGGED
    heads = [line for line in markdown.splitlines() if line.startswith("## ") and ": anomalous" in line]
    assert [h.split()[2].rstrip(":") for h in heads] == FLAGGED
    cards = [page.index(f'id="f{i}"') for i in range(1, len(FLAGGED) + 1)]
    assert cards == sorted(cards)
    for i, (here, there) in enumerate(zip(cards, [*cards[1:], None], strict=True)):
        assert FLAGGED[i] in page[here:there]


def test_report_without_alarms_shows_the_first_three(tmp_path):
    calm = Run.create(tmp_path / "c-06", {"false_alarm_rate": 0.05})
    calm._model = Double()
    rest = [i for i in IDS if i not in FLAGGED]
    calm.score(Cases(tuple(Case(i, {"text": Part("text", value=i)}) for i in reversed(rest))))
    assert [f.case_id for f in build(calm).findings] == rest[:3]


def test_questions(run):
    scope = Scope(run)
    assert list(ask(scope, "find_cases", limit=20).cases) == IDS
    assert list(ask(scope, "find_cases", verdict="anomalous", limit=20).cases) == FLAGGED
    assert list(ask(scope, "find_cases", limit=2, order="-rank").cases) == IDS[:-3:-1]
    assert f"Most anomalous: {', '.join(IDS[:3])}." in [one.evidence.caption for one in ask(scope, "overview").evidence]


def test_offline_answers(run):
    worst = Investigator(run, thread="a").ask("Which case is the most anomalous?").text
    assert "c-09" in worst
    assert not any(other in worst for other in IDS[1:])
    for pair in (("c-04", "c-09"), ("c-09", "c-04"), ("c-09", "c-01"), ("c-08", "c-03")):
        said = Investigator(run, thread="-".join(pair)).ask(f"Which is more anomalous, {pair[0]} or {pair[1]}?").text
        first = min(pair, key=IDS.index)
        assert f"{first} is more anomalous than" in said, (pair, said)


def test_the_exam_grades_by_the_same_order(run):
    mixed = random.Random(3).sample([Double.known[i] for i in IDS], len(IDS))
    assert [f.case_id for f in _Maker(mixed, {}, None).findings] == IDS


def test_command_line_table(run, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "model", Double())
    (tmp_path / "m.csv").write_text("id,text\nc-09,text of c-09\n")
    done = CliRunner().invoke(
        app, ["score", str(run.path), "--data", str(tmp_path / "m.csv"), "--out", str(tmp_path / "t.csv")]
    )
    assert done.exit_code == 0, done.output
    assert pd.read_csv(tmp_path / "t.csv")["case_id"].tolist() == IDS
    assert Path(tmp_path / "t.csv").is_file()
