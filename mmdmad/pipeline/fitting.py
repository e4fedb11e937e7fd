"""The stages of a joint detector's fit, each written whole to its own folder before the next one starts.

encoder and detector per modality (fit split) → scores and vectors of every case → joint network (fit split)
→ contradictions of held-out cases → tails (reference split) and conformal scores (calibration split)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mmdmad.calibration.conformal import case_uniform
from mmdmad.calibration.patterns import JointCalibration, Link, Measures, links, patterns
from mmdmad.calibration.whitening import part_vector
from mmdmad.cases import Case, Modality, Refusal, lost_kinds
from mmdmad.errors import DataError, PartError, RefusedError
from mmdmad.joint.joint_model import JointModel
from mmdmad.modalities.base import ordered
from mmdmad.pipeline.config import PartSettings, PipelineConfig, Shares
from mmdmad.pipeline.part_model import PartModel, map_scale, part_of
from mmdmad.pipeline.stages import stage
from mmdmad.pipeline.whole import WholePart
from mmdmad.progress import Progress
from mmdmad.saved import read_arrays, read_values, reading, require, write_arrays, write_values
from mmdmad.tokens import Tokens

SCALE_TOKENS = 200_000
_TOO_FEW = re.compile(r"only \d+ usable \w+ parts in the \w+ split; \d+ are needed to learn \w+")
"""The reason for which parts are refused that have nothing wrong with them, see `too_few`."""


@dataclass(frozen=True, eq=False)
class Split:
    """The normal cases in a fixed order, and which rows fit, which are reference, which calibrate."""

    cases: tuple[Case, ...]
    fit: range
    reference: range
    calibration: range

    @property
    def held_out(self) -> range:
        """Reference and calibration rows."""
        return range(self.reference.start, self.calibration.stop)


def split(cases: Sequence[Case], shares: Shares, seed: int) -> Split:
    """Cut cases into fit, reference and calibration by a hash of seed and id: their order does not matter."""
    ordered = tuple(sorted(cases, key=lambda c: (case_uniform(c.id, "split", seed), c.id)))
    first = round(shares.fit * len(ordered))
    second = first + round(shares.reference * len(ordered))
    return Split(ordered, range(first), range(first, second), range(second, len(ordered)))


@dataclass(frozen=True, eq=False)
class Known:
    """What is kept of one part while its model is fitted: its `Measured.views` (none if it fits) and its vectors."""

    views: tuple[float, ...]
    vector: np.ndarray
    embedding: np.ndarray


@dataclass(frozen=True, eq=False)
class Table:
    """What one part model says of every case: scores (N,) (NaN where unknown or used to fit) and vectors."""

    scores: np.ndarray
    vectors: np.ndarray
    embeddings: np.ndarray
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, eq=False)
class Fitted:
    """Everything a fit leaves behind."""

    parts: dict[Modality, PartModel]
    joint: JointModel | None
    calibration: JointCalibration
    refused: tuple[Refusal, ...]
    embeddings: dict[Modality, np.ndarray]


def fit_stages(config: PipelineConfig, rows: Split, folder: Path, cache: Path | None, progress: Progress) -> Fitted:
    """Run or resume all stages in `folder`; always reads back what it wrote, so resumed and undisturbed are equal."""
    models: dict[Modality, PartModel] = {}
    tables: dict[Modality, Table] = {}
    refused: list[Refusal] = []
    for modality in ordered(config.parts):
        reason = too_few(rows, modality, config.min_parts)
        if reason:
            refused += [Refusal(c.id, modality, reason, c.row) for c in rows.cases if modality in c.parts]
            continue
        made = stage(folder / modality, partial(_fit_part, config, rows, modality, cache, progress))
        table = _read_table(made, len(rows.cases))
        refused += table.refused
        if (made / "part").is_dir():
            models[modality], tables[modality] = PartModel.load(made / "part"), table
    if not models:
        raise _nothing_learned(rows, config.min_parts, refused)
    joint = _fit_joint(config, rows, {m: t.vectors for m, t in tables.items()}, folder, progress)
    calibration = _calibrate(config, rows, tables, joint, folder, progress)
    return Fitted(models, joint, calibration, tuple(refused), {m: t.embeddings for m, t in tables.items()})


def _nothing_learned(rows: Split, needed: int, refused: Sequence[Refusal]) -> DataError:
    """What to say where no modality can be learned: whether parts are too few, or what is wrong with them."""
    reason = (
        f"no modality can be learned from {len(rows.cases)} cases; each needs {needed} readable parts "
        "in the fit, the reference and the calibration split"
    )
    unusable = [r for r in refused if not _TOO_FEW.fullmatch(r.reason)]
    if not unusable:
        return DataError(reason)
    lost = lost_kinds(rows.cases, [*unusable, *refused])
    return RefusedError("; ".join([reason, *map(str, lost)]), tuple(refused))


def too_few(rows: Split, modality: Modality, needed: int, known: np.ndarray | None = None) -> str:
    """Why a modality cannot be learned ("" if it can): each split needs enough parts of it."""
    has = np.array([modality in c.parts for c in rows.cases]) if known is None else known
    for name, part in (("fit", rows.fit), ("reference", rows.reference), ("calibration", rows.calibration)):
        count = int(has[part.start : part.stop].sum())
        if count < needed:
            return f"only {count} usable {modality} parts in the {name} split; {needed} are needed to learn {modality}"
    return ""


def _fit_part(
    config: PipelineConfig, rows: Split, modality: Modality, cache: Path | None, progress: Progress, out: Path
) -> None:
    model = PartModel.unfitted(modality, config.parts[modality], config.seed)
    wanted = {i: part for i, c in enumerate(rows.cases) if (part := part_of(c, modality)) is not None}
    model.fit_encoder([wanted[i] for i in rows.fit if i in wanted], config.parts[modality].letters)
    refused: list[Refusal] = []

    def tokens_of(i: int) -> Tokens | None:
        try:
            return model.tokens(wanted[i], cache)
        except PartError as error:
            refused.append(Refusal(rows.cases[i].id, modality, error.reason, rows.cases[i].row))
            return None

    order = sorted(wanted)
    counted = progress.over(order, f"{modality}: encode and score", len(order))
    fitting: dict[int, Tokens] = {}
    values: dict[int, Known] = {}
    scales: list[np.ndarray] = []
    for i in counted:
        tokens = tokens_of(i)
        if tokens is None:
            continue
        if i in rows.fit:
            fitting[i] = tokens
            continue
        if not values:
            # Rows are in split order: the first held-out row ends the fit split.
            _drop_odd_widths(fitting, rows, modality, refused)
            if len(fitting) < config.min_parts:
                break
            model.detector.fit(list(fitting.values()))
            values.update({j: Known((), part_vector(t), t.embedding()) for j, t in fitting.items()})
            fitting.clear()
        try:
            measured = model.measure(tokens, wanted[i])
        except PartError as error:
            refused.append(Refusal(rows.cases[i].id, modality, error.reason, rows.cases[i].row))
            continue
        values[i] = Known(measured.views, measured.vector, measured.embedding)
        if i in rows.calibration:
            scales.append(measured.token_scores)
    _write_part(model, rows, config.min_parts, config.parts[modality], values, scales, refused, out)


def _drop_odd_widths(fitting: dict[int, Tokens], rows: Split, modality: Modality, refused: list[Refusal]) -> None:
    """Refuse parts whose tokens have another width than most (a sensor table with other channels)."""
    widths = [t.values.shape[1] for t in fitting.values()]
    usual = max(sorted(set(widths)), key=widths.count) if widths else 0
    for i, width in zip(list(fitting), widths, strict=True):
        if width != usual:
            reason = f"{width} features a token; the other parts have {usual}"
            refused.append(Refusal(rows.cases[i].id, modality, reason, rows.cases[i].row))
            del fitting[i]


def _write_part(
    model: PartModel,
    rows: Split,
    needed: int,
    settings: PartSettings,
    values: dict[int, Known],
    scales: list[np.ndarray],
    refused: list[Refusal],
    out: Path,
) -> None:
    modality = model.modality
    reason = too_few(rows, modality, needed, np.array([i in values for i in range(len(rows.cases))]))
    widths = {len(v.vector) for v in values.values()}
    if not reason and len(widths) > 1:
        reason = f"{modality} parts have vectors of different widths ({sorted(widths)}); they cannot be compared"
    if reason:
        said = {r.case_id for r in refused}
        refused += [
            Refusal(c.id, modality, reason, c.row) for c in rows.cases if modality in c.parts and c.id not in said
        ]
        values, compared = {}, {}
    else:
        step = max(1, sum(map(len, scales)) // SCALE_TOKENS)
        model.scale = map_scale([s[::step] for s in scales])
        compared = _compare(model, rows, settings, values)
        model.save(out / "part")
    _write_table(values, compared, len(rows.cases), refused, out)


def _compare(model: PartModel, rows: Split, settings: PartSettings, values: dict[int, Known]) -> dict[int, float]:
    """Give the model its comparison with similar parts; the scores of held-out parts as compared by it."""
    inside = [i for i in rows.reference if i in values]
    space = np.stack([values[i].vector for i in rows.fit if i in values])
    if settings.whole:
        model.whole = WholePart().fit(space)
    vectors, scores = np.stack([values[i].vector for i in inside]), [values[i].views for i in inside]
    compared = dict(zip(inside, model.fit_comparison(space, vectors, scores, settings.compare).tolist(), strict=True))
    return compared | {i: model.compared(values[i].views, values[i].vector) for i in rows.calibration if i in values}


def _write_table(
    values: dict[int, Known], compared: dict[int, float], size: int, refused: list[Refusal], out: Path
) -> None:
    first = next(iter(values.values()), Known((), np.zeros(1, np.float32), np.zeros(1, np.float32)))
    scores = np.full(size, np.nan)
    vectors = np.full((size, len(first.vector)), np.nan, np.float32)
    embeddings = np.full((size, len(first.embedding)), np.nan, np.float32)
    for i, known in values.items():
        scores[i], vectors[i], embeddings[i] = compared.get(i, np.nan), known.vector, known.embedding
    write_arrays(out / "table.safetensors", {"scores": scores, "vectors": vectors, "embeddings": embeddings})
    lines = [[r.case_id, r.part, r.reason, r.row] for r in refused]
    write_values(out / "refused.json", lines)


def _read_table(folder: Path, size: int) -> Table:
    file, lines = folder / "table.safetensors", folder / "refused.json"
    arrays, values = read_arrays(file, gaps=True), read_values(lines)
    with reading(lines):
        refused = tuple(Refusal(*line) for line in values)
    with reading(file):
        made = Table(arrays["scores"], arrays["vectors"], arrays["embeddings"], refused)
        require(made.scores.shape == (size,) and len(made.vectors) == len(made.embeddings) == size, "it has other rows")
    return made


def _fit_joint(
    config: PipelineConfig, rows: Split, vectors: dict[Modality, np.ndarray], folder: Path, progress: Progress
) -> JointModel | None:
    """The joint model; None with a single modality, or where cases never have two parts."""
    mine = {m: v[rows.fit.start : rows.fit.stop] for m, v in vectors.items()}
    both = np.sum([np.isfinite(v).all(axis=1) for v in mine.values()], axis=0) >= 2
    if len(mine) < 2 or both.sum() < config.min_parts:
        return None

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
        halves = []
        for part in (rows.reference, rows.calibration):
            cut = slice(part.start, part.stop)
            halves.append(
                Measures({m: t.scores[cut] for m, t in tables.items()}, {k: v[cut] for k, v in found.items()})
            )
        state = JointCalibration(config.seed).fit(*halves).state()
        write_values(out / "calibration.json", state)

    made = stage(folder / "calibration", make)
    values = read_values(made / "calibration.json")
    with reading(made / "calibration.json"):
        return JointCalibration.from_state(values)


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
