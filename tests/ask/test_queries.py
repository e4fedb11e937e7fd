"""The questions themselves: typed results, Evidence in them, and the line that states which filter was applied."""

import re
from collections import Counter

import pytest

from mmdmad import reasons
from mmdmad.ask.base import Scope, UnknownCaseError, ask, queries
from mmdmad.bench.synthetic_run import RATE, synthetic_run
from mmdmad.errors import ConfigError, MmdmadError
from mmdmad.findings import Evidence, Finding
from mmdmad.store.run import Run


def captions(result):
    return [one.evidence.caption for one in result.evidence]


def test_every_query_answers_with_evidence_and_a_line(asked, findings):
    given = {"case_id": findings[7].case_id}
    for name, query in queries().items():
        if name == "score_files":
            continue
        found = query(asked, **given if "case_id" in query.fields else {})
        assert found.line, name
        assert found.evidence, name
        assert all(isinstance(one.evidence, Evidence) and one.evidence.id for one in found.evidence), name
        assert query.result.model_validate_json(found.model_dump_json()) == found
        assert query.schema["type"] == "object"


def test_overview_counts_what_the_findings_are(asked, findings):
    flagged = [f for f in findings if f.verdict == "anomalous"]
    found = ask(asked, "overview")
    assert found.judged == len(findings)
    assert found.verdicts == Counter(f.verdict for f in findings)
    assert found.drivers == Counter(reasons.main_reason(f) for f in flagged)
    assert set(found.groups) == {f.group for f in findings if f.group}
    assert (
        f"Most anomalous: {', '.join(f.case_id for f in sorted(findings, key=lambda f: f.order_key)[:3])}."
        in captions(found)
    )
    assert found.line == f"all cases: {len(flagged)} of 120 cases flagged at 5 %"
    assert captions(found)[0].startswith("120 cases were judged (simulated), 2026-04-01 06:00:00 to 2026-04-01")


def test_an_empty_run_has_answers_too(tmp_path):
    scope = Scope(run=Run.create(tmp_path / "run", {"false_alarm_rate": 0.02}), folder=tmp_path)
    assert ask(scope, "overview").rate == 0.02
    assert "no judged cases" in captions(ask(scope, "overview"))[0]
    assert "no judged cases" in captions(ask(scope, "guarantees"))[0]
    assert ask(scope, "timeline").points == ()
    assert ask(scope, "compare_with_labels").labels is None
    assert ask(scope, "list_models").models == ()
    assert ask(scope, "find_cases").line == "all cases: 0 of 0 cases"
    with pytest.raises(UnknownCaseError, match="no case is called x"):
        ask(scope, "open_case", case_id="x")


def test_a_count_states_its_filter(asked, findings):
    where = {"verdict": "anomalous", "missing": "video", "since": "06:10", "until": "2026-04-02"}
    expected = sum(
        f.verdict == "anomalous"
        and "video" in reasons.missing(f)
        and f.time is not None
        and f"{f.time:%H:%M}" >= "06:10"
        for f in findings
    )
    found = ask(asked, "count_cases", **where)
    assert found.total == expected
    assert found.line == f"flagged at 5 %, between 06:10 and 2026-04-02, without video: {expected} of 120 cases"
    assert found.filter == "flagged cases without video from 06:10 until 2026-04-02"


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ({}, "all cases"),
        ({"verdict": "normal"}, "judged normal at 5 %"),
        ({"verdict": "no verdict"}, "without a verdict at 5 %"),
        ({"group": "coin tray", "since": "06:00"}, "from 06:00, group coin tray"),
        ({"until": "07:00"}, "until 07:00"),
        ({"driver": "contradiction"}, "largest share contradiction"),
        ({"unusual": "image"}, "image unusual by itself at 5 %"),
        ({"channel": "motor_current"}, "channel motor_current named as unusual"),
        ({"contradictory": False}, "without a contradiction at 5 %"),
        ({"contradictory": True}, "with a contradiction at 5 %"),
    ],
)
def test_no_filter_is_dropped_from_the_line(asked, where, line):
    found = ask(asked, "count_cases", **where)
    assert found.line == f"{line}: {found.total} of 120 cases"
    assert all(str(value) in found.filter or value in (True, False, "normal", "no verdict") for value in where.values())


