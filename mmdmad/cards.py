"""Findings as a notebook shows them: a card of one, a table of many; every word from outside is escaped."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmdmad.errors import MmdmadError, RunError
from mmdmad.files import within
from mmdmad.markup import listed, picture, table, text
from mmdmad.modalities.base import modalities, ordered

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from mmdmad.findings import Finding, Findings

COLOURS: dict[str, str] = {"anomalous": "#c2183c", "normal": "#4f7a5b", "no verdict": "#7a7a7a"}
SIMULATED = "(simulated data)"
CARD, THUMBNAIL = 480, 96  # px


def card(finding: "Finding") -> str:
    """One finding: verdict, guarantee, p-values, words, pictures, numbered evidence."""
    g = finding.guarantee
    mark = f" <small>{SIMULATED}</small>" if finding.simulated else ""
    about = " · ".join(text(x) for x in (finding.group, finding.time and finding.time.isoformat(" ", "seconds")) if x)
    parts = " &nbsp; ".join(f"{text(p.modality)} {p.p_value:.3g}" for p in finding.parts)
    among = f" of {g.units} {g.unit}s" if g.unit != "case" and g.units else ""
    promise = "" if g.valid else f"; no guarantee: {text(g.note or 'too few calibration cases')}"
    promise = f"; {text(g.note)}" if g.valid and g.missing else promise
    words = f"<p>{text(finding.explanation.text)}</p>" if finding.explanation is not None else ""
    try:
        pictures = "".join(picture(one, CARD) for one in stored_or_drawn(finding).values())
    except MmdmadError as why:  # a card is not lost for its picture: files go away, models are damaged
        pictures = f"<small>no picture: {text(why)}</small>"
    evidence = listed(f"<b>{text(e.id)}</b> {text(e.caption)}" for e in finding.evidence)
    colour = COLOURS[finding.verdict]
    return (
        f'<div style="border-left:4px solid {colour};padding:4px 14px;max-width:1000px">'
        f"<b>{text(finding.case_id)}</b> {about}{mark}<br>"
        f'<b style="color:{colour}">{finding.verdict}</b>, {finding.p_words} '
        f"<small>(declared false-alarm rate {100 * g.rate:.3g} %, {g.size} calibration cases{among}{promise})</small>"
        "<br>"
        f"<small>p-values: {parts}</small>{words}<div>{pictures}</div>{evidence}</div>"
    )


def listing(findings: "Findings", limit: int | None = 50) -> str:
    """A table of findings, most anomalous first, at most `limit` of them; a line above says how many are flagged."""
    flagged = sum(f.verdict == "anomalous" for f in findings)
    mark = f" {SIMULATED}" if any(f.simulated for f in findings) else ""
    refused = f", {len(findings.refused)} refused" if findings.refused else ""
    open_cases = sum(f.verdict == "no verdict" for f in findings)
    undecided = f", {open_cases} without a verdict" if open_cases else ""
    return (
        f"<p><b>{flagged} of {len(findings)} cases flagged</b>{undecided}{refused}, most anomalous first{mark}</p>"
        f"{lines(findings, limit)}"
    )


def lines(findings: "Findings", limit: int | None = None) -> str:
    """The table alone, most anomalous first."""
    names = ordered(p.modality for f in findings for p in f.parts)
    head = ("", "case", "verdict", "p", *(text(name) for name in names), "what stands out")
    ranked = findings.ranked().items
    shown = ranked if limit is None else ranked[:limit]
    more = f"<p>… and {len(ranked) - len(shown)} more</p>" if len(shown) < len(ranked) else ""
    return f"{table(head, ([*_row(f, names)] for f in shown))}{more}"


def page(findings: "Findings", title: str) -> str:
    """A page of its own: the table of all findings, below it the card of each that is flagged or has no verdict."""
    cards = "".join(card(f) for f in findings.ranked() if f.verdict != "normal")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{text(title)}</title>'
        "<style>body{font-family:sans-serif;margin:2em}td,th{padding:2px 10px 2px 0}div{margin-bottom:1em}</style>"
        f"</head><body><h1>{text(title)}</h1>{listing(findings, None)}{cards}</body></html>\n"
    )


def _row(finding: "Finding", names: Sequence[str]) -> Iterator[str]:
    """The cells of one line; a part at most at the declared rate is bold."""
    photos = {name for name, one in modalities().items() if one.photo}
    telling = next((e.artifact for e in finding.evidence if e.artifact and e.part in photos), None)
    thumbnail = _stored(finding.folder, telling) if telling else None
    yield "" if thumbnail is None else picture(thumbnail, THUMBNAIL)
    yield text(finding.case_id)
    yield f'<b style="color:{COLOURS[finding.verdict]}">{finding.verdict}</b>'
    yield f"{finding.deciding_p_value:.3g}"
    for modality in names:
        part = finding.part(modality)
        said = "" if part is None else f"{part.p_value:.3g}"
        yield f"<b>{said}</b>" if part is not None and part.p_value <= finding.guarantee.rate else said
    yield text(finding.lead) if finding.verdict != "normal" else ""


def stored_or_drawn(finding: "Finding") -> Mapping[str, "Picture"]:
    """The pictures of a finding by part: those that lie in its run, else drawn now; none where neither can be.

    MmdmadError where they would have to be drawn and the case or the model is not what it was.
    """
    paths = {str(e.part): e.artifact for e in finding.evidence if e.artifact is not None}
    stored = {part: _stored(finding.folder, path) for part, path in paths.items()}
    found = {part: one for part, one in stored.items() if one is not None}
    draw = finding.drawing
    return found if found or draw is None else draw()


def _stored(folder: Path | None, artifact: str) -> "Picture | None":
    """A picture that lies in the run `folder`; None where there is none to be shown."""
    if folder is None:
        return None
    from PIL import Image

    try:
        # whose file the path names is for whoever made the run to say: only what lies inside it is opened
        with Image.open(within(folder, artifact)) as opened:
            return opened.convert("RGB")
    except (RunError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
