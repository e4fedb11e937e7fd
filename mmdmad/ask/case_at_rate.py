"""What the verdict of one case would be at another declared rate: its p-value decides, nothing is judged again."""

from pydantic import Field

from mmdmad.ask.base import Arguments, Result, Scope, query, told
from mmdmad.ask.case import resolve
from mmdmad.ask.words import percent, short
from mmdmad.explain.words import fact
from mmdmad.findings import Verdict
from mmdmad.guarantees import reaches
from mmdmad.sizes import RATES


class AtRate(Arguments):
    """Which case, read at which rate."""

    case_id: str = Field(description="the id of the case, or its number")
    rate: float | None = Field(
        default=None, ge=RATES[0], le=RATES[1],
        description="declared false-alarm rate as a share (0.05 = 5 %); none = the run's own",
    )  # fmt: skip


class ReadAt(Result):
    """The case and its verdict at that rate."""

    case: str
    at: Verdict


@query("case_at_rate")
def case_at_rate(scope: Scope, asked: AtRate) -> ReadAt:
    """Whether one case would be flagged at another declared false-alarm rate than the run's."""
    finding = resolve(scope.run, asked.case_id)
    p, floor, own = finding.p_value, finding.guarantee.smallest_p_value, finding.guarantee.rate
    rate = own if asked.rate is None else asked.rate
    at: Verdict = "no verdict" if not reaches(floor, rate) else "anomalous" if p <= rate else "normal"
    facts = (
        fact("case", finding.case_id), fact("p-value", short(p)), fact("rate", 100 * rate, "%"),
        fact("declared false-alarm rate", 100 * own, "%"), fact("smallest p-value", short(floor)),
        fact("at that rate", at),
    )  # fmt: skip
    at_rate, name = percent(rate), finding.case_id
    words = {
        "anomalous": f"At {at_rate}, {name} would be flagged: its joint p-value {short(p)} is at most that.",
        "normal": f"At {at_rate}, {name} would not be flagged: its joint p-value {short(p)} is above that.",
        "no verdict": f"At {at_rate}, {name} could get no verdict: no p-value of such a case is below {short(floor)}.",
    }
    judged = {"anomalous": "is flagged", "normal": "is not flagged", "no verdict": "has no verdict"}[finding.verdict]
    line = f"At the run's own {percent(own)} it {judged}."
    return ReadAt(
        line=f"case {name} at {at_rate}", case=name, at=at,
        evidence=(told(words[at], *facts, case=name), told(line, *facts, case=name)),
    )  # fmt: skip
