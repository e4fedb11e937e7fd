"""What a benchmark says: rows, a summary with intervals, and the meter that times and weighs a row."""

import copy
import resource
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mmdmad.metrics.intervals import bootstrap_mean

MANY = 5  # from this many data sets on, the interval of a mean is a bootstrap over them


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(_Data):
    """One detector on one data set with one seed, measured here or published by others.

    `intervals` holds a 95 % interval for the metrics that have one of their own (a bootstrap over test cases, or an
    exact binomial one). Rows with `counted` False are printed but left out of the summary's means.
    """

    dataset: str
    detector: str
    seed: int | None
    metrics: dict[str, float]
    seconds_fit: float | None = None
    seconds_score: float | None = None
    peak_mb: float | None = None
    source: Literal["measured", "published"] = "measured"
    intervals: dict[str, tuple[float, float]] | None = None
    counted: bool = True
    note: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> "Row":
        bad = [k for k, v in self.metrics.items() if not np.isfinite(v)]
        if bad:
            raise ValueError(f"metrics {', '.join(bad)} are not finite")
        if self.source == "measured" and None in (self.seed, self.seconds_fit, self.seconds_score, self.peak_mb):
            raise ValueError("a measured row needs seed, seconds_fit, seconds_score and peak_mb")
        return self


class Summary(_Data):
    """Mean of one metric of one detector over data sets and seeds, with a 95 % interval (low, high)."""

    detector: str
    metric: str
    mean: float
    low: float
    high: float
    default: bool
    source: Literal["measured", "published"] = "measured"
    datasets: int = 1
    note: str | None = None


class Result(_Data):
    """What `bench run SUITE --out FILE.json` writes; `refused` names detectors that could not be run, and why."""

    suite: str
    protocol: str
    rows: list[Row] = Field(min_length=1)
    summary: list[Summary]
    refused: dict[str, str] = Field(default_factory=dict)


def published(dataset: str, detector: str, metrics: Mapping[str, float], note: str | None = None) -> Row:
    """A row that others published; it has no seed, time or memory."""
    return Row(dataset=dataset, detector=detector, seed=None, metrics=dict(metrics), source="published", note=note)


def summarise(rows: Iterable[Row], default: str, note: str | None = None) -> list[Summary]:
    """Mean and interval per detector and metric over the counted rows.

    Seeds of one data set are averaged first. From five data sets on, the interval is a bootstrap over data sets. With
    fewer, it is the mean of the rows' own intervals where all have one, else the range of the values.
    """
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        for metric in row.metrics if row.counted else ():
            found.setdefault((row.source, row.detector, metric), []).append(row)
    out = []
    for (source, detector, metric), group in found.items():
        sets = {r.dataset: [g.metrics[metric] for g in group if g.dataset == r.dataset] for r in group}
        means = [float(np.mean(values)) for values in sets.values()]
        own = [r.intervals[metric] for r in group if r.intervals and metric in r.intervals]
        if len(sets) >= MANY:
            low, high = bootstrap_mean(np.array(means))
        elif len(own) == len(group):
            low, high = (float(v) for v in np.mean(own, axis=0))
        else:
            values = [r.metrics[metric] for r in group]
            low, high = min(values), max(values)
        mean = float(np.mean(means))
        out.append(
            Summary(
                detector=detector,
                metric=metric,
                mean=mean,
                low=min(low, mean),
                high=max(high, mean),
                default=source == "measured" and detector == default,
                source="published" if source == "published" else "measured",
                datasets=len(sets),
                note=note if source == "measured" else None,
            )
        )
    return out


class Meter:
    """Seconds of fitting and scoring, and the highest resident memory of the process since the meter was made.

    Linux can reset the high-water mark; elsewhere the mark is the process's own, so it never falls between rows.

    >>> meter = Meter()
    >>> with meter.fit():
    ...     pass
    >>> meter.row("set", "knn", 0, {"auroc": 0.5}).source
    'measured'
    """

    def __init__(self) -> None:
        self.seconds = {"fit": 0.0, "score": 0.0}
        with suppress(OSError):  # no such file system, or not allowed: the process's own mark is used
            Path("/proc/self/clear_refs").write_text("5")

    @contextmanager
    def _time(self, what: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[what] += time.perf_counter() - start

    def fit(self) -> Any:
        """Time what stands under `with meter.fit():` as fitting."""
        return self._time("fit")

    def score(self) -> Any:
        """Time what stands under `with meter.score():` as scoring."""
        return self._time("score")

    def plus(self, other: "Meter") -> "Meter":
        """A meter with the seconds of both, for what is made of two measured things.

        >>> one, other = Meter(), Meter()
        >>> one.seconds["fit"], other.seconds["fit"] = 1.0, 2.0
        >>> one.plus(other).seconds["fit"], one.seconds["fit"]
        (3.0, 1.0)
        """
        both = copy.copy(self)
        both.seconds = {name: value + other.seconds[name] for name, value in self.seconds.items()}
        return both

    @staticmethod
    def peak_mb() -> float:
        """High-water mark of resident memory in megabytes."""
        with suppress(OSError):  # not Linux: what POSIX gives is used
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used / (1024**2 if sys.platform == "darwin" else 1024)

    def row(self, dataset: str, detector: str, seed: int, metrics: Mapping[str, float], **more: Any) -> Row:
        """The measured row with this meter's seconds and memory."""
        return Row(
            dataset=dataset,
            detector=detector,
            seed=seed,
            metrics={k: float(v) for k, v in metrics.items()},
            seconds_fit=round(self.seconds["fit"], 4),
            seconds_score=round(self.seconds["score"], 4),
            peak_mb=round(self.peak_mb(), 1),
            **more,
        )
