"""Calibration for every pattern of present parts: which cases make what, and what is said of how many."""

import numpy as np
import pytest

from mmdmad.calibration import patterns
from mmdmad.calibration.conformal import conformal_p_value
from mmdmad.calibration.fusion import Tail, together
from mmdmad.calibration.patterns import JointCalibration, Measures, links

PARTS = ("image", "text")
LINKS = links(PARTS)


def measures(n, seed, scale=1.0, missing=0.2):
    """Scores of n normal cases; a share of them lacks the text, and with it both contradictions."""
    rng = np.random.default_rng(seed)
    parts = {m: scale * rng.exponential(size=n) for m in PARTS}
    parts["text"][rng.random(n) < missing] = np.nan
    lacks = np.isnan(parts["text"])
    return Measures(parts, {link: np.where(lacks, np.nan, scale * rng.normal(size=n)) for link in LINKS})


@pytest.fixture(scope="module")
def sets():
    return measures(80, 0), measures(120, 1, scale=1.5)


@pytest.fixture(scope="module")
def fitted(sets):
    return JointCalibration(seed=0).fit(*sets)


def test_tails_are_those_of_the_reference_cases(fitted, sets):
    reference, _ = sets
    for m in PARTS:
        seen = reference.parts[m][np.isfinite(reference.parts[m])]
        expected = Tail.fit(seen)
        assert fitted.tails_[patterns._key((m,))].surprise(2.5) == expected.surprise(2.5)


def test_stored_scores_are_those_of_the_calibration_cases_recomputed_one_by_one(fitted, sets):
    _, calibration = sets
    for pattern in (("image",), ("text",), PARTS):
        expected = sorted(fitted.fuse(*calibration.row(i, pattern)).score for i in calibration.having(pattern))
        assert fitted.scores_[key_of(pattern)].tolist() == expected
        assert fitted.guarantee(pattern, 0.05).size == len(expected)


def key_of(pattern):
    return patterns._joint_key(pattern)


def test_p_values_rank_a_case_among_the_calibration_cases(fitted, sets):
    _, calibration = sets
    pattern = PARTS
    scores = np.array([fitted.fuse(*calibration.row(i, pattern)).score for i in calibration.having(pattern)])
    parts, contradictions = {"image": 3.0, "text": 2.0}, dict.fromkeys(LINKS, 0.5)
    said = fitted.judge("case", parts, contradictions, 0.05)
    assert said.p_value == (1 + int((scores >= said.fused.score).sum())) / (len(scores) + 1)
    image = calibration.parts["image"]
    assert said.parts["image"] == (1 + int((image >= 3.0).sum())) / (len(image) + 1)
    odd = fitted.judge("odd", {"image": 50.0, "text": 50.0}, contradictions, 0.05)
    assert odd.p_value == 1 / (len(scores) + 1)


def test_a_contradictions_tail_is_at_least_one_nat_a_unit(fitted, sets):
    reference, _ = sets
    link = LINKS[0]
    seen = reference.links[link][np.isfinite(reference.links[link])]
    steep = Measures(sets[0].parts, {k: v * 1e-3 for k, v in sets[0].links.items()})
    tight = JointCalibration().fit(steep, steep)
    # links that normal cases hardly violate: one unit beyond them adds one nat of surprise, not a hundred
    tail = tight.tails_[patterns._link_key(link)]
    assert tail.surprise(11.0) - tail.surprise(10.0) == pytest.approx(1.0)
    assert Tail.fit(1e-3 * seen).surprise(11.0) - Tail.fit(1e-3 * seen).surprise(10.0) > 10


def test_the_parts_together_are_a_term_of_their_own(fitted, sets):
    reference, _ = sets
    rows = reference.having(PARTS)
    sums = [
        together({m: fitted.tails_[patterns._key((m,))].surprise(float(reference.parts[m][i])) for m in PARTS})
        for i in rows
    ]
    assert fitted.tails_[key_of(PARTS)].surprise(6.0) == Tail.fit(sums).surprise(6.0)


def test_the_note_counts_cases_that_had_further_parts(fitted, sets):
    _, calibration = sets
    size, whole = len(calibration.having(("image",))), len(calibration.having(PARTS))
    note = fitted.guarantee(("image",), 0.05).note
    assert note.startswith(f"{whole} of the {size} calibration cases have further parts")
    assert fitted.guarantee(PARTS, 0.05).note == ""
    small = fitted.guarantee(PARTS, 0.001)
    assert not small.valid
    assert "a rate of 0.001 needs 999" in small.note


def test_a_calibration_that_was_saved_says_the_same(fitted):
    again = JointCalibration.from_state(fitted.state())
    assert again.state() == fitted.state()
    args = ("x", {"image": 1.2, "text": 0.4}, dict.fromkeys(LINKS, -0.2), 0.05)
    assert again.judge(*args) == fitted.judge(*args)


def test_exact_false_alarm_counts_on_known_scores():
    """1,000 new cases drawn like the calibration cases: each is flagged exactly where its rank says so."""
    calibration = np.sort(np.random.default_rng(0).normal(size=199))
    new = np.random.default_rng(1).normal(size=1000)
    p = np.array([conformal_p_value(s, calibration, 0.5) for s in new])
    threshold = calibration[-10]  # nine above it and itself: (1 + 9) / 200 = 0.05
    assert (p <= 0.05).tolist() == (new > threshold).tolist()
