"""`mmdmad events`: flagged cases side by side as one, and the rule by which events are told as alarms."""

import json
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mmdmad.commands.common import ReadAt, RunFolder, opened
from mmdmad.errors import ConfigError
from mmdmad.plain import say

if TYPE_CHECKING:
    from mmdmad.events import AlarmRule
    from mmdmad.store.run import Run

AlarmOption = Annotated[
    str | None,
    typer.Option(
        "--alarm",
        metavar="RULE",
        help="The rule of the run from now on, as 'fewest=2 shortest=30s level=0.1 hold=3 rearm=10min'; 'none' is "
        "the usual one. It moves no verdict.",
    ),
]


def events(
    run: RunFolder,
    since: Annotated[str | None, typer.Option(help="Events that last into this date-time or begin later.")] = None,
    until: Annotated[str | None, typer.Option(help="Events that begin before this date-time.")] = None,
    part: Annotated[str | None, typer.Option(help="Events in which this part stands out.")] = None,
    recording: Annotated[
        str | None, typer.Option(help="Events of this recording, or of the file of this name.")
    ] = None,
    alarms: Annotated[
        bool, typer.Option("--alarms", help="Only those that are alarms by the rule of the run.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many are listed, the most anomalous first.")] = 20,
    rate: ReadAt = None,
    alarm: AlarmOption = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="N/day",
            help="Alarms from now on are so few events that at most N false ones a day (or N/1000, per 1,000 cases) "
            "are expected; chosen from the calibration, with 95 % confidence.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also write all events: .csv, .parquet or .jsonl.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the listed events as JSON.")] = False,
) -> None:
    """List events: flagged cases of a recording or stream that lie side by side, as one each."""
    from mmdmad.ask.base import Scope, ask
    from mmdmad.ask.events import Found

    folder = opened(run, rate)
    set_rule(folder, alarm)
    if budget is not None:
        most, per = budget_of(budget)
        say(folder.events.budget(most, per).words)
    given = {"since": since, "until": until, "part": part, "recording": recording, "alarm": True if alarms else None}
    found = ask(Scope(folder), "list_events", limit=limit, **{k: v for k, v in given.items() if v is not None})
    assert isinstance(found, Found)
    if as_json:
        say(json.dumps([event.model_dump(mode="json") for event in found.events], indent=1), lines=True)
    else:
        for one in found.evidence:
            say(one.evidence.caption)
        if found.total > len(found.events):
            say(f"and {found.total - len(found.events)} more; --limit, or --out events.csv for all of them")
    if out is not None:
        folder.events.save(out)
        say(f"table: {out}")


def set_rule(run: "Run", given: str | None) -> None:
    """Give a run another alarm rule, where one was given, and say what events it makes."""
    if given is None:
        return
    rule = rule_of(given, run.events.rule)
    run.events.set_rule(rule)
    alarms, every = run.events.count(alarm=True), len(run.events)
    say(f"alarm rule of the run: {rule.words or 'none'}; {every} events, {alarms} of them alarms")


def budget_of(given: str) -> tuple[float, Literal["day", "1000"]]:
    """A budget as people write it: so many alarms a day, or per 1,000 cases.

    >>> budget_of("2/day"), budget_of("0.5/1000")
    ((2.0, 'day'), (0.5, '1000'))
    """
    most, _, per = given.replace(" ", "").partition("/")
    try:
        number = float(most)
    except ValueError:
        number = 0.0
    if not (math.isfinite(number) and number > 0) or per not in ("", "day", "1000"):
        raise ConfigError(f"--budget {given!r} was given; allowed are N/day and N/1000, N above 0")
    return number, "1000" if per == "1000" else "day"


def rule_of(given: str, known: "AlarmRule | None" = None) -> "AlarmRule":
    """A rule as people write it: what is not named stays as it is `known`; durations may have units.

    >>> rule_of("fewest=2 rearm=10min").rearm
    600.0
    """
    from mmdmad.events import AlarmRule
    from mmdmad.windows import seconds_of

    kinds = {f.name: type(f.default) for f in fields(AlarmRule)}
    if given.strip() == "none":
        return AlarmRule()
    values: dict[str, int | float] = {}
    for word in given.replace(",", " ").split():
        name, _, value = word.partition("=")
        if name not in kinds:
            raise ConfigError(f"--alarm {given!r}: {name!r} is not known; known are {', '.join(kinds)}")
        try:
            values[name] = (
                int(value) if kinds[name] is int else seconds_of(value) if kinds[name] is float else float(value)
            )
        except ValueError as error:
            raise ConfigError(f"--alarm {given!r}: {name} cannot be {value!r} ({error})") from error
    return replace(known or AlarmRule(), **values)  # type: ignore[arg-type]
