"""Files of forms that are not read (spreadsheets, JSON, databases) and may say which files beside them are faulty.

They are never believed, only looked into for the names of those files: a folder in which one lies asks, as it does for
a CSV list, before anything is learned.
"""

import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmdmad.roles import said

SHEETS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers")
"""Spreadsheets, which are saved as CSV first."""
RAW = (
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw", ".raw", ".bayer"),
    *(".dcm", ".dicom", ".nd2", ".czi", ".lif", ".vsi", ".mrxs", ".fits", ".fit", ".exr", ".psd"),
)
"""What the sensor of a camera, scanner or microscope saw, before it is a picture that is read here."""
_OTHERS = (
    *(".json", ".jsonl", ".ndjson", ".xml", ".yaml", ".yml", ".html", ".htm", ".md", ".rtf", ".doc", ".docx", ".odt"),
    *(".db", ".sqlite", ".sqlite3", ".mdb", ".accdb", ".dbf", ".pkl", ".mat", ".arff"),
)
MOST = 8 * 2**20
"""Bytes of a file, unpacked, that are looked through for names."""


def sheets_among(root: Path, unread: Iterable[Path], files: Iterable[Path], open_: bool) -> list[Path]:
    """Those of the files that are not read which list others, relative to the root like `unread` and `files`.

    A spreadsheet counts wherever nothing else says what is normal (`open_`), and where it names at least two files (or
    the only one); so does any other file that does. Together they count too: one file of notes a picture.
    """
    names: dict[str, str] = {}
    for path in files:
        for word in (path.name.casefold(), path.stem.casefold()):
            if len(word) >= (5 if word.isdigit() else 3):
                names[word] = path.as_posix()
    found, named = [], set()
    for path in unread:
        suffix = path.suffix.lower()
        if suffix not in SHEETS and suffix not in _OTHERS:
            continue
        hits = {names[word] for word in _words(root / path) & names.keys()}
        if hits or (suffix in SHEETS and open_):
            found.append(path)
        named |= hits
    enough = len(named) >= min(2, len(set(names.values()))) and bool(named)
    return found if enough else [path for path in found if path.suffix.lower() in SHEETS and open_]


def question_of_sheets(sheets: Sequence[Path]) -> str:
    """What is open where a folder holds such files, "" where it holds none.

    >>> question_of_sheets([Path("parts.xlsx")])[:57]
    "'parts.xlsx' may list files of this folder and say which "
    """
    if not sheets:
        return ""
    what = said((path.as_posix() for path in sheets), 3)
    if all(path.suffix.lower() in (".jsonl", ".ndjson") for path in sheets):
        return (
            f"{what} may list files of this folder and say which are faulty; give it as manifest (--data, with id, "
            "label or split, and image or another part), or say --normal DIR"
        )
    return (
        f"{what} may list files of this folder and say which are faulty, but {'are' if len(sheets) > 1 else 'is'} not "
        "read; save the list as CSV and give that as manifest (--data, with the columns id, label or split, and image "
        "or another part), or say --normal DIR"
    )


def _words(path: Path) -> set[str]:
    """Whatever may be the name of a file in the text of a file, small; nothing where it cannot be read."""
    try:
        if not path.is_file():
            return set()
        texts = _packed(path) if zipfile.is_zipfile(path) else _plain(path)
        return {word for text in texts for word in re.split(r"[^\w.()+-]+", text.casefold())}
    except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
        return set()  # what cannot be looked into names nothing; a spreadsheet asks all the same


def _packed(path: Path) -> list[str]:
    texts, left = [], MOST
    with zipfile.ZipFile(path) as packed:
        for member in packed.infolist():
            if left > 0 and member.filename.lower().endswith((".xml", ".json", ".txt", ".csv")):
                with packed.open(member) as file:
                    data = file.read(left)  # never more, whatever the archive says of its size
                left -= len(data)
                texts.append(data.decode("utf-8", "replace"))
    return texts


def _plain(path: Path) -> list[str]:
    with path.open("rb") as file:
        data = file.read(MOST)
    # Old spreadsheets hold words of two bytes a letter, which may begin at any byte.
    wide = [data[begin:].decode("utf-16-le", "replace") for begin in (0, 1)] if b"\0" in data else []
    return [data.decode("utf-8", "replace"), data.decode("cp1252", "replace"), *wide]
