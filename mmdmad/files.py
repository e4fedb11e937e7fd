"""Names and files of artifacts: a safe folder for any case id, and files that appear whole or not at all."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


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
    """Write JSON; the file appears whole or not at all."""
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")
