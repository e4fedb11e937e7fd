"""From tool results to an answer in words: short, with evidence ids in brackets, nothing that no result holds."""

from collections.abc import Callable, Sequence
from typing import Any

from mmdmad.agents.llms.phrases import CAN, Result, percent, verdict_line
from mmdmad.agents.llms.planning import Call
from mmdmad.agents.llms.reading import Reading
from mmdmad.agents.llms.telling import tell

from mmdmad.fence import unfence
from mmdmad.findings import order_key


def speak(reading: Reading, question: str, calls: Sequence[Call]) -> str:
    """The answer to a reading, given the results of the calls it needed."""
    results = [c.result or {} for c in calls]
    match reading.intent:
        case "thanks":
            return "You are welcome."
        case "help":
            return CAN
        case "decline":
            return (
                f"I cannot answer that from the evidence: it is about {reading.reason}. {CAN}"
                if not reading.reason.startswith("that")
                else f"I cannot answer {reading.reason}. {CAN}"
            )
        case "which case":
            note = f" ({reading.reason})" if reading.reason else ""
            return f"Which case do you mean{note}? Please give its id."
        case "unclear":
            return f"I did not understand the question. {CAN}"
    failed = next((r for r in results if "error" in r), None)
    if failed:
        near = f" Close to it: {', '.join(failed['nearest'])}." if failed.get("nearest") else ""
        return f"I cannot answer that: {failed['error']}.{near}"
    if reading.intent == "case" or reading.intent == "score":
        return tell(reading, question, results[0])
    return ANSWERS[reading.intent](reading, results)


def _plural(n: int, word: str = "case") -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def described(where: dict[str, Any]) -> str:
    """A filter in words: "anomalous cases of brick tile without video"."""
    head = {"anomalous": "flagged cases", "normal": "cases judged normal", "no verdict": "cases without a verdict"}.get(
        where.get("verdict", ""), "cases"
    )
    words = [head]
    if "group" in where:
        words.append(f"of {where['group']}")
    if "missing" in where:
        words.append(f"without {where['missing']}")
    if "driver" in where:
        words.append(f"in which the {where['driver']} carries the largest share")
    if "unusual" in where:
        words.append(f"in which the {where['unusual']} is unusual by itself")
    if "channel" in where:
        words.append(f"with {where['channel']} named as unusual")
    if "contradictory" in where:
        words.append("with a contradiction" if where["contradictory"] else "without a contradiction")
    if "since" in where:
        words.append(f"from {where['since']}")
    if "until" in where:
        words.append(f"until {where['until']}")
    return " ".join(words)


def _count(reading: Reading, results: Sequence[Result]) -> str:
    d = results[0]
    what = described(d["filter"])
    return f"There is 1 {what.replace('cases', 'case', 1)}." if d["total"] == 1 else f"There are {d['total']} {what}."


def _ranking(reading: Reading, results: Sequence[Result]) -> str:
    d = results[0]
    if not d["counts"]:
        return f"There are no {described(d['filter'])}."
    top = max(d["counts"].values())
    rows = ", ".join(f"{k} {n}" for k, n in list(d["counts"].items())[:8])
    name = {"driver": "part with the largest share"}.get(d["by"], d["by"])
    has = "has" if len(d["most"]) == 1 else "have"
    each = "" if len(d["most"]) == 1 else " each"
    first = (
        f"By {name}, {' and '.join(d['most'])} {has} the most: {top}{each} of {d['total']} {described(d['filter'])}."
    )
    return f"{first} Counts: {rows}."


def _row(d: Result) -> str:
    words = [f"{d['case']}: {d['verdict']}, p-value {d['p_value']}"]
    if d["group"]:
        words.append(str(d["group"]))
    if d["time"]:
        words.append(str(d["time"]))
    if d["verdict"] == "anomalous":
        words.append(f"largest share {d['driver']}")
    if d["contradicts"]:
        words.append(f"contradiction: {', '.join(d['contradicts'])}")
    return ", ".join(words)


