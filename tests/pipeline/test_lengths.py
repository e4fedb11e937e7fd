"""Length is no fault: a longer recording counts as its most unusual stretch, a shorter one is refused with the cure."""

from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import PartError
from mmdmad.findings import Guarantee
from mmdmad.parts import Sensor, Video
from mmdmad.pipeline.detector import JointDetector
from mmdmad.pipeline.lengths import Lengths, extent, for_stretches, learned, stretches

KNOWN = Lengths(shortest=10.0, usual=20.0, longest=30.0, fewest=10, most=30)
PART = Part("sensor", case_id="c", row=4)


def table(rows: int, step: float = 1.0, start: float = 0.0) -> Sensor:
    times = start + np.arange(rows) * step
    return Sensor(np.zeros((rows, 1)), times, ("a",), ("",))


def test_what_recordings_last() -> None:
    assert extent(table(5, 0.5, start=7.0)) == (2.5, 5)
    assert extent(table(1)) == (0.0, 1)
    assert extent(Video.from_array(np.zeros((6, 2, 2), np.uint8), fps=2)) == (3.0, 6)
    assert learned([table(5), table(9), table(20, 0.5)]) == Lengths(5.0, 9.0, 10.0, 5, 20)
    assert learned([]) is None


@pytest.mark.parametrize(
    ("rows", "step"),
    [(10, 1.0), (30, 1.0), (33, 1.0), (60, 0.5), (30, 2.0), (10, 9.0), (30, 0.1), (91, 0.1)],
)
def test_usual_lengths_and_other_rates_are_judged_whole(rows: int, step: float) -> None:
    assert stretches(PART, table(rows, step), KNOWN) == []


def test_longer_ones_are_cut_into_halves_over_each_other() -> None:
    assert stretches(PART, table(34), KNOWN) == [(0, 20), (10, 30), (14, 34)]
    assert stretches(PART, table(40, start=5.0), KNOWN) == [(0, 20), (10, 30), (20, 40)]
    every = np.zeros(1000)
    for first, last in stretches(PART, table(1000), KNOWN):
        assert last - first == 20
        every[first:last] += 1
    assert every.min() >= 1


def test_a_gap_has_no_stretch() -> None:
    times = np.concatenate([np.arange(30.0), np.arange(130.0, 160.0)])
    signal = Sensor(np.zeros((60, 1)), times, ("a",), ("",))
    assert stretches(PART, signal, KNOWN) == [(0, 20), (10, 30), (20, 30), (30, 40), (30, 50), (40, 60)]


def test_shorter_ones_are_refused_with_the_length_that_is_needed() -> None:
    assert stretches(PART, table(9, 1.02), KNOWN) == []
    with pytest.raises(
        PartError, match=r"the sensor table has 9 rows in 9 s, those learned from last 10 to 30 s.* at least 9\.091"
    ):
        stretches(PART, table(9), KNOWN)
    one = Lengths(20.0, 20.0, 21.0, 20, 20)
    with pytest.raises(
        PartError, match=r"those learned from last 20 s; a shorter one .* give at least 18\.18 s"
    ) as why:
        stretches(PART, table(15), one)
    assert (why.value.case_id, why.value.part, why.value.row) == ("c", "sensor", 4)


def test_too_many_stretches_are_refused() -> None:
    with pytest.raises(PartError, match=r"more than 20000 stretches.* --window 20s"):
        stretches(PART, table(210_000), KNOWN)


def test_the_guarantee_of_many_stretches() -> None:
    hundred = Guarantee(rate=0.05, size=99, interval=(0.01, 0.1), pattern=("sensor",))
    kept = for_stretches(hundred, 5, "20 s")
    assert kept.valid
    assert kept.decides
    assert kept.note == "judged by the most unusual of 5 stretches of 20 s, and the p-value counts all of them"
    void = for_stretches(hundred.model_copy(update={"note": "few"}), 6, "20 s")
    assert not void.valid
    assert not void.decides
    assert void.note == f"few; {kept.note.replace('5', '6')}; windows of 20 s would each get a verdict"


def line(seed: int, rows: int, fault: int | None = None) -> Part:
    rng = np.random.default_rng([seed, rows])
    times = np.arange(rows) * 0.1
    wave = np.sin(np.pi * times + rng.uniform(0, 6)) + rng.normal(0, 0.1, rows)
    level = rng.normal(0, 1, rows)
    if fault is not None:
        level[fault : fault + 40] += 8
    return Part("sensor", value=Sensor(np.stack([wave, level], 1), times, ("vib", "level"), ("", "")))


@pytest.fixture(scope="module")
def fitted() -> JointDetector:
    config = {"parts": {"sensor": {"detector": "gaussian-diffusion"}}, "false_alarm_rate": 0.1}
    return JointDetector.from_config(config).fit(
        Cases(tuple(Case(f"n{i}", {"sensor": line(i, 200)}) for i in range(120)))
    )


def test_a_fault_scores_alike_in_a_short_and_a_long_recording(fitted: JointDetector, tmp_path: Path) -> None:
    short = fitted.judge(Case("short", {"sensor": line(1000, 200, fault=90)}))
    long = fitted.judge(Case("long", {"sensor": line(1000, 2000, fault=1390)}))
    assert long.parts["sensor"].score == pytest.approx(short.parts["sensor"].score, rel=0.25)
    assert long.score == pytest.approx(short.score, rel=0.25)
    where = np.asarray(long.parts["sensor"].layout.where)
    assert where.min() <= 139 <= 143 <= where.max()
    assert where.max() - where.min() == pytest.approx(20.0)
    assert long.p_value == min(1.0, 19 * short.p_value)
    assert long.verdict == "no verdict"
    assert "19 stretches of 20 s" in long.guarantee.note
    said = [e.caption for e in fitted.finding(Case("long", {"sensor": line(1000, 2000, fault=1390)})).evidence]
    assert any("Channel level" in one and "from 2 min 1" in one for one in said), said


def test_two_stretches_can_be_flagged(fitted: JointDetector) -> None:
    found = fitted.judge(Case("longer", {"sensor": line(1000, 230, fault=150)}))
    assert found.p_value == 2 * found.parts["sensor"].p_value <= 0.1
    assert found.verdict == "anomalous"


def test_lengths_are_kept(fitted: JointDetector, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    known = JointDetector.load(tmp_path / "model").parts_["sensor"].lengths
    assert known == fitted.parts_["sensor"].lengths == Lengths(*[pytest.approx(20.0)] * 3, 200, 200)


def test_normal_long_recordings_are_not_flagged_more_often(fitted: JointDetector) -> None:
    flagged = [fitted.judge(Case(f"m{i}", {"sensor": line(5000 + i, 240)})).p_value <= 0.1 for i in range(40)]
    assert sum(flagged) <= 8  # a share of 0.1 of 40 is exceeded by 5 or more in one of 100 draws
