"""Which cases are learned from: the one rule that `fit`, `Run.fit`, `JointDetector.fit` and `check` ask.

1. What somebody chose (a split, a folder, a column's value) is taken, and nothing else.
2. Without a choice, cases of the split `train` are taken where there are some; of test and validation none ever are.
3. A split or folder that says nothing beside others that do is a question, and nothing is learned until it is answered.
4. Cases that a label or a folder calls faulty are never learned from, nor are those whose label cannot be read, nor,
   where no split says more and others are labelled normal, those without a label.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmdmad.cases import Case, Cases
from mmdmad.errors import DataError, RefusalWarning
from mmdmad.folder_tree import Tree
from mmdmad.labels import Labels
from mmdmad.roles import (
    FAULTY,
    LABEL,
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    counted,
    in_cell,
    label_of,
    leaning,
    roles_of,
    said,
    split_of,
)

CHOICE = "--split COLUMN=VALUE (of a folder: --normal DIR; in Python: cases.where(split=VALUE))"


@dataclass(frozen=True, eq=False)
class Learned:
    """The cases to learn from, and why the others are left out: {reason: ids}."""

    cases: Cases
    left: dict[str, tuple[str, ...]]

    @property
    def lines(self) -> list[str]:
        """What is left out, a line a reason."""
        return [
            f"{counted(len(ids), 'case')} {'is' if len(ids) == 1 else 'are'} not learned from: {why}"
            for why, ids in self.left.items()
        ]


def to_learn(cases: Cases, *, split: str | None = None, normal: Sequence[str] = ()) -> Learned:
    """The cases to learn from. `split`: a split's name, or COLUMN=VALUE. `normal`: folders that hold normal cases.

    DataError where nothing says what is normal, or nothing is left; it says what to do.

    >>> from mmdmad.cases import Part
    >>> part = {"text": Part("text", value="x")}
    >>> given = Cases((Case("a", part, split="train"), Case("b", part, split="train", label=1), Case("c", part)))
    >>> [case.id for case in to_learn(given).cases]
    ['a']
    """
    why = question(cases, split, normal)
    if why:
        raise DataError(why)
    left: dict[str, list[str]] = {}
    kept = []
    chosen, unread, answered = _chosen(cases, split, normal), unread_ids(cases), _answered(cases, normal)
    for case in cases:
        case = answered(case)
        reason = chosen(case) or (
            "they are labelled faulty, or lie in folders of faults"
            if case.label == 1
            else "their labels cannot be read (a column of other words needs another name than 'label')"
            if case.id in unread
            else ""
        )
        if reason:
            left.setdefault(reason, []).append(case.id)
        else:
            kept.append(case)
    told = {reason: tuple(ids) for reason, ids in left.items()}
    if not kept and len(cases):
        reasons = "; ".join(f"{len(ids)}: {reason}" for reason, ids in told.items())
        raise DataError(f"no case is left to learn from ({reasons}); say which are normal with {CHOICE}")
    return Learned(replace(cases, items=tuple(kept), extra={**cases.extra, "chosen": True}), told)


def learned_from(cases: Cases) -> Cases:
    """The cases that `to_learn` finds; RefusalWarning says which are left out."""
    found = to_learn(cases)
    if found.left:
        warnings.warn("; ".join(found.lines), RefusalWarning, stacklevel=3)
    return found.cases


def question(cases: Cases, split: str | None = None, normal: Sequence[str] = ()) -> str:
    """Why nobody can say which cases to learn from, and what to do; "" where it is clear."""
    labels: Labels | None = cases.extra.get("labels")
    if labels is not None and labels.question and split is None and not normal:
        return labels.question
    if split is not None or normal or cases.extra.get("chosen"):
        return _open_below(cases, normal) if normal else ""
    if cases.extra.get("open"):
        return f"{cases.extra['open']}; nothing is learned until then"
    unknown = Counter(c.split for c in cases if c.split is not None and c.split not in SPLITS)
    if unknown:
        what = "folders" if "folders" in cases.extra else "splits"
        loose = unknown.pop(".", 0)
        known = sorted({str(c.split) for c in cases if c.split in SPLITS})
        if not unknown:
            return "" if known and TRAIN in known else _loose(cases, loose)
        listed = f"{said(map(str, unknown), 8)} ({counted(sum(unknown.values()), 'case')})"
        beside = f" beside {', '.join(known)}" if known else ""
        say = CHOICE if TRAIN not in known else f"--split train to learn from train alone, or {CHOICE}"
        told = f"the {what} {listed}{beside} do not say whether they are normal"
        return f"{told}; nothing is learned until you say so: {say}"
    splits = {c.split for c in cases}
    if splits & {TEST, VALIDATION} and TRAIN not in splits and None not in splits:
        return f"every case belongs to {' or '.join(sorted(map(str, splits)))}, none to train; say {CHOICE} to learn"
    if splits >= {TEST, None} and TRAIN not in splits and not any(c.split is None and c.label == 0 for c in cases):
        return (
            f"{sum(c.split is None for c in cases)} cases have no split beside others of test, and none belongs to "
            f"train; write train where you mean it, or say {CHOICE}"
        )
    return ""


def _loose(cases: Cases, count: int) -> str:
    if any(c.split in (None, TRAIN) and c.label == 0 for c in cases):
        return ""
    return (
        f"{counted(count, 'file')} beside the folders that say what they hold, where no folder says what is normal; "
        "if the files are, say --normal . or put them into a folder called train or good"
    )


def unread_ids(cases: Cases) -> frozenset[str]:
    """Cases whose label is there and cannot be read."""
    labels: Labels | None = cases.extra.get("labels")
    return frozenset(i for ids in labels.unread.values() for i in ids) if labels is not None else frozenset()


def _chosen(cases: Cases, split: str | None, normal: Sequence[str]) -> Callable[[Case], str]:
    """Why a case is not among the chosen ones, "" where it is."""
    if normal:
        folders = [_inside(cases, name) for name in normal]
        names = " or ".join(normal)

        def outside(case: Case) -> str:
            near = [folder for folder in folders if _lies_below(case, folder)]
            if not near:
                return f"they do not lie below {names}"
            split = _split_below(case, max(near, key=lambda folder: len(folder.parts)))
            return f"they belong to {split}, below {names}" if split else ""

        return outside
    if split is not None:
        holds = holding(cases, split)
        if not any(map(holds, cases)):
            column, _, value = split.rpartition("=")
            known = sorted({str(_cell(cases, c, column or "split")) for c in cases})
            raise DataError(
                f"no case has {column or 'split'} {value!r}; there are {', '.join(known[:20]) or 'no cases'}"
            )
        return lambda case: "" if holds(case) else f"they are not of {split!r}"
    if cases.extra.get("chosen"):
        return lambda case: ""
    unread = unread_ids(cases)
    some = any(c.split == TRAIN for c in cases)
    loose = any(c.split in (None, TRAIN) for c in cases)
    labelled = not some and any(c.split is None and c.label == 0 for c in cases)

    def why(case: Case) -> str:
        if case.split in (TEST, VALIDATION):
            return f"they belong to {case.split}"
        if case.split == "." and loose:
            return "they lie beside the folders that say what is normal"
        if some and case.split != TRAIN:
            return "they do not belong to train"
        if labelled and case.label is None and case.id not in unread:
            return "they have no label, and others are labelled normal"
        return ""

    return why


def holding(cases: Cases, choice: str) -> Callable[[Case], bool]:
    """Whether a case has a value in a column: "line=3", or "val" for split=val."""
    column, _, value = choice.rpartition("=")
    column = column.strip() or "split"
    wanted = value.strip()
    if column == "split":
        wanted = split_of(value) or wanted
    elif column == LABEL:
        label = label_of(value)
        if label is None:
            raise DataError(f"label={value!r} says neither normal nor faulty; say label=0")
        wanted = str(label)
    return lambda case: str(_cell(cases, case, column)) == wanted


def _cell(cases: Cases, case: Case, column: str) -> Any:
    if column in ("id", "split", "group", "label", "recording"):
        return getattr(case, column)
    values = cases.extra.get("columns", {}).get(case.id, {})
    if column not in values:
        known = sorted({name for row in cases.extra.get("columns", {}).values() for name in row})
        raise DataError(
            f"there is no column {column!r} to choose by; there are "
            f"{', '.join(['split', 'group', 'label', 'recording', 'id', *known])}"
        )
    return in_cell(values[column])


def _inside(cases: Cases, name: str) -> Path:
    root = cases.root or Path.cwd()
    found = next((p.resolve() for p in (root / name, Path(name)) if p.is_dir()), None)
    if found is None:
        raise DataError(f"--normal {name!r} is no folder in {root}; name a folder below it")
    return found


def _lies_below(case: Case, folder: Path) -> bool:
    paths = [part.path for part in case.parts.values() if part.path is not None]
    return bool(paths) and all(path.is_relative_to(folder) for path in paths)


def _answered(cases: Cases, normal: Sequence[str]) -> Callable[[Case], Case]:
    """Cases as they are; those that folders alone call faulty are normal where such a folder was named."""
    folders = [_inside(cases, name) for name in normal]
    called = cases.extra.get("called", frozenset())

    def answer(case: Case) -> Case:
        near = [folder for folder in folders if _lies_below(case, folder)] if case.id in called else []
        if not near or any(FAULTY in ({leaning(n)} | (roles_of(n) or set())) for n in _between(case, near)):
            return case
        return replace(case, label=0)

    return answer


def _between(case: Case, folders: Sequence[Path]) -> set[str]:
    """The names of the folders between the nearest of some folders and a case's files."""
    folder = max(folders, key=lambda one: len(one.parts))
    paths = [part.path for part in case.parts.values() if part.path is not None]
    return {name for path in paths for name in path.parent.relative_to(folder).parts}


def _split_below(case: Case, folder: Path) -> str | None:
    """test or validation, where a folder between this one and the case's files says so."""
    roles = {role for name in _between(case, [folder]) for role in roles_of(name) or ()}
    return next((split for split in (TEST, VALIDATION) if split in roles), None)


def _open_below(cases: Cases, normal: Sequence[str]) -> str:
    """Folders below those that were named, which say nothing beside others that say something."""
    named = [_inside(cases, name) for name in normal]
    for name, folder in zip(normal, named):
        below = {
            part.path.parent.relative_to(folder)
            for case in cases
            if _lies_below(case, folder)
            for part in case.parts.values()
            if part.path is not None
        }
        tree = Tree(below)
        unknown = [
            one.as_posix()
            for one in sorted(below)
            if one.name and tree.speaks and tree.of(one).role == "?" and not _named(folder / one, folder, named)
        ]
        if unknown:
            return (
                f"below {name}, {said(unknown)} do not say whether they are normal; name each one that is with --normal"
            )
    return ""


def _named(folder: Path, above: Path, named: Sequence[Path]) -> bool:
    """Whether a folder lies in one that was named, nearer than the one `above`."""
    return any(folder.is_relative_to(one) and one != above and one.is_relative_to(above) for one in named)
