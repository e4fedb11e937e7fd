"""A section whose query fails costs its own place in the report, never the report."""

import json

import pytest
from mmdmad.agents.investigator import Investigator
from typer.testing import CliRunner

from mmdmad.ask import base
from mmdmad.cli import app
from mmdmad.errors import ConfigError
from mmdmad.report import write_report
from mmdmad.store.run import Run

ERRORS = {"KeyError: 'x'": KeyError("x"), "not today": ConfigError("not today"), "RuntimeError": RuntimeError()}


@pytest.fixture(params=list(ERRORS))
def failing(request):
    """A query with a heading that raises; what is to be said of it."""
    base.queries()

    @base.query("failing", asked=("failing thing",), section="Failing things")
    def failing(scope: base.Scope, asked: base.Arguments) -> base.Result:
        """Says nothing."""
        raise ERRORS[request.param]

    yield f"failing: {request.param}"
    base._REGISTRY.remove("failing")


@pytest.fixture
def run(tmp_path):
    made = Run.create(tmp_path / "run", {"false_alarm_rate": 0.05})
    yield made
    made.close()


@pytest.mark.parametrize("suffix", [".html", ".md", ".json"])
def test_the_report_is_written_and_the_section_says_what_failed(failing, run, tmp_path, suffix):
    with pytest.warns(RuntimeWarning, match="Failing things: This section failed"):
        page = write_report(run, tmp_path / f"report{suffix}").read_text()
    assert "Failing things" in page
    assert failing.replace("'", "&#39;") in page or failing in page
    if suffix == ".json":
        section = next(s for s in json.loads(page)["sections"] if s["title"] == "Failing things")
        assert section["failed"]


def test_the_command_says_it_at_its_end_and_ends_with_3(failing, run):
    ended = CliRunner().invoke(app, ["report", str(run.path)])
    assert ended.exit_code == 3
    assert "report: " in ended.output
    lines = [line for line in ended.output.splitlines() if line.startswith("mmdmad: ")]
    assert lines == [f"mmdmad: Failing things: This section failed: {failing}"]
    assert (run.path / "report.html").is_file()


def test_the_chat_answers_in_one_line(failing, run, tmp_path):
    investigator = Investigator(run, thread="t", folder=tmp_path)
    answer = investigator.ask("What about the failing thing?").text
    investigator.close()
    assert answer in (f"I cannot answer that: {failing}.", "I cannot answer that: not today.")
