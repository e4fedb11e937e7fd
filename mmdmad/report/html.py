"""The report as one HTML page: self-contained, everything escaped, no script and no network needed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmdmad.ask.words import percent
from mmdmad.findings import Finding, Guarantee
from mmdmad.modalities.base import modalities
from mmdmad.plain import plain
from mmdmad.reasons import main_reason
from mmdmad.report.model import Report, entry, lead, several
from mmdmad.report.pictures import Packer, Pictures, thumbnail
from mmdmad.report.timeline import lay_out
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
    guarantee: str


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


def render(report: Report, run: "Run") -> str:
    """The page as a string."""
    packer = Packer(run)
    views = [_view(f, together, packer, run) for f, together in report.entries[: report.detailed]]
    return (
        environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            views=views,
            rest=[(f, entry(f, together)) for f, together in report.entries[report.detailed :]],
            anchors={case: f"f{i}" for i, v in enumerate(views, start=1) for case in _cases(v)},
            timeline=lay_out(report.timeline, report.rate, report.sampled),
            picture_notes={name: one.picture_note for name, one in modalities().items()},
        )
    )


def _cases(view: View) -> tuple[str, ...]:
    return (view.finding.case_id,) if view.together is None else view.together.cases


def _view(finding: Finding, together: Stretch | None, packer: Packer, run: "Run") -> View:
    guarantee = finding.guarantee
    words = (
        f"Declared false-alarm rate {percent(guarantee.rate)}, from {guarantee.size} calibration cases with the same "
        f"parts; 95 % interval {percent(guarantee.interval[0])} to {percent(guarantee.interval[1])}."
    )
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
        guarantee=f"{words} {_three_numbers(guarantee)}"
        if guarantee.valid
        else f"No guarantee: {guarantee.note or 'too few calibration cases'}.",
    )


def _three_numbers(guarantee: Guarantee) -> str:
    """How the p-value came about, and floor, bound and measured rate apart.

    >>> print(_three_numbers(Guarantee(rate=0.05, size=99, interval=(0.02, 0.1), pattern=("image",), bound=0.05)))
    No p-value is below 0.01; a theorem bounds the rate by 5 %; it was not measured on other normal cases.
    """
    crossed = "Ranked within folds, by models that had not learned the cases ranked with. "
    bound, measured = guarantee.bound, guarantee.measured
    return (
        f"{crossed if guarantee.method == 'cross' else ''}No p-value is below {guarantee.smallest_p_value:.2g}; "
        f"{'no theorem bounds the rate' if bound is None else f'a theorem bounds the rate by {percent(bound)}'}; "
        + ("it was not measured on other" if measured is None else f"it was {percent(measured)} on other")
        + " normal cases."
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
