"""What a question is read as, and the names of the run that it is read with."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Vocabulary:
    """Names in use in a run, as its overview gives them.

    `called` are words of modalities that ids of cases begin with, `parts` the modalities that were learned.
    """

    groups: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    oldest: datetime | None = None
    newest: datetime | None = None  # the time of the newest case, from which "yesterday" counts


@dataclass(frozen=True)
class Reading:
    """What a question asks: the intent, the attribute of a case that is wanted, the cases named, filters, how many."""

    intent: str
    attribute: str = ""
    cases: tuple[str, ...] = ()
    where: dict[str, Any] = field(default_factory=dict)
    by: str = ""
    number: int = 0
    ordinal: int = 0
    follows: bool = False
    reason: str = ""
    part: str = ""
    unused: tuple[str, ...] = ()  # filters that the question names and the query cannot take
    unread: tuple[str, ...] = ()  # numbers of the question that no field of the query has taken
    doubts: tuple[str, ...] = ()  # words that were not understood and could narrow what is asked
    others: tuple[str, ...] = ()  # words that were not understood besides
    said: tuple[str, ...] = ()  # the words of conditions that were read
    loose: tuple[str, ...] = ()  # words for parts that no condition has read
    foreign: bool = False  # in a language that is not understood
    corrected: tuple[tuple[str, str], ...] = ()  # words read as a name of the run that they nearly are, with the name
    skipped: tuple[str, ...] = ()  # sentences that were not answered
