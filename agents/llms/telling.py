"""Answers about one case, one function for each thing that can be asked of it."""

import re
from collections.abc import Callable

from mmdmad.agents.llms.phrases import CAVEAT, Result, captions, cite, of_kind, percent, verdict_line
from mmdmad.agents.llms.reading import Reading

from mmdmad.modalities.base import modalities

INSIDE = re.compile(
    r"within|during|\binto\b|second|sensor|reading|signal|video|frame|clip|start|begin|deviat|go(?:es)? off|moment|"
    r"unusual|strange|fault|happen|last\b|channel",
    re.I,
)


def tell(reading: Reading, question: str, d: Result) -> str:
    """What was asked of a case, then the verdict where it was not the question."""
    if reading.intent == "score":
        return _verdict(reading, question, d)
    return TELL.get(reading.attribute, _verdict)(reading, question, d)


def _part_line(d: Result, part: str) -> str:
    found = next((p for p in d.get("parts", []) if p["part"] == part), None)
    if found is None:
        return f"{d['case']} has no {part}."
    ids = [e["id"] for e in of_kind(d, "part", part=part)][:1]
    numbers = f"p-value {found['p_value']} and share {found['share']} of the joint score"
    return f"By itself, the {part} has {numbers}{cite(d, *ids)}."


def _lead(d: Result, most: int = 2) -> list[str]:
    """Captions of the strongest evidence: of the part with the largest share first."""
    sheets = of_kind(d, "region", "channel", "span", "frames", "words", part=str(d["driver"])) or of_kind(
        d, "part", part=str(d["driver"])
    )
    return captions(d, sheets[:most])


def _verdict(reading: Reading, question: str, d: Result) -> str:
    lines = [verdict_line(d)]
    if d["verdict"] == "anomalous":
        clash = captions(d, of_kind(d, "contradiction", part=d["contradicts"][0])[:1]) if d["contradicts"] else []
        alone = any(p["part"] == d["driver"] and p["p_value"] <= d["guarantee"]["rate"] for p in d["parts"])
        lines += [*_lead(d), *clash] if alone or not clash else clash
    elif d["verdict"] == "normal":
        lines.append(CAVEAT)
    return " ".join(lines)


def _why(reading: Reading, question: str, d: Result) -> str:
    if "sentences" not in d:
        return _verdict(reading, question, d)
    return "\n".join(s["text"].rstrip(".") + cite(d, *s["cites"]) + "." for s in d["sentences"])


def _part(reading: Reading, question: str, d: Result) -> str:
    part = str(d["driver"])
    lines = [f"The {part} of {d['case']} carries the largest share.", _part_line(d, part)]
    for odd in d["contradicts"][:1]:
        lines += captions(d, of_kind(d, "contradiction", part=odd)[:1]) or captions(d, of_kind(d, "contradiction")[:1])
    others = [p["part"] for p in d["parts"] if p["part"] != part and p["p_value"] <= d["guarantee"]["rate"]]
    if others:
        lines.append(f"Also beyond the declared rate by itself: {', '.join(others)}.")
    return " ".join([*lines, *_lead(d, 1), verdict_line(d)])


def _kinds(*choices: tuple[str, ...], what: str) -> Callable[[Reading, str, Result], str]:
    """An answer made of captions: of the first of these kinds that the evidence has, or the word that it has none."""

    def told(reading: Reading, question: str, d: Result) -> str:
        kinds = next((kinds for kinds in choices if of_kind(d, *kinds)), choices[0])
        sheets = sorted(of_kind(d, *kinds), key=lambda e: kinds.index(e["kind"]))
        if sheets:
            return " ".join([*captions(d, sheets[:4]), verdict_line(d)])
        return " ".join(
            [f"The evidence of {d['case']} names no {what}.", _part_line(d, _looked_at(d, kinds)), verdict_line(d)]
        )

    return told


def _looked_at(d: Result, kinds: tuple[str, ...]) -> str:
    """The part of the case in which evidence of these kinds would be found; else the one with the largest share."""
    known = modalities()
    found = (p["part"] for p in d.get("parts", []) if p["part"] in known and {*kinds} & {*known[p["part"]].kinds})
    return next(found, str(d["driver"]))


def _when(reading: Reading, question: str, d: Result) -> str:
    recorded = f"{d['case']} was recorded at {d['time']}." if d["time"] else f"{d['case']} has no recorded time."
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
        for e in of_kind(d, "channel", "span", "frames")
        if any("start" in name or "time" in name or name == "at" for name in e["facts"])
    ]
    first = [e for e in sheets if e["part"] == (reading.part or d["driver"])]
    rest = [e for e in sheets if e not in first]
    if not sheets:
        return " ".join([f"The evidence of {d['case']} names no time within it.", recorded, verdict_line(d)])
    return " ".join([*captions(d, (first or rest)[:3]), verdict_line(d)])


def _contradiction(reading: Reading, question: str, d: Result) -> str:
    sheets = of_kind(d, "contradiction")
    if d["contradicts"]:
        odd = d["contradicts"][0]
        own = [e for e in sheets if e["part"] == odd] or sheets
        return " ".join(
            [f"The {odd} of {d['case']} does not fit the other parts.", *captions(d, own[:2]), verdict_line(d)]
        )
    return " ".join(
        [
            f"At the declared rate of {percent(d['guarantee']['rate'])}, "
            f"the parts of {d['case']} show no contradiction.",
            *captions(d, sheets[:1]),
            verdict_line(d),
        ]
    )


def _missing(reading: Reading, question: str, d: Result) -> str:
    if not d["missing"]:
        line = f"{d['case']} has every part: {', '.join(p['part'] for p in d['parts'])}."
    else:
        ids = [e["id"] for e in of_kind(d, "missing")]
        line = f"{d['case']} lacks the {' and the '.join(d['missing'])}{cite(d, *ids)}."
    return f"{line} {verdict_line(d)}"


def _neighbours(reading: Reading, question: str, d: Result) -> str:
    sheets = of_kind(d, "neighbour")
    if not sheets:
        return f"The evidence of {d['case']} names no nearest normal cases. {verdict_line(d)}"
    return " ".join(
        [
            *captions(d, sheets[:4]),
            *captions(d, of_kind(d, "channel", "region")[:1] if d["verdict"] == "anomalous" else []),
            verdict_line(d),
        ]
    )


def _p_value(reading: Reading, question: str, d: Result) -> str:
    if reading.part and any(p["part"] == reading.part for p in d["parts"]):
        return f"{_part_line(d, reading.part)} {verdict_line(d)}"
    parts = ", ".join(f"{p['part']} {p['p_value']}" for p in d["parts"])
    return f"{verdict_line(d)} By part, the p-values are: {parts}."


def _one_part(reading: Reading, question: str, d: Result) -> str:
    sheets = of_kind(d, "region", "channel", "span", "frames", "words", part=reading.part)
    return " ".join([_part_line(d, reading.part), *captions(d, sheets[:3])])


TELL: dict[str, Callable[[Reading, str, Result], str]] = {
    "verdict": _verdict, "why": _why, "part": _part, "when": _when, "contradiction": _contradiction,
    "missing": _missing,     "neighbours": _neighbours, "p_value": _p_value, "one part": _one_part,
    "channel": _kinds(("channel", "span"), what="channel as unusual"),
    "where": _kinds(("region",), ("frames",), what="place in the picture"),
    "words": _kinds(("words",), what="words as unusual"),
}  # fmt: skip
