"""What cases say stays text wherever findings are shown: notebook, Markdown, HTML report, tables for spreadsheets."""

import csv
import re
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from PIL import Image

import mmdmad.report
from mmdmad.finding_table import cell, export
from mmdmad.findings import Evidence, Finding, Findings, Guarantee, PartFinding
from mmdmad.report.markdown import safe, table

EVIL = "<img src=//127.0.0.1:9/x>`|[a](b)*\n# forged\x1b[31m\u202e&"


def finding(case_id: str = "c-1", artifact: str | None = None, text: str = EVIL) -> Finding:
    return Finding(
        case_id=case_id, group=text, verdict="anomalous", score=1.5, p_value=0.01,
        guarantee=Guarantee(rate=0.05, size=40, interval=(0, 0.1), pattern=("image",), note=text),
        parts=(PartFinding(modality="image", score=-2.5, p_value=0.01, share=1.0, encoder=text, detector=text),),
        evidence=(Evidence(id=f"E1{text}", kind="region", part="image", caption=text, artifact=artifact),),
        refused=(f"text: {text}",),
    )  # fmt: skip


def shows_only_text(html: str) -> None:
    assert "<img src=//" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "&lt;img src=//127.0.0.1:9/x&gt;" in html


def test_a_notebook_shows_text(tmp_path: Path) -> None:
    one = finding(case_id=EVIL)
    shows_only_text(one._repr_html_())
    shows_only_text(Findings([one])._repr_html_())


def test_a_notebook_shows_pictures_of_the_run_and_no_other_file(tmp_path: Path, monkeypatch) -> None:
    run = tmp_path / "run"
    (run / "artifacts").mkdir(parents=True)
    for file in (run / "artifacts" / "own.png", tmp_path / "secret.png"):
        Image.new("RGB", (20, 20)).save(file)
    (run / "artifacts" / "link.png").symlink_to(tmp_path / "secret.png")
    (run / "artifacts" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nxx")
    (run / "artifacts" / "text.png").write_text("no picture")
    monkeypatch.chdir(run)
    assert "data:image/jpeg" in finding(artifact="artifacts/own.png").located(run)._repr_html_()
    outside = ("../secret.png", str(tmp_path / "secret.png"), "artifacts/link.png", "a\0b", "\udcff", "artifacts")
    for path in (*outside, "artifacts/broken.png", "artifacts/text.png", "artifacts/none.png"):
        one = finding(artifact=path).located(run)
        assert "data:image" not in one._repr_html_(), path
        assert "data:image" not in Findings([one])._repr_html_(), path
    # without a run there is no folder whose pictures could be meant: not the one the program happens to be in
    assert "data:image" not in finding(artifact="artifacts/own.png")._repr_html_()


def test_the_page_of_a_report_escapes_every_value() -> None:
    from mmdmad.report.html import environment

    shows_only_text(environment().from_string("<p title='{{ x }}'>{{ x }} {{ [x] | first }}</p>").render(x=EVIL))
    template = (Path(mmdmad.report.__file__).parent / "report.html.jinja").read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe|autoescape|=\{\{", template)  # nothing waves it off, no value stands unquoted


@pytest.mark.parametrize("start", ["# x", "- x", "+ x", "=== x", "1. x", "23) x", "> x", "~~~ x", "  - x"])
def test_no_text_begins_a_heading_list_or_rule_in_markdown(start: str) -> None:
    shown = safe(start)
    assert not re.match(r"\s*(?:[-+=>#~]|\d+[.)])", shown), shown
    assert re.sub(r"\\(?=[^\w])", "", shown).replace("&gt;", ">") == start.strip()


def test_a_cell_of_a_markdown_table_stays_in_its_cell() -> None:
    *_, row, empty = table(("a", "b"), [[EVIL, "x"]])
    assert empty == ""
    assert "\n" not in row
    assert len(re.findall(r"(?<!\\)\|", row)) == 3
    assert not re.search(r"(?<!\\)[`*\[\]#<>]|\x1b|\u202e", row)


def test_evidence_cannot_leave_its_line_in_the_markdown_report() -> None:
    from mmdmad.report.markdown import _finding
    from mmdmad.store.strength import Beyond

    report = SimpleNamespace(alike={}, beyond=Beyond(), bases=())  # all that one finding asks of it
    for path in ("artifacts/c/E1.png", "a`b\n# x", EVIL):
        lines = _finding(1, finding(case_id=EVIL, artifact=path), "0.01", None, report)
        assert not any("\n" in line or "<img" in line or "\x1b" in line for line in lines)
        assert sum(line.startswith("#") for line in lines) == 1
    shown = _finding(1, finding(artifact="artifacts/c/E1.png"), "0.01", None, report)
    assert "(`artifacts/c/E1.png`)" in "".join(shown)


RUNS = (
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\rx",
    " =1",
    "\u200b=1",
    "＝1+1",
    "\n=1",
    "-x",
    "+",
)
STAYS = ("sheet-1", "a=b", "-5", "+0.5", "-1e-3", "2026-04-01", "", "0", "'=1", "x\t=1")


def test_cells_that_a_spreadsheet_would_run_are_neutralised() -> None:
    for text in RUNS:
        assert cell(text) == f"'{text}"
    for text in STAYS:
        assert cell(text) == text
    for number in (-0.5, 3, None, True, float("-inf")):
        assert cell(number) is number


def test_csv_exports_are_harmless_and_other_tables_hold_what_was_said(tmp_path: Path) -> None:
    found = [finding(case_id=text, text="a;=1+1") for text in (*RUNS, *STAYS[:3])]
    with export(found, tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        raw = file.read()
    rows = list(csv.DictReader(raw.splitlines(keepends=True)))
    assert [r["case_id"] for r in rows] == [f"'{t}" for t in RUNS] + list(STAYS[:3])
    assert {r["image_score"] for r in rows} == {"-2.5"}
    assert '"a;=1+1"' in raw  # quoted: no cell of its own where semicolons separate
    assert ",-2.5," in raw  # a number, not a text
    exact = pd.read_parquet(export(found, tmp_path / "t.parquet"))
    assert list(exact["case_id"]) == [f.case_id for f in found]
    assert pd.read_csv(tmp_path / "t.csv")["p_value"].dtype == float
