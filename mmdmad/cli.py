"""The command line: thin commands over the library; it and `commands/prompts.py` import agents, when asked.

Exit codes: 0 done, 1 the input is wrong (one line says what), 2 usage, 3 done but some cases were refused (listed),
130 and 143 stopped by Ctrl-C or SIGTERM (one line says what is kept and how to go on).
Everything heavy is imported inside the command that needs it, so that `mmdmad --help` stays quick.
"""

import json
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from mmdmad import __version__
from mmdmad.commands import bench as bench_command
from mmdmad.commands import cases as cases_command
from mmdmad.commands import prompts as prompts_command
from mmdmad.commands.check import check
from mmdmad.commands.common import (
    EXIT_INPUT,
    EXIT_REFUSED,
    AllowOutside,
    By,
    LearnFrom,
    Llm,
    LogTime,
    Manifest,
    NormalFolders,
    Offset,
    ReadAt,
    RunFolder,
    Step,
    Window,
    cut_up,
    end,
    finding_of,
    flagged_in,
    list_discoveries,
    list_recordings,
    list_refused,
    list_stretches,
    opened,
    print_explanation,
    print_table,
    read_data,
    to_judge,
    windows_of,
)
from mmdmad.commands.doctor import doctor
from mmdmad.commands.events import AlarmOption, events, set_rule
from mmdmad.commands.feedback import feedback
from mmdmad.commands.masks import say_masks
from mmdmad.commands.recalibrate import recalibrate
from mmdmad.endings import LEVELS, LOG, log_to_terminal, one_line
from mmdmad.errors import RefusalWarning, RefusedError
from mmdmad.plain import say
from mmdmad.sizes import RATES
from mmdmad.stopping import told

app = typer.Typer(
    help="Multimodal diffusion models for anomaly detection: is this normal, and if not, why?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(bench_command.app, name="bench")
app.add_typer(cases_command.app, name="cases")
app.add_typer(prompts_command.app, name="prompts")
for command in (check, doctor, events, feedback, recalibrate):
    app.command()(command)


def main() -> None:
    """Run the command line; errors made on purpose, and those of files and databases, are one line and exit code 1."""
    warnings.simplefilter("ignore", RefusalWarning)  # said at the end, below the list
    with told():
        try:
            log_to_terminal()
            app()
        except RefusedError as error:
            if error.refused:
                list_refused(error.refused)
            say(f"mmdmad: {one_line(error)}", lines=True, file=sys.stderr)
            raise SystemExit(EXIT_REFUSED) from None
        except Exception as error:
            said = one_line(error)
            if said is None:
                raise
            say(f"mmdmad: {said}", lines=True, file=sys.stderr)
            raise SystemExit(EXIT_INPUT) from None


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    log: Annotated[
        str | None,
        typer.Option(help=f"Show the log from this level on: {', '.join(LEVELS)}; default: ${LOG}, or warning."),
    ] = None,
) -> None:
    if log is not None:
        log_to_terminal(log)
    if version:
        say(f"mmdmad {__version__}")
        raise typer.Exit


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the simulated line, the run and the report.")] = Path(
        "demo-run"
    ),
    train: Annotated[int, typer.Option(min=100, help="Normal cases to learn from.")] = 400,
    test: Annotated[int, typer.Option(min=10, help="Cases to judge.")] = 60,
    seed: Annotated[int, typer.Option(help="Seed of the simulated line and of the model.")] = 0,
) -> None:
    """The main job on the simulated inspection line: fit, score, explain, report."""
    from mmdmad.agents.explainer import explain as write
    from mmdmad.demo import run_demo

    run_demo(out, write=write, train=train, test=test, seed=seed)


