"""From numbers to words: rounding, places, directions, and captions that can only say what their facts hold."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdmad.cases import Modality
from mmdmad.findings import Evidence, EvidenceKind, Fact


@dataclass(frozen=True)
class Draft:
    """An evidence that has no number yet."""

    kind: EvidenceKind
    part: Modality | None
    caption: str
    facts: tuple[Fact, ...]

    def numbered(self, number: int, artifact: str | None) -> Evidence:
        """The evidence E<number>, with the picture that shows it."""
        return Evidence(
            id=f"E{number}", kind=self.kind, part=self.part, caption=self.caption, facts=self.facts, artifact=artifact
        )


def draft(kind: EvidenceKind, part: Modality | None, template: str, facts: Sequence[Fact], when: str = "") -> Draft:
    """An evidence whose caption is `template` with every {name} replaced by the fact of that name and its unit.

    Nothing but the template's own words and the facts can enter the caption, so it cannot say what no fact holds;
    {when} is `when`, the words that `explain.when` makes of facts. Facts that the template leaves out are kept beside
    it.

    >>> draft("part", "image", "the {part} part has p = {p}.", [fact("part", "image"), fact("p", 0.01234)]).caption
    'The image part has p = 0.0123.'
    """
    caption = template.format(**{**{f.name.replace(" ", "_"): shown(f) for f in facts}, "when": when})
    return Draft(kind, part, caption[:1].upper() + caption[1:], tuple(facts))


def fact(name: str, value: float | int | str, unit: str = "") -> Fact:
    """A fact with its number rounded to three significant digits; counts and words stay as they are."""
    if isinstance(value, str):
        return Fact(name=name, value=value, unit=unit)
    if isinstance(value, (int, np.integer)):
        return Fact(name=name, value=int(value), unit=unit)
    return Fact(name=name, value=rounded(float(value)), unit=unit)


def rounded(value: float, digits: int = 3) -> float:
    """The number with `digits` significant digits.

    >>> rounded(0.0123456), rounded(123456.0), rounded(-0.0)
    (0.0123, 123000.0, 0.0)
    """
    if not np.isfinite(value):
        raise ValueError(f"{value} cannot be stated as a fact")
    return float(f"{value:.{digits}g}") + 0.0


def number(value: float | int) -> str:
    """A number as it is written in captions: no exponent, no trailing zeros.

    >>> number(0.00001), number(2.0), number(1230000.0)
    ('0.00001', '2', '1230000')
    """
    if isinstance(value, int):
        return str(value)
    return np.format_float_positional(rounded(value), trim="-")


def shown(f: Fact) -> str:
    """A fact's value with its unit, as it stands in a caption."""
    value = f.value if isinstance(f.value, str) else number(f.value)
    return f"{value} {f.unit}" if f.unit else value


def listed(words: Sequence[str], last: str = "and") -> str:
    """Words as a list in English; `last` stands before the last of them.

    >>> listed(["image"]), listed(["image", "text", "video"]), listed(["text", "video"], "or")
    ('image', 'image, text and video', 'text or video')
    """
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" {last} " + words[-1] if words else ""


def place(row: float, column: float) -> str:
    """Where a point lies in a picture, from its row and column as shares of height and width.

    >>> place(0.1, 0.9), place(0.5, 0.5), place(0.5, 0.1)
    ('upper right', 'centre', 'left')
    """
    vertical = "upper" if row < 1 / 3 else "lower" if row > 2 / 3 else ""
    horizontal = "left" if column < 1 / 3 else "right" if column > 2 / 3 else ""
    if not vertical:
        return horizontal or "centre"
    return f"{vertical} {horizontal or 'centre'}"


def direction(dx: float, dy: float) -> str:
    """Where a movement points, in picture coordinates (y grows downwards), in eight steps.

    >>> direction(1, 0), direction(0, 1), direction(-1, -1)
    ('right', 'down', 'up and left')
    """
    names = ("right", "down and right", "down", "down and left", "left", "up and left", "up", "up and right")
    return names[round(float(np.arctan2(dy, dx)) / (np.pi / 4)) % 8]


def quoted(text: str, limit: int = 120) -> str:
    """A piece of a case's text fit for a caption: one line, no control or formatting characters, cut at `limit`.

    >>> quoted("belt\\n stopped")
    'belt stopped'
    """
    clean = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    clean = re.sub(r"\s+", " ", clean).strip()
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def joint_score(score: float) -> str:
    """A joint score in words; beyond 1000 it only says that normal cases are nearly all alike and this one differs.

    >>> joint_score(12.345), joint_score(1.14e21)
    ('joint score 12.3', 'joint score above 1000: normal cases are nearly all alike, and this one differs')
    """
    if score <= 1000:
        return f"joint score {score:.3g}"
    return "joint score above 1000: normal cases are nearly all alike, and this one differs"
