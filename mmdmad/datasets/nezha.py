"""Nezha TrainTicket (Yu et al., FSE 2023): logs, metrics and traces of 46 pods with injected faults; real joint data.

Expected: `nezha/pod_minutes.parquet` (a row per pod and minute: logs, traces, metrics, label, ambiguous,
window_has_fault) and `nezha/metrics_2023-01-29.npz` (`x` (pods, minutes, metrics) for the whole day).
A case is a pod in one minute: its log lines as text; its metrics and traces over the last minutes as sensor columns.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmdmad.datasets.sources import link, records, source, table, write_manifest

NAME = "nezha"
TRACES = ("spans", "dur_med", "dur_p95", "dur_max")
DAY = "2023-01-29"
ABOUT = {
    "name": "Nezha TrainTicket 2023-01-29",
    "licence": "MIT",
    "note": "a fault counts for 180 s after injection; minutes at its border (ambiguous) are dropped; training cases "
    "are minutes without any fault, test cases all pods in the minutes with a fault",
}


@dataclass(frozen=True, eq=False)
class Day:
    """One day: `values` (pods, minutes, channels) with traces as the last four channels, NaN where there are none."""

    pods: list[str]
    minutes: list[str]
    channels: list[str]
    values: np.ndarray
    fault: np.ndarray  # (pods, minutes) 1 where the pod has a fault
    rows: pd.DataFrame


def day(data: str | Path) -> Day:
    """The whole day with the traces of the pod-minutes laid onto the metrics' clock."""
    folder = source(data, NAME, ("pod_minutes.parquet", f"metrics_{DAY}.npz"))
    rows = table(folder, "pod_minutes.parquet")
    with np.load(folder / f"metrics_{DAY}.npz") as arrays:
        x, fault = np.asarray(arrays["x"], float), np.asarray(arrays["label_pod"]).astype(int)
        minutes = [str(t)[:5] for t in arrays["time"]]
        pods, metrics = [str(p) for p in arrays["pods"]], [str(m) for m in arrays["metrics"]]
    traces = np.full((*x.shape[:2], len(TRACES)), np.nan)
    at_pod, at_minute = {p: i for i, p in enumerate(pods)}, {m: i for i, m in enumerate(minutes)}
    where = rows["pod"].map(at_pod).to_numpy(), rows["window"].map(at_minute).to_numpy()
    traces[where] = rows[list(TRACES)].to_numpy(float)
    rows = rows.assign(pod_index=where[0], minute_index=where[1])
    return Day(pods, minutes, [*metrics, *TRACES], np.concatenate([x, traces], axis=2), fault, rows)


def deviations(values: np.ndarray, usable: np.ndarray, floor: float = 0.05) -> np.ndarray:
    """Each pod's channels as deviations from the pod's own normal: (log(1 + x) - median) / IQR.

    `values` (pods, minutes, channels), `usable` (minutes,) the minutes without faults. Pods differ by orders of
    magnitude, so the raw values of one say nothing about another. The spread is at least `floor`.
    """
    logs = np.log1p(np.maximum(values, 0))
    quiet = logs[:, usable]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a pod that never serves has channels without a value
        low, middle, high = np.nanquantile(quiet, [0.25, 0.5, 0.75], axis=1)
    middle = np.where(np.isfinite(middle), middle, 0.0)
    spread = np.where(np.isfinite(high - low), high - low, 1.0)
    return (logs - middle[:, None]) / np.maximum(spread, floor)[:, None]


def convert(
    data: str | Path, out: str | Path, history: int = 4, step: int = 15, channels: tuple[str, ...] | None = None
) -> Path:
    """Manifest of pod-minutes with the last `history` minutes of the pod's sensor columns.

    Training: every unambiguous pod-minute of a window without faults, and every `step`-th minute of the rest of the
    day without faults (metrics only: logs exist only around faults). A training case whose history touches a fault of
    its pod is left out. `channels` keeps only some columns, such as the traces; a case without a single reading in
    them has no sensor part, and one without any part is no case.
    """
    out, whole = Path(out), day(data)
    usable = np.asarray(~whole.fault.any(axis=0))
    usable[whole.rows.loc[whole.rows["window_has_fault"] == 1, "minute_index"].unique()] = False
    values = deviations(whole.values, usable)
    kept = [i for i, c in enumerate(whole.channels) if channels is None or c in channels]
    paths = []
    for p, pod in enumerate(whole.pods):
        frame = pd.DataFrame(values[p][:, kept], columns=[f"{whole.channels[i].split('(')[0]} [IQR]" for i in kept])
        frame.insert(0, "time", [f"{DAY} {minute}:00" for minute in whole.minutes])
        paths.append(out / "sensor" / f"{pod}.parquet")
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(paths[-1], index=False)
    cases = _cases(whole, values[:, :, kept], paths, out, usable, history, step)
    return write_manifest(out, (c for c in cases if c["sensor"] or c.get("text")), ABOUT)


def _cases(
    whole: Day, values: np.ndarray, paths: list[Path], out: Path, usable: np.ndarray, history: int, step: int
) -> Iterator[dict[str, Any]]:
    def case(p: int, minute: int, **more: Any) -> dict[str, Any]:
        first = max(minute + 1 - history, 0)
        measured = np.isfinite(values[p, first : minute + 1]).any()
        return {
            "id": f"{whole.pods[p]}@{whole.minutes[minute].replace(':', '')}",
            "time": f"{DAY} {whole.minutes[minute]}:00",
            "sensor": link(paths[p], out, (first, minute + 1)) if measured else "",
            "group": whole.pods[p],
            **more,
        }

    seen = set()
    for row in records(whole.rows[whole.rows["ambiguous"] == 0]):
        p, minute = int(row["pod_index"]), int(row["minute_index"])
        test, logs = bool(row["window_has_fault"]), row["logs"]
        if not test and (row["label"] or whole.fault[p, max(minute + 1 - history, 0) : minute + 1].any()):
            continue
        seen.add(minute)
        yield case(
            p,
            minute,
            text=logs.strip() if isinstance(logs, str) else "",
            label=int(row["label"]),
            split="test" if test else "train",
            fault=row["fault_type"] if row["label"] else "",
        )
    for minute in range(history - 1, len(whole.minutes), step):
        if usable[minute + 1 - history : minute + 1].all() and minute not in seen:
            for p in range(len(whole.pods)):
                yield case(p, minute, label=0, split="train")
