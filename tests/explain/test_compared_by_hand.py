"""What is said of a case as a whole and of its neighbours: every sentence whole, with the facts behind it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from mmdmad.cases import Case, Part, Refusal
from mmdmad.explain import relations, verdict
from mmdmad.explain.normal import Neighbours, Normal
from mmdmad.explain.ranges import MIN_GROUP
from mmdmad.findings import Contradiction, Guarantee


def facts(draft):
    return {f.name: (f.value, f.unit) for f in draft.facts}


class Known:
    """Stands in for the normal cases: the groups of the nearest ones by part."""

    def __init__(self, distances=(0.5,), alike=False, **groups):
        self.groups, self.distances, self.alike, self.asked = groups, distances, alike, []

    def nearest(self, modality, vector, k):
        self.asked.append((modality, k))
        if modality not in self.groups:
            return None
        groups = tuple("".join(g) for g in self.groups[modality])  # never the same object twice
        ids = tuple(f"n-{i}" for i in range(len(groups)))
        return Neighbours(ids, groups, np.array([*self.distances, *[9.0] * (len(groups) - 1)]), self.alike)


def fives(*groups):
    """Five neighbours of each part, all of the group that is given for it."""
    return [[list(group)] * 5 for group in groups]


def neighbours(known, part="image"):
    return relations.neighbours(SimpleNamespace(modality=part, embedding=np.zeros(3)), known)


def test_the_nearest_cases_are_named_with_their_group_and_their_distance():
    known = Known((1.5,), image=["A", "A", "B", "A", "A"])
    (said,) = neighbours(known)
    assert known.asked == [("image", 5)]
    assert said.caption == (
        "By its image part the case is nearest to the normal cases n-0, n-1 and n-2 (4 of the nearest 5 are of group "
        "A); the nearest is 1.5 times as far away as normal cases are from each other."
    )
    assert facts(said) == {
        "part": ("image", ""), "nearest normal cases": ("n-0, n-1 and n-2", ""), "nearest normal case": ("n-0", ""),
        "group": ("A", ""), "in this group": (4, ""), "compared": (5, ""), "distance": (1.5, ""),
    }  # fmt: skip
    assert (said.kind, said.part) == ("neighbour", "image")
    (said,) = neighbours(Known((1.5,), image=["A", "B"]))
    assert said.caption == (
        "By its image part the case is nearest to the normal cases n-0 and n-1; the nearest is 1.5 times as far away "
        "as normal cases are from each other."
    )
    assert neighbours(Known()) == []


@pytest.mark.parametrize(
    ("distance", "said"), [(0.0, "is like them"), (np.inf, "differs from them"), (0.5, "differs from them")]
)
def test_where_normal_cases_are_alike_no_distance_is_said(distance, said):
    (draft,) = neighbours(Known((distance,), alike=True, image=[""]))
    assert draft.caption == (
        f"By its image part the case is nearest to the normal cases n-0; normal cases are nearly all alike there, and "
        f"this one {said}."
    )
    assert "distance" not in facts(draft)


def test_of_few_normal_cases_no_distance_is_usual():
    rng = np.random.default_rng(0)
    for count, told in ((MIN_GROUP - 1, False), (MIN_GROUP, True)):
        known = Normal(
            {"image": rng.normal(size=(count, 3)).astype(np.float32)},
            {"image": [f"n-{i}" for i in range(count)]},
            {"image": [""] * count},
        )
        (draft,) = neighbours(known)
        assert ("times as far" in draft.caption) == ("distance" in facts(draft)) == told
        assert told or draft.caption.endswith(facts(draft)["nearest normal cases"][0] + ".")


def test_a_group_is_four_fifths_of_the_neighbours():
    def near(*groups):
        return Neighbours(groups, groups, np.ones(len(groups)))

    assert relations.main_group(near("A", "A", "A", "B")) is None
    assert relations.main_group(near("B", "A", "A", "A", "A")) == ("A", 4)
    assert relations.main_group(near("A", "A", "A", "A", "A")) == ("A", 5)
    assert relations.main_group(near("A", "A", "A", "A")) is None  # four are few
    assert relations.main_group(near("", "", "", "", "A")) is None


def contradiction(judgement, known, given=("text", "video"), **other):
    found = Contradiction(**{"part": "image", "given": given, "score": 3.25, "p_value": 0.003, "share": 2.0} | other)
    return relations.contradiction(found, judgement, known)


def test_a_contradiction_is_said_with_its_share(samples):
    judgement = replace(samples.judgement(), score=8.0)
    said = contradiction(judgement, Known())
    assert said.caption == (
        "The image part does not fit the text and video parts (contradiction p-value 0.003, 25 % of the joint score)."
    )
    assert facts(said) == {
        "part": ("image", ""), "given": ("text and video", ""), "p-value": (0.003, ""), "score": (3.25, ""),
        "share of the joint score": (2.0, ""), "share": (25.0, "%"),
    }  # fmt: skip
    assert (said.kind, said.part) == ("contradiction", "image")
    said = contradiction(judgement, Known(), given=("text",))
    assert said.caption.startswith("The image part does not fit the text part (contradiction")


@pytest.mark.parametrize(
    ("share", "score", "said"),
    [(0.0049, 1.0, False), (0.005, 1.0, True), (1.0005, 1.0, True), (1.0006, 1.0, False), (2.5, 5.0, True),
     (0.0, 0.0, False), (1.0, 0.0, False), (-1.0, -1.0, False), (0.4, 0.5, True)],
)  # fmt: skip
def test_a_share_is_said_from_half_a_percent_to_the_whole(samples, share, score, said):
    judgement = replace(samples.judgement(), score=score)
    draft = contradiction(judgement, Known(), share=share)
    assert ("of the joint score)" in draft.caption) == ("share" in facts(draft)) == said
    part = replace(judgement.parts["image"], share=share)
    draft = verdict.part(part, judgement)
    assert ("carries" in draft.caption) == ("share" in facts(draft)) == said
    if said:
        assert facts(draft)["share"] == (pytest.approx(100 * share / score, rel=1e-2), "%")


LOOKS = "of the joint score): it looks like normal cases of group "


@pytest.mark.parametrize(
    ("own", "text", "video", "sensor", "said"),
    [
        ("g1", "g2", "g2", None, "g1, while the text and video parts look like group g2."),
        ("g2", "g1", "g1", None, "g2, while the text and video parts look like group g1."),
        ("g1", "g2", None, None, "g1, while the text part looks like group g2."),
        ("g1", "g2", "g1", "g2", "g1, while the text and sensor parts look like group g2."),
        ("g1", "g2", "g1", None, None),  # as many look like its own group
        ("g1", "g1", "g1", None, None),
        (None, "g1", "g1", None, None),
        ("g1", None, None, None, None),
    ],
)
def test_the_groups_of_both_sides_are_said_where_they_differ(samples, own, text, video, sensor, said):
    by_part = {"image": own, "text": text, "video": video, "sensor": sensor}
    known = Known(**{m: fives(g)[0] for m, g in by_part.items() if g is not None})
    draft = contradiction(replace(samples.judgement(), score=8.0), known, given=("text", "video", "sensor"))
    assert draft.caption.endswith("of the joint score)." if said is None else LOOKS + said)
    named = {"group of the part", "group of the others", "others"} & facts(draft).keys()
    assert len(named) == (0 if said is None else 3)
    assert {k for _, k in known.asked} == {5}
    if said is not None:
        assert facts(draft)["group of the part"] == (own, "")
        assert facts(draft)["others"][0] in said


def test_a_part_that_was_not_judged_has_no_group(samples):
    judgement = samples.judgement()
    without = replace(judgement, parts={m: p for m, p in judgement.parts.items() if m != "text"})
    assert relations._group("text", without, Known(text=fives("A")[0])) is None
    assert relations._group("text", judgement, Known(text=fives("A")[0])) == "A"


def test_without_a_joint_score_the_least_likely_contradiction_is_said(samples):
    def clash(part, p, score):
        return Contradiction(part=part, given=("video",), score=score, p_value=p, share=0.0)

    found = (clash("image", 0.002, 1.0), clash("text", 0.001, 1.0), clash("sensor", 0.001, 2.0))
    judgement = replace(samples.judgement(), score=0.0, contradictions=found)
    assert [c.part for c in relations.worth_saying(judgement)] == ["sensor"]


def judged(samples, **changes):
    guarantee = {"rate": 0.02, "size": 150, "interval": (0.0041, 0.0432), "pattern": ("image", "text")}
    for name in ("rate", "size", "valid", "note"):
        if name in changes:
            guarantee[name] = changes.pop(name)
    return replace(samples.judgement(), score=7.25, guarantee=Guarantee(**guarantee), **changes)


def test_a_flagged_case_is_said_with_its_guarantee(samples):
    said = verdict.verdict(judged(samples, p_value=0.02))
    assert said.caption == (
        "Case c-017 (group A, 2026-03-03 08:15:20 UTC) is flagged as anomalous with joint p-value 0.02, at a declared "
        "false-alarm rate of 2 % (150 calibration cases of this pattern; 95 % interval 0.41 % to 4.32 %)."
    )
    assert facts(said) == {
        "case": ("c-017", ""), "verdict": ("anomalous", ""), "p-value": (0.02, ""), "joint score": (7.25, ""),
        "declared false-alarm rate": (2.0, "%"), "calibration cases": (150, ""), "interval level": (95, "%"),
        "interval low": (0.41, "%"), "interval high": (4.32, "%"), "pattern": ("image and text", ""),
        "group": ("A", ""), "time": ("2026-03-03 08:15:20 UTC", ""),
    }  # fmt: skip
    assert (said.kind, said.part) == ("verdict", None)


def test_a_case_that_is_not_flagged_is_said_to_be_above_the_rate(samples):
    plain = Case("c-1", {"image": Part("image")})
    said = verdict.verdict(judged(samples, p_value=0.021, case=plain))
    assert said.caption == (
        "Case c-1 is not flagged: its joint p-value 0.021 is above the declared false-alarm rate of 2 % (150 "
        "calibration cases of this pattern; 95 % interval 0.41 % to 4.32 %)."
    )
    assert not {"group", "time"} & facts(said).keys()
    grouped = replace(samples.judgement().case, time=None)
    assert verdict.verdict(judged(samples, p_value=1.0, case=grouped)).caption.startswith("Case c-017 (group A) is not")
    timed = replace(samples.judgement().case, group=None)
    said = verdict.verdict(judged(samples, p_value=1.0, case=timed)).caption
    assert said.startswith("Case c-017 (2026-03-03 08:15:20 UTC) is not")


@pytest.mark.parametrize(("note", "end"), [("", "."), ("too few", " (too few).")])
def test_a_guarantee_that_does_not_hold_gives_no_verdict(samples, note, end):
    said = verdict.verdict(judged(samples, p_value=0.02, size=20, valid=False, note=note))
    assert said.caption == (
        "Case c-017 (group A, 2026-03-03 08:15:20 UTC) gets no verdict: 20 calibration cases of this pattern cannot "
        f"support a declared false-alarm rate of 2 %; its joint p-value is 0.02{end}"
    )
    assert ("note" in facts(said)) == bool(note)


@pytest.mark.parametrize(
    ("p", "rate", "state"),
    [(0.2, 0.2, "stands out"), (0.07, 0.2, "stands out"), (0.05, 0.01, "is unusual"), (0.06, 0.01, "is borderline"),
     (0.1, 0.01, "is borderline"), (0.11, 0.01, "looks normal")],
)  # fmt: skip
def test_a_part_is_said_with_its_encoder_and_detector(samples, p, rate, state):
    judgement = judged(samples, rate=rate)
    part = replace(judgement.parts["image"], p_value=p, score=2.5, share=1.45)
    said = verdict.part(part, judgement)
    assert said.caption == f"The image part {state} with p-value {p:g} and carries 20 % of the joint score."
    assert facts(said) == {
        "part": ("image", ""), "state": (state, ""), "p-value": (p, ""), "score": (2.5, ""),
        "share of the joint score": (1.45, ""), "encoder": ("lite0 v1", ""), "detector": ("dte-np", ""),
        "share": (20.0, "%"),
    }  # fmt: skip
    assert (said.kind, said.part) == ("part", "image")


def test_parts_that_half_of_the_normal_cases_have_are_missed(samples):
    judgement = samples.judgement(found={"image": samples.image(1)})
    normal = Normal(ids={"image": list("abcd"), "sensor": ["a"], "text": ["a", "b"], "video": list("abc")}, n_cases=4)
    said = verdict.missing(judgement, normal)
    assert [d.caption for d in said] == [
        "The case has no text part; 2 of 4 normal cases have one.",
        "The case has no video part; 3 of 4 normal cases have one.",
    ]
    assert facts(said[0]) == {"part": ("text", ""), "normal cases": (4, ""), "with this part": (2, "")}
    assert [(d.kind, d.part) for d in said] == [("missing", "text"), ("missing", "video")]
    assert verdict.missing(judgement, Normal(ids={"text": []})) == []
    refused = (Refusal("c", "text", "not UTF-8", 1), Refusal("c", "case", "empty", 1), Refusal("c", "audio", "odd", 1))
    said = verdict.missing(replace(judgement, refused=refused), normal)
    assert [d.caption for d in said] == [
        "The text part could not be used: not UTF-8.",
        "The case has no video part; 3 of 4 normal cases have one.",
        "The audio part could not be used: odd.",
    ]
    assert facts(said[0]) == {"part": ("text", ""), "reason": ("not UTF-8", "")}


def test_decisions_of_reading_keep_the_order_of_the_parts():
    seen = SimpleNamespace(
        signals={
            "video": SimpleNamespace(),
            "text": SimpleNamespace(notes=("b", "c")),
            "image": SimpleNamespace(notes=("a",)),
        }
    )
    said = verdict.readings(seen)
    assert [d.part for d in said] == ["image", "text"]
    assert facts(said[1]) == {"part": ("text", ""), "decisions": (2, ""), "notes": ("b; c", "")}
    assert said[1].kind == "context"
