"""How much of a recording is there: a part in which other readings are missing cannot be ranked among those learned.

A channel that was read once in a window while learning never varied; read four times it does, and every normal case
looks odd. So the share of its rows in which each channel has a reading is learned, least and most over the normal
tables (rows that a gap in the clock left out count as missing). Outside these:

    more readings   nothing is wrong with the case, only with the comparison: no verdict
    fewer           ranked among normal parts that are masked to lack the same (`mmdmad.pipeline.masks`); where they
                    cannot be, the verdict stays, as what is missing may be the fault itself, but no rate is promised

A normal part of the calibration that lies outside is not ranked with, so what is ranked is exchangeable with new parts
inside: which are inside is decided by the parts that were learned from, and those alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mmdmad.cases import Refusal
from mmdmad.modalities.base import modality_of
from mmdmad.parts.timeline import usual_step

if TYPE_CHECKING:
    from mmdmad.findings import Guarantee

SLACK = 0.05
"""Share of the rows by which a channel may have fewer or more readings before it tells, a single row at least where
most are there; never more than a fifth fewer or a quarter more than were learned."""
FEWER, MORE = 0.2, 0.25
NAMED = 3
_FLOOR = 1e-9  # rounding of shares


@dataclass(frozen=True)
class Outside:
    """Why a part lies outside what was learned: channels with fewer readings, and with more; "" where none has.

    `like` is what normal parts were masked to lack for a case to be ranked among them, `unlike` why they were not.
    """

    fewer: str = ""
    more: str = ""
    like: str = ""
    unlike: str = ""

    def __bool__(self) -> bool:
        return bool(self.fewer or self.more)

    def __str__(self) -> str:
        return "; ".join(filter(None, (self.fewer, self.more)))


@dataclass(frozen=True)
class Readings:
    """Least and most share of its rows, over the parts learned from, in which each channel has a reading.

    The channel "" is the part as a whole: of a video its frames.
    """

    channels: tuple[str, ...]
    least: tuple[float, ...]
    most: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.channels) == len(self.least) == len(self.most) == len(set(self.channels)):
            raise ValueError("there is not one least and one most share for each channel")
        if not all(0 <= low <= high <= 1 for low, high in zip(self.least, self.most)):
            raise ValueError("shares of readings are not in order between 0 and 1")

    def outside(self, modality: str, signal: Any) -> Outside:
        """What of a decoded part lies outside, in words; channels that were not learned say nothing."""
        found, expected = shares(signal)
        noun = modality_of(modality).slices
        fewer, more = [], []
        for channel, least, most in zip(self.channels, self.least, self.most):
            if (share := found.get(channel)) is None:
                continue
            low = least_allowed(least, expected)
            high = most + min(MORE * most, max(SLACK, 1 / expected if most >= 0.5 else 0.0))
            said = f"{channel[:60]!r} has readings" if channel else f"there are {noun}"
            here = (
                f"{said} in {round(share * expected)} of {expected} {noun}"
                if channel
                else (f"{round(share * expected)} of the {expected} {noun} that its clock has room for are there")
            )
            if share < low - _FLOOR:
                fewer.append(f"{here} (normal ones: at least {100 * least:.3g} %)")
            elif share > high + _FLOOR:
                more.append(f"{here} (normal ones: at most {100 * most:.3g} %)")
        return Outside(_listed(fewer), _listed(more))


def least_allowed(least: float, rows: int) -> float:
    """The least share of so many rows in which a channel may be read, where `least` is that of the parts learned from.

    >>> least_allowed(1.0, 200), least_allowed(1.0, 8), round(least_allowed(0.1, 200), 3)
    (0.95, 0.875, 0.08)
    """
    return least - min(FEWER * least, max(SLACK, 1 / rows if least >= 0.5 else 0.0))


def shares(signal: Any) -> tuple[dict[str, float], int]:
    """The share of rows in which each channel of a decoded recording has a reading, and how many rows its clock has.

    >>> from mmdmad.parts import Sensor
    >>> values = np.array([[1.0, 2.0], [np.nan, 2.0], [3.0, 2.0], [4.0, 2.0]])
    >>> shares(Sensor(values, np.array([0.0, 1.0, 2.0, 4.0]), ("a", "b"), ("", "")))
    ({'a': 0.6, 'b': 0.8}, 5)
    """
    times = np.asarray(signal.times, np.float64)
    step = usual_step(times)
    room = round(float(times[-1] - times[0]) / step) + 1 if len(times) > 1 and step > 0 else len(times)
    expected = max(len(times), room)
    values = getattr(signal, "values", None)
    if values is None:
        return {"": len(times) / expected}, expected
    there = np.isfinite(values).sum(axis=0) / expected
    return {name: float(share) for name, share in zip(signal.channels, there)}, expected


def learned_readings(signals: Iterable[Any]) -> Readings | None:
    """The least and most over normal parts; None without any that have times."""
    found: dict[str, list[float]] = {}
    for signal in signals:
        if not hasattr(signal, "times"):
            return None
        for channel, share in shares(signal)[0].items():
            found.setdefault(channel, []).append(share)
    if not found:
        return None
    return Readings(tuple(found), tuple(map(min, found.values())), tuple(map(max, found.values())))


_LIKE = (
    "ranked among normal cases that were masked to lack the same, so only what is left can make it unusual; holds if "
    "what is missing does not depend on what would have been read, and that it is missing may itself be a fault"
)
_OTHERWISE = "its readings are missing otherwise than in the cases it is ranked among"


def of_missing(guarantee: "Guarantee") -> bool:
    """Whether a verdict is on a case that lies outside, so that its rank says nothing of whether normal has moved."""
    return bool(guarantee.missing) or _OTHERWISE in guarantee.note


def for_missing(guarantee: "Guarantee", outside: Outside) -> "Guarantee":
    """The guarantee of a verdict on a case with a part that lies outside: void where a part has more readings.

    Where it is ranked among normal cases that lack the same, the promise is that of any rank.
    """
    grounds = guarantee.grounds
    if grounds is not None:
        known = {"fewer": outside.fewer, "more": outside.more, "missing": outside.like, "unlike": outside.unlike}
        grounds = grounds.model_copy(update=known)
    if outside.like:
        note = "; ".join(filter(None, (f"{outside}: {_LIKE}", guarantee.note)))
        return guarantee.model_copy(update={"missing": outside.like, "note": note, "grounds": grounds})
    note = f"{outside}: {_OTHERWISE}"
    note += ", so there is no verdict" if outside.more else ", which alone can make it unusual"
    note += f" ({outside.unlike})" if outside.unlike and not outside.more else ""
    note = "; ".join(filter(None, (note, guarantee.note)))
    void: dict[str, Any] = {"valid": False, "note": note, "grounds": grounds}
    return guarantee.model_copy(update=void | {"attained": 0.0} if outside.more else void)


def _listed(said: list[str]) -> str:
    more = f" and {len(said) - NAMED} channels more" if len(said) > NAMED else ""
    return ", ".join(said[:NAMED]) + more


def nothing_left(refused: Sequence[Refusal]) -> str:
    """Why a case of which every part was refused cannot be judged; that a recorder gave nothing at all comes first."""
    empty = [r.reason for r in refused if r.empty]
    others = "; ".join(f"{r.part}: {r.reason}" for r in refused if not r.empty)
    if others or not refused:
        empty.append(f"no part can be judged ({others or 'the case has no parts'})")
    return "; ".join(empty)
