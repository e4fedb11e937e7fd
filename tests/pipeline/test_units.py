"""Recordings are learned from or ranked with as wholes; of few, blocks are, with a gap on each side."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Case, Cases, Part
from mmdmad.explain import gather
from mmdmad.pipeline.config import Shares
from mmdmad.pipeline.detector import JointDetector
from mmdmad.pipeline.splits import BLOCKS, Split, split, too_few
from mmdmad.pipeline.units import FEWEST, recording_of, units_of

TEXTS = {"parts": {"text": {"encoder": "tiny-text", "detector": "knn"}}, "min_parts": 5, "false_alarm_rate": 0.05}


def windows(recordings: int, each: int, *, words: int = 10**9, prefix: str = "") -> list[Case]:
    """Windows of recordings: texts in the order of their rows."""
    return [
        Case(
            f"{prefix}{r}-{i}",
            {"text": Part("text", value=f"run {r} line {i % words}")},
            recording=f"{prefix}{r}",
            row=i,
        )
        for r in range(recordings)
        for i in range(each)
    ]


def parts_of(rows: Split) -> list[list[Case]]:
    return [[rows.cases[i] for i in part] for part in (rows.fit, rows.reference, rows.calibration)]


def test_a_recording_is_named_by_the_case_or_by_the_file_behind_its_slice():
    cut = Part("sensor", Path("/data/day/1.csv"), start=60, stop=120)
    assert recording_of(Case("a", {"sensor": cut}, recording="shift 3")) == "shift 3"
    assert recording_of(Case("a", {"sensor": cut})) == "/data/day/1.csv"
    assert recording_of(Case("a", {"sensor": replace(cut, root=Path("/data"))})) == "day/1.csv"
    assert recording_of(Case("a", {"sensor": replace(cut, root=Path("/other"))})) == "/data/day/1.csv"
    assert recording_of(Case("a", {"sensor": replace(cut, start=None, stop=None)})) is None
    assert recording_of(Case("a", {"sensor": replace(cut, start=None)})) == "/data/day/1.csv"
    assert recording_of(Case("a", {"text": Part("text", value="x")})) is None


def test_no_recording_is_in_two_parts():
    for seed in range(8):
        rows = split(windows(10, 20), Shares(), seed)
        found = [{case.recording for case in part} for part in parts_of(rows)]
        assert rows.kind == "recording"
        assert sum(map(len, found)) == 10
        assert [len(part) for part in found] == [5, 2, 3]
        assert len(rows.cases) == 200


def test_names_of_recordings_decide_nothing():
    one, two = (split(windows(7, 9, prefix=p), Shares(), 3) for p in ("", "other "))
    first, second = (
        [sorted(case.parts["text"].value for case in part) for part in parts_of(rows)] for rows in (one, two)
    )
    assert first == second


def test_recordings_that_hold_the_same_are_one():
    same = windows(6, 8) + [replace(case, id=f"copy of {case.id}", recording=f"copy of {case.recording}")
                            for case in windows(6, 8)]  # fmt: skip
    units = units_of(same, BLOCKS)
    assert units.kind == "recording"
    assert len(set(units.of)) == 6
    assert units_of(windows(FEWEST - 1, 8) * 2, BLOCKS).kind == "block"


def test_cases_that_share_no_recording_are_their_own_units():
    alone = [replace(case, recording=case.id) for case in windows(1, 30)]
    assert units_of(alone, BLOCKS).kind == "case"
    mixed = units_of([*windows(1, 5), *[replace(case, id=f"x{i}", recording=None, parts={
        "text": Part("text", value=f"alone {i}")}) for i, case in enumerate(windows(1, 20))]], BLOCKS)  # fmt: skip
    assert mixed.kind == "recording"
    assert len(set(mixed.of)) == 21


@pytest.mark.parametrize("recordings", [1, 3])
def test_few_recordings_are_cut_into_blocks_with_a_gap_beside_what_is_held_out(recordings):
    cases = windows(recordings, 200)
    for seed in range(5):
        rows = split(cases[::-1], Shares(), seed)  # the order of the list tells nothing
        assert rows.kind == "block"
        fit, reference, calibration = ([(c.recording, c.row) for c in part] for part in parts_of(rows))
        assert len(calibration) == round(0.3 * 200 * recordings)
        for held, others in ((calibration, [*fit, *reference]), (reference, fit)):
            for recording, row in others:
                assert (recording, row - 1) not in held
                assert (recording, row + 1) not in held
        assert 0 < 200 * recordings - len(rows.cases) <= 2 * BLOCKS * recordings
        runs = [row for recording, row in sorted(calibration) if (recording, row - 1) not in calibration]
        assert len(runs) <= 3 * recordings  # blocks that lie side by side run together


def test_windows_that_overlap_leave_as_many_out_as_share_rows():
    step, length = 5, 20  # each window shares rows with the three that follow
    cases = [
        Case(f"w{i}", {"sensor": Part("sensor", Path("/data/a.csv"), start=step * i, stop=step * i + length)})
        for i in range(100)
    ]
    units = units_of(cases, 5)
    assert units.guard == 4
    left = units.clear([i for i in range(100) if not 40 <= i < 60], range(40, 60))
    assert left == [*range(36), *range(64, 100)]
    later = [replace(case, time=datetime(2026, 1, 1) + timedelta(minutes=100 - i)) for i, case in enumerate(cases)]
    assert units_of(later, 5).places.tolist() == list(range(99, -1, -1))  # times come first
    assert units.clear([1, 2], []) == [1, 2]


def test_a_block_is_contiguous_and_blocks_are_of_one_size():
    units = units_of(windows(1, 103), 5)
    assert sorted(Counter(units.of).values()) == [20, 20, 21, 21, 21]
    changes = sum(a != b for a, b in zip(units.of, units.of[1:]))
    assert changes == 4
    assert units_of(windows(1, 3), 5).kind == "block"  # fewer windows than blocks: each is one
    assert len(set(units_of(windows(1, 3), 5).of)) == 3


def test_copies_count_once_and_windows_of_a_recording_each():
    texts = [Case(f"c{i}", {"text": Part("text", value=f"text {i // 5}")}) for i in range(200)]
    rows = split(texts, Shares(), 0)
    assert rows.kind == "case"
    assert len(rows.calibration) == 60
    assert len(rows.counted) == 12
    assert len({rows.keys[i] for i in rows.counted}) == 12
    assert set(rows.counted) <= set(rows.calibration)
    whole = split(windows(10, 20, words=4), Shares(), 0)
    assert len(whole.counted) == len(whole.calibration) == 60


def test_what_holds_recordings_together_is_said():
    told = too_few(split(windows(6, 5), Shares(), 0), "text", 12)
    assert "(recordings stay in one split, and there are 6)" in told
    assert "(blocks of a recording stay in one split, and there are 10)" in too_few(
        split(windows(1, 30), Shares(), 0), "text", 20
    )


def lines(count: int, seed: int, recording: str | None) -> list[Case]:
    rng = np.random.default_rng(seed)
    words = [f"{' '.join(rng.choice(['amber', 'cobalt', 'green'], 3))} {i}" for i in range(count)]
    return [Case(f"{recording}{seed}-{i}", {"text": Part("text", value=w)}, recording=recording, row=i)
            for i, w in enumerate(words)]  # fmt: skip


def test_a_model_of_one_recording_gives_verdicts_on_that_recording_alone(tiny, tmp_path):
    model = JointDetector.from_config(TEXTS).fit(Cases(tuple(lines(150, 0, "pump 1"))))
    model.save(tmp_path / "model")
    for one in (model, JointDetector.load(tmp_path / "model")):
        more, other = (one.judge(lines(1, 7, name)[0]) for name in ("pump 1", "pump 2"))
        assert more.p_value == other.p_value
        assert (more.guarantee.valid, other.guarantee.valid) == (True, False)
        assert more.verdict == other.verdict == ("anomalous" if more.p_value <= more.guarantee.rate else "normal")
        assert more.guarantee.note == "holds only for more of the same recording, as long as it goes on as before"
        assert other.guarantee.note.endswith("holds only if new recordings are like these")
        assert other.guarantee.unit == "block"
        assert other.guarantee.bound is None
        said = gather(other, model.normal_, None)[0]
        assert f"; the rate is not promised: {other.guarantee.note})" in said.caption
        assert "not promised" not in gather(more, model.normal_, None)[0].caption
        assert model.judge(lines(1, 7, "pump 2")[0], 0.001).verdict == "no verdict"  # no p-value can be so small


def test_many_recordings_give_verdicts_on_new_ones(tiny):
    cases = [case for r in range(70) for case in lines(4, r, f"run {r}")]
    model = JointDetector.from_config({**TEXTS, "calibration": "split"}).fit(Cases(tuple(cases)))
    new = model.judge(lines(1, 99, "another")[0])
    assert (new.guarantee.unit, new.guarantee.units, new.guarantee.valid) == ("recording", 21, True)
    few = model.judge(lines(1, 99, "another")[0], 0.02)
    assert not few.guarantee.valid
    assert few.guarantee.note == (
        "ranked among windows of 21 recordings; a rate of 0.02 for new ones needs 49, 28 more; holds only if new "
        "recordings are like these"
    )
    assert (new.guarantee.among, new.by_recording.count, few.guarantee.among) == ("recordings", 21, "cases")
    assert model.judge(lines(1, 99, "run 3")[0], 0.02).guarantee.valid
