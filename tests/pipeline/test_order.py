"""The order of calibration cases: along their files or along time, or none."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from mmdmad.calibration.budget import Order
from mmdmad.calibration.patterns import JointCalibration, Measures
from mmdmad.cases import Case, Part
from mmdmad.errors import ModelError
from mmdmad.pipeline.detector import JointDetector
from mmdmad.pipeline.order import order_of

BEGIN = datetime(2026, 3, 2, 8)


def window(number, file="a.csv", clock=True):
    part = Part("sensor", Path(file), start=60 * number, stop=60 * number + 60)
    return Case(f"{file}@{number}", {"sensor": part}, time=BEGIN + timedelta(minutes=number) if clock else None)


def picture(minute, recording="shift"):
    at = None if minute is None else BEGIN + timedelta(minutes=minute)
    return Case(f"{recording}{minute}", {"image": Part("image", value=0)}, time=at, recording=recording)


def test_pieces_lie_along_their_files():
    made = order_of([window(3), window(0, "b.csv"), window(4)], "recording")
    assert (list(made.lines), list(made.begins), list(made.ends)) == ([0, 1, 0], [180, 0, 240], [240, 60, 300])
    assert made.seconds == 60.0
    assert order_of([window(3, clock=False), window(4, clock=False)], "block").seconds is None


def test_other_cases_lie_along_time_and_a_stop_is_a_gap():
    made = order_of([picture(2), picture(0), picture(1), picture(9), picture(1, "other")], "recording")
    assert list(made.lines) == [0, 0, 0, 0, 1]
    assert [b - made.begins[1] for b in made.begins[:4]] == [2, 0, 1, 4]  # 7 minutes are a stop, which leaves one out


def test_cases_dealt_out_singly_have_no_order():
    assert order_of([window(0), window(1)], "case") is None
    assert order_of([picture(0), picture(None)], "recording") is None


def measures(*scores):
    return Measures({"text": np.array(scores)}, {})


def test_a_calibration_keeps_its_cases_in_their_order_with_their_places_among_the_others():
    order = Order((0, 0, 0, 1), (0, 1, 2, 0), (1, 2, 3, 1), 60.0)
    reference = measures(*np.linspace(0, 1, 40))
    calibration = measures(0.3, 9.0, np.nan, 0.5)
    made = JointCalibration(0, "recording").fit(reference, calibration, ["a", "a", "a", "b"], order)
    # the highest of three is 1 / 4; a case without the part is in no order
    assert made.track_.state()["rows"] == [[0, 0, 0.0, 1.0, 0.75], [0, 0, 1.0, 2.0, 0.25], [1, 1, 0.0, 1.0, 0.5]]
    state = made.state()
    assert JointCalibration.from_state(state).track_.state() == made.track_.state()
    state["track"]["rows"] *= 2
    with pytest.raises(ModelError, match="more than 3 calibration cases are in order"):
        JointCalibration.from_state(state)
    del state["track"]
    assert JointCalibration.from_state(state).track_ is None  # of an earlier version


@pytest.mark.parametrize("calibration", ["split", "cross"])
def test_a_fitted_model_keeps_the_order_of_its_recordings(tiny, tmp_path, calibration):
    config = tiny.tiny_config(calibration=calibration)
    config = config.model_copy(update={"parts": {"text": config.parts["text"]}})
    begin = datetime(2026, 3, 2, 8)
    cases = [
        Case(
            f"{r}-{n}", {"text": Part("text", value=f"green piece {r} {n} went through")},
            time=begin + timedelta(hours=r, minutes=n), recording=f"hour {r}",
        )
        for r in range(12) for n in range(10)
    ]  # fmt: skip
    model = JointDetector(config).fit(cases)
    tracks = [fold.calibration.track_ for fold in model.folds_]
    assert len(tracks) == (1 if calibration == "split" else 10)
    for track in tracks:
        assert track.seconds == 60.0
        assert set(np.bincount(track.lines).tolist()) == {10}  # whole recordings
        assert [sorted(track.begins[track.lines == k] - track.begins[track.lines == k].min()) for k in (0,)] == [
            list(range(10))
        ]
    model.save(tmp_path / "model")
    again = JointDetector.load(tmp_path / "model")
    assert [f.calibration.track_.state() for f in again.folds_] == [track.state() for track in tracks]
