"""Whether normal cases are divided once or crossed in folds, and how.

Divided once, a half of them is learned from and a third ranked with: enough where there are many, and costs one fit.
Crossed, each fold learns from most and ranks among the rest, so that all cases are ranked with; it takes a fit a fold.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from mmdmad.calibration.conformal import case_uniform
from mmdmad.cases import Case
from mmdmad.modalities.base import ordered
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.splits import BLOCKS, Split, arranged, split, too_few
from mmdmad.pipeline.stages import fingerprint
from mmdmad.pipeline.units import Units, head, units_of

FOLDS, FOLDS_OF_RECORDINGS, FEWEST = 5, 10, 3
"""Folds of cases and of recordings where nobody chose, and the fewest that leave something to learn from."""
MOST_UNITS, MOST_CASES = 1000, 20_000
"""Units from which on a third of them is enough to rank among, and cases that are learned from several times."""
MOST_STEPS = 6000
"""Steps of training that further folds may add: some ten minutes at ten a second, as on a processor."""


@dataclass(frozen=True)
class Plan:
    """The splits of the normal cases, one a fold, and why there are so many."""

    splits: tuple[Split, ...]
    why: str

    @property
    def first(self) -> Split:
        """The split of the first fold."""
        return self.splits[0]

    @property
    def calibration(self) -> list[tuple[Case, str]]:
        """Every case that is ranked with, and its unit."""
        return [(rows.cases[row], rows.unit(row)) for rows in self.splits for row in rows.counted]

    @property
    def held_out(self) -> tuple[tuple[Case, ...], ...]:
        """The reference cases of each fold, which it neither learns from nor ranks with."""
        return tuple(tuple(rows.cases[row] for row in rows.reference) for rows in self.splits)

    @property
    def learned(self) -> frozenset[str]:
        """Marks of the contents that some fold learns from."""
        return frozenset(head(key) for rows in self.splits for key in rows.keys[: rows.calibration.start])

    def fingerprint(self, config: PipelineConfig) -> str:
        """SHA-256 of everything that decides the fit."""
        marks = [fingerprint(config, rows) for rows in self.splits]
        return marks[0] if len(marks) == 1 else hashlib.sha256("".join(marks).encode()).hexdigest()


def plan(cases: Sequence[Case], config: PipelineConfig) -> Plan:
    """How a fit of these cases divides them: by what they are and the configuration, never by how fast a machine is.

    Folds lose no modality that could be learned from cases divided once: there are fewer of them where groups would be
    too small, or none.
    """
    units = units_of(cases, config.folds or FOLDS)
    folds, why = _folds(units, cases, config)
    blocks = units.kind == "block"
    whole = units_of(cases, BLOCKS, units.keys) if blocks else units
    once = split(cases, config.shares, config.seed, whole)
    if folds == 1:
        return Plan((once,), why)
    learnable = [m for m in ordered(config.parts) if not too_few(once, m, config.min_parts)]
    for number in range(folds, FEWEST - 1, -1):
        mine = units_of(cases, number, units.keys) if blocks else units
        splits = _crossed(cases, mine, number, config.seed)
        if not any(too_few(rows, m, config.min_parts) for rows in splits for m in learnable):
            return Plan(tuple(splits), why.replace(f"{folds} folds", f"{number} folds"))
    if config.calibration == "cross":
        return Plan(tuple(_crossed(cases, units, folds, config.seed)), why)
    return Plan((once,), f"divided once: {len(cases)} cases are too few for {FEWEST} folds")


def _folds(units: Units, cases: Sequence[Case], config: PipelineConfig) -> tuple[int, str]:
    """How many folds, and why."""
    different = len(set(units.of))
    wanted = config.folds or (FOLDS_OF_RECORDINGS if units.kind == "recording" else FOLDS)
    folds = min(wanted, different)
    if config.calibration == "split" or folds < FEWEST:
        return 1, "divided once: it was asked for" if folds >= FEWEST else f"divided once: {different} different cases"
    if config.calibration == "cross":
        return folds, f"crossed in {folds} folds: it was asked for"
    many = len(cases) if units.kind == "block" else different
    if many >= MOST_UNITS or len(cases) >= MOST_CASES:
        return 1, f"divided once: {many} are enough to rank among a part of them"
    if slow := _slow(cases, config, folds):
        return 1, f"divided once: {slow}"
    return folds, f"crossed in {folds} folds: {many} are few to learn from and to rank among"


def _slow(cases: Sequence[Case], config: PipelineConfig, folds: int) -> str:
    """Why a fit a fold takes too long ("" if it does not), by the steps of training that the further ones add."""
    from mmdmad.detectors.base import detectors  # heavy: only where it is decided

    present = ordered({m for case in cases for m in case.parts} & set(config.parts))
    steps = config.joint.steps if len(present) > 1 else 0
    for modality in present:
        settings = config.parts[modality]
        known = detectors().get(settings.detector)
        if known is None:
            continue  # refused by name when it is made
        if known.about.cost == "minutes":
            return f"{settings.detector} takes minutes to learn, and each fold would again"
        given = {**known.defaults(), **settings.detector_params}.get("steps", 0)
        steps += given if isinstance(given, int) else 0
    if (folds - 1) * steps > MOST_STEPS:
        return f"{folds} folds would train networks for {folds * steps} steps"
    return ""


def _crossed(cases: Sequence[Case], units: Units, folds: int, seed: int) -> list[Split]:
    """A split a fold: one group of units to rank among, another as reference, the rest to learn from.

    Units are dealt by a hash of seed and content; blocks by their order, so that each group is one block of each
    recording, and the reference lies away from what is ranked with.
    """
    place = {unit: (case_uniform(unit, "split", seed), unit) for unit in set(units.of)}
    if units.places is None:
        ranked = sorted(place, key=place.__getitem__)
    else:
        first: dict[str, int] = {}
        for unit, at in zip(units.of, units.places.tolist(), strict=True):
            first[unit] = min(at, first.get(unit, at))
        ranked = sorted(place, key=first.__getitem__)
    group = {unit: number % folds for number, unit in enumerate(ranked)}
    order = sorted(range(len(cases)), key=lambda row: (*place[units.of[row]], cases[row].id))
    rows = [[row for row in order if group[units.of[row]] == number] for number in range(folds)]
    splits = []
    for number in range(folds):
        beside = (number + folds // 2) % folds
        rest = [row for row in order if group[units.of[row]] not in (number, beside)]
        splits.append(arranged(cases, units, rest, rows[beside], rows[number], folds))
    return splits
