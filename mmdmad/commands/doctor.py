"""`mmdmad doctor`: a look at this installation."""

import json
from typing import Annotated

import typer

from mmdmad.commands.common import EXIT_INPUT, print_table
from mmdmad.plain import say


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Check this installation: packages, weights, the device for fit, score and encoders, disk."""
    from mmdmad.doctor import examine

    checks = examine()
    if as_json:
        say(json.dumps([c._asdict() for c in checks], indent=1), lines=True)
    else:
        print_table(["check", "state", "detail"], ([c.name, c.state, c.detail] for c in checks))
    if any(c.state == "fault" for c in checks):
        raise typer.Exit(EXIT_INPUT)
