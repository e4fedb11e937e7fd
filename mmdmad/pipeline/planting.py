"""What a fitted model would have caught: damage of known size is planted in normal cases that were held out.

Of each fold the reference cases are taken: neither part models nor joint network of the fold learned from them, and it
does not rank with them (its tails were fitted on them, which moves a score and hardly a rank). Damaged, such a case is
judged by this fold alone, and the share of the fold's calibration scores that are at least as high counts for those of
all folds: p = (1 + n * share) / (n + 1), n all calibration cases. Without damage it is judged too, as a control.
"""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mmdmad.calibration.conformal import case_uniform
from mmdmad.calibration.folds import promised
from mmdmad.calibration.promise import promise
from mmdmad.cases import Case, Modality
from mmdmad.errors import PartError
from mmdmad.guarantees import Guarantee
from mmdmad.parts import case_key, read
from mmdmad.pipeline.folds import Fold
from mmdmad.pipeline.part_model import Measured, part_of
from mmdmad.pipeline.planted import DAMAGES
from mmdmad.pipeline.sensitivity import Kind, Sensitivity, Tried

if TYPE_CHECKING:
    from mmdmad.pipeline.detector import JointDetector

MOST = 20
"""Cases that are damaged at most."""


def sensitivity(model: "JointDetector", held_out: Sequence[Sequence[Case]], rate: float, seconds: float) -> Sensitivity:
    """Plant damage in the held-out cases of each fold, until `seconds` are used up; at least one part is damaged."""
    begun = time.monotonic()
    tried: dict[Modality, dict[float, list[float]]] = {}
    free, cases, stopped = True, 0, False
    for number, case in _drawn(model, held_out):
        known = _measured(model.folds_[number], case)
        pattern = tuple(known)
        if not pattern:
            continue
        said = promised([fold.calibration for fold in model.folds_], pattern, rate, group=case.group)
        free &= said.unit != "recording" and model.config.by is None
        cases += 1
        for modality in pattern:
            if modality not in DAMAGES:
                continue
            kind = tried.setdefault(modality, {})
            for size in (0.0, *DAMAGES[modality].sizes):
                found = known if not size else {**known, modality: _damaged(model.folds_[number], case, modality, size)}
                kind.setdefault(size, []).append(_p_value(model.folds_[number], case, found, said))
            stopped = time.monotonic() - begun >= seconds
            if stopped:
                break
        if stopped:
            break
    kinds = tuple(
        Kind(modality=m, tried=tuple(Tried(size=size, p_values=tuple(p)) for size, p in sorted(sizes.items())))
        for m, sizes in tried.items()
    )
    return Sensitivity(
        rate=rate, usual=_usual(model, rate), share=1.0 if len(model.folds_) > 1 else model.config.shares.calibration,
        kinds=kinds, cases=cases, seconds=round(time.monotonic() - begun, 3), stopped=stopped, free=free,
    )  # fmt: skip


def _usual(model: "JointDetector", rate: float) -> Guarantee:
    """What stands behind verdicts on cases with the most usual parts, whichever group they are of."""
    calibrations = [fold.calibration for fold in model.folds_]
    ranked = {p: [one.ranked(p) for one in calibrations] for p in calibrations[0].joint_scores()}
    pattern = max(ranked, key=lambda p: (sum(one.natural for one in ranked[p]), len(p)))
    drawn = all(one.drawn(pattern) for one in calibrations)
    return promise(pattern, rate, ranked[pattern], calibrations[0].unit, drawn=drawn)


def _drawn(model: "JointDetector", held_out: Sequence[Sequence[Case]]) -> Iterator[tuple[int, Case]]:
    """Cases with their folds, one of each fold in turn, drawn by seed and content; each content once, MOST at most."""
    queues = [
        sorted(cases, key=lambda case: (case_uniform(case_key(case), "planted", model.config.seed), case.id))
        for cases in held_out
    ]
    seen: set[str] = set()
    for place in range(max(map(len, queues), default=0)):
        for number, queue in enumerate(queues):
            if len(seen) < MOST and place < len(queue) and (key := case_key(queue[place])) not in seen:
                seen.add(key)
                yield number, queue[place]


def _measured(fold: Fold, case: Case) -> dict[Modality, Measured]:
    """What a fold says of the parts that it can use."""
    found: dict[Modality, Measured] = {}
    for modality in case.pattern:
        part = part_of(case, modality)
        if part is None or modality not in fold.parts:
            continue
        try:
            one = fold.parts[modality].looked_at(fold.parts[modality].given(part), None)
        except PartError:
            continue  # a part that no fit could use; it was told when it was refused
        if one.stretches == 1:
            found[modality] = one
    return found


def _damaged(fold: Fold, case: Case, modality: Modality, size: float) -> Measured:
    """What a fold says of a part with damage of this size; of one case the place is the same for every size."""
    model = fold.parts[modality]
    part = model.given(case.parts[modality])
    seed = int(2**53 * case_uniform(case_key(case), "planted", modality))
    signal = DAMAGES[modality].plant(read(part), size, np.random.default_rng(seed))
    return model.measure(model.tokens(part, None, signal), part, signal)


def _p_value(fold: Fold, case: Case, measured: dict[Modality, Measured], said: Guarantee) -> float:
    """The p-value of a case by one fold, as if the others ranked it alike; equal scores count as higher."""
    if not said.decides:
        return 1.0
    calibration = fold.calibration.of_group(case.group) if said.within else fold.calibration
    score = calibration.fuse(fold.compared(measured), fold.contradictions(measured)).score
    scores = calibration.ranked_among(tuple(measured), by_recording=said.among == "recordings")
    count = (said.units or 0) if said.among == "recordings" else said.size
    share = float(np.mean(scores >= score)) if len(scores) else 1.0
    return (1 + count * share) / (count + 1)
