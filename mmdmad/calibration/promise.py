"""What stands behind a verdict: how many cases and units it ranks among, what a theorem bounds, for whom it holds.

One model (split-conformal): the unit of the new case and the R calibration units are exchangeable, so its rank among
them is uniform and P(p <= k / (R + 1)) <= k / (R + 1).

K folds, each with its own model (cross-conformal; Vovk, "Cross-conformal predictors", Annals of Mathematics and
Artificial Intelligence 74, 2015; ranks within a fold, as Barber et al., "Predictive inference with the jackknife+",
Annals of Statistics 49, 2021): fold j gives a valid p_j = (1 + greater_j) / (R_j + 1), and their mean, weighted by
R_j + 1, is (K + sum of greater_j) / (R + K). Twice a mean of p-values is a p-value, however they depend on each other:
f(x) = max(0, 2 - x / a) is convex and at least 1 up to a, so P(mean <= a) <= E f(mean) <= mean of E f(p_j) <= the
integral of f over (0, 1) = 2a (Vovk and Wang, "Combining p-values via averaging", Biometrika 107, 2020). With
1 + sum of greater_j <= k that is P(p <= k / (R + 1)) <= 2 (K - 1 + k) / (R + K), the bound of Vovk 2015 as Gasparin and
Ramdas ("Improving the statistical efficiency of cross-conformal prediction", 2025) state it. What is measured on
exchangeable data lies near the declared rate.

Recordings are units with windows. A window drawn at random from a new recording exceeds a share of the windows of each
other one, and (1 + sum of the shares above it) / (R + 1) is a p-value by the same exchange of recordings (Lee, Barber
and Willett, "Distribution-free inference with hierarchical data", 2023). With k - 1 windows above it the shares add up
to (k - 1) / W at most, W the windows of the smallest recording. Of one window drawn from each recording the rank is as
uniform as that of a case (`mmdmad.calibration.recordings`). Blocks of one recording are not exchangeable: there is no
theorem, and nothing is promised of other recordings.
"""

import math
from collections.abc import Sequence

from mmdmad.calibration.conformal import false_alarm_interval, is_attainable, smallest_calibration_size
from mmdmad.guarantees import Grounds, Guarantee, OwnGroup, Ranked, Unit, within_group

_MORE = "holds only for more of these"


def promise(
    pattern: Sequence[str],
    rate: float,
    folds: Sequence[Ranked],
    unit: Unit = "case",
    *,
    learned: bool = False,
    drawn: bool = False,
    group: OwnGroup | None = None,
) -> Guarantee:
    """The guarantee of a verdict on a case with these parts at this rate; `learned`: it is of a recording learned from.

    `drawn`: one window of each calibration recording was drawn. A window of a new recording is then ranked among these
    where they reach the rate, R + 1 >= 1 / rate. `group`: what the case's own group has, where cases are ranked by
    group. Its ranks decide where `within_group` says so (Mondrian conformal prediction: the rank of a case among those
    of its own category is as uniform as that among all; Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random
    World", 2005, section 4.5), else those over all groups, and the note says for whom the rate then holds.

    >>> said = promise(("image",), 0.05, [Ranked(20, 20, 20, 1)] * 5)
    >>> said.method, said.size, round(said.attained, 4), round(said.bound, 3)
    ('cross', 100, 0.0495, 0.171)
    """
    over_all = _among(pattern, rate, folds, unit, learned=learned, drawn=drawn)
    if group is None or over_all.grounds is None:
        return over_all
    grounds = over_all.grounds.model_copy(update={"group": group})
    new = drawn and not learned
    own_units, units = (group.units, over_all.units) if new else (None, None)
    if within_group(rate, group.size, own_units, units):
        own = _among(pattern, rate, group.folds, unit, learned=learned, drawn=group.drawn)
        return own.model_copy(update={"within": True, "grounds": grounds})
    if not over_all.decides:
        return over_all.model_copy(update={"grounds": grounds})
    note = "; ".join(filter(None, (_not_within(group, rate, by_recording=new), over_all.note)))
    valid = over_all.valid and group.size > 0
    return over_all.model_copy(update={"valid": valid, "note": note, "grounds": grounds})


