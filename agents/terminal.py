"""The chat in a terminal: questions in, checked answers out, with the files of the pictures behind them."""

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from mmdmad.agents.investigator import Answer, Investigator
from mmdmad.agents.pictures import pictures
from rich.console import Console
from rich.text import Text

from mmdmad.errors import MmdmadError
from mmdmad.plain import plain

if TYPE_CHECKING:
    from mmdmad.store.run import Run

HELLO = 'Ask about the run, for example "Which cases were flagged?" or "Why was … flagged?". Empty line or Ctrl-D ends.'


def chat(
    run: "Run",
    llm: str = "offline",
    console: Console | None = None,
    read: Callable[[str], str] | None = None,
    thread: str | None = None,
) -> None:
    """Ask and answer until an empty line, Ctrl-D or Ctrl-C; `read` replaces the prompt in tests.

    `thread` names a conversation to go on with (default: a new one); its name is told at the end.
    """
    screen = console or Console()
    ask = read or (lambda prompt: screen.input(prompt))
    investigator = Investigator(run, llm=llm, thread=thread or f"terminal-{uuid4().hex[:8]}")
    screen.print(HELLO, style="dim", markup=False)
    asked = False
    try:
        while True:
            try:
                question = ask("> ").strip()
            except (EOFError, KeyboardInterrupt):
                break
            if not question:
                break
            try:
                with screen.status("looking"):
                    answer = investigator.ask(question)
            except MmdmadError as error:
                put(screen, str(error), "red")
                continue
            asked = True
            show(answer, run, screen)
    finally:
        investigator.close()
        if asked:
            where = shlex.join(["mmdmad", "chat", str(run.path), "--terminal", "--thread", investigator.thread])
            put(screen, f"go on with this conversation: {where}", "dim")


def show(answer: Answer, run: "Run", screen: Console) -> None:
    """Print an answer, then what was looked up and where the pictures lie."""
    put(screen, answer.text, lines=True)
    if answer.tools:
        put(screen, f"looked up: {', '.join(answer.tools)}", "dim")
    for path, caption in pictures(run, answer.evidence):
        put(screen, f"picture: {path}  ({caption})", "dim")


def put(screen: Console, text: str, style: str = "", *, lines: bool = False) -> None:
    """Print text that may come from cases: never read as markup, nothing in it reaches the terminal as a command."""
    screen.print(Text(plain(text, lines=lines), style=style), soft_wrap=not lines)
