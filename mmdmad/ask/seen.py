"""Whether the like of a case was flagged before, how often, and since when."""

from pydantic import BaseModel, ConfigDict

from mmdmad import reasons
from mmdmad.ask.base import Result, Scope, query, told
from mmdmad.ask.case import OneCase, resolve
from mmdmad.ask.words import plural
from mmdmad.explain.words import fact
from mmdmad.findings import Finding
from mmdmad.store.run import Run


class Alike(BaseModel):
    """Flagged cases with the same driver, and the same channel where one is named: how many, and the first's time.

    `before` are those earlier than the case that is asked about; None where it has no time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    total: int
    before: int | None
    first: str

    @property
    def words(self) -> str:
        """One sentence.

        >>> Alike(what="the sensor, channel load", total=4, before=2, first="2026-04-01 06:00:00").words
        'Seen before: 2 earlier flagged cases by the sensor, channel load, 4 in the run, since 2026-04-01 06:00:00.'
        """
        if self.total <= 1:
            return f"The only flagged case by {self.what} in the run."
        since = f", since {self.first}" if self.first else ""
        if self.before is None:
            return f"One of {plural(self.total, 'flagged case')} by {self.what} in the run{since}."
        if not self.before:
            return f"The first of {plural(self.total, 'flagged case')} by {self.what} in the run."
        earlier = plural(self.before, "earlier flagged case")
        return f"Seen before: {earlier} by {self.what}, {self.total} in the run{since}."


class Seen(Result):
    """What is like the case among those flagged; None for a case that is not flagged."""

    alike: Alike | None


class Memory:
    """Asks a run for the like of findings, each kind of it once."""

    def __init__(self, run: Run) -> None:
        self._run, self._known = run, dict[tuple[str, str | None], tuple[int, str]]()

    def of(self, finding: Finding) -> Alike | None:
        """The like of a flagged finding."""
        driver = reasons.main_reason(finding)
        if finding.verdict != "anomalous" or driver is None:
            return None
        own = (e for e in finding.evidence if e.part == driver and e.kind in reasons.CHANNEL_KINDS)
        channel = next((str(f.value) for e in own for f in e.facts if f.name == "channel"), None)
        filters = {"verdict": "anomalous", "driver": driver, **({} if channel is None else {"channel": channel})}
        if (driver, channel) not in self._known:
            span = self._run.tally.span(**filters)
            self._known[driver, channel] = self._run.count(**filters), "" if span is None else span[0]
        total, first = self._known[driver, channel]
        what = "parts that do not fit each other" if driver == reasons.CONTRADICTION else f"the {driver}"
        return Alike(
            what=what if channel is None else f"{what}, channel {channel}", total=total, first=first,
            before=None if finding.time is None else self._run.count(**filters, until=finding.time),
        )  # fmt: skip


@query("seen_before", asked=("seen before", "happened before", "how often … happen", "first time", "seen … earlier"))
def seen_before(scope: Scope, asked: OneCase) -> Seen:
    """Whether cases like one (same part, same channel) were flagged before it, how often, and since when."""
    finding = resolve(scope.run, asked.case_id)
    alike = Memory(scope.run).of(finding)
    line = f"flagged cases like {finding.case_id}"
    if alike is None:
        none = told(f"{finding.case_id} is not flagged.", fact("case", finding.case_id), case=finding.case_id)
        return Seen(line=f"{line}: none", evidence=(none,), alike=None)
    facts = [fact("case", finding.case_id), fact("by", alike.what), fact("flagged cases", alike.total)]
    facts += [] if alike.before is None else [fact("earlier flagged cases", alike.before)]
    facts += [fact("first time", alike.first)] if alike.first else []
    said = told(f"{finding.case_id}: {alike.words[:1].lower()}{alike.words[1:]}", *facts, case=finding.case_id)
    return Seen(line=f"{line}: {alike.total}", evidence=(said,), alike=alike)