def _not_within(group: OwnGroup, rate: float, *, by_recording: bool) -> str:
    """Why a case is not ranked within its group, and for whom the rate then holds."""
    if not group.size:
        return (
            "its group is not among the normal cases: ranked among all groups together, and no rate is promised for it"
        )
    count = f"{group.units} recordings" if by_recording else f"{group.size} calibration cases"
    return (
        f"ranked among all groups together: of its own group there are {count}, and a rate of {rate:g} needs "
        f"{smallest_calibration_size(rate)}; the rate holds over all groups together, not for this group"
    )


def _among(
    pattern: Sequence[str], rate: float, folds: Sequence[Ranked], unit: Unit, *, learned: bool, drawn: bool
) -> Guarantee:
    """The guarantee of a rank among these calibration cases, whichever group they are of."""
    size, units = sum(one.size for one in folds), sum(one.units for one in folds)
    enough = is_attainable(size, rate)
    valid, notes = enough, []
    if not enough:
        notes.append(
            f"only {size} normal calibration cases have {' and '.join(pattern)}; "
            f"a rate of {rate:g} needs {smallest_calibration_size(rate)}"
        )
    elif (natural := sum(one.natural for one in folds)) < size:
        notes.append(
            f"{size - natural} of the {size} calibration cases have further parts, which were masked; "
            "holds if parts are missing at random"
        )
    if enough and unit == "block":
        valid = learned
        notes.append(
            "holds only for more of the same recording, as long as it goes on as before"
            if learned
            else "ranked among windows of few recordings, and this is none of them; a rate of "
            f"{rate:g} for new ones needs {smallest_calibration_size(rate)}; holds only if new recordings are like "
            "these"
        )
    elif enough and unit == "recording" and not is_attainable(units, rate):
        valid, needed = learned, smallest_calibration_size(rate)
        few = f"ranked among windows of {units} recordings; a rate of {rate:g} for new ones needs {needed}, "
        few += f"{needed - units} more"
        notes.append(f"{few}; holds only {'for more of these' if learned else 'if new recordings are like these'}")
    elif enough and drawn and learned:
        notes.append(f"of one of the {units} recordings learned from: ranked among windows of these; {_MORE}")
    by_recording = enough and drawn and not learned and is_attainable(units, rate)
    ranks = [Ranked(one.units, one.units, one.units, 1) for one in folds] if by_recording else folds
    places = units if by_recording else size
    known = size if unit == "case" else units if is_attainable(units, rate) else 0
    return Guarantee(
        rate=rate,
        size=size,
        interval=false_alarm_interval(known, rate) if known else (0.0, 1.0),
        pattern=tuple(pattern),
        valid=valid,
        note="; ".join(notes),
        method="split" if len(folds) == 1 else "cross",
        unit=unit,
        units=units,
        among="recordings" if by_recording else "cases",
        attained=_rank(places, rate) / (places + 1),
        bound=bound(ranks, rate, unit),
        grounds=Grounds(folds=tuple(folds), learned=learned, drawn=drawn),
    )


def bound(folds: Sequence[Ranked], rate: float, unit: Unit = "case") -> float | None:
    """What a theorem promises at most for P(normal case flagged) at this rate; None where none says anything.

    For recordings the case is a window drawn at random from a new one.

    >>> round(bound([Ranked(20, 20, 20, 1)] * 5, 0.01), 3), bound([Ranked(99, 99, 99, 1)], 0.01)
    (0.095, 0.01)
    """
    if unit == "block" or not all(one.size for one in folds):
        return None
    size, units = sum(one.size for one in folds), sum(one.units for one in folds)
    k = _rank(size, rate)
    if k < 1:
        return 0.0
    among = 1 + (k - 1) / min(one.smallest for one in folds)
    most = among / (units + 1) if len(folds) == 1 else 2 * (len(folds) - 1 + among) / (units + len(folds))
    return most if most < 1 else None


def _rank(size: int, rate: float) -> int:
    """The largest rank at which a case is flagged."""
    return math.floor(rate * (size + 1) + 1e-9)
