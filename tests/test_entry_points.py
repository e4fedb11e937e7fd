"""Detectors, encoders, modalities, queries and chat models of other distributions; broken ones cost one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

DETECTOR = """
from mmdmad.detectors.base import About, detector
from mmdmad.detectors.baselines.knn import KNN

@detector(About("theirs", "baseline", "none", "instant"))
class Theirs(KNN):
    pass
"""
ENCODER = """
from mmdmad.encoders.base import Encoder, encoder

@encoder("theirs", "text")
class Theirs(Encoder):
    def encode(self, signal):
        raise NotImplementedError
"""
MODALITY = """
from mmdmad.modalities.base import BaseModality, modality

@modality
class Theirs(BaseModality):
    name, noun, words, suffixes, encoder = "theirs", "smell", ("smell",), (".smell",), "none"

    def read(self, part):
        return part.path.read_text()
"""
QUERY = """
from mmdmad.ask.base import Arguments, Result, Scope, query

class Nothing(Arguments):
    pass

@query("theirs")
def theirs(scope: Scope, asked: Nothing) -> Result:
    '''What a package of theirs can tell.'''
    return Result(line="all cases")
"""
CHAT = """
from langchain_core.language_models import FakeListChatModel

def make(model):
    return FakeListChatModel(responses=[f"this is {model}"])
"""
HOW = {  # what is imported to reach things of a group
    "detectors": "from mmdmad.detectors.base import *",
    "encoders": "from mmdmad.encoders.base import *",
    "modalities": "from mmdmad.modalities.base import *",
    "queries": "from mmdmad.ask.base import *",
    "chat_models": "from mmdmad.agents.llms import *",
}
THEIRS = {  # their code, what the entry point names, how the thing is used, and what that gives
    "detectors": (DETECTOR, "their_code", "make_detector('theirs').about.name", "theirs"),
    "encoders": (ENCODER, "their_code", "make_encoder('theirs').modality", "text"),
    "modalities": (MODALITY, "their_code:Theirs", "by_suffix()['.smell']", "theirs"),
    "queries": (QUERY, "their_code:theirs", "ask(None, 'theirs').line", "all cases"),
    "chat_models": (CHAT, "their_code:make", "make_llm('theirs:m7').invoke('?').text", "this is m7"),
}
OURS = {
    "detectors": ("make_detector('knn').about.name", "knn"),
    "encoders": ("make_encoder('pixels').name", "pixels"),
    "modalities": ("*modalities()", "image text sensor video"),
    "queries": ("type(queries())", "<class 'dict'>"),
    "chat_models": ("make_llm('offline')._llm_type", "offline"),
}
BROKEN = ["import no_such_module", "raise SystemExit(3)", "1 / 0", "def ("]


def install(folder: Path, group: str, code: str, target: str) -> None:
    """A distribution as pip leaves it: a module, and a folder with its metadata."""
    (folder / "their_code.py").write_text(code)
    metadata = folder / "their_package-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[mmdmad.{group}]\ntheirs = {target}\n")


def run(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)


@pytest.mark.parametrize("group", THEIRS)
def test_a_distribution_adds_its_own(tmp_path, group):
    code, target, use, given = THEIRS[group]
    install(tmp_path, group, code, target)
    done = run(tmp_path, f"{HOW[group]}\nprint({use})")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == given
    assert "their-package" not in done.stderr


@pytest.mark.parametrize(
    ("group", "code"), [*((group, BROKEN[0]) for group in THEIRS), *(("modalities", code) for code in BROKEN[1:])]
)
def test_a_broken_one_is_named_and_the_house_stands(tmp_path, group, code):
    install(tmp_path, group, code, "their_code")
    use, given = OURS[group]
    done = run(tmp_path, f"{HOW[group]}\nprint({use})")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == given
    said = [line for line in done.stderr.splitlines() if "their-package" in line]
    # A chat model is loaded when it is asked for, so nothing is said before.
    assert len(said) == (0 if group == "chat_models" else 1), done.stderr
    assert all(f"(mmdmad.{group}) of their-package cannot be loaded" in line for line in said)


def test_asking_for_a_broken_one_says_why_it_is_not_there(tmp_path):
    install(tmp_path, "modalities", BROKEN[0], "their_code")
    done = run(tmp_path, f"{HOW['modalities']}\nmodality_of('theirs')")
    last = done.stderr.splitlines()[-1]
    assert "UnknownNameError: no modality is called 'theirs'; there are image, sensor, text, video (entry point" in last
    assert "of their-package cannot be loaded: ModuleNotFoundError" in last
    (tmp_path / "chat").mkdir()
    install(tmp_path / "chat", "chat_models", BROKEN[0], "their_code")
    done = run(tmp_path / "chat", f"{HOW['chat_models']}\nmake_llm('theirs:m7')")
    assert "ConfigError: entry point 'theirs' (mmdmad.chat_models) of their-package" in done.stderr.splitlines()[-1]


def test_a_name_of_the_house_cannot_be_taken(tmp_path):
    install(tmp_path, "modalities", MODALITY.replace('"theirs"', '"image"'), "their_code")
    done = run(tmp_path, "from mmdmad.modalities.base import *; print(modality_of('image').suffixes[0])")
    assert done.stdout.strip() == ".png"
    assert "modality image is registered twice: by mmdmad.modalities.image.Image, by their_code.Theirs" in done.stderr


@pytest.mark.parametrize("name", ["label", "joint", "reference", "x", "Smell", "two words", "../up"])
def test_a_modality_must_be_fit_for_columns_and_folders(name):
    from mmdmad.errors import ConfigError
    from mmdmad.modalities.base import modalities, modality

    made = type("Made", (), {"name": name})
    with pytest.raises(ConfigError, match="a modality cannot be called"):
        modality(made)
    assert name not in modalities()


def test_the_command_line_says_it_in_one_line(tmp_path):
    install(tmp_path, "modalities", "import no_such_module", "their_code")
    (tmp_path / "empty").mkdir()
    argv = ["mmdmad", "fit", "--data", "empty", "--run", "run"]
    code = f"import sys; sys.argv = {argv}; from mmdmad.cli import main; main()"
    env = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=tmp_path)
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert first.startswith(
        "mmdmad: entry point 'theirs' (mmdmad.modalities) of their-package cannot be loaded: Module"
    )
    assert "holds no image" in second


def test_a_chat_model_that_fails_is_one_error(tmp_path):
    install(
        tmp_path, "chat_models", "def make(model):\n    raise ValueError('no weights of\\n' + model)", "their_code:make"
    )
    done = run(tmp_path, "from mmdmad.agents.llms import *; make_llm('theirs:m7')")
    assert done.stderr.splitlines()[-1].endswith("llm 'theirs:m7' cannot be made: ValueError: no weights of m7")
