"""What normal looks like, for words: the nearest normal cases of a part, and what its modality remembers of them.

This decides nothing. Scores and p-values come from detectors and calibration; this only lets evidence say "normal cases
stay between … and …" and "the nearest normal case is …".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from mmdmad.cases import Case, Modality
from mmdmad.errors import ModelError
from mmdmad.explain.base import Learned
from mmdmad.explain.ranges import MIN_GROUP, Count
from mmdmad.files import make_folder
from mmdmad.modalities.base import modality_of
from mmdmad.saved import check_arrays, read_arrays, read_model, reading, require, write_arrays, write_values

ALIKE = 1e-6  # of their size: what differs by less in float32 is the same
TWINS = 1e-3  # of the normal cases' distance from their mean: what lies nearer is a twin


class _Saved(BaseModel):
    """What `normal.json` holds."""

    model_config = ConfigDict(extra="forbid")

    ids: dict[Modality, list[str]]
    groups: dict[Modality, list[str]]
    learned: dict[Modality, dict[str, Any]]
    n_cases: Count


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Nearest normal cases of one part, nearest first: distances in units of the usual distance between normals.

    `alike`: normal cases are all but equal in this part, so that there is no usual distance and `distances` say no more
    than whether the part is one of them (0) or another (inf). `few`: so few normal cases are known that no distance
    between them is usual.
    """

    ids: tuple[str, ...]
    groups: tuple[str, ...]
    distances: np.ndarray
    alike: bool = False
    few: bool = False


@dataclass(eq=False)
class Normal:
    """Fitted on normal cases with `Normal.fit`; see the module text for what it is for.

    `learned` holds what each modality remembers of normal signals, for those that remember anything.
    """

    embeddings: dict[Modality, np.ndarray] = field(default_factory=dict)
    ids: dict[Modality, list[str]] = field(default_factory=dict)
    groups: dict[Modality, list[str]] = field(default_factory=dict)
    learned: dict[Modality, Learned] = field(default_factory=dict)
    n_cases: int = 0

    @classmethod
    def fit(cls, rows: Iterable[tuple[Case, Mapping[Modality, Any], Mapping[Modality, np.ndarray]]]) -> Self:
        """Learn from normal cases, one at a time: (case, its decoded parts, its embeddings)."""
        self = cls()
        vectors: dict[Modality, list[np.ndarray]] = {}
        for case, signals, embeddings in rows:
            self.n_cases += 1
            for modality, vector in embeddings.items():
                vectors.setdefault(modality, []).append(np.asarray(vector, np.float32))
                self.ids.setdefault(modality, []).append(case.id)
                self.groups.setdefault(modality, []).append(case.group or "")
            for modality, signal in signals.items():
                learned = self.of(modality)
                if learned is not None:
                    self.learned[modality] = learned
                    learned.add(signal, case.group or "")
        for learned in self.learned.values():
            learned.finish()
        self.embeddings = {m: np.stack(v) for m, v in vectors.items()}
        return self

    def of(self, modality: Modality) -> Learned | None:
        """What is remembered of a modality's normal signals (nothing yet where there were none)."""
        return self.learned.get(modality) or modality_of(modality).normal()

    def nearest(self, modality: Modality, vector: np.ndarray, k: int = 5) -> Neighbours | None:
        """The k normal cases whose embedding is nearest, or None where no normal case has this part."""
        known = self.embeddings.get(modality)
        if known is None or known.shape[1] != len(vector):
            return None
        centre, spread, usual = self._space(modality)
        distances = np.linalg.norm((known - centre) / spread - (vector - centre) / spread, axis=1)
        order = np.argsort(distances, kind="stable")[:k]
        least, off = ALIKE * max(1.0, float(np.abs(known).mean())), np.abs(vector - centre)
        alike = usual == 0.0 or bool((off[np.isinf(spread)] > 10 * least).any())
        if alike:
            far = np.abs(known - vector).max(axis=1) > 10 * least
            order = np.argsort(np.linalg.norm(known - vector, axis=1), kind="stable")[:k]
            shown = np.where(far[order], np.inf, 0.0)
        else:
            shown = distances[order] / usual
        return Neighbours(
            tuple(self.ids[modality][i] for i in order),
            tuple(self.groups[modality][i] for i in order),
            shown,
            alike,
            len(known) < MIN_GROUP,
        )

    def save(self, folder: str | Path) -> None:
        """Write `normal.json` and `normal.safetensors` into `folder`."""
        folder = Path(folder)
        make_folder(folder)
        arrays: dict[str, np.ndarray] = {f"embedding.{m}": v for m, v in self.embeddings.items()}
        learned: dict[str, dict[str, Any]] = {}
        for modality, one in self.learned.items():
            own, learned[modality] = one.state()
            arrays |= {f"{modality}.{name}": array for name, array in own.items()}
        write_arrays(folder / "normal.safetensors", arrays)
        values = {"ids": self.ids, "groups": self.groups, "learned": learned, "n_cases": self.n_cases}
        write_values(folder / "normal.json", values)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """What `save` wrote; ModelError where the files do not make it."""
        file, values_file = Path(folder) / "normal.safetensors", Path(folder) / "normal.json"
        values = read_model(values_file, _Saved)
        arrays = read_arrays(file)
        with reading(file):
            embeddings = {m: arrays[f"embedding.{m}"] for m in values.ids}
            require(values.ids.keys() == values.groups.keys(), "ids and groups are of other parts")
            for m, known in embeddings.items():
                check_arrays({m: known}, {m: "f n E"}, n=len(values.ids[m]))
                require(len(values.groups[m]) == len(known), f"the groups of {m} are not one a case")
        made = cls(embeddings, values.ids, values.groups, {}, values.n_cases)
        for m, saved in values.learned.items():
            own = {name.partition(".")[2]: array for name, array in arrays.items() if name.startswith(f"{m}.")}
            with reading(file if own else values_file):
                learned = made.of(m)
                if learned is None:
                    raise ModelError(f"{m} remembers nothing of normal parts")
                learned.set_state(own, saved)
                made.learned[m] = learned
        return made

    def _space(self, modality: Modality) -> tuple[np.ndarray, np.ndarray, float]:
        """Centre and spread that make the embedding's axes alike, and the median distance to the nearest other case.

        That distance is 0 where there is none to speak of, because most normal cases have a twin: a ratio to it would
        be a figure of rounding errors.
        """
        cache = self.__dict__.setdefault("_spaces", {})
        if modality not in cache:
            known = self.embeddings[modality].astype(np.float64)
            centre, spread = known.mean(axis=0), known.std(axis=0)
            typical, least = float(np.median(spread)), ALIKE * max(1.0, float(np.abs(known).mean()))
            # an axis on which normal cases do not differ at all has no scale: its part in a distance is 0 or anything
            spread = np.where(spread > least, spread, np.inf) if typical <= least else np.maximum(spread, 0.1 * typical)
            z = (known - centre) / spread
            some = z[np.linspace(0, len(z) - 1, min(len(z), 400)).astype(int)]
            squared = np.maximum((some**2).sum(1)[:, None] + (z**2).sum(1)[None] - 2 * some @ z.T, 0.0)
            nearest = np.sqrt(np.sort(squared, axis=1)[:, min(1, len(z) - 1)])
            usual = float(np.median(nearest))
            sound = usual > TWINS * float(np.sqrt(np.mean((z**2).sum(1))))
            cache[modality] = centre, spread, usual if sound else 0.0
        centre, spread, usual = cache[modality]
        return centre, spread, usual
