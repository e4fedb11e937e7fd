"""What a guarantee says: floor, level, bound, for whom it holds; the bounds against simulations."""

import numpy as np
import pytest

from mmdmad.calibration.conformal import false_alarm_interval
from mmdmad.calibration.patterns import JointCalibration, Measures
from mmdmad.calibration.promise import Ranked, bound, promise
from mmdmad.errors import ModelError
from mmdmad.findings import Guarantee
from mmdmad.guarantees import ByRecording

ONE = Ranked(100, 100, 100, 1)


def test_one_model_promises_the_level_that_it_uses():
    said = promise(("image",), 0.05, [ONE])
    assert (said.method, said.unit, said.size, said.units, said.valid, said.note) == (
        "split",
        "case",
        100,
        100,
        True,
        "",
    )
    assert said.attained == said.bound == 5 / 101
    assert said.smallest_p_value == 1 / 101
    assert said.measured is None
    assert said.interval == false_alarm_interval(100, 0.05)
    few = promise(("image", "text"), 0.005, [ONE])
    assert (few.valid, few.attained, few.bound) == (False, 0.0, 0.0)
    assert few.note == "only 100 normal calibration cases have image and text; a rate of 0.005 needs 199"


def test_masked_cases_are_said():
    said = promise(("image",), 0.05, [Ranked(60, 50, 60, 1), Ranked(40, 40, 40, 1)])
    assert said.note.startswith("10 of the 100 calibration cases have further parts, which were masked")
    assert said.method == "cross"


def test_the_bounds_of_folds_are_those_of_the_papers():
    folds = [Ranked(20, 20, 20, 1)] * 5
    # Gasparin and Ramdas 2025: 2a + 2(1 - a)(K - 1) / (n + K), at the level that is attained
    for rate in (0.01, 0.05, 0.1):
        level = promise(("image",), rate, folds).attained
        stated = 2 * level * 101 / 100 + 2 * (1 - level * 101 / 100) * 4 / 105
        assert bound(folds, rate) <= stated + 2e-3
    assert bound(folds, 0.01) == 2 * 5 / 105
    assert bound(folds, 0.9) is None  # it would say 100 % or more, which is nothing
    assert bound([Ranked(200, 200, 200, 1)] * 5, 0.01) < bound(folds, 0.01)


def test_recordings_are_bounded_by_their_number_and_their_smallest():
    same = [Ranked(200, 200, 20, 10)]
    assert bound(same, 0.05, "recording") == pytest.approx((1 + 9 / 10) / 21)
    assert bound([Ranked(200, 200, 20, 1)], 0.05, "recording") == pytest.approx(10 / 21)
    assert bound(same, 0.05, "block") is None
    assert bound([Ranked(0, 0, 0, 1), ONE], 0.05) is None


def test_who_a_guarantee_holds_for():
    new, known = (promise(("text",), 0.05, [Ranked(500, 500, 12, 30)], "recording", learned=x) for x in (False, True))
    assert (new.valid, known.valid) == (False, True)
    assert new.note.endswith("for new ones needs 19, 7 more; holds only if new recordings are like these")
    assert known.note.endswith("holds only for more of these")
    assert new.interval == (0.0, 1.0)
    enough = promise(("text",), 0.05, [Ranked(500, 500, 19, 20)], "recording")
    assert (enough.valid, enough.note) == (True, "")
    assert enough.interval == false_alarm_interval(19, 0.05)
    blocks = [promise(("text",), 0.05, [Ranked(9000, 9000, 10, 900)], "block", learned=x) for x in (False, True)]
    assert [one.valid for one in blocks] == [False, True]
    assert blocks[0].note.endswith("for new ones needs 19; holds only if new recordings are like these")
    assert promise(("text",), 0.05, [Ranked(5, 5, 5, 1)], "block", learned=True).valid is False


