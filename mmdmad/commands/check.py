"""`mmdmad check`: a look at cases before anything is learned."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from mmdmad.commands.common import (
    EXIT_INPUT,
    EXIT_REFUSED,
    AllowOutside,
    By,
    LearnFrom,
    LogTime,
    NormalFolders,
    Offset,
    Step,
    Window,
    windows_of,
)
from mmdmad.plain import say


def check(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Manifests, folders, or files of cases (pump.csv, app.log)."),
    ],
    split: LearnFrom = None,
    normal: NormalFolders = None,
    by: By = None,
    config: Annotated[
        str | None, typer.Option(help="Pipeline that a fit would have; default: the preset that fits.")
    ] = None,
    window: Window = None,
    step: Step = None,
    log_time: LogTime = None,
    offset: Offset = None,
    estimate: Annotated[bool, typer.Option(help="Encode a few cases to estimate time and memory.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON, a report for each PATH.")] = False,
    allow_outside: AllowOutside = False,
) -> None:
    """Look at cases before anything is learned: what is there, what a fit will take, what it can promise.

    Ends with 1 where a fit would stop, with 3 where something was refused.
    """
    from mmdmad.checking import check_path, lines_of

    reports = check_path(
        paths,
        split=split,
        normal=normal or (),
        config=config,
        by=by,
        windows=windows_of(window, step, log_time, offset=offset),
        estimate=estimate,
        allow_outside=allow_outside,
        progress=sys.stderr.isatty(),
    )
    if as_json:
        say(
            json.dumps([report.model_dump(mode="json") for report in reports], indent=1, ensure_ascii=False), lines=True
        )
    else:
        for report in reports:
            for line in lines_of(report):
                say(line)
    if any(report.stops for report in reports):
        raise typer.Exit(EXIT_INPUT)
    if any(report.refused for report in reports):
        raise typer.Exit(EXIT_REFUSED)
