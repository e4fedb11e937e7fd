"""What comes from cases cannot command a terminal, turn a line round or hide; every printing path goes one way."""

import ast
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from mmdmad.agents import terminal
from mmdmad.agents.investigator import Answer
from rich.console import Console

import mmdmad
from mmdmad.commands.common import end, print_explanation, print_table
from mmdmad.findings import Finding, Guarantee
from mmdmad.plain import plain, say

EVIL = {
    "colour": "\x1b[31mred\x1b[0m", "title": "\x1b]0;owned\x07", "clear": "\x1b[2J\x1b[H", "C1": "\x9b31m",
    "return": "a\rb", "bell": "\x07", "delete": "\x7f", "override": "\u202egnp.exe", "isolate": "\u2066x\u2069",
    "mark": "a\u200fb", "line": "a\u2028b\u2029c\x85d", "hidden": "pay\u200bpal\ufeff", "tags": "x\U000e0041\U000e0042",
    "half": "a\udcff\ud800", "newline": "a\nmmdmad: forged", "annotation": "\ufff9x\ufffb",
}  # fmt: skip
"""By what each does; none of these characters may reach a terminal."""
BAD = {c for text in EVIL.values() for c in text if not c.isascii() or not c.isprintable()} - {"\n"}


@pytest.mark.parametrize("name", EVIL)
def test_hidden_characters_are_written_out(name: str) -> None:
    shown = plain(EVIL[name])
    assert not set(shown) & BAD
    assert "\n" not in shown
    assert "\\" in shown
    assert json.loads(f'"{shown}"') == EVIL[name].encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def test_ordinary_text_stays_as_it_is() -> None:
    for text in ("42 °C – “loose bolt” 在 العربية 👩‍🔧\t|", "naïve e\u0301", ""):
        assert plain(text) == text
    assert plain("a\r\nb\nc", lines=True) == "a\nb\nc"


def test_json_stays_the_same_json() -> None:
    value = {name: text.encode("utf-8", "replace").decode() for name, text in EVIL.items()}
    shown = plain(json.dumps(value, ensure_ascii=False, indent=1), lines=True)
    assert json.loads(shown) == value
    assert not set(shown) & BAD


def hostile() -> Finding:
    from mmdmad.findings import Explanation, Sentence

    text = "".join(EVIL.values())
    said = Explanation(
        sentences=(Sentence(text=text.encode("utf-8", "replace").decode(), cites=("E\x1b1",), grounded=True),),
        faithfulness=1.0, llm="x\x1b[0m", prompt="p",
    )  # fmt: skip
    guarantee = Guarantee(rate=0.01, size=10, interval=(0, 0.1), pattern=("text",))
    return Finding(
        case_id="case\x1b[2J\u202e", verdict="anomalous", score=1.0, p_value=0.01, guarantee=guarantee, parts=(),
        explanation=said,
    )  # fmt: skip


def test_the_command_line_prints_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    from mmdmad.cases import Refusal

    print_explanation(hostile())
    print_table(["a"], [[text] for text in EVIL.values()])
    with pytest.raises(typer.Exit):
        end([Refusal(f"id {text}", "text", text) for text in EVIL.values()], [])
    say("".join(EVIL.values()))
    said = capsys.readouterr()
    assert not set(said.out + said.err) & BAD
    assert len(said.err.splitlines()) == 1 + len(EVIL)


def test_the_chat_prints_plain_text(tmp_path: Path) -> None:
    class Pictures:
        path = tmp_path

        def finding(self, case: str) -> None:
            return None

    text = "".join(EVIL.values()) + "[bold]no markup[/bold]"
    out = io.StringIO()
    screen = Console(file=out, width=400)
    terminal.show(Answer(text, tools=("a\x1b[0m",), evidence=("x/E1",)), Pictures(), screen)
    terminal.put(screen, text)
    assert "[bold]no markup[/bold]" in out.getvalue()
    assert not set(out.getvalue()) & BAD


def test_nothing_is_printed_past_the_one_way() -> None:
    root = Path(mmdmad.__file__).parent
    agents = Path(terminal.__file__).parent
    for file in (root / "cli.py", root / "demo.py", root / "stopping.py", agents / "terminal.py", agents / "web.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("print", "typer.echo", "typer.secho", "sys.stdout.write"), f"{file}:{node.lineno}"
                if called == "screen.print":
                    shown = ast.unparse(node.args[0])
                    assert shown == "HELLO" or shown.startswith("Text(plain("), f"{file}:{node.lineno}"


def test_log_warnings_and_narrow_terminals() -> None:
    code = (
        "import logging, sys, warnings\nfrom mmdmad.endings import log_to_terminal\n"
        "from mmdmad.plain import say\nlog_to_terminal()\n"
        "logging.getLogger('x').warning('case \\x1b[31m\\u202e')\nwarnings.warn('case \\x1b[32m')\nsay('42 °C 在')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env={"PYTHONIOENCODING": "ascii", "PATH": ""}, check=True
    )
    assert done.stdout == rb"42 \xb0C \u5728" + b"\n"
    assert b"\x1b" not in done.stderr
    assert rb"case \u001b[31m\u202e" in done.stderr
    assert rb"case \u001b[32m" in done.stderr
