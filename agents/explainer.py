"""Finding → Explanation: a writer drafts sentences that cite evidence, code keeps those that the evidence supports.

The offline writer needs no model; any LangChain chat model can draft instead. Either way a sentence that fails the
grounding check is replaced by the caption of the evidence it cites, or dropped, and the share that passed is told.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmdmad.agents import grounding
from mmdmad.agents.writer import Draft, write
from mmdmad.prompts import load
from pydantic import BaseModel, Field

from mmdmad.ask.for_models import evidence_text
from mmdmad.errors import MmdmadError
from mmdmad.fence import fence, unfenced
from mmdmad.findings import Evidence, Explanation, Finding, Sentence

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

LONGEST = 8  # sentences; what a model writes beyond is not read


class DraftSentence(BaseModel):
    """One sentence and the evidence ids it rests on."""

    text: str = Field(description="one short sentence")
    cites: list[str] = Field(description="evidence ids, such as E1")


class DraftNote(BaseModel):
    """The note about one case: three to six sentences, each with the evidence ids it rests on."""

    sentences: list[DraftSentence]


def explain(finding: Finding, llm: "str | BaseChatModel" = "offline") -> Explanation:
    """Sentences about a finding, each checked against the evidence it cites.

    `llm` is "offline" (a writer in code), another model spec ("openai:gpt-…") or a LangChain chat model.
    """
    if llm == "offline":
        return gate(write(finding), finding.evidence, llm="offline", prompt="writer/1")
    from mmdmad.agents.llms import make_llm

    model = make_llm(llm) if isinstance(llm, str) else llm
    name = llm if isinstance(llm, str) else type(llm).__name__
    prompt = load("explainer")
    return gate(_draft(model, name, finding), finding.evidence, llm=name, prompt=prompt.label)


def gate(drafts: Sequence[Draft], evidence: Sequence[Evidence], *, llm: str, prompt: str) -> Explanation:
    """Keep the drafts whose claims are all in what they cite; put the evidence's own caption where one fails.

    `faithfulness` is the share of drafts that passed as they were written (1.0 when there are none).
    """
    by_id = {e.id: e for e in evidence}
    kept: list[Sentence] = []
    dropped: list[Sentence] = []
    used: set[str] = set()
    for draft in drafts:
        problems = grounding.check(draft.text, draft.cites, evidence)
        if not problems:
            kept.append(Sentence(text=draft.text, cites=tuple(draft.cites), grounded=True))
            used.update(draft.cites)
            continue
        dropped.append(Sentence(text=draft.text, cites=tuple(draft.cites), grounded=False, problems=tuple(problems)))
        spare = next((by_id[c] for c in draft.cites if c in by_id and c not in used), None)
        if spare is not None:
            kept.append(Sentence(text=spare.caption, cites=(spare.id,), grounded=True))
            used.add(spare.id)
    if evidence and not any(by_id[c].kind == "verdict" for s in kept for c in s.cites if c in by_id):
        first = next((e for e in evidence if e.kind == "verdict"), None)
        if first is not None:
            kept.insert(0, Sentence(text=first.caption, cites=(first.id,), grounded=True))
    faithfulness = 1 - len(dropped) / len(drafts) if drafts else 1.0
    return Explanation(sentences=tuple(kept), faithfulness=faithfulness, llm=llm, prompt=prompt, dropped=tuple(dropped))


def _draft(model: "BaseChatModel", name: str, finding: Finding) -> list[Draft]:
    """Sentences from a chat model, as structured output; it sees ids, captions and facts, never pixels."""
    lines = "\n".join(evidence_text(e) for e in finding.evidence)
    text = load("explainer").fill(case_id=fence(finding.case_id), evidence=lines)
    note = model.with_structured_output(DraftNote).invoke(text)
    if isinstance(note, dict):
        note = DraftNote.model_validate(note)
    if not isinstance(note, DraftNote):
        raise MmdmadError(
            f"model {name} returned no sentences for case {finding.case_id}; try again, another model, or --llm offline"
        )
    return [Draft(unfenced(s.text).strip(), tuple(s.cites)) for s in note.sentences[:LONGEST] if s.text.strip()]
