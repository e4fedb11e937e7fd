"""The investigator: a LangChain agent over one run whose answers are checked against what its tools returned.

The model may be any chat model; a sentence whose numbers, names, times or verdict words are in no tool result of the
conversation is taken out before anybody reads it, and the answer says so.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain.agents import create_agent
from langchain.agents.middleware import ModelCallLimitMiddleware, ToolCallLimitMiddleware
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from mmdmad.agents import grounding
from mmdmad.agents.llms import make_llm
from mmdmad.agents.llms.phrases import CAN, CAVEAT
from mmdmad.agents.memory import Memory
from mmdmad.agents.tools import make_tools
from mmdmad.prompts import load

from mmdmad.errors import MmdmadError, RunError
from mmdmad.fence import unfence
from mmdmad.findings import Evidence, EvidenceKind, Fact
from mmdmad.modalities.base import modalities

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from mmdmad.store.run import Run

MODEL_CALLS, TOOL_CALLS = 8, 12  # for one question
DECLINING = re.compile(
    r"^(?:I (?:cannot|can't|can|did not|do not|don't|was not|am not)|Please|Which case|You are welcome|Ask me)\b"
)

_CITATION = re.compile(r"\s*\[[^\[\]]*?\bE\d+[^\[\]]*\]")
_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!^\d\.)(?<!^\d\d\.)\s+(?=[A-Z“\"']|\w+[-_]\d)")


@dataclass(frozen=True)
class Answer:
    """What was said, the tools called for it, the evidence it cites as "case/E3", and sentences taken out."""

    text: str
    tools: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


class Investigator:
    """A conversation about one run, kept in its `chat.sqlite` by `thread`.

    `folder` is where the agent may score new files from (default: the current folder).
    """

    def __init__(
        self, run: "Run", llm: "str | BaseChatModel" = "offline", thread: str = "main", folder: Path | None = None
    ) -> None:
        self.run, self.thread = run, thread
        self._model = make_llm(llm) if isinstance(llm, str) else llm
        self._memory = Memory(run.path)
        known = next(iter(run.findings(limit=1)), None)
        rate = f"{100 * known.guarantee.rate:.3g} %" if known else "not declared yet"
        limits: list[Any] = [
            ModelCallLimitMiddleware(run_limit=MODEL_CALLS, exit_behavior="end"),
            ToolCallLimitMiddleware(run_limit=TOOL_CALLS, exit_behavior="continue"),
        ]
        self._agent = create_agent(
            self._model,
            make_tools(run, folder),
            system_prompt=load("investigator").fill(rate=rate),
            middleware=limits,
        )

    def ask(self, question: str, thread: str | None = None) -> Answer:
        """The answer to a question, in the conversation so far; every sentence passed the grounding check.

        `thread` names another conversation than the investigator's own.
        """
        if not question.strip():
            raise MmdmadError('an empty question was given; ask, for example, "Which case is the most anomalous?"')
        thread = _text(thread or self.thread)
        past = self._memory.messages(thread)
        given: list[Any] = [*past, HumanMessage(_text(question))]
        state = self._agent.invoke({"messages": given})
        messages: list[BaseMessage] = state["messages"]
        last = max(i for i, m in enumerate(messages) if isinstance(m, HumanMessage))
        tools = tuple(c["name"] for m in messages[last:] if isinstance(m, AIMessage) for c in m.tool_calls)
        said = messages[-1].text if isinstance(messages[-1], AIMessage) else ""
        questions = [str(m.content) for m in messages if isinstance(m, HumanMessage)]
        kept, withheld = checked(str(said), sources(messages), questions)
        try:
            self._memory.add(thread, messages[len(past) :])
        except RunError as error:  # a full or read-only disk costs the memory, never the answer
            kept += f"\n({error}.)"
        return Answer(kept, tools, cited(kept), withheld)

    def close(self) -> None:
        """Close the conversation's file."""
        self._memory.close()


