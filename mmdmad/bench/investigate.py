"""The agent on the simulated line: forty questions with known answers, graded by code.

A "detector" of this suite is the chat model: "offline" by default, any `provider:model` with --detector. Four rows
a seed, one for each set of wordings.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmdmad.bench.base import Context, suite
from mmdmad.bench.exam.asked import questions
from mmdmad.bench.exam.grading import declined
from mmdmad.bench.exam.questions import FRESH, HELD_OUT, OPEN
from mmdmad.bench.exam.questions_unseen import UNSEEN
from mmdmad.bench.result import Meter, Row
from mmdmad.metrics import clopper_pearson

if TYPE_CHECKING:
    from mmdmad.store.run import Run

TRAIN, TEST, RATE = 600, 300, 0.05
PRESET = "pipelines/inspection"
WORDINGS = {"open": OPEN, "held out": HELD_OUT, "fresh": FRESH, "unseen": UNSEEN}
PROTOCOL = (
    f"simulated line, {TRAIN} normal training and {TEST} test cases a seed, judged at a declared false-alarm rate of "
    f"{RATE:g}; 40 questions a row drawn by seed from 26 kinds (which, what, where, when, how many, why, is it normal, "
    "two unanswerable, two follow-ups), each in a conversation of its own; graded by code against the line's ground "
    "truth and the stored findings. `open` wordings could be looked at while the offline analyst was written; "
    "`held out` and `fresh` wordings were not, but faults that they showed were mended later; `unseen` "
    "wordings were written last by someone who had not seen the analyst; docs/results.md counts them before three "
    "faults that they showed were mended"
)


@suite("investigate", "forty questions to the agent with known answers", PROTOCOL, ("offline",))
def run(context: Context) -> Iterator[Row]:
    """A fresh line per seed, one row per chat model and set of wordings."""
    for seed, (judged, truth, folder) in scored_lines(context, "investigate"):
        for llm in context.detectors:
            for name, wordings in WORDINGS.items():
                meter = Meter()
                with meter.score():
                    metrics, log = interrogate(judged, truth, wordings, llm, seed)
                path = folder / f"answers-{name.replace(' ', '-')}.json"
                path.write_text(json.dumps(log, indent=1, ensure_ascii=False), encoding="utf-8")
                share = clopper_pearson(int(metrics["right"]), int(metrics["questions"]))
                yield meter.row(f"line {seed}, {name} wordings", llm, seed, metrics, intervals={"share_right": share})


def scored_lines(
    context: Context, name: str
) -> Iterator[tuple[int, tuple["Run", Mapping[str, Mapping[str, Any]], Path]]]:
    """A line for each seed, fitted and scored through the run directory, as a user would; a finished one is reused."""
    from mmdmad.datasets.line.inspection_line import make_line, read_truth
    from mmdmad.manifest import read_cases
    from mmdmad.pipeline.detector import load_config
    from mmdmad.store.run import Run

    with tempfile.TemporaryDirectory() as scratch:
        home = context.artifacts(name) or Path(scratch)
        for seed in range(context.seeds):
            folder = home / f"line-{seed}"
            cases = read_cases(make_line(folder / "line", train=TRAIN, test=TEST, seed=seed))
            settings = load_config(PRESET).model_copy(update={"seed": seed}).model_dump(mode="json")
            known = (folder / "run" / "config.json").exists()
            judged = Run.open(folder / "run") if known else Run.create(folder / "run", settings)
            judged.fit(cases.where(split="train"), resume=True)
            judged.score(cases.where(split="test"), false_alarm_rate=RATE)
            yield seed, (judged, read_truth(folder / "line"), folder)
            judged.close()


def interrogate(
    judged: "Run",
    truth: Mapping[str, Mapping[str, Any]],
    wordings: Mapping[str, Sequence[str]],
    llm: str,
    seed: int,
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Ask and grade; the counts and a log of every question with its answer."""
    from mmdmad.agents.investigator import Investigator

    agent = Investigator(judged, llm=llm)
    log: list[dict[str, Any]] = []
    asked = questions(list(judged.findings()), truth, wordings, np.random.default_rng(seed))
    salt = len(wordings) * 1000 + sum(len(t) for texts in wordings.values() for t in texts)
    for number, one in enumerate(asked):
        said = [agent.ask(text, thread=f"bench-{salt}-{seed}-{number}") for text in one.questions]
        log.append(
            {
                "kind": one.kind,
                "questions": list(one.questions),
                "answers": [a.text for a in said],
                "right": one.right(said[-1].text),
                "declined": declined(said[-1].text),
                "withheld": [w for a in said for w in a.withheld],
            }
        )
    agent.close()
    hard = [row for row in log if row["kind"] == "unanswerable"]
    easy = [row for row in log if row["kind"] != "unanswerable"]
    right = sum(row["right"] for row in log)
    metrics = {
        "questions": float(len(log)),
        "right": float(right),
        "share_right": right / len(log),
        "unanswerable_declined": sum(row["right"] for row in hard) / len(hard),
        "answerable_declined": sum(row["declined"] for row in easy) / len(easy),
        "sentences_withheld": float(sum(len(row["withheld"]) for row in log)),
    }
    return metrics, log
