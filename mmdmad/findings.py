"""Findings: what is said about a case, and the numbered evidence it rests on.

Pure data (pydantic, frozen): a finding is the same object in the store, the report, the notebook and the chat.
Nothing here computes a score.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, overload

from pydantic import BaseModel, ConfigDict

from mmdmad.cases import Modality, Refusal

Verdict = Literal["anomalous", "normal", "no verdict"]
EvidenceKind = Literal[
    "verdict",
    "part",
    "region",
    "span",
    "channel",
    "frames",
    "words",
    "contradiction",
    "neighbour",
    "missing",
    "context",
]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Fact(_Data):
    """One named value that an explanation may state: a number with its unit, a name, a time, a place or a direction."""

    name: str
    value: float | int | str
    unit: str = ""


class Evidence(_Data):
    """One numbered, stored fact sheet (E1, E2, …): a caption made from its facts, and a picture or plot if there is one.

    `caption` is one sentence by template, true by construction. `artifact` is a path relative to the run directory.
    """

    id: str
    kind: EvidenceKind
    part: Modality | None = None
    caption: str
    facts: tuple[Fact, ...] = ()
    artifact: str | None = None


class Guarantee(_Data):
    """What stands behind a verdict: P(normal case flagged) <= rate, from `size` calibration cases of this pattern.

    `interval` is the 95 % interval of the realised false-alarm rate given that calibration set (a beta distribution).
    `valid` is False where the calibration set is too small for the rate (size + 1 < 1 / rate) or drift was found.
    """

    rate: float
    size: int
    interval: tuple[float, float]
    pattern: tuple[Modality, ...]
    valid: bool = True
    note: str = ""


class PartFinding(_Data):
    """One part of a finding: raw detector score, conformal p-value and share of the joint score (shares sum to it)."""

    modality: Modality
    score: float
    p_value: float
    share: float
    encoder: str
    detector: str


class Contradiction(_Data):
    """A part that does not fit the others: score = conditional minus marginal denoising error, its p-value and share."""

    part: Modality
    given: tuple[Modality, ...]
    score: float
    p_value: float
    share: float


class Sentence(_Data):
    """One sentence of an explanation, the evidence it cites, and whether code found all its claims there."""

    text: str
    cites: tuple[str, ...]
    grounded: bool
    problems: tuple[str, ...] = ()


class Explanation(_Data):
    """Grounded sentences; `faithfulness` is the share of the writer's sentences that passed before any was replaced."""

    sentences: tuple[Sentence, ...]
    faithfulness: float
    llm: str
    prompt: str
    dropped: tuple[Sentence, ...] = ()

    @property
    def text(self) -> str:
        """The sentences as one paragraph, each followed by its evidence ids in brackets."""
        return " ".join(f"{s.text} [{', '.join(s.cites)}]" for s in self.sentences)


class Finding(_Data):
    """What is said about one case.

    `score` is the joint score; the shares of `parts` and `contradictions` add up to it. `p_value` is its conformal
    p-value; the verdict is "anomalous" exactly when p_value <= guarantee.rate and the guarantee is valid.
    """

    case_id: str
    time: datetime | None = None
    group: str | None = None
    verdict: Verdict
    score: float
    p_value: float
    guarantee: Guarantee
    parts: tuple[PartFinding, ...]
    contradictions: tuple[Contradiction, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    explanation: Explanation | None = None
    label: int | None = None
    refused: tuple[str, ...] = ()
    simulated: bool = False

    @property
    def pattern(self) -> tuple[Modality, ...]:
        """The modalities that were judged."""
        return tuple(p.modality for p in self.parts)

    def part(self, modality: Modality) -> PartFinding | None:
        """The finding about one modality, or None where the case has no such part."""
        return next((p for p in self.parts if p.modality == modality), None)


class Findings(Sequence[Finding]):
    """A list of findings, worst first if you ask `ranked()`; a table in a notebook.

    `refused` lists the cases that could not be judged at all.
    """

    def __init__(self, items: Sequence[Finding], refused: Sequence[Refusal] = ()) -> None:
        self.items = tuple(items)
        self.refused = tuple(refused)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> "Findings": ...
    def __getitem__(self, index: int | slice) -> "Finding | Findings":
        return Findings(self.items[index], self.refused) if isinstance(index, slice) else self.items[index]

    def ranked(self) -> "Findings":
        """The same findings, smallest p-value first, ties by larger score."""
        return Findings(sorted(self.items, key=lambda f: (f.p_value, -f.score)), self.refused)
