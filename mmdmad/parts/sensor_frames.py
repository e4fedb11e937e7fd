"""Tables that a report prints in a frame of bars and dashes, between titles, with rows of totals marked by a star."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

BAR = "|"
FEWEST = 3
"""Rows between the bars from which on a table is looked for."""
_RULE = re.compile(r"^[\s|+:=─━┼├┤┬┴┌┐└┘-]*([-=─━]{2,})[\s|+:=─━┼├┤┬┴┌┐└┘-]*$")


@dataclass(frozen=True)
class Frame:
    """How a framed table is written: the lines of its header, and whether bars stand `outside` of its rows too."""

    header: tuple[str, ...]
    outside: bool

    def bare(self, line: str) -> str | None:
        """A row with bars between its cells alone; None for a rule, a title, or a line of the header.

        >>> frame = Frame(("|a | b|",), True)
        >>> frame.bare("|1 | 2|"), frame.bare("|--|--|"), frame.bare("|a | b|")
        ('1 | 2', None, None)
        """
        text = line.strip()
        return None if text in self.header or not _is_row(text) else self.inside(text)

    def inside(self, text: str) -> str:
        """A line without the bars outside."""
        return text[1:-1] if self.outside and text.startswith(BAR) and text.endswith(BAR) else text


def is_total(row: str) -> bool:
    """Whether a row between bars is one of totals: stars stand in its first cell, and nothing else."""
    first = row.split(BAR, 1)[0].strip()
    return bool(first) and not first.strip("*")


def frame_of(lines: Sequence[str]) -> Frame | None:
    """The frame of a table by its first lines; None where there is none.

    Framed is what has a rule of dashes, the header between bars right above it, and rows of as many bars below.
    ValueError where the rows below have other numbers of bars.

    >>> frame_of(["|a | b|", "|--|--|", "|1 | 2|", "|3 | 4-|", "|5 | 6|"])
    Frame(header=('|a | b|',), outside=True)
    """
    stripped = [line.strip() for line in lines]
    rule = next((i for i, line in enumerate(stripped) if i and _RULE.match(line) and _is_row(stripped[i - 1])), None)
    rows = [] if rule is None else [line for line in stripped[rule + 1 :] if _is_row(line)]
    if rule is None or len(rows) < FEWEST:
        return None
    first = next((i for i in range(rule, 0, -1) if not _is_row(stripped[i - 1])), 0)
    header = tuple(stripped[first:rule])
    counts = sorted({row.count(BAR) for row in (*header, *rows)})
    if len(counts) > 1:
        raise ValueError(
            f"a frame of bars and dashes holds rows with {counts[0]} to {counts[-1]} bars, so nothing says where its "
            "columns are: drop the title, the lines of dashes, the rows of totals and the outer bars, and write each "
            "row with as many cells as the header"
        )
    return Frame(header, all(row.startswith(BAR) and row.endswith(BAR) for row in header))


def left_out(around: int, totals: Sequence[str]) -> list[str]:
    """What was left out of a framed table, in words: lines around its rows, and rows of totals."""
    told = []
    if around:
        lines = "one line" if around == 1 else f"{around} lines"
        told.append(f"the table stands in a frame of bars and dashes: {lines} of rules and titles left out")
    if totals:
        rows = "one row" if len(totals) == 1 else f"{len(totals)} rows"
        row = re.sub(r"\s+", " ", totals[0])[:60]
        told.append(f"{rows} of totals, marked by a star in the first column, left out: {row!r}")
    return told


def _is_row(line: str) -> bool:
    return BAR in line and not _RULE.match(line)
