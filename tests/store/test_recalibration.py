"""A person names what is normal now: other cases are ranked among these, in their time, and all of it is on record."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mmdmad.ask.base import Scope, ask
from mmdmad.cases import Case, Cases, Part
from mmdmad.cli import app
from mmdmad.errors import ModelError, RunError
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.report import write_report
from mmdmad.store.recalibration import given
from mmdmad.store.run import Run

pytestmark = pytest.mark.usefixtures("tiny")
START = datetime(2026, 4, 1, 6, tzinfo=UTC)
BRIGHTER = 30.0
CONFIG = {
    "parts": {"image": {"encoder": "tiny-image", "detector": "knn", "detector_params": {"top": 0.1}}},
    "false_alarm_rate": 0.05, "calibration": "cross", "folds": 3,
}  # fmt: skip


def pictures(folder: Path, name: str, count: int, *, first: int = 0, brighter: float = 0.0, **more) -> Cases:
    """Pictures a minute apart, from the minute `first` on."""
    rng, made = np.random.default_rng([first, count]), []
    for i in range(first, first + count):
        pixels = rng.normal(90 + rng.normal(0, 6) + brighter, 8, (16, 16, 3)).clip(0, 255).astype(np.uint8)
        file = folder / f"{name}-{i:03d}.png"
        Image.fromarray(pixels).save(file)
        time = more.get("time", START + timedelta(minutes=i))
        made.append(Case(f"{name}-{i:03d}", {"image": Part("image", path=file)}, time=time))
    return Cases(tuple(made))


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A run whose normal has moved: 40 pictures as learned from, then 110 brighter ones, of which the last is odd."""
    folder = tmp_path_factory.mktemp("levels")
    run = Run.create(folder / "run", PipelineConfig.model_validate(CONFIG))
    run.fit(pictures(folder, "normal", 120, time=None))
    later = list(pictures(folder, "later", 110, first=40, brighter=BRIGHTER))
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(folder / "later-149.png")
    run.score(Cases((*pictures(folder, "still", 40), *later)))
    run.close()
    return folder


@pytest.fixture
def run(home, tmp_path):
    shutil.copytree(home / "run", tmp_path / "run")
    opened = Run.open(tmp_path / "run")
    yield opened
    opened.close()


NAMED = [f"later-{i:03d}" for i in range(50, 110)]


def flagged(run: Run, ids: list[str]) -> int:
    return sum(run.finding(case).verdict == "anomalous" for case in ids)


def test_others_are_judged_anew_and_nothing_else_moves(run, home, tmp_path):
    still, between = [f"still-{i:03d}" for i in range(40)], [f"later-{i:03d}" for i in range(40, 50)]
    others = [f"later-{i:03d}" for i in range(110, 150)]
    before = {f.case_id: f for f in run.findings()}
    lapse = run.watch.lapse
    assert lapse is not None
    assert flagged(run, others) == 40
    done = run.recalibrate(run.named(NAMED), who="Kim", why="a new lamp")
    # what was of its time, and was not named, is judged anew; the odd one is still found
    assert (done.size, done.units, done.unit, done.anew, done.before, done.kept) == (60, 60, "case", 40, 40, 0)
    assert done.after == flagged(run, others) <= 8
    assert run.finding("later-149").verdict == "anomalous"
    assert all(run.finding(case) == before[case] for case in (*still, *between))
    for case in others:
        found = run.finding(case)
        assert (found.guarantee.size, found.guarantee.valid, found.guarantee.method) == (60, True, "cross")
        assert round(found.p_value * 61) == pytest.approx(found.p_value * 61)
        caption = found.evidence[-1].caption
        assert f"ranked among cases that were named normal on {done.at:%Y-%m-%d}" in caption
        assert f"Before, it was judged anomalous with joint p-value {before[case].p_value:.3g}" in caption
        assert found.score == pytest.approx(before[case].score)  # nothing was learned again
    # the named ones are not judged against themselves
    for case in NAMED:
        found = run.finding(case)
        assert (found.verdict, found.guarantee.valid) == ("no verdict", False)
        assert "named normal on" in found.guarantee.note
        assert f"It was judged {before[case].verdict} before" in found.evidence[0].caption
    # the lapse has an end, and the stream begins anew
    watch = run.watch
    assert watch.lapse is None
    assert [one.since for one in watch.ended] == [lapse.since]
    assert (watch.entered, watch.left_out) == (40, 0)
    (kept,) = run.recalibrations
    assert (kept.who, kept.why, kept.named, kept.lapse.until) == (
        "Kim",
        "a new lamp",
        tuple(NAMED),
        START.timestamp() + 3000,
    )
    # another opening reads the level from its files
    with_level = Run.open(run.path)
    files = pictures(tmp_path, "next", 20, first=150, brighter=BRIGHTER)
    with_level.score(files)
    assert flagged(with_level, [case.id for case in files]) <= 5
    assert with_level.watch.entered == 60
    # a late case is judged at the level of its time, and an ended lapse covers its own
    late = pictures(tmp_path, "late", 1, first=45, brighter=BRIGHTER)
    with_level.score(late)
    found = with_level.finding("late-045")
    assert (found.guarantee.size, found.verdict) == (120, "anomalous")
    assert found.guarantee.valid == (found.time.timestamp() < lapse.seconds)
    with_level.score(Cases((Case("copy", {"image": Part("image", path=home / "later-060.png")}),)))
    assert with_level.finding("copy").verdict == "no verdict"
    with_level.close()


