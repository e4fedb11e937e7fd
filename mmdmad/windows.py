"""Long recordings cut into windows on one clock: each window is a case, its parts are slices of the files."""

import math
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mmdmad.cases import Case, Cases, Modality, Part, Refusal
from mmdmad.errors import ConfigError, DataError, PartError
from mmdmad.modalities.base import modality_of, ordered
from mmdmad.one_clock import Recording, on_one_clock
from mmdmad.pairs import paired
from mmdmad.plain import plain

if TYPE_CHECKING:
    from mmdmad.parts.timeline import Timeline

UNITS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
MOST = 5_000_000
"""Windows that one reading may make: more are a slip in the unit."""
PERIODS, ROWS = 2, 32
"""Periods of the data, and the fewest rows, of a window that nobody chose."""
BESIDE = 64
"""Most recordings that are held against each other for the times they cover: more of them are many of one kind."""
LONGEST = 2_000
"""Rows of the longest period that is looked for, in ten times as many rows."""
_DURATION = re.compile(r"\s*(-?\d{1,12}(?:\.\d{1,9})?)\s*([a-z]*)\s*")


def seconds_of(duration: str) -> float:
    """A duration in words as seconds; ConfigError where it is none.

    >>> seconds_of("60s"), seconds_of("1.5 min"), seconds_of("-200ms"), seconds_of("30")
    (60.0, 90.0, -0.2, 30.0)
    """
    found = _DURATION.fullmatch(duration.lower())
    unit = UNITS.get(found[2] or "s") if found else None
    if found is None or unit is None:
        raise ConfigError(f"{duration!r} is not a duration; write a number and one of {', '.join(UNITS)}, as in 60s")
    return float(found[1]) * unit


@dataclass(frozen=True)
class Windows:
    """How recordings are cut: windows of `length` seconds, one every `step` seconds (None = `length`).

    Without a length it is twice the period of the first sensor table that has one, at least 32 rows; "entry" makes a
    case of each entry of a log. `offsets` are seconds to add to the clocks of single modalities, `log_time` says how
    times are written in logs (the letters of `strptime`; None = found). ConfigError where a length or step is not
    positive.

    >>> Windows.of("60s", "30s").step
    30.0
    """

    length: float | Literal["entry"] | None = None
    step: float | None = None
    offsets: Mapping[Modality, float] | None = None
    log_time: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("window", self.length), ("step", self.step)):
            if isinstance(value, float) and not (math.isfinite(value) and value > 0):
                raise ConfigError(f"a {name} of {value:g} s was given; it must be longer than 0 s")
        if self.step is not None and not isinstance(self.length, float):
            raise ConfigError("a step was given without the length of a window; give both: --window 60s --step 30s")
        if isinstance(self.length, float) and self.step is not None and self.step > self.length:
            raise ConfigError(
                f"a step of {self.step:g} s would leave out what lies between windows of {self.length:g} s"
            )
        for name in self.offsets or {}:
            modality_of(name)

    def __str__(self) -> str:
        if not isinstance(self.length, float):
            return "entries of a log" if self.length else "windows of a length to be chosen"
        every = "" if self.step in (None, self.length) else f", one every {self.step:g} s"
        return f"windows of {self.length:g} s{every}"

    @classmethod
    def of(
        cls,
        window: str | float | None = None,
        step: str | float | None = None,
        offsets: Mapping[str, str | float] | None = None,
        log_time: str | None = None,
    ) -> "Windows":
        """Windows as people write them: durations in words, or seconds; "auto" is no length."""
        length: float | Literal["entry"] | None
        length = "entry" if window == "entry" else None if window == "auto" else _number(window)
        shifts = {name: _number(value) or 0.0 for name, value in (offsets or {}).items()}
        return cls(length, _number(step), shifts, log_time)


def _number(value: str | float | None) -> float | None:
    return seconds_of(value) if isinstance(value, str) else None if value is None else float(value)


