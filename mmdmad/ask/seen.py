"""Whether the like of a case was flagged before, how often, and since when.

Alike are flagged cases that the same part drives; where the evidence names a channel, by the same channel, and where it
quotes a line of a text, by such a line, whatever its numbers are.
"""

from pydantic import BaseModel, ConfigDict

from mmdmad import reasons
from mmdmad.ask.base import Result, Scope, query, told
from mmdmad.ask.case import OneCase, resolve
from mmdmad.ask.words import plural
from mmdmad.explain.text_normal import template
from mmdmad.explain.words import fact
from mmdmad.findings import Finding
from mmdmad.modalities.base import modalities
from mmdmad.store.lines import by_line, line_of
from mmdmad.store.rows import timestamp
from mmdmad.store.run import Run


class Alike(BaseModel):
    """Flagged cases like one, in the words of `what`: how many, and the time of the first.

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

        >>> Alike(what="by the sensor, channel load", total=4, before=2, first="2026-04-01 06:00:00").words
        'Seen before: 2 earlier flagged cases by the sensor, channel load, 4 in the run, since 2026-04-01 06:00:00.'
        """
        if self.total <= 1:
            return f"The only flagged case {self.what} in the run."
        since = f", since {self.first}" if self.first else ""
        if self.before is None:
            return f"One of {plural(self.total, 'flagged case')} {self.what} in the run{since}."
        if not self.before:
            return f"The first of {plural(self.total, 'flagged case')} {self.what} in the run."
        earlier = plural(self.before, "earlier flagged case")
        return f"Seen before: {earlier} {self.what}, {self.total} in the run{since}."


class Seen(Result):
    """What is like the case among those flagged; None for a case that is not flagged."""

    alike: Alike | None


class Memory:
    """Asks a run for the like of findings, each kind of it once."""

    def __init__(self, run: Run) -> None:
        self._run, self._spans = run, dict[tuple[str, str | None], tuple[int, str]]()
        self._lines = dict[str, dict[str, dict[str, tuple[float, str] | None]]]()

    def of(self, finding: Finding) -> Alike | None:
        """The like of a flagged finding; None, too, where its modality is not installed here: no filter knows it."""
        driver = reasons.main_reason(finding)
        if finding.verdict != "anomalous" or driver not in (*modalities(), reasons.CONTRADICTION):
            return None
        line = line_of(finding, driver)
        return self._by_channel(finding, driver) if line is None else self._by_line(finding, driver, line)

    def _by_channel(self, finding: Finding, driver: str) -> Alike:
        own = (e for e in finding.evidence if e.part == driver and e.kind in reasons.CHANNEL_KINDS)
        channel = next((str(f.value) for e in own for f in e.facts if f.name == "channel"), None)
        filters = {"verdict": "anomalous", "driver": driver, **({} if channel is None else {"channel": channel})}
        if (driver, channel) not in self._spans:
            span = self._run.tally.span(**filters)
            self._spans[driver, channel] = self._run.count(**filters), "" if span is None else span[0]
        total, first = self._spans[driver, channel]
        what = "by parts that do not fit each other" if driver == reasons.CONTRADICTION else f"by the {driver}"
        return Alike(
            what=what if channel is None else f"{what}, channel {channel}", total=total, first=first,
            before=None if finding.time is None else self._run.count(**filters, until=finding.time),
        )  # fmt: skip

    def _by_line(self, finding: Finding, driver: str, line: str) -> Alike:
        if driver not in self._lines:
            self._lines[driver] = by_line(self._run, driver, verdict="anomalous", driver=driver)
        same = self._lines[driver].get(template(line), {})
        moments = sorted(moment for moment in same.values() if moment is not None)
        now = timestamp(finding.time)
        return Alike(
            what="with such a line (numbers aside)", total=len(same),
            before=None if now is None else sum(seconds < now for seconds, _ in moments),
            first=moments[0][1] if moments else "",
        )  # fmt: skip


@query("seen_before", asked=("seen before", "happened before", "how often … happen", "first time", "seen … earlier"))
def seen_before(scope: Scope, asked: OneCase) -> Seen:
    """Whether cases like one (same part, channel or line) were flagged before it, how often, and since when."""
    finding = resolve(scope.run, asked.case_id)
    alike = Memory(scope.run).of(finding)
    line = f"flagged cases like {finding.case_id}"
    if alike is None:
        none = told(f"{finding.case_id} is not flagged.", fact("case", finding.case_id), case=finding.case_id)
        return Seen(line=f"{line}: none", evidence=(none,), alike=None)
    facts = [fact("case", finding.case_id), fact("what", alike.what), fact("flagged cases", alike.total)]
    facts += [] if alike.before is None else [fact("earlier flagged cases", alike.before)]
    facts += [fact("first time", alike.first)] if alike.first else []
    said = told(f"{finding.case_id}: {alike.words[:1].lower()}{alike.words[1:]}", *facts, case=finding.case_id)
    return Seen(line=f"{line}: {alike.total}", evidence=(said,), alike=alike)
