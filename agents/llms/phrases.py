"""Phrases that every answer is made of: verdict lines, captions with their citation."""

from collections.abc import Iterable

from mmdmad.ask.case import About
from mmdmad.ask.words import caption, percent, short
from mmdmad.findings import Evidence

CAN = (
    "I can tell which cases were flagged and why, what is unusual in a case, where and when, which parts contradict "
    "each other, the nearest normal cases, and how many cases fit a description."
)
CAVEAT = "That means it looks like the normal cases; it does not prove that nothing is wrong."


def sentence(e: Evidence) -> str:
    """A caption without its full stop."""
    return caption(e).rstrip(".")


def cite(case: str, *ids: str) -> str:
    """Evidence ids in brackets, with their case."""
    return f" [{case}: {', '.join(ids)}]" if ids else ""


def captions(d: About, evidence: Iterable[Evidence]) -> list[str]:
    """Captions with their citation."""
    return [f"{sentence(e)}{cite(d.judged.case_id, e.id)}." for e in evidence]


def verdict_line(d: About) -> str:
    """The verdict of a case with its guarantee."""
    f, ids = d.judged, [e.id for e in d.of_kind("verdict")][:1]
    stands = (
        f"joint p-value {short(f.p_value)}, declared false-alarm rate {percent(f.guarantee.rate)}, "
        f"{f.guarantee.size} calibration cases"
    )
    if f.by_recording is not None:
        drawn = f"p-value among recordings {short(f.by_recording.p_value)}, {f.by_recording.count} of these"
        stands += f", {drawn}{', which decides' if f.guarantee.among == 'recordings' else ''}"
    said = {"anomalous": "is anomalous", "normal": "is judged normal", "no verdict": "has no verdict"}[f.verdict]
    return f"{f.case_id} {said}: {stands}{cite(f.case_id, *ids)}."
