"""A run that ranks by group: fit, score, read at another rate, report, chat and recalibration say the same."""

import json

import numpy as np
import pytest
from mmdmad.agents.investigator import Investigator
from typer.testing import CliRunner

from mmdmad.ask.base import Scope, ask
from mmdmad.cases import Case, Cases, Part
from mmdmad.checking.support import by_group
from mmdmad.cli import app
from mmdmad.errors import DataError
from mmdmad.grouping import grouped
from mmdmad.parts import Sensor
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.plan import plan
from mmdmad.report import write
from mmdmad.store.run import Run

CONFIG = {
    "parts": {"sensor": {"encoder": "windows", "detector": "knn"}}, "by": "machine",
    "false_alarm_rate": 0.05, "calibration": "cross", "folds": 3,
}  # fmt: skip
SPREAD = {"A": 0.5, "B": 2.0, "C": 1.0}


def case(name: str, group: str, rng, jump: float = 0.0) -> Case:
    values = SPREAD.get(group, 1.0) * rng.normal(0, 1, (60, 2))
    values[20:40] += jump
    sensor = Sensor(values, np.arange(60) / 20, ("a", "b"), ("g", "A"), None)
    return Case(name, {"sensor": Part("sensor", value=sensor)})


def cases(counts: dict[str, int], seed: int, mark: str = "n", **more) -> Cases:
    rng = np.random.default_rng(seed)
    made = [(case(f"{mark}{g}{i}", g, rng, **more), g) for g, count in counts.items() for i in range(count)]
    return Cases(tuple(c for c, _ in made), extra={"columns": {c.id: {"machine": g} for c, g in made}})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = Run.create(tmp_path_factory.mktemp("groups") / "run", PipelineConfig.model_validate(CONFIG))
    made.fit(cases({"A": 60, "B": 60, "C": 12}, 0))
    made.score(cases({"A": 30, "B": 30, "C": 4, "D": 3}, 1, "t"))
    made.score(cases({"A": 2, "B": 1}, 2, "odd", jump=25.0))
    yield made
    made.close()


def test_each_case_ranks_within_its_machine_where_that_is_possible(run):
    found = {f.case_id: f for f in run.findings()}
    assert {f.group for f in found.values()} == set("ABCD")
    told = {f.group: (f.guarantee.within, f.guarantee.size, f.guarantee.valid) for f in found.values()}
    assert told == {"A": (True, 60, True), "B": (True, 60, True), "C": (False, 132, True), "D": (False, 132, False)}
    assert all(found[name].verdict == "anomalous" for name in ("oddA0", "oddA1", "oddB0"))
    assert "60 calibration cases of its own group" in found["tA0"].evidence[0].caption
    assert "there are 12 calibration cases, and a rate of 0.05 needs 19" in found["tC0"].evidence[0].caption
    assert "not for this group" in found["tC0"].evidence[0].caption
    assert "no rate is promised for it" in found["tD0"].evidence[0].caption
    # machine B is wide: over all machines together its normal cases look odd, within it they do not
    wide = [f for f in found.values() if f.case_id.startswith("tB")]
    assert np.mean([f.beside.p_value for f in wide]) < 0.35 < 0.4 < np.mean([f.p_value for f in wide])


def test_another_rate_reads_what_scoring_at_it_says(run, tmp_path):
    again = Run.create(tmp_path / "run", PipelineConfig.model_validate(CONFIG | {"false_alarm_rate": 0.01}))
    again.fit(cases({"A": 60, "B": 60, "C": 12}, 0))
    again.score(cases({"A": 30, "B": 30, "C": 4, "D": 3}, 1, "t"))
    again.score(cases({"A": 2, "B": 1}, 2, "odd", jump=25.0))
    read = run.at(0.01)
    for one in again.findings(order="id"):
        other = read.finding(one.case_id)
        assert (other.guarantee, other.verdict, other.p_value) == (one.guarantee, one.verdict, one.p_value)
        assert not other.guarantee.within  # 60 cases do not reach 1 %, all 132 do
        assert (other.beside, other.parts) == (one.beside, one.parts)
    assert [f.case_id for f in read.findings()] == [f.case_id for f in again.findings()]
    assert read.tally.by("verdict") == again.tally.by("verdict")
    assert read.tally.groups() == again.tally.groups()
    again.close()


def test_the_table_of_groups_says_for_whom_the_rate_holds(run, tmp_path):
    rows = {g.name: g for g in ask(Scope(run), "by_group").groups}
    assert {name: (g.own, g.size) for name, g in rows.items()} == {
        "A": (32, 60),
        "B": (31, 60),
        "C": (0, 0),
        "D": (0, 0),
    }
    assert rows["B"].ranks == "ranked among 60 of its own"
    assert "over all groups together" in rows["C"].ranks
    assert {g.name: g.own for g in ask(Scope(run.at(0.01)), "by_group").groups} == dict.fromkeys("ABCD", 0)
    for suffix in ("html", "md"):
        assert write(run, tmp_path / f"report.{suffix}") == ()
        page = (tmp_path / f"report.{suffix}").read_text()
        assert "ranked among 60 of its own" in page
        assert "the rate is not promised for this group alone" in page
    said = Investigator(run, llm="offline", thread="t").ask("How many false alarms for each group?").text
    assert "ranked among 60 of its own" in said
    said = Investigator(run, llm="offline", thread="u").ask("How many false alarms for machine C?").text
    assert said.startswith("C: 0 of 4 cases flagged; expected false alarms at 5 %: 0 to 1 of 4")
    assert "not promised for this group alone" in said
    assert "A:" not in said


