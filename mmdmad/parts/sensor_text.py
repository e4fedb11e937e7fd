"""How the text of a table is written: encoding, separator, comments, header and units, found in its first mebibyte."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdmad.cases import Part
from mmdmad.parts.clock import UNITS
from mmdmad.parts.dates import FORMS
from mmdmad.parts.limits import MAX_CHANNELS, MIB, refuse
from mmdmad.parts.sensor_columns import MISSING, check_cells

BLOCK = 1 * MIB
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_COMMENT = re.compile(r"^\s*(%|//|#(?!(n/?a|value!|div/0!|ref!|num!|null!|name\?)))", re.IGNORECASE)
_NUMBER = re.compile(r"^[+-]?(\d[\d.,]*|[.,]\d+)([eE][+-]?\d+)?$")
_DATE = re.compile("|".join(re.sub(r"\?P<\w+>", "", form) for form in FORMS.values()))
_UNIT = re.compile(
    r"^([\[(].*[\])]|°[CF]|degc|k|[mkµu]?[avwn]|k?wh|nm|m?bar|[hkm]?pa|psi|%|% ?rh|[km]?hz|rpm|1/min|[mµc]?m|"
    r"[mc]?m/s(2|²|\^2)?|km/h|[mk]?g|l/min|l/h|m[3³]/h|m[3³]|db|ppm|lux|lx|ohm|Ω|°|deg|rad|"
    r"[hy]{2,4}[-/.: \w]*|date|utc)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Form:
    """Names and units (C,) of a text table, its encoding and separator, how many lines to pass over, and notes.

    `plain` says that it is UTF-8 and begins with its header, so that it can be read as it stands. `trailing` counts
    separators at the ends of rows that no name stands over.
    """

    names: tuple[str, ...]
    separator: str
    encoding: str
    skip: int
    plain: bool
    units: tuple[str, ...] | None = None
    trailing: int = 0
    notes: tuple[str, ...] = ()


def find_form(part: Part, path: Path) -> Form:
    """The form of a text table; PartError where it is no text, has no header, or has two forms at once."""
    with path.open("rb") as file:
        head = file.read(BLOCK)
    encoding, text, notes = _decode(part, path, head)
    if re.search(r"[\0-\x08\x0e-\x1f]", text):
        raise refuse(part, f"{path.name} is not text at all; save it as a UTF-8 CSV table")
    lines = re.split(r"\r\n|\n|\r", text)
    if len(head) == BLOCK:
        if len(lines) == 1:
            raise refuse(
                part, f"the header of {path.name} is longer than 1 MiB; at most {MAX_CHANNELS} columns are allowed"
            )
        lines = lines[:-1]
    told, at, remark = None, 0, ""
    while at < len(lines) and (not lines[at].strip() or _COMMENT.match(lines[at]) or (not told and _sep(lines[at]))):
        told = told or _sep(lines[at])
        remark = lines[at] if _COMMENT.match(lines[at]) else remark
        at += 1
    if at == len(lines):
        raise refuse(part, f"{path.name} holds no table, only blank lines and comments")
    rows = [line for line in lines[at : at + 200] if line.strip() and not _COMMENT.match(line)]
    separator = told or _separator(part, path, rows)
    cells = list(csv.reader(rows, delimiter=separator))
    first = [cell.strip() for cell in cells[0]]
    skip = at + 1
    if all(_is_value(cell) for cell in first):
        commented = [c.strip() for c in next(csv.reader([_COMMENT.sub("", remark)], delimiter=separator), [])]
        if len(commented) != len(first) or all(_is_value(cell) for cell in commented):
            raise refuse(part, f"{path.name} has no header: its first row holds numbers; it must name the columns")
        notes.append("the comment above the numbers is read as the header")
        first, skip, cells = commented, at, [commented, *cells]
    check_cells(part, 0, len(first))
    if not any(first):
        raise refuse(part, f"the first line of {path.name} is blank; it must name the columns")
    trailing = 0
    while (
        len(first) > 1
        and not first[-1]
        and all(len(row) < len(first) or not row[len(first) - 1].strip() for row in cells)
    ):
        first, trailing = first[:-1], trailing + 1
    if not trailing and len(cells) > 1 and all(len(r) == len(first) + 1 and not r[-1].strip() for r in cells[1:]):
        trailing = 1
    units = _units(cells, len(first))
    if units is not None:
        notes.append("the row below the header is read as units")
    plain = encoding == "utf-8-sig" and skip == 1 and units is None and not lines[0].lstrip("\ufeff").startswith(" ")
    return Form(tuple(first), separator, encoding, skip, plain, units, trailing, tuple(notes))


def _decode(part: Part, path: Path, head: bytes) -> tuple[str, str, list[str]]:
    for marks, encoding in (((b"\xff\xfe\0\0", b"\0\0\xfe\xff"), "utf-32"), ((b"\xff\xfe", b"\xfe\xff"), "utf-16")):
        if head.startswith(marks):
            return (
                encoding,
                head[: len(head) // 4 * 4].decode(encoding, "replace").lstrip("\ufeff"),
                ["the file is UTF-16"],
            )
    if head[1:200:2].count(0) > 60 and head[:200:2].count(0) == 0:
        return "utf-16-le", head[: len(head) // 4 * 4].decode("utf-16-le", "replace"), ["the file is UTF-16"]
    if b"\0" in head:
        raise refuse(part, f"{path.name} is not text at all; save it as a UTF-8 CSV table")
    try:
        return "utf-8-sig", head.decode("utf-8-sig"), []
    except UnicodeDecodeError as why:
        if why.start >= len(head) - 3 and len(head) == BLOCK:  # the block ends inside a character
            return "utf-8-sig", head[: why.start].decode("utf-8-sig"), []
    return (other := single_byte(head)), head.decode(other), [OTHER]


OTHER = "the file is not UTF-8; it is read as Latin-1 (Windows-1252)"


def single_byte(data: bytes) -> str:
    """The encoding of text that is not UTF-8: Windows-1252, or Latin-1 where that lacks a character."""
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _sep(line: str) -> str | None:
    match = re.match(r'^"?sep=(.)"?\s*$', line.lstrip("\ufeff"), re.IGNORECASE)
    return match[1] if match is not None and match[1] in SEPARATORS else None


def _is_value(cell: str) -> bool:
    return cell.lower() in MISSING or bool(_NUMBER.match(cell) or _DATE.match(cell)) or cell.lower() in ("inf", "-inf")


def _separator(part: Part, path: Path, rows: Sequence[str]) -> str:
    """The separator by which every row has as many cells as the header; of several the one that makes most numbers."""
    good: dict[str, tuple[float, int]] = {}
    for separator in SEPARATORS:
        cells = list(csv.reader(rows, delimiter=separator))
        width = len(cells[0])
        if width > 1 and all(len(row) <= width + 1 and len(row) > 1 for row in cells[1:]):
            values = [_is_value(cell.strip()) for row in cells[1:] for cell in row]
            equal = all(len(row) == width or not row[-1] for row in cells[1:])
            good[separator] = (equal + (sum(values) / len(values) if values else 1.0), width)
    if not good:
        return max(SEPARATORS, key=rows[0].count)
    best = max(good, key=lambda name: good[name])
    rivals = [name for name in good if name != best and good[name][0] == good[best][0] and len(rows) > 1]
    if rivals:
        raise refuse(
            part,
            f"{path.name} can be cut into columns at the {SEPARATORS[best]} and at the {SEPARATORS[rivals[0]]}; write "
            f"'sep={best}' or 'sep={rivals[0]}' as its first line",
        )
    return best


def _units(cells: Sequence[Sequence[str]], width: int) -> tuple[str, ...] | None:
    """Units in the row below the header: none of its cells is a value or comes again, one at least is a known unit."""
    if len(cells) < 3:
        return None
    row = [cell.strip() for cell in cells[1][:width]]
    said = [cell for cell in row if cell not in ("", "-")]
    if not said or any(_is_value(cell) for cell in said) or not any(_UNIT.match(c) or c.lower() in UNITS for c in said):
        return None
    later = {cell.strip() for other in cells[2:] for cell in other}
    if any(cell in later for cell in said) or not any(_is_value(cell.strip()) for cell in cells[2]):
        return None
    row += [""] * (width - len(row))
    return tuple("" if cell == "-" else re.sub(r"^[\[(](.*)[\])]$", r"\1", cell) for cell in row)


class Lines:
    """A text table below its header as UTF-8 bytes for Arrow, without comments and blank lines; counts the comments."""

    def __init__(self, part: Part, path: Path, form: Form, encoding: str) -> None:
        self.comments, self.closed = 0, False
        self._left = b""
        self._blocks = self._read(part, path, form, encoding)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`; empty at the end."""
        while size < 0 or len(self._left) < size:
            block = next(self._blocks, None)
            if block is None:
                break
            self._left += block
        size = len(self._left) if size < 0 else size
        made, self._left = self._left[:size], self._left[size:]
        return made

    def close(self) -> None:
        """Nothing more will be read."""
        self.closed = True
        self._blocks.close()

    def _read(self, part: Part, path: Path, form: Form, encoding: str) -> Any:
        quoted = False
        # A blank line is no row, but where a missing reading is one: in a lone column, or between tabs.
        alone = len(form.names) + form.trailing == 1
        kept: list[str] = []
        size = 0
        with path.open(encoding=encoding, newline=None) as file:
            for number, line in enumerate(self._lines(part, path, file)):
                if number < form.skip or (number == form.skip and form.units is not None):
                    self.comments += bool(_COMMENT.match(line))
                    continue
                if not quoted and _COMMENT.match(line):
                    self.comments += 1
                    continue
                if not quoted and not line.strip() and not (alone or form.separator in line):
                    continue
                quoted ^= line.count('"') % 2 == 1
                kept.append(line)
                size += len(line)
                if size >= BLOCK:
                    yield "".join(kept).encode()
                    kept, size = [], 0
        yield "".join(kept).encode()

    @staticmethod
    def _lines(part: Part, path: Path, file: Any) -> Iterator[str]:
        while line := file.readline(BLOCK):
            if len(line) == BLOCK:
                raise refuse(part, f"{path.name} has a row longer than 1 MiB, or a quote that is never closed")
            yield line
