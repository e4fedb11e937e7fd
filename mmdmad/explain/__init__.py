"""Evidence: what a judgement rests on, as numbered facts with one true sentence each and pictures on a fixed scale.

`gather` turns a judgement into evidence. Nothing here changes a score or a verdict.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdmad.cases import Modality
from mmdmad.files import folder_name, replacing
from mmdmad.findings import Evidence

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from mmdmad.explain.maps import Span
    from mmdmad.explain.reference import Reference
    from mmdmad.explain.words import Draft
    from mmdmad.judgement import Judgement, PartJudgement

DRAWN_UP_TO = 0.05  # cases up to this joint p-value get pictures even if they are not flagged

__all__ = ["folder_name", "gather"]


def gather(judgement: "Judgement", reference: "Reference", artifacts: Path | None) -> tuple[Evidence, ...]:
    """Numbered evidence for a judged case: the verdict with its guarantee first, then what carries it, by share.

    Pictures go to `artifacts`/<folder of the case>/E<n>.png, for cases that are flagged or close to it; evidence
    names them relative to the parent of `artifacts` (the run directory). Parts that look normal get one line, parts
    that stand out also where, what was measured there, and the nearest normal cases.
    """
    from mmdmad.explain import relations, verdict

    near_flagged = judgement.p_value <= max(judgement.guarantee.rate, DRAWN_UP_TO)
    folder = None
    if artifacts is not None and (judgement.verdict == "anomalous" or near_flagged):
        folder = _Folder(artifacts, judgement.case.id)
    found: list[Evidence] = []

    def add(draft: "Draft", artifact: str | None = None) -> Evidence:
        found.append(draft.numbered(len(found) + 1, artifact))
        return found[-1]

    add(verdict.verdict(judgement))
    contradictions = relations.worth_saying(judgement)
    main = max((p.share for p in judgement.parts.values()), default=0.0)
    for contradiction in (c for c in contradictions if c.share >= main):
        add(relations.contradiction(contradiction, judgement, reference))
    parts = sorted(judgement.parts.values(), key=lambda p: -p.share)
    for judged in parts:
        artifact: str | None = None
        drafts: list[Draft] = []
        wanted = stands_out(judged, judgement)
        if wanted or folder is not None:
            drafts, picture, texts = _look(judged, judgement, reference)
        if folder is not None:
            artifact = folder.save(f"E{len(found) + 1}", picture, texts)
        add(verdict.part(judged, judgement), artifact)
        for draft in drafts if wanted else []:
            add(draft, artifact)
    for contradiction in (c for c in contradictions if c.share < main):
        add(relations.contradiction(contradiction, judgement, reference))
    odd = {c.part for c in contradictions}
    compared = [p for p in parts if stands_out(p, judgement) or p.modality in odd] or parts[:1]
    for judged in compared:
        for draft in relations.neighbours(judged, reference):
            add(draft)
    for draft in verdict.missing(judgement, reference):
        add(draft)
    return tuple(found)


def stands_out(judged: "PartJudgement", judgement: "Judgement") -> bool:
    """Whether a part is worth more than one line: unusual by itself, or a main reason why a case is flagged."""
    from mmdmad.explain.relations import worth_saying
    from mmdmad.explain.verdict import UNUSUAL

    if judged.p_value <= max(UNUSUAL, judgement.guarantee.rate):
        return True
    if judgement.verdict != "anomalous":
        return False
    odd = any(c.part == judged.modality for c in worth_saying(judgement))
    shares = [p.share for p in judgement.parts.values()] + [c.share for c in judgement.contradictions]
    return odd or judged.share == max(shares)


def _look(
    judged: "PartJudgement", judgement: "Judgement", reference: "Reference"
) -> tuple[list["Draft"], "Any", dict[str, Any] | None]:
    """Evidence about where and what in one part, a function that draws it, and the marked text if it is a text."""
    signal, group = judgement.signals[judged.modality], judgement.case.group
    modality: Modality = judged.modality
    if modality == "image":
        from mmdmad.explain import image

        cells, regions = image.look(judged, signal.pixels)
        marked = regions if stands_out(judged, judgement) else []
        return image.evidence(cells, regions, signal.pixels), lambda: _image(signal.pixels, cells, marked), None
    if modality == "sensor":
        from mmdmad.explain import sensor

        views = sensor.look(judged, signal, reference, group)
        return sensor.evidence(views, judged, signal.times), lambda: _sensor(views), None
    if modality == "video":
        from mmdmad.explain import video

        view = video.look(judged, signal)
        if view is None:
            return [], None, None
        return video.evidence(view, signal, reference, group), lambda: _video(view, signal), None
    from mmdmad.explain import text

    spans = text.look(judged, signal.text)
    found = text.carried(judged, spans, signal.text) if stands_out(judged, judgement) else []
    words = text.marks(spans, signal.text, reference, found)
    stored = {"text": signal.text, "spans": _marks(spans), "words": _marks(words)}
    return text.evidence(spans, signal.text, reference, found) + text.letters(judged), None, stored


def _marks(spans: Sequence["Span"]) -> list[dict[str, float]]:
    return [{"start": int(s.start), "stop": int(s.stop), "heat": round(s.peak, 3)} for s in spans]


def _image(pixels: Any, cells: Any, regions: Any) -> "Picture":
    from mmdmad.explain.draw import image_picture

    return image_picture(pixels, cells, regions)


def _sensor(views: Any) -> "Picture":
    from mmdmad.explain.draw import sensor_picture

    return sensor_picture(views)


def _video(view: Any, signal: Any) -> "Picture":
    from mmdmad.explain.draw import strip_picture
    from mmdmad.explain.video import key_frames

    return strip_picture(*key_frames(view, signal))


class _Folder:
    """The artifact folder of one case; files from an earlier judgement of the same case are removed first."""

    def __init__(self, artifacts: Path, case_id: str) -> None:
        self.path = artifacts / folder_name(case_id)
        self.relative = f"{artifacts.name}/{self.path.name}"
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)

    def save(self, name: str, draw: Any, text: dict[str, Any] | None) -> str | None:
        """Draw and store a picture, or store a marked text beside; returns the picture's path in the run directory."""
        if text is not None:
            with replacing(self.path / "text.json") as unfinished:
                unfinished.write_text(json.dumps(text, ensure_ascii=False), encoding="utf-8")
        if draw is None:
            return None
        with replacing(self.path / f"{name}.png") as unfinished:
            draw().save(unfinished, format="PNG", compress_level=3)
        return f"{self.relative}/{name}.png"
