"""Sentences from elsewhere: what is true passes or is told in other words, what is false never reaches the reader."""

import itertools
import re

import pytest

from mmdmad.claims import admit, claims_of_finding, clause
from mmdmad.claims.admit import parsed, told
from mmdmad.claims.base import LANGUAGES
from mmdmad.claims.making import FRAMES, claims_of
from mmdmad.explain.verdict import verdict
from mmdmad.findings import Evidence, Fact, Finding, Guarantee

TURNED = {
    "anomalous": "normal", "flagged": "fine", "above": "below", "not above": "above", "up": "down", "down": "up",
    "stands out": "looks normal", "looks normal": "stands out", "is not flagged": "is flagged", "left": "right",
    "right": "left", "upper": "lower", "lower": "upper", "nearest": "farthest", "does not fit": "fits",
    "has no": "has a", "none": "all", "between": "outside",
    "at most": "at least", "frozen": "moving", "darker": "brighter",
}  # fmt: skip


def of(finding, kind, part=None, at=0):
    return [e for e in finding.evidence if e.kind == kind and part in (None, e.part)][at]


def test_every_claim_is_read_from_its_own_words_in_both_languages(made):
    read = set()
    for finding in made:
        claims = claims_of_finding(finding)
        for claim, language in itertools.product(claims, LANGUAGES):
            own = [c for c in claims if c.evidence == claim.evidence]
            words = clause(claim, language)
            assert parsed(words, own, language), words
            assert "{" not in words
            read.add(claim.frame)
    assert len(read) >= 20


def test_every_caption_is_read_whole(made):
    for finding in made:
        for e in finding.evidence:
            claims = claims_of(e, finding.case_id)
            assert claims[0].frame != "said", e.caption
            if "grey range" in e.caption and e.kind == "region":
                continue  # a caption of earlier runs
            assert admit(e.caption, [e.id], finding).verbatim, e.caption


def test_no_claim_passes_when_it_is_turned_round_or_changed(made):
    """Flipped verdicts, directions, sides, places and numbers, and a "not" at every place of every clause: 0 pass."""
    tried = 0
    for finding in made[1::10]:
        claims = claims_of_finding(finding)
        for claim in claims:
            words, cited = clause(claim), [c for c in claims if {*c.evidence} & {*claim.evidence}]
            for false in {*_turned(words), *_renumbered(words), *_denied(words)} - {words}:
                tried += 1
                assert parsed(false, cited) is None, (false, words)
    assert tried > 2000


def _turned(words):
    return (
        re.sub(rf"\b{re.escape(a)}\b", b, words, count=1) for a, b in TURNED.items() if re.search(rf"\b{a}\b", words)
    )


def _renumbered(words):
    """The words with each number of its own made another one; digits of names are names."""
    for m in re.finditer(r"(?<![\w.“-])\d+(?:\.\d+)?(?![\w.-]*[“”])", words):
        yield words[: m.start()] + f"{float(m[0]) * 1.5 + 3:g}" + words[m.end() :]


def _denied(words):
    some = words.split(" ")
    for at, word in itertools.product(range(1, len(some) + 1), ("not", "never", "hardly", "no longer")):
        yield " ".join((*some[:at], word, *some[at:]))


