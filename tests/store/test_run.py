import csv
import json
import random
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mmdmad.cases import Case, Cases, Part, Refusal
from mmdmad.errors import RunError
from mmdmad.findings import Explanation, Sentence
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.store.run import Run

CONFIG = {"false_alarm_rate": 0.01, "parts": {"image": {"detector": "dte-np"}}}
START = datetime(2026, 3, 1, 6, tzinfo=UTC)


def make_cases(ids: list[str], *, simulated: bool = False, **known) -> Cases:
    items = [
        Case(
            id,
            {"text": Part("text", value=f"text of {id}")},
            START + timedelta(minutes=i),
            0,
            "test",
            "AB"[i % 2],
            i + 1,
        )
        for i, id in enumerate(ids)
    ]
    return Cases(tuple(items), extra={"simulated": True} if simulated else {}, **known)


@pytest.fixture
def run(tmp_path, samples, normals):
    made = Run.create(tmp_path / "run", CONFIG)
    made._model = samples.FakeModel(normals)
    yield made
    made.close()


IDS = ["ok-1", "bad-1", "ok-2", "bad-odd-2", "broken-1", "blind-ok-3", "ok-4"]


@pytest.fixture
def scored(run):
    run.score(make_cases(IDS))
    return run


def test_score_stores_every_case_once_and_lists_what_was_refused(run):
    unread = Refusal("lost", "image", "no such file", 9)
    done = run.score(make_cases(IDS, refused=(unread,)), progress=True)
    assert (done.done, done.skipped) == (6, 0)
    assert set(done.refused) == {
        unread,
        Refusal("broken-1", "case", "the picture ends too early", 5),
        Refusal("blind-ok-3", "video", "no frames: empty file", 6),
    }
    assert {f.case_id for f in run.findings()} == set(IDS) - {"broken-1"}
    assert set(run.refusals()) == set(done.refused)


def test_scored_again_nothing_is_judged_twice(scored):
    before = [f.model_dump_json() for f in scored.findings()]
    scored._model.calls.clear()
    done = scored.score(make_cases(IDS))
    assert (done.done, done.skipped) == (0, 6)
    assert scored._model.calls == ["broken-1"]  # a refused case is tried again: its file may have been repaired
    assert [f.model_dump_json() for f in scored.findings()] == before
    assert len(scored.refusals()) == 2


