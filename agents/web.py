"""The chat as a page on this machine: Gradio, with the pictures of the cited evidence under each answer.

Binds to 127.0.0.1, sends no analytics, loads no fonts from elsewhere, and shows text from cases as plain text.
"""

import os
from typing import TYPE_CHECKING, Any

from mmdmad.agents.investigator import Investigator
from mmdmad.agents.pictures import pictures

from mmdmad.errors import MissingExtraError, MmdmadError

if TYPE_CHECKING:
    from mmdmad.store.run import Run

EXAMPLES = (
    "Give me an overview.",
    "Which case is the most anomalous?",
    "Why?",
    "How many flagged cases have a contradiction?",
)
FONTS = ("system-ui", "Helvetica", "Arial", "sans-serif")


def make_page(run: "Run", llm: str = "offline") -> Any:
    """The page as Gradio Blocks; every browser session is a conversation of its own."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    try:
        import gradio as gr
    except ImportError as error:
        raise MissingExtraError("the chat page", "gradio", "chat") from error
    investigator = Investigator(run, llm=llm)

    def reply(question: str, history: list[Any], request: gr.Request) -> list[Any]:
        return answer(gr, run, investigator, question, f"web-{request.session_hash}")

    simulated = any(f.simulated for f in run.findings(limit=1))
    chatbot = gr.Chatbot(
        render_markdown=False, sanitize_html=True, allow_tags=False, height=620, label="mmdmad", buttons=["copy"]
    )
    return gr.ChatInterface(
        reply,
        chatbot=chatbot,
        title=f"mmdmad: {run.path.name}" + (" (simulated data)" if simulated else ""),
        description="Answers come from the run's findings; every sentence is checked against them before it is shown.",
        examples=list(EXAMPLES),
        analytics_enabled=False,
        flagging_mode="never",
        api_visibility="private",
    )


def answer(gr: Any, run: "Run", investigator: Investigator, question: str, thread: str) -> list[Any]:
    """The messages of one reply: what was looked up (folded), the text, the pictures of the cited evidence."""
    try:
        said = investigator.ask(question, thread)
    except MmdmadError as error:
        return [gr.ChatMessage(role="assistant", content=str(error))]
    messages = []
    if said.tools:
        title = {"title": f"looked up: {', '.join(said.tools)}", "status": "done"}
        messages.append(gr.ChatMessage(role="assistant", content=", ".join(said.evidence), metadata=title))
    messages.append(gr.ChatMessage(role="assistant", content=said.text))
    for path, caption in pictures(run, said.evidence):
        picture = gr.Image(str(path), show_label=False, interactive=False, height=320, buttons=["fullscreen"])
        messages.append(gr.ChatMessage(role="assistant", content=caption))
        messages.append(gr.ChatMessage(role="assistant", content=picture))
    return messages


def serve(run: "Run", llm: str = "offline", port: int = 7860, block: bool = True) -> str:
    """Show the page on 127.0.0.1 until stopped; returns its address (at once with `block=False`)."""
    page = make_page(run, llm)
    import gradio as gr

    _, address, _ = page.launch(
        server_name="127.0.0.1",
        server_port=port,
        share=False,
        quiet=True,
        prevent_thread_lock=not block,
        theme=gr.themes.Default(font=list(FONTS), font_mono=["monospace"]),
        allowed_paths=[str((run.path / "artifacts").resolve())],
        show_error=True,
        footer_links=[],
        run_history=False,
    )
    return str(address)
