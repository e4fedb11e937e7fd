"""Findings made by hand for the tests of the store: small, and every number chosen."""

from datetime import datetime
from typing import Any

from mmdmad.findings import Contradiction, Evidence, Fact, Finding, Guarantee, PartFinding


def part(modality: str, p_value: float = 0.5, share: float = 1.0, score: float = 2.0) -> PartFinding:
    return PartFinding(
        modality=modality, score=score, p_value=p_value, share=share, encoder=f"{modality}-e", detector=f"{modality}-d"
    )


def evidence(number: int, kind: str, *facts: tuple[str, Any], part: str | None = None) -> Evidence:
    given = tuple(Fact(name=name, value=value) for name, value in facts)
    return Evidence(id=f"E{number}", kind=kind, part=part, caption="said", facts=given)


def contradiction(part: str, p_value: float = 0.5, share: float = 0.0) -> Contradiction:
    return Contradiction(part=part, given=("text",), score=0.1, p_value=p_value, share=share)


def finding(
    case_id: str, p_value: float = 0.5, score: float = 1.0, *, parts: tuple[PartFinding, ...] | None = None, **more: Any
) -> Finding:
    parts = (part("text"),) if parts is None else parts
    rate, size = more.pop("rate", 0.1), more.pop("size", 99)
    pattern = tuple(p.modality for p in parts)
    verdict = more.pop("verdict", "anomalous" if p_value <= rate else "normal")
    guarantee = Guarantee(rate=rate, size=size, interval=(0.0, 0.2), pattern=pattern)
    time = more.pop("time", None)
    time = datetime.fromisoformat(time) if isinstance(time, str) else time
    return Finding(
        case_id=case_id, p_value=p_value, score=score, parts=parts, verdict=verdict, guarantee=guarantee, time=time,
        **more,
    )  # fmt: skip
