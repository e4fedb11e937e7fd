"""What normal looks like, for words: ranges to compare a measured value with, words that are usual, nearest cases.

The reference decides nothing. Scores and p-values come from detectors and calibration; this only lets evidence say
"normal cases stay between … and …" and "the nearest normal case is …".
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mmdmad.cases import Case, Modality
from mmdmad.explain.motion import VIDEO_MEASURES, motion
from mmdmad.explain.traces import MEASURES, traces
from mmdmad.saved import check_arrays, read_arrays, read_model, reading, require, write_arrays, write_values

QUANTILES = (0.005, 0.5, 0.995)
MIN_GROUP = 20  # a group with fewer normal cases has no range of its own
MAX_SENSOR_CASES, MAX_VIDEO_CASES, MAX_WORDS, MAX_TEMPLATES = 3000, 160, 50_000, 20_000
_VALUES_PER_CASE = 64
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
"""A word without numbers."""


Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, eq=False)
class Ranges:
    """Low (0.5 %), middle and high (99.5 %) of named measures over normal cases: `table` (len(names), 3)."""

    names: tuple[str, ...]
    table: np.ndarray
    size: int

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> tuple[float, float, float]:
        low, middle, high = self.table[self.names.index(name)]
        return float(low), float(middle), float(high)


class _SavedRanges(BaseModel):
    """Names and number of cases of one `Ranges` in `reference.json`; its table lies beside it."""

    model_config = ConfigDict(extra="forbid")

    group: str
    channel: str = ""
    names: tuple[str, ...]
    size: Count

    def ranges(self, name: str, arrays: Mapping[str, np.ndarray]) -> Ranges:
        """The ranges with the table called `name`; ModelError where low, middle and high do not rise."""
        check_arrays(arrays, {name: f"f {len(self.names)} 3"})
        require((np.diff(arrays[name], axis=1) >= 0).all(), f"{name} holds a range that does not rise")
        return Ranges(self.names, arrays[name], self.size)


class _Saved(BaseModel):
    """What `reference.json` holds."""

    model_config = ConfigDict(extra="forbid")

    ids: dict[Modality, list[str]]
    groups: dict[Modality, list[str]]
    sensor: list[_SavedRanges]
    video: list[_SavedRanges]
    units: dict[str, str]
    words: dict[str, Count]
    templates: dict[str, Count]
    n_texts: Count
    n_cases: Count


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Nearest normal cases of one part, nearest first: distances in units of the usual distance between normals."""

    ids: tuple[str, ...]
    groups: tuple[str, ...]
    distances: np.ndarray


