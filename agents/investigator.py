"""The investigator: a LangChain agent over one run whose answers are checked against what its tools returned.

The model may be any chat model. It chooses claims of what its tools returned, which code writes; a sentence of its own
is shown only where every word of it is read as claims that hold (`admitting`). What the offline analyst says is made by
code out of results; it is held against them by `grounding` all the same.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain.agents import create_agent
from langchain.agents.middleware import ModelCallLimitMiddleware, ToolCallLimitMiddleware
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from mmdmad.agents import grounding
from mmdmad.agents.admitting import admitted_answer
from mmdmad.agents.llms import make_llm
from mmdmad.agents.llms.offline import OfflineChat
from mmdmad.agents.llms.phrases import CAN, CAVEAT
from mmdmad.agents.memory import Memory
from mmdmad.agents.sources import CITATION, SENTENCE_END, Source, cited, run_wide, sources
from mmdmad.agents.tools import make_tools, returned
from mmdmad.prompts import load

from mmdmad.ask.words import percent
from mmdmad.errors import MmdmadError, RunError
from mmdmad.fence import unfenced
from mmdmad.findings import Evidence

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from mmdmad.store.run import Run

MODEL_CALLS, TOOL_CALLS = 8, 12  # for one question
DECLINING = re.compile(
    r"^(?:I (?:cannot|can't|can|did not|do not|don't|was not|am not)|Please|Which case|You are welcome|Ask me)\b"
)


@dataclass(frozen=True)
class Answer:
    """What was said, the tools called for it, the evidence it cites as "case/E3", and sentences taken out.

    `lines` state which cases the tools were asked for: the filters that were applied, and how many passed them.
    """

    text: str
    tools: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


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
        limits: list[Any] = [
            ModelCallLimitMiddleware(run_limit=MODEL_CALLS, exit_behavior="end"),
            ToolCallLimitMiddleware(run_limit=TOOL_CALLS, exit_behavior="continue"),
        ]
        self._agent = create_agent(
            self._model,
            make_tools(run, folder),
            system_prompt=load("investigator").fill(rate=percent(run.rate), parts=", ".join(run.tally.learned())),
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
        found = sources(messages)
        if isinstance(self._model, OfflineChat):
            kept, withheld = checked(unfenced(str(said)), found, questions)
        else:
            kept, withheld = admitted_answer(unfenced(str(said)), found)
        try:
            self._memory.add(thread, messages[len(past) :])
        except RunError as error:  # a full or read-only disk costs the memory, never the answer
            kept += f"\n({error}.)"
        lines = (r.line for m in messages[last:] if isinstance(m, ToolMessage) and (r := returned(m).result))
        return Answer(kept, tools, cited(kept), withheld, tuple(dict.fromkeys(lines)))

    def close(self) -> None:
        """Close the conversation's file."""
        self._memory.close()


def _text(text: str) -> str:
    """What was typed, without halves of characters, which no model and no file takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _held(scope: Sequence[Source]) -> list[Evidence]:
    """What a sentence is held against; where several cases are, no single verdict is the one to hold it to."""
    if len({s.case for s in scope if s.case}) <= 1:
        return [s.evidence for s in scope]
    return [_without_verdict(s.evidence) for s in scope]


def _without_verdict(e: Evidence) -> Evidence:
    facts = tuple(f.model_copy(update={"name": "judged"}) if f.name == "verdict" else f for f in e.facts)
    return e.model_copy(update={"kind": "context" if e.kind == "verdict" else e.kind, "facts": facts})


def checked(text: str, found: Sequence[Source], questions: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The answer without the sentences that the tool results do not support, and those sentences with their problem.

    The words of the questions may be repeated, never their numbers or names.
    """
    kept, withheld = [], []
    for line in text.splitlines():
        passed = []
        for sentence in SENTENCE_END.split(line.strip()):
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
    plain = re.sub(r"^\d+\.\s", "", CITATION.sub("", sentence))
    if not plain.strip(" .") or plain in CAN or plain == CAVEAT:
        return []
    if grounding.leads_out(plain):
        return ["links and embedded pictures are not allowed"]
    if DECLINING.match(plain):
        rest = _without(plain, questions, [s.evidence for s in found])
        return ["numbers without a tool result"] if re.search(r"\d", rest) else []
    ids, numbers = cited(sentence), run_wide(sentence)
    known = {s.evidence.id for s in found} | {s.number for s in found}
    problems = [f"{i} was not returned by any tool" for i in (*ids, *numbers) if i not in known]
    cases = {i.rpartition("/")[0] for i in ids}
    scope = [s for s in found if s.evidence.id in ids or (s.case in cases and s.head)]
    if numbers and not problems:
        return _problems_ofrun_wide(plain, numbers, scope, found, questions)
    if not scope:
        turn = max((s.turn for s in found), default=0)
        scope = [s for s in found if s.turn == turn or not s.case]
        named = {s.case for s in scope if s.case and grounding.says(plain, grounding.plain_name(s.case))}
        scope = [s for s in scope if not named or s.case in named or not s.case]
    if not scope:
        return [*problems, "no tool was called"]
    evidence = _held(scope)
    return problems + grounding.check(
        plain, [e.id for e in evidence], evidence, known=(*questions, CAN), denials=bool(ids)
    )


def _problems_ofrun_wide(
    plain: str, numbers: Sequence[str], scope: Sequence[Source], found: Sequence[Source], questions: Sequence[str]
) -> list[str]:
    """What is wrong with a sentence that cites T1, T2, …: numbers that every result counts anew, the latest first."""
    problems = []
    for result in sorted({s.result for s in found}, reverse=True):
        mine = [s for s in found if s.result == result]
        named = [s for s in mine if s.number in numbers]
        if {s.number for s in named} != {*numbers}:
            continue
        evidence = _held([*scope, *named, *(s for s in mine if not s.number and not s.case)])
        wrong = grounding.check(plain, [e.id for e in evidence], evidence, known=(*questions, CAN))
        if not wrong:
            return []
        problems.append(wrong)
    return problems[0] if problems else [f"{' and '.join(numbers)} are not of one tool result"]


def _without(text: str, questions: Sequence[str], evidence: Sequence[Evidence]) -> str:
    """`text` without the tokens with digits that the questions or tool results hold."""
    held = " ".join([*questions, *(e.caption for e in evidence)])
    return re.sub(r"[\w-]*\d[\w-]*", lambda m: "" if m[0] in held else m[0], text)
