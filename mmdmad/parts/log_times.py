"""Time stamps in the lines of a log: one form a file, found in its first lines; other lines continue an entry."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.parts.dates import DAY
from mmdmad.parts.log_forms import FORMS, WITHIN, from_strptime, stamped
from mmdmad.parts.log_frames import framed
from mmdmad.parts.log_headers import begins_nothing, header_lines
from mmdmad.parts.log_json import json_log, json_times
from mmdmad.parts.log_stamps import seconds_of_stamps
from mmdmad.parts.text_letters import CODES, Letters, decoded, letters, opened
from mmdmad.parts.timeline import Timeline

SAMPLE = 5000
"""Lines that are looked at to find the form."""
LOG = 0.3
"""Share of its first lines that hold a time from which on a file of an unknown kind is a log."""
BLOCK = 32 * 2**20
"""Bytes that are looked through at once."""
INDENTED = 0.05
"""Share of the lines of a text without times from which on those behind spaces go on with the one above."""
BACK = 300.0
"""Seconds by which a line may be earlier than one above it: several writers of one log are that much apart."""
_SENTENCE = r"(?:^|[\t;|,\"])\s*\"?\pL[\pL\pN._-]*(?: [\pL\pN(\"'._-]+){2}"
"""A cell of three words or more: what a log says, and no table of readings."""
_LEVEL = (
    r"^\s*(?:[\[<(][^\])>]{0,40}[\])>]|\d+|[IWEDFV]|(?i:trace|debug|info|information|notice|warn|warning|error|err|fatal|"
    r"critical|crit|severe|alert|emerg|panic))[\s|:,;-]*$"
)
"""What may stand before the time of an entry among others that begin with theirs: a level, a mark, a number."""
_TOLD = r"^\s*(?:Caused by|Suppressed|Wrapped by)\b|^\s*[\w.$]+(?:Exception|Error)\w*: "
"""What stands before a time that an exception tells of, whatever begins the entries."""
ENTRY = "--window entry, which needs none"
FALLS = 5
"""Times that fall, and hardly one that rises, from which on a log has its newest line first."""


@dataclass(frozen=True, eq=False)
class _Found:
    """Where stamps stand: the lines int64 (k,) that begin an entry, their words, the number of lines and of headers."""

    lines: np.ndarray
    words: Any
    count: int
    headers: int = 0
    joined: tuple[str, ...] = ()

    @property
    def entries(self) -> np.ndarray:
        """The lines at which entries begin; what stands before the first counts with it."""
        return np.concatenate([np.zeros(1, np.int64), self.lines[1:]])

    @property
    def notes(self) -> list[str]:
        """What is to be said of lines without a time of their own."""
        said, first = [*self.joined], int(self.lines[0])
        if self.headers:
            many = "a line is a header" if self.headers == 1 else f"{self.headers} lines are headers"
            said.append(f"{many} (as #Fields: is), no entry, and read as blank")
        if first:
            said.append(f"the first {first} lines have no time and count with the first entry")
        return said


def log_times(path: Path, pattern: str | None = None, near: datetime | None = None) -> Timeline:
    """The time of every line of a log, a line without a stamp at that of the line above it.

    `pattern` says how stamps are written, in the letters of `strptime` ("%d.%m.%Y %H:%M:%S"; a blank or "\\t" stands
    for tabs too); None = one of the forms above, the one that most lines have. Dates without a year get the one that
    brings them next to `near`, else to the last change of the file. A line that is up to five minutes earlier than one
    above it counts at that line's time. A log with its newest line first is turned round.
    ValueError says what is missing, and names the line where times go back by more.
    """
    pattern = None if pattern is None else pattern.replace("\\t", "\t")
    fields = json_log(path) if pattern is None else None
    if fields is not None:
        form = "JSON"
        where, seconds, count, first, aware, ahead, joined = json_times(path, fields)
        found = _Found(where, None, count)
        start: datetime | None = datetime(1970, 1, 1, tzinfo=UTC if aware else None) + timedelta(seconds=first)
        notes = [fields.note, *joined]
    else:
        form, regex = _form(path) if pattern is None else ("pattern", from_strptime(pattern))
        found = _find(path, regex, form)
        if not len(found.lines):
            raise ValueError(f"none of its {found.count} lines has a time written as {pattern!r}")
        seconds, start, notes, ahead = seconds_of_stamps(path, form, found.words, found.lines, pattern, near)
    notes = [*letters(path).notes, *notes]
    entries = found.entries
    each = np.diff([*entries, found.count])
    turned = _newest_first(seconds)
    if turned:
        seconds, each, ahead = seconds[::-1], each[::-1], None if ahead is None else ahead[::-1]
        notes.append("the newest line stands first: entries are taken in the order of time")
    back = np.maximum.accumulate(seconds) - seconds
    worst = int(np.argmax(back))
    if back[worst] > BACK:
        raise ValueError(
            f"line {found.lines[worst] + 1} is {back[worst]:,.0f} s earlier than a line above it: the clock was set, "
            "or two logs are in one file (cut it there), the newest line stands first (turn it round), or another time "
            "of the line counts (say which: --log-time 'at=%Y-%m-%dT%H:%M:%S')"
        )
    if back[worst] > 0:
        late = int((back > 0).sum())
        some = f"{late} lines are" if late > 1 else "a line is"
        notes.append(f"{some} up to {back[worst]:.3g} s earlier than one above, and counted at the time of that one")
    seconds = np.maximum.accumulate(seconds)
    notes += found.notes
    times = np.repeat(seconds, each) - seconds[0]
    begin = None if start is None else start + timedelta(seconds=float(seconds[0]))
    # More lines may come: a log ends with its last line, so that no window changes when it grows.
    daytime = float(seconds[0]) if start is None and form != "since boot" else None
    return Timeline(times, begin, 0.0, entries, tuple(notes), daytime, turned, _zones(seconds, ahead))


def _zones(seconds: np.ndarray, ahead: np.ndarray | None) -> np.ndarray | None:
    """After which second clocks were so far ahead of UTC, float64 (j, 2), of entries at seconds (k,); see Timeline."""
    if ahead is None or np.abs(ahead).max() >= DAY:  # no clock on Earth is a day ahead
        return None
    changes = np.flatnonzero(np.diff(ahead)) + 1
    after = np.concatenate([[-np.inf], seconds[changes - 1] - seconds[0]])
    return np.column_stack([after, ahead[[0, *changes]]]).astype(np.float64)


def _newest_first(seconds: np.ndarray) -> bool:
    """Whether stamps (k,) run backwards: many fall, hardly one rises, and turned round none is far before another."""
    steps = np.diff(seconds)
    falls, rises, later = int((steps < 0).sum()), int((steps > 0).sum()), seconds[::-1]
    return falls >= FALLS + 9 * rises and bool((np.maximum.accumulate(later) - later).max() <= BACK)


def is_log(path: Path) -> bool:
    """Whether a file is text of which many of the first lines hold a time, whatever its name is."""
    import pyarrow as pa

    try:
        with opened(path) as file:
            if b"\0" in file.read(4096):
                return False
        _, regex = _form(path)
        lines = pa.concat_arrays([lines for lines, _ in _blocks(path, SAMPLE)]).slice(0, SAMPLE)
    except (OSError, ValueError):
        return False
    return LOG * len(lines) <= len(_places(lines, regex))


def tells_events(path: Path) -> bool:
    """Whether a text that could be a table is a log: every line has a stamp, the first too, and a sentence."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        _, regex = _form(path)
        lines = pa.concat_arrays([lines for lines, _ in _blocks(path, SAMPLE)]).slice(0, SAMPLE)
    except (OSError, ValueError):
        return False
    lines = lines.filter(pc.match_substring_regex(lines, r"\S"))
    if not len(lines) or len(_places(lines.slice(0, 1), regex)) == 0:
        return False
    told = int(pc.sum(pc.match_substring_regex(lines, _SENTENCE)).as_py() or 0)
    return 10 * len(_places(lines, regex)) >= 9 * len(lines) and 10 * told >= 9 * len(lines)


