"""Log lines of a Blue Gene/L: alerts against normal lines, by time and on drawn halves."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mmdmad.bench.base import Context, suite
from mmdmad.bench.result import Row
from mmdmad.bench.texts import DETECTORS, NOTE, POOLING, Texts, run_texts
from mmdmad.datasets import bgl

PROTOCOL = (
    "half of the 1857 normal lines train, the other half and all 143 alerts test; auroc and ap: the earlier half "
    "trains; auroc_drawn and ap_drawn: a half drawn by the seed trains; no alert's template occurs in training; "
    "auroc_new_lines leaves out test lines whose template (loghub's) occurred in training; auroc_KIND has the alerts "
    f"of one kind alone against all normal test lines; {POOLING}; interval: bootstrap of the templates, whose lines "
    "are alike"
)
KINDS = 10  # alerts that a kind must have to be measured alone


@suite("bgl", "log lines of a supercomputer, alerts by time and drawn", PROTOCOL, DETECTORS, NOTE)
def run(context: Context) -> Iterator[Row]:
    """By time once; a drawn half is another one for every seed."""
    frame = bgl.lines(context.data)
    yield from run_texts(context, _texts(frame, "by time", bgl.make_split(frame)), [0])
    for seed in range(context.seeds):
        texts = _texts(frame, "drawn halves", bgl.make_split(frame, "random", seed), "_drawn")
        yield from run_texts(context, texts, [seed])


def _texts(frame: pd.DataFrame, name: str, trains: np.ndarray, suffix: str = "") -> Texts:
    train, test = frame[trains], frame[~trains]
    labels = test["anomaly"].to_numpy(int)
    among = {"new_lines": ~test["EventTemplate"].isin(set(train["EventTemplate"])).to_numpy()}
    kinds = test["Label"][labels == 1].value_counts()
    for kind in sorted(kinds.index[kinds >= KINDS]):
        among[kind] = (labels == 0) | (test["Label"] == kind).to_numpy()
    return Texts(
        name,
        train["Content"].tolist(),
        test["Content"].tolist(),
        labels,
        among,
        suffix,
        test["EventTemplate"].to_numpy(str),
    )
