"""Cases from files of one kind: a folder, a glob, one file, or a list of paths."""

import glob
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmdmad.cases import Cases, Modality, Refusal
from mmdmad.errors import DataError
from mmdmad.folder import read_folder
from mmdmad.manifest import read_cases
from mmdmad.modalities.base import modalities, modality_of
from mmdmad.plain import plain
from mmdmad.recordings import is_manifest, kind_of

NAMES = {"image": "images", "sensor": "tables", "text": "texts", "video": "videos"}
"""What each kind is called where it is given."""


def is_path(name: str, given: Any) -> bool:
    """Whether something names files: one string or path, or a list of them; strings in a list of texts are texts."""
    if isinstance(given, str | os.PathLike):
        return True
    kinds = os.PathLike if name == NAMES["text"] else str | os.PathLike
    return isinstance(given, list | tuple) and bool(given) and all(isinstance(one, kinds) for one in given)


def of_files(name: str, kind: Modality, given: Any, rate: float | None = None) -> Cases:
    """Cases of one part each; `name` is what messages call what was given. DataError where nothing is there."""
    found = paths(name, given)
    if isinstance(found, Path):
        made = only(kind, read_cases(found), found)
    else:
        wrong = [(path, kind_of(path)) for path in found if kind_of(path) != kind]
        right = [path for path in found if kind_of(path) == kind]
        made = read_files(right) if right else Cases(())
        refused = tuple(Refusal(plain(path.name), kind, _other(kind, path, other)) for path, other in wrong)
        made = replace(made, refused=(*made.refused, *refused))
    if not made:
        first = f"; the first, {made.refused[0].case_id}: {made.refused[0].reason}" if made.refused else ""
        raise DataError(f"{name}={_said(given)} holds no {modality_of(kind).noun}{first}")
    if rate is None:
        return made
    items = tuple(
        replace(case, parts={m: replace(p, rate=rate) if p.rate is None else p for m, p in case.parts.items()})
        for case in made
    )
    return replace(made, items=items)


def paths(name: str, given: Any) -> Path | list[Path]:
    """A folder, or the files that were named; DataError where one is not there, or is a manifest."""
    if not isinstance(given, str | os.PathLike):
        found = [Path(one) for one in given]
    elif Path(given).exists():
        if Path(given).is_dir():
            return Path(given)
        found = [Path(given)]
    elif glob.has_magic(os.fspath(given)):
        found = [Path(one) for one in sorted(glob.glob(os.fspath(given), recursive=True)) if os.path.isfile(one)]
        if not found:
            raise DataError(f"{name}={_said(given)} matches no file in {Path.cwd()}")
    else:
        memory = "; texts in memory are a list, cases_from(texts=[...])" if name in ("texts", "item") else ""
        raise DataError(f"{name}={_said(given)} is no file, folder or glob{memory}")
    for path in found:
        if not path.is_file():
            raise DataError(f"{name}: {_said(path)} is no file; give a folder alone, a glob, or a list of files")
        if is_manifest(path):
            raise DataError(f"{name}: {_said(path)} lists cases; read it with read_cases")
    return found


def read_files(files: Sequence[Path]) -> Cases:
    """The cases of some files, by the names of the folders below the one that all of them have in common."""
    absolute = [Path(os.path.abspath(one)) for one in files]
    root = Path(os.path.commonpath([one.parent for one in absolute]))
    kinds = {one.relative_to(root): kind for one in absolute if (kind := kind_of(one)) is not None}
    return read_folder(root, True, [one.relative_to(root) for one in absolute], kinds)


def only(kind: Modality, cases: Cases, source: Path) -> Cases:
    """The parts of one kind; a note says how many cases have none."""
    items = tuple(replace(case, parts={kind: case.parts[kind]}) for case in cases if kind in case.parts)
    refused = tuple(r for r in cases.refused if r.part not in modalities() or r.part == kind)
    left = len(cases) - len(items)
    notes = tuple(cases.extra.get("notes", ()))
    if left:
        notes += (f"{left} of {len(cases)} cases in {plain(source.name)} have no {modality_of(kind).noun}",)
    return Cases(items, refused, cases.root, {**cases.extra, "notes": notes})


def _other(kind: Modality, path: Path, other: Modality | None) -> str:
    allowed = ", ".join(modality_of(kind).suffixes)
    if other is None:
        return f"a file with the suffix {path.suffix!r} is no {modality_of(kind).noun}; allowed are {allowed}"
    log = ", or call it .log if it is a log" if modality_of(kind).written else ""
    noun = modality_of(other).noun
    return f"its suffix {path.suffix!r} is that of a {noun}; give it as {NAMES.get(other, other)}={log}"


def _said(given: Any) -> str:
    words = plain(str(given))
    return repr(words if len(words) <= 100 else words[:97] + "...")
