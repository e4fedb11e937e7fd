"""Headers that say how their times are written, as a pattern in place of a name: dd/MM/yyyy HH:mm:ss (inverters)."""

import re
from collections.abc import Callable, Sequence

ABOVE = 40
"""Rows in which the pattern is looked for."""
_D, _M, _Y = r"(?:dd?|DD?|TT?|jj|gg)", r"(?:MM?|mm)", r"(?:yyyy|YYYY|JJJJ|aaaa|yy|YY|JJ)"
_REST = r"(?:[ T,_]+[HhKkMmSsfFnNaAtTzZX:.,'24 ]*)?"
_ORDERS = {
    "DD/MM/YYYY": rf"^{_D}(?P<mark>[-./]){_M}(?P=mark)(?P<year>{_Y}){_REST}$",
    "MM/DD/YYYY": rf"^{_M}(?P<mark>[-./]){_D}(?P=mark)(?P<year>{_Y}){_REST}$",
    "YYYY/MM/DD": rf"^(?P<year>{_Y})(?P<mark>[-./]){_M}(?P=mark){_D}{_REST}$",
}


def pattern_of(cell: str) -> str | None:
    """The order of day, month and year that a cell names as a pattern, as headers write it in brackets; else None.

    >>> pattern_of("dd/MM/yyyy HH:mm:ss"), pattern_of("MM/dd/yy"), pattern_of("TT.MM.JJJJ hh:mm"), pattern_of("kWh")
    ('DD/MM/YYYY', 'MM/DD/YY', 'DD/MM/YYYY', None)
    """
    for order, form in _ORDERS.items():
        if (found := re.match(form, cell)) is not None:
            return order if len(found["year"]) == 4 else order.replace("YYYY", "YY")
    return None


def pattern_head(
    cells: Sequence[Sequence[str]],
    is_value: Callable[[str], bool],
    is_date: Callable[[str], bool],
    is_unit: Callable[[str], bool],
) -> tuple[int, list[str], tuple[str, ...] | None] | None:
    """Which row holds a pattern of times, the names of the columns, and their units (None where the row names them).

    The row below it has a time in its place. Names stand in the rows above, in as many of them as tell the columns
    apart; without such rows the row of the pattern names the others.

    >>> from mmdmad.parts.sensor_head import is_date, is_unit, is_value
    >>> rows = [["", "SN: 1", "SN: 2"], ["", "Power", "Power"], ["dd/MM/yyyy", "kW", "kW"], ["03/04/2025", "1", "2"]]
    >>> pattern_head(rows, is_value, is_date, is_unit)[1:]
    (['time [DD/MM/YYYY]', 'SN: 1', 'SN: 2'], ('', 'kW', 'kW'))
    """
    for i, row in enumerate(cells[: min(ABOVE, len(cells) - 1)]):
        places = [k for k, cell in enumerate(row) if pattern_of(cell)]
        if not places and i and len(row) > 1:  # "Time [DD/MM/YYYY]" in a row of units
            inside = [k for k, cell in enumerate(row) if pattern_of(_bracket(cell))]
            places = inside if all(is_unit(cell) for k, cell in enumerate(row) if k not in inside) else []
        if len(places) != 1 or len(row) < 2 or len(cells[i + 1]) < len(row) or not is_date(cells[i + 1][places[0]]):
            continue
        if any(is_value(cell) for cell in row if cell):
            continue
        place, width = places[0], len(row)
        above = [one for one in cells[:i] if len(one) == width and all(c for k, c in enumerate(one) if k != place)]
        above = [one for one in above if not any(is_value(c) for k, c in enumerate(one) if k != place)]
        order = pattern_of(row[place]) or pattern_of(_bracket(row[place])) or ""
        if not above:
            return i, [cell if k != place else f"time [{order}]" for k, cell in enumerate(row)], None
        others = [k for k in range(width) if k != place]
        names = _joined(above, others)
        time = next((one[place] for one in reversed(above) if one[place]), "time")
        called = re.sub(r"[\[(].*", "", time).strip() or "time"
        made = [names[k] if k != place else f"{called} [{order}]" for k in range(width)]
        return (
            i,
            made,
            tuple("" if k == place else re.sub(r"^[\[(](.*)[\])]$", r"\1", cell) for k, cell in enumerate(row)),
        )
    return None


def _bracket(cell: str) -> str:
    found = re.search(r"[\[(]([^\[\]()]*)[\])]\s*$", cell)
    return found[1] if found is not None else ""


def _joined(above: Sequence[Sequence[str]], others: Sequence[int]) -> dict[int, str]:
    """Names of columns from rows above each other: each row that tells apart what those taken before it do not."""
    kept: list[Sequence[str]] = []
    for one in above:
        alike = [len({(row[k], one[k]) for k in others}) == len({one[k] for k in others}) for row in kept]
        same = [len({(row[k], one[k]) for k in others}) == len({row[k] for k in others}) for row in kept]
        if not any(a and b for a, b in zip(alike, same)):
            kept.append(one)
    several = [row for row in kept if len({row[k] for k in others}) > 1] or kept[-1:]
    return {k: " ".join(dict.fromkeys(row[k] for row in several)) for k in others}