def cut(cases: Cases, windows: Windows) -> Cases:
    """Each case cut into windows; a case is one recording, its parts lie on one clock (of folders that each hold one
    table and one log, both).

    A window's id is that of the recording, "@" and the time it begins (seconds from the begin where there is no clock,
    the number of an entry); it carries the recording's group, split and label (the notes say so where that is faulty,
    for some of its windows may be normal). Only whole windows are made; a part without anything in a window is missing
    there. Recordings and parts that cannot be cut are refused by name, the others go on. `extra["notes"]` says what was
    decided, `extra["windows"]` the length in seconds. DataError where nothing at all could be cut.
    """
    cases = cases if windows.length == "entry" else paired(cases)
    made: list[Case] = []
    refused = list(cases.refused)
    notes: list[str] = list(cases.extra.get("notes", ()))
    given = cases.extra.get("columns") or {}
    columns = {}
    placed: dict[str, Recording] = {}
    for case in cases:
        recording, bad = _placed(case, windows)
        refused += bad
        if recording is None:
            continue
        try:
            if windows.length is None:
                windows = replace(windows, length=_own_length(case, recording, notes))
            pieces = list(_pieces(case, recording, windows, notes))
        except DataError as why:
            refused.append(Refusal(case.id, "case", str(why), case.row))
            continue
        notes += [f"{case.id}: {note}" for note in recording.notes]
        placed[case.id] = recording
        made += pieces
        if case.id in given:
            columns.update(dict.fromkeys((piece.id for piece in pieces), given[case.id]))
    notes += _side_by_side(placed)
    if not made:
        first = f"; the first, {refused[0].case_id}: {refused[0].reason}" if refused else ""
        raise DataError(f"none of {len(cases)} recordings could be cut{first}")
    extra = {**cases.extra, "columns": columns, "notes": tuple(notes), "windows": windows}
    return Cases(tuple(made), tuple(refused), cases.root, extra)


def _side_by_side(placed: Mapping[str, Recording]) -> list[str]:
    """What is said of recordings with other parts, or other channels, that cover the same times: they may be one."""
    spans = [(one.start, one.end, name) for name, one in placed.items() if one.start is not None]
    if not 1 < len(spans) <= BESIDE or len({start.tzinfo is None for start, _, _ in spans}) > 1:
        return []
    spans.sort()
    for (start, end, name), (later, lasts, other) in pairwise(spans):
        shared = min(end, (later - start).total_seconds() + lasts) - (later - start).total_seconds()
        if shared < 0.5 * min(end, lasts) or _looks_of(placed[name]) == _looks_of(placed[other]):
            continue
        names = ", ".join(n for s, e, n in spans if (s <= later and (later - s).total_seconds() < e) or n == name)
        return [
            f"{names} cover the same times and are cut each for itself, into cases of other kinds; if they "
            "are of one machine, make one recording of them: mmdmad cases make OUT --sensor TABLE --text LOG --video "
            "CLIP --window 60s (of several tables write one, a column a channel, rows by time)"
        ]
    return []


def _looks_of(recording: Recording) -> tuple[tuple[str, ...], ...]:
    """The parts of a recording, and the channels of its table."""
    from mmdmad.parts import read
    from mmdmad.parts.sensor import Sensor

    found: list[tuple[str, ...]] = [tuple(recording.parts)]
    for one in recording.parts.values():
        if (
            modality_of(one.part.modality).written
            or modality_of(one.part.modality).photo
            or one.line.entries is not None
        ):
            continue
        try:
            value = read(
                replace(one.part, start=one.part.start or 0, stop=(one.part.start or 0) + min(100, len(one.line.times)))
            )
        except PartError:
            continue
        if isinstance(value, Sensor):
            found.append(value.channels)
    return tuple(found)


def _placed(case: Case, windows: Windows) -> tuple[Recording | None, list[Refusal]]:
    """A case's parts on one clock, and those that cannot be placed."""
    lines: dict[Modality, Timeline] = {}
    refused = []
    near = case.time
    for name in reversed(ordered(case.parts)):  # words last: their dates may lack a year, which other parts know
        try:
            line = _line(case.parts[name], windows, near)
        except PartError as why:
            path = case.parts[name].path
            refused.append(Refusal(case.id, name, _with_cure(why.reason, name, path, windows), case.row))
            continue
        lines[name] = line
        near = near or line.start
    if not lines:
        return None, refused
    try:
        return on_one_clock(case, lines, windows.offsets or {}), refused
    except DataError as why:
        return None, [*refused, Refusal(case.id, "case", str(why), case.row)]


def _with_cure(why: str, name: Modality, path: Path | None, windows: Windows) -> str:
    """Why a part could not be placed, and what else it may be: a log that was taken for a table, frames of a clip."""
    kind = modality_of(name)
    if path is None or kind.written:
        return why
    if kind.photo and not kind.timed:
        folder = os.path.relpath(path.parent)
        folder = str(path.parent) if folder.startswith("..") else folder
        return (
            f"{why}; where pictures of a folder are the frames of one clip: mmdmad cases make cases.csv --video "
            f"{shlex.quote(plain(folder))} --window 60s (and --rate video=25 where their names hold no times)"
        )
    if path.suffix.lower() == ".txt":
        return f"{why}; it was taken for a table: if it is a log, call it .log"
    from mmdmad.parts.log_times import is_log

    said = windows.length == "entry" or "is not a number" in why
    if path.suffix.lower() in (".csv", ".tsv") and said and is_log(path):
        log = shlex.quote(plain(path.with_suffix(".log").name))
        return (
            f"if it is a log, call it .log (cp {shlex.quote(plain(path.name))} {log}); as a table it is refused: {why}"
        )
    return why


