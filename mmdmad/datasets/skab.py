"""SKAB v0.9, the Skoltech anomaly benchmark: eight sensors of a water-circulation testbed, one row a second.

Expected: `skab/skab.parquet` (datetime, eight channels, group, file, anomaly, changepoint). The first 400 rows of a
file may be trained on, as in the published leaderboard. Licence GPL-3.0: the data are not part of this package.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mmdmad.datasets.sources import link, source, table, windows, write_manifest

NAME = "skab"
TRAIN_ROWS = 400
ABOUT = {"name": "SKAB v0.9", "licence": "GPL-3.0", "split": "first 400 rows of each file train"}
UNITS = {
    "Accelerometer1RMS": "g",
    "Accelerometer2RMS": "g",
    "Current": "A",
    "Pressure": "bar",
    "Temperature": "°C",
    "Thermocouple": "°C",
    "Voltage": "V",
    "Volume Flow RateRMS": "L/min",
}
PUBLISHED_F1 = {  # leaderboard in the data set's README; F1 over all test rows
    "Conv-AE": 0.78,
    "MSET": 0.78,
    "T-squared+Q (PCA)": 0.76,
    "LSTM-AE": 0.74,
    "T-squared": 0.66,
    "LSTM-VAE": 0.56,
    "Vanilla LSTM": 0.54,
    "MSCRED": 0.36,
    "Isolation forest": 0.29,
}


@dataclass(frozen=True, eq=False)
class Series:
    """One file: `values` (T, 8), `times` in seconds, `labels` (T,) 0/1, and the table it came from."""

    name: str
    values: np.ndarray
    times: np.ndarray
    labels: np.ndarray
    frame: pd.DataFrame


def files(data: str | Path) -> list[Series]:
    """The labelled files in a fixed order ("other/1" …); the anomaly-free file has no labels and is left out."""
    whole = table(source(data, NAME, ("skab.parquet",)), "skab.parquet")
    found = []
    for (group, file), part in whole.groupby(["group", "file"], sort=True):
        if part["anomaly"].isna().any():
            continue
        times = pd.to_datetime(part["datetime"])
        found.append(
            Series(
                f"{group}/{Path(str(file)).stem}",
                part[list(UNITS)].to_numpy(float),
                (times - times.iloc[0]).dt.total_seconds().to_numpy(),
                part["anomaly"].to_numpy(int),
                part,
            )
        )
    return found


def write_series(series: Series, out: Path) -> Path:
    """The file as a CSV with a time column and units in the headers; gives its path."""
    path = out / "series" / f"{series.name.replace('/', '_')}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = series.frame[["datetime", *UNITS]].rename(columns={"datetime": "time"})
    frame.rename(columns={c: f"{c} [{u}]" for c, u in UNITS.items()}).to_csv(path, index=False)
    return path


def convert(data: str | Path, out: str | Path, rows: int = 60, step: int = 20) -> Path:
    """Manifest of windows: overlapping ones of the first 400 rows train, separate ones of the rest test.

    A test window is anomalous if any of its rows is. Windows of training rows that hold an anomaly (one file has
    such rows) are left out, since training cases must be normal.
    """
    out, cases = Path(out), []
    for series in files(data):
        path = write_series(series, out)
        for split, slices in (
            ("train", windows(0, TRAIN_ROWS, rows, step)),
            ("test", windows(TRAIN_ROWS, len(series.labels), rows, rows)),
        ):
            for a, b in slices:
                label = int(series.labels[a:b].any())
                if split == "train" and label:
                    continue
                case = {"id": f"{series.name.replace('/', '-')}-{a}", "sensor": link(path, out, (a, b))}
                cases.append({**case, "label": label, "split": split, "group": series.name})
    return write_manifest(out, cases, ABOUT)
