"""Databases of a run, opened without trust: a run may come from somebody else.

A view that never ends in the place of a table would hold a program for ever; a trigger, a generated column, an index on
an expression or a CHECK would compute with every row. None of them is needed here, so a database is read only where
its schema is the one that this program makes. And SQLite asks now and then whether it is to go on, because Ctrl-C and
SIGTERM do not reach Python while a statement runs.
"""

import re
import sqlite3
from collections.abc import Iterable
from typing import Any

from mmdmad.errors import RunError
from mmdmad.stopping import asked_to_stop

ASK_EVERY = 20_000  # instructions of SQLite's machine: some milliseconds
MOST_OBJECTS = 200  # of a schema; ours have a few dozen
PRAGMAS = ("trusted_schema=OFF", "cell_size_check=ON")
_WORD = re.compile(r'"[^"]*"|\'[^\']*\'|\w+|[^\w\s]')
Rows = list[tuple[Any, ...]]


def guard(connection: sqlite3.Connection) -> None:
    """Let nothing that a schema names have effects, and let signals end a statement ("interrupted").

    Python before 3.12 cannot set SQLite's own switches against views, triggers and writing into the schema; the
    schema is looked at either way (`refuse_strangers`).
    """
    connection.set_progress_handler(asked_to_stop, ASK_EVERY)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    if hasattr(connection, "setconfig"):
        switches = {"DEFENSIVE": True, "TRUSTED_SCHEMA": False, "ENABLE_VIEW": False, "ENABLE_TRIGGER": False}
        for switch, on in switches.items():
            connection.setconfig(getattr(sqlite3, f"SQLITE_DBCONFIG_{switch}"), on)


def objects(connection: sqlite3.Connection) -> Rows:
    """(type, name, its table, SQL) of what the schema holds; one more than `MOST_OBJECTS` at most."""
    query = f"SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name LIMIT {MOST_OBJECTS + 1}"
    return connection.execute(query).fetchall()


def schema(connection: sqlite3.Connection) -> dict[str, object]:
    """All that decides what statements do: each object by type and name, a table with its columns and references."""
    found: dict[str, object] = {}
    for kind, name, table, sql in objects(connection):
        if kind == "table":
            columns = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)'
            references = 'SELECT "from", "table", "to", on_delete FROM pragma_foreign_key_list(?)'
            rowless = str(sql).upper().rstrip().endswith("WITHOUT ROWID")
            two = (sorted(map(repr, connection.execute(one, (name,)))) for one in (columns, references))
            found[f"table {name}"] = (rowless, *two)
        else:
            found[f"{kind} {name}"] = (table, None if sql is None else " ".join(sql.split()))
    return found


def refuse_strangers(connection: sqlite3.Connection, ours: sqlite3.Connection, file: object) -> None:
    """RunError unless every object is a table or an index in the words of our own; columns may still be lacking.

    Runs of older formats have fewer columns, so this is what is asked before they are brought up to date.
    """
    known = {(kind, name) for kind, name, _, _ in objects(ours)}
    words = _words(sql for *_, sql in objects(ours))
    for kind, name, _, sql in objects(connection):
        if (kind, name) not in known or _words([sql]) - words:
            raise _refused(file, f"holds the {kind} {_short(name)}, which mmdmad did not make so")


def refuse_other_schema(connection: sqlite3.Connection, ours: sqlite3.Connection, file: object) -> None:
    """RunError unless the schema is that of `ours`, a database just made; the order of columns does not matter."""
    found, wanted = schema(connection), schema(ours)
    for name in sorted(found.keys() - wanted.keys()):
        raise _refused(file, f"holds the {_short(name)}, which mmdmad did not make")
    for name in sorted(wanted):
        if name not in found:
            raise _refused(file, f"lacks the {name}")
        if found[name] != wanted[name]:
            raise _refused(file, f"holds the {name} in another form than mmdmad makes it")


def _words(statements: Iterable[str | None]) -> set[str]:
    return {word.strip('"').casefold() for sql in statements for word in _WORD.findall(sql or "")}


def _short(name: object) -> str:
    return repr(str(name))[:80]


def _refused(file: object, what: str) -> RunError:
    return RunError(f"{file} {what}; restore it from a copy, or move it away and score again")
