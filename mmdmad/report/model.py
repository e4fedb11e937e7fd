"""The report as one object: what HTML, Markdown and JSON show, computed once from a run."""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from mmdmad.ask.base import Query, Scope, queries, told_error
from mmdmad.ask.expected import Expected, of_all
from mmdmad.ask.judging import Basis, Labels, Model, compare_with_labels, guarantees, list_models
from mmdmad.ask.overview import Nothing, overview
from mmdmad.ask.refusals import Refusal, Refusals, list_refusals
from mmdmad.ask.timeline import Along, Point, timeline
from mmdmad.ask.words import in_stretches, percent, plural, stretch_place
from mmdmad.explain.words import listed
from mmdmad.findings import Evidence, Finding
from mmdmad.modalities.base import detail_kinds, ordered
from mmdmad.reasons import CONTRADICTION
from mmdmad.store.stretched import stretched
from mmdmad.stretches import Stretch

if TYPE_CHECKING:
    from mmdmad.store.run import Run

log = logging.getLogger(__name__)
DETAILED = 50  # findings shown with pictures and evidence
LISTED = 500  # further flagged ones in a table; beyond that they are counted
CLOSEST = 3  # the most unusual ones, shown where none is flagged
REFUSED = 1000  # refusals listed; beyond that they are counted
EACH = " Cases are windows of recordings: counts and the rate are of each, windows side by side are told as one."
LINES = 50  # pieces of evidence of a section made by a query
_NOT = {"is flagged": "is not", "could be flagged": "could not be"}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reason(_Model):
    """How often a part, or a contradiction, carried the largest share of a flagged case."""

    name: str
    count: int


class Section(_Model):
    """What a query with a heading of its own adds to the report: its line, and its evidence up to a limit."""

    title: str
    line: str
    evidence: tuple[Evidence, ...] = ()
    left_out: int = 0
    failed: bool = False


class Report(_Model):
    """Everything a report says, in a size that does not grow with the run beyond some limits.

    `findings` are the flagged cases worst first (without any: the most unusual three), at most DETAILED + LISTED;
    Where flagged cases are neighbouring windows of a recording, `stretches` has them all, grouped; the page tells one
    entry for each, the cases stay counted one by one.
    `watched` says whether normal has moved in the course of the run; where it has, the guarantee has `lapsed`.
    `timeline` is an even sample where `sampled`; of `refused_in_all` refusals the first are in `refused`.
    """

    title: str
    created: datetime
    simulated: bool
    judged: int
    flagged: int
    no_verdict: int
    rate: float
    judged_at: float
    expected: Expected
    watched: str
    lapsed: bool
    bases: tuple[Basis, ...]
    reasons: tuple[Reason, ...]
    labels: Labels | None
    timeline: tuple[Point, ...]
    sampled: bool
    findings: tuple[Finding, ...]
    stretches: tuple[Stretch, ...] = ()
    detailed: int
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
        together = in_stretches(self.flagged, self.stretches)
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
    refused = list_refusals(scope, Refusals(limit=REFUSED))
    flagged = whole.verdicts.get("anomalous", 0)
    return Report(
        title=title or run.path.resolve().name,
        created=datetime.now(UTC).replace(microsecond=0),
        simulated=run.simulated or whole.simulated,
        judged=whole.judged,
        flagged=flagged,
        no_verdict=whole.verdicts.get("no verdict", 0),
        rate=whole.rate,
        judged_at=run.judged_at,
        expected=of_all(run.tally.groups(), whole.rate),
        watched=whole.watched,
        lapsed=whole.lapsed,
        bases=guarantees(scope, Nothing()).bases,
        reasons=_reasons(whole.drivers),
        labels=compare_with_labels(scope, Nothing()).labels,
        timeline=along.points,
        sampled=along.sampled,
        findings=tuple(_shown(run, flagged)),
        stretches=stretched(run, verdict="anomalous") if flagged else (),
        detailed=DETAILED,
        refused=refused.refused,
        refused_in_all=refused.total,
        models=list_models(scope, Nothing()).models,
        sections=tuple(_sections(scope)),
        versions=run.versions,
    )


def lead(finding: Finding, limit: int = 3) -> list[str]:
    """The captions that say what is wrong and where, most telling first: evidence comes in the order of its share.

    The first detail of every part goes before the second of any, so that a chain over several parts is seen at once.
    """
    telling = ("contradiction", *detail_kinds())
    details = [e for e in finding.evidence if e.kind in telling]
    seen: set[str] = set()
    first: list[str] = []
    rest: list[str] = []
    for e in details:
        key = e.kind if e.kind == "contradiction" else str(e.part)
        (rest if key in seen else first).append(e.caption)
        seen.add(key)
    return [*first, *rest][:limit] or [e.caption for e in finding.evidence if e.kind == "part"][:1]


def several(together: Stretch | None) -> str:
    """Where windows that are told as one lie, and what stands out in any of them; "" for a case by itself."""
    if together is None or len(together.cases) == 1:
        return ""
    where = stretch_place(together).words
    return f"{len(together.cases)} windows side by side{f' {where}' if where else ''}, by {listed(together.parts)}"


def entry(finding: Finding, together: Stretch | None) -> str:
    """A finding, or the windows it stands for, in one line."""
    return ": ".join(filter(None, (several(together), (lead(finding) or [""])[0])))


def _shown(run: "Run", flagged: int) -> list[Finding]:
    """The flagged findings that the report has room for, worst first; without any, the three most unusual."""
    if flagged:
        return list(run.findings(verdict="anomalous", limit=DETAILED + LISTED))
    return list(run.findings(limit=CLOSEST))


def _reasons(drivers: Mapping[str, int]) -> tuple[Reason, ...]:
    names = (*ordered(drivers.keys() - {CONTRADICTION}), CONTRADICTION)
    return tuple(Reason(name=n, count=drivers[n]) for n in names if drivers.get(n))


def _sections(scope: Scope) -> Iterator[Section]:
    """The sections of all queries with a heading that have something to say."""
    for query in queries().values():
        found = _section(query, scope) if query.section else None
        if found is not None:
            yield found


def _section(query: Query, scope: Scope) -> Section | None:
    """What a query says, or in one line why it says nothing: another distribution's code must not cost the report."""
    try:
        found = query(scope)
    except Exception as error:
        log.debug("section %s", query.section, exc_info=True)
        return Section(title=query.section, line=f"This section failed: {told_error(query.name, error)}", failed=True)
    if found.idle:
        return None
    said = tuple(one.evidence for one in found.evidence[:LINES])
    return Section(title=query.section, line=found.line, evidence=said, left_out=len(found.evidence) - len(said))
