"""Events of a run: flagged cases that lie side by side as one, since when they last, and how many there are."""

from typing import Any, Literal

from pydantic import Field

from mmdmad.ask.base import Arguments, Cited, Result, Scope, query, told
from mmdmad.ask.case import resolve
from mmdmad.ask.filters import InTime, moments
from mmdmad.ask.words import plural, short, stretch_place
from mmdmad.cases import Modality
from mmdmad.errors import ConfigError
from mmdmad.events import Event
from mmdmad.explain.when import on_clock, spoken
from mmdmad.explain.words import fact, listed
from mmdmad.findings import Fact

LIMIT = 100


class Which(InTime):
    """Which events are meant; a field left out does not filter."""

    since: str | None = Field(
        default=None, description="ISO date-time: events that last into it or begin later; or HH:MM, when they begin"
    )
    until: str | None = Field(default=None, description="ISO date-time, or HH:MM on any day: events that begin before")
    part: Modality | None = Field(default=None, description="a part that stands out in the event")
    recording: str | None = Field(default=None, description="the recording or file in which the event lies")
    group: str | None = Field(default=None, description="group or product of all its cases, as stored")
    alarm: bool | None = Field(default=None, description="whether the run's alarm rule raises it")

    def stored(self) -> dict[str, Any]:
        """The same as the filters of `Run.events`."""
        found: dict[str, Any] = {
            "part": self.part, "recording": self.recording, "group": self.group, "alarm": self.alarm,
        }  # fmt: skip
        return {name: value for name, value in found.items() if value is not None} | moments(self.since, self.until)

    def words(self) -> str:
        """The events in words.

        >>> Which(part="sensor", since="2026-03-02").words()
        'events by sensor from 2026-03-02'
        """
        head = {None: "events", True: "alarms", False: "events that are no alarms"}[self.alarm]
        said = [f"by {self.part}"] if self.part else []
        said += [f"in {self.recording}"] if self.recording else []
        said += [f"of {self.group}"] if self.group else []
        said += [f"from {self.since}"] if self.since else []
        said += [f"until {self.until}"] if self.until else []
        return " ".join([head, *said])


class Listed(Which):
    """Which events are listed, in which order, and which page of them."""

    order: Literal["rank", "time", "-time"] = Field(
        default="rank",
        description="rank = most anomalous first, time = in the order in which they begin, -time = latest",
    )
    limit: int = Field(default=10, ge=1, le=LIMIT, description="how many events are listed")
    offset: int = Field(default=0, ge=0, description="how many events at the head are left out")


class OneEvent(Arguments):
    """Which event is asked about."""

    case_id: str | None = Field(
        default=None, description="the id or number of any case of it; none = the most anomalous event"
    )


class Found(Result):
    """A page of events, and how many pass the filter."""

    total: int
    events: tuple[Event, ...] = ()


class Counted(Result):
    """How many events pass the filter, how many of them are alarms, and of how many flagged cases the run's are."""

    total: int
    alarms: int
    flagged: int


@query(
    "list_events",
    asked=("which events", "what events", "list … events", "show … events", "which incidents", "the events"),
    section="Events",
)
def list_events(scope: Scope, asked: Listed) -> Found:
    """Events: flagged cases side by side told as one, with begin, end, peak and parts; every argument filters."""
    run, where = scope.run, asked.stored()
    flagged, every = run.count(verdict="anomalous"), run.events.count()
    _known(scope, asked)
    total = run.events.count(**where)
    page = run.events.list(limit=asked.limit, offset=asked.offset, order=asked.order, **where)
    head = _head(scope, asked, total, flagged)
    # of cases that each stand alone there is nothing to tell which the list of cases does not
    return Found(
        line=f"{asked.words()}: {total} of {plural(every, 'event')}", evidence=(head, *map(event_line, page)),
        total=total, events=page, idle=every == flagged and not run.events.rule.words,
    )  # fmt: skip


@query("count_events", asked=("how many events", "number of events", "how many incidents", "how many alarm events"))
def count_events(scope: Scope, asked: Which) -> Counted:
    """Count events that pass the filters: since a time, by a part, in a recording, alarms alone."""
    run = scope.run
    _known(scope, asked)
    total, flagged = run.events.count(**asked.stored()), run.count(verdict="anomalous")
    alarms = run.events.count(**{**asked.stored(), "alarm": True}) if asked.alarm is not False else 0
    return Counted(
        line=f"{asked.words()}: {total} of {plural(run.events.count(), 'event')}",
        evidence=(_head(scope, asked, total, flagged),), total=total, alarms=alarms, flagged=flagged,
    )  # fmt: skip


