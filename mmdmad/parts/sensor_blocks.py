"""The table among lines of other shapes: key lines and statistics above it, marks and torn lines between its rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

FEWEST = 8
"""Rows of one shape from which on they are a table."""
MOST = 40
"""Rows of other shapes that may stand above its names."""
SHARE = 0.9
"""Share of the rows below the names that have their number of cells."""
RIVALS = 3
"""Rows of values above the names that are a table of their own."""
SPARE, FEW = 0.02, 3
"""Share of rows, and their number where there are few, that may have fewer cells than the header names columns."""


def begin_of(cells: Sequence[Sequence[str]], is_value: Callable[[str], bool]) -> int:
    """Where the names of the longest table stand, counted in rows; 0 where nothing above it looks like another one.

    >>> rows = [["start", "1"], ["min", "2", "3", "4"], ["t", "a", "b"], *([str(k), "1", "2"] for k in range(9))]
    >>> begin_of(rows, str.isdigit)
    2
    """
    later = [len(row) for row in cells[len(cells) // 2 :]]
    width = max(set(later), key=later.count)
    if width < 2 or len(cells) < FEWEST:
        return 0
    for i, row in enumerate(cells[: MOST + 1]):
        names = [cell for cell in row if cell]
        if len(row) != width or len(names) < 2 or len(set(names)) < len(names) or any(map(is_value, names)):
            continue
        below = [len(one) == width for one in cells[i + 1 :]]
        if len(below) < FEWEST or sum(below) < SHARE * len(below):
            continue
        odd = [one for one in cells[:i] if len(one) != width]
        if sum(is_value(one[0]) for one in odd if one[0]) >= RIVALS:
            return 0  # rows of numbers: another table, as good as this one
        # Rows of numbers above would be taken for the table.
        if len(odd) == i and any(sum(map(is_value, one)) > 1 for one in odd):
            return i
        return 0
    return 0


@dataclass
class Spare:
    """Rows with fewer cells than the header names columns: marks of a logger, or lines that were torn.

    Arrow asks for each row of another width; those that are kept here are left out.
    """

    is_mark: Callable[[str], bool]
    is_torn: Callable[[str], bool]
    is_header: Callable[[str], bool]
    marks: int = 0
    torn: int = 0
    first: str = ""

    def __call__(self, row: Any) -> str:
        """What Arrow is to do with a row: "skip" or "error"."""
        text, there, named = row.text, row.actual_columns, row.expected_columns
        if there >= named or self.is_header(text) or not (self.is_mark(text) or self.is_torn(text)):
            return "error"
        mark = self.is_mark(text)
        self.marks, self.torn = self.marks + mark, self.torn + (not mark)
        self.first = self.first or text
        return "skip"

    def too_many(self, rows: int) -> bool:
        """Whether so many rows of a table are left out that they are a part of it."""
        return self.marks + self.torn > max(min(FEW, rows // FEWEST), SPARE * rows)

    def note(self) -> list[str]:
        """What was left out, in words."""
        count = self.marks + self.torn
        what = "marks of the logger" if not self.torn else "lines that were torn" if not self.marks else "marks or torn"
        rows = "one row has" if count == 1 else f"{count} rows have"
        said = f"{rows} fewer cells than the header names columns ({what}; the first: {self.first.strip()[:60]!r})"
        return [f"{said} and {'is' if count == 1 else 'are'} left out"] if count else []
