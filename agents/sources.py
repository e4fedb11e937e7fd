"""What the tools of a conversation returned, and which of it an answer cites."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from mmdmad.agents.tools import returned

from mmdmad.findings import Evidence

CITATION = re.compile(r"\s*\[[^\[\]]*?\b[ET]\d+[^\[\]]*\]")
_RUN_WIDE = re.compile(r"\[(?:[^\[\]]*: ?)?((?:[ET]\d+[,;] ?)*[ET]\d+)\]")
SENTENCE_END = re.compile(r"(?<=[.!?])(?<!^\d\.)(?<!^\d\d\.)\s+(?=[A-Z“\"']|\w+[-_]\d)")


@dataclass(frozen=True)
class Source:
    """One thing the tools returned: evidence, the case it is about ("" = none), the turn of asking.

    `head` marks what a result says first: which cases it is about, or the line of the one case. `result` counts the
    results of the conversation; `number` is what a tool printed before evidence that is no case's own ("T1").
    """

    evidence: Evidence
    case: str
    turn: int
    head: bool = False
    result: int = 0
    number: str = ""


def sources(messages: Sequence[BaseMessage]) -> list[Source]:
    """Everything the tools of a conversation returned: evidence of cases as "case/E3", the rest as "T2.1"."""
    found: list[Source] = []
    turn = results = 0
    for message in messages:
        turn += isinstance(message, HumanMessage)
        if not isinstance(message, ToolMessage):
            continue
        results += 1
        given = returned(message)
        if given.result is None:
            error = Evidence(id=f"T{results}", kind="context", caption=" ".join([given.error, *given.nearest]))
            found.append(Source(error, "", turn, True, results))
            continue
        line = Evidence(id=f"T{results}", kind="context", caption=given.result.line)
        found.append(Source(line, "", turn, True, results))
        for at, one in enumerate(given.result.evidence):
            context = one.evidence.kind == "context"
            name = f"T{results}.{at}" if context else f"{one.case}/{one.evidence.id}"
            evidence = one.evidence.model_copy(update={"id": name})
            number = one.evidence.id if context else ""
            found.append(Source(evidence, one.case or "", turn, context and at == 0, results, number))
    return found


def run_wide(text: str) -> tuple[str, ...]:
    """The numbers of evidence about the run as a whole that brackets cite: "[T1]", "[run: T1, T2]"."""
    return tuple(dict.fromkeys(n for found in _RUN_WIDE.findall(text) for n in re.findall(r"T\d+", found)))


def cited(text: str) -> tuple[str, ...]:
    """The evidence an answer cites: "[test-00012: E1, E3]" → "test-00012/E1", "test-00012/E3"."""
    found = []
    for case, ids in re.findall(r"\[([^\[\]:]+):\s*(E\d+(?:,\s*E\d+)*)\]", text):
        found += [f"{case.strip()}/{i}" for i in re.findall(r"E\d+", ids)]
    return tuple(dict.fromkeys(found))
