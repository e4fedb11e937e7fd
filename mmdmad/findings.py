"""Findings: what is said about a case, and the numbered evidence it rests on.

Pure data (pydantic, frozen): a finding is the same object in the store, the report, the notebook and the chat.
Nothing here computes a score.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

from mmdmad.cases import Refusal
from mmdmad.errors import ConfigError, DataError, MmdmadError
from mmdmad.guarantees import ByRecording, Guarantee, PartName, Ranks, Verdict, _Data
from mmdmad.plain import plain
from mmdmad.registry import named_entry_point

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from PIL.Image import Image as Picture

    from mmdmad.plots import Drawing

    Draw = Callable[[], Mapping[str, Picture]]
    Calibration = Callable[[], Mapping[tuple[str, ...], np.ndarray]]

Plot = Literal["timeline", "histogram"]
EvidenceKind = Literal[
    "verdict",
    "part",
    "form",
    "region",
    "span",
    "channel",
    "frames",
    "words",
    "whole",
    "contradiction",
    "neighbour",
    "missing",
    "context",
]


class Fact(_Data):
    """One named value that an explanation may state: a number with its unit, a name, a time, a place or a direction."""

    name: str
    value: float | int | str
    unit: str = ""


class Evidence(_Data):
    """One numbered, stored fact sheet (E1, E2, …): a caption made from its facts, and a picture or plot of it.

    `caption` is one sentence by template, true by construction. `artifact` is a path relative to the run directory.
    """

    id: str
    kind: EvidenceKind
    part: PartName | None = None
    caption: str
    facts: tuple[Fact, ...] = ()
    artifact: str | None = None


class Slice(_Data):
    """Where a part was cut from: rows, frames or lines `first` to `last` (left out) of the file of this name.

    `recording` tells the file, or the recording that its case names, from all others. `start` and `stop` are seconds
    from the first row or frame of the file; None for a part without times.
    """

    part: PartName
    file: str
    recording: str
    first: int
    last: int
    start: float | None = None
    stop: float | None = None


class PartFinding(_Data):
    """One part of a finding: raw detector score, conformal p-value and share of the joint score (shares sum to it).

    `cut` says where a piece of a longer recording lies in it.
    """

    modality: PartName
    score: float
    p_value: float
    share: float
    encoder: str
    detector: str
    cut: Slice | None = None


class Contradiction(_Data):
    """A part that does not fit the others: conditional minus marginal denoising error, its p-value and share."""

    part: PartName
    given: tuple[PartName, ...]
    score: float
    p_value: float
    share: float


class Sentence(_Data):
    """One sentence of an explanation, the evidence it cites, and whether code found all its claims there.

    `verbatim`: False where code tells the claims of the cited evidence in place of a sentence that it could not read.
    """

    text: str
    cites: tuple[str, ...]
    grounded: bool
    problems: tuple[str, ...] = ()
    verbatim: bool = True


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


def order_key(
    *, verdict: Verdict, p_value: float, smallest: float, score: float, case_id: str
) -> tuple[int, float, float, str]:
    """The one order in which findings are told, most anomalous first: sort by this key (rung, p-value, -score, id).

    Flagged findings come first. Among them, and among the others, those at the smallest p-value that their pattern of
    parts can have come first, by joint score: how small that p-value is says how many calibration cases the pattern
    has, not how odd the case is. The rest follow by p-value; ties by joint score, then id.

    >>> few = order_key(verdict="anomalous", p_value=0.01, smallest=0.01, score=41.5, case_id="b")
    >>> many = order_key(verdict="anomalous", p_value=0.004, smallest=0.004, score=4.7, case_id="a")
    >>> few < many
    True
    """
    extreme = outermost(p_value, smallest)
    rung = 2 * (verdict != "anomalous") + (not extreme)
    return rung, 0.0 if extreme else p_value, -score, case_id


def outermost(p_value: float, smallest: float) -> bool:
    """Whether a p-value is the smallest that its pattern can have: a case beyond all calibration cases."""
    # 1 / (n + 1) with n = 0 is 1: nothing to compare with is no extreme place.
    return smallest < 1 and p_value <= smallest * (1 + 1e-9)


class Finding(_Data):
    """What is said about one case.

    `score` is the joint score; the shares of `parts` and `contradictions` add up to it. `p_value` is its conformal
    p-value among calibration cases, `by_recording` those among recordings (None where the case is no window of a new
    one); the verdict is "anomalous" exactly when `deciding_p_value` <= guarantee.rate and the guarantee decides.
    `lacks` are the modalities that the model has learned and the case was judged without; None in findings of earlier
    versions.
    `single_score` is the joint score by the models of one fold, drawn by content, which alone may be set against the
    calibration scores; None where there is one fold, whose scores are.
    `beside` are the p-values that do not decide where cases are ranked by group (`guarantee.within` says which do).
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
    lacks: tuple[PartName, ...] | None = None
    simulated: bool = False
    single_score: float | None = None
    by_recording: ByRecording | None = None
    beside: Ranks | None = None

    @property
    def deciding_p_value(self) -> float:
        """The p-value that the verdict rests on: `p_value`, or the one among recordings (`guarantee.among`)."""
        return self.guarantee.deciding(self.p_value, self.by_recording)

    @property
    def p_words(self) -> str:
        """Its p-value in words, the deciding one first where there are two."""
        if self.by_recording is None:
            return f"p = {self.p_value:.3g}"
        among = f"{self.p_value:.3g} among {self.guarantee.size} windows"
        drawn = f"{self.by_recording.p_value:.3g} among {self.by_recording.count} recordings"
        first, second = (among, drawn) if self.guarantee.among == "cases" else (drawn, among)
        return f"p = {first}; {second}"

    @property
    def pattern(self) -> tuple[PartName, ...]:
        """The modalities that were judged."""
        return tuple(p.modality for p in self.parts)

    @property
    def order_key(self) -> tuple[int, float, float, str]:
        """Where the finding stands among others, see `order_key`."""
        return order_key(
            verdict=self.verdict,
            p_value=self.p_value,
            smallest=self.guarantee.smallest_p_value,
            score=self.score,
            case_id=self.case_id,
        )

    def part(self, modality: str) -> PartFinding | None:
        """The finding about one modality, or None where the case has no such part."""
        return next((p for p in self.parts if p.modality == modality), None)

    def refusals(self, row: int | None = None) -> tuple[Refusal, ...]:
        """The parts that were refused ("part: reason" in `refused`); `row` is the case's row in its manifest."""
        split = (line.partition(": ") for line in self.refused)
        return tuple(Refusal(self.case_id, part, reason, row) for part, _, reason in split)

    @property
    def strongest(self) -> Evidence | None:
        """The evidence that says most: the first place, channel, word or contradiction, else a part.

        A span of time gives way to what a channel of the same part does in it.
        """
        ranks = {"whole": 2, "part": 3, "verdict": 4}
        known = [e for e in self.evidence if e.kind not in ("neighbour", "missing", "context")]
        first = min(known, key=lambda e: ranks.get(e.kind, 1), default=None)
        if first is None or first.kind != "span":
            return first
        return next((e for e in known if e.kind == "channel" and e.part == first.part), first)

    @property
    def lead(self) -> str:
        """The caption that says most; "" where there is no evidence."""
        return "" if self.strongest is None else self.strongest.caption

    def explain(self, llm: str = "offline") -> Explanation:
        """Why, in sentences checked against evidence; written by what is installed as entry point `mmdmad.writers`.

        The library does not know who writes; `mmdmad.agents` registers its explainer there when it is installed.
        """
        write = named_entry_point("mmdmad.writers", "explainer")
        if write is None:
            raise MmdmadError("no writer is installed under the entry point mmdmad.writers; run: pip install mmdmad")
        written: Explanation = write(self, llm=llm)
        return written

    def located(self, folder: Path | None, draw: "Draw | None" = None) -> "Finding":
        """The same finding, with the run folder in which a notebook finds its pictures, and what draws them anew."""
        copy = self.model_copy()
        # beside the fields, like a cached property: where files lie is no part of what is said, nor of equality
        copy.__dict__["_folder"], copy.__dict__["_draw"] = folder, draw
        return copy

    @property
    def folder(self) -> Path | None:
        """The run folder that its evidence's `artifact` is relative to, where that is known."""
        return self.__dict__.get("_folder")

    @property
    def drawing(self) -> "Draw | None":
        """What draws its pictures by modality, where model and case are at hand."""
        return self.__dict__.get("_draw")

    def __getstate__(self) -> dict[Any, Any]:
        # what lies beside the fields, a model among it, does not travel to other processes
        state = super().__getstate__()
        fields = {name: value for name, value in state["__dict__"].items() if name in type(self).model_fields}
        return {**state, "__dict__": fields}

    def plot(self) -> "Drawing":
        """What its joint score consists of, beside its pictures where they are at hand; a matplotlib figure."""
        from mmdmad.plots import one_case

        return one_case(self)

    def _repr_html_(self) -> str:
        """A card for notebooks: verdict, parts, pictures if they are at hand, numbered evidence; all escaped."""
        from mmdmad.cards import card

        return card(self)


