"""Tokens, numbers, times and patterns: what is read is what was said, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdmad.claims.numbers import matches, written
from mmdmad.claims.patterns import compiled, ends
from mmdmad.claims.slots import Listing, Name, Number, Pair, Time
from mmdmad.claims.tokens import names_of, tokens
from mmdmad.explain.words import rounded

VALUES = st.floats(1e-4, 1e6).map(rounded)
UNITS = st.sampled_from(["", "A", "m/s", "°C", "%", "s", "px/s", "N·m"])


def says(text, value, unit="", language="en"):
    given_tokens = tokens(text)
    return len(given_tokens) in {*matches(given_tokens, 0, value, unit, language)}


def reads(slot, text, language="en"):
    given_tokens = tokens(text)
    return len(given_tokens) in {*slot.ends(given_tokens, 0, language)}


def test_every_sign_is_a_token_but_commas_and_brackets():
    assert tokens("p = -0.5 (test-00039), “a|b” ½") == ["p", "=", "-0.5", "test", "00039", '"', "a", "|", "b", '"', "½"]
    assert tokens("2026-03-02 at 06:39:32.") == ["2026-03-02", "at", "06:39:32", "."]
    assert names_of("Motor_current") == ["motor", "current"]


@given(VALUES, UNITS, st.sampled_from(["en", "de"]))
def test_what_is_written_is_read(value, unit, language):
    assert says(written(value, unit, language), value, unit, language)


@given(VALUES, UNITS, st.floats(0.11, 5.0), st.sampled_from([-1, 1]))
def test_another_number_is_not_read(value, unit, share, side):
    other = rounded(value * (1 + side * share))
    if abs(other - value) > 0.1 * value * 1.001:
        assert not says(written(other, unit), value, unit)
        assert not says(f"about {written(other, unit)}", value, unit)


@given(VALUES, st.sampled_from([("A", "V"), ("m/s", "m"), ("s", "m"), ("°C", "%"), ("A", "mA")]))
def test_another_unit_or_none_is_not_read(value, units):
    own, other = units
    assert not says(written(value), value, own)
    assert not says(f"{written(value)} {other}", value, own)
    assert not says(f"-{written(value, own)}", value, own)


@pytest.mark.parametrize(
    ("text", "value", "unit", "held"),
    [
        ("1300 ms", 1.3, "s", True),
        ("41 percent", 41.2, "%", True),
        ("0.41", 41.2, "%", True),
        ("41", 41.2, "%", False),
        ("almost four", 3.74, "", True),
        ("twice", 3.74, "", False),
        ("more than 10 kg", 10.5, "kg", True),
        ("almost 11 kg", 10.5, "kg", True),
        ("almost 12 kg", 10.5, "kg", False),
        ("almost 98 %", 87.9, "%", False),
        ("almost 100 %", 87.9, "%", False),
        ("over 50 %", 53.4, "%", True),
        ("over 40 %", 53.4, "%", False),
        ("almost 0.02", 0.0199, "", True),
        ("almost 0.022", 0.0199, "", False),
        ("more than 11 kg", 10.5, "kg", False),
        ("more than 3 kg", 10.5, "kg", False),
        ("at most 44.2 %", 44.2, "%", True),
        ("Ⅻ", 12, "", False),
        ("½ A", 0.5, "A", False),
        ("five", 5, "", True),
        ("six", 5, "", False),
        ("95", 95, "", True),
        ("94", 95, "", False),
        ("1,230 A", 1230.0, "A", True),
    ],
)
def test_numbers_by_hand(text, value, unit, held):
    assert says(text, value, unit) is held


def test_german_numbers_have_a_comma():
    assert says("0,0588 m/s", 0.0588, "m/s", "de")
    assert says("1.230 A", 1230.0, "A", "de")
    assert not says("0.0588 m/s", 0.0588, "m/s", "de")
    assert not says("0,0588 m/s", 0.0588, "m/s")


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("from 1.3 s to 4 s", True),
        ("from 1.3 to 4 s", True),
        ("between 1.3 s and 4 s", True),
        ("after 1.3 seconds", True),
        ("from 1.3 s on", False),
        ("from 1.3 s onwards", False),
        ("from 1.3 s", False),
        ("at 1.3 s", False),
        ("from 4 s to 1.3 s", False),
        ("from 1.3 to 4", False),
        ("from 1.3 min to 4 min", False),
        ("from 2.3 s to 4 s", False),
    ],
)
def test_times_by_hand(text, held):
    assert reads(Time(1.3, 4.0), text) is held


def test_a_time_is_written_and_read_with_file_frames_and_clock():
    full = Time(12_250, 12_265, "pump.csv", ("2026-03-03 09:24:10", "2026-03-03 09:24:25"), (3, 9))
    words = "from 3 h 24 min 10 s to 3 h 24 min 25 s of pump.csv (frames 3 to 9) (2026-03-03 09:24:10 to 09:24:25)"
    assert full.written("en") == words
    assert reads(full, words)
    assert not reads(full, words.replace("pump", "fan"))
    assert not reads(full, words.replace("09:24:25", "09:24:35"))
    assert full.written("de").startswith("von 3 h 24 min 10 s bis 3 h 24 min 25 s von pump.csv")


def test_pairs_and_lists():
    size, names = Pair(Number(30, "px"), Number(40, "px"), size=True), Listing((Name("image"), Name("text")))
    assert reads(size, "30 by 40 pixels")
    assert not reads(size, "40 by 30 pixels")
    assert not reads(size, "30 by 40")
    assert reads(names, "text and image")
    assert not reads(names, "text")
    assert names.written("de") == "image und text"


def test_a_pattern_matches_whole_or_not():
    slots = {"n": Number(3, ""), "a": Name("belt_speed")}
    pattern = compiled("{a} (falls|drops) [slowly] <by {n};twice>")

    def whole(text):
        given_tokens = tokens(text)
        return any(end == len(given_tokens) for end, _ in ends(pattern, given_tokens, 0, slots, "en"))

    assert whole("belt speed falls")
    assert whole("belt_speed drops slowly twice by 3")
    assert not whole("belt speed falls by 4")
    assert not whole("belt speed never falls")
    assert not whole("belt speed falls twice twice")
    for wrong in ("(a", "a)", "[a", "<a"):
        with pytest.raises(ValueError, match=r"without its other half|is missing"):
            compiled(wrong)
