"""The model of one modality, fitted and measured; what cannot be used is refused by name, and the rest goes on."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mmdmad.calibration.whitening import part_vector
from mmdmad.cases import Modality, Part, Refusal
from mmdmad.errors import DataError, PartError
from mmdmad.parts import read
from mmdmad.pipeline.config import PartSettings, PipelineConfig
from mmdmad.pipeline.kept import BYTES, Signals, drawn, drawn_references
from mmdmad.pipeline.part_model import PartModel, map_scale, part_of
from mmdmad.pipeline.splits import Split, too_few
from mmdmad.progress import Progress
from mmdmad.saved import read_arrays, read_values, reading, require, write_arrays, write_values
from mmdmad.tokens import Tokens

SCALE_TOKENS = 200_000
KEPT, REFERENCE = "kept", "kept-references"
"""What files of kept calibration and reference parts are called."""


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


def fit_part(
    config: PipelineConfig, rows: Split, modality: Modality, cache: Path | None, progress: Progress, out: Path
) -> None:
    """Fit and measure one modality and write the model (`out`/part), the table of its scores, and what was refused."""
    model = PartModel.unfitted(modality, config.parts[modality], config.seed)
    wanted = {i: part for i, c in enumerate(rows.cases) if (part := part_of(c, modality)) is not None}
    settings, refused = config.parts[modality], _Refused(rows, modality)
    values: dict[int, Known] = {}
    scales: list[np.ndarray] = []
    kept = {name: Signals(modality, BYTES / rows.folds) for name in (KEPT, REFERENCE)}
    try:
        why = _learn_part(config, rows, model, wanted, cache, progress, refused, values, scales, kept)
    except DataError as error:  # what is wrong lies in no single part; the other modalities go on
        why = f"no model of {modality} can be learned: {error}"
        values.clear()
    _write_part(model, rows, settings, values, scales, refused, out, why)
    if all(one.held for one in kept.values()) and not why:
        for name, one in kept.items():
            one.save(out / name)


class _Refused(list[Refusal]):
    """What is refused of one modality, by row."""

    def __init__(self, rows: Split, modality: Modality) -> None:
        super().__init__()
        self.rows, self.modality = rows, modality

    def add(self, i: int, reason: str) -> None:
        """Refuse the part of row i."""
        case = self.rows.cases[i]
        self.append(Refusal(case.id, self.modality, reason, case.row))


def _learn_part(
    config: PipelineConfig,
    rows: Split,
    model: PartModel,
    wanted: dict[int, Part],
    cache: Path | None,
    progress: Progress,
    refused: _Refused,
    values: dict[int, Known],
    scales: list[np.ndarray],
    kept: dict[str, Signals],
) -> str:
    """Fit encoder and detector, measure the held-out parts; what cannot be used is refused by name.

    Returns why nothing can be learned ("" if something is).
    """
    needed = config.min_parts

    def lacking(usable: Iterable[int]) -> str:
        return too_few(rows, model.modality, needed, np.isin(np.arange(len(rows.cases)), list(usable)))

    model.fit_levels(wanted[i] for i in rows.fit if i in wanted)
    wanted = {i: model.given(part) for i, part in wanted.items()}
    unusable = model.fit_encoder(
        {i: wanted[i] for i in rows.fit if i in wanted}, needed, config.parts[model.modality].letters
    )
    for i, reason in unusable.items():
        refused.add(i, reason)
    order = sorted(i for i in wanted if i not in unusable)
    keeps = dict.fromkeys(drawn(rows, config.seed), kept[KEPT]) if model.readings is not None else {}
    keeps |= dict.fromkeys(drawn_references(rows, config.seed), kept[REFERENCE]) if keeps else {}
    if why := lacking(order):
        return why
    fitting: dict[int, Tokens] = {}
    widths: tuple[int, ...] = ()
    for i in progress.over(order, f"{model.modality}: encode and score", len(order)):
        try:
            signal = read(wanted[i]) if model.readings is not None else None
            if why := model.spoilt(wanted[i], signal):
                refused.add(i, why)
                continue
            if i in rows.fit:
                fitting[i] = model.tokens(wanted[i], cache)
                continue
            if not widths:
                # Rows are in split order: the first held-out row ends the fit split.
                widths = _drop_odd_widths(fitting, refused)
                if why := lacking([*fitting, *(j for j in order if j not in rows.fit)]):
                    return why
                model.fit_detector(list(fitting.values()), config.parts[model.modality].looks)
                values.update({j: Known((), part_vector(t), t.embedding()) for j, t in fitting.items()})
                fitting.clear()
            measured = model.looked_at(wanted[i], cache, signal, partial(_same_widths, model.modality, widths))
            if signal is not None and (outside := model.outside(signal)):
                refused.add(i, f"{outside}: it cannot be ranked with")
                continue
        except PartError as error:
            refused.add(i, error.reason)
            continue
        values[i] = Known(measured.views, measured.vector, measured.embedding)
        if i in rows.calibration:
            scales.append(measured.token_scores)
        if i in keeps and measured.stretches == 1:
            keeps[i].add(i, wanted[i], signal)
    return lacking(values)


def _widths(tokens: Tokens) -> tuple[int, ...]:
    """Numbers a token, of the embedding, and of the vector for the joint model."""
    return tokens.values.shape[1], len(tokens.embedding()), len(part_vector(tokens))


def _other_widths(tokens: Tokens, usual: tuple[int, ...]) -> str:
    """Why a part cannot be compared with most ("" if it can): a sensor table with other channels has other features."""
    mine = _widths(tokens)
    if mine == usual:
        return ""
    names = ("features a token", "numbers as a whole", "numbers for the joint model")
    differing = [
        f"{own} {name}, the other parts {theirs}" for own, name, theirs in zip(mine, names, usual) if own != theirs
    ]
    return f"it has {' and '.join(differing)}"


def _same_widths(modality: Modality, usual: tuple[int, ...], tokens: Tokens) -> None:
    if reason := _other_widths(tokens, usual):
        raise PartError(reason, part=modality)


def _drop_odd_widths(fitting: dict[int, Tokens], refused: _Refused) -> tuple[int, ...]:
    """Refuse parts of another width than most; the usual widths. Of equally many the smallest, so no order decides."""
    counts = Counter(_widths(t) for t in fitting.values())
    usual = min(counts, key=lambda w: (-counts[w], w), default=())
    for i, tokens in list(fitting.items()):
        if reason := _other_widths(tokens, usual):
            refused.add(i, reason)
            del fitting[i]
    return usual


def _write_part(
    model: PartModel,
    rows: Split,
    settings: PartSettings,
    values: dict[int, Known],
    scales: list[np.ndarray],
    refused: list[Refusal],
    out: Path,
    reason: str,
) -> None:
    modality = model.modality
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


def read_table(folder: Path, size: int) -> Table:
    """The table that `fit_part` wrote for `size` cases; ModelError where the files do not make one."""
    file, lines = folder / "table.safetensors", folder / "refused.json"
    arrays, values = read_arrays(file, gaps=True), read_values(lines)
    with reading(lines):
        refused = tuple(Refusal(*line) for line in values)
    with reading(file):
        made = Table(arrays["scores"], arrays["vectors"], arrays["embeddings"], refused)
        require(made.scores.shape == (size,) and len(made.vectors) == len(made.embeddings) == size, "it has other rows")
    return made
