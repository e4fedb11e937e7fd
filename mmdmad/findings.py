"""Findings: what is said about a case, and the numbered evidence it rests on.

Pure data (pydantic, frozen): a finding is the same object in the store, the report, the notebook and the chat.
Nothing here computes a score.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Annotated, Literal, overload

from pydantic import BaseModel, ConfigDict, StringConstraints

from mmdmad.cases import Refusal
from mmdmad.errors import MmdmadError, RunError
from mmdmad.files import within
from mmdmad.modalities.base import modalities, ordered
from mmdmad.plain import plain
from mmdmad.registry import named_entry_point

PartName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,19}$")]
"""The name of a modality, known here or not: what was found stays readable where the package of a modality is not."""
Verdict = Literal["anomalous", "normal", "no verdict"]
EvidenceKind = Literal[
    "verdict",
    "part",
    "form",
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
    """One numbered, stored fact sheet (E1, E2, …): a caption made from its facts, and a picture or plot of it.

    `caption` is one sentence by template, true by construction. `artifact` is a path relative to the run directory.
    """

    id: str
    kind: EvidenceKind
    part: PartName | None = None
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
    pattern: tuple[PartName, ...]
    valid: bool = True
    note: str = ""

    @property
    def smallest_p_value(self) -> float:
        """The smallest p-value that a case of this pattern can get: 1 / (size + 1)."""
        return 1 / (self.size + 1)


class PartFinding(_Data):
    """One part of a finding: raw detector score, conformal p-value and share of the joint score (shares sum to it)."""

    modality: PartName
    score: float
    p_value: float
    share: float
    encoder: str
    detector: str


class Contradiction(_Data):
    """A part that does not fit the others: conditional minus marginal denoising error, its p-value and share."""

    part: PartName
    given: tuple[PartName, ...]
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
    # 1 / (n + 1) with n = 0 is 1: nothing to compare with is no extreme place.
    outermost = smallest < 1 and p_value <= smallest * (1 + 1e-9)
    rung = 2 * (verdict != "anomalous") + (not outermost)
    return rung, 0.0 if outermost else p_value, -score, case_id


class Finding(_Data):
    """What is said about one case.

    `score` is the joint score; the shares of `parts` and `contradictions` add up to it. `p_value` is its conformal
    p-value; the verdict is "anomalous" exactly when p_value <= guarantee.rate and the guarantee is valid. `lacks` are
    the modalities that the model has learned and the case was judged without; None in findings of earlier versions.
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
    def lead(self) -> str:
        """The caption that says most: the first place, span, word or contradiction, else a part."""
        ranks = {"part": 2, "verdict": 3}
        known = [e for e in self.evidence if e.kind not in ("neighbour", "missing", "context")]
        return min(known, key=lambda e: ranks.get(e.kind, 1)).caption if known else ""

    def explain(self, llm: str = "offline") -> Explanation:
        """Why, in sentences checked against evidence; written by what is installed as entry point `mmdmad.writers`.

        The library does not know who writes; `mmdmad.agents` registers its explainer there when it is installed.
        """
        write = named_entry_point("mmdmad.writers", "explainer")
        if write is None:
            raise MmdmadError("no writer is installed under the entry point mmdmad.writers; run: pip install mmdmad")
        written: Explanation = write(self, llm=llm)
        return written

    def located(self, folder: Path | None) -> "Finding":
        """The same finding, with the run folder in which a notebook finds its pictures."""
        copy = self.model_copy()
        # beside the fields, like a cached property: where files lie is no part of what is said, nor of equality
        copy.__dict__["_folder"] = folder
        return copy

    def _repr_html_(self) -> str:
        """A card for notebooks: verdict, parts, pictures if they are at hand, numbered evidence; all escaped."""
        mark = f" <small>{_SIMULATED}</small>" if self.simulated else ""
        about = " · ".join(_text(x) for x in (self.group, self.time and self.time.isoformat(" ", "seconds")) if x)
        parts = " &nbsp; ".join(f"{p.modality} {p.p_value:.3g}" for p in self.parts)
        g = self.guarantee
        pictures = {e.part: e.artifact for e in self.evidence if e.artifact is not None}
        shown = "".join(_picture(self.__dict__.get("_folder"), path, 480) for path in pictures.values())
        lines = "".join(f"<li><b>{_text(e.id)}</b> {_text(e.caption)}</li>" for e in self.evidence)
        words = f"<p>{_text(self.explanation.text)}</p>" if self.explanation is not None else ""
        return (
            f'<div style="border-left:4px solid {_COLOURS[self.verdict]};padding:4px 14px;max-width:1000px">'
            f"<b>{_text(self.case_id)}</b> {about}{mark}<br>"
            f'<b style="color:{_COLOURS[self.verdict]}">{self.verdict}</b>, p = {self.p_value:.3g} '
            f"<small>(declared false-alarm rate {100 * g.rate:.3g} %, {g.size} calibration cases)</small><br>"
            f"<small>p-values: {parts}</small>{words}<div>{shown}</div>"
            f'<ul style="list-style:none;padding-left:0;font-size:90%">{lines}</ul></div>'
        )


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
        """The same findings, most anomalous first, in the one order of `order_key`."""
        return Findings(sorted(self.items, key=lambda f: f.order_key), self.refused)

    def _repr_html_(self, limit: int = 50) -> str:
        """A table for notebooks, most anomalous first, with thumbnails where pictures are at hand; all escaped."""
        names = ordered(p.modality for f in self.items for p in f.parts)
        flagged = sum(f.verdict == "anomalous" for f in self.items)
        mark = f" {_SIMULATED}" if any(f.simulated for f in self.items) else ""
        head = "".join(f"<th>{h}</th>" for h in ("", "case", "verdict", "p", *names, "what stands out"))
        rows = "".join(_row(f, names) for f in self.ranked().items[:limit])
        more = f"<p>… and {len(self.items) - limit} more</p>" if len(self.items) > limit else ""
        refused = f", {len(self.refused)} refused" if self.refused else ""
        return (
            f"<p><b>{flagged} of {len(self.items)} cases flagged</b>{refused}, most anomalous first{mark}</p>"
            f'<table style="text-align:left"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}'
        )


