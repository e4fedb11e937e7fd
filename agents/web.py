"""The chat as a page on this machine: Gradio, with the pictures of the cited evidence under each answer.

Every word that reaches the page is escaped here, the question as well as the answer; pictures are drawn again as PNG
into a private folder that goes when the page ends. The server itself is watched by `guard`.
"""

import atexit
import hashlib
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mmdmad.agents.guard import LARGEST, Guard
from mmdmad.agents.investigator import Investigator
from mmdmad.agents.pictures import pictures

from mmdmad.errors import ConfigError, MissingExtraError, MmdmadError
from mmdmad.plain import plain, say

if TYPE_CHECKING:
    from mmdmad.store.run import Run

EXAMPLES = (
    "Give me an overview.",
    "Which case is the most anomalous?",
    "Why?",
    "How many flagged cases have a contradiction?",
)
ABOUT = "Answers come from the run's findings; every sentence is checked against them before it is shown."
FONTS = ("system-ui", "Helvetica", "Arial", "sans-serif")
LONGEST_QUESTION = 4000  # characters
WIDEST = 1600  # px of a picture on the page

logger = logging.getLogger(__name__)


def shown(text: str) -> str:
    """Text as a page may have it: every character of it is shown, none is markup.

    >>> shown("<img src=//x> & \\x1b[31m")
    '&lt;img src=//x&gt; &amp; \\\\u001b[31m'
    """
    return escape(plain(text, lines=True))


def make_page(run: "Run", llm: str = "offline", folder: Path | None = None) -> Any:
    """The page as Gradio Blocks; every browser session is a conversation of its own.

    `folder` keeps the pictures that are shown (default: Gradio's own temporary folder).
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    try:
        import gradio as gr
    except ImportError as error:
        raise MissingExtraError("the chat page", "gradio", "chat") from error
    investigator = Investigator(run, llm=llm)

    def put(question: str, so_far: list[Any]) -> tuple[str, str, list[Any], list[Any]]:
        """The question into the conversation before it is answered; the box is emptied."""
        said = [*so_far, gr.ChatMessage(role="user", content=shown(question))] if question.strip() else so_far
        return "", question, said, said

    def reply(question: str, so_far: list[Any], thread: str) -> tuple[list[Any], list[Any]]:
        said = [*so_far, *answer(gr, run, investigator, question, thread, folder)]
        return said, said

    def begin() -> tuple[list[Any], str]:
        """A new conversation, which knows nothing of the one before."""
        return [], _new_thread()

    simulated = " (simulated data)" if any(f.simulated for f in run.findings(limit=1)) else ""
    with gr.Blocks(title="mmdmad", analytics_enabled=False, fill_height=True) as page:
        gr.Markdown(f"# mmdmad\n{ABOUT}")  # words of this program only: what is in them becomes markup
        chatbot = gr.Chatbot(
            label=plain(run.path.name) + simulated, render_markdown=False, sanitize_html=True, allow_tags=False,
            latex_delimiters=[], buttons=[], feedback_options=None, height="60vh", min_height=280, scale=1,
        )  # fmt: skip
        box = gr.Textbox(
            placeholder="Ask about the run", label="Question", show_label=False, lines=1, max_lines=4, autofocus=True,
            submit_btn=True, max_length=LONGEST_QUESTION,
        )  # fmt: skip
        so_far, asked, thread = gr.State([]), gr.State(""), gr.State(_new_thread)
        with gr.Row():
            examples = [gr.Button(words, size="sm", min_width=140) for words in EXAMPLES]
        quiet = {"show_progress": "hidden", "api_visibility": "private"}
        for event, source in ((box.submit, box), *((button.click, button) for button in examples)):
            event(put, [source, so_far], [box, asked, so_far, chatbot], **quiet).then(
                reply, [asked, so_far, thread], [so_far, chatbot], api_visibility="private"
            )
        chatbot.clear(begin, None, [so_far, thread], **quiet)
    return page


def _new_thread() -> str:
    return f"web-{uuid4().hex}"


def answer(
    gr: Any, run: "Run", investigator: Investigator, question: str, thread: str, folder: Path | None = None
) -> list[Any]:
    """The messages of one reply: what was looked up (folded), the text, the pictures of the cited evidence."""

    def message(text: str, **more: Any) -> Any:
        return gr.ChatMessage(role="assistant", content=shown(text), **more)

    try:
        said = investigator.ask(question, thread)
    except MmdmadError as error:
        return [message(str(error))]
    except Exception as error:  # of a provider, say: the page goes on, the log has the whole of it
        logger.exception("a question on the page failed")
        return [message(f"The question could not be answered ({type(error).__name__}: {error}).")]
    messages = []
    if said.tools:
        title = {"title": shown(f"looked up: {', '.join(said.tools)}"), "status": "done"}
        messages.append(message(", ".join(said.evidence), metadata=title))
    messages.append(message(said.text))
    for path, caption in pictures(run, said.evidence):
        drawn = _drawn(path, folder)
        if drawn is not None:
            picture = gr.Image(drawn, show_label=False, interactive=False, height=320, buttons=["fullscreen"])
            messages += [message(caption), gr.ChatMessage(role="assistant", content=picture)]
    return messages


def _drawn(path: Path, folder: Path | None) -> Any:
    """The picture in a file, drawn again: what else a file of a received run may hold never leaves the run."""
    from PIL import Image

    try:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        logger.warning("picture %s cannot be shown: %s", plain(str(path)), plain(str(error)))
        return None
    picture.thumbnail((WIDEST, WIDEST))
    if folder is None:
        return picture
    drawn = folder / f"{hashlib.sha256(bytes(path)).hexdigest()[:20]}.png"
    picture.save(drawn)
    return str(drawn)


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that only this user can read, for what Gradio and the page put down; gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="mmdmad-chat-"))  # mode 0700
    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    try:
        yield folder
    finally:
        os.environ.pop("GRADIO_TEMP_DIR")
        if before is not None:
            os.environ["GRADIO_TEMP_DIR"] = before
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def served(run: "Run", llm: str = "offline", port: int = 7860) -> Iterator[str]:
    """The page on 127.0.0.1 for as long as the block lasts; gives its address."""
    with private_folder() as folder:
        page = make_page(run, llm, folder)
        import gradio as gr
        from starlette.middleware import Middleware

        try:
            _, address, _ = page.launch(
                server_name="127.0.0.1",
                server_port=port,
                share=False,
                quiet=True,
                prevent_thread_lock=True,
                theme=gr.themes.Default(font=list(FONTS), font_mono=["monospace"]),
                max_file_size=LARGEST,
                app_kwargs={"middleware": [Middleware(Guard)]},
                ssr_mode=False,
                mcp_server=False,
                pwa=False,
                show_error=False,
                footer_links=[],
                run_history=False,
            )
        except OSError as error:
            raise ConfigError(f"port {port} cannot be used ({error}); name another with --port") from error
        try:
            yield str(address)
        finally:
            page.close(verbose=False)


def serve(run: "Run", llm: str = "offline", port: int = 7860, block: bool = True) -> str:
    """Show the page on 127.0.0.1, print its address and wait until the program is stopped.

    With `block=False` the address is returned at once and the page lasts as long as the program.
    """
    with ExitStack() as page:
        address = page.enter_context(served(run, llm, port))
        say(f"chat: {address} (on this machine only; Ctrl-C ends it)")
        if block:
            threading.Event().wait()
        atexit.register(page.pop_all().close)
    return address
