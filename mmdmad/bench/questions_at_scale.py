"""Questions to a run with very many findings: seconds and memory of each, in a process of its own.

A "detector" of this suite is a question. The findings are made up (`synthetic_run`), no model judged anything.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mmdmad.bench.base import Context, suite
from mmdmad.bench.result import Meter, Row
from mmdmad.bench.scale_worker import QUESTIONS
from mmdmad.bench.synthetic_run import synthetic_run
from mmdmad.errors import ConfigError, RunError
from mmdmad.store.run import Run

COUNT = 100_000
LIMIT = 600.0  # seconds a question may take, from the start of its process
PROTOCOL = (
    f"simulated: {COUNT} made-up findings with their evidence in one run (--sample N for another number); each "
    "question in a process of its own, asked once; seconds are those of the question, without imports and opening the "
    "run (seconds_open); peak_mb is the highest resident memory of that process, the libraries included"
)


@suite("questions-at-scale", "questions, chat and report over 100,000 findings (simulated)", PROTOCOL, tuple(QUESTIONS), sampled=True)  # fmt: skip  # noqa: E501
def run(context: Context) -> Iterator[Row]:
    """One row per question and seed; the run is made once a seed and used again from a work folder."""
    unknown = [name for name in context.detectors if name not in QUESTIONS]
    if unknown:
        raise ConfigError(f"no question is called {unknown[0]!r}; there are {', '.join(QUESTIONS)}")
    count = context.sample or COUNT
    with tempfile.TemporaryDirectory() as scratch:
        home = context.artifacts("questions-at-scale") or Path(scratch)
        for seed in range(context.seeds):
            meter, folder = Meter(), home / f"run-{count}-{seed}"
            with meter.fit():
                stored(folder, count, seed)
            for name in context.track(context.detectors, f"questions to {count} findings"):
                figures = measured(folder, name)
                yield Row(
                    dataset=f"{count} findings",
                    detector=name,
                    seed=seed,
                    metrics={k: round(figures[k], 4) for k in ("seconds", "seconds_open", "peak_mb")},
                    seconds_fit=round(meter.seconds["fit"], 4),
                    seconds_score=round(figures["seconds"], 4),
                    peak_mb=round(figures["peak_mb"], 1),
                    note=f"store of {figures['store_mb']:.0f} MB",
                )


def stored(folder: Path, count: int, seed: int) -> None:
    """A run of made-up findings in `folder`; one that a stop left unfinished there is refused."""
    if not folder.exists():
        synthetic_run(folder, count, seed).close()
        return
    known = Run.open(folder)
    found = known.count()
    known.close()
    if found != count:
        raise RunError(f"{folder} holds {found} findings, not {count}; remove the folder and run the suite again")


def measured(folder: Path, question: str) -> dict[str, float]:
    """What one question took in a process of its own: seconds, seconds_open, peak_mb; and the store's store_mb."""
    command = [sys.executable, "-m", "mmdmad.bench.scale_worker", str(folder), question]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired as error:
        raise RunError(f"{question} had no answer after {LIMIT:g} s") from error
    figures: dict[str, float] = {}
    for line in done.stdout.splitlines():
        with suppress(json.JSONDecodeError):
            figures = json.loads(line)
    if done.returncode or not figures:
        last = done.stderr.strip().splitlines()[-1:] or ["no figures were printed"]
        raise RunError(f"{question} failed over {folder}: {last[0]}")
    return figures | {"store_mb": (folder / "cases.sqlite").stat().st_size / 1e6}
