"""Explanations: true by construction offline, and gated when a language model writes them."""

from contextlib import nullcontext

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableLambda
from mmdmad.agents.explainer import explain, gate
from mmdmad.agents.writer import Draft

from mmdmad.claims import admit
from mmdmad.errors import ConfigError, MmdmadError


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
            assert admit(sentence.text, sentence.cites, finding).verbatim
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


def test_false_sentences_are_replaced_by_what_is_so(flagged):
    finding = flagged["image"]
    region = next(e for e in finding.evidence if e.kind == "region")
    verdict = finding.evidence[0]
    drafts = [
        Draft(verdict.caption, (verdict.id,)),
        Draft("A forklift scratched the piece.", (region.id,)),
        Draft("The clip shows it too.", ("E77",)),
    ]
    note = gate(drafts, finding, llm="x", prompt="explainer/1")
    assert [s.cites for s in note.sentences] == [(verdict.id,), (region.id,)]
    assert [s.verbatim for s in note.sentences] == [True, False]
    assert note.sentences[0].text == verdict.caption
    assert "region of 32 px by 41 px stands out" in note.sentences[1].text
    assert note.faithfulness == pytest.approx(1 / 3)
    assert [s.text for s in note.dropped] == [drafts[1].text, drafts[2].text]
    assert note.dropped[1].problems == ("cites no evidence",)


def test_a_writer_that_changes_the_verdict_is_corrected(flagged):
    finding = flagged["text"]
    note = gate([Draft(f"{finding.case_id} is normal.", ("E1",))], finding, llm="x", prompt="p")
    assert note.faithfulness == 0
    assert [(s.text, s.verbatim) for s in note.sentences] == [(finding.evidence[0].caption, False)]


def test_a_model_chooses_and_code_writes(flagged):
    finding = flagged["text"]
    line = next(e for e in finding.evidence if e.kind == "words")
    choice = [("E1.1", "none"), (f"{line.id}.1", "none"), ("E99.1", "and"), ("L1", "none")]
    model = Scripted(note={"chosen": [{"claim": claim, "join": join} for claim, join in choice]})
    told = explain(finding, model)
    assert told.llm == "Scripted"
    assert told.prompt == "explainer/2"
    assert [s.text for s in told.sentences] == [
        f"Case {finding.case_id} is flagged as anomalous.",
        "Line 3 stands out: “spindle overheated, stop the line”.",
        "Look next at line 3 of the text.",
    ]
    assert told.sentences[1].cites == (line.id,)
    assert told.faithfulness == 0.75
    assert told.dropped[0].problems == ("there is no such claim",)
    assert f"{line.id}.1: <data>line 3 stands out" in model.seen[0]
    assert "data:image" not in model.seen[0]
    assert ".png" not in model.seen[0]


@pytest.mark.parametrize("shape", ["words", "other"])
def test_words_of_a_model_are_read_nowhere(flagged, shape):
    """A model that writes instead of choosing is told to choose, and where it still writes, it says nothing."""
    finding = flagged["text"]
    written = "The operator ignored 12 warnings and the case is normal."
    note = {"words": {"chosen": [{"claim": written, "join": "none"}]}, "other": {"text": written}}[shape]
    with pytest.raises(MmdmadError, match="chose no claims") if shape == "other" else nullcontext():
        told = explain(finding, Scripted(note=note))
        assert "operator" not in told.text
        assert told.sentences[0].text == finding.evidence[0].caption  # the verdict stands in every explanation


class IdsOnly(Scripted):
    """A model without tool calling: it takes no form and answers in text."""

    reply: str = ""

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        self.seen.append(str(messages[-1].content))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.reply))])

    def with_structured_output(self, schema, **kwargs):
        raise NotImplementedError


def test_a_model_without_tool_calling_answers_with_ids(flagged):
    finding = flagged["sensor"]
    channels = [e.id for e in finding.evidence if e.kind == "channel"]
    model = IdsOnly(reply=f"E1.1, {channels[0]}.1 while {channels[1]}.1", seen=[])
    told = explain(finding, model)
    assert told.faithfulness == 1.0
    assert ", while channel vibration_x is frozen at 0.712 mm/s" in told.text
    assert "Answer with ids only" in model.seen[0]
    with pytest.raises(MmdmadError, match="--llm offline"):
        explain(finding, IdsOnly(reply="E1.1 because the bearing broke", seen=[]))


def test_german_is_told_by_the_claims(flagged):
    finding = flagged["sensor"]
    note = explain(finding, language="de")
    assert note.faithfulness == 1.0
    assert note.sentences[0].text.startswith(f"Fall {finding.case_id} ist als auffällig gemeldet")
    assert "Kanal motor_current springt von" in note.text
    assert " is " not in note.text
    shift = next(e for e in finding.evidence if e.kind == "channel")
    chosen = explain(finding, Scripted(note={"chosen": [{"claim": f"{shift.id}.1"}]}), language="de")
    assert "Kanal motor_current springt" in chosen.text


def test_another_language_is_refused_with_those_that_there_are(flagged):
    with pytest.raises(ConfigError, match="language='fr' was given; allowed are en, de"):
        explain(flagged["sensor"], language="fr")


def test_llm_without_choice_is_an_error(flagged):
    with pytest.raises(MmdmadError, match="--llm offline"):
        explain(flagged["text"], Scripted(note=None))
