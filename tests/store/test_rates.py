"""The ends of the declared false-alarm rates that a run takes."""

import pytest

from mmdmad.cases import Case, Cases, Part
from mmdmad.store.run import Run


@pytest.mark.parametrize("rate", [0.0001, 0.5])
def test_the_ends_of_what_is_allowed_are_allowed(tmp_path, samples, normals, rate):
    run = Run.create(tmp_path / "run", {"false_alarm_rate": 0.01})
    run._model = samples.FakeModel(normals)
    run.score(Cases((Case("new", {"text": Part("text", value="belt stopped")}),)), false_alarm_rate=rate)
    assert run.false_alarm_rate == rate
