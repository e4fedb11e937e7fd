"""Series of TSB-AD (Liu and Paparrizos, NeurIPS 2024), rebuilt from NAB, NASA MSL and UCR.

Expected: `tsbad/index.csv`, `tsbad/U/*.npz` and `tsbad/M/*.npz` (`x` (n, d), `label` (n,), `train_end`), and the
published VUS-PR of every method on these series, `published_vus_pr_U.csv` and `published_vus_pr_M.csv`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mmdmad.datasets.sources import by_row, link, source, windows, write_manifest
from mmdmad.errors import ManifestError

NAME = "tsbad"
SAME_AS_145 = "140_MSL_id_1_Sensor_tr_530_1st_630"  # the same array as U/145: left out of means
ABOUT = {
    "name": "TSB-AD series",
    "licence": "NAB MIT, MSL through TranAD BSD-3, tables Apache-2.0",
    "note": "rows before train_end may be trained on",
}
NOT_METHODS = {"file", "ts_len", "anomaly_len", "num_anomaly", "avg_anomaly_len", "anomaly_ratio"}
NOT_METHODS |= {"point_anomaly", "seq_anomaly"}


@dataclass(frozen=True, eq=False)
class Series:
    """One series: `values` (n, d) float64, `labels` (n,) 0/1, rows before `train_end` may be trained on."""

    name: str
    values: np.ndarray
    labels: np.ndarray
    train_end: int


def series(data: str | Path, track: str = "U") -> list[Series]:
    """All series of track "U" (univariate) or "M" (multivariate), by name."""
    if track not in ("U", "M"):
        raise ManifestError(f"track={track!r} was given; allowed are U and M")
    found = []
    for path in sorted(source(data, NAME, (track,)).joinpath(track).glob("*.npz")):
        with np.load(path) as arrays:
            x = np.asarray(arrays["x"], np.float64)
            labels, end = np.asarray(arrays["label"]).astype(int), int(arrays["train_end"])
        found.append(Series(path.stem, x if x.ndim == 2 else x[:, None], labels, end))
    return found


def published(data: str | Path, track: str = "U") -> dict[str, dict[str, float]]:
    """Published VUS-PR: {series, named without .csv: {method: value}}."""
    name = f"published_vus_pr_{track}.csv"
    frame = pd.read_csv(source(data, NAME, (name,)) / name)
    frame.index = pd.Index([Path(f).stem for f in frame["file"]])
    return by_row(frame.drop(columns=[c for c in NOT_METHODS if c in frame]))


def convert(data: str | Path, out: str | Path, track: str = "U", rows: int = 100) -> Path:
    """Manifest of windows: overlapping ones before `train_end` train, separate ones after it test.

    The series are written as Parquet tables with the row number as time, since the source gives no times. Windows
    before `train_end` that hold labelled rows are left out, since training cases must be normal.
    """
    out, cases = Path(out), []
    for one in series(data, track):
        path = out / "series" / f"{one.name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        names = [f"c{i}" for i in range(one.values.shape[1])]
        frame = pd.DataFrame(one.values, columns=names)
        frame.insert(0, "time", np.arange(len(frame), dtype=float))
        frame.to_parquet(path, index=False)
        for split, slices in (
            ("train", windows(0, one.train_end, rows, max(rows // 4, 1))),
            ("test", windows(one.train_end, len(one.labels), rows, rows)),
        ):
            for a, b in slices:
                label = int(one.labels[a:b].any())
                if split == "train" and label:
                    continue
                case = {"id": f"{one.name[:3]}-{a}", "sensor": link(path, out, (a, b)), "label": label}
                cases.append({**case, "split": split, "group": one.name})
    return write_manifest(out, cases, {**ABOUT, "track": track})
