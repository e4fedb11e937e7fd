"""Logs of one JSON object a line (journald, containers, structlog, bunyan): the message of each line, and its time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.parts.clock import epoch_scale
from mmdmad.parts.dates import read_dates
from mmdmad.parts.kept import KEPT
from mmdmad.parts.log_frames import Pieces, is_partial
from mmdmad.parts.text_letters import opened

SAMPLE, FEWEST = 200, 2
"""Lines that are looked at, and the fewest that make such a log."""
HEAD = 2 * 2**20
"""Bytes that are looked at."""
MESSAGES = (
    *("MESSAGE", "message", "msg", "@message", "short_message", "textPayload", "@m", "@mt", "event", "log", "text"),
    "body",
)
TIMES = (
    *("__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "@timestamp", "timestamp", "time", "ts", "@t"),
    *("datetime", "date", "asctime", "Timestamp", "eventTime"),
)
"""Fields that hold the message and the time, those that say most first."""
_OURS = ("PRIORITY", "SYSLOG_IDENTIFIER")
_BESIDE = ("hostname", "host", "pid", "v", "stream", "log.origin", "process", "agent", "ecs.version")
"""What says where a line was written, not what happened."""
_ENTRY = 20_000
"""Characters of a message that are read."""


@dataclass(frozen=True)
class JsonLog:
    """The fields of the message and of the time ("" = none), and those left out, of a log of JSON lines.

    `ends`: a message has a line end where it ends (Docker), so one without goes on in the next of its stream.
    """

    message: str
    time: str
    left: tuple[str, ...] = ()
    ends: bool = False

    @property
    def note(self) -> str:
        """What is read of each line, in words."""
        left = f"; left out: {', '.join(map(repr, self.left[:6]))}" if self.left else ""
        left += f" and {len(self.left) - 6} more" if len(self.left) > 6 else ""
        when = f", at the time {self.time!r}" if self.time else ""
        return (
            f"its lines are JSON: each is read as its {self.message!r}, and what else tells what happened{when}{left}"
        )


def json_log(path: Path) -> JsonLog | None:
    """Which fields of a log of JSON lines are read, decided over its first lines; None where it is none.

    ValueError where its objects take several lines each.
    """
    return KEPT.get("JSON lines", path, lambda: (_looked_at(path), 100))


def message_of(line: str, how: JsonLog) -> str:
    """A line of such a log as one of text: its message, and the other fields as "name=value".

    What is no such object stays as it is.

    >>> message_of('{"ts": 1.5, "msg": "door open", "level": "warn"}', JsonLog("msg", "ts"))
    'level=warn door open'
    """
    found = _object(line)
    return line if found is None else _told(found, line, how)


def _told(found: dict[str, Any], line: str, how: JsonLog) -> str:
    if found.get(how.message) is None:
        return line
    said, fields = found[how.message], {}
    if how.message in ("log", "MESSAGE") and isinstance(said, str):  # what a program in a container wrote
        inner = _object(said)
        key = None if inner is None else next((name for name in MESSAGES if inner.get(name) is not None), None)
        if inner is not None and key is not None:
            said, fields = inner[key], {k: v for k, v in inner.items() if k != key and not _beside(k)}
    fields = {**{k: v for k, v in found.items() if k not in (how.message, how.time) and not _beside(k)}, **fields}
    front = [f"{name}={_words(fields.pop(name))}" for name in ("level", "severity", *_OURS) if name in fields]
    back = [f"{name}={_words(value)}" for name, value in fields.items() if value not in (None, "", [], {})]
    return " ".join([*front, _words(said), *back])[:_ENTRY]


def messages(text: str, how: JsonLog) -> str:
    """The lines of a text of such a log, each as its message; line ends stay, so that each keeps its number.

    The pieces of one message are put together at its first.
    """
    lines = text.split("\n")
    made: list[str] = []
    parts: dict[str, tuple[int, dict[str, Any]]] = {}
    for number, line in enumerate(lines):
        found = _object(line)
        made.append(line if found is None else "")
        if found is None:
            continue
        said, stream = found.get(how.message), str(found.get("stream", ""))
        at, whole = parts.pop(stream, (number, found))
        if whole is not found:
            whole = {**whole, how.message: f"{whole[how.message]}{'' if said is None else said}"}
        if isinstance(said, str) and is_partial(found, said, how.ends):
            parts[stream] = (at, whole)
        made[at] = _told(whole, lines[at], how)
    return "\n".join(made)


def json_times(
    path: Path, how: JsonLog
) -> tuple[np.ndarray, np.ndarray, int, Any, bool, np.ndarray | None, tuple[str, ...]]:
    """The lines int64 (k,) that begin an entry, seconds float64 (k,) from a start, all lines, the start, if it is UTC.

    Then come the seconds (k,) by which their clocks are ahead of UTC, None where they do not say, and what was put
    together. The start is in whole seconds since 1970. ValueError names the line whose time cannot be read.
    """
    import pyarrow as pa

    lines, values, count, pieces = [], [], 0, Pieces([], [], [])
    with opened(path) as file:
        for count, raw in enumerate(file, 1):
            found = _object(raw.decode("utf-8", "replace"))
            value = None if found is None else found.get(how.time)
            if found is not None and value is not None:
                lines.append(count - 1)
                values.append(value)
                pieces.add(found, how.message, how.ends)
    frames = pieces.framed()
    notes = () if frames is None else frames.notes
    if frames is not None:
        inside = frames.inside()
        lines, values = ([one for one, on in zip(all_, inside) if not on] for all_ in (lines, values))
    numbers = [_number(value) for value in values]
    where = np.array(lines, np.int64)
    if None not in numbers:
        whole = np.array(numbers, np.float64)
        scale = epoch_scale(float(whole[0])) or 1.0
        first = int(whole[0] * scale)
        exact = [int(str(value)) if str(value).isdigit() else float(value) for value in values]
        per = round(1 / scale)
        since = np.array([(one - first * per) * scale for one in exact], np.float64)
        return where, since, count, first, True, None, notes
    stamps = read_dates(pa.array([str(value) for value in values]))
    if stamps is None or stamps.kind == "clock":
        raise ValueError(f"its field {how.time!r} holds {str(values[0])[:40]!r}, which is no time with a date")
    first = int(stamps.seconds[0])
    return where, (stamps.seconds - first) + stamps.nanos / 1e9, count, first, stamps.aware, stamps.ahead, notes


def _looked_at(path: Path) -> JsonLog | None:
    with opened(path) as file:
        head = file.read(HEAD).decode("utf-8-sig", "replace").split("\n")
    lines = [line.strip() for line in head if line.strip()][:SAMPLE]
    if lines and (lines[0].startswith("__CURSOR=") or (lines[0] == "{" and any("__CURSOR" in li for li in lines[:40]))):
        raise ValueError("its entries take several lines each; write one line each: journalctl -o json")
    objects = [found for line in lines if (found := _object(line)) is not None]
    if len(objects) < FEWEST or 10 * len(objects) < 9 * len(lines):
        return None
    message = _in_most(objects, MESSAGES)
    time = _in_most(objects, TIMES)
    if message is None or time is None or message == time:
        return None
    left = dict.fromkeys(name for one in objects for name in one if _beside(name) and name not in (time, message))
    ends = [str(one.get(message, "")).endswith("\n") for one in objects]
    return JsonLog(message, time, tuple(left), message == "log" and 2 * sum(ends) >= len(ends))


def _in_most(objects: list[dict[str, Any]], names: tuple[str, ...]) -> str | None:
    for name in names:
        if 10 * sum(one.get(name) not in (None, "") for one in objects) >= 9 * len(objects):
            return name
    return None


def _object(line: str) -> dict[str, Any] | None:
    line = line.strip()
    if not (line.startswith("{") and line.endswith("}")):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _beside(name: str) -> bool:
    """Whether a field says where and by what a line was written: fields of journald begin with "_"."""
    if name.startswith("_") or name in _BESIDE:
        return True
    return (name.isupper() and name not in _OURS) or name in TIMES


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if np.isfinite(number) and number > 0 else None


def _words(value: Any) -> str:
    """A value as words of one line; bytes as journald writes them (a list of numbers) as the text that they are."""
    if isinstance(value, list) and value and all(type(one) is int and 0 <= one < 256 for one in value):
        value = bytes(value).decode("utf-8", "replace")
    if isinstance(value, Mapping | list | bool) or value is None:
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return " | ".join(part for part in str(value).replace("\r", "\n").split("\n") if part.strip())
