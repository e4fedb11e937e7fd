"""One case: everything known of it, why it got its verdict, and the normal cases next to it."""

import difflib
import re
from typing import TYPE_CHECKING

from pydantic import Field

from mmdmad.ask.base import Arguments, Cited, Result, Scope, UnknownCaseError, query, told
from mmdmad.ask.words import case_line
from mmdmad.explain.words import fact
from mmdmad.findings import Evidence, Finding, Sentence
from mmdmad.modalities.base import detail_kinds
from mmdmad.store.rows import spelling

if TYPE_CHECKING:
    from mmdmad.store.run import Run

_NOUNS = ("", "case", "no", "number", "nr")


class OneCase(Arguments):
    """Which case is asked about."""

    case_id: str = Field(description="the id of the case, or its number")


class About(Result):
    """What is known of one case. `judged` is its finding without the evidence, which stands in `evidence`."""

    judged: Finding

    def of_kind(self, *kinds: str, part: str = "") -> list[Evidence]:
        """Its evidence of these kinds (any, without) about this part (any, without)."""
        own = [one.evidence for one in self.evidence if not one.evidence.id.startswith("T")]
        return [e for e in own if (not kinds or e.kind in kinds) and (not part or e.part == part)]


class Explained(About):
    """Why a case got its verdict: sentences, each checked against the evidence it cites."""

    sentences: tuple[Sentence, ...]
    faithfulness: float


def about(finding: Finding, evidence: tuple[Evidence, ...] | None = None, *more: Cited) -> About:
    """A finding as a result, with all its evidence or some of it."""
    kept = finding.evidence if evidence is None else evidence
    own = tuple(Cited(case=finding.case_id, evidence=e) for e in kept)
    refused = tuple(told(f"Not used: {line}.", fact("reason", line), case=finding.case_id) for line in finding.refused)
    return About(
        line=f"case {finding.case_id}", evidence=(case_line(finding), *refused, *more, *own),
        judged=finding.model_copy(update={"evidence": (), "explanation": None}),
    )  # fmt: skip


@query("open_case")
def open_case(scope: Scope, asked: OneCase) -> About:
    """Everything known of one case: verdict, guarantee, parts, contradictions and its numbered evidence."""
    return about(resolve(scope.run, asked.case_id))


@query("explain_case")
def explain_case(scope: Scope, asked: OneCase) -> Explained:
    """Why a case got its verdict: a short note whose every sentence was checked against the evidence it cites."""
    finding = resolve(scope.run, asked.case_id)
    note = finding.explanation or finding.explain()
    cited = {c for s in note.sentences for c in s.cites}
    said = [told(s.text, fact("rests on", ", ".join(s.cites)), case=finding.case_id) for s in note.sentences if s.cites]
    found = about(finding, tuple(e for e in finding.evidence if e.id in cited), *said)
    return Explained(
        line=found.line, evidence=found.evidence, judged=found.judged, sentences=note.sentences,
        faithfulness=note.faithfulness,
    )  # fmt: skip


@query("compare_with_normals")
def compare_with_normals(scope: Scope, asked: OneCase) -> About:
    """The nearest normal cases of one case and what lies outside the normal range."""
    finding = resolve(scope.run, asked.case_id)
    kinds = ("verdict", "neighbour", *detail_kinds())
    kept = sorted((e for e in finding.evidence if e.kind in kinds), key=lambda e: kinds.index(e.kind))
    return about(finding, tuple(kept))


def resolve(run: "Run", case_id: str) -> Finding:
    """The finding of the case meant by `case_id`: its exact id, another spelling, or its number.

    Raises UnknownCaseError with the ids that may have been meant.
    """
    found = run.finding(case_id)
    if found is not None:
        return found
    asked, digits = spelling(case_id), re.fullmatch(r"\D*?0*(\d{1,18})", case_id)
    same = run.tally.spelt(asked)
    if not same and digits:
        letters = re.sub(r"[\W_\d]", "", case_id).lower()
        same = [
            i for i in run.tally.numbered(int(digits[1])) if letters in (*_NOUNS, re.split(r"[\W_\d]", i.lower())[0])
        ]
    found = run.finding(same[0]) if len(same) == 1 else None
    if found is not None:
        return found
    near = same or difflib.get_close_matches(case_id, run.tally.near(asked), 3, 0.5)
    problem = f"{case_id} may be several cases" if same else f"no case is called {case_id}"
    raise UnknownCaseError(problem, tuple(near[:5]))
