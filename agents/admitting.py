"""What of a language model's answer is shown: chosen claims in words by code, and sentences that were read whole.

A line of ids ("test-00012: E1, E3.1 while E6.1", "run: T1") is a choice. Any other sentence is held against the claims
of the evidence that it cites, or of all that was returned for the question where it cites none; where a word of it
belongs to no claim that holds, what it cites speaks in its place. No opening, citation or phrase switches that off.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from mmdmad.agents.llms.phrases import CAN, cite
from mmdmad.agents.sources import CITATION, SENTENCE_END, Source, cited, run_wide

from mmdmad.claims.admit import parsed, told
from mmdmad.claims.base import Claim
from mmdmad.claims.choosing import note, read_choice
from mmdmad.claims.making import claims_of, claims_of_case
from mmdmad.findings import Evidence

SAYS_NOTHING = frozenset(
    (
        CAN,
        "I cannot answer that.",
        "I cannot answer that from the evidence.",
        "Which case do you mean?",
        "You are welcome.",
    )
)
"""Sentences about the conversation that claim nothing of a case; any other is read."""
MOST = 12
"""Pieces of evidence told in the place of sentences of one answer."""
UNREAD = "not every word of it is read as a claim that holds"
_CHOICE = re.compile(r"^(?:[-*]\s|\d+\.\s)?\[?(?P<name>[^\[\]]+?):\s*(?P<ids>[^\[\]:]+)\]?$")


@dataclass
class _Shown:
    """An answer as it grows."""

    lines: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    replaced: int = 0
    told: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True)
class Held:
    """The claims of what was returned: of cases by id, and of results by place and number ("T1")."""

    cases: dict[str, tuple[Claim, ...]]
    results: dict[int, dict[str, tuple[Claim, ...]]]
    latest: tuple[Claim, ...]

    def of(self, case: str, ids: Sequence[str]) -> tuple[Claim, ...]:
        """The claims of a case that rest on these pieces of evidence."""
        return tuple(c for c in self.cases.get(case, ()) if {*c.evidence} & {*ids})

    def run_wide(self, numbers: Sequence[str]) -> list[tuple[Claim, ...]]:
        """The claims under these numbers in each result that has them all, the latest first."""
        holding = [r for _, r in sorted(self.results.items(), reverse=True) if {*numbers} <= r.keys()]
        return [tuple(c for number in numbers for c in result[number]) for result in holding]


def held(found: Sequence[Source]) -> Held:
    """The claims of everything that the tools of a conversation returned."""
    cases: dict[str, dict[str, Evidence]] = {}
    results: dict[int, dict[str, tuple[Claim, ...]]] = {}
    turn = max((s.turn for s in found), default=0)
    latest: list[Claim] = []
    asked: set[str] = set()
    for one in found:
        name = one.number or one.evidence.id.rpartition("/")[2]
        if one.case and re.fullmatch(r"E\d+", name):
            own = one.evidence.model_copy(update={"id": name})
            cases.setdefault(one.case, {})[own.id] = own
            asked |= {one.case} if one.turn == turn else set()
            continue
        claims = claims_of(one.evidence.model_copy(update={"id": name}), "")
        results.setdefault(one.result, {})[name] = claims
        latest += claims if one.turn == turn else ()
    by_case = {case: claims_of_case(tuple(own.values()), case) for case, own in cases.items()}
    return Held(by_case, results, (*latest, *(c for case in sorted(asked) for c in by_case[case])))


def admitted_answer(text: str, found: Sequence[Source]) -> tuple[str, tuple[str, ...]]:
    """The answer that is shown, and the sentences of the model's that are not, each with the reason."""
    known, shown = held(found), _Shown()
    for line in (line.strip() for line in text.splitlines()):
        if not line:
            continue
        if (chosen := _chosen(line, known, shown)) is not None:
            shown.lines += [chosen] if chosen else []
            continue
        passed = [words for one in SENTENCE_END.split(line) if (words := _sentence(one, known, shown))]
        shown.lines += [" ".join(passed)] if passed else []
    if not shown.lines:
        return f"I cannot answer that from the evidence. {CAN}", tuple(shown.withheld)
    if shown.replaced:
        count = "One sentence was" if shown.replaced == 1 else f"{shown.replaced} sentences were"
        shown.lines.append(f"({count} replaced by what the cited evidence says.)")
    left_out = len(shown.withheld) - shown.replaced
    if left_out:
        count = "One sentence was" if left_out == 1 else f"{left_out} sentences were"
        shown.lines.append(f"({count} withheld: not supported by the tool results.)")
    return "\n".join(shown.lines), tuple(shown.withheld)