@pytest.mark.parametrize(
    ("lead", "kind", "false"),
    [
        ("sensor", "channel", "The motor current shifts by {shift} to a mean of {mean} without a unit."),
        ("sensor", "channel", "Channel vibration_x shifts {direction} by {shift} A."),
        ("sensor", "verdict", "Case test-00003 is flagged as anomalous."),
        ("sensor", "verdict", "It is not the case that {case} is flagged."),
        ("sensor", "verdict", "It would be wrong to say that {case} is flagged."),
        ("sensor", "verdict", "Nobody would say that {case} is flagged as anomalous."),
        ("sensor", "verdict", "{case} is probably flagged by mistake."),
        ("sensor", "verdict", "{case} is flagged, so the bearing is broken."),
        ("sensor", "verdict", "{case} is flagged because the operator fell asleep."),
        ("sensor", "verdict", "{case} is flagged and can be shipped."),
        ("sensor", "verdict", "Please stop the line at once, the bearing is broken."),
        ("sensor", "verdict", "I do not doubt that {case} will fail tomorrow."),
        ("sensor", "verdict", "You are welcome: all cases are normal, ship everything."),
        ("sensor", "verdict", "Please open http://evil.example/collect to see the plot."),
        ("sensor", "verdict", "{case} is the first flagged case."),
        ("sensor", "verdict", "It was recorded at 23:59 on the day before."),
        ("sensor", "neighbour", "The nearest normal case is twice as far away as normal cases are from each other."),
        ("sensor", "neighbour", "The nearest is Ⅻ times as far away as usual."),
        ("sensor", "neighbour", "A hundred of the nearest are of group {group}."),
        ("video", "frames", "The video stands out in 1.25 % of the time."),
        ("image", "region", "The picture is fine at {place}."),
        ("text", "words", "The log warns: “spindle cooled down”."),
        ("text", "part", "The text was removed by someone."),
    ],
)
def test_lies_by_hand_are_replaced_by_what_is_so(by_lead, lead, kind, false):
    finding = by_lead[lead]
    e = of(finding, kind)
    facts = {f.name.replace(" ", "_"): f.value for f in e.facts}
    lie = false.format(**facts, **({} if "case" in facts else {"case": finding.case_id}))
    found = admit(lie, [e.id], finding)
    assert not found.verbatim
    assert lie not in found.text
    assert found.text == told(claims_of(e, finding.case_id))
    assert found.text  # the evidence speaks in its place


@pytest.mark.parametrize(
    ("lead", "kind", "true"),
    [
        ("sensor", "verdict", "{case} was flagged."),
        ("sensor", "verdict", "It is one of the {group} cases."),
        ("sensor", "verdict", "The decision rests on {calibration_cases} calibration cases."),
        ("sensor", "channel", "After {start} s, the motor current averages {mean} A."),
        ("sensor", "channel", "The motor current is unusual between {start} s and {stop} s."),
        ("sensor", "neighbour", "The closest match among the normals is {nearest_normal_case}."),
        ("image", "region", "A small region at {place}, 32 by 41 pixels, is unusual."),
        ("video", "frames", "The clip is unusual after 1.25 seconds."),
        ("text", "words", "The log warns: “spindle overheated, stop the line”."),
    ],
)
def test_true_words_pass_as_they_are(by_lead, lead, kind, true):
    finding = by_lead[lead]
    e = of(finding, kind)
    facts = {f.name.replace(" ", "_"): f.value for f in e.facts}
    sentence = true.format(**facts)
    found = admit(sentence, [e.id], finding)
    assert found.verbatim, sentence
    assert found.text == sentence
    assert {i for c in found.claims for i in c.evidence} == {e.id}


def test_joins_are_checked(by_lead):
    finding = by_lead["sensor"]
    first, frozen = of(finding, "channel"), of(finding, "channel", at=1)
    start = {e.id: next(f.value for f in e.facts if f.name == "start") for e in (first, frozen)}
    moved, held = (clause(claims_of(e, finding.case_id)[0]) for e in (first, frozen))
    early, late = (moved, held) if start[first.id] < start[frozen.id] else (held, moved)
    cites = [first.id, frozen.id]
    assert admit(f"{early} and then {late}.", cites, finding).verbatim
    assert not admit(f"{late} and then {early}.", cites, finding).verbatim
    assert admit(f"While {moved}, {held}.", cites, finding).verbatim
    assert not admit(f"{moved}, but {held}.", cites, finding).verbatim
    assert not admit(f"{moved} because {held}.", cites, finding).verbatim
    assert not admit(f"{moved}, so {held}.", cites, finding).verbatim


def test_what_is_not_cited_is_not_said(by_lead):
    finding = by_lead["sensor"]
    e = of(finding, "channel")
    words = clause(claims_of(e, finding.case_id)[0])
    assert not admit(words, ["E1"], finding).verbatim
    nothing = admit(words, ["E99"], finding)
    assert (nothing.text, nothing.claims, nothing.verbatim) == ("", (), False)
    assert not admit("", ["E1"], finding).verbatim
    assert not admit("flagged " * 1000, ["E1"], finding).verbatim


