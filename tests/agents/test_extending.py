"""docs/extending.md, to the letter: its code blocks are written out as another distribution's package and used.

Its commands are run as they stand there, with a run, a case and a folder for RUN, CASE and docs.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from mmdmad.agents.investigator import Investigator

from mmdmad.ask import base
from mmdmad.detectors.base import load_detector
from mmdmad.errors import ModelError
from mmdmad.report import write_report

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text()
BLOCKS = dict(re.findall(r"```python\n# (acme/\w+\.py)\n(.*?)```", PAGE, re.S))
POINTS = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]


def entry_points() -> str:
    """What the page's pyproject.toml says, as pip writes it down: one section a group."""
    groups: dict[str, list[str]] = {}
    group = ""
    for line in "\n".join(POINTS).splitlines():
        if head := re.fullmatch(r'\[project\.entry-points\."([\w.]+)"\]', line):
            group = head[1]
        elif line:
            groups.setdefault(group, []).append(line.replace('"', ""))
    return "\n".join("\n".join([f"[{name}]", *lines]) for name, lines in groups.items())


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
    (info / "entry_points.txt").write_text(entry_points())
    (info / "top_level.txt").write_text("acme\n")
    return root


HIDE = (
    f"import sys; sys.path.append({str(ROOT / 'tests')!r}); here = sys.path.pop(0) if sys.path[0] == '' else ''\n"
    f"home = sys.path.index({{acme!r}}); sys.path.pop(home); import only_ours; only_ours.hide()\n"
    f"sys.path.insert(0, {{acme!r}})\n"
)
"""Beside other distributions that extend mmdmad, and may even be called acme, the page's is the one that is seen."""