def _list(reading: Reading, results: Sequence[Result]) -> str:
    d = results[0]
    cases = d["cases"]
    if not cases:
        return f"There are no {described(d['filter'])}."
    lead = "least" if reading.where.get("_order") == "-rank" else "most"
    if reading.number == 1 and d["total"] > 1:
        return f"The {lead} anomalous of {d['total']} {described(d['filter'])} is {_row(cases[0])}."
    rest = f", the {len(cases)} {lead} anomalous" if d["total"] > len(cases) else ""
    return "\n".join(
        [f"{d['total']} {described(d['filter'])}{rest}:", *(f"{i}. {_row(c)}" for i, c in enumerate(cases, 1))]
    )


def _place(d: Result) -> tuple[int, float, float, str]:
    """A case's key in the one order of findings; its numbers are rounded alike, so that equal ones stay equal."""
    smallest = d["guarantee"]["smallest_p_value"]
    return order_key(verdict=d["verdict"], p_value=d["p_value"], smallest=smallest, score=d["score"], case_id=d["case"])


def _compare(reading: Reading, results: Sequence[Result]) -> str:
    ranked = sorted(results, key=_place)
    first, second = ranked[0], ranked[1]
    p_values, scores = ([d[key] for d in ranked] for key in ("p_value", "score"))
    if p_values[0] >= p_values[1]:  # equal, or each the smallest that its pattern of parts can have
        how = f"joint score {scores[0]} (p-value {p_values[0]}) against {scores[1]} (p-value {p_values[1]})"
    else:
        how = f"joint p-value {p_values[0]} against {p_values[1]}"
    lines = [f"{first['case']} is more anomalous than {second['case']}: {how}."]
    return " ".join([*lines, *(verdict_line(d) for d in ranked)])


def _overview(reading: Reading, results: Sequence[Result]) -> str:
    d = results[0]
    v = d["verdicts"]
    if not d["cases"]:
        return "The run holds no judged cases yet."
    simulated = " (simulated)" if d["simulated"] else ""
    lines = [
        f"{_plural(d['cases'])} were judged{simulated}, {d['first']} to {d['last']}: "
        f"{v.get('anomalous', 0)} anomalous, {v.get('normal', 0)} normal, "
        f"{v.get('no verdict', 0)} without a verdict, at a declared false-alarm rate of "
        f"{percent(d['false_alarm_rate'])}."
    ]
    if d["flagged_by_driver"]:
        counts = ", ".join(f"{k} {n}" for k, n in d["flagged_by_driver"].items())
        lines.append(
            f"Flagged cases by the part with the largest share: {counts}; "
            f"{d['flagged_with_contradiction']} with a contradiction."
        )
    if d["flagged_by_group"]:
        lines.append("By group: " + ", ".join(f"{k} {n}" for k, n in d["flagged_by_group"].items()) + ".")
    lines.append(f"Most anomalous: {', '.join(d['worst'])}.")
    if d["refused"]:
        lines.append(
            f"{_plural(d['refused'], 'part')} or case refused."
            if d["refused"] == 1
            else f"{d['refused']} parts or cases were refused."
        )
    return " ".join(lines)


def _guarantee(reading: Reading, results: Sequence[Result]) -> str:
    d = results[0]
    if not d["cases"]:
        return "The run holds no judged cases yet, so there is no declared false-alarm rate."
    sizes = d["calibration_cases"]
    size = (
        f"{sizes['smallest']}"
        if sizes["smallest"] == sizes["largest"]
        else f"{sizes['smallest']} to {sizes['largest']}"
    )
    return (
        f"The declared false-alarm rate is {percent(d['false_alarm_rate'])}: a normal case like those of the "
        f"calibration is flagged with at most this probability. "
        f"It rests on {size} normal calibration cases for each pattern of present parts."
    )


def _refused(reading: Reading, results: Sequence[Result]) -> str:
    d = results[0]
    if not d["total"]:
        return "0 parts or cases were refused: everything could be read."
    rows = [f"{r['case']}, {r['part']}: {unfence(r['reason'])}" for r in d["refused"][:8]]
    return "\n".join([f"{d['total']} parts or cases were refused:", *rows])


ANSWERS: dict[str, Callable[[Reading, Sequence[Result]], str]] = {
    "count": _count, "ranking": _ranking, "list": _list, "compare": _compare, "overview": _overview,
    "guarantee": _guarantee, "refused": _refused,
}  # fmt: skip
