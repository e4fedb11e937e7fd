"""`mmdmad recalibrate`: cases are ranked among those that a person names normal, from their time on."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmdmad.commands.common import AllowOutside, RunFolder, cut_up, end, flagged_in, read_data
from mmdmad.commands.feedback import Who, login
from mmdmad.errors import ConfigError
from mmdmad.plain import say

if TYPE_CHECKING:
    from mmdmad.store.recalibration import Named
    from mmdmad.store.run import Run


def recalibrate(
    run: RunFolder,
    normal: Annotated[
        list[str] | None,
        typer.Option(
            "--normal",
            metavar="CASE|PATH",
            help="A judged case that is normal, or a manifest or folder of such.",
        ),
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--normal-since", help="All judged cases from this time on are normal.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--normal-until", help="And up to this time, which is left out itself.")
    ] = None,
    why: Annotated[str, typer.Option(help="The reason.")] = "",
    who: Who = None,
    allow_outside: AllowOutside = False,
) -> None:
    """Name what is normal now: cases are ranked among the named ones from their time on. Nothing is learned again.

    Other cases of that time are judged anew, the watch for drift begins anew, and a lapse of the guarantee ends there.
    Who, when, why, which cases and what changed stay on record. Times without a zone count as UTC.
    """
    from mmdmad.store.run import Run

    folder = Run.open(run)
    named = _named(folder, normal or [], since, until, allow_outside)
    if named.left_out:
        faults = len(named.left_out)
        say(f"{faults} {'case is' if faults == 1 else 'cases are'} confirmed as a fault and left out")
    done = folder.recalibrate(named, who=login() if who is None else who, why=why, progress=True)
    at = f", for cases from {done.since} on" if done.since else ""
    say(f"ranked among {done.size} of {len(named.cases)} cases named normal{at}; declared rate {100 * folder.rate:g} %")
    say(done.words)
    if done.lapse is not None:
        say(f"that ends what was on record: {done.lapse.words}")
    say(flagged_in(folder))
    end(done.refused, ())


def _named(
    folder: "Run", normal: list[str], since: datetime | None, until: datetime | None, allow_outside: bool
) -> "Named":
    """What is named normal: judged cases by their ids or times, or cases of one manifest or folder."""
    timed = since is not None or until is not None
    paths = [name for name in normal if folder.finding(name) is None and Path(name).exists()]
    if timed + bool(paths) + (len(normal) > len(paths)) != 1 or len(paths) > 1:
        raise ConfigError(
            "name what is normal in one way: --normal with ids of judged cases, --normal with one manifest or folder, "
            "or --normal-since and --normal-until"
        )
    if timed:
        return folder.named(since=since, until=until)
    if not paths:
        return folder.named(normal)
    return folder.named(cut_up(read_data(Path(paths[0]), folder.windows, allow_outside), folder.windows))
