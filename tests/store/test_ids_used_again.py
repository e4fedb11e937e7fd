"""An id that is used again: nothing that was judged is erased unasked, and no verdict outlives its file."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
from mmdmad.agents.investigator import Investigator
from typer.testing import CliRunner

from mmdmad.cases import Case, Cases, Part, Refusal
from mmdmad.cli import app
from mmdmad.errors import ManifestError, PartError
from mmdmad.findings import Evidence, Fact, Finding, Guarantee, PartFinding
from mmdmad.manifest import read_cases
from mmdmad.parts import read
from mmdmad.report import write_report
from mmdmad.report.model import build
from mmdmad.store import serial
from mmdmad.store.run import Run


class Double:
    """Flags texts with "bad" in them; refuses what cannot be read, and texts with "torn" in them."""

    parts_: ClassVar = ("text",)
    joint_scores: ClassVar = dict

    def finding(self, case: Case, rate: float, artifacts: Path | None) -> Finding:
        texts, refused = {}, []
        for m, part in case.parts.items():
            try:
                texts[m] = read(part).text
                if "torn" in texts[m]:
                    del texts[m]
                    raise PartError("torn in the middle", part=m)
            except PartError as error:
                refused.append(Refusal(case.id, m, error.reason))
        if not texts:
            reasons = "; ".join(f"{r.part}: {r.reason}" for r in refused)
            raise PartError(f"no part can be judged ({reasons})", part="case", case_id=case.id, refused=tuple(refused))
        p = 0.01 if any("bad" in t for t in texts.values()) else 0.5
        verdict = "anomalous" if p < 0.05 else "normal"
        facts = (Fact(name="case", value=case.id), Fact(name="p-value", value=p), Fact(name="verdict", value=verdict))
        return Finding(
            case_id=case.id,
            time=case.time,
            group=case.group,
            label=case.label,
            verdict=verdict,
            score=1 / p,
            p_value=p,
            guarantee=Guarantee(rate=0.05, size=99, interval=(0.0, 0.1), pattern=tuple(texts)),
            parts=tuple(PartFinding(modality=m, score=1, p_value=p, share=1, encoder="e", detector="d") for m in texts),
            evidence=(Evidence(id="E1", kind="verdict", caption=f"Case {case.id} is {verdict}.", facts=facts),),
            refused=tuple(f"{r.part}: {r.reason}" for r in refused),
        )


@pytest.fixture
def run(tmp_path):
    made = Run.create(tmp_path / "run", {"false_alarm_rate": 0.05})
    made._model = Double()
    yield made
    made.close()


def texts(folder: Path, **content: str) -> Cases:
    folder.mkdir(exist_ok=True)
    cases = []
    for case_id, words in content.items():
        (folder / f"{case_id}.txt").write_text(words)
        cases.append(Case(case_id, {"text": Part("text", folder / f"{case_id}.txt")}))
    return Cases(tuple(cases))


def verdicts(run: Run) -> dict[str, str]:
    return {f.case_id: f.verdict for f in run.findings()}


def test_the_second_day_does_not_erase_the_first(run, tmp_path):
    first = run.score(texts(tmp_path / "one", c1="fine", c2="bad"))
    assert (first.done, first.refused) == (2, ())
    before = [f.model_dump_json() for f in run.findings()]
    second = run.score(texts(tmp_path / "two", c1="other", c2="all well", c3="bad too"))
    assert (second.done, second.skipped) == (1, 0)
    told = {r.case_id: r.reason for r in second.refused}
    assert set(told) == {"c1", "c2"}
    for word in (
        "judged before (anomalous, p = 0.01) from other files",
        "another id",
        "another run folder",
        "--replace",
    ):
        assert word in told["c2"]
    assert [f.model_dump_json() for f in run.findings() if f.case_id != "c3"] == before
    assert set(run.refusals()) == set(second.refused)
    again = run.score(texts(tmp_path / "one", c1="fine", c2="bad"))
    assert (again.done, again.skipped, again.refused) == (0, 2, ())


def test_other_content_in_the_same_place_is_refused_too(run, tmp_path):
    run.score(texts(tmp_path / "day", c1="bad"))
    scored = run.score(texts(tmp_path / "day", c1="all well"))
    assert scored.done == 0
    assert "from other content" in scored.refused[0].reason
    assert verdicts(run) == {"c1": "anomalous"}
    values = (
        Cases((Case("m", {"text": Part("text", value="bad")}),)),
        Cases((Case("m", {"text": Part("text", value="x")}),)),
    )
    assert run.score(values[0]).done == 1
    assert "from other content" in run.score(values[1]).refused[0].reason


def test_with_replace_the_later_finding_takes_the_place(run, tmp_path):
    run.score(texts(tmp_path / "one", c1="bad", c2="fine"))
    scored = run.score(texts(tmp_path / "two", c1="all well", c2="bad"), replace=True)
    assert (scored.done, scored.refused) == (2, ())
    assert verdicts(run) == {"c1": "normal", "c2": "anomalous"}
    assert run.case("c1").parts["text"].path == (tmp_path / "two" / "c1.txt").resolve()


def test_the_same_content_is_the_same_case_wherever_it_lies(run, tmp_path):
    run.score(texts(tmp_path / "one", c1="bad"))
    before = run.findings()[0].model_dump_json()
    moved = run.score(texts(tmp_path / "two", c1="bad"))
    assert (moved.done, moved.skipped, moved.refused) == (0, 1, ())
    assert run.findings()[0].model_dump_json() == before


def test_another_label_time_or_group_is_no_other_content(run, tmp_path):
    cases = texts(tmp_path / "one", c1="bad")
    run.score(cases)
    when = datetime(2026, 3, 1, tzinfo=UTC)
    relabelled = Cases((replace(cases[0], label=1, time=when, group="A"),))
    assert run.score(relabelled).done == 1
    (found,) = run.findings()
    assert (found.label, found.time, found.group, found.verdict) == (1, when, "A", "anomalous")


@pytest.mark.parametrize("broken", ["", "  \n ", "torn"])
def test_the_verdict_of_a_file_that_was_replaced_by_a_broken_one_is_withdrawn(run, tmp_path, broken):
    run.score(texts(tmp_path / "day", c1="bad", c2="bad"))
    scored = run.score(texts(tmp_path / "day", c1=broken, c2="bad"))
    assert (scored.done, scored.skipped) == (0, 1)
    (refused,) = scored.refused
    assert (refused.case_id, refused.part) == ("c1", "case")
    assert verdicts(run) == {"c2": "anomalous", "c1": "no verdict"}
    assert run.count(verdict="anomalous") == 1
    found = run.finding("c1")
    assert "was judged anomalous before, with joint p-value 0.01" in found.evidence[0].caption
    assert "replaced" in found.guarantee.note
    assert run.refusals() == [refused]
    # and it stays so, until the file can be used again
    assert run.score(texts(tmp_path / "day", c1=broken)).done == 0
    assert verdicts(run)["c1"] == "no verdict"
    mended = run.score(texts(tmp_path / "day", c1="bad"))
    assert (mended.done, mended.refused) == (1, ())
    assert verdicts(run)["c1"] == "anomalous"
    assert run.refusals() == []


def test_a_verdict_is_withdrawn_where_one_of_its_parts_is_broken_now(run, tmp_path):
    (case,) = texts(tmp_path / "day", c1="bad")
    (tmp_path / "day" / "log.txt").write_text("fine")
    both = Cases((replace(case, parts={**case.parts, "image": Part("text", tmp_path / "day" / "log.txt")}),))
    run.score(both)
    (tmp_path / "day" / "log.txt").write_text("")
    scored = run.score(both)
    assert scored.done == 0
    assert "image: log.txt is empty" in scored.refused[0].reason
    assert verdicts(run) == {"c1": "no verdict"}
    assert run.score(both, replace=True).done == 1  # what is left of it
    assert run.finding("c1").pattern == ("text",)


def test_other_files_that_cannot_be_used_leave_the_earlier_verdict(run, tmp_path):
    run.score(texts(tmp_path / "one", c1="bad"))
    scored = run.score(texts(tmp_path / "two", c1=""))
    assert "from other files" in scored.refused[0].reason
    assert verdicts(run) == {"c1": "anomalous"}


def test_a_withdrawn_verdict_is_told_everywhere(run, tmp_path):
    run.score(texts(tmp_path / "day", **{f"c{i}": "bad" if i < 4 else "fine" for i in range(1, 8)}))
    run.score(texts(tmp_path / "day", c2=""))
    for suffix in ("html", "md"):
        page = write_report(run, tmp_path / f"r.{suffix}").read_text()
        assert "2 of 7 cases are flagged" in page
        assert "is empty (0 bytes)" in page
    report = build(run)
    assert [f.case_id for f in report.findings] == ["c1", "c3"]
    assert report.no_verdict == 1
    run.export(tmp_path / "t.csv")
    row = pd.read_csv(tmp_path / "t.csv").set_index("case_id").loc["c2"]
    assert row["verdict"] == "no verdict"
    assert "is empty" in row["refused"]
    answer = Investigator(run, thread="a").ask("How many cases are flagged?").text
    assert "2" in answer
    about = Investigator(run, thread="b").ask("Why was case c2 flagged?").text
    assert "is flagged" not in about.replace("is flagged as anomalous with", "")
    assert run.finding("c2")._repr_html_()


def test_two_cases_of_one_id_in_one_call(run):
    def case(words: str) -> Case:
        return Case("c1", {"text": Part("text", value=words)})

    scored = run.score(Cases((case("bad"), case("fine"), case("bad"))))
    assert (scored.done, scored.skipped) == (1, 1)
    assert [r.reason for r in scored.refused] == [
        "two cases of this id were given, with other content; give each its own id"
    ]
    assert verdicts(run) == {"c1": "anomalous"}


def test_a_manifest_that_holds_an_id_twice_is_refused_with_its_rows(tmp_path):
    (tmp_path / "m.csv").write_text("id,text\na,one\nb,two\n a ,three\n")
    with pytest.raises(ManifestError, match="rows 1 and 3 have the same id 'a'"):
        read_cases(tmp_path / "m.csv")


def test_the_command_line_refuses_and_replaces(run, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "model", Double())

    def score(name: str, words: str, *more: str):
        (tmp_path / name).write_text(f"id,text\nc1,{words}\n")
        return CliRunner().invoke(app, ["score", str(run.path), "--data", str(tmp_path / name), *more])

    assert score("one.csv", "bad").exit_code == 0
    refused = score("two.csv", "fine", "--out", str(tmp_path / "t.jsonl"))
    assert refused.exit_code == 3
    assert "case c1, case: the id was judged before (anomalous, p = 0.01)" in refused.output
    assert json.loads((tmp_path / "t.jsonl").read_text())["verdict"] == "anomalous"
    assert score("two.csv", "fine", "--replace").exit_code == 0
    assert verdicts(run) == {"c1": "normal"}


def test_the_recording_of_a_case_is_kept() -> None:
    case = Case("a", {"text": Part("text", value="x")}, recording="pump.log")
    assert serial.case_from_json("a", serial.case_to_json(case)).recording == "pump.log"
