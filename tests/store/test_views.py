"""A run read at another rate says what judging at that rate says: verdicts, guarantees, captions, counts, orders."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from mmdmad import reasons
from mmdmad.calibration.folds import judge_in_folds
from mmdmad.calibration.patterns import JointCalibration, Measures
from mmdmad.cases import Case, Cases
from mmdmad.errors import RunError
from mmdmad.explain import verdict as said
from mmdmad.findings import Contradiction, Evidence, Explanation, Fact, PartFinding, Sentence
from mmdmad.guarantees import Grounds, Ranked
from mmdmad.judgement import Judgement
from mmdmad.pipeline.lengths import for_stretches, stretches_of
from mmdmad.pipeline.readings import Outside, for_missing
from mmdmad.store import db, rows, stream
from mmdmad.store.bounds import Bounds
from mmdmad.store.run import Run
from mmdmad.store.stream import Lapse, Watch, lapsed
from mmdmad.store.views import View, recalled

PAIR = ("image", "text")
RATES = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 1 / 21, 0.5)
LAPSE = Lapse(seconds=0.0, since="2026-04-01 06:00:00", began="2026-04-01 06:00:00", rising=True, tolerance=0.1)


def calibration(seed: int, size: int, unit: str = "case", units: int = 0, groups: tuple = ()) -> JointCalibration:
    rng = np.random.default_rng(seed)

    def measures(count: int) -> Measures:
        image = rng.normal(size=count)
        image[: count // 4] = np.nan  # some lack a part, so that patterns differ in size and in who is masked
        return Measures({"image": image, "text": rng.normal(size=count)}, {("image", ("text",)): image + 1})

    names = [str(i % units) for i in range(size)] if units else None
    of = [groups[(i % units if units else i) % len(groups)] for i in range(size)] if groups else None
    return JointCalibration(seed, unit).fit(measures(60), measures(size), names, groups=of)


def judged(folds, number: int, rate: float, *, learned=False, many=1, outside=None, time=None):
    """Case `number` as the pipeline judges it at this rate."""
    rng = np.random.default_rng([7, number])
    odd = 3.0 * (number % 3 == 0)
    parts = {"text": float(rng.normal() + odd)}
    if number % 5:
        parts = {"image": float(rng.normal() + odd), **parts}
    clash = {("image", ("text",)): float(rng.normal() + odd)} if "image" in parts else {}
    group = "A" if number % 2 else None
    given = [parts] * len(folds), [clash] * len(folds)
    one = judge_in_folds(folds, f"k{number}", *given, rate, learned=learned, group=group)
    guarantee = one.guarantee if many == 1 else for_stretches(one.guarantee, many, "20 s")
    guarantee = guarantee if outside is None else for_missing(guarantee, outside)
    found = Judgement(
        case=Case(f"c{number:03d}", {}, time=time, group=group), signals={}, parts={},
        contradictions=(), score=one.fused.score, p_value=min(1.0, many * one.p_value), guarantee=guarantee,
        by_recording=one.by_recording and one.by_recording.times(many),
        beside=None if one.beside is None else one.beside.ranks.times(many),
    )  # fmt: skip
    made = found.finding().model_copy(
        update={
            "parts": tuple(
                PartFinding(
                    modality=m, score=s, p_value=one.parts[m], share=one.fused.parts[m], encoder="e", detector="d"
                )
                for m, s in parts.items()
            ),
            "contradictions": tuple(
                Contradiction(part=a, given=b, score=1.0, p_value=min(1.0, many * p), share=one.fused.contradictions[a])
                for (a, b), p in one.links.items()
            ),
        }
    )
    drafts = [said.verdict(made), *(said.part(p, made) for p in made.parts)]
    return made.model_copy(update={"evidence": tuple(d.numbered(i, None) for i, d in enumerate(drafts, 1))})


WAYS = {
    "split": ([calibration(0, 150)], {}),
    "cross": ([calibration(s, 30) for s in range(5)], {}),
    "blocks": ([calibration(1, 90, "block", 6)], {}),
    "blocks of one learned from": ([calibration(1, 90, "block", 6)], {"learned": True}),
    "recordings": ([calibration(s, 40, "recording", 4) for s in range(5)], {}),
    "recordings learned from": ([calibration(s, 40, "recording", 4) for s in range(5)], {"learned": True}),
    "recordings in stretches": ([calibration(s, 40, "recording", 8) for s in range(5)], {"many": 3}),
    "stretches": ([calibration(0, 150)], {"many": 3}),
    "groups": ([calibration(0, 150, groups=("A", None, None))], {}),
    "groups in folds": ([calibration(s, 40, groups=("A", None, "B", "C")) for s in range(5)], {}),
    "groups in stretches": ([calibration(0, 150, groups=("A", None, None))], {"many": 3}),
    "groups of recordings": ([calibration(s, 40, "recording", 10, ("A", None)) for s in range(5)], {}),
    "groups of recordings learned from": (
        [calibration(s, 40, "recording", 10, ("A", None)) for s in range(5)],
        {"learned": True},
    ),
    "a group never seen": ([calibration(0, 150, groups=("A", "B"))], {}),
    "groups with fewer readings": ([calibration(0, 150, groups=("A", None))], {"outside": Outside(fewer="few")}),
    "fewer readings": ([calibration(0, 150)], {"outside": Outside(fewer="few")}),
    "masked": ([calibration(0, 150)], {"outside": Outside(fewer="few", like="'heat'")}),
    "more readings": ([calibration(0, 150)], {"outside": Outside(fewer="few", more="many"), "many": 2}),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_view_says_what_judging_at_its_rate_says(way):
    folds, how = WAYS[way]
    verdicts = Counter()
    for before in (0.01, 0.05):
        for rate in RATES:
            view = View(rate, None, lambda finding: pytest.fail("the finding holds its grounds"))
            for number in range(20):
                read, anew = view.of(judged(folds, number, before, **how)), judged(folds, number, rate, **how)
                assert read == anew
                verdicts[read.verdict] += 1
    assert min(verdicts[v] for v in ("anomalous", "normal", "no verdict")) > 5 or set(verdicts) == {"no verdict"}


def test_a_lapse_holds_at_every_rate():
    folds, lapsing = WAYS["split"][0], LAPSE.model_copy(update={"seconds": 1000.0})
    for number, second in enumerate((0, 2000)):
        time = datetime.fromtimestamp(second, UTC)
        stored = judged(folds, number, 0.05, time=time)
        stored = lapsed(stored, lapsing) if second else stored
        read = View(0.02, Watch(entered=0, left_out=0, timeless=0, lapse=lapsing), pytest.fail).of(stored)
        anew = judged(folds, number, 0.02, time=time)
        assert read == (lapsed(anew, lapsing) if second else anew)
        assert stream.has_lapsed(read.guarantee) is bool(second)


def test_what_an_earlier_version_stored_is_recalled_from_its_model():
    for way, number in (("recordings", 1), ("recordings learned from", 1), ("stretches", 2), ("split", 4)):
        folds, how = WAYS[way]
        folds = [JointCalibration.from_state({**one.state(), "recordings": {}}) for one in folds]
        at = {rate: judged(folds, number, rate, **how) for rate in (0.05, 0.2)}
        bare = at[0.05].guarantee.model_copy(update={"grounds": None})
        old = at[0.05].model_copy(update={"guarantee": bare})
        assert stretches_of(bare) == stretches_of(at[0.05].guarantee)

        class Model:
            folds_ = tuple(type("Fold", (), {"calibration": one}) for one in folds)

            own = how.get("learned", False)

            def learned(self, case):
                return self.own

        view = View(0.2, None, lambda finding: recalled(Model(), finding, Case("x", {})))
        assert view.of(old) == at[0.2]


def test_words_that_stand_remain():
    folds = WAYS["split"][0]
    stored = judged(folds, 3, 0.05)
    assert stored.verdict == "anomalous"
    place = Evidence(id="E9", kind="region", part="image", caption="A place.", facts=())
    lone = Evidence(
        id="E8", kind="contradiction", part="image", caption="No fit.", facts=(Fact(name="given", value="text"),)
    )
    sentences = (
        Sentence(text="Flagged at 5 %.", cites=("E1",), grounded=True),
        Sentence(text="There is a place.", cites=("E9",), grounded=True),
        Sentence(text="It does not fit.", cites=("E8",), grounded=True),
    )
    words = Explanation(sentences=sentences, faithfulness=1.0, llm="offline", prompt="p")
    clash = stored.contradictions[0].model_copy(update={"p_value": 0.05})
    stored = stored.model_copy(
        update={
            "evidence": (*stored.evidence, lone, place), "explanation": words, "contradictions": (clash,),
        }
    )  # fmt: skip
    read = View(0.04, None, pytest.fail).of(stored)
    verdict = read.evidence[0]
    assert "declared false-alarm rate of 4 %" in verdict.caption
    assert [(s.text, s.cites) for s in read.explanation.sentences] == [
        (verdict.caption, ("E1",)), ("There is a place.", ("E9",)),
    ]  # fmt: skip
    assert [e.id for e in read.evidence] == [e.id for e in stored.evidence if e.id != "E8"]
    assert [e.id for e in View(0.06, None, pytest.fail).of(stored).evidence] == [e.id for e in stored.evidence]
    number = next(n for n in range(40) if 0.01 < judged(folds, n, 0.01).p_value <= 0.5)
    normal = judged(folds, number, 0.01).model_copy(update={"explanation": words})
    assert normal.verdict == "normal"
    assert View(0.5, None, pytest.fail).of(normal).verdict == "anomalous"
    assert View(0.5, None, pytest.fail).of(normal).explanation is None  # nobody has said why it is flagged


@pytest.fixture
def run(tmp_path, made):
    """A run of cases of several patterns and sizes; some long, one withdrawn, some of old versions."""
    run = Run.create(tmp_path / "run", {"false_alarm_rate": 0.05})
    run._set_meta(false_alarm_rate="0.05")
    findings = [
        judged(WAYS[way][0], number, 0.05, time=datetime(2026, 4, 1, tzinfo=UTC) + timedelta(hours=number), **how)
        for way, number, how in (
            *(("split", n, {}) for n in range(40)), *(("cross", n, {}) for n in range(40, 60)),
            *(("split", n, {"many": 4}) for n in range(60, 80)),
            *(("recordings", n, {}) for n in range(100, 140)),
            *(("recordings", n, {"learned": True}) for n in range(140, 150)),
            *(("recordings in stretches", n, {"many": 3}) for n in range(150, 170)),
            *(("groups", n, {}) for n in range(170, 200)), *(("groups in folds", n, {}) for n in range(200, 230)),
            *(("groups in stretches", n, {"many": 3}) for n in range(230, 250)),
            *(("groups of recordings", n, {}) for n in range(250, 280)),
            *(("groups of recordings learned from", n, {"learned": True}) for n in range(280, 290)),
            *(("a group never seen", n, {}) for n in range(290, 300)),
            ("fewer readings", 81, WAYS["fewer readings"][1]), ("more readings", 84, WAYS["more readings"][1]),
        )
    ]  # fmt: skip
    few = judged([calibration(3, 15)], 90, 0.05)
    gone = made.finding("gone", 1.0, parts=(), verdict="no verdict", rate=0.05)
    with run._engine.begin() as connection:
        rows.put(connection, [rows.Judged(f) for f in (*findings, few, gone)])
    yield run
    run.close()


@pytest.mark.parametrize("rate", RATES)
def test_filters_counts_and_orders_are_those_of_the_view(run, rate):
    read, view = run.at(rate), View(rate, None, pytest.fail)
    expected = [view.of(f) for f in run.findings(order="id")]
    assert list(read.findings(order="id")) == expected
    ranked = [f.case_id for f in sorted(expected, key=lambda f: f.order_key)]
    assert [f.case_id for f in read.findings()] == ranked
    assert [f.case_id for f in read.findings(order="-rank")] == ranked[::-1]
    assert [f.case_id for f in read.findings(limit=7, offset=3)] == ranked[3:10]
    assert read.tally.by("verdict") == Counter(f.verdict for f in expected)
    flagged = [f for f in expected if f.verdict == "anomalous"]
    assert read.count(verdict="anomalous") == len(flagged)
    assert read.tally.by("group", verdict="anomalous") == Counter(f.group for f in flagged if f.group)
    for answer in (True, False):
        hold = [f.case_id for f in expected if bool(reasons.contradicted(f)) is answer]
        assert [f.case_id for f in read.findings(order="id", contradictory=answer)] == hold
    low = sorted(expected, key=lambda f: (f.p_value, -f.score, f.case_id))
    assert [f.case_id for f in read.findings(order="p_value")] == [f.case_id for f in low]
    assert read.count(p_value=Bounds(at_most=0.03)) == sum(f.p_value <= 0.03 for f in expected)
    of_text = [f for f in expected if f.part("text") is not None]
    assert read.count(p_of="text", p_value=Bounds(at_most=0.03)) == sum(f.part("text").p_value <= 0.03 for f in of_text)
    odd = [f.case_id for f in expected if "text" in reasons.unusual(f)]
    assert [f.case_id for f in read.findings(order="id", part="text")] == odd
    groups = read.tally.groups()
    assert sum(g.flagged for g in groups) == len(flagged)
    assert sum(g.decided for g in groups) == sum(f.verdict != "no verdict" for f in expected) == len(read.tally.ranks())
    assert sum(bad for _, _, bad in read.tally.patterns()) == len(flagged)
    points, _ = read.tally.points(1000)
    assert {p.case_id: p.verdict for p in points} == {f.case_id: f.verdict for f in expected}
    assert {p.case_id: p.p_value for p in points} == {f.case_id: f.deciding_p_value for f in expected}
    among = Counter(f.guarantee.units if f.guarantee.among == "recordings" else f.guarantee.size for f in expected)
    assert sum((Counter({g.size: g.judged}) for g in groups), Counter()) == among
    assert (read.rate, run.rate, read.judged_at) == (rate, 0.05, 0.05)
    assert read.finding("c003") == view.of(run.finding("c003"))


def test_a_p_value_at_the_rate_itself_is_flagged(run):
    """The rule is at most, in SQL as in Python."""
    some = [
        f for f in run.findings()
        if 0.01 < f.p_value < 0.5 and f.guarantee.grounds and not f.guarantee.grounds.more and not f.by_recording
    ]  # fmt: skip
    assert len(some) > 10
    for finding in some:
        read = run.at(finding.p_value)
        flagged = {f.case_id for f in read.findings(verdict="anomalous")}
        assert finding.case_id in flagged
        assert read.finding(finding.case_id).verdict == "anomalous"


def test_a_view_writes_nothing(run):
    read = run.at(0.02)
    words = Explanation(sentences=(), faithfulness=1.0, llm="offline", prompt="p")
    for what in (
        lambda: read.score(Cases(())), lambda: read.fit(Cases(())), lambda: read.set_explanation("c003", words),
    ):  # fmt: skip
        with pytest.raises(RunError, match=r"a run read at 0\.02 cannot .*; ask the run itself"):
            what()
    for rate in (0.0, 0.6, float("nan")):
        with pytest.raises(RunError, match=r"allowed is a rate from 0\.0001 to 0\.5"):
            run.at(rate)
    assert list(run.at(0.05).findings()) == list(run.findings())
    assert run.at(0.02).at(0.05).count(verdict="anomalous") == run.count(verdict="anomalous")


def test_a_run_of_the_format_before_gets_its_columns(run):
    before = [(r.id, r.floor, r.clash) for r in _cases(run)]
    assert any(floor is None for _, floor, _ in before)
    assert any(clash is not None for *_, clash in before)
    with run._engine.begin() as connection:
        connection.execute(update(db.CaseRow).values(floor=None, clash=None))
        rows.rate_free(run.path, connection)
    assert [(r.id, r.floor, r.clash) for r in _cases(run)] == before


def _cases(run):
    with Session(run._engine) as session:
        return list(session.query(db.CaseRow).order_by(db.CaseRow.id))


def test_damaged_grounds_are_refused():
    for wrong in ((-1, 0, 0, 1), (5, 5, 5, 0)):
        with pytest.raises(ValueError, match="folds"):
            Grounds.model_validate_json(f'{{"folds": [{list(wrong)}]}}')
    assert Grounds.model_validate_json('{"folds": [[5, 4, 3, 1]]}').folds == (Ranked(5, 4, 3, 1),)
