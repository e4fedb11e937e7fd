"""The demo: the whole main job on the simulated inspection line, from raw files to a report.

It goes through the same doors as a user's own data; how words are written it does not know (a writer is handed in).
"""

import time
from collections.abc import Callable
from pathlib import Path

from mmdmad.cases import lost_kinds
from mmdmad.errors import RefusedError
from mmdmad.findings import Explanation, Finding, Findings
from mmdmad.plain import say

Writer = Callable[[Finding], Explanation]
RATE = 0.05


def run_demo(out: Path, *, write: Writer, train: int, test: int, seed: int, words: int = 3) -> Findings:
    """Make the simulated line under `out`, fit, judge, explain, report; returns the `words` worst findings explained.

    Run it again in the same folder and it goes on where it stopped. RefusedError, after the report is written, where
    every part of a kind was refused.
    """
    from mmdmad.datasets.line.inspection_line import make_line
    from mmdmad.manifest import read_cases
    from mmdmad.pipeline.detector import load_config
    from mmdmad.report import write_report
    from mmdmad.store.run import Run

    started = time.perf_counter()
    say(f"Simulated inspection line: {train} normal cases to learn from, {test} to judge (seed {seed})")
    manifest = make_line(out / "line", train=train, test=test, seed=seed)
    cases = read_cases(manifest)

    # At the preset's 1 % a verdict needs 99 calibration cases with the same parts; 400 cases leave about as many.
    chosen = {"seed": seed, "false_alarm_rate": RATE}
    settings = load_config("pipelines/inspection").model_copy(update=chosen).model_dump(mode="json")
    folder = out / "run"
    run = Run.open(folder) if (folder / "config.json").exists() else Run.create(folder, settings)
    run.check_config(settings)
    learned = cases.where(split="train")
    run.fit(learned, resume=True, progress=True)
    scored = run.score(cases.where(split="test"), progress=True)
    lost = lost_kinds(learned, run.model.refused_) or scored.lost

    flagged = run.findings(verdict="anomalous")
    for finding in flagged:
        run.set_explanation(finding.case_id, write(finding))
    report = write_report(run, out / "report.html", title="Simulated inspection line")

    judged = run.count()
    say()
    say(f"{len(flagged)} of {judged} cases flagged at a declared false-alarm rate of {100 * RATE:g} %.")
    if open_cases := run.count(verdict="no verdict"):
        say(f"{open_cases} without a verdict: too few normal cases with the same parts.")
    worst = run.findings(verdict="anomalous", limit=words)
    for finding in worst:
        assert finding.explanation is not None
        say()
        say(f"{finding.case_id} (simulated), p = {finding.p_value:.3g}")
        for sentence in finding.explanation.sentences:
            say(f"  {sentence.text} [{', '.join(sentence.cites)}]")
    say()
    say(f"Report: {report.resolve()}   ({time.perf_counter() - started:.0f} s in all)")
    say(f'Go on:  mmdmad chat {folder} --terminal     mmdmad chat {folder} --ask "Which cases were flagged, and why?"')
    if lost:  # every file here was made a moment ago: what cannot be read is this installation's fault
        raise RefusedError(f"the demo lacks what it should show: {'; '.join(map(str, lost))}; run: mmdmad doctor")
    return worst
