"""Findings as tables: Parquet or CSV with one flat row per finding, JSON lines with the whole findings.

A spreadsheet takes a CSV cell that begins like a formula for one, whoever wrote it, so such texts get a leading
apostrophe there, which spreadsheets hide; Parquet and JSON lines hold every text as it is.
"""

import csv
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from mmdmad.errors import RunError
from mmdmad.files import replacing
from mmdmad.modalities.base import modalities, ordered

if TYPE_CHECKING:
    import pandas as pd

    from mmdmad.findings import Finding, Findings

Row = TypeVar("Row", bound=BaseModel)
SUFFIXES = (".parquet", ".csv", ".jsonl")
PAGE = ".html"
HEAD = ("case_id", "time", "group", "label", "verdict", "p_value", "score", "false_alarm_rate", "calibration_size")
TAIL = (
    "contradiction", "contradiction_p_value", "recording_p_value", "whole_recording_p_value", "decided_by",
    "explanation", "refused", "simulated",
)  # fmt: skip


def export(findings: "Sequence[Finding]", path: Path) -> Path:
    """Write the findings in the format of the suffix; the file appears whole or not at all."""
    return write_rows(findings, columns({p.modality for f in findings for p in f.parts}), flat, path)


def write_rows(items: Sequence[Row], head: Sequence[str], flat: Callable[[Row], dict[str, Any]], path: Path) -> Path:
    """Write data classes as rows, flat under the columns `head` or, as JSON lines, whole: all of it or nothing."""
    if path.suffix not in SUFFIXES:
        raise RunError(f"{path.name}: tables are written as {', '.join(SUFFIXES)}")
    with replacing(path) as unfinished:
        if path.suffix == ".jsonl":
            with unfinished.open("w", encoding="utf-8") as file:
                file.writelines(item.model_dump_json() + "\n" for item in items)
        elif path.suffix == ".csv":
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                # quoted, so that no separator of another locale in a text begins a cell of its own
                writer = csv.DictWriter(file, head, quoting=csv.QUOTE_NONNUMERIC)
                writer.writeheader()
                writer.writerows({name: cell(value) for name, value in flat(item).items()} for item in items)
        else:
            import pandas as pd

            pd.DataFrame([flat(item) for item in items], columns=list(head)).to_parquet(unfinished, index=False)
    return path


def save(findings: "Findings", path: Path) -> Path:
    """Write findings as a table, JSON lines or a page of its own, most anomalous first; see `Findings.save`."""
    if path.suffix not in (*SUFFIXES, PAGE):
        raise RunError(f"{path.name}: findings are saved as {', '.join((*SUFFIXES, PAGE))}")
    if path.suffix != PAGE:
        return export(findings.ranked(), path)
    from mmdmad.cards import page

    with replacing(path) as unfinished:
        unfinished.write_text(page(findings, path.stem), encoding="utf-8")
    return path


def frame(findings: "Sequence[Finding]") -> "pd.DataFrame":
    """One flat row per finding, in their order, with columns for the parts that occur and times as times."""
    import pandas as pd

    found = ordered({p.modality for f in findings for p in f.parts})
    rows = [flat(f) | {"time": f.time} for f in findings]
    return pd.DataFrame(rows, columns=[*HEAD, *_of_parts(found), *TAIL])


_FORMULA = re.compile(r"[\s\x00-\x1f\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def cell(value: Any) -> Any:
    """A value as a CSV cell: a text that a spreadsheet would run begins with an apostrophe; numbers stay numbers.

    >>> cell("=1+1"), cell("-5"), cell(-0.5), cell("sheet-1"), cell("\\t@SUM(A1)")
    ("'=1+1", '-5', -0.5, 'sheet-1', "'\\t@SUM(A1)")
    """
    if not isinstance(value, str) or _NUMBER.fullmatch(value) or not _FORMULA.match(value):
        return value
    return f"'{value}"


def columns(found: Collection[str] = ()) -> list[str]:
    """The columns of a flat row, the same for every run: all modalities that are known, and those that were `found`."""
    return [*HEAD, *_of_parts(ordered([*modalities(), *found])), *TAIL]


def _of_parts(names: Sequence[str]) -> list[str]:
    return [f"{m}_{name}" for m in names for name in ("p_value", "share", "score")]


def flat(finding: "Finding") -> dict[str, Any]:
    """One finding as one row; parts that a case lacks stay empty."""
    row: dict[str, Any] = dict.fromkeys(columns([p.modality for p in finding.parts]))
    row |= {
        "case_id": finding.case_id,
        "time": None if finding.time is None else finding.time.isoformat(),
        "group": finding.group,
        "label": finding.label,
        "verdict": finding.verdict,
        "p_value": finding.p_value,
        "score": finding.score,
        "false_alarm_rate": finding.guarantee.rate,
        "calibration_size": finding.guarantee.size,
        "explanation": None if finding.explanation is None else finding.explanation.text,
        "refused": "; ".join(finding.refused),
        "simulated": finding.simulated,
    }
    if (own := finding.by_recording) is not None:
        decided = "recording_p_value" if finding.guarantee.among == "recordings" else "p_value"
        row |= {"recording_p_value": own.p_value, "whole_recording_p_value": own.whole, "decided_by": decided}
    for part in finding.parts:
        row |= {
            f"{part.modality}_p_value": part.p_value,
            f"{part.modality}_share": part.share,
            f"{part.modality}_score": part.score,
        }
    if finding.contradictions:
        worst = min(finding.contradictions, key=lambda c: c.p_value)
        row |= {"contradiction": worst.part, "contradiction_p_value": worst.p_value}
    return row
