"""What the joint detector says of one case, with all that an explanation may need: token scores, layouts, signals."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from mmdmad.cases import Case, Modality, Refusal
from mmdmad.findings import Contradiction, Finding, Guarantee, PartFinding, Slice, Verdict
from mmdmad.guarantees import ByRecording, Ranks
from mmdmad.parts.timeline import usual_step
from mmdmad.plain import plain
from mmdmad.tokens import Layout

if TYPE_CHECKING:
    from mmdmad.findings import Evidence


@dataclass(frozen=True, eq=False)
class PartJudgement:
    """One part's judgement: detector score, conformal p-value, share of the joint score, and the token scores behind.

    `score` is the detector's own. The p-value ranks it among those of similar normal parts (`likeness.py`), together
    with the look at the part as a whole where the pipeline asks for it (`whole.py`), so that equal scores of a coarse
    and a smooth product can have different p-values.

    `token_scores` (L,) lie as `layout` says. `scale` (low, high) is the fixed range in which maps are drawn: median and
    99.9 % quantile of the token scores of the calibration cases. `embedding` is the encoder's vector for the part.
    `views` are the further looks at the part that the pipeline asks for, by name: the distance of a text's letters to
    those of normal texts (`letters.py`), or how unusual the part is as a whole (`whole.py`); each with its 99 %
    quantile among normal reference parts. The p-value knows them too.
    `again` gives the token scores (n,) of n other pieces in the place of a text's own, so that it can be said on which
    words a score rests.
    """

    modality: Modality
    score: float
    p_value: float
    share: float
    token_scores: np.ndarray
    layout: Layout
    scale: tuple[float, float]
    embedding: np.ndarray
    encoder: str
    detector: str
    again: Callable[[Sequence[str]], np.ndarray] | None = None
    views: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Judgement:
    """The joint judgement of a case. The shares of `parts` and `contradictions` add up to `score`.

    `single_score` is the joint score in one fold, drawn by content, as calibration scores are; None with one fold.
    `by_recording` is how it ranks as a window of a new recording; None where it is none. `beside` are its other
    p-values where cases are ranked by group.
    """

    case: Case
    signals: Mapping[Modality, Any]
    parts: Mapping[Modality, PartJudgement]
    contradictions: tuple[Contradiction, ...]
    score: float
    p_value: float
    guarantee: Guarantee
    refused: tuple[Refusal, ...] = ()
    lacks: tuple[Modality, ...] | None = None
    single_score: float | None = None
    by_recording: ByRecording | None = None
    beside: Ranks | None = None

    @property
    def deciding_p_value(self) -> float:
        """The p-value that the verdict rests on: among calibration cases, or among recordings."""
        return self.guarantee.deciding(self.p_value, self.by_recording)

    @property
    def verdict(self) -> Verdict:
        """Anomalous exactly when the deciding p-value <= rate; no verdict where none could reach it."""
        return self.guarantee.verdict(self.deciding_p_value)

    @property
    def case_id(self) -> str:
        """The id of the case, as its finding has it."""
        return self.case.id

    @property
    def group(self) -> str | None:
        """The group of the case."""
        return self.case.group

    @property
    def time(self) -> datetime | None:
        """The time of the case."""
        return self.case.time

    def finding(self, evidence: "tuple[Evidence, ...]" = (), simulated: bool = False) -> Finding:
        """The judgement as plain data, with the evidence gathered for it."""
        return Finding(
            case_id=self.case.id,
            time=self.case.time,
            group=self.case.group,
            verdict=self.verdict,
            score=self.score,
            single_score=self.single_score,
            p_value=self.p_value,
            by_recording=self.by_recording,
            beside=self.beside,
            guarantee=self.guarantee,
            parts=tuple(
                PartFinding(
                    modality=part.modality,
                    score=part.score,
                    p_value=part.p_value,
                    share=part.share,
                    encoder=part.encoder,
                    detector=part.detector,
                    cut=cut_from(self.case, part.modality, self.signals.get(part.modality)),
                )
                for part in self.parts.values()
            ),
            contradictions=self.contradictions,
            evidence=evidence,
            label=self.case.label,
            refused=tuple(f"{refusal.part}: {refusal.reason}" for refusal in self.refused),
            lacks=self.lacks,
            simulated=simulated,
        )


def cut_from(case: Case, modality: Modality, signal: Any) -> Slice | None:
    """Where a part lies in the file it was cut from; None where it is no piece of one and its case names no recording.

    What tells two files of one name apart is a hash of their paths, so that no path of a machine is in a finding.
    """
    part = case.parts.get(modality)
    if part is None or part.path is None or (part.start is None and part.stop is None and case.recording is None):
        return None
    times = getattr(signal, "times", None)
    count = len(times) if times is not None else getattr(signal, "text", "\n").count("\n") + 1
    first = part.start or 0
    last = first + count if part.stop is None else part.stop
    path = hashlib.sha256(os.fsencode(os.path.realpath(part.path))).hexdigest()[:16]
    start = stop = None
    if times is not None:
        start = float(getattr(signal, "offset", 0.0))
        stop = start + float(times[-1] - times[0]) + usual_step(np.asarray(times))
    recording = path if case.recording is None else case.recording
    file = plain(part.path.name)
    return Slice(part=modality, file=file, recording=recording, first=first, last=last, start=start, stop=stop)
