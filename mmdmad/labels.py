"""Which column of a manifest holds labels, and what its words say: decided over the column, told once."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmdmad.roles import (
    FAULTY,
    LABEL,
    NORMAL,
    WORDS,
    asks_of,
    in_cell,
    is_verdict,
    label_of,
    said,
    sounds_like_labels,
)

FEW = 12
"""Most different values of a column that may be labels under a name that nobody knows."""
MANY, CLASSES = 40, 3
"""Most words of a column of diagnoses or classes, and fewest columns of which each row has a 1 in one."""
NUMBERS = frozenset(("0", "1", "0.0", "1.0", "-1", "-1.0", "2", "true", "false"))


@dataclass(frozen=True)
class Labels:
    """What a column of labels says: 0 or 1 for each case id, and the words that it could not be read from.

    column: its name. unread: each unknown word with the ids that carry it; they are neither learned from nor counted.
    question: why nobody can say whether the column holds labels at all, and what to do; "" where that is clear.
    """

    column: str
    labels: Mapping[str, int]
    unread: Mapping[str, tuple[str, ...]]
    question: str = ""

    @property
    def note(self) -> str:
        """How the column was read, "" where it is 0 and 1 under the name `label`."""
        counts = Counter(self.labels.values())
        told = f"column {self.column!r} holds labels: {counts[0]} normal, {counts[1]} faulty"
        return told + (f"; {said(self.unread)} cannot be read" if self.unread else "")


def read_labels(columns: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> Labels | None:
    """Labels from the column `label` (`given`: value by case id), or else from one that asks for them.

    `columns` are the other columns, {case id: {column: value}}. None where there is no such column. Names that ask
    ("defective", "is_good") are believed; under names like "class" only words count that say good or bad, and 0 and 1
    are a question, for they may be kinds of products as well.
    """
    if given:
        cells = {in_cell(value) for value in given.values() if not _missing(value)}
        if all(cell.lstrip("-").isdigit() for cell in cells) and not cells <= {"0", "1", "-1"} and len(cells) > 2:
            return _numbers(given, said(cells))
        return _read("label", given, LABEL)
    named: dict[str, dict[str, Any]] = {}
    for case_id, row in columns.items():
        for column, value in row.items():
            if asks_of(column) is not None and not _missing(value):
                named.setdefault(column, {})[case_id] = value
    for asks in (FAULTY, NORMAL):
        for column, values in named.items():
            if asks_of(column) == asks:
                return _read(column, values, asks)
    for column, values in named.items():
        distinct = sorted({str(value).strip().lower() for value in values.values()})
        if set(distinct) <= NUMBERS and len(distinct) <= 2:
            if len(distinct) < 2:
                continue
            words = " and ".join(distinct)
            question = (
                f"column {column!r} holds {words}: are these labels? Call it 'label' where 1 is faulty, or by what it "
                "counts (such as 'type') where it is none"
            )
            return Labels(column, {}, {}, question)
        read = [label_of(word, WORDS) for word in distinct]
        if None not in read:
            return _read(column, values, WORDS)
        if 1 in read or 0 in read:
            known = said(word for word, one in zip(distinct, read) if one is not None)
            others = said(word for word, one in zip(distinct, read) if one is None)
            return _question(column, f"{known} beside {others}")
        if sounds_like_labels(column) and len(distinct) > 1:  # "pass_fail" with P and F
            return _question(column, said(distinct))
    if found := _of_kinds(columns):
        return found
    for column, held in (_sounding(columns) | _verdicts(columns)).items():
        return _question(column, said(str(value).strip() for value in held))
    return None


def _question(column: str, holds: str) -> Labels:
    question = (
        f"column {column!r} holds {holds}: are these labels? Write good and bad under 'label' if so, or call the "
        "column by what it holds"
    )
    return Labels(column, {}, {}, question)


def _of_kinds(columns: Mapping[str, Mapping[str, Any]]) -> Labels | None:
    """The question of a column of diagnoses, grades or classes, or of a column a class; None where there is none.

    Which of them is normal nobody can say: a nevus, grade 0, an eye without findings.
    """
    held: dict[str, set[str]] = {}
    for row in columns.values():
        for column, value in row.items():
            if (
                (is_verdict(column) or _is_level(column, value))
                and not _missing(value)
                and len(known := held.setdefault(column, set())) <= MANY
            ):
                known.add(in_cell(value))
    found = [(column, sorted(words)) for column, words in held.items() if 1 < len(words) <= MANY]
    if found:
        column, words = found[0]
        return _which(column, said(words), words[0])
    if flags := _one_each(columns):
        return _which(flags[0], f"1 in some rows, and {said(flags[1:])} in the others", "1")
    return None


def _is_level(column: str, value: Any) -> bool:
    """Whether a cell is one of a few levels: of a disease under such a name, where a level of a tank has fractions."""
    return column.strip().lower() == "level" and re.fullmatch(r"\d(?:\.0)?|[^\W\d]+", in_cell(value)) is not None


def _one_each(columns: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Columns of which each row has a 1 in one and 0 in the others: classes; none where they are fewer than three."""
    rows = [{name: in_cell(value).removesuffix(".0") for name, value in row.items()} for row in columns.values()]
    names = [name for name in (rows[0] if rows else ()) if all(row.get(name) in ("0", "1") for row in rows)]
    used = [name for name in names if any(row[name] == "1" for row in rows)]
    alone = all(sum(row[name] == "1" for name in used) == 1 for row in rows)
    return used if len(used) >= CLASSES and alone else []


