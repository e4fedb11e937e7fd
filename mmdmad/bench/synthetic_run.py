"""A run store full of made-up findings, to measure and to test questions to it; no model judged anything here.

Findings have the form of the simulated line's: four parts of which some lack one, groups, hours, a floor that flagged
cases share, evidence in the captions of `mmdmad.explain`. Every one is marked as simulated.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmdmad.explain.words import Draft, draft, fact, listed
from mmdmad.findings import Contradiction, Finding, Guarantee, PartFinding, Verdict
from mmdmad.guarantees import Grounds, Ranked

if TYPE_CHECKING:
    from mmdmad.store.run import Run

PARTS = ("image", "text", "sensor", "video")
GROUPS = ("brick tile", "coin tray", "gravel board", "moon plate")
CHANNELS = ("motor_current", "belt_speed", "vibration_x", "oil_temperature", "humidity")
PLACES = ("upper left", "upper right", "lower left", "lower right", "centre")
RATE, START = 0.05, datetime(2026, 4, 1, 6, tzinfo=UTC)
FLAGGED = 0.06  # share of cases that are made odd
SIZES = {4: 240, 3: 60, 2: 15}  # calibration cases by number of parts: with 15 no case can be flagged at 5 %


def synthetic_findings(count: int, seed: int = 0) -> Iterator[Finding]:
    """`count` findings, the same for the same seed; about one in sixteen is odd, some have no time or no group."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        yield _finding(f"case-{i:06d}", START + timedelta(seconds=20 * i), rng)


def _finding(case_id: str, time: datetime, rng: np.random.Generator) -> Finding:
    draw = rng.random(12)
    absent = {str(m) for m in rng.choice(PARTS, size=int(draw[0] < 0.2) + int(draw[0] < 0.04), replace=False)}
    present: tuple[str, ...] = tuple(m for m in PARTS if m not in absent)
    size = SIZES[len(present)]
    odd = draw[1] < FLAGGED
    # conformal p-values are multiples of 1 / (size + 1); most odd cases share the smallest one
    rank = 1 + int(draw[2] ** 4 * 3) if odd else int(rng.integers(3, size + 2))
    p_value = rank / (size + 1)
    valid = size + 1 >= 1 / RATE
    verdict: Verdict = "no verdict" if not valid else "anomalous" if p_value <= RATE else "normal"
    lead = present[int(draw[3] * len(present))]
    shares = {
        m: round(float(2 + 6 * draw[4] if odd and m == lead else draw[5] + 0.2 * i), 3) for i, m in enumerate(present)
    }
    parts = tuple(
        PartFinding(
            modality=m, score=shares[m], p_value=1 / (size + 1) if odd and m == lead else float(0.06 + 0.9 * draw[6]),
            share=shares[m], encoder=f"{m}-encoder", detector="ensemble",
        )
        for m in present
    )  # fmt: skip
    contradictions = _contradictions(present, lead, size, odd and draw[7] < 0.3, round(float(4 * draw[8]), 3))
    guarantee = Guarantee(
        rate=RATE, size=size, interval=(0.03, 0.08), pattern=present, valid=valid,
        note="" if valid else f"{size} calibration cases cannot support a rate of {RATE:g}",
        grounds=Grounds(folds=(Ranked(size, size, size, 1),)),
    )  # fmt: skip
    made = Finding(
        case_id=case_id, time=None if draw[9] < 0.02 else time,
        group=None if draw[10] < 0.02 else GROUPS[int(4 * draw[10])],
        verdict=verdict, score=round(sum(shares.values()) + sum(c.share for c in contradictions), 3), p_value=p_value,
        guarantee=guarantee, parts=parts, contradictions=contradictions, label=int(odd) if draw[11] < 0.5 else None,
        simulated=True,
    )  # fmt: skip
    drafts = _drafts(made, lead if odd else None, rng)
    evidence = tuple(d.numbered(i, None) for i, d in enumerate(drafts, 1))
    return made.model_copy(update={"evidence": evidence})