def test_windows_of_new_recordings_rank_among_recordings_where_these_reach_the_rate():
    folds = [Ranked(100, 100, 10, 5)] * 3
    said = promise(("text",), 0.05, folds, "recording", drawn=True)
    assert (said.among, said.valid, said.note, said.units, said.size) == ("recordings", True, "", 30, 300)
    assert (said.attained, said.reach, said.smallest_p_value) == (1 / 31, 1 / 31, 1 / 301)
    assert said.bound == 2 * (3 - 1 + 1) / (30 + 3)  # of units, one window each: the bound of cases
    assert said.interval == false_alarm_interval(30, 0.05)
    once = promise(("text",), 0.05, [Ranked(300, 300, 39, 5)], "recording", drawn=True)
    assert (once.attained, once.bound) == (2 / 40, 2 / 40)
    few = promise(("text",), 0.02, folds, "recording", drawn=True)
    assert (few.among, few.valid, few.attained) == ("cases", False, 6 / 301)
    assert few.note.endswith("needs 49, 19 more; holds only if new recordings are like these")
    known = promise(("text",), 0.05, folds, "recording", learned=True, drawn=True)
    assert (known.among, known.valid, known.attained) == ("cases", True, 15 / 301)
    assert known.note == (
        "of one of the 30 recordings learned from: ranked among windows of these; holds only for more of these"
    )
    assert promise(("text",), 0.05, folds, "recording").among == "cases"  # a model of an earlier version drew none
    assert [said.deciding(0.2, rank) for rank in (None, ByRecording(p_value=0.1, whole=0.3, count=30))] == [0.2, 0.1]
    assert few.deciding(0.2, ByRecording(p_value=0.1, whole=0.3, count=30)) == 0.2


def test_a_finding_of_an_earlier_version_is_read():
    old = {"rate": 0.05, "size": 99, "interval": [0.02, 0.1], "pattern": ["image"], "valid": True, "note": ""}
    said = Guarantee.model_validate(old)
    assert (said.method, said.unit, said.units, said.attained, said.bound, said.measured) == (
        "split", "case", None, None, None, None,
    )  # fmt: skip


def measures(n, seed):
    return Measures({"text": np.random.default_rng(seed).normal(size=n)}, {})


def test_a_calibration_knows_its_units_and_keeps_them():
    units = ["a"] * 10 + ["b"] * 5 + ["c"] * 15
    made = JointCalibration(3, "recording").fit(measures(20, 0), measures(30, 1), units)
    assert made.ranked(("text",)) == Ranked(30, 30, 3, 5)
    again = JointCalibration.from_state(made.state())
    assert again.state() == made.state()
    assert again.ranked(("text",)) == Ranked(30, 30, 3, 5)
    said = again.judge("k", {"text": 0.0}, {}, 0.1, learned=True)
    assert (said.guarantee.unit, said.guarantee.units, said.guarantee.valid) == ("recording", 3, True)
    assert again.judge("k", {"text": 0.0}, {}, 0.1).guarantee.valid is False
    old = {k: v for k, v in made.state().items() if k not in ("unit", "units", "recordings")}
    assert JointCalibration.from_state(old).ranked(("text",)) == Ranked(30, 30, 30, 1)
    assert JointCalibration().fit(measures(20, 0), measures(30, 1)).ranked(("text",)) == Ranked(30, 30, 30, 1)
    for wrong in ({"joint:text": [4, 8]}, {"joint:text": [-1, 1]}, {"joint:text": [3, 0]}):
        with pytest.raises(ModelError):
            JointCalibration.from_state({**made.state(), "units": wrong})
    with pytest.raises(ModelError, match="different patterns"):
        JointCalibration.from_state({**made.state(), "recordings": {}, "units": {"joint:image": [0, 1]}}).check(
            ("text",), False
        )


def test_recordings_with_levels_of_their_own_keep_the_bound():
    """Windows of 20 calibration recordings; the rank of a window of a new one, over many draws of all of them."""
    rng = np.random.default_rng(0)
    each, rate, folds = 10, 0.05, [Ranked(200, 200, 20, 10)]
    hits = 0
    for _ in range(4000):
        scores = rng.normal(size=(21, 1)) + 0.3 * rng.normal(size=(21, each))
        greater = (scores[:20] > scores[20, 0]).sum()
        hits += (1 + greater) / 201 <= rate
    assert rate < hits / 4000 <= bound(folds, rate, "recording")
