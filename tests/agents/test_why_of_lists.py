"""Why several cases were flagged, and words that name both a modality and a case."""

import pytest
from mmdmad.agents.llms.reading import Vocabulary, read


def whole(answer, listed, run):
    """That each listed case stands there with its strongest evidence, cited, and nothing was withheld."""
    assert not answer.withheld
    for case in listed:
        best = run.finding(case).strongest
        said = f"{best.caption.rstrip('.')} [{case}: {best.id}].".lower()
        assert said in answer.text.lower()
        assert f"{case}/{best.id}" in answer.evidence
    assert len(answer.evidence) == len(listed)


@pytest.mark.parametrize(
    "questions",
    [
        ["What was flagged, and why?"],
        ["Why were these flagged?"],
        ["What are the reasons for the flagged ones?"],
        ["Reasons for the alarms"],
        ["How many were flagged, and why?"],
        ["Explain the flagged cases"],
        ["Which cases were flagged?", "Why were these flagged?"],
        ["Which cases were flagged?", "and why?"],
        ["How many were flagged?", "Why those?"],
    ],
)
def test_each_listed_case_has_its_strongest_evidence(ask, fake_run, questions):
    flagged = [f.case_id for f in fake_run.findings(verdict="anomalous", limit=10)]
    whole(ask(*questions), flagged, fake_run)


def test_filters_and_numbers_of_the_list_stay(ask, fake_run):
    some = [f.case_id for f in fake_run.findings(verdict="anomalous", group="brick tile")]
    whole(ask("Why were the cases of brick tile flagged?"), some, fake_run)
    whole(ask("How many were flagged in brick tile?", "And why?"), some, fake_run)
    three = [f.case_id for f in fake_run.findings(verdict="anomalous", limit=3)]
    whole(ask("List the three worst cases.", "Why were they flagged?"), three, fake_run)
    whole(ask("Which case is the most anomalous, and why?"), three[:1], fake_run)


def test_a_list_without_why_has_none_and_one_case_is_explained(ask):
    assert not ask("What was flagged?").evidence
    assert ask("Which is the worst case?", "and why?").tools == ("explain_case",)
    assert ask("Why was test-00004 flagged?").tools == ("overview", "explain_case")


def test_the_strongest_evidence_is_a_place_and_no_span_where_a_channel_says_more(some_findings):
    for finding in some_findings:
        best = finding.strongest
        kinds = [e.kind for e in finding.evidence]
        if "contradiction" in kinds:
            assert best.kind == "contradiction"
        elif "channel" in kinds:
            assert (best.kind, best.part) == ("channel", "sensor")
        elif finding.verdict == "anomalous":
            assert best.kind in ("region", "words", "frames")
        else:
            assert best.kind == "part"
        assert finding.lead == best.caption


CALLED = Vocabulary(called=("clip",), parts=("sensor", "video"))


@pytest.mark.parametrize(
    ("question", "cases"),
    [
        ("Why was clip 3 flagged?", ("clip 3",)),
        ("What is wrong with clip-night?", ("clip-night",)),
        ("Where is it in clip-07?", ("clip-07",)),
        ("When does the clip of clip_4 go off?", ("clip_4",)),
        ("Is there anything in the clip at 3:15?", ()),
    ],
)
def test_cases_called_like_a_modality_are_cases(question, cases):
    assert read(question, CALLED).cases == cases
    if not cases:
        assert read(question, CALLED).part == "video"


@pytest.mark.parametrize("question", ["Which clips were flagged?", "How many flagged clips are there?"])
@pytest.mark.parametrize("names", [CALLED, Vocabulary(parts=("video",))])
def test_clips_that_are_the_cases_are_no_filter(question, names):
    assert read(question, names).where == {"verdict": "anomalous"}
    assert read(question, Vocabulary(parts=("sensor", "video"))).where == {"verdict": "anomalous", "unusual": "video"}


def test_what_lacks_a_modality_or_asks_inside_a_case_stays():
    assert read("How many cases have no clips?", CALLED).where == {"missing": "video"}
    assert read("Which frames of case 3 stand out?", Vocabulary(parts=("video",))).attribute == "when"
    assert read("Which frames stand out?", Vocabulary(parts=("video",))).part == "video"
