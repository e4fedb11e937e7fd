"""Questions for queries that this analyst has never heard of: found by their phrases, arguments by their names.

What a question says of cases, parts, filters and numbers is read as ever; a query's fields take what has their name.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, get_args

from mmdmad.agents.llms.reading import Reading
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
    args = arguments(best, question, reading)
    about = next((case for case in cases if case), "")
    if "case_id" in best.fields and "case_id" not in args and about:
        args["case_id"] = about
    lacking = [name for name, field in best.arguments.model_fields.items() if field.is_required() and name not in args]
    if "case_id" in lacking:
        return replace(reading, intent="which case")
    if lacking:
        said = best.arguments.model_fields[lacking[0]].description
        return replace(reading, intent="needs", reason=f"{lacking[0].replace('_', ' ')} ({said})")
    unused = unused_filters(reading, [name for name, value in reading.where.items() if args.get(name) == value])
    if reading.intent == "time" and not any(reading.reason.lower() in phrase.lower() for phrase in best.asked):
        unused = ("time", *unused)  # words of time that cannot be read, and are not the query's own
    return replace(reading, intent="query", attribute=best.name, where=args, unused=unused)


FILTERS = {
    "since": "time",
    "until": "time",
    "group": "group",
    "channel": "channel",
    "missing": "a missing part",
    "rate": "another rate",
}


def unused_filters(reading: Reading, used: Collection[str] = ()) -> tuple[str, ...]:
    """What a question filters by beside the filters `used`, in words; a verdict's words may be the query's own.

    >>> unused_filters(Reading("overview", where={"since": "06:00", "until": "12:00", "group": "A"}))
    ('time', 'group')
    """
    return tuple(dict.fromkeys(words for name, words in FILTERS.items() if name in reading.where and name not in used))


def arguments(query: Query, question: str, reading: Reading) -> dict[str, Any]:
    """What a question says of a query's fields: case_id, the filters by their names, part, by, limit; a lone number.

    A field that is a number takes the one number in the question that is no case, clock time or count of cases.
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
    question = told.rest if told.where else question
    free = [name for name in query.fields if name not in said and _is_number(query, name)]
    numbers = re.findall(r"(?<![\w.:-])\d+(?:\.\d+)?(?![\w:]|-\w)", question)
    numbers = [n for n in numbers if n not in said.values() and n not in reading.cases and n != str(reading.number)]
    if len(numbers) == 1 and free:
        needed = [name for name in free if query.arguments.model_fields[name].is_required()]
        said[(needed or free)[0]] = float(numbers[0]) if "." in numbers[0] else int(numbers[0])
    return {name: value for name, value in said.items() if name in query.fields}


def _is_number(query: Query, name: str) -> bool:
    kind = query.arguments.model_fields[name].annotation
    return name not in ("limit", "offset") and bool({int, float} & {kind, *get_args(kind)})
