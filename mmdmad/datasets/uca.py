"""UCA: sentences of people who describe surveillance videos (Yuan et al., CVPR 2024; videos of UCF-Crime, CVPR 2018).

Expected: `uca_ucfcrime_text/uca.parquet` (split, label, category, video, start, end, text). Training sentences are of
normal videos that are not in UCF-Crime's test list. A test sentence is anomalous when at least half of its time lies in
the annotated interval of the crime, normal when none of it does; that labelling comes with the file, no one published
figures on it.
"""

from pathlib import Path

import pandas as pd

from mmdmad.datasets.sources import records, source, table, write_manifest

NAME = "uca_ucfcrime_text"
ABOUT = {
    "name": "UCA sentences with UCF-Crime's temporal annotation",
    "licence": "Apache-2.0 (UCA), academic and research purposes",
    "note": "half of the normal test sentences are of crime videos, before or after the crime",
}


def sentences(data: str | Path) -> pd.DataFrame:
    """All sentences: split, label, video, text and more."""
    return table(source(data, NAME, ("uca.parquet",)), "uca.parquet")


def convert(data: str | Path, out: str | Path) -> Path:
    """Manifest with each sentence inline, grouped by video."""
    rows = [
        {
            "id": f"uca-{i:05d}",
            "text": row["text"],
            "label": int(row["label"]),
            "split": row["split"],
            "group": row.get("video"),
        }
        for i, row in enumerate(records(sentences(data)))
        if row["text"].strip()
    ]
    return write_manifest(Path(out), rows, ABOUT)
