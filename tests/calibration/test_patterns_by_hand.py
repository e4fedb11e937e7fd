"""Which reference cases make a term, what each pattern is ranked against, and what a saved calibration may hold."""

import copy
import dataclasses
import math

import numpy as np
import pytest

from mmdmad.calibration.conformal import case_uniform, conformal_p_value, false_alarm_interval
from mmdmad.calibration.fusion import Tail, fuse, together
from mmdmad.calibration.patterns import FEWEST, STEEPEST, JointCalibration, Measures, links, patterns
from mmdmad.errors import ModelError

PARTS = ("image", "text", "sensor")


def measures(n, seed, lacking=()):
    """Scores of n normal cases; `lacking`: rows and the part that they lack, with each link it takes part in."""
    rng = np.random.default_rng(seed)
    parts = {m: rng.exponential(size=n) for m in PARTS}
    linked = {k: rng.normal(size=n) for p in patterns(PARTS) for k in links(p)}
    for row, part in lacking:
        parts[part][row] = math.nan
        for (owner, given), values in linked.items():
            if part in (owner, *given):
                values[row] = math.nan
    return Measures(parts, linked)


LACKING = [(i, "text") for i in range(5)] + [(i, "sensor") for i in range(3, 11)]
REFERENCE, CALIBRATION = measures(40, 0, LACKING), measures(60, 1, LACKING)
FITTED = JointCalibration(seed=7).fit(REFERENCE, CALIBRATION)


def name(pattern):
    return "+".join(pattern)


def test_every_subset_is_a_pattern_and_each_part_of_several_is_linked_to_the_others():
    assert patterns(PARTS) == [
        ("image",), ("text",), ("sensor",), ("image", "text"), ("image", "sensor"), ("text", "sensor"), PARTS,
    ]  # fmt: skip
    assert links(("image",)) == []
    assert links(PARTS) == [
        ("image", ("text", "sensor")), ("text", ("image", "sensor")), ("sensor", ("image", "text")),
    ]  # fmt: skip
    assert (FEWEST, STEEPEST) == (8, 1.0)


def test_a_pattern_has_the_rows_with_all_its_parts():
    assert len(CALIBRATION) == 60
    assert CALIBRATION.having(("image",)).tolist() == list(range(60))
    assert CALIBRATION.having(("text",)).tolist() == list(range(5, 60))
    assert CALIBRATION.having(("text", "sensor")).tolist() == list(range(11, 60))
    assert CALIBRATION.having(("image", "sensor")).tolist() == [0, 1, 2, *range(11, 60)]
    parts, linked = CALIBRATION.row(2, ("image", "sensor"))
    assert parts == {m: CALIBRATION.parts[m][2] for m in ("image", "sensor")}
    assert linked == {k: CALIBRATION.links[k][2] for k in links(("image", "sensor"))}
    unknown = Measures(CALIBRATION.parts, {})
    assert unknown.row(2, PARTS)[1] == {}
    assert unknown.having(PARTS).tolist() == CALIBRATION.having(PARTS).tolist()


@pytest.mark.parametrize("pattern", patterns(PARTS), ids=name)
def test_a_case_is_the_fusion_of_its_tails_and_is_ranked_among_those_with_its_parts(pattern):
    def tail(scores, **how):
        return Tail.fit(scores[np.isfinite(scores)], **how)

    def surprises(measured, i):
        return {m: tail(REFERENCE.parts[m]).surprise(measured.parts[m][i]) for m in pattern}

    def fused(measured, i):
        odd = {k[0]: tail(REFERENCE.links[k], least_scale=1.0).surprise(measured.links[k][i]) for k in links(pattern)}
        own, whole = surprises(measured, i), None
        if len(pattern) > 1:
            rows = REFERENCE.having(pattern)
            whole = Tail.fit([together(surprises(REFERENCE, r)) for r in rows]).surprise(together(own))
        return fuse(own, odd, whole)

    rows = CALIBRATION.having(pattern)
    known = [fused(CALIBRATION, i).score for i in rows]
    new = measures(3, 2)
    parts, contradictions = new.row(1, pattern)
    said = FITTED.judge("key", parts, contradictions, 0.05)
    assert said.fused == fused(new, 1)
    drawn = case_uniform("key", f"joint:{name(pattern)}", 7)
    assert said.p_value == conformal_p_value(said.fused.score, known, drawn)
    for m, p in said.parts.items():
        ranked = CALIBRATION.parts[m][np.isfinite(CALIBRATION.parts[m])]
        assert p == conformal_p_value(parts[m], ranked, case_uniform("key", f"part:{m}", 7))
    assert said.links.keys() == contradictions.keys()
    for link, p in said.links.items():
        ranked = CALIBRATION.links[link][np.isfinite(CALIBRATION.links[link])]
        key = f"link:{link[0]}|{name(link[1])}"
        assert p == conformal_p_value(contradictions[link], ranked, case_uniform("key", key, 7))
    guarantee = said.guarantee
    assert (guarantee.rate, guarantee.size, guarantee.pattern, guarantee.valid) == (0.05, len(rows), pattern, True)
    assert guarantee.interval == false_alarm_interval(len(rows), 0.05)
    further = sum(any(np.isfinite(CALIBRATION.parts[m][i]) for m in PARTS if m not in pattern) for i in rows)
    assert FITTED.natural_[f"joint:{name(pattern)}"] == len(rows) - further
    assert guarantee.note.startswith(f"{further} of the {len(rows)} ") if further else guarantee.note == ""


