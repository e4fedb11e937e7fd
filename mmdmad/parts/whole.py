"""Whether a file is whole: decoders stop at the last pixel they find, so a cut file is told by its own sizes and marks.

Formats that carry neither (MPEG-TS, MPEG-PS, raw H.264, raw Motion JPEG) cannot be told from shorter recordings, nor
can FLV and ASF that are cut between two packets.
"""

from collections.abc import Callable
from pathlib import Path
from typing import IO

END_OF_IMAGE, START_OF_SCAN = b"\xff\xd9", b"\xff\xda"


def _riff(data: bytes) -> bool:
    return len(data) >= int.from_bytes(data[4:8], "little") + 8


def _jpeg(data: bytes) -> bool:
    # Inside a scan a 0xff byte is always followed by 0x00 or a restart mark, so the last end mark is a true one.
    return data.rfind(END_OF_IMAGE) > data.rfind(START_OF_SCAN)


def _icons_end(data: bytes) -> int:
    """Where the last picture of an ICO or CUR file ends by its directory."""
    count = int.from_bytes(data[4:6], "little")
    entries = [data[6 + 16 * i : 22 + 16 * i] for i in range(count)]
    return max((int.from_bytes(e[8:12], "little") + int.from_bytes(e[12:16], "little") for e in entries), default=0)


_PICTURES: dict[str, Callable[[bytes], bool]] = {
    "PNG": lambda data: b"IEND\xaeB`\x82" in data,
    "JPEG": _jpeg,
    "MPO": _jpeg,
    "GIF": lambda data: data.rstrip(b"\0").endswith(b";"),
    "WEBP": _riff,
    "JPEG2000": lambda data: END_OF_IMAGE in data[-64:],
    "ICNS": lambda data: len(data) >= int.from_bytes(data[4:8], "big"),
    "ICO": lambda data: len(data) >= _icons_end(data),
    "CUR": lambda data: len(data) >= _icons_end(data),
    "QOI": lambda data: data.endswith(bytes(7) + b"\x01"),
}


def whole_picture(data: bytes, kind: str | None) -> bool:
    """Whether the bytes of a picture reach its end mark; True for formats whose decoders notice by themselves."""
    check = _PICTURES.get(kind or "")
    return check is None or check(data)


def missing_bytes(path: Path) -> int:
    """How many bytes a video container says it has beyond its end; 1 where their number is unknown, 0 if none."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip"):
            return max(0, _boxes_end(file, size) - size)
        if head[:4] == b"RIFF":
            return max(0, int.from_bytes(head[4:8], "little") + 8 - size)
        if head[:4] == b"\x1a\x45\xdf\xa3":
            return max(0, _segment_end(head) - size)
        if head[:4] == b"GIF8":
            file.seek(max(0, size - 1024))
            return 0 if whole_picture(file.read(), "GIF") else 1
        if head[:3] == b"FLV" and size > 13:
            return 0 if _flv_ends(file, size) else 1
    return 0


def _flv_ends(file: IO[bytes], size: int) -> bool:
    """Whether the last four bytes of an FLV file are the length of the tag before them, as the format has it."""
    file.seek(size - 4)
    length = int.from_bytes(file.read(4), "big")
    if not 11 <= length <= size - 17:
        return False
    file.seek(size - 4 - length)
    return int.from_bytes(file.read(4)[1:], "big") + 11 == length


def _boxes_end(file: IO[bytes], size: int) -> int:
    """Where the last box of an MP4 file ends by its own size."""
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length == 0 or len(head) < 8:  # 0 = up to the end of the file
            return size if length == 0 and len(head) >= 8 else at + 8
        if length < 8:
            return size  # not a box; the decoder will say what is wrong
        at += length
    return at


def _segment_end(head: bytes) -> int:
    """Where the segment of a Matroska or WebM file ends; 0 where the file was written as a stream without a size."""
    at = 4 + _number_length(head[4])
    at += _number(head, 4)
    if head[at : at + 4] != b"\x18\x53\x80\x67":
        return 0
    at += 4
    length = _number_length(head[at])
    value = _number(head, at)
    return 0 if value == (1 << 7 * length) - 1 else at + length + value


def _number_length(first: int) -> int:
    return 9 - first.bit_length() if first else 8


def _number(data: bytes, at: int) -> int:
    """A variable-length number of the Matroska format."""
    length = _number_length(data[at])
    return int.from_bytes(data[at : at + length], "big") & ((1 << 7 * length) - 1)
