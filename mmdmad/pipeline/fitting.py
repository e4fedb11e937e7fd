"""The stages of a joint detector's fit, each written whole to its own folder before the next one starts.

Of several folds each goes through all of them, in a folder of its own:

encoder and detector per modality (fit split) → scores and vectors of every case → joint network (fit split)
→ contradictions of held-out cases → tails (reference split) and conformal scores (calibration split)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mmdmad.calibration.patterns import JointCalibration, Link, Measures, links, patterns
from mmdmad.cases import Modality, Refusal, lost_kinds
from mmdmad.errors import DataError, PartError, RefusedError
from mmdmad.joint.joint_model import JointModel
from mmdmad.modalities.base import ordered
from mmdmad.parts import read
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.fit_part import KEPT, REFERENCE, Table, fit_part, read_table
from mmdmad.pipeline.folds import Fold
from mmdmad.pipeline.kept import Kept, Signals, drawn
from mmdmad.pipeline.order import order_of
from mmdmad.pipeline.part_model import PartModel, part_of
from mmdmad.pipeline.splits import Split, is_too_few, too_few
from mmdmad.pipeline.stages import stage
from mmdmad.progress import Progress
from mmdmad.saved import read_values, reading, write_values


@dataclass(frozen=True, eq=False)
class Fitted:
    """Everything a fit leaves behind; `embeddings` are the first fold's, of the rows of its split."""

    folds: tuple[Fold, ...]
    refused: tuple[Refusal, ...]
    embeddings: dict[Modality, np.ndarray]


@dataclass(frozen=True)
class _Learned:
    """The part models of one fold, what they say of every case, and what was refused."""

    models: dict[Modality, PartModel]
    tables: dict[Modality, Table]
    refused: list[Refusal]


def fit_stages(
    config: PipelineConfig, splits: Sequence[Split], folder: Path, cache: Path | None, progress: Progress
) -> Fitted:
    """Run or resume all stages in `folder`; always reads back what it wrote, so resumed and undisturbed are equal.

    One fold a split. A modality that one of them cannot learn is left out of all, for they judge the same parts.
    """
    homes = [folder] if len(splits) == 1 else [folder / f"fold-{number}" for number in range(len(splits))]
    learned = [_fit_parts(config, rows, home, cache, progress) for rows, home in zip(splits, homes, strict=True)]
    refused = _told_once([r for one in learned for r in one.refused])
    common = [m for m in learned[0].models if all(m in one.models for one in learned)]
    if not common:
        raise _nothing_learned(splits[0], config.min_parts, refused)
    tables = [{m: one.tables[m] for m in common} for one in learned]
    together = all(_learns_jointly(config, rows, mine) for rows, mine in zip(splits, tables, strict=True))
    folds = []
    for rows, home, one, mine in zip(splits, homes, learned, tables, strict=True):
        vectors = {m: t.vectors for m, t in mine.items()}
        joint = _fit_joint(config, rows, vectors, home, progress) if together else None
        calibration = _calibrate(config, rows, mine, joint, home, progress)
        kept = _kept(rows, mine, home, config.seed)
        folds.append(Fold({m: one.models[m] for m in common}, joint, calibration, kept))
    return Fitted(tuple(folds), refused, {m: t.embeddings for m, t in tables[0].items()})


