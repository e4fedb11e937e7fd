"""Lines of a log that are no entries: headers that a program writes at its start and again in the middle.

W3C extended logs (IIS, Exchange: "#Fields: date time"), Zeek ("#fields"). A line that begins with "#" is none for that
alone: many logs mark what matters so.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

_DIRECTIVE = r"^\x{feff}?#(?:[A-Za-z][\w-]*:|(?:separator|set_separator|\w+_field|path|open|close|fields|types)[ \t])"
_KNOWN = (
    r"^\x{feff}?#(?:(?i:version|fields|software|date|start-date|end-date|remark|log-type):"
    r"|(?:separator|fields|close)[ \t])"
)
_MARK = r"^-- .* --\s*$|^-{3,} beginning of "
"""Lines of a reader of logs (journalctl, logcat), which may hold a time and begin no entry."""


def header_lines(lines: Any) -> np.ndarray:
    """Which of some lines are headers, bool (n,): those of a block "#Word: …" in which a word is one of a header.

    >>> header_lines(["#Site: 4", "#Fields: date time", "2026-05-01 12:00:00 x", "#Error: 17"]).tolist()
    [True, True, False, False]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    lines = lines if isinstance(lines, pa.Array) else pa.array(lines, pa.string())
    found = pc.match_substring_regex(lines, _DIRECTIVE).to_numpy(zero_copy_only=False)
    at = np.flatnonzero(found)
    if not len(at):
        return found
    known = pc.match_substring_regex(lines.take(pa.array(at)), _KNOWN).to_numpy(zero_copy_only=False)
    blocks = np.cumsum(np.concatenate([[0], np.diff(at) > 1]))
    found[at] = np.bincount(blocks, known)[blocks] > 0
    return found


def begins_nothing(lines: Any) -> np.ndarray:
    """Which of some lines (an Arrow array) begin no entry though they may hold a time, bool (n,)."""
    import pyarrow.compute as pc

    marks = pc.match_substring_regex(lines, _MARK).to_numpy(zero_copy_only=False)
    return marks | header_lines(lines)


def without_headers(lines: Sequence[str]) -> list[str]:
    """Lines with their line ends, headers blank, so that each keeps its number; those at the end are left out.

    >>> without_headers(["#Fields: x\\n", "a\\n", "#Date: now\\n"])
    ['\\n', 'a\\n']
    """
    if not any("#" in line[:2] for line in lines):
        return list(lines)
    headers = header_lines([line[:300] for line in lines])
    last = int(max(np.flatnonzero(~headers), default=-1)) + 1
    return ["\n" if header else line for line, header in zip(lines[:last], headers)]
