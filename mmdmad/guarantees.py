"""What stands behind a verdict, as plain data, and the one rule by which a p-value becomes a verdict.

Pure data (pydantic, frozen). `mmdmad.calibration.promise` computes a guarantee; here it is only said what it is.
"""

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

PartName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,19}$")]
"""The name of a modality, known here or not: what was found stays readable where the package of a modality is not."""
Verdict = Literal["anomalous", "normal", "no verdict"]
Unit = Literal["case", "recording", "block"]
"""What is not divided between learning and ranking: a case with its copies, a recording, a stretch of a recording."""
Count = Annotated[int, Field(ge=0, le=2**53)]
Positive = Annotated[int, Field(ge=1, le=2**53)]
ROUNDING = 1e-9
"""By so much a floor may lie above a rate and still reach it: 1 / (n + 1) and the rate are rounded, each in its way."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ranked(NamedTuple):
    """What the p-values of a pattern rank among, in one fold: `size` cases of `units` units, the least of `smallest`.

    `natural` of the cases have exactly the pattern's parts, the others had further ones, which were masked.
    """

    size: Count
    natural: Count
    units: Count
    smallest: Positive


class ByRecording(_Data):
    """How a window ranks among calibration recordings: only these, not their windows, are exchangeable with its own.

    `p_value` is that of a window drawn from a new recording, among one window of each of the `count` recordings;
    `whole` the one that its recording would have as a whole were this its most odd window: a recording has the
    smallest of its windows.
    """

    p_value: float
    whole: float
    count: Count

    def decides(self, rate: float) -> bool:
        """Whether there are enough recordings for a verdict at this rate to rest on them.

        >>> [ByRecording(p_value=0.1, whole=0.2, count=19).decides(rate) for rate in (0.05, 0.02)]
        [True, False]
        """
        return reaches(1 / (self.count + 1), rate)

    def times(self, stretches: int) -> "ByRecording":
        """Of the most unusual of so many stretches of the case, each of which could have been it (Bonferroni)."""
        p_value, whole = min(1.0, stretches * self.p_value), min(1.0, stretches * self.whole)
        return self.model_copy(update={"p_value": p_value, "whole": whole})


class OwnGroup(_Data):
    """What a case could rank among in its own group, one `Ranked` a fold; none where no normal case is of it.

    `drawn`: a window of each calibration recording of the group was drawn.
    """

    folds: tuple[Ranked, ...] = ()
    drawn: bool = False

    @property
    def size(self) -> int:
        """Calibration cases of the group."""
        return sum(one.size for one in self.folds)

    @property
    def units(self) -> int:
        """Their units."""
        return sum(one.units for one in self.folds)


class Ranks(_Data):
    """The other p-values of a case that is ranked by group: among all groups where its own decides, or of its own.

    `parts` are those of its parts, `contradictions` of its contradictions in their order.
    """

    p_value: float
    size: Count
    parts: dict[PartName, float]
    contradictions: tuple[float, ...] = ()
    by_recording: ByRecording | None = None

    def times(self, stretches: int) -> "Ranks":
        """Of the most unusual of so many stretches; see `ByRecording.times`."""
        clashes = tuple(min(1.0, stretches * p) for p in self.contradictions)
        own = self.by_recording and self.by_recording.times(stretches)
        p_value = min(1.0, stretches * self.p_value)
        return self.model_copy(update={"p_value": p_value, "contradictions": clashes, "by_recording": own})


class Grounds(_Data):
    """What a guarantee follows from at any rate: its folds, and what of the case it depends on.

    `learned`: the case is of a recording that was learned from. `drawn`: a window of each calibration recording was
    drawn, so that a window of a new one has a p-value among recordings. `stretches`: so many pieces of the case, of a
    length that is `usual`, were looked at, and the p-value counts all of them. `fewer`, `more`: which readings are
    missing otherwise than in the cases learned from, in words; "" where none are. `group`: what the case's own group
    has, where cases are ranked by group; the rest is that of all groups. `missing`: what the calibration cases were
    masked to lack like the case, and `unlike`: why they were not.
    """

    folds: tuple[Ranked, ...]
    learned: bool = False
    drawn: bool = False
    stretches: Positive = 1
    usual: str = ""
    fewer: str = ""
    more: str = ""
    group: OwnGroup | None = None
    missing: str = ""
    unlike: str = ""


class Guarantee(_Data):
    """What stands behind a verdict: P(normal case flagged) <= rate, from `size` calibration cases of this pattern.

    `interval` is the 95 % interval of the realised false-alarm rate given that calibration set (a beta distribution).
    `valid` is False where the calibration set is too small for the rate (size + 1 < 1 / rate), where the case is of
    another recording than the few that were learned from, or where drift was found. In the first nothing can be
    flagged, and there is no verdict (`decides`); in the others there is one, without a promise.

    Three numbers, not to be taken for each other: `smallest_p_value` is the floor that no case of this pattern goes
    below, `bound` what a theorem promises at most for the declared rate (None: none applies), `measured` the rate that
    was seen on other normal cases (None: not measured). `attained` is the level that is really used, k / (n + 1) <=
    rate. `method` says how calibration cases were kept apart from what was learned ("moving": they are
    the latest cases before this one), `unit` what was kept whole, and
    `units` how many of these the calibration cases are (None in findings of earlier versions). `among` says which
    p-value decides: the one among calibration cases, or (`ByRecording`) the one among recordings. `within`: these are
    those of the case's own group, for which the rate then holds. `grounds` is what the same is said from at another
    rate (None in findings of earlier versions). `missing` is what the case lacks
    inside its parts and the calibration cases were masked to lack too; "" where it is ranked among them as they are.
    """

    rate: float
    size: int
    interval: tuple[float, float]
    pattern: tuple[PartName, ...]
    valid: bool = True
    note: str = ""
    method: Literal["split", "cross", "moving"] = "split"
    unit: Unit = "case"
    units: int | None = None
    among: Literal["cases", "recordings"] = "cases"
    within: bool = False
    attained: float | None = None
    bound: float | None = None
    measured: float | None = None
    grounds: Grounds | None = None
    missing: str = ""

    @property
    def smallest_p_value(self) -> float:
        """The floor, the smallest p-value that a case of this pattern can get: 1 / (size + 1)."""
        return 1 / (self.size + 1)

    @property
    def reach(self) -> float:
        """The smallest value of the p-value that decides: 1 / (size + 1), or among R recordings 1 / (R + 1).

        >>> said = Guarantee(rate=0.05, size=499, interval=(0, 1), pattern=("sensor",), units=24, among="recordings")
        >>> said.smallest_p_value, said.reach
        (0.002, 0.04)
        """
        return 1 / ((self.units or 0) + 1) if self.among == "recordings" else self.smallest_p_value

    @property
    def ranked_words(self) -> str:
        """Among how many calibration cases or recordings the p-value that decides ranks."""
        return f"{self.units} recordings" if self.among == "recordings" else str(self.size)

    def deciding(self, p_value: float, by_recording: ByRecording | None) -> float:
        """Which of the two p-values of a case the verdict rests on."""
        return p_value if self.among == "cases" or by_recording is None else by_recording.p_value

    @property
    def decides(self) -> bool:
        """Whether there is a verdict at all: a p-value can reach the rate, promised (`valid`) or not."""
        return self.valid if self.attained is None else self.attained > 0

    def verdict(self, p_value: float) -> Verdict:
        """Anomalous exactly when the p-value that is `deciding` <= rate; no verdict where none could reach it.

        >>> said = Guarantee(rate=0.05, size=99, interval=(0.02, 0.1), pattern=("image",))
        >>> said.verdict(0.05), said.verdict(0.06), said.model_copy(update={"valid": False}).verdict(0.01)
        ('anomalous', 'normal', 'no verdict')
        """
        if not self.decides:
            return "no verdict"
        return "anomalous" if p_value <= self.rate else "normal"


def within_group(rate: float, own: int, own_recordings: int | None, recordings: int | None) -> bool:
    """Whether the p-values in a case's own group decide at this rate, rather than those over all groups.

    `own` cases of the group; `own_recordings` of these and `recordings` of all, where windows of new ones rank among
    recordings (None: not so). What is promised for a new recording comes first, the own group before all of them.

    >>> within_group(0.05, 19, None, None), within_group(0.05, 18, None, None), within_group(0.05, 400, 18, 40)
    (True, False, False)
    """

    def enough(count: int | None) -> bool:
        return count is not None and reaches(1 / (count + 1), rate)

    return enough(own_recordings) or (not enough(recordings) and enough(own))


def reaches(floor: float, rate: float) -> bool:
    """Whether a p-value that goes no lower than `floor` can be as small as the rate.

    >>> reaches(1 / 20, 0.05), reaches(1 / 19, 0.05)
    (True, False)
    """
    return floor * (1 - ROUNDING) <= rate
