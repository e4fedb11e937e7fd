"""Calibration cases of one fold that are kept with the model, so that they can be masked to what a later case lacks.

What a case lacks is known when it comes, so masked scores are made then, by the same encoder and detector, and depend
on the mask alone. Kept are, of at most MOST calibration cases over all folds, drawn by content and evenly from all
units, the tables as they are (BYTES over all folds at most), of clips the file and its hash, and the scores and vectors
of their other parts. Ranks among a part of the calibration cases, drawn so, are as exchangeable as among all of them.
Of REFERENCES reference cases a fold the parts are kept too: the level of masked scores is learned from these.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mmdmad.calibration.conformal import case_uniform
from mmdmad.cases import Modality, Part
from mmdmad.errors import PartError
from mmdmad.modalities.base import modality_of
from mmdmad.pipeline.splits import Split
from mmdmad.saved import read_arrays, read_values, reading, require, validated, write_arrays, write_values

MOST, FEWEST = 400, 99
"""Cases that are kept over all folds, and how many there must be where there are more: enough for 1 %."""
BYTES = 32 * 2**20
"""Of the parts of one modality, over all folds."""
REFERENCES = 40


class _Signals(BaseModel):
    """What the JSON file beside kept arrays holds: by row, the shapes of its arrays and the number of its values."""

    model_config = ConfigDict(extra="forbid")

    shapes: dict[int, dict[str, list[int]]]
    values: dict[int, int]
    kinds: list[dict[str, Any]]


class _Cases(BaseModel):
    """What `cases.json` holds."""

    model_config = ConfigDict(extra="forbid")

    units: list[str] = Field(min_length=1)
    contents: list[str]
    groups: list[str | None]
    modalities: list[Modality]


class Signals:
    """What is kept of the parts of one modality, by row; `add` takes no more than `most` bytes."""

    def __init__(self, modality: Modality, most: float = math.inf) -> None:
        self.modality, self.most, self.bytes = modality, most, 0
        self.held: dict[int, tuple[dict[str, np.ndarray], dict[str, Any]]] = {}

    def add(self, row: int, part: Part, signal: Any) -> None:
        """Keep the part of a row, if there is room for it and its modality keeps any."""
        if self.bytes > self.most or (made := modality_of(self.modality).kept(part, signal)) is None:
            return
        self.bytes += sum(array.nbytes for array in made[0].values())
        if self.bytes <= self.most:
            self.held[row] = made

    def part(self, row: int) -> Part:
        """The part of a row; PartError where it lay in a file that is no more what it was."""
        return modality_of(self.modality).from_kept(*self.held[row])

    def save(self, stem: Path) -> None:
        """Write `stem`.json and, where there are arrays, `stem`.safetensors: those of one name after each other."""
        kinds: list[dict[str, Any]] = []
        flat: defaultdict[str, list[np.ndarray]] = defaultdict(list)
        values = {}
        for row, (arrays, said) in sorted(self.held.items()):
            if said not in kinds:
                kinds.append(said)
            values[row] = kinds.index(said)
            for name, array in arrays.items():
                flat[name].append(np.ravel(array))
        shapes = {row: {n: list(a.shape) for n, a in arrays.items()} for row, (arrays, _) in sorted(self.held.items())}
        write_values(stem.with_suffix(".json"), {"shapes": shapes, "values": values, "kinds": kinds})
        if flat:
            joined = {name: np.concatenate(arrays) for name, arrays in flat.items()}
            write_arrays(stem.with_suffix(".safetensors"), joined)

    @classmethod
    def load(cls, modality: Modality, stem: Path) -> Self:
        """What `save` wrote; ModelError where the files do not make it."""
        file, made = stem.with_suffix(".json"), cls(modality)
        values = read_values(file)
        arrays = read_arrays(stem.with_suffix(".safetensors")) if stem.with_suffix(".safetensors").is_file() else {}
        with reading(file):
            known = validated(_Signals, values)
            require(known.shapes.keys() == known.values.keys(), "shapes and values are of different rows")
            begin = dict.fromkeys(arrays, 0)
            for row in sorted(known.shapes):
                mine = {}
                for name, shape in known.shapes[row].items():
                    count = math.prod(shape)
                    require(min(shape, default=1) >= 0 and name in arrays, f"{name} of row {row} is not there")
                    require(begin[name] + count <= arrays[name].size, f"{name} has fewer numbers than its rows")
                    mine[name] = arrays[name].ravel()[begin[name] : begin[name] + count].reshape(shape)
                    begin[name] += count
                require(0 <= known.values[row] < len(known.kinds), f"row {row} is of no kind that is there")
                made.held[row] = mine, known.kinds[known.values[row]]
            over = [name for name, count in begin.items() if count != arrays[name].size]
            require(not over, f"{', '.join(over)} has more numbers than its rows")
        return made


@dataclass(frozen=True, eq=False)
class Kept:
    """Calibration cases of a fold: unit, content and group of each of n, scores (n,) and vectors (n, E) of its parts,
    NaN where it has none, and what is kept of the parts themselves; `references` is what is kept of other normal parts.

    `ranked` remembers what masked cases are ranked among, by what was masked.
    """

    units: tuple[str, ...]
    contents: tuple[str, ...]
    groups: tuple[str | None, ...]
    scores: Mapping[Modality, np.ndarray]
    vectors: Mapping[Modality, np.ndarray]
    signals: Mapping[Modality, Signals]
    references: Mapping[Modality, Signals]
    ranked: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        rows: Sequence[int],
        units: Sequence[str],
        contents: Sequence[str],
        groups: Sequence[str | None],
        tables: Mapping[Modality, tuple[np.ndarray, np.ndarray]],
        signals: Iterable[Signals],
        references: Iterable[Signals],
    ) -> Self | None:
        """From the rows kept, their units and contents, and scores and vectors of all rows; None where nothing is."""
        own = {one.modality: one for one in signals if one.held}
        if not own:
            return None
        picked = list(rows)
        place = {row: number for number, row in enumerate(picked)}
        for one in own.values():
            one.held = {place[row]: held for row, held in one.held.items() if row in place}
        return cls(
            tuple(units),
            tuple(contents),
            tuple(groups),
            {m: scores[picked] for m, (scores, _) in tables.items()},
            {m: vectors[picked] for m, (_, vectors) in tables.items()},
            own,
            {one.modality: one for one in references},
        )

    def save(self, folder: Path) -> None:
        """Write everything into `folder`; what is NaN is written as 0 and marked, for a model holds finite numbers."""
        about = {"units": self.units, "contents": self.contents, "groups": self.groups, "modalities": [*self.scores]}
        write_values(folder / "cases.json", about)
        arrays = {}
        for m, scores in self.scores.items():
            known = np.isfinite(scores) & np.isfinite(self.vectors[m]).all(axis=1)
            arrays[f"known-{m}"] = known
            arrays[f"scores-{m}"] = np.where(known, scores, 0.0)
            arrays[f"vectors-{m}"] = np.where(known[:, None], self.vectors[m], 0).astype(self.vectors[m].dtype)
        write_arrays(folder / "cases.safetensors", arrays)
        for name, every in (("parts", self.signals), ("references", self.references)):
            for m, signals in every.items():
                signals.save(folder / f"{name}-{m}")

    @classmethod
    def load(cls, folder: Path, modalities: Sequence[Modality]) -> Self:
        """What `save` wrote, of these modalities; ModelError where the files do not make it."""
        values, arrays = read_values(folder / "cases.json"), read_arrays(folder / "cases.safetensors")
        with reading(folder / "cases.json"):
            about = validated(_Cases, values)
            count = len(about.units)
            sizes = {count, len(about.contents), len(about.groups)}
            require(len(sizes) == 1, "its cases have not one unit, one content and one group each")
            require(about.modalities == list(modalities), "it is of other modalities")
        scores, vectors = {}, {}
        with reading(folder / "cases.safetensors"):
            for m in modalities:
                known = arrays[f"known-{m}"]
                require(known.dtype == bool and known.shape == (count,), f"known-{m} is of other cases")
                require(arrays[f"scores-{m}"].shape == (count,), f"scores-{m} are of other cases")
                require(arrays[f"vectors-{m}"].shape[:1] == (count,), f"vectors-{m} are of other cases")
                scores[m] = np.where(known, arrays[f"scores-{m}"], np.nan)
                vectors[m] = np.where(known[:, None], arrays[f"vectors-{m}"], np.nan).astype(
                    arrays[f"vectors-{m}"].dtype
                )
        signals, references = (
            {m: Signals.load(m, folder / f"{name}-{m}") for m in modalities if (folder / f"{name}-{m}.json").is_file()}
            for name in ("parts", "references")
        )
        for m, one in signals.items():
            with reading(folder / f"parts-{m}.json"):
                require(all(0 <= row < count for row in one.held), f"a row is none of {count} cases")
        known_of = tuple(about.units), tuple(about.contents), tuple(about.groups)
        return cls(*known_of, scores, vectors, signals, references)


def drawn(rows: Split, seed: int) -> list[int]:
    """The calibration rows that are kept, in their order: one of each unit after another, each by its content.

    >>> from mmdmad.cases import Case
    >>> some = Split(tuple(Case(k, {}) for k in "abcd"), tuple("abcd"), range(1), range(1, 2), range(2, 4))
    >>> drawn(some, seed=0)
    [2, 3]
    """
    return _drawn(rows, rows.counted, max(1, MOST // rows.folds), seed)


def drawn_references(rows: Split, seed: int) -> list[int]:
    """The reference rows whose parts are kept, drawn in the same way."""
    return _drawn(rows, rows.reference, REFERENCES, seed)


def _drawn(rows: Split, among: Sequence[int], most: int, seed: int) -> list[int]:
    held: defaultdict[str, list[int]] = defaultdict(list)
    for row in sorted(among, key=lambda row: (case_uniform(rows.keys[row], "kept", seed), row)):
        held[rows.unit(row)].append(row)
    turns = [(turn, place, row) for place, mine in enumerate(held.values()) for turn, row in enumerate(mine)]
    return sorted(row for _, _, row in sorted(turns)[:most])


def readable(signals: Signals) -> tuple[dict[int, Part], str]:
    """The kept parts by row, and why the first that cannot be read any more cannot; "" where all can."""
    found, why = {}, ""
    for row in signals.held:
        try:
            found[row] = signals.part(row)
        except PartError as error:
            why = why or error.reason
    return found, why
