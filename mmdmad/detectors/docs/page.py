"""docs/detectors.md, written by code from the registry and from the figures in docs/results.md.

Nothing is measured here and no figure is made up: a detector without a row of accuracy in the results is named so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdmad.detectors.about import About, Fidelity
from mmdmad.detectors.base import Detector
from mmdmad.detectors.docs.taxonomy import FAMILIES, by_branch, svg

COST = {
    "instant": "nothing to train, or a closed form",
    "seconds": "a small network or a large memory: seconds to a few minutes of training on one core",
    "minutes": "a transformer, a UNet or double back-propagation: minutes of training on one core",
}
FIDELITY: dict[Fidelity | None, str] = {
    "equal": "the score and the training of the paper or of its released code",
    "reduced": "the same method, parts of it smaller or left out: the entry says which",
    "idea": "taken to other data or put together here: the paper's figures say nothing about it",
    None: "not stated",
}
SPEED = "Cost"  # the section of the results whose tables say nothing of accuracy
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


def accuracy(found: Sequence[Figure]) -> list[Figure]:
    """The figures that tell how well a detector finds anomalies, not what it costs.

    >>> [f.suite for f in accuracy([Figure("mtd", "mtd", "AUROC 0.9"), Figure(SPEED, "cost", "training, s 3")])]
    ['mtd']
    """
    return [figure for figure in found if figure.suite != SPEED]


def page(known: dict[str, type[Detector]], results: str) -> str:
    """The page as Markdown."""
    abouts = [cls.about for cls in known.values()]
    measured = figures(results, list(known))
    without = [name for name, found in measured.items() if not accuracy(found)]
    lines = [
        "# Detectors",
        "",
        f"The {len(abouts)} registered detectors, family by family. `mmdmad detectors --page docs` writes this page",
        "from the registry and from [results.md](results.md); change it there. In the formulas x is a token,",
        "standardised on the training tokens, e a fixed noise draw, a_t the signal left at time t, and a sum or mean",
        "runs over what its index names; higher is more anomalous.",
        "",
        *(
            [
                f"Without an accuracy figure in this repository: {', '.join(without)}.",
                "The reason to choose one of these is the paper's, not ours.",
            ]
            if without
            else ["Every one of them has an accuracy figure in this repository."]
        ),
        "",
        "![Families and methods](taxonomy.svg)",
        "",
        *(f"- **{name}**: {text}." for name, text in COST.items()),
        "",
        "How near a detector is to the paper it names:",
        "",
        *(f"- **{name}**: {text}." for name, text in FIDELITY.items() if name),
        "",
        "| detector | family | branch | cost | fidelity | measured |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| [{a.name}](#{a.name}) | {a.family} | {a.branch or 'other'} | {a.cost} | "
        f"{a.fidelity or FIDELITY[None]} | "
        f"{', '.join(dict.fromkeys(f.suite for f in accuracy(measured[a.name]))) or 'no accuracy'} |"
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
    rows = [] if accuracy(measured) else ["no accuracy figure here"]
    rows += [f"[{f.suite}](results.md#{f.anchor}): {f.words}" for f in measured]
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
        f"- **Fidelity**: {about.fidelity or FIDELITY[None]}" + (f". {about.differs}" if about.differs else ""),
        f"- **For**: {', '.join(about.modalities)}" + (f" ({about.needs})" if about.needs else ""),
        f"- **Measured**: {'; '.join(rows)}",
    ]


def write_page(folder: Path, known: dict[str, type[Detector]]) -> list[Path]:
    """Write detectors.md and taxonomy.svg into `folder`, with the figures of its results.md if there is one.

    Of mmdmad's own detectors: those of other distributions lie in no file that the page could link to.
    """
    known = {name: cls for name, cls in known.items() if cls.__module__.startswith("mmdmad.")}
    results = folder / "results.md"
    text = results.read_text() if results.is_file() else ""
    made = {"detectors.md": page(known, text), "taxonomy.svg": svg([cls.about for cls in known.values()])}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        (folder / name).write_text(content)
    return [folder / name for name in made]
