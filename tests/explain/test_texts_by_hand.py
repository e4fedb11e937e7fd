"""What is said of texts written by hand: lines, words that no normal text has, words that carry a line."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from mmdmad.explain import occlusion, text, text_normal
from mmdmad.explain.maps import Span
from mmdmad.explain.occlusion import Carried, carrying
from mmdmad.explain.text_normal import TextNormal
from mmdmad.explain.words import Draft, direction, draft, fact, joint_score, place, quoted, rounded
from mmdmad.findings import Evidence
from mmdmad.parts import Text
from mmdmad.tokens import Layout
from tests.explain.normal_texts import normal_of as known

LINES = "unit 4 leaves\n\nsmoke near belt\nall fine"
FIRST, SECOND, THIRD = Span(0, 13, 0.5), Span(15, 30, 0.6), Span(31, 39, 0.4)


USUAL = ("unit 7 leaves\nbelt near unit 3\nall fine", "unit 8 leaves\nall fine")


def facts(said):
    return {f.name: f.value for f in said.facts}


def captions(spans, whole=LINES, normal=None, found=()):
    return [d.caption for d in text.evidence(spans, Text(whole), known(*USUAL) if normal is None else normal, found)]


def hot(span, peak=2.0):
    return Span(span.start, span.stop, peak)


def test_normal_texts_are_counted_by_word_and_by_kind_of_line():
    normal = known("Unit 7 leaves\nunit 8  leaves \n\nunit", "belt at 3.5 m/s")
    assert normal.n_texts == 2
    assert normal.words == {"unit": 1, "leaves": 1, "belt": 1, "at": 1, "m": 1, "s": 1}
    assert normal.templates == {"unit # leaves": 1, "unit": 1, "belt at # m/s": 1}
    arrays, values = normal.state()
    assert (arrays, values) == ({}, {"words": normal.words, "templates": normal.templates, "n_texts": 2})
    again = TextNormal()
    assert (again.words, again.templates, again.n_texts) == ({}, {}, 0)
    again.set_state({}, values)
    assert again.state() == normal.state()
    assert text_normal.template(" A 1:20,5  b\tc 7 ") == "a # b c #"
    assert text_normal.words_of("It's a B-2 Über_x") == ["it's", "a", "b", "über", "x"]


def test_only_the_commonest_words_and_lines_are_kept(monkeypatch):
    monkeypatch.setattr(text_normal, "MAX_WORDS", 2)
    monkeypatch.setattr(text_normal, "MAX_TEMPLATES", 1)
    normal = known("a\nb", "b c", "c b")
    assert normal.words == {"b": 3, "c": 2}
    assert len(normal.templates) == 1


def judged(where, scores, kind="spans", **other):
    layout = Layout(kind, (len(where),), where=np.array(where, float))
    plain = {"layout": layout, "token_scores": np.array(scores, float), "scale": (1.0, 3.0), "again": None}
    return SimpleNamespace(**plain | {"views": {}} | other)


def test_a_look_gives_the_spans_inside_the_text_on_the_fixed_scale():
    whole = "0123456789"
    where = [(0, 4), (4, 9), (9, 11), (-1, 3), (3, 3), (0, 9), (0, 10), (1, 10)]
    found = text.look(judged(where, [1, 3, 5, 5, 5, 5, 5, 5]), whole)
    assert found == [Span(0.0, 4.0, 0.0), Span(4.0, 9.0, 1.0)]  # nine tenths and more are no place
    assert text.look(judged([(0, 10)], [5]), whole) == [Span(0.0, 10.0, 2.0)]
    assert text.look(judged([(0, 9), (1, 10)], [5, 3]), whole) == [Span(0.0, 9.0, 2.0), Span(1.0, 10.0, 1.0)]
    assert text.look(judged([(0, 4)], [5]), "") == []
    assert text.look(judged([(0, 4)], [5], kind="steps"), whole) == []


def test_a_line_that_stands_out_is_said_with_what_is_new_about_it():
    (said,) = text.evidence([FIRST, hot(SECOND, 1.25), THIRD], Text(LINES), known(*USUAL))
    assert said.caption == (
        "Line 3 stands out: “smoke near belt” (characters 15 to 29); the word “smoke” occurs in none of 2 normal texts."
    )
    assert facts(said) == {
        "line": 3, "first character": 15, "last character": 29, "quote": "smoke near belt",
        "peak on the map scale": 1.25, "never seen": "“smoke”", "count": 1, "normal texts": 2,
    }  # fmt: skip
    assert (said.kind, said.part) == ("words", "text")
    assert captions([Span(0, 13, 2.0)])[0] == "Line 1 stands out: “unit 4 leaves” (characters 0 to 12)."
    new = known("unit 7 leaves\nbelt smoke near unit 3\nall fine")
    assert captions([hot(SECOND)], normal=new) == [
        "Line 3 stands out: “smoke near belt” (characters 15 to 29); none of 1 normal texts has such a line."
    ]
    part = captions([Span(15, 25, 2.0)], normal=new)  # no whole line: it has no kind
    assert part == ["Line 3 stands out: “smoke near” (characters 15 to 24)."]
    assert captions([hot(SECOND)], normal=TextNormal()) == [
        "Line 3 stands out: “smoke near belt” (characters 15 to 29)."
    ]


def test_a_line_stands_out_above_one_and_the_three_hottest_are_said():
    spans = [Span(i, i + 1, peak) for i, peak in enumerate((1.0, 1.5, 3.0, 1.25, 2.0))]
    assert [s.peak for s in text._hottest(spans)] == [3.0, 2.0, 1.5]
    assert text._hottest([Span(0, 1, 1.0)]) == []
    assert [c[:6] for c in captions([hot(FIRST, 1.5), hot(THIRD, 3.0)])] == ["Line 4", "Line 1", "In lin"]


def test_lines_of_new_words_are_said_beside_as_many_as_make_three():
    whole = "aa bb\ncc dd ee\nff\nunit\ngg hh"
    assert captions([], whole) == [
        "In line 2, “cc dd ee” (characters 6 to 13), the words “cc”, “dd” and “ee” occur in none of 2 normal texts.",
        "In line 1, “aa bb” (characters 0 to 4), the words “aa” and “bb” occur in none of 2 normal texts.",
        "In line 5, “gg hh” (characters 23 to 27), the words “gg” and “hh” occur in none of 2 normal texts.",
    ]
    said = captions([Span(6, 14, 2.0), Span(0, 5, 0.5)], whole)
    assert [c.split("“")[0] for c in said] == ["Line 2 stands out: ", "In line 1, ", "In line 5, "]
    touching = captions([Span(0, 6, 2.0)], whole)  # ends where line 2 begins
    assert [c.split("“")[0] for c in touching] == ["Line 1 stands out: ", "In line 2, ", "In line 5, "]
    within = captions([Span(13, 16, 2.0)], whole)  # the last letter of line 2 to the first of line 3
    assert [c.split("“")[0] for c in within] == ["Line 2 stands out: ", "In line 1, ", "In line 5, "]
    (said,) = text.evidence([], Text("aa bb"), known(*USUAL))
    assert facts(said) == {
        "line": 1, "first character": 0, "last character": 4, "quote": "aa bb", "never seen": "“aa” and “bb”",
        "count": 2, "normal texts": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("aa", "the word “aa” occurs"),
        ("aa bb", "the words “aa” and “bb” occur"),
        ("aa bb cc dd ee ff", "the words “aa”, “bb”, “cc”, “dd”, “ee” and “ff” occur"),
        ("aa bb cc dd ee ff gg", "7 words, among them “aa”, “bb”, “cc”, “dd”, “ee” and “ff”, occur"),
    ],
)
def test_new_words_are_counted_and_six_of_them_named(words, said):
    (caption,) = captions([], words)
    assert caption.endswith(f"), {said} in none of 2 normal texts.")


def test_where_no_line_stands_out_the_least_usual_is_said():
    plain = "unit 4 leaves\nall fine"
    spans = [Span(0, 13, 0.5), Span(14, 22, 1.0)]
    (said,) = text.evidence(spans, Text(plain), known(*USUAL))
    assert said.caption == "No single line of the text stands out; the least usual is line 2: “all fine”."
    assert facts(said) == {"line": 2, "first character": 14, "last character": 21, "quote": "all fine"}
    assert captions([], plain) == []


def test_of_a_text_of_one_line_no_other_lines_are_spoken_of():
    said = captions([Span(0, 13, 0.2)], "unit 4 leaves\n")
    assert said == ["The one line of the text does not stand out by itself: “unit 4 leaves”."]
    assert captions([Span(0, 13, 0.2)], "unit 4 leaves\nall fine")[0].startswith(
        "No single line of the text stands out"
    )


def test_new_words_are_whole_words_of_more_than_one_letter_each_once():
    normal = known("unit leaves")
    assert text._unseen("Unit x Smoke smoke fire 8aff 12b Fire", normal) == ["smoke", "fire"]
    assert text._unseen("smoke", TextNormal()) == []
    spans = text._unseen_spans(Span(5, 23, 2.0), "unit Smoke, unit smoke x", normal)
    assert spans == [Span(5.0, 10.0, 2.0), Span(17.0, 22.0, 2.0)]


def test_the_lines_of_a_text_are_those_that_hold_something():
    assert text._lines("ab\n \n\ncd ") == [Span(0.0, 2.0, 0.0), Span(6.0, 9.0, 0.0)]
    assert text._is_line(Span(6, 8, 1.0), "ab\n \n\ncd ")
    assert not text._is_line(Span(6, 7, 1.0), "ab\n \n\ncd ")


def test_marks_are_new_words_and_those_that_carry_in_reading_order():
    carried = Carried((Span(4.0, 6.0, 3.0), Span(0.0, 2.0, 3.0)), 3.0, 0.5)
    spans = [Span(0, 11, 2.0)]
    found = text.marks(spans, "aa bb smoke\nfire", known("aa bb"), [carried])
    assert found == [Span(0.0, 2.0, 3.0), Span(4.0, 6.0, 3.0), Span(6.0, 11.0, 2.0), Span(12.0, 16.0, 0.0)]
    assert text.marks([], "", known("a")) == []
    assert text.heats([Span(4.0, 6.0, 1.23456), Span(0.0, 2.0, 0.0)]) == [
        {"start": 4, "stop": 6, "heat": 1.235}, {"start": 0, "stop": 2, "heat": 0.0},
    ]  # fmt: skip


def test_words_that_carry_a_line_are_said_with_their_places():
    whole = "all fine\nsmoke near belt"
    found = Carried((Span(9.0, 14.0, 3.25), Span(20.0, 24.0, 3.25)), 3.25, 0.125)
    said = text.evidence([], Text(whole), known("all fine smoke near belt"), [found])[0]
    assert said.caption == ("Without “smoke” and “belt”, line 2 would score 0.125 instead of 3.25 on the map scale.")
    assert facts(said) == {
        "line": 2, "words": "“smoke” and “belt”", "peak on the map scale": 3.25, "without them on the map scale": 0.125,
        "first character 1": 9, "last character 1": 13, "first character 2": 20, "last character 2": 23,
    }  # fmt: skip


def test_where_normal_lines_are_all_alike_no_figure_of_the_map_scale_is_said():
    for peak, without, told in (
        (1000.0, 0.5, "0.5 instead of 1000 on the map scale."),
        (40_000.0, 0.5, "0.5 instead of 1000 or more on the map scale; normal ones are nearly all alike."),
        (40_000.0, 2000.0, "far lower; normal ones are nearly all alike."),
    ):
        carried = Carried((Span(0.0, 5.0, peak),), peak, without)
        (said,) = text.evidence([], Text("smoke near belt"), known("smoke near belt"), [carried])
        assert said.caption == f"Without “smoke”, line 1 would score {told}"


def test_the_hottest_lines_are_asked_for_the_words_that_carry_them():
    def again(pieces):
        return np.array([9.0 if "smoke" in piece or "all" in piece else 1.0 for piece in pieces])

    part = judged([(0, 1)], [0], again=again)
    (second,) = text.carried(part, [FIRST, SECOND, THIRD], LINES)  # none above 1: the highest
    assert second == Carried((Span(15.0, 20.0, 4.0),), 4.0, 0.0)
    both = text.carried(part, [hot(FIRST), hot(THIRD, 5.0), hot(SECOND, 3.0)], LINES)
    assert [one.words[0].start for one in both] == [31.0, 15.0]  # the hottest line first, one without such words not
    assert text.carried(part, [], LINES) == []
    assert text.carried(judged([(0, 1)], [0]), [SECOND], LINES) == []


@pytest.mark.parametrize(("distance", "said"), [(0.25, False), (0.2501, True)])
def test_letters_are_said_beyond_their_usual_distance(distance, said):
    found = text.letters(judged([(0, 1)], [0], views={"letters": (distance, 0.25)}))
    assert bool(found) == said
    assert text.letters(judged([(0, 1)], [0])) == []
    (one,) = text.letters(judged([(0, 1)], [0], views={"letters": (0.5, 0.25)}))
    assert one.caption == (
        "The letters of the text are at a distance of 0.5 from the normal texts most like it; usual is a distance "
        "of at most 0.25 (0 is a copy, 1 nothing in common)."
    )
    assert facts(one) == {
        "distance of letters": 0.5, "usual distance of letters": 0.25,
        "share of normal texts within the usual distance": 99,
    }  # fmt: skip
    assert (one.kind, one.part, one.facts[2].unit) == ("words", "text", "%")


def scored(table):
    """Scores by the set of words that are left; the words of a piece are asked for in any order."""

    def again(pieces):
        return np.array([table["".join(sorted(piece.split()))] for piece in pieces], float)

    return again


def carries(table, piece="a b c", scale=(0.0, 1.0)):
    return carrying(Span(0, len(piece), 0.0), piece, scored(table), scale)


def test_words_are_taken_out_while_the_line_is_above_one():
    two = {"abc": 4, "bc": 1.5, "ac": 3, "ab": 3, "c": 0.25, "b": 1.2}
    assert carries(two) == Carried((Span(0.0, 3.0, 4.0),), 4.0, 0.25)  # a and b stand side by side
    one = {"abc": 4, "bc": 1.0, "ac": 3, "ab": 3, "c": 0.1, "b": 0.1}
    assert carries(one) == Carried((Span(0.0, 1.0, 4.0),), 4.0, 1.0)  # not above one any more
    low = {"abc": 0.5, "bc": 0.4, "ac": 0.2, "ab": 0.5}
    assert carries(low) == Carried((Span(2.0, 3.0, 0.5),), 0.5, 0.2)  # the first word is looked for on any line
    scaled = {k: 1 + 2 * v for k, v in one.items()}
    assert carries(scaled, scale=(1.0, 3.0)) == carries(one)


@pytest.mark.parametrize(("without", "named"), [(4.0, True), (4.25, False)])
def test_each_word_lowers_the_score_by_a_fifth_of_the_whole(without, named):
    table = {"abc": 5, "bc": without, "ac": 5, "ab": 5, "c": without, "b": without}
    assert (carries(table) is not None) == named
    if named:
        assert carries(table) == Carried((Span(0.0, 1.0, 5.0),), 5.0, 4.0)


def test_a_line_of_one_word_or_without_a_score_has_no_such_words_and_one_word_is_left():
    assert carries({"a": 5}, "a") is None
    assert carries({"ab": 5, "b": 3, "a": 3}, "a b") == Carried((Span(0.0, 1.0, 5.0),), 5.0, 3.0)
    assert carries({"ab": 0, "b": -3, "a": -3}, "a b") is None
    assert carries({"ab": -1, "b": -3, "a": -3}, "a b") is None


def test_four_words_are_named_at_most():
    letters = "a b c d e f g h"
    found = carrying(
        Span(0, 15, 0.0), letters, lambda pieces: np.array([2.0 ** len(p.split()) for p in pieces]), (0.0, 1.0)
    )
    assert found == Carried((Span(0.0, 3.0, 256.0),), 256.0, 64.0)  # a third would lower it by an eighth only
    found = carrying(
        Span(0, 15, 0.0),
        letters,
        lambda pieces: np.array([1.5 + 5.0 * len(p.split()) - 20 for p in pieces]),
        (0.0, 1.0),
    )
    assert found.words == (Span(0.0, 7.0, 21.5),)
    assert found.without == 1.5


def test_the_words_of_a_line_inside_a_text_keep_their_places():
    whole = "first line\nxx  alpha beta yy  gamma"

    def again(pieces):
        return np.array([6.0 - 2.0 * (3 - sum(w in piece for w in ("alpha", "beta", "gamma"))) for piece in pieces])

    found = carrying(Span(11, 35, 0.0), whole, again, (0.0, 1.0))
    assert found == Carried((Span(15.0, 25.0, 6.0), Span(30.0, 35.0, 6.0)), 6.0, 0.0)
    assert [whole[int(w.start) : int(w.stop)] for w in found.words] == ["alpha beta", "gamma"]


def test_neighbours_are_joined_after_a_word_that_stands_apart():
    def again(pieces):
        return np.array([9.0 - 3.0 * (3 - sum(w in piece for w in ("alpha", "beta", "gamma"))) for piece in pieces])

    found = carrying(Span(0, 22, 0.0), "alpha yy zz beta gamma", again, (0.0, 1.0))
    assert found == Carried((Span(0.0, 5.0, 9.0), Span(12.0, 22.0, 9.0)), 9.0, 0.0)


def test_a_line_without_words_is_joined_where_they_stood():
    assert occlusion._without(" a  bb c ", [(1, 2), (7, 8)]) == "bb"
    assert occlusion._without("a  bb \t c", [(3, 5)]) == "a c"
    assert occlusion._without("a bb c", [(5, 6), (0, 1)]) == "bb"


def test_up_to_48_words_are_tried_alone_and_more_in_48_groups():
    def units(n):
        return occlusion._units(" ".join("w" for _ in range(n)))

    assert units(48) == [(2 * i, 2 * i + 1) for i in range(48)]
    assert len(units(49)) == 48
    assert units(96) == [(4 * i, 4 * i + 3) for i in range(48)]
    cuts = [round(i * 60 / 48) for i in range(49)]
    assert units(60) == [(2 * a, 2 * b - 1) for a, b in pairwise(cuts)]


def test_a_draft_becomes_a_numbered_evidence():
    made = draft("part", "image", "the {big_part} is {p}.", [fact("big part", "lid"), fact("p", 0.5, "%")])
    assert made == Draft("part", "image", "The lid is 0.5 %.", (fact("big part", "lid"), fact("p", 0.5, "%")))
    assert made.numbered(7, "a/E7.png") == Evidence(
        id="E7", kind="part", part="image", caption=made.caption, facts=made.facts, artifact="a/E7.png"
    )
    assert draft("part", None, "", []).caption == ""
    assert fact("n", True).value == 1
    assert type(fact("n", np.float32(2.5)).value) is float
    assert (fact("n", 2).unit, fact("n", 2.5, "m").unit, fact("n", 2, "m").unit) == ("", "m", "m")


def test_scores_places_and_turns_at_their_borders():
    assert joint_score(1000.0) == "joint score 1e+03"
    assert joint_score(1000.5).startswith("joint score above 1000: normal cases are nearly all alike")
    assert joint_score(999.0) == "joint score 999"
    third = 1 / 3
    assert [place(third, third), place(2 / 3, 2 / 3), place(third - 1e-9, 0.5), place(2 / 3 + 1e-9, 0.5)] == [
        "centre", "centre", "upper centre", "lower centre",
    ]  # fmt: skip
    assert [place(0.5, third - 1e-9), place(0.5, 2 / 3 + 1e-9), place(0.0, 0.0)] == ["left", "right", "upper left"]
    assert direction(0.0, 0.0) == "right"
    assert quoted("x" * 119 + " y" * 9) == "x" * 119 + "…"
    assert rounded(0.00123456, 2) == 0.0012