def _contradictions(
    present: tuple[str, ...], lead: str, size: int, odd: bool, share: float
) -> tuple[Contradiction, ...]:
    others = tuple(m for m in present if m != lead)
    p_value = 1 / (size + 1) if odd else 0.5
    made = Contradiction(part=lead, given=others, score=share, p_value=p_value, share=share if odd else 0.0)
    turned = made.model_copy(update={"part": others[0], "given": (lead,), "share": made.share / 4})
    return (turned, made)


def _drafts(f: Finding, lead: str | None, rng: np.random.Generator) -> list[Draft]:
    facts = [
        fact("case", f.case_id), fact("verdict", f.verdict), fact("p-value", f.p_value), fact("joint score", f.score),
        fact("declared false-alarm rate", 100 * RATE, "%"), fact("calibration cases", f.guarantee.size),
        fact("pattern", listed(f.guarantee.pattern)),
    ]  # fmt: skip
    is_so = {"anomalous": "is flagged as anomalous", "normal": "is not flagged", "no verdict": "gets no verdict"}
    told = f"case {{case}} {is_so[f.verdict]}: joint p-value {{p-value}}, at a declared false-alarm rate of "
    told += "{declared_false-alarm_rate}."
    found = [draft("verdict", None, told, facts)]
    for p in f.parts:
        facts = [fact("part", p.modality), fact("p-value", p.p_value), fact("share of the joint score", p.share)]
        found.append(draft("part", p.modality, "the {part} part has the p-value {p-value}.", facts))
    found += _details(lead, rng)
    for c in f.contradictions:
        if c.p_value <= RATE:
            facts = [fact("part", c.part), fact("given", listed(c.given)), fact("p-value", c.p_value)]
            found.append(draft("contradiction", c.part, "the {part} part does not fit the {given}.", facts))
    told = "the nearest normal case is {nearest_normal_case}; the nearest is {distance} times as far away as normal "
    told += "cases are from each other."
    near = [
        fact("nearest normal case", f"train-{int(rng.integers(1000)):04d}"),
        fact("distance", float(rng.uniform(1, 3))),
    ]
    found.append(draft("neighbour", f.parts[0].modality, told, near))
    return found


def _details(lead: str | None, rng: np.random.Generator) -> list[Draft]:
    start, mean = fact("start", float(rng.uniform(0, 3)), "s"), fact("mean", float(rng.uniform(4, 9)), "A")
    place = fact("place", PLACES[int(rng.integers(len(PLACES)))])
    if lead == "sensor":
        names = [fact("channel", str(name)) for name in rng.choice(CHANNELS, size=2, replace=False)]
        text = "{channel} shifts up to a mean of {mean} from {start}."
        return [draft("channel", "sensor", text, [name, mean, start]) for name in names]
    if lead == "image":
        return [draft("region", "image", "a region at {place} stands out.", [place, fact("width", 32, "px")])]
    if lead == "video":
        return [draft("frames", "video", "the video stands out from {start} at {place}.", [start, place])]
    if lead == "text":
        words = [fact("line", 3), fact("quote", "spindle overheated")]
        return [draft("words", "text", "line {line} stands out: “{quote}”.", words)]
    return []


def synthetic_run(folder: Path, count: int, seed: int = 0) -> "Run":
    """A run in `folder` that holds these findings, as if it had been scored; its case files do not exist."""
    from sqlalchemy.orm import Session

    from mmdmad.store import db, rows
    from mmdmad.store.run import Run

    Run.create(folder, {"false_alarm_rate": RATE}).close()
    engine = db.connect(folder / "cases.sqlite")
    findings = synthetic_findings(count, seed)
    with Session(engine) as session, session.begin():
        session.merge(db.MetaRow(key="false_alarm_rate", value=repr(RATE)))
        session.merge(db.MetaRow(key="simulated", value="true"))
    while batch := [rows.Judged(finding) for finding in islice(findings, 500)]:
        with engine.begin() as connection:
            rows.put(connection, batch)
    engine.dispose()
    return Run.open(folder)
