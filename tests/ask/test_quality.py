"""Data quality: what was refused, missing, noted while reading or judged unsurely, counted by kind."""

import pytest

from mmdmad.ask.base import Scope, ask
from mmdmad.cases import Refusal
from mmdmad.findings import Evidence, Fact
from mmdmad.store import rows
from mmdmad.store.quality import kind
from mmdmad.store.run import Run
from mmdmad.store.scoring import put_refusals
from tests.store.made import finding


@pytest.fixture
def run(tmp_path):
    made = Run.create(tmp_path / "run", {"false_alarm_rate": 0.1})
    yield made
    made.close()


def told(number, what, name, value, part=None):
    """Evidence with this fact, and another beside it that nothing here asks for."""
    facts = (Fact(name="decisions", value=number), Fact(name=name, value=value))
    return Evidence(id=f"E{number}", kind=what, part=part, caption="said", facts=facts)


def put(run, *findings):
    with run._engine.begin() as connection:
        rows.put(connection, [rows.Judged(one, one.case_id, one.case_id, "{}") for one in findings])


def captions(run, tmp_path):
    return [one.evidence.caption for one in ask(Scope(run, tmp_path), "data_quality").evidence]


def test_refusals_that_differ_in_names_and_numbers_are_one_kind(run, tmp_path):
    reasons = [f"line {i} of '{i}.csv' has {i + 2} cells" for i in range(12)]
    put_refusals(run._engine, "score", [Refusal(f"c{i}", "sensor", r) for i, r in enumerate(reasons)])
    put_refusals(run._engine, "score", [Refusal("d", "case", "nothing can be read")])
    found = ask(Scope(run, tmp_path), "data_quality")
    assert [(k.part, k.count) for k in found.refused] == [("sensor", 12), ("case", 1)]
    assert found.refused[0].example in reasons
    assert not found.idle
    said = captions(run, tmp_path)
    assert said[0].startswith("12 sensor parts refused: line ")
    assert "one of them; names and numbers differ" in said[0]
    assert said[1] == "1 case refused: nothing can be read."


def test_notes_gaps_and_doubts_are_counted(run, tmp_path):
    put(
        run,
        finding("a", evidence=(
            told(1, "context", "notes", "3 empty cells are missing; times go back at row 9", "sensor"),
            told(2, "form", "gap", 4.5, "sensor"), told(3, "form", "gap", 9.5, "sensor"),
        )),
        finding("b", evidence=(
            told(1, "context", "notes", "17 empty cells are missing", "sensor"),
            told(2, "verdict", "note", "'x' has readings in 2 of 9 rows"),
        )),
        finding("c", evidence=(told(1, "channel", "gap", 1.0, "sensor"),)),
    )  # fmt: skip
    found = ask(Scope(run, tmp_path), "data_quality")
    assert [(k.part, k.count) for k in found.noted] == [("sensor", 2), ("sensor", 1)]
    assert found.gaps == 1
    assert [(k.count, k.example) for k in found.unsure] == [(1, "'x' has readings in 2 of 9 rows")]
    said = " ".join(captions(run, tmp_path))
    assert "In 1 case rows are missing: the clock has gaps." in said
    assert "Read with a note in 2 cases, sensor:" in said


def test_parts_that_cases_lack_are_said(run, tmp_path):
    run._set_meta(learned="text image")
    put(run, finding("a"), finding("b"))
    assert "2 cases have no image part and were judged without it." in captions(run, tmp_path)


def test_a_run_without_trouble_says_so_and_an_empty_one_nothing(run, tmp_path):
    assert ask(Scope(run, tmp_path), "data_quality").idle
    run._set_meta(learned="text")
    put(run, finding("a"))
    assert not ask(Scope(run, tmp_path), "data_quality").idle
    assert captions(run, tmp_path) == [
        "Every part could be read, none is missing, and nothing was noted while reading."
    ]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("cannot open /a/b.png", "cannot open /c/d.png", True),
        ("'a' is empty", "'b' is empty", True),
        ("it is empty", "it is damaged", False),
    ],
)
def test_kinds(one, other, same):
    assert (kind(one) == kind(other)) is same
