"""The report as Markdown: the same object as the page, without pictures (they are named by their file)."""

import re
from collections.abc import Iterable, Sequence

from mmdmad.ask.judging import Basis
from mmdmad.ask.words import percent
from mmdmad.findings import Finding
from mmdmad.plain import plain
from mmdmad.report.model import Report
from mmdmad.report.words import entry, group_words, method_words, seen, several, strength, told, unsure
from mmdmad.stretches import Stretch


def render(report: Report) -> str:
    """The report as Markdown; whatever comes from cases is escaped, so that it cannot become markup."""
    from mmdmad.explain.words import number

    lines = [f"# {safe(report.title)}", ""]
    for one in report.banners:
        lines += [f"> **{safe(one.words)}.**", ""]
    lines += [f"**{report.headline}.**", ""]
    about = report.opening
    for name, words in (("Looked at", about.looked), ("Found", about.found), ("Since when", about.since)):
        lines += [f"{name}: {safe(words)}", ""] if words else []
    lines += ["What to do next:", "", *(f"{i}. {safe(step)}" for i, step in enumerate(about.steps, start=1)), ""]
    lines += _sections(report, "first")
    for i, (finding, together) in enumerate(report.entries[: report.detailed], start=1):
        own = f"p = {number(finding.p_value)}" if finding.by_recording is None else finding.p_words
        lines += _finding(i, finding, own, together, report)
    rest = report.entries[report.detailed :]
    if rest:
        lines += ["## Also flagged", ""]
        lines += table(
            ("case", "group", "p-value", "what stands out"),
            ([f.case_id, f.group or "", number(f.deciding_p_value), entry(f, together)] for f, together in rest),
        )
    if report.unlisted:
        lines += [
            f"{report.unlisted} more cases are flagged; the table that `mmdmad score --out` writes has all of them.",
            "",
        ]
    if report.groups:
        lines += ["## Group by group", ""]
        lines += table(
            ("group", "judged", "flagged", "would be, were all normal", "normal by label, flagged", ""),
            (
                [
                    g.name,
                    str(g.judged),
                    str(g.flagged),
                    f"{g.expected.low} to {g.expected.high}" if g.decided else "none could be",
                    f"{g.normal_flagged} of {g.normal}" if g.normal else "",
                    group_words(g),
                ]
                for g in report.groups
            ),
        )
    lines += _sections(report, "")
    if report.refused:
        lines += ["## Refused inputs", ""]
        lines += table(
            ("row", "case", "part", "reason"),
            (["" if r.row is None else str(r.row), r.case_id, r.part, r.reason] for r in report.refused),
        )
        if report.refused_in_all > len(report.refused):
            lines += [f"{report.refused_in_all - len(report.refused)} more were refused.", ""]
    if report.judged:
        lines += ["## How sure is this? Rates, calibration and models", "", *_statistics(report)]
    lines.append(
        "Versions: " + ", ".join(f"{safe(name)} {safe(version)}" for name, version in report.versions.items()) + "."
    )
    return "\n".join(lines) + "\n"


def safe(text: str) -> str:
    """Text as plain words in Markdown: no markup, no HTML, one line.

    >>> safe("<b>*x*</b> | y")
    '&lt;b&gt;\\\\*x\\\\*&lt;/b&gt; \\\\| y'
    """
    text = plain(re.sub(r"\s+", " ", text).strip()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_\[\]|#~$])", r"\\\1", text)
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", re.sub(r"^([-+=])", r"\\\1", text))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table and an empty line."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return [*lines, *("| " + " | ".join(safe(cell) for cell in row) + " |" for row in rows), ""]


def _sections(report: Report, place: str) -> list[str]:
    lines = []
    for section in report.sections:
        if section.place == place:
            lines += [f"{'###' if place == 'folded' else '##'} {safe(section.title)}", ""]
            lines += [safe(section.line), ""]
            lines += [f"- {safe(e.caption)}" for e in section.evidence]
            lines += [f"- … and {section.left_out} more"] if section.left_out else []
            lines.append("")
    return lines


def _statistics(report: Report) -> list[str]:
    """Everything of rates and calibration, said once for all cases."""
    lines = [safe(report.promise), ""]
    if report.watched and not report.lapsed:
        lines += [f"{safe(report.watched)}.", ""]
    if report.beyond.problem:
        lines += [f"How far cases lie beyond the normal ones is not known: {safe(report.beyond.problem)}.", ""]
    if report.bases:
        lines += ["### What stands behind the verdicts", ""]
        head = ("parts present", "judged", "flagged", "normal cases ranked among", "smallest p-value", "level used")
        lines += table((*head, "bound by a theorem", "measured", "95 % interval", "note"), map(_basis, report.bases))
        lines += [words, ""] if (words := method_words(report.bases)) else []
    if report.labels is not None:
        n = report.labels
        lines += [
            f"Labels in the manifest, never used to judge: {n.anomalous_flagged} of {n.anomalous} anomalous cases and "
            f"{n.normal_flagged} of {n.normal} normal cases are flagged.",
            "",
        ]
    lines += _sections(report, "folded")
    if report.models:
        lines += ["### How it was judged", ""]
        lines += table(("part", "encoder", "detector"), ([m.modality, m.encoder, m.detector] for m in report.models))
    return lines


def _basis(basis: Basis) -> list[str]:
    g = basis.guarantee
    return [
        ", ".join(g.pattern),
        str(basis.judged),
        str(basis.flagged),
        g.ranked_words,
        f"{g.reach:.3g}",
        "" if g.attained is None else percent(g.attained),
        "none applies" if g.bound is None else percent(g.bound),
        "not" if g.measured is None else percent(g.measured),
        f"{percent(g.interval[0])} to {percent(g.interval[1])}",
        ("" if g.valid else "no guarantee: ") + g.note,
    ]


def _finding(index: int, finding: Finding, p_value: str, together: Stretch | None, report: Report) -> list[str]:
    about = [finding.group, finding.time.isoformat(" ", "seconds") if finding.time else None]
    lines = [f"## {index}. {safe(finding.case_id)}: {finding.verdict}, {p_value}", ""]
    if any(about):
        lines += [safe(" · ".join(a for a in about if a)), ""]
    if together is not None and (words := several(together)):
        lines += [f"{safe(words)}; this one is the most anomalous. All: {safe(', '.join(together.cases))}.", ""]
    before = seen(report.alike.get(finding.case_id))
    said = strength(finding, report.beyond), before, unsure(finding, report.bases)
    for words in filter(None, said):
        lines += [safe(words), ""]
    if sentences := told(finding):
        lines += [safe(" ".join(f"{s.text} [{', '.join(s.cites)}]" for s in sentences)), ""]
    for e in finding.evidence:
        # a plain path stands as code; in any other a backtick or a newline could end it
        path = e.artifact or ""
        picture = f" (`{path}`)" if re.fullmatch(r"[\w./~-]+", path) else f" ({safe(path)})" if path else ""
        lines.append(f"- {safe(e.id)} {safe(e.caption)}{picture}")
    return [*lines, ""]
