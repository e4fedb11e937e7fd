"""A run as a notebook shows it; every word from outside is escaped."""

from typing import TYPE_CHECKING

from mmdmad.cards import SIMULATED, lines
from mmdmad.markup import listed, text

if TYPE_CHECKING:
    from mmdmad.store.run import Run

ROWS, LINES = 10, 5
"""Findings, and refusals, that are shown."""


def html(run: "Run") -> str:
    """Its folder, what it learned, how many cases have which verdict, the most anomalous ones, what was refused."""
    mark = f" {SIMULATED}" if run.simulated else ""
    about = [f"<b>{text(run.path)}</b>{mark}", _model(run)]
    counts = run.tally.by("verdict")
    judged = sum(counts.values())
    if judged:
        said = ", ".join(f"{count} {text(verdict)}" for verdict, count in counts.items())
        span = run.tally.span()
        times = "" if span is None else f", from {text(span[0])} to {text(span[1])}"
        about.append(f"{judged} cases judged at a declared false-alarm rate of {100 * run.rate:.3g} %: {said}{times}")
        people = run.precision
        if people.judged:
            about.append(
                f"people judged {people.judged} of {people.flagged} flagged cases and confirmed {people.confirmed}"
            )
    else:
        about.append("no case is judged yet; <code>score(cases)</code> judges some")
    if left := run.pending.words:
        about.append(f"{text(left)}; <code>score(cases)</code> goes on")
    refused = run.refusals(limit=LINES)
    told = [f"refused: {text(r.case_id)}, {text(r.part)}: {text(r.reason)}" for r in refused]
    every = run.tally.refused()
    if every > len(refused):
        told.append(f"and {every - len(refused)} more refused (<code>refusals()</code>)")
    table = lines(run.findings(limit=ROWS)) if judged else ""
    head = f"<p>the {ROWS} most anomalous:</p>" if judged > ROWS else ""
    return f"<p>{'<br>'.join(about)}</p>{head}{table}{listed(told)}"


def _model(run: "Run") -> str:
    if not run.fitted:
        return "no model is fitted yet; <code>fit(cases)</code> learns one"
    parts = run.config.get("parts") or {}
    learned = [name for name in run.tally.learned() if name in parts]
    said = [f"{name} ({parts[name].get('encoder', 'auto')}, {parts[name].get('detector', '')})" for name in learned]
    windows = f"; cut into {text(run.windows)}" if run.windows is not None else ""
    return f"a model of {text(', '.join(said))}{windows}"
