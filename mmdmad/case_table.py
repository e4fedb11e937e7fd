"""Cases as a table: a DataFrame of them, and what a notebook shows; every word from outside is escaped."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mmdmad.markup import listed, table, text
from mmdmad.modalities.base import ordered

if TYPE_CHECKING:
    import pandas as pd

    from mmdmad.cases import Case, Cases, Part

ABOUT = ("time", "split", "group", "label", "recording")
ROWS, LINES, WIDE = 10, 5, 60
"""Cases, and lines of notes and of refusals, that a notebook shows, and letters of a cell."""


def where(part: "Part") -> str:
    """Where a part lies, as a manifest writes it: its path and slice, else the text itself, or what is in memory.

    >>> from pathlib import Path
    >>> from mmdmad.cases import Part
    >>> where(Part("sensor", path=Path("pump.csv"), start=0, stop=60)), where(Part("text", value="belt started"))
    ('pump.csv#0:60', 'belt started')
    """
    if part.path is not None:
        given = str(part.path)
    else:
        value = getattr(part.value, "text", part.value)
        if isinstance(value, str):
            return value
        shape = getattr(value, "shape", getattr(getattr(value, "values", None), "shape", None))
        given = type(value).__name__ + ("" if shape is None else f" {' x '.join(map(str, shape))}")
    whole = part.start is None and part.stop is None
    return given if whole else f"{given}#{part.start or 0}:{'' if part.stop is None else part.stop}"


def frame(cases: "Cases") -> "pd.DataFrame":
    """One row per case with the columns of a manifest, and those of the user's own."""
    import pandas as pd

    others = cases.extra.get("columns") or {}
    kinds = _kinds(cases)
    rows = [
        {**others.get(c.id, {}), **_about(c), **{m: where(c.parts[m]) if m in c.parts else None for m in kinds}}
        for c in cases
    ]
    own = dict.fromkeys(name for row in rows for name in row)
    head = ["id", *ABOUT, *kinds]
    return pd.DataFrame(rows, columns=[*head, *(name for name in own if name not in head)])


def html(cases: "Cases") -> str:
    """How many cases there are and of what, the first of them as a table, what was decided and what was refused."""
    kinds = _kinds(cases)
    shown = [name for name in ABOUT if any(_about(case)[name] is not None for case in cases)]
    patterns = Counter(case.pattern for case in cases).most_common(LINES)
    counts = [f"{count} with {' + '.join(pattern)}" for pattern, count in patterns]
    splits = Counter(case.split for case in cases if case.split is not None).most_common(LINES)
    said = "; ".join([*counts, *(f"{count} of {split}" for split, count in splits)])
    head = [*map(text, ("id", *shown, *kinds))]
    lines = [_line(case, shown, kinds) for case in cases.items[:ROWS]]
    more = f"<p>… and {len(cases) - ROWS} more; <code>to_dataframe()</code> has all</p>" if len(cases) > ROWS else ""
    refused = [f"refused: {text(r.case_id)}, {text(r.part)}: {text(r.reason)}" for r in cases.refused[:LINES]]
    if len(cases.refused) > LINES:
        refused.append(f"and {len(cases.refused) - LINES} more refused (<code>refused</code>)")
    notes = [text(note) for note in cases.extra.get("notes", ())]
    if len(notes) > LINES:
        notes[LINES:] = [f"and {len(notes) - LINES} more (<code>extra['notes']</code>)"]
    mark = " (simulated data)" if cases.extra.get("simulated") else ""
    return f"<p><b>{len(cases)} cases</b>{mark}: {text(said)}</p>{table(head, lines)}{more}{listed([*notes, *refused])}"


def _line(case: "Case", shown: Iterable[str], kinds: Iterable[str]) -> list[str]:
    about = _about(case)
    parts = [_end(where(case.parts[m])) if m in case.parts else "" for m in kinds]
    return [text(case.id), *(text(about[name]) for name in shown), *map(text, parts)]


def _about(case: "Case") -> dict[str, Any]:
    return {"id": case.id, **{name: getattr(case, name) for name in ABOUT}}


def _kinds(cases: "Cases") -> tuple[str, ...]:
    return ordered(modality for case in cases for modality in case.parts)


def _end(words: str) -> str:
    """The end of a long path or text: there it says most, and the begin of paths is the same in all rows."""
    return words if len(words) <= WIDE else "…" + words[1 - WIDE :]
