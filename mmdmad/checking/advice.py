"""What encoding the cases would cost: measured on a few of them."""

import logging
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mmdmad.cases import Case, Part
from mmdmad.checking.report import Estimate
from mmdmad.errors import PartError
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.part_model import PartModel

MEASURED = 3
"""Cases that are encoded to measure; one before them loads the networks."""
LEARNED = 12
"""Parts that encoders which learn (sensor windows) learn from, to measure."""


def estimate(cases: Sequence[Case], config: PipelineConfig) -> Estimate | None:
    """Seconds and memory of encoding these cases, measured on some of them; None where none can be encoded.

    DataError where an encoder can learn nothing from them.
    """
    with _quiet():
        return _estimate(cases, config)


@contextmanager
def _quiet() -> Iterator[None]:
    """What encoders say of the few parts that they learn from here is no finding: the look at all parts says it."""
    log = logging.getLogger("mmdmad")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _estimate(cases: Sequence[Case], config: PipelineConfig) -> Estimate | None:
    seconds, tokens, most = 0.0, 0.0, 0
    for modality, settings in config.parts.items():
        parts = [case.parts[modality] for case in cases if modality in case.parts]
        if not parts:
            continue
        model = PartModel.unfitted(modality, settings, config.seed)
        some = dict(enumerate(parts[:: max(1, len(parts) // LEARNED)][:LEARNED]))
        model.fit_levels(some.values())
        unusable = model.fit_encoder({i: model.given(part) for i, part in some.items()}, 1, settings.letters)
        spent, sizes = _encode(model, [model.given(part) for i, part in some.items() if i not in unusable])
        if spent:
            seconds += sorted(spent)[len(spent) // 2] * len(parts) / len(cases)
            tokens += sum(sizes) / len(sizes) * len(parts) * config.shares.fit
            most = max(most, len(spent))
    if not most:
        return None
    return Estimate(
        measured=most,
        seconds_a_case=round(seconds, 4),
        seconds=round(seconds * len(cases), 1),
        tokens=round(tokens / 2**20, 1),
        peak=round(_peak(), 0),
    )


def _encode(model: PartModel, parts: Sequence[Part]) -> tuple[list[float], list[int]]:
    spent, sizes = [], []
    for part in parts[: MEASURED + 1]:
        begin = time.perf_counter()
        try:
            values = model.tokens(part, None).values
        except PartError:
            continue
        spent.append(time.perf_counter() - begin)
        sizes.append(values.nbytes)
    return (spent[1:] or spent), sizes


def _peak() -> float:
    """The most memory that this process held so far, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 2**10
