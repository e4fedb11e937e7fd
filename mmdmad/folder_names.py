"""What files of a folder say beside its folders: names of files ("crack_1.png", "ok_7.png"), and lists of such names.

Neither is believed alone where it leaves something open; then `mmdmad.learning` asks.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mmdmad.case_reader import known_columns, part_columns
from mmdmad.errors import ManifestError
from mmdmad.manifest_columns import names_files
from mmdmad.manifest_listed import lists_names
from mmdmad.manifest_rows import is_missing, rows_of
from mmdmad.roles import FAULTY, NORMAL, TEST, TRAIN, counted, label_of, role_in_name, said, split_of

LISTS = 3
"""Tables and texts in one folder that are looked into; where there are more, they are the data."""
AMONG = 5
"""Other files beside each of more tables and texts, which are looked into all the same."""
HEAD, LINES = 16_384, 60
"""Bytes and lines at the begin of a file that are looked at."""
FEWER = 5
"""One file called test in so many others is a question, as pairs of a template and a test are."""
_LISTED = (".csv", ".tsv", ".txt", ".parquet")


def name_roles(stems: Iterable[Path]) -> tuple[dict[Path, str], str]:
    """The roles that names of files give, and the question that they leave open ("" for none).

    Names count where they differ in what they say: some faulty and others not, or some train and others test. `stems`
    are paths without suffix of which folders do not say whether they are normal.

    >>> name_roles([Path("ok_1"), Path("ng_1")])
    ({PosixPath('ok_1'): 'normal', PosixPath('ng_1'): 'faulty'}, '')
    >>> name_roles([Path("pump_1"), Path("pump_2")])
    ({}, '')
    """
    told = {stem: role_in_name(stem.name) for stem in stems}
    if {TRAIN, TEST} <= set(told.values()):
        return {stem: role for stem, role in told.items() if role in (TRAIN, TEST)}, ""
    tests = [stem for stem, role in told.items() if role == TEST]
    others = [stem for stem in told if stem not in tests]
    if len(tests) > 1 and len(others) > 1 and FEWER * len(tests) >= len(told):
        return {}, (
            f"{counted(len(tests), 'file')} called test ({said((stem.name for stem in tests), 3)}) beside "
            f"{counted(len(others), 'file')} that are not ({said((stem.name for stem in others), 3)}); put the former "
            "into a folder called test, or list them with a column label or split, or say --normal DIR, which "
            "learns both"
        )
    faulty = [stem for stem, role in told.items() if role == FAULTY]
    if not 0 < len(faulty) < len(told):
        return {}, ""
    found = {stem: role for stem, role in told.items() if role in (FAULTY, NORMAL)}
    silent = [stem for stem in told if stem not in found]
    if not silent:
        return found, ""
    question = (
        f"{counted(len(faulty), 'file')} called faulty ({said((stem.name for stem in faulty), 3)}) beside "
        f"{counted(len(silent), 'file')} whose names say nothing ({said((stem.name for stem in silent), 3)}); if these "
        "are normal, say --normal DIR, which leaves the former out"
    )
    return found, question


def lists_among(root: Path, files: Mapping[Path, Sequence[str]]) -> list[Path]:
    """Tables and texts that list other files: {folder: names of its files}, relative to the root."""
    names = {name.casefold() for mine in files.values() for name in mine}
    every = [(folder / name).as_posix() for folder, mine in files.items() for name in mine]
    found = []
    for folder, mine in files.items():
        some = [name for name in mine if name.casefold().endswith(_LISTED)]
        if len(names) > len(some) and len(some) <= max(LISTS, (len(names) - len(some)) // AMONG):
            for name in some:
                path, others = root / folder / name, names - {name.casefold()}
                if _lists(path, others) or lists_names(path, every):
                    found.append(folder / name)
    return found


def lists_cases(path: Path) -> bool:
    """Whether a table beside data is a manifest of it: columns `id` and of a part, and cells that name files there.

    >>> lists_cases(Path("7.png"))
    False
    """
    if path.suffix.lower() not in (".csv", ".tsv", ".parquet"):
        return False
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(HEAD)
        cells = {cell.strip(' "\ufeff') for cell in re.split(r"[,;\t]", head.decode("utf-8", "replace").split("\n")[0])}
        if not head.startswith(b"PAR1") and not {"id"} < cells & {"id", *part_columns()}:
            return False  # looked at first, for a table of readings is long
        columns = set(rows_of(path).columns)
        return "id" in columns and bool(columns & set(part_columns())) and names_files(path)
    except (OSError, ManifestError):
        return False  # what cannot be read is refused when it is


def says_nothing(manifest: Path) -> bool:
    """Whether a manifest calls none of its cases faulty and gives no split but train: windows as they were cut."""
    for row in rows_of(manifest).rows:
        if isinstance(row.values, str) or set(row.values) - set(known_columns()):
            return False
        label, split = row.values.get("label"), row.values.get("split")
        if not (is_missing(label) or label_of(label) == 0) or not (is_missing(split) or split_of(str(split)) == TRAIN):
            return False
    return True


def _lists(path: Path, names: set[str]) -> bool:
    """Whether at least half of the first lines of a file, and two, hold the name of another one."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            lines = file.read(HEAD).decode("utf-8", "replace").splitlines()[:LINES]
    except OSError:
        return False  # what cannot be read is refused when it is
    lines = [line for line in lines if line.strip()]
    cells = [re.split(r"[,;\t|\"' ]+", line) for line in lines]
    # Lists of names without endings, as Pascal VOC has them.
    stems = {name.rpartition(".")[0] for name in names} - {""}
    if path.suffix.lower() == ".txt" and len(cells) > 1 and all(row[0].casefold() in stems for row in cells):
        return True
    hits = sum(any(_leaf(cell) in names for cell in row) for row in cells)
    return hits >= 2 and 2 * hits >= len(lines) - 1


def _leaf(cell: str) -> str:
    return re.split(r"[/\\]", cell.strip())[-1].casefold()


def question_of_lists(lists: Sequence[Path]) -> str:
    """What is open where a folder holds a list of its files, "" where it holds none.

    >>> question_of_lists([Path("labels.csv")])[:52]
    "'labels.csv' lists files of this folder, and may say"
    """
    if not lists:
        return ""
    what = said((path.as_posix() for path in lists), 3)
    verb = "lists" if len(lists) == 1 else "list"
    return (
        f"{what} {verb} files of this folder, and may say which are faulty; give it as manifest (--data, with the "
        "columns id, label or split, and image or another part), or say --normal DIR"
    )
