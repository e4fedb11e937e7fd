"""docs/detectors.md, written by code from the registry and from the figures in docs/results.md.

Nothing is measured here and no figure is made up: a detector without a row in the results is "not measured here".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdmad.detectors.base import About, Detector
from mmdmad.detectors.docs.taxonomy import FAMILIES, by_branch, svg

COST = {
    "instant": "nothing to train, or a closed form",
    "seconds": "a small network or a large memory: seconds to a few minutes of training on one core",
    "minutes": "a transformer, a UNet or double back-propagation: minutes of training on one core",
}
SHOWN = 2  # figures of a table's row that are quoted


@dataclass(frozen=True)
class Figure:
    """One row of one table of the results: suite, anchor of its section, and its first figures in words."""

    suite: str
    anchor: str
    words: str


def figures(results: str, names: Sequence[str]) -> dict[str, list[Figure]]:
    """Rows of the tables in a results page that name a detector, by detector.

    Tables whose first column is "detector", under a heading "## suite: what it is"; of a row the first figures.

    >>> page = "## mtd: tiles\\n\\n| detector | AUROC |\\n|---|---|\\n| **knn** (default) | 0.9 |\\n"
    >>> figures(page, ["knn"])["knn"][0].words
    'AUROC 0.9'
    """
    found: dict[str, list[Figure]] = {name: [] for name in names}
    suite, anchor = "", ""
    head: list[str] = []
    for line in results.splitlines():
        if line.startswith("## "):
            title = line[3:].strip()
            suite, head = title.split(":")[0], []
            anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        if not line.startswith("|"):
            head = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not head:
            head = cells if cells[0] == "detector" else ["another table"]
        elif head[0] == "detector":
            name = re.sub(r"\s*\(default\)$", "", cells[0]).strip("* ")
            given = [f"{what} {value}" for what, value in zip(head[1:], cells[1:]) if value][:SHOWN]
            if name in found and given:
                found[name].append(Figure(suite, anchor, ", ".join(given)))
    return found


def page(known: dict[str, type[Detector]], results: str) -> str:
    """The page as Markdown."""
    abouts = [cls.about for cls in known.values()]
    measured = figures(results, list(known))
    lines = [
        "# Detectors",
        "",
        f"The {len(abouts)} registered detectors, family by family. `mmdmad detectors --page docs` writes this page",
        "from the registry and from [results.md](results.md); change it there. In the formulas x is a token,",
        "standardised on the training tokens, e a fixed noise draw, a_t the signal left at time t, and a sum or mean",
        'runs over what its index names; higher is more anomalous. "Not measured here" means that no benchmark of this',
        "repository has a figure for it yet: the reason to choose it is then the paper's, not ours.",
        "",
        "![Families and methods](taxonomy.svg)",
        "",
        *(f"- **{name}**: {text}." for name, text in COST.items()),
        "",
        "| detector | family | branch | cost | measured |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| [{a.name}](#{a.name}) | {a.family} | {a.branch or 'other'} | {a.cost} | "
        f"{', '.join(dict.fromkeys(f.suite for f in measured[a.name])) or 'not measured here'} |"
        for branches in by_branch(abouts).values()
        for group in branches.values()
        for a in group
    ]
    for family, branches in by_branch(abouts).items():
        title, question, _ = FAMILIES[family]
        lines += ["", f"## {title}", "", question[0].upper() + question[1:] + ("" if question.endswith("?") else ".")]
        for branch, group in branches.items():
            for about in group:
                lines += ["", *_entry(about, branch, known[about.name], measured[about.name])]
    return "\n".join(lines) + "\n"


def _entry(about: About, branch: str, cls: type[Detector], measured: list[Figure]) -> list[str]:
    file = cls.__module__.replace(".", "/") + ".py"
    rows = [f"[{f.suite}](results.md#{f.anchor}): {f.words}" for f in measured]
    return [
        f"### {about.name}",
        "",
        f"{about.paper}. {branch[0].upper() + branch[1:]}; cost: {about.cost}; [{file}](../{file})",
        "",
        "```",
        about.formula,
        "```",
        "",
        f"- **Use**: {about.use}",
        f"- **Not**: {about.avoid}",
        f"- **For**: {', '.join(about.modalities)}" + (f" ({about.needs})" if about.needs else ""),
        f"- **Measured**: {'; '.join(rows) or 'not measured here'}",
    ]


def write_page(folder: Path, known: dict[str, type[Detector]]) -> list[Path]:
    """Write detectors.md and taxonomy.svg into `folder`, with the figures of its results.md if there is one."""
    results = folder / "results.md"
    text = results.read_text() if results.is_file() else ""
    made = {"detectors.md": page(known, text), "taxonomy.svg": svg([cls.about for cls in known.values()])}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        (folder / name).write_text(content)
    return [folder / name for name in made]
