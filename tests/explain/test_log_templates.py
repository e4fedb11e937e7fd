"""Templates of log lines: what is learned from normal lines, what is said of a line, how it is kept."""

import pytest

from mmdmad.errors import ModelError
from mmdmad.explain import log_templates, text
from mmdmad.explain.log_lines import followed
from mmdmad.explain.log_templates import MAX_VALUES, Match, Templates, words_of
from mmdmad.explain.maps import Span
from mmdmad.explain.text_normal import TextNormal
from mmdmad.parts import Text
from tests.explain.normal_texts import normal_of

NORMAL = [f"10:{i:02d} session {'opened' if i % 2 else 'closed'} for user anna on port {9000 + i}" for i in range(40)]
NORMAL += [f"10:{i:02d} disk ok" for i in range(30)]


def learned(lines=NORMAL):
    known = Templates()
    for line in lines:
        known.add(line)
    return known


def test_lines_that_differ_in_some_words_are_one_template_and_others_are_not():
    known = learned()
    assert [one.text for one in known._all()] == ["<*> session <*> for user anna on port <*>", "<*> disk ok"]
    assert [one.lines for one in known._all()] == [40, 30]
    assert known.n_lines == 70


def test_a_line_is_known_only_where_every_other_word_is_that_of_the_template():
    known = learned()
    match = known.match("23:59 session opened for user anna on port 1")
    assert match == Match("<*> session <*> for user anna on port <*>", 40, 70)
    assert known.match("23:59 session opened for user eve on port 1") == Match(
        "<*> session opened for user eve on port <*>", 0, 70
    )
    assert known.match("23:59 disk") == Match("<*> disk", 0, 70)  # another number of words
    assert known.match("  ") is None


def test_a_value_is_new_only_where_the_place_had_few():
    known = learned()
    found = known.match("23:59 session hijacked for user anna on port 1")
    assert (found.value, found.place, found.others) == ("hijacked", 3, 2)
    assert (found.lines, found.template) == (40, "<*> session <*> for user anna on port <*>")
    assert known.match("23:59 session opened for user anna on port 77777").value == ""  # forty ports: any may follow
    few = learned([f"valve {name} shut by the pump" for name in ("a", "b", "c")] * 5)
    assert few.match("valve d shut by the pump").value == ""  # 15 lines of three values say too little of a fourth
    more = learned([f"valve {name} shut by the pump" for name in ("a", "b", "c")] * 10)
    assert more.match("valve d shut by the pump").value == "d"


def test_the_template_with_most_words_is_the_one_that_is_named():
    known = learned(["a b c d e", "a b c x f", "a b y x x", "a b z x x"])
    assert [one.text for one in known._all()] == ["a b c <*> <*>", "a b <*> x x"]
    assert known.match("a b c x x").template == "a b <*> x x"
    assert known.match("a b c x y").template == "a b c <*> <*>"


def test_prose_is_no_log():
    assert learned().tells
    assert not learned(NORMAL[:19]).tells
    assert not learned([f"{'word ' * i} once and never again" for i in range(30)]).tells


def test_what_is_kept_is_bounded_and_then_nothing_is_called_new(monkeypatch):
    known = learned([f"only {'x ' * i}" for i in range(4)])
    assert (known.full, known.match("another line").lines) == (False, 0)
    monkeypatch.setattr(log_templates, "MAX_TEMPLATES", 3)
    full = learned([f"only {'x ' * i}" for i in range(4)])
    assert full.full
    assert len([*full._all()]) == 3
    assert full.match("another line") is None
    assert full.match("only x").lines == 1
    assert full.n_lines == 4
    monkeypatch.setattr(log_templates, "MAX_TEMPLATES", 99)
    monkeypatch.setattr(log_templates, "MAX_COMPARED", 2)
    assert learned(["a b c", "a d e", "a f g"]).full
    assert len(words_of("w " * 999)) == log_templates.MAX_WORDS
    assert words_of("w" * 999) == ["w" * log_templates.MAX_LENGTH]


def test_a_place_keeps_few_values():
    some = learned([f"go to room {i}" for i in range(MAX_VALUES)] * 10)
    assert some.match("go to room 99").value == "99"
    assert learned([f"go to room {i}" for i in range(MAX_VALUES + 1)] * 10).match("go to room 99").value == ""


def test_templates_are_kept_with_the_model_and_read_without_trust():
    normal = normal_of("\n".join(NORMAL))
    _, values = normal.state()
    again = TextNormal()
    again.set_state({}, values)
    assert again.state() == normal.state()
    line = "1:00 session hijacked for user anna on port 3"
    assert again.log.match(line) == normal.log.match(line)
    old = TextNormal()
    old.set_state({}, {name: value for name, value in values.items() if name != "log"})
    assert not old.log.tells
    assert "log" not in normal_of("a text", "and another").state()[1]
    for wrong in (
        {"values": {"0": ["a"]}}, {"lines": 0}, {"words": []}, {"words": ["w" * 99]}, {"words": [" "], "values": {}},
        {"lines": 999},
    ):  # fmt: skip
        log = {**values["log"], "templates": [{**values["log"]["templates"][0], **wrong}]}
        with pytest.raises(ModelError):
            TextNormal().set_state({}, {**values, "log": log})


def said_of(line, *others, normal=None):
    whole = "\n".join((line, *others))
    spans = [Span(0.0, float(len(line)), 2.0)]
    (first, *_) = text.evidence(spans, Text(whole), normal_of("\n".join(NORMAL)) if normal is None else normal)
    return first


def test_evidence_says_what_a_line_follows():
    said = said_of("9:59 session hijacked for user anna on port 7").caption
    assert said.endswith(
        "40 of 70 normal lines follow its template “<*> session <*> for user anna on port <*>”, none with “hijacked” "
        "as word 3."
    )
    new = said_of("9:59 fan stopped", "9:58 disk ok", "10:00 fan stopped")
    assert new.caption.endswith(
        "its template “<*> fan stopped” is new: none of 70 normal lines follows it, 2 lines of this text do."
    )
    facts = {f.name: f.value for f in new.facts}
    assert (facts["template"], facts["normal lines of the template"], facts["normal lines"]) == (
        "<*> fan stopped",
        0,
        70,
    )
    assert "template" not in said_of("disk ok", normal=normal_of("one thing", "and another")).caption


def test_lines_with_new_words_that_no_map_marks_have_their_template_too():
    whole = "9:58 disk ok\n9:59 fan burns"
    (said,) = text.evidence([], Text(whole), normal_of("\n".join(NORMAL)))
    assert "“fan” and “burns” occur in none of 1 normal texts" in said.caption
    assert said.caption.endswith("its template “<*> fan burns” is new: none of 70 normal lines follows it.")


def test_nothing_is_said_of_a_line_where_templates_were_left_out(monkeypatch):
    monkeypatch.setattr(log_templates, "MAX_TEMPLATES", 1)
    known = learned()
    assert followed("23:59 fan stopped", "23:59 fan stopped", known) is None
