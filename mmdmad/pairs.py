"""Folders of runs that each hold one table and one log: the two are parts of one recording."""

from collections import defaultdict
from dataclasses import replace

from mmdmad.cases import Case, Cases, Modality, Part
from mmdmad.folder import PAPERS
from mmdmad.modalities.base import modality_of
from mmdmad.parts.log_times import is_log
from mmdmad.roles import counted, said

FEWEST = 2
"""Folders that must be alike: in one alone a table and a log may be of different things."""


def paired(cases: Cases) -> Cases:
    """Cases of a folder whose folders each hold one table and one log, as one case a folder; any others as they are.

    `extra["notes"]` says so.
    """
    if "folders" not in cases.extra:
        return cases
    held: dict[str | None, list[Case]] = defaultdict(list)
    for case in cases:
        held[case.group].append(case)
    folders = {name: _without_notes(mine) for name, mine in held.items()}
    left = [case for name, mine in held.items() for case in mine if case not in folders[name]]
    folders = {name: mine for name, mine in folders.items() if mine}
    if len(folders) < FEWEST or not all(map(_is_pair, folders.values())):
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
    notes = (*cases.extra.get("notes", ()), note)
    if left:
        notes += (
            f"{said((case.id for case in left), 3)}: texts without times beside them, left out as they are no logs",
        )
    extra = {**cases.extra, "notes": notes, "called": frozenset(called)}
    return replace(cases, items=tuple(items), extra=extra)


def _without_notes(mine: list[Case]) -> list[Case]:
    """The cases of a folder without texts that are no logs, where one log is left or there is nothing but them.

    Notes, settings and the like lie beside what was recorded; a log is what holds times, and of several that do those
    that are not called notes.
    """
    texts = [case for case in mine if len(case.parts) == 1 and _is_log(case)]
    if len(texts) == len(mine) == 1 and not _has_times(texts[0]) and PAPERS.fullmatch(_stem(texts[0])):
        return []
    if len(texts) < 2:
        return mine
    logs = [case for case in texts if _has_times(case)]
    if len(logs) > 1:
        logs = [case for case in logs if not PAPERS.fullmatch(_stem(case))]
    return [case for case in mine if case not in texts or case in logs] if len(logs) == 1 else mine


def _has_times(case: Case) -> bool:
    return any(part.path is not None and is_log(part.path) for part in case.parts.values())


def _stem(case: Case) -> str:
    return next((part.path.stem for part in case.parts.values() if part.path is not None), "")


def _is_pair(both: list[Case]) -> bool:
    """Whether two cases are a whole table and a whole log, with nothing between them that differs."""
    if len(both) != 2 or any(len(case.parts) != 1 for case in both) or both[0].group is None:
        return False
    alike = len({(case.split, case.label, case.recording) for case in both}) == 1
    kinds = {name for case in both for name in case.parts}
    return alike and kinds == {"sensor", *(name for name in kinds if modality_of(name).written)} and len(kinds) == 2


def _is_log(case: Case) -> bool:
    return any(modality_of(name).written for name in case.parts)