def only(n, seed):
    return {"image": np.random.default_rng(seed).exponential(size=n), "text": np.arange(float(n))}


@pytest.mark.parametrize(("n", "tails"), [(3, set()), (4, {"part"}), (7, {"part"}), (8, {"part", "link", "joint"})])
def test_a_part_needs_four_reference_cases_and_what_parts_share_needs_eight(n, tails):
    pair = ("image", "text")
    linked = {k: np.random.default_rng(4).normal(size=n) for k in links(pair)}
    made = JointCalibration().fit(Measures(only(n, 0), linked), measures(20, 1))
    assert {key.split(":")[0] for key in made.tails_} == tails
    assert [key for key in made.tails_ if key.startswith("joint")] == (["joint:image+text"] if "joint" in tails else [])
    assert ("joint:image+text" in made.scores_) == bool(tails)
    assert made.natural_.keys() == ({"joint:image", "joint:text", "joint:image+text"} if tails else set())
    if n == 7:  # without these terms a case is its parts alone
        parts = {"image": 2.0, "text": 1.0}
        said = made.judge("k", parts, dict.fromkeys(links(pair), 3.0), 0.05)
        assert said.links == {}
        assert said.fused == fuse({m: made.tails_[f"part:{m}"].surprise(s) for m, s in parts.items()}, {}, None)


def test_a_pattern_that_nobody_was_calibrated_on_promises_nothing():
    said = FITTED.guarantee(("image", "video"), 0.05)
    assert (said.size, said.valid, said.interval) == (0, False, (0.0, 1.0))
    assert said.note == "only 0 normal calibration cases have image and video; a rate of 0.05 needs 19"
    assert FITTED.guarantee(PARTS, 0.02).valid == (len(CALIBRATION.having(PARTS)) >= 49)
    assert JointCalibration().seed == 0


def broken(change):
    state = copy.deepcopy(FITTED.state())
    change(state)
    return state


def test_a_saved_calibration_is_refused_where_no_fit_can_have_written_it():
    again = JointCalibration.from_state(FITTED.state())
    assert again.state() == FITTED.state()
    again.check(PARTS, joint=True)
    key = "joint:image"
    size = len(FITTED.scores_[key])
    assert JointCalibration.from_state(broken(lambda s: s["natural"].update({key: size}))).natural_[key] == size
    assert JointCalibration.from_state(broken(lambda s: s["scores"].update({key: [1.0] * size}))).scores_[key][0] == 1
    refused = [
        (lambda s: s.update(more=1), "more"), (lambda s: s.update(seed=-1), "seed"),
        (lambda s: s.pop("tails"), "tails"),
        (lambda s: s["natural"].update({key: size + 1}), f"{size + 1} of {size}"),
        (lambda s: s["natural"].update({key: -1}), "natural"), (lambda s: s["natural"].update({"other": 1}), "1 of 0"),
        (lambda s: s["scores"].update({key: [2.0, 1.0]}), "increasing"),
        (lambda s: s["scores"].update({key: [math.nan]}), "finite|nan"),
        (lambda s: s["tails"].update({"part:image": [0.0] * 7}), "fewer than 4"),
    ]  # fmt: skip
    for change, why in refused:
        with pytest.raises(ModelError, match=why):
            JointCalibration.from_state(broken(change))


def test_a_calibration_belongs_to_its_parts():
    alone = JointCalibration().fit(Measures(REFERENCE.parts, {}), Measures(CALIBRATION.parts, {}))
    alone.check(PARTS, joint=False)
    alone.check(PARTS, joint=True)  # contradictions may be too few for a term
    with pytest.raises(ModelError, match="belongs to other parts"):
        FITTED.check(PARTS, joint=False)
    with pytest.raises(ModelError, match="lack part:video"):
        FITTED.check((*PARTS, "video"), joint=True)
    with pytest.raises(ModelError, match="belongs to other parts"):
        FITTED.check(PARTS[:2], joint=True)
    for table in ("tails", "scores"):
        with pytest.raises(ModelError, match=f"the {table} lack part:image"):
            JointCalibration.from_state(broken(lambda s, table=table: s[table].pop("part:image"))).check(PARTS, True)
    for change in (lambda s: s["natural"].pop("joint:image"), lambda s: s["scores"].pop("joint:text")):
        with pytest.raises(ModelError, match=r"different patterns|1 of 0|of 0|are no 55 units"):
            JointCalibration.from_state(broken(change)).check(PARTS, True)


def test_measures_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        REFERENCE.parts = {}
    with pytest.raises(dataclasses.FrozenInstanceError):
        FITTED.judge("k", {"image": 1.0}, {}, 0.05).p_value = 0.0
