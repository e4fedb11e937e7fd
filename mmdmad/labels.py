"""Which column of a manifest holds labels, and what its words say: decided over the column, told once."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmdmad.roles import FAULTY, LABEL, NORMAL, WORDS, asks_of, label_of, said

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
        if 1 in read:
            faulty = said(word for word, one in zip(distinct, read) if one == 1)
            others = said(word for word, one in zip(distinct, read) if one is None)
            question = (
                f"column {column!r} holds {faulty} beside {others}: are these labels? Write good and bad under 'label' "
                "if so, or call the column by what it holds"
            )
            return Labels(column, {}, {}, question)
    return None


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
