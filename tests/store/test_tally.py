"""What SQL counts, filters and orders is what the rules in Python say, on random findings; no finding is loaded."""

import json
import sqlite3
from collections import Counter
from datetime import UTC, datetime, time, timedelta, timezone

import pytest

from mmdmad import reasons
from mmdmad.bench.synthetic_run import PARTS, RATE, synthetic_findings, synthetic_run
from mmdmad.errors import RunError
from mmdmad.findings import Evidence, Fact, Finding
from mmdmad.store import db, rows
from mmdmad.store.run import Run

COUNT = 300


@pytest.fixture(scope="module")
def findings():
    return list(synthetic_findings(COUNT, seed=3))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = synthetic_run(tmp_path_factory.mktemp("tally") / "run", COUNT, seed=3)
    yield made
    made.close()


def of_day(f: Finding) -> time | None:
    return f.time and f.time.time()


FILTERS = [
    ({"verdict": "anomalous"}, lambda f: f.verdict == "anomalous"),
    ({"driver": "video"}, lambda f: reasons.main_reason(f) == "video"),
    ({"driver": "contradiction"}, lambda f: reasons.main_reason(f) == "contradiction"),
    ({"missing": "video"}, lambda f: "video" in reasons.missing(f)),
    ({"part": "sensor"}, lambda f: "sensor" in reasons.unusual(f)),
    ({"channel": "motor_current"}, lambda f: "motor_current" in reasons.channels(f)),
    ({"contradictory": True}, lambda f: bool(reasons.contradicted(f))),
    ({"contradictory": False}, lambda f: not reasons.contradicted(f)),
    ({"group": "coin tray"}, lambda f: f.group == "coin tray"),
    ({"since": datetime(2026, 4, 1, 7)}, lambda f: f.time and f.time >= datetime(2026, 4, 1, 7, tzinfo=UTC)),
    ({"until": datetime(2026, 4, 1, 7)}, lambda f: f.time and f.time < datetime(2026, 4, 1, 7, tzinfo=UTC)),
    ({"from_clock": time(6, 30), "to_clock": time(7)}, lambda f: f.time and time(6, 30) <= of_day(f) < time(7)),
    ({"verdict": "normal", "missing": "image", "to_clock": time(7)},
     lambda f: f.verdict == "normal" and "image" in reasons.missing(f) and f.time and of_day(f) < time(7)),
]  # fmt: skip


@pytest.mark.parametrize(("filters", "holds"), FILTERS)
def test_filters_in_sql_are_those_of_the_rules(run, findings, filters, holds):
    expected = {f.case_id for f in findings if holds(f)}
    assert 0 < len(expected) < COUNT
    assert {f.case_id for f in run.findings(**filters)} == expected
    assert run.count(**filters) == len(expected)


def test_order_in_sql_is_the_order_of_the_rule(run, findings):
    ranked = [f.case_id for f in sorted(findings, key=lambda f: f.order_key)]
    assert len({f.p_value for f in findings[:100]}) < 100  # ties, or nothing is tested
    assert [f.case_id for f in run.findings()] == ranked
    assert [f.case_id for f in run.findings(order="-rank")] == ranked[::-1]
    assert [f.case_id for f in run.findings(verdict="anomalous", limit=5, offset=2)] == ranked[2:7]


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("verdict", lambda f: [f.verdict]),
        ("group", lambda f: [f.group]),
        ("driver", lambda f: [reasons.main_reason(f)]),
        ("channel", reasons.channels),
        ("kind", lambda f: {e.kind for e in f.evidence}),
        ("hour", lambda f: [f.time and f.time.strftime("%Y-%m-%d %H:00")]),
        ("day", lambda f: [f.time and f.time.strftime("%Y-%m-%d")]),
        ("missing", reasons.missing),
    ],
)
@pytest.mark.parametrize("filters", [{}, {"verdict": "anomalous"}])
def test_counts_in_sql_are_those_of_the_rules(run, findings, by, keys, filters):
    kept = [f for f in findings if not filters or f.verdict == "anomalous"]
    expected = Counter(key for f in kept for key in keys(f) if key is not None)
    counted = run.tally.by(by, **filters)
    assert counted == dict(expected)
    assert list(counted.values()) == sorted(counted.values(), reverse=True)


def test_what_the_report_asks(run, findings):
    patterns = Counter(f.guarantee.pattern for f in findings)
    bad = Counter(f.guarantee.pattern for f in findings if f.verdict == "anomalous")
    told = run.tally.patterns()
    assert [n for _, n, _ in told] == sorted(patterns.values(), reverse=True)
    for case, judged, flagged in told:
        pattern = run.finding(case).guarantee.pattern
        worst = min((f for f in findings if f.guarantee.pattern == pattern), key=lambda f: f.order_key)
        assert (case, judged, flagged) == (worst.case_id, patterns[pattern], bad[pattern])
    labelled = Counter((f.label, f.verdict == "anomalous") for f in findings if f.label is not None)
    assert run.tally.labels() == labelled
    assert run.tally.sizes() == (15, 240)
    assert run.tally.span() == ("2026-04-01 06:00:00", max(f.time for f in findings if f.time).isoformat(" ")[:19])
    assert {m for m, _, _ in run.tally.models()} == set(PARTS)
    assert run.tally.channels() == sorted({c for f in findings for c in reasons.channels(f)})
    assert run.tally.simulated()


