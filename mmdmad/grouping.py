"""Which group a case is of, where cases are ranked within their groups: the manifest's `group`, or another column."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mmdmad.cases import Cases
from mmdmad.errors import DataError
from mmdmad.labels import unused
from mmdmad.manifest_rows import is_missing
from mmdmad.roles import in_cell, said

GROUP = "group"
NEVER = {
    "id": "each case would be a group of its own",
    "label": "labels never judge",
    "split": "cases that are judged are of another split than those learned from",
    "recording": "recordings are kept whole and ranked among recordings without it",
}
"""Columns that no group can be, and why."""
LONGEST = 200
"""Characters of a group's name."""


def grouped(cases: Cases, by: str | None) -> Cases:
    """The cases, each of the group that the column `by` says; as they are where that is None.

    A blank cell is no group. DataError where there is no such column, no case has a value in it, or it cannot be one.

    >>> from mmdmad.cases import Case
    >>> given = Cases((Case("a", {}), Case("b", {})), extra={"columns": {"a": {"line": 3.0}, "b": {"line": None}}})
    >>> [case.group for case in grouped(given, "line")]
    ['3', None]
    """
    if by is None or not len(cases):
        return cases
    if by in NEVER:
        raise DataError(f"--by {by} was given, and {NEVER[by]}; name the column of a product, a machine, a place")
    if by == GROUP:
        made = cases
    else:
        columns = cases.extra.get("columns") or {}
        own = {name for row in columns.values() for name in row}
        if by not in own:
            known = said(sorted({GROUP, *own}), 20)
            raise DataError(f"there is no column {by!r} to group cases by (--by); there are {known}")
        cells = {case.id: columns.get(case.id, {}).get(by) for case in cases}
        names = {case: None if is_missing(cell) else in_cell(cell) for case, cell in cells.items()}
        items = tuple(replace(case, group=names[case.id]) for case in cases)
        made = replace(cases, items=items, extra={**cases.extra, "notes": _decides(cases, columns, by)})
    long = next((case for case in made if case.group is not None and len(case.group) > LONGEST), None)
    if long is not None:
        raise DataError(
            f"case {long.id}: its {by} has {len(long.group or '')} characters; a group has {LONGEST} at most, so that "
            "tables can show it: name a column of short names with --by"
        )
    return made


def _decides(cases: Cases, columns: Mapping[str, Mapping[str, Any]], by: str) -> tuple[str, ...]:
    """The notes of reading, in which the column is none of those that decide nothing."""
    labels = cases.extra.get("labels")
    before = unused(columns, labels)
    others = {case: {name: cell for name, cell in row.items() if name != by} for case, row in columns.items()}
    notes = (unused(others, labels) if note == before else note for note in cases.extra.get("notes", ()))
    return tuple(filter(None, notes))


def check_groups(cases: Cases, by: str | None) -> None:
    """DataError where cases to learn from are to be ranked within their groups, and none of them is of any."""
    if by is not None and len(cases) and all(case.group is None for case in cases):
        raise DataError(f"no case to learn from has a value in the column {by!r} (--by); fill it, or leave --by out")
