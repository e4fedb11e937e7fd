"""What the commands share: options, the choice of a split, how refusals, tables and explanations are printed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmdmad.errors import ConfigError, MmdmadError
from mmdmad.plain import plain, say
from mmdmad.sizes import RATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mmdmad.cases import Cases, Lost, Refusal
    from mmdmad.findings import Finding
    from mmdmad.store.run import Run
    from mmdmad.windows import Windows

EXIT_INPUT, EXIT_REFUSED = 1, 3

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Run folder that `mmdmad fit` made.")]
Manifest = Annotated[
    Path, typer.Option("--data", help="Manifest (.csv, .parquet, .jsonl) with one row per case, or a folder of files.")
]
Llm = Annotated[
    str, typer.Option("--llm", help="Who writes: offline (no weights, no network) or any LangChain provider:model.")
]
LearnFrom = Annotated[
    str | None,
    typer.Option(
        "--split",
        metavar="[COLUMN=]VALUE",
        help="Learn from the cases of this split, or with this value in a column; default: train if there is one.",
    ),
]
NormalFolders = Annotated[
    list[str] | None,
    typer.Option("--normal", metavar="DIR", help="Folder below --data that holds normal cases; may be given again."),
]
AllowOutside = Annotated[bool, typer.Option(help="Let the manifest name files outside its own folder.")]

By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="COLUMN",
        help="Rank cases within their group, so that the rate holds for each: group, or a column such as machine.",
    ),
]
Window = Annotated[
    str | None,
    typer.Option(
        help="Cut long recordings into windows of this length (60s, 5min), of twice their own period (auto), or at "
        "each entry of a log (entry)."
    ),
]
Step = Annotated[str | None, typer.Option(help="From the begin of one window to the next; default: the length.")]
LogTime = Annotated[
    str | None,
    typer.Option(
        "--log-time", metavar="PATTERN", help="How times are written in a log, in strptime's letters; default: found."
    ),
]
Offset = Annotated[
    list[str] | None,
    typer.Option(help="Added to the clock of one part of recordings, as in text=2.5s; may be given again."),
]
ReadAt = Annotated[
    float | None,
    typer.Option(
        "--rate",
        min=RATES[0],
        max=RATES[1],
        help="Read verdicts at this declared false-alarm rate; nothing is judged again, and the run keeps its own.",
    ),
]
MOST_NOTES = 20
MOST_STRETCHES = 10


def windows_of(
    window: str | None,
    step: str | None,
    log_time: str | None = None,
    known: "Windows | None" = None,
    offset: "Sequence[str] | None" = None,
) -> "Windows | None":
    """The windows that options ask for, else those `known` of a run, else None: cases are taken as they are."""
    from dataclasses import replace

    from mmdmad.windows import Windows

    if window is None and step is None and known is None:
        for name, given in (("--log-time", log_time), ("--offset", offset)):
            if given:
                raise ConfigError(f"{name} was given without a window to cut recordings into; give both: --window 60s")
        return None
    asked = Windows.of(window, step, dict(pairs("offset", offset)), log_time)
    if known is None:
        return asked
    if window is None and step is None:
        asked = replace(asked, length=known.length, step=known.step)
    return replace(asked, log_time=log_time or known.log_time, offsets=asked.offsets or known.offsets)


def pairs(option: str, given: "Sequence[str] | None") -> list[tuple[str, str]]:
    """The name and value of each NAME=VALUE of an option that may be given again; ConfigError for another form."""
    found = []
    for one in given or ():
        name, mark, value = one.partition("=")
        if not mark or not name or not value:
            raise ConfigError(
                f"--{option} {one!r} is no NAME=VALUE; write --{option} video={'10' if option == 'rate' else '2.5s'}"
            )
        found.append((name.strip(), value.strip()))
    return found


def read_data(data: Path, windows: "Windows | None", allow_outside: bool) -> "Cases":
    """The cases of a manifest or folder; where they will be cut into windows, one raw recording too."""
    if windows is None:
        from mmdmad.manifest import read_cases

        return read_cases(data, allow_outside=allow_outside)
    from mmdmad.recordings import recordings

    return recordings(data, allow_outside=allow_outside)


def cut_up(cases: "Cases", windows: "Windows | None") -> "Cases":
    """Cases cut into windows, where there are some, and what was decided printed."""
    if windows is None:
        return cases
    from mmdmad.windows import cut

    made = cut(cases, windows)
    say(f"{len(made)} cases, {made.extra['windows']}")
    list_notes(made.extra["notes"][len(cases.extra.get("notes", ())) :])
    return made


def opened(path: Path, rate: float | None = None) -> "Run":
    """The run in a folder, read at a declared rate; None: at the one it was judged at."""
    from mmdmad.store.run import Run

    run = Run.open(path)
    return run if rate is None else run.at(rate)


def list_notes(notes: "Sequence[str]") -> None:
    """Print what was decided while recordings were cut, one a line."""
    for note in notes[:MOST_NOTES]:
        say(f"  {note}")
    if len(notes) > MOST_NOTES:
        say(f"  and {len(notes) - MOST_NOTES} more of this kind")


def list_stretches(run: "Run") -> None:
    """Print what is flagged with windows that lie side by side as one entry; nothing where none do."""
    from mmdmad.ask.words import in_stretches, stretch_place
    from mmdmad.explain.words import listed
    from mmdmad.store.stretched import stretched

    together = stretched(run, verdict="anomalous")
    if not in_stretches(sum(len(s.cases) for s in together), together):
        return
    say(f"windows side by side as one, {len(together)} in all, most anomalous first (each window has its own p-value):")
    for s in together[:MOST_STRETCHES]:
        where, many = stretch_place(s).bare or s.cases[0], len(s.cases)
        count = f"{many} windows, most anomalous" if many > 1 else "1 window,"
        say(f"  {where}: {count} {s.peak} (p = {s.p_value:.3g}), by {listed(s.parts)}")
    if len(together) > MOST_STRETCHES:
        say(f"  and {len(together) - MOST_STRETCHES} more; the report has them")


def print_explanation(finding: "Finding") -> None:
    """Print a finding in words: verdict line, sentences with their evidence ids, faithfulness."""
    from mmdmad.explain.words import joint_score

    say(f"{finding.case_id}: {finding.verdict} ({finding.p_words}, {joint_score(finding.score)})")
    if finding.explanation is None:
        return
    for sentence in finding.explanation.sentences:
        instead = "" if sentence.verbatim else " (in place of a sentence that could not be read)"
        say(f"  {sentence.text} [{', '.join(sentence.cites)}]{instead}")
    say(f"  faithfulness {finding.explanation.faithfulness:.2f}, written by {finding.explanation.llm}")


def flagged_in(run: Any) -> str:
    """How many cases of a run are flagged, and how many of them could not be, with the reason of the first."""
    every, flagged, open_ = run.count(), run.count(verdict="anomalous"), run.count(verdict="no verdict")
    from mmdmad.ask.expected import of_all

    far = of_all(run.tally.groups(), run.rate).far_above(flagged)
    own = "" if run.rate == run.judged_at else f" (judged at {100 * run.judged_at:g} %)"
    at = f"at a declared {100 * run.rate:g} %{own}"
    ends = _unpromised(run) + (f". {far}" if far else "")
    if not open_:
        return f"{flagged} of the {every} in the run are flagged as anomalous {at}{ends}"
    why = next((f.guarantee.note for f in run.findings(verdict="no verdict", limit=1)), "")
    because = f" ({plain(why)})" if why else ""
    if open_ == every:
        return f"none of the {every} in the run could be flagged {at}{because}"
    counts = f"{flagged} of the {every} in the run are flagged as anomalous {at}, {open_} have no verdict"
    return f"{counts}{because}{ends}"


def _unpromised(run: Any) -> str:
    """That the rate is not promised for cases with a verdict, where it is not, and why."""
    from mmdmad.ask.base import Scope
    from mmdmad.ask.judging import guarantees
    from mmdmad.ask.overview import Nothing

    notes = [b.guarantee.note for b in guarantees(Scope(run), Nothing()).bases if b.unpromised]
    return f"; the rate is not promised: {plain(notes[0])}" if notes else ""


def list_recordings(run: Any) -> None:
    """Print how often windows and whole recordings are flagged, where a run judges windows of new recordings."""
    from mmdmad.ask.base import Scope, ask

    found = ask(Scope(run), "recording_rates")
    for one in () if found.idle else found.evidence[:MOST_STRETCHES]:
        say(one.evidence.caption)


def list_discoveries(run: Any, share: float) -> None:
    """Print which cases of a run to report so that on average at most `share` of them is false, and why so."""
    from mmdmad.ask.base import Scope, ask

    for one in ask(Scope(run), "discoveries", false_share=share, limit=1000).evidence:
        say(one.evidence.caption)


def finding_of(run: Any, case_id: str) -> "Finding":
    """The finding of a case; MmdmadError where it was not judged."""
    finding = run.finding(case_id)
    if finding is None:
        raise MmdmadError(f"case {case_id!r} was not judged in {run.path}; `mmdmad score` judges cases")
    return finding


def to_judge(cases: "Cases", choice: str | None) -> "Cases":
    """The cases of a split or with a column's value; without a choice those of test, or all where there is none."""
    from mmdmad.learning import holding

    if choice is None:
        return cases.where(split="test") or cases
    chosen = cases.where(holding(cases, choice))
    if not chosen:
        known = sorted({str(c.split) for c in cases})
        raise MmdmadError(f"no case has split {choice!r}; the manifest has {', '.join(known) or 'no cases'}")
    return chosen


def end(refused: "Sequence[Refusal]", lost: "Iterable[Lost]") -> None:
    """List what was refused, then say which kinds were lost altogether; exit code 3 if anything was refused."""
    if not refused:
        return
    if empty := len({r.case_id for r in refused if r.empty}):
        from mmdmad.ask.overview import no_data

        say(no_data(empty))
    list_refused(refused)
    for one in lost:
        say(f"mmdmad: {one}", file=sys.stderr)
    raise typer.Exit(EXIT_REFUSED)


def list_refused(refused: "Sequence[Refusal]") -> None:
    """List refusals on stderr, one a line."""
    say(f"{len(refused)} refused:", file=sys.stderr)
    for r in refused:
        row = f"row {r.row}, " if r.row is not None else ""
        say(f"  {row}case {r.case_id}, {r.part}: {r.reason}", file=sys.stderr)


def print_table(head: list[str], rows: "Iterable[list[str]]") -> None:
    """Print rows below their heads, each column as wide as its widest cell."""
    body = [head, *([plain(str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in body) for i in range(len(head))]
    for row in body:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
