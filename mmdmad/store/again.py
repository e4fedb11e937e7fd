"""An id that is used again: is it the same case, the same files with other content, or another case?

One id has one finding in a run. Nothing that was judged is erased without being asked: other content under a known id
is refused by name, unless the caller says that it shall take the place of the earlier one. A file that was replaced by
one that cannot be used is the exception in the other direction: its earlier verdict is no longer that of the file, so
it is withdrawn, and the finding says so.
"""

from dataclasses import replace
from typing import Literal

from mmdmad.cases import Case, Refusal
from mmdmad.errors import RunError
from mmdmad.findings import Evidence, Fact, Finding, Guarantee
from mmdmad.store import db, serial

Standing = Literal["new", "same", "relabelled", "changed", "other"]
"""Never judged (or withdrawn); judged as it is; the same content with another time, group or label; the same files with
other content; other files."""

OUT = (
    "give the new case another id, score it into another run folder, or let it take the place of the earlier one with "
    "`mmdmad score --replace` (replace=True)"
)


def standing(case: Case, found: Finding, content: str, source: str) -> Standing:
    """How a case stands to what was judged under its id: the finding, the mark of its content, and the case as JSON."""
    if not found.parts:
        return "new"
    if serial.content(case) == content:
        return "same"
    before = serial.case_from_json(case.id, source)
    if serial.content(replace(case, time=before.time, group=before.group, label=before.label)) == content:
        return "relabelled"
    return "changed" if serial.places(case) == serial.places(before) else "other"


def used_again(case: Case, found: Finding, how: Standing) -> Refusal:
    """The refusal of a case whose id was judged before from other content."""
    what = "content" if how == "changed" else "files"
    told = f"the id was judged before ({found.verdict}, p = {found.p_value:.3g}) from other {what}"
    return Refusal(case.id, "case", f"{told}; that finding is kept: {OUT}", case.row)


def twice(case: Case) -> Refusal:
    """The refusal of a case whose id another case of the same call has, with other content."""
    reason = "two cases of this id were given, with other content; give each its own id"
    return Refusal(case.id, "case", reason, case.row)


def withdrawn(found: Finding, case: Case, reason: str) -> Finding:
    """A finding without a verdict, in the place of one whose file can no longer be used."""
    before = f"It was judged {found.verdict} before, with joint p-value {found.p_value:.3g}"
    caption = f"Case {case.id} has no verdict: its files were replaced since, and cannot be used ({reason}). {before}."
    facts = (
        Fact(name="case", value=case.id),
        Fact(name="verdict", value="no verdict"),
        Fact(name="verdict before", value=found.verdict),
        Fact(name="p-value", value=found.p_value),
        Fact(name="reason", value=reason),
    )
    note = f"its files were replaced since it was judged, and cannot be used: {reason}"
    return Finding(
        case_id=case.id,
        time=case.time,
        group=case.group,
        label=case.label,
        verdict="no verdict",
        score=0.0,
        p_value=1.0,
        guarantee=found.guarantee.model_copy(update={"valid": False, "note": note}),
        parts=(),
        evidence=(Evidence(id="E1", kind="verdict", caption=caption, facts=facts),),
        refused=(f"case: {reason}",),
        simulated=found.simulated,
    )


_NAMED, _KEPT = "named normal on", "judged before the recalibration of"


def named(found: Finding, day: str) -> Finding:
    """The finding of a case that a person has named normal: without a verdict, for other cases are ranked with it."""
    if is_named(found.guarantee):
        return found
    before = f"It was judged {found.verdict} before, with joint p-value {found.p_value:.3g}"
    caption = (
        f"Case {found.case_id} was {_NAMED} {day}; other cases are ranked with it since, so it gets no verdict of its"
    )
    facts = (
        Fact(name="case", value=found.case_id), Fact(name="verdict", value="no verdict"),
        Fact(name="named normal on", value=day), Fact(name="verdict before", value=found.verdict),
        Fact(name="p-value", value=found.p_value),
    )  # fmt: skip
    own = Evidence(id="E1", kind="verdict", caption=f"{caption} own. {before}.", facts=facts)
    told = tuple(own.model_copy(update={"id": e.id}) if e.kind == "verdict" else e for e in found.evidence) or (own,)
    note = f"{_NAMED} {day}: it is not judged against itself"
    guarantee = found.guarantee.model_copy(update={"valid": False, "attained": None, "note": note})
    return found.model_copy(
        update={"verdict": "no verdict", "guarantee": guarantee, "evidence": told, "explanation": None}
    )


def kept(found: Finding, day: str, reason: str) -> Finding:
    """The finding of a case that cannot be judged anew: its verdict stays, its promise was that of another level."""
    note = f"{_KEPT} {day} and not since ({reason})"
    guarantee = found.guarantee.model_copy(update={"valid": False, "note": note})
    return found.model_copy(update={"guarantee": guarantee, "explanation": None})


def is_kept(guarantee: Guarantee) -> bool:
    """Whether it is of a case that could not be judged anew after a recalibration."""
    return guarantee.note.startswith(_KEPT)


def is_named(guarantee: Guarantee) -> bool:
    """Whether it is of a case that a person has named normal."""
    return guarantee.note.startswith(_NAMED)


def unchanged(row: db.DocumentRow) -> Case:
    """The case of a stored finding, to be looked at again; RunError where its files are not what was judged."""
    case = serial.case_from_json(row.case_id, row.source)
    if serial.content(case) != row.content:
        raise RunError(f"the files of case {row.case_id!r} were changed since, or its parts lay in memory")
    return case


def lost_parts(before: Finding, now: Finding) -> str:
    """Parts that were judged before and are refused now, with the reasons; "" if there are none."""
    judged = {part.modality for part in before.parts}
    return "; ".join(f"{r.part}: {r.reason}" for r in now.refusals() if r.part in judged)
