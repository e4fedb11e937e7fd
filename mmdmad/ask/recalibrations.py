"""When people said what is normal now, and what changed by it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from mmdmad.ask.base import Cited, Result, Scope, query, told
from mmdmad.ask.overview import Nothing
from mmdmad.ask.words import plural
from mmdmad.explain.words import fact
from mmdmad.store.recalibration import Recalibration

NAMES = 5  # named cases that are listed
UNITS = {"case": "cases", "recording": "recordings", "block": "blocks of few recordings"}


class One(BaseModel):
    """One recalibration; `named` are the ids of the cases that were named normal, `lapse` the lapse that it ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: datetime
    who: str
    why: str
    since: str
    named: tuple[str, ...]
    size: int
    units: int
    anew: int
    flagged_before: int
    flagged_after: int
    kept: int
    lapse: str


class Recalibrated(Result):
    """Every recalibration, the newest first."""

    recalibrations: tuple[One, ...]


@query(
    "recalibrations",
    asked=("recalibration", "recalibrated", "recalibrations", "named normal", "new level"),
    section="Recalibrations",
)
def recalibrations(scope: Scope, asked: Nothing) -> Recalibrated:
    """Who named which cases normal, when and why, and how many were flagged before and after."""
    found = scope.run.recalibrations[::-1]
    line = f"all recalibrations: {len(found)}"
    said = [one for done in found for one in _told(done)]
    if not found:
        said = [told("The run was never recalibrated: cases are ranked among those of the fit.")]
    return Recalibrated(
        line=line, evidence=tuple(said), idle=not found,
        recalibrations=tuple(
            One(
                at=r.at, who=r.who, why=r.why, since=r.since, named=r.named, size=r.size, units=r.units, anew=r.anew,
                flagged_before=r.before, flagged_after=r.after, kept=r.kept,
                lapse="" if r.lapse is None else r.lapse.words,
            )
            for r in found
        ),
    )  # fmt: skip


def _told(done: Recalibration) -> list[Cited]:
    at = done.at.isoformat(sep=" ", timespec="minutes")[:16]
    facts = [fact("time", f"{at} UTC"), fact("cases named normal", len(done.named))]
    text = f"On {at} UTC"
    if done.who:
        text += f" {done.who}"
        facts.append(fact("person", done.who))
    named = ", ".join(done.named[:NAMES]) + (", …" if len(done.named) > NAMES else "")
    text += f"{'' if done.who else ' somebody'} named {plural(len(done.named), 'case')} normal ({named})"
    facts += [fact("case", case) for case in done.named[:NAMES]]
    if done.why:
        text += f", because: {done.why}"
        facts.append(fact("reason", done.why))
    ranked = f"Cases {f'from {done.since} on ' if done.since else ''}are ranked among {done.size} of them"
    ranked += "" if done.unit == "case" else f", {done.units} {UNITS[done.unit]}"
    facts += [fact("calibration cases", done.size), fact("units", done.units)]
    facts += [fact("since", done.since)] if done.since else []
    counts = [fact("judged anew", done.anew), fact("flagged before", done.before), fact("flagged after", done.after)]
    said = [told(f"{text}. {ranked}.", *facts), told(f"{done.words}.", *counts, fact("not read again", done.kept))]
    if done.lapse is not None:
        lapse = done.lapse.words
        said.append(told(f"Until then {lapse}; that ended by it.", fact("lapsed since", done.lapse.since)))
    return said
