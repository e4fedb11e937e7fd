"""Several kinds of one thing become the parts of one case: by position, by id, or one of each kind together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mmdmad.cases import Case, Cases, Modality, Part, Refusal
from mmdmad.errors import DataError
from mmdmad.intake.memory import NUMBERED
from mmdmad.labels import Labels

FIRST = "tables"
"""A table gives a recording its name, for it is the part that all others are set against."""


def joined(found: Mapping[str, Cases]) -> Cases:
    """The cases of several kinds, joined; DataError where nothing says which belong together.

    Cases that lack a part are cases all the same, and a note says how many. Where two kinds say something different of
    split or label, the case is refused by name.
    """
    if len(found) == 1:
        (alone,) = found.values()
        return replace(alone, extra={name: value for name, value in alone.extra.items() if name != NUMBERED})
    if all(len(cases) == 1 for cases in found.values()):
        return _one(found)
    _check(found)
    ids = dict.fromkeys(case.id for cases in found.values() for case in cases)
    by_id = [{case.id: case for case in cases} for cases in found.values()]
    items: list[Case] = []
    refused = [r for cases in found.values() for r in cases.refused]
    for one in ids:
        parts = [known[one] for known in by_id if one in known]
        wrong = [name for name in ("split", "label") if len({getattr(c, name) for c in parts} - {None}) > 1]
        if wrong:
            said = " and ".join(str(getattr(case, wrong[0])) for case in parts)
            refused.append(Refusal(one, "case", f"its parts say different things of its {wrong[0]}: {said}"))
        else:
            items.append(_merged(one, parts))
    lacking = sum(len(case.parts) < len(found) for case in items)
    notes = [f"{lacking} of {len(items)} cases lack one of {', '.join(found)}"] if lacking else []
    return Cases(tuple(items), tuple(refused), None, extra_of(found.values(), notes))


def extra_of(found: Iterable[Cases], notes: Sequence[str] = ()) -> dict[str, Any]:
    """What is kept beside the cases of several sources, together."""
    extras = [cases.extra for cases in found]
    folders = tuple(one for extra in extras for one in extra.get("folders", ()))
    return {
        "columns": {k: v for extra in extras for k, v in (extra.get("columns") or {}).items()},
        "masks": {k: v for extra in extras for k, v in extra.get("masks", {}).items()},
        "simulated": any(extra.get("simulated") for extra in extras),
        "notes": (*(note for extra in extras for note in extra.get("notes", ())), *notes),
        "open": next((extra["open"] for extra in extras if extra.get("open")), ""),
        "labels": _labels([extra["labels"] for extra in extras if extra.get("labels") is not None]),
        **({"folders": folders} if folders else {}),
    }


def _labels(found: Sequence[Labels]) -> Labels | None:
    """What the sources say of labels, together: a question of one is a question."""
    if not found:
        return None
    unread: dict[str, tuple[str, ...]] = {}
    for one in found:
        unread |= {word: (*unread.get(word, ()), *ids) for word, ids in one.unread.items()}
    labels = {case_id: label for one in found for case_id, label in one.labels.items()}
    return Labels(found[0].column, labels, unread, next((one.question for one in found if one.question), ""))


def _one(found: Mapping[str, Cases]) -> Cases:
    """One of each kind: parts of one case, whatever their names are."""
    cases = [found[name][0] for name in sorted(found, key=lambda name: name != FIRST)]
    refused = tuple(r for one in found.values() for r in one.refused)
    names = list(dict.fromkeys(case.id for case in cases))
    notes = [f"{' and '.join(names)} are taken as parts of one case, for there is one of each kind"]
    return Cases((_merged(names[0], cases),), refused, None, extra_of(found.values(), notes if len(names) > 1 else ()))


def _merged(case_id: str, cases: Sequence[Case]) -> Case:
    parts: dict[Modality, Part] = {m: replace(p, case_id=case_id) for case in cases for m, p in case.parts.items()}

    def first(name: str) -> Any:
        return next((value for case in cases if (value := getattr(case, name)) is not None), None)

    return Case(case_id, parts, *(first(name) for name in ("time", "label", "split", "group", "row", "recording")))


def _check(found: Mapping[str, Cases]) -> None:
    """That positions are paired with positions, of one length, and names with names that they share."""
    counts = {name: cases.extra.get(NUMBERED, 0) for name, cases in found.items()}
    said = ", ".join(f"{name} ({count if count else len(found[name])})" for name, count in counts.items())
    if any(counts.values()) and not all(counts.values()):
        by = [name for name, count in counts.items() if count]
        raise DataError(
            f"{' and '.join(by)} are numbered, the others of {said} have names, nothing says which belong together; "
            "give mappings from ids, or lists of one length for all"
        )
    if len(set(counts.values())) > 1:
        raise DataError(f"lists of different lengths were given: {said}; put None where a case lacks a part")
    for name, cases in found.items():
        others = {case.id for other, those in found.items() if other != name for case in those}
        if not any(case.id in others for case in cases):
            mine, theirs = cases[0].id, min(others)
            raise DataError(
                f"none of {name} has a name in common with the others ({mine!r} here, {theirs!r} there); files of one "
                "case have one name below each folder"
            )
