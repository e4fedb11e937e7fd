"""Medians, means, quartiles and extremes of scores and p-values over the cases that pass a filter."""

from typing import Literal

from pydantic import Field

from mmdmad.ask.base import Result, Scope, query, told
from mmdmad.ask.filters import Filter
from mmdmad.ask.words import short
from mmdmad.cases import Modality
from mmdmad.explain.words import fact, listed

Asked = Literal["median", "mean", "lowest", "highest", "spread"]


class OfNumbers(Filter):
    """Which numbers, of which cases, and what of them is told first."""

    quantity: Literal["score", "p_value"] = Field(default="score", description="scores or p-values")
    part: Modality | None = Field(default=None, description="those of this part; none = the joint ones")
    what: Asked = Field(
        default="spread", description="what is asked for: median, mean, lowest, highest, or all of them (spread)"
    )


class Numbers(Result):
    """So many numbers, with their mean, ends and quartiles; `case` has the asked end, where an end was asked for."""

    count: int
    mean: float | None = None
    lowest: float | None = None
    lower: float | None = None
    median: float | None = None
    upper: float | None = None
    highest: float | None = None
    case: str | None = None


@query("describe_numbers")
def describe_numbers(scope: Scope, asked: OfNumbers) -> Numbers:
    """Median, mean, quartiles, smallest and largest of joint scores or p-values, or of one part's, by any filter."""
    run, what = asked.of(scope.run), asked.words()
    found = run.numbers.spread(asked.quantity, asked.part, **asked.stored())
    noun = f"{asked.part or 'joint'} {'p-value' if asked.quantity == 'p_value' else 'score'}"
    line = f"{noun} of {what}: {0 if found is None else found.count} of {run.count()} cases"
    if found is None:
        return Numbers(line=line, evidence=(told(f"There are no {what} with a {noun}.", fact("cases", 0)),), count=0)
    numbers = {
        "mean": found.mean, "lowest": found.lowest, "lower": found.lower, "median": found.median,
        "upper": found.upper, "highest": found.highest,
    }  # fmt: skip
    own = f"{found.count} {what}" if found.count > 1 else f"1 {what.replace('cases', 'case', 1)}"
    ends = {"lowest": (found.lowest_case, found.at_lowest), "highest": (found.highest_case, found.at_highest)}
    case, lead = None, f"Of the {noun}s of {own}"
    if asked.what in ends:
        case, equal = ends[asked.what]
        others = "" if equal == 1 else f", and of {equal - 1} other{'s' if equal > 2 else ''}"
        lead = f"The {asked.what} {noun} of {own} is {short(numbers[asked.what])}, that of {case}{others}; of these"
    elif asked.what != "spread":
        lead = f"The {asked.what} {noun} of {own} is {short(numbers[asked.what])}; of these"
    told_too = {
        "mean": f"the mean is {short(found.mean)}",
        "median": f"the median {'is ' if asked.what == 'mean' else ''}{short(found.median)}",
    }
    rest = [words for name, words in told_too.items() if name != asked.what]
    rest.append(f"the middle half lies between {short(found.lower)} and {short(found.upper)}")
    rest.append(f"all lie between {short(found.lowest)} and {short(found.highest)}")
    text = f"{lead}, {listed(rest)}."
    facts = [fact("cases", found.count), *asked.facts, *(fact(name, value) for name, value in numbers.items())]
    facts += [fact(f"cases with the {end}", n) for end, (_, n) in ends.items()]
    facts += [fact("case", case)] if case else []
    return Numbers(
        line=line, evidence=(told(text, *facts, case=case),), count=found.count, case=case, mean=found.mean,
        lowest=found.lowest, lower=found.lower, median=found.median, upper=found.upper, highest=found.highest,
    )  # fmt: skip
