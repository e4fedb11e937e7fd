"""The two chats people see: in the terminal and on the page."""

import builtins
import io
import socket
import sys

import pytest
from mmdmad.agents import web
from mmdmad.agents.investigator import Investigator
from mmdmad.agents.pictures import pictures
from mmdmad.agents.terminal import chat
from PIL import Image
from rich.console import Console

from mmdmad.errors import MissingExtraError


@pytest.fixture
def run(fake_run):
    """The run with the pictures that its evidence names, and a safe way to them."""
    fake_run.artifact = lambda relative: fake_run.path / relative
    for finding in fake_run.items.values():
        for e in finding.evidence:
            if e.artifact and finding.verdict == "anomalous":
                path = fake_run.path / e.artifact
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (8, 8)).save(path)
    return fake_run


def test_terminal_asks_and_answers(run, flagged):
    case = flagged["image"].case_id
    lines = iter([f"Where is the flaw in {case}?", "What is the cost of [red]x[/red]?", ""])
    out = io.StringIO()
    chat(run, console=Console(file=out, width=200), read=lambda prompt: next(lines))
    text = out.getvalue()
    assert "A region of 32 px by 41 px stands out" in text
    assert f"artifacts/{case}" in text
    assert "looked up: overview, open_case" in text
    assert "I cannot answer" in text


def test_terminal_ends_at_end_of_input(run):
    def end(prompt):
        raise EOFError

    out = io.StringIO()
    chat(run, console=Console(file=out), read=end)
    assert "Ask about the run" in out.getvalue()


def test_pictures_are_those_of_the_cited_evidence(run, flagged):
    finding = flagged["image"]
    refs = tuple(f"{finding.case_id}/{e.id}" for e in finding.evidence)
    found = list(pictures(run, (*refs, "test-99999/E1", "nonsense")))
    assert len(found) == 1
    assert found[0][0].name.endswith(".png")


def test_page_shows_text_and_pictures(run, flagged):
    gr = pytest.importorskip("gradio")
    finding = flagged["image"]
    agent = Investigator(run)
    messages = web.answer(gr, run, agent, f"Where is the flaw in {finding.case_id}?", "t")
    assert "open_case" in messages[0].metadata["title"]
    assert "stands out" in messages[1].content
    assert messages[2].content.startswith(finding.case_id)
    assert isinstance(messages[3].content, gr.Image)
    assert web.answer(gr, run, agent, " ", "t")[0].content.startswith("an empty question")
    agent.close()


def test_page_is_served_on_this_machine_only(run):
    pytest.importorskip("gradio")
    import urllib.request

    page = web.make_page(run)
    assert page.analytics_enabled is False
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = web.serve(run, port=port, block=False)
    assert address.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(address) as reply:
        html = reply.read().decode()
    assert "fonts.googleapis" not in html
    assert "(simulated data)" in html


def test_without_gradio_the_pip_line_is_told(run, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "gradio":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "gradio", raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=r'pip install "mmdmad\[chat\]"'):
        web.make_page(run)
