"""Tables as loggers and offices write them, made by seed with everything known that reading them should give.

The truth is drawn first (times, readings, which are missing) and then written down in one of many forms; nothing here
asks the reader what it would make of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np

NAMES = ("Temp", "Druck", "flow", "Motor_Current", "vibration_x", "RPM", "Feuchte", "pH", "V_bat", "tank level")
UNITS = ("°C", "bar", "m3/h", "A", "mm/s", "1/min", "%", "", "V", "cm")
STEPS = (1, 5, 10, 60, 300, 900, 3600, 86400)
MISSING = ("", "NaN", "NA", "n/a", "-", "null")


@dataclass(frozen=True)
class Made:
    """A table in the world: its bytes, and what it says.

    seconds (T,): from its first row; start: of the first row, None where the file does not say. values (T, C), NaN for
    what is missing; names (C,). form: how it was written, to be told when it is read wrongly.
    """

    content: bytes
    seconds: np.ndarray
    start: datetime | None
    names: tuple[str, ...]
    values: np.ndarray
    form: str


@dataclass(frozen=True)
class Clock:
    """A way to write times: the headers of its columns, a writer of one time, whether day and month can be told."""

    headers: tuple[str, ...]
    write: Callable[[datetime], tuple[str, ...]]
    resolution: float = 1.0
    dated: bool = True


def _one(name: str, form: str) -> Clock:
    return Clock((name,), lambda t: (t.strftime(form),), 60.0 if "%M" in form and "%S" not in form else 1.0)


def clocks(start: datetime) -> tuple[Clock, ...]:
    """The ways to write times from `start` on."""
    east = timezone(timedelta(hours=2))
    day_one = datetime(1899, 12, 30)
    return (
        _one("time", "%Y-%m-%d %H:%M:%S"),
        _one("timestamp", "%Y-%m-%dT%H:%M:%SZ"),
        _one("Zeitstempel", "%d.%m.%Y %H:%M:%S"),
        _one("Datum/Uhrzeit", "%d.%m.%Y %H:%M"),
        _one("Date Time", "%m/%d/%Y %I:%M:%S %p"),
        _one("datetime", "%d/%m/%Y %H:%M:%S"),
        _one("DateTime", "%Y%m%d%H%M%S"),
        _one("t", "%Y/%m/%d %H:%M:%S"),
        _one("TIMESTAMP", "%d-%b-%Y %H:%M:%S"),
        Clock(("time",), lambda t: (t.replace(tzinfo=UTC).astimezone(east).isoformat(),)),
        Clock(("Date", "Time"), lambda t: (t.strftime("%Y-%m-%d"), t.strftime("%H:%M:%S"))),
        Clock(("Datum", "Zeit"), lambda t: (t.strftime("%d.%m.%Y"), t.strftime("%H:%M:%S"))),
        Clock(("date", "time"), lambda t: (t.strftime("%Y%m%d"), t.strftime("%H%M%S"))),
        Clock(("epoch",), lambda t: (str(int(t.replace(tzinfo=UTC).timestamp())),)),
        Clock(("ts_ms",), lambda t: (str(int(t.replace(tzinfo=UTC).timestamp() * 1000)),)),
        Clock(("time_s",), lambda t: (f"{(t - start).total_seconds():g}",), dated=False),
        Clock(("t [min]",), lambda t: (f"{(t - start).total_seconds() / 60:.6f}",), 1e-3, dated=False),
        Clock(("Date",), lambda t: (f"{(t - day_one).total_seconds() / 86400:.8f}",), 0.01),
    )


def made(seed: int) -> Made:
    """The table of this seed."""
    rng = np.random.default_rng([seed, 2026])
    pick = lambda options: options[int(rng.integers(len(options)))]  # noqa: E731
    rows, channels = int(rng.integers(12, 60)), int(rng.integers(1, 5))
    step = int(pick(STEPS))
    start = datetime(2026, 1, 1) + timedelta(seconds=step * int(rng.integers(300 * 86400 // step)))
    seconds = step * np.arange(rows, dtype=float)
    if rows > 30 and rng.random() < 0.2:  # a gap: the logger was off
        seconds[rows // 2 :] += step * int(rng.integers(5, 50))
    which = rng.choice(len(NAMES), channels, replace=False)
    values, cells = _readings(rng, rows, channels)
    clock = pick([one for one in clocks(start) if one.resolution < 2 * step])
    separator = pick((",", ";", "\t", ";", "|"))
    comma = separator != "," and rng.random() < 0.4
    lost = pick(MISSING)
    for row, column in np.argwhere(rng.random(values.shape) < pick((0.0, 0.0, 0.03))):
        values[row, column], cells[row][column] = np.nan, lost
    style = pick(("{n}", "{n} [{u}]", "{n} ({u})", "{n}, {u}", "row of units"))
    below = style == "row of units" and any(UNITS[i] for i in which)
    names = [NAMES[i] if not UNITS[i] or below else style.format(n=NAMES[i], u=UNITS[i]) for i in which]
    times = [clock.write(start + timedelta(seconds=float(s))) for s in seconds]
    table = [
        [*t, *(cell.replace(".", ",") if comma and cell != lost else cell for cell in line)]
        for t, line in zip(times, cells, strict=True)
    ]
    head = [*clock.headers, *names]
    if comma and clock.headers[0] in ("time_s", "t [min]", "Date") and len(clock.headers) == 1:
        table = [[line[0].replace(".", ","), *line[1:]] for line in table]
    extra = _beside(rng, head, table)
    form = f"seed {seed}: {clock.headers} {times[0]}, {separator!r}, comma {comma}, {style}, lost {lost!r}, {extra}"
    if below:
        beside = len(head) - len(clock.headers) - len(names)
        before = head.index(clock.headers[0])
        units = [*[""] * (before + len(clock.headers)), *(UNITS[i] for i in which), *[""] * (beside - before)]
    content, how = _written(rng, [head, units] if below else [head], table, separator)
    return Made(
        content, seconds, start if clock.dated else None, tuple(NAMES[i] for i in which), values, f"{form}, {how}"
    )


def _readings(rng: np.random.Generator, rows: int, channels: int) -> tuple[np.ndarray, list[list[str]]]:
    """Values (T, C) as measured ones wander, and how they are written; each value is exactly what stands there."""
    columns = []
    for _ in range(channels):
        level, spread = rng.normal(0, 10 ** rng.uniform(0, 3)), 10 ** rng.uniform(-1, 1.5)
        walk = level + spread * (0.6 * rng.normal(size=rows) + np.sin(np.arange(rows) * rng.uniform(0.3, 1.5)))
        digits, kind = int(rng.integers(1, 4)), rng.random()
        if kind < 0.1:  # whole numbers
            columns.append([str(round(one)) for one in 100 * walk])
        elif kind < 0.15:  # a valve
            columns.append([str(int(one > 0.4)) for one in rng.random(rows)])
        elif kind < 0.3:
            columns.append([f"{one:.4e}" for one in walk])
        else:
            columns.append([f"{one:.{digits}f}" for one in walk])
    cells = [list(row) for row in zip(*columns, strict=True)]
    return np.array([[float(cell) for cell in row] for row in cells]), cells


def _beside(rng: np.random.Generator, head: list[str], table: list[list[str]]) -> str:
    """Columns that are no readings, put in place; what they are."""
    said = []
    if rng.random() < 0.2:
        first = int(rng.integers(0, 3))
        head.insert(0, str(rng.choice(["", "No.", "Index", "Record"])))
        for i, row in enumerate(table):
            row.insert(0, str(first + i))
        said.append(f"numbers {head[0]!r}")
    if rng.random() < 0.2:
        head.append(str(rng.choice(["anomaly", "label", "is_fault", "Fehler"])))
        faulty = int(rng.integers(1, len(table) // 2))
        for i, row in enumerate(table):
            row.append("1" if faulty <= i < faulty + 4 else "0")
        said.append(f"labels {head[-1]!r}")
    return " and ".join(said) or "nothing beside"


def _written(
    rng: np.random.Generator, head: Sequence[list[str]], table: Sequence[list[str]], mark: str
) -> tuple[bytes, str]:
    """The file's bytes, and how it was written."""
    newest, quoted, trailing = rng.random() < 0.1, rng.random() < 0.15, rng.random() < 0.1
    above = [["# station 7", "# exported by logger 4.2"], ["Station: North", "Serial: 4711", ""], []]
    lines = above[min(int(rng.integers(6)), 2)]
    ends, codes = rng.choice(["\n", "\r\n"]), ["utf-8", "utf-8-sig", "cp1252", "utf-16"]
    code = rng.choice(codes, p=[0.6, 0.2, 0.1, 0.1])
    body = list(reversed(table)) if newest else list(table)
    wrap = lambda cell: f'"{cell}"' if quoted or mark in cell else cell  # noqa: E731
    text = [*lines, *(mark.join(map(wrap, row)) + (mark if trailing else "") for row in [*head, *body])]
    content = (ends.join(text) + ends).encode(code)
    how = f"above {len(lines)}, newest first {newest}, quoted {quoted}, trailing {trailing}, {code}"
    return content, how


def wrong(made: Made, read: object) -> str:
    """What a reading of a table (`Sensor`) has other than the truth; "" where all is right."""
    channels, values = list(read.channels), read.values  # type: ignore[attr-defined]
    if len(channels) != len(made.names):
        return f"channels {channels}"
    if not all(one.lower().startswith(name.lower()) for one, name in zip(channels, made.names, strict=True)):
        return f"channels {channels}"
    if values.shape != made.values.shape or not np.allclose(values, made.values, equal_nan=True, rtol=1e-9):
        return "values"
    if not np.allclose(read.times, made.seconds, atol=0.02):  # type: ignore[attr-defined]
        return f"times {read.times[:4]} for {made.seconds[:4]}"  # type: ignore[attr-defined]
    start = read.start  # type: ignore[attr-defined]
    if made.start is None:
        return "" if start is None else f"start {start}"
    if start is None:
        return "no start"
    naive = start.replace(tzinfo=None) if hasattr(start, "tzinfo") else start
    return "" if abs((naive - made.start).total_seconds()) < 1 else f"start {start} for {made.start}"


def write(folder: Path, one: Made) -> Path:
    """The table as a file."""
    path = folder / "t.csv"
    path.write_bytes(one.content)
    return path
