"""What drives a finding, said once for all: the store's columns, filters, counts, reports, chats and exams ask here.

Pure functions of one finding; the shares of its parts and contradictions sum to its joint score.
"""

from mmdmad.findings import Finding, PartName
from mmdmad.modalities.base import modalities

CONTRADICTION = "contradiction"  # beside the names of modalities, what can drive a finding
CHANNEL_KINDS = ("channel", "span")  # the evidence that names a channel because it is unusual


def main_reason(finding: Finding) -> str | None:
    """What carries the largest share of the joint score: a part by itself, or that the parts do not fit together.

    All contradictions of a case are one reason: one odd part makes every pair with it odd, and each pair takes its
    share. None where nothing was judged; at equal shares the part goes first.
    """
    part = main_part(finding)
    if part is None:
        return None
    own = max(p.share for p in finding.parts)
    return CONTRADICTION if sum(c.share for c in finding.contradictions) > own else part


def main_part(finding: Finding) -> PartName | None:
    """The part with the largest share by itself, whatever the contradictions carry; None where nothing was judged."""
    return max(finding.parts, key=lambda p: p.share).modality if finding.parts else None


def contradicted(finding: Finding) -> list[PartName]:
    """Parts that do not fit the others at the declared rate, the one that carries most of the joint score first.

    One odd part makes every pair with it odd, often at the same smallest p-value; the share tells it from the rest.
    """
    odd = [c for c in finding.contradictions if c.p_value <= finding.guarantee.rate]
    return [c.part for c in sorted(odd, key=lambda c: (-c.share, c.p_value))]


def unusual(finding: Finding) -> list[PartName]:
    """Parts whose own p-value is at most the declared rate."""
    return [p.modality for p in finding.parts if p.p_value <= finding.guarantee.rate]


def missing(finding: Finding) -> list[PartName]:
    """The parts that a finding was judged without: of those that its model has learned, where that is known."""
    return [m for m in modalities() if m not in finding.pattern] if finding.lacks is None else [*finding.lacks]


def channels(finding: Finding) -> list[str]:
    """Sensor channels that the evidence names as unusual, in its order."""
    found = [str(f.value) for e in finding.evidence for f in e.facts if f.name == "channel" and e.kind in CHANNEL_KINDS]
    return list(dict.fromkeys(found))
