"""The letters of a text file, decided once a file for all who read it: UTF-8, UTF-16 or 32, else one byte a letter."""

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mmdmad.parts.kept import KEPT
from mmdmad.parts.letters_of import encoding_of, note_of
from mmdmad.parts.limits import MIB

HEAD, BLOCK = 64 * 1024, 4 * MIB
ODD = 1 * MIB
"""Bytes of lines that are not UTF-8 by which their encoding is decided."""
WIDEST = 256 * MIB
"""Bytes of a file of two or four bytes a letter, which is turned into UTF-8 as a whole."""
BINARY = 0.05
"""Share of control characters from which on a file that is not UTF-8 is no text."""
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_BEYOND = re.compile(rb"[\x80-\xff]")
UTF8 = "utf-8"


@dataclass(frozen=True)
class Letters:
    """How a text is written: the encoding of the whole file, and that of the lines in it which are not UTF-8.

    `zeros`: it holds zero bytes that are no part of a letter, as a crash leaves them.
    """

    whole: str = UTF8
    other: str = ""
    zeros: bool = False

    @property
    def wide(self) -> bool:
        """Whether a letter takes two or four bytes."""
        return self.whole != UTF8

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided, in plain words."""
        told = [f"the file is {self.whole.upper().replace('-LE', '').replace('-BE', '')}"] * self.wide
        told += [note_of(self.other)] * bool(self.other)
        return (*told, *["zero bytes in it (as a crash leaves them) are left out"] * self.zeros)


def letters(path: Path) -> Letters:
    """The letters of a text file; ValueError where it is no text at all, with what to do."""
    return KEPT.get("letters", path, lambda: (_looked_at(path), 100)) or _looked_at(path)


def opened(path: Path) -> BinaryIO:
    """A text file as bytes with one byte a line end: as it lies there, or, of wide letters, turned into UTF-8.

    ValueError where it is no text, or wide and too large to be turned.
    """
    how = letters(path)
    if not how.wide:
        return path.open("rb")
    data = KEPT.get("UTF-8 of it", path, lambda: _sized(_turned(path, how)))
    return io.BytesIO(_turned(path, how) if data is None else data)


def decoded(data: bytes, how: Letters) -> str:
    """Some lines of a file (bytes from `opened`) as text; the first mark of byte order and zero bytes are left out.

    >>> decoded("Kühl\\n".encode("cp1252") + "Kühl".encode(), Letters(other="cp1252"))
    'Kühl\\nKühl'
    """
    if how.zeros:
        data = data.replace(b"\0", b"")
    try:
        text = data.decode(UTF8)
    except UnicodeDecodeError:
        lines = data.split(b"\n")
        text = "\n".join(_line(line, how.other or "cp1252") if _odd(line) else line.decode(UTF8) for line in lines)
    return text.removeprefix("\ufeff")


def _line(line: bytes, other: str) -> str:
    """A line that is not all UTF-8: single bytes that are none by another encoding, or, of the East, all of it."""
    if other not in ("cp1252", "latin-1"):
        return line.decode(other, "replace")
    told, at = [], 0
    while at < len(line):
        try:
            told.append(line[at:].decode(UTF8))
            break
        except UnicodeDecodeError as why:
            told += [
                line[at : at + why.start].decode(UTF8),
                line[at + why.start : at + why.end].decode(other, "replace"),
            ]
            at += why.end
    return "".join(told)


def _sized(data: bytes) -> tuple[bytes, int]:
    return data, len(data)


def _turned(path: Path, how: Letters) -> bytes:
    size = path.stat().st_size
    if size > WIDEST:
        raise ValueError(
            f"it is {how.whole.upper()} and has {size / MIB:.0f} MiB; at most {WIDEST // MIB} MiB are turned; save it "
            f"as UTF-8: iconv -f UTF-16 -t UTF-8 OLD > NEW"
        )
    return path.read_bytes().decode(how.whole, "replace").encode(UTF8, "replace")


def _looked_at(path: Path) -> Letters:
    with path.open("rb") as file:
        head = file.read(HEAD)
        if wide := _wide(head):
            return Letters(wide)
        odd, size, zeros, control, count, block, rest = [], 0, 0, 0, 0, head, b""
        while block:
            zeros, count = zeros + block.count(b"\0"), count + len(block)
            control += len(_CONTROL.findall(block))
            if size < ODD:
                *lines, rest = (rest + block).split(b"\n")
                found = [line for line in lines if _odd(line)]
                odd += found
                size += sum(map(len, found))
            block = file.read(BLOCK)
    odd += [rest] * (_odd(rest) and size < ODD)
    if odd and control > BINARY * (count - zeros):
        raise ValueError("it is no text: many of its bytes are no letters; give the text that was made from it")
    return Letters(other=encoding_of(b"\n".join(odd)[: 2 * ODD]) if odd else "", zeros=zeros > 0)


def _odd(line: bytes) -> bool:
    if not _BEYOND.search(line):
        return False
    try:
        line.decode(UTF8)
    except UnicodeDecodeError:
        return True
    return False


def _wide(head: bytes) -> str:
    """The encoding of two or four bytes a letter, by its mark or by its zero bytes; "" for none."""
    for marks, name in (((b"\xff\xfe\0\0", b"\0\0\xfe\xff"), "utf-32"), ((b"\xff\xfe", b"\xfe\xff"), "utf-16")):
        if head.startswith(marks):
            return name
    for odd, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = head[odd::2].count(0), head[1 - odd :: 2].count(0)
        if len(head) > 3 and not others and 2 * zeros > len(head[odd::2]):
            return name
    return ""
