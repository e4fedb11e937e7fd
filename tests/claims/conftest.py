"""Findings like those of the real line, made by hand for the tests of the agents."""

import importlib.util
from pathlib import Path

import pytest

AGENTS = Path(__file__).parents[1] / "agents" / "conftest.py"


@pytest.fixture(scope="session")
def made():
    """60 findings, about a third flagged, with evidence of most kinds."""
    spec = importlib.util.spec_from_file_location("made_for_agents", AGENTS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make_findings()


@pytest.fixture(scope="session")
def by_lead(made):
    """One flagged finding for each part that leads it, without a contradiction."""
    found = {}
    for f in made:
        lead = max(f.parts, key=lambda p: p.share).modality
        if f.verdict == "anomalous" and not f.contradictions:
            found.setdefault(lead, f)
    return found
