"""The parts of a recording on one clock: when each began, and how far their clocks lie apart."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mmdmad.cases import Case, Modality, Part
from mmdmad.errors import DataError
from mmdmad.modalities.base import ordered

if TYPE_CHECKING:
    from mmdmad.parts.timeline import Timeline

DAY = 86_400.0
APART = 1e-3
"""Share of a recording by which the begins or ends of two parts may differ in silence."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A part on the clock of its recording: its timeline, and seconds from the recording's begin to its first unit."""

    part: Part
    line: "Timeline"
    begin: float

    @property
    def end(self) -> float:
        """Seconds from the recording's begin to the end of the part."""
        return self.begin + self.line.end


@dataclass(frozen=True, eq=False)
class Recording:
    """The parts of a case on one clock; `start` is when it begins, None where no part has a clock and the case no time.

    `notes` are what was decided, in plain words.
    """

    parts: Mapping[Modality, Placed]
    start: datetime | None
    notes: tuple[str, ...] = ()

    @property
    def end(self) -> float:
        """Seconds from the begin of the first part to the end of the last."""
        return max(one.end for one in self.parts.values())

    def at(self, seconds: float) -> datetime | None:
        """The time so many seconds after the begin, on the clock that the first part with a zone shows then."""
        zoned = next((one for one in self.parts.values() if one.line.zones is not None), None)
        try:
            time = None if self.start is None else self.start + timedelta(seconds=seconds)
            return time if time is None or zoned is None else zoned.line.local(time, seconds - zoned.begin)
        except OverflowError:
            raise DataError(f"{seconds:g} s after {self.start} no calendar has a date") from None


def on_one_clock(case: Case, lines: "Mapping[Modality, Timeline]", offsets: Mapping[Modality, float]) -> Recording:
    """A case's parts with these timelines on one clock; `offsets` are seconds to add to the clocks of single parts.

    A part without a clock begins at the case's time, without one with the first of the others; the notes say so, and
    say nothing of begins that nobody measured.
    DataError where some clocks have a zone and others none, or where two parts have no second in common.
    """
    starts = _starts(lines, offsets)
    bare = _bare_clocks(lines, starts, offsets)
    first = min(starts, key=lambda name: starts[name], default=None)
    origin = case.time if first is None else starts[first]
    notes = _assumed(lines, starts, bare, offsets, case.time)
    begins = {}
    for name, line in lines.items():
        begins[name] = offsets.get(name, 0.0)
        if name in starts and origin is not None:
            begins[name] += (starts[name] - origin).total_seconds()
        elif name in bare:
            begins[name] += bare[name]
        notes += [f"{name}: {note}" for note in line.notes]
    if len(bare) > 1:
        notes.append(f"the clocks of the {' and '.join(bare)} have no dates; they are taken to show the same day")
    earliest = min(begins.values())
    placed = {name: Placed(case.parts[name], lines[name], begins[name] - earliest) for name in ordered(lines)}
    try:
        start = None if origin is None else origin + timedelta(seconds=earliest)
    except OverflowError:
        raise DataError(f"with an offset of {earliest:g} s it begins when no calendar has a date") from None
    guessed = {name for name in lines if name not in starts and name not in bare and name not in offsets}
    return Recording(placed, start, (*notes, *_compared(placed, guessed)))


def _assumed(
    lines: "Mapping[Modality, Timeline]",
    starts: Mapping[Modality, datetime],
    bare: Mapping[Modality, float],
    offsets: Mapping[Modality, float],
    time: datetime | None,
) -> list[str]:
    """What is taken for the begins of parts whose files do not say when they began, beside others."""
    silent = ordered(name for name in lines if name not in starts and name not in bare and name not in offsets)
    if not silent or len(lines) == 1:
        return []
    moved = f"; --offset {silent[0]}=2.5s moves it"
    if starts:
        first = min(starts, key=lambda name: starts[name])
        when = f"with the {first}, at {starts[first].isoformat()}"
        return [
            f"the {name} has no dates of its own and is taken to begin {when}; --offset {name}=2.5s moves it"
            for name in silent
        ]
    if bare:
        first = min(bare, key=lambda name: bare[name])
        daytime = lines[first].daytime
        assert daytime is not None
        when = f"with the {first}, at {_daytime(daytime)} of its clock (which has no date)"
        return [
            f"the {name} has no times of day of its own and is taken to begin {when}; --offset {name}=2.5s moves it"
            for name in silent
        ]
    if time is None and len(silent) == len(lines):
        return [f"nothing says when the {' and the '.join(silent)} began: they are taken to begin together{moved}"]
    return []