def test_counts_by_a_property(asked, findings):
    flagged = [f for f in findings if f.verdict == "anomalous"]
    found = ask(asked, "count_cases", verdict="anomalous", by="group")
    counts = Counter(f.group for f in flagged if f.group)
    assert found.counts == counts
    assert set(found.most) == {k for k, n in counts.items() if n == max(counts.values())}
    assert found.total == len(flagged)
    for key, n in counts.items():
        assert f"{key}: {n}." in captions(found)


def test_pages_are_in_the_one_order(asked, findings):
    ranked = [f.case_id for f in sorted(findings, key=lambda f: f.order_key)]
    assert ask(asked, "find_cases", limit=7, offset=3).cases == tuple(ranked[3:10])
    assert ask(asked, "find_cases", order="-rank", limit=2).cases == tuple(ranked[:-3:-1])
    timed = [f.case_id for f in findings if f.time]
    first = ask(asked, "find_cases", order="time", limit=100)
    assert first.cases == tuple(timed[:100])
    assert first.total == len(timed) < len(findings)
    assert [one.case for one in first.evidence[1:]] == timed[:100]


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("find_cases", {"limit": 1000}, "limit=1000 was given.*100"),
        ("find_cases", {"since": "yesterday"}, "HH:MM"),
        ("count_cases", {"since": "25:00"}, "HH:MM"),
        ("count_cases", {"driver": "smell"}, "contradiction"),
        ("count_cases", {"missing": "smell"}, "smell"),
        ("count_cases", {"by": "colour"}, "by='colour'"),
        ("count_cases", {"group": "coin trays"}, "there are .*coin tray"),
        ("count_cases", {"channel": "oil"}, "there are .*motor_current"),
        ("count_cases", {"verdicts": "normal"}, "verdicts='normal' was given"),
        ("open_case", {}, "case_id"),
    ],
)
def test_wrong_questions_say_what_is_allowed(asked, name, given, said):
    with pytest.raises(MmdmadError, match=said):
        ask(asked, name, **given)


@pytest.mark.parametrize("spelling", ["case-000007", "CASE-000007", "case 7", "7", "case_000007", "no 7", "#7"])
def test_cases_are_found_by_other_spellings(asked, spelling):
    assert ask(asked, "open_case", case_id=spelling).judged.case_id == "case-000007"


@pytest.mark.parametrize("spelling", ["case-000999", "train 7", "zzz", "", "7" * 30])
def test_unknown_cases_are_said_to_be_unknown(asked, spelling):
    with pytest.raises(UnknownCaseError, match="no case is called"):
        ask(asked, "open_case", case_id=spelling)


def test_near_and_ambiguous_ids_are_named(tmp_path, asked):
    with pytest.raises(UnknownCaseError) as error:
        ask(asked, "open_case", case_id="case-00011x")
    assert any(near.startswith("case-00011") for near in error.value.nearest)
    run = synthetic_run(tmp_path / "run", 1)
    from mmdmad.store import db, rows

    one = run.finding("case-000000")
    with db.connect(run.path / "cases.sqlite").begin() as connection:
        rows.put(connection, [rows.Judged(one.model_copy(update={"case_id": i})) for i in ("lot-5", "LOT_5", "bag-5")])
    scope = Scope(run=run, folder=tmp_path)
    with pytest.raises(UnknownCaseError, match="several") as error:
        ask(scope, "open_case", case_id="lot 5")
    assert set(error.value.nearest) == {"lot-5", "LOT_5"}
    assert ask(scope, "open_case", case_id="bag 5").judged.case_id == "bag-5"


def test_a_case_is_told_with_all_its_evidence(asked, findings):
    for finding in findings[:20]:
        found = ask(asked, "open_case", case_id=finding.case_id)
        assert [one.evidence for one in found.evidence if one.evidence.id.startswith("E")] == list(finding.evidence)
        assert {one.case for one in found.evidence} == {finding.case_id}
        assert found.judged == finding.model_copy(update={"evidence": ()})
        line = captions(found)[0]
        assert line.startswith(f"{finding.case_id}: {finding.verdict}, p-value ")
        assert ("largest share" in line) == (finding.verdict == "anomalous")
        if finding.verdict == "anomalous":
            assert f"largest share {reasons.main_reason(finding)}" in line


def test_refused_parts_of_a_case_are_told(tmp_path, findings):
    from mmdmad.ask.case import about

    broken = findings[0].model_copy(update={"refused": ("image: the file is truncated",)})
    assert "Not used: image: the file is truncated." in captions(about(broken))


