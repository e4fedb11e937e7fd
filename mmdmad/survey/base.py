"""The result of a look at one part, the same for every modality."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Channel:
    """One channel of a part. kind: number, constant, flag (0 and 1), counter (never falls, in whole steps), empty.

    low and high are its least and largest reading; missing is the share of readings that are not there.
    """

    name: str
    unit: str
    kind: str
    low: float
    high: float
    missing: float


@dataclass(frozen=True, eq=False)
class Survey:
    """What one part is like.

    traits: what most parts of a kind share ("size": "640 x 480"), in words that can be held against each other.
    remarks: what is odd about this part alone (a gap, a wild reading). decisions: what was decided while reading it.
    coarse (D,): what it is like at first sight; parts far from all others are odd. fine (F,): its fingerprint, of
    which the kind's common look is taken away before two are correlated; None where the kind has none. near: the
    correlation of two fingerprints from which on they are near copies. marked: how many rows of its file are called
    faulty in the file.
    """

    traits: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    coarse: np.ndarray | None = None
    fine: np.ndarray | None = None
    near: float = 0.5
    marked: int = 0
