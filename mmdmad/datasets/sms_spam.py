"""SMS Spam Collection (Almeida et al. 2011) with the split of Text-ADBench: spam is the anomaly.

Expected: `sms_spam/sms_spam.parquet` (split, label, text) and the published tables `textadbench_auroc_33x10.csv` and
`textadbench_aupr_33x10.csv` (33 embeddings by 10 detectors, in per cent).
"""

from pathlib import Path

import pandas as pd

from mmdmad.datasets.sources import records, source, table, write_manifest

NAME = "sms_spam"
ABOUT = {"name": "SMS Spam Collection", "licence": "CC BY 4.0 (UCI)", "split": "Text-ADBench"}


def messages(data: str | Path) -> pd.DataFrame:
    """All messages: split, label, text."""
    return table(source(data, NAME, ("sms_spam.parquet",)), "sms_spam.parquet")


def published(data: str | Path) -> dict[str, dict[str, float]]:
    """Highest and median published figure over the 33 x 10 grid of Text-ADBench, as shares of one."""
    folder, found = source(data, NAME), {}
    for metric, name in (("auroc", "textadbench_auroc_33x10.csv"), ("ap", "textadbench_aupr_33x10.csv")):
        if (folder / name).exists():
            grid = pd.read_csv(folder / name, header=None).to_numpy(float) / 100
            found[metric] = {"max": float(grid.max()), "median": float(pd.Series(grid.ravel()).median())}
    return found


def convert(data: str | Path, out: str | Path) -> Path:
    """Manifest with the text of each message inline."""
    rows = [
        {"id": f"sms-{i:05d}", "text": row["text"], "label": int(row["label"]), "split": row["split"]}
        for i, row in enumerate(records(messages(data)))
        if row["text"].strip()
    ]
    return write_manifest(Path(out), rows, ABOUT)
