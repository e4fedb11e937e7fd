"""MTD, magnetic tile defects (Huang, Qiu and Yuan, The Visual Computer 2020): grey pictures with defect masks.

Expected: `mtd/index.csv` (file, class, label, mask, differnet_split, tile_split_0, tile_split_1), `mtd/images/`,
`mtd/masks/`. The published split (`differnet_split`) mixes exposures of one tile between train and test;
`tile_split_0` and `tile_split_1` do not.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from mmdmad.datasets.sources import link, source, table, write_manifest
from mmdmad.errors import ManifestError

NAME = "mtd"
SPLITS = ("tile_split_0", "tile_split_1", "differnet_split")
ABOUT = {
    "name": "MTD",
    "licence": "none stated; research use, cite Huang, Qiu and Yuan 2020",
    "note": "differnet_split (published) leaks: exposures of one tile lie on both sides; tile splits are disjoint",
}


def index(data: str | Path) -> pd.DataFrame:
    """The set's index, one row a picture."""
    return table(source(data, NAME, ("index.csv", "images")), "index.csv")


def mask(data: str | Path, row: pd.Series) -> np.ndarray:
    """Defect mask of one index row, bool (H, W); all False for a good picture."""
    if not isinstance(row["mask"], str) or not row["mask"]:
        return np.zeros((int(row["h"]), int(row["w"])), bool)
    with Image.open(Path(data) / NAME / "masks" / row["mask"]) as picture:
        return np.asarray(picture.convert("L")) > 127


def convert(data: str | Path, out: str | Path, split: str = SPLITS[0]) -> Path:
    """Manifest of one split: a picture a case; extra columns `defect` (class) and `mask` (path)."""
    if split not in SPLITS:
        raise ManifestError(f"split={split!r} was given; allowed are {', '.join(SPLITS)}")
    folder, out = Path(data) / NAME, Path(out)
    rows = [
        {
            "id": Path(row["file"]).stem,
            "image": link(folder / "images" / row["file"], out),
            "label": int(row["label"]),
            "split": row[split],
            "defect": row["class"] if row["label"] else "",
            "mask": link(folder / "masks" / row["mask"], out) if isinstance(row["mask"], str) else "",
        }
        for _, row in index(data).iterrows()
        if row[split] in ("train", "test")
    ]
    return write_manifest(out, rows, {**ABOUT, "split": split})
