"""Which cases a question is about: a typed filter, as SQL asks for it and as a line says it."""

import re
from datetime import datetime, time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from mmdmad.ask.base import Arguments
from mmdmad.ask.words import percent, plural
from mmdmad.cases import Modality
from mmdmad.errors import ConfigError
from mmdmad.explain.words import fact, listed
from mmdmad.findings import Fact, Verdict
from mmdmad.sizes import RATES
from mmdmad.store.bounds import Bounds
from mmdmad.store.query import Filters

if TYPE_CHECKING:
    from mmdmad.store.run import Run

_CLOCK = re.compile(r"(\d{1,2})(:\d{2}(?::\d{2})?)")
_FLAGGED = {"anomalous": "flagged", "normal": "judged normal", "no verdict": "without a verdict"}


class InTime(Arguments):
    """Arguments with `since` and `until`: moments, or times of any day."""

    @field_validator("since", "until", check_fields=False)
    @classmethod
    def _sound(cls, text: str | None) -> str | None:
        if text is not None:
            moment(text)
        return text


def moments(since: str | None, until: str | None) -> dict[str, Any]:
    """The same as filters of a run: `since` and `until`, or `from_clock` and `to_clock` for times of any day.

    >>> moments("2026-03-02T06:00", "18:00")["to_clock"]
    datetime.time(18, 0)
    """
    found: dict[str, Any] = {}
    for name, clock, text in (("since", "from_clock", since), ("until", "to_clock", until)):
        if text is not None:
            at = moment(text)
            found[name if isinstance(at, datetime) else clock] = at
    return found


def _several(value: Any) -> Any:
    return () if value is None else (value,) if isinstance(value, str) else value


Parts = Annotated[tuple[Modality, ...], BeforeValidator(_several)]
Names = Annotated[tuple[str, ...], BeforeValidator(_several)]


