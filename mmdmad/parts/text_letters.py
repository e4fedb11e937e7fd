"""The letters of a text file, decided once a file for all who read it: UTF-8, UTF-16 or 32, else one byte a letter."""

import bz2
import gzip
import io
import json
import lzma
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from mmdmad.parts.journal_export import BEGIN, journal_lines
from mmdmad.parts.kept import KEPT
from mmdmad.parts.letters_of import encoding_of, note_of
from mmdmad.parts.limits import MIB

HEAD, BLOCK = 64 * 1024, 4 * MIB
LISTED = 64 * MIB
"""Bytes of a JSON list that is read as lines."""
_PACKED = {"gz": b"\x1f\x8b", "bz2": b"BZh", "xz": b"\xfd7zXZ\0"}
_OPEN: dict[str, Callable[..., Any]] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
_UNPACK = {"gz": "zcat", "bz2": "bzcat", "xz": "xzcat"}
ODD = 1 * MIB
"""Bytes of lines that are not UTF-8 by which their encoding is decided."""
WIDEST = 256 * MIB
"""Bytes of a file of two or four bytes a letter, which is turned into UTF-8 as a whole."""
BINARY = 0.05
"""Share of control characters from which on a file that is not UTF-8 is no text."""
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_BEYOND = re.compile(rb"[\x80-\xff]")
CODES = re.compile(rb"\x1b\[[0-9;?]{0,20}[A-Za-z]")
"""Codes that a terminal turns into colours and places."""
UTF8 = "utf-8"


@dataclass(frozen=True)
class Letters:
    """How a text is written: the encoding of the whole file, and that of the lines in it which are not UTF-8.

    `zeros`: it holds zero bytes that are no part of a letter, as a crash leaves them. `returns`: its lines end with a
    carriage return alone. `codes`: it holds codes of a terminal (colours). `listed`: it is one JSON list,
    of which each object becomes a line. `packed`: gz, bz2 or xz. `journal`: an export of
    journald.
    """

    whole: str = UTF8
    other: str = ""
    zeros: bool = False
    returns: bool = False
    codes: bool = False
    listed: bool = False
    packed: str = ""
    journal: bool = False

    @property
    def turned(self) -> bool:
        """Whether the file is turned into UTF-8 with line ends before it is read."""
        return self.wide or self.returns or self.listed or self.journal or bool(self.packed)

    @property
    def wide(self) -> bool:
        """Whether a letter takes two or four bytes."""
        return self.whole != UTF8

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided, in plain words."""
        told = [f"the file is {self.whole.upper().replace('-LE', '').replace('-BE', '')}"] * self.wide
        told += [note_of(self.other)] * bool(self.other)
        told += ["zero bytes in it (as a crash leaves them) are left out"] * self.zeros
        told += ["it holds JSON objects of several lines, or in one list; each is read as a line"] * self.listed
        told += ["it is an export of journald, of which each entry is read as a line"] * self.journal
        told += [f"it is packed ({self.packed}), and the text in it is read"] * bool(self.packed)
        told += ["its lines end with carriage returns alone"] * self.returns
        return (*told, *["codes of a terminal (colours) in it are left out"] * self.codes)


def letters(path: Path) -> Letters:
    """The letters of a text file; ValueError where it is no text at all, with what to do."""
    return KEPT.get("letters", path, lambda: (_looked_at(path), 100)) or _looked_at(path)


def opened(path: Path) -> BinaryIO:
    """A text file as bytes with one byte a line end: as it lies there, or, of wide letters, turned into UTF-8.

    ValueError where it is no text, or wide and too large to be turned.
    """
    how = letters(path)
    if not how.turned:
        return path.open("rb")
    data = KEPT.get("UTF-8 of it", path, lambda: _sized(_turned(path, how)))
    return io.BytesIO(_turned(path, how) if data is None else data)


def decoded(data: bytes, how: Letters) -> str:
    """Some lines of a file (bytes from `opened`) as text; marks, zero bytes and codes are left out.

    >>> decoded("Kühl\\n".encode("cp1252") + "Kühl".encode(), Letters(other="cp1252"))
    'Kühl\\nKühl'
    """
    if how.zeros:
        data = data.replace(b"\0", b"")
    if how.codes:
        data = CODES.sub(b"", data)
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
    with _raw(path, how.packed) as file:
        data = file.read(WIDEST + 1)
    if len(data) > WIDEST:
        turn = f"save it as UTF-8 with line feeds: iconv -f {how.whole} -t UTF-8 OLD | tr '\\r' '\\n' > NEW.log"
        cure = f"unpack it: {_UNPACK[how.packed]} OLD > NEW.log" if how.packed else turn
        raise ValueError(f"its text has more than {WIDEST // MIB} MiB and cannot be read as it lies there; {cure}")
    if how.wide:
        data = data.decode(how.whole, "replace").encode(UTF8, "replace")
    if how.journal:
        return journal_lines(data)
    if how.listed:
        return b"".join(
            json.dumps(one, ensure_ascii=False).encode(UTF8, "replace") + b"\n" for one in _list(data) or ()
        )
    return data.replace(b"\r", b"\n") if how.returns else data


def _raw(path: Path, packed: str) -> BinaryIO:
    """The bytes of a file, unpacked where it is packed."""
    return cast(BinaryIO, _OPEN[packed](path, "rb")) if packed else path.open("rb")


def _list(data: bytes) -> list[dict[str, Any]] | None:
    """The objects of a JSON list, of the one list that an object holds, or that stand one after another.

    None where there is none of two or more.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return _one_after_another(data)
    lists = [found] if isinstance(found, list) else [one for one in found.values() if isinstance(one, list)]
    objects = [one for one in lists if len(one) > 1 and all(isinstance(each, dict) for each in one)]
    return objects[0] if len(objects) == 1 else None


