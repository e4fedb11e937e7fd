"""Which cases a question is about: a typed filter, as SQL asks for it and as a line says it."""

import re
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from mmdmad.ask.base import Arguments
from mmdmad.ask.words import percent, plural
from mmdmad.cases import Modality
from mmdmad.errors import ConfigError
from mmdmad.findings import Verdict
from mmdmad.sizes import RATES
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


class Filter(InTime):
    """Which cases are meant; a field left out does not filter."""

    verdict: Verdict | None = Field(default=None, description="verdict at the declared false-alarm rate")
    driver: str | None = Field(
        default=None, description="what carries the largest share of the joint score: a part, or contradiction"
    )
    unusual: Modality | None = Field(default=None, description="a part whose own p-value is at most the declared rate")
    missing: Modality | None = Field(default=None, description="a part that the case lacks")
    group: str | None = Field(default=None, description="group or product, as stored")
    channel: str | None = Field(default=None, description="a sensor channel that the evidence names as unusual")
    contradictory: bool | None = Field(
        default=None, description="whether parts contradict each other at the declared rate"
    )
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
            "verdict": self.verdict, "driver": self.driver, "part": self.unusual, "missing": self.missing,
            "group": self.group, "channel": self.channel, "contradictory": self.contradictory,
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
        """
        head = {"anomalous": "flagged cases", "normal": "cases judged normal", "no verdict": "cases without a verdict"}
        words = [head.get(self.verdict or "", "cases")]
        if self.group:
            words.append(f"of {self.group}")
        if self.missing:
            words.append(f"without {self.missing}")
        if self.driver:
            words.append(f"in which the {self.driver} carries the largest share")
        if self.unusual:
            words.append(f"in which the {self.unusual} is unusual by itself")
        if self.channel:
            words.append(f"with {self.channel} named as unusual")
        if self.contradictory is not None:
            words.append("with a contradiction" if self.contradictory else "without a contradiction")
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
        said += [f"group {self.group}"] if self.group else []
        said += [f"without {self.missing}"] if self.missing else []
        said += [f"largest share {self.driver}"] if self.driver else []
        said += [f"{self.unusual} unusual by itself at {percent(rate)}"] if self.unusual else []
        said += [f"channel {self.channel} named as unusual"] if self.channel else []
        if self.contradictory is not None:
            said.append(f"{'with' if self.contradictory else 'without'} a contradiction at {percent(rate)}")
        return f"{', '.join(said) or 'all cases'}: {total} of {plural(judged)}"


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
