"""Evidence: what a judgement rests on, as numbered facts with one true sentence each and pictures on a fixed scale.

`gather` turns a judgement into evidence. Nothing here changes a score or a verdict.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmdmad.cases import Modality
from mmdmad.files import folder_name, make_folder, replacing
from mmdmad.findings import Evidence, outermost
from mmdmad.modalities.base import modality_of

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from mmdmad.explain.base import Look
    from mmdmad.explain.normal import Normal
    from mmdmad.explain.words import Draft
    from mmdmad.judgement import Judgement, PartJudgement

DRAWN_UP_TO = 0.05  # cases up to this joint p-value get pictures even if they are not flagged

__all__ = ["folder_name", "gather", "pictures"]


def gather(judgement: "Judgement", normal: "Normal", artifacts: Path | None) -> tuple[Evidence, ...]:
    """Numbered evidence for a judged case: the verdict with its guarantee first, then what carries it, by share.

    Pictures go to `artifacts`/<folder of the case>/E<n>.png, for the cases that `is_drawn` names; evidence names them
    relative to the parent of `artifacts` (the run directory). Parts that look normal get one line, parts that stand
    out also where, what was measured there, and the nearest normal cases. What is other in the form of a part (rate,
    gaps, size) is said of all.
    """
    from mmdmad.explain import relations, verdict, whole
    from mmdmad.explain.base import Look

    folder = None
    if artifacts is not None and is_drawn(judgement):
        folder = _Folder(artifacts, judgement.case.id)
    found: list[Evidence] = []

    def add(draft: "Draft", artifact: str | None = None) -> Evidence:
        found.append(draft.numbered(len(found) + 1, artifact))
        return found[-1]

    add(verdict.verdict(judgement))
    contradictions = relations.worth_saying(judgement)
    main = max((p.share for p in judgement.parts.values()), default=0.0)
    for contradiction in (c for c in contradictions if c.share >= main):
        add(relations.contradiction(contradiction, judgement, normal))
    parts = sorted(judgement.parts.values(), key=lambda p: -p.share)
    for judged in parts:
        artifact: str | None = None
        look = Look()
        wanted = stands_out(judged, judgement)
        if wanted or folder is not None:
            look = _look(judged, judgement, normal)
        if folder is not None:
            artifact = folder.save(f"E{len(found) + 1}", judged.modality, look)
        add(verdict.part(judged, judgement), artifact)
        for draft in _form(judged, judgement, normal):
            add(draft)
        as_whole = whole.evidence(judged) if wanted else []
        # that nothing stands out by itself is no news beside what is odd about the whole
        for draft in look.drafts if wanted and (look.placed or not as_whole) else ():
            add(draft, artifact)
        for draft in as_whole:
            add(draft)
    for contradiction in (c for c in contradictions if c.share < main):
        add(relations.contradiction(contradiction, judgement, normal))
    odd = {c.part for c in contradictions}
    compared = [p for p in parts if stands_out(p, judgement) or p.modality in odd] or parts[:1]
    for judged in compared:
        for draft in relations.neighbours(judged, normal):
            add(draft)
    for draft in (*verdict.missing(judgement, normal), *verdict.readings(judgement)):
        add(draft)
    return tuple(found)


def is_drawn(judgement: "Judgement") -> bool:
    """Whether a case gets pictures: flagged or close to it, or as unusual as can be where nothing can be flagged."""
    g = judgement.guarantee
    smallest = min(judgement.p_value, judgement.deciding_p_value)
    return smallest <= max(g.rate, DRAWN_UP_TO) or outermost(judgement.p_value, g.smallest_p_value)


def pictures(judgement: "Judgement", normal: "Normal") -> "dict[Modality, Picture]":
    """The pictures of all parts of a judged case, whatever its p-value, drawn now; the largest share first."""
    drawn = [judged for judged in judgement.parts.values() if modality_of(judged.modality).picture_note]
    parts = sorted(drawn, key=lambda p: -p.share)
    looks = {judged.modality: _look(judged, judgement, normal) for judged in parts}
    return {modality: look.draw() for modality, look in looks.items() if look.draw is not None}


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


def _form(judged: "PartJudgement", judgement: "Judgement", normal: "Normal") -> "Sequence[Draft]":
    """What is other in the form of the part, whatever its score."""
    signal, known = judgement.signals[judged.modality], normal.of(judged.modality)
    return modality_of(judged.modality).form(signal, known, judgement.case.group)


def _look(judged: "PartJudgement", judgement: "Judgement", normal: "Normal") -> "Look":
    """What the part's modality finds by looking at it: where and what, a picture, a marked text."""
    from mmdmad.explain.base import Look, Seen

    seen = Seen(
        judged=judged,
        signal=judgement.signals[judged.modality],
        group=judgement.case.group,
        normal=normal.of(judged.modality),
        telling=stands_out(judged, judgement),
    )
    return modality_of(judged.modality).look(seen) or Look()


class _Folder:
    """The artifact folder of one case; files from an earlier judgement of the same case are removed first."""

    def __init__(self, artifacts: Path, case_id: str) -> None:
        self.path = artifacts / folder_name(case_id)
        self.relative = f"{artifacts.name}/{self.path.name}"
        if self.path.is_symlink():  # what a link leads to belongs to somebody else
            self.path.unlink()
        shutil.rmtree(self.path, ignore_errors=True)
        make_folder(self.path)

    def save(self, name: str, modality: Modality, look: "Look") -> str | None:
        """Draw and store the picture of a look, and its marked text; returns the picture's path in the run folder."""
        if look.marked is not None:
            with replacing(self.path / f"{modality}.json") as unfinished:
                unfinished.write_text(json.dumps(look.marked, ensure_ascii=False), encoding="utf-8")
        if look.draw is None:
            return None
        with replacing(self.path / f"{name}.png") as unfinished:
            look.draw().save(unfinished, format="PNG", compress_level=3)
        return f"{self.relative}/{name}.png"
