"""Questions for queries that this analyst has never heard of: found by their phrases, arguments by their names.

What a question says of cases, parts, filters and numbers is read as ever; a query's fields take what has their name.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from typing import Any, get_args

from mmdmad.agents.llms.heard import Reading
from mmdmad.agents.llms.narrowing import unused_filters
from mmdmad.agents.llms.times import when

from mmdmad.ask.base import Query, queries


def asked_by_phrase(
    question: str, reading: Reading, tools: Collection[str], cases: Sequence[str] = ()
) -> Reading | None:
    """The reading as a query whose phrase the question holds (the longest), or None where it holds none.

    `cases` are those that the conversation is about, for "it". A needed argument that the question does not give is
    asked for ("which case", "needs").
    """
    known = [query for name, query in queries().items() if name in tools]
    best = max(known, key=lambda query: query.heard(question), default=None)
    if best is None or not best.heard(question):
        return None
    args, left = arguments(best, question, reading)
    about = next((case for case in cases if case), "")
    if "case_id" in best.fields and "case_id" not in args and about:
        args["case_id"] = about
    lacking = [name for name, field in best.arguments.model_fields.items() if field.is_required() and name not in args]
    if "case_id" in lacking:
        return replace(reading, intent="which case")
    if lacking:
        said = best.arguments.model_fields[lacking[0]].description
        return replace(reading, intent="needs", reason=f"{lacking[0].replace('_', ' ')} ({said})")
    unused = unused_filters(reading.where, [name for name, value in reading.where.items() if args.get(name) == value])
    if reading.intent == "time" and not any(reading.reason.lower() in phrase.lower() for phrase in best.asked):
        unused = ("time", *unused)  # words of time that cannot be read, and are not the query's own
    own = {word[:4].lower() for said in (*best.asked, *best.fields) for word in re.findall(r"[^\W_]{3,}", said)}
    doubts = tuple(w for w in reading.doubts if w[:4].lower() not in own and not w[:1].isdigit())  # numbers: `unread`
    others = tuple(w for w in reading.others if w[:4].lower() not in own)
    return replace(reading, intent="query", attribute=best.name, where=args, unused=unused, unread=left,
                   doubts=doubts, others=others)  # fmt: skip


def arguments(query: Query, question: str, reading: Reading) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What a question says of a query's fields (case_id, filters, part, by, limit), and the numbers it left over.

    A field that is a number takes the one beside its name, or the only one in the question that is no case, clock time
    or count of cases.
    """
    said: dict[str, Any] = {name: value for name, value in reading.where.items() if not name.startswith("_")}
    if reading.cases:
        said["case_id"] = reading.cases[0]
    if reading.part:
        said |= {"part": reading.part, "modality": reading.part}
    if reading.by:
        said["by"] = reading.by
    if reading.number:
        said["limit"] = reading.number
    told = when(question, datetime(2000, 1, 1))  # only what is left matters: a date's numbers are no argument
    free = [name for name in query.fields if name not in said and _is_number(query, name)]
    given = [n for n in _numbers(told.rest if told.where else question) if not _is_known(n, reading, said)]
    said |= _by_name(query, free, given)
    free = [name for name in free if name not in said]
    if len(given) == 1 and free:
        needed = [name for name in free if query.arguments.model_fields[name].is_required()]
        name = (needed or free)[0]
        said[name] = given.pop().value_for(query, name)
    return {name: value for name, value in said.items() if name in query.fields}, tuple(n.text for n in given)


@dataclass(frozen=True)
class _Number:
    """A number in a question as it stands ("5 %"), and the words beside it, the nearest first."""

    text: str
    near: tuple[str, ...]

    def value_for(self, query: Query, name: str) -> float | int:
        """What it is for this field: of a share, 5 % is 0.05."""
        bare = self.text.rstrip("% ")
        if self.text.endswith("%") and _is_share(query, name):
            return round(float(bare) / 100, 10)
        return float(bare) if "." in bare else int(bare)


def _numbers(question: str) -> list[_Number]:
    """The numbers of a question that may be arguments: no part of a name, a clock time or a date."""
    found = []
    for m in re.finditer(r"(?<![\w.:-])\d+(?:\.\d+)?(?: ?%)?(?!\w|:\d|\.\d|-\w)", question):
        before = re.findall(r"[a-z]+", re.split(r"[,;:.?!]", question[: m.start()].lower())[-1])
        after = re.findall(r"[a-z]+", re.split(r"[,;:.?!]", question[m.end() :].lower())[0])
        found.append(_Number(m[0], tuple(w for pair in zip_longest(after[:3], before[:-4:-1]) for w in pair if w)))
    return found


def _is_known(number: _Number, reading: Reading, said: dict[str, Any]) -> bool:
    """Whether the number is a case, how many cases are asked for, or another thing that was read."""
    bare = number.text.rstrip("% ")
    return bare in said.values() or bare in reading.cases or bare == str(reading.number)


def _by_name(query: Query, free: Sequence[str], given: list[_Number]) -> dict[str, Any]:
    """Fields whose name stands near a number ("99 % confidence"), which is taken from `given`; the nearest first."""
    pairs = [
        (number.near.index(word), name, number)
        for number in given
        for name in free
        for word in name.split("_")
        if word in number.near
    ]
    found: dict[str, Any] = {}
    for _, name, number in sorted(pairs, key=lambda pair: pair[0]):
        if name not in found and number in given:
            found[name] = number.value_for(query, name)
            given.remove(number)
    return found


def _is_share(query: Query, name: str) -> bool:
    """Whether a field holds a share of one, by its upper bound."""
    bounds = [getattr(one, "le", None) for one in query.arguments.model_fields[name].metadata]
    return any(bound is not None and bound <= 1 for bound in bounds)


def _is_number(query: Query, name: str) -> bool:
    kind = query.arguments.model_fields[name].annotation
    return name not in ("limit", "offset") and bool({int, float} & {kind, *get_args(kind)})