def entries_of(path: Path, near: datetime | None = None) -> Timeline:
    """The entries of a log with the times of its lines; where these cannot be used, without, and a note says why.

    Entries begin at the lines that hold a stamp, whether it can be read or not; in a text without stamps each line is
    one. Without times a line counts a second, so that the order is kept.
    """
    from mmdmad.parts.text_lines import lines_of

    try:
        return log_times(path, None, near)
    except ValueError as why:
        reason = str(why)
    try:
        form, regex = _form(path)
    except ValueError:
        found, count = None, lines_of(path).count
        entries, each = _unindented(path, count)
    else:
        found = _find(path, regex, form)
        entries, count, each = found.entries, found.count, "an entry begins at each line with a stamp"
    reason = reason.replace(f"take {ENTRY}, or say", "say")
    notes = (*letters(path).notes, *(() if found is None else found.notes), f"no times are used, and {each}: {reason}")
    return Timeline(np.arange(count, dtype=float), None, 1.0, entries, notes)


def _unindented(path: Path, count: int) -> tuple[np.ndarray, str]:
    """The lines that begin an entry of a text without times: all, or, where many stand behind spaces, the others."""
    import pyarrow.compute as pc

    inner = [
        pc.match_substring_regex(lines, r"^(?:\t|  +)\S").to_numpy(zero_copy_only=False) for lines, _ in _blocks(path)
    ]
    behind = np.concatenate([*inner, np.zeros(0, bool)])[:count]
    begins = np.flatnonzero(~behind)
    if INDENTED * len(behind) <= behind.sum() and len(begins) and begins[0] == 0:
        return begins, "an entry begins at each line that does not stand behind spaces"
    return np.arange(count), "each line is an entry"


