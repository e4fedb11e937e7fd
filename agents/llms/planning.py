"""From a conversation to the next step: which tools to call, or that everything needed is there.

The conversation is the only memory: earlier questions are read again and earlier tool results tell which cases "the
second one" and "it" are.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from mmdmad.agents.llms.asking import asked_by_phrase
from mmdmad.agents.llms.clauses import asks, clauses, second_ask
from mmdmad.agents.llms.dialogue import NO_CALLS, OF_CASES, Call, State, Turn, after, follow, of_those
from mmdmad.agents.llms.heard import Reading, Vocabulary
from mmdmad.agents.llms.reading import read
from mmdmad.agents.tools import returned

from mmdmad.ask.base import queries
from mmdmad.ask.overview import Overview

AT_RATE = ("verdict", "certainty", "p_value", "")  # what of a case is answered at another rate
CASE_TOOL = {
    "why": "explain_case", "neighbours": "compare_with_normals", "change": "compare_with_normals",
    "around": "around_case",
}  # fmt: skip
_ELLIPSIS = re.compile(
    r"^\W*(?:and )?(?:how many|how often|wie viele) (?:of (?:them|those) )?(?:(?:was|were|are|waren|sind) )?"
    r"(?:between|from|in|at|after|before|since|until|on|with|without|zwischen|nach|vor|bei|mit|ohne|im|am)\b",
    re.I,
)
"""A count of which only the condition is said."""
NARROWED = (*OF_CASES, "query", "guarantee", "overview", "refused")  # answers that a word not understood could narrow


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
        state = after(state, turn, _understood(turn, names, tools, state)[-1])
    return _understood(past[-1], names, tools, state)


def _understood(turn: Turn, names: Vocabulary, tools: Collection[str], state: State) -> tuple[Reading, ...]:
    """What a question asks, clause by clause; what only tells something gives the time that "then" means.

    A clause may be about what the one before it found ("which is worst, and when was it recorded?"): as soon as that
    has run, its cases are those that "it" and "those" mean.
    """
    question = turn.question
    whole = _with_second(_one(question, names, tools, state), question)
    pieces = clauses(question)
    if len(pieces) < 2:
        return (whole,)
    found: list[Reading] = []
    asked: list[str] = []
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
        reading = _with_second(_like_before(reading, piece, found), piece)
        state = replace(state, focus=reading.cases[0]) if len(reading.cases) == 1 else state
        own = tuple(call for call in turn.calls if any(call.same(asked) for asked in needed(reading)))
        state = after(state, Turn(piece, own), reading)
        found.append(reading)
        asked.append(piece)
    if not found or any(reading.intent == "unclear" for reading in found):
        lost = [piece for piece, reading in zip(asked, found, strict=True) if reading.intent == "unclear"]
        told = whole.intent in NO_CALLS or whole.skipped or len(lost) == len(found)
        return (whole,) if told else (replace(whole, skipped=tuple(lost)),)
    return (*found[:-1], replace(found[-1], skipped=(*found[-1].skipped, *skipped)))


def _like_before(reading: Reading, piece: str, found: Sequence[Reading]) -> Reading:
    """A clause that leaves out what it counts ("… and how many after 6:20?") counts what the one before did."""
    if not found or reading.intent != "count" or found[-1].intent != "count" or not _ELLIPSIS.search(piece):
        return reading
    kept = {name: value for name, value in found[-1].where.items() if name in ("verdict", "group", "label")}
    return replace(reading, where={**kept, **reading.where})


def _with_second(reading: Reading, piece: str) -> Reading:
    """A reading that names the second question of a clause where it answers only one."""
    tail = second_ask(piece)
    both = reading.where.get("which") == "both" or (reading.where.get("_why") and re.match(r"(?:why|warum)\b", tail))
    if not tail or both or reading.intent in (*NO_CALLS, "query", "compare"):
        return reading
    return replace(reading, skipped=(*reading.skipped, tail))


def _one(question: str, names: Vocabulary, tools: Collection[str], state: State, *, told: bool = False) -> Reading:
    """A question by itself and in its conversation; a query that is asked for by one of its phrases goes first."""
    reading = read(question, names, told=told)
    if reading.intent in ("act", "foreign", "no such channel"):
        return covered(reading)
    by_phrase = asked_by_phrase(question, reading, tools, (state.focus, *state.listing))
    if by_phrase is not None and by_phrase.intent == "query" and by_phrase.attribute in _brought():
        return covered(by_phrase)  # another package's own words go before what the house reads in them
    if reading.intent == "query" and not reading.cases:
        return covered(of_those(reading, question, state))
    if reading.intent == "list" and reading.attribute:  # a figure that was asked for; no phrase is heard in its words
        return covered(follow(reading, question, state))
    return covered(by_phrase or follow(reading, question, state))


def _brought() -> set[str]:
    """The queries that other packages have brought."""
    return {name for name, query in queries().items() if not query.run.__module__.startswith("mmdmad.ask.")}


def covered(reading: Reading) -> Reading:
    """A reading that leaves out nothing in silence: a doubt where an unknown word could narrow it."""
    if reading.intent == "query" and (
        reading.unread or reading.attribute == "rate_meaning"
    ):  # its answer has the true ones
        reading = replace(reading, doubts=tuple(word for word in reading.doubts if not word[:1].isdigit()))
    if reading.intent in ("count", "ranking") and reading.number:  # "how many of the top five …"
        reading = replace(reading, doubts=(*reading.doubts, str(reading.number)))
    if reading.intent in ("count", "list") and reading.loose:
        if reading.intent == "list" or {"contradictory", "driver"} & reading.where.keys():
            reading = replace(reading, others=(*reading.others, *reading.loose))
        else:
            reading = replace(reading, doubts=(*reading.doubts, *reading.loose))
    if reading.intent in (*NARROWED, "which case") and reading.doubts:
        return replace(reading, intent="doubt")
    if reading.intent == "case" and reading.said and not reading.cases:
        return replace(reading, intent="doubt", doubts=reading.said)
    return reading


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
            args |= {
                name: reading.where[f"_{name}"] for name in ("order", "by_part", "why") if f"_{name}" in reading.where
            }
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
            return [Call("by_group", {"group": where["group"]}) if "group" in where else Call("guarantees", {})]
        case "refused":
            return [Call("list_refusals", {})]
        case "score":
            return [Call("score_files", {"files": where})]
        case "query":
            return [Call(reading.attribute, reading.where)]
    return []
