"""Sentences about surveillance videos: those of a crime against those of normal scenes."""

from collections.abc import Iterator

from mmdmad.bench.base import Context, suite
from mmdmad.bench.result import Row
from mmdmad.bench.texts import DETECTORS, NOTE, POOLING, Texts, run_texts
from mmdmad.datasets import uca

PROTOCOL = (
    "14421 sentences of normal videos train; 1548 normal and 275 anomalous sentences of other videos test; "
    "auroc_crime_videos leaves out the normal videos, so that a crime is compared with what came before and after it; "
    f"{POOLING}; interval: bootstrap of the videos, whose sentences are alike"
)


@suite("uca", "sentences about surveillance videos, AUROC and AP", PROTOCOL, DETECTORS, NOTE)
def run(context: Context) -> Iterator[Row]:
    """Every detector and seed on the one split."""
    table = uca.sentences(context.data)
    texts = Texts.of(table, {"crime_videos": table["category"] != "Normal"}, groups=table["video"])
    yield from run_texts(context, texts, range(context.seeds))