def test_points_keep_few_flagged_cases_and_sample_the_rest_evenly(run, findings):
    every, sampled = run.tally.points(COUNT)
    assert not sampled
    timed = [p for p in every if p.time is not None]
    assert [p.time for p in timed] == sorted(p.time for p in timed)
    assert {p.case_id for p in every} == {f.case_id for f in findings}
    assert all(p.time is None for p in every[len(timed) :])
    assert [p.place for p in every] == list(range(COUNT))
    flagged = [f for f in findings if f.verdict == "anomalous"]
    some, sampled = run.tally.points(len(flagged))
    assert sampled
    assert {p.case_id for p in some if p.verdict == "anomalous"} == {f.case_id for f in flagged}
    quiet = [p.case_id for p in every if p.verdict != "anomalous"]
    step = -(-len(quiet) // len(flagged))
    assert [p.case_id for p in some if p.verdict != "anomalous"] == quiet[::step]
    assert {p.case_id: p.place for p in some}.items() <= {p.case_id: p.place for p in every}.items()


def test_counting_loads_no_finding(run, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a finding was loaded")

    monkeypatch.setattr(Finding, "model_validate_json", refuse)
    assert run.count(channel="motor_current", missing="video") >= 0
    assert sum(run.tally.by("verdict").values()) == COUNT
    with pytest.raises(AssertionError):
        run.findings(limit=1)


def test_a_case_judged_again_leaves_no_old_fact(tmp_path):
    first = next(synthetic_findings(1))
    run = synthetic_run(tmp_path / "run", 1)
    run.feedback(first.case_id, "confirmed")
    said = Evidence(id="E1", kind="channel", part="sensor", caption="x", facts=(
        Fact(name="channel", value="007"), Fact(name="mean", value=2**70, unit="A"), Fact(name="count", value=3),
    ))  # fmt: skip
    again = first.model_copy(update={"evidence": (said,), "parts": first.parts[:1], "verdict": "anomalous"})
    with db.connect(run.path / "cases.sqlite").begin() as connection:
        rows.put(connection, [rows.Judged(again)])
    assert run.tally.by("channel") == {"007": 1}
    assert run.tally.by("verdict") == {"anomalous": 1}
    assert run.finding(first.case_id) == again
    assert [f.label for f in run.feedbacks()] == ["confirmed"]
    with sqlite3.connect(run.path / "cases.sqlite") as store:
        facts = store.execute("SELECT case_id, evidence, name, value, unit FROM facts ORDER BY place").fetchall()
        assert store.execute("SELECT count(*) FROM parts").fetchone() == (1,)
    assert facts == [
        (first.case_id, "E1", "channel", "007", ""), (first.case_id, "E1", "mean", float(2**70), "A"),
        (first.case_id, "E1", "count", 3, ""),
    ]  # fmt: skip
    assert isinstance(facts[2][3], int)


def test_times_come_back_on_their_own_clock(tmp_path):
    zone = timezone(timedelta(hours=5, minutes=30))
    given = [datetime(2026, 4, 1, 6, 0, 0, 250000, tzinfo=zone), datetime(2026, 4, 1, 6), datetime(1650, 1, 1, 3), None]
    made = [f.model_copy(update={"time": t}) for f, t in zip(synthetic_findings(len(given)), given)]
    run = Run.create(tmp_path / "run", {"false_alarm_rate": RATE})
    with db.connect(run.path / "cases.sqlite").begin() as connection:
        rows.put(connection, [rows.Judged(f) for f in made])
    points = {p.case_id: p.time for p in run.tally.points(9)[0]}
    assert [points[f.case_id] for f in made] == given
    assert run.tally.by("hour") == {"2026-04-01 06:00": 2, "1650-01-01 03:00": 1}


def test_ids_are_found_by_spelling_number_and_neighbourhood(run):
    assert run.tally.spelt(rows.spelling("CASE 000 012")) == ["case-000012"]
    assert run.tally.numbered(12) == ["case-000012"]
    assert run.tally.numbered(10**40) == []
    assert "case-000012" in run.tally.near("case00001")
    assert len(run.tally.near("case000150")) == 100


def test_unknown_filters_say_what_is_allowed(run):
    with pytest.raises(RunError, match="contradiction"):
        run.count(driver="smell")
    with pytest.raises(RunError, match="hour"):
        run.tally.by("minute")


def test_a_finding_that_cannot_be_read_is_named_when_a_run_is_brought_up_to_date(tmp_path):
    run = synthetic_run(tmp_path / "run", 2)
    run.close()
    with sqlite3.connect(run.path / "cases.sqlite") as store:
        store.execute("UPDATE documents SET finding = '{}' WHERE case_id = 'case-000001'")
        store.execute("PRAGMA user_version=2")
    settings = json.loads((run.path / "config.json").read_text())
    (run.path / "config.json").write_text(json.dumps({**settings, "format": 2}))
    with pytest.raises(RunError, match="case-000001"):
        Run.open(run.path)
