"""What the text suites share: one encoder, one list of detectors, one way to pool, and baselines on the same texts.

Whatever is set here holds for every text set, so that no setting can be chosen for one of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mmdmad.bench.base import Context
from mmdmad.bench.peers import PYOD, fit_and_score_peer
from mmdmad.bench.result import Meter, Row
from mmdmad.bench.tokens import encode_all
from mmdmad.cases import Part
from mmdmad.detectors.base import make_detector
from mmdmad.detectors.hybrid.ensemble import Tail
from mmdmad.errors import ConfigError
from mmdmad.metrics import auroc, average_precision, bootstrap_metric
from mmdmad.pipeline.letters import FLOOR, Letters

ENCODER = "minilm"
WITH, ALL = " + n-grams", " + n-grams + whole"
DETECTORS = (
    f"ensemble{ALL}",
    f"ensemble{WITH}",
    "ensemble",
    f"dte-np{WITH}",
    "dte-np",
    "knn",
    "isolation-forest",
    "gaussian-diffusion",
)
BASELINE, NGRAMS, WHOLE = "tf-idf-neighbour", "n-gram-neighbours", "whole-text-neighbours"
NEIGHBOURS = 5
POOLING = (
    "a text's score is that of its worst piece; n-gram-neighbours is the mean cosine distance to the 5 nearest "
    "training texts over TF-IDF of 3 to 5 letters, numbers masked; DETECTOR + n-grams averages -log p of both, p the "
    "share of training texts (each left out of its own memory) as far off; with + whole the third is dte-np on the "
    "embedding of the whole text; whole-text-neighbours is the mean cosine distance to the 5 nearest training texts "
    "over that embedding; tf-idf-neighbour is the cosine distance to "
    "the nearest training text over TF-IDF words, in scikit-learn's defaults; peers see one mean vector a text"
)
NOTE = (
    "the n-grams, their length and number of neighbours, and averaging them with the ensemble were chosen among some "
    "fifty combinations on one random half of the test texts of sms-spam, bgl and uca; see the halves in the docs; "
    "the embedding of the whole text was added on drawn thirds of these sets and on five made of package descriptions"
)


@dataclass(frozen=True, eq=False)
class Texts:
    """Training and test texts of a set with their labels (N,).

    `among` names further measures: the AUROC over the test texts where the mask (N,) is True, left out where these are
    all normal or all anomalous. `suffix` is added to the name of every metric, where a suite has several splits.
    `groups` (N,) are resampled whole for intervals where texts of one group are alike.
    """

    name: str
    train: Sequence[str]
    test: Sequence[str]
    labels: np.ndarray
    among: Mapping[str, np.ndarray] = field(default_factory=dict)
    suffix: str = ""
    groups: np.ndarray | None = None

    @classmethod
    def of(cls, table: pd.DataFrame, among: Mapping[str, pd.Series], groups: pd.Series | None = None) -> "Texts":
        """The one split of a table with split, text and label; masks and groups are over all its rows."""
        train, test = (table["split"] == split for split in ("train", "test"))
        return cls(
            "test",
            table["text"][train].tolist(),
            table["text"][test].tolist(),
            table["label"][test].to_numpy(int),
            {name: mask[test].to_numpy() for name, mask in among.items()},
            groups=None if groups is None else groups[test].to_numpy(str),
        )


def run_texts(context: Context, texts: Texts, seeds: Sequence[int]) -> Iterator[Row]:
    """Every detector and seed, the neighbour baselines, and peers if asked for, on one split."""
    from mmdmad import parts
    from mmdmad.encoders.base import make_encoder

    train, test = ([Part("text", value=text) for text in one] for one in (texts.train, texts.test))
    encoder = make_encoder(ENCODER).fit([parts.read(p) for p in train])
    known = encode_all(encoder, train, context, f"training texts of {texts.name}")
    asked = encode_all(encoder, test, context, f"test texts of {texts.name}")
    letters = LetterDistances(texts.train, texts.test)
    vectors = [np.stack([t.embedding() for t in items]) for items in (known, asked)]
    whole_meter, whole = Meter(), make_detector("dte-np", false_alarm_rate=None)
    with whole_meter.fit():
        whole.fit(vectors[0])
    with whole_meter.score():
        as_whole = whole.decision_scores_, whole.decision_function(vectors[1])
    for detector in dict.fromkeys(name.removesuffix(ALL).removesuffix(WITH) for name in context.detectors):
        for seed in seeds:
            meter, made = Meter(), make_detector(detector, seed=seed, false_alarm_rate=None)
            with meter.fit():
                made.fit(known)
            with meter.score():
                scores = made.decision_function(asked)
            if detector in context.detectors:
                yield _row(texts, meter, detector, seed, scores)
            if detector + WITH in context.detectors:
                both = averaged((made.decision_scores_, scores), letters.views)
                yield _row(texts, letters.meter.plus(meter), detector + WITH, seed, both)
            if detector + ALL in context.detectors:
                three = averaged((made.decision_scores_, scores), letters.views, as_whole)
                yield _row(texts, letters.meter.plus(meter).plus(whole_meter), detector + ALL, seed, three)
    yield _row(texts, letters.meter, NGRAMS, seeds[0], letters.test)
    meter, scores = tf_idf_neighbour(texts.train, texts.test)
    yield _row(texts, meter, BASELINE, seeds[0], scores)
    meter = Meter()
    with meter.score():
        near = np.sort(1 - vectors[1] @ vectors[0].T, axis=1)[:, :NEIGHBOURS].mean(axis=1)
    yield _row(texts, meter, WHOLE, seeds[0], near)
    vectors = [np.stack([t.values.mean(axis=0) for t in items]) for items in (known, asked)]
    for detector in PYOD if context.peers else ():
        for seed in seeds:
            meter, scores = fit_and_score_peer(detector, vectors[0], vectors[1], seed)
            yield _row(texts, meter, detector, seed, scores)


class LetterDistances:
    """Distances of letters (`Letters`) of test and training texts, training texts compared with all others.

    >>> found = LetterDistances([f"belt {i} runs at 3.5 m/s" for i in range(20)], ["belt 7 runs at 1.2 m/s", "smoke!"])
    >>> found.test.round(3).tolist()
    [0.0, 1.0]
    """

    def __init__(self, train: Sequence[str], test: Sequence[str]) -> None:
        self.meter = Meter()
        with self.meter.fit():
            letters = Letters().fit(train)
            self.train = letters.own_scores()
        with self.meter.score():
            self.test = letters.scores(test)

    @property
    def views(self) -> tuple[np.ndarray, np.ndarray]:
        """Distances of the training and of the test texts, above 0."""
        return self.train + FLOOR, self.test + FLOOR


def averaged(*views: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Mean over views of -log p of test scores (N,) among the training scores (n,) of the same view, (N,).

    ConfigError for training scores below 0.
    """
    if any(train.min() < 0 for train, _ in views):
        raise ConfigError("a detector with negative scores was given; -log p is taken of scores of 0 or more")
    return np.asarray(np.mean([Tail.fit(train).surprise(test) for train, test in views], axis=0), np.float64)


