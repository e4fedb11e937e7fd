"""From results to an answer in words: short, with evidence ids in brackets, nothing that no result holds.

Most answers are the captions of the evidence that a result carries, whatever query it came from.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from mmdmad.agents.llms.declining import declined, notes
from mmdmad.agents.llms.dialogue import Call
from mmdmad.agents.llms.heard import Reading
from mmdmad.agents.llms.narrowing import unused_filters
from mmdmad.agents.llms.phrases import cite, sentence
from mmdmad.agents.llms.telling import tell

from mmdmad.ask.base import Result
from mmdmad.ask.case import About
from mmdmad.ask.find import Counted, Found
from mmdmad.ask.words import short

UNFILTERED = ("overview", "guarantee", "refused")  # answers about the whole run
LINES = 12  # pieces of evidence told of a result that nothing more is known of


def speak(reading: Reading, question: str, calls: Sequence[Call]) -> str:
    """The answer to a reading, given the results of the calls it needed."""
    if said := declined(reading):
        return said
    failed = next((c.given for c in calls if c.given is not None and c.given.error), None)
    if failed:
        near = f" Close to it: {', '.join(failed.nearest)}." if failed.nearest else ""
        return f"I cannot answer that: {failed.error}.{near}"
    results = [c.result for c in calls if c.result is not None]
    if not results:
        return "I cannot answer that: nothing was returned."
    used = ("group",) if reading.intent == "guarantee" else ()
    unused = reading.unused or (unused_filters(reading.where, used) if reading.intent in UNFILTERED else ())
    if isinstance(results[0], About) and reading.intent in ("case", "score"):
        answer = tell(reading, question, results[0])
    else:
        answer = ANSWERS.get(reading.intent, told)(reading, results)
    return "\n".join([answer, *notes(reading, unused)])


def told(reading: Reading, results: Sequence[Result]) -> str:
    """Any result in words: the captions of its evidence, a line each, those of cases with their citation."""
    lines = []
    for result in results:
        for one in result.evidence[:LINES]:
            numbered = one.case is not None and one.evidence.kind != "context"
            lines.append(f"{sentence(one.evidence)}{cite(str(one.case), one.evidence.id) if numbered else ''}.")
        if len(result.evidence) > LINES:
            lines.append(f"There is more: {result.line}.")
        elif not result.evidence:
            lines.append(f"Nothing was found: {result.line}.")
    return "\n".join(lines)


def _first(reading: Reading, results: Sequence[Result], lines: int = 1) -> str:
    return " ".join(f"{sentence(one.evidence)}." for one in results[0].evidence[:lines])


def _ranking(reading: Reading, results: Sequence[Result]) -> str:
    d = results[0]
    if not isinstance(d, Counted) or not d.counts:
        return _first(reading, results)
    rows = ", ".join(f"{key} {n}" for key, n in list(d.counts.items())[:8])
    return f"{_first(reading, results)} Counts: {rows}."


def _list(reading: Reading, results: Sequence[Result]) -> str:
    d = results[0]
    if not isinstance(d, Found) or not d.cases:
        return _first(reading, results)
    rows = [sentence(one.evidence) for one in d.evidence[1:] if one.evidence.kind == "context"]
    why = {
        one.case: f"\nWhy: {sentence(one.evidence)}{cite(str(one.case), one.evidence.id)}."
        for one in d.evidence[1:]
        if one.evidence.kind != "context"
    }
    reasons = [why.get(case, "") for case in d.cases]
    order = str(reading.where.get("_order", "rank"))
    lead = "least" if order == "-rank" else "most"
    if order.lstrip("-") in ("score", "p_value"):
        head = f"{d.total} {d.filter}" if len(rows) > 1 or d.total == 1 else f"The first of {d.total} {d.filter}"
        return "\n".join([f"{head}:", *(f"{i}. {row}.{why}" for i, (row, why) in enumerate(zip(rows, reasons), 1))])
    if reading.number == 1 and d.total > 1:
        return f"The {lead} anomalous of {d.total} {d.filter} is {rows[0]}.{reasons[0]}"
    which_rows = {"time": f"{len(rows)} in the order of time", "-time": f"the {len(rows)} latest"}
    rest = (
        f", {which_rows.get(order, f'the {len(rows)} {lead} anomalous')}"
        if (d.stretches or d.total) > len(rows)
        else ""
    )
    which = d.filter.replace("cases", "case", 1) if d.total == 1 else d.filter
    if d.stretches is not None:
        which += f", in {d.stretches} {'stretch' if d.stretches == 1 else 'stretches'} of windows side by side"
    return "\n".join(
        [f"{d.total} {which}{rest}:", *(f"{i}. {row}.{why}" for i, (row, why) in enumerate(zip(rows, reasons), 1))]
    )


def _compare(reading: Reading, results: Sequence[Result]) -> str:
    ranked = sorted((d for d in results if isinstance(d, About)), key=lambda d: d.judged.order_key)
    if len(ranked) < 2:
        return told(reading, results)
    (first, second), p_values = (d.judged for d in ranked[:2]), [short(d.judged.p_value) for d in ranked]
    if p_values[0] >= p_values[1]:  # equal, or each the smallest that its pattern of parts can have
        scores = [short(d.judged.score) for d in ranked]
        how = f"joint score {scores[0]} (p-value {p_values[0]}) against {scores[1]} (p-value {p_values[1]})"
    else:
        how = f"joint p-value {p_values[0]} against {p_values[1]}"
    lines = [f"{first.case_id} is more anomalous than {second.case_id}: {how}."]
    own = replace(reading, attribute="verdict")
    return " ".join([*lines, *(tell(own, "", d) for d in ranked)])


ANSWERS: dict[str, Callable[[Reading, Sequence[Result]], str]] = {
    "count": lambda reading, results: _first(reading, results, 2 if "rate" in reading.where else 1),
    "ranking": _ranking, "list": _list, "compare": _compare,
    "overview": lambda reading, results: _first(reading, results, LINES),
    "guarantee": lambda reading, results: _first(reading, results, 2),
}  # fmt: skip
