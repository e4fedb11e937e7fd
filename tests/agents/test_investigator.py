"""The investigator: the offline analyst answers and declines; a lying model is held to the tool results."""

import itertools
import re

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from mmdmad.agents.investigator import Investigator
from mmdmad.agents.llms import make_llm
from mmdmad.agents.llms.reading import Vocabulary, read

from mmdmad.errors import ConfigError, MmdmadError

COUNTER = itertools.count()


class Says(BaseChatModel):
    """A model that calls one tool and then says what it was told to."""

    text: str
    tool: str = "overview"
    args: dict = {}  # noqa: RUF012  (a pydantic field)
    forever: bool = False

    @property
    def _llm_type(self):
        return "says"

    def bind_tools(self, tools, *, tool_choice=None, **kwargs):
        return self

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        done = messages[-1].type == "tool" and not self.forever
        call = {"name": self.tool, "args": self.args, "id": f"c{next(COUNTER)}", "type": "tool_call"}
        message = AIMessage(self.text) if done else AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=message)])


def test_counts_and_lists(ask, fake_run):
    flagged = [f for f in fake_run.findings() if f.verdict == "anomalous"]
    assert str(len(flagged)) in ask("How many cases were flagged?").text
    answer = ask("Which case is the most anomalous?")
    assert flagged[0].case_id in answer.text
    assert answer.tools == ("overview", "find_cases")
    lacking = sum(f.part("video") is None for f in fake_run.items.values())
    assert re.search(rf"\b{lacking}\b", ask("In how many cases is there no video?").text)


def test_why_cites_evidence_and_numbers(ask, flagged):
    finding = flagged["sensor"]
    answer = ask(f"Why was {finding.case_id} flagged?")
    assert "motor_current shifts" in answer.text
    assert f"{finding.case_id}/E1" in answer.evidence
    assert answer.withheld == ()


@pytest.mark.parametrize(
    ("lead", "question", "said"),
    [
        ("sensor", "Which channel is off in {}?", "motor_current"),
        ("sensor", "When does the sensor of {} go off?", " s to "),
        ("image", "Where is the flaw in the picture of {}?", "upper|lower|centre"),
        ("text", "Which words of {} are odd?", "spindle overheated"),
        ("video", "Which part of {} is the problem?", "video"),
        ("video", "When was {} recorded?", "2026-04-01"),
        ("text", "What normal cases does {} resemble?", "train-"),
    ],
)
def test_what_where_when(ask, flagged, lead, question, said):
    answer = ask(question.format(flagged[lead].case_id))
    assert re.search(said, answer.text), answer.text
    assert not answer.withheld


def test_normal_cases_are_called_normal_with_care(ask, fake_run):
    normal = next(f for f in fake_run.items.values() if f.verdict == "normal")
    answer = ask(f"Is {normal.case_id} normal?")
    assert "judged normal" in answer.text
    assert "does not prove" in answer.text


def test_contradictions(ask, fake_run):
    odd = next(f for f in fake_run.items.values() if f.contradictions)
    assert f"The image of {odd.case_id} does not fit" in ask(f"Do the parts of {odd.case_id} belong together?").text


def test_follow_ups(ask, fake_run):
    ranked = [f.case_id for f in fake_run.findings()]
    assert ranked[1] in ask("Show me the three worst cases.", "And the second one: why?").text
    assert ranked[0] in ask("Which case is the most anomalous?", "Why?").text
    answer = ask("Is test-00003 normal?", "And what about test-00004?")
    assert "test-00004 is anomalous" in answer.text
    groups = [f for f in fake_run.findings() if f.verdict == "anomalous" and f.group == "moon plate"]
    assert re.search(rf"\b{len(groups)}\b", ask("How many cases were flagged?", "And of moon plate?").text)
    assert "picture" in ask("Why was test-00004 flagged?", "And the picture?").text


@pytest.mark.parametrize(
    "question",
    [
        "Who built the machine?",
        "What will the weather be tomorrow?",
        "How much does it cost to repair test-00004?",
        "Which machine will fail next week?",
        "What is the serial number of the camera?",
        "Change the verdict of test-00004 to normal.",
        "What is the root cause of test-00004?",
        "Which supplier delivered the bearing?",
    ],
)
def test_unanswerable_questions_are_declined(ask, question):
    answer = ask(question)
    assert "I cannot answer" in answer.text
    assert "I can tell" in answer.text
    assert answer.evidence == ()


def test_unknown_cases_and_unclear_questions(ask):
    assert "no case is called" in ask("Why was test-77777 flagged?").text
    assert "Which case do you mean" in ask("Where is the defect?").text
    assert "did not understand" in ask("Colourless green ideas sleep furiously.").text


def test_same_question_same_answer(ask):
    assert ask("Give me an overview.") == ask("Give me an overview.")


