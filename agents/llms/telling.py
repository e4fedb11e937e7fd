"""Answers about one case, one function for each thing that can be asked of it."""

import re
from collections.abc import Callable

from mmdmad.agents.llms.heard import Reading
from mmdmad.agents.llms.phrases import CAVEAT, captions, cite, verdict_line

from mmdmad import reasons
from mmdmad.ask.case import About, Explained
from mmdmad.ask.words import percent, short
from mmdmad.findings import Evidence
from mmdmad.modalities.base import detail_kinds, modalities

INSIDE = re.compile(
    r"within|during|\binto\b|second|sensor|reading|signal|video|frame|clip|start|begin|deviat|go(?:es)? off|moment|"
    r"unusual|strange|fault|happen|last\b|channel",
    re.I,
)


def tell(reading: Reading, question: str, d: About) -> str:
    """What was asked of a case, then the verdict where it was not the question."""
    if reading.intent == "score":
        return _verdict(reading, question, d)
    return TELL.get(reading.attribute, _verdict)(reading, question, d)


def _main_part(d: About) -> str:
    return reasons.main_part(d.judged) or ""


def _part_line(d: About, part: str) -> str:
    found = d.judged.part(part)
    if found is None:
        return f"{d.judged.case_id} has no {part}."
    ids = [e.id for e in d.of_kind("part", part=part)][:1]
    numbers = f"p-value {short(found.p_value)} and share {short(found.share)} of the joint score"
    return f"By itself, the {part} has {numbers}{cite(d.judged.case_id, *ids)}."


def _lead(d: About, most: int = 2) -> list[str]:
    """Captions of the strongest evidence: of the part with the largest share first."""
    part = _main_part(d)
    return captions(d, (_details(d, part) or d.of_kind("part", part=part))[:most])


def _details(d: About, part: str) -> list[Evidence]:
    """What looks at one part found, in the order of the evidence."""
    return d.of_kind(*detail_kinds(), part=part) if part else []


def _verdict(reading: Reading, question: str, d: About) -> str:
    lines, odd = [verdict_line(d)], reasons.contradicted(d.judged)
    if d.judged.verdict == "anomalous":
        clash = captions(d, d.of_kind("contradiction", part=odd[0])[:1]) if odd else []
        alone = _main_part(d) in reasons.unusual(d.judged)
        lines += [*_lead(d), *clash] if alone or not clash else clash
    elif d.judged.verdict == "normal":
        lines.append(CAVEAT)
    return " ".join(lines)


def _why(reading: Reading, question: str, d: About) -> str:
    if not isinstance(d, Explained):
        return _verdict(reading, question, d)
    return "\n".join(s.text.rstrip(".") + cite(d.judged.case_id, *s.cites) + "." for s in d.sentences)


def _part(reading: Reading, question: str, d: About) -> str:
    part, case = _main_part(d), d.judged.case_id
    if reasons.main_reason(d.judged) == part:
        lines = [f"The {part} of {case} carries the largest share."]
    else:
        lines = [f"Of the parts of {case}, the {part} carries the largest share, and contradictions carry more."]
    lines.append(_part_line(d, part))
    for odd in reasons.contradicted(d.judged)[:1]:
        lines += captions(d, d.of_kind("contradiction", part=odd)[:1]) or captions(d, d.of_kind("contradiction")[:1])
    others = [m for m in reasons.unusual(d.judged) if m != part]
    if others:
        lines.append(f"Also beyond the declared rate by itself: {', '.join(others)}.")
    return " ".join([*lines, *_lead(d, 1), verdict_line(d)])


def _kinds(*choices: tuple[str, ...], what: str) -> Callable[[Reading, str, About], str]:
    """An answer made of captions: of the first of these kinds that the evidence has, or the word that it has none."""

    def told(reading: Reading, question: str, d: About) -> str:
        kinds = next((kinds for kinds in choices if d.of_kind(*kinds)), choices[0])
        sheets = sorted(d.of_kind(*kinds), key=lambda e: kinds.index(e.kind))
        if sheets:
            return " ".join([*captions(d, sheets[:4]), verdict_line(d)])
        if lacking := _lacking(d, kinds):
            return f"{d.judged.case_id} has no {lacking} to look at. {verdict_line(d)}"
        none = f"The evidence of {d.judged.case_id} shows no {what}."
        return " ".join([none, _part_line(d, _looked_at(d, kinds)), verdict_line(d)])

    return told


def _lacking(d: About, kinds: tuple[str, ...]) -> str:
    """The parts in which evidence of these kinds would be found, where the case has none of them; "" where it has."""
    own = [name for name, one in modalities().items() if kinds[0] in one.kinds]
    return "" if not own or {*own} & {*d.judged.pattern} else " or ".join(own)


def _looked_at(d: About, kinds: tuple[str, ...]) -> str:
    """The part of the case in which evidence of these kinds would be found; else the one with the largest share."""
    known = modalities()
    found = (p for p in d.judged.pattern if p in known and {*kinds} & {*known[p].kinds})
    return next(found, _main_part(d))


