"""What the text suites share: one encoder, one list of detectors, one way to pool, and baselines on the same texts.

Whatever is set here holds for every text set, so that no setting can be chosen for one of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmdmad.bench.base import Context, fit_and_score
from mmdmad.bench.peers import PYOD, fit_and_score_peer
from mmdmad.bench.result import Meter, Row
from mmdmad.bench.tokens import encode_all
from mmdmad.cases import Part
from mmdmad.metrics import auroc, average_precision, bootstrap_metric

ENCODER = "minilm"
DETECTORS = ("ensemble", "dte-np", "knn", "isolation-forest", "gaussian-diffusion")
BASELINE = "tf-idf-neighbour"
POOLING = (
    "a text's score is that of its worst piece; peers see one mean vector a text; tf-idf-neighbour is one minus the "
    "cosine to the nearest training text over TF-IDF words, in scikit-learn's defaults"
)
INTERVAL = "interval: stratified bootstrap of the test texts"


@dataclass(frozen=True, eq=False)
class Texts:
    """Training and test texts of a set with their labels (N,).

    `among` names further measures: the AUROC over the test texts where the mask (N,) is True, left out where these are
    all normal or all anomalous. `suffix` is added to the name of every metric, where a suite has several splits.
    """

    name: str
    train: Sequence[str]
    test: Sequence[str]
    labels: np.ndarray
    among: Mapping[str, np.ndarray] = field(default_factory=dict)
    suffix: str = ""


def run_texts(context: Context, texts: Texts, seeds: Sequence[int]) -> Iterator[Row]:
    """Every detector and seed, the TF-IDF baseline, and peers if asked for, on one split."""
    from mmdmad import parts
    from mmdmad.encoders.base import make_encoder

    train, test = ([Part("text", value=text) for text in one] for one in (texts.train, texts.test))
    encoder = make_encoder(ENCODER).fit([parts.read(p) for p in train])
    known = encode_all(encoder, train, context, f"training texts of {texts.name}")
    asked = encode_all(encoder, test, context, f"test texts of {texts.name}")
    for detector in context.detectors:
        for seed in seeds:
            meter, _, scores = fit_and_score(detector, known, asked, seed)
            yield _row(texts, meter, detector, seed, scores)
    meter, scores = tf_idf_neighbour(texts.train, texts.test)
    yield _row(texts, meter, BASELINE, seeds[0], scores)
    vectors = [np.stack([t.values.mean(axis=0) for t in items]) for items in (known, asked)]
    for detector in PYOD if context.peers else ():
        for seed in seeds:
            meter, scores = fit_and_score_peer(detector, vectors[0], vectors[1], seed)
            yield _row(texts, meter, detector, seed, scores)


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
        "auroc": bootstrap_metric(auroc, labels, scores, seed=seed),
        "ap": bootstrap_metric(average_precision, labels, scores, seed=seed),
    }
    intervals |= {
        f"auroc_{name}": bootstrap_metric(auroc, labels[keep], scores[keep], seed=seed) for name, keep in among.items()
    }
    return meter.row(
        texts.name,
        detector,
        seed,
        {name + texts.suffix: value for name, value in metrics.items()},
        intervals={name + texts.suffix: both for name, both in intervals.items()},
    )
