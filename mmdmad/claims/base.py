"""What a claim is: one statement about a case or a run, typed, with the evidence that it rests on. Pure data."""

from dataclasses import dataclass
from typing import Literal

from mmdmad.findings import EvidenceKind, Fact

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = ("en", "de")
About = Literal["case", "period", "group", "run"]
Relation = Literal["equals", "above", "below", "within", "highest", "count", "changed", "missing", "unlike", "at"]
"""How the value stands to the subject: it has this value; lies above, below or within a limit; is the highest of its
like; counts something; changed this way; is not there; differs from what it is held against; lies there."""
Polarity = Literal["unusual", "usual", ""]


@dataclass(frozen=True)
class Subject:
    """Who a claim is about: a case, a period, a group or the run; `part` and `thing` say what of it.

    `thing` is ("channel", "motor_current"), ("line", "3"), …; ("", "") where the part as a whole is meant.
    """

    about: About
    name: str
    part: str = ""
    thing: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Claim:
    """One statement: of `subject`, `field` stands in `relation` to `value` (in `unit`); words are made of it by code.

    `id` is that of its evidence and a number ("E3.1"). `frame` names the statement among those of `claims.frames`,
    `facts` are all values that its words may name. `span`: start and stop in seconds, where it has a time. `query` and
    `filter` say which question it answers and about which cases, for claims about a run.
    """

    id: str
    frame: str
    subject: Subject
    field: str
    relation: Relation
    value: float | int | str
    unit: str = ""
    polarity: Polarity = ""
    span: tuple[float, float] | None = None
    evidence: tuple[str, ...] = ()
    kind: EvidenceKind = "context"
    facts: tuple[Fact, ...] = ()
    caption: str = ""
    query: str = ""
    filter: str = ""