@query(
    "open_event",
    asked=(
        "how long did … last", "how long did it last", "how long did the event", "when did it begin", "when did it end",
        "when did it start", "when did the event", "since when … event", "event of", "how long … event",
        "when did … event", "longest lasting event",
    ),
)  # fmt: skip
def open_event(scope: Scope, asked: OneEvent) -> Found:
    """One event, by any of its cases or the most anomalous one: when it began and ended, its peak, all its cases."""
    events = scope.run.events
    if asked.case_id is None:
        first = events.list(limit=1)
        said = told("There is no event: no case is flagged.", fact("events", 0))
        return (
            _one(first[0], "the most anomalous event") if first else Found(line="events: 0", evidence=(said,), total=0)
        )
    case = resolve(scope.run, asked.case_id)
    found = events.of(case.case_id)
    if found is None:
        none = told(f"{case.case_id} is in no event: it is not flagged.", fact("case", case.case_id), case=case.case_id)
        return Found(line=f"event of case {case.case_id}: none", evidence=(none,), total=0)
    return _one(found, f"event of case {case.case_id}")


def event_line(event: Event) -> Cited:
    """An event in a line: when and where, how many cases, the most anomalous one, what stands out."""
    facts = [fact("first case", event.id), fact("flagged cases", len(event.cases)), *_when(event)[1]]
    facts += [fact("most anomalous case", event.peak), fact("p-value", short(event.p_value))]
    facts += [fact("part", part) for part in event.parts]
    facts += [fact("group", event.group)] if event.group else []
    facts += [fact("template", one) for one in event.templates]
    many = len(event.cases)
    which = f"{many} flagged cases, most anomalous {event.peak}" if many > 1 else f"1 flagged case, {event.peak}"
    words = f"{_when(event)[0] or f'From {event.id}'}: {which}"  # statistics are told of one event, not in a list
    words += f", by {listed(event.parts)}" if event.parts else ""
    words += f", {event.group}" if event.group else ""
    if new := event.templates:
        words += f"; new log template{'s' if len(new) > 1 else ''} {listed([f'“{one}”' for one in new])}"
    return told(f"{words}{'' if event.alarm else '; no alarm by the rule of the run'}.", *facts, case=event.peak)


def _when(event: Event) -> tuple[str, list[Fact]]:
    """Where an event lies in its file or on the clock, and how long it lasts."""
    place = stretch_place(event)
    words, facts = place.words, list(place.facts)
    if not words and event.begin is not None and event.end is not None:
        begin, end = on_clock(event.begin), on_clock(event.end)
        facts = [fact("start time", begin), fact("stop time", end)]
        words = f"at {begin}" if begin == end else f"from {begin} to {end}"
    if event.lasts:
        facts.append(fact("lasts", round(event.lasts, 3), "s"))
        words += f", {spoken(event.lasts, 0 if event.lasts >= 10 else 3)} long"
    return words[:1].upper() + words[1:], facts


def _one(event: Event, line: str) -> Found:
    shown = ", ".join(event.cases[:LIMIT])
    more = f" and {len(event.cases) - LIMIT} more" if len(event.cases) > LIMIT else ""
    p_value = fact("p-value", short(event.p_value))
    peak = told(
        f"Its most anomalous case, {event.peak}, has the p-value {short(event.p_value)}.", fact("case", event.peak),
        p_value, case=event.peak,
    )  # fmt: skip
    every = told(f"Its flagged cases: {shown}{more}.", *(fact("case", case) for case in event.cases[:LIMIT]))
    return Found(line=line, evidence=(event_line(event), peak, every), total=1, events=(event,))


def _head(scope: Scope, asked: Which, total: int, flagged: int) -> Cited:
    """How many events there are, of how many flagged cases, and what the alarm rule makes of them."""
    what = asked.words() if total != 1 else asked.words().replace("events", "event", 1).replace("alarms", "alarm", 1)
    facts = [fact("events", total), fact("flagged cases", flagged)]
    said = f"There {'is' if total == 1 else 'are'} {total or 'no'} {what}"
    said += f"; the run has {plural(flagged, 'flagged case')}"
    if rule := scope.run.events.rule.words:
        alarms = scope.run.events.count(alarm=True)
        facts += [fact("alarms", alarms), fact("alarm rule", rule)]
        said += f", and {plural(alarms, 'alarm')} by its rule {rule}"
    return told(f"{said}.", *facts)


def _known(scope: Scope, asked: Which) -> None:
    """Refuse a group that this run does not know, rather than to answer that there are no such events."""
    if asked.group is not None and asked.group not in (names := scope.run.groups()):
        raise ConfigError(f"group {asked.group!r} was given; in this run there are {', '.join(names[:20]) or 'none'}")