def test_conversations_are_kept_by_thread(fake_run):
    first = Investigator(fake_run, thread="a")
    first.ask("Which case is the most anomalous?")
    first.close()
    again = Investigator(fake_run, thread="a")
    worst = fake_run.findings()[0].case_id
    assert worst in again.ask("Why?").text
    assert "Which case do you mean" in again.ask("Why?", thread="b").text
    again.close()


def test_a_lying_model_is_held_to_the_tools(fake_run, flagged):
    case = flagged["sensor"].case_id
    lies = (
        f"{case} is anomalous [{case}: E1]. The operator fell asleep [{case}: E1]. Its p-value is 0.9 [{case}: E1]. "
        f"The gearbox is worn [{case}: E3]. See ![x](data:image/png;base64,AAAA) for it [{case}: E99]."
    )
    answer = Investigator(fake_run, llm=Says(text=lies, tool="open_case", args={"case_id": case})).ask("Why?")
    assert "is anomalous" in answer.text
    for word in ("asleep", "0.9", "gearbox", "base64"):
        assert word not in answer.text
    assert len(answer.withheld) == 4
    assert answer.evidence == (f"{case}/E1", f"{case}/E3")  # what they cite speaks in their place
    assert "(3 sentences were replaced by what the cited evidence says.)" in answer.text
    assert "(One sentence was withheld" in answer.text


def test_a_model_may_not_deny_what_it_cites(fake_run, flagged):
    finding = flagged["sensor"]
    case, shift = finding.case_id, next(e for e in finding.evidence if "Motor_current shifts" in e.caption)
    text = f"The motor current does not shift [{case}: {shift.id}]. {case} is anomalous [{case}: E1]."
    answer = Investigator(fake_run, llm=Says(text=text, tool="open_case", args={"case_id": case})).ask("Why?")
    assert "does not shift" not in answer.text
    assert "is anomalous" in answer.text
    assert shift.caption.rstrip(".") in answer.text
    assert len(answer.withheld) == 1


def test_numbers_from_another_case_do_not_pass(fake_run, some_findings):
    a, b = [f for f in some_findings if f.verdict == "anomalous"][:2]
    text = f"{a.case_id} has p-value {b.p_value} [{a.case_id}: E1]."
    answer = Investigator(fake_run, llm=Says(text=text, tool="open_case", args={"case_id": a.case_id})).ask("p?")
    assert str(b.p_value) not in answer.text


def test_a_model_without_tools_may_not_claim(fake_run):
    class Talks(Says):
        def _generate(self, messages, stop=None, run_manager=None, **kwargs):
            return ChatResult(generations=[ChatGeneration(message=AIMessage(self.text))])

    answer = Investigator(fake_run, llm=Talks(text="There were 17 anomalies.")).ask("How many?")
    assert "17" not in answer.text


def test_calls_are_limited(fake_run):
    answer = Investigator(fake_run, llm=Says(text="x", forever=True)).ask("How many?")
    assert len(answer.tools) <= 12


def test_empty_questions_and_bad_models(fake_run):
    with pytest.raises(MmdmadError, match="empty question"):
        Investigator(fake_run).ask("  ")
    with pytest.raises(ConfigError, match="provider:model"):
        make_llm("gpt")
    with pytest.raises(ConfigError, match='pip install "langchain-groq"'):
        make_llm("groq:llama")
    with pytest.raises(ConfigError, match="nosuch"):
        make_llm("nosuch:model")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many flagged cases lack the video?", {"verdict": "anomalous", "missing": "video"}),
        ("List the bad moon plates after 9 am", {"verdict": "anomalous", "group": "moon plate", "since": "09:00"}),
        ("How many anomalies before 2026-04-01 08:30?", {"verdict": "anomalous", "until": "2026-04-01T08:30"}),
        ("Which normal cases have motor current problems?", {"channel": "motor_current"}),
        ("How many alarms are mostly due to the picture?", {"verdict": "anomalous", "driver": "image"}),
    ],
)
def test_filters_are_read(question, expected):
    where = read(question, Vocabulary(("moon plate",), ("motor_current",))).where
    assert expected.items() <= where.items()


@pytest.mark.parametrize(
    ("question", "intent", "attribute", "follows"),
    [
        ("thanks!", "thanks", "", False),
        ("Thanks, and how about test-00020, the same question?", "case", "why", True),
        ("recording time of test-00257?", "case", "when", False),
        ("What makes you say that test-00178 is abnormal?", "case", "why", False),
        ("What is the overall tally of abnormal cases?", "count", "", False),
        ("Does everything in test-00266 match?", "case", "contradiction", False),
    ],
)
def test_questions_are_read(question, intent, attribute, follows):
    reading = read(question, Vocabulary())
    assert (reading.intent, reading.attribute, reading.follows) == (intent, attribute, follows)