def _line(part: Part, windows: Windows, near: datetime | None) -> "Timeline":
    kind = modality_of(part.modality)
    if windows.length == "entry" and kind.written and windows.log_time is None and part.path is not None:
        from mmdmad.parts.limits import plain_file
        from mmdmad.parts.log_times import entries_of  # what a log says may be judged whenever it was

        line: Timeline | None = entries_of(plain_file(part), near)
    else:
        line = kind.timeline(part, windows.log_time, near)
    if line is None:
        log = f", or, if it names a log, call the column {kind.path_column}" if kind.inline else ""
        raise PartError(
            f"{'an' if kind.noun[0] in 'aeiou' else 'a'} {kind.noun} has no time to be cut by; judge it as a case of "
            f"its own{log}",
            part=part.modality,
            case_id=part.case_id,
            row=part.row,
        )
    return line


def _pieces(case: Case, recording: Recording, windows: Windows, notes: list[str]) -> Iterator[Case]:
    base = replace(case, recording=case.recording or case.id)
    if case.label:
        notes.append(f"{case.id} is labelled faulty as a whole, and so is each of its windows; some may be normal")
    if windows.length == "entry":
        yield from _entries(base, recording)
        return
    assert windows.length is not None
    length, step, end = windows.length, windows.step or windows.length, recording.end
    count = math.floor((end - length) / step + 1e-6) + 1 if end >= length * (1 - 1e-9) else 0
    if count < 1:
        raise DataError(f"the recording lasts {end:.6g} s, less than a window of {length:g} s; give a shorter one")
    if count > MOST:
        raise DataError(f"{count} windows of {length:g} s would be made; at most {MOST} are allowed")
    left = end - ((count - 1) * step + length)
    if left > 1e-6 * end:
        notes.append(f"{case.id}: the last {left:.3g} s are no whole window and are left out")
    empty = dict.fromkeys(recording.parts, 0)
    for begin in (number * step for number in range(count)):
        parts = {}
        for name, one in recording.parts.items():
            first, last = one.line.between(begin - one.begin, begin + length - one.begin)
            if first < last:
                parts[name] = _sliced(one.part, first, last)
            else:
                empty[name] += 1
        if parts:
            when = recording.at(begin)
            yield _piece(base, f"{begin:.10g}s" if when is None else when.isoformat(), parts, when)
    for name, many in empty.items():
        if many:
            rest = "are no cases" if len(empty) == 1 else f"are cases without {name}"
            notes.append(f"{case.id}: {many} of {count} windows hold nothing of the {name} and {rest}")


def _entries(case: Case, recording: Recording) -> Iterator[Case]:
    name, one = next(iter(recording.parts.items()))
    if len(recording.parts) > 1 or one.line.entries is None:
        raise DataError(f"--window entry is for a log alone; here are {', '.join(recording.parts)}: give seconds")
    for number, (seconds, first, last) in enumerate(one.line.each_entry(), 1):
        when = recording.at(seconds)
        yield _piece(case, str(number), {name: _sliced(one.part, first, last)}, when)


def _own_length(case: Case, recording: Recording, notes: list[str]) -> float:
    """Two periods of the sensor table in seconds, at least 32 rows."""
    from mmdmad.encoders.sensor_stats import dominant_period, regular, sampling_interval
    from mmdmad.parts import read
    from mmdmad.parts.sensor import Sensor

    for name, one in recording.parts.items():
        signal = read(one.part) if one.line.entries is None else None
        if not isinstance(signal, Sensor):
            continue
        interval = sampling_interval(signal.times)
        rows = slice(10 * LONGEST)
        period = dominant_period([regular(signal.values[rows], signal.times[rows], interval)[0]], LONGEST)
        if period is not None:
            length = max(PERIODS * period, ROWS) * interval
            notes.append(f"windows of {length:g} s, from the period of {period * interval:g} s of the {name}")
            return length
    raise DataError(f"nothing in {case.id} repeats by which a length could be chosen; give one: --window 60s")


def _sliced(part: Part, first: int, last: int) -> Part:
    begin = part.start or 0
    return replace(part, start=begin + first, stop=begin + last)


def _piece(case: Case, begins: str, parts: dict[Modality, Part], when: datetime | None) -> Case:
    own = f"{case.id}@{begins}"
    return replace(case, id=own, parts={n: replace(p, case_id=own) for n, p in parts.items()}, time=when)
