"""From a manifest or a folder to cases: names, paths and slices. What is inside a part is not looked at here."""

import os
from difflib import get_close_matches
from os import PathLike
from pathlib import Path

from mmdmad.case_reader import RowReader, known_columns, part_columns, short, split_slice
from mmdmad.cases import Cases
from mmdmad.errors import ManifestError
from mmdmad.folder import read_folder
from mmdmad.manifest_columns import meant
from mmdmad.manifest_listed import rows_with_files
from mmdmad.manifest_rows import simulated

__all__ = ["known_columns", "part_columns", "read_cases", "read_manifest", "split_slice"]


def read_manifest(manifest: Path, allow_outside: bool) -> Cases:
    """The cases of a CSV, Parquet or JSONL file; see `mmdmad.manifest.read_cases`."""
    table = rows_with_files(manifest)
    known = meant(manifest, table.columns, lambda: rows_with_files(manifest).rows)
    _check_columns(manifest, known.columns(table.columns))
    root = Path(os.path.realpath(manifest.absolute().parent))
    reader = RowReader(root, None if allow_outside else root)
    reader.notes += (*table.notes, *known.notes)
    reader.order = known.order
    for row in table.rows:
        reader.add(known.row(row))
    if not reader.seen:
        raise ManifestError(f"{manifest} lists no case: it has a header or blank lines only; add one row per case")
    return reader.cases_of(simulated=simulated(manifest), manifest=manifest.name)


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
        raise ManifestError(
            f"{manifest} has no column 'id'; it has {short(', '.join(columns))}; {allowed}. "
            "Is it a recording? --window 60s (or auto) cuts it into cases"
        )
    if not set(columns) & set(part_columns()):
        raise ManifestError(f"{manifest} has none of the columns {', '.join(part_columns())}; a case needs a part")


def read_cases(path: str | PathLike[str], *, allow_outside: bool = False) -> Cases:
    """The cases that a manifest lists, or that a plain folder of files makes.

    A manifest is a `.csv`, `.tsv`, `.txt`, `.parquet`, `.jsonl` or `.json` (one list) file with one row per case and
    the columns `id`, `time`, `label`, `split`, `group`, `recording` (what the case was cut from, without one the file
    behind a slice; fits keep recordings whole), one for each modality (`image`, `text` or `text_file`, `sensor`,
    `video`, and those that other packages bring), and `sensor_rate`, `video_rate` (rows or frames per second where a
    file does not say).
    Paths are relative to the manifest and may not leave its folder, not even through a symbolic link, unless
    `allow_outside`.
    A path may end in `#start:stop`: rows of a table, frames of a video, lines of a text file, counted from 0, `stop`
    not included. Other columns are kept in `Cases.extra["columns"]` as {case id: {column: value}};
    `Cases.extra["simulated"]` is True where a side file `<manifest name>.json` says {"simulated": true}.

    A folder with a manifest.csv, .tsv, .parquet or .jsonl is read through it. Any other folder is read file by file:
    files of one name in one sub-folder (a/7.png, a/7.txt) are the parts of one case "a/7" of group "a". The names of
    folders say `split` and `label` (train, test, good, bad, … in their usual words) and which files are masks
    (`extra["masks"]`); which cases a fit learns from, `mmdmad.learning.to_learn` says.

    Splits and labels are read in their usual words ("Training", "n.i.O."), labels also from a column such as
    `defective`; a manifest without `id` or a part has its columns looked for under other names ("Teil", "Bild",
    "path"). Rows, parts and cells that cannot be used are listed in `Cases.refused`; the rest goes on, and what was
    decided on the way, names that count among it, stands in `extra["notes"]`. ManifestError where the manifest itself
    cannot be read. The files' contents are not read here.
    """
    given = Path(path)
    if not given.is_dir():
        return read_manifest(given, allow_outside)
    for name in ("manifest.csv", "manifest.tsv", "manifest.parquet", "manifest.jsonl"):
        if (given / name).exists():
            return read_manifest(given / name, allow_outside)
    return read_folder(given, allow_outside)
