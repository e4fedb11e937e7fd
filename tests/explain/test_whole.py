"""What is said of looks at a part as a whole."""

from types import SimpleNamespace

import pytest

from mmdmad.explain.whole import evidence
from mmdmad.pipeline.whole import LOOKS


def judged(**views):
    return SimpleNamespace(modality="image", views=views)


def test_only_what_is_beyond_the_usual_is_said():
    assert evidence(judged()) == []
    assert evidence(judged(look=(2.0, 2.0), letters=(9.0, 1.0))) == []
    (one,) = evidence(judged(look=(3.0, 2.0), summary=(1.0, 2.0)))
    said = "The image as a whole has another look than normal ones: "
    assert one.caption == said + "its score is 1.5 times the level that 99 % of normal ones stay below."
    assert (one.kind, one.part) == ("whole", "image")
    assert {f.name: f.value for f in one.facts}["times the usual"] == 1.5


def test_the_furthest_is_said_first_and_each_in_its_own_words():
    found = evidence(judged(whole=(3.0, 2.0), look=(8.0, 2.0), summary=(5.0, 2.0)))
    assert [one.facts[1].value for one in found] == ["look", "summary", "whole"]
    assert len({one.caption.split(":")[0] for one in found}) == len(LOOKS)


@pytest.mark.parametrize("views", [(1.0, -1.0), (1.0, 0.0), (1.02, 1.0)])
def test_no_ratio_is_told_where_there_is_none(views):
    (one,) = evidence(judged(summary=views))
    assert one.caption == "The image as a whole is unlike normal ones: 99 % of normal ones stay below its score."


def test_beyond_a_thousand_times_no_figure_is_told():
    (one,) = evidence(judged(summary=(5000.0, 1.0)))
    assert one.caption == "The image as a whole is unlike normal ones; normal ones are nearly all alike."