def _blocks(path: Path, most: int | None = None) -> Iterator[tuple[Any, int]]:
    """Arrow arrays of lines, each with the number of its first line; letters are read as the file says."""
    import pyarrow as pa

    at, rest, how = 0, b"", letters(path)
    with opened(path) as file:
        while block := file.read(BLOCK if most is None else most * 200):
            *lines, rest = (rest + block).split(b"\n")
            if lines:
                yield pa.array([_begin(one, how) for one in lines]), at
                at += len(lines)
            if most is not None and at >= most:
                return
    if rest:
        yield pa.array([_begin(rest, how)]), at


def _begin(line: bytes, how: Letters) -> str:
    """What is looked at of a line, without a letter that the cut divides."""
    cut = line.replace(b"\0", b"") if how.zeros else line
    cut = (CODES.sub(b"", cut[: 8 * WITHIN]) if how.codes else cut)[: 4 * WITHIN]
    return cut.decode("utf-8", "replace") if cut.isascii() or not how.other else decoded(cut, how)


def _form(path: Path) -> tuple[str, str]:
    """The form of the stamps that most of the first lines have, the one that comes first in them where several do."""
    import pyarrow as pa
    import pyarrow.compute as pc

    blocks = [lines for lines, _ in _blocks(path, SAMPLE)]
    lines = pa.concat_arrays(blocks).slice(0, SAMPLE) if blocks else pa.array([], pa.string())
    lines = lines.filter(pc.match_substring_regex(lines, r"\S"))
    ranked = []
    for number, (form, regex) in enumerate(FORMS.items()):
        places = _places(lines, regex)
        if len(places):
            ranked.append((-len(places), float(np.median(places)), number, form, regex))
    most = min(ranked, default=None)
    if most is None or -50 * most[0] < len(lines):
        raise ValueError(
            f"no times were found in its first {len(lines)} lines; take {ENTRY}, or say how they are written in the "
            "letters of strptime: --log-time '%d.%m.%Y %H:%M:%S' is for 14.03.2026 07:00:00"
        )
    return most[3], most[4]


def _places(lines: Any, regex: str) -> np.ndarray:
    """Where in their lines stamps begin, of the lines that have one."""
    import pyarrow.compute as pc

    cells = pc.extract_regex(lines, stamped(regex)).drop_null()
    return pc.utf8_length(pc.struct_field(cells, "before")).to_numpy(zero_copy_only=False)


