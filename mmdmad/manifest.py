"""From a manifest or a folder to cases: names, paths and slices. What is inside a part is not looked at here."""

import os
import stat
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any

from mmdmad.cases import Case, Cases, Modality, Part, Refusal
from mmdmad.errors import ManifestError
from mmdmad.files import left_by_others
from mmdmad.manifest_rows import Row, is_missing, rows_of, simulated
from mmdmad.modalities.base import BaseModality, by_suffix, modalities
from mmdmad.plain import plain

LABELS = {"0": 0, "false": 0, "normal": 0, "1": 1, "true": 1, "anomalous": 1, "0.0": 0, "1.0": 1}
MAX_ID = 200


def known_columns() -> tuple[str, ...]:
    """The columns that a manifest may have beside those of the user's own."""
    rates = [f"{m.name}_rate" for m in modalities().values() if m.rated]
    return ("id", "time", *part_columns(), "label", "split", "group", "recording", *rates)


def part_columns() -> tuple[str, ...]:
    """The columns that name a part.

    >>> part_columns()[:3]
    ('image', 'text', 'text_file')
    """
    return tuple(dict.fromkeys(name for m in modalities().values() for name in (m.name, m.path_column)))


class _Refused(Exception):
    """One value of a row cannot be used; becomes a Refusal."""


def read_manifest(manifest: Path, allow_outside: bool) -> Cases:
    """The cases of a CSV, Parquet or JSONL file; see `mmdmad.cases.read_cases`."""
    columns, rows = rows_of(manifest)
    _check_columns(manifest, columns)
    root = Path(os.path.realpath(manifest.absolute().parent))
    reader = _RowReader(root, None if allow_outside else root)
    for row in rows:
        reader.add(row)
    if not reader.seen:
        raise ManifestError(f"{manifest} lists no case: it has a header or blank lines only; add one row per case")
    return Cases(
        tuple(reader.cases),
        tuple(reader.refused),
        root,
        {"columns": reader.columns, "simulated": simulated(manifest), "manifest": manifest.name},
    )


def _check_columns(manifest: Path, columns: list[str]) -> None:
    known = known_columns()
    allowed = f"allowed are {', '.join(known)}"
    twice = sorted({c for c in columns if columns.count(c) > 1})
    if twice:
        raise ManifestError(f"{manifest} has the column {twice[0]!r} twice; {allowed}")
    for column in columns:
        word = column.strip().lower()
        # "idx" or "ids" is as close to "id" as "imgae" to "image", and common; short names must match but for case.
        near = [c for c in known if c == word] or get_close_matches(word, known[1:], 1, 0.8)
        if column not in known and near:
            raise ManifestError(f"{manifest} has an unknown column {column!r}; did you mean {near[0]!r}? {allowed}")
    if "id" not in columns:
        raise ManifestError(f"{manifest} has no column 'id'; it has {_short(', '.join(columns))}; {allowed}")
    if not set(columns) & set(part_columns()):
        raise ManifestError(f"{manifest} has none of the columns {', '.join(part_columns())}; a case needs a part")


def _short(words: str) -> str:
    return words if len(words) <= 120 else words[:117] + "..."


def split_slice(given: str) -> tuple[str, int | None, int | None]:
    """A path and the slice after its last "#".

    >>> split_slice("line.csv#10:20"), split_slice("line.csv#10:"), split_slice("line.csv")
    (('line.csv', 10, 20), ('line.csv', 10, None), ('line.csv', None, None))
    """
    path, mark, text = given.rpartition("#")
    if not mark:
        return given, None, None
    start_text, colon, stop_text = text.partition(":")
    if not colon or not all(t == "" or (t.isascii() and t.isdigit() and len(t) <= 18) for t in (start_text, stop_text)):
        raise ValueError(f"bad slice {_short('#' + text)!r}; write #start:stop with whole numbers from 0, as in #0:100")
    start, stop = int(start_text) if start_text else None, int(stop_text) if stop_text else None
    if stop is not None and stop <= (start or 0):
        raise ValueError(f"the slice {'#' + text!r} is empty: stop must be larger than start")
    return path, start, stop


