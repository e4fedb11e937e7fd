"""Text: given inline or as a file, or some lines of one."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mmdmad.cases import Part
from mmdmad.parts.limits import MAX_TEXT_BYTES, MIB, plain_file, refuse, sliced_file
from mmdmad.parts.log_frames import joined
from mmdmad.parts.log_headers import without_headers
from mmdmad.parts.log_json import json_log, messages
from mmdmad.parts.text_letters import Letters, decoded, letters, opened
from mmdmad.parts.text_lines import line_begin, lines_of


@dataclass(frozen=True, eq=False)
class Text:
    """A text as one string, line ends as "\\n"; a slice has `before` lines of `file` before it, else `file` is "".

    `notes` are what was decided while reading it, in plain words.
    """

    text: str
    before: int = 0
    file: str = ""
    notes: tuple[str, ...] = ()


def read_text(part: Part) -> Text:
    """The part's text; a slice of a file picks lines, headers blank. `text_letters` finds how a file is written.

    >>> read_text(Part("text", value="Bearing replaced.")).text
    'Bearing replaced.'
    """
    value = part.value
    before, file, notes = (part.start or 0), sliced_file(part), tuple[str, ...]()
    if isinstance(value, Text):
        before, file = value.before + before, value.file
        value = value.text
    if value is None:
        path = plain_file(part, MAX_TEXT_BYTES if part.start is None and part.stop is None else None)
        how = _letters(part, path)
        value, notes = decoded(picked_bytes(part, path), how), how.notes
        value = _as_messages(part, path, value)
        if sliced_file(part):
            value = "".join(without_headers(value.splitlines(keepends=True)))
    elif not isinstance(value, str):
        raise refuse(part, f"a text must be a string, not {type(value).__name__}")
    elif part.start is not None or part.stop is not None:
        lines = value.splitlines(keepends=True)
        if part.start is not None and part.start >= len(lines):
            raise refuse(part, f"the slice starts at line {part.start}, but there are {len(lines)} lines")
        value = "".join(lines[part.start : part.stop])
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise refuse(part, "the text holds half a character (a lone surrogate)") from None
    if size > MAX_TEXT_BYTES:
        raise refuse(part, f"the text has {size / MIB:.1f} MiB; at most {MAX_TEXT_BYTES // MIB} MiB are allowed")
    if "\0" in value:
        raise refuse(part, "the text holds zero bytes; take them out, or give the file it came from")
    if not value.strip():
        raise refuse(part, "the text is blank")
    return Text(value.replace("\r\n", "\n").replace("\r", "\n"), before if file else 0, file, notes)


def _as_messages(part: Part, path: Path, value: str) -> str:
    """The lines of a log of JSON objects as their messages, pieces of one put together; any other text as it is."""
    try:
        fields = json_log(path)
    except ValueError as why:
        raise refuse(part, f"{path.name}: {why}") from None
    if fields is not None:
        return messages(value, fields)
    return "".join(joined(value.splitlines(keepends=True)))


def picked_bytes(part: Part, path: Path) -> bytes:
    """The file's bytes, or those of the lines that the slice picks, never much more than the limit."""
    if part.start is None and part.stop is None:
        with _opened(part, path) as file:
            return file.read(MAX_TEXT_BYTES + 1)
    with _opened(part, path):
        lines = lines_of(path)
    first, last = part.start or 0, lines.count if part.stop is None else part.stop
    if not first < last <= lines.count:
        raise refuse(
            part,
            f"the slice #{first}:{part.stop or ''} reaches past the last line of {path.name}, "
            f"which has {lines.count} lines",
        )
    begin, end = line_begin(path, lines, first), line_begin(path, lines, last)
    if end - begin > MAX_TEXT_BYTES:
        raise refuse(part, f"the lines of the slice have more than {MAX_TEXT_BYTES // MIB} MiB")
    with _opened(part, path) as file:
        file.seek(begin)
        return file.read(end - begin)


def _letters(part: Part, path: Path) -> Letters:
    try:
        return letters(path)
    except ValueError as why:
        raise refuse(part, f"{path.name}: {why}") from None


def _opened(part: Part, path: Path) -> BinaryIO:
    try:
        return opened(path)
    except ValueError as why:
        raise refuse(part, f"{path.name}: {why}") from None
