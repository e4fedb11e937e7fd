"""The stream of a run: who enters, in which order, once; when the guarantee lapses and what then changes."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mmdmad.calibration.conformal import case_uniform, conformal_p_value
from mmdmad.calibration.drift import SPEAKS
from mmdmad.calibration.stream import Stream
from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import ModelError, PartError, RunError
from mmdmad.parts import case_key
from mmdmad.pipeline.lengths import for_stretches, of_stretches
from mmdmad.pipeline.readings import Outside, for_missing, of_missing
from mmdmad.store import db, stream
from mmdmad.store.run import Run
from mmdmad.store.stream import Lapse, Watch

START = datetime(2026, 4, 1, 6, tzinfo=UTC)
CALIBRATION = np.random.default_rng(0).normal(size=150)


class Judge:
    """Judges a case by the number that is its text: the score, with its p-value among CALIBRATION."""

    parts_ = ("text",)

    def __init__(self, made) -> None:
        self.made = made

    def joint_scores(self):
        return {("text",): CALIBRATION, ("image",): np.empty(0)}

    def finding(self, case, rate, artifacts):
        if case.parts["text"].value == "broken":
            raise PartError("it is broken", part="text", case_id=case.id, row=None)
        score = float(case.parts["text"].value)
        p = conformal_p_value(score, CALIBRATION, case_uniform(case_key(case), "joint", 0))
        found = self.made.finding(case.id, p, score, rate=rate, size=len(CALIBRATION), time=case.time)
        said = self.made.evidence(1, "verdict", ("case", case.id), ("verdict", found.verdict), ("p-value", p))
        return found.model_copy(update={"evidence": (said,)})


@pytest.fixture
def judged(tmp_path, made):
    """Makes runs, each of its own name."""
    runs = []

    def make(name: str = "run") -> Run:
        run = Run.create(tmp_path / name, {"false_alarm_rate": 0.05})
        run._model = Judge(made)
        runs.append(run)
        return run

    yield make
    for run in runs:
        run.close()


def case(number: int, score: float | str, minute: float | None = None, id: str | None = None) -> Case:
    time = START + timedelta(minutes=number if minute is None else minute)
    return Case(id or f"c{number:04d}", {"text": Part("text", value=str(score))}, time=time)


def normals(count: int, seed: int = 1, first: int = 0, shift: float = 0.0) -> list[Case]:
    scores = np.random.default_rng(seed).normal(size=count) + shift
    return [case(first + i, score) for i, score in enumerate(scores)]


def table(run: Run) -> list[tuple]:
    with Session(run._engine) as session:
        query = select(db.StreamRow).order_by(db.StreamRow.place.nulls_last(), db.StreamRow.case_id)
        return [(r.place, r.case_id, r.score, r.fixed, r.online, r.level) for r in session.scalars(query)]


def kept(run: Run, key: str) -> str | None:
    return run._meta(key)


def test_cases_enter_in_the_order_of_time_whatever_the_manifest_says(judged):
    run, cases = judged(), normals(20)
    run.score(Cases(tuple(cases[i] for i in np.random.default_rng(3).permutation(20))))
    rows = table(run)
    assert [row[:2] for row in rows] == [(i, one.id) for i, one in enumerate(cases)]
    expected = Stream({"text": CALIBRATION})
    for (_, case_id, score, fixed, online, level), one in zip(rows, cases):
        heard = expected.enter("text", score, case_key(one), fixed)
        assert (online, level) == (heard.online, heard.levels[0])
        assert fixed == run.finding(case_id).p_value  # both p-values are kept
    assert run.watch == Watch(entered=20, left_out=0, timeless=0)


def test_two_calls_in_order_make_the_stream_of_one(judged):
    cases = normals(60) + normals(90, seed=2, first=60, shift=1.5)
    one, two = judged("one"), judged("two")
    one.score(Cases(tuple(cases)))
    for part in (cases[:33], cases[33:70], cases[70:]):
        two.score(Cases(tuple(part)))
    assert table(one) == table(two)
    assert kept(one, stream.STATE) == kept(two, stream.STATE)
    assert one.watch == two.watch
    assert one.watch.lapse is not None
    said = [[run.finding(c.id).model_dump() for c in cases] for run in (one, two)]
    assert said[0] == said[1]


def test_a_stopped_call_is_made_good_by_the_next(judged, monkeypatch):
    cases = normals(30)
    whole, stopped = judged("whole"), judged("stopped")
    whole.score(Cases(tuple(cases)))

    def stop(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(stream, "catch_up", stop)
        with pytest.raises(KeyboardInterrupt):
            stopped.score(Cases(tuple(cases)))
    assert stopped.watch.entered == 0
    done = stopped.score(Cases(tuple(cases)))
    assert done.done == 0
    assert table(stopped) == table(whole)


def test_late_cases_are_left_out_and_counted(judged):
    run = judged()
    run.score(Cases(tuple(normals(10, first=100))))
    run.score(Cases((case(1, 0.3), case(2, 0.1), case(200, 0.2))))
    rows = table(run)
    assert [row[1] for row in rows if row[0] is None] == ["c0001", "c0002"]
    assert [row[1] for row in rows if row[0] == 10] == ["c0200"]
    assert run.watch == Watch(entered=11, left_out=2, timeless=0)
    run.score(Cases((case(3, 0.3),)))  # and stay so
    assert run.watch.left_out == 3


def test_at_one_time_the_content_decides_not_the_name(judged):
    cases = [case(0, score, minute=5, id=name) for name, score in zip("abcd", (0.1, 0.2, 0.3, 0.4))]
    renamed = [replace(one, id="dcba"[i]) for i, one in enumerate(cases)]
    one, two = judged("one"), judged("two")
    one.score(Cases(tuple(cases)))
    two.score(Cases(tuple(reversed(renamed))))
    assert [row[2:] for row in table(one)] == [row[2:] for row in table(two)]


def test_a_case_enters_once_however_often_it_is_judged(judged):
    run = judged()
    run.score(Cases(tuple(normals(5))))
    before = table(run)
    other = case(2, 3.5)
    run.score(Cases((other,)), replace=True)
    assert run.finding("c0002").score == 3.5
    assert table(run) == before
    assert run.watch.entered == 5


def test_a_withdrawn_case_that_waits_does_not_enter(judged, monkeypatch):
    run = judged()
    with monkeypatch.context() as patched:
        patched.setattr(stream, "catch_up", lambda *given: None)
        run.score(Cases((case(1, 0.5), case(2, 0.6))))
        run.score(Cases((case(1, "broken"),)), replace=True)
    run.score(Cases((case(3, 0.7),)))
    assert [row[1] for row in table(run)] == ["c0002", "c0003"]


def test_copies_do_not_all_take_one_place(judged):
    run = judged()
    run.score(Cases(tuple(case(i, float(CALIBRATION[0])) for i in range(30))))
    online = np.array([row[4] for row in table(run)])
    ties = np.arange(30) + 2  # places among the calibration case and the copies before
    greater = np.sum(CALIBRATION > CALIBRATION[0])  # noqa: SIM300
    within = (online * (np.arange(30) + 151) - greater) / ties
    assert ((within >= 0) & (within < 1)).all()
    assert within.std() > 0.15


def test_when_normal_moves_the_guarantee_lapses_from_there_on(judged):
    run = judged()
    cases = [*normals(100), *normals(80, seed=4, first=100, shift=1.5)]
    run.score(Cases(tuple(cases)))
    lapse = run.watch.lapse
    at = next(i for i, row in enumerate(table(run)) if row[5] >= SPEAKS)
    assert 100 < at < 160
    assert lapse.since == (START + timedelta(minutes=at)).strftime("%Y-%m-%d %H:%M:%S")
    assert abs(datetime.fromisoformat(lapse.began + "+00:00") - START - timedelta(minutes=100)) < timedelta(minutes=15)
    assert lapse.rising
    words = f"the guarantee has lapsed since {lapse.since}: either normal has moved, or more than a tenth of the cases "
    words += "is odd"
    for i, one in enumerate(cases):
        found = run.finding(one.id)
        assert found.verdict == ("anomalous" if found.p_value <= 0.05 else "normal")
        if i < at:
            assert found.guarantee.valid
            continue
        assert not found.guarantee.valid
        assert stream.has_lapsed(found.guarantee)
        assert found.guarantee.note == words
        assert found.evidence[0].caption == f"said T{words[1:]}."
        facts = {fact.name: fact.value for fact in found.evidence[0].facts}
        assert facts == {
            "case": one.id,
            "p-value": found.p_value,
            "verdict": found.verdict,
            "lapsed since": lapse.since,
        }
    ranked = [f.order_key for f in run.findings()]
    assert ranked == sorted(ranked)  # ranking goes on
    assert run.watch.words.startswith(f"The guarantee has lapsed since {lapse.since}: either normal has moved, or more")


def test_what_is_judged_after_a_lapse_has_no_promise_at_once(judged, monkeypatch):
    run = judged()
    run.score(Cases((*normals(40), *normals(90, seed=4, first=40, shift=1.5))))
    lapse = run.watch.lapse
    monkeypatch.setattr(stream, "catch_up", lambda *given: None)
    run.score(Cases((case(500, 0.1), case(1, 0.2, id="before"))))
    assert not run.finding("c0500").guarantee.valid
    assert run.finding("c0500").guarantee.note == lapse.words
    assert run.finding("before").guarantee.valid  # judged late, but of a time when it held


def test_a_lapse_does_not_go_away_and_says_more_when_more_is_known(judged):
    run = judged()
    run.score(Cases(tuple(normals(60))))
    heard = []
    for first in range(60, 260, 10):
        run.score(Cases(tuple(normals(10, seed=first, first=first, shift=1.2))))
        heard.append(run.watch.lapse)
    first, later = next(filter(None, heard)), heard[-1]
    assert (first.tolerance, later.tolerance) == (0.1, 0.2)
    assert later == first.model_copy(update={"tolerance": 0.2})
    assert later.words.endswith("more than a fifth of the cases is odd")
    run.score(Cases(tuple(normals(200, seed=6, first=300))))
    assert run.watch.lapse == later


def test_a_fall_is_told_as_a_fall(judged):
    run = judged()
    run.score(Cases(tuple(normals(300, shift=-1.5))))
    lapse = run.watch.lapse
    assert not lapse.rising
    assert (
        lapse.words == f"the guarantee has lapsed since {lapse.since}: normal has moved, scores are lower than those "
        "of the calibration, and faults may be missed"
    )


def test_without_times_nothing_is_watched_and_that_is_said(judged):
    run = judged()
    assert run.watch.words == ""
    run.score(Cases(tuple(replace(one, time=None) for one in normals(60, shift=3.0))))
    assert table(run) == []
    assert run.watch == Watch(entered=0, left_out=0, timeless=60)
    assert run.watch.words == "Not watched for drift: no case has a time, so nothing says whether normal has moved"
    run.score(Cases(tuple(normals(3, first=900))))
    assert run.watch.words == (
        "Watched for drift: 3 cases in the order of time, no sign that normal has moved (60 have no time)"
    )


def test_a_p_value_that_counts_several_stretches_is_no_rank(judged, made):
    plain = made.finding("a", 0.2, time="2026-04-01T06:00:00")
    assert not of_stretches(plain.guarantee)
    several = plain.model_copy(update={"guarantee": for_stretches(plain.guarantee, 3, "60 s")})
    assert of_stretches(several.guarantee)
    run = judged()
    run._model.finding = lambda *given: several
    run.score(Cases((case(0, 1.0, id="a"),)))
    assert table(run) == []
    assert run.watch.words == (
        "Not watched for drift: none of the 1 cases with a time has a rank of its own, so nothing says whether normal "
        "has moved"
    )


@pytest.mark.parametrize(
    "outside", [Outside(fewer="'flow' is silent"), Outside(more="'flow' speaks"), Outside(fewer="few", like="'flow'")]
)
def test_a_case_in_which_other_readings_are_missing_says_nothing_of_drift(judged, made, outside):
    plain = made.finding("a", 0.2, time="2026-04-01T06:00:00")
    assert not of_missing(plain.guarantee)
    ranked = plain.guarantee.model_copy(update={"attained": 0.05})
    odd = plain.model_copy(update={"guarantee": for_missing(ranked, outside)})
    assert of_missing(odd.guarantee)
    assert odd.guarantee.decides is bool(outside.fewer)
    run = judged()
    run._model.finding = lambda *given: odd
    run.score(Cases((case(0, 1.0, id="a"),)))
    assert table(run) == []


def test_a_pattern_without_calibration_is_left_out(judged, made):
    run = judged()
    run._model.finding = lambda *given: made.finding(
        "a", 1.0, parts=(made.part("image"),), time="2026-04-01T06:00:00", size=0
    )
    run.score(Cases((case(0, 1.0, id="a"),)))
    assert [row[:2] for row in table(run)] == [(None, "a")]
    assert run.watch.left_out == 1


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (stream.STATE, "[]", "state of the run's stream is damaged"),
        (stream.STATE, "nonsense", "state of the run's stream is damaged"),
        (stream.STATE, None, "has 5 cases, its test heard 0"),
        (stream.LAPSE, '{"since": 3}', "the lapse of the run is damaged"),
    ],
)
def test_what_no_run_wrote_is_refused(judged, key, value, said):
    run = judged()
    run.score(Cases(tuple(normals(5))))
    with Session(run._engine) as session, session.begin():
        if value is None:
            session.delete(session.get(db.MetaRow, key))
        else:
            session.merge(db.MetaRow(key=key, value=value))
    with pytest.raises(RunError, match=said):
        run.score(Cases((case(9, 0.1),)))
    # what was judged is not lost, and enters when the run is mended
    if key == stream.STATE:
        assert run.finding("c0009") is not None
        assert run.watch == Watch(entered=5, left_out=1, timeless=0)


def test_tests_that_do_not_belong_together_are_refused():
    made = Stream({"text": CALIBRATION})
    made.enter("text", 0.1, "a", 0.5)
    state = json.loads(json.dumps(made.state()))
    Stream({}).restore(state)
    with pytest.raises(ModelError, match="there are tests at"):
        Stream({}).restore({"tests": state["tests"][:1]})
    state["tests"][0]["cases"] = 3
    with pytest.raises(ModelError, match="different numbers of cases"):
        Stream({}).restore(state)


def test_a_lapse_covers_its_own_moment_and_what_is_later(made):
    lapse = Lapse(seconds=START.timestamp(), since="2026-04-01 06:00:00", began="", rising=True, tolerance=0.1)
    times = (None, "2026-04-01T05:59:59", "2026-04-01T06:00:00", "2026-04-01T09:00:00+02:00")
    assert [lapse.covers(made.finding("a", time=time)) for time in times] == [False, False, True, True]


def test_a_damaged_score_stops_nothing_else(judged):
    run = judged()
    run.score(Cases(tuple(normals(5))))
    with Session(run._engine) as session, session.begin():
        session.execute(update(db.StreamRow).where(db.StreamRow.place == 2).values(score=float("inf")))
    with pytest.raises(Exception, match="finite"):
        run.score(Cases((case(9, 0.1),)))
    assert run.finding("c0009") is not None


def test_a_case_judged_in_folds_is_heard_by_its_score_in_one(judged, made):
    """The mean over folds varies less than calibration scores of one fold do: it would sound as if scores fell."""
    run = judged()
    alone = run._model.finding

    def in_folds(case, rate, artifacts):
        found = alone(case, rate, artifacts)
        return found.model_copy(update={"score": found.score / 2, "single_score": found.score})

    run._model.finding = in_folds
    run.score(Cases(tuple(normals(30))))
    expected = judged("one fold")
    expected.score(Cases(tuple(normals(30))))
    assert table(run) == table(expected)


def test_a_case_of_the_same_moment_still_enters_in_the_next_call(judged):
    run = judged()
    run.score(Cases((case(1, 0.1, minute=5),)))
    run.score(Cases((case(2, 0.2, minute=5), case(3, 0.3, minute=4.9))))
    assert [row[:2] for row in table(run)] == [(0, "c0001"), (1, "c0002"), (None, "c0003")]


def test_few_calibration_cases_flag_what_is_above_all_of_them():
    few = Stream({"text": np.arange(9.0)})
    for i in range(12):
        few.enter("text", 100.0 + i, f"{i}", fixed=0.1)
    assert few.state()["tests"][0]["run"] == 12
    few.enter("text", 4.5, "usual", fixed=0.2)
    assert few.state()["tests"][0]["quiet"] == 1