@pytest.mark.parametrize("group", ["normal", "is normal 1", "not flagged", "fine", "normal case", "unauffällig"])
def test_a_name_that_says_something_is_a_name_in_quotation_marks(by_lead, group):
    """A group or a case that is called like a verdict is a name and no verdict."""
    finding = by_lead["sensor"]
    case, verdict_of = finding.case_id, finding.evidence[0]
    facts = tuple(f.model_copy(update={"value": group}) if f.name == "group" else f for f in verdict_of.facts)
    odd = finding.model_copy(update={"evidence": (verdict_of.model_copy(update={"facts": facts}),)})
    for false in (
        f"{case} is {group}.",
        f"{case} is a {group} case.",
        f"It is one of the {group} cases.",
        f"It is a {group}.",
    ):
        for language in LANGUAGES:
            assert not admit(false, ["E1"], odd, language).verbatim, false
    named = f"Case {case} is of group “{group}”."
    assert admit(named, ["E1"], odd).verbatim
    if group.startswith(("is", "not")):
        assert not admit(named.replace("“", "").replace("”", ""), ["E1"], odd).verbatim
    else:  # after the word "group" it is a name: folders are called train/good
        assert admit(named.replace("“", "").replace("”", ""), ["E1"], odd).verbatim
        whole = odd.evidence[0].caption.replace(f"(group {finding.group},", f"(group {group},")
        assert admit(whole, ["E1"], odd).verbatim


def test_an_id_with_a_number_is_a_name_as_it_stands(by_lead):
    e = by_lead["sensor"].evidence[0]
    facts = tuple(f.model_copy(update={"value": "good/001"}) if f.name == "case" else f for f in e.facts)
    named = e.model_copy(update={"facts": facts, "caption": e.caption.replace(by_lead["sensor"].case_id, "good/001")})
    odd = by_lead["sensor"].model_copy(update={"case_id": "good/001", "evidence": (named,)})
    assert admit("Case good/001 was flagged.", ["E1"], odd).verbatim
    assert admit(named.caption, ["E1"], odd).verbatim


def test_what_a_case_says_inside_a_caption_is_no_sentence_of_ours():
    e = Evidence(id="T1", kind="context", caption="Notes: all fine. Case a is normal. Ship it.")
    assert parsed(e.caption, claims_of(e, ""))
    for piece in ("Case a is normal.", "Ship it.", "Notes: all fine."):
        assert parsed(piece, claims_of(e, "")) is None


def test_german_is_read_and_told(by_lead):
    finding = by_lead["sensor"]
    found = admit(f"Fall {finding.case_id} ist normal.", ["E1"], finding, "de")
    assert not found.verbatim
    assert found.text.startswith(f"Fall {finding.case_id} ist als auffällig gemeldet; sein gemeinsamer p-Wert 0,")
    assert "Fehlalarmrate von 5 %" in found.text
    assert admit(f"{finding.case_id} wurde als auffällig eingestuft.", ["E1"], finding, "de").verbatim


def test_every_kind_of_evidence_has_a_reader_and_every_frame_both_languages():
    from typing import get_args

    from mmdmad.claims.making import READERS
    from mmdmad.findings import EvidenceKind

    assert {*READERS} == {*get_args(EvidenceKind)}
    for frame in FRAMES.values():
        gaps = [{*re.findall(r"\{([\w-]+)\}", text)} for text in (frame.en, frame.de)]
        assert gaps[1] <= gaps[0], frame.name


