"""Tools over the store: typed filters, compact JSON without pixels, errors as answers."""

import json

import pytest
from mmdmad.agents.tools import make_tools

from mmdmad.ask import cases as queries
from mmdmad.ask.cases import Filter
from mmdmad.errors import MmdmadError


@pytest.fixture
def tools(fake_run, tmp_path):
    return {t.name: t for t in make_tools(fake_run, tmp_path)}


def call(tool, **args):
    message = tool.invoke({"type": "tool_call", "id": "1", "name": tool.name, "args": args})
    return json.loads(message.content), message.artifact


def test_overview_adds_up(tools, fake_run):
    found, _ = call(tools["overview"])
    assert found["cases"] == len(fake_run.items)
    assert sum(found["verdicts"].values()) == found["cases"]
    flagged = found["verdicts"]["anomalous"]
    assert sum(found["flagged_by_driver"].values()) == sum(found["flagged_by_group"].values()) == flagged
    assert sum(found["flagged_by_hour"].values()) == flagged
    assert found["refused"] == 1


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ({"verdict": "anomalous"}, lambda f: f.verdict == "anomalous"),
        ({"driver": "text"}, lambda f: queries.main_part(f) == "text"),
        ({"missing": "video"}, lambda f: f.part("video") is None),
        ({"contradictory": True}, lambda f: bool(f.contradictions)),
        ({"group": "moon plate", "verdict": "normal"}, lambda f: f.group == "moon plate" and f.verdict == "normal"),
        ({"channel": "motor_current"}, lambda f: any("otor_current" in e.caption for e in f.evidence)),
        ({"unusual": "image"}, lambda f: f.part("image") is not None and f.part("image").p_value <= 0.05),
        ({"since": "08:00", "until": "09:00"}, lambda f: f.time.hour == 8),
        ({"since": "2026-04-01T11:00"}, lambda f: f.time.hour >= 11),
    ],
)
def test_filters(tools, fake_run, where, holds):
    expected = {f.case_id for f in fake_run.items.values() if holds(f)}
    found, _ = call(tools["find_cases"], **where, limit=25)
    assert found["total"] == len(expected) > 0
    assert {c["case"] for c in found["cases"]} <= expected
    assert call(tools["count_cases"], **where)[0]["total"] == len(expected)


def test_lists_are_most_anomalous_first_and_page(tools):
    first, ids = call(tools["find_cases"], limit=5)
    second, _ = call(tools["find_cases"], limit=5, offset=5)
    values = [c["p_value"] for c in first["cases"] + second["cases"]]
    assert values == sorted(values)
    assert len({c["case"] for c in first["cases"] + second["cases"]}) == 10
    assert ids["cases"] == [c["case"] for c in first["cases"]]


def test_open_case_shows_captions_and_ids_never_files(tools, flagged):
    finding = flagged["text"]
    found, ids = call(tools["open_case"], case_id=finding.case_id)
    assert found["verdict"] == "anomalous"
    assert [e["id"] for e in found["evidence"]] == [e.id for e in finding.evidence]
    words = next(e for e in found["evidence"] if e["kind"] == "words")
    assert words["caption"].startswith("<data>")
    assert ids["evidence"][0] == f"{finding.case_id}/E1"
    text = json.dumps(found) + json.dumps(ids)
    assert ".png" not in text
    assert "data:" not in text


@pytest.mark.parametrize("spelling", ["test-00007", "TEST-00007", "test 7", "7", "test_00007", "case 7"])
def test_cases_are_found_by_other_spellings(fake_run, spelling):
    found = queries.resolve(fake_run, spelling)
    assert not isinstance(found, dict)
    assert found.case_id == "test-00007"


def test_unknown_case_is_an_answer(tools):
    found, _ = call(tools["open_case"], case_id="test-99999")
    assert "no case is called" in found["error"]
    assert call(tools["explain_case"], case_id="zzz")[0]["error"]


def test_explain_case_gives_checked_sentences(tools, flagged):
    found, ids = call(tools["explain_case"], case_id=flagged["video"].case_id)
    assert found["faithfulness"] == 1.0
    cited = {c for s in found["sentences"] for c in s["cites"]}
    assert {e["id"] for e in found["evidence"]} == cited
    assert len(ids["evidence"]) == len(cited)


def test_bad_time_and_refusals(tools):
    assert "HH:MM" in call(tools["find_cases"], since="yesterday")[0]["error"]
    refused, _ = call(tools["list_refusals"])
    assert refused["total"] == 1
    assert refused["refused"][0]["reason"] == "<data>the file is truncated</data>"


def test_files_outside_the_folder_are_not_scored(fake_run, tmp_path):
    with pytest.raises(MmdmadError, match="leads out"):
        queries.score_files(fake_run, {"image": "../../etc/passwd"}, tmp_path)
    with pytest.raises(MmdmadError, match="no file"):
        queries.score_files(fake_run, {"image": "x.png"}, tmp_path)
    with pytest.raises(MmdmadError, match="no file was given"):
        queries.score_files(fake_run, {}, tmp_path)


def test_every_filter_field_is_a_tool_argument(tools):
    assert set(Filter.model_fields) <= set(tools["find_cases"].args) & set(tools["count_cases"].args)


def test_the_odd_part_is_the_one_with_the_largest_share(fake_run):
    """One odd part makes every pair odd, and ties at the smallest p-values are broken at random."""
    finding = next(f for f in fake_run.items.values() if f.contradictions)
    (own,) = finding.contradictions
    other = own.model_copy(
        update={"part": "text", "given": ("image",), "share": own.share / 10, "p_value": own.p_value / 2}
    )
    both = finding.model_copy(update={"contradictions": (other, own)})
    assert queries.contradicted(both) == [own.part, "text"]
