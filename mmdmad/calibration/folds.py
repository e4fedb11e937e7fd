"""One judgement from several folds: ranks are taken within a fold and added up, scores and shares are fold means.

Scores of models that learned from other cases are on other scales, and pooling them would rank a case by its model as
much as by itself. Within a fold one model gives all scores, so that ranks compare cases alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mmdmad.calibration.conformal import case_uniform, pooled_p_value
from mmdmad.calibration.fusion import Fused
from mmdmad.calibration.patterns import Calibrated, JointCalibration, Link
from mmdmad.calibration.promise import promise
from mmdmad.calibration.rates import of_usual_group, of_usual_pattern, supported_rate
from mmdmad.cases import Modality
from mmdmad.guarantees import ByRecording, Guarantee, OwnGroup


def judge_in_folds(
    folds: Sequence[JointCalibration],
    key: str,
    parts: Sequence[Mapping[Modality, float]],
    contradictions: Sequence[Mapping[Link, float]],
    rate: float,
    *,
    learned: bool = False,
    group: str | None = None,
) -> Calibrated:
    """What `JointCalibration.judge` says, from the scores of one case by each fold's models; of one fold the same.

    A contradiction counts where every fold has a term for it. Where cases are ranked by group, each fold ranks among
    its calibration cases of this one too, and `promise` says which p-values decide; the others stand `beside` them.
    """
    over_all = _judge(folds, key, parts, contradictions, rate, learned=learned)
    if not any(fold.groups_ for fold in folds):
        return over_all
    said = promised(folds, tuple(parts[0]), rate, learned=learned, group=group)
    if said.grounds is None or said.grounds.group is None or not said.grounds.group.size:
        return replace(over_all, guarantee=said)
    mine = [fold.of_group(group) for fold in folds]
    in_group = _judge(mine, key, parts, contradictions, rate, learned=learned)
    decides, other = (in_group, over_all) if said.within else (over_all, in_group)
    return replace(decides, guarantee=said, single=over_all.single, beside=other)


def promised(
    folds: Sequence[JointCalibration],
    pattern: Sequence[Modality],
    rate: float,
    *,
    learned: bool = False,
    group: str | None = None,
) -> Guarantee:
    """What stands behind a verdict of these folds on a case with these parts, of this group."""
    own = None
    if any(fold.groups_ for fold in folds):
        mine = [fold.of_group(group) for fold in folds]
        ranked = tuple(fold.ranked(tuple(pattern)) for fold in mine)
        known = any(one.size for one in ranked)
        own = OwnGroup(folds=ranked if known else (), drawn=all(fold.drawn(tuple(pattern)) for fold in mine))
    every, drawn = [fold.ranked(tuple(pattern)) for fold in folds], all(fold.drawn(tuple(pattern)) for fold in folds)
    return promise(pattern, rate, every, folds[0].unit, learned=learned, drawn=drawn, group=own)


def supported(folds: Sequence[JointCalibration]) -> float:
    """The rate that is declared where nobody names one: what the calibration cases of the usual pattern support.

    Where cases are ranked by group, what those of the usual group support.
    """
    names = {name: None for fold in folds for name in fold.groups_}
    of = [[fold.of_group(name) for fold in folds] for name in names] or [list(folds)]
    size, units = of_usual_group(_usual(one) for one in of)
    return supported_rate(size, units if folds[0].unit == "recording" else None)


def _usual(folds: Sequence[JointCalibration]) -> tuple[int, int]:
    """Calibration cases and units of the usual pattern."""
    ranked = {p: [fold.ranked(p) for fold in folds] for p in folds[0].joint_scores()}
    return of_usual_pattern(
        (sum(r.natural for r in of), len(p), sum(r.size for r in of), sum(r.units for r in of))
        for p, of in ranked.items()
    )


def _judge(
    folds: Sequence[JointCalibration],
    key: str,
    parts: Sequence[Mapping[Modality, float]],
    contradictions: Sequence[Mapping[Link, float]],
    rate: float,
    *,
    learned: bool,
) -> Calibrated:
    """What these calibrations say of one case, whichever group they are of."""
    said = [
        fold.judge(key, mine, clashes, rate, learned=learned)
        for fold, mine, clashes in zip(folds, parts, contradictions, strict=True)
    ]
    if len(said) == 1:
        return said[0]
    pattern = tuple(parts[0])
    return Calibrated(
        mean_of([one.fused for one in said]),
        pooled_p_value([one.p_value for one in said], [fold.ranked(pattern).size for fold in folds]),
        {m: pooled_p_value([one.parts[m] for one in said], [fold.size(m) for fold in folds]) for m in pattern},
        {
            link: pooled_p_value([one.links[link] for one in said], [fold.size(link) for fold in folds])
            for link in said[0].links
            if all(link in one.links for one in said)
        },
        promise(
            pattern,
            rate,
            [fold.ranked(pattern) for fold in folds],
            folds[0].unit,
            learned=learned,
            drawn=all(fold.drawn(pattern) for fold in folds),
        ),
        # A mean varies less than the calibration scores do, each of one fold; drawn by content, one is like them.
        said[int(len(said) * case_uniform(key, "fold", folds[0].seed))].fused.score,
        _by_recording([one.by_recording for one in said]),
    )


def _by_recording(said: Sequence[ByRecording | None]) -> ByRecording | None:
    """The ranks among the recordings of each fold, added up as those among its cases are.

    Of a recording as a whole they are added up window by window, and the smallest sum counts: it is never smaller than
    the sum of the smallest in each fold.
    """
    known = [one for one in said if one is not None]
    if len(known) < len(said):
        return None
    counts = [one.count for one in known]
    drawn = pooled_p_value([one.p_value for one in known], counts)
    whole = pooled_p_value([one.whole for one in known], counts)
    return ByRecording(p_value=drawn, whole=whole, count=sum(counts))


def mean_of(fused: Sequence[Fused]) -> Fused:
    """The mean of joint scores with their shares; the score is the sum of the mean shares, exactly."""
    parts = {m: _mean([one.parts[m] for one in fused]) for m in fused[0].parts}
    names = dict.fromkeys(name for one in fused for name in one.contradictions)
    clashes = {m: _mean([one.contradictions.get(m, 0.0) for one in fused]) for m in names}
    return Fused(math.fsum([*parts.values(), *clashes.values()]), parts, clashes)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
