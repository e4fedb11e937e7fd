"""The taxonomy of registered detectors as an SVG: families as columns, their branches, the methods with their paper.

Plain text and boxes without fonts or scripts of its own, so that it shows wherever SVG does.
"""

import textwrap
from collections.abc import Iterable, Sequence
from html import escape

from mmdmad.detectors.about import About, Family

FAMILIES: dict[Family, tuple[str, str, str]] = {
    "reconstruction": ("Reconstruction", "how far is x from what the model makes of it?", "#1f5fa8"),
    "density": ("Density", "how likely is x, or how much noise away?", "#157a5b"),
    "hybrid": ("Hybrid", "several signals, or an adapted process", "#8a4b9e"),
    "zero-shot": ("Zero-shot", "without training on the normal items", "#b3541e"),
    "baseline": ("Baselines", "no diffusion: what the others must beat", "#555f6b"),
}
COSTS = {"instant": 1, "seconds": 2, "minutes": 3}
WIDTH, GAP, MARGIN = 258, 18, 24
LINE, BRANCH = 15, 24
BACK, INK, FAINT = "#ffffff", "#1d2329", "#5b6670"


def by_branch(abouts: Iterable[About]) -> dict[Family, dict[str, list[About]]]:
    """Detectors by family and branch, families in the order of the field, all else as registered ("other" last).

    >>> by_branch([About("a", "density", "", "instant", branch="score function")])["density"].keys()
    dict_keys(['score function'])
    """
    every: dict[Family, dict[str, list[About]]] = {family: {} for family in FAMILIES}
    for about in abouts:
        every[about.family].setdefault(about.branch or "other", []).append(about)
    return {family: dict(sorted(b.items(), key=lambda pair: pair[0] == "other")) for family, b in every.items() if b}


def svg(abouts: Sequence[About]) -> str:
    """The picture."""
    columns = by_branch(abouts)
    drawn = [_column(family, branches) for family, branches in columns.items()]
    height = MARGIN + 118 + max((tall for _, tall in drawn), default=0) + MARGIN
    width = 2 * MARGIN + len(drawn) * WIDTH + max(0, len(drawn) - 1) * GAP
    middle, top = width / 2, MARGIN + 66
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="Helvetica, Arial, sans-serif" role="img">',
        f"<title>Taxonomy of the {len(abouts)} detectors of mmdmad</title>",
        f'<rect width="{width}" height="{height}" fill="{BACK}"/>',
        _text(middle, MARGIN + 20, "Diffusion models for anomaly detection", 21, INK, "bold", "middle"),
        _text(
            middle,
            MARGIN + 42,
            f"{len(abouts)} detectors; dots: trains in an instant (1), seconds (2), minutes (3)",
            13,
            FAINT,
            anchor="middle",
        ),
    ]
    for number, (family, (body, _)) in enumerate(zip(columns, drawn)):
        x = MARGIN + number * (WIDTH + GAP)
        parts.append(
            f'<path d="M {middle} {top - 14} V {top} H {x + WIDTH / 2} V {top + 16}" fill="none" stroke="#aab3bc"/>'
        )
        parts.append(f'<g transform="translate({x} {top + 16})">{_head(family)}{body}</g>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _head(family: Family) -> str:
    title, question, colour = FAMILIES[family]
    return (
        f'<rect width="{WIDTH}" height="52" rx="6" fill="{colour}"/>'
        + _text(WIDTH / 2, 22, title, 16, BACK, "bold", "middle")
        + _text(WIDTH / 2, 41, question, 11, BACK, anchor="middle")
    )


def _column(family: Family, branches: dict[str, list[About]]) -> tuple[str, int]:
    """The methods of a family below its head, and how tall they are."""
    colour, parts, y = FAMILIES[family][2], [], 52
    for branch, abouts in branches.items():
        y += BRANCH
        parts.append(_text(4, y - 5, branch, 13, colour, "bold"))
        for about in abouts:
            paper = textwrap.wrap(about.paper, 42, break_on_hyphens=False)
            tall = 26 + LINE * len(paper)
            dots = "".join(
                f'<circle cx="{WIDTH - 14 - 10 * i}" cy="{y + 15}" r="3.2" fill="{colour}"/>'
                for i in range(COSTS[about.cost])
            )
            parts.append(
                f'<rect x="0.5" y="{y + 0.5}" width="{WIDTH - 1}" height="{tall}" rx="4" fill="#f5f7f9" '
                f'stroke="{colour}" stroke-opacity="0.45"/>'
                + _text(10, y + 19, about.name, 13.5, INK, "bold")
                + dots
                + "".join(_text(10, y + 19 + LINE * (i + 1), line, 11, FAINT) for i, line in enumerate(paper))
            )
            y += tall + 6
    return "".join(parts), y


def _text(
    x: float, y: float, words: str, size: float, colour: str, weight: str = "normal", anchor: str = "start"
) -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )
