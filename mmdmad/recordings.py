"""From files as they lie there to recordings, and from windows back to a manifest that a person can read and edit."""

import csv
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmdmad.cases import Case, Cases, Modality, Part
from mmdmad.errors import ConfigError, ManifestError
from mmdmad.files import replacing
from mmdmad.log_pieces import beside, cure, is_log_name, is_packed_log
from mmdmad.manifest import part_columns, read_cases
from mmdmad.manifest_columns import lists_files, meant, names_files
from mmdmad.manifest_listed import is_bare_list, rows_with_files
from mmdmad.modalities.base import by_suffix, modalities, modality_of
from mmdmad.parts.log_times import is_log, tells_events
from mmdmad.parts.sensor_text import is_table
from mmdmad.plain import plain

JSON_LOGS = (".json", ".jsonl", ".ndjson")
"""Logs of one JSON object a line, where they are no manifests."""
LOGS = (".out", ".err")
"""What else programs call what they print: a log where its lines hold times."""
TABLES = (".dat", ".asc", ".prn", ".tab")
"""What else loggers call tables; other things in a folder are called so too, so only files that are named count."""
MANIFESTS = (".csv", ".tsv", ".txt", ".tab", ".parquet", ".json", ".jsonl", ".ndjson")


def recordings(
    data: Path | None = None,
    files: Mapping[Modality, Path] | None = None,
    *,
    rates: Mapping[Modality, float] | None = None,
    allow_outside: bool = False,
) -> Cases:
    """Recordings to be cut: the cases of a manifest or folder, one file as a case, or `files` as one case together.

    `rates` are rows or frames per second for files that do not say. ManifestError where there is nothing to read,
    ConfigError where a rate belongs to nothing that has one.
    """
    files, rates = files or {}, rates or {}
    for name, rate in rates.items():
        if not modality_of(name).rated or not 1e-9 < rate < 1e9:
            rated = ", ".join(m.name for m in modalities().values() if m.rated)
            raise ConfigError(f"a rate of {rate:g} for {name} was given; give rows or frames a second of {rated}")
    if data is None and not files:
        raise ManifestError("no recording was given; name files (sensor, text, video), or a manifest or folder of them")
    if data is not None and files:
        raise ManifestError("both a manifest or folder and single files were given; give one of them")
    if data is None:
        return _together(files, rates)
    if not data.exists():
        raise ManifestError(f"no such file or folder: {data}")
    if data.is_dir() or is_manifest(data):
        found = read_cases(data, allow_outside=allow_outside)
        items = tuple(_rated(case, rates) for case in found)
        return Cases(items, found.refused, found.root, found.extra)
    kind = kind_of(data)
    if kind is None:
        raise ManifestError(
            f"{data} is neither a manifest nor a recording; its suffix is {data.suffix or 'missing'!r}"
            "; if it is a log, call it .log"
        )
    alone, root = _together({kind: data}, rates), Path(os.path.realpath(data)).parent
    items = tuple(replace(c, parts={n: replace(p, root=root) for n, p in c.parts.items()}) for c in alone)
    return Cases(items, (), root, {**alone.extra, "manifest": data.name})


def kind_of(path: Path) -> Modality | None:
    """The modality of a bare file by its suffix, a log of JSON lines among them; None where no modality has it.

    Under the suffixes that loggers give to tables and others to texts (.txt, .dat), what the file holds decides; files
    without one (or called .out, .err, .1) are logs where they are called so (syslog) or their lines hold times, and
    they are no table.

    >>> kind_of(Path("a.csv")), kind_of(Path("a.jsonl")), kind_of(Path("a.exe"))
    ('sensor', 'text', None)
    """
    suffix = path.suffix.lower()
    if suffix in (".txt", *TABLES) and path.is_file() and is_table(path) and not tells_events(path):
        return "sensor"
    written = next((name for name, one in modalities().items() if one.written), None)
    if known := by_suffix().get(suffix) or (written if suffix in JSON_LOGS else None):
        return known
    if is_packed_log(path.name):
        return written
    if not path.is_file() or not (suffix in LOGS or suffix[1:].isdigit() or not suffix):
        return None
    return written if is_log_name(path.name) or (is_log(path) and not is_table(path)) else None


