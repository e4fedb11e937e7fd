"""Filters, orders, counts and names over a few findings whose every answer can be read off them."""

import dataclasses
from datetime import UTC, datetime, time, timedelta, timezone

import pytest
from sqlalchemy.orm import Session

from mmdmad.errors import RunError
from mmdmad.store import db, rows, tally
from mmdmad.store.query import Filters
from mmdmad.store.run import Run
from mmdmad.store.tally import NEAR, Point, _moment

UTC_MINUS = timezone(timedelta(hours=-3))


@pytest.fixture
def run(tmp_path):
    made = Run.create(tmp_path / "run", {"false_alarm_rate": 0.1})
    yield made
    made.close()


def put(run, *findings):
    with run._engine.begin() as connection:
        rows.put(connection, [rows.Judged(f) for f in findings])


def ids(run, **how):
    return [f.case_id for f in run.findings(**how)]


def test_ties_of_every_order_are_broken_by_id(run, made):
    day = "2026-04-01T06:00:00+00:00"
    put(
        run, made.finding("c", 0.5, 2.0, time=day), made.finding("a", 0.5, 2.0, time=day), made.finding("b", 0.5, 3.0),
        made.finding("d", 0.2, 1.0, time="2026-04-01T05:00:00+00:00"), made.finding("e", 0.01, 0.5),
        made.finding("f", 0.01, 0.5, verdict="no verdict"),
    )  # fmt: skip
    assert ids(run, order="id") == list("abcdef")
    assert ids(run, order="-id") == list("fedcba")
    assert ids(run, order="p_value") == ["e", "f", "d", "b", "a", "c"]
    assert ids(run, order="-p_value") == ["a", "c", "b", "d", "e", "f"]
    assert ids(run, order="score") == ["e", "f", "d", "a", "c", "b"]
    assert ids(run, order="-score") == ["b", "a", "c", "d", "e", "f"]
    assert ids(run, order="time") == ["d", "a", "c", "b", "e", "f"]
    assert ids(run, order="-time") == ["a", "c", "d", "b", "e", "f"]
    ranked = [f.case_id for f in sorted(run.findings(order="id"), key=lambda f: f.order_key)]
    assert ids(run) == ids(run, order="rank") == ranked
    assert ids(run, order="-rank") == ranked[::-1]
    assert ranked[0] == "e"
    assert ids(run, order="id", limit=2) == ["a", "b"]
    assert ids(run, order="id", limit=0) == []
    assert ids(run, order="id", offset=4) == ["e", "f"]
    with pytest.raises(RunError, match=r"order='ID' was given; allowed are rank, -rank, p_value, -p_value, score"):
        run.findings(order="ID")


def test_borders_of_times(run, made):
    put(
        run, made.finding("a", time="2026-04-01T06:00:00+00:00"), made.finding("b", time="2026-04-01T06:00:00.000001"),
        made.finding("c", time=datetime(2026, 4, 1, 6, tzinfo=UTC_MINUS)), made.finding("d"),
        made.finding("e", time="2026-04-02T05:59:59.999999+00:00"),
    )  # fmt: skip
    six = datetime(2026, 4, 1, 6, tzinfo=UTC)
    assert ids(run, since=six, order="id") == ["a", "b", "c", "e"]
    assert ids(run, since=six + timedelta(microseconds=1), order="id") == ["b", "c", "e"]
    assert ids(run, until=six) == []
    assert ids(run, until=six + timedelta(microseconds=1)) == ["a"]
    assert ids(run, from_clock=time(6), order="id") == ["a", "b", "c"]  # the case's own clock
    assert ids(run, from_clock=time(6, 0, 0, 1), order="id") == ["b"]
    assert ids(run, to_clock=time(6), order="id") == ["e"]
    assert ids(run, to_clock=time(6, 0, 0, 1), order="id") == ["a", "c", "e"]
    assert ids(run, timed=True, order="id") == ["a", "b", "c", "e"]
    assert ids(run, timed=False) == ["d"]
    assert run.count() == 5
    assert run.count(timed=False) == 1