_SIMULATED = "(simulated data)"
_COLOURS: dict[str, str] = {"anomalous": "#c2183c", "normal": "#4f7a5b", "no verdict": "#7a7a7a"}


def _row(finding: Finding, names: Sequence[str]) -> str:
    """One line of the table of findings; a part at most at the declared rate is bold."""
    cells = []
    for modality in names:
        part = finding.part(modality)
        bold = part is not None and part.p_value <= finding.guarantee.rate
        text = "" if part is None else f"{part.p_value:.3g}"
        cells.append(f"<b>{text}</b>" if bold else text)
    photos = {name for name, one in modalities().items() if one.photo}
    picture = next((e.artifact for e in finding.evidence if e.artifact and e.part in photos), None)
    thumbnail = _picture(finding.__dict__.get("_folder"), picture, 96) if picture else ""
    verdict = f'<b style="color:{_COLOURS[finding.verdict]}">{finding.verdict}</b>'
    lead = _text(finding.lead) if finding.verdict != "normal" else ""
    row = (thumbnail, _text(finding.case_id), verdict, f"{finding.p_value:.3g}", *cells, lead)
    return "<tr>" + "".join(f'<td style="text-align:left">{cell}</td>' for cell in row) + "</tr>"


def _text(text: str) -> str:
    """Text as a notebook may have it: every character of it is shown, none is markup."""
    return escape(plain(text))


def _picture(folder: Path | None, artifact: str, width: int) -> str:
    """A picture of the run `folder`, inline and at most `width` wide; nothing where there is none to be shown."""
    if folder is None:
        return ""
    import base64
    import io

    from PIL import Image

    try:
        # whose file the path names is for whoever made the run to say: only what lies inside it is opened
        with Image.open(within(folder, artifact)) as opened:
            picture = opened.convert("RGB")
    except (RunError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
    picture.thumbnail((width, width))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=82)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="" style="margin:4px" src="data:image/jpeg;base64,{data}">'
