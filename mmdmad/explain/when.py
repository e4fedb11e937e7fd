"""When something was, as a person looks it up: time from the start of its file, the file, the clock, the frame.

The one place where times and stretches of time in evidence are written. Seconds of a part that was cut from a longer
recording count from the recording's start; the two ends of a stretch are always told apart.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from mmdmad.explain.words import quoted
from mmdmad.findings import Fact
from mmdmad.parts.timeline import usual_step

if TYPE_CHECKING:
    from mmdmad.parts import Sensor, Video

FINEST = 9
"""Decimals of a second that are written at most."""
LONG = 120.0
"""Seconds from which on minutes and hours are written."""
UNITS = (("day", 86_400), ("h", 3600), ("min", 60))


@dataclass(frozen=True)
class When:
    """A moment or a stretch: its words ("from 1 s to 2 s of pump.csv") and the facts that hold all they say."""

    words: str
    facts: tuple[Fact, ...]

    @property
    def bare(self) -> str:
        """Its words without the first "from" or "at"."""
        return self.words.removeprefix("from ").removeprefix("at ")


@dataclass(frozen=True, eq=False)
class Recorded:
    """Where the seconds of a part lie, which count from its own first row or frame.

    `offset` are the seconds of its recording before it; `file` names the recording, "" where the part is all of it.
    `start` is the clock time of its first row; `step` the seconds from a row to the next (0: unknown), how finely times
    are written. `frames` float64 (F,) are the times of frames that are told by number, `before` how many the recording
    has before them.
    """

    offset: float = 0.0
    file: str = ""
    start: datetime | None = None
    step: float = 0.0
    frames: np.ndarray | None = None
    before: int = 0

    @classmethod
    def of_table(cls, signal: "Sensor") -> "Recorded":
        """Where the rows of a sensor table lie."""
        return cls(signal.offset, signal.file, signal.start, usual_step(signal.times))

    @classmethod
    def of_clip(cls, signal: "Video") -> "Recorded":
        """Where the frames of a clip lie; frames of a piece of a longer one are told by their number there."""
        return cls(
            signal.offset, signal.file, None, 1 / signal.fps, signal.times if signal.file else None, signal.start
        )

    def span(self, start: float, stop: float) -> When:
        """The stretch between two times of the part in seconds; one that is too short to have two ends is a moment.

        >>> Recorded(12_250, "pump.csv", step=1.0).span(0.0, 15.0).words
        'from 3 h 24 min 10 s to 3 h 24 min 25 s of pump.csv'
        """
        ends = self.offset + start, self.offset + stop
        decimals = _decimals(self.step, *ends)
        first, last = (round(end, decimals) + 0.0 for end in ends)
        facts = [Fact(name="start", value=first, unit="s"), Fact(name="stop", value=last, unit="s"), *self._file()]
        clock = self._clock(start, stop, decimals)
        if clock is not None:
            facts += [Fact(name="start time", value=clock[0]), Fact(name="stop time", value=clock[1])]
        if first >= last:
            moment = self.at(start)
            return When(moment.words, (*facts, *(f for f in moment.facts if f.name == "frame")))
        long = last >= LONG
        words = f"from {spoken(first, decimals, long)} to {spoken(last, decimals, long)}{self._of()}"
        if self.frames is not None:
            numbers = self._frame(start), max(self._frame(start), self._frame(stop - 1e-5))
            facts += [Fact(name="first frame", value=numbers[0]), Fact(name="last frame", value=numbers[1])]
            words += f" (frames {numbers[0]} to {numbers[1]})" if numbers[0] < numbers[1] else f" (frame {numbers[0]})"
        words += "" if clock is None else f" ({clock[0]} to {_same_day(*clock)})"
        return When(words, tuple(facts))

    def at(self, time: float) -> When:
        """One moment of the part, in seconds.

        >>> Recorded().at(1.5).words, Recorded(60, "a.mp4", frames=np.arange(9) / 10, before=600).at(0.4).words
        ('at 1.5 s', 'at 60.4 s of a.mp4 (frame 604)')
        """
        moment = self.offset + time
        decimals = _decimals(self.step, moment)
        moment = round(moment, decimals) + 0.0
        words = f"at {spoken(moment, decimals, moment >= LONG)}{self._of()}"
        facts = [Fact(name="time", value=moment, unit="s"), *self._file()]
        if self.frames is not None:
            facts.append(Fact(name="frame", value=self._frame(time)))
            words += f" (frame {self._frame(time)})"
        if (clock := self._clock(time, time, decimals)) is not None:
            facts.append(Fact(name="clock time", value=clock[0]))
            words += f" ({clock[0]})"
        return When(words, tuple(facts))

    def _of(self) -> str:
        return f" of {quoted(self.file, 60)}" if self.file else ""

    def _file(self) -> list[Fact]:
        return [Fact(name="file", value=quoted(self.file, 60))] if self.file else []

    def _frame(self, time: float) -> int:
        """The number, from 0 in the recording, of the frame that is shown at a time of the part."""
        assert self.frames is not None
        return self.before + max(0, int(np.searchsorted(self.frames, time + 1e-6, side="right")) - 1)

    def _clock(self, start: float, stop: float, decimals: int) -> tuple[str, str] | None:
        if self.start is None:
            return None
        try:
            first, last = (self.start + timedelta(seconds=float(end)) for end in (start, stop))
        except OverflowError:
            return None
        return on_clock(first, decimals), on_clock(last, decimals)


def in_file(file: str, start: float, stop: float, begin: datetime | None = None) -> When:
    """A stretch of a recording, in seconds from its start; `begin` is when it begins on the clock, if known.

    >>> in_file("pump.csv", 12_250.0, 12_265.0).words
    'from 3 h 24 min 10 s to 3 h 24 min 25 s of pump.csv'
    """
    return Recorded(start, file, begin).span(0.0, stop - start)


def spoken(seconds: float, decimals: int = 0, long: bool | None = None) -> str:
    """Seconds from a start in words, to so many decimals; in hours and minutes where `long` (None: from LONG on).

    >>> spoken(75.5, 1), spoken(12_250), spoken(90_000), spoken(12_250.25, 2), spoken(7.0, 3, long=True)
    ('75.5 s', '3 h 24 min 10 s', '1 day 1 h', '3 h 24 min 10.25 s', '7 s')
    """
    rest = round(seconds, decimals)
    if not (rest >= LONG if long is None else long):
        return f"{_plain(rest, decimals)} s"
    words = []
    for name, size in UNITS:
        count = int(rest // size)
        rest = round(rest - count * size, decimals)
        words += [f"{count} {name}{'s' if name == 'day' and count > 1 else ''}"] if count else []
    return " ".join([*words, f"{_plain(rest, decimals)} s"] if rest or not words else words)


def round_times(start: float, stop: float, most: int = 4) -> list[float]:
    """At most so many round times from start to stop, in seconds, evenly spaced.

    >>> round_times(12_251, 12_299)
    [12255.0, 12270.0, 12285.0]
    """
    length = max(stop - start, 1e-9)
    decades = (m * 10.0**k for k in range(-9, 1) for m in (1, 2, 5))
    steps = (*decades, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, *(3600.0 * 2**k for k in range(24)))
    step = next(one for one in steps if length / one < most)
    first, last = int(np.ceil(start / step - 1e-9)), int(np.floor(stop / step + 1e-9))
    return [round(i * step, FINEST) for i in range(first, last + 1)]


def on_clock(time: datetime, decimals: int = 0) -> str:
    """A date and time as evidence writes it, with its zone where it has one.

    >>> on_clock(datetime(2026, 3, 3, 9, 24, 10)), on_clock(datetime(2026, 3, 3, 9, 24, 10, 250_000), 2)
    ('2026-03-03 09:24:10', '2026-03-03 09:24:10.25')
    """
    digits = min(decimals, 6)
    time += timedelta(microseconds=0 if digits == 6 else 10 ** (6 - digits) // 2)
    text = time.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    text = text[: len(text) - 6 + digits].rstrip("0").rstrip(".") if digits else text[:-7]
    shift = time.utcoffset()
    if shift is None:
        return text
    return f"{text} UTC" if not shift else f"{text} UTC{time.isoformat()[-6:]}"


def _same_day(first: str, last: str) -> str:
    """The later of two times without the date that the first has too."""
    return last[11:] if first[:10] == last[:10] else last


def _plain(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def _decimals(step: float, *moments: float) -> int:
    """Decimals of a second that tell these moments, and rows a `step` apart, one from the other."""
    if step > 0:
        least = next((d for d in range(4) if abs(round(step, d) - step) <= 0.01 * step), 3)
    else:  # as many as make three digits
        largest = max(abs(moment) for moment in moments)
        least = next(d for d in range(FINEST + 1) if largest * 10**d >= 100 or d == FINEST) if largest else 0
    apart = [d for d in range(least, FINEST + 1) if len({round(m, d) for m in moments}) == len({*moments})]
    return apart[0] if apart else FINEST
