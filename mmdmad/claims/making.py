# ruff: noqa: E501  (a statement reads better on one line)
"""From evidence to claims: one reader for each kind of evidence, and what follows from several pieces together.

Claims are made of facts, which is what builders of evidence write their captions from; a caption decides only where the
facts of two statements are the same.
"""

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from mmdmad.claims import of_parts, of_pictures, of_sensor, of_text, of_verdict
from mmdmad.claims.base import Claim, Subject
from mmdmad.claims.frames import Frame, Reader, View, check_frames, leans, part_words, view
from mmdmad.claims.patterns import compiled, covers
from mmdmad.claims.slots import Listing
from mmdmad.claims.tokens import tokens
from mmdmad.findings import Evidence, EvidenceKind, Fact, Finding

READERS: Mapping[EvidenceKind, Reader] = {
    "verdict": of_verdict.of_verdict,
    "part": of_parts.of_part,
    "form": of_pictures.of_form,
    "region": of_pictures.of_region,
    "span": of_sensor.of_span,
    "channel": of_sensor.of_channel,
    "frames": of_pictures.of_frames,
    "words": of_text.of_words,
    "whole": of_pictures.of_whole,
    "contradiction": of_parts.of_contradiction,
    "neighbour": of_parts.of_neighbour,
    "missing": of_parts.of_missing,
    "context": of_parts.of_context,
}
"""What each kind of evidence states; a kind that is not here cannot be evidence."""
OF_FACTS = ("verdict", "part", "contradiction", "neighbour", "missing", "context")
"""Kinds that one builder makes, whose facts mean one thing; of the others a caption has to be read whole as well."""
LINKS = frozenset(("and", "while", "but", "where", ";", ":", "."))
TOGETHER = (
    Frame(
        "largest share", "share", "highest", "part", "the {part} part carries the largest share of the joint score",
        "der Teil {part} trägt den größten Anteil am gemeinsamen Wert", "",
        ("@part (carries|has) the (largest|highest|biggest) share [of the [joint] score]",),
    ),
    Frame(
        "one disturbance", "parts", "count", "parts", "that {parts} stand out in the same case is consistent with one "
        "disturbance seen by each", "dass {parts} im selben Fall auffallen, passt zu einer einzigen Störung, die jeder Teil "
        "zeigt", "unusual", ("{parts} stand out in the same case",),
    ),
)  # fmt: skip
_ALL = (
    *of_verdict.FRAMES, *of_parts.FRAMES, *of_sensor.FRAMES, *of_text.FRAMES, *of_pictures.FRAMES, *TOGETHER
)  # fmt: skip
check_frames(_ALL)
FRAMES: Mapping[str, Frame] = {f.name: f for f in _ALL}


@lru_cache(maxsize=4096)
def claims_of(evidence: Evidence, case: str) -> tuple[Claim, ...]:
    """The claims of one piece of evidence about a case ("" for a run), in the order in which it tells them.

    Evidence of facts that no reader knows (an older run, another distribution) claims what its caption says, whole.

    >>> e = Evidence(id="E2", kind="missing", part="video", caption="The case has no video part; 9 of 10 normal cases "
    ...              "have one.", facts=(Fact(name="part", value="video"), Fact(name="normal cases", value=10),
    ...                                  Fact(name="with this part", value=9)))
    >>> [(c.id, c.field, c.relation, c.value) for c in claims_of(e, "a")]
    [('E2.1', 'part', 'missing', 'video'), ('E2.2', 'with this part', 'count', 9)]
    """
    facts = evidence.facts
    if case and not any(f.name == "case" for f in facts):
        facts = (*facts, Fact(name="case", value=case))
    seen = view(evidence.kind, evidence.part, facts, evidence.caption)
    frames = _stated(seen)
    subject = Subject("case" if case else "run", case, evidence.part or "", _thing(seen))
    return tuple(
        Claim(
            id=f"{evidence.id}.{number}", frame=frame.name, subject=subject, field=frame.field, relation=frame.relation,
            value=_value(seen, frame), unit=_unit(seen, frame), polarity=frame.polarity, span=_span(seen, frame),
            evidence=(evidence.id,), kind=evidence.kind, facts=facts, caption=evidence.caption,
        )
        for number, frame in enumerate(frames, 1)
    )  # fmt: skip


