"""One question to one run, in a process of its own: prints its seconds and the process's highest memory as JSON."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdmad.ask.base import Scope, queries
from mmdmad.bench.result import Meter

if TYPE_CHECKING:
    from mmdmad.store.run import Run


def _query(name: str, **given: Any) -> Callable[["Run"], Any]:
    return lambda run: queries()[name](Scope(run), **given)


def _report(run: "Run") -> Any:
    from mmdmad.report import write_report

    with tempfile.TemporaryDirectory() as folder:
        return write_report(run, Path(folder) / "report.html")


def _chat(run: "Run") -> str:
    from mmdmad.agents.investigator import Investigator

    agent = Investigator(run, thread=f"scale-{time.time_ns()}")
    try:
        return agent.ask("How many flagged cases lack the video?").text
    finally:
        agent.close()


QUESTIONS: dict[str, Callable[["Run"], Any]] = {
    "count": _query("count_cases", verdict="anomalous", missing="video", since="06:00", until="12:00"),
    "count channel": _query("count_cases", verdict="anomalous", channel="motor_current"),
    "count by hour": _query("count_cases", verdict="anomalous", by="hour"),
    "find": _query("find_cases", verdict="anomalous", driver="image", limit=10),
    "find deep": _query("find_cases", limit=10, offset=50_000),
    "overview": _query("overview"),
    "guarantees": _query("guarantees"),
    "timeline": _query("timeline"),
    "find at another rate": _query("find_cases", verdict="anomalous", rate=0.02, limit=10),
    "count at another rate": _query("count_cases", verdict="anomalous", missing="video", rate=0.02),
    "rates": _query("rates"),
    "open case": _query("open_case", case_id="case 7"),
    "report": _report,
    "chat": _chat,
}


def main(folder: str, question: str) -> None:
    """Open the run, ask, print."""
    from mmdmad.store.run import Run

    begun = time.perf_counter()
    queries()
    run = Run.open(folder)
    opened = time.perf_counter()
    QUESTIONS[question](run)
    done = time.perf_counter()
    print(json.dumps({"seconds": done - opened, "seconds_open": opened - begun, "peak_mb": Meter.peak_mb()}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
