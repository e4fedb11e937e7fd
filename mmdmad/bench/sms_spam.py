"""SMS spam on the Text-ADBench split: AUROC and AP beside the published table's highest and median figure."""

from collections.abc import Iterator

import numpy as np

from mmdmad.bench.base import Context, fit_and_score, suite
from mmdmad.bench.peers import PYOD, fit_and_score_peer
from mmdmad.bench.result import Meter, Row, published
from mmdmad.bench.tokens import encode_all
from mmdmad.cases import Part
from mmdmad.datasets import sms_spam
from mmdmad.metrics import auroc, average_precision, bootstrap_metric

PROTOCOL = (
    "4080 ham messages train, 747 ham and 747 spam test (Text-ADBench); a message's score is that of its worst piece; "
    "auroc_no_copies leaves out test messages that occur word for word in training (9 % of the normal ones); "
    "interval: stratified bootstrap of the test messages; peers see one mean vector a message"
)
NOTE = "form features of text were first written knowing that the anomaly here is spam"


@suite("sms-spam", "text messages, AUROC and AP", PROTOCOL, ("dte-np", "knn", "gaussian-diffusion"), NOTE)
def run(context: Context) -> Iterator[Row]:
    """Every detector and seed on the tokens of the default text encoder."""
    from mmdmad import parts
    from mmdmad.encoders.base import make_encoder

    table = sms_spam.messages(context.data)
    table = table[table["text"].str.strip() != ""]
    every = {s: [Part("text", value=t) for t in table["text"][table["split"] == s]] for s in ("train", "test")}
    labels = table["label"][table["split"] == "test"].to_numpy(int)
    seen = set(table["text"][table["split"] == "train"])
    fresh = ~table["text"][table["split"] == "test"].isin(seen).to_numpy()
    encoder = make_encoder("minilm").fit([parts.read(p) for p in every["train"]])
    train = encode_all(encoder, every["train"], context, "training messages")
    test = encode_all(encoder, every["test"], context, "test messages")
    for detector in context.detectors:
        for seed in range(context.seeds):
            meter, _, scores = fit_and_score(detector, train, test, seed)
            yield _row(meter, detector, seed, labels, scores, fresh)
    vectors = [np.stack([t.values.mean(axis=0) for t in items]) for items in (train, test)]
    for detector in PYOD if context.peers else ():
        for seed in range(context.seeds):
            meter, scores = fit_and_score_peer(detector, vectors[0], vectors[1], seed)
            yield _row(meter, detector, seed, labels, scores, fresh)
    table_of = sms_spam.published(context.data)
    for kind in ("max", "median"):
        metrics = {metric: found[kind] for metric, found in table_of.items()}
        if metrics:
            yield published("test", f"Text-ADBench {kind} of 330", metrics, "33 embeddings by 10 detectors")


def _row(meter: Meter, detector: str, seed: int, labels: np.ndarray, scores: np.ndarray, fresh: np.ndarray) -> Row:
    metrics = {
        "auroc": auroc(labels, scores),
        "ap": average_precision(labels, scores),
        "auroc_no_copies": auroc(labels[fresh], scores[fresh]),
    }
    intervals = {
        "auroc": bootstrap_metric(auroc, labels, scores, seed=seed),
        "ap": bootstrap_metric(average_precision, labels, scores, seed=seed),
    }
    return meter.row("test", detector, seed, metrics, intervals=intervals)
