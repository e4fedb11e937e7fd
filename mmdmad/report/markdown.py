"""The report as Markdown: the same object as the page, without pictures (they are named by their file)."""

import re
from collections.abc import Iterable, Sequence

from mmdmad.ask.words import percent
from mmdmad.findings import Finding
from mmdmad.plain import plain
from mmdmad.report.model import Report, entry, several
from mmdmad.stretches import Stretch


def render(report: Report) -> str:
    """The report as Markdown; whatever comes from cases is escaped, so that it cannot become markup."""
    from mmdmad.explain.words import number

    lines = [f"# {safe(report.title)}", ""]
    if report.simulated:
        lines += ["> **Simulated data: no real machine, product or person.**", ""]
    if report.lapsed:
        lines += [f"> **{safe(report.watched)}.**", ""]
    lines += [f"**{report.headline}.** {report.promise}", ""]
    if report.reasons:
        lines += ["Mainly by: " + ", ".join(f"{safe(r.name)} {r.count}" for r in report.reasons) + ".", ""]
    for i, (finding, together) in enumerate(report.entries[: report.detailed], start=1):
        lines += _finding(i, finding, number(finding.p_value), together)
    rest = report.entries[report.detailed :]
    if rest:
        lines += ["## Also flagged", ""]
        lines += table(
            ("case", "group", "p-value", "what stands out"),
            ([f.case_id, f.group or "", number(f.p_value), entry(f, together)] for f, together in rest),
        )
    if report.unlisted:
        lines += [
            f"{report.unlisted} more cases are flagged; the table that `mmdmad score --out` writes has all of them.",
            "",
        ]
    if report.bases:
        lines += ["## What stands behind the verdicts", ""]
        lines += table(
            ("parts present", "judged", "flagged", "calibration cases", "95 % interval", "note"),
            (
                [
                    ", ".join(b.guarantee.pattern),
                    str(b.judged),
                    str(b.flagged),
                    str(b.guarantee.size),
                    f"{percent(b.guarantee.interval[0])} to {percent(b.guarantee.interval[1])}",
                    ("" if b.guarantee.valid else "no guarantee: ") + b.guarantee.note,
                ]
                for b in report.bases
            ),
        )
    if report.watched and not report.lapsed:
        lines += [f"{safe(report.watched)}.", ""]
    if report.labels is not None:
        n = report.labels
        lines += [
            f"Labels in the manifest, never used to judge: {n.anomalous_flagged} of {n.anomalous} anomalous cases and "
            f"{n.normal_flagged} of {n.normal} normal cases are flagged.",
            "",
        ]
    for section in report.sections:
        lines += [f"## {safe(section.title)}", "", safe(section.line), ""]
        lines += [f"- {safe(e.caption)}" for e in section.evidence]
        lines += [f"- … and {section.left_out} more"] if section.left_out else []
        lines.append("")
    if report.refused:
        lines += ["## Refused inputs", ""]
        lines += table(
            ("row", "case", "part", "reason"),
            (["" if r.row is None else str(r.row), r.case_id, r.part, r.reason] for r in report.refused),
        )
        if report.refused_in_all > len(report.refused):
            lines += [f"{report.refused_in_all - len(report.refused)} more were refused.", ""]
    if report.models:
        lines += ["## How it was judged", ""]
        lines += table(("part", "encoder", "detector"), ([m.modality, m.encoder, m.detector] for m in report.models))
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


def _finding(index: int, finding: Finding, p_value: str, together: Stretch | None) -> list[str]:
    about = [finding.group, finding.time.isoformat(" ", "seconds") if finding.time else None]
    lines = [f"## {index}. {safe(finding.case_id)}: {finding.verdict}, p = {p_value}", ""]
    if any(about):
        lines += [safe(" · ".join(a for a in about if a)), ""]
    if together is not None and (words := several(together)):
        lines += [f"{safe(words)}; this one is the most anomalous. All: {safe(', '.join(together.cases))}.", ""]
    if finding.explanation is not None:
        lines += [safe(finding.explanation.text), ""]
    for e in finding.evidence:
        # a plain path stands as code; in any other a backtick or a newline could end it
        path = e.artifact or ""
        picture = f" (`{path}`)" if re.fullmatch(r"[\w./~-]+", path) else f" ({safe(path)})" if path else ""
        lines.append(f"- {safe(e.id)} {safe(e.caption)}{picture}")
    return [*lines, ""]
