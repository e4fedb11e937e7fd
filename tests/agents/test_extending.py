"""docs/extending.md, to the letter: its code blocks are written out as another distribution's package and used."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mmdmad.agents.investigator import Investigator

from mmdmad.ask import base
from mmdmad.report import write_report

PAGE = (Path(__file__).parents[2] / "docs" / "extending.md").read_text()
BLOCKS = dict(re.findall(r"```python\n# (acme/\w+\.py)\n(.*?)```", PAGE, re.S))
POINTS = "\n".join(re.findall(r"```toml\n(.*?)```", PAGE, re.S))


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    """The distribution `acme` as pip would install it: its package and its entry points."""
    root = tmp_path_factory.mktemp("acme")
    for name, code in BLOCKS.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(code)
    (root / "acme" / "__init__.py").touch()
    info = root / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    points = re.sub(r'\[project\.entry-points\."([\w.]+)"\]', r"[\1]", POINTS)
    points = re.sub(r'= "([\w.:]+)"', r"= \1", points)
    points += "\n[mmdmad.encoders]\nhalves = acme.halves\n"
    (info / "entry_points.txt").write_text(points)
    return root


def said(acme: Path, code: str) -> str:
    """What a new process says in which acme is installed."""
    path = os.pathsep.join([str(acme), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_page_holds_what_it_promises():
    names = ("far_from_mean", "check_far_from_mean", "halves", "busiest_hour", "echo")
    assert set(BLOCKS) == {f"acme/{name}.py" for name in names}


def test_the_detector_is_found_keeps_the_contract_and_makes_a_pipeline(acme):
    code = (
        "import acme.check_far_from_mean\n"
        "from mmdmad.detectors.base import make_detector\n"
        "from mmdmad.pipeline.config import PipelineConfig\n"
        "import doctest, acme.far_from_mean as module\n"
        "print(doctest.testmod(module).failed, type(make_detector('far-from-mean')).__module__)\n"
    )
    assert said(acme, code) == "0 acme.far_from_mean"


def test_the_encoder_makes_spans_of_texts(acme):
    code = (
        "from mmdmad.encoders.base import make_encoder\n"
        "from mmdmad.parts import Text\n"
        "tokens = make_encoder('halves').encode(Text('abcd 12345'))\n"
        "print(tokens.values.tolist(), tokens.layout.where.tolist())\n"
    )
    assert said(acme, code) == "[[5.0, 0.0], [5.0, 5.0]] [[0.0, 5.0], [5.0, 10.0]]"


def test_the_chat_model_is_made_by_its_spec(acme):
    code = "from mmdmad.agents.llms import make_llm; print(make_llm('acme:small').invoke('Is this normal?').text)"
    assert said(acme, code) == "small has nothing to say."


@pytest.fixture
def busiest(acme, monkeypatch):
    """The page's query in this process, for one test."""
    base.queries()
    monkeypatch.syspath_prepend(str(acme))
    import acme.busiest_hour

    yield base.queries()["busiest_hour"]
    base._REGISTRY.remove("busiest_hour")
    for name in [m for m in sys.modules if m.split(".")[0] == "acme"]:
        del sys.modules[name]


def test_the_query_is_answered_in_the_chat_and_is_a_section_of_the_report(busiest, fake_run, tmp_path):
    found = busiest(base.Scope(fake_run), most=2)
    assert len(found.evidence) == 2
    investigator = Investigator(fake_run, thread="t", folder=tmp_path)
    answer = investigator.ask("Which is the busiest hour?").text
    investigator.close()
    assert all(cited.evidence.caption.rstrip(".") in answer for cited in found.evidence)
    page = write_report(fake_run, tmp_path / "report.md").read_text()
    assert "Busiest hours" in page
