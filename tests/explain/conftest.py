import importlib.util
import sys
from pathlib import Path

import pytest

from mmdmad.claims.admit import parsed
from mmdmad.claims.base import LANGUAGES
from mmdmad.claims.making import claims_of
from mmdmad.claims.render import clause
from mmdmad.explain.words import Draft


@pytest.fixture(scope="session")
def samples():
    """The module tests/samples.py."""
    spec = importlib.util.spec_from_file_location("samples", Path(__file__).parents[1] / "samples.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def normals(samples):
    """What normal looks like on the made-up machine."""
    return samples.normals()


@pytest.fixture(autouse=True)
def captions_are_claims(monkeypatch):
    """Whatever a test of this folder makes of evidence: each word of its caption is read as claims of its facts."""
    made: list[Draft] = []
    begin = Draft.__init__

    def keep(self, *args, **named):
        begin(self, *args, **named)
        if _builder(sys._getframe(1)).startswith("mmdmad.explain."):
            made.append(self)

    monkeypatch.setattr(Draft, "__init__", keep)
    yield
    monkeypatch.undo()
    for one in made:
        evidence = one.numbered(1, None)
        claims = claims_of(evidence, "a-1")
        assert all(c.frame != "said" for c in claims), f"no reader knows {evidence}"
        assert parsed(evidence.caption, claims), f"{evidence.caption!r} says more than {[clause(c) for c in claims]}"
        assert all(clause(c, language) for c in claims for language in LANGUAGES)


def _builder(frame) -> str:
    """The module that made a draft: the first one below the functions that every builder calls."""
    while frame.f_globals["__name__"] == "mmdmad.explain.words":
        frame = frame.f_back
    return frame.f_globals["__name__"]
