"""The library logs under "mmdmad" and shows nothing by itself; the command line shows what is asked for."""

import logging
import os
import subprocess
import sys
import warnings

import pytest

from mmdmad import endings
from mmdmad.errors import ConfigError


@pytest.fixture
def restored():
    logger = logging.getLogger("mmdmad")
    before = logger.handlers, logger.level, warnings.showwarning, logging.lastResort
    yield logger
    logging.captureWarnings(False)
    logger.handlers, level, warnings.showwarning, logging.lastResort = before
    logger.setLevel(level)


def python(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | env)


def test_importing_sets_no_handler_but_the_silent_one():
    code = (
        "import logging, mmdmad, mmdmad.manifest, mmdmad.pipeline.stages as s\n"
        "print(logging.getLogger('mmdmad').handlers, logging.root.handlers)\n"
        "s.log.warning('not to be seen')\n"
        "print(s.log.name)"
    )
    done = python(code)
    assert done.stdout.splitlines() == ["[<NullHandler (NOTSET)>] []", "mmdmad.pipeline.stages"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("level", "seen"), [(None, ["warning"]), ("info", ["info", "warning"]), ("ERROR", []), ("warning", ["warning"])]
)
def test_the_level_is_that_of_the_option_or_the_environment(restored, capsys, monkeypatch, level, seen):
    monkeypatch.delenv(endings.DEBUG, raising=False)
    for given, variable in ((level, None), (None, level)):
        monkeypatch.delenv(endings.LOG, raising=False)
        if variable:
            monkeypatch.setenv(endings.LOG, variable)
        endings.log_to_terminal(given)
        log = logging.getLogger("mmdmad.pipeline.stages")
        log.info("info")
        log.warning("warning")
        assert capsys.readouterr().err.splitlines() == [f"mmdmad: {word}" for word in seen]


def test_a_level_that_is_none_is_refused(restored):
    with pytest.raises(ConfigError, match=r"'loud' was given .*MMDMAD_LOG.* allowed are debug, info, warning, error"):
        endings.log_to_terminal("loud")
    done = python(
        "import sys; sys.argv = ['mmdmad', '--version']; from mmdmad.cli import main; main()", MMDMAD_LOG="loud"
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_warnings_of_the_library_are_lines_of_the_log_and_others_are_not(restored, capsys):
    endings.log_to_terminal()
    warnings.showwarning(UserWarning("ours"), UserWarning, str(endings.__file__), 1)
    warnings.showwarning(UserWarning("theirs"), UserWarning, "/elsewhere/torch/x.py", 1)
    first, *rest = capsys.readouterr().err.splitlines()
    assert first == "mmdmad: ours"
    assert any("theirs" in line for line in rest)
    assert not any(line.startswith("mmdmad:") for line in rest)