class Findings(Sequence[Finding]):
    """A list of findings, worst first if you ask `ranked()`; a table in a notebook.

    `refused` lists the cases that could not be judged at all. `calibration` gives, when it is called, the joint scores
    of the normal calibration cases by pattern of present parts; None where no model is at hand.
    """

    def __init__(
        self, items: Sequence[Finding], refused: Sequence[Refusal] = (), calibration: "Calibration | None" = None
    ) -> None:
        self.items = tuple(items)
        self.refused = tuple(refused)
        self.calibration = calibration

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> "Findings": ...
    def __getitem__(self, index: int | slice) -> "Finding | Findings":
        return self._with(self.items[index]) if isinstance(index, slice) else self.items[index]

    def __repr__(self) -> str:
        flagged = sum(f.verdict == "anomalous" for f in self.items)
        return f"Findings({len(self.items)} cases, {flagged} flagged, {len(self.refused)} refused)"

    def __getstate__(self) -> dict[str, Any]:
        return {"items": self.items, "refused": self.refused, "calibration": None}

    def of(self, case_id: str) -> Finding:
        """The finding of one case; DataError where there is none of this id."""
        found = next((f for f in self.items if f.case_id == case_id), None)
        if found is None:
            known = ", ".join(plain(f.case_id) for f in self.items[:5]) or "none"
            raise DataError(f"no finding is of a case {case_id!r}; there are {len(self.items)}, such as {known}")
        return found

    def ranked(self) -> "Findings":
        """The same findings, most anomalous first, in the one order of `order_key`."""
        return self._with(sorted(self.items, key=lambda f: f.order_key))

    def to_dataframe(self) -> "pd.DataFrame":
        """One row per finding, in their order: verdict, p-values, scores and shares of each part that occurs.

        Shares add up to `score`; a part that a case lacks is empty.
        """
        from mmdmad.finding_table import frame

        return frame(self.items)

    def plot(self, kind: Plot = "timeline", *, of: Literal["p_value", "score"] = "p_value") -> "Drawing":
        """A matplotlib figure: "timeline" or "histogram"; one case has its own, `findings[0].plot()`.

        timeline: p-values (or with `of` scores) along time, flagged cases marked; one after another where not every
        case has a time. histogram: joint scores, those of the calibration cases above them where they are at hand; a
        panel for each pattern of present parts, as scores of different patterns are on scales of their own.
        `figure.savefig("a.png")` keeps it. DataError where there is no finding.
        """
        from mmdmad.plots import histogram, timeline

        if kind not in get_args(Plot):
            raise ConfigError(f"kind={kind!r} was given; allowed are {', '.join(get_args(Plot))}")
        return timeline(self, of) if kind == "timeline" else histogram(self)

    def save(self, path: str | Path) -> Path:
        """Write the findings, most anomalous first, in the format of the suffix; gives the path.

        .csv and .parquet: one flat row per finding, for spreadsheets and pandas. .jsonl: everything, a finding a line.
        .html: one page that needs no other file, with the table and a card of each finding that is flagged or without
        verdict. A model with its findings and pictures is kept by a run folder (`mm.Run.create`). The file appears
        whole or not at all; RunError for another suffix.
        """
        from mmdmad.finding_table import save

        return save(self, Path(path))

    def _repr_html_(self, limit: int = 50) -> str:
        """A table for notebooks, most anomalous first, with thumbnails where pictures are at hand; all escaped."""
        from mmdmad.cards import listing

        return listing(self, limit)

    def _with(self, items: Sequence[Finding]) -> "Findings":
        return Findings(items, self.refused, self.calibration)
