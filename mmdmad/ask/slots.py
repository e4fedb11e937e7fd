"""Cases per stretch of the clock: every ten minutes, each half hour, in which of them there are most."""

from pydantic import Field, field_validator

from mmdmad.ask.base import Cited, Result, Scope, query, told
from mmdmad.ask.filters import Filter
from mmdmad.ask.words import plural
from mmdmad.errors import ConfigError
from mmdmad.explain.words import fact, listed
from mmdmad.store.numbers import DAY

ROW = 12  # stretches in a line
ROWS = 4
_OF = ("group", "since", "until", "from_clock", "to_clock", "missing", "present", "complete", "either", "label")
"""Filters that hold for the cases beside which the counted ones are told."""


class Slots(Filter):
    """Which cases are counted, and how long a stretch is."""

    minutes: int = Field(default=30, ge=1, le=DAY, description="length of a stretch in minutes; it divides a day")
    least: bool = Field(default=False, description="whether the quietest stretch is asked for rather than the busiest")

    @field_validator("minutes")
    @classmethod
    def _divides(cls, minutes: int) -> int:
        if DAY % minutes:
            raise ConfigError(f"stretches of {minutes} minutes were asked for; give one of 5, 10, 15, 20, 30, 60, 120")
        return minutes


class PerSlot(Result):
    """Counted and all cases by the beginning of each stretch, in order of time; `first` have most, or least."""

    minutes: int
    slots: dict[str, tuple[int, int]]
    first: tuple[str, ...] = ()


@query("count_per_stretch")
def count_per_stretch(scope: Scope, asked: Slots) -> PerSlot:
    """Count flagged cases, or those that pass other filters, per stretch of the clock (10 minutes, half an hour, …)."""
    run = asked.of(scope.run)
    asked = asked if asked.verdict else asked.model_copy(update={"verdict": "anomalous"})
    where, what = asked.stored(), asked.words()
    inside = {name: value for name, value in where.items() if name in _OF}
    every, found = run.numbers.slots(asked.minutes, **inside), run.numbers.slots(asked.minutes, **where)
    slots = {slot: (found.get(slot, 0), n) for slot, n in every.items()}
    total = sum(found.values())
    line = f"{what} per {asked.minutes} minutes: {total} of {plural(sum(every.values()))} with a time"
    if not slots:
        return PerSlot(line=line, evidence=(told("No case has a time."),), minutes=asked.minutes, slots={})
    counts = [n for n, _ in slots.values()]
    end = min(counts) if asked.least else max(counts)
    first = tuple(slot for slot, (n, _) in slots.items() if n == end)
    word = "fewest" if asked.least else "most"
    begins = (
        first[0] if len(first) == 1 else listed(first[:3]) + (f" and {len(first) - 3} more" if len(first) > 3 else "")
    )
    text = (
        f"Per {asked.minutes} minutes of the clock, the {word} {what} {'are' if end != 1 else 'is'} in the "
        f"{'stretch' if len(first) == 1 else 'stretches'} from {begins}: {end}{'' if len(first) == 1 else ' each'}, of "
        f"{total} in all."
    )
    facts = [fact("minutes", asked.minutes), fact(f"{word} cases", end), fact("cases", total), *asked.facts]
    facts += [fact("stretch from", slot) for slot in first[:3]] + [fact("stretches alike", len(first))]
    said = [told(text, *facts), *_rows(slots)]
    return PerSlot(line=line, evidence=tuple(said), minutes=asked.minutes, slots=slots, first=first)


def _rows(slots: dict[str, tuple[int, int]]) -> list[Cited]:
    """The stretches in order of time, several in a line, "from 06:00: 3 of 30"; what is left out is said."""
    some = list(slots.items())[: ROW * ROWS]
    rows = []
    for at in range(0, len(some), ROW):
        part = some[at : at + ROW]
        facts = [f for slot, (n, m) in part for f in (fact("from", slot), fact("cases", n), fact("of cases", m))]
        rows.append(told("; ".join(f"from {slot}: {n} of {m}" for slot, (n, m) in part) + ".", *facts))
    if left := len(slots) - len(some):
        rows.append(told(f"{left} more stretches follow.", fact("more stretches", left)))
    return rows
