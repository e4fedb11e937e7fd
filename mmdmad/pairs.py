"""Folders of runs that each hold one table and one log: the two are parts of one recording."""

from collections import defaultdict
from dataclasses import replace

from mmdmad.cases import Case, Cases, Modality, Part
from mmdmad.modalities.base import modality_of
from mmdmad.roles import counted

FEWEST = 2
"""Folders that must be alike: in one alone a table and a log may be of different things."""


def paired(cases: Cases) -> Cases:
    """Cases of a folder whose folders each hold one table and one log, as one case a folder; any others as they are.

    `extra["notes"]` says so.
    """
    folders: dict[str | None, list[Case]] = defaultdict(list)
    for case in cases:
        folders[case.group].append(case)
    if "folders" not in cases.extra or len(folders) < FEWEST or not all(map(_is_pair, folders.values())):
        return cases
    items, called = [], set(cases.extra.get("called", ()))
    for name, both in folders.items():
        table, log = sorted(both, key=_is_log)
        parts: dict[Modality, Part] = {
            m: replace(p, case_id=str(name)) for c in (table, log) for m, p in c.parts.items()
        }
        items.append(replace(table, id=str(name), parts=parts))
        called |= {str(name)} if {table.id, log.id} & called else set()
    note = (
        f"each of {counted(len(items), 'folder')} holds one table and one log: they are taken as one recording each, "
        "cut on one clock"
    )
    extra = {**cases.extra, "notes": (*cases.extra.get("notes", ()), note), "called": frozenset(called)}
    return replace(cases, items=tuple(items), extra=extra)


def _is_pair(both: list[Case]) -> bool:
    """Whether two cases are a whole table and a whole log, with nothing between them that differs."""
    if len(both) != 2 or any(len(case.parts) != 1 for case in both) or both[0].group is None:
        return False
    alike = len({(case.split, case.label, case.recording) for case in both}) == 1
    kinds = {name for case in both for name in case.parts}
    return alike and kinds == {"sensor", *(name for name in kinds if modality_of(name).written)} and len(kinds) == 2


def _is_log(case: Case) -> bool:
    return any(modality_of(name).written for name in case.parts)