def _chosen(line: str, known: Held, shown: _Shown) -> str | None:
    """The words of a line of ids; None where the line is none."""
    named = _CHOICE.fullmatch(line.rstrip("."))
    name, ids = ("", line) if named is None else (named["name"].strip(), named["ids"])
    choice = read_choice(ids)
    if choice is None:
        return None
    if not name and len(known.cases) == 1 and not any(c.claim.startswith("T") for c in choice):
        name = next(iter(known.cases))
    if name in known.cases:
        made = note(choice, known.cases[name])
        shown.withheld += made.refused
        sentences = [(words, dict.fromkeys(i for c in own for i in c.evidence)) for words, own in made.sentences]
        return " ".join(f"{words.rstrip('.')}{cite(name, *ids)}." for words, ids in sentences)
    if name in ("", "run") and all(c.claim.startswith("T") for c in choice):
        numbers = list(dict.fromkeys(c.claim.partition(".")[0] for c in choice))
        claims = next(iter(known.run_wide(numbers)), ())
        if claims:
            return f"{told(claims).rstrip('.')}{cite('run', *numbers)}."
    shown.withheld.append(f"{line} (no tool returned these)")
    return ""


def _sentence(sentence: str, known: Held, shown: _Shown) -> str:
    """What is shown of one sentence: itself, what its evidence says, or nothing."""
    plain = re.sub(r"^(?:\d+\.|[-*])\s", "", CITATION.sub("", sentence)).strip()
    if not plain.strip(" .") or plain in SAYS_NOTHING or all(p in SAYS_NOTHING for p in SENTENCE_END.split(plain)):
        return sentence if plain.strip(" .") else ""
    refs, numbers = cited(sentence), run_wide(sentence)
    claims = tuple(c for ref in refs for c in known.of(*_split(ref)))
    if not refs and not numbers:
        if parsed(plain, known.latest) is not None:
            return sentence
        shown.withheld.append(f"{sentence} ({UNREAD if known.latest else 'no tool was called'})")
        return ""
    scopes = [(*claims, *own) for own in known.run_wide(numbers)] if numbers else [claims]
    if any(parsed(plain, own) is not None for own in scopes if own):
        return sentence
    own = next((one for one in scopes if one), ())
    words = _in_its_place(own, shown)
    missing = [r for r in refs if not known.of(*_split(r))] + ([*numbers] if numbers and not scopes else [])
    why = f"{', '.join(missing)} was not returned by any tool" if missing else UNREAD
    shown.withheld.append(f"{sentence} ({why})")
    shown.replaced += bool(own)  # told before or here
    return words


def _in_its_place(claims: Sequence[Claim], shown: _Shown) -> str:
    """What the evidence says, each piece once in an answer, cited."""
    said = []
    for case, ids in dict.fromkeys((c.subject.name, c.evidence) for c in claims if len(c.evidence) == 1):
        if (case, ids[0]) in shown.told or len(shown.told) >= MOST:
            continue
        shown.told.add((case, ids[0]))
        words = told([c for c in claims if (c.subject.name, c.evidence) == (case, ids)])
        said.append(f"{words.rstrip('.')}{cite(case or 'run', *ids)}.")
    return " ".join(said)


def _split(ref: str) -> tuple[str, tuple[str, ...]]:
    case, _, number = ref.rpartition("/")
    return case, (number,)
