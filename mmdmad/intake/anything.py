"""Cases from a list of whatever there is: cases, files, folders, tables, pictures, parts by name."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import DataError
from mmdmad.intake.files import paths, read_files
from mmdmad.intake.joining import extra_of
from mmdmad.intake.memory import value_kind
from mmdmad.manifest import read_cases
from mmdmad.modalities.base import modalities
from mmdmad.plain import plain
from mmdmad.recordings import is_manifest, kind_of

ALLOWED = (
    "give cases, files, folders or manifests, DataFrames, Pillow images, mappings such as {'image': array, 'text': "
    "'…'}, or say what they are: cases_from(images=…, tables=…, texts=…)"
)


def cases_of(given: Any) -> Cases:
    """Cases from cases, from a file, folder or manifest, or from a list of such things, values in memory among them.

    DataError where something could be of several kinds (an array, a string that names no file), or is of none.

    >>> cases_of([{"text": "Seal replaced."}, Case("b", {"text": Part("text", value="Belt started.")})])
    Cases(2 cases)
    """
    if isinstance(given, Cases):
        return given
    many = isinstance(given, Iterable) and not isinstance(given, str | os.PathLike | Mapping | np.ndarray)
    if isinstance(given, Case) or not many or value_kind(given) is not None:
        given = [given]
    found: list[Cases] = []
    single: list[Case] = []
    files: list[Path] = []
    for place, one in enumerate(given):
        if isinstance(one, Cases):
            found.append(one)
        elif isinstance(one, Case):
            single.append(one)
        elif isinstance(one, str | os.PathLike):
            _add(one, found, files)
        else:
            single.append(_in_memory(str(place), one))
    if files:
        found.append(read_files(files))
    if single:
        found.append(Cases(tuple(single)))
    if not found:
        return Cases(())
    return found[0] if len(found) == 1 else _together(found)


def _add(one: "str | os.PathLike[str]", found: list[Cases], files: list[Path]) -> None:
    path = Path(one)
    if path.is_dir() or (path.is_file() and is_manifest(path)):
        found.append(read_cases(path))
        return
    named = paths("item", one)
    for file in [named] if isinstance(named, Path) else named:
        if kind_of(file) is None:
            known = ", ".join(s for m in modalities().values() for s in m.suffixes)
            raise DataError(f"{plain(str(file))!r} has a suffix that no kind of part has; allowed are {known}")
        files.append(file)


def _in_memory(case_id: str, one: Any) -> Case:
    if isinstance(one, Mapping):
        unknown = [str(name) for name in one if name not in modalities()]
        if unknown or not one:
            known = ", ".join(modalities())
            raise DataError(f"item {case_id}: {', '.join(unknown) or 'nothing'} is no part; parts are {known}")
        return Case(case_id, {m: Part(m, value=v, case_id=case_id) for m, v in one.items() if v is not None})
    kind = value_kind(one)
    if kind is None:
        shape = f" of shape {one.shape}" if isinstance(one, np.ndarray) else ""
        raise DataError(f"item {case_id} is of the type {type(one).__name__}{shape}; {ALLOWED}")
    return Case(case_id, {kind: Part(kind, value=one, case_id=case_id)})


def _together(found: list[Cases]) -> Cases:
    seen: set[str] = set()
    for cases in found:
        for case in cases:
            if case.id in seen:
                raise DataError(
                    f"two cases are called {plain(case.id)!r}; give the folder above both, or ids of their own"
                )
            seen.add(case.id)
    items = tuple(case for cases in found for case in cases)
    return Cases(items, tuple(r for cases in found for r in cases.refused), None, extra_of(found))
