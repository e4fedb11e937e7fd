"""The report: one object, written as one self-contained HTML page, as Markdown or as JSON."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from mmdmad.errors import RunError

if TYPE_CHECKING:
    from mmdmad.store.run import Run

SUFFIXES = (".html", ".md", ".json")

__all__ = ["write_report"]


def write_report(run: "Run", out: Path, *, title: str | None = None) -> Path:
    """Write the run's report to `out`; the suffix (.html, .md, .json) chooses the form. Returns `out`.

    RuntimeWarning for each section whose query failed; its place in the report says so too.
    """
    for line in write(run, out, title):
        warnings.warn(f"{out}: {line}", RuntimeWarning, stacklevel=2)
    return Path(out)


def write(run: "Run", out: Path, title: str | None = None) -> tuple[str, ...]:
    """Write the report as `write_report` does; a line for each section that failed."""
    from mmdmad.files import replacing
    from mmdmad.report.model import build

    out = Path(out)
    if out.suffix not in SUFFIXES:
        raise RunError(f"{out.name}: a report is written as {', '.join(SUFFIXES)}")
    report = build(run, title)
    if out.suffix == ".html":
        from mmdmad.report.html import render

        text = render(report, run)
    elif out.suffix == ".md":
        from mmdmad.report.markdown import render as render_markdown

        text = render_markdown(report)
    else:
        text = report.model_dump_json(indent=1)
    with replacing(out) as unfinished:
        # a lone surrogate (a file name that is not UTF-8) must not stop a report
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")
    return report.failed
