"""Which preset fits what is there: the one rule that `fit`, `check` and `JointDetector.fit` ask."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from statistics import median

from mmdmad.cases import Case
from mmdmad.modalities.base import modality_of, ordered

LONG = 400
"""Characters; longer texts are documents, not lines."""


def preset_for(cases: Sequence[Case]) -> tuple[str, str]:
    """The preset that fits the parts of these cases, and why.

    >>> from mmdmad.cases import Part
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
