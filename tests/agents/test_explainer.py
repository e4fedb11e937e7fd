"""Explanations: true by construction offline, and gated when a language model writes them."""

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableLambda
from mmdmad.agents.explainer import DraftNote, explain, gate
from mmdmad.agents.grounding import check
from mmdmad.agents.writer import Draft

from mmdmad.errors import MmdmadError


class Scripted(BaseChatModel):
    """A chat model that answers with a prepared note, and keeps what it was shown."""

    note: object = None
    seen: list = []  # noqa: RUF012  (a pydantic field)

    @property
    def _llm_type(self):
        return "scripted"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        return ChatResult(generations=[ChatGeneration(message=AIMessage("unused"))])

    def with_structured_output(self, schema, **kwargs):
        def reply(prompt):
            self.seen.append(str(prompt))
            return self.note

        return RunnableLambda(reply)


def test_offline_sentences_are_all_in_the_evidence(some_findings):
    for finding in some_findings:
        note = explain(finding)
        assert note.faithfulness == 1.0
        assert 2 <= len(note.sentences) <= 8
        for sentence in note.sentences:
            assert check(sentence.text, sentence.cites, finding.evidence) == []
        assert finding.case_id in note.sentences[0].text


def test_offline_note_says_verdict_place_and_neighbours(flagged):
    finding = flagged["sensor"]
    text = explain(finding).text
    assert "is flagged as anomalous" in text
    assert "5 %" in text
    assert "motor_current shifts" in text
    assert "normal levels lie between" in text
    assert "nearest to the normal cases" in text
    assert "caused" not in text


def test_false_sentences_are_replaced_by_captions(flagged):
    finding = flagged["image"]
    region = next(e for e in finding.evidence if e.kind == "region")
    verdict = finding.evidence[0]
    drafts = [
        Draft(verdict.caption, (verdict.id,)),
        Draft("A forklift scratched the piece.", (region.id,)),
        Draft("The clip shows it too.", ("E77",)),
    ]
    note = gate(drafts, finding.evidence, llm="x", prompt="explainer/1")
    assert [s.text for s in note.sentences] == [verdict.caption, region.caption]
    assert note.faithfulness == pytest.approx(1 / 3)
    assert len(note.dropped) == 2
    assert any("forklift" in p for p in note.dropped[0].problems)


def test_a_model_that_changes_the_verdict_is_corrected(flagged):
    finding = flagged["text"]
    note = gate([Draft(f"{finding.case_id} is normal.", ("E1",))], finding.evidence, llm="x", prompt="p")
    assert note.faithfulness == 0
    assert note.sentences[0].text == finding.evidence[0].caption


def test_llm_note_is_gated_and_case_text_is_fenced(flagged):
    finding = flagged["text"]
    note = {
        "sentences": [
            {"text": finding.evidence[0].caption, "cites": ["E1"]},
            {"text": "The operator ignored 12 warnings.", "cites": ["E1"]},
        ]
    }
    model = Scripted(note=note)
    told = explain(finding, model)
    assert told.llm == "Scripted"
    assert told.prompt.startswith("explainer/")
    assert told.faithfulness == 0.5
    assert "operator" not in told.text
    assert "<data>Line 3 stands out" in model.seen[0]
    assert "data:image" not in model.seen[0]
    assert ".png" not in model.seen[0]


def test_llm_without_sentences_is_an_error(flagged):
    with pytest.raises(MmdmadError, match="--llm offline"):
        explain(flagged["text"], Scripted(note=None))
    assert DraftNote.model_json_schema()["properties"]["sentences"]
