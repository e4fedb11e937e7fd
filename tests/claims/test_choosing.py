"""A model chooses claims: ids are all that is read of it, joins are checked, code writes the words."""

import pytest
from pydantic import ValidationError

from mmdmad.claims.choosing import MOST, Chosen, menu, note, read_choice, schema
from mmdmad.claims.looks import LOOKS, looks_of
from mmdmad.claims.making import claims_of_finding
from mmdmad.claims.render import clause, fits


def chosen(*pairs):
    return [Chosen(claim=claim, join=join) for claim, join in pairs]


@pytest.fixture(scope="module")
def sensor(by_lead):
    finding = by_lead["sensor"]
    claims = claims_of_finding(finding)
    return finding, claims, looks_of(claims), {c.frame: c for c in claims}


def test_ids_are_written_by_code_and_joined_as_they_allow(sensor):
    _, claims, _, by_frame = sensor
    shift, frozen, flagged = by_frame["shift"], by_frame["frozen"], by_frame["flagged"]
    found = note(chosen((flagged.id, "none"), (shift.id, "none"), (frozen.id, "while")), claims)
    assert found.refused == ()
    assert found.text == (
        f"{clause(flagged).capitalize()[:5]}{clause(flagged)[5:]}. Channel{clause(shift)[7:]}, while {clause(frozen)}."
    )
    assert [[c.id for c in own] for _, own in found.sentences] == [[flagged.id], [shift.id, frozen.id]]


def test_a_join_that_does_not_hold_begins_a_new_sentence_and_is_named(sensor):
    _, claims, _, by_frame = sensor
    shift, frozen, flagged = by_frame["shift"], by_frame["frozen"], by_frame["flagged"]
    late, early = sorted((shift, frozen), key=lambda c: -c.span[0])
    found = note(chosen((late.id, "none"), (early.id, "then")), claims)
    assert ", then" not in found.text
    assert len(found.sentences) == 2
    assert found.refused == (f'{early.id}: "then" needs a later start',)
    assert fits("then", early, late) == ""
    assert fits("but", shift, frozen) == '"but" needs two sides that differ'
    assert fits("while", flagged, shift) == '"while" needs two claims with times'
    assert "allowed are" in fits("because", flagged, shift)


def test_but_needs_a_normal_and_an_unusual_side(sensor):
    _, claims, _, _ = sensor
    odd = next(c for c in claims if c.frame == "part odd")
    usual = next(c for c in claims if c.frame == "part usual")
    assert fits("but", odd, usual) == fits("but", usual, odd) == ""
    assert ", but the" in note(chosen((odd.id, "none"), (usual.id, "but")), claims).text


def test_spans_of_two_recordings_are_not_compared(sensor):
    from dataclasses import replace

    from mmdmad.findings import Fact

    shift, frozen = sensor[3]["shift"], sensor[3]["frozen"]
    other = replace(frozen, facts=(*frozen.facts, Fact(name="file", value="b.csv")))
    assert fits("while", shift, other) == '"while" needs times of one recording'


def test_what_there_is_not_is_named_and_nothing_is_told_twice(sensor):
    _, claims, _, _ = sensor
    found = note(chosen(("E99.1", "none"), ("E1.1", "none"), ("E1.1", "and")), claims)
    assert found.refused == ("E99.1: there is no such claim", "E1.1: chosen twice")
    assert len(found.sentences) == 1
    many = note(chosen(*((c.id, "none") for c in claims)), claims)
    assert sum(len(own) for _, own in many.sentences) == MOST


def test_ids_and_joins_are_read_and_nothing_else(sensor):
    assert [(c.claim, c.join) for c in read_choice("E1.1; e3.1 while E4.1\n- L1")] == [
        ("E1.1", "none"), ("E3.1", "none"), ("E4.1", "while"), ("L1", "none"),
    ]  # fmt: skip
    for words in ("E1.1 is normal", "The case is fine [E1.1]", "", "and but", "E1.1 because E3.1", "E1.1 <b>"):
        assert read_choice(words) is None, words


def test_a_model_is_bound_to_the_ids_that_there_are(sensor):
    _, claims, looks, _ = sensor
    form = schema(claims, looks)
    one = form.model_json_schema()["$defs"]["ChosenClaim"]["properties"]
    assert one["claim"]["enum"] == [i for i, _ in menu(claims, looks)]
    assert set(one["join"]["enum"]) == {"none", "and", "also", "then", "while", "but"}
    assert form.model_validate({"chosen": [{"claim": "E1.1"}]})
    with pytest.raises(ValidationError):
        form.model_validate({"chosen": [{"claim": "the case is normal"}]})


def test_what_to_look_at_next_is_of_a_checked_list(sensor):
    _, claims, looks, by_frame = sensor
    words = [look.written() for look in looks]
    shift = by_frame["shift"]
    when = f"from {shift.span[0]:g} s to {shift.span[1]:g} s"
    assert f"Look next at channel motor_current {when}." in words
    assert len({*words}) == len(words)
    assert all(look.kind in LOOKS for look in looks)
    assert any("als Nächstes Kanal motor_current" in look.written("de").lower().replace("nächstes", "Nächstes")
               .replace("kanal", "Kanal") for look in looks)  # fmt: skip
    told = note(chosen((shift.id, "none"), (looks[0].id, "none")), claims, looks)
    assert told.text.endswith(looks[0].written())
    assert "E1" not in {i for look in looks for c in look.claims for i in c.evidence}  # a verdict shows nowhere


def test_a_claim_that_leans_comes_after_the_first_of_its_evidence(sensor):
    _, claims, _, by_frame = sensor
    shift, frozen, hold = by_frame["shift"], by_frame["frozen"], by_frame["longest normal hold"]
    found = note(chosen((shift.id, "none"), (hold.id, "none")), claims)
    assert [c.id for _, own in found.sentences for c in own] == [shift.id, frozen.id, hold.id]
    parted = note(chosen((frozen.id, "none"), (shift.id, "none"), (hold.id, "none")), claims)
    assert parted.refused == (f"{hold.id}: it belongs beside {frozen.id}",)
    assert note(chosen((frozen.id, "none"), (hold.id, "and")), claims).refused == ()
