"""From a conversation to the next step: which tools to call, or that everything needed is there.

The conversation is the only memory: earlier questions are read again and earlier tool results tell which cases "the
second one" and "it" are.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from mmdmad.agents.llms.asking import asked_by_phrase
from mmdmad.agents.llms.clauses import asks, clauses
from mmdmad.agents.llms.patterns import PRONOUN
from mmdmad.agents.llms.reading import Reading, Vocabulary, read
from mmdmad.agents.tools import Returned, returned

from mmdmad.ask.base import Result
from mmdmad.ask.case import About
from mmdmad.ask.ends import Ends
from mmdmad.ask.find import Found
from mmdmad.ask.overview import Overview

AT_RATE = ("verdict", "certainty", "p_value", "")  # what of a case is answered at another rate
CASE_TOOL = {
    "why": "explain_case", "neighbours": "compare_with_normals", "change": "compare_with_normals",
    "around": "around_case",
}  # fmt: skip
NO_CALLS = (
    "help",
    "thanks",
    "decline",
    "unclear",
    "which case",
    "needs",
    "time",
    "doubt",
    "act",
    "foreign",
    "no such channel",
)
EDITED = ("first_and_last", "rank_groups", "find_cases")  # queries whose filters a follow-up may change
OF_CASES = ("count", "list", "ranking")
NARROWED = (*OF_CASES, "query", "guarantee", "overview", "refused")  # answers that a word not understood could narrow


@dataclass(frozen=True)
class Call:
    """A tool call and, once it ran, what it gave."""

    name: str
    args: dict[str, Any]
    given: Returned | None = None

    @property
    def result(self) -> Result | None:
        """What its query found, or None before it ran and where it failed."""
        return self.given.result if self.given is not None else None

    def same(self, other: "Call") -> bool:
        """Whether the other call asks the same."""
        return self.name == other.name and self.args == other.args


@dataclass(frozen=True)
class Turn:
    """One question and the calls made for it."""

    question: str
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class State:
    """What the conversation is about so far."""

    focus: str = ""
    listing: tuple[str, ...] = ()
    last: Reading | None = None


def turns(messages: Sequence[BaseMessage]) -> list[Turn]:
    """The conversation as questions with their tool calls and results."""
    found: list[Turn] = []
    asked: dict[str, Call] = {}
    for message in messages:
        if isinstance(message, HumanMessage):
            found.append(Turn(str(message.content)))
        elif isinstance(message, AIMessage):
            asked |= {str(c["id"]): Call(c["name"], dict(c["args"])) for c in message.tool_calls}
        elif isinstance(message, ToolMessage) and found and message.tool_call_id in asked:
            call = replace(asked[message.tool_call_id], given=returned(message))
            found[-1] = replace(found[-1], calls=(*found[-1].calls, call))
    return found


def vocabulary(past: Sequence[Turn]) -> Vocabulary | None:
    """Names in use, from the latest overview of this conversation; None before there is one."""
    for turn in reversed(past):
        for call in reversed(turn.calls):
            if isinstance(call.result, Overview):
                newest = datetime.fromisoformat(call.result.last) if call.result.last else None
                found = call.result
                oldest = datetime.fromisoformat(found.first) if found.first else None
                return Vocabulary(found.groups, found.channels, found.called, found.parts, oldest, newest)
    return None


def understand(past: Sequence[Turn], names: Vocabulary, tools: Collection[str] = ()) -> tuple[Reading, ...]:
    """The last question, put into its conversation, one reading for each thing it asks; `tools` may be asked."""
    state = State()
    for turn in past[:-1]:
        state = _after(state, turn, _understood(turn.question, names, tools, state)[-1])
    return _understood(past[-1].question, names, tools, state)


def _understood(question: str, names: Vocabulary, tools: Collection[str], state: State) -> tuple[Reading, ...]:
    """What a question asks, clause by clause; what only tells something gives the time that "then" means."""
    whole = _one(question, names, tools, state)
    pieces = clauses(question)
    if len(pieces) < 2:
        return (whole,)
    found: list[Reading] = []
    when: dict[str, Any] = {}
    skipped: list[str] = []
    for piece in pieces:
        reading = _one(piece, names, tools, state, told=not asks(piece))
        if when and re.search(r"\b(?:then|that time|that moment)\b", piece, re.I):
            reading = replace(reading, where={**reading.where, **when})
        if reading.intent in NO_CALLS and not asks(piece):
            skipped += [piece] if reading.intent not in ("thanks", "help") else []
            continue
        when = {name: reading.where[name] for name in ("since", "until") if name in reading.where} or when
        state = replace(state, focus=reading.cases[0]) if len(reading.cases) == 1 else state
        found.append(reading)
    if not found or any(reading.intent == "unclear" for reading in found):
        return (whole,)
    return (*found[:-1], replace(found[-1], skipped=tuple(skipped)))


def _one(question: str, names: Vocabulary, tools: Collection[str], state: State, *, told: bool = False) -> Reading:
    """A question by itself and in its conversation; a query that is asked for by one of its phrases goes first."""
    reading = read(question, names, told=told)
    if reading.intent in ("act", "foreign", "no such channel") or (reading.intent == "query" and not reading.cases):
        return covered(reading)
    by_phrase = asked_by_phrase(question, reading, tools, (state.focus, *state.listing))
    return covered(by_phrase or follow(reading, question, state))


def covered(reading: Reading) -> Reading:
    """A reading that leaves out nothing in silence: a doubt where an unknown word could narrow it."""
    if reading.intent == "query" and (
        reading.unread or reading.attribute == "rate_meaning"
    ):  # its answer has the true ones
        reading = replace(reading, doubts=tuple(word for word in reading.doubts if not word[:1].isdigit()))
    if reading.intent in NARROWED and reading.doubts:
        return replace(reading, intent="doubt")
    if reading.intent == "case" and reading.said and not reading.cases:
        return replace(reading, intent="doubt", doubts=reading.said)
    return reading


def follow(reading: Reading, question: str, state: State) -> Reading:
    """A reading with what it leaves open taken from the conversation: "it", "the second one", "and what about …"."""
    last = state.last
    if reading.intent == "case" and reading.cases and reading.follows and last and last.attribute:
        rest = question
        for case in reading.cases:
            rest = rest.replace(case, "")
        if re.fullmatch(r"(?:\W|and|what|how|about|case|okay|ok|then|or|for|with|the|is|it)*", rest, re.I):
            return replace(reading, attribute=last.attribute, where=last.where, part=last.part)
    if reading.intent == "unclear" and last is not None and reading.part and state.focus and not reading.where:
        return replace(reading, intent="case", attribute="one part", cases=(state.focus,))
    if (
        last is not None
        and last.intent == "query"
        and last.attribute in EDITED
        and reading.follows
        and not reading.cases
        and reading.intent in ("unclear", "list")
        and reading.where
    ):
        return replace(last, where={**last.where, **reading.where}, doubts=reading.doubts, others=reading.others)
    if last is not None and last.intent in OF_CASES and reading.follows and not reading.cases:
        short = (
            reading.intent == "case"
            and reading.attribute in ("contradiction", "missing", "verdict")
            and len(question.split()) < 6
        )
        if (reading.intent == "unclear" or (short and not PRONOUN.search(question))) and reading.where:
            return replace(last, where={**last.where, **reading.where}, doubts=reading.doubts, others=reading.others)
        if reading.intent in ("count", "list", "ranking") and re.search(
            r"\b(?:those|these|them|they|of which)\b", question, re.I
        ):
            number = reading.number or (last.number if "_why" in reading.where else 0)  # why of those that were listed
            return replace(reading, where={**last.where, **reading.where}, number=number)
        if reading.attribute == "why" and reading.intent == "case" and not (state.focus or reading.ordinal):
            return replace(last, intent="list", where={**last.where, **reading.where, "_why": True})  # "and why?"
    if reading.intent in ("case", "unclear") and not reading.cases:
        if reading.ordinal and state.listing:
            at = reading.ordinal - 1 if reading.ordinal > 0 else len(state.listing) - 1
            if at < len(state.listing):
                return replace(reading, intent="case", cases=(state.listing[at],))
            return replace(reading, intent="which case", reason=f"the list above has {len(state.listing)} cases")
        if reading.intent == "case":
            about = state.focus or (state.listing[0] if len(state.listing) == 1 else "")
            return replace(reading, cases=(about,)) if about else replace(reading, intent="which case")
    return reading


def _after(state: State, turn: Turn, reading: Reading) -> State:
    """The state after a turn whose question was read so."""
    focus, listing = state.focus, state.listing
    if reading.intent == "compare":
        return State("", reading.cases, reading)
    for call in turn.calls:
        if isinstance(call.result, Ends) and call.result.total:
            ids = tuple(dict.fromkeys(one for one in (call.result.first, call.result.last) if one))
            focus, listing = (ids[0], ids) if len(ids) == 1 else ("", ids)
        if isinstance(call.result, Found) and call.result.cases:
            listing = call.result.cases
            focus = listing[0] if len(listing) == 1 else ""
        elif isinstance(call.result, About):
            focus = call.result.judged.case_id
        elif "case_id" in call.args and call.result is not None:
            focus = str(call.args["case_id"])
    return State(focus, listing, reading if reading.intent not in NO_CALLS else state.last)


def needed(reading: Reading) -> list[Call]:
    """The tool calls that answer a reading."""
    return [Call(call.name, _plain(call.args)) for call in _needed(reading)]


def _plain(value: Any) -> Any:
    """Arguments as JSON has them, so that a call is the same after it was stored."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (tuple, list)) else value


def _needed(reading: Reading) -> list[Call]:
    where = {k: v for k, v in reading.where.items() if not k.startswith("_")}
    match reading.intent:
        case "count":
            return [Call("count_cases", where)]
        case "ranking":
            return [Call("count_cases", {**where, "by": reading.by})]
        case "list":
            args = {**where, "limit": reading.number or 10}
            args |= {name: reading.where[f"_{name}"] for name in ("order", "why") if f"_{name}" in reading.where}
            return [Call("find_cases", args)]
        case "case" | "compare":
            tool = CASE_TOOL.get(reading.attribute, "open_case") if reading.intent == "case" else "open_case"
            more: dict[str, Any] = {}
            if reading.intent == "case" and "rate" in reading.where and reading.attribute in AT_RATE:
                tool, more = "case_at_rate", {"rate": reading.where["rate"]}
            return [Call(tool, {"case_id": case, **more}) for case in reading.cases[:4]]
        case "overview":
            return [Call("overview", {})]
        case "guarantee":
            return [Call("guarantees", {})]
        case "refused":
            return [Call("list_refusals", {})]
        case "score":
            return [Call("score_files", {"files": where})]
        case "query":
            return [Call(reading.attribute, reading.where)]
    return []