def said(acme: Path, code: str) -> str:
    """What a new process says in which acme is installed."""
    path = os.pathsep.join([str(acme), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", HIDE.format(acme=str(acme)) + code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def ran(acme: Path, *commands: list[str], ends: tuple[int, ...] = (0,)) -> str:
    """What commands say, one after the other in one process; each must end with one of these codes."""
    code = (
        "from typer.main import get_command\nfrom mmdmad.cli import app\n"
        f"for words in {[c[1:] for c in commands]!r}:\n"
        "    try:\n        end = get_command(app).main(words, standalone_mode=False) or 0\n"
        "    except SystemExit as stop:\n        end = stop.code\n"
        f"    assert end in {ends!r}, (words, end)\n"
    )
    return said(acme, code)


def commands(start: str, **names: object) -> list[list[str]]:
    """The page's commands that begin so, with what stands for RUN, CASE and docs."""
    found = [shlex.split(line) for line in COMMANDS if line.startswith(start)]
    assert found, f"the page shows no command that begins {start!r}"
    return [[str(names.get(word, word)) for word in words] for words in found]


def test_the_page_holds_what_it_promises():
    names = ("far_from_mean", "check_far_from_mean", "halves", "busiest_hour", "echo")
    sound = ("sound", "sound_reader", "sound_windows")
    assert set(BLOCKS) == {f"acme/{name}.py" for name in (*names, *sound)}
    heads = {" ".join(line.split()[:2]) for line in COMMANDS}
    assert heads == {"mmdmad detectors", "mmdmad chat", "mmdmad report", "mmdmad explain"}


def test_what_the_page_imports_is_public():
    api = (ROOT / "docs" / "api.md").read_text()
    sections = {s.split("`", 1)[0]: s for s in api.split("\n## `")}
    for module, names in re.findall(r"^from (mmdmad[\w.]*) import (.+)$", "\n".join(BLOCKS.values()), re.M):
        for name in names.split(", "):
            known = sections.get({"mmdmad.encoders.base": "mmdmad.encoders"}.get(module, module), "")
            assert f"- `{name}(" in known or f"- `{name}`" in known, f"{module}.{name} is not in docs/api.md"


def test_the_folders_and_tests_that_the_page_names_are_there():
    table = [line for line in PAGE.splitlines() if line.startswith("| a")]
    paths = re.findall(r"(?:mmdmad|tests)/[\w/]+", "\n".join(table))
    assert len(paths) > 15
    for path in paths:
        place = re.sub(r"/(?:FAMILY|NAME)\b.*|/test_known_$", "", path)
        assert list(ROOT.glob(f"{place}*")), path


def test_the_detector_is_found_keeps_the_contract_and_makes_a_pipeline(acme):
    code = (
        "import acme.check_far_from_mean\n"
        "from mmdmad.detectors.base import make_detector\n"
        "from mmdmad.pipeline.config import PipelineConfig\n"
        "import doctest, acme.far_from_mean as module\n"
        "print(doctest.testmod(module).failed, type(make_detector('far-from-mean')).__module__)\n"
    )
    kept, found = said(acme, code).splitlines()
    assert re.fullmatch(r"\d\d promises were kept", kept)
    assert found == "0 acme.far_from_mean"


def test_a_model_says_which_distribution_must_be_installed(acme, tmp_path):
    code = "import numpy as np\nfrom mmdmad.detectors.base import make_detector\n"
    code += f"made = make_detector('far-from-mean').fit(np.eye(20)); made.save({str(tmp_path)!r})"
    said(acme, code)
    with pytest.raises(
        ModelError, match=r"'far-from-mean' is not registered; the distribution acme brought it.*install"
    ):
        load_detector(tmp_path)


def test_the_command_writes_the_page_of_our_own_detectors(acme, tmp_path):
    (tmp_path / "results.md").write_text((ROOT / "docs" / "results.md").read_text())
    ran(acme, *commands("mmdmad detectors --page", docs=tmp_path))
    written = (tmp_path / "detectors.md").read_text()
    assert written == (ROOT / "docs" / "detectors.md").read_text()
    assert "far-from-mean" not in written + (tmp_path / "taxonomy.svg").read_text()


def test_the_encoder_makes_spans_of_texts(acme):
    code = (
        "from mmdmad.encoders.base import make_encoder\n"
        "from mmdmad.parts import Text\n"
        "tokens = make_encoder('halves').encode(Text('abcd 12345'))\n"
        "print(tokens.values.tolist(), tokens.layout.where.tolist())\n"
    )
    assert said(acme, code) == "[[5.0, 0.0], [5.0, 5.0]] [[0.0, 5.0], [5.0, 10.0]]"


def test_the_chat_model_is_asked_and_checked(acme, fake_run):
    first = next(iter(fake_run.findings(verdict="anomalous", limit=1)))
    asked = [c for c in commands("mmdmad chat", RUN=fake_run.path) if "--llm" in c]
    told = commands("mmdmad explain", RUN=fake_run.path, CASE=first.case_id)
    words = ran(acme, *asked, *told)
    day = next(iter(fake_run.tally.by("hour", verdict="anomalous")))
    chat, note = words.split(f"{first.case_id}: anomalous")
    assert "flagged [run: T1]." in chat
    assert day[:10] in chat
    assert "One sentence was withheld" in chat
    assert "tomorrow" not in words
    assert f"Case {first.case_id} is flagged as anomalous" in note
    assert "faithfulness 1.00, written by acme:busiest_hour" in note


def test_the_query_is_answered_as_the_page_asks_it(acme, fake_run):
    plain = [c for c in commands("mmdmad chat", RUN=fake_run.path) if "--llm" not in c]
    counts = fake_run.tally.by("hour", verdict="anomalous")
    words = ran(acme, *plain, *commands("mmdmad report", RUN=fake_run.path))
    assert words.count(" flagged.") == min(5, len(counts))
    assert "Busiest hours" in (fake_run.path / "report.html").read_text()


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


def write_sound(path: Path, rng: np.random.Generator, odd: bool) -> None:
    samples = 0.2 * np.sin(np.arange(4000) / 3) + rng.normal(0, 0.02, 4000)
    samples[1600:2400] += rng.normal(0, 0.3 if odd else 0, 800)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())


def test_the_modality_goes_from_files_to_findings_and_one_broken_file_costs_one_line(acme, tmp_path):
    rng, rows = np.random.default_rng(0), ["id,sound,split"]
    for i in range(72):
        name = f"{'train' if i < 64 else 'test'}-{i:02d}"
        write_sound(tmp_path / f"{name}.wav", rng, i == 66)
        rows.append(f"{name},{name}.wav,{name[:-3]}")
    (tmp_path / "test-71.wav").write_bytes(b"RIFF, but no sound")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    config = {"parts": {"sound": {"detector": "far-from-mean"}}, "false_alarm_rate": 0.1}
    (tmp_path / "config.yaml").write_text(json.dumps(config))
    data, run = ["--data", str(tmp_path / "manifest.csv")], str(tmp_path / "run")
    words = ran(
        acme,
        ["mmdmad", "fit", *data, "--run", run, "--config", str(tmp_path / "config.yaml")],
        ["mmdmad", "score", run, *data],
        ["mmdmad", "explain", run, "test-66"],
        ends=(0, 3),
    )
    assert "test-66: anomalous" in words
    assert re.search(r"[Tt]he recording stands out from 0\.\d+ s? ?to 0\.\d+ s", words)
    code = (
        f"from mmdmad import Run\nrun = Run.open({run!r})\n"
        "print([(r.case_id, r.row, r.reason) for r in run.refusals()])"
    )
    refused = said(acme, code)
    assert refused.startswith("[('test-71'")
    assert "cannot be decoded" in refused