def _one_after_another(data: bytes) -> list[dict[str, Any]] | None:
    found, text, at = [], data.decode(UTF8, "replace").strip(), 0
    read = json.JSONDecoder().raw_decode
    try:
        while at < len(text):
            one, at = read(text, at)
            if not isinstance(one, dict):
                return None
            found.append(one)
            at += len(text[at : at + 100]) - len(text[at : at + 100].lstrip())
    except (ValueError, RecursionError):
        return None
    return found if len(found) > 1 else None


def _is_list(path: Path, packed: str, head: bytes) -> bool:
    """Whether a file is one JSON list of objects, and not an object a line."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    first, more, _ = start.partition(b"\n")
    if start[:1] not in (b"[", b"{") or (start.startswith(b"{") and more and _is_json(first)):
        return False
    with _raw(path, packed) as file:
        data = file.read(LISTED + 1)
    return len(data) <= LISTED and _list(data) is not None


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _looked_at(path: Path) -> Letters:
    with path.open("rb") as file:
        begin = file.read(6)
    packed = next((name for name, mark in _PACKED.items() if begin.startswith(mark)), "")
    try:
        return _looked_into(path, packed)
    except (EOFError, lzma.LZMAError, zlib.error, OSError) as why:
        if not packed:
            raise
        raise ValueError(f"it is packed ({packed}) and damaged: {why}; copy it again, or unpack what is left") from None


def _looked_into(path: Path, packed: str) -> Letters:
    with _raw(path, packed) as file:
        head = file.read(HEAD)
        if head.startswith(BEGIN):
            return Letters(packed=packed, journal=True)
        if wide := _wide(head):
            return Letters(wide, packed=packed)
        odd, size, zeros, control, count, block, rest = [], 0, 0, 0, 0, head, b""
        feeds, returns, codes = 0, 0, False
        while block:
            feeds, returns = feeds + block.count(b"\n"), returns + block.count(b"\r")
            codes = codes or CODES.search(block) is not None
            zeros, count = zeros + block.count(b"\0"), count + len(block)
            control += len(_CONTROL.findall(block))
            if size < ODD:
                *lines, rest = (rest + block).split(b"\n")
                found = [line for line in lines if _odd(line)]
                odd += found
                size += sum(map(len, found))
            if packed and count > WIDEST:
                break  # it is refused when it is read
            block = file.read(BLOCK)
    odd += [rest] * (_odd(rest) and size < ODD)
    if odd and control > BINARY * (count - zeros):
        raise ValueError("it is no text: many of its bytes are no letters; give the text that was made from it")
    return Letters(
        other=encoding_of(b"\n".join(odd)[: 2 * ODD]) if odd else "",
        zeros=zeros > 0,
        returns=returns > 1 and not feeds,
        codes=codes,
        listed=not odd and _is_list(path, packed, head),
        packed=packed,
    )


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
