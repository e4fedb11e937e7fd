"""What a thousand slices of one long table cost beside reading it whole: a file is decoded once for all of them."""

import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from mmdmad.bench.result import Meter, Row
from mmdmad.cases import Part
from mmdmad.parts import read
from mmdmad.threads import one_thread

ROWS, SLICES, CHANNELS = 1_000_000, 1_000, 5
SUFFIXES = (".csv", ".parquet")
NAME = "(slices)"
"""Stands where other rows name a detector."""


def rows_of_slices(rows: int = ROWS, slices: int = SLICES, seed: int = 0) -> Iterator[Row]:
    """A row for CSV and one for Parquet: `slices_over_whole`, CPU seconds of all slices over those of the file."""
    with tempfile.TemporaryDirectory() as folder, one_thread():
        for suffix, path in write_tables(Path(folder), rows, seed).items():
            warm = write_tables(Path(folder) / "warm", 100, seed)[suffix]
            read(Part("sensor", warm))  # loads the libraries
            meter = Meter()
            with meter.fit():
                whole = cpu_seconds(Part("sensor", path))
            ends = np.linspace(0, rows, slices + 1).astype(int).tolist()
            with meter.score():
                every = cpu_seconds(*(Part("sensor", path, start=a, stop=b) for a, b in pairwise(ends)))
            metrics = {"slices_over_whole": round(every / whole, 3), "whole_cpu_s": round(whole, 3)}
            dataset = f"{slices:,} slices of {rows:,} rows, {suffix}"
            yield meter.row(dataset, NAME, seed, metrics, counted=False)


def write_tables(folder: Path, rows: int, seed: int) -> dict[str, Path]:
    """One seeded table of a time and five channels in each format, by suffix."""
    import pandas as pd

    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    channels = {f"channel_{i}": np.round(rng.random(rows), 4) for i in range(CHANNELS)}
    table = pd.DataFrame({"time [s]": np.arange(rows) / 50, **channels})
    table.to_csv(folder / "long.csv", index=False)
    table.to_parquet(folder / "long.parquet")
    return {suffix: folder / f"long{suffix}" for suffix in SUFFIXES}


def cpu_seconds(*parts: Part) -> float:
    """CPU seconds of this process while it reads these parts."""
    begin = time.process_time()
    for part in parts:
        read(part)
    return time.process_time() - begin
