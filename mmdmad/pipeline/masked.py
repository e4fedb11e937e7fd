"""What a case that lacks readings is ranked among: the kept calibration cases of every fold, masked to lack the same.

A masked part changes its own score, every contradiction that it takes part in, and the joint score; all are made anew
by the models of the fold, and the fold ranks among its own. Tails stay as they were fitted, so the score is one fixed
function. Which cases are ranked among depends on the mask and on what was kept, never on a score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mmdmad.calibration.patterns import JointCalibration, Link, Measures, Pattern, links
from mmdmad.cases import Modality, Part
from mmdmad.errors import PartError
from mmdmad.guarantees import ByRecording, Ranks
from mmdmad.parts import read
from mmdmad.pipeline.kept import FEWEST, readable
from mmdmad.pipeline.levelling import Levelling, levelling
from mmdmad.pipeline.masks import Mask, mask_of
from mmdmad.pipeline.part_model import Measured, PartModel
from mmdmad.pipeline.readings import Outside

if TYPE_CHECKING:
    from mmdmad.pipeline.folds import Fold

REMEMBERED = 64
"""Masks whose calibrations a fold remembers."""
FEWEST_REFERENCES = 8
"""Reference parts from which the level of masked scores can be told."""
Masks = tuple[tuple[Modality, Mask], ...]


def outside_of(folds: "Sequence[Fold]", signals: Mapping[Modality, Any], measured: Sequence[Modality]) -> Outside:
    """Which readings are missing otherwise than in the cases of any fold; more readings than these come first."""
    found = [fold.parts[m].outside(signals[m]) for m in measured for fold in folds]
    return next((one for one in sorted(found, key=lambda one: not one.more) if one), Outside())


@dataclass(frozen=True)
class Ranking:
    """What the case is ranked among in each fold, what each fold says of its parts for that, and what it lacks."""

    among: list[JointCalibration]
    measured: dict[Modality, list[Measured]]
    outside: Outside


def ranked_like(
    folds: "Sequence[Fold]", signals: Mapping[Modality, Any], measured: dict[Modality, list[Measured]]
) -> Ranking:
    """What a case is ranked among: calibration cases masked like it, where it has fewer readings in a way of a class.

    Else as they were fitted, with the reason in `Outside.unlike`.
    """
    plain = Ranking([fold.calibration for fold in folds], measured, outside_of(folds, signals, list(measured)))
    if not plain.outside.fewer or plain.outside.more:
        return plain
    masks, unlike = _masks(folds, signals, measured)
    if unlike:
        return replace(plain, outside=replace(plain.outside, unlike=unlike))
    pattern, made = tuple(measured), []
    for fold in folds:
        known, why = _masked(fold, pattern, masks)
        if known is None:
            return replace(plain, outside=replace(plain.outside, unlike=why))
        made.append(known)
        unlike = unlike or why
    have = sum(one.calibration.ranked(pattern).size for one in made)
    whole = sum(one.ranked(pattern).size for one in plain.among)
    if have < min(FEWEST, whole):
        few = unlike or "others were too large to keep, or cannot be masked so"
        few = f"{have} of {whole} calibration cases can be masked so; {few}"
        return replace(plain, outside=replace(plain.outside, unlike=few))
    told = "; ".join(mask.words(m) for m, mask in masks)
    return Ranking(
        [one.calibration for one in made],
        {m: [_levelled(f, one, m, x, signals[m]) for f, one, x in zip(folds, made, measured[m])] for m in measured},
        replace(plain.outside, like=told),
    )


def _levelled(fold: "Fold", masked: "Masked", modality: Modality, found: Measured, signal: Any) -> Measured:
    known = masked.levels.get(modality)
    return found if known is None else known.of(fold.parts[modality], found, signal)


def of_window(among: ByRecording | None, outside: Outside) -> ByRecording | None:
    """The ranks of a window among recordings: one that is ranked among masked windows says nothing of its recording as
    a whole, whose other windows are ranked among whole ones."""
    return among.model_copy(update={"whole": 1.0}) if among is not None and outside.like else among


def beside_of(ranks: Ranks, outside: Outside) -> Ranks:
    """The ranks that do not decide, in which a masked window says nothing of its recording either."""
    return ranks.model_copy(update={"by_recording": of_window(ranks.by_recording, outside)})


def _masks(
    folds: "Sequence[Fold]", signals: Mapping[Modality, Any], measured: Mapping[Modality, Sequence[Measured]]
) -> tuple[Masks, str]:
    """What each part lacks, and why a case is in no class; "" where it is in one."""
    found = []
    for m, looked in measured.items():
        if not any(fold.parts[m].outside(signals[m]).fewer for fold in folds):
            continue
        usual = [known for fold in folds if (known := fold.parts[m].readings) is not None]
        mask = mask_of(m, signals[m], usual)
        if isinstance(mask, str):
            return (), mask
        if any(one.stretches > 1 for one in looked):
            return (), "it is longer than those learned from"
        found.append((m, mask))
    return tuple(found), ""


@dataclass(frozen=True)
class Masked:
    """A fold's calibration among its kept cases, masked, and how scores of parts masked so are levelled."""

    calibration: JointCalibration
    levels: Mapping[Modality, Levelling]