def test_each_filter_by_itself_and_together(run, made):
    both = (made.part("image", 0.1, 5.0), made.part("text", 0.1001))
    put(
        run, made.finding("a", 0.05, parts=both, group="A"), made.finding("b", 0.6, parts=both[1:], group="A"),
        made.finding("c", 0.6, parts=both, group="B", contradictions=(made.contradiction("image", 0.1, 9.0),)),
        made.finding("d", 0.6, contradictions=(made.contradiction("text", 0.11, 0.2),)),
    )  # fmt: skip
    assert ids(run, verdict="anomalous") == ["a"]
    assert ids(run, verdict="normal", order="id") == ["b", "c", "d"]
    assert ids(run, group="A", order="id") == ["a", "b"]
    assert ids(run, part="image", order="id") == ["a", "c"]
    assert ids(run, part="text") == []
    assert ids(run, missing="image", order="id") == ["b", "d"]
    assert ids(run, missing="text") == []
    assert ids(run, driver="image") == ["a"]
    assert ids(run, driver="contradiction") == ["c"]
    assert ids(run, driver="text", order="id") == ["b", "d"]
    assert ids(run, contradictory=True) == ["c"]
    assert ids(run, contradictory=False, order="id") == ["a", "b", "d"]
    assert ids(run, group="A", missing="image") == ["b"]
    assert ids(run, group="A", contradictory=True) == []
    assert run.groups() == ["A", "B"]
    for name in ("part", "missing"):
        with pytest.raises(RunError, match=rf"{name}='smell' was given; allowed are image, text, sensor, video"):
            Filters(**{name: "smell"})
    with pytest.raises(RunError, match=r"driver='smell' was given; allowed are .*, contradiction$"):
        Filters(driver="smell")
    with pytest.raises(RunError, match="verdict='odd' was given; allowed are anomalous, normal, no verdict"):
        Filters(verdict="odd")
    switches = {"either": False, "alone": False}
    assert {name: value for name, value in dataclasses.asdict(Filters()).items() if value is not None} == switches
    with pytest.raises(dataclasses.FrozenInstanceError):
        Filters().verdict = "normal"


def test_channels_are_those_of_evidence_of_their_own_case(run, made):
    x, y, z = ("channel", "x"), ("channel", "y"), ("channel", "z")
    put(
        run, made.finding("a", evidence=(made.evidence(1, "channel"), made.evidence(2, "context", x))),
        made.finding("b", evidence=(made.evidence(1, "context", x), made.evidence(2, "span", y, ("place", "x")))),
        made.finding("c", evidence=(made.evidence(1, "channel", y), made.evidence(2, "channel", y, z))),
        made.finding("d", evidence=(made.evidence(1, "region", x), made.evidence(2, "channel"))),
    )  # fmt: skip
    assert ids(run, channel="x") == []
    assert ids(run, channel="y", order="id") == ["b", "c"]
    assert ids(run, channel="z") == ["c"]
    assert run.tally.by("channel") == {"y": 2, "z": 1}
    assert run.tally.channels() == ["x", "y", "z"]
    assert run.tally.by("kind") == {"channel": 3, "context": 2, "region": 1, "span": 1}


def learn(run, words):
    with Session(run._engine) as session, session.begin():
        session.merge(db.MetaRow(key=tally.LEARNED, value=words))


def test_parts_that_cases_lack_are_counted_of_those_that_were_learned(run, made):
    put(
        run, made.finding("a", 0.05), made.finding("b"),
        made.finding("c", parts=(made.part("text"), made.part("image"))),
    )  # fmt: skip
    assert run.tally.learned() == ("image", "text", "sensor", "video")
    assert run.tally.by("missing") == {"sensor": 3, "video": 3, "image": 2}
    learn(run, "text image sensor")
    assert run.tally.learned() == ["text", "image", "sensor"]
    assert run.tally.by("missing") == {"sensor": 3, "image": 2}
    assert run.tally.by("missing", verdict="normal") == {"sensor": 2, "image": 1}
    assert run.tally.by("missing", group="none") == {}
    assert run.tally.by("verdict") == {"normal": 2, "anomalous": 1}
    assert run.tally.by("driver") == {"text": 3}
    assert run.tally.by("group") == {}


def test_hours_and_days_and_ties_by_name(run, made):
    put(
        run, made.finding("a", time="2026-04-01T06:59:59.999999"), made.finding("b", time="2026-04-01T06:00:00"),
        made.finding("c", time="2026-03-31T23:00:00-05:00"), made.finding("d"),
        made.finding("e", time="2026-04-02T00:00:00"),
    )  # fmt: skip
    assert list(run.tally.by("hour").items()) == [
        ("2026-04-01 06:00", 2), ("2026-03-31 23:00", 1), ("2026-04-02 00:00", 1),
    ]  # fmt: skip
    assert list(run.tally.by("day").items()) == [("2026-04-01", 2), ("2026-03-31", 1), ("2026-04-02", 1)]
    assert run.tally.span() == ("2026-03-31 23:00:00", "2026-04-02 00:00:00")
    with pytest.raises(RunError, match=r"by='minute' was given; allowed are verdict, group, driver, channel, kind"):
        run.tally.by("minute")


def test_an_empty_run(run):
    found = run.tally
    assert (found.count(), found.span(), found.sizes(), found.simulated()) == (0, None, None, False)
    assert (found.patterns(), found.labels(), found.models(), found.channels()) == ([], {}, [], [])
    assert found.points(5) == ([], False)
    assert (found.refused(), found.by("missing"), found.by("verdict")) == (0, {}, {})
    assert (found.spelt("a"), found.numbered(3), found.near("a")) == ([], [], [])


