import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import RunError
from mmdmad.findings import Explanation, Findings, Sentence
from mmdmad.report import write_report
from mmdmad.report.model import Point, build
from mmdmad.report.pictures import Packer
from mmdmad.report.timeline import lay_out
from mmdmad.store.run import Run

EVIL = '<script>alert(1)</script> & "bad" {{ 7*7 }} | *x* `y`'


class Page(HTMLParser):
    """Collects tags, attributes and visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.words, self.ids, self.links = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [v for k, v in attrs if k == "id"]
        self.links += [v[1:] for k, v in attrs if k == "href"]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def run(tmp_path_factory, samples, normals):
    made = Run.create(tmp_path_factory.mktemp("runs") / "line", {"false_alarm_rate": 0.01})
    made._model = samples.FakeModel(normals)
    ids = ["bad-1", "ok-1", "bad-odd-2", EVIL + " bad", "broken <b>", "blind-ok"]
    made.score(
        Cases(
            tuple(
                Case(i, {"text": Part("text", value="x")}, label=int("bad" in i), group="A", row=n)
                for n, i in enumerate(ids)
            ),
            extra={"simulated": True},
        )
    )
    words = Sentence(text=f"It says {EVIL}.", cites=("E1", "E2"), grounded=True)
    made.set_explanation(EVIL + " bad", Explanation(sentences=(words,), faithfulness=1.0, llm="offline", prompt="p"))
    return made


@pytest.fixture(scope="module")
def page(run, tmp_path_factory):
    out = write_report(run, tmp_path_factory.mktemp("out") / "report.html", title=EVIL)
    return out.read_text(encoding="utf-8")


def test_page_is_self_contained(page):
    parsed = Page(page)
    assert parsed.tags.count("script") == parsed.tags.count("style") == 1  # its own, see test_page.py
    assert not {"link", "iframe", "object", "embed", "base", "form"} & set(parsed.tags)
    for name, value in parsed.attributes:
        assert not name.startswith("on"), name
        if name in ("src", "href", "data", "srcset", "action"):
            assert value.startswith(("data:image/", "#")), value[:60]
    assert "@import" not in page
    assert not re.search(r"url\((?!['\"]?data:)", page)


def test_everything_from_cases_is_escaped(page):
    assert page.count("<script") == 1  # its own
    assert "{{" not in page.replace("{{ 7*7 }}", "")
    shown = "".join(w for w in Page(page).words if "alert" in w)
    assert "49" not in re.sub(r"\b\d\d:\d\d\b", "", shown)  # beside the title stands the time, of any minute
    text = " ".join("".join(Page(page).words).split())
    assert text.count(EVIL) >= 3  # title, id, explanation: shown as they are


def test_links_inside_the_page_lead_somewhere(page):
    parsed = Page(page)
    assert set(parsed.links) <= set(parsed.ids)
    assert len(parsed.ids) == len(set(parsed.ids))


def test_page_says_what_matters_first(page):
    text = " ".join("".join(Page(page).words).split())
    assert "3 of 5 cases are flagged as anomalous" in text
    assert "Simulated data" in text
    assert text.index("flagged as anomalous") < text.index("Findings") < text.index("Refused inputs")
    assert "declared false-alarm rate of 1 %" in text
    assert "210" in text
    assert "0.2 % to 2.9 %" in text
    assert "3 of 3 anomalous cases and 0 of 2 normal cases" in text


def test_the_three_forms_hold_the_same(run, page, tmp_path):
    report = json.loads(write_report(run, tmp_path / "r.json", title=EVIL).read_text(encoding="utf-8"))
    markdown = write_report(run, tmp_path / "r.md", title=EVIL).read_text(encoding="utf-8")
    shown = " ".join("".join(Page(page).words).split())
    plain = " ".join(
        re.sub(r"\\(.)", r"\1", markdown).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").split()
    )
    assert len(report["findings"]) == report["flagged"] == 3
    for finding in report["findings"]:
        for evidence in finding["evidence"]:
            words = " ".join(evidence["caption"].split())
            assert words in shown
            assert words in plain
    for refused in report["refused"]:
        assert refused["reason"] in shown
        assert refused["reason"] in plain
    for basis in report["bases"]:
        assert str(basis["guarantee"]["size"]) in plain
    assert json.loads(build(run, EVIL).model_dump_json())["findings"] == report["findings"]


def test_markdown_cannot_become_markup(run, tmp_path):
    markdown = write_report(run, tmp_path / "r.md", title=EVIL).read_text(encoding="utf-8")
    assert "<script" not in markdown
    for line in markdown.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (5, 6, 7, 4, 11)


def test_pictures_are_packed_within_a_budget(run):
    finding = run.finding("bad-1")
    full, none = Packer(run).pack(finding), Packer(run, budget=0).pack(finding)
    assert set(full.images) == {"image", "sensor", "video"}
    assert all(uri.startswith("data:image/") for uri in full.images.values())
    assert sum(map(len, full.images.values())) < 200_000
    assert none.images == {}
    assert none.left_out
    assert "".join(mark.text for mark in full.texts["text"]).count("\n") == 2


def test_lost_artifacts_do_not_stop_a_report(run, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "artifact", lambda self, name: tmp_path / "gone" / name)
    assert "flagged" in write_report(run, tmp_path / "r.html").read_text(encoding="utf-8")


def test_run_without_cases_has_a_report(tmp_path):
    run = Run.create(tmp_path / "empty", {})
    for suffix in ("html", "md", "json"):
        assert (
            "No case has been judged yet" in write_report(run, tmp_path / f"r.{suffix}").read_text() or suffix == "json"
        )


def test_run_without_flagged_cases_shows_the_closest(tmp_path, samples, normals):
    run = Run.create(tmp_path / "calm", {})
    run._model = samples.FakeModel(normals)
    run.score(Cases(tuple(Case(f"ok-{i}", {"text": Part("text", value="x")}) for i in range(5))))
    text = " ".join("".join(Page(write_report(run, tmp_path / "r.html").read_text()).words).split())
    assert "None of 5 cases is flagged" in text
    assert "not flagged" in text
    assert "Simulated" not in text


def test_unknown_form_is_refused(run, tmp_path):
    with pytest.raises(RunError, match=r"\.html, \.md, \.json"):
        write_report(run, tmp_path / "r.docx")
    assert not list(tmp_path.iterdir())


def test_timeline_puts_small_p_values_on_top_and_time_to_the_right(run):
    points = build(run).timeline
    timeline = lay_out(points, 0.01)
    by_p = sorted(timeline.dots, key=lambda d: d.point.p_value)
    assert [d.y for d in by_p] == sorted(d.y for d in by_p)
    for dot in timeline.dots:
        assert timeline.left <= dot.x <= timeline.right
        assert timeline.top <= dot.y <= timeline.bottom
        assert (dot.y <= timeline.limit) == (dot.point.p_value <= 0.01)
    assert lay_out([], 0.01) is None


def test_notebook_reprs_are_escaped_and_show_pictures(run):
    finding = run.finding(EVIL + " bad")
    for html in (finding._repr_html_(), run.findings()._repr_html_()):
        assert "<script" not in html
        assert "data:image/jpeg;base64," in html
        assert "simulated" in html
        assert not re.search(r"https?:|file:", html)
    table = run.findings()._repr_html_()
    assert table.count("<tr>") == 6
    assert "3 of 5 cases flagged" in table
    assert "1 more" in Findings(run.findings().items)._repr_html_(limit=4)
    assert "<img" not in finding.located(None)._repr_html_()
    assert finding.located(None) == finding


@pytest.mark.parametrize(
    ("minutes", "first"), [(1, "06:00"), (600, "06:00"), (60 * 24 * 3, "01 Mar 12:00"), (60 * 24 * 90, "31 Mar 2026")]
)
def test_timeline_has_few_round_times(minutes, first):
    start = datetime(2026, 3, 1, 6, tzinfo=UTC)
    points = [
        Point(case_id=str(i), time=start + timedelta(minutes=minutes * i / 9), p_value=0.5, verdict="normal")
        for i in range(10)
    ]
    timeline = lay_out(points, 0.01)
    labels = [t.label for t in timeline.ticks_x]
    assert 2 <= len(labels) <= 8
    assert labels[0].startswith(first)
    assert [t.at for t in timeline.ticks_x] == sorted(t.at for t in timeline.ticks_x)
