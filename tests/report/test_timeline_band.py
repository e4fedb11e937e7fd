"""Cases beyond all normal ones stand in a band above the p-values, by their ratio to the largest normal score."""

import math
from itertools import pairwise

import pytest

from mmdmad.ask.timeline import Point
from mmdmad.report.timeline import BAND, TOP, lay_out

POINTS = [
    Point(case_id=name, time=None, p_value=p, verdict="anomalous" if p <= 0.05 else "normal", place=i)
    for i, (name, p) in enumerate([("far", 0.01), ("farther", 0.01), ("edge", 0.01), ("odd", 0.04), ("usual", 0.6)])
]


def heights(beyond):
    return {dot.point.case_id: dot.y for dot in lay_out(POINTS, 0.05, beyond=beyond).dots}


def test_without_ratios_there_is_no_band():
    plain = lay_out(POINTS, 0.05)
    assert plain.band is None
    assert lay_out(POINTS, 0.05, beyond={"edge": 0.9, "gone": 3.0}) == plain  # 1 and less, and cases that are not drawn


def test_the_farther_the_higher_and_all_of_them_above_the_others():
    y = heights({"far": 2.0, "farther": 8.0})
    assert y["farther"] < y["far"] < TOP + BAND < y["edge"] < y["odd"] < y["usual"]
    assert y["farther"] >= 0


def test_the_scale_is_logarithmic_and_its_ticks_are_round_ratios():
    made = lay_out(POINTS, 0.05, beyond={"far": 2.0, "farther": 8.0})
    ratios = {t.label: t.at for t in made.ticks_y if "×" in t.label}
    assert list(ratios) == ["1 ×", "2 ×", "5 ×"]
    step = (ratios["1 ×"] - ratios["2 ×"]) / math.log(2)
    assert (ratios["1 ×"] - ratios["5 ×"]) / math.log(5) == pytest.approx(step, abs=0.2)
    y = {dot.point.case_id: dot for dot in made.dots}
    assert y["far"].y == pytest.approx(ratios["2 ×"])
    assert (y["far"].times, y["edge"].times) == (2.0, None)


def test_far_cases_leave_few_ticks():
    made = lay_out(POINTS, 0.05, beyond={"far": 40_000.0})
    labels = [t.label for t in made.ticks_y if "×" in t.label]
    assert labels == ["1 ×", "10 ×", "100 ×", "1000 ×", "10000 ×"]


def test_labels_do_not_lie_on_each_other():
    at = sorted(t.at for t in lay_out(POINTS, 0.05, beyond={"far": 6.5}).ticks_y)
    assert min(b - a for a, b in pairwise(at)) > 11
