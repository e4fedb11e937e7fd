"""How a report opens: what was looked at, what was found, since when, what to do next; and what must be known first."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from mmdmad.ask.expected import Expected
from mmdmad.ask.judging import Basis
from mmdmad.ask.overview import Overview, no_data
from mmdmad.ask.words import plural
from mmdmad.explain.words import listed
from mmdmad.modalities.base import ordered
from mmdmad.reasons import CONTRADICTION
from mmdmad.store.pending import Pending

if TYPE_CHECKING:
    from mmdmad.store.events import Events
    from mmdmad.store.run import Run

GROUPS = 6  # groups that are named; of more only their number is said


class Banner(BaseModel):
    """One thing that must be known before anything is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["simulated", "lapsed", "unsupported", "mass", "unpromised", "stopped"]
    words: str


class Opening(BaseModel):
    """The first words of a report, each a sentence or two; "" for what there is nothing to say of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    looked: str = ""
    found: str = ""
    since: str = ""
    steps: tuple[str, ...] = ()


def banners(whole: Overview, bases: tuple[Basis, ...], false: Expected, waits: Pending) -> tuple[Banner, ...]:
    """What a reader must know first: without it, what stands below would be taken for more than it is."""
    found = []
    if whole.simulated:
        found.append(Banner(kind="simulated", words="Simulated data: no real machine, product or person"))
    if whole.lapsed:
        found.append(Banner(kind="lapsed", words=whole.watched))
    if whole.judged and whole.verdicts.get("no verdict", 0) == whole.judged:
        why = next((b.guarantee.note for b in bases if b.guarantee.note), "")
        words = f"No case could be flagged, so that none is says nothing{f': {why}' if why else ''}"
        found.append(Banner(kind="unsupported", words=words))
    flagged = whole.verdicts.get("anomalous", 0)
    if false.far_above(flagged):
        words = f"{flagged} of {plural(whole.judged)} flagged: they may be of another kind than the cases learned from"
        found.append(Banner(kind="mass", words=words))
    note = next((b.guarantee.note for b in bases if b.unpromised), "")
    if note:
        found.append(Banner(kind="unpromised", words=f"The false-alarm rate is not promised: {note}"))
    if whole.adapted:
        found.append(Banner(kind="unpromised", words=whole.adapted))
    if waits.words:
        found.append(Banner(kind="stopped", words=waits.words))
    return tuple(found)


def opening(run: "Run", whole: Overview, false: Expected, waits: Pending, first: str) -> Opening:
    """The first words; `first` is the case to begin with, "" where there is none."""
    flagged, looked, tally = whole.verdicts.get("anomalous", 0), "", run.tally
    steps = _steps(whole, false, waits, first)
    if not whole.judged:
        return Opening(steps=steps)
    parts, span = ordered(part for part, _, _ in tally.models()), tally.span()
    looked = f"{plural(whole.judged)} with {listed(parts)}" if parts else plural(whole.judged)
    if whole.groups:
        named = listed(whole.groups) if len(whole.groups) <= GROUPS else f"{len(whole.groups)} groups"
        looked += f", of {named}"
    looked += "" if span is None else _from_to(*span)
    odd = tally.span(verdict="anomalous") if flagged else None
    since = ""
    if odd is not None:
        since = f"The first is of {odd[0]}, the last of {odd[1]}." if odd[0] != odd[1] else f"Flagged at {odd[0]}."
    found = _found(whole.drivers, flagged, false, _together(run.events, flagged) if flagged else "")
    found += f" {no_data(len(whole.empty))}." if whole.empty else ""
    return Opening(looked=f"{looked}.", found=found, since=since, steps=steps)


def _together(events: "Events", flagged: int) -> str:
    """How many events the flagged cases are, and how many of these are alarms, as the section on events counts them."""
    every, rule = events.count(), events.rule.words
    said = f" Told together where they lie side by side, they are {plural(every, 'event')}." if every < flagged else ""
    if rule:
        alarms = events.count(alarm=True)
        are = "is an alarm" if alarms == 1 else "are alarms"
        said += f" {alarms} of {plural(every, 'event')} {are} by the rule {rule}."
    return said


def _from_to(first: str, last: str) -> str:
    return f", all at {first}" if first == last else f", from {first} to {last}"


def _found(drivers: Mapping[str, int], flagged: int, false: Expected, together: str = "") -> str:
    """What stands out, and how many flagged cases chance alone would bring."""
    chance = f"Were all normal, {false.low} to {false.high} of {plural(false.cases)} would be flagged by chance."
    if not flagged:
        return f"No case looks unlike the normal ones. {chance}" if false.cases else ""
    by = [f"{n} because parts do not fit each other" for name, n in drivers.items() if name == CONTRADICTION]
    by += [f"{n} by the {name}" for name, n in drivers.items() if name != CONTRADICTION]
    case = "case looks" if flagged == 1 else "cases look"
    if len(by) == 1:
        by = [by[0].replace(f"{flagged} ", "all " if flagged > 1 else "", 1)]
    return f"{flagged} {case} unlike the normal ones: {listed(by)}.{together} {chance}"


def _steps(whole: Overview, false: Expected, waits: Pending, first: str) -> tuple[str, ...]:
    """What to do next, the most urgent first."""
    flagged = whole.verdicts.get("anomalous", 0)
    steps = ["Give the same cases to mmdmad score again: it goes on where it was stopped."] if waits.words else []
    if not whole.judged:
        return (*steps, "Judge some cases: mmdmad score RUN --data …") if not steps else tuple(steps)
    if whole.verdicts.get("no verdict", 0) == whole.judged:
        steps.append("Learn from more normal cases: mmdmad check says how many a rate needs.")
    if whole.lapsed:
        steps.append(
            "Find out what changed (product, machine, season, log format). If what came since is normal, say so: "
            "mmdmad recalibrate RUN --normal-since TIME ranks cases among it from then on, a new fit learns from it. "
            "Until then go by the order of the cases, not by their number."
        )
    elif false.far_above(flagged):
        steps.append(
            "Look at three of the flagged cases. If they are normal, learn from some of them too (mmdmad fit with them "
            "among the normal ones)."
        )
    if flagged:
        steps.append(
            f"Begin with {first}, the most unusual. Put on record what it was: mmdmad feedback RUN CASE "
            "confirmed, or false-alarm."
        )
    elif whole.verdicts.get("no verdict", 0) < whole.judged:
        steps.append("Nothing has to be done; the most unusual cases stand below.")
    if whole.empty:
        steps.append(f"Look at what records {whole.empty[0]}: it gave nothing.")
    if whole.refused:
        steps.append(f"See under Data quality why {plural(whole.refused, 'part')} or cases could not be used.")
    return tuple(steps)
