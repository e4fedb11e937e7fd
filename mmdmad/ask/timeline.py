"""All cases along time: points for a drawing, and how many were flagged in each hour."""

from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from mmdmad.ask.base import Arguments, Result, Scope, query, told
from mmdmad.ask.words import flagged_line
from mmdmad.explain.words import fact
from mmdmad.findings import Verdict

MOST = 2000  # points of either kind (flagged, not flagged); an even sample beyond
HOURS = 48  # lines of evidence at most


class Along(Arguments):
    """How finely the cases are sampled."""

    most: int = Field(default=MOST, ge=1, le=MOST, description="points of flagged and of other cases, each, at most")


class Point(BaseModel):
    """One case on the timeline; `place` counts all cases in the order of time, from 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: str
    time: datetime | None
    p_value: float
    verdict: Verdict
    place: int = 0


class Timeline(Result):
    """Cases in the order of time; `sampled` where not all are there."""

    points: tuple[Point, ...]
    sampled: bool


@query("timeline", asked=("timeline", "over time", "along time", "time course", "hour by hour", "course of the"))
def timeline(scope: Scope, asked: Along) -> Timeline:
    """How many cases were flagged in each hour of the run, and the points of a timeline of all cases."""
    tally = scope.run.tally
    found, sampled = tally.points(asked.most)
    hours = sorted(tally.by("hour", verdict="anomalous").items())
    flagged, judged = tally.count(verdict="anomalous"), tally.count()
    counts = flagged, judged, tally.count(verdict="no verdict")
    said = [
        told(
            flagged_line(*counts, scope.run.rate, sentence=True),
            fact("flagged cases", flagged), fact("judged cases", judged),
        ),
        *(told(f"{hour}: {n} flagged.", fact("time", hour), fact("flagged cases", n)) for hour, n in hours[:HOURS]),
    ]  # fmt: skip
    if len(hours) > HOURS:
        said.append(told(f"{len(hours) - HOURS} more hours have flagged cases.", fact("hours", len(hours) - HOURS)))
    points = tuple(Point(**asdict(p)) for p in found)
    return Timeline(line=flagged_line(*counts, scope.run.rate), evidence=tuple(said), points=points, sampled=sampled)