def _text(text: str) -> str:
    """What was typed, without halves of characters, which no model and no file takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True)
class Source:
    """One thing the tools returned: real evidence of a case, or a whole result flattened to facts; `turn` of asking."""

    evidence: Evidence
    case: str
    turn: int


def sources(messages: Sequence[BaseMessage]) -> list[Source]:
    """Everything the tools of a conversation returned, as evidence: "T1", … for results, "case/E3" for evidence."""
    found: list[Source] = []
    turn = results = 0
    for message in messages:
        turn += isinstance(message, HumanMessage)
        if not isinstance(message, ToolMessage):
            continue
        results += 1
        try:
            data = json.loads(str(message.content))
        except ValueError:
            data = None
        if not isinstance(data, dict):
            data = {"result": str(message.content)}
        case, items = str(data.get("case", "")), data.pop("evidence", [])
        rows = {
            name: value
            for name, value in data.items()
            if isinstance(value, list) and value and isinstance(value[0], dict)
        }
        top = {name: [len(value)] if name in rows else value for name, value in data.items()}
        found.append(Source(_context(f"T{results}", top), case, turn))
        for name, row in ((name, row) for name, value in rows.items() for row in value):
            number = sum(s.turn == turn for s in found)
            own = str(row.get("case", case))
            found.append(Source(_context(f"T{results}.{number}", {name.rstrip("s"): "", **row}), own, turn))
        for item in items:
            facts = tuple(_fact(name, value) for name, value in item["facts"].items())
            kind: EvidenceKind = "context" if item["kind"] == "verdict" else item["kind"]
            caption = unfence(item["caption"])
            evidence = Evidence(id=f"{case}/{item['id']}", kind=kind, part=item["part"], caption=caption, facts=facts)
            found.append(Source(evidence, case, turn))
    return found


def _context(name: str, data: dict[str, Any]) -> Evidence:
    """A tool result, or one row of it, as evidence; a row about a part is evidence about that part."""
    flat = _flat(data)
    facts = tuple(Fact(name=name, value=value) for name, value in flat if not isinstance(value, bool))
    caption = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in flat)
    part = data["part"] if data.get("part") in modalities() else None
    return Evidence(id=name, kind="context", part=part, caption=caption, facts=facts)


def _flat(data: Any, name: str = "") -> list[tuple[str, Any]]:
    if isinstance(data, dict):
        return [pair for key, value in data.items() for pair in [("name", str(key)), *_flat(value, str(key))]]
    if isinstance(data, list):
        return [("count", len(data)), *(pair for value in data for pair in _flat(value, name))]
    if data is None:
        return []
    if name == "verdict":
        name = "judged"  # several cases in one conversation: no single verdict to hold a sentence to
    return [(name, unfence(data) if isinstance(data, str) else data)]


def _fact(name: str, value: Any) -> Fact:
    if isinstance(value, str):
        number = re.fullmatch(r"(-?[\d.]+(?:e-?\d+)?) (\S+)", value)
        if number:
            return Fact(name="judged" if name == "verdict" else name, value=float(number[1]), unit=number[2])
        return Fact(name="judged" if name == "verdict" else name, value=unfence(value))
    return Fact(name=name, value=value)


def checked(text: str, found: Sequence[Source], questions: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The answer without the sentences that the tool results do not support, and those sentences with their problem.

    The words of the questions may be repeated, never their numbers or names.
    """
    kept, withheld = [], []
    for line in text.splitlines():
        passed = []
        for sentence in _SENTENCE_END.split(line.strip()):
            problems = _problems(sentence, found, questions)
            if problems:
                withheld.append(f"{sentence} ({'; '.join(problems)})")
            elif sentence:
                passed.append(sentence)
        if passed:
            kept.append(" ".join(passed))
    if withheld and not kept:
        kept.append(f"I cannot answer that from the evidence. {CAN}")
    elif withheld:
        count = "One sentence was" if len(withheld) == 1 else f"{len(withheld)} sentences were"
        kept.append(f"({count} withheld: not supported by the tool results.)")
    return "\n".join(kept), tuple(withheld)


def _problems(sentence: str, found: Sequence[Source], questions: Sequence[str]) -> list[str]:
    """What is wrong with one sentence of an answer; a sentence that cites evidence is held against that evidence."""
    plain = re.sub(r"^\d+\.\s", "", _CITATION.sub("", sentence))
    if not plain.strip(" .") or plain in CAN or plain == CAVEAT:
        return []
    if grounding.leads_out(plain):
        return ["links and embedded pictures are not allowed"]
    if DECLINING.match(plain):
        rest = _without(plain, questions, [s.evidence for s in found])
        return ["numbers without a tool result"] if re.search(r"\d", rest) else []
    ids = cited(sentence)
    known = {s.evidence.id for s in found}
    problems = [f"{i} was not returned by any tool" for i in ids if i not in known]
    cases = {i.split("/")[0] for i in ids}
    scope = [s for s in found if s.evidence.id in ids or (s.case in cases and re.fullmatch(r"T\d+", s.evidence.id))]
    if not scope:
        turn = max((s.turn for s in found), default=0)
        scope = [s for s in found if s.turn == turn or not s.case]
        named = {s.case for s in scope if s.case and grounding.says(plain, grounding.plain_name(s.case))}
        scope = [s for s in scope if not named or s.case in named or not s.case]
    if not scope:
        return [*problems, "no tool was called"]
    evidence = [s.evidence for s in scope]
    return problems + grounding.check(
        plain, [e.id for e in evidence], evidence, known=(*questions, CAN), denials=bool(ids)
    )


def _without(text: str, questions: Sequence[str], evidence: Sequence[Evidence]) -> str:
    """`text` without the tokens with digits that the questions or tool results hold."""
    held = " ".join([*questions, *(e.caption for e in evidence)])
    for token in re.findall(r"[\w-]*\d[\w-]*", text):
        if token in held:
            text = text.replace(token, "")
    return text


def cited(text: str) -> tuple[str, ...]:
    """The evidence an answer cites: "[test-00012: E1, E3]" → "test-00012/E1", "test-00012/E3"."""
    found = []
    for case, ids in re.findall(r"\[([^\[\]:]+):\s*(E\d+(?:,\s*E\d+)*)\]", text):
        found += [f"{case.strip()}/{i}" for i in re.findall(r"E\d+", ids)]
    return tuple(dict.fromkeys(found))
