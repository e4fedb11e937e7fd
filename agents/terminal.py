"""The chat in a terminal: questions in, checked answers out, with the files of the pictures behind them."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from mmdmad.agents.investigator import Answer, Investigator
from mmdmad.agents.pictures import pictures
from rich.console import Console
from rich.text import Text

from mmdmad.errors import MmdmadError

if TYPE_CHECKING:
    from mmdmad.store.run import Run

HELLO = 'Ask about the run, for example "Which cases were flagged?" or "Why was … flagged?". Empty line or Ctrl-D ends.'


def chat(
    run: "Run", llm: str = "offline", console: Console | None = None, read: Callable[[str], str] | None = None
) -> None:
    """Ask and answer until an empty line, Ctrl-D or Ctrl-C; `read` replaces the prompt in tests."""
    screen = console or Console()
    ask = read or (lambda prompt: screen.input(prompt))
    investigator = Investigator(run, llm=llm, thread=f"terminal-{uuid4().hex}")
    screen.print(HELLO, style="dim", markup=False)
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
                screen.print(Text(str(error), style="red"))
                continue
            show(answer, run, screen)
    finally:
        investigator.close()


def show(answer: Answer, run: "Run", screen: Console) -> None:
    """Print an answer, then what was looked up and where the pictures lie. Text from cases is never read as markup."""
    screen.print(Text(answer.text))
    if answer.tools:
        screen.print(Text(f"looked up: {', '.join(answer.tools)}", style="dim"))
    for path, caption in pictures(run, answer.evidence):
        screen.print(Text(f"picture: {path}  ({caption})", style="dim"))