def _when(reading: Reading, question: str, d: About) -> str:
    f = d.judged
    time = f.time.isoformat(sep=" ", timespec="seconds") if f.time else None
    recorded = f"{f.case_id} was recorded at {time}." if time else f"{f.case_id} has no recorded time."
    asked_case = re.search(
        r"record(?:ed|s)?\b|recording time|time of day|taken|captur|timestamp|time stamp|\bdate\b|\bc[oa]me\b|"
        r"produc|made|inspect",
        question,
        re.I,
    )
    if asked_case or not INSIDE.search(question):
        return f"{recorded} {verdict_line(d)}"
    sheets = [
        e
        for e in d.of_kind("form", "channel", "span", "frames")
        if any("start" in fact.name or "time" in fact.name or fact.name == "at" for fact in e.facts)
    ]
    first = [e for e in sheets if e.part == (reading.part or _main_part(d))]
    rest = [e for e in sheets if e not in first]
    if not sheets:
        return " ".join([f"The evidence of {f.case_id} shows no time within it.", recorded, verdict_line(d)])
    return " ".join([*captions(d, (first or rest)[:3]), verdict_line(d)])


def _contradiction(reading: Reading, question: str, d: About) -> str:
    sheets, odd = d.of_kind("contradiction"), reasons.contradicted(d.judged)
    if odd:
        own = [e for e in sheets if e.part == odd[0]] or sheets
        first = f"The {odd[0]} of {d.judged.case_id} does not fit the other parts."
        return " ".join([first, *captions(d, own[:2]), verdict_line(d)])
    rate = percent(d.judged.guarantee.rate)
    none = f"At the declared rate of {rate}, the parts of {d.judged.case_id} show no contradiction."
    return " ".join([none, *captions(d, sheets[:1]), verdict_line(d)])


def _missing(reading: Reading, question: str, d: About) -> str:
    f, lacking = d.judged, reasons.missing(d.judged)
    if not lacking:
        line = f"{f.case_id} has every part: {', '.join(f.pattern)}."
    else:
        ids = [e.id for e in d.of_kind("missing")]
        line = f"{f.case_id} lacks the {' and the '.join(lacking)}{cite(f.case_id, *ids)}."
    return f"{line} {verdict_line(d)}"


def _neighbours(reading: Reading, question: str, d: About) -> str:
    sheets = d.of_kind("neighbour")
    if not sheets:
        return f"The evidence of {d.judged.case_id} shows no nearest normal cases. {verdict_line(d)}"
    odd = d.of_kind("channel", "region")[:1] if d.judged.verdict == "anomalous" else []
    return " ".join([*captions(d, sheets[:4]), *captions(d, odd), verdict_line(d)])


def _p_value(reading: Reading, question: str, d: About) -> str:
    if d.judged.part(reading.part) is not None:
        return f"{_part_line(d, reading.part)} {verdict_line(d)}"
    parts = ", ".join(f"{p.modality} {short(p.p_value)}" for p in d.judged.parts)
    return f"{verdict_line(d)} By part, the p-values are: {parts}."


def _certainty(reading: Reading, question: str, d: About) -> str:
    """The verdict with its p-value, rate, calibration cases and interval, and what it rests on."""
    lines = captions(d, d.of_kind("verdict")[:1]) or [verdict_line(d)]
    if d.judged.verdict == "anomalous":
        lines += ["I cannot tell from the evidence whether it is one of the false alarms.", *_lead(d, 1)]
    elif d.judged.verdict == "normal":
        lines.append(CAVEAT)
    return " ".join(lines)


def _change(reading: Reading, question: str, d: About) -> str:
    """What lies outside the normal range, where a case is flagged: no more than that is known of what to change."""
    if d.judged.verdict != "anomalous":
        return verdict_line(d)
    part, odd = _main_part(d), d.of_kind("contradiction")[:1]
    found = (_details(d, part) if part in reasons.unusual(d.judged) else odd) or odd or _lead_sheets(d)
    known = "I cannot tell which change would make it normal; this is what is not as in normal cases."
    return " ".join([known, *captions(d, found[:4]), verdict_line(d)])


def _lead_sheets(d: About) -> list[Evidence]:
    return d.of_kind("part", part=_main_part(d))[:1]


def _one_part(reading: Reading, question: str, d: About) -> str:
    return " ".join([_part_line(d, reading.part), *captions(d, _details(d, reading.part)[:3])])


TELL: dict[str, Callable[[Reading, str, About], str]] = {
    "verdict": _verdict, "why": _why, "part": _part, "when": _when, "contradiction": _contradiction,
    "missing": _missing, "neighbours": _neighbours, "p_value": _p_value, "one part": _one_part,
    "certainty": _certainty, "change": _change,
    "channel": _kinds(("channel", "span"), what="channel as unusual"),
    "where": _kinds(("region",), ("frames",), what="place in the picture"),
    "words": _kinds(("words",), what="words as unusual"),
}  # fmt: skip
