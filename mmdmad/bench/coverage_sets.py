"""Normal cases of real sets, divided in three ways: drawn, by recordings that are new, and by time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mmdmad.bench.joint_composed import PRESET as COMPOSED
from mmdmad.bench.nezha import PRESET as SERVICES
from mmdmad.cases import Case, Part
from mmdmad.datasets import bgl, joint_composed, mtd, nezha, skab, sms_spam, tsbad, uca
from mmdmad.datasets.sources import windows
from mmdmad.manifest import read_cases

Way = Literal["drawn", "new recordings", "later"]
TRAIN, TEST = 300, 200
ROWS = {"skab": 60, "tsbad": 100}  # of a window
SENSOR = {"parts": {"sensor": {"encoder": "auto", "detector": "gaussian-diffusion"}}}


@dataclass(frozen=True)
class Normals:
    """The normal cases of a set, in the order of time where `timed`, and how a pipeline is made for them.

    units: what each is cut from, () where that is not known. sides: of those that come in two disjoint halves (tiles
    whose numbers are not given), which half; () without. ways: in which they are divided.
    """

    name: str
    preset: Mapping[str, Any] | str
    cases: tuple[Case, ...]
    ways: tuple[Way, ...]
    units: tuple[str, ...] = ()
    sides: tuple[int, ...] = ()


@dataclass(frozen=True)
class Division:
    """What is learned from, and other normal cases to judge, in their order; `clusters` names their recordings."""

    train: tuple[Case, ...]
    test: tuple[Case, ...]
    clusters: tuple[str, ...]


def divide(one: Normals, way: Way, seed: int, train: int = TRAIN, test: int = TEST) -> Division:
    """One division of the set, at most `train` and `test` cases; of the same seed the same."""
    rng, count = np.random.default_rng([seed, 5]), len(one.cases)
    order = rng.permutation(count)
    if way == "later":
        half = count // 2
        return _division(one, _spread(0, half, train), _spread(half, count, test))
    if way == "drawn":
        cut = min(train, count * train // (train + test))
        # what they were cut from is left out: drawn cases are exchangeable whatever it is
        alone = replace(one, cases=tuple(replace(case, recording=None) for case in one.cases))
        return _division(alone, order[:cut], order[cut : cut + test])
    if one.sides:
        side = np.array(one.sides)[order]
        return _division(one, order[side == seed % 2][:train], order[side != seed % 2][:test])
    names = np.array(one.units)
    known = rng.permutation(np.unique(names))
    learned = np.isin(names[order], known[: len(known) // 2])
    return _division(one, order[learned][:train], order[~learned][:test])


def _division(one: Normals, train: np.ndarray, test: np.ndarray) -> Division:
    names = one.units or tuple(case.id for case in one.cases)
    return Division(
        tuple(one.cases[i] for i in train), tuple(one.cases[i] for i in test), tuple(names[i] for i in test)
    )


def _spread(first: int, last: int, count: int) -> np.ndarray:
    """At most `count` whole numbers from `first` to `last` (left out), evenly."""
    return np.unique(np.linspace(first, last - 1, min(count, last - first)).round().astype(int))


def every_set(data: Path, home: Path) -> Iterator[Normals]:
    """The sets one after another, so that one is in memory at a time; `home` is for converted files."""
    for read in (_tiles, _messages, _lines, _sentences, _testbed):
        yield read(data)
    yield from _series(data)
    yield from (_services(data, home), _composed(data, home))


def _tiles(data: Path) -> Normals:
    index = mtd.index(data)
    index = index[(index["label"] == 0) & index[mtd.SPLITS[0]].isin(["train", "test"])]
    cases = tuple(_case(Path(f).stem, "image", path=data / mtd.NAME / "images" / f) for f in index["file"])
    sides = tuple(int(side == "test") for side in index[mtd.SPLITS[0]])
    return Normals("mtd", "pipelines/pictures", cases, ("drawn", "new recordings"), sides=sides)


def _messages(data: Path) -> Normals:
    table = sms_spam.messages(data)
    ham = table[(table["label"] == 0) & (table["text"].str.strip() != "")]
    cases = tuple(_case(f"sms-{i}", "text", value=text) for i, text in ham["text"].items())
    return Normals("sms-spam", "pipelines/logs", cases, ("drawn",))


def _lines(data: Path) -> Normals:
    frame = bgl.lines(data)
    normal = frame[frame["anomaly"] == 0]
    cases = tuple(_case(f"bgl-{i}", "text", value=text) for i, text in normal["Content"].items())
    return Normals("bgl", "pipelines/logs", cases, ("drawn", "later"))


def _sentences(data: Path) -> Normals:
    table = uca.sentences(data)
    said = table[(table["label"] == 0) & (table["text"].str.strip() != "")]
    cases = tuple(
        _case(f"uca-{i}", "text", value=row["text"], recording=str(row["video"])) for i, row in said.iterrows()
    )
    units = tuple(str(video) for video in said["video"])
    return Normals("uca", "pipelines/logs", cases, ("drawn", "new recordings"), units)


def _testbed(data: Path) -> Normals:
    files = sorted(skab.files(data), key=lambda file: str(file.frame["datetime"].iloc[0]))
    cases = tuple(one for file in files for one in _windows(file, ROWS["skab"], recording=file.name))
    units = tuple(str(case.recording) for case in cases)
    return Normals("skab", SENSOR, cases, ("drawn", "new recordings", "later"), units)


def _series(data: Path) -> Iterator[Normals]:
    """Univariate series with windows enough for a fit; each is one recording."""
    for one in tsbad.series(data):
        cases = tuple(_windows(one, ROWS["tsbad"], recording=one.name))
        if len(cases) >= TRAIN // 3 and one.name != tsbad.SAME_AS_145:
            yield Normals(f"tsbad {one.name[:12]}", SENSOR, cases, ("drawn", "later"))


def _services(data: Path, home: Path) -> Normals:
    cases = read_cases(nezha.convert(data, home / "nezha"), allow_outside=True).where(split="train")
    timed = sorted(cases, key=lambda case: (str(case.time), case.id))
    return Normals("nezha", SERVICES, tuple(timed), ("drawn", "later"))


def _composed(data: Path, home: Path) -> Normals:
    manifest = joint_composed.convert(data, home / "joint-composed", train=TRAIN + TEST)
    cases = read_cases(manifest, allow_outside=True).where(split="train")
    return Normals("joint-composed", COMPOSED, tuple(cases), ("drawn",))


def _windows(one: Any, rows: int, recording: str) -> Iterator[Case]:
    from mmdmad.bench.tokens import sensor

    for first, last in windows(0, len(one.labels), rows, rows):
        if not one.labels[first:last].any():
            yield _case(f"{one.name}-{first}", "sensor", value=sensor(one.values[first:last]), recording=recording)


def _case(name: str, modality: str, recording: str | None = None, **part: Any) -> Case:
    return Case(name, {modality: Part(modality, **part)}, label=0, recording=recording)
