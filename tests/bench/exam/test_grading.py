"""The graders of the `investigate` suite can say no: wrong, empty and say-everything answers fail."""

import re

import numpy as np
import pytest

from mmdmad.bench.exam import grading as g
from mmdmad.bench.exam.questions import FRESH, HELD_OUT, OPEN


@pytest.mark.parametrize(
    ("grader", "right", "wrong"),
    [
        (g.count(3), "There are 3 flagged cases from 08:00.", "There are 4, of which 3 lack a part."),
        (g.count(0), "There are no flagged cases.", "There are 2."),
        (g.first_case("test-00002"), "test-00002 is worse than test-00001.", "test-00001 is worse than test-00002."),
        (g.names_cases(["test-00001"]), "Only test-00001.", "test-00001 and test-00002."),
        (g.first_part({"sensor"}), "The sensor carries most, then the image.", "Image, text, sensor or video."),
        (g.first_of({"load"}, ("load", "humidity")), "load drifts", "humidity drifts, load does not"),
        (g.verdict("test-00001", "normal"), "test-00001 is judged normal.", "test-00001 is flagged as anomalous."),
        (g.verdict("test-00001", "normal"), "test-00001 is not flagged.", "test-00001 is not normal."),
        (
            g.verdict("test-00001", "anomalous"),
            "Case test-00001 is flagged as anomalous.\nThe image part looks normal.",
            "Case test-00001 is flagged as anomalous, test-00001 is normal.",
        ),
        (g.number(0.0123), "p-value 0.0123", "p-value 0.0213"),
        (g.number(5, "%"), "a rate of 5 %", "5 cases"),
        (g.overlaps(1.0, 1.5), "from 0.9 s to 1.6 s", "from 2.2 s to 3 s"),
        (g.overlaps(1.0, 1.2), "at 1.1 s", "from 0 s to 4 s"),
        (g.place((10, 10, 30, 30), 160), "at upper left", "at lower left"),
        (g.place((70, 70, 90, 90), 160), "in the centre", "at left"),
        (g.quotes("belt tension too low"), "line 2: “the belt tension is low”", "“pump warm”"),
        (g.contains("09:15"), "recorded at 09:15:02", "recorded at 09:51"),
        (g.declined, "I cannot answer that.", "It costs 300 euros."),
        (g.declined, "I do not know the price.", "I cannot say, but it is the bearing [test-00001: E3]."),
    ],
)
def test_graders(grader, right, wrong):
    assert grader(right)
    assert not grader(wrong)
    assert not grader("")


def test_held_out_wordings_are_others():
    assert set(OPEN) == set(HELD_OUT)
    for kind in OPEN:
        assert not set(OPEN[kind]) & set(HELD_OUT[kind])
        assert all(t.count("|") == (kind.startswith("follow")) for t in (*OPEN[kind], *HELD_OUT[kind]))


def test_unseen_wordings_ask_the_same_questions_about_the_same_things():
    from mmdmad.bench.exam.asked import ASKED
    from mmdmad.bench.exam.questions_unseen import UNSEEN

    def filled(texts):
        return {name for t in texts for name in re.findall(r"{(\w+)}", t)}

    assert set(UNSEEN) == set(ASKED)
    for kind, texts in UNSEEN.items():
        assert kind == "unanswerable" or filled(texts) == filled(OPEN[kind])
        assert not set(texts) & {*OPEN[kind], *HELD_OUT.get(kind, ()), *FRESH.get(kind, ())}


def test_forty_questions_of_which_two_cannot_be_answered():
    from mmdmad.bench.exam.asked import ASKED

    assert sum(ASKED.values()) == 40
    assert ASKED["unanswerable"] == 2
    assert set(ASKED) <= set(OPEN)
    assert np.all([n >= 1 for n in ASKED.values()])
