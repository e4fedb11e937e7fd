"""Settings that an instrument writes beside its readings: columns filled in the first rows only (oscilloscopes)."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmdmad.parts.sensor_head import is_value

FEWEST = 8
"""Rows from which on a column that is filled at the top alone is told from one with missing readings."""


@dataclass(frozen=True)
class Beside:
    """Which columns hold settings or nothing, what the settings call the others (None where nothing), and a note."""

    left: tuple[int, ...]
    names: tuple[str, ...] | None
    note: str


def settings_beside(cells: Sequence[Sequence[str]]) -> Beside | None:
    """Settings beside readings in the rows of a table without a header; None where there are none.

    Every other column has to hold values in every row, the first one too.

    >>> rows = [["Source", "CH1", "0.0", "1"], ["Horizontal Units", "s", "0.1", "2"], *[["", "", "0.2", "3"]] * 9]
    >>> settings_beside(rows).left, settings_beside(rows).names
    ((0, 1), ('time [s]', 'CH1'))
    """
    width = len(cells[-1])
    if len(cells) < FEWEST or width < 3 or any(len(row) != width for row in cells):
        return None
    late = cells[len(cells) // 2 :]
    empty = [k for k in range(width) if not any(row[k] for row in late)]
    words = [k for k in empty if any(row[k] and not is_value(row[k]) for row in cells)]
    kept = [k for k in range(width) if k not in empty]
    if not words or not kept or not all(row[k] and is_value(row[k]) for row in cells for k in kept):
        return None
    names: list[str] = []
    for number, first in enumerate(words[::2] if len(words) > 2 else words[:1], 1):
        said = {row[first].strip(" :").casefold(): row[first + 1] for row in cells if row[first]}
        mine = [k for k in kept if k > first and not any(first + 1 < other <= k for other in words)]
        names += _names(said, len(mine), number)
    told = (
        f"columns {_some(empty)} hold the settings of the instrument, or nothing, beside the readings, and are left out"
    )
    return Beside(tuple(empty), tuple(names) if len(names) == len(kept) else None, told)


def _names(said: dict[str, str], count: int, number: int) -> list[str]:
    """The names of the columns beside one block of settings: a time, and a channel; none where it does not say so."""
    across = next((value for key, value in said.items() if key.startswith(("horizontal unit", "x unit", "xunit"))), "")
    if count != 2 or not across:
        return []
    source = next((said[key] for key in ("source", "label", "channel", "trace") if said.get(key)), f"CH{number}")
    up = next((value for key, value in said.items() if key.startswith(("vertical unit", "y unit", "yunit"))), "")
    return [f"time [{across}]", f"{source} [{up}]" if up else source]


def _some(columns: Sequence[int]) -> str:
    return ", ".join(str(k + 1) for k in columns)
