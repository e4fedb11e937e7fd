"""What a part may be at most, and how a file is opened: so that no file can hang a run or eat its memory."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmdmad.cases import Part
from mmdmad.errors import PartError

MIB = 2**20
MAX_PIXELS = 100_000_000
"""Pixels of an image or of one frame."""
MAX_SIDE = 65_000
"""Pixels of one side of an image or frame."""
MAX_IMAGE_BYTES = 512 * MIB
MAX_TEXT_BYTES = 4 * MIB
"""Bytes of a text, or of the lines that a slice picks from a longer file."""
MAX_CELLS = 50_000_000
"""Numbers in a sensor table, or in the rows that a slice picks from a longer one."""
MAX_DECODED = 1_000_000_000
"""Bytes of the arrays or columns of one part when they are unpacked; what a file says is checked before it is."""
MAX_CHANNELS = 4096
MAX_FRAMES = 10_000_000
_READS_BYTES = re.compile(
    r"PIL\.(\w+ImagePlugin|ImageFile)|numpy\.lib\._?format(_impl)?|numpy\._core\._internal|ast|zipfile"
)
"""Modules in Python that take a file's bytes apart."""


def refuse(part: Part, reason: str) -> PartError:
    """The PartError for this part, in one line."""
    return PartError(
        " ".join(reason.split())[:500] or "cannot be read", part=part.modality, case_id=part.case_id, row=part.row
    )


def check_decoded(part: Part, size: int, name: str) -> None:
    """Refuses a file whose content, unpacked, is larger than one part may be."""
    if size > MAX_DECODED:
        raise refuse(part, f"{name} unpacks to {size / MIB:.0f} MiB; at most {MAX_DECODED / MIB:.0f} MiB are allowed")


@contextmanager
def decoding(part: Part, what: str) -> Iterator[None]:
    """Turns whatever a third-party decoder throws at a broken file into a PartError; faults of our own go on.

    Decoders of damaged input raise nearly every built-in exception (struct.error, KeyError, ZeroDivisionError,
    MemoryError, …), so the net is wide; only calls into decoders belong inside. What it lets through is a fault of the
    program, see `is_own_fault`: blamed on the file, it would have every file of a kind refused without a word.
    """
    try:
        yield
    except PartError:
        raise
    except MemoryError as why:
        raise refuse(part, f"{what} needs more memory than there is") from why
    except Exception as why:
        if is_own_fault(why):
            raise
        reason = getattr(why, "strerror", None) or str(why) or type(why).__name__
        raise refuse(part, f"{what} cannot be decoded: {reason}") from why


def is_own_fault(error: Exception) -> bool:
    """Whether an exception tells of a wrong call (another release of a library, a slip of ours) and not of a file.

    A name, attribute, argument or module that is not there is a fault of the program, whatever the file holds. Only
    decoders written in Python trip over bytes in that way themselves (a dictionary key that is a list in an NPY
    header); there the innermost line that was running is theirs, while a call with a wrong argument fails at the call.
    An error class of a library's own (pyarrow's ArrowTypeError) is its word on the data.

    >>> is_own_fault(TypeError("unexpected keyword argument")), is_own_fault(ValueError("bad magic number"))
    (True, False)
    """
    if isinstance(error, NameError | ImportError):
        return True
    if not isinstance(error, TypeError | AttributeError) or type(error).__module__ != "builtins":
        return False
    module, trace = "", error.__traceback__
    while trace is not None:
        module, trace = str(trace.tb_frame.f_globals.get("__name__", "")), trace.tb_next
    return not _READS_BYTES.fullmatch(module)


def plain_file(part: Part, most: int | None = None) -> Path:
    """The part's path if it is an existing, non-empty, regular file inside its root and of at most `most` bytes.

    Pipes and devices are refused before they are opened: reading them could wait for ever.
    """
    path = inside(part, part.path)
    status = _status(part, path)
    if stat.S_ISDIR(status.st_mode):
        raise refuse(part, f"{path.name} is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise refuse(part, f"{path.name} is a pipe or a device, not a file")
    if not status.st_size:
        raise refuse(part, f"{path.name} is empty (0 bytes)")
    if most is not None and status.st_size > most:
        raise refuse(part, f"{path.name} has {status.st_size / MIB:.1f} MiB; at most {most / MIB:.0f} MiB are allowed")
    return path


def sliced_file(part: Part) -> str:
    """The name of the file, or folder, that the part is a slice of; "" where it is all of it, or lies in memory."""
    return "" if part.path is None or (part.start is None and part.stop is None) else part.path.name


def is_folder(part: Part) -> bool:
    """Whether the part's path is a folder inside its root."""
    path = inside(part, part.path)
    return stat.S_ISDIR(_status(part, path).st_mode)


def inside(part: Part, path: Path | None) -> Path:
    """The path, if the part's root holds it even after symbolic links are followed."""
    if path is None:
        raise refuse(part, "the part has neither a path nor a value")
    try:
        if part.root is not None and not Path(os.path.realpath(path)).is_relative_to(part.root):
            raise refuse(part, f"{path.name} leaves the manifest's folder")
    except (OSError, ValueError) as why:
        raise refuse(part, f"{str(path)[:100]!r} is not a path: {why}") from None
    return path


def _status(part: Part, path: Path) -> os.stat_result:
    try:
        return path.stat()
    except FileNotFoundError:
        raise refuse(part, f"no such file: {path}") from None
    except (OSError, ValueError) as why:
        raise refuse(part, f"{path} cannot be opened: {getattr(why, 'strerror', None) or why}") from None


def check_size(part: Part, height: int, width: int, name: str) -> None:
    """Refuses a picture that has no pixels or too many."""
    if height < 1 or width < 1:
        raise refuse(part, f"{name} has no pixels ({width} x {height})")
    if height * width > MAX_PIXELS or max(height, width) > MAX_SIDE:
        raise refuse(
            part, f"{name} has {width} x {height} pixels; at most {MAX_PIXELS} pixels and {MAX_SIDE} a side are allowed"
        )


def span(part: Part, count: int, unit: str) -> tuple[int, int]:
    """The part's slice as (start, stop) within `count` rows, frames or lines; it must lie wholly inside."""
    start, stop = part.start or 0, count if part.stop is None else part.stop
    if start < 0 or stop <= start:
        raise refuse(part, f"the slice #{start}:{stop} of {count} {unit} is empty")
    if stop > count:
        raise refuse(part, f"the slice #{start}:{stop} reaches past the end: there are {count} {unit}")
    return start, stop