def test_what_verdicts_rest_on(run, made):
    both = (made.part("image"), made.part("text"))
    put(
        run, made.finding("a", 0.05, size=40), made.finding("b", size=20, label=0), made.finding("c", size=99, label=1),
        made.finding("d", 0.01, 3.0, size=40, label=1, parts=both), made.finding("e", 0.01, 5.0, parts=both, label=1),
        made.finding("f", 0.9, parts=both, size=40, simulated=True), made.finding("g", parts=(made.part("image"),)),
    )  # fmt: skip
    found = run.tally
    assert found.sizes() == (20, 99)
    # of equally many the pattern of more parts; the worst case of each
    worst = {p: min((f for f in run.findings() if f.pattern == p), key=lambda f: f.order_key).case_id
             for p in (("image", "text"), ("text",), ("image",))}  # fmt: skip
    assert found.patterns() == [
        (worst["image", "text"], 3, 2), (worst["text",], 3, 1), (worst["image",], 1, 0),
    ]  # fmt: skip
    assert found.labels() == {(0, False): 1, (1, False): 1, (1, True): 2}
    assert found.simulated()
    assert sorted(found.models()) == [("image", "image-e", "image-d"), ("text", "text-e", "text-d")]
    assert found.count(verdict="anomalous") == 3


def test_points_are_thinned_out_by_kind(run, made):
    times = [f"2026-04-01T06:{i:02d}:00+00:00" for i in range(10)]
    put(run, *(made.finding(f"n{i}", 0.5, time=times[i]) for i in range(7)))
    put(run, *(made.finding(f"x{i}", 0.01, time=times[7 + i]) for i in range(3)), made.finding("late", 0.4))
    for most, kept, sampled in (
        (8, ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "x0", "x1", "x2", "late"], False),
        (7, ["n0", "n2", "n4", "n6", "x0", "x1", "x2"], True),
        (3, ["n0", "n3", "n6", "x0", "x1", "x2"], True),
        (2, ["n0", "n4", "x0", "x2"], True),
        (1, ["n0", "x0"], True),
    ):
        points, thinned = run.tally.points(most)
        assert [p.case_id for p in points] == kept
        assert thinned is sampled
    points, _ = run.tally.points(8)
    assert [p.place for p in points] == list(range(11))
    assert points[0] == Point("n0", datetime(2026, 4, 1, 6), 0.5, "normal", 0)
    assert points[-1] == Point("late", None, 0.4, "normal", 10)
    assert points[8].verdict == "anomalous"
    with pytest.raises(dataclasses.FrozenInstanceError):
        points[0].place = 3


def test_a_moment_has_the_zone_that_its_seconds_tell():
    noon = datetime(2026, 4, 1, 12, tzinfo=UTC).timestamp()
    clock = "2026-04-01 12:00:00.000000"
    assert _moment(None, clock) is None
    assert _moment(noon, None) is None
    assert _moment(None, None) is None
    assert _moment(noon, clock) == datetime(2026, 4, 1, 12)
    assert _moment(noon - 7200, clock) == datetime(2026, 4, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert _moment(noon + 1, clock) == datetime(2026, 4, 1, 12, tzinfo=timezone(timedelta(seconds=-1)))
    assert _moment(noon + 0.4, clock) == datetime(2026, 4, 1, 12)
    assert _moment(noon - 86_399, clock).utcoffset() == timedelta(seconds=86_399)
    assert _moment(noon - 86_400, clock) == datetime(2026, 4, 1, 12)  # no zone is a day away


def test_ids_are_found_by_number_spelling_and_neighbours(run, made):
    put(run, *(made.finding(f"c-{i:03d}") for i in range(120)), made.finding("C 007"), made.finding("other 7"))
    assert NEAR == 50
    assert run.tally.numbered(7) == ["C 007", "c-007", "other 7"]
    assert run.tally.numbered(rows.LARGEST) == []
    assert run.tally.numbered(rows.LARGEST + 1) == []
    assert run.tally.spelt("c007") == ["C 007", "c-007"]
    near = run.tally.near("c060")
    assert near == [f"c-{i:03d}" for i in range(10, 110)]
    assert run.tally.near("c000")[:2] == ["c-000", "c-001"]
    assert len(run.tally.near("c000")) == 50
    assert run.tally.near("zzz")[-1] == "other 7"
    assert len(run.tally.near("zzz")) == 50
    put(run, *(made.finding(f"d{'-' * i}5") for i in range(60)))
    assert len(run.tally.spelt("d5")) == 50
    assert len(run.tally.numbered(5)) == 50
