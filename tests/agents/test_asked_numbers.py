"""Numbers of a question become arguments by the name beside them; what no field takes is said."""

import pytest
from mmdmad.agents.investigator import Investigator
from mmdmad.agents.llms.asking import arguments
from mmdmad.agents.llms.reading import Reading

from mmdmad.ask.base import queries
from mmdmad.bench.synthetic_run import synthetic_run


@pytest.mark.parametrize(
    ("name", "question", "taken", "left"),
    [
        ("certified", "certify a rate of 1 % with 99 % confidence", {"rate": 0.01, "confidence": 0.99}, ()),
        ("certified", "confidence 0.9, rate 0.02: certify", {"rate": 0.02, "confidence": 0.9}, ()),
        ("certified", "the certified threshold at 5%", {"rate": 0.05}, ()),
        ("certified", "certify 2 % and 7 %", {}, ("2 %", "7 %")),
        ("certified", "certify 2 % and a confidence of 99 %", {"rate": 0.02, "confidence": 0.99}, ()),
        ("discoveries", "fdr 20 %", {"false_share": 0.2}, ()),
        ("discoveries", "discoveries with a false share of 0.05 since 09:30", {"false_share": 0.05}, ()),
        ("overview", "overview of 3", {}, ("3",)),
    ],
)
def test_numbers_go_where_their_name_stands(name, question, taken, left):
    assert arguments(queries()[name], question, Reading("overview")) == (taken, left)


def test_a_number_that_is_not_used_is_said(tmp_path):
    run = synthetic_run(tmp_path / "run", 40, seed=5)
    ask = Investigator(run, llm="offline", thread="numbers").ask
    said = ask("certify 2 % and 7 %").text
    assert "I did not use 2 % and 7 %: say which number is meant for what." in said
    assert "I did not" not in ask("certify a rate of 2 % with 90 % confidence").text
    run.close()
