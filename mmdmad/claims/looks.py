# ruff: noqa: E501  (a line reads better whole)
"""What to look at next, by kind of evidence: a checked list, so that advice says no more than where something is.

Each line names what the evidence names and a way to see it; none says what is wrong or what to repair.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mmdmad.claims.base import Claim, Language
from mmdmad.claims.making import seen_by
from mmdmad.findings import EvidenceKind

LOOKS: dict[EvidenceKind, tuple[str, str]] = {
    "channel": ("look next at channel {channel} {when}", "als Nächstes Kanal {channel} {when} ansehen"),
    "span": ("look next at the sensor data {when}", "als Nächstes die Sensordaten {when} ansehen"),
    "region": ("look next at the picture, {at} {place}", "als Nächstes das Bild ansehen, {place}"),
    "frames": ("look next at the video {when}", "als Nächstes das Video {when} ansehen"),
    "words": ("look next at line {line} of the text", "als Nächstes Zeile {line} des Textes ansehen"),
    "whole": ("look next at the {part} part beside that of a normal case", "als Nächstes den Teil {part} neben dem eines "
              "normalen Falls ansehen"),
    "contradiction": ("compare next the {part} part with the {given}", "als Nächstes den Teil {part} mit {given} vergleichen"),
    "neighbour": ("compare next with the normal case {nearest_normal_case}", "als Nächstes mit dem normalen Fall "
                  "{nearest_normal_case} vergleichen"),
    "missing": ("check next why the {part} part is not there", "als Nächstes klären, warum der Teil {part} fehlt"),
}  # fmt: skip
"""Where a kind has no line, there is nothing that one could look at."""


@dataclass(frozen=True)
class Look:
    """One thing to look at, and the claims that point there."""

    id: str
    kind: EvidenceKind
    claims: tuple[Claim, ...]

    def written(self, language: Language = "en") -> str:
        """The line as a sentence."""
        slots = {name: slot.written(language) for name, slot in seen_by(self.claims[0]).slots.items()}
        words = " ".join(LOOKS[self.kind][language == "de"].format(**slots).split())
        return f"{words[:1].upper()}{words[1:]}."


def looks_of(claims: Sequence[Claim]) -> tuple[Look, ...]:
    """What to look at after these claims, one line for each piece of evidence that points somewhere; L1, L2, …"""
    found: list[Look] = []
    for claim in claims:
        if claim.kind not in LOOKS or claim.polarity == "usual" or claim.frame == "said":
            continue
        if any(claim.evidence == look.claims[0].evidence for look in found) or not _said(claim):
            continue
        look = Look(f"L{len(found) + 1}", claim.kind, (claim,))
        if all(look.written() != other.written() for other in found):
            found.append(look)
    return tuple(found)


def _said(claim: Claim) -> bool:
    """Whether the claim fills every gap of the line of its kind."""
    slots = {name: slot.written("en") for name, slot in seen_by(claim).slots.items()}
    try:
        LOOKS[claim.kind][0].format(**slots)
    except KeyError:
        return False
    return True
