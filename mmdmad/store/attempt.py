"""A fit's beginning and failure in the store: what was begun may be gone on with, what failed may be begun anew.

Stopped is not failed: a fit that was stopped has its cases on record and goes on with them. One that failed (its cases
or its configuration do not allow it) has taught nothing, so the folder is free; what it encoded is used again.
"""

import json
import shlex
from pathlib import Path

from pydantic import FiniteFloat, TypeAdapter, ValidationError
from sqlalchemy import delete
from sqlalchemy.orm import Session

from mmdmad.cases import Cases
from mmdmad.errors import ConfigError, RunError
from mmdmad.store import db
from mmdmad.windows import Windows

_RESTORE = "restore cases.sqlite from a copy"

BEGUN, FAILED = ("fit_cases", "fit_size"), "fit_failed"
SOURCE = ("fit_data", "fit_split", "fit_outside")
WINDOWS, OFFSET = ("fit_window", "fit_step", "fit_log_time"), "fit_offset"
"""Where the cases of a fit came from, so that the command that goes on with it can be told in full."""


def begin(session: Session, mark: str, size: int) -> None:
    """Put a fit on record: the fingerprint of its cases and their number; what an earlier one refused is forgotten."""
    session.execute(delete(db.MetaRow).where(db.MetaRow.key == FAILED))
    session.execute(delete(db.RefusalRow).where(db.RefusalRow.stage == "fit"))
    for key, value in zip(BEGUN, (mark, str(size))):
        session.merge(db.MetaRow(key=key, value=value))


def remember(session: Session, cases: Cases) -> None:
    """Put on record which manifest or folder the cases came from, their split, and whether files may lie outside."""
    session.execute(delete(db.MetaRow).where(db.MetaRow.key.in_((*SOURCE, *WINDOWS, OFFSET))))
    windows = cases.extra.get("windows")
    if windows is not None:
        for key, value in zip(WINDOWS, (windows.length, windows.step, windows.log_time)):
            if value is not None:
                session.merge(db.MetaRow(key=key, value=str(value)))
        if windows.offsets:
            session.merge(db.MetaRow(key=OFFSET, value=json.dumps(dict(windows.offsets))))
    if cases.root is None:
        return
    data = cases.root / str(cases.extra.get("manifest", ""))
    splits = {case.split for case in cases} - {"train"}  # what `mmdmad fit` takes by itself
    split = splits.pop() if len(splits) == 1 and not any(case.split == "train" for case in cases) else None
    outside = any(part.root is None for case in cases for part in case.parts.values() if part.path is not None)
    for key, value in zip(SOURCE, (str(data), split, "yes" if outside else None)):
        if value is not None:
            session.merge(db.MetaRow(key=key, value=value))


def go_on(session: Session, folder: Path) -> str:
    """The command line that ends the fit of this run; "DATA" stands for what is not on record.

    What a received run holds is quoted, so that it can name another file but no other command.
    """
    data, split, outside = (_value(session, key) for key in SOURCE)
    words = ["mmdmad", "fit", "--data", data or "DATA", "--run", str(folder), "--resume"]
    window, step, log_time = (_value(session, key) for key in WINDOWS)
    given = {"--split": split, "--window": window, "--step": step, "--log-time": log_time}
    options = [word for name, value in given.items() if value for word in (name, value)]
    options += [word for name, value in _offsets(session).items() for word in ("--offset", f"{name}={value:.9g}s")]
    return shlex.join([*words, *options, *(["--allow-outside"] if outside else [])])


def windows(session: Session) -> Windows | None:
    """How the recordings of the fit were cut; None where its cases were taken as they are. RunError on other words."""
    length, step, log_time = (_value(session, key) for key in WINDOWS)
    if length is None:
        return None
    try:
        return Windows.of(length, step, _offsets(session), log_time)
    except ConfigError as why:
        raise RunError(f"the run's windows cannot be read ({why}); {_RESTORE}") from None


def _offsets(session: Session) -> dict[str, float]:
    """Seconds added to the clocks of single parts of the fit's recordings; RunError on what is none."""
    stored = _value(session, OFFSET)
    try:
        return {} if stored is None else TypeAdapter(dict[str, FiniteFloat]).validate_json(stored)
    except ValidationError as why:
        raise RunError(f"the run's offsets cannot be read ({why.errors()[0]['msg']}); {_RESTORE}") from None


def _value(session: Session, key: str) -> str | None:
    row = session.get(db.MetaRow, key)
    return None if row is None else row.value


def fail(session: Session) -> None:
    """Put on record that the fit failed."""
    session.execute(delete(db.MetaRow).where(db.MetaRow.key.in_(BEGUN)))
    session.merge(db.MetaRow(key=FAILED, value="true"))


def failed(session: Session) -> bool:
    """Whether the last fit failed."""
    return session.get(db.MetaRow, FAILED) is not None
