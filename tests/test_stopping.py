"""Ctrl-C and SIGTERM end a command with one line that says what is kept and how to go on; and going on works."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from mmdmad.cases import Cases
from mmdmad.datasets.line.inspection_line import make_line
from mmdmad.errors import MmdmadError
from mmdmad.stopping import go_on
from mmdmad.store.run import Run

# Signals reach the program as from a terminal, even where the tests themselves run in the background.
START = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
WORK = {
    "fit": "mmdmad.store.run.Run.fit",
    "score": "mmdmad.store.run.Run.score",
    "report": "mmdmad.report.write",
    "bench": "mmdmad.bench.run_suite",
}
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}


def start(words: list[str], patched: str = "", **more: str) -> subprocess.Popen[str]:
    """The command line in a process of its own; a function named in `patched` says "working" and works for a minute."""
    code = START
    if patched:
        owner, name = patched.rsplit(".", 1)
        code += (
            "import pkgutil, time\n"
            "def work(*args, **kwargs):\n    print('working', flush=True)\n    time.sleep(60)\n"
            f"setattr(pkgutil.resolve_name({owner!r}), {name!r}, work)\n"
        )
    code += f"import sys; sys.argv[1:] = {words!r}\nfrom mmdmad.cli import main\nmain()\n"
    command = [sys.executable, "-c", code]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**ENVIRONMENT, **more}
    )


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def stop(process: subprocess.Popen[str], number: int) -> tuple[int, str]:
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Text and sensor parts of a small line."""
    table = make_line(tmp_path_factory.mktemp("stopped") / "line", train=90, test=16, seed=3)
    two = table.with_name("two.csv")
    pd.read_csv(table, dtype=str).drop(columns=["image", "video"]).to_csv(two, index=False)
    return two


@pytest.mark.parametrize(
    ("command", "number", "code", "says"),
    [
        ("fit", signal.SIGINT, 130, "go on with: mmdmad fit .* --resume$"),
        ("fit", signal.SIGTERM, 143, "go on with: mmdmad fit .* --resume$"),
        ("score", signal.SIGINT, 130, "judged so far are kept; go on with: mmdmad score "),
        ("report", signal.SIGTERM, 143, "no report was written.*begin again with: mmdmad report "),
        ("bench", signal.SIGINT, 130, "no result was written.*begin again with: mmdmad bench run mtd"),
    ],
)
def test_a_stopped_command_says_how_to_go_on(
    tmp_path: Path, manifest: Path, command: str, number: int, code: int, says: str
) -> None:
    run = str(tmp_path / "a run")
    if command != "fit":
        Run.create(run, {}).close()
    words = {
        "fit": ["fit", "--data", str(manifest), "--run", run],
        "score": ["score", run, "--data", str(manifest)],
        "report": ["report", run],
        "bench": ["bench", "run", "mtd"],
    }[command]
    process = start(words, WORK[command])
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    left, said = stop(process, number)
    assert left == code, said
    *before, last = said.rstrip("\n").splitlines()
    assert re.fullmatch(f"mmdmad: stopped; .*{says}.*", last), said
    assert all(line.startswith("mmdmad: ") and "stopped" not in line for line in before)  # what a fit says first
    assert shlex.join(words) in last


def test_a_stopped_chat_page_takes_its_folder_along(tmp_path: Path) -> None:
    Run.create(tmp_path / "run", {}).close()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = start(["chat", str(tmp_path / "run"), "--port", str(free_port())], TMPDIR=str(temporary))
    assert process.stdout is not None
    said = process.stdout.readline()
    assert re.match(r"chat: http://127\.0\.0\.1:\d+/", said), said
    assert [p.name for p in temporary.iterdir() if p.name.startswith("mmdmad-chat-")]
    code, said = stop(process, signal.SIGTERM)
    assert code == 143
    assert "mmdmad: stopped; what was asked and answered is kept" in said
    assert "Traceback" not in said
    assert not [p.name for p in temporary.iterdir() if p.name.startswith("mmdmad-chat-")]


def test_a_signal_that_was_ignored_stays_ignored(tmp_path: Path) -> None:
    Run.create(tmp_path / "run", {}).close()
    code = START.replace("default_int_handler", "SIG_IGN") + (
        "import os, sys; sys.argv[1:] = ['detectors']\nimport mmdmad.cli as cli\n"
        "real = cli.app\n"
        "def app():\n    os.kill(os.getpid(), signal.SIGINT)\n    print('went on')\n"
        "cli.app = app\ncli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT)
    assert (done.returncode, done.stdout) == (0, "went on\n")


def test_nothing_is_added_twice_and_unknown_commands_are_repeated() -> None:
    assert go_on(["fit", "--resume", "--run", "x"]).endswith("mmdmad fit --resume --run x")
    assert go_on(["doctor"]) == "begin again with: mmdmad doctor"


def test_a_fit_that_failed_leaves_the_folder_free(tmp_path: Path, manifest: Path) -> None:
    """Three cases are too few; more cases, or another configuration, may follow into the same folder."""
    from mmdmad.manifest import read_cases

    cases = read_cases(manifest)
    run = Run.create(tmp_path / "run", {})
    with pytest.raises(MmdmadError):
        run.fit(Cases(cases.items[:3]))
    run.close()
    again = Run.create(tmp_path / "run", {"false_alarm_rate": 0.2})
    assert again.config == {"false_alarm_rate": 0.2}
    with pytest.raises(MmdmadError) as told:
        again.fit(Cases(cases.items[:4]))
    assert "other cases" not in str(told.value)
    assert {r.case_id for r in again.refusals("fit")} <= {c.id for c in cases.items[:4]}
    again.close()


@pytest.mark.slow
def test_a_stopped_fit_goes_on_as_told(tmp_path: Path, manifest: Path) -> None:
    """A real fit, stopped in its middle: the same command is refused with the cure, the told command ends it."""
    config = tmp_path / "pipeline.yaml"
    pipeline = {
        "parts": {"text": {"detector": "dte-np"}, "sensor": {"detector": "gaussian-diffusion"}},
        "joint": {"steps": 400, "width": 32, "levels": 4, "draws": 2},
    }
    config.write_text(yaml.safe_dump(pipeline))
    run = tmp_path / "run"
    words = ["fit", "--data", str(manifest), "--config", str(config), "--run", str(run)]
    process = start(words)
    end = time.monotonic() + 120
    while not list(run.glob("work/tokens/*/*.safetensors")):
        assert time.monotonic() < end
        assert process.poll() is None, process.stderr
        time.sleep(0.05)
    code, said = stop(process, signal.SIGINT)
    assert code == 130, said
    (line,) = [one for one in said.splitlines() if one.startswith("mmdmad: ") and "go on with: " in one]
    refused = start(words)
    _, cure = refused.communicate(timeout=120)
    assert refused.returncode == 1
    assert "--resume" in cure
    told = shlex.split(line.split("go on with: ")[1])
    assert told[0] == "mmdmad"
    ended = start(told[1:])
    out, errors = ended.communicate(timeout=300)
    assert ended.returncode == 0, errors
    assert "fitted on 90 cases" in out
    assert Run.open(run).fitted
