"""What the converters share: finding a set's folder, and writing a manifest that refers to the source files by path.

A converter copies no pictures. It writes `manifest.csv` (read it with `read_cases(path, allow_outside=True)`), a side
file `manifest.json` that says where the data come from, and small sensor tables where the source is one big table.
Training rows are normal; labels are for measuring only and never reach `fit`.
"""

import csv
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mmdmad.errors import ManifestError

COLUMNS = ("id", "time", "image", "text", "sensor", "video", "video_rate", "label", "split", "group")


def source(data: str | Path, name: str, needs: Iterable[str] = ()) -> Path:
    """The folder `data`/`name`, with the files it must hold; ManifestError names what is expected and not there."""
    folder = Path(data) / name
    missing = [n for n in needs if not (folder / n).exists()]
    if not folder.is_dir():
        raise ManifestError(f"no folder {folder}; the set {name!r} is expected there (give its parent as --data)")
    if missing:
        raise ManifestError(f"{folder} lacks {', '.join(missing)}; the set {name!r} needs {', '.join(needs)}")
    return folder


def link(path: Path, out: Path, rows: tuple[int, int] | None = None) -> str:
    """`path` relative to the manifest's folder `out`, with an optional `#start:stop` slice.

    >>> link(Path("/data/a.csv"), Path("/runs/m"), (0, 60))
    '../../data/a.csv#0:60'
    """
    relative = os.path.relpath(Path(path).absolute(), Path(out).absolute()).replace(os.sep, "/")
    return relative if rows is None else f"{relative}#{rows[0]}:{rows[1]}"


def write_manifest(out: Path, rows: Iterable[Mapping[str, Any]], about: Mapping[str, Any]) -> Path:
    """Write `manifest.csv` (columns that are empty throughout are left out) and `manifest.json`; gives the path."""
    rows = list(rows)
    if not rows:
        raise ManifestError("the source holds no cases; nothing was written")
    extra = [k for k in dict.fromkeys(k for row in rows for k in row) if k not in COLUMNS]
    used = [c for c in (*COLUMNS, *extra) if any(row.get(c) not in (None, "") for row in rows)]
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "manifest.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, used, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in rows)
    (out / "manifest.json").write_text(json.dumps({"simulated": False, **about}, indent=1))
    return out / "manifest.csv"


def windows(first: int, last: int, rows: int, step: int) -> list[tuple[int, int]]:
    """Slices of `rows` rows from `first` to before `last`, every `step` rows; the last one ends with the stretch.

    >>> windows(0, 11, 4, 4), windows(0, 3, 4, 4)
    ([(0, 4), (4, 8), (7, 11)], [(0, 3)])
    """
    if last - first <= rows:
        return [(first, last)]
    starts = list(range(first, last - rows + 1, step))
    return [(a, a + rows) for a in (starts if starts[-1] == last - rows else [*starts, last - rows])]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as plain dictionaries, in order."""
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def by_row(frame: pd.DataFrame) -> dict[str, dict[str, float]]:
    """A table of numbers as {row name: {column: value}}, without the values that are missing."""
    return {
        str(name): {str(c): float(v) for c, v in zip(frame.columns, values) if v == v}
        for name, values in zip(frame.index, frame.to_numpy(float).tolist())
    }


def table(folder: Path, name: str) -> pd.DataFrame:
    """A Parquet or CSV table of a set."""
    return pd.read_parquet(folder / name) if name.endswith(".parquet") else pd.read_csv(folder / name)
