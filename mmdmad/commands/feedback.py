"""`mmdmad feedback`: what people say of findings, put on record or listed."""

import getpass
import json
from typing import Annotated

import typer

from mmdmad.commands.common import RunFolder
from mmdmad.errors import ConfigError
from mmdmad.plain import say

Who = Annotated[str | None, typer.Option(help="Who says so; default: the name of the login.")]


def feedback(
    run: RunFolder,
    case: Annotated[
        str | None, typer.Argument(metavar="[CASE]", help="Case id; without one all words are listed.")
    ] = None,
    label: Annotated[
        str | None,
        typer.Argument(metavar="[confirmed|false-alarm]", help="Whether it is a fault, or was flagged for nothing."),
    ] = None,
    why: Annotated[str, typer.Option(help="The reason.")] = "",
    who: Who = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """Say whether a finding is a fault or a false alarm; without that, list what people said.

    The last word on a case counts, earlier ones stay on record. Nothing that judges is changed by it.
    """
    from mmdmad.ask.base import Scope, ask
    from mmdmad.store.feedback import label_of
    from mmdmad.store.run import Run

    folder = Run.open(run)
    if label is not None and case is not None:
        person = login() if who is None else who
        new = folder.feedback(case, label, why, person)
        by = f" by {person}" if person else ""
        say(f"{case}: {label_of(label)}{by}" if new else f"{case}: {label_of(label)} was the last word already{by}")
        return
    if why or who is not None:
        raise ConfigError("--why and --who were given without a word; give both: CASE confirmed, or CASE false-alarm")
    found = ask(Scope(folder), "feedback", case_id=case, limit=1000)
    if as_json:
        say(json.dumps(found.model_dump(mode="json"), indent=1, ensure_ascii=False), lines=True)
        return
    for one in found.evidence:
        say(one.evidence.caption)


def login() -> str:
    """The name that this machine knows the person by; "" where it knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # as Python's versions say that there is no name
        return ""
