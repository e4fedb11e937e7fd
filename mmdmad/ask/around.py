"""What came before and after a case in time: the cases next to it, and the last flagged one before it."""

from datetime import timedelta
from typing import Any

from mmdmad.ask.base import Cited, Result, Scope, query, told
from mmdmad.ask.case import OneCase, resolve
from mmdmad.ask.words import case_line
from mmdmad.explain.words import fact
from mmdmad.findings import Finding

_TICK = timedelta(microseconds=1)


class Around(Result):
    """Ids of the case before it, the flagged one before it, and the same after it; None where there is none."""

    before: str | None = None
    flagged_before: str | None = None
    after: str | None = None
    flagged_after: str | None = None


@query("around_case")
def around_case(scope: Scope, asked: OneCase) -> Around:
    """What came before and after a case in time: the cases next to it, and the flagged ones nearest to it."""
    finding = resolve(scope.run, asked.case_id)
    line = f"before and after case {finding.case_id}"
    if finding.time is None:
        text = f"{finding.case_id} has no recorded time, so nothing is known to come before or after it."
        return Around(line=line, evidence=(told(text, fact("case", finding.case_id), case=finding.case_id),))
    before, after = {"until": finding.time}, {"since": finding.time + _TICK}
    found = {
        "before": _one(scope, "-time", **before),
        "flagged_before": _one(scope, "-time", verdict="anomalous", **before),
        "after": _one(scope, "time", **after),
        "flagged_after": _one(scope, "time", verdict="anomalous", **after),
    }
    said = [_said(finding, "before", found["before"], found["flagged_before"])]
    said.append(_said(finding, "after", found["after"], found["flagged_after"]))
    ids = {name: None if one is None else one.case_id for name, one in found.items()}
    return Around.model_validate({"line": line, "evidence": tuple(said), **ids})


def _one(scope: Scope, order: str, **where: Any) -> Finding | None:
    return next(iter(scope.run.findings(order=order, limit=1, timed=True, **where)), None)


def _said(case: Finding, side: str, near: Finding | None, flagged: Finding | None) -> Cited:
    facts = [fact("case", case.case_id)]
    if near is None:
        return told(f"No case came {side} {case.case_id}.", *facts)
    one = case_line(near)
    text, facts = f"Right {side} {case.case_id} came {one.evidence.caption}", [*facts, *one.evidence.facts]
    if flagged is None:
        text += f"; none of the {'earlier' if side == 'before' else 'later'} cases is flagged"
    elif flagged.case_id != near.case_id:
        other = case_line(flagged)
        text += f"; the nearest flagged one {side} it is {other.evidence.caption}"
        facts += other.evidence.facts
    return told(f"{text}.", *facts)