def test_guarantees_are_told_apart_and_nothing_is_certified_over_groups(run):
    bases = ask(Scope(run), "guarantees").bases
    assert sorted((b.guarantee.within, b.guarantee.valid, b.judged) for b in bases) == [
        (False, False, 3), (False, True, 4), (True, True, 63),
    ]  # fmt: skip
    said = ask(Scope(run), "certified")
    assert not said.thresholds
    assert "ranked by group" in said.evidence[0].evidence.caption


def test_recalibration_ranks_within_groups(tmp_path):
    made = Run.create(tmp_path / "run", PipelineConfig.model_validate(CONFIG))
    made.fit(cases({"A": 60, "B": 60}, 0))
    made.score(cases({"A": 5, "B": 5}, 1, "t"))
    made.recalibrate(made.named(cases({"A": 25, "B": 10}, 5, "new")))
    found = {f.case_id: f for f in made.findings()}
    # values in memory are not there to be read again, so these keep their verdicts; new ones rank among the named
    made.score(cases({"A": 3, "B": 3}, 6, "late"))
    late = {f.group: f.guarantee for f in made.findings() if f.case_id.startswith("late")}
    assert (late["A"].within, late["A"].size) == (True, 25)
    assert (late["B"].within, late["B"].size) == (False, 35)
    assert len(found) == 10
    made.close()


def test_what_cannot_be_a_group_is_refused():
    some = cases({"A": 2}, 0)
    for by, said in (
        ("label", "labels never judge"), ("id", "a group of its own"), ("split", "another split"),
        ("product", "there is no column 'product' to group cases by .*'group', 'machine'"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=said):
            grouped(some, by)
    assert grouped(some, None) is some
    with pytest.raises(DataError, match="has 300 characters; a group has 200"):
        grouped(Cases(some.items, extra={"columns": {"nA0": {"machine": "x" * 300}}}), "machine")
    blank = Cases(some.items, extra={"columns": {"nA0": {"machine": " "}, "nA1": {}}})
    assert [c.group for c in grouped(blank, "machine")] == [None, None]


def test_a_fit_says_which_groups_the_rate_holds_for():
    config = PipelineConfig.model_validate(CONFIG)
    lines = by_group(plan(grouped(cases({"A": 60, "B": 40, "C": 12}, 0), "machine").items, config), config)
    assert lines == [
        "the rate of 5 % holds within each of A (60), B (40) calibration cases",
        "too few calibration cases for 5 % within them, for which it takes 19: C (12); cases of these are ranked over "
        "all groups together, and the rate is not promised for them alone",
    ]


def test_the_command_line_groups_by_a_column(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["id,sensor,split,line"]
    for i in range(90):
        np.savetxt(tmp_path / f"{i}.csv", rng.normal(size=(40, 2)), delimiter=",", header="a,b", comments="")
        lines.append(f"c{i},{i}.csv,{'train' if i < 72 else 'test'},{1 + i % 2}")
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n")
    config = {"parts": {"sensor": {"encoder": "windows", "detector": "knn"}}, "false_alarm_rate": 0.1, "folds": 3}
    (tmp_path / "c.yaml").write_text(json.dumps(config))
    given = ["--data", str(tmp_path / "m.csv")]
    runner, where = CliRunner(), str(tmp_path / "run")
    said = runner.invoke(app, ["fit", *given, "--run", where, "--config", str(tmp_path / "c.yaml"), "--by", "lines"])
    assert said.exit_code == 1
    assert "there is no column 'lines' to group cases by" in str(said.exception)
    said = runner.invoke(app, ["fit", *given, "--run", where, "--config", str(tmp_path / "c.yaml"), "--by", "line"])
    assert said.exit_code == 0, said.output
    assert "the rate of 10 % holds within each of 1 (" in said.output
    assert "columns that decide nothing" not in said.output  # the one that there is says the groups
    assert runner.invoke(app, ["score", where, *given]).exit_code == 0
    made = Run.open(where)
    assert made.by == "line"
    assert {(f.group, f.guarantee.within) for f in made.findings()} == {("1", True), ("2", True)}
    made.close()
    said = runner.invoke(app, ["check", str(tmp_path / "m.csv"), "--by", "line", "--config", str(tmp_path / "c.yaml")])
    assert "the rate of 10 % holds within each of 1 (" in said.output
