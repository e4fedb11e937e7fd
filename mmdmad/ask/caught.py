"""How many of the labelled faults that were given with the fit are caught."""

from mmdmad.ask.base import Cited, Result, Scope, query, told
from mmdmad.ask.overview import Nothing
from mmdmad.ask.words import told_caught


class LabelledFaults(Result):
    """Labelled faults that could be judged, and how many of them are caught; None where none were given."""

    faults: int = 0
    caught: int | None = None
    interval: tuple[float, float] | None = None


@query(
    "labelled_faults",
    asked=("labelled faults", "labeled faults", "labelled anomalies", "known faults", "faults … caught", "power"),
    section="Labelled faults given with the fit",
)
def labelled_faults(scope: Scope, asked: Nothing) -> LabelledFaults:
    """How many of the labelled faults given with the fit are caught at the declared rate, with its interval."""
    found, rate = scope.run.caught, scope.run.rate
    if found is None:
        none: Cited = told("No labelled faults were given with the fit.")
        return LabelledFaults(line="labelled faults: 0", evidence=(none,), idle=True)
    n = len(found.p_values)
    return LabelledFaults(
        line=f"labelled faults: {n} of {found.given}", evidence=(told_caught(found, rate),), faults=n,
        caught=found.at(rate) if n else None, interval=found.interval(rate) if n else None,
    )  # fmt: skip
