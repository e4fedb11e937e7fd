"""What the drift test says of real streams: log lines and machines whose normal moves, and the same drawn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.bench.base import Context, suite
from mmdmad.bench.judged import JOINT, Judged, fit, judge, pipeline
from mmdmad.bench.result import Meter, Row
from mmdmad.calibration.drift import SPEAKS
from mmdmad.calibration.stream import Stream
from mmdmad.cases import Case, Cases, Part
from mmdmad.datasets import bgl, skab, tsbad, uca
from mmdmad.datasets.sources import windows
from mmdmad.metrics import false_alarms

RATE = 0.05
ROWS = 60
WINDOWS = 100  # rows; and so many of them at least before `train_end` for a series to be in the suite
LINES, SENTENCES = 1200, 1500  # of bgl as they come, of uca drawn: a fifth of the time for the same statement
SENSOR = {"parts": {"sensor": {"encoder": "auto", "detector": "gaussian-diffusion"}}, "calibration": "split"}
TEXT = {
    "parts": {"text": {"encoder": "auto", "detector": "ensemble", "compare": "all", "letters": True}},
    "calibration": "split",
}
PROTOCOL = (
    "bgl: the earlier half of the normal lines trains, the later lines are the stream, with and without their alerts; "
    f"skab: windows of {ROWS} rows, the first 400 rows of each file train, later ones are the stream, file after "
    f"file; tsbad: univariate series with at least {WINDOWS // 3} windows of {WINDOWS} rows before train_end; uca: "
    f"sentences have no time, {SENTENCES} drawn ones train, the normal ones of other videos in the order of the table; "
    "one division, no folds; "
    "drawn: normal cases of training and stream mixed at random, so that nothing can have moved; spoke_at: the case "
    "at which the drift test speaks (0: never), began: the estimate of when it began; rising: scores rise; "
    f"flagged_normals: share of the normal cases that the fixed p-value flags at {RATE:g}; flagged_before: of "
    "those before it speaks"
)


@dataclass(frozen=True)
class Stretch:
    """One data set as a stream: cases that train, and those that come later in their order."""

    name: str
    preset: Mapping[str, Any]
    train: tuple[Case, ...]
    later: tuple[Case, ...]

    def drawn(self, seed: int) -> "Stretch":
        """Normal cases alone, all mixed and cut anew: exchangeable."""
        normal = [case for case in (*self.train, *self.later) if not case.label]
        order = [normal[i] for i in np.random.default_rng(seed).permutation(len(normal))]
        cut = min(len(self.train), len(normal) // 2)
        return Stretch(f"{self.name}, drawn", self.preset, tuple(order[:cut]), tuple(order[cut:]))


@suite("drift-streams", "what the drift test says of real streams, and when", PROTOCOL, (JOINT,))
def run(context: Context) -> Iterator[Row]:
    """Each stream as it came, without its odd cases, and drawn."""
    for one in context.track([*_text(context.data), *_machines(context.data)], "streams"):
        for seed in range(context.seeds):
            for stretch in (one, one.drawn(seed)):
                meter = Meter()
                model = fit(pipeline(JOINT, stretch.preset, seed), Cases(stretch.train), context.work, meter)
                judged = judge(model, stretch.later, context, meter, context.work)
                scores = model.joint_scores()
                yield meter.row(stretch.name, JOINT, seed, listened(judged, scores, judged.labels >= 0))
                if judged.labels.any():
                    quiet = listened(judged, scores, judged.labels == 0)
                    yield meter.row(f"{stretch.name}, without odd ones", JOINT, seed, quiet)


def listened(judged: Judged, calibration: Mapping[tuple[str, ...], np.ndarray], kept: np.ndarray) -> dict[str, float]:
    """What is said of the kept cases (N,) in their order."""
    stream = Stream({",".join(pattern): scores for pattern, scores in calibration.items()})
    spoke, began, rising = 0, 0, False
    rows = np.flatnonzero(kept)
    for place, i in enumerate(rows):
        case = judged.cases[i]
        pattern = ",".join(m for m in judged.part_p if np.isfinite(judged.part_p[m][i]))
        heard = stream.enter(pattern, float(judged.score[i]), case.id, float(judged.p_value[i]))
        if heard is not None and heard.levels[0] >= SPEAKS and not spoke:
            spoke, began, rising = place + 1, stream.began + 1, stream.rising
    p, labels = judged.p_value[rows], judged.labels[rows]
    before = (np.arange(len(rows)) < (spoke or len(rows))) & (labels == 0)
    found = {
        "cases": len(rows),
        "odd": float(labels.mean()),
        "calibration": float(np.median(judged.calibration[rows])),
        "flagged_normals": false_alarms(p[labels == 0], RATE)["rate"],
        "spoke_at": spoke,
        "began": began,
        "rising": float(rising),
    }
    return found | ({"flagged_before": false_alarms(p[before], RATE)["rate"]} if before.any() else {})


def _text(data: Path) -> Iterator[Stretch]:
    frame = bgl.lines(data)
    trains = bgl.make_split(frame)
    lines = [
        Case(f"bgl-{i}", {"text": Part("text", value=row["Content"])}, label=int(row["anomaly"]))
        for i, row in frame.iterrows()
    ]
    train = tuple(one for one, learn in zip(lines, trains) if learn)
    yield Stretch("bgl", TEXT, train, tuple(one for one, learn in zip(lines, trains) if not learn)[:LINES])
    table = uca.sentences(data)
    said = [
        (row["split"], Case(f"uca-{i}", {"text": Part("text", value=row["text"])}, label=int(row["label"])))
        for i, row in table.iterrows()
        if row["text"].strip()
    ]
    known = [case for split, case in said if split == "train"]
    drawn = np.sort(np.random.default_rng(0).permutation(len(known))[:SENTENCES])
    normal = tuple(case for split, case in said if split == "test" and not case.label)
    yield Stretch("uca", TEXT, tuple(known[i] for i in drawn), normal)


def _machines(data: Path) -> Iterator[Stretch]:
    train, later = [], []
    for one in sorted(skab.files(data), key=lambda file: str(file.frame["datetime"].iloc[0])):
        early = (
            []
            if one.labels[: skab.TRAIN_ROWS].any()
            else windows(0, skab.TRAIN_ROWS - skab.TRAIN_ROWS % ROWS, ROWS, ROWS)
        )
        train += [_window(one.name, one.values, one.labels, a, b) for a, b in early]
        rest = windows(skab.TRAIN_ROWS, len(one.labels), ROWS, ROWS)
        later += [_window(one.name, one.values, one.labels, a, b) for a, b in rest]
    yield Stretch("skab", SENSOR, tuple(train), tuple(later))
    for series in tsbad.series(data):
        early = windows(0, series.train_end - series.train_end % WINDOWS, WINDOWS, WINDOWS)
        early = [(a, b) for a, b in early if not series.labels[a:b].any()]
        if len(early) < WINDOWS // 3:
            continue
        rest = windows(series.train_end, len(series.labels), WINDOWS, WINDOWS)
        both = ([_window(series.name, series.values, series.labels, a, b) for a, b in part] for part in (early, rest))
        train, later = both
        yield Stretch(f"tsbad {series.name[:12]}", SENSOR, tuple(train), tuple(later))


def _window(name: str, values: np.ndarray, labels: np.ndarray, first: int, last: int) -> Case:
    from mmdmad.bench.tokens import sensor

    part = Part("sensor", value=sensor(values[first:last]))
    return Case(f"{name}-{first}", {"sensor": part}, label=int(labels[first:last].any()))
