"""Phrases that every answer is made of: verdict lines, captions with their citation, rates."""

from collections.abc import Sequence
from typing import Any

from mmdmad.fence import unfence

CAN = (
    "I can tell which cases were flagged and why, what is unusual in a case, where and when, which parts contradict "
    "each other, the nearest normal cases, and how many cases fit a description."
)
CAVEAT = "That means it looks like the normal cases; it does not prove that nothing is wrong."
Result = dict[str, Any]


def percent(rate: float) -> str:
    """A rate as a percentage: 0.01 → "1 %"."""
    return f"{100 * rate:.3g} %"


def cite(d: Result, *ids: str) -> str:
    """Evidence ids in brackets, with their case."""
    return f" [{d['case']}: {', '.join(ids)}]" if ids else ""


def of_kind(d: Result, *kinds: str, part: str = "") -> list[Result]:
    """The evidence of these kinds (and part) in a result."""
    return [e for e in d.get("evidence", []) if (not kinds or e["kind"] in kinds) and (not part or e["part"] == part)]


def captions(d: Result, evidence: Sequence[Result]) -> list[str]:
    """Captions with their citation."""
    return [unfence(e["caption"]).rstrip(".") + cite(d, e["id"]) + "." for e in evidence]


def verdict_line(d: Result) -> str:
    """The verdict of a case with its guarantee."""
    ids = [e["id"] for e in of_kind(d, "verdict")][:1]
    g = d.get("guarantee")
    stands = f"joint p-value {d['p_value']}"
    if g:
        stands += f", declared false-alarm rate {percent(g['rate'])}, {g['calibration_cases']} calibration cases"
    told = {
        "anomalous": f"{d['case']} is anomalous: {stands}",
        "normal": f"{d['case']} is judged normal: {stands}",
        "no verdict": f"{d['case']} has no verdict: {stands}",
    }[d["verdict"]]
    return told + cite(d, *ids) + "."