def test_changed_file_is_judged_again_if_it_shall_be_and_a_touched_one_is_not(run, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("first text")
    cases = Cases((Case("ok-a", {"text": Part("text", path=file)}),))
    assert run.score(cases).done == 1
    run.feedback("ok-a", "false alarm", "looks fine", "Kim")
    file.touch()
    assert run.score(cases).done == 0
    file.write_text("other text")
    assert run.score(cases).done == 0
    assert run.score(cases, replace=True).done == 1
    assert run.count() == 1
    assert [f.label for f in run.feedbacks("ok-a")] == ["false alarm"]
    assert run.case("ok-a").parts["text"].path == file.resolve()


def test_repaired_case_leaves_the_refusals(run, samples, normals, monkeypatch):
    cases = make_cases(["broken-1"])
    assert len(run.score(cases).refused) == 1
    finding = samples.FakeModel(normals).finding(make_cases(["ok-1"])[0])
    monkeypatch.setattr(
        run._model, "finding", lambda case, rate, artifacts: finding.model_copy(update={"case_id": case.id})
    )
    assert run.score(cases).refused == ()
    assert run.refusals() == []
    assert run.count() == 1


def test_filters_and_orders(scored):
    def ids(**filters):
        return [f.case_id for f in scored.findings(**filters)]

    assert set(ids(verdict="anomalous")) == {"bad-1", "bad-odd-2"}
    assert set(ids(part="sensor")) == {"bad-1", "bad-odd-2"}
    assert ids(part="text") == []
    assert ids(contradictory=True) == ["bad-odd-2"]
    assert set(ids(group="A")) == {"ok-1", "ok-2", "ok-4"}
    assert ids(since=START + timedelta(minutes=5), order="time") == ["blind-ok-3", "ok-4"]
    assert ids(until=START + timedelta(minutes=1)) == ["ok-1"]
    assert ids(order="id") == sorted(set(IDS) - {"broken-1"})
    assert ids(order="-time")[0] == "ok-4"
    assert ids(order="id", limit=2, offset=1) == ["bad-odd-2", "blind-ok-3"]
    p_values = [f.p_value for f in scored.findings()]
    assert p_values == sorted(p_values)
    assert scored.count() == 6
    assert scored.count(verdict="anomalous", group="B", contradictory=False) == 1
    assert scored.groups() == ["A", "B"]


def test_naive_and_aware_times_filter_alike(scored):
    naive = (START + timedelta(minutes=5)).replace(tzinfo=None)
    assert scored.count(since=naive) == scored.count(since=START + timedelta(minutes=5)) == 2


@pytest.mark.parametrize("wrong", [{"verdict": "bad"}, {"part": "audio"}, {"order": "name; drop table cases"}])
def test_unknown_filters_are_refused_with_the_known_ones(scored, wrong):
    with pytest.raises(RunError, match="allowed are"):
        scored.findings(**wrong)


@pytest.mark.parametrize("case_id", ["a'; DROP TABLE cases; --", "../../up", "ünï ☃", "a\nb", "<script>", " "])
def test_any_case_id_is_stored_and_found(run, case_id):
    run.score(make_cases([case_id + "bad"]))
    finding = run.finding(case_id + "bad")
    assert finding.case_id == case_id + "bad"
    for e in finding.evidence:
        if e.artifact:
            assert run.artifact(e.artifact).is_file()
    assert [p.name for p in run.path.parent.iterdir()] == ["run"]


def test_config_is_kept_and_another_one_refused(run):
    again = Run.open(run.path)
    assert again.config == CONFIG
    assert {"python", "mmdmad", "torch"} <= set(again.versions)
    again.check_config({**CONFIG})
    with pytest.raises(RunError, match=r"parts\.image\.detector: 'dte-np' there, 'knn' given"):
        again.check_config({**CONFIG, "parts": {"image": {"detector": "knn"}}})
    with pytest.raises(RunError, match="already holds a run"):
        Run.create(run.path, CONFIG)


def test_another_false_alarm_rate_is_refused(scored):
    assert scored.false_alarm_rate == 0.01
    with pytest.raises(RunError, match=r"declared false-alarm rate of 0\.01"):
        scored.score(make_cases(["new"]), false_alarm_rate=0.05)
    for outside in (1.5, 0.50001, 0.00009, 0.0):
        with pytest.raises(RunError, match=r"allowed is a rate from 0\.0001 to 0\.5"):
            scored.score(make_cases(["new"]), false_alarm_rate=outside)


def test_folders_that_are_no_runs_are_refused(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        Run.open(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError, match="is a file"):
        Run.create(tmp_path / "file", CONFIG)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        Run.open(broken)


def test_artifacts_stay_inside_the_run(scored):
    (scored.path / "artifacts" / "link").symlink_to("/etc")
    for path in ("../secret", "/etc/passwd", "artifacts/../../x", "artifacts/link/passwd", "../run-2/x"):
        with pytest.raises(RunError, match="leads out of"):
            scored.artifact(path)
    for path in ("a\0b", "\ud800", "x" * 5000):
        with pytest.raises(RunError, match="is not a path"):
            scored.artifact(path)


def test_model_of_an_unfitted_run(tmp_path):
    run = Run.create(tmp_path / "run", CONFIG)
    assert not run.fitted
    with pytest.raises(RunError, match="no fitted model"):
        _ = run.model


class FakeDetector:
    """Stands in for JointDetector in `fit`: remembers its calls, can stop in the middle."""

    fits, stop = 0, False

    def __init__(self, config) -> None:
        self.config = config

    @classmethod
    def from_config(cls, config):
        return cls(config)

    def fit(self, cases, *, work, progress):
        type(self).fits += 1
        work.mkdir(parents=True, exist_ok=True)
        if type(self).stop:
            raise KeyboardInterrupt
        self.refused_ = (Refusal(cases[0].id, "image", "truncated", 1),)
        return self

    def save(self, folder):
        folder.mkdir(parents=True)
        (folder / "pipeline.json").write_text("{}")

    @classmethod
    def load(cls, folder):
        assert json.loads((folder / "pipeline.json").read_text()) == {}
        return cls(PipelineConfig.load(CONFIG))


def test_fit_is_resumed_with_the_same_cases_only(tmp_path, monkeypatch):
    import mmdmad.pipeline.detector

    detector, measured = type("Fresh", (FakeDetector,), {}), []
    monkeypatch.setattr(mmdmad.pipeline.detector, "JointDetector", detector)
    monkeypatch.setattr(Run, "measure_sensitivity", lambda self, seconds: measured.append(seconds))
    monkeypatch.setattr(
        mmdmad.pipeline.detector, "PipelineConfig", type("Config", (), {"model_validate": staticmethod(dict)})
    )
    cases, run = make_cases(["a", "b", "c"]).where(split="test"), Run.create(tmp_path / "run", CONFIG)
    detector.stop = True
    with pytest.raises(KeyboardInterrupt):
        run.fit(cases)
    assert not run.fitted
    with pytest.raises(RunError, match="unfinished fit"):
        Run.open(run.path).fit(cases)
    with pytest.raises(RunError, match="other cases"):
        Run.open(run.path).fit(make_cases(["a", "b"]).where(split="test"), resume=True)
    detector.stop = False
    again = Run.open(run.path).fit(cases, resume=True)
    assert again.fitted
    assert isinstance(Run.open(run.path).model, detector)
    assert again.refusals() == [Refusal("a", "image", "truncated", 1)]
    again.fit(cases, resume=True)
    assert detector.fits == 2
    assert len(measured) == 1
    with pytest.raises(RunError, match="fitted already"):
        again.fit(cases)


def test_a_configuration_changed_since_the_fit_is_refused(tmp_path, monkeypatch):
    import mmdmad.pipeline.detector

    monkeypatch.setattr(mmdmad.pipeline.detector, "JointDetector", FakeDetector)
    run = Run.create(tmp_path / "run", {**CONFIG, "false_alarm_rate": 0.2})
    FakeDetector(None).save(run.path / "model")
    with pytest.raises(RunError, match=r"config.json was changed since the fit \(false_alarm_rate: 0.01 there, 0.2"):
        _ = run.model
    run.close()


def test_explanation_is_stored_with_its_finding(scored):
    words = Explanation(
        sentences=(Sentence(text="It spikes.", cites=("E2",), grounded=True),),
        faithfulness=1.0,
        llm="offline",
        prompt="p",
    )
    scored.set_explanation("bad-1", words)
    assert Run.open(scored.path).finding("bad-1").explanation == words
    with pytest.raises(RunError, match="was not judged"):
        scored.set_explanation("nobody", words)


def test_feedback_is_recorded_and_moves_nothing(scored):
    before = scored.finding("bad-1")
    scored.feedback("bad-1", "confirmed", "bearing replaced", "Sam")
    (said,) = scored.feedbacks("bad-1")
    assert (said.label, said.note, said.who) == ("confirmed", "bearing replaced", "Sam")
    assert scored.finding("bad-1") == before
    with pytest.raises(RunError, match="was not judged"):
        scored.feedback("nobody", "confirmed")


def test_simulated_is_said_on_every_finding(run):
    run.score(make_cases(["ok-1"], simulated=True))
    assert run.simulated
    assert run.finding("ok-1").simulated


def test_cases_come_back_with_their_parts(run, tmp_path):
    (tmp_path / "t.csv").write_text("a\n1\n2\n3\n")
    part = Part("sensor", path=tmp_path / "t.csv", start=1, stop=3, rate=50.0)
    given = Case("ok-x", {"text": Part("text", value="hello"), "sensor": part}, START, 1, "test", "A", 4)
    run.score(Cases((given,)))
    back = run.case("ok-x")
    assert (back.time, back.label, back.split, back.group, back.row) == (START, 1, "test", "A", 4)
    assert back.parts["text"].value == "hello"
    assert (back.parts["sensor"].start, back.parts["sensor"].stop, back.parts["sensor"].rate) == (1, 3, 50.0)


def test_export_holds_every_finding(scored, tmp_path):
    import pandas as pd

    scored.export(tmp_path / "t.parquet")
    table = pd.read_parquet(tmp_path / "t.parquet")
    assert table["case_id"].tolist() == [f.case_id for f in scored.findings()]
    assert table.set_index("case_id").loc["bad-1", "verdict"] == "anomalous"
    assert pd.isna(table.set_index("case_id").loc["blind-ok-3", "video_p_value"])
    scored.export(tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(r["p_value"]) for r in rows] == table["p_value"].tolist()
    scored.export(tmp_path / "t.jsonl")
    lines = (tmp_path / "t.jsonl").read_text().splitlines()
    assert [json.loads(line)["case_id"] for line in lines] == table["case_id"].tolist()
    with pytest.raises(RunError, match=r"\.parquet, \.csv, \.jsonl"):
        scored.export(tmp_path / "t.xlsx")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "t.csv", "t.jsonl", "t.parquet"]


def test_readers_go_on_while_another_writes(run):
    seen, problems, stop = [], [], threading.Event()

    def read():
        try:
            reader = Run.open(run.path)
            while not stop.is_set():
                seen.append(reader.count())
                assert len(reader.findings(verdict="anomalous")) <= 10
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    run.score(make_cases([f"{'bad' if i % 3 == 0 else 'ok'}-{i}" for i in range(12)]))
    stop.set()
    for thread in threads:
        thread.join()
    assert not problems
    assert max(seen) <= 12 == run.count()


SCRIPT = """
import importlib.util, sys
from pathlib import Path
def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
tests = Path(sys.argv[1])
samples, store = load("samples", tests / "samples.py"), load("test_run", tests / "store" / "test_run.py")
from mmdmad.explain.normal import Normal
from mmdmad.store.run import Run
run = Run.open(sys.argv[2])
run._model = samples.FakeModel(Normal.load(sys.argv[3]), pause=0.01)
print("ready", flush=True)
run.score(store.make_cases(store.KILL_IDS))
"""
KILL_IDS = [f"{'bad' if i % 4 == 0 else 'broken' if i % 7 == 0 else 'ok'}-{i}" for i in range(24)]


def test_killed_at_random_moments_and_resumed_nothing_is_lost_or_doubled(tmp_path, samples, normals):
    normals.save(tmp_path / "normals")
    calm = Run.create(tmp_path / "calm", CONFIG)
    calm._model = samples.FakeModel(normals)
    calm.score(make_cases(KILL_IDS))
    run = Run.create(tmp_path / "killed", CONFIG)
    run.close()
    arguments = [sys.executable, "-c", SCRIPT, str(Path(__file__).parents[1]), str(run.path), str(tmp_path / "normals")]
    random_moment = random.Random(0)
    for _ in range(4):
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(random_moment.uniform(0.02, 0.5))
            process.kill()
    subprocess.run(arguments, check=True, capture_output=True)
    again = Run.open(run.path)
    assert [f.model_dump_json() for f in again.findings(order="id")] == [
        f.model_dump_json() for f in calm.findings(order="id")
    ]
    assert again.refusals() == calm.refusals()
    drawn = {e.artifact for f in again.findings() for e in f.evidence if e.artifact}
    assert drawn
    for name in drawn:
        assert again.artifact(name).read_bytes() == calm.artifact(name).read_bytes()
