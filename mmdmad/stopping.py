"""Ctrl-C and SIGTERM: the program ends what it is doing, says what is kept and which command goes on."""

import atexit
import gc
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from mmdmad.plain import say

KEPT = {
    "fit": "what was encoded and trained so far is kept",
    "score": "the cases judged so far are kept",
    "explain": "no explanation was stored",
    "report": "no report was written; an earlier one is as it was",
    "chat": "what was asked and answered is kept",
    "bench": "no result was written",
    "demo": "what is done so far is kept",
}


def go_on(words: Sequence[str]) -> str:
    """What is kept of a stopped command, and the line that goes on with it; `words` are those after the program's name.

    >>> go_on(["fit", "--data", "line 3", "--run", "r"])
    "what was encoded and trained so far is kept; go on with: mmdmad fit --data 'line 3' --run r --resume"
    >>> go_on(["report", "r"])
    'no report was written; an earlier one is as it was; begin again with: mmdmad report r'
    """
    command = next((w for w in words if w in KEPT), "")
    more = ["--resume"] if command == "fit" and "--resume" not in words else []
    how = "go on" if command in ("fit", "score", "demo") else "begin again"
    kept = f"{KEPT[command]}; " if command else ""
    return f"{kept}{how} with: {shlex.join(['mmdmad', *words, *more])}"


_stopped: list[int] = []
"""The signals that asked this program to stop; a list, because a handler can only add to what is there."""


def asked_to_stop() -> bool:
    """Whether Ctrl-C or SIGTERM came: what works in a thread of its own, or outside Python, asks now and then."""
    return bool(_stopped)


@contextmanager
def told() -> Iterator[None]:
    """Within the block, SIGINT and SIGTERM unwind the work and end the program with 130 or 143, saying how to go on.

    A signal that was ignored when the program began (a job put into the background, say) stays ignored.
    """
    _stopped.clear()

    def stop(number: int, frame: FrameType | None) -> None:
        _stopped.append(number)
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    except BaseException as error:
        # whatever came of the interruption on its way out, Typer's own exit included
        if not _stopped:
            raise
        _end(_stopped[0], error)
    else:
        if _stopped:  # the work was over, or took the signal as its end: a chat at its prompt
            _end(_stopped[0], None)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(stopped: int, error: BaseException | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C does not cut the last words short
    say(f"mmdmad: stopped; {go_on(sys.argv[1:])}", file=sys.stderr)
    atexit.register(gc.freeze)  # Python's last search for circles among what torch made takes seconds of a busy machine
    raise SystemExit(128 + stopped) from error
