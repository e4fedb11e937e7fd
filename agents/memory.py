"""The conversations of a run, kept in its `chat.sqlite` as plain text: who said what, and which tools were called.

A run folder may come from anybody, so nothing in this file is ever executed or imported: a row is one message as JSON
of a fixed form, read into one of three message classes, and a file with anything else in it is refused. Every message
is stored once, so the file grows with what was said, not with its square.
"""

import json
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from mmdmad.agents.tools import text_of
from pydantic import BaseModel, ConfigDict, JsonValue

from mmdmad.errors import RunError
from mmdmad.files import parsed
from mmdmad.store.guarded import guard, objects

FILE = "chat.sqlite"
APPLICATION, VERSION = 0x6D6D6461, 1  # "mmda" in the file's header; another number is another program's file
LONGEST = 50_000_000  # characters of one conversation
SCHEMA = (
    "CREATE TABLE messages (id INTEGER PRIMARY KEY, thread TEXT NOT NULL, message TEXT NOT NULL)",
    "CREATE INDEX messages_by_thread ON messages (thread)",
)


class _Call(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    name: str
    args: dict[str, JsonValue]


class _Message(BaseModel):
    """One message as it is stored; an "ai" message may have `calls`, a "tool" message answers one `call`.

    Where a tool returned a `result`, its text is made from that again.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["human", "ai", "tool"]
    text: str
    calls: list[_Call] = []
    call: str = ""
    name: str = ""
    failed: bool = False
    result: dict[str, JsonValue] | None = None


class Memory:
    """The conversations in a run folder; the file is made when the first message is kept.

    Raises RunError where a file of that name is damaged or was not written by this program; it is left as it is.
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder) / FILE
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        for file in (self.path, *(self.path.with_name(FILE + end) for end in ("-journal", "-wal", "-shm"))):
            if file.is_symlink() or (file.exists() and not file.is_file()):
                raise self._refused(f"{file.name} is no regular file")
        if self.path.exists():
            self._connection = self._open()

    def messages(self, thread: str) -> list[BaseMessage]:
        """What was said in a conversation so far, oldest first; nothing for a new one."""
        if self._connection is None:
            return []
        size = "SELECT coalesce(sum(length(message)), 0) FROM messages WHERE thread = ?"
        query = "SELECT message FROM messages WHERE thread = ? ORDER BY id"
        try:
            with self._lock:
                if self._connection.execute(size, (thread,)).fetchone()[0] > LONGEST:
                    raise self._refused(f"conversation {thread!r} has more than {LONGEST} characters")
                rows = self._connection.execute(query, (thread,)).fetchall()
            return [_restored(_Message.model_validate(parsed(text))) for (text,) in rows]
        except (sqlite3.Error, ValueError, TypeError, RecursionError) as error:
            raise self._refused(_brief(error)) from error

    def add(self, thread: str, messages: Sequence[BaseMessage]) -> None:
        """Keep the messages of one question and its answer, all or none; raises RunError where they cannot be kept."""
        rows = [(thread, json.dumps(_stored(m).model_dump(exclude_defaults=True))) for m in messages]
        try:
            with self._lock:
                if self._connection is None:
                    self._make()
                    self._connection = self._open()
                assert self._connection is not None  # just made
                with self._connection:
                    self._connection.executemany("INSERT INTO messages (thread, message) VALUES (?, ?)", rows)
        except (sqlite3.Error, OSError) as error:
            raise RunError(f"the conversation cannot be kept in {self.path} ({_brief(error)})") from error

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()

    def _make(self) -> None:
        """A new file with the empty table, unless another process made it meanwhile."""
        with closing(sqlite3.connect(self.path, timeout=30)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                for line in (*SCHEMA, f"PRAGMA application_id={APPLICATION}", f"PRAGMA user_version={VERSION}"):
                    connection.execute(line)
            connection.commit()

    def _open(self) -> sqlite3.Connection | None:
        """A connection to the file, after nothing was found in it but our own table; None for one still empty."""
        address = f"{self.path.absolute().as_uri()}?mode=rw"
        try:
            connection = sqlite3.connect(address, timeout=30, check_same_thread=False, uri=True)
        except sqlite3.Error as error:
            raise self._refused(_brief(error)) from error
        try:
            guard(connection)
            tables = tuple(sorted((str(sql) for *_, sql in objects(connection)), reverse=True))
            marks = tuple(connection.execute(f"PRAGMA {p}").fetchone()[0] for p in ("application_id", "user_version"))
            # asked of our own schema only: it would compute what a foreign one has to check of every row
            state = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0]) if tables == SCHEMA else "ok"
        except sqlite3.Error as error:
            connection.close()
            raise self._refused(_brief(error)) from error
        if (tables, marks, state) == (SCHEMA, (APPLICATION, VERSION), "ok"):
            return connection
        connection.close()
        if (tables, marks) == ((), (0, 0)):  # stopped in the moment of making it
            return None
        raise self._refused(state if state != "ok" else "it holds other things than conversations of this version")

    def _refused(self, why: str) -> RunError:
        return RunError(
            f"{self.path} cannot be used as the chat's memory ({why}); it is left as it is: move it out of the run "
            f"folder, and the chat begins a new one"
        )


def _stored(message: BaseMessage) -> _Message:
    """A message as plain text; what else a provider attached to it (token counts, hidden thoughts) is not kept."""
    text = str(message.text)
    if isinstance(message, AIMessage):
        calls = [_Call(id=str(c["id"]), name=c["name"], args=c["args"]) for c in message.tool_calls]
        return _Message(kind="ai", text=text, calls=calls)
    if isinstance(message, ToolMessage):
        name, failed, made = message.name or "", message.status == "error", message.artifact
        own = made if isinstance(made, dict) and text_of(made) == text else None
        kept = "" if own is not None else text
        return _Message(kind="tool", text=kept, call=message.tool_call_id, name=name, failed=failed, result=own)
    return _Message(kind="human", text=text)


def _restored(m: _Message) -> BaseMessage:
    if m.kind == "human":
        return HumanMessage(m.text)
    if m.kind == "tool":
        text = m.text if m.result is None else text_of(m.result)
        status: Literal["error", "success"] = "error" if m.failed else "success"
        return ToolMessage(text, tool_call_id=m.call, name=m.name, status=status, artifact=m.result)
    return AIMessage(m.text, tool_calls=[{"type": "tool_call", **c.model_dump()} for c in m.calls])


def _brief(error: Exception) -> str:
    """The first line of an error's message, as part of one line."""
    return str(error).strip().split("\n")[0][:200] or type(error).__name__
