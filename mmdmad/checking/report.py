"""What a check says, as data: what `mmdmad check --json` prints."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

NAMED = 20
"""Cases that a note names at most; `count` says how many there are."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Note(_Data):
    """One thing that was found. stop: nothing is learned before it is answered; warn: look at it; info: as it is.

    cases: the ids it is about, the first NAMED of `count`; files: theirs, below the data's folder.
    """

    level: Literal["stop", "warn", "info"]
    topic: str
    said: str
    cases: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    count: int = 0


class Folder(_Data):
    """A folder, what its name says its files are, how many cases or masks lie right in it, and how many are learned."""

    folder: str
    role: str
    files: int
    learned: int


class ChannelFound(_Data):
    """A channel over all tables: units and kinds with the number of tables, least and largest reading."""

    name: str
    tables: int
    units: dict[str, int]
    kinds: dict[str, int]
    low: float | None
    high: float | None


class Kind(_Data):
    """All parts of one modality. traits: how often each value of each trait occurs, the commonest first."""

    modality: str
    parts: int
    unreadable: int
    traits: dict[str, dict[str, int]]
    channels: tuple[ChannelFound, ...] = ()


class Support(_Data):
    """What the cases to learn from can promise for cases with these parts.

    calibration: cases that such a case is ranked among; floor: the smallest p-value, 1 / (calibration + 1);
    flags: whether a case can be flagged at the declared `rate`; needed: cases to learn from with which one could.
    """

    parts: tuple[str, ...]
    calibration: int
    floor: float
    rate: float
    flags: bool
    needed: int


class Odd(_Data):
    """A case to learn from that is far from the others: `times` as far as the middle one, by the look of its part."""

    case: str
    modality: str
    file: str
    times: float


class Estimate(_Data):
    """Measured on `measured` cases: seconds to read and encode one case, and for all; tokens to learn from, in MiB.

    What detectors and the joint model need to learn comes on top. peak is the memory of this process, in MiB.
    """

    measured: int
    seconds_a_case: float
    seconds: float
    tokens: float
    peak: float


class Report(_Data):
    """Everything that a look at one manifest, folder or set of files found.

    learned and left: how many cases a fit takes, and how many it leaves out for each reason. recordings: how many of
    the cases to learn from are independent; proposed: a `recording` for cases that are near copies of others.
    splits_made: how a fit divides them: once or, crossed in `folds`, in the first of these. judged: they were looked at
    as what a model of another source will judge.
    """

    source: str
    cases: int
    refused: int
    learned: int
    left: dict[str, int]
    splits: dict[str, int]
    labels: dict[str, int]
    patterns: dict[str, int]
    folders: tuple[Folder, ...]
    masks: int
    parts: tuple[Kind, ...]
    notes: tuple[Note, ...]
    recordings: int
    proposed: dict[str, str]
    splits_made: dict[str, int]
    support: tuple[Support, ...]
    oddest: tuple[Odd, ...]
    preset: str
    why: str
    estimate: Estimate | None = None
    folds: int = 1
    judged: bool = False

    @property
    def stops(self) -> tuple[Note, ...]:
        """What has to be answered before anything is learned."""
        return tuple(note for note in self.notes if note.level == "stop")
