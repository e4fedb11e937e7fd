"""The offline writer: a finding's evidence as the note of a careful engineer, without a language model.

Each sentence is put together from captions of the evidence it cites, which are true by construction; `grounding`
checks it all the same. It never names a cause: at most it says what the evidence is consistent with.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmdmad.ask.words import caption
from mmdmad.findings import Evidence, Finding
from mmdmad.modalities.base import detail_kinds, modalities, ordered

LONGEST = 8


@dataclass(frozen=True)
class Draft:
    """A sentence before it is checked, and the evidence ids it cites."""

    text: str
    cites: tuple[str, ...]


def write(finding: Finding) -> list[Draft]:
    """Three to eight sentences: verdict, what is unusual or of another form, contradiction, nearest, missing."""
    drafts = [*_captions(finding, "verdict", 1)]
    if finding.verdict == "normal" and all(p.p_value > finding.guarantee.rate for p in finding.parts):
        drafts += [*_captions(finding, "part", 1), *_captions(finding, "form", 2)]
    else:
        odd = _captions(finding, "contradiction", 1)
        lead = max((p.share for p in finding.parts), default=0.0)
        first = any(c.share > lead for c in finding.contradictions)
        own = [*_unusual(finding), *_together(finding)]
        drafts += [*odd, *own] if first else [*own, *odd]
    return [*drafts, *_captions(finding, "neighbour", 1), *_captions(finding, "missing", 2)][:LONGEST]


def _kind(finding: Finding, *kinds: str) -> list[Evidence]:
    return [e for e in finding.evidence if e.kind in kinds]


def _captions(finding: Finding, kind: str, most: int) -> list[Draft]:
    return [Draft(caption(e), (e.id,)) for e in _kind(finding, kind)[:most]]


def _unusual(finding: Finding) -> list[Draft]:
    """What stands out in each part, the part with the largest share first; at most four details."""
    drafts: list[Draft] = []
    own = {p.modality: p.p_value for p in finding.parts}
    for part in _kind(finding, "part"):
        kinds, most = _told(part.part)
        own_details = (e for e in _kind(finding, *kinds) if e.part == part.part)
        details = sorted(own_details, key=lambda e: kinds.index(e.kind))
        details = details[: max(most, min(2, sum(e.kind == "form" for e in details)))]
        if not details and part.part is not None and own[part.part] > finding.guarantee.rate:
            continue
        if not details:
            drafts.append(Draft(part.caption, (part.id,)))
            continue
        first, *rest = details
        detail = re.sub(rf"^the {part.part}(?: data)? stands? out ", "", _low(caption(first)))
        drafts.append(Draft(f"{part.caption.rstrip('.')}: {detail}", (part.id, first.id)))
        drafts += [Draft(_high(caption(e)), (e.id,)) for e in rest]
    return drafts[:4]


def _told(part: str | None) -> tuple[tuple[str, ...], int]:
    """Which kinds of evidence are told of an unusual part, the most telling first, and how many."""
    known = modalities().get(part or "")
    return (detail_kinds(), 1) if known is None else (known.kinds, known.details)


def _together(finding: Finding) -> list[Draft]:
    """Several parts out at once: said as what it is consistent with, never as a cause."""
    beyond = [p.modality for p in finding.parts if p.p_value <= finding.guarantee.rate]
    cites = tuple(e.id for e in _kind(finding, "part") if e.part in beyond)
    if finding.verdict != "anomalous" or len(cites) < 2:
        return []
    names = listed(ordered(beyond))
    return [Draft(f"That {names} stand out in the same case is consistent with one disturbance seen by each.", cites)]


def listed(items: Sequence[str]) -> str:
    """Items in words.

    >>> listed(["image", "text", "video"])
    'image, text and video'
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _low(text: str) -> str:
    return text[:1].lower() + text[1:]


def _high(text: str) -> str:
    return text if "_" in text.split(" ")[0] else text[:1].upper() + text[1:]