def test_a_case_beside_normal_ones_tells_neighbours_first(asked, findings):
    finding = next(f for f in findings if reasons.channels(f))
    kinds = [e.kind for e in ask(asked, "compare_with_normals", case_id=finding.case_id).of_kind()]
    assert kinds == ["verdict", "neighbour", "channel", "channel"]


def test_a_note_cites_what_it_rests_on(asked, findings):
    finding = next(f for f in findings if f.verdict == "anomalous")
    found = ask(asked, "explain_case", case_id=finding.case_id)
    cited = {c for s in found.sentences for c in s.cites}
    assert {e.id for e in found.of_kind()} == cited
    assert found.faithfulness == 1.0
    assert [s.text for s in found.sentences] == captions(found)[1 : 1 + len(found.sentences)]


def test_refusals_are_counted_in_all_and_listed_to_the_limit(tmp_path):
    from mmdmad.cases import Cases, Refusal

    run = synthetic_run(tmp_path / "run", 1)
    run.score(Cases((), tuple(Refusal(f"bad-{i}", "image", "the file is truncated", i) for i in range(5))))
    found = ask(Scope(run=run, folder=tmp_path), "list_refusals", limit=2)
    assert found.total == 5
    assert [(r.case_id, r.part, r.reason, r.row) for r in found.refused] == [
        (f"bad-{i}", "image", "the file is truncated", i) for i in range(2)
    ]
    assert captions(found)[0] == "5 parts or cases were refused:"


def test_a_recorder_that_gave_nothing_is_found_without_a_rank(tmp_path):
    from mmdmad.cases import NO_DATA, Cases, Refusal
    from mmdmad.report.model import build

    run = synthetic_run(tmp_path / "run", 1)
    assert "gave no data" not in " ".join(captions(ask(Scope(run=run, folder=tmp_path), "overview")))
    reason = f"{NO_DATA} in 60 rows: every reading is missing"
    dead = [Refusal(f"dead-{i}", part, reason, i) for i in range(4) for part in ("case", "sensor")]
    run.score(Cases((), (*dead, Refusal("torn", "image", "the file is truncated", 9))))
    found = ask(Scope(run=run, folder=tmp_path), "overview")
    assert found.empty == ("dead-0", "dead-1", "dead-2", "dead-3")
    assert any("4 cases gave no data" in c and "(dead-0, dead-1, dead-2 and 1 more)" in c for c in captions(found))
    opening = build(run).opening
    assert "4 cases gave no data" in opening.found
    assert any(step.startswith("Look at what records dead-0") for step in opening.steps)


def test_guarantees_labels_models_and_the_line_of_time(asked, findings):
    found = ask(asked, "guarantees")
    assert sum(b.judged for b in found.bases) == len(findings)
    assert sum(b.flagged for b in found.bases) == sum(f.verdict == "anomalous" for f in findings)
    assert any("No guarantee" in c for c in captions(found)) == any(not f.guarantee.valid for f in findings)
    labels = ask(asked, "compare_with_labels").labels
    assert labels.anomalous_flagged == sum(f.label == 1 and f.verdict == "anomalous" for f in findings)
    assert labels.normal == sum(f.label == 0 for f in findings)
    assert [m.modality for m in ask(asked, "list_models").models] == ["image", "text", "sensor", "video"]
    along = ask(asked, "timeline", most=5)
    assert along.sampled
    flagged = [p for p in along.points if p.verdict == "anomalous"]
    assert 0 < len(flagged) <= 5


def test_one_rule_for_what_drives_a_finding(findings):
    """Shares add up to the joint score; what carries most of it is the reason, all contradictions together one."""
    seen = set()
    for f in findings:
        shares = {p.modality: p.share for p in f.parts} | {"contradiction": sum(c.share for c in f.contradictions)}
        assert shares[reasons.main_reason(f)] == max(shares.values())
        seen.add(reasons.main_reason(f))
    assert {"contradiction", "image"} <= seen
    tied = findings[0].model_copy(update={"parts": findings[0].parts[:1], "contradictions": ()})
    part = tied.parts[0]
    odd = findings[0].contradictions[0].model_copy(update={"share": part.share})
    assert reasons.main_reason(tied.model_copy(update={"contradictions": (odd,)})) == part.modality
    assert reasons.main_reason(tied.model_copy(update={"parts": ()})) is None


