"""A conversation so far, and what a question takes from it: "it", "the second one", "and in the afternoon?"."""

import re
from dataclasses import dataclass, replace
from typing import Any

from mmdmad.agents.llms.heard import Reading
from mmdmad.agents.llms.patterns import PRONOUN
from mmdmad.agents.tools import Returned

from mmdmad.ask.base import Result
from mmdmad.ask.case import About
from mmdmad.ask.ends import Ends
from mmdmad.ask.find import Found

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
EDITED = (
    "first_and_last",
    "rank_groups",
    "find_cases",
    "describe_numbers",
    "count_per_stretch",
    "compare_rates",
    "smallest_p",
    "compare_with_labels",
)
OF_CASES = ("count", "list", "ranking")
MOST_UNREAD = 2
"""Words of a question about the case of the last answer that may go unread; "where is the gouge?" has one."""


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


def follow(reading: Reading, question: str, state: State) -> Reading:
    """A reading with what it leaves open taken from the conversation: "it", "the second one", "and what about …"."""
    last = state.last
    if reading.intent == "case" and reading.cases and reading.follows and last and last.attribute:
        rest = question
        for case in reading.cases:
            rest = rest.replace(case, "")
        if re.fullmatch(r"(?:\W|and|what|how|about|case|okay|ok|then|or|for|with|the|is|it)*", rest, re.I):
            return replace(reading, attribute=last.attribute, where=last.where, part=last.part)
    pair = reading.intent == "case" and len(reading.cases) == 1 and state.focus not in ("", *reading.cases)
    if pair and re.search(r"\b(?:it|this|that)\b.*\b(?:than|worse|better|compar\w+|like|versus|vs)\b", question, re.I):
        return replace(reading, intent="compare", cases=(state.focus, *reading.cases))
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
            r"\b(?:those|these|them|they|of which|davon|denen|darunter)\b", question, re.I
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
            if not PRONOUN.search(question) and (reading.doubts or len(reading.others) > MOST_UNREAD):
                # what names a number, or says much that is not understood, may be about anything but the last case
                return replace(reading, intent="doubt" if reading.doubts else "unclear")
            about = state.focus or (state.listing[0] if len(state.listing) == 1 else "")
            return replace(reading, cases=(about,)) if about else replace(reading, intent="which case")
    return reading


_THOSE = re.compile(
    r"\b(?:of|among|in|for) (?:all )?(?:those|these|them)\b|\b(?:davon|von (?:denen|diesen|ihnen)|darunter)\b", re.I
)


def of_those(reading: Reading, question: str, state: State) -> Reading:
    """A query about "those" with the filters of the list or count before it; without one, "those" is in doubt."""
    if not _THOSE.search(question) or reading.attribute not in EDITED:
        return reading
    last = state.last
    if last is None or last.intent not in OF_CASES or last.number:
        return replace(reading, doubts=(*reading.doubts, "those"))
    kept = {name: value for name, value in last.where.items() if not name.startswith("_")}
    if reading.attribute in ("compare_rates", "compare_with_labels"):
        kept.pop("verdict", None)
    return replace(reading, where={**kept, **reading.where})


def after(state: State, turn: Turn, reading: Reading) -> State:
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
