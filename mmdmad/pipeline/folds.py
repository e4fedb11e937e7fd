"""A fold of a detector: everything that one fit learns from its own share of the normal cases. Most models have one.

Where normal cases are few, each fold learns from most of them and ranks among the rest, so that every case is ranked
with once (`mmdmad.pipeline.plan`). A case is measured by all folds; what is shown of it is their mean.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from mmdmad.calibration.patterns import JointCalibration, Link, links
from mmdmad.cases import Modality, Part
from mmdmad.files import make_folder
from mmdmad.joint.joint_model import JointModel
from mmdmad.judgement import PartJudgement
from mmdmad.parts import read
from mmdmad.pipeline.kept import Kept
from mmdmad.pipeline.part_model import Measured, PartModel
from mmdmad.saved import read_values, reading, require, write_values
from mmdmad.tokens import Tokens


@dataclass(frozen=True)
class Fold:
    """Part models, the joint model over them (None for one modality), and tails and scores to rank among.

    `kept` are calibration cases that can be masked; None where nothing of them was kept.
    """

    parts: dict[Modality, PartModel]
    joint: JointModel | None
    calibration: JointCalibration
    kept: Kept | None = None

    def compared(self, measured: dict[Modality, Measured]) -> dict[Modality, float]:
        """How each part's scores stand among those of similar normal parts."""
        return {m: self.parts[m].compared(found.views, found.vector) for m, found in measured.items()}

    def contradictions(self, measured: dict[Modality, Measured]) -> dict[Link, float]:
        """How little each part fits the others; none for one part."""
        if self.joint is None:
            return {}
        return self.joint.contradictions({m: one.vector for m, one in measured.items()}, links(tuple(measured)))

    def save(self, folder: Path) -> None:
        """Write everything into `folder`."""
        for modality, model in self.parts.items():
            model.save(folder / modality)
        if self.joint is not None:
            self.joint.save(folder / "joint")
        write_values(folder / "calibration.json", self.calibration.state())
        if self.kept is not None:
            self.kept.save(make_folder(folder / "kept"))

    @classmethod
    def load(cls, folder: Path, modalities: Sequence[Modality], joint: bool) -> Self:
        """The fold that `save` wrote; ModelError unless its files are of these modalities and go together."""
        parts = {m: PartModel.load(folder / m) for m in modalities}
        model = JointModel.load(folder / "joint") if joint else None
        values = read_values(folder / "calibration.json")
        with reading(folder / "calibration.json"):
            calibration = JointCalibration.from_state(values)
            calibration.check(modalities, joint)
        with reading(folder / "calibration.json"):
            require(all(part.modality == m for m, part in parts.items()), "a part is of another modality")
            known = model.modalities_ if model is not None else modalities
            require(tuple(known) == tuple(modalities), "the joint model is of other modalities, or in another order")
        # models saved before there were any keep no cases
        kept = Kept.load(folder / "kept", modalities) if (folder / "kept").is_dir() else None
        return cls(parts, model, calibration, kept)


def look_at(models: Sequence[PartModel], part: Part, cache: Path | None) -> tuple[Any, list[Measured]]:
    """The part as the first model sees it, decoded, and what each model says of it; PartError where one cannot.

    It is decoded once for each way in which the models show it, and encoded once for each state of their encoders.
    """
    signals: dict[Any, Any] = {}
    made: dict[Any, Tokens] = {}
    found = []
    for model in models:
        given = model.given(part)
        if given.levels not in signals:
            signals[given.levels] = read(given)
        signal = signals[given.levels]
        alone = len(models) == 1
        found.append(
            model.looked_at(given, cache, signal) if alone else model.looked_at(given, cache, signal, known=made)
        )
    return signals[models[0].given(part).levels], found


def mean_token_scores(found: Sequence[Measured]) -> np.ndarray:
    """Token scores (L,) in the mean over folds; the first fold's where they looked at different stretches of a part."""
    first = found[0]
    if any(not _same_place(one, first) for one in found):
        return first.token_scores
    return np.mean([one.token_scores for one in found], axis=0)


def _same_place(one: Measured, other: Measured) -> bool:
    if one.token_scores.shape != other.token_scores.shape:
        return False
    if one.layout.where is None or other.layout.where is None:
        return one.layout.where is other.layout.where
    return bool(np.array_equal(one.layout.where, other.layout.where))


def part_judgement(
    models: Sequence[PartModel], found: Sequence[Measured], signal: Any, p_value: float, share: float
) -> PartJudgement:
    """What is said of one part: scores and maps in the mean over folds, names and vectors by the first.

    `p_value` and `share` are those over all folds; of a longer recording, of its most unusual stretch.
    """
    first, seen = models[0], found[0]
    beside = [model.beside(one) for model, one in zip(models, found, strict=True)]
    views = {
        name: (_mean([one[name][0] for one in beside]), _mean([one[name][1] for one in beside]))
        for name in beside[0]
        if all(name in one for one in beside)
    }
    return PartJudgement(
        modality=first.modality,
        score=_mean([one.score for one in found]),
        p_value=p_value,
        share=share,
        token_scores=mean_token_scores(found),
        layout=seen.layout,
        scale=(_mean([model.scale[0] for model in models]), _mean([model.scale[1] for model in models])),
        embedding=seen.embedding,
        encoder=first.encoder.describe(),
        detector=first.detector.about.name,
        again=_again(models, signal),
        views=views,
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _again(models: Sequence[PartModel], signal: Any) -> Callable[[Sequence[str]], np.ndarray] | None:
    """Token scores of other pieces of a text, in the mean over folds; None for other parts."""
    every = [model.again(signal) for model in models]
    asked = [one for one in every if one is not None]
    if len(asked) < len(every):
        return None
    return asked[0] if len(asked) == 1 else lambda pieces: np.mean([one(pieces) for one in asked], axis=0)