def _daytime(seconds: float) -> str:
    return (datetime(1970, 1, 1) + timedelta(seconds=seconds)).time().isoformat("seconds")


def _bare_clocks(
    lines: "Mapping[Modality, Timeline]", starts: Mapping[Modality, datetime], offsets: Mapping[Modality, float]
) -> dict[Modality, float]:
    """Seconds between parts whose clocks have no dates, where no part has one; DataError beside a part that has."""
    bare = {name: line.daytime for name, line in lines.items() if line.daytime is not None}
    if starts:
        for name in ordered(set(bare) - set(offsets)):
            other = min(starts, key=lambda one: starts[one])
            raise DataError(
                f"the clock of the {name} has no date (it begins at {_daytime(bare[name])}), that of the {other} "
                f"begins at {starts[other].isoformat()}, and nothing says on which day they ran together: write the "
                f"date into the {name}, or say how long after the {other} it begins: --offset {name}=0s"
            )
        return {}
    first = next(iter(bare.values()), 0.0)
    # Of clocks without dates the nearest reading counts: 23:59 is two minutes before 00:01.
    return {name: (at - first + DAY / 2) % DAY - DAY / 2 for name, at in bare.items()}


def _starts(lines: "Mapping[Modality, Timeline]", offsets: Mapping[Modality, float]) -> dict[Modality, datetime]:
    starts = {name: line.start for name, line in lines.items() if line.start is not None}
    zoned = ordered(name for name, start in starts.items() if start.tzinfo is not None)
    bare = ordered(name for name, start in starts.items() if start.tzinfo is None)
    if not zoned:
        return starts
    for name in bare:
        if name not in offsets:
            raise DataError(
                f"the times of the {' and '.join(zoned)} have a zone, those of the {name} have none; say how far its "
                f"clock is from UTC: --offset {name}=-2h for a clock two hours ahead, {name}=0s for UTC"
            )
    return {name: start.replace(tzinfo=UTC) if name in bare else start for name, start in starts.items()}


def _compared(placed: Mapping[Modality, Placed], guessed: Collection[Modality]) -> list[str]:
    """Where parts of one recording begin or end apart; DataError where they have no second in common.

    Of parts whose begin is `guessed` it says how much longer they last, no more.
    """
    notes = []
    pairs = [(a, b) for i, a in enumerate(placed) for b in list(placed)[i + 1 :]]
    for name, other in pairs:
        one, two = placed[name], placed[other]
        if min(one.end, two.end) < max(one.begin, two.begin):
            raise DataError(
                f"the {name} ({one.begin:.6g} s to {one.end:.6g} s) and the {other} ({two.begin:.6g} s to "
                f"{two.end:.6g} s from the first) have no second in common; set their clocks with --offset"
            )
        early, late = two.begin - one.begin, two.end - one.end
        longest = max(one.line.end, two.line.end)
        if max(abs(early), abs(late)) <= max(1.0, APART * longest, 2 * one.line.lasts, 2 * two.line.lasts):
            continue
        if name in guessed or other in guessed:  # they begin where they were laid: only how long they last is known
            more = "longer" if two.line.end > one.line.end else "less"
            lengths = f"({two.line.end:.6g} s, {one.line.end:.6g} s)"
            said = f"the {other} lasts {abs(two.line.end - one.line.end):.3g} s {more} than the {name} {lengths}"
        else:
            said = f"the {other} begins {early:+.3g} s and ends {late:+.3g} s from the {name}"
        even = one.line.entries is None and two.line.entries is None  # a log may be silent at both its ends
        drift = abs(late - early) / longest
        if even and APART < drift < 0.05:
            said += f"; if both ran all the time, their clocks drift apart by {drift:.2%}"
        notes.append(said)
    return notes