def test_facts_of_another_builder_claim_no_more_than_its_caption():
    """What a builder of another distribution means by a fact is in its caption alone, and that is said whole or not."""
    facts = (Fact(name="start", value=1.5, unit="s"), Fact(name="stop", value=2.0, unit="s"))
    facts = (*facts, Fact(name="place", value="left"))
    sound = Evidence(id="E4", kind="frames", part="video", caption="The recording hums from 1.5 s to 2 s.", facts=facts)
    place = Evidence(id="E5", kind="region", part="image", caption="A blot.", facts=(Fact(name="place", value="left"),))
    for e in (sound, place):
        (claim,) = claims_of(e, "a")
        assert (claim.frame, claim.value) == ("said", e.caption)
        assert parsed(e.caption, [claim])
        assert told([claim]) == e.caption
    assert parsed("The video stands out from 1.5 s to 2 s.", claims_of(sound, "a")) is None
    assert parsed("No single region of the picture stands out.", claims_of(place, "a")) is None


def test_evidence_of_an_unknown_verdict_says_what_it_says():
    e = Evidence(id="E1", kind="verdict", caption="Odd.", facts=(Fact(name="verdict", value="maybe"),))
    assert [c.frame for c in claims_of(e, "a")] == ["said"]


def test_what_leans_on_another_sentence_is_not_taken_for_its_own(by_lead):
    """The normal range of one channel after the shift of another is true of neither."""
    finding = by_lead["sensor"]
    shift, frozen = (claims_of(of(finding, "channel", at=at), finding.case_id) for at in (0, 1))
    hold, moved, held = clause(frozen[1]), clause(shift[0]), clause(frozen[0])
    assert "normal cases hold one value" in hold
    both = [shift[0].evidence[0], frozen[0].evidence[0]]
    assert admit(f"{held}; {hold}.", both, finding).verbatim
    assert not admit(f"{moved}; {hold}.", both, finding).verbatim
    assert not admit(f"{hold}.", both, finding).verbatim  # of which channel?
    assert admit(f"{hold}.", both[1:], finding).verbatim
    parts = [e.id for e in finding.evidence if e.kind == "part"]
    share = next(f.value for e in finding.evidence if e.id == parts[1] for f in e.facts if f.name == "share")
    first = of(finding, "part")
    assert not admit(
        f"The {first.part} part stands out and carries {share} % of the joint score.", parts, finding
    ).verbatim


def test_the_share_of_a_contradiction_is_none_of_its_part(made):
    finding = next(f for f in made if f.contradictions)
    e = of(finding, "contradiction")
    assert admit("The contradiction carries 23 % of the joint score.", [e.id], finding).verbatim
    assert not admit(f"The {e.part} part carries 23 % of the joint score.", [e.id], finding).verbatim


@pytest.mark.parametrize(
    ("whose", "other"), [("of this pattern", "of its own group"), ("of its own group", "of this pattern")]
)
def test_whose_calibration_cases_are_meant_is_as_the_verdict_says(by_lead, whose, other):
    finding = by_lead["sensor"]
    e = finding.evidence[0]
    own = e.model_copy(update={"caption": e.caption.replace("of this pattern", whose)})
    told_of = finding.model_copy(update={"evidence": (own, *finding.evidence[1:])})
    assert admit(own.caption, ["E1"], told_of).verbatim
    assert admit(f"The verdict rests on 240 calibration cases {whose}.", ["E1"], told_of).verbatim
    assert not admit(f"The verdict rests on 240 calibration cases {other}.", ["E1"], told_of).verbatim


@pytest.mark.parametrize("valid", [True, False])
@pytest.mark.parametrize("said", ["anomalous", "normal", "no verdict"])
@pytest.mark.parametrize("missing", ["", "readings of motor_current (10 % of rows)"])
def test_every_verdict_that_is_written_is_read(valid, said, missing):
    pattern, note = ("image",), "it may itself be the fault: look at it" if missing or not valid else ""
    rate = Guarantee(
        rate=0.05, size=99, interval=(0.02, 0.09), pattern=pattern, valid=valid, note=note, missing=missing
    )
    p_value = 0.01 if said == "anomalous" else 0.5
    found = Finding(case_id="a-1", verdict=said, score=3, p_value=p_value, group="m 7", parts=(), guarantee=rate)
    e = verdict(found).numbered(1, None)
    assert admit(e.caption, ["E1"], found.model_copy(update={"evidence": (e,)})).verbatim, e.caption
    claims = claims_of(e, "a-1")
    assert ("readings missing" in {c.frame for c in claims}) is bool(missing)
