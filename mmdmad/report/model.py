"""The report as one object: what HTML, Markdown and JSON show, computed once from a run."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from mmdmad.ask.base import Scope
from mmdmad.ask.expected import Expected, of_all
from mmdmad.ask.filters import Filter
from mmdmad.ask.groups import Group, OfGroups, by_group
from mmdmad.ask.judging import Basis, Labels, Model, compare_with_labels, guarantees, list_models
from mmdmad.ask.overview import Nothing, overview
from mmdmad.ask.refusals import Refusal, Refusals, list_refusals
from mmdmad.ask.seen import Alike, Memory
from mmdmad.ask.timeline import Along, Point, timeline
from mmdmad.ask.words import in_stretches, percent, plural
from mmdmad.events import Event
from mmdmad.findings import Finding
from mmdmad.modalities.base import ordered
from mmdmad.reasons import CONTRADICTION
from mmdmad.report.opening import Banner, Opening, banners, opening
from mmdmad.report.sections import Section, sections
from mmdmad.store.strength import Beyond, beyond
from mmdmad.store.stretched import stretched
from mmdmad.stretches import Stretch

if TYPE_CHECKING:
    from mmdmad.store.run import Run

DETAILED = 50  # findings shown with pictures and evidence
LISTED = 500  # further flagged ones in a table; beyond that they are counted
CLOSEST = 3  # the most unusual ones, shown where none is flagged
EVENTS = 500  # the most anomalous ones
REFUSED = 1000  # refusals listed; beyond that they are counted
EACH = " Cases are windows of recordings: counts and the rate are of each, windows side by side are told as one."
_NOT = {"is flagged": "is not", "could be flagged": "could not be"}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reason(_Model):
    """How often a part, or a contradiction, carried the largest share of a flagged case."""

    name: str
    count: int


class Report(_Model):
    """Everything a report says, in a size that does not grow with the run beyond some limits.

    `findings` are the flagged cases worst first (without any: the most unusual three), at most DETAILED + LISTED;
    Where flagged cases are neighbouring windows of a recording, `stretches` has them all, grouped; the page tells one
    entry for each, the cases stay counted one by one.
    `beyond` says how far cases at the floor of their p-value lie beyond all normal ones, `alike` of the detailed ones
    whether their like was flagged before. `events` are flagged cases side by side, the most anomalous of `in_events`.
    `watched` says whether normal has moved in the course of the run; where it has, the guarantee has `lapsed`.
    `timeline` is an even sample where `sampled`; of `refused_in_all` refusals the first are in `refused`.
    """

    title: str
    created: datetime
    banners: tuple[Banner, ...]
    opening: Opening
    simulated: bool
    judged: int
    flagged: int
    no_verdict: int
    rate: float
    judged_at: float
    expected: Expected
    watched: str
    lapsed: bool
    adapted: str
    bases: tuple[Basis, ...]
    reasons: tuple[Reason, ...]
    labels: Labels | None
    timeline: tuple[Point, ...]
    sampled: bool
    findings: tuple[Finding, ...]
    stretches: tuple[Stretch, ...] = ()
    detailed: int
    beyond: Beyond
    alike: dict[str, Alike]
    events: tuple[Event, ...]
    in_events: int
    groups: tuple[Group, ...]
    refused: tuple[Refusal, ...]
    refused_in_all: int
    models: tuple[Model, ...]
    sections: tuple[Section, ...]
    versions: dict[str, str]

    @property
    def failed(self) -> tuple[str, ...]:
        """A line for each section that could not be made."""
        return tuple(f"{section.title}: {section.line}" for section in self.sections if section.failed)

    @property
    def entries(self) -> tuple[tuple[Finding, Stretch | None], ...]:
        """What the page tells one by one: each finding, or of each stretch of windows its most anomalous one."""
        if not in_stretches(self.flagged, self.stretches):
            return tuple((finding, None) for finding in self.findings)
        known = {finding.case_id: finding for finding in self.findings}
        return tuple((known[s.peak], s) for s in self.stretches if s.peak in known)

    @property
    def unlisted(self) -> int:
        """How many flagged cases the report has no room for."""
        return max(0, self.flagged - sum(1 if s is None else len(s.cases) for _, s in self.entries))

    @property
    def headline(self) -> str:
        """The one sentence at the top."""
        if not self.judged:
            return "No case has been judged yet"
        if not self.flagged:
            what = "could be flagged" if self.no_verdict == self.judged else "is flagged"
            return f"None of {self.judged} cases {what}" if self.judged > 1 else f"The one case {_NOT[what]} flagged"
        verb = "is" if self.flagged == 1 else "are"
        together = f", in {plural(self.in_events, 'event')}" if 0 < self.in_events < self.flagged else ""
        return f"{self.flagged} of {self.judged} cases {verb} flagged as anomalous{together}"

    @property
    def promise(self) -> str:
        """What the declared rate means for this many cases, and for how many it means nothing."""
        if not self.judged:
            return ""
        said = [self.expected.words(self.rate)] if self.expected.cases else []
        said += filter(None, [self.expected.far_above(self.flagged)])
        if self.no_verdict:
            said.append(
                f"{self.no_verdict} of {plural(self.judged)} could get no verdict; the table of what stands behind the "
                "verdicts says why."
            )
        if self.rate != self.judged_at:
            said.append(
                f"Verdicts are read at {percent(self.rate)}; the cases were judged at {percent(self.judged_at)}, and "
                "where faults lie was looked for at that rate."
            )
        said += [f"The rate is not promised: {b.guarantee.note}." for b in self.bases if b.unpromised][:1]
        return " ".join(said) + (EACH if in_stretches(self.flagged, self.stretches) else "")


def build(run: "Run", title: str | None = None) -> Report:
    """The report of a run as it stands now: what queries answer, and the findings that it has room for.

    A query that has a heading of its own (`section`) becomes a section without being named here.
    """
    scope = Scope(run)
    whole, along = overview(scope, Nothing()), timeline(scope, Along())
    whole = whole.model_copy(update={"simulated": run.simulated or whole.simulated})
    refused = list_refusals(scope, Refusals(limit=REFUSED))
    flagged = whole.verdicts.get("anomalous", 0)
    findings, bases = tuple(_shown(run, flagged)), guarantees(scope, Nothing()).bases
    false, waits, groups, memory = (
        of_all(run.tally.groups(), whole.rate),
        run.pending,
        by_group(scope, OfGroups()),
        Memory(run),
    )
    alike = {f.case_id: found for f in findings[:DETAILED] if (found := memory.of(f)) is not None}
    return Report(
        title=title or run.path.resolve().name,
        created=datetime.now(UTC).replace(microsecond=0),
        banners=banners(whole, bases, false, waits),
        opening=opening(run, whole, false, waits, findings[0].case_id if findings else ""),
        simulated=whole.simulated,
        judged=whole.judged,
        flagged=flagged,
        no_verdict=whole.verdicts.get("no verdict", 0),
        rate=whole.rate,
        judged_at=run.judged_at,
        expected=false,
        watched=whole.watched,
        lapsed=whole.lapsed,
        adapted=whole.adapted,
        bases=bases,
        reasons=_reasons(whole.drivers),
        labels=compare_with_labels(scope, Filter()).labels,
        timeline=along.points,
        sampled=along.sampled,
        findings=findings,
        stretches=stretched(run, verdict="anomalous") if flagged else (),
        detailed=DETAILED,
        beyond=beyond(run),
        alike=alike,
        events=tuple(run.events.list(limit=EVENTS)) if flagged else (),
        in_events=run.events.count() if flagged else 0,
        groups=() if groups.idle else groups.groups,
        refused=refused.refused,
        refused_in_all=refused.total,
        models=list_models(scope, Nothing()).models,
        sections=tuple(sections(scope)),
        versions=run.versions,
    )


def _shown(run: "Run", flagged: int) -> list[Finding]:
    """The flagged findings that the report has room for, worst first; without any, the three most unusual."""
    if flagged:
        return list(run.findings(verdict="anomalous", limit=DETAILED + LISTED))
    return list(run.findings(limit=CLOSEST))


def _reasons(drivers: Mapping[str, int]) -> tuple[Reason, ...]:
    names = (*ordered(drivers.keys() - {CONTRADICTION}), CONTRADICTION)
    return tuple(Reason(name=n, count=drivers[n]) for n in names if drivers.get(n))
