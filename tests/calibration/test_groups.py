"""Ranks within a group: the rate holds per group, and where a group has too few cases the fallback is said."""

import json

import numpy as np
import pytest

from mmdmad.calibration.conformal import false_alarm_range
from mmdmad.calibration.folds import judge_in_folds
from mmdmad.calibration.patterns import JointCalibration, Measures, links
from mmdmad.calibration.promise import promise
from mmdmad.errors import ModelError
from mmdmad.guarantees import OwnGroup, Ranked, within_group

SPREAD = {"quiet": 0.6, "usual": 1.0, "loud": 1.6}
PAIR = ("image", "text")
LINKS = links(PAIR)


def scores(rng, groups):
    """One part's score of a normal case of each group: the same form, another spread."""
    return np.array([SPREAD[g] * abs(rng.normal()) for g in groups])


def folds(rng, each, count, *, names=tuple(SPREAD), unit="case", windows=1):
    """Folds of `each` calibration units a group, of so many windows; each fold's scores are on a scale of its own."""
    made = []
    for number in range(count):
        groups = [g for g in names for _ in range(each * windows)]
        units = [f"{g}{i // windows}" for g in names for i in range(each * windows)]
        scale = 10.0**number
        reference = Measures({"text": scale * scores(rng, groups)}, {})
        calibration = Measures({"text": scale * scores(rng, groups)}, {})
        made.append(JointCalibration(0, unit).fit(reference, calibration, units, groups=groups))
    return made


