"""From the rows of a manifest or the files of a folder to cases: each cell is read, or refused by name."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmdmad.cases import Case, Cases, Modality, Part, Refusal
from mmdmad.errors import ManifestError
from mmdmad.labels import Labels, read_labels, unused
from mmdmad.manifest_paths import Folders, spelt, tails
from mmdmad.manifest_rows import Row, is_missing
from mmdmad.manifest_times import NoTime, is_dotted, is_slashed, slashed, time_of
from mmdmad.modalities.base import BaseModality, modalities
from mmdmad.plain import plain
from mmdmad.roles import counted, said, split_of

MAX_ID = 200
FEW = 3
"""Cells of one column that are refused one by one; more are told in one line."""
_NOTHING = frozenset(("nan", "nat", "<na>", "n/a", "null", "none", "#n/a"))
"""What tables write into cells where nothing is."""


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


def short(words: str) -> str:
    """Words as a message quotes them: at most 120 characters."""
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
        raise ValueError(f"bad slice {short('#' + text)!r}; write #start:stop with whole numbers from 0, as in #0:100")
    start, stop = int(start_text) if start_text else None, int(stop_text) if stop_text else None
    if stop is not None and stop <= (start or 0):
        raise ValueError(f"the slice {'#' + text!r} is empty: stop must be larger than start")
    return path, start, stop


class RowReader:
    """Turns rows into cases and collects what is refused; what concerns a whole column is said once, in `cases_of`."""

    def __init__(self, base: Path, root: Path | None) -> None:
        self.base, self.root = base, root
        self.cases: list[Case] = []
        self.refused: list[Refusal] = []
        self.columns: dict[str, dict[str, Any]] = {}
        self.notes: list[str] = []
        self.seen = 0
        self._row_of_id: dict[str, int] = {}
        self._given_labels: dict[str, Any] = {}
        self._bad_cells: dict[str, list[Refusal]] = {}
        self._renamed: set[str] = set()
        self._elsewhere: dict[str, str] = {}
        self._in_letters: dict[str, str] = {}
        self._folders = Folders(str(base))
        self._dotted = False
        self._slashed: dict[str, str] = {}
        self.order: str | None = None
        self._known, self._modalities = frozenset(known_columns()), modalities()
        self._real = lru_cache(4096)(os.path.realpath)

    def add(self, row: Row) -> None:
        """Read one row, or list why it cannot be."""
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
            raise ManifestError(
                f"rows {first} and {row.number} have the same id {case_id!r}; ids must differ{_rounded(case_id)}"
            )
        self._row_of_id[case_id] = row.number

        def take(name: str, convert: Any) -> Any:
            try:
                return None if _is_blank(values.get(name)) else convert(values[name])
            except (_Refused, NoTime) as why:
                self._bad_cells.setdefault(name, []).append(Refusal(case_id, name, str(why), row.number))
                return None

        parts: dict[Modality, Part] = {}
        listed = len(self.refused)
        for name, modality in self._modalities.items():
            try:
                part = self._part(modality, values, case_id, row.number)
            except (_Refused, ValueError) as why:
                self.refused.append(Refusal(case_id, name, str(why), row.number))
                continue
            if part is not None:
                parts[name] = part
        if not parts and len(self.refused) == listed:
            self.refused.append(Refusal(case_id, "case", "the row names no part", row.number))
        if not parts:
            return
        late = is_slashed(values.get("time"))
        if late:  # decided over the whole column
            self._slashed[case_id] = str(values["time"])
        when = None if late else take("time", lambda value: time_of(value, values.get("date")))
        self._dotted |= when is not None and is_dotted(values["time"])
        split, group = take("split", _word), take("group", _word)
        if not _is_blank(values.get("label")):
            self._given_labels[case_id] = values["label"]
        recording = take("recording", _word) or self._behind(parts)
        self.cases.append(
            Case(case_id, parts, when, None, split and (split_of(split) or split), group, row.number, recording)
        )
        others = {column: value for column, value in values.items() if column not in self._known}
        if others:
            self.columns[case_id] = others

    def cases_of(self, **extra: Any) -> Cases:
        """The cases of all rows: labels read over their column, times held against each other, notes taken."""
        labels = read_labels(self.columns, self._given_labels)
        self._with_slashes()
        late = self._without_zone()
        told = labels.labels if labels is not None else {}
        items = (
            replace(c, label=told.get(c.id), time=None if c.id in late else c.time)
            if c.id in told or c.id in late
            else c
            for c in self.cases
        )
        if labels is not None:
            if labels.column != "label" and not labels.question:
                self.notes.append(labels.note)
            self._bad_cells.setdefault("label", []).extend(self._unread(labels))
        if beside := unused(self.columns, labels):
            self.notes.append(beside)
        if self._dotted:
            self.notes.append("times with dots in their dates are read with the day first")
        if self._renamed:
            backslashed = sum("\\" in name for name in self._renamed)
            if backslashed:
                self.notes.append(f"{backslashed} files were found by paths with backslashes, read as slashes")
            if len(self._renamed) > backslashed:
                others = len(self._renamed) - backslashed
                self.notes.append(f"{others} files were found under names in another encoding")
        if self._in_letters:
            first, there = next(iter(self._in_letters.items()))
            self.notes.append(
                f"{counted(len(self._in_letters), 'file')} found under names that differ by capital letters alone, the "
                f"first {plain(there)!r} for {short(first)!r}"
            )
        if self._elsewhere:
            count = len(self._elsewhere)
            self.notes.append(
                f"{count} files named by paths of another machine were found by the ends of these, below the manifest"
            )
        refused = (*self.refused, *(r for column, cells in self._bad_cells.items() for r in _told(column, cells)))
        made = {"columns": self.columns, "simulated": False, "labels": labels, "notes": tuple(self.notes), **extra}
        return Cases(tuple(items), refused, self.root or self.base, made)

    def _with_slashes(self) -> None:
        """Gives cases whose times have slashes in their dates these times, in the order that the column decides."""
        times, bad, note = slashed(self._slashed, self.order)
        self.cases = [replace(case, time=times[case.id]) if case.id in times else case for case in self.cases]
        cells = [Refusal(case, "time", why, self._row_of_id[case]) for case, why in bad.items()]
        if cells:
            self._bad_cells.setdefault("time", []).extend(cells)
        self.notes += [note] if note else []

    def _unread(self, labels: Labels) -> Iterator[Refusal]:
        for word, ids in labels.unread.items():
            for case_id in ids:
                reason = (
                    f"{short(word)!r} of column {labels.column!r} says neither normal nor faulty; allowed are 0 and 1, "
                    "good and bad, ok and nok, normal and anomalous, pass and fail (yes and no where the name asks)"
                )
                yield Refusal(case_id, "label", reason, self._row_of_id[case_id])

    def _without_zone(self) -> set[str]:
        """Cases whose time has no offset from UTC though others have one: nobody knows where they belong."""
        timed = [case for case in self.cases if case.time is not None]
        naive = [case for case in timed if case.time is not None and case.time.tzinfo is None]
        if len(naive) in (0, len(timed)):
            return set()
        reason = (
            f"the time has no offset from UTC, as {len(timed) - len(naive)} others have; it is left out: write all "
            "times with one, or all without"
        )
        cells = self._bad_cells.setdefault("time", [])
        cells += [Refusal(case.id, "time", reason, case.row) for case in naive]
        return {case.id for case in naive}

    def _part(self, m: BaseModality, values: Mapping[str, Any], case: str, row: int) -> Part | None:
        given, column = values.get(m.path_column), m.path_column
        # A rate that cannot be read takes its part with it: at a usual rate it would be judged, and wrongly.
        given_rate = values.get(f"{m.name}_rate") if m.rated else None
        rate = None if _is_blank(given_rate) else _rate(given_rate)
        if m.inline and not is_missing(value := values.get(m.name)):
            if not is_missing(given):
                raise _Refused(f"both {m.name} and {column} are given; give one of them")
            if not isinstance(value, str):
                raise _Refused(f"{m.name} must be a string, not {type(value).__name__}")
            return Part(m.name, value=value, case_id=case, row=row)
        if is_missing(given) or (isinstance(given, str) and _is_blank(given) and not self._plain(given.strip())):
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
            raise _Refused(f"{short(name)!r} is not a path")
        try:
            real = self._real_path(name)
            if not os.path.lexists(real):
                other = next((one for one in map(self._real_path, spelt(name)) if os.path.lexists(one)), None)
                if other is not None:
                    real = other
                    self._renamed.add(name)
                elif len(near := self._folders.in_other_letters(name)) == 1:
                    real = self._real_path(near[0])
                    self._in_letters[name] = near[0]
                elif ends := tails(name):
                    real = self._from_elsewhere(name, ends)
            if self.root is not None and not Path(real).is_relative_to(self.root):
                raise _Refused(
                    f"{short(name)!r} leaves the manifest's folder; move it there or read with allow_outside=True"
                )
            mode = os.stat(real).st_mode
        except FileNotFoundError:
            above = os.path.lexists(os.path.join(self.base.parent, name))
            cure = "; it lies there from the folder above: put the manifest into that" if above else ""
            near = [] if above else self._folders.in_other_letters(name) or self._folders.of_same_stem(name)
            there = f"; there is {said(map(plain, near), 3)} instead: write that" if near else ""
            raise _Refused(f"no such file: {short(name)}{cure}{there}") from None
        except (OSError, ValueError) as why:
            raise _Refused(f"{short(name)!r} cannot be opened: {getattr(why, 'strerror', None) or why}") from None
        if stat.S_ISDIR(mode) and not folder_ok:
            allowed = " or ".join(f"a {one.noun}" for one in self._modalities.values() if one.folders)
            raise _Refused(f"{short(name)!r} is a folder; only {allowed} may be one")
        if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
            raise _Refused(f"{short(name)!r} is a pipe or a device, not a file")
        return Path(real)

    def _from_elsewhere(self, name: str, ends: list[str]) -> str:
        """The file below the manifest that the longest end of another machine's path names; _Refused where none is."""
        cure = "write paths from the manifest's own folder (images/1.png)"
        paths = (self._real_path(one) for end in ends for one in (end, *spelt(end)))
        found = next((real for real in paths if os.path.lexists(real)), None)
        if found is None:
            raise _Refused(f"no such file: {short(name)}, a path of another machine; {cure}")
        first = self._elsewhere.setdefault(found, name)
        if first != name:
            raise _Refused(f"{short(name)!r} would be {os.path.basename(found)!r}, as is {short(first)!r}; {cure}")
        return found

    def _real_path(self, name: str) -> str:
        joined = os.path.join(self.base, name)
        parent, leaf = os.path.split(joined)
        real = os.path.join(self._real(parent), leaf)
        return os.path.realpath(joined) if leaf in ("", ".", "..") or os.path.islink(real) else real


