"""Questions to a run, answered by code: typed filters, counts, one case, its neighbours, refusals, new files.

Plain functions that return JSON values: ids, numbers and captions, never pixels. `tools` wraps them for agents; the
bench grades against the same store. Nothing here imports LangChain.
"""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mmdmad.cases import Case, Modality, Part
from mmdmad.errors import MmdmadError
from mmdmad.fence import fence
from mmdmad.findings import Evidence, Finding, PartFinding, Verdict
from mmdmad.modalities.base import detail_kinds, modalities
from mmdmad.reasons import channels, contradicted, main_part, missing, unusual

if TYPE_CHECKING:
    from mmdmad.store.run import Run

By = Literal["verdict", "group", "driver", "channel", "kind", "hour", "day", "missing"]


class Filter(BaseModel):
    """Which cases are meant; a field left out does not filter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verdict: Verdict | None = Field(default=None, description="verdict at the declared false-alarm rate")
    driver: Modality | None = Field(default=None, description="what carries the largest share of the joint score")
    unusual: Modality | None = Field(default=None, description="a part whose own p-value is at most the declared rate")
    missing: Modality | None = Field(default=None, description="a part that the case lacks")
    group: str | None = Field(default=None, description="group or product, as stored")
    channel: str | None = Field(default=None, description="a sensor channel that the evidence names")
    contradictory: bool | None = Field(
        default=None, description="whether parts contradict each other at the declared rate"
    )
    since: str | None = Field(default=None, description="ISO date-time, or HH:MM for that time on any day (included)")
    until: str | None = Field(default=None, description="ISO date-time, or HH:MM for that time on any day (excluded)")


def select(run: "Run", where: Filter) -> list[Finding]:
    """The findings that pass the filter, most anomalous first (`findings.order_key`)."""
    stored: dict[str, Any] = {"verdict": where.verdict, "group": where.group, "contradictory": where.contradictory}
    clock: dict[str, time] = {}
    for name in ("since", "until"):
        moment = getattr(where, name)
        if moment and re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", moment):
            clock[name] = time.fromisoformat(moment.rjust(5, "0"))
        elif moment:
            stored[name] = _moment(moment)
    found = run.findings(**{k: v for k, v in stored.items() if v is not None})
    return [f for f in found if _passes(f, where, clock)]


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise MmdmadError(
            f"time {text!r} was given; allowed are ISO date-times (2026-04-01T08:00) and HH:MM"
        ) from error


def _passes(f: Finding, where: Filter, clock: dict[str, time]) -> bool:
    if clock:
        if f.time is None:
            return False
        at = f.time.time().replace(tzinfo=None)
        if ("since" in clock and at < clock["since"]) or ("until" in clock and at >= clock["until"]):
            return False
    return (
        (where.driver is None or main_part(f) == where.driver)
        and (where.unusual is None or where.unusual in unusual(f))
        and (where.missing is None or where.missing in missing(f))
        and (where.channel is None or where.channel in channels(f))
    )


def brief(f: Finding) -> dict[str, Any]:
    """One finding in a line of JSON."""
    return {
        "case": f.case_id, "time": f.time.isoformat(sep=" ", timespec="seconds") if f.time else None, "group": f.group,
        "verdict": f.verdict, "p_value": _round(f.p_value), "driver": main_part(f), "contradicts": contradicted(f),
        "missing": missing(f),
    }  # fmt: skip


def sheet(e: Evidence) -> dict[str, Any]:
    """One evidence item as a model may see it: captions and facts, text from the case fenced, no picture."""
    quoted = e.kind == "words" or e.part == "text"
    facts = {
        f.name: (
            fence(f.value)
            if quoted and isinstance(f.value, str)
            else f.value
            if isinstance(f.value, str)
            else _round(f.value)
        )
        if not f.unit
        else f"{_round(f.value) if not isinstance(f.value, str) else f.value} {f.unit}"
        for f in e.facts
    }
    return {
        "id": e.id,
        "kind": e.kind,
        "part": e.part,
        "caption": fence(e.caption) if quoted else caption(e),
        "facts": facts,
    }


def _round(value: float | int) -> float | int:
    return value if isinstance(value, int) else float(f"{value:.3g}")


def overview(run: "Run") -> dict[str, Any]:
    """The run as a whole: cases, what was flagged by part, kind of evidence, group and hour; the guarantee."""
    every = select(run, Filter())
    flagged = [f for f in every if f.verdict == "anomalous"]
    times = sorted(f.time for f in every if f.time)
    sizes = [f.guarantee.size for f in every]
    return {
        "cases": len(every), "verdicts": _count(f.verdict for f in every), "refused": len(run.refusals()),
        "false_alarm_rate": every[0].guarantee.rate if every else None,
        "calibration_cases": {"smallest": min(sizes), "largest": max(sizes)} if sizes else None,
        "first": times[0].isoformat(sep=" ", timespec="seconds") if times else None,
        "last": times[-1].isoformat(sep=" ", timespec="seconds") if times else None,
        "groups": sorted({f.group for f in every if f.group}),
        "channels": sorted({str(x.value) for f in every for e in f.evidence for x in e.facts if x.name == "channel"}),
        "flagged_by_driver": _count(main_part(f) for f in flagged),
        "flagged_by_group": _count(f.group for f in flagged),
        "flagged_by_hour": _count(f.time.strftime("%Y-%m-%d %H:00") for f in flagged if f.time),
        "flagged_by_evidence": _count(k for f in flagged for k in {e.kind for e in f.evidence}),
        "flagged_with_contradiction": sum(bool(contradicted(f)) for f in flagged),
        "lacking": {m: sum(m in missing(f) for f in every) for m in modalities()},
        "simulated": any(f.simulated for f in every), "worst": [f.case_id for f in every[:3]],
    }  # fmt: skip


def find_cases(run: "Run", where: Filter, limit: int = 10, offset: int = 0, order: str = "rank") -> dict[str, Any]:
    """Cases that pass the filter, most anomalous first ("-rank": least; "time": oldest first), `limit` of them."""
    found = select(run, where)
    if order == "-rank":
        found = found[::-1]
    elif order in ("time", "-time"):
        found = sorted((f for f in found if f.time), key=lambda f: f.time or datetime.max, reverse=order == "-time")
    page = found[offset : offset + limit]
    return {"filter": where.model_dump(exclude_none=True), "total": len(found), "cases": [brief(f) for f in page]}


def count_cases(run: "Run", where: Filter, by: By | None = None) -> dict[str, Any]:
    """How many cases pass the filter, in all or by a property."""
    found = select(run, where)
    out: dict[str, Any] = {"filter": where.model_dump(exclude_none=True), "total": len(found)}
    if by is not None:
        out["by"] = by
        out["counts"] = counts = _count(k for f in found for k in _keys(f, by))
        out["most"] = [k for k, n in counts.items() if n == max(counts.values())]
    return out


def _keys(f: Finding, by: By) -> Iterable[Any]:
    if by == "channel":
        return channels(f)
    if by == "kind":
        return sorted({e.kind for e in f.evidence})
    if by == "missing":
        return missing(f)
    if by in ("hour", "day"):
        return [f.time.strftime("%Y-%m-%d %H:00" if by == "hour" else "%Y-%m-%d")] if f.time else []
    return [{"verdict": f.verdict, "group": f.group, "driver": main_part(f)}[by]]


def _count(keys: Iterable[Any]) -> dict[str, int]:
    return {str(k): n for k, n in Counter(k for k in keys if k is not None).most_common()}


def resolve(run: "Run", case_id: str) -> Finding | dict[str, Any]:
    """The finding of the case meant by `case_id`: its exact id, another spelling, or its number; else what is near."""
    found = run.finding(case_id)
    if found is not None:
        return found
    ids = [f.case_id for f in run.findings()]
    asked = re.sub(r"[\W_]+", "", case_id).lower()
    same = [i for i in ids if re.sub(r"[\W_]+", "", i).lower() == asked]
    digits = re.fullmatch(r"\D*0*(\d+)", case_id)
    prefix = re.sub(r"\W|_|\d", "", case_id).lower()
    if not same and digits:
        words = ("", "case", "no", "number", "nr", *{i.lower().split("-")[0] for i in ids})
        numbers = {i: re.search(r"(\d+)\D*$", i) for i in ids}
        same = [i for i, m in numbers.items() if m and int(m[1]) == int(digits[1]) and prefix in words]
    if len(same) == 1:
        return run.finding(same[0]) or {"error": f"case {same[0]} vanished from the store"}
    import difflib

    near = same or difflib.get_close_matches(case_id, ids, 3, 0.5)
    return {
        "error": f"no case is called {case_id}" if not same else f"{case_id} may be several cases",
        "nearest": near[:5],
    }


def open_case(run: "Run", case_id: str) -> dict[str, Any]:
    """Everything known of one case: verdict and guarantee, parts, contradictions, evidence with captions and facts."""
    f = resolve(run, case_id)
    if isinstance(f, dict):
        return f
    return brief(f) | {
        "score": _round(f.score), "simulated": f.simulated,
        "guarantee": _guarantee(f) | {"note": f.guarantee.note},
        "parts": [_part(p) for p in f.parts],
        "contradictions": [
            {"part": c.part, "given": list(c.given), "p_value": _round(c.p_value)} for c in f.contradictions
        ],
        "refused_parts": [fence(r) for r in f.refused], "evidence": [sheet(e) for e in f.evidence],
    }  # fmt: skip


def _guarantee(f: Finding) -> dict[str, Any]:
    g = f.guarantee
    smallest = _round(g.smallest_p_value)
    return {"rate": g.rate, "calibration_cases": g.size, "smallest_p_value": smallest, "valid": g.valid}


def _part(p: PartFinding) -> dict[str, Any]:
    values = {"part": p.modality, "p_value": _round(p.p_value), "share": _round(p.share)}
    return values | {"encoder": p.encoder, "detector": p.detector}


def compare_with_normals(run: "Run", case_id: str) -> dict[str, Any]:
    """The nearest normal cases of one case, and what lies outside their range."""
    f = resolve(run, case_id)
    if isinstance(f, dict):
        return f
    kinds = ("neighbour", *detail_kinds())
    sheets = [
        sheet(e)
        for e in sorted(f.evidence, key=lambda e: kinds.index(e.kind) if e.kind in kinds else 9)
        if e.kind in kinds
    ]
    return brief(f) | {"evidence": sheets}


def list_refusals(run: "Run", limit: int = 20) -> dict[str, Any]:
    """Parts and cases that could not be used, and why."""
    refused = run.refusals()
    rows = [{"case": r.case_id, "part": r.part, "reason": fence(r.reason)} for r in refused[:limit]]
    return {"total": len(refused), "refused": rows}


def score_files(run: "Run", files: dict[Modality, str], folder: Path) -> dict[str, Any]:
    """Judge a new case made of files below `folder`; nothing is stored."""
    parts: dict[Modality, Part] = {}
    for modality, name in files.items():
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise MmdmadError(f"{name!r} leads out of {folder}; only files below it can be scored from the chat")
        if not path.exists():
            raise MmdmadError(f"there is no file {name!r} in {folder}")
        parts[modality] = Part(modality, path=path, case_id="new")
    if not parts:
        raise MmdmadError(f"no file was given; name at least one of {', '.join(modalities())}")
    known = next(iter(run.findings(limit=1)), None)
    rate = known.guarantee.rate if known else 0.01
    finding = run.model.finding(Case("new", parts), rate, None)
    return brief(finding) | {
        "guarantee": _guarantee(finding),
        "parts": [_part(p) for p in finding.parts],
        "evidence": [sheet(e) for e in finding.evidence],
    }


def caption(e: Evidence) -> str:
    """The caption, with a channel's name at its head spelled as the channel is."""
    name = next((str(f.value) for f in e.facts if f.name == "channel"), "")
    same = name and e.caption.lower().startswith(name.lower())
    return name + e.caption[len(name) :] if same else e.caption