class _RowReader:
    """Turns rows into cases and collects what is refused."""

    def __init__(self, base: Path, root: Path | None) -> None:
        self.base, self.root = base, root
        self.cases: list[Case] = []
        self.refused: list[Refusal] = []
        self.columns: dict[str, dict[str, Any]] = {}
        self.seen = 0
        self._row_of_id: dict[str, int] = {}
        self._known, self._modalities = frozenset(known_columns()), modalities()
        self._real = lru_cache(4096)(os.path.realpath)

    def add(self, row: Row) -> None:
        self.seen += 1
        values = row.values
        if not isinstance(values, Mapping):
            self.refused.append(Refusal(f"row {row.number}", "row", values, row.number))
            return
        try:
            case_id = _identifier(values.get("id"))
        except _Refused as why:
            self.refused.append(Refusal(f"row {row.number}", "id", str(why), row.number))
            return
        if case_id in self._row_of_id:
            first = self._row_of_id[case_id]
            raise ManifestError(f"rows {first} and {row.number} have the same id {case_id!r}; ids must differ")
        self._row_of_id[case_id] = row.number

        def take(name: str, convert: Any) -> Any:
            try:
                return None if is_missing(values.get(name)) else convert(values[name])
            except _Refused as why:
                self.refused.append(Refusal(case_id, name, str(why), row.number))
                return None

        rates: dict[str, float | None] = {
            m: take(f"{m}_rate", _rate) for m, one in self._modalities.items() if one.rated
        }
        parts: dict[Modality, Part] = {}
        listed = len(self.refused)
        for name, modality in self._modalities.items():
            try:
                part = self._part(modality, values, rates.get(name), case_id, row.number)
            except (_Refused, ValueError) as why:
                self.refused.append(Refusal(case_id, name, str(why), row.number))
                continue
            if part is not None:
                parts[name] = part
        if not parts and len(self.refused) == listed:
            self.refused.append(Refusal(case_id, "case", "the row names no part", row.number))
        if not parts:
            return
        when, label = take("time", _time), take("label", _label)
        split, group = take("split", _word), take("group", _word)
        recording = take("recording", _word) or self._behind(parts)
        self.cases.append(Case(case_id, parts, when, label, split, group, row.number, recording))
        others = {column: value for column, value in values.items() if column not in self._known}
        if others:
            self.columns[case_id] = others

    def _part(self, m: BaseModality, values: Mapping[str, Any], rate: float | None, case: str, row: int) -> Part | None:
        given, column = values.get(m.path_column), m.path_column
        if m.inline and not is_missing(value := values.get(m.name)):
            if not is_missing(given):
                raise _Refused(f"both {m.name} and {column} are given; give one of them")
            if not isinstance(value, str):
                raise _Refused(f"{m.name} must be a string, not {type(value).__name__}")
            return Part(m.name, value=value, case_id=case, row=row)
        if is_missing(given):
            return None
        if not isinstance(given, str):
            raise _Refused(f"{column} must be a path, not {type(given).__name__}")
        given = given.strip()
        # A file whose real name holds a "#" is taken as it stands; only then is "#start:stop" looked for.
        name, start, stop = (given, None, None) if self._plain(given) else split_slice(given)
        if not m.slices and (start is not None or stop is not None):
            others = ", ".join(f"{one.slices} of a {one.noun}" for one in self._modalities.values() if one.slices)
            raise _Refused(f"the {m.noun} cannot be sliced; #start:stop is for {others}")
        path = self.locate(name, m.folders)
        return Part(m.name, path, None, start, stop, case, row, rate, self.root)

    def _behind(self, parts: Mapping[Modality, Part]) -> str | None:
        """The file behind the first part that is a slice, relative to the manifest; None where no part is one."""
        for part in parts.values():
            if part.path is not None and (part.start is not None or part.stop is not None):
                return plain(Path(os.path.relpath(part.path, self.base)).as_posix())
        return None

    def _plain(self, given: str) -> bool:
        try:
            self.locate(given, folder_ok=True)
        except _Refused:
            return False
        return True

    def locate(self, name: str, folder_ok: bool) -> Path:
        """The real path of an existing file (or folder) inside the root; _Refused otherwise."""
        if not name or "\0" in name:
            raise _Refused(f"{_short(name)!r} is not a path")
        try:
            joined = os.path.join(self.base, name)
            parent, leaf = os.path.split(joined)
            real = os.path.join(self._real(parent), leaf)
            if leaf in ("", ".", "..") or os.path.islink(real):
                real = os.path.realpath(joined)
            if self.root is not None and not Path(real).is_relative_to(self.root):
                raise _Refused(
                    f"{_short(name)!r} leaves the manifest's folder; move it there or read with allow_outside=True"
                )
            mode = os.stat(real).st_mode
        except FileNotFoundError:
            raise _Refused(f"no such file: {_short(name)}") from None
        except (OSError, ValueError) as why:
            raise _Refused(f"{_short(name)!r} cannot be opened: {getattr(why, 'strerror', None) or why}") from None
        if stat.S_ISDIR(mode) and not folder_ok:
            allowed = " or ".join(f"a {one.noun}" for one in self._modalities.values() if one.folders)
            raise _Refused(f"{_short(name)!r} is a folder; only {allowed} may be one")
        if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
            raise _Refused(f"{_short(name)!r} is a pipe or a device, not a file")
        return Path(real)


