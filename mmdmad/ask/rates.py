"""The same cases at other declared rates: what is flagged, beside what is expected of as many normal ones."""

from pydantic import BaseModel, ConfigDict, Field

from mmdmad.ask.base import Arguments, Cited, Result, Scope, query, told
from mmdmad.ask.expected import Expected, of_all
from mmdmad.ask.words import flagged_line, percent, plural
from mmdmad.calibration.rates import USUAL_RATES
from mmdmad.explain.words import fact
from mmdmad.sizes import RATES

ASKED = ("other rates", "another rate", "different rate", "which rate", "stricter", "at each rate")


class Other(Arguments):
    """Which rate is asked about."""

    rate: float | None = Field(
        default=None,
        ge=RATES[0],
        le=RATES[1],
        description="declared rate as a share (0.01 = 1 %); none = the usual ones",
    )


class AtRate(BaseModel):
    """The cases at one rate: flagged ones, those that could get no verdict, and what is expected of normal ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: float
    judged: int
    flagged: int
    undecided: int
    expected: Expected


class Rates(Result):
    """What is flagged at each rate, the smallest first; `own` is the rate that the run is read at."""

    rates: tuple[AtRate, ...]
    own: float


@query("rates", asked=ASKED, section="At other rates")
def rates(scope: Scope, asked: Other) -> Rates:
    """How many cases are flagged at other declared false-alarm rates; p-values decide, so nothing is judged again."""
    run = scope.run
    some = sorted({*USUAL_RATES, run.rate}) if asked.rate is None else [asked.rate]
    judged = run.count()
    found = tuple(_at(scope, rate, judged) for rate in some) if judged else ()
    said = tuple(map(_told, found)) or (told("The run holds no judged cases yet."),)
    return Rates(
        line=f"{plural(judged)} at {', '.join(map(percent, some))}", evidence=said, rates=found, own=run.rate,
        idle=not judged,
    )  # fmt: skip


def _at(scope: Scope, rate: float, judged: int) -> AtRate:
    tally = scope.run.at(rate).tally
    verdicts = tally.by("verdict")
    return AtRate(
        rate=rate, judged=judged, flagged=verdicts.get("anomalous", 0), undecided=verdicts.get("no verdict", 0),
        expected=of_all(tally.groups(), rate),
    )  # fmt: skip


def _told(one: AtRate) -> Cited:
    words = [flagged_line(one.flagged, one.judged, one.undecided, one.rate, sentence=True)]
    facts = [fact("declared false-alarm rate", 100 * one.rate, "%"), fact("judged cases", one.judged)]
    if one.expected.cases:
        words.append(one.expected.words(one.rate))
        facts += [fact("flagged cases", one.flagged), *one.expected.facts]
        if one.undecided:
            words.append(f"{one.undecided} could get no verdict.")
            facts.append(fact("without a verdict", one.undecided))
    return told(" ".join(words), *facts)
