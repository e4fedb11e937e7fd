"""Composed joint cases: real items of four sets (MTD, UCA, SKAB, Ped2) drawn together, 640 cases by a fixed index.

Expected: `joint_composed/events.csv` and the folders `mtd`, `uca_ucfcrime_text`, `skab` and `ucsd_ped2` beside it.
The modalities are independent given the label pattern: figures here measure calibration, fusion and missing parts,
never what one part says about another.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmdmad.datasets import mtd, ped2, skab
from mmdmad.datasets.sources import link, records, source, table, windows, write_manifest

NAME = "joint_composed"
PARTS = ("image", "text", "sensor", "video")  # each has a label of its own in the index
ROWS, FRAMES = 64, 16  # rows of a sensor window and frames of a clip, as in the index
TRAIN_CLIPS = 12  # training clips 01-12 may be trained on; 13 and 14 are used by the index
HONESTY = "parts are independent given the label pattern: this measures calibration, fusion and missing parts only"
ABOUT = {
    "name": "composed joint cases",
    "licence": "those of MTD, UCA, SKAB and Ped2; research use",
    "note": HONESTY + "; the pictures follow MTD's published split, which leaks",
}


def events(data: str | Path) -> pd.DataFrame:
    """The index: one row a case, the item of each modality, whether it is anomalous, and which part is missing."""
    return table(source(data, NAME, ("events.csv",)), "events.csv")


def convert(data: str | Path, out: str | Path, train: int = 400, seed: int = 0, drop: bool = True) -> Path:
    """Manifest: `train` normal cases composed from the sets' own training items, then the 640 cases of the index.

    Extra columns `image_label` … say which part is anomalous. With `drop=False` the parts that the index calls
    missing are kept: the difference is what missing parts cost.
    """
    data, out = Path(data), Path(out)
    texts = table(source(data, "uca_ucfcrime_text", ("uca.parquet",)), "uca.parquet")
    series = {s.name: skab.write_series(s, out) for s in skab.files(data)}
    index = events(data)
    rows = list(_training(data, out, index, texts, train, seed))
    for event in records(index):
        file, start = event["sensor"].rsplit(":", 1)
        clip, frame = event["video"].rsplit(":", 1)
        table_path = series[file.removesuffix(".csv")]
        parts = {
            "image": link(data / mtd.NAME / "images" / event["image"], out),
            "text": str(texts["text"].iloc[event["text"]]),
            "sensor": link(table_path, out, (int(start), int(start) + ROWS)),
            "video": link(data / ped2.NAME / clip, out, (int(frame), int(frame) + FRAMES)),
            "video_rate": ped2.FPS,
        }
        if drop and event["missing"] in parts:
            del parts[event["missing"]]
            parts.pop(f"{event['missing']}_rate", None)
        marks = {f"{m}_label": int(event[f"{m}_label"]) for m in PARTS}
        rows.append({"id": event["event"], **parts, "label": int(event["label"]), "split": "test", **marks})
    return write_manifest(out, rows, ABOUT)


def _training(
    data: Path, out: Path, index: pd.DataFrame, texts: pd.DataFrame, n: int, seed: int
) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    used = set(index["image"])
    pictures = mtd.index(data)
    files = pictures["file"][(pictures["differnet_split"] == "train") & (pictures["label"] == 0)]
    images = [link(data / mtd.NAME / "images" / f, out) for f in files if f not in used]
    train_rows = np.flatnonzero((texts["split"] == "train") & (texts["label"] == 0))
    words = [str(texts["text"].iloc[i]) for i in train_rows if i not in set(index["text"])]
    sensors = [
        link(out / "series" / f"{s.name.replace('/', '_')}.csv", out, slice_)
        for s in skab.files(data)
        for slice_ in windows(0, min(skab.TRAIN_ROWS, len(s.labels)), ROWS, 16)
        if not s.labels[slice_[0] : slice_[1]].any()
    ]
    videos = [
        link(clip.folder, out, slice_)
        for clip in ped2.clips(data, "training")[:TRAIN_CLIPS]
        for slice_ in windows(0, len(clip.labels), FRAMES, 4)
    ]
    pools = {"image": images, "text": words, "sensor": sensors, "video": videos}
    drawn = {m: _draw(rng, len(pool), n) for m, pool in pools.items()}
    for i in range(n):
        parts = {m: pools[m][drawn[m][i]] for m in pools} | {"video_rate": ped2.FPS}
        yield {"id": f"train-{i:04d}", **parts, "label": 0, "split": "train"}


def _draw(rng: np.random.Generator, size: int, n: int) -> np.ndarray:
    """`n` numbers below `size`, none twice before every one was drawn."""
    rounds = [rng.permutation(size) for _ in range(-(-n // size))]
    return np.concatenate(rounds)[:n]
