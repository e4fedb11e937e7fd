"""How the text of a table is written: encoding, separator, comments, header and units, found in its first mebibyte."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts.clock import named_time
from mmdmad.parts.letters_of import encoding_of, note_of
from mmdmad.parts.limits import MAX_CHANNELS, MIB, refuse
from mmdmad.parts.sensor_columns import check_cells
from mmdmad.parts.sensor_frames import BAR, Frame, frame_of, is_total, left_out
from mmdmad.parts.sensor_head import SEPARATORS, SPACES, cells_of, find_head, find_separator, is_date, is_value, spaced
from mmdmad.parts.sensor_labview import below_headers, named
from mmdmad.parts.sensor_scopes import scope_header
from mmdmad.parts.sensor_settings import Beside, settings_beside

BLOCK = 1 * MIB
_COMMENT = re.compile(r"^\s*(%|//|#(?!(n/?a|value!|div/0!|ref!|num!|null!|name\?)))", re.IGNORECASE)


@dataclass(frozen=True)
class Form:
    """Names and units (C,) of a text table, its encoding and separator, how many lines stand above its rows, and notes.

    `plain` says that it is UTF-8 and begins with its header, so that it can be read as it stands. `trailing` counts
    separators at the ends of rows that no name stands over. `filled` is the share of cells in its first rows that hold
    numbers, dates or nothing. `left` are columns of settings, by place: no columns of the table. `rate` are rows per
    second where the header says so. `commented`: the names stand behind a comment mark. In a `frame`, `skip`
    counts the rows below its header that are none. `headers` are the rows of the header as they stand in the file;
    `timed` says that a column is a time, by its name or its cells, and `date` which holds dates or times of day.
    """

    names: tuple[str, ...]
    separator: str
    encoding: str
    skip: int
    plain: bool
    units: tuple[str, ...] | None = None
    trailing: int = 0
    notes: tuple[str, ...] = ()
    filled: float = 1.0
    left: tuple[int, ...] = ()
    rate: float | None = None
    commented: bool = False
    frame: Frame | None = None
    headers: tuple[tuple[str | None, ...], ...] = ()
    timed: bool = False
    date: int | None = None


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
    try:
        frame = frame_of(lines)
    except ValueError as why:
        raise refuse(part, f"{path.name}: {why}") from None
    if frame is not None:
        return _framed(part, path, encoding, lines, frame, notes)
    if (scope := scope_header(lines)) is not None:
        trailing = max(0, lines[scope.skip].count(",") + 1 - len(scope.names))
        said = (*notes, scope.note) if scope.note else tuple(notes)
        form = Form(scope.names, ",", encoding, scope.skip, False, notes=said, left=scope.left, rate=scope.rate)
        return replace(form, trailing=trailing)
    at, told = below_headers(lines)
    labview, remarks = at > 0, list[str]()
    while at < len(lines) and (not lines[at].strip() or _COMMENT.match(lines[at]) or (not told and _sep(lines[at]))):
        told = told or _sep(lines[at])
        remarks += [_COMMENT.sub("", lines[at])] * bool(_COMMENT.match(lines[at]))
        at += 1
    if at == len(lines):
        raise refuse(part, f"{path.name} holds no table, only blank lines and comments")
    numbered = [
        (n, line) for n, line in enumerate(lines[at : at + 200], at) if line.strip() and not _COMMENT.match(line)
    ]
    if (told_of := records(lines[at])) is not None:
        raise refuse(part, f"{path.name} {told_of}")
    rows = [line for _, line in numbered]
    separator = told or find_separator(part, path, rows)
    beside = settings_beside(cells_of(rows, separator))
    if beside is not None:
        return _beside(part, path, encoding, separator, at, notes, beside)
    found = find_head(part, path, rows, separator, remarks)
    first, cells = list(found.names), [found.names, *found.rows]
    if labview:
        first, more = named(lines, first)
        notes += more
        cells[0] = first
    skip = numbered[found.lines][0] if found.lines < len(rows) else numbered[-1][0] + 1
    notes += found.notes
    check_cells(part, 0, len(first))
    if not any(first):
        raise refuse(part, f"the first line of {path.name} is blank; it must name the columns")
    trailing = 0
    while len(first) > 1 and not first[-1] and all(len(row) < len(first) or not row[len(first) - 1] for row in cells):
        first, trailing = first[:-1], trailing + 1
    if not trailing and found.rows and all(len(row) == len(first) + 1 and not row[-1] for row in found.rows):
        trailing = 1
    units = None if found.units is None else found.units[: len(first)]
    apart = separator == SPACES or lines[0].lstrip("\ufeff").startswith(" ")
    plain = encoding == "utf-8-sig" and skip == 1 and found.lines == 1 and not apart
    below = [is_value(cell) for row in found.rows for cell in row]
    filled = sum(below) / len(below) if below else 0.0
    form = Form(
        tuple(first), separator, encoding, skip, plain, units, trailing, tuple(notes), filled, commented=found.commented
    )
    above = [row for row in cells_of(rows[: found.lines], separator) if len(row) >= len(first) > 1]
    # A time in a header is another one where the header stands again.
    headers = [tuple(None if is_date(cell) else cell for cell in row) for row in above]
    date = next((k for k in range(len(first)) if _dated(found.rows, k)), None)
    timed = date is not None or any(named_time(name) is not None for name in first)
    return replace(form, headers=tuple(headers), timed=timed, date=date)


def records(line: str) -> str | None:
    """Why a file whose first line is this one is no table but records in JSON; None where it may be one."""
    text = line.strip().lstrip("\ufeff")
    if re.match(r'^\{\s*".*\}$', text):
        return (
            "holds a record in JSON a line, no table: write it as one (in pandas: "
            "pd.read_json('in.jsonl', lines=True).to_csv('out.csv', index=False))"
        )
    if re.match(r'^\[\s*(\{|$)|^\{\s*("|$)', text):
        return (
            "holds JSON, no table: write it as one (in pandas: pd.read_json('in.json').to_csv('out.csv', index=False))"
        )
    return None


def _dated(rows: Sequence[Sequence[str]], k: int) -> bool:
    """Whether nearly all filled cells of a column in the first rows are dates or times of day."""
    held = [row[k] for row in rows if k < len(row) and row[k]]
    return len(held) > 2 and 4 * sum(is_date(cell) for cell in held) >= 3 * len(held)


def _framed(part: Part, path: Path, encoding: str, lines: list[str], frame: Frame, notes: list[str]) -> Form:
    """The form of a table in a frame: its header between bars, right above a rule."""
    begin = next(i for i, line in enumerate(lines) if line.strip() in frame.header)
    bare = [row for line in lines[begin : begin + 200] if (row := frame.bare(line)) is not None and not is_total(row)]
    found = find_head(part, path, [*map(frame.inside, frame.header), *bare], BAR)
    check_cells(part, 0, len(found.names))
    filled = [is_value(cell) for row in found.rows for cell in row]
    share = sum(filled) / len(filled) if filled else 0.0
    below = max(0, found.lines - len(frame.header))
    said = (*notes, *found.notes)
    return Form(tuple(found.names), BAR, encoding, below, False, found.units, 0, said, share, frame=frame)


def _beside(part: Part, path: Path, encoding: str, separator: str, skip: int, notes: list[str], beside: Beside) -> Form:
    """The form of a table without a header that has settings beside its readings."""
    if beside.names is None:
        raise refuse(
            part,
            f"{beside.note.removesuffix(', and are left out')}, and no row names the others: keep those, below a row "
            "that names them, as in 'time [s],CH1 [V]'",
        )
    names = iter(beside.names)
    every = [""] * (len(beside.names) + len(beside.left))
    for k in range(len(every)):
        every[k] = "" if k in beside.left else next(names)
    told = f"{beside.note}; they call the others {', '.join(map(repr, beside.names))}"
    return Form(tuple(every), separator, encoding, skip, False, notes=(*notes, told), left=beside.left)


def is_table(path: Path) -> bool:
    """Whether a text file is a table of readings by its first rows: columns, at least half of their cells numbers.

    Words that stand apart by white space are a text, however many of each line are numbers.
    """
    try:
        form = find_form(Part("sensor", path), path)
    except (PartError, OSError):
        return False
    return len(form.names) > 1 and form.filled >= (0.95 if form.separator == SPACES else 0.5)


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
    return (other := encoding_of(head)), head.decode(other, "replace"), [note_of(other)]


def _sep(line: str) -> str | None:
    match = re.match(r'^"?sep=(.)"?\s*$', line.lstrip("\ufeff"), re.IGNORECASE)
    return match[1] if match is not None and match[1] in SEPARATORS else None


class Lines:
    """A text table below its header as UTF-8 bytes for Arrow, without comments and blank lines; counts the comments."""

    def __init__(self, part: Part, path: Path, form: Form, encoding: str) -> None:
        self.comments, self.closed = -1 if form.commented else 0, False
        self._around, self._totals = 0, list[str]()
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

    def notes(self) -> list[str]:
        """What was left out on the way, in words."""
        told = [f"{self.comments} comment line{'s are' if self.comments > 1 else ' is'} left out"] * (self.comments > 0)
        return told + left_out(self._around, self._totals)

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
            lines = self._lines(part, path, file)
            for number, line in enumerate(lines if form.frame is None else self._rows(form.frame, lines)):
                if number < form.skip:
                    self.comments += bool(_COMMENT.match(line))
                    continue
                if not quoted and _COMMENT.match(line):
                    self.comments += 1
                    continue
                if not quoted and not line.strip() and not (alone or form.separator in line):
                    continue
                if form.separator == SPACES:
                    line = "\t".join(spaced(line)) + "\n"
                quoted ^= line.count('"') % 2 == 1
                kept.append(line)
                size += len(line)
                if size >= BLOCK:
                    yield "".join(kept).encode()
                    kept, size = [], 0
        yield "".join(kept).encode()

    def _rows(self, frame: Frame, lines: Iterator[str]) -> Iterator[str]:
        """The rows inside of a frame; what stands around them is counted."""
        for line in lines:
            row = frame.bare(line)
            if row is None:
                self._around += bool(line.strip()) and line.strip() not in frame.header
            elif is_total(row):
                self._totals.append(row)
            else:
                yield f"{row}\n"

    @staticmethod
    def _lines(part: Part, path: Path, file: Any) -> Iterator[str]:
        while line := file.readline(BLOCK):
            if len(line) == BLOCK:
                raise refuse(part, f"{path.name} has a row longer than 1 MiB, or a quote that is never closed")
            yield line
