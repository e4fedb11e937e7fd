"""How a command ends: whatever goes wrong on purpose or in the system is one line with what to do, never a traceback.

Where an error arises, it is turned into an `MmdmadError` that knows the remedy; what reaches the end all the same from
files, texts and databases is told here. A fault of the program itself is none of these and keeps its traceback.
`MMDMAD_DEBUG=1` in the environment shows the traceback of every error, and what is logged on the way; `MMDMAD_LOG` says
from which level on the log is shown.
"""

import io
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmdmad.errors import ConfigError, MmdmadError
from mmdmad.files import trouble
from mmdmad.plain import plain

DEBUG, LOG = "MMDMAD_DEBUG", "MMDMAD_LOG"
LEVELS = ("debug", "info", "warning", "error")
log = logging.getLogger(__name__)


def one_line(error: BaseException) -> str | None:
    """What to tell of an error in one line; None for a fault of the program itself.

    >>> one_line(FileNotFoundError(2, "No such file or directory", "line/manifest.csv"))
    'line/manifest.csv: there is no such file or folder; look at the path'
    >>> one_line(ZeroDivisionError()) is None
    True
    """
    if isinstance(error, MmdmadError):
        said = str(error)
    elif isinstance(error, OSError):
        said = str(trouble(error))
    elif isinstance(error, UnicodeError):
        said = f"a text or a name is not UTF-8 ({error}); give names and files in UTF-8"
    elif (sqlalchemy := sys.modules.get("sqlalchemy.exc")) and isinstance(error, sqlalchemy.SQLAlchemyError):
        said = f"the database: {error}; restore cases.sqlite from a copy, or move it away and score again"
    else:
        return None
    if os.environ.get(DEBUG):
        return "".join(traceback.format_exception(error)) + said
    return " ".join(said.split())


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return plain(super().format(record), lines=bool(os.environ.get(DEBUG)))


def log_to_terminal(level: str | None = None) -> None:
    """Let what the program logs, and its own warnings, go to the terminal, one line each.

    What other packages log or warn of is made plain too, and a character that the terminal's encoding lacks is written
    out instead of ending the program. level: from which on; None: that of `MMDMAD_LOG`, else "warning" (with
    `MMDMAD_DEBUG` "debug").
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    wanted = level or os.environ.get(LOG) or ("debug" if os.environ.get(DEBUG) else "warning")
    if wanted.lower() not in LEVELS:
        raise ConfigError(f"the log level {wanted!r} was given (--log, {LOG}); allowed are {', '.join(LEVELS)}")
    handler = logging.StreamHandler()
    handler.setFormatter(_Plain("mmdmad: %(message)s"))
    logger = logging.getLogger("mmdmad")
    logger.handlers = [handler]
    logger.setLevel(wanted.upper())
    others = logging.StreamHandler()
    others.setFormatter(_Plain("%(message)s"))
    others.setLevel(logging.WARNING)
    logging.lastResort = others
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").handlers = [others]
    if warnings.showwarning is not _show:
        global _show_others
        _show_others, warnings.showwarning = warnings.showwarning, _show


_show_others: Callable[..., None] = warnings.showwarning


def _show(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    """A warning of mmdmad as a line of the log; any other as it would be shown."""
    if Path(filename).is_relative_to(Path(__file__).parent):
        log.warning("%s", message)
    else:
        _show_others(message, category, filename, lineno, file, line)
