"""What `mmdmad check` reads, decides and prints."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mmdmad.checking import check, check_path
from mmdmad.checking.advice import estimate
from mmdmad.cli import app
from mmdmad.pipeline.config import PipelineConfig
from tests.checking.samples import SMALL, cases_of, look, said, scene, table


def test_what_cannot_be_read_and_what_is_missing_is_told(tmp_path: Path) -> None:
    for i in range(9):
        Image.fromarray(scene(i)).save(tmp_path / f"{i}.png")
        (tmp_path / f"{i}.txt").write_text("all is well")
    (tmp_path / "3.png").write_bytes(b"no picture")
    (tmp_path / "4.txt").unlink()
    (report,) = check_path([tmp_path], estimate=False)
    assert said(report, "refused").cases == ("3",)
    assert said(report, "missing parts").cases == ("4",)
    assert (report.refused, report.parts[0].unreadable) == (1, 1)
    assert report.patterns == {"image + text": 8, "image": 1}


def test_an_open_question_stops_and_ends_with_1(tmp_path: Path) -> None:
    for name in ("good/a.txt", "hook/b.txt", "ground_truth/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"the words of {name}")
    result = CliRunner().invoke(app, ["check", str(tmp_path), "--no-estimate"])
    assert result.exit_code == 1
    assert "STOP  the folders 'hook' (1 case) do not say whether they are normal" in result.output
    assert "to learn from: 0 cases" in result.output
    assert "hook               1  its name says nothing: not learned" in result.output
    result = CliRunner().invoke(app, ["check", str(tmp_path), "--no-estimate", "--json", "--normal", "good"])
    (report,) = json.loads(result.output)
    assert (report["learned"], report["left"]) == (1, {"they do not lie below good": 1})
    assert {f["folder"]: (f["role"], f["learned"]) for f in report["folders"]} == {
        "good": ("normal", 1),
        "ground_truth": ("mask", 0),
        "hook": ("?", 0),
    }


def test_bare_files_are_looked_at_and_manifests_are_known_by_their_id(tmp_path: Path) -> None:
    (tmp_path / "pump.csv").write_text("time,x [bar]\n" + "".join(f"{i},{i % 7}\n" for i in range(30)))
    (tmp_path / "app.log").write_text("started\nstopped\n")
    (tmp_path / "m.csv").write_text("id,text,split\na,words,train\n")
    bare, manifest = sorted(
        check_path([tmp_path / n for n in ("pump.csv", "m.csv", "app.log")], estimate=False), key=lambda r: -r.cases
    )
    assert (bare.source, bare.patterns) == ("2 files", {"sensor": 1, "text": 1})
    assert manifest.splits == {"train": 1}
    assert [c.units for k in bare.parts for c in k.channels] == [{"bar": 1}]
    result = CliRunner().invoke(app, ["check", str(tmp_path / "none.csv")])
    assert "there is no file or folder" in str(result.exception)


@pytest.mark.parametrize(
    ("modality", "values", "preset"),
    [
        ("image", [scene(i) for i in range(3)], "pipelines/pictures"),
        ("text", ["a short line"] * 3, "pipelines/logs"),
        ("text", ["a long letter " * 100] * 3, "pipelines/inspection"),
        ("sensor", [table(i) for i in range(3)], "pipelines/inspection"),
    ],
)
def test_the_preset_fits_what_is_there(modality: str, values: list, preset: str) -> None:
    assert look(cases_of(modality, values)).preset == preset


def test_texts_in_files_are_as_long_as_their_files(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"{i}.txt").write_text("a long letter " * 100)
    assert check_path([tmp_path], estimate=False)[0].preset == "pipelines/inspection"
    for i in range(3):
        (tmp_path / f"{i}.txt").write_text("a short line")
    assert check_path([tmp_path], estimate=False)[0].preset == "pipelines/logs"


def test_an_estimate_that_cannot_be_made_says_why() -> None:
    report = check(cases_of("sensor", [table(i, rows=1) for i in range(30)]), config="pipelines/inspection")
    assert report.estimate is None
    assert said(report, "estimate").said.startswith("nothing could be measured: ")


def test_the_estimate_is_measured_on_what_the_configuration_names() -> None:
    tables = cases_of("sensor", [table(i) for i in range(40)])
    settings = PipelineConfig.model_validate(SMALL)
    found = estimate(tables.items, settings)
    assert found is not None
    assert (found.measured, found.seconds_a_case > 0, found.tokens > 0) == (3, True, True)
    assert found.seconds == pytest.approx(40 * found.seconds_a_case, abs=0.1)
    assert estimate(cases_of("text", ["a"]).items, settings) is None


def test_nothing_from_a_file_moves_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("id,text,split\na,x\x1b[31m,tr\x1b[31m\n")
    result = CliRunner().invoke(app, ["check", str(tmp_path / "m.csv"), "--no-estimate"])
    assert "\x1b" not in result.output


def test_windows_are_cut_before_they_are_looked_at(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = [f"{i / 10:.1f},{np.sin(i / 10) + rng.normal(0, 0.1):.4f}" for i in range(1200)]
    (tmp_path / "long.csv").write_text("time,vib\n" + "\n".join(rows) + "\n")
    result = CliRunner().invoke(app, ["check", str(tmp_path / "long.csv"), "--window", "2s", "--no-estimate", "--json"])
    (report,) = json.loads(result.output)
    assert (report["cases"], report["learned"], report["recordings"], report["proposed"]) == (60, 60, 1, {})


def test_the_same_is_said_once_and_other_columns_apart(tmp_path: Path) -> None:
    rows = ["a,x.png,words", "b,y.png,words", "c,,words"]
    (tmp_path / "m.csv").write_text("id,image,text\n" + "\n".join(rows) + "\n")
    (report,) = check_path([tmp_path / "m.csv"], estimate=False)
    assert (said(report, "refused").said, said(report, "refused").count) == (
        "image: no such file: x.png (alike in 2 cases)",
        2,
    )


def test_the_ends_of_a_check_are_told_apart(tmp_path: Path) -> None:
    rows = [f"{i},job {i} is done and paid" for i in range(60)]
    (tmp_path / "m.csv").write_text("id,text\n" + "\n".join(rows) + "\n")
    assert CliRunner().invoke(app, ["check", str(tmp_path / "m.csv"), "--no-estimate"]).exit_code == 0
    (tmp_path / "m.csv").write_text("id,text\n" + "\n".join([*rows, "a,b,c,d"]) + "\n")
    assert CliRunner().invoke(app, ["check", str(tmp_path / "m.csv"), "--no-estimate"]).exit_code == 3


def test_an_estimate_says_nothing_by_itself_and_leaves_the_log_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    tables = [table(i, notes=("a decision",)) for i in range(20)]
    log = logging.getLogger("mmdmad")
    before = log.level
    caplog.clear()
    assert estimate(cases_of("sensor", tables).items, PipelineConfig.model_validate(SMALL)) is not None
    assert not caplog.records
    assert log.level == before