def _told_once(refused: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """Each part once: for what is wrong with itself, where some fold says so, else for what was said first."""
    told: dict[tuple[str, str], Refusal] = {}
    for one in refused:
        known = told.setdefault((one.case_id, one.part), one)
        if is_too_few(known.reason) and not is_too_few(one.reason):
            told[one.case_id, one.part] = one
    return tuple(told.values())


def _fit_parts(config: PipelineConfig, rows: Split, folder: Path, cache: Path | None, progress: Progress) -> _Learned:
    models: dict[Modality, PartModel] = {}
    tables: dict[Modality, Table] = {}
    refused: list[Refusal] = []
    for modality in ordered(config.parts):
        reason = too_few(rows, modality, config.min_parts)
        if reason:
            refused += _not_learned(rows, modality, reason)
            continue
        made = stage(folder / modality, partial(fit_part, config, rows, modality, cache, progress))
        table = read_table(made, len(rows.cases))
        refused += table.refused
        if (made / "part").is_dir():
            models[modality], tables[modality] = PartModel.load(made / "part"), table
    return _Learned(models, tables, refused)


def _nothing_learned(rows: Split, needed: int, refused: Sequence[Refusal]) -> DataError:
    """What to say where no modality can be learned: whether parts are too few, or what is wrong with them."""
    reason = (
        f"no modality can be learned from {len(rows.cases)} cases; each needs {needed} readable parts "
        "in the fit, the reference and the calibration split"
    )
    unusable = [r for r in refused if not is_too_few(r.reason)]
    if 2 * len(unusable) < len(refused) or not unusable:
        return DataError(reason)
    lost = lost_kinds(rows.cases, [*unusable, *refused])
    return RefusedError("; ".join([reason, *map(str, lost)]), tuple(refused))


def _not_learned(rows: Split, modality: Modality, reason: str) -> Iterator[Refusal]:
    """Every part of a modality of which there are too few, refused for that, or for what is wrong with itself."""
    for case in rows.cases:
        part = part_of(case, modality)
        if part is not None:
            try:
                read(part)
                yield Refusal(case.id, modality, reason, case.row)
            except PartError as error:
                yield Refusal(case.id, modality, error.reason, case.row)


def _learns_jointly(config: PipelineConfig, rows: Split, tables: dict[Modality, Table]) -> bool:
    """Whether there is a joint model: not of a single modality, nor where cases never have two parts."""
    mine = [t.vectors[rows.fit.start : rows.fit.stop] for t in tables.values()]
    both = np.sum([np.isfinite(v).all(axis=1) for v in mine], axis=0) >= 2
    return len(mine) >= 2 and bool(both.sum() >= config.min_parts)


def _fit_joint(
    config: PipelineConfig, rows: Split, vectors: dict[Modality, np.ndarray], folder: Path, progress: Progress
) -> JointModel:
    mine = {m: v[rows.fit.start : rows.fit.stop] for m, v in vectors.items()}

    def make(out: Path) -> None:
        tick = progress.steps("joint network", config.joint.steps)
        checkpoint = folder / "joint-checkpoint.safetensors"
        JointModel(config.joint, config.seed).fit(mine, checkpoint, tick).save(out)

    return JointModel.load(stage(folder / "joint", make))


def _calibrate(
    config: PipelineConfig,
    rows: Split,
    tables: dict[Modality, Table],
    joint: JointModel | None,
    folder: Path,
    progress: Progress,
) -> JointCalibration:
    def make(out: Path) -> None:
        found = held_out_contradictions(joint, tables, rows, progress) if joint is not None else {}
        reference, calibration = (
            Measures({m: t.scores[part] for m, t in tables.items()}, {k: v[part] for k, v in found.items()})
            for part in (list(rows.reference), rows.counted)
        )
        units = [rows.unit(row) for row in rows.counted]
        order = order_of([rows.cases[row] for row in rows.counted], rows.kind)
        contents = [rows.keys[row] for row in rows.counted]
        groups = None if config.by is None else [rows.cases[row].group for row in rows.counted]
        made = JointCalibration(config.seed, rows.kind).fit(reference, calibration, units, order, contents, groups)
        write_values(out / "calibration.json", made.state())

    made = stage(folder / "calibration", make)
    values = read_values(made / "calibration.json")
    with reading(made / "calibration.json"):
        return JointCalibration.from_state(values)


def _kept(rows: Split, tables: dict[Modality, Table], folder: Path, seed: int) -> Kept | None:
    """The calibration cases that can be masked, with what the part models say of them as they are."""
    picked = drawn(rows, seed)
    known = [m for m in tables if (folder / m / f"{KEPT}.json").is_file()]
    return Kept.of(
        picked,
        [rows.unit(row) for row in picked],
        [rows.keys[row] for row in picked],
        [rows.cases[row].group for row in picked],
        {m: (t.scores, t.vectors) for m, t in tables.items()},
        *([Signals.load(m, folder / m / name) for m in known] for name in (KEPT, REFERENCE)),
    )


def held_out_contradictions(
    joint: JointModel, tables: dict[Modality, Table], rows: Split, progress: Progress
) -> dict[Link, np.ndarray]:
    """Contradictions (N,) of every link for reference and calibration cases, NaN where a part is missing."""
    every = sorted({link for pattern in patterns(tuple(tables)) for link in links(pattern)})
    found = {link: np.full(len(rows.cases), np.nan) for link in every}
    for i in progress.over(rows.held_out, "contradictions", len(rows.held_out)):
        # A part without a detector score (refused by the detector) is missing here too.
        known = {m: t.vectors[i] for m, t in tables.items() if np.isfinite(t.scores[i])}
        wanted = [link for link in every if {link[0], *link[1]} <= set(known)]
        for link, value in joint.contradictions(known, wanted).items():
            found[link][i] = value
    return found
