"""Which p-values are possible: multiples of one over the calibration cases and one, so which is the smallest."""

from pydantic import Field

from mmdmad.ask.base import Cited, Result, Scope, query, told
from mmdmad.ask.filters import Filter
from mmdmad.ask.words import plural, short
from mmdmad.explain.words import fact
from mmdmad.store.bounds import Bounds

MOST = 6  # sizes of calibration sets told one by one


class Steps(Filter):
    """Of which cases, and which p-value is to be explained."""

    value: float | None = Field(default=None, ge=0, le=1, description="a p-value as it was read, to be explained")


class Smallest(Result):
    """The smallest p-value that any of the cases can have, and how many have the smallest of theirs."""

    smallest: float | None = None
    at_smallest: int = 0


@query("smallest_p")
def smallest_p(scope: Scope, asked: Steps) -> Smallest:
    """The smallest p-value that is possible here, how many cases have it, and why a p-value is just what it is."""
    run, where, what = asked.of(scope.run), asked.stored(), asked.words()
    floors = run.numbers.floors(**where)
    at, cases = sum(one.at for one in floors), sum(one.cases for one in floors)
    line = f"smallest possible p-value of {what}: reached by {at} of {plural(cases)}"
    if not floors:
        none = f"There are no {what} with calibration cases behind them, so no smallest p-value."
        return Smallest(line=line, evidence=(told(none, fact("cases", 0)),))
    said = []
    if asked.value is not None:
        said.append(_explained(asked.value, run.count(**where | _near(asked.value)), what))
    least = min(one.floor for one in floors)
    text = (
        f"The smallest p-value possible for {what} is {short(least)}: a p-value counts the normal calibration cases "
        "that are at least as odd, and with n of them none is smaller than 1 / (n + 1)."
    )
    said.append(told(text, fact("smallest p-value", least), *asked.facts))
    for one in floors[:MOST]:
        ranked = "their calibration cases" if one.size is None else f"{one.size} calibration cases"
        text = f"Of {plural(one.cases)} ranked among {ranked}, the smallest possible is {short(one.floor)}: "
        text += f"{one.at or 'none'} {'has' if one.at == 1 else 'have'} it"
        text += ", and the joint score tells which of these is odder." if one.at > 1 else "."
        facts = [fact("cases", one.cases), fact("smallest p-value", one.floor), fact("cases at it", one.at)]
        said.append(told(text, *facts, *([] if one.size is None else [fact("calibration cases", one.size)])))
    if len(floors) > MOST:
        left = sum(one.cases for one in floors[MOST:])
        said.append(told(f"{left} more cases rest on other calibration sets.", fact("more cases", left)))
    return Smallest(line=line, evidence=tuple(said), smallest=least, at_smallest=at)


def _near(value: float) -> dict[str, object]:
    """The filter for p-values that read as this one with as many digits."""
    half = 0.5 * 10.0 ** _last_place(value)
    return {"p_value": Bounds(at_least=max(value - half, 0), at_most=value + half)}


def _last_place(value: float) -> int:
    """The decimal place of the last digit that a value is given with.

    >>> _last_place(0.0098), _last_place(0.5)
    (-4, -1)
    """
    return -len(f"{value:.12f}".rstrip("0").partition(".")[2])


def _explained(value: float, cases: int, what: str) -> Cited:
    who = f"None of the {what} has a p-value that reads {value:g}." if not cases else f"{cases} of the {what} "
    who += "" if not cases else f"{'has' if cases == 1 else 'have'} a p-value that reads {value:g}."
    return told(who, fact("p-value", value), fact("cases with it", cases))
