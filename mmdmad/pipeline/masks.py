"""What a part lacks inside, as a mask that normal parts can be given too.

The rank of a case among normal parts that lack the same says whether what is left of it is normal. Given the mask, and
where that does not depend on the readings, a normal case and normal parts masked like it are exchangeable, so the
p-value is as valid as that of a whole case (Zaffran, Dieuleveut, Josse and Romano, "Conformal prediction with missing
values", ICML 2023, whose missing data augmentation masks calibration points like the case that is judged).

The classes are fixed by the parts that were learned from and by the mask alone, never by a reading or a score:

    rows, frames   lost for all channels at once, at most LIMIT of them, in one piece or in many
    channels       with no reading at all
    readings       of channels that normal parts have (nearly) whole, whatever their share

A channel that normal parts have only here and there, read more rarely still, is in none of them: masked, a normal part
would lack what both lack, more than the case does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdmad.modalities.base import modality_of
from mmdmad.parts.timeline import usual_step
from mmdmad.pipeline.readings import NAMED, SLACK, Readings, least_allowed

LIMIT = 0.5
"""Share of its rows or frames that a part may lack: what is left of fewer tells little of it."""
WHOLE = 1 - SLACK
"""Share of the rows from which a channel, in every part learned from, counts as read throughout."""
THERE, GONE, EMPTY = 0, 1, 2
"""A row that is there; that its clock leaves out; that has no reading."""


@dataclass(frozen=True)
class Mask:
    """What a part lacks, by places of its clock: `rows` has THERE, GONE or EMPTY for each of G, a byte a place.

    `readings` has, for each channel that lacks some of what its rows have, a byte a place, 1 where it is read.
    """

    rows: bytes
    readings: tuple[tuple[str, bytes], ...] = ()

    def of(self, modality: str, signal: Any) -> Any:
        """A decoded part without what the mask lacks; None where parts of this modality cannot be masked.

        Places are counted along the part: one of another length lacks the same pieces of itself.

        >>> from mmdmad.parts import Sensor
        >>> table = Sensor(np.ones((4, 1)), np.arange(4.0), ("a",), ("",))
        >>> Mask(bytes([0, 1, 2, 0])).of("sensor", table).values.ravel()
        array([ 1., nan,  1.])
        """
        own, room = places(signal)
        at = own * len(self.rows) // room
        rows = np.frombuffer(self.rows, np.uint8)[at]
        lost = {name: np.frombuffer(read, np.uint8)[at] == 0 for name, read in self.readings}
        empty = rows == EMPTY
        lost |= {name: lost.get(name, False) | empty for name in getattr(signal, "channels", ())} if empty.any() else {}
        return modality_of(modality).masked(signal, rows != GONE, lost)

    def words(self, modality: str) -> str:
        """The class of the mask.

        >>> Mask(bytes([0, 1, 1, 0, 0]), (("heat", bytes(5)),)).words("sensor")
        "40 % of the rows in one piece, 'heat'"
        """
        rows = np.frombuffer(self.rows, np.uint8)
        said = [_said(rows != THERE, f"the {modality_of(modality).slices}")] if (rows != THERE).any() else []
        for name, read in self.readings[:NAMED]:
            there = np.frombuffer(read, np.uint8) > 0
            lacks = ~there & (rows == THERE)
            silent = not (there & (rows == THERE)).any()
            said.append(f"{name[:60]!r}" if silent else _said(lacks, f"the readings of {name[:60]!r}"))
        more = len(self.readings) - NAMED
        return ", ".join(said) + (f" and {more} channels more" if more > 0 else "")


def mask_of(modality: str, signal: Any, usual: Sequence[Readings]) -> Mask | str:
    """What a decoded part lacks beside those learned from (`usual`, one a fold), or why that is in no class.

    >>> from mmdmad.parts import Sensor
    >>> table = Sensor(np.array([[1.0, np.nan]] * 4), np.arange(4.0), ("a", "b"), ("", ""))
    >>> mask_of("sensor", table, [Readings(("a", "b"), (1.0, 1.0), (1.0, 1.0))]).words("sensor")
    "'b'"
    """
    noun = modality_of(modality).slices
    rows, there = _there(signal)
    least = {name: _least(name, usual) for name in there if all(name in one.channels for one in usual)}
    if not least:
        return f"it has no channel of those learned from, so no {noun} of it can be told missing"
    live = [name for name, (fewest, _) in least.items() if fewest >= WHOLE and there[name].any()]
    if len(live) < 2 and hasattr(signal, "channels"):  # a row without a reading is then one that this channel lacks
        rows = np.where(rows == EMPTY, THERE, rows).astype(np.uint8)
    fewest, most = max(least.values())
    if (rows != THERE).sum() <= (1 - least_allowed(most, len(rows))) * len(rows) + 1e-9:
        rows = np.full_like(rows, THERE)  # as few are lost as in normal parts, each of which lacks its own
    elif fewest < WHOLE:
        return f"normal ones lack {noun} too, each its own"
    elif (rows != THERE).sum() > LIMIT * len(rows):
        return f"it lacks more than {100 * LIMIT:g} % of its {noun}"
    left = rows == THERE
    lost = []
    for name, (fewest, most) in least.items():
        read = there[name]
        share = float((read & left).sum() / left.sum())
        if share >= least_allowed(most, int(left.sum())) - 1e-9:
            continue
        if share and fewest < WHOLE:
            return f"normal ones have {name[:60]!r} only here and there"
        lost.append((name, read.astype(np.uint8).tobytes()))
    return Mask(rows.tobytes(), tuple(lost))


def _least(name: str, usual: Sequence[Readings]) -> tuple[float, float]:
    """The least share of rows in which a channel was read, by the fold that learned the least and the most of it."""
    every = [one.least[one.channels.index(name)] for one in usual]
    return min(every), max(every)


def places(signal: Any) -> tuple[np.ndarray, int]:
    """The place of each row on the clock of a part, and how many places that has."""
    times = np.asarray(signal.times, np.float64)
    step = usual_step(times)
    if len(times) < 2 or step <= 0:
        return np.arange(len(times)), len(times)
    at = np.round((times - times[0]) / step).astype(np.int64)
    return at, max(len(times), int(at[-1]) + 1)


def _there(signal: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """For each place whether its row is THERE, GONE or EMPTY, and for each channel whether it is read."""
    at, room = places(signal)
    rows = np.full(room, GONE, np.uint8)
    values = getattr(signal, "values", None)
    if values is None:
        rows[at] = THERE
        return rows, {"": rows == THERE}
    read = np.zeros((room, values.shape[1]), bool)
    np.logical_or.at(read, at, np.isfinite(values))
    rows[at] = EMPTY
    rows[read.any(axis=1)] = THERE
    return rows, dict(zip(signal.channels, read.T, strict=True))


def _said(lacks: np.ndarray, what: str) -> str:
    pieces = int((np.diff(lacks.astype(np.int8), prepend=0) == 1).sum())
    return f"{100 * lacks.mean():.2g} % of {what} in {'one piece' if pieces == 1 else f'{pieces} pieces'}"