def _is_blank(value: Any) -> bool:
    """Whether a cell that names or counts something is left empty, or says that nothing is there."""
    return is_missing(value) or (isinstance(value, str) and value.strip().lower() in _NOTHING)


def _told(column: str, cells: list[Refusal]) -> list[Refusal]:
    """Refusals of the cells of one column; many are told in one line, that of the first."""
    if len(cells) <= FEW:
        return cells
    first = cells[0]
    reason = f"{len(cells)} cells cannot be used; the first, of row {first.row} (case {first.case_id}): {first.reason}"
    return [Refusal(f"column {column}", column, reason, first.row)]


def _identifier(value: Any) -> str:
    if _is_blank(value):
        raise _Refused("the row has no id")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise _Refused(f"the id must be a word or a whole number, not {type(value).__name__}")
    text = str(value).strip()
    if len(text) > MAX_ID or not text.isprintable() or text in (".", ".."):
        raise _Refused(f"the id {short(text)!r} is longer than {MAX_ID} characters, '.', '..' or not printable")
    return text


def _word(value: Any) -> str:
    if isinstance(value, dict | list):
        raise _Refused(f"must be a word, not {type(value).__name__}")
    return plain(str(value).strip())


def _rate(value: Any) -> float:
    try:
        rate = float(value)
    except (TypeError, ValueError, OverflowError):
        rate = -1.0
    if not 1e-9 < rate < 1e9:
        raise _Refused(f"{short(str(value))!r} is not a number of rows or frames per second")
    return rate


def _rounded(case_id: str) -> str:
    """What to do where equal ids are long numbers that a spreadsheet has shortened.

    >>> _rounded("4.00638E+12").split(";")[0], _rounded("a-17")
    (': a spreadsheet has rounded long numbers', '')
    """
    if re.fullmatch(r"\d[.,]?\d*[eE]\+\d{1,2}", case_id) is None:
        return ""
    return (
        ": a spreadsheet has rounded long numbers; format the column as text and export it anew, or leave the column "
        "out (the names of files are then the ids)"
    )