def is_manifest(path: Path) -> bool:
    """Whether a file lists cases: it has a column "id" and one that names a part, or such under other names with files.

    ManifestError where it lists files that are there, and two of its columns may mean the same, or has no header.
    """
    if path.suffix.lower() not in MANIFESTS:
        return False
    if is_bare_list(path):
        raise ManifestError(
            f"{path} lists files and has no header; write it as CSV with commas, under the line 'image,label' (or what "
            "else its columns hold: sensor, text_file, video, split), a row a case"
        )
    try:
        table = rows_with_files(path)
    except ManifestError:
        return False
    columns = set(table.columns)
    if "id" in columns and columns & set(part_columns()):
        return True
    if not (names_files(path) or lists_files(path)):
        return False
    known = set(meant(path, table.columns, lambda: rows_with_files(path).rows).columns(table.columns))
    return "id" in known and bool(known & set(part_columns()))


def _together(files: Mapping[Modality, Path], rates: Mapping[Modality, float]) -> Cases:
    for name, path in files.items():
        modality_of(name)
        if not path.exists():
            raise ManifestError(f"no such file: {path}")
    # The table gives a recording its name, for it is the part that all others are set against.
    stem = plain(files["sensor" if "sensor" in files else min(files)].stem)
    made = {name: Part(name, Path(os.path.realpath(path)), case_id=stem) for name, path in files.items()}
    notes = tuple(
        f"{plain(path.name)}: earlier pieces of this log lie beside it, unread; "
        + plain(cure(path.name, pieces, path.parent))
        for name, path in files.items()
        if modality_of(name).written and (pieces := beside(path))
    )
    return Cases((_rated(Case(stem, made), rates),), extra={"columns": {}, "simulated": False, "notes": notes})


def _rated(case: Case, rates: Mapping[Modality, float]) -> Case:
    if not rates:
        return case
    parts = {n: replace(p, rate=rates[n]) if n in rates and p.rate is None else p for n, p in case.parts.items()}
    return replace(case, parts=parts)


def write_cases(cases: Cases, out: Path) -> Path:
    """Write cases whose parts are files as a manifest (.csv), with paths relative to it; gives its path.

    ManifestError where it is no .csv, or a part lies in memory. A file that is there is replaced as a whole.
    """
    if out.suffix.lower() != ".csv":
        raise ManifestError(f"{out} was given; a manifest that is written ends in .csv")
    base = Path(os.path.realpath(out.absolute().parent))
    others = cases.extra.get("columns") or {}
    rows = [_row(case, base, others.get(case.id, {})) for case in cases]
    names = dict.fromkeys(name for row in rows for name in row)
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(names), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return out


def _row(case: Case, base: Path, others: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"id": case.id}
    if case.time is not None:
        row["time"] = case.time.isoformat()
    for name, part in case.parts.items():
        row.update(_cells(case, name, part, base))
    given = {"label": case.label, "split": case.split, "group": case.group, "recording": case.recording}
    row.update({name: value for name, value in given.items() if value is not None})
    return {**row, **{name: value for name, value in others.items() if name not in row}}


def _cells(case: Case, name: Modality, part: Part, base: Path) -> Iterator[tuple[str, Any]]:
    kind = modality_of(name)
    if part.path is None:
        if not kind.inline or not isinstance(part.value, str):
            raise ManifestError(f"the {name} of case {case.id!r} lies in memory; only files can be listed")
        yield name, part.value
        return
    path = os.path.relpath(os.path.realpath(part.path), base).replace(os.sep, "/")
    whole = part.start is None and part.stop is None
    yield kind.path_column, path if whole else f"{path}#{part.start or 0}:{'' if part.stop is None else part.stop}"
    if kind.rated and part.rate is not None:
        yield f"{name}_rate", part.rate