def judged(made, rng, group, count, rate, **given):
    return [
        judge_in_folds(made, f"{group} {i}", [{"text": 10.0**k * s} for k in range(len(made))], [{}] * len(made), rate,
                       group=group, **given)
        for i in range(count) for s in [float(scores(rng, [group])[0])]
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 5])
def test_the_rate_holds_within_each_group_where_the_pooled_one_does_not(count):
    rng = np.random.default_rng(3)
    shares, pooled = {}, {}
    for group in SPREAD:
        hits = others = 0
        for _ in range(20):
            made = folds(rng, 200 // count, count)
            said = judged(made, rng, group, 60, 0.05)
            assert {(s.guarantee.within, s.guarantee.size, s.guarantee.valid) for s in said} == {(True, 200, True)}
            hits += sum(s.p_value <= 0.05 for s in said)
            others += sum(s.beside.p_value <= 0.05 for s in said)
        shares[group], pooled[group] = hits, others
    low, high = false_alarm_range(0.05, 200 * 20, 60 * 20)  # of twenty independent calibration sets together
    assert all(low <= hits <= high for hits in shares.values()), shares
    assert pooled["quiet"] < 0.012 * 1200
    assert pooled["loud"] > 0.1 * 1200


def test_one_calibration_set_of_a_group_explains_what_it_flags():
    rng = np.random.default_rng(8)
    inside = []
    for _ in range(60):
        made = folds(rng, 99, 1)
        hits = sum(s.p_value <= 0.05 for s in judged(made, rng, "loud", 100, 0.05))
        low, high = false_alarm_range(0.05, 99, 100)
        inside.append(low <= hits <= high)
    assert np.mean(inside) >= 0.9  # a 95 % band of the beta-binomial


def test_p_values_count_places_in_the_own_group_of_each_fold():
    rng = np.random.default_rng(1)
    made = folds(rng, 30, 3)
    own = [{"text": 10.0**k * 1.3} for k in range(3)]
    said = judge_in_folds(made, "k", own, [{}] * 3, 0.05, group="loud")
    above = sum(int((fold.groups_["loud"].scores_["part:text"] > one["text"]).sum()) for fold, one in zip(made, own))
    every = sum(int((fold.scores_["part:text"] > one["text"]).sum()) for fold, one in zip(made, own))
    assert all(len(fold.groups_["loud"].scores_["part:text"]) == 30 for fold in made)
    assert said.parts["text"] == said.p_value == (1 + above) / 91
    assert said.beside.p_value == said.beside.parts["text"] == (1 + every) / 271
    assert above != every
    same = judge_in_folds(made, "k", own, [{}] * 3, 0.05, group="quiet")
    assert same.fused == said.fused
    assert same.p_value < said.p_value


def test_a_group_with_too_few_cases_ranks_among_all_and_says_for_whom_it_holds():
    rng = np.random.default_rng(2)
    made = folds(rng, 30, 1)
    few = judge_in_folds(made, "k", [{"text": 1.0}], [{}], 0.01, group="quiet")
    assert (few.guarantee.within, few.guarantee.size, few.guarantee.decides) == (False, 90, False)  # 99 are needed
    made = folds(rng, 40, 1)
    few = judge_in_folds(made, "k", [{"text": 1.0}], [{}], 0.01, group="quiet")
    assert (few.guarantee.within, few.guarantee.size, few.guarantee.valid) == (False, 120, True)
    assert "of its own group there are 40 calibration cases, and a rate of 0.01 needs 99" in few.guarantee.note
    assert "over all groups together, not for this group" in few.guarantee.note
    assert few.p_value == few.parts["text"]
    assert few.beside.p_value != few.p_value
    enough = judge_in_folds(made, "k", [{"text": 1.0}], [{}], 0.05, group="quiet")
    assert enough.guarantee.within
    assert enough.p_value == few.beside.p_value
    assert enough.beside.p_value == few.p_value


def test_a_group_never_seen_is_judged_among_all_without_a_promise():
    made = folds(np.random.default_rng(2), 40, 2)
    for group in ("new", None):
        said = judge_in_folds(made, "k", [{"text": 1.0}, {"text": 10.0}], [{}, {}], 0.05, group=group)
        assert (said.guarantee.within, said.guarantee.size, said.guarantee.valid) == (False, 240, False)
        assert said.guarantee.decides
        assert "not among the normal cases" in said.guarantee.note
        assert said.beside is None


def test_without_groups_nothing_is_said_of_them():
    rng = np.random.default_rng(2)
    plain = JointCalibration().fit(Measures({"text": rng.random(60)}, {}), Measures({"text": rng.random(60)}, {}))
    said = judge_in_folds([plain], "k", [{"text": 1.0}], [{}], 0.05, group="quiet")
    assert said.beside is None
    assert said.guarantee.grounds.group is None
    assert not said.guarantee.note
    assert "groups" not in plain.state()


def test_a_fold_without_a_group_adds_no_case_of_it():
    rng = np.random.default_rng(4)
    made = [*folds(rng, 40, 1), *folds(rng, 40, 1, names=("usual",))]
    said = judge_in_folds(made, "k", [{"text": 9.0}] * 2, [{}] * 2, 0.05, group="quiet")
    assert (said.guarantee.within, said.guarantee.size, said.p_value) == (True, 40, 1 / 41)
    assert said.guarantee.bound is None  # no theorem of folds of which one has nothing to rank among


def test_windows_of_new_recordings_rank_among_recordings_of_their_group():
    rng = np.random.default_rng(5)
    made = folds(rng, 25, 1, unit="recording", windows=4)
    said = judge_in_folds(made, "k", [{"text": 9.0}], [{}], 0.05, group="quiet")
    assert (said.guarantee.within, said.guarantee.among, said.guarantee.units) == (True, "recordings", 25)
    assert (said.by_recording.count, said.by_recording.p_value) == (25, 1 / 26)
    assert (said.beside.by_recording.count, said.beside.by_recording.p_value) == (75, 1 / 76)
    # 25 recordings do not reach 2 %, all 75 of them do: recordings of all groups before windows of one
    wide = judge_in_folds(made, "k", [{"text": 9.0}], [{}], 0.02, group="quiet")
    assert (wide.guarantee.within, wide.guarantee.among, wide.guarantee.units) == (False, "recordings", 75)
    assert "25 recordings, and a rate of 0.02 needs 49" in wide.guarantee.note
    # neither reaches 1 %: windows, of the own group where these do, without a promise
    none = judge_in_folds(made, "k", [{"text": 9.0}], [{}], 0.01, group="quiet")
    assert (none.guarantee.within, none.guarantee.among, none.guarantee.size) == (True, "cases", 100)
    assert none.guarantee.decides
    assert not none.guarantee.valid


def test_a_new_level_ranks_within_the_groups_of_its_cases():
    rng = np.random.default_rng(6)
    (made,) = folds(rng, 30, 1)
    groups = ["loud"] * 25 + ["quiet"] * 35
    values = scores(rng, groups)
    new = made.on(Measures({"text": values}, {}), [str(i) for i in range(60)], groups=groups)
    said = judge_in_folds([new], "k", [{"text": 1.0}], [{}], 0.05, group="loud")
    assert (said.guarantee.within, said.guarantee.size) == (True, 25)
    assert said.p_value == (1 + int((values[:25] > 1.0).sum())) / 26
    assert said.beside.p_value == (1 + int((values > 1.0).sum())) / 61


def test_what_is_kept_gives_the_same_and_what_no_fit_wrote_is_refused():
    (made,) = folds(np.random.default_rng(7), 40, 1)
    kept = json.loads(json.dumps(made.state()))
    again = JointCalibration.from_state(kept)
    given = "k", [{"text": 1.1}], [{}], 0.05
    assert judge_in_folds([again], *given, group="loud") == judge_in_folds([made], *given, group="loud")
    more = json.loads(json.dumps(kept))
    more["groups"][0]["scores"]["joint:text"] = [9.0, 1.0]
    with pytest.raises(ModelError, match="not in increasing order"):
        JointCalibration.from_state(more)
    twice = json.loads(json.dumps(kept))
    twice["groups"].append(twice["groups"][0])
    with pytest.raises(ModelError, match="twice"):
        JointCalibration.from_state(twice)
    other = json.loads(json.dumps(kept))
    other["groups"][0]["scores"]["part:image"] = [1.0]
    with pytest.raises(ModelError, match="which belongs to other parts"):
        JointCalibration.from_state(other).check(("text",), joint=False)


def test_contradictions_rank_within_the_group_too():
    rng = np.random.default_rng(9)
    groups = ["loud", "quiet"] * 40

    def measures():
        spread = np.array([SPREAD[g] for g in groups])
        return Measures(
            {m: spread * rng.exponential(size=80) for m in PAIR}, {k: spread * rng.normal(size=80) for k in LINKS}
        )

    calibration = measures()
    made = JointCalibration().fit(measures(), calibration, groups=groups)
    said = judge_in_folds([made], "k", [dict.fromkeys(PAIR, 1.0)], [dict.fromkeys(LINKS, 0.9)], 0.05, group="quiet")
    own, every = calibration.links[LINKS[0]][1::2], calibration.links[LINKS[0]]
    assert said.links[LINKS[0]] == (1 + int((own > 0.9).sum())) / 41
    assert said.beside.links[LINKS[0]] == (1 + int((every > 0.9).sum())) / 81


def test_whose_ranks_decide():
    # own cases, own recordings, recordings of all groups; None: no window of a new recording
    assert within_group(0.05, 19, None, None)
    assert not within_group(0.05, 18, None, None)
    assert within_group(0.05, 400, 19, 40)
    assert not within_group(0.05, 400, 18, 40)
    assert within_group(0.05, 400, 5, 18)
    assert not within_group(0.05, 18, 5, 18)


def test_the_promise_at_another_rate_follows_from_the_same_grounds():
    every, own = [Ranked(120, 120, 120, 1)], OwnGroup(folds=(Ranked(30, 30, 30, 1),))
    at5, at2 = (promise(("image",), rate, every, group=own) for rate in (0.05, 0.02))
    assert (at5.within, at5.size, at2.within, at2.size) == (True, 30, False, 120)
    assert at5.grounds == at2.grounds
    assert at5.grounds.group == own
    assert at5.interval != at2.interval
    assert at5.attained == pytest.approx(1 / 31)