def test_the_rate_has_one_owner(tmp_path):
    run = Run.create(tmp_path / "run", {"false_alarm_rate": 0.02})
    assert run.rate == 0.02
    assert Run.create(tmp_path / "usual", {}).rate == 0.01
    assert synthetic_run(tmp_path / "scored", 1).rate == RATE


class Judge:
    """A model that says which files it was given."""

    def __init__(self, finding: Finding):
        self.finding_, self.seen = finding, None

    def finding(self, case, rate, artifacts):
        self.seen = (case, rate, artifacts)
        return self.finding_.model_copy(update={"case_id": case.id})


def test_new_files_are_judged_and_never_stored(tmp_path, findings):
    run = synthetic_run(tmp_path / "run", 1)
    run._model = judge = Judge(findings[3])
    (tmp_path / "a.png").write_bytes(b"x")
    found = ask(Scope(run=run, folder=tmp_path), "score_files", files={"image": "a.png"})
    case, rate, artifacts = judge.seen
    assert (case.id, rate, artifacts) == ("new", RATE, None)
    assert case.parts["image"].path == (tmp_path / "a.png").resolve()
    assert found.judged.case_id == "new"
    assert found.of_kind("verdict")
    assert run.count() == 1


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no file was given"),
        ({"image": "../../etc/passwd"}, "leads out.*only files below"),
        ({"image": "/etc/hostname.png"}, "leads out"),
        ({"image": "x.png"}, "there is no file"),
        ({"text": ".env.txt"}, "hidden"),
        ({"text": ".git/notes.txt"}, "hidden"),
        ({"image": "secret.key"}, "allowed endings are .*png"),
        ({"image": "sub"}, "is no image|is no picture"),
        ({"smell": "a.png"}, "smell"),
    ],
)
def test_other_files_are_not_read(asked, tmp_path, files, said):
    (tmp_path / "sub").mkdir()
    for name in ("secret.key", ".env.txt"):
        (tmp_path / name).write_text("password")
    with pytest.raises(MmdmadError, match=said):
        ask(asked, "score_files", files=files)


def test_links_out_of_the_folder_are_not_followed(asked, tmp_path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "a.png"
    outside.write_bytes(b"x")
    (tmp_path / "link.png").symlink_to(outside)
    with pytest.raises(MmdmadError, match="leads out"):
        ask(asked, "score_files", files={"image": "link.png"})


def test_files_of_a_run_are_not_read(tmp_path, findings):
    run = synthetic_run(tmp_path / "run", 1)
    run._model = Judge(findings[0])
    for folder in (run.path, run.path / "artifacts"):
        folder.mkdir(exist_ok=True)
        (folder / "notes.txt").write_text("kept inside")
        with pytest.raises(MmdmadError, match="belongs to a run folder"):
            ask(Scope(run=run, folder=folder), "score_files", files={"text": "notes.txt"})
    with pytest.raises(MmdmadError, match="belongs to a run folder"):
        ask(Scope(run=run, folder=tmp_path), "score_files", files={"text": "run/notes.txt"})
    assert run._model.seen is None


def test_no_answer_loads_all_findings(asked, monkeypatch):
    """What is read of the wide table is what stands on the page."""
    read = Counter()
    real = Finding.model_validate_json

    def counting(text, **more):
        read["findings"] += 1
        return real(text, **more)

    monkeypatch.setattr(Finding, "model_validate_json", counting)
    for name, given, most in (
        ("overview", {}, 3), ("count_cases", {"verdict": "anomalous", "by": "channel"}, 0),
        ("find_cases", {"limit": 4}, 4), ("guarantees", {}, 11), ("timeline", {}, 0), ("compare_with_labels", {}, 0),
        ("list_models", {}, 0), ("list_refusals", {}, 0), ("open_case", {"case_id": "case 7"}, 1),
    ):  # fmt: skip
        read.clear()
        ask(asked, name, **given)
        assert read["findings"] <= most, name


def test_sentences_count_as_the_english_do(asked):
    said = " ".join(c for name in ("overview", "find_cases") for c in captions(ask(asked, name)))
    assert not re.search(r"\b1 cases\b", said)
    with pytest.raises(ConfigError):
        ask(asked, "overview", limit=3)
