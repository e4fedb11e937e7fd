"""The chat page in a real browser: nothing that a case says makes the browser ask another server for anything."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from mmdmad.agents import guard, web

from tests.agents.browser import Browser, programs
from tests.agents.hostile import MARKUP, spoiled
from tests.agents.test_web import free_port

pytest.importorskip("gradio")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(programs() is None, reason="needs chromium and chromedriver; apt-get install chromium-driver"),
]
BOX = "textarea"


class Catcher:
    """A server on this machine that counts who asks it for anything."""

    def __init__(self) -> None:
        asked = self.asked = list[str]()
        page = "".join(t.format(".") for t in MARKUP if "meta" not in t).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != "/page":
                    asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Type", "text/html" if self.path == "/page" else "text/plain")
                self.end_headers()
                self.wfile.write(page if self.path == "/page" else b"")

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"//127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    found = Catcher()
    yield found
    found.server.shutdown()
    found.server.server_close()


def ask(browser: Browser, question: str, answers: int) -> None:
    """Ask, and wait until so many answers stand there, the last one whole."""
    browser.type(BOX, question + "\n")
    browser.wait(lambda: browser.run("return document.querySelectorAll('.bot.message').length") >= answers)
    before = ""
    while browser.text() != before:  # dots move while an answer is awaited, and a question meanwhile is not taken
        before = browser.text()
        time.sleep(1)


def test_the_catcher_counts_what_is_not_escaped(catcher: Catcher) -> None:
    """The control: a page with the same words unescaped asks for most of what they name."""
    with Browser() as browser:
        browser.open(f"http:{catcher.address}/page")
        browser.wait(lambda: len(set(catcher.asked)) >= 8)


@pytest.mark.parametrize("policy", [True, False], ids=["as it is", "without the headers"])
def test_no_request_leaves_the_browser(fake_run, catcher: Catcher, monkeypatch, tmp_path, policy: bool) -> None:
    """By the escaping alone as well as with the policy that the server sends."""
    if not policy:
        monkeypatch.setattr(guard, "HEADERS", ())
    fake_run.artifact = lambda relative: fake_run.path / relative
    flagged = [f for f in fake_run.items.values() if f.verdict == "anomalous"]
    texts = [t.format(catcher.address) for t in MARKUP]
    for finding, text in zip(flagged, texts):
        fake_run.items[finding.case_id] = spoiled(finding, text)
    asked = [f.case_id for f, _ in zip(flagged, texts)]
    fake_run.path = fake_run.path / "run <img src=x>"
    fake_run.path.mkdir()
    with web.served(fake_run, port=free_port()) as address, Browser() as browser:
        browser.open(address)
        browser.wait(lambda: browser.run("return document.querySelector('textarea') !== null"))
        ask(browser, "Give me an overview.", 1)
        for i, case in enumerate(asked):
            ask(browser, f"Which words of {case} are odd?", i + 2)
        own = f"<img src={catcher.address}/own> <video src={catcher.address}/film>"
        ask(browser, own, len(asked) + 2)
        time.sleep(3)  # what an element would load, it has begun to load by now
        shown = browser.text()
        assert catcher.asked == []
        assert own in shown
        assert "run <img src=x>" in shown
        for text in texts:
            assert f"“{text}”" in shown, text
        inside = "[...document.querySelectorAll('.message *')].map(e => e.tagName.toLowerCase())"
        tags = set(browser.run(f"return {inside}"))
        assert not tags & {"img", "video", "iframe", "object", "link", "style", "script", "a", "b", "h1", "picture"}
        loaded = browser.run("return performance.getEntriesByType('resource').map(e => e.name)")
        assert loaded
        assert all(name.startswith((address, "data:", "blob:")) for name in loaded), loaded


def test_the_page_is_usable_on_a_small_screen(fake_run) -> None:
    """At 390 px nothing sticks out to the side, and an example can be clicked."""
    fake_run.artifact = lambda relative: fake_run.path / relative
    with web.served(fake_run, port=free_port()) as address, Browser(500, 900) as browser:
        browser.narrow(390, 844)
        browser.open(address)
        browser.wait(lambda: browser.run("return document.querySelectorAll('button').length") >= len(web.EXAMPLES))
        words = (
            f"[...document.querySelectorAll('button')].find(b => b.innerText.trim() === {web.EXAMPLES[1]!r}).click()"
        )
        browser.run(words)
        browser.wait(lambda: "most anomalous of" in browser.text())
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
        assert browser.run("return innerWidth") == 390
