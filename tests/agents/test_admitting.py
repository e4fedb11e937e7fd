"""What of a model's answer in the chat is shown: choices in words by code, sentences read whole, nothing else."""

import pytest
from mmdmad.agents.admitting import admitted_answer
from mmdmad.agents.sources import Source

from mmdmad.findings import Evidence, Fact


def of(finding, turn=1):
    """The evidence of a finding as a tool returned it."""
    return [
        Source(e.model_copy(update={"id": f"{finding.case_id}/{e.id}"}), finding.case_id, turn, result=1)
        for e in finding.evidence
    ]


def line(caption, number="T1", result=1, turn=1):
    """Something a tool said of the run."""
    e = Evidence(id=f"T{result}.1", kind="context", caption=caption, facts=(Fact(name="cases", value=3),))
    return Source(e, "", turn, result=result, number=number)


@pytest.fixture
def odd(flagged):
    return flagged["sensor"]


def test_lines_of_ids_are_told_by_code_with_their_citation(odd):
    shift, frozen = (e.id for e in odd.evidence if e.kind == "channel")
    text, withheld = admitted_answer(f"{odd.case_id}: E1.1, {shift}.1 while {frozen}.1", of(odd))
    assert withheld == ()
    assert f"Case {odd.case_id} is flagged as anomalous [{odd.case_id}: E1]." in text
    assert (
        f", while channel vibration_x is frozen at 0.712 mm/s from 1.1 s to 2.4 s [{odd.case_id}: {shift}, {frozen}]."
        in text
    )
    assert admitted_answer("E1", of(odd))[0] == f"Case {odd.case_id} is flagged as anomalous [{odd.case_id}: E1]."


def test_ids_that_no_tool_returned_are_named(odd):
    text, withheld = admitted_answer(f"{odd.case_id}: E1, E99\ntest-77777: E1\nrun: T7", of(odd))
    assert text.startswith(f"Case {odd.case_id} is flagged")
    assert [w.partition(" (")[0].partition(":")[0] for w in withheld] == ["E99", "test-77777", "run"]
    assert "(3 sentences were withheld" in text


def test_what_is_about_the_run_is_told_by_its_number_of_the_latest_result(odd):
    found = [line("3 of 60 cases flagged at 5 %."), line("9 of 60 cases flagged at 10 %.", result=2)]
    assert admitted_answer("run: T1", found) == ("9 of 60 cases flagged at 10 % [run: T1].", ())
    assert admitted_answer("3 of 60 cases flagged at 5 % [T1].", found)[1] == ()
    text, withheld = admitted_answer("4 of 60 cases flagged at 5 % [T1].", found)
    assert "4 of 60" not in text
    assert "9 of 60 cases flagged at 10 % [run: T1]." in text
    assert len(withheld) == 1


@pytest.mark.parametrize(
    "lie",
    [
        "{case} is normal [{case}: E1].",
        "Please stop the line at once, the bearing is broken.",
        "I can confirm that {case} is anomalous because the operator made a mistake.",
        "I do not doubt that the motor will fail tomorrow.",
        "I cannot say otherwise than that {case} is defective and must be scrapped.",
        "Please open http://evil.example/collect to see the plot.",
        "You are welcome: all cases are normal, ship everything.",
        "Ask me about {case}, which is fine.",
        "Which case do you mean? {case} is fine.",
        "{case}: E1 is wrong, the case is fine",
        "That means it looks like the normal cases; it does not prove that nothing is wrong.",
    ],
)
def test_no_opening_and_no_citation_lets_a_lie_through(odd, lie):
    said = lie.format(case=odd.case_id)
    text, withheld = admitted_answer(said, of(odd))
    assert withheld
    assert "That means" not in text
    for word in ("normal", "broken", "mistake", "tomorrow", "scrapped", "evil", "fine"):
        assert word not in text.replace("normal cases", "").replace("I can tell which cases", "")


def test_a_sentence_without_citation_is_read_against_the_latest_turn_and_names_its_case(odd, flagged):
    other = flagged["image"]
    assert admitted_answer(f"{odd.case_id} was flagged.", of(odd))[1] == ()
    assert admitted_answer("The case was flagged.", of(odd))[1] == ()
    both = [*of(odd), *of(other)]
    assert admitted_answer("The case was flagged.", both)[1]  # which of them?
    assert admitted_answer(f"{other.case_id} was flagged.", both)[1] == ()
    assert admitted_answer(f"{odd.case_id} was flagged.", [*of(odd, turn=1), *of(other, turn=2)])[1]
    assert "no tool was called" in admitted_answer(f"{odd.case_id} was flagged.", [])[1][0]


def test_evidence_of_one_case_says_nothing_of_another(odd, flagged):
    other = flagged["image"]
    text, withheld = admitted_answer(f"{other.case_id} was flagged [{odd.case_id}: E1].", [*of(odd), *of(other)])
    assert len(withheld) == 1
    assert text.startswith(f"Case {odd.case_id} (group")


def test_what_declines_stands_and_an_answer_of_nothing_says_so(odd):
    assert admitted_answer("I cannot answer that from the evidence.", of(odd)) == (
        "I cannot answer that from the evidence.", (),
    )  # fmt: skip
    assert admitted_answer("The weather is fine.", of(odd))[0].startswith(
        "I cannot answer that from the evidence. I can"
    )


def test_each_piece_of_evidence_speaks_once(odd):
    case = odd.case_id
    text, withheld = admitted_answer(f"It is fine [{case}: E1]. All is well [{case}: E1].", of(odd))
    assert text.count("is flagged as anomalous") == 1
    assert len(withheld) == 2
    assert "(2 sentences were replaced by what the cited evidence says.)" in text
