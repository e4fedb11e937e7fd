"""Another level for a fitted model: p-values that rank among other normal cases. Nothing is learned again.

Detectors, joint network and tails stay as they were fitted, so the joint score of a case stays the same; only the
calibration scores that it is ranked among are those of the new cases. Of several folds each scores its own share of
them, and ranks are taken within a fold as ever: scores of different models are never pooled.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mmdmad.calibration.conformal import case_uniform
from mmdmad.calibration.patterns import JointCalibration, Link, Measures, links, patterns
from mmdmad.cases import Case, Modality, Refusal
from mmdmad.errors import PartError
from mmdmad.files import make_folder
from mmdmad.pipeline.folds import Fold, look_at
from mmdmad.pipeline.model_manifest import verify, write_manifest
from mmdmad.pipeline.part_model import Measured, part_of
from mmdmad.pipeline.plan import FOLDS
from mmdmad.pipeline.units import HEAD, Units, head, recording_of, units_of
from mmdmad.saved import read_model, read_values, reading, require, write_values

if TYPE_CHECKING:
    from mmdmad.pipeline.detector import JointDetector


class _About(BaseModel):
    """What `level.json` holds."""

    model_config = ConfigDict(extra="forbid")

    folds: int = Field(ge=1, le=50)
    recordings: tuple[str, ...]
    contents: tuple[Annotated[str, Field(pattern=f"^[0-9a-f]{{{HEAD}}}$")], ...]


@dataclass(frozen=True)
class Level:
    """A calibration for each fold; the recordings and the contents (heads of their keys) of the cases behind them."""

    calibrations: tuple[JointCalibration, ...]
    recordings: frozenset[str]
    contents: frozenset[str]

    def of(self, model: "JointDetector") -> "JointDetector":
        """The fitted model with this level in the place of its own; the model itself stays as it is."""
        made = copy.copy(model)
        # the model has kept cases that it ranked among when it was fitted, and none of these
        own = zip(model.folds_, self.calibrations, strict=True)
        made.folds_ = tuple(replace(fold, calibration=calibration, kept=None) for fold, calibration in own)
        made.recordings_ = self.recordings
        return made

    def size(self) -> int:
        """How many calibration cases the best-known pattern has."""
        pooled = [{p: len(s) for p, s in one.joint_scores().items()} for one in self.calibrations]
        return max((sum(one.get(p, 0) for one in pooled) for p in pooled[0]), default=0)

    def units(self) -> int:
        """How many units these are."""
        pooled = [{p: one.ranked(p) for p in one.joint_scores()} for one in self.calibrations]
        best = max(pooled[0], key=lambda p: sum(one[p].size for one in pooled))
        return sum(one[best].units for one in pooled)

    def save(self, folder: Path) -> None:
        """Write everything into `folder`, and last the manifest that vouches for it."""
        for number, one in enumerate(self.calibrations):
            write_values(make_folder(folder / "folds" / str(number)) / "calibration.json", one.state())
        about = {"folds": len(self.calibrations), "recordings": sorted(self.recordings)}
        write_values(folder / "level.json", about | {"contents": sorted(self.contents)})
        write_manifest(folder)

    @classmethod
    def load(cls, folder: Path, model: "JointDetector") -> Self:
        """The level that `save` wrote; ModelError unless it is whole and goes with the model."""
        verify(folder)
        about = read_model(folder / "level.json", _About)
        found = []
        for number in range(about.folds):
            file = folder / "folds" / str(number) / "calibration.json"
            values = read_values(file)
            with reading(file):
                made = JointCalibration.from_state(values)
                made.check(list(model.parts_), model.joint_ is not None)
                found.append(made)
        with reading(folder / "level.json"):
            require(
                about.folds == len(model.folds_), f"it is of {about.folds} folds, the model has {len(model.folds_)}"
            )
            require(len({one.unit for one in found}) == 1, "its folds were calibrated on different units")
        return cls(tuple(found), frozenset(about.recordings), frozenset(about.contents))


def level(model: "JointDetector", cases: Sequence[Case]) -> tuple[Level, tuple[Refusal, ...]]:
    """The level that these normal cases make, and the parts and cases that cannot be ranked with, with the reasons.

    Units are as in a fit: exact copies count once, recordings or blocks of them stay together in one fold. Cases that
    the model has learned from are left out, for they look too normal to it.
    """
    units = units_of(cases, max(FOLDS, len(model.folds_)))
    rows, refused = [], []
    seen: set[str] = set()
    for row, case in enumerate(cases):
        if head(units.keys[row]) in model.contents_:
            refused.append(Refusal(case.id, "case", "the model has learned from it or a copy of it", case.row))
        elif units.kind != "case" or units.keys[row] not in seen:
            rows.append(row)
            seen.add(units.keys[row])
    groups = _dealt(units, rows, len(model.folds_), model.config.seed)
    found, counted = [], set()
    for fold, mine in zip(model.folds_, groups, strict=True):
        measures, used = _measures(fold, [cases[row] for row in mine], refused)
        kept = [mine[i] for i in used]
        counted.update(kept)
        names, keys = [units.of[row] for row in kept], [units.keys[row] for row in kept]
        in_groups = None if model.config.by is None else [cases[row].group for row in kept]
        found.append(fold.calibration.on(measures, names, units.kind, keys, in_groups))
    known = {recording_of(cases[row]) for row in counted} if units.kind != "case" else set()
    contents = frozenset(head(units.keys[row]) for row in counted if not units.keys[row].startswith("unreadable"))
    return Level(tuple(found), frozenset(filter(None, known)), contents), tuple(refused)


def _dealt(units: Units, rows: Sequence[int], folds: int, seed: int) -> list[list[int]]:
    """Rows by fold: whole units, dealt by a hash of seed and content."""
    mine = {units.of[row] for row in rows}
    order = sorted(mine, key=lambda unit: (case_uniform(unit, "level", seed), unit))
    fold = {unit: number % folds for number, unit in enumerate(order)}
    return [[row for row in rows if fold[units.of[row]] == number] for number in range(folds)]


def _measures(fold: Fold, cases: Sequence[Case], refused: list[Refusal]) -> tuple[Measures, list[int]]:
    """The raw scores of the cases of which a part can be used, and which cases these are; others go to `refused`."""
    parts: dict[Modality, list[float]] = {m: [] for m in fold.parts}
    every = sorted({link for p in patterns(tuple(fold.parts)) for link in links(p)}) if fold.joint is not None else []
    clashes: dict[Link, list[float]] = {link: [] for link in every}
    used = []
    for number, case in enumerate(cases):
        measured = _measured(fold, case, refused)
        if not measured:
            continue
        used.append(number)
        scores = fold.compared(measured)
        found: dict[Link, float] = {}
        if fold.joint is not None:
            wanted = [link for link in every if {link[0], *link[1]} <= set(measured)]
            found = fold.joint.contradictions({m: one.vector for m, one in measured.items()}, wanted)
        for m, column in parts.items():
            column.append(scores.get(m, np.nan))
        for link, column in clashes.items():
            column.append(found.get(link, np.nan))
    return Measures({m: np.array(c) for m, c in parts.items()}, {k: np.array(c) for k, c in clashes.items()}), used


def _measured(fold: Fold, case: Case, refused: list[Refusal]) -> dict[Modality, Measured]:
    found: dict[Modality, Measured] = {}
    for m in case.pattern:
        part = part_of(case, m)
        if part is None or m not in fold.parts:
            continue
        try:
            _, (one,) = look_at([fold.parts[m]], part, None)
        except PartError as error:
            refused.append(Refusal(case.id, m, error.reason, case.row))
            continue
        if one.stretches > 1:  # a maximum over several is no score to rank single ones among
            refused.append(Refusal(case.id, m, "it is longer than those learned from; cut it with --window", case.row))
        else:
            found[m] = one
    return found
