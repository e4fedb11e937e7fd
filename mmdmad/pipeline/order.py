"""Where calibration cases lie beside each other, in files or along time; no order where they were dealt singly."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from mmdmad.calibration.budget import Order
from mmdmad.cases import Case, Part
from mmdmad.events import numbered
from mmdmad.guarantees import Unit
from mmdmad.modalities.base import modality_of
from mmdmad.parts.timeline import usual_step
from mmdmad.pipeline.units import recording_of


def order_of(cases: Sequence[Case], kind: Unit) -> Order | None:
    """The order of N cases of whole units; None where each stands for itself, or some have neither place nor time.

    Pieces of a file lie along it, by rows, frames or lines; other cases of a recording along time.
    """
    if kind == "case":
        return None
    lines: dict[tuple[str, ...], int] = {}
    places: list[tuple[int, float, float] | None] = []
    timed: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for row, case in enumerate(cases):
        name, piece = recording_of(case) or case.id, _piece(case)
        if piece is not None:
            line = lines.setdefault((name, piece.modality, str(piece.path)), len(lines))
            places.append((line, float(piece.start or 0), float(piece.stop or 0)))
        elif case.time is not None:
            line = lines.setdefault((name,), len(lines))
            timed[line].append((case.time.timestamp(), row))
            places.append(None)
        else:
            return None
    for line, moments in timed.items():
        for begin, end, row in numbered(moments):
            places[row] = line, begin, end
    known = [place for place in places if place is not None]
    numbers, begins, ends = zip(*known, strict=True) if known else ((), (), ())
    return Order(numbers, begins, ends, _seconds(cases, numbers))


def _piece(case: Case) -> Part | None:
    """The first part that is a piece, with both ends, of something that has an order inside."""
    parts = (case.parts[m] for m in case.pattern if modality_of(m).slices)
    return next((p for p in parts if p.path is not None and p.start is not None and p.stop is not None), None)


def _seconds(cases: Sequence[Case], lines: Sequence[int]) -> float | None:
    """Seconds from a case to the next one of its line; None where they have no times."""
    if not cases or any(case.time is None for case in cases):
        return None
    times = np.array([case.time.timestamp() for case in cases if case.time is not None])
    of = np.array(lines)
    steps = [usual_step(np.sort(times[of == line])) for line in np.unique(of)]
    known = [step for step in steps if step > 0]
    return float(np.median(known)) if known else None