@app.command()
def fit(
    data: Manifest,
    run: Annotated[Path, typer.Option(help="Folder to write the fitted model and everything after it into.")],
    config: Annotated[
        str | None,
        typer.Option(
            help="Pipeline: a YAML file or a preset's name; default: the preset that fits the parts (said), "
            "with --resume the run's own."
        ),
    ] = None,
    split: LearnFrom = None,
    normal: NormalFolders = None,
    by: By = None,
    resume: Annotated[bool, typer.Option(help="Go on with a fit that was stopped.")] = False,
    window: Window = None,
    step: Step = None,
    log_time: LogTime = None,
    offset: Offset = None,
    allow_outside: AllowOutside = False,
) -> None:
    """Learn what normal looks like."""
    from mmdmad.ask.base import Scope, ask
    from mmdmad.cases import Cases, lost_kinds
    from mmdmad.checking.before_fit import before_fit
    from mmdmad.grouping import grouped
    from mmdmad.learning import to_learn
    from mmdmad.pipeline.detector import PipelineConfig, load_config
    from mmdmad.pipeline.presets import preset_for
    from mmdmad.store.caught import faults
    from mmdmad.store.run import Run

    if config is not None:
        load_config(config)  # a slip in its name costs no reading
    windows = windows_of(window, step, log_time, offset=offset)
    again = resume and (run / "config.json").exists()
    if by is None:
        by = Run.open(run).by if again else load_config(config).by if config is not None else None
    cases = grouped(read_data(data, windows, allow_outside), by)
    learned = to_learn(cases, split=split, normal=normal or ())
    for line in (*cases.extra.get("notes", ()), *learned.lines):
        say(f"mmdmad: {line}", file=sys.stderr)
    chosen = cut_up(learned.cases, windows)
    fitting, why = (config, "") if config is not None else preset_for(chosen)
    if why and not again:
        say(f"mmdmad: {fitting}: {why}", file=sys.stderr)
    settings = load_config(fitting).model_dump(mode="json") | {"by": by}
    if not resume:
        for line in before_fit(chosen, PipelineConfig.model_validate(settings)):
            say(f"mmdmad: {line}", file=sys.stderr)
    folder = Run.open(run) if again else Run.create(run, settings)
    if resume and config is not None:
        folder.check_config(settings)
    elif again:
        folder.check_config(folder.config | {"by": by})
    folder.fit(chosen, resume=resume, progress=True)
    say(f"fitted on {len(chosen)} cases; the model lies in {run}")
    if folder.config.get("false_alarm_rate") is None:
        say(f"verdicts at {100 * folder.rate:g} %, which these calibration cases support; another: --false-alarm-rate")
    for one in ask(Scope(folder), "would_catch").evidence:
        say(one.evidence.caption)
    if known := faults(cases):
        say(folder.measure_caught(cut_up(Cases(tuple(known), root=cases.root), windows)).words(folder.rate))
    end(folder.refusals("fit"), lost_kinds(chosen, (*chosen.refused, *folder.model.refused_)))


@app.command()
def score(
    run: RunFolder,
    data: Manifest,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="[COLUMN=]VALUE", help="Judge the cases of this split, or with this value; default: test if any."
        ),
    ] = None,
    false_alarm_rate: Annotated[
        float | None,
        typer.Option(min=RATES[0], max=RATES[1], help="Declared share of normal cases that may be flagged."),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Judge ids whose content is another than before, or, given all cases of the run, at another rate; "
            "earlier findings go.",
        ),
    ] = False,
    fdr: Annotated[
        float | None,
        typer.Option(
            min=RATES[0],
            max=RATES[1],
            help="Also say which cases of the run to report so that, on average, at most this share of them is false.",
        ),
    ] = None,
    rate: ReadAt = None,
    alarm: AlarmOption = None,
    adapt: Annotated[
        bool,
        typer.Option(
            "--adapt", help="Rank cases among the latest ones before them: normal may move slowly, nothing is promised."
        ),
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Also write a table: .parquet, .csv or .jsonl.")] = None,
    masks: Annotated[bool, typer.Option("--masks", help="Also hold maps of pictures against true masks.")] = False,
    window: Window = None,
    step: Step = None,
    log_time: LogTime = None,
    offset: Offset = None,
    allow_outside: AllowOutside = False,
) -> None:
    """Judge cases; cases that were judged before are not judged again.

    A run that was fitted with --window cuts what it judges in the same way.
    """
    from mmdmad.store.run import Run

    folder = Run.open(run)
    windows = windows_of(window, step, log_time, folder.windows, offset)
    chosen = cut_up(to_judge(read_data(data, windows, allow_outside), split), windows)
    if left := folder.pending.words:
        say(f"before this: {left}")
    scored = folder.score(chosen, false_alarm_rate=false_alarm_rate, replace=replace, adapt=adapt, progress=True)
    folder = folder if rate is None else folder.at(rate)
    say(f"{scored.done} {'case' if scored.done == 1 else 'cases'} judged; {flagged_in(folder)}")
    for words in filter(None, (folder.watch.words, folder.adapted)):
        say(words)
    list_recordings(folder)
    list_stretches(folder)
    set_rule(folder, alarm)
    if fdr is not None:
        list_discoveries(folder, fdr)
    if out is not None:
        folder.export(out)
        say(f"table: {out}")
    if masks:
        say_masks(folder, chosen)
    end(scored.refused, scored.lost)