def tf_idf_neighbour(train: Sequence[str], test: Sequence[str]) -> tuple[Meter, np.ndarray]:
    """Cosine distance to the nearest training text over TF-IDF words, float64 (N,): the trivial baseline.

    >>> tf_idf_neighbour(["the belt runs", "the pump runs"], ["the belt runs", "fire"])[1].round(6).tolist()
    [0.0, 1.0]
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.neighbors import NearestNeighbors

    meter, words = Meter(), TfidfVectorizer()
    with meter.fit():
        nearest = NearestNeighbors(n_neighbors=1, metric="cosine").fit(words.fit_transform(train))
    with meter.score():
        distances, _ = nearest.kneighbors(words.transform(test))
    return meter, distances[:, 0].astype(np.float64)


def _row(texts: Texts, meter: Meter, detector: str, seed: int, scores: np.ndarray) -> Row:
    labels = texts.labels
    among = {name: keep for name, keep in texts.among.items() if len(np.unique(labels[keep])) == 2}
    metrics = {"auroc": auroc(labels, scores), "ap": average_precision(labels, scores)}
    metrics |= {f"auroc_{name}": auroc(labels[keep], scores[keep]) for name, keep in among.items()}
    intervals = {
        name: bootstrap_metric(metric, labels, scores, groups=texts.groups, seed=seed)
        for name, metric in (("auroc", auroc), ("ap", average_precision))
    }
    return meter.row(
        texts.name,
        detector,
        seed,
        {name + texts.suffix: value for name, value in metrics.items()},
        intervals={name + texts.suffix: both for name, both in intervals.items()},
    )
