"""Which preset fits what is there, and what encoding would cost: measured on a few cases."""

import logging
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from statistics import median

from mmdmad.cases import Case, Part
from mmdmad.checking.report import Estimate
from mmdmad.errors import PartError
from mmdmad.modalities.base import modality_of, ordered
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.part_model import PartModel

MEASURED = 3
"""Cases that are encoded to measure; one before them loads the networks."""
LEARNED = 12
"""Parts that encoders which learn (sensor windows) learn from, to measure."""
LONG = 400
"""Characters; longer texts are documents, not lines."""


def preset_for(cases: Sequence[Case]) -> tuple[str, str]:
    """The preset that fits the parts of these cases, and why.

    >>> preset_for([Case("a", {"image": Part("image", value=0)})])[0]
    'pipelines/pictures'
    """
    known = Counter(modality for case in cases for modality in case.parts)
    if not known:
        return "pipelines/inspection", "it looks at every kind of part"
    (only, *others) = ordered(known)
    if not others and modality_of(only).photo and not modality_of(only).folders:
        return (
            "pipelines/pictures",
            "there are pictures alone; where product and camera keep their place it is the better",
        )
    if not others and modality_of(only).written and _length(cases, only) <= LONG:
        return "pipelines/logs", "there are short texts alone; it judges them among all normal ones, letters included"
    return "pipelines/inspection", f"it looks at {' and '.join(ordered(known))}" + (" together" if others else "")


def _length(cases: Sequence[Case], modality: str) -> float:
    """The middle length of texts: characters of those in the manifest, bytes of whole files; slices are short."""
    sizes = []
    for case in cases:
        part = case.parts.get(modality)
        if part is not None and isinstance(part.value, str):
            sizes.append(len(part.value))
        elif part is not None and part.path is not None and part.start is None and part.stop is None:
            with suppress(OSError):  # what cannot be read is refused when it is looked at
                sizes.append(part.path.stat().st_size)
    return median(sizes) if sizes else 0


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
