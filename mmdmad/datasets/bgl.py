"""BGL 2k: log lines of a Blue Gene/L (Oliner and Stearley, DSN 2007; excerpt of loghub, Zhu et al., ISSRE 2023).

Expected: `loghub_bgl2k/bgl_2k.csv` (LineId, Timestamp, Node, Content, EventTemplate, Label, anomaly). An alert is a
line that the operators' rules tagged; its tag (`Label`) says which kind. The text of a case is `Content` alone: neither
the severity nor the template that loghub mined from all lines is read by a model.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from mmdmad.datasets.sources import records, source, table, write_manifest
from mmdmad.errors import ConfigError

NAME = "loghub_bgl2k"
ABOUT = {
    "name": "BGL 2k log lines",
    "licence": "free for research or academic work, cite loghub",
    "note": "half of the normal lines train; test cases are the other normal lines and all alerts",
}
Split = Literal["time", "random"]


def lines(data: str | Path) -> pd.DataFrame:
    """All lines in the order of time."""
    return table(source(data, NAME, ("bgl_2k.csv",)), "bgl_2k.csv").sort_values("LineId", ignore_index=True)


def make_split(frame: pd.DataFrame, by: Split = "time", seed: int = 0) -> np.ndarray:
    """True (N,) for the lines that train: half of the normal ones, the earlier ("time") or a drawn one ("random").

    By time nothing of the future is known, and most later normal lines are of kinds that did not occur before. Drawn
    at random, a test line's template has mostly been seen, as it has in a system that has been watched for long.
    """
    if by not in ("time", "random"):
        raise ConfigError(f"split={by!r} was given; allowed are time and random")
    normal = np.flatnonzero(frame["anomaly"].to_numpy() == 0)
    order = normal if by == "time" else np.random.default_rng(seed).permutation(normal)
    trains = np.zeros(len(frame), bool)
    trains[order[: len(normal) // 2]] = True
    return trains


def convert(data: str | Path, out: str | Path, split: Split = "time", seed: int = 0) -> Path:
    """Manifest with one case a line; extra columns hold the alert's kind and the line's template."""
    frame = lines(data).fillna({"Node": ""})
    rows = [
        {
            "id": f"bgl-{row['LineId']:04d}",
            "text": row["Content"],
            "label": int(row["anomaly"]),
            "split": "train" if trains else "test",
            "group": row["Node"],
            "alert": row["Label"] if row["anomaly"] else "",
            "template": row["EventTemplate"],
        }
        for row, trains in zip(records(frame), make_split(frame, split, seed))
    ]
    return write_manifest(Path(out), rows, ABOUT)
