"""Pieces of one log that a program moved aside as it grew: app.log, app.log.1, app.log.2.gz, app.log-20260501."""

import re
import shlex
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

_PIECE = re.compile(
    r"(?P<log>.+\.(?:log|txt|out|err|jsonl|ndjson)|syslog|messages|kern|daemon|auth|access|error|user|mail|cron|debug|secure|boot|dmesg)"
    r"[._-](?:(?P<number>\d{1,4})|(?P<date>(?:19|20)\d\d-?\d\d-?\d\d(?:[-_T.]?\d{1,6})?))(?:\.(?:gz|bz2|xz|zst))?",
    re.IGNORECASE,
)

_LOGS = frozenset(
    {
        *("syslog", "messages", "auth", "kern", "daemon", "access", "error", "user", "mail", "cron", "debug", "secure"),
        *("boot", "dmesg", "access_log", "error_log"),
    }
)


def is_log_name(name: str) -> bool:
    """Whether a file without an ending is called like a log of a system or a server.

    >>> is_log_name("syslog"), is_log_name("Messages"), is_log_name("error.txt"), is_log_name("pump")
    (True, True, False, False)
    """
    return name.lower() in _LOGS


def is_packed_log(name: str) -> bool:
    """Whether a file is called like a log that was packed as a whole.

    >>> is_packed_log("app.log.gz"), is_packed_log("app-2026-05-01.log.xz"), is_packed_log("pump.csv.gz")
    (True, True, False)
    """
    return re.fullmatch(r".+\.(?:log|out|err|jsonl|ndjson)\.(?:gz|bz2|xz)", name.lower()) is not None


def log_of(name: str) -> str | None:
    """The name of the log that a file of this name is an earlier piece of; None where it is none.

    >>> log_of("app.log.2.gz"), log_of("app.log-20260501"), log_of("pump.csv.1"), log_of("app.log")
    ('app.log', 'app.log', None, None)
    """
    found = _PIECE.fullmatch(name)
    return found["log"] if found else None


def in_order(names: Iterable[str]) -> list[str]:
    """Earlier pieces of one log, the oldest first: of numbers the largest, of dates the earliest.

    >>> in_order(["app.log.1", "app.log.10.gz", "app.log.2.gz"]), in_order(["a.log-20260502", "a.log-20260501"])
    (['app.log.10.gz', 'app.log.2.gz', 'app.log.1'], ['a.log-20260501', 'a.log-20260502'])
    """
    pieces = [found for name in names if (found := _PIECE.fullmatch(name))]
    # Where both are in use, what has a date was put away for good before what still moves on by numbers.
    return [p[0] for p in sorted(pieces, key=lambda p: (p["date"] is None, p["date"] or "", -int(p["number"] or 0)))]


def cure(log: str, names: Iterable[str], folder: Path = Path()) -> str:
    """What to run, where the `folder` was given, so that a log in it and its earlier pieces are one file."""
    told = []
    for command, held in groupby([*in_order(names), log], _unpacked_by):
        told.append(f"{command} {shlex.join(str(folder / name) for name in held)}")
    made = told[0] if len(told) == 1 else f"({'; '.join(told)})"
    return f"put the pieces into one file, oldest first ({made} > whole.log), and give that"


def _unpacked_by(name: str) -> str:
    return {".bz2": "bzcat", ".xz": "xzcat", ".zst": "zstdcat"}.get(Path(name).suffix.lower(), "zcat -f")


def beside(path: Path) -> list[str]:
    """The names of the earlier pieces that lie beside a log."""
    try:
        return in_order(one.name for one in path.parent.iterdir() if log_of(one.name) == path.name)
    except OSError:
        return []
