"""The page's one script and one style sheet: named by hash, harmless to words of cases, and working in a browser."""

import base64
import hashlib
import html
import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmdmad.bench.synthetic_run import synthetic_run
from mmdmad.cli import app
from mmdmad.events import AlarmRule
from mmdmad.findings import Evidence
from mmdmad.report import sections, write_report
from mmdmad.report.model import build
from mmdmad.report.words import told
from mmdmad.store.strength import Beyond
from tests.agents.browser import Browser, programs

needs_browser = pytest.mark.skipif(programs() is None, reason="needs chromium and chromedriver")
COUNT = 400


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = synthetic_run(tmp_path_factory.mktemp("page") / "run", COUNT, seed=3)
    yield made
    made.close()


@pytest.fixture(scope="module")
def file(run, tmp_path_factory):
    return write_report(run, tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture(scope="module")
def page(file):
    return file.read_text(encoding="utf-8")


def sha(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_names_the_one_script_and_the_one_style_sheet_by_their_hashes(page):
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "unsafe" not in policy
    assert re.findall(r"<script[^>]*>", page) == ["<script>"]
    assert rules["script-src"] == f"'sha256-{sha(re.search(r'<script>(.*?)</script>', page, re.S)[1])}'"
    assert rules["style-src"] == f"'sha256-{sha(re.search(r'<style>(.*?)</style>', page, re.S)[1])}'"
    assert not re.search(r"<[^>]+ style=", page)


def test_without_its_script_the_page_is_whole_and_shows_no_controls(page, run):
    assert re.search(r'<div class="controls" id="controls" role="search" hidden>', page)
    assert page.count('class="finding') == len(build(run).entries[:50])
    assert page.count("<tr data-case") == len(build(run).entries[50:])


def test_the_script_asks_nobody_for_anything():
    script = (Path(build.__code__.co_filename).parent / "page.js").read_text()
    assert not re.search(
        r"fetch|XMLHttp|WebSocket|import\b|eval|innerHTML|outerHTML|insertAdjacent|document\.write", script
    )
    assert "</script" not in script


def test_statistics_are_said_once_and_folded(page):
    assert page.count("theorem") == page[page.index('id="statistics"') :].count("theorem") > 0
    assert page.count("95 % interval") == 1
    folded = page[page.index('<details class="statistics"') :]
    assert folded.index("95 % interval") < folded.index("</details>")
    assert not folded.startswith("<details open")


def test_the_page_opens_in_plain_words(page):
    text = " ".join(re.sub(r"<[^>]+>", " ", page[page.index("<main>") :]).split())
    places = [text.index(words) for words in ("Looked at", "Found", "Since when", "What to do next", "Findings")]
    assert places == sorted(places)
    assert "p-value" not in text[: text.index("Most unusual")]


def test_markdown_says_the_same(run, page, tmp_path):
    markdown = write_report(run, tmp_path / "r.md").read_text().replace("\\", "")
    report = build(run)
    said = [report.opening.looked, report.opening.found, *report.opening.steps, *(b.words for b in report.banners)]
    said += [alike.words for alike in report.alike.values() if alike.before is not None]
    for words in said:
        assert words in markdown
        assert html.escape(words).replace("&#x27;", "&#39;") in page


def test_the_sentence_of_the_verdict_alone_stands_once(run):
    finding = next(iter(run.findings(verdict="anomalous", limit=1)))
    verdict = Evidence(id="E1", kind="verdict", caption="case: flagged")
    from mmdmad.findings import Explanation, Sentence

    said = [("flagged at 5 %", ("E1",)), ("the load rises", ("E2",)), ("both", ("E1", "E2")), ("open", ())]
    sentences = tuple(Sentence(text=text, cites=cites, grounded=True) for text, cites in said)
    words = Explanation(sentences=sentences, faithfulness=1.0, llm="offline", prompt="p")
    made = finding.model_copy(update={"evidence": (verdict,), "explanation": words})
    assert [s.text for s in told(made)] == ["the load rises", "both", "open"]
    assert told(made.model_copy(update={"explanation": None})) == ()


def test_strength_is_shown_in_the_band_and_said(run, tmp_path, monkeypatch):
    report = build(run)
    first = next(f for f, _ in report.entries if f.p_value <= f.guarantee.smallest_p_value)
    monkeypatch.setattr("mmdmad.report.model.beyond", lambda run: Beyond(times={first.case_id: 4.5}))
    for form in ("html", "md"):
        text = write_report(run, tmp_path / f"r.{form}").read_text()
        assert "its joint score is 4.5 times the largest of theirs" in text
    page = (tmp_path / "r.html").read_text()
    assert page.count('class="band"') == 1
    assert "4.5 times the largest normal score</title>" in page


@needs_browser
def test_search_filters_and_order_work_by_keyboard_and_no_request_leaves(file, run) -> None:
    entries = build(run).entries
    shown = "return [...document.querySelectorAll('[data-case]')].filter(e => e.offsetParent).length"
    set_to = (
        "const s = document.querySelector(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event('change'))"
    )
    with Browser() as browser:
        browser.open(f"file://{file}")
        assert browser.run(shown) == len(entries)
        assert (
            browser.run("return document.getElementById('count').textContent")
            == f"{len(entries)} of {len(entries)} shown"
        )
        name = entries[3][0].case_id
        browser.type("#search", name)
        assert browser.run(shown) == 1
        assert browser.run("return document.getElementById('count').textContent") == f"1 of {len(entries)} shown"
        browser.type("#search", "\ue00c")  # Escape
        assert browser.run(shown) == len(entries)
        group = entries[0][0].group
        browser.run(set_to, "[data-by=group]", group)
        assert browser.run(shown) == sum(f.group == group for f, _ in entries)
        browser.run("document.getElementById('clear').click()")
        assert browser.run(shown) == len(entries)
        browser.run(set_to, "#order", "time")
        times = browser.run(
            "return [...document.querySelectorAll('article')].map(e => e.dataset.time || 'Infinity').map(Number)"
        )
        known = [t for t in times if t is not None]  # JSON has no infinity
        assert known == sorted(known)
        assert len(known) > 10
        assert times[: len(known)] == known
        assert (
            browser.run(
                "return performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:')).length"
            )
            == 0
        )
        assert browser.run("return document.querySelector('#statistics').open") is False
        browser.run("location.hash = 'statistics'")
        browser.wait(lambda: browser.run("return document.querySelector('#statistics').open"))
        browser.narrow(390, 844)
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


@needs_browser
def test_a_foreign_script_in_the_page_does_not_run(file, tmp_path) -> None:
    spoiled = tmp_path / "spoiled.html"
    spoiled.write_text(file.read_text().replace("</main>", "<script>document.title = 'changed'</script></main>", 1))
    with Browser() as browser:
        browser.open(f"file://{spoiled}")
        assert browser.run("return document.title") != "changed"
        assert browser.run("return document.getElementById('controls').hidden") is False


@needs_browser
@pytest.mark.slow
def test_it_prints(file, tmp_path) -> None:
    out = tmp_path / "report.pdf"
    command = [
        programs()[0],
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    subprocess.run([*command, f"--print-to-pdf={out}", f"file://{file}"], check=True, capture_output=True, timeout=300)
    assert out.read_bytes().startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", out.read_bytes())) >= build_pages(file)


def build_pages(file: Path) -> int:
    """At least one page for each case that has a card."""
    return file.read_text().count('class="finding')


def test_sections_lead_to_the_cards_of_their_cases(run, tmp_path):
    first = build(run).entries[0][0].case_id
    run.feedback(first, "confirmed", "bearing", "ann")
    page = write_report(run, tmp_path / "r.html").read_text()
    assert re.search(rf'<li>{first}: confirmed[^<]*<a class="soft" href="#f1">no. 1</a></li>', page)


def test_events_come_before_cases_and_those_without_room_are_counted(run, page, monkeypatch):
    text = page[page.index("<main>") :]
    assert text.index("<h2>Events</h2>") < text.index("<h2>Most unusual</h2>")
    count = run.events.count()
    (whole,) = [s for s in build(run).sections if s.place == "first"]
    assert (len(whole.evidence), whole.left_out) == (1 + min(count, 49), max(0, count - 49))
    monkeypatch.setitem(sections.ASKED, "list_events", {"limit": 3})
    (few,) = [s for s in build(run).sections if s.place == "first"]
    assert (len(few.evidence), few.left_out) == (4, count - 3)


def test_head_opening_and_events_count_alike_by_the_rule_of_the_run(run):
    usual = run.events.rule
    run.events.set_rule(AlarmRule(fewest=2, hold=5))
    try:
        made, every, alarms = build(run), run.events.count(), run.events.count(alarm=True)
        assert 1 < alarms < every < made.flagged
        assert made.headline.endswith(f"flagged as anomalous, in {every} events")
        assert f"{alarms} of {every} events are alarms by the rule fewest=2 hold=5." in made.opening.found
        (whole,) = [s for s in made.sections if s.place == "first"]
        assert f"There are {every} events" in whole.evidence[0].caption
        assert f"{alarms} alarms by its rule fewest=2 hold=5" in whole.evidence[0].caption
    finally:
        run.events.set_rule(usual)


def test_the_command_takes_an_alarm_rule(run, tmp_path):
    usual, file = run.events.rule, tmp_path / "r.md"
    told = CliRunner().invoke(app, ["report", str(run.path), "--out", str(file), "--alarm", "fewest=3"])
    try:
        assert told.exit_code == 0, told.output
        assert run.events.rule == AlarmRule(fewest=3)
        assert "by the rule fewest=3." in file.read_text()
        assert "alarm rule of the run: fewest=3" in told.output
    finally:
        run.events.set_rule(usual)
