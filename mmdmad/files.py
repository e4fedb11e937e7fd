"""Names and files: safe names for any case id, files that appear whole or not at all, none outside.

What the system says against a file ends in a `FileError` of one line, with what to do about it.
"""

import errno
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from mmdmad.errors import FileError, RunError

_COUNT = count()
_ADVICE = {
    errno.ENOSPC: "the disk is full; free space, then run the same command again",
    errno.EDQUOT: "the quota of this account is used up; free space, then run the same command again",
    errno.EROFS: "the disk is read-only; name a folder on another one, or copy the run there",
    errno.EACCES: "this account may not do that; change the permissions, or name another folder",
    errno.EPERM: "this account may not do that; change the permissions, or name another folder",
    errno.EISDIR: "there is a folder in its place; move it away, or name another file",
    errno.ENOTDIR: "there is a file where a folder is needed; move it away, or name another folder",
    errno.EEXIST: "there is a file where a folder is needed; move it away, or name another folder",
    errno.ENOTEMPTY: "there is a folder with files in its place; move it away",
    errno.ENOENT: "there is no such file or folder; look at the path",
    errno.ENAMETOOLONG: "the name is too long for this disk; give a shorter one",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n)",
    errno.EIO: "the disk reports an error; copy what can be read to another one",
}

RUN = ("cases.sqlite", "config.json")
"""Files by which a folder is known for a run: its database, and how it was made."""
_LEFT_NAMES = frozenset(
    {
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "zbthumbnail.info", "pspbrwse.jbf", "desktop.ini"),
        *("folder.ini", "picasa.ini", "autorun.inf", "icon\r", "icon?", "indexervolumeguid", "wpsettings.dat"),
        *("@eadir", "#recycle", "@recycle", "__macosx", "$recycle.bin", "system volume information", "lost+found"),
        *("lost.dir", "found.000"),
    }
)
_LEFT_SUFFIXES = frozenset(
    (".xmp", ".thm", ".lrv", ".lrf", ".aae", ".ctg", ".pp3", ".dop", ".nksc", ".bdm", ".cpi", ".mpl", ".idx", ".ind")
)
_INDEX = re.compile(r"index\d*p?\.(bin|dat|db)|\d*\.index")


def left_by_others(name: str) -> bool:
    """Whether a file or folder of this name is none of the data: what systems, viewers and cameras leave beside it.

    Hidden ones, thumbnails and their folders, settings and notes of picture viewers (XMP, AAE), the small copies and
    index files that cameras and recorders write.

    >>> [left_by_others(name) for name in ("Thumbs.db", "._7.png", "7.xmp", "@eaDir", "GH010007.LRV", "7.png")]
    [True, True, True, True, True, False]
    """
    small = name.lower()
    ending = small[small.rfind(".") :] if "." in small else ""
    return (
        small.startswith((".", "~$"))
        or small in _LEFT_NAMES
        or ending in _LEFT_SUFFIXES
        or _INDEX.fullmatch(small) is not None
    )


def folder_name(case_id: str) -> str:
    """A folder name for a case id: readable, safe on every file system, different for different ids.

    Ids of plain small letters, digits, `-` and `_` stay as they are; any other id is shortened to those and gets
    a hash, because some file systems do not tell capitals apart and some names are reserved.

    >>> folder_name("case-0001"), folder_name("../A b")
    ('case-0001', 'a-b~e3f8e011e4')
    """
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,79}", case_id) and not re.fullmatch(
        r"(con|prn|aux|nul|com\d|lpt\d)", case_id
    ):
        return case_id
    words = re.sub(r"[^a-z0-9]+", "-", case_id.lower()).strip("-")[:40]
    return f"{words}~{hashlib.sha256(case_id.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"


def within(folder: Path, name: str | Path) -> Path:
    """The path `name` inside `folder`, symbolic links followed; RunError where it leads out of the folder.

    Every path that a run folder, a finding or a model names goes through here before it is opened: a run that was
    received from somebody else may name any file of this machine. That the file exists is not promised.

    >>> within(Path("run"), "../secrets.txt")
    Traceback (most recent call last):
    ...
    mmdmad.errors.RunError: '../secrets.txt' leads out of the folder run; only files inside it are read
    """
    try:
        root = folder.resolve()
        file = (root / name).resolve()
        with suppress(FileNotFoundError, NotADirectoryError):
            file.lstat()
    except (OSError, ValueError, RuntimeError) as why:  # zero bytes, lone surrogates, endless names, circles of links
        raise RunError(f"{str(name)[:200]!r} is not a path inside {folder}: {why}") from None
    if not file.is_relative_to(root):
        raise RunError(f"{str(name)[:200]!r} leads out of the folder {folder}; only files inside it are read")
    return file


def trouble(error: OSError, path: Path | None = None) -> FileError:
    """The FileError that says in one line what is wrong with the error's own file (else `path`) and what to do.

    >>> print(trouble(OSError(errno.ENOSPC, "No space left on device"), Path("run")))
    run: the disk is full; free space, then run the same command again
    """
    file = error.filename if isinstance(error.filename, str) else path
    advice = _ADVICE.get(error.errno or 0, f"{error.strerror or error}; look at the path and the disk")
    return FileError(f"{file}: {advice}" if file is not None else advice)


@contextmanager
def filing(path: Path) -> Iterator[None]:
    """Turns what the system says against files in this block into a FileError; `path` is named if it names none.

    Only for files that are written, or read as one's own: errors of input files are the part's or the manifest's.
    """
    try:
        yield
    except OSError as why:
        raise trouble(why, path) from why


def make_folder(path: Path) -> Path:
    """The folder, made with its parents where it is not there; FileError where it cannot be."""
    with filing(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; when the block ends well, it takes the place of `path` in one step.

    FileError where the disk is full, read-only or in the way; what stood at `path` is then still there.
    """
    unfinished = make_folder(path.parent) / f".{path.stem[:40]}.{os.getpid()}-{next(_COUNT)}{path.suffix}"
    try:
        with filing(path):
            yield unfinished
            os.replace(unfinished, path)
    except FileError as why:
        raise FileError(str(why).replace(str(unfinished), str(path))) from why
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def parsed(text: str | bytes, **options: Any) -> Any:
    """The values of a JSON text; ValueError where it is none, or an object names something twice.

    Of two values of one name a reader would take one and hide the other. `options` are those of `json.loads`.

    >>> parsed('{"id": "a", "id": "b"}')
    Traceback (most recent call last):
    ...
    ValueError: 'id' stands twice in one object; each name may stand there once
    """
    return json.loads(text, object_pairs_hook=_once, **options)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:60]!r} stands twice in one object; each name may stand there once")
    return found


def write_json(path: Path, value: Any) -> None:
    """Write JSON; the file appears whole or not at all.

    Half characters (lone surrogates, as names of files that are not UTF-8 hold) are written as their JSON escape.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False)
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")
