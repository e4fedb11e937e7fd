"""Lists that name files without their endings ("ISIC_0024300"): which column does, and the files that are meant."""

import csv
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mmdmad.errors import ManifestError
from mmdmad.files import left_by_others
from mmdmad.manifest_columns import FEW, MEANINGS, PATH, sounds_like_time
from mmdmad.manifest_rows import Row, Rows, is_missing, rows_of
from mmdmad.modalities.base import by_suffix, modalities
from mmdmad.roles import MASK, asks_of, roles_of, sounds_like_labels

HEAD, LINES = 8 * 2**20, 60
"""Bytes of a list that are looked through for names, and the first lines of it of which half must hold one."""
MOST, DEEP = 50_000, 5
"""Files and folders below a list that are looked at for the files that it may name."""
SOME, ENOUGH = 4, 5
"""One different name in so many lines: a list may name a file in several rows, and a column of states repeats a few;
and the fewest names of a list that holds others besides."""
_COUNTS = frozenset(("idx", "nr", "no", "number", "nummer", "numero", "número", "index", "key"))
"""Names of columns that count rows in tables of readings too."""
_CALLED = re.compile(r"(^|_)(id|ids|code|name|file|image|img|picture|photo|scan|slide|study|patientid|imageid)$")


@dataclass(frozen=True, eq=False)
class Names:
    """What files are called, in small letters: with endings (`whole`), without and by their folders (`stems`).

    >>> names = Names.of(["a/P1_left.png", "a/P1_right.png"])
    >>> [names.names(cell) for cell in ("P1_left.png", "p1_left", "x/P1_right", "P1", "a", "left")]
    [True, True, True, True, True, False]
    """

    whole: frozenset[str]
    stems: frozenset[str]
    count: int

    @classmethod
    def of(cls, files: Collection[str]) -> "Names":
        """The names of some files, given by their paths; what stands before a mark counts as one (P1 of P1_left)."""
        whole, stems = set(), set()
        for file in files:
            above, _, leaf = file.replace("\\", "/").casefold().rpartition("/")
            stem = leaf.rpartition(".")[0] or leaf
            whole.add(leaf)
            stems |= {stem, *(stem[: mark.start()] for mark in re.finditer(r"(?<=\w)[ _.-]", stem))}
            stems |= {above.rpartition("/")[2]} if above else set()
        return cls(frozenset(whole), frozenset(stems - {""}), len(whole))

    def names(self, cell: str) -> bool:
        """Whether a cell names one of the files or folders, wherever it says that they lie."""
        leaf = _leaf(cell)
        return leaf in self.whole or leaf in self.stems


def lists_names(path: Path, files: Collection[str]) -> bool:
    """Whether a table or text lists files by their names, with endings or without; `files` are theirs.

    Half of its first lines must name one, or its lines together half of the files, and five. Numbers count only where
    they begin with a zero, under a name of ids, or beside a column of labels: rows of readings are numbered too.
    """
    names = Names.of([file for file in files if Path(file).name.casefold() != path.name.casefold()])
    rows = _rows(path)
    return (
        names.count > 0 and len(rows) > 1 and any(_lists(rows, at, names) for at in range(max(map(len, rows[:LINES]))))
    )


def _lists(rows: Sequence[Sequence[str]], at: int, names: Names) -> bool:
    """Whether the cells at one place of the rows name files."""
    header = rows[0][at] if at < len(rows[0]) else ""
    cells = [row[at] for row in rows if at < len(row) and row[at]]
    if sounds_like_time(header):
        return False
    counts = _of_ids(header, rows[0])
    first = [cell for cell in cells[:LINES] if names.names(cell) and (counts or not _is_number(cell))]
    if len(first) >= 2 and 2 * len(first) >= min(len(rows), LINES) - 1 and SOME * len(set(first)) >= len(first):
        return len(set(first)) > 1
    hits = {_leaf(cell) for cell in cells if names.names(cell) and (counts or not _is_number(cell))}
    return len(hits) >= ENOUGH and 2 * len(hits) >= names.count


def _of_ids(header: str, columns: Sequence[str]) -> bool:
    """Whether numbers under this name are ids: it says so, or a column beside it holds labels."""
    word = re.sub(r"[\W_]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", header.strip()).casefold()).strip("_")
    called = word in (MEANINGS["id"] | MEANINGS["image"] | MEANINGS[PATH]) - _COUNTS or _CALLED.search(word)
    return bool(called) or any(asks_of(one) or sounds_like_labels(one) or one.lower() == "label" for one in columns)


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"0|0?[.,]\d+|[1-9]\d*(?:[.,]\d+)?|[-+].*", cell.strip()) is not None


def _leaf(cell: str) -> str:
    return re.split(r"[/\\]", cell.strip().rstrip("/\\"))[-1].casefold()


def _rows(path: Path) -> list[list[str]]:
    """The cells of the first lines of a table or text, its header among them; none where it cannot be read."""
    try:
        if not path.is_file():
            return []
        if path.suffix.lower() == ".parquet":
            table = rows_of(path)
            held = (row.values for row in islice(table.rows, 20_000) if isinstance(row.values, Mapping))
            cells = [["" if is_missing(one) else str(one).strip() for one in row.values()] for row in held]
            return [table.columns, *cells]
        with path.open("rb") as file:
            data = file.read(HEAD)
    except (OSError, ManifestError):
        return []  # what cannot be read is refused when it is
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    lines = data.decode("utf-16" if wide else "utf-8-sig", "replace").replace("\0", "").splitlines()
    lines = [line for line in lines if line.strip()]
    mark = max(
        (",", ";", "\t", "|", " "), key=lambda one: sum(line.count(one) for line in lines[:LINES]) - (one == " ")
    )
    try:
        return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=mark)]
    except csv.Error:
        return []


