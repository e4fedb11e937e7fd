"""The report as one object: what HTML, Markdown and JSON show, computed once from a run."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from mmdmad.findings import Finding, Guarantee, PartName, Verdict
from mmdmad.modalities.base import detail_kinds, ordered
from mmdmad.reasons import CONTRADICTION, main_reason

if TYPE_CHECKING:
    from mmdmad.store.run import Run

DETAILED = 50  # findings shown with pictures and evidence; the rest of the flagged ones stand in a table


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Basis(_Model):
    """The guarantee for one pattern of present parts, and how many cases it was used for."""

    guarantee: Guarantee
    judged: int
    flagged: int


class Point(_Model):
    """One case on the timeline."""

    case_id: str
    time: datetime | None
    p_value: float
    verdict: Verdict
    simulated: bool = False


class Reason(_Model):
    """How often a part, or a contradiction, carried the largest share of a flagged case."""

    name: str
    count: int


class Labels(_Model):
    """Verdicts against the labels of the manifest, which were never used to judge."""

    anomalous: int
    anomalous_flagged: int
    normal: int
    normal_flagged: int


class Model(_Model):
    """Which encoder and detector judged a modality."""

    modality: PartName
    encoder: str
    detector: str


class Refused(_Model):
    """A part or case that could not be used."""

    case_id: str
    part: str
    reason: str
    row: int | None


class Report(_Model):
    """Everything a report says. `findings` are the flagged cases worst first (without any: the most unusual three)."""

    title: str
    created: datetime
    simulated: bool
    judged: int
    flagged: int
    no_verdict: int
    rate: float
    bases: tuple[Basis, ...]
    reasons: tuple[Reason, ...]
    labels: Labels | None
    timeline: tuple[Point, ...]
    findings: tuple[Finding, ...]
    detailed: int
    refused: tuple[Refused, ...]
    models: tuple[Model, ...]
    versions: dict[str, str]

    @property
    def headline(self) -> str:
        """The one sentence at the top."""
        if not self.judged:
            return "No case has been judged yet"
        if not self.flagged:
            return f"None of {self.judged} cases is flagged" if self.judged > 1 else "The one case is not flagged"
        return f"{self.flagged} of {self.judged} cases {'is' if self.flagged == 1 else 'are'} flagged as anomalous"

    @property
    def promise(self) -> str:
        """What the declared rate means for this many cases."""
        if not self.judged:
            return ""
        expected = self.rate * self.judged
        about = "less than one" if expected < 1 else f"about {expected:.0f}"
        return (
            f"At the declared false-alarm rate of {percent(self.rate)}, {about} of {self.judged} cases "
            "would be flagged if all were normal."
        )


def build(run: "Run", title: str | None = None) -> Report:
    """The report of a run as it stands now."""
    findings = run.findings().ranked()
    flagged = [f for f in findings if f.verdict == "anomalous"]
    return Report(
        title=title or run.path.resolve().name,
        created=datetime.now(UTC).replace(microsecond=0),
        simulated=run.simulated or any(f.simulated for f in findings),
        judged=len(findings),
        flagged=len(flagged),
        no_verdict=sum(f.verdict == "no verdict" for f in findings),
        rate=run.false_alarm_rate or float(run.config.get("false_alarm_rate") or 0.01),
        bases=_bases(findings),
        reasons=_reasons(flagged),
        labels=_labels(findings),
        timeline=_timeline(findings),
        findings=tuple(flagged) or findings[:3].items,
        detailed=DETAILED,
        refused=tuple(Refused(case_id=r.case_id, part=r.part, reason=r.reason, row=r.row) for r in run.refusals()),
        models=_models(findings),
        versions=run.versions,
    )


def percent(share: float) -> str:
    """A share as a percentage with at most three significant digits.

    >>> percent(0.01), percent(0.12345)
    ('1 %', '12.3 %')
    """
    return f"{100 * share:.3g} %"


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


def _bases(findings: Sequence[Finding]) -> tuple[Basis, ...]:
    patterns: dict[tuple[PartName, ...], list[Finding]] = {}
    for finding in findings:
        patterns.setdefault(finding.guarantee.pattern, []).append(finding)
    order = sorted(patterns.values(), key=lambda fs: (-len(fs), -len(fs[0].guarantee.pattern)))
    return tuple(
        Basis(guarantee=fs[0].guarantee, judged=len(fs), flagged=sum(f.verdict == "anomalous" for f in fs))
        for fs in order
    )


def _reasons(flagged: Sequence[Finding]) -> tuple[Reason, ...]:
    counts = Counter(main_reason(f) or "" for f in flagged)
    names = (*ordered(counts.keys() - {CONTRADICTION, ""}), CONTRADICTION)
    return tuple(Reason(name=n, count=counts[n]) for n in names if counts[n])


def _labels(findings: Sequence[Finding]) -> Labels | None:
    known = [f for f in findings if f.label is not None]
    if not known:
        return None
    bad, good = [f for f in known if f.label == 1], [f for f in known if f.label == 0]
    return Labels(
        anomalous=len(bad),
        anomalous_flagged=sum(f.verdict == "anomalous" for f in bad),
        normal=len(good),
        normal_flagged=sum(f.verdict == "anomalous" for f in good),
    )


def _timeline(findings: Sequence[Finding]) -> tuple[Point, ...]:
    def key(f: Finding) -> tuple[bool, float, str]:
        if f.time is None:
            return True, math.inf, f.case_id
        return False, (f.time if f.time.tzinfo else f.time.replace(tzinfo=UTC)).timestamp(), f.case_id

    return tuple(
        Point(case_id=f.case_id, time=f.time, p_value=f.p_value, verdict=f.verdict, simulated=f.simulated)
        for f in sorted(findings, key=key)
    )


def _models(findings: Sequence[Finding]) -> tuple[Model, ...]:
    seen = {(p.modality, p.encoder, p.detector) for f in findings for p in f.parts}
    order = ordered(m for m, _, _ in seen)
    return tuple(
        Model(modality=m, encoder=e, detector=d) for m, e, d in sorted(seen, key=lambda s: (order.index(s[0]), s))
    )
