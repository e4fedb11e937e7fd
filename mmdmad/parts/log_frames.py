"""Lines that a collector stamped one by one though the program meant them as one entry: pieces, and lines that go on.

Kubernetes (the container runtime interface: "TIME stdout P text" is a piece, "TIME stdout F text" the last one),
Docker (json-file: a piece has no line end; partial_message and the like say so), journald (_LINE_BREAK), and syslog,
which writes each line of a stack trace as a message of its own (a tab is written as #011).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdmad.parts.log_forms import FORMS, stamped

_RUNTIME = r"^\x{feff}?(?P<before>\S{19,40} )(?P<key>stdout|stderr) (?P<tag>[PF])(?::\S*)? (?P<held>.*)$"
_MESSAGE = r"^(?P<before>.{0,80}? )(?P<key>[\w./()@-]{1,60}\[\d+\]): (?P<held>.*)$"
_GOES_ON = r"^(?:[ \t]+\S|#011|Caused by: |\.\.\. \d+ (?:more|common frames))"
_AFTER_TAB = r"^(?:\t|#011)"
SURE = 0.9
"""Share of lines in one frame from which on a log is framed."""
STAMPED, FEW, WITHIN = 0.5, 0.05, 40
"""Share of what a program wrote from which on stamps of its own, among its first letters, begin its entries."""
_PARTIAL = ("partial_message", "CONTAINER_PARTIAL_MESSAGE")


@dataclass(frozen=True, eq=False)
class Framed:
    """Of each of n lines: who wrote it, int64 (n,), -1 = nobody known; whether it goes on in the next line of the same
    writer, and whether it goes on with the one before it, bool (n,)."""

    writer: np.ndarray
    partial: np.ndarray
    goes_on: np.ndarray

    @property
    def notes(self) -> tuple[str, ...]:
        """What is put together, in plain words."""
        inside = self.inside()
        first = np.maximum.accumulate(np.where(inside, 0, np.arange(len(inside))))
        mixed = len(set(first[inside & (self.writer != self.writer[first])]))
        many = len(set(first[inside]))
        if not many:
            return ()
        also = f"; {mixed} of them hold lines of another stream that were written in between" if mixed else ""
        some = "an entry lies" if many == 1 else f"{many} entries lie"
        return (f"{some} in several stamped lines (pieces, or lines that go on), which count as one{also}",)

    def inside(self) -> np.ndarray:
        """Which lines begin no entry, bool (n,): they lie between the first and the last line of one.

        >>> on = np.array([False, False, False, False])
        >>> Framed(np.array([0, 1, 0, 0]), np.array([True, False, False, False]), on).inside().tolist()
        [False, True, True, False]
        """
        change = np.zeros(len(self.writer) + 1, np.int64)
        for one in np.unique(self.writer[self.writer >= 0]):
            mine = np.flatnonzero(self.writer == one)
            joined = np.concatenate([[False], self.partial[mine[:-1]]]) | self.goes_on[mine]
            joined[0] = False
            later = np.flatnonzero(joined)
            np.add.at(change, mine[later - 1] + 1, 1)
            np.add.at(change, mine[later] + 1, -1)
        return np.cumsum(change[:-1]) > 0


def framed(lines: Any) -> Framed | None:
    """The frames of lines (an Arrow array); None where few have one, or no line goes on in another."""
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = int(pc.sum(pc.match_substring_regex(lines, r"\S")).as_py() or 0)
    for regex in (_RUNTIME, _MESSAGE):
        cells = pc.extract_regex(lines, regex)
        there = cells.is_valid().to_numpy(zero_copy_only=False)
        if not filled or there.sum() < SURE * filled:
            continue
        at, cells = np.flatnonzero(there), cells.drop_null()
        held, keys = pc.struct_field(cells, "held"), pc.struct_field(cells, "key").dictionary_encode()
        writer, partial, on = np.full(len(lines), -1), np.zeros(len(lines), bool), np.zeros(len(lines), bool)
        writer[at] = pa.concat_arrays([keys]).indices.to_numpy(zero_copy_only=False)
        if regex == _RUNTIME:
            partial[at] = pc.equal(pc.struct_field(cells, "tag"), "P").to_numpy(zero_copy_only=False)
            on[at] = continues(held)
        else:
            on[at] = pc.match_substring_regex(held, _AFTER_TAB).to_numpy(zero_copy_only=False)
        return Framed(writer, partial, on) if partial.any() or on.any() else None
    return None


def continues(held: Any) -> np.ndarray:
    """Which of the lines that a program wrote (an Arrow array) go on with the one before it, bool (n,).

    Where most begin with a stamp of the program's own, all others do; else those behind spaces, and causes of errors.
    """
    import pyarrow.compute as pc

    if not len(held):
        return np.zeros(0, bool)
    on = pc.match_substring_regex(held, _GOES_ON).to_numpy(zero_copy_only=False)
    for regex in FORMS.values():
        cells = pc.extract_regex(held, stamped(regex))
        front = pc.utf8_length(pc.struct_field(cells, "before")).to_numpy(zero_copy_only=False)
        begins = cells.is_valid().to_numpy(zero_copy_only=False) & (front <= WITHIN)
        # Where lines behind spaces follow, traces of errors may well be longer than what the program stamps.
        enough = FEW if begins[0] and (on & ~begins).any() else STAMPED
        if begins.mean() >= enough:
            return np.asarray(~begins)
    return on if on.mean() < STAMPED else np.zeros(len(held), bool)


@dataclass(frozen=True, eq=False)
class Pieces:
    """What entries of a log of JSON lines say of their frames, in lists of one length: who wrote them, whether each
    says that it goes on, and how its text begins."""

    writers: list[str]
    partial: list[bool]
    begins: list[str]

    def add(self, one: Mapping[str, Any], message: str, ends: bool) -> None:
        """Take one more entry."""
        text = str(one.get(message, ""))
        self.writers.append(str(one.get("stream", "")))
        self.partial.append(is_partial(one, text, ends))
        self.begins.append(text[:200])

    def framed(self) -> Framed | None:
        """Their frames; None where none goes on. Texts go on only where a collector names the stream of each."""
        import pyarrow as pa

        partial, on = np.array(self.partial, bool), np.zeros(len(self.partial), bool)
        numbers = {key: i for i, key in enumerate(dict.fromkeys(self.writers))}
        writer = np.array([numbers[key] for key in self.writers], np.int64)
        if any(self.writers):
            first = np.concatenate([[True], ~partial[:-1]])[: len(on)]
            on[first] = continues(pa.array([text for text, one in zip(self.begins, first) if one], pa.string()))
        return Framed(writer, partial, on) if partial.any() or on.any() else None


def is_partial(one: Mapping[str, Any], text: str, ends: bool) -> bool:
    """Whether an entry of a log of JSON lines says that it goes on; `ends`: its texts have line ends where they end.

    >>> is_partial({"logtag": "P"}, "ab", False), is_partial({"stream": "stdout"}, "ab\\n", True)
    (True, False)
    """
    if any(str(one.get(name, "")).lower() == "true" for name in _PARTIAL):
        return str(one.get("partial_last", "")).lower() != "true"
    return one.get("logtag") == "P" or one.get("_LINE_BREAK") == "line-max" or (ends and not text.endswith("\n"))


def joined(lines: Sequence[str]) -> list[str]:
    """Lines with their line ends, the pieces of one put together at its first; the others are blank lines.

    So each line keeps its number.

    >>> joined(["2026-05-01T06:00:00.1Z stdout P ab\\n", "2026-05-01T06:00:00.2Z stdout F cd\\n"])
    ['2026-05-01T06:00:00.1Z stdout F abcd\\n', '\\n']
    """
    import re

    if not any(" std" in line[:60] for line in lines):
        return list(lines)
    frame = re.compile(_RUNTIME.replace(r"\x{feff}", "\ufeff"))
    made, open_at = list(lines), dict[str, int]()
    for number, line in enumerate(lines):
        found = frame.match(line.rstrip("\r\n"))
        if found is None:
            continue
        key, last = found["key"], found["tag"] == "F"
        if key in open_at:
            at = open_at[key]
            made[at], made[number] = made[at].rstrip("\r\n") + found["held"] + "\n", "\n"
        else:
            made[number] = f"{found['before']}{key} F {found['held']}\n" if not last else line
            open_at[key] = number
        if last:
            del open_at[key]
    return made
