"""From a fit to every place that tells of a lapse: the command, the report's three forms, the chat's queries."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mmdmad.ask.base import Scope, ask
from mmdmad.cli import app
from mmdmad.report import write_report
from mmdmad.store.run import Run

pytestmark = pytest.mark.usefixtures("tiny")
START = datetime(2026, 4, 1, 6, tzinfo=UTC)
PIPELINE = """
parts: {image: {encoder: tiny-image, detector: knn, detector_params: {top: 0.1}}}
false_alarm_rate: 0.05
"""


def call(*words: object) -> str:
    said = CliRunner().invoke(app, [str(word) for word in words])
    assert said.exit_code == 0, said.output
    return said.output


def picture(folder: Path, name: str, rng: np.random.Generator, brighter: float) -> str:
    pixels = rng.normal(90 + rng.normal(0, 6) + brighter, 8, (16, 16, 3)).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(folder / f"{name}.png")
    return f"{name}.png"


def manifest(folder: Path, name: str, count: int, *, first: int = 0, brighter: float = 0.0, timed: bool = True) -> Path:
    rng = np.random.default_rng([first, count])
    rows = ["id,image,time"]
    for i in range(first, first + count):
        time = (START + timedelta(minutes=i)).isoformat() if timed else ""
        rows.append(f"{name}-{i:03d},{picture(folder, f'{name}-{i:03d}', rng, brighter)},{time}")
    (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")
    return folder / f"{name}.csv"


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("lapse")
    (folder / "p.yaml").write_text(PIPELINE)
    normal = manifest(folder, "normal", 240)
    call("fit", "--data", normal, "--run", folder / "fitted", "--config", folder / "p.yaml")
    return folder


@pytest.fixture(scope="module")
def moved(home: Path) -> tuple[Path, str]:
    """A run whose normal has moved, and what the command said of it."""
    run = home / "moved"
    shutil.copytree(home / "fitted", run)
    still = manifest(home, "still", 60)
    assert "Watched for drift: 60 cases in the order of time, no sign that normal" in call(
        "score", run, "--data", still
    )
    return run, call("score", run, "--data", manifest(home, "later", 100, first=60, brighter=14.0))


def test_the_command_says_since_when(moved):
    run, said = moved
    with_lapse = said.splitlines()[-1]
    opened = Run.open(run)
    lapse = opened.watch.lapse
    assert START + timedelta(minutes=60) <= datetime.fromisoformat(lapse.since + "+00:00")
    assert with_lapse == f"{opened.watch.words}"
    assert with_lapse.startswith(f"The guarantee has lapsed since {lapse.since}: either normal has moved, or more than")
    assert with_lapse.endswith("for verdicts from then on no rate is promised")
    opened.close()


def test_the_report_says_it_in_a_banner(moved, tmp_path):
    run, _ = moved
    opened = Run.open(run)
    words = opened.watch.words
    page = write_report(opened, tmp_path / "r.html").read_text()
    assert f'<div class="banner lapsed" role="alert">{words}.</div>' in page
    assert page.index("banner lapsed") < page.index("<h1")
    text = write_report(opened, tmp_path / "r.md").read_text()
    assert text.index("**The guarantee has lapsed since") < text.index("cases are flagged")
    data = json.loads(write_report(opened, tmp_path / "r.json").read_text())
    assert (data["lapsed"], data["watched"]) == (True, words)
    assert page.count("the rate is not promised: the guarantee has lapsed") == 0  # said once, for the whole run
    opened.close()


def test_the_chat_says_it_first(moved):
    run, _ = moved
    opened = Run.open(run)
    found = ask(Scope(opened), "overview")
    assert found.lapsed
    assert found.evidence[0].evidence.caption == f"{opened.watch.words}."
    assert {f.name for f in found.evidence[0].evidence.facts} == {"lapsed since", "evidence since"}
    for question in ("Give me an overview.", "Does the guarantee still hold?"):
        assert call("chat", run, "--ask", question).startswith("The guarantee has lapsed since")
    opened.close()


def test_the_words_for_a_finding_say_it_and_are_grounded(moved):
    opened = Run.open(moved[0])
    case_id = opened.findings(order="-time", limit=1)[0].case_id
    said = json.loads(call("explain", moved[0], case_id, "--json"))
    assert said["faithfulness"] == 1.0
    assert any("The guarantee has lapsed since" in sentence["text"] for sentence in said["sentences"])
    opened.close()


def test_new_files_get_no_promise_after_a_lapse(moved, home):
    opened = Run.open(moved[0])
    found = ask(Scope(opened, home), "score_files", files={"image": "normal-000.png"})
    assert not found.judged.guarantee.valid
    assert found.judged.guarantee.note.startswith("the guarantee has lapsed since")
    opened.close()


def test_without_times_it_is_said_once_and_nothing_lapses(home, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(home / "fitted", run)
    said = call("score", run, "--data", manifest(home, "timeless", 25, brighter=30.0, timed=False))
    assert said.splitlines()[-1].startswith("Not watched for drift: no case has a time")
    opened = Run.open(run)
    page = write_report(opened, tmp_path / "r.html").read_text()
    assert page.count("Not watched for drift") == 1
    assert 'banner lapsed"' not in page.split("</style>")[1]
    assert write_report(opened, tmp_path / "r.md").read_text().count("Not watched for drift") == 1
    found = ask(Scope(opened), "overview")
    assert not found.lapsed
    assert not any("lapsed" in one.evidence.caption for one in found.evidence)
    assert opened.count(verdict="anomalous") > 15
    opened.close()