@dataclass(eq=False)
class Reference:
    """Fitted on normal cases with `Reference.fit`; see the module text for what it is for."""

    embeddings: dict[Modality, np.ndarray] = field(default_factory=dict)
    ids: dict[Modality, list[str]] = field(default_factory=dict)
    groups: dict[Modality, list[str]] = field(default_factory=dict)
    sensor: dict[tuple[str, str], Ranges] = field(default_factory=dict)  # (group or "", channel) -> ranges
    units: dict[str, str] = field(default_factory=dict)
    video: dict[str, Ranges] = field(default_factory=dict)  # group or "" -> ranges
    words: dict[str, int] = field(default_factory=dict)  # in how many normal texts a word occurs
    templates: dict[str, int] = field(default_factory=dict)  # lines with numbers taken out
    n_texts: int = 0
    n_cases: int = 0

    @classmethod
    def fit(cls, rows: Iterable[tuple[Case, Mapping[Modality, Any], Mapping[Modality, np.ndarray]]]) -> Self:
        """Learn from normal cases, one at a time: (case, its decoded parts, its embeddings)."""
        self = cls()
        vectors: dict[Modality, list[np.ndarray]] = {}
        channels: dict[tuple[str, str], list[np.ndarray]] = {}
        clips: dict[str, list[np.ndarray]] = {}
        words: Counter[str] = Counter()
        templates: Counter[str] = Counter()
        sensors = videos = 0
        for case, signals, embeddings in rows:
            self.n_cases += 1
            for modality, vector in embeddings.items():
                vectors.setdefault(modality, []).append(np.asarray(vector, np.float32))
                self.ids.setdefault(modality, []).append(case.id)
                self.groups.setdefault(modality, []).append(case.group or "")
            if "text" in signals:
                self.n_texts += 1
                words.update(sorted(set(words_of(signals["text"].text))))
                templates.update(sorted({template(line) for line in signals["text"].text.splitlines() if line.strip()}))
            if "sensor" in signals and sensors < MAX_SENSOR_CASES:
                sensors += 1
                self.units |= dict(zip(signals["sensor"].channels, signals["sensor"].units, strict=True))
                for channel, measures in _sensor_measures(signals["sensor"]).items():
                    if not np.isfinite(measures).all():
                        continue  # readings so far apart that squares overflow say nothing of what is usual
                    for group in sorted({"", case.group or ""}):
                        channels.setdefault((group, channel), []).append(measures)
            if "video" in signals and videos < MAX_VIDEO_CASES:
                videos += 1
                measures = motion(signals["video"]).measures()
                for group in sorted({"", case.group or ""}):
                    clips.setdefault(group, []).append(measures)
        self.embeddings = {m: np.stack(v) for m, v in vectors.items()}
        self.words = dict(words.most_common(MAX_WORDS))
        self.templates = dict(templates.most_common(MAX_TEMPLATES))
        self.sensor = {k: _sensor_ranges(v) for k, v in channels.items() if not k[0] or len(v) >= MIN_GROUP}
        self.video = {
            k: Ranges(VIDEO_MEASURES, _quantiles(np.stack(v)), len(v))
            for k, v in clips.items()
            if not k or len(v) >= MIN_GROUP
        }
        return self

    def channel(self, name: str, group: str | None) -> Ranges | None:
        """Normal ranges of a sensor channel in this group, or over all groups; None for an unknown channel."""
        return self.sensor.get((group or "", name)) or self.sensor.get(("", name))

    def clip(self, group: str | None) -> Ranges | None:
        """Normal ranges of a video's motion in this group, or over all groups."""
        return self.video.get(group or "") or self.video.get("")

    def nearest(self, modality: Modality, vector: np.ndarray, k: int = 5) -> Neighbours | None:
        """The k normal cases whose embedding is nearest, or None where no normal case has this part."""
        known = self.embeddings.get(modality)
        if known is None or known.shape[1] != len(vector):
            return None
        centre, spread, usual = self._space(modality)
        distances = np.linalg.norm((known - centre) / spread - (vector - centre) / spread, axis=1)
        order = np.argsort(distances, kind="stable")[:k]
        return Neighbours(
            tuple(self.ids[modality][i] for i in order),
            tuple(self.groups[modality][i] for i in order),
            distances[order] / usual,
        )

    def save(self, folder: str | Path) -> None:
        """Write `reference.json` and `reference.safetensors` into `folder`."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, np.ndarray] = {f"embedding.{m}": v for m, v in self.embeddings.items()}
        sensor, video = list(self.sensor.items()), list(self.video.items())
        arrays |= {f"sensor.{i}": r.table for i, (_, r) in enumerate(sensor)}
        arrays |= {f"video.{i}": r.table for i, (_, r) in enumerate(video)}
        values = {
            "ids": self.ids,
            "groups": self.groups,
            "sensor": [{"group": g, "channel": c, "names": r.names, "size": r.size} for (g, c), r in sensor],
            "video": [{"group": g, "names": r.names, "size": r.size} for g, r in video],
            "units": self.units,
            "words": self.words,
            "templates": self.templates,
            "n_texts": self.n_texts,
            "n_cases": self.n_cases,
        }
        write_arrays(folder / "reference.safetensors", arrays)
        write_values(folder / "reference.json", values)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """The reference that `save` wrote; ModelError where the files do not make one."""
        file = Path(folder) / "reference.safetensors"
        values = read_model(Path(folder) / "reference.json", _Saved)
        arrays = read_arrays(file)
        with reading(file):
            embeddings = {m: arrays[f"embedding.{m}"] for m in values.ids}
            require(values.ids.keys() == values.groups.keys(), "ids and groups are of other parts")
            for m, known in embeddings.items():
                check_arrays({m: known}, {m: "f n E"}, n=len(values.ids[m]))
                require(len(values.groups[m]) == len(known), f"the groups of {m} are not one a case")
            sensor = {(s.group, s.channel): s.ranges(f"sensor.{i}", arrays) for i, s in enumerate(values.sensor)}
            video = {v.group: v.ranges(f"video.{i}", arrays) for i, v in enumerate(values.video)}
        rest = {name: getattr(values, name) for name in ("units", "words", "templates", "n_texts", "n_cases")}
        return cls(**rest, ids=values.ids, groups=values.groups, embeddings=embeddings, sensor=sensor, video=video)

    def _space(self, modality: Modality) -> tuple[np.ndarray, np.ndarray, float]:
        """Centre and spread that make the embedding's axes alike, and the median distance to the nearest other case."""
        cache = self.__dict__.setdefault("_spaces", {})
        if modality not in cache:
            known = self.embeddings[modality].astype(np.float64)
            centre, spread = known.mean(axis=0), known.std(axis=0)
            spread = np.maximum(spread, max(float(np.median(spread)), 1e-9) * 0.1)
            z = (known - centre) / spread
            some = z[np.linspace(0, len(z) - 1, min(len(z), 400)).astype(int)]
            squared = np.maximum((some**2).sum(1)[:, None] + (z**2).sum(1)[None] - 2 * some @ z.T, 0.0)
            nearest = np.sqrt(np.sort(squared, axis=1)[:, min(1, len(z) - 1)])
            cache[modality] = centre, spread, max(float(np.median(nearest)), 1e-9)
        centre, spread, usual = cache[modality]
        return centre, spread, usual


def words_of(text: str) -> list[str]:
    """Words of a text in small letters, without numbers.

    >>> words_of("Belt stopped at 12.5 s")
    ['belt', 'stopped', 'at', 's']
    """
    return WORD.findall(text.lower())


def template(line: str) -> str:
    """A line with its numbers taken out, so that lines that differ only in numbers are one.

    >>> template("Unit 12: 3.5 A")
    'unit #: # a'
    """
    return re.sub(r"\s+", " ", re.sub(r"\d+(?:[.,:]\d+)*", "#", line)).strip().lower()


def _sensor_measures(sensor: Any) -> dict[str, np.ndarray]:
    """Per channel its MEASURES followed by evenly spaced order statistics of its values."""
    found = {}
    for index, channel in enumerate(sensor.channels):
        values = np.asarray(sensor.values[:, index], float)
        finite = values[np.isfinite(values)]
        if len(finite) < 2:
            continue
        spread = np.quantile(finite, np.linspace(0, 1, _VALUES_PER_CASE))
        found[channel] = np.concatenate([traces(values, sensor.times).measures(), spread])
    return found


def _sensor_ranges(rows: list[np.ndarray]) -> Ranges:
    table = np.stack(rows)
    values = np.quantile(table[:, len(MEASURES) :], QUANTILES)
    return Ranges((*MEASURES, "value"), np.vstack([_quantiles(table[:, : len(MEASURES)]), values]), len(rows))


def _quantiles(table: np.ndarray) -> np.ndarray:
    return np.quantile(table, QUANTILES, axis=0).T