class Filter(InTime):
    """Which cases are meant; a field left out does not filter. Of several parts or channels each is meant, or any."""

    verdict: Verdict | None = Field(default=None, description="verdict at the declared false-alarm rate")
    driver: str | None = Field(
        default=None, description="what carries the largest share of the joint score: a part, or contradiction"
    )
    unusual: Parts = Field(default=(), description="parts whose own p-value is at most the declared rate")
    alone: bool = Field(default=False, description="no part but those named in `unusual` is unusual by itself")
    missing: Parts = Field(default=(), description="parts that the case lacks")
    present: Parts = Field(default=(), description="parts that the case has")
    usual: Parts = Field(default=(), description="parts that the case has and that are not unusual by themselves")
    complete: bool | None = Field(default=None, description="whether it has every part that the model has learned")
    group: Names = Field(default=(), description="groups or products, as stored; any one of them")
    grouped: bool | None = Field(default=None, description="whether it has a group at all")
    timed: bool | None = Field(default=None, description="whether it has a time at all")
    channel: Names = Field(default=(), description="sensor channels that the evidence names as unusual")
    either: bool = Field(default=False, description="of several parts or channels any one is enough")
    contradictory: bool | None = Field(
        default=None, description="whether parts contradict each other at the declared rate"
    )
    p_value: Bounds | None = Field(default=None, description="range of the joint p-value, or of that of the part p_of")
    p_of: Modality | None = Field(default=None, description="the part whose own p-value is meant by p_value")
    score: Bounds | None = Field(default=None, description="range of the joint score")
    label: Literal["anomalous", "normal"] | None = Field(default=None, description="what the manifest's label says")
    rate: float | None = Field(
        default=None,
        ge=RATES[0],
        le=RATES[1],
        description="rate that verdicts are read at, as a share (0.01 = 1 %); none = the run's own",
    )
    since: str | None = Field(default=None, description="ISO date-time, or HH:MM for that time on any day (included)")
    until: str | None = Field(default=None, description="ISO date-time, or HH:MM for that time on any day (excluded)")

    def stored(self) -> dict[str, Any]:
        """The same as the filters of `Run.findings`, `Run.count` and `Run.tally`."""
        found: dict[str, Any] = {
            "verdict": self.verdict, "driver": self.driver, "part": self.unusual or None,
            "missing": self.missing or None, "present": self.present or None, "usual": self.usual or None,
            "complete": self.complete,
            "group": self.group or None, "channel": self.channel or None, "contradictory": self.contradictory,
            "either": self.either or None, "alone": self.alone or None, "p_value": self.p_value, "p_of": self.p_of,
            "grouped": self.grouped, "timed": self.timed, "score": self.score,
            "label": None if self.label is None else int(self.label == "anomalous"),
        }  # fmt: skip
        given = {name: value for name, value in found.items() if value is not None} | moments(self.since, self.until)
        Filters(**given)  # an unknown part or driver is refused here, before anything is asked
        return given

    def of(self, run: "Run") -> "Run":
        """The run, read at the rate that is asked for."""
        return run if self.rate is None else run.at(self.rate)

    def words(self) -> str:
        """The cases in words.

        >>> Filter(verdict="anomalous", group="brick tile", missing="video").words()
        'flagged cases of brick tile without video'
        >>> Filter(unusual=("image", "sensor"), p_value={"below": 0.05}).words()
        'cases in which the image and the sensor are unusual by themselves with a p-value below 0.05'
        """
        head = {"anomalous": "flagged cases", "normal": "cases judged normal", "no verdict": "cases without a verdict"}
        words = [head.get(self.verdict or "", "cases")]
        words += [f"of {listed(self.group, 'or')}"] if self.group else []
        words += [f"with label {self.label}"] if self.label else []
        words += self._said_of_parts()
        if self.driver:
            words.append(f"in which the {self.driver} carries the largest share")
        if self.unusual:
            several = len(self.unusual) > 1 and not self.either
            named = listed([f"the {part}" for part in self.unusual], self._joined)
            words.append(
                f"in which {'only ' if self.alone else ''}{named} "
                f"{'are unusual by themselves' if several else 'is unusual by itself'}"
            )
        if self.channel:
            words.append(f"with {listed(self.channel, self._joined)} named as unusual")
        if self.contradictory is not None:
            words.append("with a contradiction" if self.contradictory else "without a contradiction")
        words += self._said_of_numbers()
        words += [f"at {percent(self.rate)}"] if self.rate is not None else []
        words += [f"from {self.since}"] if self.since else []
        words += [f"until {self.until}"] if self.until else []
        return " ".join(words)

    def line(self, total: int, judged: int, rate: float, impossible: bool = False) -> str:
        """The filter as it was applied, and how many cases passed it; `impossible`: no case could be flagged.

        >>> Filter(verdict="anomalous", since="06:00", until="12:00", group="A").line(3, 60, 0.05)
        'flagged at 5 %, between 06:00 and 12:00, group A: 3 of 60 cases'
        """
        if impossible:
            return f"none of {plural(judged)} could be flagged at {percent(rate)}"
        said = [f"{_FLAGGED[self.verdict]} at {percent(rate)}"] if self.verdict else []
        if self.since and self.until:
            said.append(f"between {self.since} and {self.until}")
        elif self.since or self.until:
            said.append(f"from {self.since}" if self.since else f"until {self.until}")
        said += [f"group {listed(self.group, 'or')}"] if self.group else []
        said += [f"label {self.label}"] if self.label else []
        said += self._said_of_parts()
        said += [f"largest share {self.driver}"] if self.driver else []
        if self.unusual:
            only = "only " if self.alone else ""
            said.append(f"{only}{listed(self.unusual, self._joined)} unusual by itself at {percent(rate)}")
        said += [f"channel {listed(self.channel, self._joined)} named as unusual"] if self.channel else []
        if self.contradictory is not None:
            said.append(f"{'with' if self.contradictory else 'without'} a contradiction at {percent(rate)}")
        said += self._said_of_numbers()
        return f"{', '.join(said) or 'all cases'}: {total} of {plural(judged)}"

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The numbers of the filter as facts, so that whoever repeats it has them."""
        found = [("rate", self.rate and 100 * self.rate, "%")]
        for name, bounds in (("p-value", self.p_value), ("joint score", self.score)):
            found += [
                (f"{name} {end.replace('_', ' ')}", value, "") for end, value in (bounds.ends() if bounds else ())
            ]
        return tuple(fact(name, value, unit) for name, value, unit in found if value is not None)

    @property
    def _joined(self) -> str:
        return "or" if self.either else "and"

    def _said_of_parts(self) -> list[str]:
        said = [] if self.grouped is None else ["with a group" if self.grouped else "without a group"]
        said += [] if self.timed is None else ["with a time" if self.timed else "without a time"]
        said += [f"without {listed(self.missing, self._joined)}"] if self.missing else []
        said += [f"that have {listed(self.present, self._joined)}"] if self.present else []
        if self.usual:
            said.append(
                f"whose {listed(self.usual, self._joined)} {'is' if len(self.usual) == 1 else 'are'} not unusual"
            )
        if self.complete is not None:
            said.append("that have every part" if self.complete else "that lack a part")
        return said

    def _said_of_numbers(self) -> list[str]:
        of = f"{self.p_of} p-value" if self.p_of else "p-value"
        said = [f"with {self.p_value.words(of)}"] if self.p_value else []
        return said + ([f"with {self.score.words('joint score')}"] if self.score else [])


def moment(text: str) -> datetime | time:
    """A point in time, or a time of any day.

    >>> moment("2026-04-01T08:00").hour, moment("9:30").hour
    (8, 9)
    """
    clock = _CLOCK.fullmatch(text)
    try:
        return time.fromisoformat(f"{clock[1]:0>2}{clock[2]}") if clock else datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"time {text!r} was given; allowed are ISO date-times (2026-04-01T08:00) and HH:MM"
        ) from error
