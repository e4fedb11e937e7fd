"""Tables of oscilloscopes whose header holds start and step of the time, or two lines of channels and units."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_STEP = re.compile(r"t0\s*=\s*(?P<start>[-+\d.eE]+)\s*s?\s*,\s*tInc\s*=\s*(?P<step>[+\d.eE-]+)\s*s?", re.IGNORECASE)
_CHANNEL = re.compile(r"^(?P<name>[A-Za-z]+\d+)\s*\(?(?P<unit>m?V|m?A|W)\)?$")
_UNITS = {"volt": "V", "volts": "V", "ampere": "A", "amp": "A", "watt": "W", "second": "s"}


@dataclass(frozen=True)
class Scope:
    """Names of the columns, the lines above the readings, rows per second (None = a column holds the time), those
    columns that only count rows, and what was decided."""

    names: tuple[str, ...]
    skip: int
    rate: float | None
    left: tuple[int, ...]
    note: str


def scope_header(lines: Sequence[str]) -> Scope | None:
    """What the header of an oscilloscope's table says (Rigol, Keysight); None where it is none.

    >>> scope_header(["X,CH1,Start,Increment", "Sequence,Volt,-3.0e-3,1.0e-6", "0,0.1,,"]).names
    ('', 'CH1 [V]')
    >>> scope_header(["CH1V,t0 =-2.0e-02s, tInc = 1.0e-06,", "0.1,,", "0.2,,"]).rate
    1000000.0
    """
    if len(lines) < 3:
        return None
    first, second = (
        [cell.strip() for cell in line.lstrip("\ufeff").rstrip("\r\n").rstrip(",").split(",")] for line in lines[:2]
    )
    low = [cell.lower() for cell in first]
    if low[0] == "x" and low[-2:] == ["start", "increment"] and len(low) > 3 and len(second) == len(first):
        step = _step(second[-1])
        names = tuple(_with_unit(*pair) for pair in zip(first[1:-2], second[1:-2]))
        return None if step is None else Scope(("", *names), 2, 1 / step, (0,), _said(second[-2], second[-1]))
    if low[0] == "x-axis" and second[0].lower() == "second" and len(second) == len(first) > 1:
        names = tuple(
            _with_unit(f"CH{name}" if name.isdigit() else name, unit) for name, unit in zip(first[1:], second[1:])
        )
        return Scope(
            ("time [s]", *names), 2, None, (), "'x-axis' is the time in seconds, the line below names the units"
        )
    found = _STEP.search(lines[0])
    if found is None:
        return None
    own = [cell.strip() for cell in lines[0][: found.start()].lstrip("\ufeff").rstrip(", ").split(",")]
    channels = tuple(
        f"{one['name']} [{one['unit']}]" if (one := _CHANNEL.match(name)) is not None else name for name in own
    )
    timed = own[0].lower().startswith("time")
    step = _step(found["step"])
    if step is None or not all(own):
        return None
    note = "" if timed else _said(found["start"], found["step"])
    return Scope(channels, 1, None if timed else 1 / step, (), note)


def _step(words: str) -> float | None:
    try:
        step = float(words)
    except ValueError:
        return None
    return step if 0 < step < 1e9 else None


def _with_unit(name: str, unit: str) -> str:
    known = _UNITS.get(unit.lower(), unit)
    return f"{name} [{known}]" if known else name


def _said(start: str, step: str) -> str:
    return f"the header says when the readings are: from {start} s, one every {step} s; times count from the first"
