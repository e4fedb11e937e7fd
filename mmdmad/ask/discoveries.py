"""Which cases to report so that, on average, at most a share of the reports is false: control of false discoveries."""

import math

import numpy as np
from pydantic import Field

from mmdmad.ask.base import Arguments, Result, Scope, query, told
from mmdmad.ask.words import case_line, percent, plural
from mmdmad.calibration.conformal import adjusted_p_values
from mmdmad.explain.words import fact
from mmdmad.sizes import RATES

LISTED = 20


class Share(Arguments):
    """How many of the reports may be false on average."""

    false_share: float = Field(
        default=0.1, ge=RATES[0], le=RATES[1], description="share of the reported cases that may be false on average"
    )
    limit: int = Field(default=LISTED, ge=1, le=1000, description="how many of the reported cases are listed")


class Discoveries(Result):
    """The reported cases, most unusual first.

    `needed` is how many cases must stand at the smallest p-value for any to be reported, and `at_floor` how many do.
    `proved` says whether the bound is a theorem here: one calibration set, the same for all cases.
    """

    false_share: float
    judged: int
    reported: tuple[str, ...]
    needed: int
    at_floor: int
    proved: bool


@query("discoveries", asked=("false discover", "false discovery", "fdr", "discoveries", "share of false reports"))
def discoveries(scope: Scope, asked: Share) -> Discoveries:
    """The cases to report so that at most a share of the reports (10 % if not said) is false on average."""
    rows, share, every = scope.run.tally.ranks(), asked.false_share, scope.run.count()
    p_values, sizes = np.array([p for _, p, _ in rows]), {n for _, _, n in rows}
    adjusted = adjusted_p_values(p_values)
    reported = tuple(case for (case, _, _), q in zip(rows, adjusted, strict=True) if q <= share)
    line = f"reported at a false share of {percent(share)}: {len(reported)} of {plural(every)}"
    if not rows:
        none = "No case has a verdict, so none can be reported."
        return Discoveries(
            line=line, evidence=(told(none),), false_share=share, judged=0, reported=(), needed=0, at_floor=0,
            proved=False,
        )  # fmt: skip
    floor = 1 / (max(sizes) + 1)
    needed, at_floor = max(1, math.ceil(len(rows) * floor / share - 1e-9)), int((p_values <= floor * (1 + 1e-9)).sum())
    windows = bool(scope.run.tally.recordings())
    proved = len(sizes) == 1 and len(scope.run.tally.patterns()) == 1 and not windows
    facts = [fact("share that may be false", 100 * share, "%"), fact("reported cases", len(reported))]
    facts += [fact("cases with a verdict", len(rows))]
    word = "is" if len(reported) == 1 else "are"
    said = [
        told(
            f"{len(reported)} of {len(rows)} cases with a verdict {word} reported, so that on average at most "
            f"{percent(share)} of the reports are false (Benjamini and Hochberg).", *facts,
        ),
        told(
            f"The smallest p-value here is {floor:.3g}; {plural(needed)} must stand there before any can be reported, "
            f"{at_floor} {'does' if at_floor == 1 else 'do'}.",
            fact("smallest p-value", floor), fact("cases needed", needed),
            fact("cases at the smallest p-value", at_floor),
        ),
        told(
            "The bound is proved for this (Bates et al., Annals of Statistics 51, 2023): all cases are ranked among "
            "the same calibration cases; normal ones must be drawn as those were."
            if proved
            else "The bound is not proved here: cases are windows of recordings, which are alike, ranked among windows."
            if windows
            else "The bound is not proved here: cases with other parts are ranked among other calibration cases."
        ),
    ]  # fmt: skip
    listed = (scope.run.finding(case) for case in reported[: asked.limit])
    said += [case_line(finding) for finding in listed if finding is not None]
    return Discoveries(
        line=line, evidence=tuple(said), false_share=share, judged=len(rows), reported=reported, needed=needed,
        at_floor=at_floor, proved=proved,
    )  # fmt: skip
