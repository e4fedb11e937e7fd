"""At which p-value one may flag with confidence: a threshold that holds for this calibration set, not on average."""

from pydantic import BaseModel, ConfigDict, Field

from mmdmad.ask.base import Arguments, Cited, Result, Scope, query, told
from mmdmad.ask.words import percent, plural
from mmdmad.calibration.certified import CONFIDENCE, MOST, certified_band, certified_rank, fewest_to_certify
from mmdmad.explain.words import fact, listed
from mmdmad.findings import Guarantee, PartName
from mmdmad.modalities.base import ordered
from mmdmad.sizes import RATES

RANKS = (1, 2, 5, 10, 20, 50, 100)


class Certify(Arguments):
    """Which rate is to hold, and how surely."""

    rate: float | None = Field(
        default=None, ge=RATES[0], le=RATES[1],
        description="share of normal cases that may be flagged, named beforehand; default: the declared rate",
    )  # fmt: skip
    confidence: float = Field(
        default=CONFIDENCE, ge=0.5, le=0.9999, description="how surely it holds for this calibration set (0.95)"
    )
    afterwards: bool = Field(
        default=False, description="bounds for every threshold at once, for one that is chosen after looking"
    )


class Threshold(BaseModel):
    """A threshold for the cases with these parts: those with p <= `p_value` are normal at most at `rate`.

    `rank` is k of p = k / (size + 1); `flagged` are the cases of the run at or below it, of `judged`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: tuple[PartName, ...]
    size: int
    rank: int
    p_value: float
    rate: float
    judged: int
    flagged: int


class Certified(Result):
    """Thresholds, those of the most used pattern of parts first; none where the theorem does not apply."""

    rate: float
    confidence: float
    thresholds: tuple[Threshold, ...] = ()


@query(
    "certified",
    asked=(
        "certified threshold",
        "certif",
        "certified",
        "certify",
        "threshold with confidence",
        "how sure is the false-alarm",
    ),
)
def certified(scope: Scope, asked: Certify) -> Certified:
    """The threshold at which, with confidence (95 % if not said), at most a rate of normal cases is flagged."""
    run = scope.run
    rate = asked.rate if asked.rate is not None else run.rate
    found: list[Threshold] = []
    said: list[Cited] = []
    for case, judged, _ in run.tally.patterns():
        finding = run.finding(case)
        if finding is None:
            continue
        guarantee, who = finding.guarantee, _who(finding.guarantee)
        if why := _no_theorem(guarantee, asked.afterwards):
            said.append(told(f"For cases with {who} no threshold is certified: {why}."))
            continue
        mine = _band(guarantee, asked) if asked.afterwards else _one(guarantee, rate, asked.confidence)
        if not mine:
            said.append(_none(guarantee, rate, asked.confidence))
        for rank, bound in mine:
            p_value = rank / (guarantee.size + 1)
            flagged = run.tally.at_most(guarantee.pattern, p_value)
            found.append(
                Threshold(
                    pattern=guarantee.pattern, size=guarantee.size, rank=rank, p_value=p_value, rate=bound,
                    judged=judged, flagged=flagged,
                )
            )  # fmt: skip
            said.append(_told(found[-1], asked.confidence))
    if asked.afterwards and found:
        said.append(told("All these bounds hold together, so that a threshold may be chosen after looking."))
    if not said:
        said.append(told("No case was judged, so there is nothing to certify."))
    line = f"certified at {percent(asked.confidence)} confidence: {plural(len(found), 'threshold')}"
    return Certified(line=line, evidence=tuple(said), rate=rate, confidence=asked.confidence, thresholds=tuple(found))


def _one(guarantee: Guarantee, rate: float, confidence: float) -> list[tuple[int, float]]:
    """The rank up to which one may flag for a rate that was named beforehand; nothing where there is none."""
    rank = certified_rank(guarantee.size, rate, confidence)
    return [(rank, rate)] if rank else []


def _band(guarantee: Guarantee, asked: Certify) -> list[tuple[int, float]]:
    """Ranks and their bounds, all at once."""
    bounds = certified_band(guarantee.size, asked.confidence)
    return [(rank, bounds[rank - 1]) for rank in RANKS if rank <= guarantee.size]


def _no_theorem(guarantee: Guarantee, band: bool) -> str:
    """Why nothing can be certified for a pattern; "" if it can."""
    if guarantee.grounds is not None and guarantee.grounds.group is not None:
        return (
            "cases are ranked by group, among other calibration cases in each, and a threshold is certified for one set"
        )
    if guarantee.method != "split":
        return "its calibration cases were crossed in folds, each with a model of its own (calibration: split has one)"
    if guarantee.unit != "case":
        return f"it is calibrated on windows of {guarantee.unit}s, which are not independent of each other"
    if band and guarantee.size > MOST:
        return f"there are {guarantee.size} calibration cases, and a band is found for up to {MOST}"
    if not guarantee.valid and guarantee.decides:
        return f"the rate is not promised ({guarantee.note})"
    return ""


def _none(guarantee: Guarantee, rate: float, confidence: float) -> Cited:
    needed = fewest_to_certify(rate, confidence)
    return told(
        f"For cases with {_who(guarantee)} no threshold holds for {percent(rate)} with {percent(confidence)} "
        f"confidence: there are {guarantee.size} calibration cases, and it takes {needed}.",
        fact("calibration cases", guarantee.size), fact("needed calibration cases", needed),
    )  # fmt: skip


def _told(one: Threshold, confidence: float) -> Cited:
    names = listed(list(ordered(one.pattern)))
    return told(
        f"For cases with {names}: with {percent(confidence)} confidence at most {percent(one.rate)} of normal cases "
        f"have a p-value of {one.p_value:.3g} or less; {one.flagged} of {plural(one.judged)} here do.",
        fact("confidence", 100 * confidence, "%"), fact("certified rate", 100 * one.rate, "%"),
        fact("threshold on the p-value", one.p_value), fact("cases at or below it", one.flagged),
        fact("calibration cases", one.size),
    )  # fmt: skip


def _who(guarantee: Guarantee) -> str:
    return listed(list(ordered(guarantee.pattern)))