def _find(path: Path, regex: str, form: str) -> _Found:
    import pyarrow as pa
    import pyarrow.compute as pc

    lines, words, places, indented, before_all, count, filled, headers = [], [], [], [], [], 0, 0, 0
    fronts, plain, told = [], [], []
    for block, at in _blocks(path):
        cells = pc.extract_regex(block, stamped(regex))
        there = cells.is_valid().to_numpy(zero_copy_only=False) & ~begins_nothing(block)
        headers += int(header_lines(block).sum())
        lines.append(np.flatnonzero(there) + at)
        fronts.append(pc.utf8_slice_codeunits(block.filter(pa.array(there)), 0, WITHIN))
        cells = cells.filter(pa.array(there))
        words.append(pc.struct_field(cells, "stamp"))
        front = pc.struct_field(cells, "before")
        places.append(pc.utf8_length(front).to_numpy(zero_copy_only=False))
        told.append(pc.match_substring_regex(front, _TOLD).to_numpy(zero_copy_only=False))
        plain.append(pc.match_substring_regex(front, _LEVEL).to_numpy(zero_copy_only=False))
        before_all.append(pc.replace_substring_regex(front, r"[\pL\pN_./\x{feff}-]+", "x"))
        space = pc.match_substring_regex(block, r"^\s+\S")
        indented.append(space.to_numpy(zero_copy_only=False)[there])
        filled += int(pc.sum(pc.match_substring_regex(block, r"\S")).as_py() or 0)
        count = at + len(block)
    if not lines:
        return _Found(np.zeros(0, np.int64), pa.array([], pa.string()), 0)
    where, before, inner = np.concatenate(lines), np.concatenate(places), np.concatenate(indented)
    keep, frames = np.ones(len(where), bool), None
    if len(where):
        # Lines that go on with an entry hold a time elsewhere than those that begin one, or behind spaces.
        distinct, often = np.unique(before, return_counts=True)
        usual = np.abs(before - distinct[np.argmax(often)]) <= 2
        usual |= _alike(pa.chunked_array(before_all))  # words of other lengths before it: INFO, WARNING
        if 10 * len(where) < 9 * filled:
            if 5 * (before == 0).sum() >= len(before):
                keep = ~_keys(pa.chunked_array(before_all))  # "started: 2020-01-01" below what begins with its time
            keep &= usual if 2 * (usual & keep).sum() >= keep.sum() else before <= np.median(before) + 40
            keep &= ~inner if inner.mean() < 0.5 else True
        elif 10 * usual.sum() >= 8 * len(usual):
            keep = usual | ~inner
            # Where entries begin with their time, a time further on in a line is one that it tells of: what was caused
            # by what, until when; but a level or a mark may stand before it.
            keep &= usual | np.concatenate(plain) if 5 * (before == 0).sum() >= 4 * len(before) else True
        keep &= ~np.concatenate(told) if 2 * np.concatenate(told).sum() < len(where) else True
        frames = framed(pa.concat_arrays(fronts).filter(pa.array(keep)))
        if frames is not None:
            keep[keep] = ~frames.inside()
    joined = () if frames is None else frames.notes
    return _Found(where[keep], pa.concat_arrays(words).filter(pa.array(keep)), count, headers, joined)


def _keys(fronts: Any) -> np.ndarray:
    """Which of some lines have a word and a colon, or the like, before their stamp, bool (k,): values of something."""
    import pyarrow.compute as pc

    return pc.match_substring_regex(fronts, r"^\s*x(?: x){0,3} ?[:=] ?[\"']?$").to_numpy()


def _alike(fronts: Any) -> np.ndarray:
    """Which of some lines have before their stamp what most of them have, words taken alike, bool (k,)."""
    import pyarrow.compute as pc

    counts = pc.value_counts(fronts)
    most = max(counts.to_pylist(), key=lambda one: one["counts"])["values"]
    return pc.equal(fronts, most).to_numpy()
