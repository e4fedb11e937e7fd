"""What a sentence from elsewhere may say: only what can be read, word for word, as claims that hold.

A sentence is read against the claims of the evidence that it cites; nothing is searched for in it. Each word has to
belong to a statement that is true, to a join that its claims allow, or to the few words that say nothing. What cannot
be read so is not shown; the claims of the evidence it cites are, in words made by code.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmdmad.claims.base import Claim, Language
from mmdmad.claims.frames import leans
from mmdmad.claims.making import FRAMES, claims_of_finding, seen_by
from mmdmad.claims.patterns import compiled, ends
from mmdmad.claims.render import clause, fits
from mmdmad.claims.tokens import FEW, tokens
from mmdmad.findings import Finding

_JOINS: dict[Language, dict[str, str]] = {
    "en": {
        "and": "and", "also": "also", "and also": "also", "then": "then", "and then": "then", "while": "while",
        "but": "but", "though": "but", ";": "none", ":": "none", ".": "none",
    },
    "de": {
        "und": "and", "auch": "also", "außerdem": "also", "dann": "then", "und dann": "then", "während": "while",
        "zugleich": "while", "aber": "but", ";": "none", ":": "none", ".": "none",
    },
}  # fmt: skip
OPENERS: dict[Language, tuple[str, ...]] = {
    "en": ("also", "in addition", "here", "overall", "in short", "note that"),
    "de": ("außerdem", "zudem", "insgesamt", "hier"),
}
"""Words at the head of a sentence that say nothing."""
REPEATS: dict[str, set[str]] = {
    "p": {"p below rate", "p above rate"},
    "p among recordings": {"p below rate among recordings", "p above rate among recordings"},
    "rate": {"p below rate", "p above rate", "too few"},
    "calibration": {"too few"},
    "part p": {"part odd", "part usual"},
    "averages": {"shift"},
    "channel unusual": {"channel unusual"},
}
"""Statements that say nothing beside one of these, and are left out where all of a piece of evidence is told."""
STEPS = 20_000
"""Places looked at in one sentence; one that needs more is not read."""


@dataclass(frozen=True)
class Admitted:
    """What of a sentence may be shown: `text`, the `claims` it makes, the evidence it rests on.

    `verbatim`: the sentence itself, each word of it read. Otherwise `text` is what code makes of the claims of its
    evidence; "" where it cites none that there is.
    """

    text: str
    claims: tuple[Claim, ...]
    cites: tuple[str, ...]
    verbatim: bool


def admit(sentence: str, cites: Sequence[str], finding: Finding, language: Language = "en") -> Admitted:
    """The claims that a sentence about a finding makes, and what is shown of it.

    >>> from mmdmad.findings import Evidence, Fact, Guarantee
    >>> e = Evidence(id="E1", kind="verdict", caption="Case a is flagged.", facts=(
    ...     Fact(name="case", value="a"), Fact(name="verdict", value="anomalous"), Fact(name="p-value", value=0.01)))
    >>> found = Finding(case_id="a", verdict="anomalous", score=1, p_value=0.01, parts=(), evidence=(e,),
    ...                 guarantee=Guarantee(rate=0.05, size=99, interval=(0.02, 0.09), pattern=()))
    >>> admit("Case a was flagged.", ["E1"], found).verbatim
    True
    >>> admit("Case a is fine.", ["E1"], found).text
    'Case a is flagged.'
    """
    claims = claims_of_finding(finding)
    cited = [c for c in claims if {*c.evidence} & {*cites}]
    return admitted(sentence, tuple(cites), cited, language)


def admitted(sentence: str, cites: tuple[str, ...], cited: Sequence[Claim], language: Language = "en") -> Admitted:
    """As `admit`, against the claims of the cited evidence, of one case or several."""
    read = parsed(sentence, cited, language)
    if read is not None:
        return Admitted(sentence.strip(), read, cites, True)
    own = [c for c in cited if len(c.evidence) == 1]
    return Admitted(told(own, language), tuple(own), tuple(dict.fromkeys(e for c in own for e in c.evidence)), False)


def told(claims: Sequence[Claim], language: Language = "en") -> str:
    """The claims by evidence, a sentence each: its caption where every word of that is read, else a clause a claim."""
    sentences = []
    for ids in dict.fromkeys(c.evidence for c in claims):
        own = [c for c in claims if c.evidence == ids]
        frames = {c.frame for c in own}
        caption = own[0].caption
        if language == "en" and caption and parsed(caption, own) is not None:
            sentences.append(caption)
        else:
            words = "; ".join(clause(c, language) for c in own if not frames & REPEATS.get(c.frame, set()))
            sentences.append(f"{words if '_' in words.split(' ')[0] else words[:1].upper() + words[1:]}.")
    return " ".join(sentences)


def parsed(sentence: str, claims: Sequence[Claim], language: Language = "en") -> tuple[Claim, ...] | None:
    """The claims that a sentence makes, in order; None where a word of it belongs to none that holds.

    Where it can be read in several ways, the first way is taken; all of them hold.
    """
    given = tokens(sentence)
    while given and given[-1] in (".", "!"):
        given.pop()
    if not given or len(given) > FEW:
        return None
    one = len({c.subject.name for c in claims if c.subject.about == "case"}) <= 1
    return _Reader(given, tuple(claims), language, one).read()


class _Reader:
    """One sentence and the claims that it may make; places that led nowhere are not looked at again."""

    def __init__(self, given: list[str], claims: tuple[Claim, ...], language: Language, one: bool) -> None:
        self.given, self.language = given, language
        self.known = [
            (claim, seen_by(claim).slots, compiled(pattern), one or claim.kind == "context")
            for claim in claims
            for pattern in FRAMES[claim.frame].patterns(language)
        ]
        self.found: dict[int, list[tuple[int, Claim, bool]]] = {}
        self.pieces = {(c.kind, c.subject.name, c.evidence) for c in claims}
        self.dead: set[tuple[int, str, str]] = set()
        self.steps = 0

    def read(self) -> tuple[Claim, ...] | None:
        for start in self._opened():
            if (found := self._rest(start, None, "none")) is not None:
                return found
        word = self.given[0].casefold()
        if _JOINS[self.language].get(word) == "while":  # "While A, B": as "A, while B"
            for end, first, leaning in self._clauses(1):
                if not self._stands(leaning, first, None):
                    continue
                if (found := self._rest(end, first, "while")) is not None:
                    return (first, *found)
        return None

    def _opened(self) -> Iterator[int]:
        yield 0
        for words in OPENERS[self.language]:
            some = words.split(" ")
            if [t.casefold() for t in self.given[: len(some)]] == some:
                yield len(some)

    def _rest(self, at: int, before: Claim | None, join: str) -> tuple[Claim, ...] | None:
        """The claims from a place on, the first of them joined so to the one before; None where there is no reading."""
        key = (at, before.id + before.subject.name if before else "", join)
        if key in self.dead:
            return None
        self.steps += 1
        if self.steps > STEPS:
            return None
        for end, claim, leaning in self._clauses(at):
            if (before is not None and fits(join, before, claim)) or not self._stands(leaning, claim, before):
                continue
            if end == len(self.given):
                return (claim,)
            for start, link in self._links(end):
                found = self._rest(start, claim, link)
                if found is not None:
                    return (claim, *found)
        self.dead.add(key)
        return None

    def _stands(self, leaning: bool, claim: Claim, before: Claim | None) -> bool:
        """Whether it is clear what a claim is about: it says so, follows on its own evidence, or there is only one."""
        if not leaning or (before is not None and before.evidence == claim.evidence):
            return True
        return sum(kind == claim.kind for kind, _, _ in self.pieces) == 1

    def _links(self, at: int) -> Iterator[tuple[int, str]]:
        for words, join in _JOINS[self.language].items():
            some = words.split(" ")
            if [t.casefold() for t in self.given[at : at + len(some)]] == some and at + len(some) < len(self.given):
                yield at + len(some), join
        yield at, "none"

    def _clauses(self, at: int) -> list[tuple[int, Claim, bool]]:
        """Each way in which a claim is said from a place on, longest first; among several cases it names its own.

        The last of each tells whether what it is about was said before it.
        """
        if at in self.found:
            return self.found[at]
        found: dict[tuple[int, str, bool], Claim] = {}
        for claim, slots, pattern, alone in self.known:
            for end, said in ends(pattern, self.given, at, slots, self.language):
                if end > at and (alone or "case" in said):
                    leaning = leans(claim.kind, claim.polarity, said) if len(claim.evidence) == 1 else False
                    found.setdefault((end, claim.id + claim.subject.name, leaning), claim)
        self.found[at] = sorted(((end, claim, lean) for (end, _, lean), claim in found.items()), key=lambda f: -f[0])
        return self.found[at]