def _numbers(given: Mapping[str, Any], holds: str) -> Labels:
    """The question of more than two numbers under `label`: classes, of which 0 may be a fault as well."""
    unread: dict[str, list[str]] = {}
    for case_id, value in given.items():
        unread.setdefault(in_cell(value), []).append(case_id)
    question = (
        f"column 'label' holds the numbers {holds}: classes, and nothing says which are normal; write good and bad, or "
        "call the column 'class' and choose one with --split class=0"
    )
    return Labels("label", {}, {word: tuple(ids) for word, ids in unread.items()}, question)


def _which(column: str, holds: str, first: str) -> Labels:
    question = (
        f"column {column!r} holds {holds}: which of them are normal? Say --split '{column}={first}' where it is that "
        "one, or write good and bad under 'label'; where all are normal, call the column by what it holds ('product')"
    )
    return Labels(column, {}, {}, question)


def _sounding(columns: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The values of columns whose names sound like labels, though no list knows them; of those with two or a few."""
    found: dict[str, list[Any]] = {}
    for row in columns.values():
        for column, value in row.items():
            if asks_of(column) is None and sounds_like_labels(column) and not _missing(value):
                found.setdefault(column, []).append(value)
    return {column: values for column, values in found.items() if 2 <= len(set(map(str, values))) <= FEW}


def _verdicts(columns: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The values of columns whose names say nothing and of whose few words some are normal and others faulty."""
    words: dict[str, set[str]] = {}
    for row in columns.values():
        for column, value in row.items():
            if asks_of(column) is None and not _missing(value) and len(known := words.setdefault(column, set())) <= FEW:
                known.add(str(value).strip())
    return {
        column: sorted(known)
        for column, known in words.items()
        if len(known) <= FEW and {0, 1} <= {label_of(word, WORDS) for word in known}
    }


def unused(columns: Mapping[str, Mapping[str, Any]], labels: Labels | None) -> str:
    """What other columns a manifest has, which are kept beside the cases and decide nothing; "" where there are none.

    >>> unused({"a": {"shift": 1, "operator": "eve"}, "b": {"shift": 2, "operator": "eve"}}, None)
    "columns that decide nothing: 'shift' (1, 2), 'operator' (eve); labels stand under 'label', splits under 'split'"
    """
    values: dict[str, dict[str, None]] = {}
    for row in columns.values():
        for column, value in row.items():
            if labels is None or column != labels.column:
                known = values.setdefault(column, {})
                if not _missing(value) and len(known) <= FEW:
                    known[str(value).strip()[:40]] = None
    if not values:
        return ""
    told = [f"{name[:40]!r} ({_few(list(known))})" for name, known in list(values.items())[:8]]
    more = f" and {len(values) - 8} more" if len(values) > 8 else ""
    return f"columns that decide nothing: {', '.join(told)}{more}; labels stand under 'label', splits under 'split'"


def _few(values: list[str]) -> str:
    return ", ".join(values[:3]) + (", …" if len(values) > 3 else "") if values else "empty"


def _read(column: str, values: Mapping[str, Any], asks: str) -> Labels:
    """Every value of a column; each distinct word is looked at once."""
    known: dict[str, int | None] = {}
    labels: dict[str, int] = {}
    unread: dict[str, list[str]] = {}
    for case_id, value in values.items():
        word = str(value).strip()
        if word not in known:
            known[word] = label_of(word, asks)
        found = known[word]
        if found is None:
            unread.setdefault(word, []).append(case_id)
        else:
            labels[case_id] = found
    return Labels(column, labels, {word: tuple(ids) for word, ids in unread.items()})


def _missing(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())