def claims_of_case(
    evidence: Sequence[Evidence], case: str, shares: Mapping[str, float] | None = None
) -> tuple[Claim, ...]:
    """All claims of the evidence of one case, and those that follow from several pieces; C1, C2, … are their ids.

    `shares` are those of all parts and contradictions, where they are known; which is the largest is said only then.
    """
    own = tuple(c for e in evidence for c in claims_of(e, case))
    parts = [e for e in evidence if e.kind == "part" and e.part]
    more = []
    ranked = sorted(shares or {}, key=lambda p: -(shares or {})[p])
    if len(ranked) > 1 and shares and shares[ranked[0]] > shares[ranked[1]] and any(e.part == ranked[0] for e in parts):
        more.append(_joint("largest share", ranked[0], parts, case, (Fact(name="part", value=ranked[0]),)))
    out = [e for e in parts if any(f.name == "state" and f.value == "stands out" for f in e.facts)]
    if len(out) > 1 and any(c.frame == "flagged" for c in own):
        names = ", ".join(sorted((str(e.part) for e in out), key=str))
        more.append(_joint("one disturbance", names, out, case, (Fact(name="parts", value=names),)))
    return (*own, *(replace(c, id=f"C{i}") for i, c in enumerate(more, 1)))


def claims_of_finding(finding: Finding) -> tuple[Claim, ...]:
    """All claims about the case of a finding."""
    shares = {p.modality: p.share for p in finding.parts}
    shares |= {f"contradiction {i}": c.share for i, c in enumerate(finding.contradictions)}
    return claims_of_case(finding.evidence, finding.case_id, shares)


@lru_cache(maxsize=8192)
def seen_by(claim: Claim) -> View:
    """What fills the words of a claim."""
    if claim.kind == "context" and claim.frame in ("largest share", "one disturbance"):
        seen = view("context", claim.subject.part or None, claim.facts, "")
        names = str(claim.value).split(", ")
        seen.slots["parts"] = Listing(tuple(part_words(name) for name in names))
        return seen
    seen = view(claim.kind, claim.subject.part or None, claim.facts, claim.caption)
    _stated(seen)
    return seen


def leaning(claim: Claim) -> bool:
    """Whether a claim, as it is written, is about what was said before it."""
    frame = FRAMES[claim.frame]
    said = {name for _, name, _, _ in string.Formatter().parse(frame.en) if name}
    return len(claim.evidence) == 1 and leans(claim.kind, claim.polarity, said)


def _stated(seen: View) -> list[Frame]:
    named = [FRAMES[name] for name in READERS[seen.kind](seen)]
    found = [frame for frame in named if _gaps(frame) <= seen.slots.keys()]
    if found and (seen.kind in OF_FACTS or _is_caption(seen, found)):
        return found
    return [FRAMES[name] for name in of_parts.said(seen)]


def _is_caption(seen: View, frames: Sequence[Frame]) -> bool:
    """Whether the caption says what the frames do: builders of other distributions may mean other things by a fact."""
    given = tokens(seen.caption)
    while given and given[-1] == ".":
        given.pop()
    said = [(compiled(p), seen.slots) for frame in frames for p in frame.patterns("en")]
    return covers(given, said, LINKS)


def _gaps(frame: Frame) -> set[str]:
    return {name for text in (frame.en, frame.de) for _, name, _, _ in string.Formatter().parse(text) if name}


def _joint(frame: str, value: str, of: Sequence[Evidence], case: str, facts: tuple[Fact, ...]) -> Claim:
    made = FRAMES[frame]
    part = value if frame == "largest share" else ""
    return Claim(
        id="", frame=frame, subject=Subject("case", case, part), field=made.field, relation=made.relation, value=value,
        polarity=made.polarity, evidence=tuple(e.id for e in of), facts=facts,
    )  # fmt: skip


def _thing(seen: View) -> tuple[str, str]:
    for name in ("channel", "line"):
        if name in seen.facts:
            return name, str(seen.facts[name].value)
    return "", ""


def _value(seen: View, frame: Frame) -> float | int | str:
    found = seen.facts.get(frame.value)
    return found.value if found is not None else seen.caption if frame.name == "said" else ""


def _unit(seen: View, frame: Frame) -> str:
    found = seen.facts.get(frame.value)
    return found.unit if found is not None else ""


def _span(seen: View, frame: Frame) -> tuple[float, float] | None:
    """When what a frame says happened: of a statement about normal cases, never."""
    if frame.polarity != "unusual" and "{when}" not in frame.en:
        return None
    start, stop, moment = seen.number("start"), seen.number("stop"), seen.number("time")
    if moment is not None:
        return moment, moment
    return None if start is None or stop is None else (start, stop)


def evidence_of(claim_id: str) -> str:
    """The evidence that a claim of this id is of.

    >>> evidence_of("E3.1"), evidence_of("T2.1")
    ('E3', 'T2')
    """
    return re.sub(r"\.\d+$", "", claim_id)
