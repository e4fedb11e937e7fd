"""Cases as JSON for the store, and the marks that tell whether a case's files are still those that were judged."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from mmdmad.cases import Case, Part
from mmdmad.errors import PartError, RunError
from mmdmad.files import parsed


def case_to_json(case: Case) -> str:
    """The case with absolute paths; texts are kept whole, other values in memory cannot be read again later."""
    parts: dict[str, Any] = {}
    for modality, part in case.parts.items():
        text = getattr(part.value, "text", part.value)
        parts[modality] = {
            "path": None if part.path is None else str(Path(part.path).resolve()),
            "start": part.start,
            "stop": part.stop,
            "rate": part.rate,
            "text": text if isinstance(text, str) else None,
            "row": part.row,
        }
    values = {
        "id": case.id,
        "time": None if case.time is None else case.time.isoformat(),
        "label": case.label,
        "split": case.split,
        "group": case.group,
        "row": case.row,
        "recording": case.recording,
        "parts": parts,
    }
    return json.dumps(values)


def case_from_json(case_id: str, data: str) -> Case:
    """The case that `case_to_json` wrote, without the parts that were only in memory; RunError where it is damaged."""
    try:
        return _case(parsed(data))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RunError(
            f"what is stored of the files of case {case_id!r} is damaged ({type(error).__name__}: {error}); "
            "restore cases.sqlite from a copy, or move it away and score again"
        ) from error


def _case(values: dict[str, Any]) -> Case:
    parts = {
        modality: Part(
            modality,
            path=None if part["path"] is None else Path(part["path"]),
            value=part["text"],
            start=part["start"],
            stop=part["stop"],
            rate=part["rate"],
            case_id=values["id"],
            row=part["row"],
        )
        for modality, part in values.pop("parts").items()
        if part["path"] is not None or part["text"] is not None
    }
    time = None if values["time"] is None else datetime.fromisoformat(values.pop("time"))
    return Case(**{**values, "parts": parts, "time": time})


def stamp(case: Case, *, times: bool = True) -> str:
    """Names, slices, sizes and (unless told otherwise) times of a case's files: quick, and enough to see no change."""
    marks: list[list[Any]] = []
    for modality, part in sorted(case.parts.items()):
        mark: list[Any] = [modality, part.start, part.stop, part.rate]
        if part.path is None:
            mark.append(_content(part))
        else:
            path = Path(part.path).resolve()
            mark.append(str(path))
            if path.exists():
                stat = path.stat()
                mark += [stat.st_size, stat.st_mtime_ns] if times else [stat.st_size]
        marks.append(mark)
    return json.dumps([case.id, case.group, case.label, str(case.time), marks])


def places(case: Case) -> list[tuple[str, str | None, int | None, int | None]]:
    """Where the parts of a case lie: modality, absolute path (None in memory) and slice."""
    return sorted(
        (m, None if p.path is None else str(Path(p.path).resolve()), p.start, p.stop) for m, p in case.parts.items()
    )


def content(case: Case) -> str:
    """SHA-256 over the contents of a case's parts."""
    marks = [[m, p.start, p.stop, p.rate, _content(p)] for m, p in sorted(case.parts.items())]
    return hashlib.sha256(json.dumps([case.id, case.group, case.label, str(case.time), marks]).encode()).hexdigest()


def fingerprint(cases: Iterable[Case]) -> str:
    """SHA-256 over the names, slices and sizes of all files of a set of cases, in order."""
    digest = hashlib.sha256()
    for case in cases:
        digest.update(stamp(case, times=False).encode() + b"\n")
    return digest.hexdigest()


def _content(part: Part) -> str:
    from mmdmad.parts import content_key

    try:
        return content_key(part)
    except PartError as error:  # an unreadable file is a state of its own; a repaired one differs from it
        return f"unreadable: {error.reason}"
