"""Evidence about the run as a whole is cited by the number a tool prints, [T1], and proven by what has that number."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from mmdmad.agents import grounding
from mmdmad.agents.investigator import checked, sources

from mmdmad.ask.base import Result, told
from mmdmad.explain.words import fact
from mmdmad.findings import Evidence


def hour(at, n):
    return told(f"{at}: {n} flagged.", fact("hour of the day", at), fact("flagged cases", n))


def asked(*results):
    """A conversation in which one tool gave these results; the query is one whose result is a plain Result."""
    calls = [{"name": "made", "args": {}, "id": str(i)} for i in range(len(results))]
    given = [
        ToolMessage("", tool_call_id=str(i), artifact={"query": "made", "result": r.model_dump(mode="json")})
        for i, r in enumerate(results)
    ]
    return [HumanMessage("When?"), AIMessage("", tool_calls=calls), *given]


@pytest.fixture
def found():
    from mmdmad.ask import base

    base.queries()

    @base.query("made")
    def made(scope: base.Scope, asked: base.Arguments) -> base.Result:
        """Made for this test."""
        return Result(line="")

    morning = Result(line="flagged, by hour: the first 2 of 2", evidence=(hour("18:00", 2), hour("09:00", 5)))
    other = Result(line="flagged, by hour: the first 1 of 1", evidence=(hour("21:00", 7),))
    yield sources(asked(morning, other))
    base._REGISTRY.remove("made")


@pytest.mark.parametrize(
    "said",
    [
        "18:00 has 2 flagged cases [T1].",
        "18:00 has 2 flagged cases [run: T1].",
        "18:00: 2 flagged. [T1]",
        "18:00 has 2 and 09:00 has 5 flagged cases [T1, T2].",
        "18:00 has 2 and 09:00 has 5 flagged cases [run: T1, T2].",
        "21:00 has 7 flagged cases [T1].",  # of the other result
        "At 18:00 2 cases were flagged.",
    ],
)
def test_a_true_sentence_is_shown(found, said):
    text, withheld = checked(said, found, ["When?"])
    assert withheld == ()
    assert text == said


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("18:00 has 3 flagged cases [T1].", 'number "3"'),
        ("18:00 has 2 flagged cases [T2].", "18:00"),  # true, but of another number
        ("18:00 has 7 flagged cases [T1].", "not in the cited evidence"),  # hour and count of two results
        ("18:00 has 2 flagged cases [T9].", "T9 was not returned by any tool"),
        ("21:00 has 7 and 09:00 has 5 flagged cases [T1, T2].", "not in the cited evidence"),
        ("18:00 has 4711 flagged cases [run: T1].", "4711"),
    ],
)
def test_a_false_one_is_not(found, said, why):
    text, withheld = checked(said, found, ["When?"])
    assert len(withheld) == 1
    assert why in withheld[0]
    assert said not in text


def test_a_channel_called_t1_is_a_name_and_no_number_of_evidence():
    e = Evidence(id="E1", kind="channel", part="sensor", caption="T1 rises to 3 A.", facts=(fact("channel", "T1"),))
    assert grounding.check("T1 rises to 3 A.", ["E1"], [e]) == []
    assert grounding.check("T2 rises to 3 A.", ["E1"], [e]) == ['name "T2" is not in the cited evidence']
    run = Evidence(id="T1", kind="context", caption="18:00: 2 flagged.")
    assert grounding.check("18:00: 2 flagged [T1].", ["T1"], [run]) == []
