"""Tables that lie on their side: the times run from left to right, and each line is a channel (plate readers)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mmdmad.parts.clock import named_time

FEWEST = 8
"""Times from which on a line of them is looked at."""
MOST = 100_000
"""Most times that a line may hold."""


@dataclass(frozen=True)
class Sideways:
    """Names (C,) and cells (C, T) of a table that lies on its side, and what was decided."""

    names: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    note: str


def line_of_times(lines: Sequence[str]) -> str | None:
    """The separator of a line that begins with the name of a time and goes on with rising numbers; None without one.

    >>> line_of_times(["Plate;1", "Time [s];" + ";".join(f"{i},5" for i in range(9))])
    ';'
    """
    for line in lines:
        for separator in (";", "\t", ",", "|"):
            cells = [cell.strip(' "') for cell in line.split(separator)[: FEWEST + 1]]
            times = [_number(cell) for cell in cells[1:]]
            rising = [one for one in times if one is not None]
            if FEWEST == len(rising) == len(times) and all(a < b for a, b in pairwise(rising)) and named_time(cells[0]):
                return separator
    return None


def sideways(cells: Sequence[Sequence[str]]) -> Sideways | None:
    """A table whose lines are channels, found in the rows of a file; None where no line names and holds rising times.

    The line of times begins with the name of a time column, and its numbers rise; the lines beside it of the same
    length begin with a name and hold numbers alone. Other lines are left out.

    >>> rows = [["Device", "X"], ["Time [s]", *map(str, range(9))], ["A1", *"123456789"], ["A2", *"987654321"]]
    >>> sideways(rows).names
    ('Time [s]', 'A1', 'A2')
    """
    for row in cells:
        if not FEWEST < len(row) <= MOST or named_time(row[0]) is None:
            continue
        while len(row) > FEWEST and not row[-1]:
            row = row[:-1]
        times = [_number(cell) for cell in row[1:]]
        rising = [one for one in times if one is not None]
        if len(rising) < len(times) or any(b <= a for a, b in pairwise(rising)):
            continue
        width = len(row)
        lines = [one[:width] for one in cells if len(one) >= width and not any(one[width:])]
        held = [one for one in lines if _is_channel(one)]
        below = [one for one in held if one[0] != row[0]]
        if not below or len({one[0] for one in held}) < len(held):
            continue
        spare = sum(any(one) for one in cells) - len(held)
        left = f"; {spare} other lines are left out" * (spare > 0)
        note = f"the table lies on its side: times run from left to right in line {row[0]!r}, each line is a channel"
        names = (row[0], *(one[0] for one in below))
        return Sideways(names, tuple(tuple(one[1:]) for one in (row, *below)), f"{note}{left}")
    return None


def _number(cell: str) -> float | None:
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        return None


def _is_channel(row: Sequence[str]) -> bool:
    """Whether a line has a name and nearly all of its other cells are numbers."""
    if not row[0] or _number(row[0]) is not None:
        return False
    there = [cell for cell in row[1:] if cell]
    return 2 * len(there) > len(row) and 10 * sum(_number(cell) is not None for cell in there) >= 9 * len(there)
