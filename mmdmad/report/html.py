"""The report as one HTML page: self-contained, everything escaped, readable without its one small script.

The page's policy allows nothing from anywhere and runs one script and one style sheet, both known by their hashes: a
word from a case that became markup all the same would still do nothing.
"""

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from mmdmad.ask.words import percent
from mmdmad.findings import Finding, Sentence
from mmdmad.modalities.base import modalities
from mmdmad.plain import plain
from mmdmad.reasons import main_reason, unusual
from mmdmad.report.model import Report
from mmdmad.report.pictures import Packer, Pictures, thumbnail
from mmdmad.report.timeline import lay_out
from mmdmad.report.words import (
    entry,
    group_words,
    lead,
    method_words,
    seen,
    several,
    strength,
    together_in,
    told,
    unsure,
)
from mmdmad.store.rows import timestamp
from mmdmad.stretches import Stretch

if TYPE_CHECKING:
    from jinja2 import Environment

    from mmdmad.store.run import Run


@dataclass(frozen=True)
class Bar:
    """One part's line in a card: its p-value and its share of the joint score."""

    name: str
    p_value: float
    width: float
    loud: bool


@dataclass(frozen=True)
class View:
    """One finding as the page shows it."""

    finding: Finding
    together: Stretch | None
    where: str
    lead: list[str]
    reason: str
    bars: list[Bar]
    order: list[str]
    pictures: Pictures
    thumbnail: str | None
    strength: str
    seen: str
    unsure: str
    parts: tuple[str, ...]
    sentences: tuple[Sentence, ...]
    seconds: float | None


def environment() -> "Environment":
    """The templates' environment: every value is escaped, and no hidden character of it reaches the page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from mmdmad.explain.words import number

    env = Environment(
        loader=PackageLoader("mmdmad.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        finalize=lambda value: plain(value, lines=True) if type(value) is str else value,
    )  # fmt: skip
    env.filters |= {"number": number, "percent": percent}
    return env


def hashed(text: str) -> str:
    """A script or a style sheet as a page's policy names it.

    >>> hashed("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def render(report: Report, run: "Run") -> str:
    """The page as a string."""
    from markupsafe import Markup

    packer = Packer(run)
    views = [_view(f, together, packer, run, report) for f, together in report.entries[: report.detailed]]
    own = {name: (files("mmdmad.report") / f"page.{name}").read_text(encoding="utf-8") for name in ("css", "js")}
    return (
        environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            views=views,
            rest=[
                (f, entry(f, together), timestamp(f.time), main_reason(f) or "", unusual(f))
                for f, together in report.entries[report.detailed :]
            ],
            anchors={case: f"f{i}" for i, v in enumerate(views, start=1) for case in _cases(v)},
            timeline=lay_out(report.timeline, report.rate, report.sampled, report.beyond.times),
            picture_notes={name: one.picture_note for name, one in modalities().items()},
            plots={name for name, one in modalities().items() if not one.photo},
            events=together_in(report.events, {f.case_id for f, _ in report.entries}),
            group_words=group_words,
            method_words=method_words(report.bases),
            css=Markup(own["css"]),
            js=Markup(own["js"]),
            policy=Markup(
                f"default-src 'none'; style-src {hashed(own['css'])}; script-src {hashed(own['js'])}; img-src data:; "
                "base-uri 'none'; form-action 'none'"
            ),
        )
    )


def _cases(view: View) -> tuple[str, ...]:
    return (view.finding.case_id,) if view.together is None else view.together.cases


def _view(finding: Finding, together: Stretch | None, packer: Packer, run: "Run", report: Report) -> View:
    alike = report.alike.get(finding.case_id)
    return View(
        finding=finding,
        together=together,
        where=several(together),
        lead=lead(finding),
        reason=main_reason(finding) or "",
        bars=bars(finding),
        order=[p.modality for p in sorted(finding.parts, key=lambda p: -p.share)],
        pictures=packer.pack(finding),
        thumbnail=thumbnail(run, finding),
        strength=strength(finding, report.beyond),
        seen=seen(alike),
        unsure=unsure(finding, report.bases),
        parts=tuple(unusual(finding)),
        sentences=told(finding),
        seconds=timestamp(finding.time),
    )


def bars(finding: Finding) -> list[Bar]:
    """Parts in their order, then the strongest contradiction; bar widths are shares of the joint score."""
    total = sum(max(p.share, 0.0) for p in finding.parts) + sum(max(c.share, 0.0) for c in finding.contradictions)
    rate = finding.guarantee.rate
    found = [
        Bar(p.modality, p.p_value, round(100 * max(p.share, 0.0) / max(total, 1e-300), 1), p.p_value <= rate)
        for p in finding.parts
    ]
    if finding.contradictions:
        worst = min(finding.contradictions, key=lambda c: (c.p_value, -c.share))
        share = sum(max(c.share, 0.0) for c in finding.contradictions) / max(total, 1e-300)
        found.append(Bar("fit together", worst.p_value, round(100 * share, 1), worst.p_value <= rate))
    return found
