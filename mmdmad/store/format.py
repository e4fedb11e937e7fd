"""The format of a run folder: one number for the whole of it, and the steps that bring an older run up to it.

The number stands in `config.json` (`format`; a run without it has format 1) and, for programs that see the database
alone, in its `user_version`. A run of an older format is brought up to date when it is opened; one of a newer format is
refused. To change what a run holds: raise `FORMAT`, and add the step that makes the new format out of the one before.
New tables, columns and indexes need no action of their own: `complete` adds whatever `db` declares.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from mmdmad.errors import ModelError, RunError
from mmdmad.files import RUN, within, write_json
from mmdmad.pipeline.model_manifest import NAME as MANIFEST
from mmdmad.pipeline.model_manifest import write_manifest
from mmdmad.store.db import alone, check, complete, connect
from mmdmad.store.rows import fill, rate_free, tell_lacking
from mmdmad.store.upgrades import reference_to_normal

FORMAT = 12
FIRST = 1
DATABASE, CONFIG = RUN

Action = Callable[[Path, Connection], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """What makes format `to` out of the format before.

    An action is given the run folder and an open transaction on its database. All of them may run again after a stop
    half-way, so each must leave a run alone that has its part already.
    """

    to: int
    actions: tuple[Action, ...]


def _list_model(folder: Path, connection: Connection) -> None:
    """Format 2: the model's files are listed with their hashes; a damaged model is left without, and so refused."""
    model = within(folder, "model")
    if not model.is_dir() or (model / MANIFEST).exists():
        return
    try:
        write_manifest(model)
    except ModelError as why:
        log.warning("%s; the findings can still be read, the model cannot be used", why)


# Format 5: a guarantee says its method, its unit and its bound; one without them is read as it was meant.
# Format 6: there is a table for the stream; it begins with the cases that are judged from then on.
# Format 7: what people say is kept with the content that they meant; where that is not known, it counts as it did. Each
# case has the columns from which it is read at another rate.
# Format 8: there is a table of events; it is filled when they are first asked for, as after every score.
# Format 9: there is a table of recalibrations; streams say with which of them they began.
# Format 10: a window of a new recording has its p-values among recordings; cases of before have none, and are read as
# they were.
# Format 11: where cases are ranked by group, each has columns of the ranks that do not decide; there were none before.
# Format 12: a guarantee names the readings that a case and those it is ranked among lack; each case has a column of it.
STEPS: tuple[Step, ...] = (
    Step(2, (_list_model,)), Step(3, (fill,)), Step(4, (reference_to_normal,)), Step(5, ()), Step(6, ()),
    Step(7, (rate_free,)), Step(8, ()), Step(9, ()), Step(10, ()), Step(11, ()),
    Step(12, (tell_lacking,)),
)  # fmt: skip


def open_database(folder: Path, settings: dict[str, Any]) -> Engine:
    """The engine on the run's database, the run brought up to `FORMAT`; RunError for a newer or an unknown format.

    `settings` is the content of `config.json`; its `format` is brought up to date too.
    """
    declared = settings.get("format", FIRST)
    if not isinstance(declared, int) or isinstance(declared, bool) or declared < FIRST:
        raise RunError(f"{folder / CONFIG} has the format {declared!r}; a whole number from {FIRST} is needed")
    _refuse_newer(folder, declared)
    engine = connect(within(folder, DATABASE))
    try:
        with engine.connect() as connection:
            stored = _version(connection)
        _refuse_newer(folder, stored)
        check(engine, whole=False)
        if stored == 0 and declared == FORMAT:
            _upgrade(folder, engine, FORMAT)
        elif stored != FORMAT or declared != FORMAT:
            _upgrade(folder, engine, min(declared, stored or declared))
            settings["format"] = FORMAT
            write_json(folder / CONFIG, settings)
            log.info("%s was brought to format %d", folder, FORMAT)
        check(engine, whole=True)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _refuse_newer(folder: Path, found: int) -> None:
    if found > FORMAT:
        raise RunError(
            f"{folder} has the run format {found}; this mmdmad reads formats up to {FORMAT}; "
            "read it with a newer mmdmad (pip install --upgrade mmdmad)"
        )


def _version(connection: Connection) -> int:
    return int(connection.execute(text("PRAGMA user_version")).scalar_one())


def _upgrade(folder: Path, engine: Engine, since: int) -> None:
    """Everything that the steps after `since` do, in one transaction that no other process can write into."""
    with alone(engine) as connection:
        complete(connection)
        for step in STEPS:
            if step.to > since:
                for action in step.actions:
                    action(folder, connection)
        connection.exec_driver_sql(f"PRAGMA user_version={FORMAT}")