@app.command()
def explain(
    run: RunFolder,
    case: Annotated[str, typer.Argument(metavar="CASE", help="Case id.")],
    llm: Llm = "offline",
    rate: ReadAt = None,
    language: Annotated[str, typer.Option(metavar="en|de", help="English or German.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print the explanation as JSON.")] = False,
) -> None:
    """Say in words why a case was flagged or not; every sentence is made of claims of its evidence.

    English words are kept with the finding; those at another --rate than the run's own are only said.
    """
    from mmdmad.agents.explainer import explain as write

    folder = opened(run, rate)
    finding = finding_of(folder, case)
    explanation = write(finding, llm=llm, language=language)
    if folder.rate == folder.judged_at and language == "en":
        folder.set_explanation(case, explanation)
    if as_json:
        say(explanation.model_dump_json(indent=1), lines=True)
        return
    print_explanation(finding.model_copy(update={"explanation": explanation}))


@app.command()
def chat(
    run: RunFolder,
    llm: Llm = "offline",
    rate: ReadAt = None,
    terminal: Annotated[bool, typer.Option("--terminal", help="Chat here instead of on a web page.")] = False,
    ask: Annotated[str | None, typer.Option(help="Ask one question and stop.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --ask: print answer, tools and evidence as JSON.")
    ] = False,
    thread: Annotated[
        str | None, typer.Option(help="Name of a conversation to go on with; default: a new one.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the web page, on this machine only.")] = 7860,
) -> None:
    """Ask about the run: which, what, where, when, how many, why."""
    folder = opened(run, rate)
    if ask is not None:
        from mmdmad.agents.investigator import Investigator

        answer = Investigator(folder, llm=llm, thread=thread or uuid4().hex).ask(ask)
        say(json.dumps(asdict(answer), indent=1, ensure_ascii=False) if as_json else answer.text, lines=True)
    elif terminal:
        from mmdmad.agents.terminal import chat as talk

        talk(folder, llm=llm, thread=thread)
    else:
        from mmdmad.agents.web import serve

        serve(folder, llm=llm, port=port)


@app.command()
def report(
    run: RunFolder,
    out: Annotated[
        Path | None, typer.Option(help="File to write: .html, .md or .json; default RUN/report.html.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Heading of the report.")] = None,
    rate: ReadAt = None,
    alarm: AlarmOption = None,
) -> None:
    """Write the report: one self-contained file."""
    from mmdmad.report import write

    folder, file = opened(run, rate), out or run / "report.html"
    set_rule(folder, alarm)
    failed = write(folder, file, title)
    say(f"report: {file}")
    for line in failed:
        say(f"mmdmad: {line}", file=sys.stderr)
    if failed:
        raise typer.Exit(EXIT_REFUSED)


@app.command()
def detectors(
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    page: Annotated[
        Path | None, typer.Option(help="Write detectors.md and taxonomy.svg into this folder, beside its results.md.")
    ] = None,
) -> None:
    """Every detector: name, family, modalities, paper, cost class, what it needs."""
    from mmdmad.detectors.base import detectors as known

    if page is not None:
        from mmdmad.detectors.docs.page import write_page

        for file in write_page(page, known()):
            say(f"written: {file}")
        return
    rows = [asdict(cls.about) for cls in known().values()]
    if as_json:
        say(json.dumps(rows, indent=1), lines=True)
        return
    print_table(
        ["name", "family", "cost", "modalities", "paper"],
        ([r["name"], r["family"], r["cost"], ", ".join(r["modalities"]), r["paper"]] for r in rows),
    )


if __name__ == "__main__":
    main()
