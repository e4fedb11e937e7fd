"""Where the table in a text file begins: its separator, its names, and what stands above and below them."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from mmdmad.cases import Part
from mmdmad.parts.clock import UNITS, named_time
from mmdmad.parts.dates import FORMS
from mmdmad.parts.limits import refuse
from mmdmad.parts.sensor_blocks import begin_of
from mmdmad.parts.sensor_columns import MISSING
from mmdmad.parts.sensor_patterns import pattern_head

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SPACES = " "
"""The separator of a table whose cells stand apart by any white space."""
ABOVE = 40
"""Lines that may stand above the names: what loggers write of themselves."""
FEWEST = 3
"""Rows from which on a table without names is read."""
_NUMBER = re.compile(r"^([+-]?\s*(\d[\d.,]*|[.,]\d+)([eE][+-]?\d+)?|(\d[\d.,]*|[.,]\d+)-)$")
_DATE = re.compile("|".join(re.sub(r"\?P<\w+>", "", form) for form in FORMS.values()))
_DAY = re.compile("|".join(re.sub(r"\?P<\w+>", "", form) for name, form in FORMS.items() if name != "clock"))
_HALF = re.compile(r"(\b\d{1,2}:\d{2}(?::\d{2})?)\s+([AaPp]\.?[Mm]\b\.?)")
_UNIT = re.compile(
    r"^([\[(].*[\])]|°[CF]|[℃℉]|deg ?[cf]|celsius|fahrenheit|kelvin|[mkµu]?[avwn]|volts?|amp(ere)?s?|watts?|k?wh|"
    r"nm|m?bar|[hkm]?pa|pascal|psi|%|% ?rh|percent|[km]?hz|hertz|rpm|1/min|[mµc]?m|met(er|re)s?(/s(ec(ond)?)?)?|"
    r"[mc]?m/s(2|²|\^2)?|km/h|[mk]?g|l/min|l/h|m[3³]/h|m[3³]|db|ppm|lux|lx|ohms?|Ω|°|deg(rees?)?|rad|"
    r"[hy]{2,4}[-/.: \w]*|date|utc|ts|rn)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class Head:
    """Names (C,) and units (C,) of a table as its text has them, its rows in a sample, and the lines above the first.

    `lines` counts lines of the sample; `notes` are what was decided. `commented`: the names stood behind a comment
    mark.
    """

    names: list[str]
    rows: list[list[str]]
    lines: int
    units: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    commented: bool = False


def is_value(cell: str) -> bool:
    """Whether a cell is what columns of readings hold: a number, a date, or a mark of nothing."""
    if len(cell) > 1 and len(set(cell)) == 1 and cell[0] in "+-*#?=._":  # the mark of what is too large
        return True
    return cell.lower() in MISSING or bool(_NUMBER.match(cell) or _DATE.match(cell)) or cell.lower() in ("inf", "-inf")


def is_date(cell: str) -> bool:
    """Whether a cell is a date or a time of day."""
    return bool(_DATE.match(cell))


def cells_of(rows: Sequence[str], separator: str) -> list[list[str]]:
    """The cells of lines; a quoted cell may go on in the next line."""
    return [cells for cells, _ in _parsed(rows, separator)]


def spaced(line: str) -> list[str]:
    """The cells of a line that stand apart by white space; a time of day and its AM or PM are one.

    >>> spaced("07:10:01 AM  all  1.5")
    ['07:10:01AM', 'all', '1.5']
    """
    return _HALF.sub(r"\1\2", line).split()


def _parsed(rows: Sequence[str], separator: str) -> list[tuple[list[str], int]]:
    """The cells of rows, trimmed, and how many lines there are up to the end of each."""
    if separator == SPACES:
        return [(spaced(line), number) for number, line in enumerate(rows, 1)]
    reader = csv.reader(rows, delimiter=separator)
    return [([cell.strip() for cell in row], reader.line_num) for row in reader]


def find_separator(part: Part, path: Path, rows: Sequence[str]) -> str:
    """The separator by which every row has as many cells as the header; of several the one that makes most numbers.

    Lines above the header may have other numbers of cells. PartError where two separators do equally well.
    """
    good = _good(rows)
    if not any(equal for equal, _ in good.values()):
        good = _below(rows) or good
    best = max(good, key=lambda name: good[name]) if good else None
    if (best is None or good[best][1] < 1.0) and _spaced(rows, best is None):
        return SPACES
    if best is None:
        return max(SEPARATORS, key=rows[0].count)
    rivals = [name for name in good if name != best and good[name] == good[best] and len(rows) > 1]
    if rivals:
        raise refuse(
            part,
            f"{path.name} can be cut into columns at the {SEPARATORS[best]} and at the {SEPARATORS[rivals[0]]}; write "
            f"'sep={best}' or 'sep={rivals[0]}' as its first line",
        )
    return best


def _good(rows: Sequence[str], separators: Iterable[str] = SEPARATORS) -> dict[str, tuple[bool, float]]:
    """The separators that make a table: whether every row has the width of the first, and their share of values."""
    good = {}
    for separator in separators:
        cells = cells_of(rows, separator)
        width = len(cells[0])
        if width > 1 and all(1 < len(row) <= width + 1 for row in cells[1:]):
            values = [is_value(cell) for row in cells[1:] for cell in row]
            share = sum(values) / len(values) if values else 1.0
            good[separator] = (all(len(row) == width or not row[-1] for row in cells[1:]), share)
    return good


def _below(rows: Sequence[str]) -> dict[str, tuple[bool, float]]:
    """The separators that make a table of the rows below some lines of another width: words above values."""
    good = {}
    for separator in SEPARATORS:
        widths = [row.count(separator) for row in rows]
        begin = next((i + 1 for i in range(len(rows) - 1, -1, -1) if widths[i] != widths[-1]), 0)
        if not 0 < begin <= min(ABOVE, len(rows) - 3) or widths[-1] == 0:
            continue
        names = [cell for cell in cells_of(rows[begin : begin + 1], separator)[0] if cell]
        if any(is_value(cell) for cell in names) or len(set(names)) < len(names):
            continue
        found = _good(rows[begin:], (separator,)).get(separator)
        if found is not None and found[0] and found[1] >= 0.5:
            good[separator] = found
    return good


def _spaced(rows: Sequence[str], alone: bool) -> bool:
    """Whether white space makes columns of all rows; `alone`: no other separator makes any, so some may be words."""
    cells = cells_of(rows, SPACES)
    width = len(cells[-1])
    begin = next((i + 1 for i in range(len(cells) - 1, -1, -1) if len(cells[i]) != width), 0)
    below = cells[begin:]
    if width < 2 or len(below) < FEWEST or begin > (ABOVE if alone else 0):
        return False
    if begin and (sum(map(is_value, below[0])) > 1 or not sum(map(is_value, below[1])) >= 2):
        return False  # lines above a table end with its header
    values = [is_value(cell) for row in below[1:] if row != below[0] for cell in row]
    return bool(values) and sum(values) >= len(values) * (0.5 if alone else 1.0)


def find_head(part: Part, path: Path, lines: Sequence[str], separator: str, remarks: Sequence[str] = ()) -> Head:
    """The names of a table, found in its first lines without comments; `remarks` are the comments above them.

    Lines above the names and rows below them that are neither units nor readings are left out, which the notes say.
    PartError where nothing says how the columns are called, and the first row may be names as well as readings.
    """
    parsed = _parsed(lines, separator)
    cells = [row for row, _ in parsed]
    if top := begin_of(cells, is_value):
        skip = parsed[top - 1][1]
        found = find_head(part, path, lines[skip:], separator, remarks)
        several = "lines stand above the header and are" if top > 1 else "line stands above the header and is"
        said = f"{top} {several} left out"
        return replace(found, lines=found.lines + skip, notes=(said, *found.notes))
    if (told_so := pattern_head(cells, is_value, is_date, is_unit)) is not None:
        place, names, given = told_so
        pattern = next(name for name in names if name.endswith("]"))
        said = f"the header says how times are written: {pattern!r}"
        return Head(names, cells[place + 1 :], parsed[place][1], given, (said,))
    held = _held(cells)
    readings = _holds_readings(cells, held)
    commented = _commented(cells, held, separator, remarks) if readings or _is_data(cells[0], held) else None
    if commented is not None:
        told = ["the comment above the numbers is read as the header"]
        told += ["the comment below it is read as units"] * (commented[1] is not None)
        return Head(commented[0], cells, 0, commented[1], tuple(told), commented=True)
    if all(is_value(cell) for cell in cells[0]):
        return _nameless(part, path, cells)
    if readings:
        raise refuse(
            part,
            f"{path.name} has no header: its first row ({separator.join(cells[0])[:60]!r}) holds readings as those "
            "below it do; write a row above it that names the columns",
        )
    first = next((i for i, row in enumerate(cells) if i and _is_data(row, held)), min(1, len(cells)))
    place = _names_row(cells[:first], held) if first > 1 else 0
    names, notes = cells[place], []
    begin = place + 1
    if first > begin:
        begin = next((i for i in range(begin, first) if _any_value(cells[i], held)), first)
    if (levels := _levels(cells, place)) is not None:
        said = f"{place} lines above the name of the time name the others, and are read as one"
        return Head(levels, cells[begin:], parsed[begin - 1][1], None, (said,))
    names = ["time" if is_date(cell) and i == 0 and len(names) > 1 else cell for i, cell in enumerate(names)]
    units = _units(cells, place, begin, len(names))
    whole, other = _two_lines(cells, place, begin, None if units is None else place + 1 + units[0])
    if whole is not None:
        spare = [row for i, row in enumerate(cells[:begin]) if i not in (place, other) and any(row)]
        spare = [row for row in spare if units is None or row is not cells[place + 1 + units[0]]]
        notes += ["two lines of the header are read as one"]
        notes += [f"a line of the header is left out: {' '.join(filter(None, row))[:60]!r}" for row in spare]
        notes += ["the row below the header is read as units"] * (units is not None)
        return Head(whole, cells[begin:], parsed[begin - 1][1], None if units is None else units[1], tuple(notes))
    if place == 0 and units is None:
        begin = 1  # odd rows right below a header that is the first line are rows of the table
    else:
        above = "lines stand" if place > 1 else "line stands"
        notes += [f"{place} {above} above the header and {'are' if place > 1 else 'is'} left out"] * bool(place)
        spare = [row for i, row in enumerate(cells[place + 1 : begin]) if units is None or i != units[0]]
        notes += [f"a row below the header is left out: {' '.join(filter(None, row))[:60]!r}" for row in spare]
        notes += ["the row below the header is read as units"] * (units is not None)
    return Head(names, cells[begin:], parsed[begin - 1][1], None if units is None else units[1], tuple(notes))


def _held(cells: Sequence[Sequence[str]]) -> list[bool]:
    """Which columns hold values, by the later half of the rows; their number is the width of most of them."""
    later = cells[len(cells) // 2 :]
    widths = [len(row) for row in later]
    width = max(set(widths), key=widths.count)
    same = [row for row in later if len(row) == width]
    valued = [row for row in same if any(cell and is_value(cell) for cell in row)]
    same = valued if 2 * len(valued) > len(same) else same  # a header may stand again between readings
    return [10 * sum(is_value(row[k]) for row in same) >= 9 * len(same) for k in range(width)]


def _any_value(row: Sequence[str], held: Sequence[bool]) -> bool:
    return any(has and cell.lower() not in MISSING and is_value(cell) for cell, has in zip(row, held))


def _is_data(row: Sequence[str], held: Sequence[bool]) -> bool:
    """Whether most of the columns that hold values have one in this row; of as many as not, the first decides."""
    if len(row) not in (len(held), len(held) + 1, len(held) - 1) or not any(held):
        return not any(held)
    told = [is_value(cell) for cell, has in zip(row, held) if has and cell.lower() not in MISSING]
    return bool(told) and (2 * sum(told) > len(told) or (2 * sum(told) == len(told) and told[0]))


def _names_row(above: Sequence[Sequence[str]], held: Sequence[bool]) -> int:
    """Which of the rows above the readings names the columns: the one with a time, then that with most names.

    Of rows that name as many the last counts, but for rows of units; in the format TOA5 it is the second.
    """
    if above[0][0] == "TOA5":
        return 1
    scores = []
    for i, row in enumerate(above):
        names = [cell for cell in row if cell and not is_value(cell)]
        fits = bool(names) and len("".join("x" if cell else " " for cell in row).rstrip()) <= len(held)
        is_units = 2 * sum(is_unit(cell) for cell in names) >= len(names)
        timed = any(named_time(cell) is not None for cell in names)
        units = sum(is_unit(cell) for cell in names)
        scores.append((fits, timed, len(set(names)), not is_units, -units, i))
    return max(scores)[-1]


def _two_lines(
    cells: Sequence[Sequence[str]], place: int, begin: int, units: int | None
) -> tuple[list[str] | None, int]:
    """Names that two lines make together, where some of one line alone are alike ("Temp"), and the other line.

    A name of the line above may stand over several columns, as merged cells do. None where no line beside makes all
    names different.
    """
    names = list(cells[place])
    if not _repeated(names):
        return None, place
    for other in (place - 1, place + 1):
        if not 0 <= other < begin or other == units:
            continue
        more = [*cells[other], *[""] * len(names)][: len(names)]
        if sum(map(bool, more)) < 2 or any(is_value(cell) for cell in more if cell):
            continue
        over: list[str] = []
        for cell in more:
            over.append(cell or (over[-1] if over else ""))
        for filled in (more, over):
            pairs = zip(filled, names) if other < place else zip(names, filled)
            whole = [" ".join(dict.fromkeys(filter(None, pair))) if any(pair) else "" for pair in pairs]
            whole = [both if name or filled[k] == more[k] else "" for k, (both, name) in enumerate(zip(whole, names))]
            if not _repeated(whole):
                return whole, other
    return None, place


def _levels(cells: Sequence[Sequence[str]], place: int) -> list[str] | None:
    """Names of columns in several levels, as pandas writes them: the row right above the readings names the time alone.

    None where the row of names holds others too.
    """
    names, above = cells[place], [row for row in cells[:place] if len(row) == len(cells[place])]
    if len(names) < 2 or not names[0] or any(names[1:]) or len(above) != place or not above:
        return None
    if not all(all(row[1:]) and not any(map(is_value, row[1:])) for row in above):
        return None
    return [names[0], *(" ".join(dict.fromkeys(row[k] for row in above)) for k in range(1, len(names)))]


def _repeated(names: Sequence[str]) -> bool:
    known = [name for name in names if name]
    return len(set(known)) < len(known)


def is_unit(cell: str) -> bool:
    """Whether a cell is a unit that stands alone in a row of units."""
    return bool(_UNIT.match(cell)) or cell.lower() in UNITS


def _units(cells: Sequence[Sequence[str]], place: int, begin: int, width: int) -> tuple[int, tuple[str, ...]] | None:
    """Which row below the names holds units, and they: none is a value or comes again below, one is a known unit."""
    for i, row in enumerate(cells[place + 1 : begin]):
        said = [cell for cell in row[:width] if cell not in ("", "-")]
        if not said or any(is_value(cell) for cell in said) or not any(is_unit(cell) for cell in said):
            continue
        heads = (list(cells[place]), list(row))  # files put together hold both again
        later = {cell for other in cells[begin:] if list(other) not in heads for cell in other}
        if any(cell in later for cell in said) or begin >= len(cells):
            continue
        full = [*row[:width], *[""] * (width - len(row))]
        bare = (re.sub(r"^[\[(](.*)[\])]$", r"\1", cell) for cell in full)
        # What names the time or the rows is no unit of them.
        return i, tuple("" if cell == "-" or (named_time(cell) and not is_unit(cell)) else cell for cell in bare)
    return None


def _holds_readings(cells: Sequence[Sequence[str]], held: Sequence[bool]) -> bool:
    """Whether the first row is one of readings beside words that come again below it, so that it names nothing.

    A date in a column of dates names none, nor do numbers that neither rise nor fall from column to column.
    """
    first, below = cells[0], [row for row in cells[1:] if len(row) == len(cells[0])]
    if len(first) != len(held) or len(below) < FEWEST or not any(held):
        return False
    words = [k for k, has in enumerate(held) if not has and first[k]]
    if not words or any(first[k] not in {row[k] for row in below} for k in words):
        return False
    if any(has and _DAY.match(first[k]) and all(_DAY.match(row[k]) for row in below) for k, has in enumerate(held)):
        return True
    told = [first[k] for k, has in enumerate(held) if has]
    if not all(is_value(cell) for cell in told) or all(cell.lower() in MISSING for cell in told):
        return False
    numbers = [float(cell) for cell in told if re.fullmatch(r"[+-]?\d+([.]\d*)?", cell)]
    runs = [b > a for a, b in pairwise(numbers)]
    return len(numbers) < len(told) or len(runs) < 2 or len(set(runs)) > 1


def _commented(
    cells: Sequence[Sequence[str]], held: Sequence[bool], separator: str, remarks: Sequence[str]
) -> tuple[list[str], tuple[str, ...] | None] | None:
    """Names that stand behind a comment mark, with as many cells as the rows have, and units of another such line."""
    fits = [row for row in (cells_of([one], separator)[0] for one in remarks if one.strip()) if len(row) == len(held)]
    fits = [row for row in fits if not all(is_value(cell) for cell in row)]
    named = [row for row in fits if 2 * sum(is_unit(cell) for cell in row) < len(row)] or fits
    if not named or len(cells[0]) != len(held) or not any(named[-1]):
        return None
    below = fits[fits.index(named[-1]) + 1 :]
    units = tuple(re.sub(r"^[\[(](.*)[\])]$", r"\1", cell) for cell in below[0]) if below else None
    return named[-1], units


def _nameless(part: Part, path: Path, cells: list[list[str]]) -> Head:
    """A table whose first row holds values, with no names above it: its columns are numbered."""
    first = cells[0]
    if len(cells) < FEWEST or _may_be_names(cells):
        raise refuse(
            part,
            f"{path.name} has no header: its first row holds numbers, which may be names or readings; write a row "
            "above it that names the columns",
        )
    names = [f"column {i + 1}" for i in range(len(first))]
    note = f"no row names the columns: they are called {names[0]} to {names[-1]}, and the first row holds readings"
    return Head(names, cells, 0, None, (note,))


def _may_be_names(cells: Sequence[Sequence[str]]) -> bool:
    """Whether a first row of values may name columns: numbers in order, or whole ones above none that are whole."""
    first, width = cells[0], len(cells[0])
    if not all(cell.isdigit() for cell in first):
        return False
    steps = {int(b) - int(a) for a, b in pairwise(first)}
    below = [cell for row in cells[1:] for cell in row[:width] if cell.lower() not in MISSING]
    return steps <= {1} or not any(cell.isdigit() for cell in below)
