"""Text: given inline or as a UTF-8 file, or some lines of one."""

from dataclasses import dataclass
from pathlib import Path

from mmdmad.cases import Part
from mmdmad.parts.limits import MAX_TEXT_BYTES, MIB, plain_file, refuse, sliced_file
from mmdmad.parts.log_headers import without_headers
from mmdmad.parts.log_json import json_log, messages
from mmdmad.parts.text_lines import line_begin, lines_of


@dataclass(frozen=True, eq=False)
class Text:
    """A text as one string, line ends as "\\n"; a slice has `before` lines of `file` before it, else `file` is ""."""

    text: str
    before: int = 0
    file: str = ""


def read_text(part: Part) -> Text:
    """The part's text. A file must be UTF-8 (a byte-order mark is dropped); a slice picks lines, headers blank.

    >>> read_text(Part("text", value="Bearing replaced.")).text
    'Bearing replaced.'
    """
    value = part.value
    before, file = (part.start or 0), sliced_file(part)
    if isinstance(value, Text):
        before, file = value.before + before, value.file
        value = value.text
    if value is None:
        path = plain_file(part, MAX_TEXT_BYTES if part.start is None and part.stop is None else None)
        value = _decode(part, picked_bytes(part, path), path.name)
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
        raise refuse(part, "the text holds zero bytes; it is UTF-16 or no text at all; save it as UTF-8")
    if not value.strip():
        raise refuse(part, "the text is blank")
    return Text(value.replace("\r\n", "\n").replace("\r", "\n"), before if file else 0, file)


def _as_messages(part: Part, path: Path, value: str) -> str:
    """The lines of a log of JSON objects as their messages; any other text as it is."""
    try:
        fields = json_log(path)
    except ValueError as why:
        raise refuse(part, f"{path.name}: {why}") from None
    return value if fields is None else messages(value, fields)


def picked_bytes(part: Part, path: Path) -> bytes:
    """The file's bytes, or those of the lines that the slice picks, never much more than the limit."""
    if part.start is None and part.stop is None:
        with path.open("rb") as file:
            return file.read(MAX_TEXT_BYTES + 1)
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
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(end - begin)


def _decode(part: Part, data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refuse(part, f"{name} is UTF-16 or UTF-32; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as why:
        line = data.count(b"\n", 0, why.start) + 1
        raise refuse(
            part, f"{name} is not UTF-8 (byte 0x{data[why.start]:02x} in line {line}); save it as UTF-8"
        ) from None
