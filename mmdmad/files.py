"""Names and files of artifacts: safe names for any case id, files that appear whole or not at all, none outside."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mmdmad.errors import RunError


def folder_name(case_id: str) -> str:
    """A folder name for a case id: readable, safe on every file system, different for different ids.

    Ids of plain small letters, digits, `-` and `_` stay as they are; any other id is shortened to those and gets
    a hash, because some file systems do not tell capitals apart and some names are reserved.

    >>> folder_name("case-0001"), folder_name("../A b")
    ('case-0001', 'a-b~e3f8e011e4')
    """
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,79}", case_id) and not re.fullmatch(
        r"(con|prn|aux|nul|com\d|lpt\d)", case_id
    ):
        return case_id
    words = re.sub(r"[^a-z0-9]+", "-", case_id.lower()).strip("-")[:40]
    return f"{words}~{hashlib.sha256(case_id.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"


def within(folder: Path, name: str | Path) -> Path:
    """The path `name` inside `folder`, symbolic links followed; RunError where it leads out of the folder.

    Every path that a run folder, a finding or a model names goes through here before it is opened: a run that was
    received from somebody else may name any file of this machine. That the file exists is not promised.

    >>> within(Path("run"), "../secrets.txt")
    Traceback (most recent call last):
    ...
    mmdmad.errors.RunError: '../secrets.txt' leads out of the folder run; only files inside it are read
    """
    try:
        root = folder.resolve()
        file = (root / name).resolve()
        with suppress(FileNotFoundError, NotADirectoryError):
            file.lstat()
    except (OSError, ValueError, RuntimeError) as why:  # zero bytes, lone surrogates, endless names, circles of links
        raise RunError(f"{str(name)[:200]!r} is not a path inside {folder}: {why}") from None
    if not file.is_relative_to(root):
        raise RunError(f"{str(name)[:200]!r} leads out of the folder {folder}; only files inside it are read")
    return file


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; when the block ends well, it takes the place of `path` in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON; the file appears whole or not at all.

    Half characters (lone surrogates, as names of files that are not UTF-8 hold) are written as their JSON escape.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False)
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")
