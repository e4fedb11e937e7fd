"""Evidence about the case as a whole: verdict with its guarantee, each part's p-value and share, missing parts."""

from typing import TYPE_CHECKING

from mmdmad.explain.normal import Normal
from mmdmad.explain.words import Draft, draft, fact, listed
from mmdmad.modalities.base import ordered

if TYPE_CHECKING:
    from mmdmad.findings import Finding, PartFinding
    from mmdmad.judgement import Judgement, PartJudgement

UNUSUAL = 0.05  # a part up to this p-value is called unusual even where it is above the declared rate
_USUAL_PART = 0.5  # a part that at least this share of the normal cases has is missed where it is not given


def verdict(judgement: "Judgement | Finding") -> Draft:
    """What is decided about the case and what stands behind it."""
    guarantee, group, time = judgement.guarantee, judgement.group, judgement.time
    facts = [
        fact("case", judgement.case_id),
        fact("verdict", judgement.verdict),
        fact("p-value", judgement.p_value),
        fact("joint score", judgement.score),
        fact("declared false-alarm rate", 100 * guarantee.rate, "%"),
        fact("calibration cases", guarantee.size),
        fact("interval level", 95, "%"),
        fact("interval low", 100 * guarantee.interval[0], "%"),
        fact("interval high", 100 * guarantee.interval[1], "%"),
        fact("pattern", listed(guarantee.pattern)),
    ]
    known = []
    if group:
        facts.append(fact("group", group))
        known.append("group {group}")
    if time is not None:
        facts.append(fact("time", time.isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC")))
        known.append("{time}")
    who = "case {case}" + (f" ({', '.join(known)})" if known else "")
    basis = (
        "({calibration_cases} calibration cases of this pattern; {interval_level} interval {interval_low} to "
        "{interval_high})"
    )
    if guarantee.within:
        basis = basis.replace("of this pattern", "of its own group")
    own, p_value = judgement.by_recording, "joint p-value {p-value}"
    if own is not None:
        facts += [fact("p-value among recordings", own.p_value), fact("calibration recordings", own.count)]
        among = "one window of each of {calibration_recordings} calibration recordings"
        if guarantee.among == "recordings":
            p_value = "p-value {p-value_among_recordings} among " + among
            basis = (
                "(joint p-value {p-value} among all {calibration_cases} windows of these; {interval_level} interval "
            )
            basis += "{interval_low} to {interval_high})"
    if guarantee.missing:
        facts += [fact("missing readings", guarantee.missing), fact("note", guarantee.note)]
    if guarantee.decides and not guarantee.valid:
        facts += [] if guarantee.missing else [fact("note", guarantee.note)]
        basis = "({calibration_cases} calibration cases of this pattern; the rate is not promised: {note})"
        if own is not None and guarantee.among == "cases":
            basis = basis[:-1] + "; among " + among + " its p-value is {p-value_among_recordings})"
    elif guarantee.missing:
        basis = basis.replace(" of this pattern", " of this pattern that lack the same ({missing_readings})")
        basis = basis[:-1] + "; {note})"
    elif (
        guarantee.grounds is not None
        and guarantee.note
        and (guarantee.grounds.learned or (guarantee.grounds.group is not None and not guarantee.within))
    ):
        facts.append(fact("note", guarantee.note))
        basis = basis[:-1] + "; {note})"
    if judgement.verdict == "no verdict":
        if guarantee.reach > guarantee.rate:
            text = who + " gets no verdict: {calibration_cases} calibration cases of this pattern cannot support a"
            text += " declared false-alarm rate of {declared_false-alarm_rate}; its joint p-value is {p-value}"
        else:
            text = (
                who + " gets no verdict: the declared false-alarm rate of {declared_false-alarm_rate} is not promised"
            )
            text += " for it; its joint p-value among {calibration_cases} calibration cases is {p-value}"
        if guarantee.note:
            facts += [] if guarantee.missing else [fact("note", guarantee.note)]
            text += " ({note})"
        text += "."
    elif judgement.verdict == "anomalous":
        text = who + " is flagged as anomalous with " + p_value + ", at a declared false-alarm rate of"
        text += " {declared_false-alarm_rate} " + basis + "."
    else:
        text = who + " is not flagged: its " + p_value + " is above the declared false-alarm rate of"
        text += " {declared_false-alarm_rate} " + basis + "."
    return draft("verdict", None, text, facts)


def part(judged: "PartJudgement | PartFinding", judgement: "Judgement | Finding") -> Draft:
    """How unusual a part is by itself and how much of the joint score it carries."""
    rate = judgement.guarantee.rate
    p = judged.p_value
    state = (
        "stands out" if p <= rate else "is unusual" if p <= UNUSUAL else "is borderline" if p <= 0.1 else "looks normal"
    )
    facts = [
        fact("part", judged.modality),
        fact("state", state),
        fact("p-value", judged.p_value),
        fact("score", judged.score),
        fact("share of the joint score", judged.share),
        fact("encoder", judged.encoder),
        fact("detector", judged.detector),
    ]
    text = "the {part} part {state} with p-value {p-value}"
    if judgement.score > 0 and 0.005 <= judged.share / judgement.score <= 1.0005:
        facts.append(fact("share", 100 * judged.share / judgement.score, "%"))
        text += " and carries {share} of the joint score"
    return draft("part", judged.modality, text + ".", facts)


def missing(judgement: "Judgement", normal: Normal) -> list[Draft]:
    """Parts that were refused, and parts that normal cases usually have but this one does not."""
    drafts = []
    refused = {refusal.part: refusal.reason for refusal in judgement.refused}
    for modality in ordered([*normal.ids, *refused.keys() - {"case"}]):
        if modality in refused:
            facts = [fact("part", modality), fact("reason", refused[modality])]
            drafts.append(draft("missing", modality, "the {part} part could not be used: {reason}.", facts))
        elif modality not in judgement.parts:
            have = len(normal.ids.get(modality, ()))
            if normal.n_cases and have >= _USUAL_PART * normal.n_cases:
                facts = [
                    fact("part", modality),
                    fact("normal cases", normal.n_cases),
                    fact("with this part", have),
                ]
                text = "the case has no {part} part; {with_this_part} of {normal_cases} normal cases have one."
                drafts.append(draft("missing", modality, text, facts))
    return drafts


def readings(judgement: "Judgement") -> list[Draft]:
    """What was decided while a part was read: its form, columns left out, cells taken as missing."""
    drafts = []
    for modality in ordered(judgement.signals):
        notes = getattr(judgement.signals[modality], "notes", ())
        if notes:
            facts = [fact("part", modality), fact("decisions", len(notes)), fact("notes", "; ".join(notes))]
            word = "decision" if len(notes) == 1 else "decisions"
            text = "reading the {part} part took {decisions} " + word + ": {notes}."
            drafts.append(draft("context", modality, text, facts))
    return drafts
