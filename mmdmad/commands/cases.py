"""`mmdmad cases`: recordings cut into cases, written as a manifest that a person can read and edit."""

from pathlib import Path
from typing import Annotated

import typer

from mmdmad.commands.common import AllowOutside, LogTime, Offset, Step, Window, end, list_notes, pairs
from mmdmad.errors import ConfigError
from mmdmad.plain import say

app = typer.Typer(help="Cases: cut long recordings into windows.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _cases() -> None:
    """A group of its own even while it has one command."""


@app.command()
def make(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Manifest to write (.csv), best beside the recordings.")],
    sensor: Annotated[Path | None, typer.Option(help="A long table.")] = None,
    text: Annotated[Path | None, typer.Option(help="A log.")] = None,
    video: Annotated[Path | None, typer.Option(help="A clip, or a folder of frames with --rate video=10.")] = None,
    data: Annotated[Path | None, typer.Option(help="Instead: a manifest or a folder of recordings.")] = None,
    window: Window = "auto",
    step: Step = None,
    offset: Offset = None,
    rate: Annotated[
        list[str] | None, typer.Option(help="Rows or frames a second of one part, as in video=10; several times.")
    ] = None,
    log_time: LogTime = None,
    split: Annotated[str | None, typer.Option(help="Split that all windows get: train or test.")] = None,
    allow_outside: AllowOutside = False,
) -> None:
    """Cut recordings into windows on one clock, and list them in a manifest."""
    from dataclasses import replace

    from mmdmad.cases import Cases
    from mmdmad.recordings import recordings, write_cases
    from mmdmad.windows import Windows, cut

    given = {"sensor": sensor, "text": text, "video": video}
    files = {name: path for name, path in given.items() if path is not None}
    rates = {name: _number(name, value) for name, value in pairs("rate", rate)}
    windows = Windows.of(window, step, dict(pairs("offset", offset)), log_time)
    made = cut(recordings(data, files, rates=rates, allow_outside=allow_outside), windows)
    if split is not None:
        made = Cases(tuple(replace(case, split=split) for case in made), made.refused, made.root, made.extra)
    list_notes(made.extra["notes"])
    write_cases(made, out)
    say(f"{len(made)} cases of {len({case.recording for case in made})} recordings: {out}")
    here = out.resolve().parent
    if any(p.path is not None and not p.path.is_relative_to(here) for case in made for p in case.parts.values()):
        say(f"the recordings lie outside {here}: give --allow-outside to fit and score, or write the manifest there")
    end(made.refused, ())


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ConfigError(f"--rate {name}={value!r} is no number; write rows or frames a second") from None