def test_a_recalibrated_run_reads_at_another_rate(run):
    run.recalibrate(run.named(NAMED))
    at = run.at(0.1)
    assert at.finding(NAMED[0]).verdict == "no verdict"
    assert at.count(verdict="no verdict") == len(NAMED)
    assert at.finding("later-120").guarantee.size == 60
    assert at.finding("later-120").evidence[-1] == run.finding("later-120").evidence[-1]
    assert at.finding("later-045").guarantee.note == run.finding("later-045").guarantee.note  # an ended lapse
    with pytest.raises(RunError, match="cannot recalibrate"):
        at.recalibrate(run.named(NAMED))


def test_a_level_that_was_changed_is_refused(run):
    run.recalibrate(run.named(NAMED))
    file = run.path / "levels" / "1" / "folds" / "0" / "calibration.json"
    file.write_text(file.read_text().replace("0.", "1.", 1))
    opened = Run.open(run.path)
    with pytest.raises(ModelError, match=r"calibration\.json"):
        _ = opened.levels
    opened.close()


def test_what_was_learned_from_is_not_ranked_with(run, home, tmp_path):
    own = Cases(
        tuple(Case(f"copy-{i}", {"image": Part("image", path=home / f"normal-{i:03d}.png")}) for i in range(120))
    )
    with pytest.raises(RunError, match=r"0 of them can be ranked with \(120 .*the model has learned from it"):
        run.recalibrate(run.named(own))
    assert run.recalibrations == []
    assert not (run.path / "levels").exists()
    assert not (run.path / "work" / "level.part").exists()


def test_copies_count_once_and_without_times_it_holds_for_all(run, tmp_path):
    fresh = list(pictures(tmp_path, "fresh", 30, first=300, brighter=BRIGHTER, time=None))
    twice = [Case(f"again-{i}", dict(case.parts)) for i, case in enumerate(fresh)]
    done = run.recalibrate(run.named(Cases((*fresh, *twice))))
    assert (done.size, done.since, done.anew) == (30, "", 150)
    assert run.finding("still-000").guarantee.size == 30
    assert run.watch.ended[0].until == run.watch.ended[0].seconds  # nothing stays lapsed
    assert not any(run.watch.ended[0].covers(f) for f in run.findings())


def test_cases_that_cannot_be_read_again_keep_their_verdict_without_a_promise(run, tmp_path):
    moving = tmp_path / "moving"
    moving.mkdir()
    gone = pictures(moving, "gone", 2, first=200, brighter=BRIGHTER)
    run.score(gone)
    before = run.finding("gone-200")
    shutil.rmtree(moving)
    done = run.recalibrate(run.named(NAMED))
    after = run.finding("gone-200")
    assert (done.kept, done.anew) == (2, 40)
    assert (after.verdict, after.p_value, after.guarantee.valid) == (before.verdict, before.p_value, False)
    assert "judged before the recalibration of" in after.guarantee.note


