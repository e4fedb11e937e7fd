"""SKAB: F1 over all test rows at a threshold that only training rows set, and AUROC per file."""

from collections.abc import Iterator, Sequence

import numpy as np

from mmdmad.bench.base import Context, suite
from mmdmad.bench.plots import curve
from mmdmad.bench.result import Meter, Row, published
from mmdmad.bench.tsbad import point_scores
from mmdmad.datasets import skab
from mmdmad.metrics import auroc, average_precision, bootstrap_metric, f1_at

FOLDS = 4
QUANTILE = 0.99
PROTOCOL = (
    "per file: fit on rows 0-399, score the rest; the threshold is the 99 % quantile of the training rows' scores "
    "when each quarter is scored by a model of the other three; f1 over the test rows of all files together, as in "
    "the published leaderboard; auroc is the mean over files; interval: bootstrap over files; detectors along time see "
    "each window as 8 tokens in a row"
)


@suite(
    "skab",
    "water circulation testbed, F1 and AUROC per file",
    PROTOCOL,
    ("gaussian-diffusion", "dte-np", "knn"),
    sampled=True,
)
def run(context: Context) -> Iterator[Row]:
    """Every file, then one row per detector and seed over all test rows together; of a sample the files alone."""
    files = context.some(skab.files(context.data))
    for detector in context.detectors:
        for seed in range(context.seeds):
            with context.trying(detector):
                if context.sample is None:
                    yield from _all_rows(context, files, detector, seed)
                else:
                    yield from _sampled(context, files, detector, seed)
    if context.sample is None:
        for method, value in skab.PUBLISHED_F1.items():
            yield published("all test rows", method, {"f1": value}, "leaderboard in the data set's README")


def _all_rows(context: Context, files: Sequence[skab.Series], detector: str, seed: int) -> Iterator[Row]:
    whole, labels, flags, owners = Meter(), [], [], []
    for number, one in enumerate(context.track(files, detector)):
        meter, scores, limit = judge(one, detector, seed)
        rest = slice(skab.TRAIN_ROWS, None)
        truth = one.labels[rest]
        yield meter.row(one.name, detector, seed, _ranking(truth, scores))
        labels.append(truth)
        flags.append(scores > limit)
        owners.append(np.full(len(truth), number))
        for what, seconds in meter.seconds.items():
            whole.seconds[what] += seconds
        folder = context.artifacts(f"skab-{detector}") if seed == 0 and number % 8 == 0 else None
        if folder is not None:
            path = folder / f"{one.name.replace('/', '-')}.png"
            names = list(skab.UNITS)
            curve(path, one.values[rest], scores, truth, limit, names, one.name, start=skab.TRAIN_ROWS)
    truth, flagged = np.concatenate(labels), np.concatenate(flags).astype(int)
    found = f1_at(truth, flagged)
    found["false_alarm_rate"] = float(flagged[truth == 0].mean())
    interval = bootstrap_metric(_f1, truth, flagged, groups=np.concatenate(owners), seed=seed)
    yield whole.row("all test rows", detector, seed, found, intervals={"f1": interval})


def _sampled(context: Context, files: Sequence[skab.Series], detector: str, seed: int) -> Iterator[Row]:
    """Ranking alone: F1 is that of all files' rows, and its threshold takes four more models a file."""
    for one in context.track(files, detector):
        meter, scores = point_scores(one.values[skab.TRAIN_ROWS :], one.values[: skab.TRAIN_ROWS], detector, seed)
        yield meter.row(one.name, detector, seed, _ranking(one.labels[skab.TRAIN_ROWS :], scores))


def _ranking(labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    return {"auroc": auroc(labels, scores), "ap": average_precision(labels, scores)}


def judge(one: skab.Series, detector: str, seed: int) -> tuple[Meter, np.ndarray, float]:
    """Test-row scores of one file and the threshold from its training rows alone."""
    train = one.values[: skab.TRAIN_ROWS]
    meter, scores = point_scores(one.values[skab.TRAIN_ROWS :], train, detector, seed)
    unseen = []
    for rows in np.array_split(np.arange(len(train)), FOLDS):
        others = np.setdiff1d(np.arange(len(train)), rows)
        fold, out_of_fold = point_scores(train[rows], train[others], detector, seed)
        unseen.append(out_of_fold)
        meter.seconds["fit"] += sum(fold.seconds.values())
    return meter, scores, float(np.quantile(np.concatenate(unseen), QUANTILE))


def _f1(labels: np.ndarray, flags: np.ndarray) -> float:
    return f1_at(labels, flags)["f1"]