def _masked(fold: "Fold", pattern: Pattern, masks: Masks) -> tuple[Masked | None, str]:
    """What cases with these masks are ranked among; why there is nothing, or why some cases are not in it."""
    kept = fold.kept
    if kept is None or any(m not in kept.signals for m, _ in masks):
        return None, "no normal part was kept to be masked like it"
    if (pattern, masks) in kept.ranked:
        return kept.ranked[pattern, masks], ""
    scores, vectors = ({m: column.copy() for m, column in every.items()} for every in (kept.scores, kept.vectors))
    why, levels = "", {}
    for m, mask in masks:
        model = fold.parts[m]
        parts, gone = readable(kept.signals[m])
        others, lost = readable(kept.references[m])
        why = why or gone or lost
        pairs = [(_looked_at(model, part, mask), _looked_at(model, part, None)) for part in others.values()]
        both = [(one, other[0]) for one, other in pairs if one is not None and other is not None]
        if len(both) < FEWEST_REFERENCES:
            return None, why or f"only {len(both)} reference parts can be masked like it"
        levels[m] = levelling(mask, [one for one, _ in both], [other for _, other in both])
        scores[m][:], vectors[m][:] = np.nan, np.nan
        for row in map(int, np.flatnonzero(np.isfinite(kept.scores[m]))):
            if row in parts and (one := _looked_at(model, parts[row], mask)) is not None:
                found = levels[m].of(model, *one)
                scores[m][row], vectors[m][row] = model.compared(found.views, found.vector), found.vector
    measures = Measures(scores, _contradictions(fold, pattern, vectors, scores))
    plain = fold.calibration
    groups = kept.groups if plain.groups_ else None
    made = Masked(plain.on(measures, kept.units, plain.unit, kept.contents, groups), levels)
    if why:  # files may come back
        return made, why
    while len(kept.ranked) >= REMEMBERED:
        kept.ranked.pop(next(iter(kept.ranked)))
    kept.ranked[pattern, masks] = made
    return made, ""


def _looked_at(model: PartModel, part: Part, mask: Mask | None) -> tuple[Measured, Any] | None:
    """What a model says of a normal part, masked if so, and the part decoded; None where it cannot be looked at."""
    try:
        signal = read(model.given(part))
        if mask is not None:
            signal = mask.of(model.modality, signal)
        if signal is None:
            return None
        found = model.looked_at(Part(model.modality, value=signal), None, signal)
    except PartError:  # of a normal part that is too short for this mask nothing can be told: it is not ranked with
        return None
    return (found, signal) if found.stretches == 1 else None


def _contradictions(
    fold: "Fold", pattern: Pattern, vectors: Mapping[Modality, np.ndarray], scores: Mapping[Modality, np.ndarray]
) -> dict[Link, np.ndarray]:
    """How little the parts of each kept case fit each other, of those that have all parts of the pattern."""
    wanted = links(pattern)
    if fold.joint is None or not wanted:
        return {}
    every = np.stack([scores[m] for m in pattern])
    found = {link: np.full(every.shape[1], np.nan) for link in wanted}
    for row in np.flatnonzero(np.isfinite(every).all(axis=0)):
        known = {m: vectors[m][row] for m in pattern}
        for link, value in fold.joint.contradictions(known, wanted).items():
            found[link][row] = value
    return found
