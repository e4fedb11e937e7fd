"""An alarm budget: the level at which calibration cases, in their order, would have raised few enough alarms.

Calibration cases are normal, so every event among them is a false one. They are grouped into events by the rule that
groups the cases of a run; the more a level admits, the more of these events are alarms. The level that is chosen is the
largest at which a one-sided upper bound on the rate of alarms stays within the budget (Bates, Angelopoulos, Lei, Malik
and Jordan, "Distribution-free, risk-controlling prediction sets", Journal of the ACM 68, 2021: a bound at each level
suffices, as the rate rises with the level). The bound is that of a Poisson count (Garwood, Biometrika 28, 1936), wider
where the counts of recordings vary more than Poisson counts do (McCullagh and Nelder, "Generalized linear models",
1989, section 6.2): as negative binomial counts, whose variance grows with the mean, so that it is taken at the bound
itself and not at the count, which is low where few of the worse recordings were met. It holds for recordings like those
of the calibration; of fewer than ten it is said that they hardly tell how much recordings differ.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mmdmad.errors import DataError
from mmdmad.events import AlarmRule, held
from mmdmad.saved import require, validated
from mmdmad.stretches import chains_of, components

Per = Literal["day", "1000"]
DAY = 86_400.0
FEW = 10
"""Recordings below which they hardly tell how much recordings differ."""
START = 0.5
"""Share of the budget from which on levels are tried; fewer alarms tell little of how much recordings differ."""
STEPS = 200  # of the equation for the bound; where they do not suffice there is none
SPREAD = 0.99
"""Confidence of the bound on how much more the counts of recordings vary than Poisson counts."""


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    seconds: Annotated[float, Field(gt=0)] | None
    rows: list[tuple[int, int, float, float, float]]


@dataclass(frozen=True)
class Order:
    """Where N cases lie: the line (file or stream) of each, where on it it begins and ends, and seconds to the next."""

    lines: Sequence[int]
    begins: Sequence[float]
    ends: Sequence[float]
    seconds: float | None = None


@dataclass(frozen=True, eq=False)
class Track:
    """Calibration cases in their order: the line (file or stream) and unit of each, int (n,), where it begins and ends
    on its line (n,), and its p-value among the others (n,). `seconds` lie between two cases, None where no clock tells.
    """

    lines: np.ndarray
    units: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    p_values: np.ndarray
    seconds: float | None = None

    def __len__(self) -> int:
        return len(self.p_values)

    def state(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        columns = (self.lines, self.units, self.begins, self.ends, self.p_values)
        return {
            "seconds": self.seconds,
            "rows": [list(row) for row in zip(*(c.tolist() for c in columns), strict=True)],
        }

    @classmethod
    def of(cls, order: Order, units: Sequence[str], p_values: np.ndarray) -> Self:
        """The cases of an order that have a p-value, with the unit that each belongs to."""
        numbers = {unit: number for number, unit in enumerate(dict.fromkeys(units))}
        known = np.isfinite(p_values)
        lines, places = np.array(order.lines, np.int64), np.array([numbers[unit] for unit in units], np.int64)
        begins, ends = np.array(order.begins, np.float64), np.array(order.ends, np.float64)
        return cls(lines[known], places[known], begins[known], ends[known], p_values[known], order.seconds)

    @classmethod
    def from_state(cls, state: Any) -> Self:
        """The track that `state` described; ModelError where no fit can have written it."""
        known = validated(_State, state)
        for line, unit, begin, end, p_value in known.rows:
            require(line >= 0 and unit >= 0 and begin <= end, "a calibration case lies nowhere in its order")
            require(0 < p_value <= 1, f"a calibration case has the p-value {p_value}")
        table = np.array(known.rows, np.float64).reshape(-1, 5)
        lines, units = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
        return cls(lines, units, table[:, 2], table[:, 3], table[:, 4], known.seconds)

    @classmethod
    def joined(cls, tracks: Sequence[Self]) -> Self:
        """Those of several folds as one; no line or unit is in two of them.

        A case is ranked within its fold, and as many are taken to stand before it in each of the others.
        """
        every = sum(map(len, tracks))
        found: dict[str, list[np.ndarray]] = defaultdict(list)
        line = unit = 0
        for one in tracks:
            found["lines"].append(one.lines + line)
            found["units"].append(one.units + unit)
            for name in ("begins", "ends"):
                found[name].append(getattr(one, name))
            before = np.maximum(0.0, one.p_values * (len(one) + 1) - 1) * every / max(1, len(one))
            found["p_values"].append(np.minimum(1.0, (1 + before) / (every + 1)))
            line, unit = line + int(one.lines.max(initial=-1)) + 1, unit + int(one.units.max(initial=-1)) + 1
        steps = [one.seconds for one in tracks]
        seconds = float(np.median([s for s in steps if s is not None])) if all(steps) and steps else None
        return cls(**{name: np.concatenate(some) for name, some in found.items()}, seconds=seconds)


@dataclass(frozen=True)
class Budget:
    """What was chosen: alarms at most `most` `per` day (or 1,000 cases) at the p-value `level`, and what it rests on.

    At that level `alarms` of the events of `cases` calibration cases in `units` recordings or blocks are alarms, which
    is `rate` per day (or 1,000 cases), and at most `upper` with `confidence`.
    """

    most: float
    per: Per
    level: float
    alarms: int
    cases: int
    units: int
    rate: float
    upper: float
    confidence: float

    @property
    def words(self) -> str:
        """One sentence."""
        per = "a day" if self.per == "day" else "per 1,000 cases"
        few = f"; {self.units} recordings or blocks are few to tell how much they differ" if self.units < FEW else ""
        return (
            f"alarms are events with a p-value of at most {self.level:.3g}: normal calibration cases make "
            f"{self.rate:.3g} false ones {per} ({self.alarms} in {self.cases} cases), at most {self.upper:.3g} with "
            f"{100 * self.confidence:g} % confidence, where new recordings are like those of the calibration{few}"
        )


def choose(
    track: Track, rule: AlarmRule, rate: float, most: float, per: Per = "day", confidence: float = 0.95
) -> Budget:
    """The largest level, at most the declared `rate`, at which alarms stay within the budget of `most` `per` day.

    Levels are tried upwards from where half the budget is used, until one does not keep it; where that first one does
    not, from the smallest (so that the confidence is of two sequences, and is measured in docs/results.md).
    DataError where the calibration is too short for it, and says how long it has to be, or where no clock tells days.
    """
    if not (math.isfinite(most) and most > 0):
        raise DataError(f"a budget of {most} alarms was given; it must be above 0")
    if per == "day" and track.seconds is None:
        raise DataError(
            "how long a case lasts is not known, so there is no count a day; give a budget per 1,000 cases, or "
            "recordings with a clock"
        )
    a_case = 1 / 1000 if per == "1000" else (track.seconds or 0.0) / DAY
    exposure = len(track) * a_case
    found = alarms_of(track, rule, rate)
    if not found:
        raise DataError("no calibration case is flagged by itself, so no level can be chosen; fit on more normal cases")
    levels, allowed = sorted({p for p, _ in found}), most * exposure

    def at(level: float) -> Budget:
        units = Counter(unit for p, unit in found if p <= level)
        count, upper = sum(units.values()), upper_bound(units, track, confidence) / exposure
        number = len(set(track.units.tolist()))
        return Budget(most, per, float(level), count, len(track), number, count / exposure, upper, confidence)

    start = next((n for n in range(len(found)) if garwood(n + 1, confidence) > START * allowed), len(found))
    half = [level for level in levels if sum(p <= level for p, _ in found) >= start]
    chosen = _upwards(half, at, most) or _upwards(levels, at, most)
    if chosen is None:
        raise DataError(_too_short(track, at(levels[0]), a_case))
    return chosen


def _upwards(levels: Sequence[float], at: Callable[[float], Budget], most: float) -> Budget | None:
    """The last of the levels before the first that does not keep the budget; None where that is the first of them."""
    chosen: Budget | None = None
    for level in levels:
        tried = at(level)
        if tried.upper > most:
            break
        chosen = tried
    return chosen


def _too_short(track: Track, first: Budget, a_case: float) -> str:
    """Why not even the smallest level keeps the budget, and what it would take."""
    most, per, confidence = first.most, first.per, first.confidence
    what = "day" if per == "day" else "1,000 cases"
    if garwood(first.alarms, confidence) <= most * a_case * len(track):
        many = f"{first.upper:.3g}" if math.isfinite(first.upper) else "any number"
        return (
            f"{first.units} recordings or blocks of the calibration differ so much, or are so few to tell how much "
            f"recordings do, that {first.alarms} false alarms among them may stand for {many} per {what}; fit on more "
            f"recordings, or allow more than {most:g}"
        )
    least = garwood(1, confidence) / (most * a_case)
    one = garwood(1, confidence) / (a_case * len(track))
    return (
        f"{len(track)} calibration cases are too few for {most:g} alarms per {what}: one among them may stand for "
        f"{one:.3g}; it takes at least {math.ceil(least)} calibration cases"
    )


def alarms_of(track: Track, rule: AlarmRule, rate: float) -> list[tuple[float, int]]:
    """The smallest p-value and the unit of each event of the calibration that is long enough, at the declared rate."""
    odd = track.p_values <= rate * (1 + 1e-9)
    flagged, p_values, units = odd.tolist(), track.p_values.tolist(), track.units.tolist()
    found = []
    for line in np.unique(track.lines):
        rows = np.flatnonzero(track.lines == line)
        step = float(np.median(np.diff(np.sort(track.begins[rows])))) if len(rows) > 1 else 1.0
        scale = None if track.seconds is None or step <= 0 else track.seconds / step
        apart = rule.rearm / scale if scale is not None else 0.0
        mine = _pieces(track, rows[odd[rows]])
        chains = [*chains_of([(b, e + apart, i) for b, e, i in mine])]
        if rule.bridges:
            chains += held(_pieces(track, rows), p_values, flagged, rule)
        for event in components([i for _, _, i in mine], chains):
            span = max(track.ends[i] for i in event) - min(track.begins[i] for i in event)
            lasts = None if scale is None else float(span) * scale
            least = min(event, key=lambda i: p_values[i])
            if rule.alarms(len(event), lasts, 0.0):
                found.append((p_values[least], units[least]))
    return found


def _pieces(track: Track, rows: np.ndarray) -> list[tuple[float, float, int]]:
    return list(zip(track.begins[rows].tolist(), track.ends[rows].tolist(), rows.tolist(), strict=True))


def upper_bound(counts: Counter[int], track: Track, confidence: float) -> float:
    """The upper bound on the expected count of alarms; `counts` are those of units, the others have none.

    Where counts vary more between units than Poisson counts do, by the factor f (Pearson's statistic over its degrees
    of freedom, the expected ones in the ratio of the units' sizes), count / f is taken for a Poisson count. What f
    exceeds 1 by is taken at its own upper bound (by the chi-square distribution of the statistic, at SPREAD) and grows
    with the expected count, as that of negative binomial counts does; so the bound B solves B = f(B) g(count / f(B))
    with f(B) = 1 + (f - 1) B / count and Garwood's bound g.
    """
    from scipy.stats import chi2

    sizes = Counter(track.units.tolist())
    count = sum(counts.values())
    bound = garwood(count, confidence)
    if not count or len(sizes) < 2:
        return bound
    free = len(sizes) - 1
    expected = {unit: count * size / len(track) for unit, size in sizes.items()}
    pearson = sum((counts.get(unit, 0) - e) ** 2 / e for unit, e in expected.items())
    excess = max(0.0, pearson / free - 1) * free / float(chi2.ppf(1 - SPREAD, free))
    for _ in range(STEPS):
        spread = 1 + excess * bound / count
        last, bound = bound, spread * garwood(count / spread, confidence)
        if bound - last <= 1e-6 * bound:
            return bound
    return math.inf


def garwood(count: float, confidence: float) -> float:
    """The one-sided upper bound on the mean of a Poisson count.

    >>> round(garwood(0, 0.95), 3), round(garwood(1, 0.95), 3)
    (2.996, 4.744)
    """
    from scipy.special import gammaincinv

    return float(gammaincinv(count + 1, confidence))