def rows_with_files(manifest: Path) -> Rows:
    """The rows of a manifest; where no column names files but one names them without endings, with the files' columns.

    The column becomes the ids where there are none. A name that several files have is left as it is, and refused.
    ManifestError where the manifest cannot be read as a whole.
    """
    table = rows_of(manifest)
    held = [row.values for row, _ in zip(rows_of(manifest).rows, range(LINES)) if isinstance(row.values, Mapping)]
    sample = {
        column: [str(row[column]).strip() for row in held if not is_missing(row.get(column))]
        for column in table.columns
    }
    if _is_complete(sample) or any(_names_kinds(v) and not _are_leaves(manifest, v) for v in sample.values()):
        return table
    open_ones = [c for c in table.columns if _may_name(c, sample[c], table.columns)]
    below = _below(manifest) if open_ones else {}
    column = next((c for c in open_ones if _resolves(sample[c], below)), None)
    if column is None or any(_there(manifest, value) for value in sample[column][:FEW]):
        return table
    kinds = sorted({kind for value in sample[column] for kind in below.get(_leaf(value), {})})
    own = "id" in table.columns or any(c.strip().lower() in MEANINGS["id"] for c in table.columns if c != column)
    named = column if own or column in kinds else "id"
    columns = list(
        dict.fromkeys([*([] if own else ["id"]), *(named if c == column else c for c in table.columns), *kinds])
    )

    def rows() -> Iterator[Row]:
        for row in table.rows:
            if isinstance(row.values, str):
                yield row
                continue
            name = row.values.get(column)
            values = {named if c == column else c: value for c, value in row.values.items()}
            values |= {} if own else {"id": name}
            if not is_missing(name):
                files = below.get(_leaf(str(name)), {})
                one = {kind: there[0] for kind, there in files.items() if len(there) == 1}
                values |= one or dict.fromkeys(kinds[:1], name)
            yield Row(row.number, values)

    note = f"column {column!r} names files without their folders or endings: they were found below the manifest"
    return Rows(columns, rows(), (*table.notes, note))


def is_bare_list(path: Path) -> bool:
    """Whether a text holds nothing but names of files, a line each with what belongs to them, and no header."""
    if path.suffix.lower() != ".txt":
        return False
    rows = _rows(path)[: 10 * LINES]
    return len(rows) > 1 and all(row and Path(row[0]).suffix.lower() in by_suffix() for row in rows)


def _is_complete(sample: Mapping[str, Sequence[str]]) -> bool:
    """Whether a manifest holds ids and texts in its cells: no files are looked for."""
    inline = {one.name for one in modalities().values() if one.inline}
    return "id" in sample and any(sample.get(name) for name in inline)


def _names_kinds(values: Sequence[str]) -> bool:
    known = sum(Path(value.partition("#")[0].replace("\\", "/")).suffix.lower() in by_suffix() for value in values)
    return 2 * known >= len(values) > 0


def _are_leaves(manifest: Path, values: Sequence[str]) -> bool:
    """Whether names with endings say no folder and are not beside the list: they lie in a folder below."""
    return not any(re.search(r"[/\\#]", value) or _there(manifest, value) for value in values)


def _may_name(column: str, values: Sequence[str], columns: Sequence[str]) -> bool:
    """Whether a column may name a file a row: words, or numbers of ids, nearly all of them different."""
    if len(values) < 2 or sounds_like_time(column) or SOME * len(set(values)) < 3 * len(values):
        return False
    words = sum(not _is_number(value) and len(value) < 200 for value in values)
    return 2 * words >= len(values) or _of_ids(column, columns)


def _resolves(values: Sequence[str], below: Mapping[str, Mapping[str, Sequence[str]]]) -> bool:
    return 2 * sum(_leaf(value) in below for value in values) >= len(values)


def _there(manifest: Path, value: str) -> bool:
    return "\0" not in value and os.path.lexists(os.path.join(manifest.parent, value.replace("\\", "/")))


def _below(manifest: Path) -> dict[str, dict[str, list[str]]]:
    """Files below the folder of a manifest by their names without endings, and by the column of their kind.

    Masks are none of them. {} where there are more files than are looked at.
    """
    base, seen = os.path.realpath(manifest.absolute().parent), 0
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    columns = {suffix: modalities()[kind].path_column for suffix, kind in by_suffix().items()}
    for at, folders, names in os.walk(base):
        seen += len(folders) + len(names)
        if seen > MOST:
            return {}
        way = os.path.relpath(at, base)
        deep = way.count(os.sep) + 1 >= DEEP
        folders[:] = sorted(
            f for f in folders if not deep and not left_by_others(f) and MASK not in (roles_of(f) or ())
        )
        for name in sorted(names):
            stem, suffix = os.path.splitext(name)
            path = os.path.normpath(os.path.join(way, name))
            if (
                suffix.lower() in columns
                and not left_by_others(name)
                and os.path.join(base, path) != str(manifest.resolve())
            ):
                for known in (stem, name):
                    found[known.casefold()][columns[suffix.lower()]].append(path.replace(os.sep, "/"))
    return found
