"""Cases from whatever is named: manifests, folders, or bare files such as pump.csv and app.log."""

import os.path
from collections.abc import Sequence
from pathlib import Path

from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import ManifestError
from mmdmad.manifest import read_cases
from mmdmad.plain import plain
from mmdmad.recordings import is_manifest, kind_of
from mmdmad.roles import FAULTY, TEST, VALIDATION, roles_of


def read_any(paths: Sequence[Path], allow_outside: bool = False) -> list[tuple[str, Cases]]:
    """Cases by where they come from: each manifest and folder by itself, and all bare files (pump.csv) together."""
    found: list[tuple[str, Cases]] = []
    bare: list[Case] = []
    for path in paths:
        kind = kind_of(path)
        if path.is_dir() or kind is None or is_manifest(path):
            found.append((str(path), read_cases(path, allow_outside=allow_outside)))
        elif not path.is_file():
            raise ManifestError(
                f"there is no file or folder {str(path)!r}; give a manifest, a folder, or files of cases"
            )
        else:
            name = plain(path.as_posix())
            bare.append(Case(name, {kind: Part(kind, path.resolve(), case_id=name)}))
    if bare:
        source = str(paths[0]) if len(bare) == 1 else f"{len(bare)} files"
        found.append((source, Cases(tuple(bare), root=Path.cwd())))
    return found


def called_to_judge(sources: Sequence[str]) -> frozenset[str]:
    """Those of several sources whose names say test, validation or faulty; none where that is every one of them.

    What lies above all of them says nothing: of data/test/a and data/test/b both may be learned from.

    >>> sorted(called_to_judge(["parts/good", "parts/test/good", "parts/defects"]))
    ['parts/defects', 'parts/test/good']
    >>> called_to_judge(["test/a", "test/b"]), called_to_judge(["a/test", "b/test"]), called_to_judge(["test"])
    (frozenset(), frozenset(), frozenset())
    """
    whole = [Path(os.path.abspath(source)) for source in sources]
    above = Path(os.path.commonpath([path.parent for path in whole])) if whole else Path()
    called = frozenset(
        source for source, path in zip(sources, whole) if _says_judge(path.relative_to(above).with_suffix("").parts)
    )
    return called if len(called) < len(set(sources)) else frozenset()


def _says_judge(names: Sequence[str]) -> bool:
    return any((roles_of(name) or frozenset()) & {TEST, VALIDATION, FAULTY} for name in names)