def test_refusals_say_the_cure(run, home, tmp_path):
    with pytest.raises(RunError, match=r"18 cases were named normal and 18 of .* fewer than 19: name more"):
        run.recalibrate(run.named(NAMED[:18]))
    with pytest.raises(RunError, match="case 'nobody' was not judged"):
        run.named(["nobody"])
    with pytest.raises(RunError, match="no judged case has a time in 2027-01-01 00:00:00 to …"):
        run.named(since=datetime(2027, 1, 1))
    run.feedback(NAMED[3], "confirmed")
    with pytest.raises(RunError, match=f"'{NAMED[3]}' is confirmed as a fault by feedback and cannot be named normal"):
        run.named(NAMED)
    with pytest.raises(RunError, match="is confirmed as a fault"):
        run.named(Cases(tuple(run.case(case) for case in NAMED)))
    of_time = run.named(since=START + timedelta(minutes=50), until=START + timedelta(minutes=110))
    assert ([case.id for case in of_time.cases], of_time.left_out) == ([n for n in NAMED if n != NAMED[3]], (NAMED[3],))
    with pytest.raises(RunError, match="'x' is labelled faulty and cannot be named normal"):
        given(run._engine, [Case("x", {}, label=1)])
    assert run.recalibrations == []


def test_windows_of_one_recording_say_nothing_of_others(run, tmp_path):
    alike = [
        Case(c.id, dict(c.parts), recording="line 7") for c in pictures(tmp_path, "w", 40, time=None, brighter=BRIGHTER)
    ]
    with pytest.raises(RunError, match=r"windows of 'line 7', and none of the 150 other .* five recordings"):
        run.recalibrate(run.named(Cases(tuple(alike))))
    run.score(Cases((Case("more", dict(pictures(tmp_path, "m", 1, first=7)[0].parts), recording="line 7"),)))
    done = run.recalibrate(run.named(Cases(tuple(alike))))
    assert done.unit == "block"
    assert run.finding("more").guarantee.valid
    assert not run.finding("later-120").guarantee.valid


def test_command_report_chat_and_overview_say_it(run, tmp_path):
    said = CliRunner().invoke(
        app, ["recalibrate", str(run.path), "--normal-since", "2026-04-01T06:50:00", "--normal-until",
              "2026-04-01T07:50:00", "--who", "Kim", "--why", "a lamp <5 W"],
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    assert (
        "ranked among 60 of 60 cases named normal, for cases from 2026-04-01 06:50:00 on; declared rate 5 %"
        in said.output
    )
    assert "40 other cases were judged anew: 40 flagged before" in said.output
    assert "that ends what was on record: the guarantee has lapsed since" in said.output
    for name in ("r.html", "r.md", "r.json"):
        page = write_report(run, tmp_path / name).read_text()
        assert "Recalibrations" in page
        assert "judged anew: 40 flagged before" in page
    assert "a lamp &lt;5 W" in (tmp_path / "r.html").read_text()
    assert not json.loads((tmp_path / "r.json").read_text())["lapsed"]
    found = ask(Scope(run), "recalibrations")
    assert found.recalibrations[0].who == "Kim"
    assert "that ended by it" in found.evidence[2].evidence.caption
    assert any("was recalibrated" in one.evidence.caption for one in ask(Scope(run), "overview").evidence)
    told = CliRunner().invoke(app, ["chat", str(run.path), "--ask", "Was the run recalibrated?"])
    assert "Kim named 60 cases normal" in told.output


@pytest.mark.parametrize(
    "words", [(), ("--normal", "later-060", "--normal-since", "2026-04-01"), ("--normal", "later-060", "--normal", ".")]
)
def test_the_command_takes_one_way_of_naming(run, words):
    said = CliRunner().invoke(app, ["recalibrate", str(run.path), *words])
    assert said.exit_code != 0
    assert "name what is normal in one way" in str(said.exception)
