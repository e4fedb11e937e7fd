"""A model chooses claims and how they are joined; code writes them. Ids are all of a model's words that are read.

A choice comes as a structure, or as lines of ids ("E3.1 while E5.1"), whichever a model can give. An id that there is
not is left out and named; a join that its claims do not allow begins a new sentence, and is named too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from mmdmad.claims.base import Claim, Language
from mmdmad.claims.looks import Look, looks_of
from mmdmad.claims.making import evidence_of, leaning
from mmdmad.claims.render import JOINS, Join, clause, fits, joined

MOST = 12
"""Claims of one note; what is chosen beyond is not told."""
_ID = re.compile(r"(?:[CLET]\d+(?:\.\d+)?)")
_IDS_ONLY = re.compile(rf"(?:(?:{'|'.join(JOINS)}|{_ID.pattern}|[\s,;.\[\]()*-])+)", re.I)


class Chosen(BaseModel):
    """One claim and how it is joined to the one before it."""

    claim: str = Field(description="the id of a claim, such as E3.1")
    join: Join = Field(default="none", description="how it is joined to the claim before it")


@dataclass(frozen=True)
class Note:
    """What a choice comes to: sentences with the claims of each, and what of the choice could not be taken."""

    sentences: tuple[tuple[str, tuple[Claim, ...]], ...]
    refused: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The sentences as one text."""
        return " ".join(words for words, _ in self.sentences)


def schema(claims: Sequence[Claim], looks: Sequence[Look] = ()) -> type[BaseModel]:
    """The form of a choice as a model is bound to it: ids are an enumeration, so that nothing else can be said.

    >>> schema([]).__name__
    'Choice'
    """
    ids = tuple(c.id for c in claims) + tuple(look.id for look in looks)
    allowed: Any = Literal[ids] if ids else str
    one = create_model(
        "ChosenClaim",
        claim=(allowed, Field(description="the id of a claim")),
        join=(Join, Field(default="none", description="how it is joined to the claim before it")),
    )
    return create_model(
        "Choice",
        __doc__="The claims to tell, in order, each with how it is joined to the one before it.",
        chosen=(list[one], Field(description=f"three to {MOST} claims, the verdict first")),  # type: ignore[valid-type]
    )


def read_choice(text: str) -> tuple[Chosen, ...] | None:
    """A choice that a model wrote as ids and joins and nothing else; None where it wrote anything more.

    >>> [(c.claim, c.join) for c in read_choice("E1.1 E3.1 then E5.1")]
    [('E1.1', 'none'), ('E3.1', 'none'), ('E5.1', 'then')]
    >>> read_choice("E1.1 is normal") is None
    True
    """
    if not _IDS_ONLY.fullmatch(text.strip()) or not _ID.search(text):
        return None
    found: list[Chosen] = []
    join: Join = "none"
    for word in re.findall(rf"{_ID.pattern}|{'|'.join(JOINS)}", text, re.I):
        lower = word.lower()
        if lower in JOINS:
            join = next(j for j in JOINS if j == lower)
        else:
            found.append(Chosen(claim=word.upper(), join=join))
            join = "none"
    return tuple(found)


def note(
    choice: Sequence[Chosen], claims: Sequence[Claim], looks: Sequence[Look] = (), language: Language = "en"
) -> Note:
    """The chosen claims in words; a whole piece of evidence ("E3") stands for its first claim.

    A claim that says nothing by itself ("normal cases reach at most 3 A") comes after the first one of its evidence.
    """
    by_id = {evidence_of(c.id): c for c in reversed(claims)} | {c.id: c for c in claims}
    look_by_id = {look.id: look for look in looks}
    told: list[tuple[list[Claim], list[str]]] = []
    next_looks: list[Look] = []
    refused: list[str] = []
    used: set[str] = set()
    for one in choice[: 2 * MOST]:
        if one.claim in look_by_id:
            next_looks.append(look_by_id[one.claim])
            continue
        claim = by_id.get(one.claim)
        if claim is None or claim.id in used:
            refused.append(f"{one.claim}: {'there is no such claim' if claim is None else 'chosen twice'}")
            continue
        if len(used) >= MOST:
            refused.append(f"{one.claim}: a note has at most {MOST} claims")
            continue
        join: str = one.join
        before = told[-1][0][-1] if told else None
        if leaning(claim) and (before is None or before.evidence != claim.evidence):
            head = next(c for c in claims if c.evidence == claim.evidence)
            if head.id not in used:
                used.add(head.id)
                told.append(([head], ["none"]))
            else:  # told farther up: what is said of it now would be taken for something else
                refused.append(f"{one.claim}: it belongs beside {head.id}")
                continue
            before = head
        used.add(claim.id)
        why = fits(join, before, claim) if before is not None else ""
        if why:
            refused.append(f"{one.claim}: {why}")
        if before is None or join == "none" or why:
            told.append(([claim], ["none"]))
        else:
            told[-1][0].append(claim)
            told[-1][1].append(join)
    sentences = [(joined(own, joins, language), tuple(own)) for own, joins in told]
    sentences += [(look.written(language), look.claims) for look in dict.fromkeys(next_looks)]
    return Note(tuple(sentences), tuple(refused))


def menu(claims: Sequence[Claim], looks: Sequence[Look] = (), language: Language = "en") -> list[tuple[str, str]]:
    """What there is to choose from: ids and words, claims first, then what can be looked at next."""
    return [(c.id, clause(c, language)) for c in claims] + [(look.id, look.written(language)) for look in looks]


__all__ = ["Chosen", "Note", "looks_of", "menu", "note", "read_choice", "schema"]
