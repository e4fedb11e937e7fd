"""One judgement from several folds: ranks are taken within a fold and added up, scores and shares are fold means.

Scores of models that learned from other cases are on other scales, and pooling them would rank a case by its model as
much as by itself. Within a fold one model gives all scores, so that ranks compare cases alone.
"""

import math
from collections.abc import Mapping, Sequence

from mmdmad.calibration.conformal import case_uniform, pooled_p_value
from mmdmad.calibration.fusion import Fused
from mmdmad.calibration.patterns import Calibrated, JointCalibration, Link
from mmdmad.calibration.promise import promise
from mmdmad.cases import Modality
from mmdmad.guarantees import ByRecording


def judge_in_folds(
    folds: Sequence[JointCalibration],
    key: str,
    parts: Sequence[Mapping[Modality, float]],
    contradictions: Sequence[Mapping[Link, float]],
    rate: float,
    *,
    learned: bool = False,
) -> Calibrated:
    """What `JointCalibration.judge` says, from the scores of one case by each fold's models; of one fold the same.

    A contradiction counts where every fold has a term for it.
    """
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
