"""The suite of real streams: the order of its streams, and what it notes of them."""

import numpy as np
import pytest

from mmdmad.bench.drift_streams import Stretch, _machines, _text, listened
from mmdmad.bench.judged import Judged
from mmdmad.calibration.conformal import conformal_p_values
from mmdmad.cases import Case
from tests.bench.trees import make_trees


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_trees(tmp_path_factory.mktemp("data"))


def judged(scores: np.ndarray, labels: np.ndarray, calibration: np.ndarray) -> Judged:
    count = len(scores)
    p = conformal_p_values(scores, calibration, np.full(count, 0.5))
    cases = tuple(Case(f"c{i}", {}, label=int(label)) for i, label in enumerate(labels))
    size = np.full(count, len(calibration))
    return Judged(cases, scores, p, {"text": scores}, {"text": p}, np.zeros(count), 0, size)


def test_it_notes_when_the_test_speaks_and_how_many_were_flagged_before():
    rng = np.random.default_rng(0)
    calibration = rng.normal(size=150)
    scores = np.concatenate([rng.normal(size=150), rng.normal(size=150) + 1.2])
    labels = np.zeros(300, int)
    labels[::50] = 1
    made = judged(scores, labels, calibration)
    found = listened(made, {("text",): calibration}, made.labels >= 0)
    assert 150 < found["spoke_at"] < 250
    assert abs(found["began"] - 150) < 20
    assert found["rising"] == 1
    assert found["flagged_normals"] == (made.p_value[labels == 0] <= 0.05).mean()
    before = np.arange(300) < found["spoke_at"]
    assert found["flagged_before"] == (made.p_value[before & (labels == 0)] <= 0.05).mean() < found["flagged_normals"]
    assert (found["cases"], found["calibration"]) == (300, 150)
    quiet = listened(made, {("text",): calibration}, made.labels == 0)
    assert (quiet["cases"], quiet["odd"]) == (294, 0)
    still = listened(judged(scores[:150], labels[:150], calibration), {("text",): calibration}, labels[:150] >= 0)
    assert (still["spoke_at"], still["began"]) == (0, 0)


def test_a_drawn_stream_has_only_normal_cases_each_once():
    train = tuple(Case(f"a{i}", {}, label=0) for i in range(10))
    later = tuple(Case(f"b{i}", {}, label=i % 3 == 0) for i in range(30))
    drawn = Stretch("x", {}, train, later).drawn(0)
    ids = [case.id for case in (*drawn.train, *drawn.later)]
    assert len(drawn.train) == 10
    assert sorted(ids) == sorted(c.id for c in (*train, *later) if not c.label)
    assert ids != sorted(ids)


def test_what_trains_comes_before_and_is_normal(data):
    for one in [*_text(data), *_machines(data)]:
        assert one.train, one.name
        assert one.later, one.name
        assert not any(case.label for case in one.train), one.name
        assert not {case.id for case in one.train} & {case.id for case in one.later}, one.name
