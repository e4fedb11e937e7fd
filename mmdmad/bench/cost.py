"""What each detector costs on the same synthetic tokens, each in a process of its own with a time limit.

A detector that does not end in time, is refused or is killed stays in the table with that said of it.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmdmad.bench.base import Context, suite
from mmdmad.bench.cost_slices import rows_of_slices
from mmdmad.bench.cost_worker import Spec
from mmdmad.bench.result import Row
from mmdmad.errors import RunError

SIZED = ("dte-np", "ensemble")  # the defaults, also measured against the number of rows
TRAIN, TEST, SHAPE, WIDTH = 100, 20, (4, 5, 5), 128
SIZES = (1_000, 10_000, 100_000, 1_000_000)
QUERIES = 200  # vectors scored for each size
LIMIT = 900.0  # seconds a detector may take, from the start of its process
PROTOCOL = (
    f"simulated: {TRAIN} training and {TEST} test items of {SHAPE[0]} x {SHAPE[1]} x {SHAPE[2]} tokens without "
    f"positions ({TRAIN * 100} x {WIDTH} tokens to learn from), one thread, defaults of each detector but for the "
    "threshold, which is not learned (false_alarm_rate=None; suite thresholds), a process of its own, "
    f"{LIMIT:.0f} s at most; memory_mb is what fitting and scoring add to the process; network_calls and ms_alone are "
    "of one item scored alone; the default detectors also on 1,000 to 1,000,000 single vectors, where an item is one "
    "vector; slices_over_whole: CPU seconds of reading all slices of one table over those of reading it whole, one "
    "thread, no encoding"
)
Outcome = tuple[dict[str, Any], str | None]


@suite("cost", "training, scoring, memory and network calls of every detector (simulated)", PROTOCOL, SIZED)
def run(context: Context) -> Iterator[Row]:
    """Every detector (or those named) on the same tokens, then the defaults (or those named) against the size.

    Unless detectors are named, slices of a long table come first.
    """
    from mmdmad.detectors.base import detectors

    if not context.chosen:
        yield from rows_of_slices()
    named = context.detectors if context.chosen else tuple(detectors())
    for seed in range(context.seeds):
        for name in context.track(named, "detectors"):
            spec = Spec(name, seed, TRAIN, TEST, WIDTH, SHAPE)
            yield row(spec, f"{TRAIN * SHAPE[0] * SHAPE[1] * SHAPE[2]} tokens of {WIDTH}", True)
        for name in context.detectors:
            for size in context.track(SIZES, f"{name} by size"):
                yield row(Spec(name, seed, size, QUERIES, WIDTH), f"{size} vectors of {WIDTH}", False)


def row(spec: Spec, dataset: str, counted: bool) -> Row:
    """The measured row of one process; `finished` is 0 where a stage is missing, and the note says why."""
    figures, trouble = outcome(spec, LIMIT)
    peak = float(figures.pop("peak_mb"))
    seconds = figures.get("train_seconds", LIMIT), figures.get("score_ms_per_item", 0.0) * spec.test / 1000
    return Row(
        dataset=dataset,
        detector=spec.detector,
        seed=spec.seed,
        metrics={"finished": float(trouble is None), **{k: round(float(v), 4) for k, v in figures.items()}},
        seconds_fit=round(seconds[0], 4),
        seconds_score=round(seconds[1], 4),
        peak_mb=round(peak, 1),
        counted=counted,
        note=f"one thread of {processor()}" if trouble is None else trouble,
    )


def outcome(spec: Spec, limit: float) -> Outcome:
    """Figures of the stages that ended, with the process's `peak_mb`, and what went wrong if something did."""
    command = [sys.executable, "-m", "mmdmad.bench.cost_worker", spec.to_json()]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    process = subprocess.Popen(
        command, env={**os.environ, **threads}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    late = False
    try:
        printed, said = process.communicate(timeout=limit)
        peak = 0.0
    except subprocess.TimeoutExpired:
        late, peak = True, _peak_mb(process.pid)
        process.kill()
        printed, said = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    figures: dict[str, Any] = {}
    for line in printed.splitlines():
        with suppress(json.JSONDecodeError):  # a process that is killed may leave half a line
            figures |= json.loads(line)
    refused = figures.pop("refused", None)
    figures["peak_mb"] = max(peak, float(figures.get("peak_mb", 0.0)))
    if late:
        return (
            figures,
            f"not finished in {limit:g} s: stopped while {'scoring' if 'train_seconds' in figures else 'fitting'}",
        )
    if refused is not None:
        return figures, f"refused: {refused}"
    if process.returncode < 0:
        return figures, f"killed by signal {-process.returncode}, most likely out of memory"
    if process.returncode:
        raise RunError(f"{spec.detector} failed on simulated tokens: {said.strip().splitlines()[-1] if said else '?'}")
    return figures, None


def _peak_mb(pid: int) -> float:
    """High-water mark of a running process in megabytes; 0 where the system does not tell."""
    with suppress(OSError):  # not Linux, or the process has just ended
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def processor() -> str:
    """The processor's own name, or its architecture where the system does not tell."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