def _identifier(value: Any) -> str:
    if is_missing(value):
        raise _Refused("the row has no id")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise _Refused(f"the id must be a word or a whole number, not {type(value).__name__}")
    text = str(value).strip()
    if len(text) > MAX_ID or not text.isprintable() or text in (".", ".."):
        raise _Refused(f"the id {_short(text)!r} is longer than {MAX_ID} characters, '.', '..' or not printable")
    return text


def _word(value: Any) -> str:
    if isinstance(value, dict | list):
        raise _Refused(f"must be a word, not {type(value).__name__}")
    return plain(str(value).strip())


def _label(value: Any) -> int:
    found = LABELS.get(str(value).strip().lower())
    if found is None:
        raise _Refused(f"label {_short(str(value))!r} is not 0, 1, normal or anomalous")
    return found


def _rate(value: Any) -> float:
    try:
        rate = float(value)
    except (TypeError, ValueError):
        rate = -1.0
    if not 1e-9 < rate < 1e9:
        raise _Refused(f"{_short(str(value))!r} is not a number of rows or frames per second")
    return rate


def _time(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
    if isinstance(value, date):
        return datetime.combine(value, time())
    try:
        return datetime.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        raise _Refused(f"time {_short(str(value))!r} is not an ISO 8601 time such as 2026-05-01T12:30:00Z") from None


def read_folder(folder: Path, allow_outside: bool) -> Cases:
    """The cases of a folder without a manifest: files of one name in one sub-folder are the parts of one case.

    Where two files of one name are of one kind (7.png, 7.jpg), each file of that name is a case of its own with its
    suffix in the id. What systems, viewers and cameras leave there is passed over; other files of unknown kinds are
    listed as refused.
    """
    root = Path(os.path.realpath(folder))
    reader = _RowReader(root, None if allow_outside else root)
    kinds, columns = by_suffix(), {name: one.path_column for name, one in modalities().items()}
    groups: dict[str, list[tuple[Modality, Path]]] = defaultdict(list)
    for at, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not left_by_others(f))
        for name in sorted(n for n in names if not left_by_others(n)):
            path = Path(at, name).relative_to(root)
            kind = kinds.get(path.suffix.lower())
            if kind is None:
                reader.refused.append(Refusal(path.as_posix(), "case", f"unknown kind of file {path.suffix!r}"))
            else:
                groups[path.with_suffix("").as_posix()].append((kind, path))
    number = 0
    for stem, members in groups.items():
        alone = len({kind for kind, _ in members}) < len(members)
        for chunk in [[member] for member in members] if alone else [members]:
            number += 1
            values = {columns[kind]: path.as_posix() for kind, path in chunk}
            parent = chunk[0][1].parent.as_posix()
            reader.add(
                Row(
                    number,
                    {
                        # Names of files are bytes: what is not UTF-8 in them is written out, the path stays as it is.
                        "id": plain(chunk[0][1].as_posix() if alone else stem),
                        "group": "" if parent == "." else parent,
                        **values,
                    },
                )
            )
    if not number:
        nouns = " or ".join(one.noun for one in modalities().values())
        raise ManifestError(f"{folder} holds no {nouns}; give a manifest or a folder of files")
    return Cases(tuple(reader.cases), tuple(reader.refused), root, {"columns": {}, "simulated": False})


def read_cases(path: str | PathLike[str], *, allow_outside: bool = False) -> Cases:
    """The cases that a manifest lists, or that a plain folder of files makes.

    A manifest is a `.csv` (or `.tsv`), `.parquet` or `.jsonl` file with one row per case and the columns `id`, `time`,
    `label`, `split`, `group`, `recording` (what the case was cut from, without one the file behind a slice; splits do
    not use it yet), one for each modality (`image`, `text` or `text_file`, `sensor`, `video`, and those that other
    packages bring), and `sensor_rate`, `video_rate` (rows or frames per second where a file does not say). Paths
    are relative to the manifest and may not leave its folder, not even through a symbolic link, unless `allow_outside`.
    A path may end in `#start:stop`: rows of a table, frames of a video, lines of a text file, counted from 0, `stop`
    not included. Other columns are kept in `Cases.extra["columns"]` as {case id: {column: value}};
    `Cases.extra["simulated"]` is True where a side file `<manifest name>.json` says {"simulated": true}.

    A folder with a manifest.csv, .tsv, .parquet or .jsonl is read through it. Any other folder is read file by file:
    files of one name in one sub-folder (a/7.png, a/7.txt) are the parts of one case "a/7" of group "a".

    Rows and parts that cannot be used are listed in `Cases.refused`; the rest goes on. ManifestError where the
    manifest itself cannot be read. The files' contents are not read here.
    """
    given = Path(path)
    if not given.is_dir():
        return read_manifest(given, allow_outside)
    for name in ("manifest.csv", "manifest.tsv", "manifest.parquet", "manifest.jsonl"):
        if (given / name).exists():
            return read_manifest(given / name, allow_outside)
    return read_folder(given, allow_outside)
