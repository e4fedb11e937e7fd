"""Events: flagged cases that lie side by side are one, and which events are told as alarms.

What lies side by side, `mmdmad.stretches` decides for pieces of files. Cases with a time that are no pieces (a picture
a minute) stand side by side where no other judged case of their stream lies between. An alarm rule may hold more
together or raise fewer alarms; it moves no p-value and no verdict, and every flagged case is in exactly one event.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from statistics import median
from typing import ClassVar

from pydantic import ConfigDict

from mmdmad.errors import ConfigError
from mmdmad.stretches import Stretch, Window, chains_of, grouped, pieces, seconds, stretch_of

GAP = 3.0
"""Usual steps of a stream from which on two cases are no neighbours: the line stood still between them."""
Line = Sequence[tuple[float, float, int]]
"""Cases of one file or stream along it: where each begins and ends, and its number."""


@dataclass(frozen=True)
class AlarmRule:
    """When flagged cases are one event, and when an event is an alarm; as it stands it changes nothing.

    An event goes on until `hold` cases in a row have p-values above `level` (None: the declared rate, so that one case
    that is not flagged ends it), and takes in one that begins at most `rearm` seconds after its end. It is an alarm
    where it has at least `fewest` flagged cases, lasts at least `shortest` seconds (where that is known) and one of its
    p-values is at most `onset` (None: the declared rate). ConfigError where a value is out of its range.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")  # a stored one comes from outside

    fewest: int = 1
    shortest: float = 0.0
    level: float | None = None
    hold: int = 1
    rearm: float = 0.0
    onset: float | None = None

    def __post_init__(self) -> None:
        for name in ("fewest", "hold"):
            if not 1 <= getattr(self, name) <= 1_000_000:
                raise ConfigError(f"{name}={getattr(self, name)} was given; allowed are whole numbers from 1")
        for name in ("shortest", "rearm"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise ConfigError(f"{name}={getattr(self, name)} was given; allowed are seconds from 0")
        for name in ("level", "onset"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 1:
                raise ConfigError(f"{name}={value} was given; allowed are p-values, above 0 and at most 1")

    @property
    def bridges(self) -> bool:
        """Whether cases that are not flagged may hold an event together."""
        return self.level is not None or self.hold > 1

    @property
    def words(self) -> str:
        """What it changes, in words; "" where nothing.

        >>> AlarmRule(fewest=2, rearm=600).words
        'fewest=2 rearm=600'
        """
        return " ".join(
            f"{f.name}={getattr(self, f.name):.6g}" for f in fields(self) if getattr(self, f.name) != f.default
        )

    def alarms(self, cases: int, lasts: float | None, p_value: float) -> bool:
        """Whether an event of so many flagged cases and seconds, with this smallest p-value, is an alarm."""
        long_enough = lasts is None or lasts >= self.shortest
        return cases >= self.fewest and long_enough and (self.onset is None or p_value <= self.onset)


class Event(Stretch):
    """Flagged cases of one recording or stream that lie side by side, told as one.

    `id` is that of its first case. `alarm`: the run's alarm rule raises it. `group` is that of all its cases, if they
    have one. `templates` are those of log lines that evidence of its cases calls new, a few at most. For the rest see
    `Stretch`: `begin` says since when.
    """

    id: str
    alarm: bool
    group: str | None = None
    templates: tuple[str, ...] = ()

    @property
    def lasts(self) -> float | None:
        """Seconds from its begin to its end; None where neither clock nor file tells."""
        if self.begin is not None and self.end is not None:
            return (self.end - self.begin).total_seconds()
        place = self.place
        return None if place is None or place.start is None or place.stop is None else place.stop - place.start


def events(
    windows: Iterable[Window], rule: AlarmRule | None = None, groups: Mapping[str, str | None] | None = None
) -> tuple[Event, ...]:
    """The events of judged cases, the most anomalous first; `groups` are those of cases by id.

    Cases that are not flagged tell where streams go on between flagged ones, and where events hold (`rule.bridges`).
    """
    rule, every = rule or AlarmRule(), sorted(windows, key=lambda one: one.case_id)
    number = {i: place for place, i in enumerate(i for i, one in enumerate(every) if one.flagged)}
    chains = [[number[i] for i in chain if i in number] for chain in _chains(every, rule)]
    together = grouped([every[i] for i in number], chains, rule.rearm)
    return tuple(_event(some, rule, groups or {}) for some in together)


def held(line: Line, p_values: Sequence[float], flagged: Sequence[bool], rule: AlarmRule) -> Iterator[list[int]]:
    """Pairs of flagged cases that an event holds together over others, along one file or stream without a gap."""
    for run in chains_of(line):
        last: int | None = None
        quiet = 0
        for i in run:
            if flagged[i]:
                if last is not None:
                    yield [last, i]
                last, quiet = i, 0
                continue
            quiet = quiet + 1 if rule.level is None or p_values[i] > rule.level else 0
            if quiet >= rule.hold:
                last = None  # it has ended, whatever comes


def _chains(every: Sequence[Window], rule: AlarmRule) -> Iterator[Sequence[int]]:
    """Numbers of cases that go together: along streams, and by the rule along files and streams."""
    files, streams = pieces(every), _streams(every)
    for line in streams.values():
        yield from chains_of([piece for piece in line if every[piece[2]].flagged])
    if rule.bridges:
        p_values, flagged = [one.p_value for one in every], [one.flagged for one in every]
        for line in (*files.values(), *streams.values()):
            yield from held(line, p_values, flagged, rule)
    if rule.rearm:
        for line in _in_seconds(every).values():
            yield from chains_of([(begin, end + rule.rearm, i) for begin, end, i in line])


def _streams(every: Sequence[Window]) -> dict[tuple[str, str], Line]:
    """Cases with a time that are no pieces of files, of each stream, numbered along it; a gap leaves a number out."""
    timed: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    for i, one in enumerate(every):
        if one.source is not None and one.begin is not None:
            timed[one.source].append((seconds(one.begin), i))
    return {source: numbered(some) for source, some in timed.items()}


def numbered(timed: Sequence[tuple[float, int]]) -> Line:
    """Cases by their times (seconds, number), placed one beside the other along their stream; a stop leaves a gap."""
    moments = sorted({time for time, _ in timed})
    steps = [after - before for before, after in pairwise(moments)]
    widest = GAP * median(steps) if steps else 0.0
    place, at = 0, {}
    for moment, step in zip(moments, [0.0, *steps]):
        place += 1 if step <= widest else 2
        at[moment] = place
    return [(at[time], at[time] + 1, i) for time, i in timed]


def _in_seconds(every: Sequence[Window]) -> dict[tuple[str, ...], list[tuple[float, float, int]]]:
    """Flagged cases along the seconds of their file, or on the clock where these are not known."""
    found: dict[tuple[str, ...], list[tuple[float, float, int]]] = defaultdict(list)
    for i, one in enumerate(every):
        if not one.flagged:
            continue
        known = [(p, p.start, p.stop) for p in one.places if p.start is not None and p.stop is not None]
        for place, start, stop in known:
            found["file", place.part, place.recording, place.file].append((start, stop, i))
        if not known and one.begin is not None:
            source = one.source or (one.places[0].recording,)
            found["clock", *source].append((seconds(one.begin), seconds(one.end or one.begin), i))
    return found


def _event(windows: Sequence[Window], rule: AlarmRule, groups: Mapping[str, str | None]) -> Event:
    stretch = stretch_of(windows)
    names = {groups.get(case) for case in stretch.cases}
    group = names.pop() if len(names) == 1 else None
    made = Event(**dict(stretch), id=stretch.cases[0], alarm=True, group=group)
    alarm = rule.alarms(len(windows), made.lasts, min(one.p_value for one in windows))
    return made.model_copy(update={"alarm": alarm})
